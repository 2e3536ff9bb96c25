"""Control flow: sums over an index, loops and branches, against PyTorch, which runs the same steps in Python."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

import cgcli
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.loops import names_kept
from cgcli.graph.node import Graph, constant, name_of, toposort, variables
from cgcli.lowering.lower import lower
from cgcli.printing.program import program
from cgcli.syntax.parser import parse
from cgcli.transform.differentiate import jvp, pullback
from tests.command import Capture, cg
from tests.for_each import for_each


class Case(NamedTuple):
    """A program, values, and the same in PyTorch."""

    text: str
    values: dict[str, Any]
    reference: Callable[..., Any]


def _newton(a: Any) -> Any:
    x = a
    while abs(x**2 - a) > 1e-12:
        x = (x + a / x) / 2
    return x


def _logistic(x: Any) -> Any:
    for _ in range(5):
        x = 4 * x * (1 - x)
    return x


def _interest(p: Any, r: Any, pay: Any) -> Any:
    for _ in range(120):
        p = p * (1 + r / 12) + pay
    return p


def _exponential(x: Any) -> Any:
    s, t, n = 0.0, 1.0, 0
    while abs(t) > 1e-17:
        n += 1
        t = t * x / n
        s = s + t
    return s + 1


def _fraction(x: Any) -> Any:
    y = 1.0
    for k in range(12):
        y = 2 * (12 - k) - 1 + x**2 / y
    return x / y


def _pendulum(theta: Any, w: Any, g: Any) -> Any:
    for _ in range(200):
        theta, w = theta + 0.01 * w, w - 0.01 * g * torch.sin(theta)
    return theta


def _powers(x: Any) -> Any:
    return sum(x**i * j for i in range(1, 4) for j in range(1, i + 1))


def _eigenvalue(a: Any, b: Any) -> Any:
    matrix = torch.stack([2 + a, b, b, 3 + a]).reshape(2, 2)
    x = torch.ones(2, dtype=torch.float64)
    for _ in range(60):
        x = matrix @ x / torch.linalg.norm(matrix @ x)
    return x @ matrix @ x


def _horner(x: Any, c: Any) -> Any:
    y = 0.0
    for coefficient in c:
        y = y * x + coefficient
    return y


def _trapezoids(a: Any, b: Any, n: int = 40) -> Any:
    h = (b - a) / n
    return h * (
        sum(torch.exp(-((a + k * h) ** 2)) for k in range(1, n)) + (torch.exp(-(a**2)) + torch.exp(-(b**2))) / 2
    )


def _runge_kutta(y: Any, k: Any) -> Any:
    t, h = 0.0, 0.1

    def f(t: Any, y: Any) -> Any:
        return k * y * (1 - y) + math.sin(t)

    for _ in range(20):
        k1 = f(t, y)
        k2 = f(t + h / 2, y + h * k1 / 2)
        k3 = f(t + h / 2, y + h * k2 / 2)
        k4 = f(t + h, y + h * k3)
        t, y = t + h, y + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6
    return y


def _collatz(a: Any) -> Any:
    x, n = a, 0
    while x != 1:
        x, n = x / 2 if x % 2 == 0 else 3 * x + 1, n + 1
    return n + 0 * a


def _gcd(a: Any, b: Any) -> Any:
    while b != 0:
        a, b = b, a % b
    return a


def _bisection(c: Any) -> Any:
    low, high = 0.0 * c, 2.0 + 0 * c
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if middle**3 > c else (middle, high)
    return low * c


def _kepler(mean: Any, e: Any) -> Any:
    angle = mean
    for _ in range(8):
        angle = angle - (angle - e * torch.sin(angle) - mean) / (1 - e * torch.cos(angle))
    return angle


def _filter(xs: Any, a: Any) -> Any:
    y = total = 0.0
    for x in xs:
        y = a * y + x
        total = total + y**2
    return total


def _recurrent(xs: Any, w: Any, u: Any) -> Any:
    h: Any = 0.0
    c: Any = 0.0
    for x in xs:
        gate = 1 / (1 + torch.exp(-(w * h + u * x)))
        c = gate * c + (1 - gate) * torch.tanh(u * x - w * h)
        h = gate * torch.tanh(c)
    return h


def _halved(x: Any) -> Any:
    n = 0.0
    while x > 1:
        if x > 10:
            x = x / 3
            n = n + 2
        else:
            x = x / 2
            n = n + 1
    return x * n


def _cosines(q: Any) -> Any:
    def f(x: Any) -> Any:
        for _ in range(20):
            x = torch.cos(x)
        return x

    return f(q) * f(2 * q)


def _orbit(x: Any) -> Any:
    total = 0.0
    for k in range(5):
        x = 4 * x * (1 - x)
        total = total + (k + 1) * x**2
    return total


def _grown(y: Any, x: Any) -> Any:
    total = 0.0
    for k in range(1, 5):
        y = y + 0.1 * y * x
        total = total + 0.1 * k * y**2
    return total


def _powers_of_a_matrix(a: Any) -> Any:
    matrix = torch.stack([a, 0 * a + 2, 0 * a + 1, a]).reshape(2, 2)
    x = torch.ones(2, dtype=torch.float64)
    found = []
    for _ in range(4):
        x = matrix @ x
        found.append(x)
    return torch.sum(torch.stack(found)[:, 0] * torch.stack(found).flip(0)[:, 1])


def _products(x: Any) -> Any:
    s = 0.0
    for j in range(1, 4):
        one = x * j
        x = one * j
        s = s + one * x
    return s


def _squares(xs: Any, a: Any) -> Any:
    y, found = 0.0, []
    for x in xs:
        y = a * y + x
        found.append(torch.sqrt(y**2 + 1))
    return found[0] * found[1] + found[2] ** 2


def _geometric_mean(a: Any, b: Any) -> Any:
    while abs(a - b) > 1e-14:
        a, b = (a + b) / 2, torch.sqrt(a * b)
    return a


RK4 = """
f(t, y) = k*y*(1 - y) + sin(t)
t = 0; h = 0.1
repeat 20 {
  k1 = f(t, y)               # the slopes
  k2 = f(t + h/2, y + h*k1/2)
  k3 = f(t + h/2, y + h*k2/2)
  k4 = f(t + h, y + h*k3)
  t = t + h
  y = y + h*(k1 + 2*k2 + 2*k3 + k4)/6
}
y
"""
BISECTION = "low = 0*c; high = 2; repeat 40 { m = (low + high)/2; if m^3 > c { high = m } else { low = m } }; low*c"

CASES = {
    "Newton's square root": Case("x = a; while abs(x^2 - a) > 1e-12 { x = (x + a/x)/2 }; x", {"a": 2.0}, _newton),
    "logistic map": Case("repeat 5 { x = 4*x*(1 - x) }; x", {"x": 0.2}, _logistic),
    "compound interest": Case("for m in 1..120 { P = P*(1 + r/12) + pay }; P", {"P": 1000.0, "r": 0.05, "pay": 10.0},
                              _interest),
    "series": Case("s = 0; t = 1; n = 0; while abs(t) > 1e-17 { n = n + 1; t = t*x/n; s = s + t }; s + 1", {"x": 0.5},
                   _exponential),
    "sum, elementwise": Case("sum(i=1..10, x^i/gamma(i + 1))", {"x": 0.5},
                             lambda x: sum(x**i / math.factorial(i) for i in range(1, 11))),
    "sum within a sum": Case("sum(i=1..3, sum(j=1..i, x^(i*j)))", {"x": 0.5},
                             lambda x: sum(x ** (i * j) for i in range(1, 4) for j in range(1, i + 1))),
    "product": Case("prod(k=1..5, x + k)", {"x": 0.5}, lambda x: (x + 1) * (x + 2) * (x + 3) * (x + 4) * (x + 5)),
    "product through 0": Case("prod(k=-2..2, x + k)", {"x": 1.0},
                              lambda x: (x - 2) * (x - 1) * x * (x + 1) * (x + 2)),
    "sum of arrays": Case("sum(sum(i=1..3, X^i))", {"X": [0.5, 2.0]}, lambda x: torch.sum(x + x**2 + x**3)),
    "sum over elements": Case("sum(i=0..2, X[i]*X[2 - i])", {"X": [0.5, 2.0, 3.0]}, lambda x: x @ x.flip(0)),
    "continued fraction": Case("y = 1; for k in 0..11 { y = 2*(12 - k) - 1 + x^2/y }; x/y", {"x": 0.7}, _fraction),
    "pendulum": Case("repeat 200 { t = theta; theta = theta + 0.01*w; w = w - 0.01*g*sin(t) }; theta",
                     {"theta": 1.0, "w": 0.0, "g": 9.8}, _pendulum),
    "nested loops": Case("s = 0; for i in 1..3 { for j in 1..i { s = s + x^i*j } }; s", {"x": 2.0}, _powers),
    "power iteration": Case(
        "A = [[2, b], [b, 3]] + a*eye(2); x = [1, 1]; repeat 60 { x = A@x/norm(A@x) }; x@A@x", {"a": 0.3, "b": 0.9},
        _eigenvalue),
    "Horner": Case("y = 0; for a in c { y = y*x + a }; y", {"x": 1.5, "c": [1.0, -2.0, 3.0]}, _horner),
    "trapezoid rule": Case(
        "f(x) = exp(-x^2); h = (b - a)/40; h*(sum(k=1..39, f(a + k*h)) + (f(a) + f(b))/2)", {"a": 0.1, "b": 1.2},
        _trapezoids),
    "Runge and Kutta": Case(RK4, {"y": 0.1, "k": 2.0}, _runge_kutta),
    "Collatz": Case("n = 0; x = a; while x != 1 { if x % 2 == 0 { x = x/2 } else { x = 3*x + 1 }; n = n + 1 }; n",
                    {"a": 27.0}, _collatz),
    "greatest common divisor": Case("while b != 0 { r = a % b; a = b; b = r }; a", {"a": 48.0, "b": 18.0}, _gcd),
    "bisection": Case(BISECTION, {"c": 2.0}, _bisection),
    "Kepler": Case("E = M; repeat 8 { E = E - (E - e*sin(E) - M)/(1 - e*cos(E)) }; E", {"M": 1.0, "e": 0.3}, _kepler),
    "filter": Case("y = 0; s = 0; for x in X { y = a*y + x; s = s + y^2 }; s", {"X": [1.0, -0.5, 2.0], "a": 0.8},
                   _filter),
    "recurrent cell": Case(
        "cell(x, h, c) = { g = sigmoid(w*h + u*x); c = g*c + (1 - g)*tanh(u*x - w*h); (g*tanh(c), c) }\n"
        "h = 0; c = 0; for x in X { (h, c) = cell(x, h, c) }; h",
        {"X": [1.0, -0.5, 2.0, 0.3], "w": 0.3, "u": 0.7}, _recurrent),
    "a branch in a loop": Case(
        "n = 0; while x > 1 { if x > 10 { x = x/3; n = n + 2 } else { x = x/2; n = n + 1 } }; x*n", {"x": 100.0},
        _halved),
    "a function with a loop, called twice": Case(
        "f(a) = { x = a; repeat 20 { x = cos(x) }; x }; f(q)*f(2*q)", {"q": 1.0}, _cosines),
    "arithmetic-geometric mean": Case(
        "while abs(a - b) > 1e-14 { g = sqrt(a*b); a = (a + b)/2; b = g }; a", {"a": 1.0, "b": 3.0}, _geometric_mean),
    "a branch alone": Case("r = 1; if x > 0 { r = sqrt(x) } else { r = -x }; r", {"x": -4.0},
                           lambda x: torch.sqrt(x) if x > 0 else -x),
    "branches that are values": Case("if x > 2 { x^2 } else if x > 0 { x^3 } else { x }", {"x": 1.5},
                                     lambda x: x**2 if x > 2 else x**3 if x > 0 else x),
    "values of each trip": Case("y = repeat 5 { x = 4*x*(1 - x); x }; sum(y^2*(1 + arange(5)))", {"x": 0.2}, _orbit),
    "two values of each trip": Case("(t, s) = for k in 1..4 { y = y + 0.1*y*x; (k*0.1, y) }; sum(t*s^2)",
                                    {"y": 1.5, "x": 0.7}, _grown),
    "arrays of each trip": Case("x = [1, 1]; y = repeat 4 { x = [[a, 2], [1, a]] @ x; x }; y[:, 0] @ flip(y)[:, 0]"
                                .replace("flip(y)[:, 0]", "flip(y, [0])[:, 1]"), {"a": 0.5}, _powers_of_a_matrix),
    "values of trips in a trip": Case(
        "s = 0; for j in 1..3 { y = repeat 2 { x = x*j; x }; x = y[1]; s = s + y[0]*y[1] }; s", {"x": 0.4}, _products),
    "values of no trip before": Case("y = for k in 1..4 { x^k/k }; sum(y^2)", {"x": 0.4},
                                     lambda x: sum((x**k / k) ** 2 for k in range(1, 5))),
    "values over elements": Case("y = 0; z = for x in X { y = a*y + x; hypot(y, 1) }; z[0]*z[1] + z[2]^2",
                                 {"X": [1.0, -0.5, 2.0], "a": 0.8}, _squares),
    "an array from a number": Case("s = 0; for i in 1..3 { s = s + i*[a, 2] }; sum(s^2)", {"a": 5.0},
                                   lambda a: torch.sum((6 * torch.stack([a, 0 * a + 2])) ** 2)),
}  # fmt: skip


def _close(found: Any, expected: Any, tolerance: float) -> bool:
    expected = expected.detach().numpy() if isinstance(expected, torch.Tensor) else expected
    return bool(np.allclose(np.asarray(found, float), np.asarray(expected, float), rtol=tolerance, atol=1e-13))


@for_each("name", CASES)
def test_value_gradient_and_hessian_are_those_of_the_steps(name: str) -> None:
    """Protects both modes and the second order, against PyTorch: to 1e-12, the second to 1e-10."""
    text, values, reference = CASES[name]
    names = list(values)
    tensors = tuple(torch.tensor(values[each], dtype=torch.float64, requires_grad=True) for each in names)
    value, gradient = cgcli.value_and_grad(text)(**values)
    assert _close(value, reference(*tensors), 1e-12)
    slopes = torch.autograd.grad(0 * sum(map(torch.sum, tensors)) + reference(*tensors), tensors)
    for each, expected in zip(names, slopes, strict=True):
        assert _close(gradient.get(each, 0), expected, 1e-12), each
        if np.ndim(values[each]) == 0 and each in gradient:
            assert _close(_slope(text, values, each), expected, 1e-12), each
    hessian = cgcli.hessian(text)(**values)
    second: Any = torch.autograd.functional.hessian
    expected_hessian = second(lambda *xs: 0 * sum(torch.sum(x) ** 2 for x in xs) + reference(*xs), tensors)
    for one, row in zip(names, expected_hessian, strict=True):
        for other, expected in zip(names, row, strict=True):
            if one in hessian and other in hessian[one]:
                assert _close(hessian[one][other], expected, 1e-10), (one, other)


def _slope(text: str, values: dict[str, Any], name: str) -> float:
    """The derivative by one number in forward mode."""
    graph = lower(parse(text), {each: np.shape(value) for each, value in values.items()})
    inputs = {name_of(each): each for each in variables(toposort(graph.outputs))}
    tangent = jvp(graph.output, {inputs[name]: constant(1.0)})
    arrays = {each: np.asarray(value, float)[()] for each, value in values.items()}
    return float(evaluate([tangent], arrays)[0])


# An adjoint in a trip, a loop in a function that has a rule of its own, loops that are read in part.
SPIRAL = "f(x, y) = { for i in 1..3 { (x, y) = (x*y, x + y/i) }; (x, y) }; "
HALVED = "f(a) = { x = a; while x > 1 { x = x/2 }; x*sin(x) }; jvp f(a; da) = da*f(a)/a; "
NESTED = {
    "f(x) = { repeat 3 { x = sin(x)*b }; x }; s = 0; for i in 1..3 { q = i*a; s = s + vjp f(q; i*s + 1) }; s":
        {"a": 2.0, "b": 1.1},
    "f(x) = { repeat 2 { x = x^2 - x*c }; x }; s = 0; for i in 1..3 { c = i*x; s = s + vjp f(c; s + 1) }; s":
        {"x": 0.4, "c": 0.3},
    SPIRAL + "(u, v) = f(a, b); (p, q) = vjp f(a, u; v, b); p*q": {"a": 0.4, "b": 1.3},
    HALVED + "repeat 3 { y = f(a*y) + y }; y": {"a": 5.0, "y": 1.0},
    "f(a) = { y = repeat 3 { a = sin(a); a }; sum(y^2) }; jvp f(a; da) = f(a)*da; f(a)^2": {"a": 0.4},
    "g(x, d) = { t = d; s = for i in 1..3 { t = t*x; t + d }; sum(s) }; f(x) = x^2; jvp f(x; dx) = g(x, dx); "
    "a*f(sin(a))": {"a": 0.4},
    "g(x, d) = { t = 0; k = 0; while k < x { t = t + d*x; k = k + 1 }; t }; f(x) = x^2; jvp f(x; dx) = g(x, dx); "
    "a*f(3*sin(a))": {"a": 0.8},
    "s = 0; for i in 1..3 { s = s + solve(x^3 + i*x = a + s, x=1) }; s": {"a": 0.4},
    "repeat 3 { x = x*y; i = 0; while i < 3 and b > x { y = y*b; i = i + 1 } }; y": {"b": 1.4, "x": 0.4, "y": 0.3},
    "z = b; k = 0; while k < 3 and z > 0 { i = a; j = z; n = 0; while n < 2 and a > 9 { i = tanh(i); j = 1.9; "
    "n = n + 1 }; z = j; a = a + i; k = k + 1 }; z": {"a": 0.4, "b": 0.3},
}  # fmt: skip


@for_each("text", NESTED)
def test_loops_within_functions_and_trips_have_one_derivative(text: str) -> None:
    """Protects both modes of what no loop written out stands beside: against each other, and against differences."""
    values = NESTED[text]
    for name, slope in cgcli.grad(text)(**values).items():
        assert slope == pytest.approx(_slope(text, values, name), rel=1e-12)
        if "jvp f" not in text:
            ends = [cgcli.value(text)(**{**values, name: values[name] + step}) for step in (1e-6, -1e-6)]
            assert slope == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-9)


# Names that more than one value has, one after the other, and those of inputs.
REUSED: dict[str, dict[str, Any]] = {
    "for i in 1..2 { b = b*x }; c = b; b = 1; for i in 1..3 { b = b*y }; b + c": {"b": 2, "x": 3, "y": 5},
    "for i in 1..2 { b = b*x }; for i in 1..3 { b = b + i*x }; b": {"b": 2, "x": 3},
    "c = b; for i in 1..2 { b = b*x }; b + c": {"b": 2, "x": 3},
    "d_s = x; s = 1; for i in 1..3 { s = s*x + d_s }; s*d_s": {"x": 0.5},
    "for m in 1..3 { t = a; a = b*x; b = t }; a - b": {"a": 1, "b": 2, "x": 3},
    "`my sum` = a; for `an index` in 1..3 { `my sum` = `my sum`*x }; `my sum`": {"a": 2, "x": 3},
    "b: [2]; for i in 1..3 { b = sin(b)*x }; sum(b)": {"b": [1.0, 2.0], "x": 3},
    "s = 0; for i in 1..3 { r = s; for i in 1..2 { r = r*x + i }; s = s + r }; s": {"x": 3},
    "i = 2; for i in i..5 { s = s*x }; s": {"s": 2, "x": 3},
    "for i in i..5 { s = s*x + i }; s": {"i": 2, "s": 2, "x": 3},
}


@for_each("name", [*CASES, *NESTED, *REUSED])
def test_what_is_printed_is_read_back(name: str) -> None:
    """Protects pipelines: programs with loops, and their derivatives in both modes, are texts of the very same graph.

    The adjoint of a loop is vjp f(x; w), for a function with that loop, in the second order too.
    """
    text, values = CASES[name][:2] if name in CASES else (name, (NESTED | REUSED)[name])
    shapes = {each: np.shape(value) for each, value in values.items()}
    graph = lower(parse(text), shapes)
    inputs = variables(toposort(graph.outputs))
    with names_kept(graph.carried) as carried:
        gradient = pullback(graph.outputs, [constant(1.0)], inputs)
        numbers = [slope for slope in gradient if not slope.shape]
        tangents = [jvp(graph.output, {node: constant(1.0)}) for node in inputs if not node.shape]
        second = pullback(numbers[:1], [constant(1.0)], inputs) if numbers else ()
    for outputs in (graph.outputs, gradient, tangents, second):
        names = [f"d{at}" for at in range(len(outputs))] if len(outputs) > 1 else ()
        whole = Graph(tuple(outputs), names=tuple(names))
        for named in (whole, whole._replace(labels=graph.labels, carried=carried)):
            assert not outputs or lower(parse(program(named)), shapes).outputs == whole.outputs


# Commands, and the names that they print: those of the program, where a value is one that it names, or its tangent.
NAMED = [
    ("diff", "for m in 1..12*years { b = b*(1 + r/12) + pay }; b", ["--wrt", "r"],
     "d_b = 0\nfor m in 1..12*years { t1 = d_b*(r/12 + 1) + b/12; b = b*(r/12 + 1) + pay; d_b = t1 }\nd_b"),
    ("diff", "for m in 1..12 { b = b*(1 + r) + c }; b + b^2", ["--wrt", "r"],
     "b2 = b\nd_b = 0\nrepeat 12 { t1 = d_b*(r + 1) + b2; b2 = b2*(r + 1) + c; d_b = t1 }\n"
     "b1 = b\nrepeat 12 { b1 = b1*(r + 1) + c }\nd_b*(2*b1 + 1)"),
    ("diff", "c = b; for k in 1..n { b = b*r*k }; b*c", ["--wrt", "r"],
     "b1 = b\nd_b = 0\nfor k in 1..n { t1 = k*(d_b*r + b1); b1 = b1*k*r; d_b = t1 }\nb*d_b"),
    ("diff", "for k in 1..n { s = s*x + k*y }; s", [],
     "d_s = 1\nfor k in 1..n { d_s = d_s*x }\nd_x = 0\nfor k in 1..n { t1 = d_x*x + s; s = s*x + k*y; d_x = t1 }\n"
     "d_y = 0\nfor k in 1..n { d_y = d_y*x + k }\nd_n = 0\n(d_s, d_x, d_y, d_n)"),
    ("diff", "for k in 1..n { s = s*x^2 }; s", ["--wrt", "x", "--order", "2"],
     "d_s = 0\nd_s1 = 0\nd2_s = 0\nfor k in 1..n { t1 = 2*s; t2 = t1*x; t3 = d2_s*x^2 + 2*d_s*x + 2*d_s1*x + t1; "
     "s = s*x^2; d_s = d_s*x^2 + t2; d_s1 = d_s1*x^2 + t2; d2_s = t3 }\nd2_s"),
    ("simplify", "for k in 1..n { s = s + x + x }; s", [], "for k in 1..n { s = s + 2*x }; s"),
    ("simplify", "y = repeat 3 { s = s*x; s }; sum(y)", [], "s1 = s; y = repeat 3 { s1 = s1*x; s1 }; sum(y)"),
    ("simplify", "s = 0; for k in 1..n { r = s; for j in 1..k { r = r*x + j }; s = s + r }; s", [],
     "s = 0; for k in 1..n { r = s; for j in 1..k { r = r*x + j }; s = s + r }; s"),
    # what iterate carries has no name in the program
    ("simplify", "iterate(cos, x, 5)", [], "t1 = x; repeat 5 { t1 = cos(t1) }; t1"),
    ("diff", "f(y) = y^2; iterate(f, x, 5)", [], "t2 = x\nt1 = 1\nrepeat 5 { t3 = 2*t2*t1; t2 = t2^2; t1 = t3 }\nt1"),
]  # fmt: skip


# Programs, their form, and the terms of the value at x = 0 and at x = 0.5 for n = 6, by Python.
INDICES: list[tuple[str, str, str, Callable[[float], float]]] = [
    ("diff", "sum(i=1..n, x^i)", "i*x^(i - 1)", lambda x: sum(i * x ** (i - 1) for i in range(1, 7))),
    ("diff", "sum(i=0..n, x^i)", "where(i == 0 and x == 0, 0, i*x^(i - 1))",
     lambda x: sum(i * x ** (i - 1) for i in range(1, 7))),
    ("diff", "s = 0; for i in 2..n { s = s + x^(i - 1) }; s", "+ x^(i - 2)*(i - 1) }",
     lambda x: sum((i - 1) * x ** (i - 2) for i in range(2, 7))),
    ("diff", "sum(i=1..n, x^(i - 1))", "== 0 and x == 0", lambda x: sum((i - 1) * x ** (i - 2) for i in range(2, 7))),
    ("diff", "sum(i=1..n, sum(j=i..4, x^j))", "t2 + j*x^(j - 1) }",
     lambda x: sum(j * x ** (j - 1) for i in range(1, 7) for j in range(i, 5))),
    ("diff", "sum(i=1..n, x^(2*i))", "t1 + t2*x^(t2 - 1) }", lambda x: sum(2*i*x**(2*i - 1) for i in range(1, 7))),
    ("diff", "sum(i=1..n, x^(3*i - 2))", "t1 + x^(t2 - 3)*(t2 - 2) }",
     lambda x: sum((3 * i - 2) * x ** (3 * i - 3) for i in range(1, 7))),
    ("simplify", "sum(i=3..n, -2*i < -5 ? x : i)", "{ t1 = t1 + x }", lambda x: 4 * x),
    ("simplify", "sum(i=3..n, 2*i == 9 or 7 - i == 1 ? x : i)", "where(7 - i == 1, x, i)", lambda x: 12 + x),
    ("simplify", "sum(i=3..n, i > 2 ? x : i)", "{ t1 = t1 + x }", lambda x: 4 * x),
    ("simplify", "sum(i=3..n, i > 3 ? x : i)", "where(i > 3, x, i)", lambda x: 3 * x + 3),
    ("simplify", "sum(i=3..n, i != 4 ? x : i)", "where(i != 4, x, i)", lambda x: 3 * x + 4),
    ("simplify", "s = 0; for i in 1..6 { s = s*x + (i <= 6 ? i : n) }; s", "{ s = s*x + i }",
     lambda x: sum(i * x ** (6 - i) for i in range(1, 7))),
    ("simplify", "s = 0; for i in 1..6 { s = s*x + (i < 6 ? i : n) }; s", "where(i < 6, i, n)",
     lambda x: sum(i * x ** (6 - i) for i in range(1, 7))),
    ("simplify", "s = 0; for i in 1..6 { s = s*x + (2.5 == i ? n : i) }; s", "{ s = s*x + i }",
     lambda x: sum(i * x ** (6 - i) for i in range(1, 7))),
]  # fmt: skip


@for_each(("command", "text", "part", "value"), INDICES)
def test_a_formula_knows_the_values_of_an_index(
    command: str, text: str, part: str, value: Callable[[float], float]
) -> None:
    """Protects readers from cases that no trip is; and values from a case that is left out although one trip is it."""
    formula = cgcli.diff(text, "x") if command == "diff" else cgcli.simplify(text)
    assert part in formula
    for x in (0.0, 0.5):
        given = {name: float(number) for name, number in (("x", x), ("n", 6)) if name in cgcli.parse(formula).inputs}
        assert cgcli.value(formula)(**given) == pytest.approx(value(x), rel=1e-14)


@for_each(("command", "text", "options", "told"), NAMED)
def test_a_loop_keeps_the_names_of_the_program(
    command: str, text: str, options: list[str], told: str, capsys: Capture
) -> None:
    """Protects readers of derivatives; and pipelines: what is printed, with such names, is read as one graph again."""
    printed = cg(capsys, command, text, *options).out.strip()
    assert printed == told
    graph = lower(parse(printed))
    assert lower(parse(program(graph))).outputs == graph.outputs


# Loops that carry a matrix beside something else, of which a row, an element or another shape is read after them.
PACKED = [
    ("s = 0; A = [[x, 1], [2, x]]; repeat 2 { A = A*x; s = s + x }; sum(reshape(A, [4])*[1, 2, 3, 4]) + s",
     "{ t1 = x*d_A + A; A = x*A; d_A = t1; d_s = d_s + 1 }; d_s + sum([1, 2, 3, 4]*reshape(d_A, [4]))"),
    ("s = 1; B = x*[[1, 2], [3, 4]]; repeat 3 { s = s*x*det(B + 3*eye(2)); B = B @ B/9 }; s + B[0, 1]",
     "d_B[0, 1] + d_s"),
    ("s = 0; u = [x, 1]; for k in 1..3 { u = u*[x, k]; s = s + sum(u) }; s", "; d_s"),
    ("A = [[x, 1, 2]]; s = 0; repeat 3 { B = A; repeat 2 { B = B*x; s = s + B[0, 1] }; "
     "A = tanh(A + reshape(B, [3])[1:2]); s = s*sum(reshape(B, [3, 1])) }; s + A[0, 2]", "d_A[0, 2]"),
    ("(s, B) = repeat 3 { x = x^2; (x, [[x, 1], [x, 2]]) }; s[1] + B[0, 0, 1] + sum(reshape(B, [12])*x)",
     "d_x*sum(reshape(t1, [3, 4])) + x1*sum(reshape(t2, [3, 4])) + t2[0, 0, 1] + t3[1]"),
    ("(y, z) = for k in 1..5 { x = x*k; (x, x^2) }; sum(y*z)", "; sum(y*t1 + z*t2)"),
]  # fmt: skip


@for_each(("text", "part"), PACKED)
def test_what_a_loop_carries_side_by_side_is_read_by_its_name(text: str, part: str) -> None:
    """Protects formulas from words that the language does not have, as that of the operation, or of what it packs."""
    form, formula = cgcli.simplify(text), cgcli.diff(text, "x")
    assert part in formula
    assert "concat" not in formula
    for x in (0.7, -1.1):
        assert cgcli.value(form)(x=x) == pytest.approx(cgcli.value(text)(x=x), rel=1e-13)
        slope = (cgcli.value(text, digits=30)(x=x + 1e-9) - cgcli.value(text, digits=30)(x=x - 1e-9)) / 2e-9
        assert cgcli.value(formula)(x=x) == pytest.approx(float(slope), rel=1e-7)


# But for a product over a factor that is 0, and for an input that is called e.
@for_each("name", sorted(CASES.keys() - {"product through 0", "Kepler"}))
def test_a_formula_through_a_loop_has_the_value_of_the_gradient(name: str) -> None:
    """Protects cg diff, by numbers, whose form is a tangent, and by arrays, whose form is an adjoint."""
    text, values, _ = CASES[name]
    declared = "".join(f"{each}: {list(np.shape(value))}; " for each, value in values.items() if np.shape(value))
    for each, slope in cgcli.grad(text)(**values).items():
        formula = cgcli.diff(declared + text, each)
        read = {name: value for name, value in values.items() if name in cgcli.parse(formula).inputs}
        assert _close(cgcli.value(formula)(**read), slope, 1e-11), formula


@for_each("name", [name for name in CASES if all(np.ndim(x) == 0 for x in CASES[name].values.values())])
def test_rows_make_trips_of_their_own(name: str) -> None:
    """Protects tables: each row has the value and the gradient of its point, whatever trips the others make."""
    text, values, _ = CASES[name]
    rows = {each: value * (1 + np.arange(4.0) * (0 if name in ("Collatz", "greatest common divisor") else 0.125))
            for each, value in values.items()}  # fmt: skip
    table = cgcli.compile(text)(rows)
    for at in range(4):
        point = {each: float(column[at]) for each, column in rows.items()}
        value, gradient = cgcli.value_and_grad(text)(**point)
        assert _close(table["value"][at], value, 1e-14)
        for each, slope in gradient.items():
            assert _close(table[f"d_{each}"][at], slope, 1e-13)


LONG = "x = a; y = 0; while x > {} {{ x = x*{}; y = y + 0.1*sin(x) }}; y"


@pytest.mark.parametrize(("text", "rows"), [
    (LONG.format(0.1, 0.999), 400), (LONG.format(0.1, 0.9995), 3), ("repeat 6000 { a = a + 1e-4*sin(a) }; a", 3),
    ("X = a*[1, 2]; while sum(X) > 0.1 { X = 0.9*X + 0.01*X^2 }; X @ X", 9),
])  # fmt: skip
def test_rows_of_many_trips_go_back_as_points_do(text: str, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects reverse mode where states are thinned, in several levels too, and where few rows make many trips."""
    monkeypatch.setattr("cgcli.evaluate.loop_adjoints._STATES", 64)
    a = np.linspace(0.2, 1, rows)
    table = cgcli.compile(text)({"a": a})
    for at in (0, 1, rows - 1):
        value, gradient = cgcli.value_and_grad(text)(a=a[at])
        assert (table["value"][at], table["d_a"][at]) == pytest.approx((value, gradient["a"]), rel=1e-12)
        ahead = _slope(text, {"a": a[at]}, "a")
        assert gradient["a"] == pytest.approx(ahead, rel=1e-9)


