"""The table "Derivatives at kinks and edges", row by row: values, first and second derivatives in every mode, notes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from cgcli.derivatives.jacobian import Evaluate, Jacobian, Mode
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import Node, constant, toposort
from cgcli.ops.indexing import take
from cgcli.ops.linalg import MATMUL
from cgcli.ops.logic import WHERE
from cgcli.printing.values import number
from cgcli.transform.differentiate import pullback, pushforward
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.support import float64, gap, inputs, literal, node, value

INF, NAN = float("inf"), float("nan")
ELSEWHERE = "elsewhere"


class Row(NamedTuple):
    """A program at a point, as the conventions have it.

    value: of the program, a scalar. gradient: by each name of the point. second: the Hessian, in a row and a
    column for each element of the inputs; ELSEWHERE where it is not defined. notes: what the command says of
    the point, a part of each line in its order; () where there is nothing to say. backward: what it says in reverse
    mode, where that is something else.
    """

    program: str
    point: Mapping[str, Any]
    value: float
    gradient: Sequence[Any]
    second: Any
    notes: tuple[str, ...] = ()
    backward: tuple[str, ...] | None = None


def kink(of: str) -> tuple[str, ...]:
    return (f"the derivative of {of}",)


TIE, ELEMENTS = ("equal arguments of an extreme share",), ("equal elements of an extreme share",)
ZERO2 = [[0, 0], [0, 0]]
X0, XY0 = {"x": 0.0}, {"x": 0.0, "y": 0.0}
OWN = "f(u) = ln(u); jvp f(u; du) = du/u; "

TABLE: dict[str, list[Row]] = {
    "abs'(0), sign', floor', round', comparisons: 0": [
        Row("abs(x)", X0, 0, [0], [[0]], kink("abs at 0 is taken as 0")),
        Row("abs(x)", {"x": -0.0}, 0, [0], [[0]], kink("abs at 0 is taken as 0")),
        Row("sign(x)", X0, 0, [0], [[0]]),
        Row("floor(x)", {"x": 2.0}, 2, [0], [[0]]),
        Row("ceil(x)", {"x": 2.0}, 2, [0], [[0]]),
        Row("round(x)", {"x": 0.5}, 0, [0], [[0]]),
        Row("trunc(x)", {"x": -1.0}, -1, [0], [[0]]),
        Row("x < y", {"x": 1.0, "y": 1.0}, 0, [0, 0], ZERO2),
        Row("x == y", {"x": 1.0, "y": 1.0}, 1, [0, 0], ZERO2),
        Row("x*(x >= y)", {"x": 1.0, "y": 1.0}, 1, [1, 0], ZERO2),
        Row("sum(abs(x)*x)", {"x": [-2.0, 0.0]}, -4, [[4, 0]], [[-2, 0], [0, 0]], kink("abs at 0 is taken as 0")),
    ],
    "relu'(0): 0": [
        Row("relu(x)", X0, 0, [0], [[0]], kink("relu at 0 is taken as 0")),
        Row("relu(x)", {"x": -0.0}, 0, [0], [[0]], kink("relu at 0 is taken as 0")),
        Row("relu(x)^2", X0, 0, [0], [[0]], kink("relu at 0 is taken as 0")),
        Row("leaky_relu(x, 0.1)", X0, 0, [0.1], [[0]], kink("leaky_relu at 0 is taken as its slope")),
    ],
    "max, min of k equal arguments: 1/k to each": [
        Row("max(x, y)", {"x": 1.0, "y": 1.0}, 1, [0.5, 0.5], ZERO2, TIE),
        Row("min(x, y)", {"x": 1.0, "y": 1.0}, 1, [0.5, 0.5], ZERO2, TIE),
        Row("max(x, y, z)", {"x": 2.0, "y": 2.0, "z": 2.0}, 2, [1 / 3] * 3, np.zeros((3, 3)), TIE),
        Row("max(x, y, z)", {"x": 2.0, "y": 1.0, "z": 2.0}, 2, [0.5, 0, 0.5], np.zeros((3, 3)), TIE),
        Row("max(x, y)^2", {"x": 1.0, "y": 1.0}, 1, [1, 1], [[0.5, 0.5], [0.5, 0.5]], TIE),
        Row("max(x^2, y)", {"x": 1.0, "y": 1.0}, 1, [1, 0.5], [[1, 0], [0, 0]], TIE),
        Row("max(x)", {"x": [3.0, 1.0, 3.0]}, 3, [[0.5, 0, 0.5]], np.zeros((3, 3)), ELEMENTS),
        Row("sum(min(x, axis=0))", {"x": [[1.0, 2.0], [1.0, 3.0]]}, 3, [[[0.5, 1], [0.5, 0]]], np.zeros((4, 4)),
            ELEMENTS),
        Row("max(x, y)", {"x": 2.0, "y": 1.0}, 2, [1, 0], ZERO2),
    ],
    "clip at its bound: 1": [
        Row("clip(x, -1, 1)", {"x": 1.0}, 1, [1], [[0]], kink("clip at its bound is taken as 1")),
        Row("clip(x, -1, 1)", {"x": -1.0}, -1, [1], [[0]], kink("clip at its bound is taken as 1")),
        Row("clip(x, -1, 1)^2", {"x": 1.0}, 1, [2], [[2]], kink("clip at its bound is taken as 1")),
        Row("clip(x, -1, 1)", {"x": 1.5}, 1, [0], [[0]]),
    ],
    "sqrt'(0), ln'(0): inf, with a warning": [
        Row("sqrt(x)", X0, 0, [INF], [[-INF]], ("1/0 is infinite in the derivative",)),
        Row("ln(x)", X0, -INF, [INF], [[-INF]], ("ln(0) is infinite", "1/0 is infinite in the derivative")),
        Row("log2(x)", X0, -INF, [INF], [[-INF]], ("log2(0) is infinite", "is infinite in the derivative")),
        Row("cbrt(x)", X0, 0, [INF], ELSEWHERE, ("1/0 is infinite in the derivative",)),
    ],
    "norm'(0), hypot'(0,0), atan2'(0,0): 0, with a note": [
        Row("norm(x)", {"x": [0.0, 0.0]}, 0, [[0, 0]], ZERO2, kink("norm at 0 is taken as 0")),
        Row("norm(x)^2", {"x": [0.0, 0.0]}, 0, [[0, 0]], ZERO2, kink("norm at 0 is taken as 0")),
        Row("sum(norm(x, axis=1))", {"x": [[0.0, 0.0], [3.0, 4.0]]}, 5, [[[0, 0], [0.6, 0.8]]],
            np.array([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 16, -12], [0, 0, -12, 9]]) / 125,
            kink("norm at 0 is taken as 0")),
        Row("hypot(x, y)", XY0, 0, [0, 0], ZERO2, kink("hypot at (0, 0) is taken as 0")),
        Row("atan2(y, x)", XY0, 0, [0, 0], ZERO2, kink("atan2 at (0, 0) is taken as 0")),
        Row("std(x)", {"x": [2.0, 2.0]}, 0, [[0, 0]], ZERO2, kink("std at 0 is taken as 0")),
    ],
    "x^y at (0, 0): value 1, derivatives 0": [
        Row("x^y", XY0, 1, [0, 0], ZERO2, kink("a power at (0, 0) is taken as 0")),
    ],
    "x^y at (0, 2): 0, 0": [
        Row("x^y", {"x": 0.0, "y": 2.0}, 0, [0, 0], [[2, 0], [0, 0]]),
        Row("x^y", {"x": 0.0, "y": 3.0}, 0, [0, 0], ZERO2),
        Row("x^y", {"x": 0.0, "y": 1.0}, 0, [1, 0], ELSEWHERE),
    ],
    "x^y, x < 0, integer y: d/dx exact; d/dy nan, formed only if y is not constant": [
        Row("x^y", {"x": -2.0, "y": 3.0}, -8, [12, NAN], [[-12, NAN], [NAN, NAN]], ("ln(-2) is nan",)),
        Row("x^3", {"x": -2.0}, -8, [12], [[-12]]),
        Row("x^-1", {"x": -2.0}, -0.5, [-0.25], [[-0.25]]),
    ],
    "x^n, constant n: the power rule, exact at 0 for every order": [
        Row("x^1", X0, 0, [1], [[0]]),
        Row("x^2", X0, 0, [0], [[2]]),
        Row("x^2", {"x": -0.0}, 0, [0], [[2]]),
        Row("x^3", X0, 0, [0], [[0]]),
        Row("x^2.5", X0, 0, [0], [[0]]),
        Row("sum(x^2)", {"x": [0.0, -3.0]}, 9, [[0, -6]], [[2, 0], [0, 2]]),
        Row("x^0.5", X0, 0, [INF], [[-INF]], ("0^(-0.5) is infinite in the derivative",)),
        Row("x^-1", X0, INF, [-INF], [[INF]], ("0^(-1) is infinite",)),
    ],
    "ln(-1): value nan, so its derivatives are nan": [
        Row("ln(x)", {"x": -1.0}, NAN, [NAN], [[NAN]], ("ln(-1) is nan",)),
        Row("log2(x)", {"x": -1.0}, NAN, [NAN], [[NAN]], ("log2(-1) is nan",)),
        Row("log10(x)", {"x": -1.0}, NAN, [NAN], [[NAN]], ("log10(-1) is nan",)),
        Row("log1p(x)", {"x": -2.0}, NAN, [NAN], [[NAN]], ("log1p(-2) is nan",)),
        Row("sqrt(x)", {"x": -1.0}, NAN, [NAN], [[NAN]], ("sqrt(-1) is nan",)),
        Row("acosh(x)", {"x": -3.0}, NAN, [NAN], [[NAN]], ("acosh(-3) is nan",)),
        Row("atanh(x)", {"x": 2.0}, NAN, [NAN], [[NAN]], ("atanh(2) is nan",)),
        Row("asin(x)", {"x": 2.0}, NAN, [NAN], [[NAN]], ("asin(2) is nan", "is nan in the derivative")),
        Row("xlogy(2, x)", {"x": -1.0}, NAN, [NAN], [[NAN]], ("xlogy(2, -1) is nan",)),
        Row("logdet([[x]])", {"x": -1.0}, NAN, [NAN], [[NAN]], ("logdet(…) is nan",)),
    ],
    "x*ln(x) at 0: nan with a hint, xlogy(x, x)": [
        Row("x*ln(x)", X0, NAN, [NAN], [[NAN]],
            ("ln(0) is infinite", "0*(-inf) is nan", "1/0 is infinite in the derivative", "is nan in the derivative"),
            ("ln(0) is infinite", "0*(-inf) is nan", "0/0 is nan in the derivative, at x/x")),
        Row("xlogy(x, x)", X0, 0, [-INF], [[INF]], ("ln(0) is infinite in the derivative",)),
    ],
    "where(c, a, b): only the branch taken gets an adjoint": [
        Row("where(x > 0, sqrt(x), 0)", X0, 0, [0], [[0]]),
        Row("where(x > 0, ln(x), x^2)", X0, 0, [0], [[2]]),
        Row("x > 0 ? 1/x : x^2 + x", X0, 0, [1], [[2]]),
        Row("sqrt(where(x > 0, x, 4 + 4*x))", X0, 2, [1], [[-0.5]]),
        Row("sum(where(x > 0, ln(x), x^2))", {"x": [0.0, 1.0]}, 0, [[0, 1]], [[2, 0], [0, -1]]),
        Row("where(x > 0, where(x > 1, ln(x), 1/x), x^2)", X0, 0, [0], [[2]]),
        Row("where(x > 0, sum(sqrt([x, 1])), x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("where(x > 0, prod([1/x, y]), x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("where(x > 0, norm([1/x, y]), x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("where(x > 0, [1/x, y] @ [y, sqrt(x)], x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("where(x > 0, [[1/x, y], [x, 1]] @ [x, y] @ [y, sqrt(x)], x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row('where(x > 0, einsum("i,i->", [1/x, y], [x, sqrt(y)]), x*y)', XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("where(x > 0, sum(solve([[x, y], [0, y]], [x, 1])), x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("where(x > 0, sum(inv([[x, 0], [y, x]])), x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("where(x > 0, det([[1/x, y], [x, 2]]), x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("where(x > 0, logdet([[x, 0], [0, y]]), x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("where(x > 0, sum(conv1d([[[x, 1/x, y]]], [[[y, ln(x)]]])), x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("where(x > 0, cumsum([ln(x), y])[1], x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("where(x > 0, concat([1/x], [y, ln(x)])[1], x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("where(x > 0, max([1/x, y]), x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("where(x > 0, logsumexp([1/x, y]), x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("where(x > 0, std([1/x, y]), x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("where(x > 0, max_pool2d([[1/x, y], [x, 2]], 2)[0, 0], x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("g(u, v) = v*sqrt(u); where(x > 0, g(x, y), x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row(OWN + "where(x > 0, f(x), x*y)", XY0, 0, [0, 0], [[0, 1], [1, 0]]),
        Row("sum(where([1, 0], [[x, 1], [sqrt(y), 1/y]] @ [x, 2], 0))", {"x": 3.0, "y": 0.0}, 11, [6, 0],
            [[2, 0], [0, 0]]),
        Row("sum(where([[1, 0]], [[x, y + 1]] @ [[1, sqrt(y)], [x, 1/y]], 0))", {"x": 3.0, "y": 0.0}, 6, [2, 3],
            [[0, 1], [1, 0]]),
        Row("sum(where([[1, 0]], [[1, x]]*[[x, 1/y]] + y, 0))", {"x": 3.0, "y": 0.0}, 3, [1, 1], ZERO2),
        Row("where(x > 0, abs(x), x)", X0, 0, [1], [[0]]),
    ],
    "an element that is not read, as a branch that is not taken": [
        Row("sqrt(x)[0]", {"x": [4.0, 0.0]}, 2, [[0.25, 0]], [[-1 / 32, 0], [0, 0]]),
        Row("sum(ln(x)[1:])", {"x": [0.0, 1.0]}, 0, [[0, 1]], [[0, 0], [0, -1]]),
        Row("[sqrt(x), ln(y)][0]", {"x": 1.0, "y": 0.0}, 1, [0.5, 0], [[-0.25, 0], [0, 0]]),
        Row("sum(sqrt([x, 0]))", {"x": 1.0}, 1, [0.5], [[-0.25]]),
        Row("trace(sqrt(x))", {"x": [[1.0, 0.0], [0.0, 4.0]]}, 3, [[[0.5, 0], [0, 0.25]]],
            np.diag([-0.25, 0, 0, -1 / 32])),
        Row("cumsum(sqrt(x))[0]", {"x": [1.0, 0.0]}, 1, [[0.5, 0]], [[-0.25, 0], [0, 0]]),
    ],
    "an argument that was not chosen, as a branch that is not taken": [
        Row("max(sqrt(x), 2)", X0, 2, [0], [[0]]),
        Row("min(exp(x), 5)", {"x": 800.0}, 5, [0], [[0]], ("exp(800) is infinite",)),
        Row("max(sqrt(x), ln(y), 2)", XY0, 2, [0, 0], ZERO2, ("ln(0) is infinite",)),
        Row("max(y*sqrt(x), 5)", {"x": 0.0, "y": 1.0}, 5, [0, 0], ZERO2),
        Row("clip(sqrt(x), 1, 2)", X0, 1, [0], [[0]]),
        Row("clip(y, -sqrt(x), 1 + sqrt(x))", {"x": 0.0, "y": 0.5}, 0.5, [0, 1], ZERO2),
        Row("sqrt(clip(x, 0, 1))", {"x": -1.0}, 0, [0], [[0]]),
        Row("relu(-1 - x^0.5)", X0, 0, [0], [[0]]),
        Row("sqrt(relu(x))", {"x": -1.0}, 0, [0], [[0]]),
        Row("max([sqrt(x), 2])", X0, 2, [0], [[0]]),
        Row("sum(max(sqrt(x), axis=1))", {"x": [[0.0, 4.0], [1.0, 0.0]]}, 3, [[[0, 0.25], [0.5, 0]]],
            np.diag([0, -1 / 32, -0.25, 0])),
        Row("min([1/x, y])", {"x": 0.0, "y": 3.0}, 3, [0, 1], ZERO2, ("1/0 is infinite",)),
        Row("sum(relu(x - 1 - sqrt(x)))", {"x": [0.25, 0.0, 4.0]}, 1, [[0, 0, 0.75]], np.diag([0, 0, 1 / 32])),
        Row("max_pool2d(sqrt(x), 2)[0, 0]", {"x": [[0.0, 4.0], [1.0, 0.0]]}, 2, [[[0, 0.25], [0, 0]]],
            np.diag([0, -1 / 32, 0, 0])),
        Row("sum(max([[1, 2], [3, 4]] @ sqrt(x), 5))", {"x": [0.0, 1.0]}, 10, [[0, 0]], np.zeros((2, 2))),
        Row("sum(max(sqrt([[1, 2], [3, 4]] @ sqrt(x)), 5))", {"x": [0.0, 0.0]}, 10, [[0, 0]], np.zeros((2, 2))),
        Row("max(x)", {"x": [1.0, NAN]}, NAN, [[NAN, NAN]], ELSEWHERE, ("the input 'x' is nan",)),
        Row("relu(x)*y", {"x": NAN, "y": 1.0}, NAN, [NAN, NAN], ELSEWHERE, ("the input 'x' is nan",)),
    ],
    "1/(1+exp(-x)) at -1000: IEEE; a hint offers sigmoid": [
        Row("1/(1 + exp(-x))", {"x": -1000.0}, 0, [NAN], ELSEWHERE, ("exp(1000) is infinite", "is nan")),
        Row("sigmoid(x)", {"x": -1000.0}, 0, [0], [[0]]),
        Row("softplus(x)", {"x": 1000.0}, 1000, [1], [[0]]),
        Row("logaddexp(x, y)", {"x": 1000.0, "y": -1000.0}, 1000, [1, 0], ZERO2),
        Row("logsumexp(x)", {"x": [1000.0, -1000.0]}, 1000, [[1, 0]], ZERO2),
        Row("log1p(x)", {"x": 1e-300}, 1e-300, [1], [[-1]]),
        Row("expm1(x)", {"x": 1e-300}, 1e-300, [1], [[1]]),
        Row("softmax(x)[0]", {"x": [-1000.0, 1000.0]}, 0, [[0, 0]], ZERO2),
    ],
    "prod with zeros: leave-one-out products": [
        Row("prod(x)", {"x": [2.0, 0.0, 3.0]}, 0, [[0, 6, 0]], [[0, 3, 0], [3, 0, 2], [0, 2, 0]]),
        Row("prod(x)", {"x": [0.0, 0.0, 3.0]}, 0, [[0, 0, 0]], [[0, 3, 0], [3, 0, 0], [0, 0, 0]]),
        Row("det(x)", {"x": [[0.0, 0.0], [0.0, 3.0]]}, 0, [[[3, 0], [0, 0]]],
            [[0, 0, 0, 1], [0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0]]),
    ],
    "sinc(0): 1, derivative 0": [
        Row("sinc(x)", X0, 1, [0], [[-(np.pi**2) / 3]]),
        Row("sinc(x/pi)", X0, 1, [0], [[-1 / 3]]),
    ],
    "a name used twice: its adjoints add up": [
        Row("x*x + x", {"x": 3.0}, 12, [7], [[2]]),
        Row("x*y*x", {"x": 3.0, "y": 2.0}, 18, [12, 9], [[4, 6], [6, 0]]),
    ],
    "a name not in the expression: gradient 0": [
        Row("x^2", {"x": 3.0, "y": 1.0}, 9, [6, 0], [[2, 0], [0, 0]], ("'y' is not in the expression",)),
    ],
    "x/x, x-x: no algebra that changes the domain": [
        Row("x/x", X0, NAN, [NAN], [[NAN]], ("0/0 is nan", "1/0 is infinite in the derivative"), ("0/0 is nan",)),
        Row("x - x", {"x": INF}, NAN, [0], [[0]], ("inf - inf is nan",)),
        Row("0*x", {"x": INF}, NAN, [0], [[0]], ("0*inf is nan",)),
        Row("tanh(x)*x^0.9", X0, 0, [NAN], ELSEWHERE, ("is infinite in the derivative", "0*inf is nan")),
    ],
    "NaN in: NaN out, through value and gradient of whatever saw it": [
        Row("sin(x) + y", {"x": NAN, "y": 1.0}, NAN, [NAN, 1], [[NAN, 0], [0, 0]], ("the input 'x' is nan",)),
        Row("x*y", {"x": NAN, "y": 2.0}, NAN, [2, NAN], [[0, 1], [1, 0]], ("the input 'x' is nan",)),
        Row("hypot(x, y)", {"x": NAN, "y": 2.0}, NAN, [NAN, NAN], np.full((2, 2), NAN), ("the input 'x' is nan",)),
        Row("where(y > 0, y, x)", {"x": NAN, "y": 2.0}, 2, [0, 1], ZERO2),
    ],
}  # fmt: skip


ROWS = [row for rows in TABLE.values() for row in rows]
DEFINED = [row for row in ROWS if row.second is not ELSEWHERE]


def units(given: Node) -> list[Node]:
    """The unit vectors of an input's shape."""
    size = int(np.prod(given.shape))
    return [literal(np.reshape(row, given.shape)) for row in np.eye(size)]


