"""Derivatives at kinks and edges: every row of the conventions, in both modes."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np

from cgcli.transform.differentiate import jvp, vjp
from tests.for_each import for_each
from tests.support import both_modes, gap, inputs, node, ones, value

INF, NAN = float("inf"), float("nan")


class Edge(NamedTuple):
    """The gradient of a program (of the sum of its elements) at one point, by each input."""

    program: str
    point: dict[str, Any]
    gradient: list[Any]


X0 = {"x": 0.0}
XY0 = {"x": 0.0, "y": 0.0}

NOT_LINEAR = ["exp", "ln", "sin", "cos", "tan", "sqrt", "cbrt", "tanh", "abs", "relu", "elu", "gelu", "silu",
              "sigmoid", "softplus", "erf", "gamma", "sinc", "asin", "acosh", "atanh", "leaky_relu", "norm",
              "logsumexp"]  # fmt: skip

EDGES = {
    "steps and kinks": [
        Edge("abs(x)", X0, [0]),
        Edge("sign(x)", X0, [0]),
        Edge("floor(x)", {"x": 2.0}, [0]),
        Edge("round(x)", {"x": 0.5}, [0]),
        Edge("x < y", {"x": 1.0, "y": 1.0}, [0, 0]),
        Edge("x == y", {"x": 1.0, "y": 1.0}, [0, 0]),
        Edge("relu(x)", X0, [0]),
        Edge("relu(x)", {"x": -0.0}, [0]),
        Edge("leaky_relu(x, 0.1)", X0, [0.1]),
        Edge("elu(x)", X0, [1]),
        Edge("sum(abs(x))", {"x": [-1.0, 0.0, 2.0]}, [[-1, 0, 1]]),
    ],
    "ties": [
        Edge("max(x, y)", {"x": 1.0, "y": 1.0}, [0.5, 0.5]),
        Edge("min(x, y)", {"x": 1.0, "y": 1.0}, [0.5, 0.5]),
        Edge("max(x, y, z)", {"x": 2.0, "y": 2.0, "z": 2.0}, [1 / 3, 1 / 3, 1 / 3]),
        Edge("max(x, y, z)", {"x": 2.0, "y": 1.0, "z": 2.0}, [0.5, 0, 0.5]),
        Edge("max(x, x)", {"x": 2.0}, [1]),
        Edge("max(x, y)", {"x": INF, "y": INF}, [0.5, 0.5]),
        Edge("max(x, 0)", X0, [0.5]),
        Edge("max(x)", {"x": [1.0, 3.0, 3.0]}, [[0, 0.5, 0.5]]),
        Edge("min(x, axis=0)", {"x": [[1.0, 2.0], [1.0, 3.0]]}, [[[0.5, 1], [0.5, 0]]]),
        Edge("max(x)", {"x": [[2.0, 2.0], [2.0, 1.0]]}, [[[1 / 3, 1 / 3], [1 / 3, 0]]]),
    ],
    "clip": [
        Edge("clip(x, -1, 1)", {"x": 1.0}, [1]),
        Edge("clip(x, -1, 1)", {"x": -1.0}, [1]),
        Edge("clip(x, -1, 1)", {"x": 1.5}, [0]),
        Edge("clip(x, l, h)", {"x": 3.0, "l": 1.0, "h": 2.0}, [0, 0, 1]),
        Edge("clip(x, l, h)", {"x": 0.0, "l": 1.0, "h": 2.0}, [0, 1, 0]),
        Edge("clip(x, l, h)", {"x": 0.0, "l": 2.0, "h": 1.0}, [0, 0, 1]),
        Edge("clip(x, l, h)", {"x": 3.0, "l": 2.0, "h": 1.0}, [0, 0, 1]),
        Edge("clip(x, l, h)", {"x": NAN, "l": 1.0, "h": 2.0}, [NAN, NAN, NAN]),
    ],
    "roots, logarithms and angles": [
        Edge("sqrt(x)", X0, [INF]),
        Edge("ln(x)", X0, [INF]),
        Edge("cbrt(x)", X0, [INF]),
        Edge("ln(x)", {"x": -1.0}, [NAN]),
        Edge("log2(x)", {"x": -1.0}, [NAN]),
        Edge("log10(x)", {"x": -1.0}, [NAN]),
        Edge("log1p(x)", {"x": -2.0}, [NAN]),
        Edge("sqrt(x)", {"x": -1.0}, [NAN]),
        Edge("asin(x)", {"x": 2.0}, [NAN]),
        Edge("acos(x)", {"x": 2.0}, [NAN]),
        Edge("acosh(x)", {"x": -3.0}, [NAN]),
        Edge("atanh(x)", {"x": 2.0}, [NAN]),
        Edge("norm(x)", {"x": [0.0, 0.0]}, [[0, 0]]),
        Edge("norm(x, axis=1)", {"x": [[0.0, 0.0], [3.0, 4.0]]}, [[[0, 0], [0.6, 0.8]]]),
        Edge("std(x)", {"x": [2.0, 2.0, 2.0]}, [[0, 0, 0]]),
        Edge("hypot(x, y)", XY0, [0, 0]),
        Edge("atan2(y, x)", XY0, [0, 0]),
        Edge("sinc(x)", X0, [0]),
    ],
    "powers": [
        Edge("x^y", XY0, [0, 0]),
        Edge("x^y", {"x": 0.0, "y": 2.0}, [0, 0]),
        Edge("x^y", {"x": 0.0, "y": 1.0}, [1, 0]),
        Edge("x^y", {"x": -2.0, "y": 2.0}, [-4, NAN]),
        Edge("x^y", {"x": -2.0, "y": 3.0}, [12, NAN]),
        Edge("x^3", {"x": -2.0}, [12]),
        Edge("x^2", X0, [0]),
        Edge("x^1", X0, [1]),
        Edge("x^0", X0, [0]),
        Edge("x^0.5", X0, [INF]),
        Edge("x^-1", X0, [-INF]),
        Edge("xlogy(x, y)", XY0, [-INF, 0]),
        Edge("x*ln(x)", X0, [NAN]),
        Edge("x/x", X0, [NAN]),
        Edge("x - x", {"x": INF}, [0]),
    ],
    "products with zeros": [
        Edge("prod(x)", {"x": [2.0, 0.0, 3.0]}, [[0, 6, 0]]),
        Edge("prod(x)", {"x": [0.0, 0.0, 3.0]}, [[0, 0, 0]]),
        Edge("prod(x, 1)", {"x": [[0.0, 2.0], [3.0, 4.0]]}, [[[2, 0], [4, 3]]]),
        Edge("det(a)", {"a": [[1.0, 2.0], [2.0, 4.0]]}, [[[4, -2], [-2, 1]]]),
    ],
    "names": [
        Edge("x*x + x", {"x": 3.0}, [7]),
        Edge("x + 0", {"x": 3.0, "y": 1.0}, [1, 0]),
        Edge("stop_gradient(x)*x", {"x": 3.0}, [3]),
    ],
    "the branch not taken": [
        Edge("where(x > 0, sqrt(x), 0)", X0, [0]),
        Edge("where(x > 0, 1/x, x)", X0, [1]),
        Edge("where(x > 0, ln(x), x)", {"x": [-1.0, 0.0, 2.0]}, [[1, 1, 0.5]]),
        Edge("sum(where(x > 0, ln(x)*y, x))", {"x": [0.0, 1.0], "y": 2.0}, [[1, 2], 0]),
        Edge("where(c > 0, a @ x, 0)", {"c": -1.0, "a": [[INF, 1.0]], "x": [1.0, 2.0]}, [0, [[0, 0]], [0, 0]]),
        Edge("sum(where([[1, 0]], x @ [[1, inf], [5, 6]], 0))", {"x": [[2.0, 3.0]]}, [[[1, 5]]]),
        Edge('sum(where([[1, 0]], einsum("ij,jk->ik", x, [[1, inf], [5, nan]]), 0))', {"x": [[2.0, 3.0]]}, [[[1, 5]]]),
        Edge("where(x > 0, where(x > 1, 1/(x - 1), sqrt(x)), x)", {"x": [0.0, 1.0, 2.0]}, [[1, 0.5, -1]]),
        Edge("where(c, x/y, x)", {"c": 0.0, "x": 1.0, "y": 0.0}, [0, 1, 0]),
        Edge("where(c, x/y, x)", {"c": -2.0, "x": 1.0, "y": 1.0}, [0, 1, -1]),
        Edge("where(c, x, y)", {"c": [-3.0, 1.0, 0.0], "x": 1.0, "y": 1.0}, [[0, 0, 0], 2, 1]),
        Edge("sum(where(c, x, y))", {"c": [[-3.0], [1.0]], "x": [1.0, 2.0], "y": 0.0}, [[[0], [0]], [2, 2], 0]),
        Edge("where(x > 0, norm([x, 1/x]), 0)", X0, [0]),
        Edge("where(x > 0, sum(inv([[x, 0], [0, x]])), 2*x)", X0, [2]),
        Edge("where(x > 0, sum(solve([[x, 0], [0, x]], [1, 1])), 2*x)", X0, [2]),
        Edge("where(x > 0, det([[1/x, 0], [0, 1]]), 2*x)", X0, [2]),
        Edge("where(x > 0, logsumexp([1/x, 1]), 2*x)", X0, [2]),
        Edge("where(x > 0, softmax([1/x, 1])[0], 2*x)", X0, [2]),
        Edge("where(x > 0, prod([sqrt(x), 1]), 2*x)", X0, [2]),
        Edge("where(x > 0, std([sqrt(x), 1]), 2*x)", X0, [2]),
        Edge("where(x > 0, max(sqrt(x), -1), 2*x)", X0, [2]),
        Edge("where(x > 0, cumsum([sqrt(x), 1])[1], 2*x)", X0, [2]),
    ],
    "stable where the naive form is not": [
        Edge("sigmoid(x)", {"x": -1000.0}, [0]),
        Edge("softplus(x)", {"x": 1000.0}, [1]),
        Edge("softplus(x)", {"x": -1000.0}, [0]),
        Edge("logaddexp(x, y)", {"x": 1000.0, "y": 1000.0}, [0.5, 0.5]),
        Edge("logsumexp(x)", {"x": [1000.0, 1000.0]}, [[0.5, 0.5]]),
        Edge("logsumexp(x)", {"x": [-INF, 0.0]}, [[0, 1]]),
        Edge("softmax(x)[0]", {"x": [1000.0, -1000.0]}, [[0, 0]]),
        Edge("log_softmax(x)[1]", {"x": [1000.0, 0.0]}, [[-1, 1]]),
        Edge("tanh(x)", {"x": 1000.0}, [0]),
        Edge("tanh(x)", {"x": -1000.0}, [0]),
        Edge("asinh(x)", {"x": 1e200}, [1e-200]),
        Edge("acosh(x)", {"x": 1e200}, [1e-200]),
        Edge("hypot(x, y)", {"x": 3e200, "y": 4e200}, [0.6, 0.8]),
        Edge("norm(x)", {"x": [3e200, 4e200]}, [[0.6, 0.8]]),
        Edge("norm(x)", {"x": [3e-200, 4e-200]}, [[0.6, 0.8]]),
        Edge("atan2(y, x)", {"x": 3e200, "y": 4e200}, [-1.6e-201, 1.2e-201]),
        Edge("silu(x)", {"x": 1000.0}, [1]),
        Edge("silu(x)", {"x": -1000.0}, [0]),
        Edge("gelu(x)", {"x": -1000.0}, [0]),
        Edge("gelu(x)", {"x": 1000.0}, [1]),
    ],
    "nan in, nan out": [
        *(Edge(f"{name}(x)", {"x": NAN}, [NAN]) for name in NOT_LINEAR),
        Edge("x*y", {"x": NAN, "y": 2.0}, [2, NAN]),
        Edge("x^y", {"x": NAN, "y": 2.0}, [NAN, NAN]),
        Edge("max(x, y)", {"x": NAN, "y": 2.0}, [NAN, NAN]),
        Edge("mod(x, y)", {"x": NAN, "y": 2.0}, [NAN, NAN]),
        Edge("hypot(x, y)", {"x": NAN, "y": 2.0}, [NAN, NAN]),
        Edge("max(x)", {"x": [NAN, 2.0]}, [[NAN, NAN]]),
    ],
}

ROWS = [edge for edges in EDGES.values() for edge in edges]


@for_each("edge", ROWS)
def test_gradient_at_an_edge_is_the_conventions(edge: Edge) -> None:
    output = node(edge.program, edge.point)
    backward, onward = both_modes(output, np.ones(output.shape), edge.point)
    for name, reverse, forward, wanted in zip(edge.point, backward, onward, edge.gradient, strict=True):
        assert gap(reverse, wanted) < 1e-15, f"by {name}, reverse: {reverse}"
        assert gap(forward, wanted) < 1e-15, f"by {name}, forward: {forward}"


VALUES = [
    ("x^y", XY0, 1),
    ("sinc(x)", X0, 1),
    ("xlogy(x, x)", X0, 0),
    ("x*ln(x)", X0, NAN),
    ("ln(x)", {"x": -1.0}, NAN),
    ("1/x", X0, INF),
    ("cbrt(x)", {"x": -8.0}, -2),
    ("(-8)^(1/3) + x", X0, NAN),
    ("sigmoid(x)", {"x": -1000.0}, 0),
    ("softplus(x)", {"x": 1000.0}, 1000),
    ("logsumexp(x)", {"x": [-INF, -INF]}, -INF),
    ("logsumexp(x)", {"x": [INF, 0.0]}, INF),
    ("logsumexp(x)", {"x": [-INF, 0.0]}, 0),
    ("softmax(x)", {"x": [INF, 0.0]}, [NAN, NAN]),
    ("softmax(x)", {"x": [-INF, 0.0]}, [0, 1]),
    ("x % y", {"x": -7.0, "y": 3.0}, 2),
    ("fmod(x, y)", {"x": -7.0, "y": 3.0}, -1),
    ("clip(x, 2, 1)", X0, 1),
    ("silu(x)", {"x": -INF}, 0),
    ("gelu(x)", {"x": -INF}, 0),
    ("sinc(x)", {"x": INF}, 0),
    ("erfc(x)", {"x": INF}, 0),
    ("erfc(x)", {"x": NAN}, NAN),
]


@for_each(("program", "point", "wanted"), VALUES)
def test_value_at_an_edge_is_the_conventions(program: str, point: dict[str, Any], wanted: Any) -> None:
    assert gap(value(node(program, point), point), wanted) < 1e-15


# The second derivative by x, and where a third number stands, the third.
HIGHER: list[tuple[str, float, list[float]]] = [
    ("x^2", 0.0, [2, 0]),
    ("x^3", 0.0, [0, 6]),
    ("x^2", -3.0, [2, 0]),
    ("x^1", 0.0, [0, 0]),
    ("abs(x)", 0.0, [0, 0]),
    ("relu(x)", 0.0, [0, 0]),
    ("sinc(x)", 0.0, [-(np.pi**2) / 3, 0]),
    ("prod([x, x, 3])", 0.0, [6, 0]),
    ("det([[x, 0], [0, x]])", 0.0, [2]),
    ("where(x > 0, sqrt(x), x^2)", 0.0, [2, 0]),
    ("where(x > 0, ln(x), x^3)", 0.0, [0, 6]),
    ("where(x > 0, sum(inv([[x, 0], [0, x]])), x^2)", 0.0, [2]),
    ("where(x > 0, 1/x, 0)", 0.0, [0, 0]),
    ("sum(where([x, 1] > 0, sqrt([x, 1]), x^2))", 0.0, [2, 0]),
    ("where(x > 0, where(x > 1, ln(x), 1/x), x^2)", 0.0, [2, 0]),
    ("where(x > 0, norm([x, x]), x^2)", 0.0, [2, 0]),
]


@for_each(("program", "x", "wanted"), HIGHER)
def test_higher_derivatives_at_an_edge(program: str, x: float, wanted: list[float]) -> None:
    output = node(program, {"x": x})
    (given,) = inputs({"x": x})
    for modes in itertools.product("rf", repeat=1 + len(wanted)):
        derivative = output
        for order, mode in enumerate(modes):
            derivative = (
                vjp(derivative, ones(derivative), [given])[0] if mode == "r" else jvp(derivative, {given: ones(given)})
            )
            if order:
                assert gap(value(derivative, {"x": x}), wanted[order - 1]) < 1e-14, (
                    f"{program}, modes {modes[: order + 1]}"
                )


def test_the_gradient_is_kept_out_of_a_branch_at_every_depth() -> None:
    """A tower of conditionals, each of which would leak an infinity of its own."""
    steps = [f"t{at + 1} = where(x > 0, 1/t{at}, t{at})" for at in range(20)]
    output = node("; ".join(["t0 = x", *steps, "t20"]), {"x": 0.0})
    backward, onward = both_modes(output, 1.0, {"x": 0.0})
    assert backward == onward == [1.0]