def _damped(x: Any, a: Any) -> Any:
    y = x
    for _ in range(500):
        y = 0.9 * torch.sin(y) + a * x
    return (y**2).sum()


def _mixed(x: Any, a: Any) -> Any:
    w = 0 * a
    for k in range(1, 301):
        w = 0.5 * w + x.max() / k
        x = torch.tanh(a * x.flip(0) + 0.1 * w)
    return w + x.sum()


def _nested(x: Any, a: Any) -> Any:
    for _ in range(300):
        x = torch.cos(a * x)
    return (x * x).sum()


MANY_TRIPS = [
    ("y = x; repeat 500 { y = 0.9*sin(y) + a*x }; sum(y^2)", _damped),
    ("w = 0*a; v = x; for k in 1..300 { w = 0.5*w + max(v)/k; v = tanh(a*flip(v) + 0.1*w) }; w + sum(v)", _mixed),
    ("y = x; repeat 100 { repeat 3 { y = cos(a*y) } }; sum(y*y)", _nested),
]


@for_each(
    "text, reference, at_once, states",
    [(*case, *sizes) for case in MANY_TRIPS for sizes in ((2**20, 2**17), (100, 64), (16, 64))],
)
def test_trips_of_arrays_are_made_together(
    text: str, reference: Callable[..., Any], at_once: int, states: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects what is carried from some trips to the next, forth and back, and the states that are kept between."""
    monkeypatch.setattr("cgcli.evaluate.trips._AT_ONCE", at_once)
    monkeypatch.setattr("cgcli.evaluate.loop_adjoints._STATES", states)
    x, a = np.linspace(0.1, 0.7, 6), 0.3
    leaves = [torch.tensor(x, requires_grad=True), torch.tensor(a, dtype=torch.float64, requires_grad=True)]
    truth = reference(*leaves)
    truth.backward()
    value, slopes = cgcli.value_and_grad(text)(x=x, a=a)
    np.testing.assert_allclose(value, truth.item(), rtol=1e-12)
    for ours, leaf in zip((slopes["x"], slopes["a"]), leaves, strict=True):
        np.testing.assert_allclose(ours, np.asarray(leaf.grad), rtol=1e-10, atol=1e-14)


def test_trips_of_arrays_end_at_the_bound() -> None:
    """Protects --max-trips where many trips are made without a look between them, and loops stand in them."""
    many = cgcli.value("y = x; repeat 200 { k = 0*y[0]; while k < n { k = k + 1 }; y = 0.5*y + k }; y")
    with cgcli.max_trips(2000):
        with pytest.raises(cgcli.CgError, match="did not end within 2000 trips"):
            many(x=[1.0, 2.0], n=50)
        np.testing.assert_array_equal(many(x=[1.0, 2.0], n=5), [10.0, 10.0])


@pytest.mark.parametrize(("text", "told"), [
    ("x = a; while x > 0 { x = 3 - x }; x", "it would never end"),
    ("for i in 1..a*1e9 { a = a/2 }; a", "1e\\+09 trips"),
    ("x = a; while abs(x^2 - a) > 1e-16 { x = (x + a/x)/2 }; x", "it would never end"),
])  # fmt: skip
def test_rows_that_never_end_are_found(text: str, told: str) -> None:
    with pytest.raises(cgcli.CgError, match=told):
        cgcli.compile(text, ())({"a": np.linspace(0.01, 1, 100)})


REFUSED = [
    # ---- endless, or too many trips: found, not waited for ----
    ("x = a; while abs(x^2 - a) > 1e-16 { x = (x + a/x)/2 }; x", 1, "it is back where it was, so it would never end"),
    ("x = a; while abs(x^2 - a) > 1e-16 { x = (x + a/x)/2 }; x", 1, "1e-16 is below rounding"),
    ("x = 1; while x > 0 { x = 3 - x }; x", 1, "it would never end"),
    ("k = 0; while k < 997 { k = (k + 1) % 997 }; k", 1, "the loop is endless: after 51"),
    ("k = 0; while k < 9973 { k = (k + 1) % 9973 }; k", 1, "it is where it is after"),
    ("x = 1; while x > 0 { x = x + 1 }; x", 1, "did not end within 2000000 trips"),
    ("x = 1; repeat 10^12 { x = x + 1 }; x", 2, "the loop would make 1e+12 trips"),
    ("x = 0; repeat 10^6 { repeat 10^6 { x = x + 1 } }; x", 2, "the loop would make 1e+12 trips"),
    ("sum(i=1..10^12, i*a)", 2, "the loop would make 1e+12 trips"),
    ("sum(i=1..n, i*a)", 2, "the loop would make 1e+12 trips"),
    ("sum(i=1..n*1e300, i*a)", 2, "endlessly many trips"),
    ("x = 0; while x < 1e12 { for i in 1..1000 { x = x + 1 } }; x", 1, "trips"),
    # ---- values of each trip, iterate ----
    ("x = 9; while x > 1 { x = x/2; x }", 2, "a 'while' has no values of its trips: nobody knows how many there are"),
    ("y = repeat b { a = a/2; a }; y", 2, "the values of the trips are an array, whose size must be known"),
    ("y = if a > 0 { repeat 2 { a = a/2; a } } else { [1, 2] }; y", 2, "outside of a branch"),
    ("repeat 2 { a = a/2; a }; a", 2, "name the values of the trips: y = repeat 3 { x = x^2; x }"),
    ("y = repeat 2 { a = a/2 }; y", 2, "only a value can be named"),
    ("(y, z) = repeat 2 { a = a/2; a }; y", 2, "2 names stand before '=', and one result behind it"),
    ("iterate(cos(x), 1, 20)", 2, "iterate takes the name of a function, a start and a number of trips"),
    ("iterate(cos, 1)", 2, "as in: iterate(cos, 1, 20)"),
    ("iterate(cos, 1, n=20)", 2, "as in: iterate(cos, 1, 20)"),
    ("iterate(cso, 1, 20)", 2, "did you mean 'cos'?"),
    ("f(x, y) = x*y; iterate(f, 1, 20)", 2, "'f' takes 2 arguments, not 1"),
    ("f(x) = [x, x]; iterate(f, [1, 2], 3)", 2, "what a loop carries keeps its shape"),
    ("x = [1, 2]; repeat 2 { x = sum(x) }; x", 2, "'x' has shape [2] before the trip, and a scalar after it"),
    ("x = [1, 2]; while x[0] < 3 { x = x[0] }; x", 2, "'x' has shape [2] before the trip, and a scalar after it"),
    ("iterate(cos, 1, [2])", 2, "the number of trips is a number"),
    # ---- what a block is ----
    ("for k in 1..3 { y = k }; y", 2, "'y' has a value within a trip of the loop only"),
    ("if a > 0 { y = 1 }; y", 2, "'y' has a value on one side of the branch only"),
    ("x = 1; repeat 3 { x = x + 1 }", 2, "the program ends with a block"),
    ("f(x) = { y = x }; f(3)", 2, "the block has no result"),
    ("x = [1, 2]; repeat 2 { x = [1, 2, 3] }; x", 2, "'x' has shape [2] before the trip, and shape [3] after it"),
    ("x = [1, 2]; while x > 0 { x = x - 1 }; x", 2, "the condition of a loop is a number, and this has shape [2]"),
    ("for i in a { s = i }; 1", 2, "a scalar has no elements to go through"),
    ("s = 0; repeat 3 { s }; s", 2, "nothing uses the value of this statement"),
    ("s = 0; repeat 3 { s = s + 1; break }; s", 2, "'break' is a name here"),
    ("f(x) = { (x, x^2) }; (p, q, r) = f(2); p", 2, "3 names stand before '=', and 2 results behind it"),
    ("f(x) = { (x, x^2) }; f(2) + 1", 2, "takes a value here"),
    ("repeat 3 { f(x) = x }; 1", 2, "functions and shapes are declared outside of blocks"),
    ("max(i=1..3, i)", 2, "'max' has no index"),
    ("if a > 0 { y = [1, 2] } else { y = [1, 2, 3] }; y", 2, "the sides of the branch give 'y' shapes [2] and [3]"),
    ("repeat 2 { " * 25 + "x = 1" + " }" * 25 + "; 1", 2, "more than 20 loops and branches stand in each other"),
    ("if a { " * 20_000 + "a = 1" + " }" * 20_000 + "; a", 2, "more than 20 loops and branches stand in each other"),
    ("sum(i=1..2, " * 2000 + "a" + ")" * 2000, 2, "more than 50 sums and products stand in each other"),
]


@for_each(("text", "code", "message"), REFUSED)
def test_what_cannot_run_is_said(text: str, code: int, message: str, capsys: Capture) -> None:
    """Protects users from loops that never end, and from blocks that mean something else than they seem to."""
    result = cg(capsys, "eval", text, "a=2", "n=1e12")
    assert (result.code, result.out) == (code, "")
    assert message in result.err


@pytest.mark.parametrize("text", [
    "x = a; while x > 1 { x = x/2; b = b^2 + x }; b",
    "x = a; while x > 1 { x = x/2; b = b*[1, 2] + x }; sum(b)",
    "x = a; repeat 1000 { x = x*0.99 }; while x > 1 { x = x/2 }; x*b",
    "repeat 100 { while a > 1 { a = a/2 + b/8 } }; a*b",
])  # fmt: skip
def test_a_condition_that_is_nan_gives_nan(text: str) -> None:
    """Protects from numbers that nobody knows: value and gradient, in both modes, in a point and in a row."""
    point = {"a": math.nan, "b": 0.5}
    value, gradient = cgcli.value_and_grad(text)(**point)
    assert math.isnan(value)
    assert [*map(math.isnan, gradient.values())] == [True, True]
    assert all(math.isnan(_slope(text, point, each)) for each in point)
    table = cgcli.compile(text)({"a": [3.0, math.nan], "b": [0.5, 0.5]})
    assert [math.isnan(column[1]) for column in table.values()] == [True] * 3
    assert not any(math.isnan(column[0]) for column in table.values())
    apart = cgcli.grad(f"f(a, b) = {{ {text} }}; where(b > 0, b, f(a, b))")(**point)
    assert apart == {"a": 0, "b": 1}


_TWO = math.sqrt(2)  # s = sqrt(s) + a + 1 goes from 0 to 1, 2 and sqrt(2) + 1 at a = 0
GUARDED: list[tuple[str, float, float, float]] = [  # the first and the second derivative at a number, by hand
    ("x = a; y = 1; repeat 3 { x = sqrt(x); y = where(x > 0, x, 1) }; y", 0, 0, 0),
    ("x = a; y = 1; z = 0; repeat 3 { z = sqrt(y - 1) + z; x = sqrt(x); y = where(x > 0, x, 1) }; z + y", 0, 0, 0),
    ("s = 0; for i in 1..3 { s = sqrt(s) + a + 1 }; s", 0, 1 + 0.75 / _TWO, -0.203125 * _TWO),
    ("s = 0; for i in 1..3 { s = s + where(a > 0, sqrt(a), a^2*i) }; s", 0, 0, 12),
    ("s = 0; for i in 1..150 { s = s + where(a > 0, sqrt(a), a^2*i) }; s", 0, 0, 150 * 151),
    ("x = a; s = 0; repeat 3 { s = s + where(x > 0, ln(x), x^2); x = x/2 }; s", 0, 0, 2 + 2 / 4 + 2 / 16),
    ("t = sqrt(a); s = 1; for i in 1..3 { s = s*where(a > 0, t, 1 + i*a^2) }; s", 0, 0, 12),
    ("s = 0; repeat 3 { s = where(a > 0, s, s + a) }; sqrt(s) + a^2", 1, 2, 2),
    ("s = 0; repeat 3 { s = where(a > 0, s, s + a) }; repeat 2 { s = sqrt(s) }; s + a^2", 1, 2, 2),
    ("t = where(a > 0, 0, a); s = 0; repeat 2 { t = sqrt(t); s = a^2 + b*t }; s", 1, 2, 2),
    ("x = a; s = 0; for i in 1..3 { y = x; for j in 1..2 { y = sqrt(y); s = s + where(y > 0, y, a^2) } }; s", 0, 0, 12),
    ("s = 0; v = for i in 1..3 { s = s + where(a > 0, sqrt(a), a^2*i); s }; sum(v)", 0, 0, 20),
    ("x = a; v = repeat 3 { x = sqrt(x); where(x > 0, x, a^2) }; v[0] + v[2]", 0, 0, 4),
]  # fmt: skip


@for_each(("text", "at", "slope", "second"), GUARDED)
def test_structural_zeros_go_from_trip_to_trip(text: str, at: float, slope: float, second: float) -> None:
    """Protects from 0*inf: what no trip has moved has no part in a derivative, in either mode over either mode."""
    graph = lower(parse(text), {})
    inputs = {name_of(each): each for each in variables(toposort(graph.outputs))}
    a, point = inputs["a"], {name: np.float64(at) for name in inputs}
    modes: list[Callable[[Any], Any]] = [
        lambda node: jvp(node, {a: constant(1.0)}), lambda node: pullback([node], [constant(1.0)], [a])[0],
    ]  # fmt: skip
    firsts = [mode(graph.output) for mode in modes]
    assert evaluate(firsts, point) == pytest.approx([slope] * 2, rel=1e-12)
    seconds = [mode(first) for mode in modes for first in firsts]
    assert evaluate(seconds, point) == pytest.approx([second] * 4, rel=1e-12)


def test_a_trace_reads_an_element_by_its_index(capsys: Capture) -> None:
    """Protects readers: what a trip reads of an array is written as in the program; an index beyond it gives nan."""
    out = cg(capsys, "trace", "s = 0; for k in 0..2 { s = s + X[k]*a }; s", "a=2", "X=[1, 3]").out
    assert re.findall(r"= (.*?)  ", out) == ["0 + X[0]*a", "s_1 + X[1]*a", "s_2 + element(X, 2)*a"]


SAID = [
    ("grad", "x = a; while abs(x^2 - a) > 1e-12 { x = (x + a/x)/2 }; x", "a=1", "it makes no trip"),
    ("grad", "s = 0; for i in 1..3 { s = s + abs(a - i) }; s", "a=2", "abs(0) is at a kink"),
    ("grad", "x = a; while abs(x^2 - a) > 1e-12 { x = (x + a/x)/2 }; x", "a=1", "solve(x^2 = a, x=1)"),
    ("grad", "x = a; for i in 1..a { x = x/2 }; x", "a=3", "the number of trips counts as a constant"),
    ("grad", "sum(i=1..a, i)", "a=3", "no derivative by 'a' tells how it changes"),
    ("eval", "x = a; repeat 3 { x = ln(x) }; x", "a=1", "ln(0) is infinite"),
    ("eval", "sum(i=1..3, sqrt(a - i))", "a=2", "sqrt(-1) is nan"),
    ("eval", "x = a; while x > 1 { x = x/2 }; x", "a=nan", "the input 'a' is nan"),
]


@for_each(("command", "text", "value", "message"), SAID)
def test_what_happens_in_a_trip_is_said(command: str, text: str, value: str, message: str, capsys: Capture) -> None:
    """Protects from silence: a nan, an infinity or a kink within a loop has its own place in the text."""
    result = cg(capsys, command, text, value)
    assert result.code == 0
    assert message in result.err
    assert "^" in result.err


EXACT = [
    ("s = 0\nfor k in 1..10 {\n  s = s + k   # add\n\n}\ns", "55"),
    ("x = 3\nif x > 5 {\n y = 1\n}\nelse if x > 2 { y = 2 }\nelse { y = 3 }\ny", "2"),
    ("for = 3; while = 2; if = 1; in = 4; repeat(x) = 2*x; for*while*if*in + repeat(1)", "26"),
    ("solve = 2; iterate = 3; repeat = 5; else = 7; solve*iterate*repeat*else", "210"),
    ("solve(x) = 2*x; iterate(f, x, n) = f + x + n; solve(1) + iterate(1, 2, 3)", "8"),
    ("iterate(cos, 1, 3)", "0.6542897904977791"), ("f(x) = x^2; iterate(f, 2, 0)", "2"),
    ("g(y) = y/2; f(x) = iterate(g, x, 3); f(16)", "2"), ("for i in 1..4 { i^2 }", "[1, 4, 9, 16]"),
    ("x = 1; repeat 3 { x = 2*x; x }", "[2, 4, 8]"), ("x = 1; y = repeat 0 { x = 2*x; x }; y", "[]"),
    ("x = 1; y = repeat 3 { x = 2*x; [x, 1] }; y[2]", "[8, 1]"), ("x = 1; y = repeat 3 { x = 2*x; x }; x + y[0]", "10"),
    ("f(x) = repeat 3 { x = 2*x; x }; f(1)", "[2, 4, 8]"), ("y = if 2 > 1 { 5 } else { 6 }; y", "5"),
    ("x = 1; (y, z) = for k in 1..3 { x = x*k; (x, x^2) }; y + z", "[2, 6, 42]"),
    ("sum(i=1..0, a)", "0"), ("prod(i=1..0, a)", "1"), ("sum(e=1..3, e)", "6"), ("sum(i=1..2.5, i)", "3"),
    ("sum(i=1..nan, i)", "nan"), ("m = 0; if a > 5 { while 1 > 0 { m = m + 1 } }; m", "0"),
    ("x = 2; repeat 0 { x = 1 }; x", "2"),
    ("f(x) = { (x, x^2) }; f(2)", "f(2)\t2\nf(2) (2)\t4"),
    ("(p, q) = (1, 2); (q, p) = (p, q); p", "2"),
    ("x = 0; y = 1; repeat 10 { (x, y) = (y, x + y) }; x", "55"),
    ("s = 0; for v in [1, 2, 3] { s = s + v^2 }; s", "14"),
    ("--digits=30", "x = 2; while abs(x^2 - 2) > 1e-31 { x = (x + 2/x)/2 }; x", "1.41421356237309504880168872421"),
    ("x = 0; repeat 300 { repeat 300 { x = x + 1 } }; x", "90000"), ("t = 1; repeat 1000 { t = t/10 }; t", "0"),
    ("t = 1; repeat 100 { t = t*1e10 }; t", "inf"),
]  # fmt: skip


@for_each("case", EXACT)
def test_a_program_with_blocks_has_its_value(case: tuple[str, ...], capsys: Capture) -> None:
    """Protects the language: lines, words that are names elsewhere, empty ranges, several results, long loops."""
    *arguments, expected = case
    result = cg(capsys, "eval", *arguments, *(["a=2"] if "a" in arguments[-1] else []), "-q")
    assert (result.code, result.out.strip()) == (0, expected)


@for_each("options", [["--digits=25"], ["--accuracy"]])
@for_each("command", ["grad", "hessian"])
@for_each("name", ["nested loops", "sum within a sum", "a branch in a loop", "filter"])
def test_loops_have_many_digits(name: str, command: str, options: list[str], capsys: Capture) -> None:
    """Protects --digits and --accuracy: a loop and its reverse pass run in mpmath's numbers, loops within it too."""
    text, values, _ = CASES[name]
    result = cg(capsys, command, text, *options, *(f"{each}={value}" for each, value in values.items()), "-q")
    assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("repeat 3 { a = a^2 }; a", "0..1"),
        ("sum(i=1..n, a^i)", "a loop or a sum whose number of trips is not known has no bounds"),
    ],
)
def test_a_loop_of_known_trips_has_bounds_over_ranges(text: str, told: str, capsys: Capture) -> None:
    """Protects from wrong bounds: where a range decides on the number of trips, nobody knows how many there are."""
    result = cg(capsys, "eval", text, "a=0..1", "n=3", "-q")
    assert told in result.out + result.err