def by_forward(output: Node, wrt: Sequence[Node]) -> list[Node]:
    """The derivative of a scalar by each element of each input, by a tangent for each."""
    return [pushforward([output], {given: unit})[0] for given in wrt for unit in units(given)]


def by_reverse(output: Node, wrt: Sequence[Node]) -> list[Node]:
    """The same from the adjoints of one reverse pass: each of their elements as a node."""
    adjoints = pullback([output], [constant(1.0)], wrt)
    return [element(adjoint, place) for adjoint in adjoints for place in np.ndindex(adjoint.shape)]


def element(array: Node, place: tuple[int, ...]) -> Node:
    return take(array, place) if place else array


MODES: dict[str, Callable[[Node, Sequence[Node]], list[Node]]] = {"reverse": by_reverse, "forward": by_forward}


WAYS: tuple[Mode, ...] = ("auto", "forward", "reverse")


def at(point: Mapping[str, Any]) -> Evaluate:
    """The values of nodes at a point, as jacobian and hessian ask for them."""
    given = {name: float64(item) for name, item in point.items()}

    def numbers(outputs: Sequence[Node], bindings: Mapping[str, Any] = MappingProxyType({}), quiet: bool = True) -> Any:
        return evaluate(outputs, {**given, **bindings})

    return numbers


