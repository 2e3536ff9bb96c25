"""Gradients of every operation that is not elementwise: against PyTorch, both modes, to second order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch

from cgcli.graph.node import Node, apply, constant, name_of, variable
from cgcli.graph.operation import Params
from cgcli.graph.rules import Transpose
from cgcli.ops.arithmetic import MULTIPLY
from cgcli.ops.shaping import FLIP
from cgcli.ops.statics import Axes
from cgcli.transform.differentiate import jvp, vjp
from tests.for_each import for_each
from tests.reference_cases_linear import CASES
from tests.support import (
    ELEMENTWISE,
    OTHERS,
    both_modes,
    defaults,
    differentiable,
    forward,
    gap,
    inputs,
    literal,
    node,
    reverse,
    tame_points,
    value,
    with_rules,
)
from tests.support_cases import Case, expected_in_torch, parameters

TOLERANCE = 1e-12
FLOOR = 0.1  # the samples are of size 1; an error beside a sum that cancels counts as beside this


def smooth(name: str, case: Case) -> bool:
    """Whether the operation has a derivative by something."""
    return bool(case.shapes and (OTHERS[name].expansion or differentiable(OTHERS[name])))


def has_elements(name: str, case: Case) -> bool:
    return smooth(name, case) and all(0 not in shape for shape in case.shapes.values())


def torch_gradients(case: Case, sample: dict[str, Any], cotangent: Any) -> dict[str, Any]:
    """PyTorch's gradient by each input, zeros where it has none."""
    result, leaves = expected_in_torch(case, sample)
    found = torch.autograd.grad((result * torch.tensor(cotangent)).sum(), leaves, allow_unused=True)
    moving = [name for name in sample if name not in case.constants]
    return {
        name: np.zeros(np.shape(sample[name])) if item is None else item.numpy(force=True)
        for name, item in zip(moving, found, strict=True)
    }


@for_each(("name", "case"), parameters(CASES, smooth))
def test_gradient_is_pytorchs(name: str, case: Case) -> None:
    sample = case.sample()
    output = node(case.program, sample)
    cotangent = np.random.default_rng(1).normal(size=output.shape)
    backward, onward = both_modes(output, cotangent, sample)
    for given, truth in torch_gradients(case, sample, cotangent).items():
        at = list(sample).index(given)
        assert gap(backward[at], truth, FLOOR) < TOLERANCE, f"{case.program} by {given}, reverse"
        assert gap(onward[at], truth, FLOOR) < TOLERANCE, f"{case.program} by {given}, forward"


def asymmetry(output: Node, sample: dict[str, Any], constants: Iterable[str] = ()) -> float:
    """How far <ct, J t> is from <J' ct, t> for random tangents t and cotangents ct."""
    rng = np.random.default_rng(2)
    worst = 0.0
    for _ in range(3):
        tangents = {name: rng.normal(size=np.shape(item)) * (name not in constants) for name, item in sample.items()}
        cotangent = rng.normal(size=output.shape)
        onward = np.sum(cotangent * forward(output, tangents, sample))
        pairs = zip(reverse(output, cotangent, sample), tangents.values(), strict=True)
        backward = sum(np.sum(adjoint * tangent) for adjoint, tangent in pairs)
        worst = max(worst, float(abs(onward - backward) / (1 + abs(onward))))
    return worst


@for_each(("name", "case"), parameters(CASES, has_elements))
def test_reverse_is_the_transpose_of_forward(name: str, case: Case) -> None:
    sample = case.sample()
    assert asymmetry(node(case.program, sample), sample, case.constants) < TOLERANCE


@for_each("name", [name for name, operation in ELEMENTWISE.items() if differentiable(operation)])
def test_reverse_is_the_transpose_of_forward_with_broadcasting(name: str) -> None:
    operation = ELEMENTWISE[name]
    columns = tame_points(operation, 12, np.random.default_rng(9))
    shapes: list[tuple[int, ...]] = [(3, 4), (4,), (3, 1)]
    sample = {
        f"arg {at}": np.resize(column, shape)
        for at, (column, shape) in enumerate(zip(columns, shapes[: len(columns)], strict=True))
    }
    output = apply(operation, tuple(inputs(sample)), defaults(operation))
    assert asymmetry(output, sample) < TOLERANCE


