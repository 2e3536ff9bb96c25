"""Laws that hold for every graph, as properties over random programs and numbers."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cgcli.graph.node import Node, apply, constant, rebuild, variable
from cgcli.graph.operation import Operation
from cgcli.transform.differentiate import jvp, vjp
from cgcli.transform.exact import exact
from tests.support import ELEMENTWISE, float64, inputs, literal, node, value

SMOOTH = ["sin(x)*y", "exp(x - y)", "x*x + atan(y)", "tanh(x*y)", "hypot(x, 2 + y^2)", "softmax(x + y)",
          "cumsum(x)*y", "x/(2 + y^2)", "prod(x)*y", "[x, y] @ x", "where(x > y, sin(x), y)",
          "norm(x)*y", "logsumexp(x*y)"]  # fmt: skip
VECTORS = [program for program in SMOOTH if "@" not in program]
numbers = st.floats(-3, 3, allow_subnormal=False).map(lambda x: round(x, 6) + 0.0123456)
vectors = st.lists(numbers, min_size=3, max_size=3).map(np.array)
scales = st.floats(-4, 4).map(lambda x: round(x, 3))


def close(ours: Any, truth: Any) -> bool:
    scale = 1 + np.max(np.abs(truth), initial=0.0)
    return bool(np.all(np.abs(np.asarray(ours) - truth) <= 1e-12 * scale))


def sized(given_seed: int, shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(given_seed).normal(size=shape)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SMOOTH), vectors, vectors, scales, scales, st.integers(0, 99))
def test_reverse_mode_is_linear_in_the_cotangent(program: str, x: Any, y: Any, a: float, b: float, seed: int) -> None:
    point = {"x": x, "y": y}
    output = node(program, point)
    one, other = sized(seed, output.shape), sized(seed + 1, output.shape)

    def pulled(cotangent: Any) -> list[Any]:
        return [value(adjoint, point) for adjoint in vjp(output, literal(cotangent), inputs(point))]

    for mixed, left, right in zip(pulled(a * one + b * other), pulled(one), pulled(other), strict=True):
        assert close(mixed, a * left + b * right)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SMOOTH), vectors, vectors, scales, scales, st.integers(0, 99))
def test_forward_mode_is_linear_in_the_tangent(program: str, x: Any, y: Any, a: float, b: float, seed: int) -> None:
    point = {"x": x, "y": y}
    output = node(program, point)
    one, other = sized(seed, (2, 3)), sized(seed + 1, (2, 3))

    def pushed(tangents: Any) -> Any:
        moved = {item: literal(tangent) for item, tangent in zip(inputs(point), tangents, strict=True)}
        return value(jvp(output, moved), point)

    assert close(pushed(a * one + b * other), a * pushed(one) + b * pushed(other))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SMOOTH), st.sampled_from(VECTORS), vectors, vectors, st.integers(0, 99))
def test_the_chain_rule(outer: str, inner: str, x: Any, y: Any, seed: int) -> None:
    """The derivative of f(g(x)) is that of f at g(x) applied to that of g: in both modes, by separate graphs."""
    point = {"x": x, "y": y}
    by = variable("x", (3,))
    composed = node(f"g = {inner} + zeros(3); f(x) = {outer}; f(g)", point)
    inside = node(f"{inner} + zeros(3)", point)
    middle = {"x": value(inside, point), "y": y}
    outside = node(outer, middle)

    moved = {by: literal(sized(seed, (3,)))}
    step = {by: literal(value(jvp(inside, moved), point))}
    assert close(value(jvp(composed, moved), point), value(jvp(outside, step), middle))

    cotangent = literal(sized(seed + 1, outside.shape))
    (back,) = vjp(outside, cotangent, [by])
    (through,) = vjp(inside, literal(value(back, middle)), [by])
    (whole,) = vjp(composed, cotangent, [by])
    assert close(value(whole, point), value(through, point))


# ---- random graphs --------------------------------------------------------------------

TOTAL = [operation for operation in ELEMENTWISE.values() if not operation.statics and operation.name != "gamma"]
SPECIAL_NUMBERS = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, float("inf"), float("-inf"), float("nan"), 1e308, 5e-324, -3.7]
Recipe = list[tuple[Operation, tuple[int, ...]]]
special = st.one_of(st.sampled_from(SPECIAL_NUMBERS), st.floats(width=64))


@st.composite
def recipes(draw: st.DrawFn) -> tuple[list[float], Recipe]:
    """Constants, and steps that apply an operation to earlier values."""
    constants = draw(st.lists(special, min_size=1, max_size=3))
    steps: Recipe = []
    for at in range(draw(st.integers(1, 10))):
        operation = draw(st.sampled_from(TOTAL))
        count = draw(st.integers(2, 3)) if operation.variadic else len(operation.arrays)
        known = 2 + len(constants) + at
        steps.append((operation, tuple(draw(st.lists(st.integers(0, known - 1), min_size=count, max_size=count)))))
    return constants, steps


def built(recipe: tuple[list[float], Recipe]) -> Node:
    constants, steps = recipe
    nodes = [variable("x"), variable("y", (2,)), *map(constant, constants)]
    for operation, places in steps:
        nodes.append(apply(operation, tuple(nodes[place] for place in places)))
    return nodes[-1]


def bits(array: Any) -> list[Any]:
    """The numbers with the sign of zero told apart; any nan is nan."""
    return [b"nan" if item != item else struct.pack("<d", item) for item in np.ravel(array).tolist()]


@settings(max_examples=150, deadline=None)
@given(recipes(), special, special, special)
def test_exact_simplification_never_changes_a_value(
    recipe: tuple[list[float], Recipe], x: float, y: float, z: float
) -> None:
    """Neither nan, nor infinities, nor the sign of a zero."""
    output = built(recipe)
    point = {"x": float64(x), "y": float64([y, z])}
    simple = rebuild([output], exact)[output]
    assert simple.shape == output.shape
    assert bits(value(simple, point)) == bits(value(output, point))


@settings(max_examples=60, deadline=None)
@given(recipes())
def test_equal_expressions_are_one_node(recipe: tuple[list[float], Recipe]) -> None:
    output = built(recipe)
    assert built(recipe) is output
    assert rebuild([output], exact) == rebuild([output], exact)
    (gradient,) = vjp(output, literal(np.ones(output.shape)), [variable("x")])
    assert vjp(output, literal(np.ones(output.shape)), [variable("x")]) == (gradient,)


@settings(max_examples=60, deadline=None)
@given(special, special)
def test_constants_are_told_apart_by_their_bits(one: float, other: float) -> None:
    assert (constant(one) is constant(other)) == (struct.pack("<d", one) == struct.pack("<d", other))