@pytest.mark.parametrize("name", CASES)
def test_every_command_takes_loops(name: str, capsys: Capture) -> None:
    """Protects the rest of the program from programs with loops: no command fails, or takes long."""
    text, values, _ = CASES[name]
    given = [f"{each}={value}" for each, value in values.items()]
    for command, *options in (
        ["trace"],
        ["check"],
        ["jacobian"],
        ["plan", "--grad"],
        ["render"],
        ["eval", "--digits=20"],
    ):
        result = cg(capsys, command, text, *given, *options, "-q")
        assert result.code == 0, result.err
        assert result.out


BOUNDED = [
    ("while x > 1 { x = x/1.01 }; x", 1, "the loop did not end within 50 trips; it carries"),
    ("repeat 100 { x = x/2 }; x", 2, "the loop would make 100 trips"),
    ("for k in 1..x*20 { x = x/2 }; x", 2, "the limit is 50 trips; --max-trips N sets another"),
    ("s = 0; repeat 10 { repeat 10 { s = s + x } }; s", 2, "the loop would make 110 trips"),
]


@pytest.mark.parametrize(("text", "code", "message"), BOUNDED)
def test_trips_have_a_bound_of_the_users(text: str, code: int, message: str, capsys: Capture, tmp_path: Path) -> None:
    """Protects --max-trips and cgcli.max_trips: at a point, in rows, and no longer than it is said."""
    result = cg(capsys, "eval", text, "x=9", "--max-trips=50")
    assert result.code == code
    assert message in result.err
    assert cg(capsys, "eval", text, "x=9", "--max-trips=5000").code == 0
    rows = tmp_path / "rows.csv"
    rows.write_text("x\n9\n8\n", encoding="utf-8")
    assert "trips" in cg(capsys, "eval", text, str(rows), "--max-trips=50", "--threads=2").err
    with cgcli.max_trips(50), pytest.raises(cgcli.CgError, match="trips"):
        cgcli.value(text)(x=9)
    assert cgcli.value(text)(x=9) is not None