def test_the_check_finds_a_transpose_that_is_wrong_by_a_twentieth_of_a_percent() -> None:
    def back(ct: Node, args: tuple[Node, ...], params: Params) -> Node:
        return apply(MULTIPLY, (apply(FLIP, (ct,), Axes((-1,))), constant(1.0005)))

    wrong = with_rules(FLIP, Transpose(back))
    sample = {"x": np.arange(4.0)}
    (x,) = inputs(sample)
    assert asymmetry(apply(FLIP, (x,), Axes((-1,))), sample) < TOLERANCE
    assert asymmetry(apply(wrong, (x,), Axes((-1,))), sample) > 1e-5


@for_each(("name", "case"), parameters(CASES, lambda name, case: smooth(name, case) and case.orders > 1))
def test_second_derivative_is_pytorchs(name: str, case: Case) -> None:
    """The Hessian along a random direction, by three ways that must agree."""
    sample = case.sample(3)
    output = node(case.program, sample)
    rng = np.random.default_rng(4)
    cotangent = rng.normal(size=output.shape)
    moving = {name_of(given): given for given in inputs(sample) if name_of(given) not in case.constants}
    direction = {name: rng.normal(size=given.shape) for name, given in moving.items()}
    tangents = {given: literal(direction[name]) for name, given in moving.items()}
    wrt = list(moving.values())

    gradient = vjp(output, literal(cotangent), wrt)
    ways = {
        "reverse over reverse": [
            sum(
                value(vjp(adjoint, tangents[other], [given])[0], sample)
                for adjoint, other in zip(gradient, wrt, strict=True)
            )
            for given in wrt
        ],
        "forward over reverse": [value(jvp(adjoint, tangents), sample) for adjoint in gradient],
        "reverse over forward": [
            value(adjoint, sample) for adjoint in vjp(jvp(output, tangents), literal(cotangent), wrt)
        ],
    }
    truths = torch_hessian(case, sample, cotangent, direction)
    for way, found in ways.items():
        for name, ours in zip(moving, found, strict=True):
            assert gap(ours, truths[name], FLOOR) < 10 * TOLERANCE, f"{case.program} by {name}: {way}"


def torch_hessian(case: Case, sample: dict[str, Any], cotangent: Any, direction: dict[str, Any]) -> dict[str, Any]:
    """PyTorch's Hessian of the weighted output along the direction."""
    result, leaves = expected_in_torch(case, sample)
    names = list(direction)
    first = torch.autograd.grad((result * torch.tensor(cotangent)).sum(), leaves, create_graph=True, allow_unused=True)
    slope = sum(
        (item * torch.tensor(direction[name])).sum()
        for item, name in zip(first, names, strict=True)
        if item is not None
    )
    second = (
        torch.autograd.grad(slope, leaves, allow_unused=True)
        if isinstance(slope, torch.Tensor) and slope.requires_grad
        else [None] * len(leaves)
    )
    return {
        name: np.zeros(np.shape(sample[name])) if item is None else item.numpy(force=True)
        for name, item in zip(names, second, strict=True)
    }


@pytest.mark.parametrize("program", ["sum(x*y)", "sum(sin(x))"])
def test_an_unused_input_has_gradient_zero(program: str) -> None:
    sample = {"x": np.ones(3), "y": np.ones(3), "z": np.ones((2, 2))}
    assert not np.any(reverse(node(program, sample), 1.0, sample)[2])
    assert not np.any(forward(node(program, sample), {"z": np.ones((2, 2))}, sample))


def test_variables_are_what_the_helpers_say() -> None:
    assert inputs({"x": np.ones(3)}) == [variable("x", (3,))]
