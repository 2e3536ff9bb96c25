"""Values, shapes and types of every operation: what the shape rule says is what the kernel gives."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from cgcli.errors import ArgumentError, ShapeError
from cgcli.graph.node import apply, toposort, variable
from cgcli.lowering.formula import expand
from cgcli.transform.differentiate import vjp
from tests.for_each import for_each
from tests.reference_cases_linear import CASES, cases
from tests.reference_torch import TORCH, torch_gradients
from tests.support import (
    ELEMENTWISE,
    OTHERS,
    argument_names,
    defaults,
    differentiable,
    float64,
    gap,
    inputs,
    intervals,
    literal,
    node,
    value,
)
from tests.support_cases import Case, expected_in_torch, parameters

SHAPES: list[tuple[int, ...]] = [(), (3,), (2, 1), (2, 3), (0,), (0, 3), (4, 2, 3)]
PAIRS = [
    ((), (3,)),
    ((3,), ()),
    ((2, 1), (3,)),
    ((2, 3), (1, 3)),
    ((4, 1, 3), (2, 1)),
    ((2, 3), (4, 2, 3)),
    ((0, 3), (1,)),
]


def is_float64(result: Any) -> bool:
    """A float, or an array of float64; never a whole number, which would print and divide differently."""
    return isinstance(result, float) or (isinstance(result, np.ndarray) and result.dtype == np.float64)


def drawn(name: str, shapes: Any) -> list[Any]:
    """Arguments of given shapes, inside the operation's domain, away from its edges."""
    rng = np.random.default_rng(7)
    arguments = []
    for (low, high), shape in zip(intervals(ELEMENTWISE[name], len(shapes)), shapes, strict=True):
        low, high = max(low, -4.0), min(high, max(low, -4.0) + 8.0)
        arguments.append(float64(rng.uniform(low + 0.1, high - 0.1, shape)))
    return arguments


def test_every_operation_has_its_cases() -> None:
    for name in OTHERS:
        assert cases(name)
    assert set(CASES) == set(OTHERS)


def test_an_entry_without_cases_fails_with_what_to_add() -> None:
    with pytest.raises(AssertionError, match="give the operation 'no_such' cases"):
        cases("no_such")


@for_each(("name", "case"), parameters(CASES))
def test_value_is_pytorchs_and_shape_is_the_rules(name: str, case: Case) -> None:
    sample = case.sample()
    output = node(case.program, sample)
    ours = value(output, sample)
    expected, _ = expected_in_torch(case, sample)
    assert output.op is OTHERS[name]
    assert is_float64(ours)
    assert np.shape(ours) == output.shape
    assert gap(ours, expected.detach().double().numpy(), 0.1) < 1e-13


@for_each("name", ELEMENTWISE)
def test_elementwise_shape_is_the_rules(name: str) -> None:
    operation = ELEMENTWISE[name]
    for shape in SHAPES:
        arguments = drawn(name, [shape] * len(argument_names(operation)))
        result = operation.kernel(*arguments, *defaults(operation))
        assert is_float64(result)
        assert result.shape == operation.shape([np.shape(each) for each in arguments], defaults(operation)) == shape


MANY = [name for name, operation in ELEMENTWISE.items() if len(operation.arrays) > 1 or operation.variadic]