def flat(items: Sequence[Any]) -> Any:
    return np.concatenate([np.ravel(np.asarray(item, float)) for item in items])


@for_each("row", ROWS)
def test_value_and_gradient_are_the_tables_in_every_mode(row: Row) -> None:
    output, wrt = node(row.program, row.point), inputs(row.point)
    assert gap(value(output, row.point), row.value) < 1e-15
    wanted = flat(row.gradient)
    for mode, derived in MODES.items():
        found = [float(value(item, row.point)) for item in derived(output, wrt)]
        assert gap(found, wanted) < 1e-15, f"{mode}: {found}"
    for way in WAYS:
        (blocks,) = Jacobian([output], wrt, way)(at(row.point))
        assert gap(flat(blocks), wanted) < 1e-15, f"jacobian, {way}: {blocks}"


@for_each("row", DEFINED)
def test_second_derivative_is_the_tables_in_every_combination_of_modes(row: Row) -> None:
    """Forward over reverse, reverse over forward, each over itself, and the Hessian."""
    output, wrt = node(row.program, row.point), inputs(row.point)
    wanted = np.asarray(row.second, float)
    for (first, inner), (then, outer) in itertools.product(MODES.items(), repeat=2):
        rows = [[float(value(item, row.point)) for item in outer(partial, wrt)] for partial in inner(output, wrt)]
        assert gap(rows, wanted) < 1e-14, f"{then} over {first}: {rows}"
    blocks = Jacobian(pullback([output], [constant(1.0)], wrt), wrt, "forward")(at(row.point))
    sizes = [int(np.prod(given.shape)) for given in wrt]
    whole = np.block([[np.reshape(block, (a, b)) for b, block in zip(sizes, line, strict=True)]
                      for a, line in zip(sizes, blocks, strict=True)])  # fmt: skip
    assert gap(whole, wanted) < 1e-14, f"hessian: {whole}"


