"""Every partial derivative in the table, to third order, both modes: against mpmath, and against PyTorch."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from cgcli.graph.node import Node, apply, variable
from cgcli.graph.operation import Operation
from cgcli.ops.entry import elementwise
from cgcli.transform.differentiate import jvp, vjp
from tests.for_each import for_each
from tests.reference_torch import TORCH, torch_gradients
from tests.reference_values import PARAMETERS, reference
from tests.support import (
    ELEMENTWISE,
    argument_names,
    defaults,
    differentiable,
    gap,
    intervals,
    ones,
    samples,
    tame_points,
    value,
    worst_gap,
)

TOLERANCE = 1e-12
FLOOR = 1e-3  # below this size an error counts as if the derivative were this large: it may cross 0

CASES = [
    (name, params)
    for name, operation in ELEMENTWISE.items()
    if differentiable(operation)
    for params in [defaults(operation), *PARAMETERS.get(name, [])]
]


class Setting:
    """An operation applied to vectors of sample points, so that one run checks all of them."""

    def __init__(self, operation: Operation, params: tuple[Any, ...], count: int, seed: int = 0) -> None:
        self.operation = operation
        self.params = params
        self.columns = tame_points(self.operation, count, np.random.default_rng(seed))
        self.names = argument_names(self.operation)
        self.args = [variable(f"arg {given}", (count,)) for given in self.names]
        self.bindings = {f"arg {given}": column for given, column in zip(self.names, self.columns, strict=True)}
        self.out = apply(self.operation, tuple(self.args), params)

    def numbers(self, node: Node) -> Any:
        return value(node, self.bindings)


def reverse_by(node: Node, arg: Node) -> Node:
    return vjp(node, ones(node), [arg])[0]


def forward_by(node: Node, arg: Node) -> Node:
    return jvp(node, {arg: ones(arg)})


def by_mpmath(name: str, params: Sequence[Any], columns: Sequence[Any], orders: tuple[int, ...]) -> Any:
    """A mixed partial derivative at each point, by differences with 40 digits."""
    meaning = reference(name)
    with mp.workdps(40):
        points = [tuple(mpf(float(item)) for item in point) for point in zip(*columns, strict=True)]
        function = functools.partial(lambda *xs: meaning(*xs, *params))
        one = len(orders) == 1
        return np.array(
            [float(mp.diff(function, point[0] if one else point, orders[0] if one else orders)) for point in points]
        )


def order_of(places: Sequence[int], count: int) -> tuple[int, ...]:
    return tuple(list(places).count(at) for at in range(count))


def gradient_error(setting: Setting, name: str) -> float:
    """The largest error of an operation's first derivatives, both modes, against the reference `name`."""
    worst = 0.0
    for at in differentiable(setting.operation):
        truth = by_mpmath(name, setting.params, setting.columns, order_of([at], len(setting.args)))
        for mode in (reverse_by, forward_by):
            worst = max(worst, worst_gap(setting.numbers(mode(setting.out, setting.args[at])), truth, FLOOR))
    return worst


@for_each(("name", "params"), CASES)
def test_gradient_is_the_true_one(name: str, params: tuple[Any, ...]) -> None:
    assert gradient_error(Setting(ELEMENTWISE[name], params, 40), name) < TOLERANCE


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("sin", ["1.0005*cos(x)"]),
        ("sin", ["cos(x) + 0.0005"]),
        ("multiply", ["y", "x*1.0005"]),
        ("hypot", ["x/out", "0.9995*y/out"]),
    ],
)
def test_the_check_finds_a_rule_that_is_wrong_by_a_twentieth_of_a_percent(name: str, rules: list[str]) -> None:
    right = ELEMENTWISE[name]
    wrong = elementwise(name, "", right.kernel, *rules, arrays=" ".join(right.arrays))
    assert gradient_error(Setting(right, (), 40), name) < TOLERANCE
    assert gradient_error(Setting(wrong, (), 40), name) > 1e-4


def jumps(name: str, point: Sequence[Any]) -> bool:
    """Whether a kink, or the next step of a remainder, is too near for a difference."""
    kink = ELEMENTWISE[name].kink
    if name in ("mod", "fmod"):
        quotient = point[0] / point[1] if point[1] else np.inf
        return not abs(quotient) < 1e6 or abs(quotient - round(quotient)) < 1e-6
    return kink is not None and bool(kink.holds(*point, *defaults(ELEMENTWISE[name])))