@for_each("name", CASES)
def test_a_trace_of_trips_ends_at_the_value_and_the_gradient(name: str, capsys: Capture) -> None:
    case = CASES[name]
    points = [f"{each}={np.asarray(value).tolist()}" for each, value in case.values.items()]
    steps = json.loads(cg(capsys, "trace", case.text, *points, "--grad", "--json", "-q").out)
    value, gradient = cgcli.value_and_grad(case.text)(case.values)
    assert _close(steps[-1]["value"], value, 1e-13)
    adjoints = {step["name"]: step["adjoint"] for step in steps}
    for each, slope in gradient.items():
        assert _close(adjoints[each], slope, 1e-12)


NEWTON = "x = a; while abs(x^2 - a) > 1e-12 { x = (x + a/x)/2 }; x"
LINES = [
    (NEWTON, ["a=2"], "a; x_1 = (a + a/a)/2; x_2 = (x_1 + a/x_1)/2; x_3 = (x_2 + a/x_2)/2; x_4 = (x_3 + a/x_3)/2; "
                      "x = (x_4 + a/x_4)/2"),
    (NEWTON, [], "a; x = loop"),
    ("repeat 2 { x = sin(x)^2 }; x", [], "x; x_1 = sin(x)^2; x_2 = sin(x_1)^2"),
    ("repeat 26 { x = sin(x)^2 }; x", [], "x; x_1 = sin(x)^2; x_2 = sin(x_1)^2; x_3 = sin(x_2)^2; "
                                          "x_23 = loop × 20 trips; x_24 = sin(x_23)^2; x_25 = sin(x_24)^2; "
                                          "x_26 = sin(x_25)^2"),
    ("repeat 2 { (x, y) = (x + 0.1*y, y - x) }; x*y", [],
     "x; y; x_1 = x + 0.1*y; y_1 = y - x; x_2 = x_1 + 0.1*y_1; y_2 = y_1 - x_1; v1 = x_2*y_2"),
    ("s = 0; for i in 1..n { s = s + x^i*sin(i) }; s", ["x=2", "n=2"],
     "x; s_1 = 0 + x^1*sin(1); s = s_1 + x^2*sin(2)"),
]  # fmt: skip


@for_each(("text", "values", "lines"), LINES)
def test_a_trace_has_a_line_for_each_trip(text: str, values: list[str], lines: str, capsys: Capture) -> None:
    steps = json.loads(cg(capsys, "trace", text, *values, "--json", "-q").out)
    assert "; ".join(" = ".join(filter(None, (step["name"], step["formula"]))) for step in steps) == lines


def test_a_trace_of_trips_in_reverse(capsys: Capture) -> None:
    """Each trip hands its adjoint to the one before; between the first and the last three there is one loop."""
    out = cg(capsys, "trace", "repeat 26 { x = sin(x)^2 }; x", "--grad").out.split("\n\n")[1]
    lines = [re.sub(r" +", " ", line).strip() for line in out.splitlines()[1:]]
    assert lines[:2] == ["bar_x_26 = 1", "bar_x_25 = 2*bar_x_26*cos(x_25)*sin(x_25)"]
    assert "bar_x_3 = loop, run back × 20 trips" in lines
    assert lines[-1] == "bar_x = 2*bar_x_1*cos(x)*sin(x)"