@for_each("exponent", range(1, 7))
def test_a_power_is_exact_at_0_to_every_order(exponent: int) -> None:
    """The n-th derivative of x^n at 0 is n!, and every other one is 0: never through a logarithm."""
    derivative, (x,) = node(f"x^{exponent}", X0), inputs(X0)
    factorial = 1
    for order in range(1, exponent + 3):
        factorial *= order
        derivative = MODES["reverse" if order % 2 else "forward"](derivative, [x])[0]
        assert value(derivative, X0) == (factorial if order == exponent else 0)


def command(row: Row, *options: str) -> list[str]:
    """The command line that asks for the gradient of a row."""

    def text(item: Any) -> str:
        return number(item) if isinstance(item, float) else "[" + ", ".join(map(text, item)) + "]"

    bindings = [f"{name}={text(item)}" for name, item in row.point.items()]
    return ["grad", row.program, *bindings, "--wrt", ",".join(row.point), *options]


@for_each("mode", MODES)
@for_each("row", ROWS)
def test_notes_are_the_tables_in_both_modes(row: Row, mode: str, capsys: Capture) -> None:
    """A kink or a number that is not finite is never silent, and nothing else is told; -q and --strict, too."""
    told = cg(capsys, *command(row, "--mode", mode))
    warnings = [line for line in told.err.splitlines() if line.startswith("cg: warning: ")]
    assert told.code == 0
    notes = row.notes if mode == "forward" or row.backward is None else row.backward
    assert len(warnings) == len(notes), told.err
    assert all(note in line for note, line in zip(notes, warnings, strict=True)), told.err

    listed = json.loads(cg(capsys, *command(row, "--mode", mode, "--json", "-q")).out)["warnings"]
    assert [f"cg: warning: {item['message']}" for item in listed] == warnings

    assert cg(capsys, *command(row, "--mode", mode, "-q")).err == ""
    strict = cg(capsys, *command(row, "--mode", mode, "--strict"))
    assert strict.code == (1 if notes else 0)
    assert all(note in strict.err for note in notes[:1])