@pytest.mark.parametrize("name", [name for name, operation in ELEMENTWISE.items() if differentiable(operation)])
def test_gradient_keeps_its_digits_over_the_whole_domain(name: str) -> None:
    """No formula cancels, overflows or underflows before its value does: for huge and tiny arguments too."""
    operation, meaning, params = ELEMENTWISE[name], reference(name), defaults(ELEMENTWISE[name])
    drawn = [samples(interval, 24, np.random.default_rng(5)) for interval in intervals(operation)]
    columns = [column[: min(map(len, drawn))] for column in drawn]
    args = [variable(f"arg {at}", column.shape) for at, column in enumerate(columns)]
    bindings = {f"arg {at}": column for at, column in enumerate(columns)}
    for at in differentiable(operation):
        ours = value(reverse_by(apply(operation, tuple(args), params), args[at]), bindings)
        for point, found in zip(zip(*columns, strict=True), ours, strict=True):
            if point[at] == 0 or jumps(name, point):
                continue
            largest = max(abs(float(v)) for v in point)
            decades = max(abs(math.log10(abs(float(v)) or 1.0)) for v in point)
            with mp.workdps(200 + int(2 * decades + min(largest, 300))):  # 1 - tanh(x)^2 is as small as exp(-2*x)
                x, step = mpf(float(point[at])), mpf(10) ** -40 * min(abs(float(point[at])), 1.0)
                left, right = (
                    meaning(*[mpf(float(v)) if k != at else moved for k, v in enumerate(point)], *params)
                    for moved in (x - step, x + step)
                )
                truth = float((right - left) / (2 * step))
            if abs(truth) > 1e-290:
                assert gap(found, truth) < TOLERANCE, f"d {name}{point} by argument {at}: {found} is not {truth}"


@for_each(("name", "params"), [case for case in CASES if case[0] in TORCH])
def test_gradient_is_pytorchs(name: str, params: tuple[Any, ...]) -> None:
    meaning = TORCH[name]
    setting = Setting(ELEMENTWISE[name], params, 200, seed=1)
    cotangent = np.random.default_rng(2).normal(size=200)
    _, truths = torch_gradients(lambda *xs: meaning(*xs, *params), setting.columns, cotangent)
    for at in differentiable(setting.operation):
        for mode in (reverse_by, forward_by):
            ours = setting.numbers(mode(setting.out, setting.args[at])) * cotangent
            error = worst_gap(ours, truths[at], FLOOR)
            assert error < PYTORCH_LOSES.get(name, TOLERANCE), f"d {name}{params} by argument {at}, {mode.__name__}"


# Where PyTorch's own derivative is the inaccurate one; the test against mpmath is the strict one.
PYTORCH_LOSES = {"digamma": 1e-9}


@for_each(("name", "params"), CASES)
def test_second_derivative_is_the_true_one_in_every_mode(name: str, params: tuple[Any, ...]) -> None:
    setting = Setting(ELEMENTWISE[name], params, 15, seed=3)
    modes = {"reverse": reverse_by, "forward": forward_by}
    for pair in itertools.combinations_with_replacement(differentiable(setting.operation), 2):
        truth = by_mpmath(name, params, setting.columns, order_of(pair, len(setting.args)))
        for (first, inner), (then, outer) in itertools.product(modes.items(), repeat=2):
            for i, j in {pair, pair[::-1]}:
                ours = setting.numbers(outer(inner(setting.out, setting.args[i]), setting.args[j]))
                error = worst_gap(ours, truth, FLOOR)
                what = f"d2 {name}{params} by {i}, {j}, {then} over {first}"
                assert error < 10 * TOLERANCE, f"{what}: {ours} is not {truth}"


@for_each(("name", "params"), CASES)
def test_third_derivative_is_the_true_one(name: str, params: tuple[Any, ...]) -> None:
    setting = Setting(ELEMENTWISE[name], params, 6, seed=4)
    for places in itertools.combinations_with_replacement(differentiable(setting.operation), 3):
        truth = by_mpmath(name, params, setting.columns, order_of(places, len(setting.args)))
        i, j, k = (setting.args[at] for at in places)
        results = {
            "reverse": setting.numbers(reverse_by(reverse_by(reverse_by(setting.out, i), j), k)),
            "forward": setting.numbers(forward_by(forward_by(forward_by(setting.out, k), j), i)),
            "forward over reverse": setting.numbers(forward_by(forward_by(reverse_by(setting.out, i), j), k)),
        }
        for mode, ours in results.items():
            error = worst_gap(ours, truth, FLOOR)
            assert error < 1e-10, f"d3 {name}{params} by {places}, {mode}: {ours} is not {truth}"


@for_each("name", [name for name, op in ELEMENTWISE.items() if not differentiable(op)])
def test_no_derivative_means_zero_and_says_why(name: str) -> None:
    setting = Setting(ELEMENTWISE[name], (), 5)
    assert setting.operation.why_no_derivative
    for arg in setting.args:
        assert not np.any(setting.numbers(reverse_by(setting.out, arg)))
        assert not np.any(setting.numbers(forward_by(setting.out, arg)))


def test_the_pytorch_functions_are_of_operations_in_the_table() -> None:
    assert set(TORCH) <= set(ELEMENTWISE)