@for_each("name", [name for name in MANY if name in TORCH])
@for_each("pair", PAIRS)
def test_broadcasting_is_numpys_and_its_gradient_pytorchs(name: str, pair: tuple[Any, Any]) -> None:
    operation, meaning = ELEMENTWISE[name], TORCH[name]
    count = len(argument_names(operation))
    for shapes in {tuple(pair[at % 2] for at in range(count)), tuple(pair[at // 2 % 2] for at in range(count))}:
        if shapes[0] == shapes[-1] == shapes[count // 2]:
            continue
        arguments = drawn(name, shapes)
        args = [variable(f"arg {at}", shape) for at, shape in enumerate(shapes)]
        bindings = {f"arg {at}": argument for at, argument in enumerate(arguments)}
        output = apply(operation, tuple(args))
        together = operation.kernel(*map(np.array, np.broadcast_arrays(*arguments)))
        ours = value(output, bindings)
        assert np.shape(ours) == output.shape == np.broadcast_shapes(*shapes)
        np.testing.assert_allclose(ours, together, rtol=4e-15)
        if not differentiable(operation):
            continue
        cotangent = np.random.default_rng(8).normal(size=output.shape)
        _, truths = torch_gradients(meaning, arguments, cotangent)
        for at in differentiable(operation):
            (found,) = vjp(output, literal(cotangent), [args[at]])
            assert found.shape == shapes[at]
            assert gap(value(found, bindings), truths[at], 1e-3) < 1e-12, f"{name}{shapes} by argument {at}"


@for_each("name", MANY)
def test_shapes_that_do_not_broadcast_are_refused(name: str) -> None:
    shapes = [(2, 3), (2, 4)] + [()] * (len(argument_names(ELEMENTWISE[name])) - 2)
    with pytest.raises(ShapeError, match="do not broadcast"):
        ELEMENTWISE[name].shape(shapes, ())


@for_each(("name", "case"), parameters(CASES, lambda name, case: bool(OTHERS[name].expansion)))
def test_expansion_is_the_kernel(name: str, case: Case) -> None:
    """The formula whose derivative stands for the operation's has the operation's value."""
    sample = case.sample(1)
    output = node(case.program, sample)
    written = expand(output.op, output.args, output.params)
    assert written is not output
    assert written.shape == output.shape
    assert gap(value(written, sample), value(output, sample), 1e-3) < 1e-14


@for_each(("name", "case"), parameters(CASES))
def test_static_parameters_are_of_the_type_that_the_entry_names(name: str, case: Case) -> None:
    """Protects rules, which read them by name: a plain tuple would do until one of them is asked."""
    sample = case.sample()
    output = node(case.program, sample)
    adjoints = vjp(output, literal(np.ones(output.shape)), inputs(sample))
    for part in toposort([output, *adjoints]):
        assert not isinstance(part.op.params, type) or isinstance(part.params, part.op.params), part


@for_each(("name", "case"), parameters(CASES, lambda name, case: len(case.shapes) == 1))
def test_a_leading_batch_axis_passes(name: str, case: Case) -> None:
    """A kernel acts on the trailing axes: on a stack it gives the stack of what it gives on each."""
    output = node(case.program, case.sample())
    if len(output.args) > 1:
        return
    (batch,) = zip(*(case.sample(seed).values() for seed in range(3)), strict=True)
    with np.errstate(all="ignore"):
        each = np.stack([output.op.kernel(item, *output.params) for item in batch])
        together = output.op.kernel(np.stack(batch), *output.params)
    np.testing.assert_allclose(np.broadcast_to(together, each.shape), each, rtol=1e-12, atol=1e-14)


def test_a_bad_matrix_spoils_only_itself() -> None:
    stack = np.stack([np.eye(3), np.zeros((3, 3)), np.full((3, 3), np.nan), 2 * np.eye(3)])
    singular = ["inv", "cholesky"]
    for name in [*singular, "cofactor", "det", "logdet", "logabsdet", "signdet", "eigvalsh", "eigvecsh", "svdvals",
                 "svd_left", "svd_right", "orthonormal", "pinv", "expm"]:  # fmt: skip
        lost = [1, 2] if name in singular else [2]
        with np.errstate(all="ignore"):
            result = OTHERS[name].kernel(stack, *defaults(OTHERS[name]))
        assert [at for at in range(4) if np.any(np.isnan(result[at]))] == lost, name


@pytest.mark.parametrize(
    "program", ["diag(x, 0, 1)", "diag(x, _rank=1)", "reshape(x, [4], 1)", "broadcast(x, [2, 4], 1)"]
)
def test_what_an_operation_finds_out_itself_cannot_be_given(program: str) -> None:
    with pytest.raises(ArgumentError):
        node(program, {"x": np.ones(4)})


def test_more_degrees_of_freedom_than_elements_are_refused() -> None:
    with pytest.raises(ShapeError, match="ddof is 3, but there are only 2"):
        node("var(x, ddof=3)", {"x": np.ones(2)})


@for_each("program", ["std(x)", "norm(x)", "hypot(x[0], x[1])"])
@for_each("scale", [1e200, 1e-200])
def test_squares_neither_overflow_nor_vanish(program: str, scale: float) -> None:
    point = np.array([3.0, -4.0])
    ours = value(node(program, {"x": point}), {"x": point * scale})
    assert gap(ours / scale, value(node(program, {"x": point}), {"x": point})) < 1e-15


@pytest.mark.filterwarnings("error")
@for_each(
    "program", ["mean(x)", "var(x)", "std(x)", "mse(x, x)", "var([1], ddof=1)", "norm(x)", "prod(x)", "logsumexp(x)"]
)
def test_no_elements_are_no_warning_of_numpys(program: str) -> None:
    """Python warnings would land on the user's standard error without a word on where they come from."""
    value(node(program, {"x": np.ones(0)}), {"x": np.ones(0)})


def test_the_order_of_arguments_of_an_extreme_does_not_matter() -> None:
    for order in itertools.permutations([1.0, 2.0, np.nan]):
        assert np.isnan(ELEMENTWISE["max..."].kernel(*map(np.float64, order)))
        assert np.isnan(ELEMENTWISE["min..."].kernel(*map(np.float64, order)))