# Programs whose gradient can form no 0*inf, for all that an index or a list leaves out.
PLAIN = ["x[0]^2 + x[1]", "prod(x)", "[x[0], x[1]^2] @ [2, 3]", "log_softmax(x)[1]", "sum(diag(x))", "sum(exp(x[1:]))",
         "sum([x[0], 2*x[1], x[2]]^2)", "[sin(x[0]), x[1]][0]", "sum(x[::-1]*x)"]  # fmt: skip


@for_each("program", PLAIN)
def test_a_gradient_has_no_select_that_it_does_not_need(program: str) -> None:
    """Protects formulas that people read, and the cost of a gradient, from guards where nothing can leak."""
    point = {"x": [1.0, 2.0, 3.0]}
    (gradient,) = pullback([node(program, point)], [constant(1.0)], inputs(point))
    assert all(part.op is not WHERE for part in toposort([gradient]))


def test_a_conditional_around_products_costs_nothing_more() -> None:
    """A condition for the whole goes through products of arrays as it is: one for each adjoint, as without it."""
    point = {"c": 1.0, "a": np.eye(3), "b": np.eye(3), "x": np.ones(3)}

    def products(program: str) -> int:
        adjoints = pullback([node(program, point)], [constant(1.0)], inputs(point))
        return sum(part.op is MATMUL for part in toposort(adjoints))

    assert products("c > 0 ? sum(tanh(a @ tanh(b @ x))) : 0") == products("sum(tanh(a @ tanh(b @ x)))")
