"""solve(g(x) = 0, x=x0) as part of a program, against mpmath's roots and their numerical derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest

import cgcli
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import constant, toposort, variables
from cgcli.lowering.lower import lower
from cgcli.printing.program import program
from cgcli.syntax.parser import parse
from cgcli.transform.differentiate import jvp
from tests.command import Capture, cg
from tests.for_each import for_each


class Case(NamedTuple):
    """A program, values, and the same function of mpmath's numbers."""

    text: str
    values: dict[str, float]
    reference: Callable[..., Any]


def _root(equation: Callable[..., Any], *start: float) -> Any:
    return mpmath.findroot(equation, start[0] if len(start) == 1 else start)


def _nested(a: Any) -> Any:
    return _root(lambda x: _root(lambda y: y**2 - x, 1) - a, 1)


def _two(a: Any, b: Any) -> Any:
    x, y = _root(lambda x, y: [x**2 + y**2 - 4 * a, x * y - b], 2, 1)
    return x - 2 * y


def _sums(a: Any) -> Any:
    x, y = _root(lambda x, y: [(x**2 + y**2) * x - 1, (x**2 + y**2) * y - a], 1, 1)
    return x * y


def _in_a_loop(a: Any) -> Any:
    s = mpmath.mpf(0)
    for k in (1, 2, 3):
        s += _root(lambda x, k=k: x**3 + k * x - a, 1)
    return s


CASES = {
    "square root": Case("solve(x^2 = a, x=1)", {"a": 2.0}, mpmath.sqrt),
    "square root, from the root": Case("solve(x^2 = a, x=1)", {"a": 1.0}, mpmath.sqrt),
    "Kepler": Case("solve(E - e*sin(E) = M, E=M)", {"M": 1.0, "e": 0.3},
                   lambda m, e: _root(lambda x: x - e * mpmath.sin(x) - m, m)),
    "Kepler, near a parabola": Case("solve(E - e*sin(E) = M, E=3)", {"M": 0.05, "e": 0.99},
                                    lambda m, e: _root(lambda x: x - e * mpmath.sin(x) - m, 0.5)),
    "a fixed point": Case("solve(x = cos(a*x), x=1)", {"a": 0.9}, lambda a: _root(lambda x: mpmath.cos(a * x) - x, 1)),
    "steps that are too long": Case("solve(atan(x) = a, x=5)", {"a": 0.5}, mpmath.tan),
    "Lambert's function": Case("w = solve(w*exp(w) = a, w=1); w^2 + a", {"a": 3.0},
                               lambda a: mpmath.lambertw(a).real**2 + a),
    "within another": Case("solve(solve(y^2 = x, y=1) = a, x=1)", {"a": 2.0}, _nested),
    "two unknowns": Case("(x, y) = solve(x^2 + y^2 = 4*a, x*y = b, x=2, y=1); x - 2*y", {"a": 1.2, "b": 1.1}, _two),
    "an array": Case("x = solve(sum(x^2)*x = [1, a], x=1); x[0]*x[1]", {"a": 1.5}, _sums),
    "element by element": Case("sum(solve(x^2 + x = a*[1, 4, 9], x=1))", {"a": 1.5},
                               lambda a: sum((mpmath.sqrt(1 + 4 * a * k) - 1) / 2 for k in (1, 4, 9))),
    "in a loop": Case("s = 0; for k in 1..3 { s = s + solve(x^3 + k*x = a, x=1) }; s", {"a": 4.0}, _in_a_loop),
    "with a loop in it": Case("f(x) = { s = 0; repeat 3 { s = s*x + x^2*a }; s }; solve(f(x) = 2, x=1)", {"a": 0.8},
                              lambda a: _root(lambda x: a * x**2 * (x**2 + x + 1) - 2, 1)),
    "of a tiny number": Case("solve(x^2 = a, x=1)", {"a": 1e-40}, mpmath.sqrt),
    "of a large number": Case("solve(x^2 = a, x=1)", {"a": 1e40}, mpmath.sqrt),
}  # fmt: skip


@for_each("name", CASES)
def test_root_gradient_and_hessian_are_those_of_mpmath(name: str) -> None:
    """Protects the value, both modes and the second order: to 1e-13, 1e-12 and 1e-10."""
    text, values, reference = CASES[name]
    with mpmath.workdps(50):
        point = [mpmath.mpf(value) for value in values.values()]
        expected = reference(*point)
        orders = [tuple(int(at == other) for other in range(len(point))) for at in range(len(point))]
        steps = {"h": min(abs(value) for value in point) * mpmath.mpf("1e-12")}
        slopes = [mpmath.diff(reference, tuple(point), order, **steps) for order in orders]
        seconds = [
            [mpmath.diff(reference, tuple(point), tuple(map(sum, zip(one, other, strict=True))), **steps)
             for other in orders] for one in orders
        ]  # fmt: skip
    value, found = cgcli.value_and_grad(text)(**values)
    assert value == pytest.approx(float(expected), rel=1e-13)
    for each, slope in zip(values, slopes, strict=True):
        assert found[each] == pytest.approx(float(slope), rel=1e-12)
        assert _slope(text, values, each) == pytest.approx(float(slope), rel=1e-12)
    hessian = cgcli.hessian(text)(**values)
    for one, row in zip(values, seconds, strict=True):
        for other, second in zip(values, row, strict=True):
            assert hessian[one][other] == pytest.approx(float(second), rel=1e-10)


def _slope(text: str, values: dict[str, Any], name: str) -> float:
    """The derivative by one number in forward mode."""
    graph = lower(parse(text), dict.fromkeys(values, ()))
    inputs = {each.params[0]: each for each in variables(toposort(graph.outputs))}
    tangent = jvp(graph.output, {inputs[name]: constant(1.0)})
    return float(evaluate([tangent], values)[0])


@for_each("name", CASES)
def test_what_is_printed_is_read_back(name: str) -> None:
    """Protects pipelines: a root and its derivatives are texts that mean the same graph."""
    text, values, _ = CASES[name]
    shapes = dict.fromkeys(values, ())
    graph = lower(parse(text), shapes)
    assert lower(parse(program(graph)), shapes).outputs == graph.outputs
    for node in variables(toposort(graph.outputs)):
        slope = graph._replace(outputs=(jvp(graph.output, {node: constant(1.0)}),), names=())
        assert lower(parse(program(slope)), shapes).outputs == slope.outputs


@pytest.mark.parametrize("name", CASES)
def test_rows_and_digits_are_those_of_the_point(name: str, capsys: Capture) -> None:
    """Protects tables and --digits: each row finds its own root, and 30 digits are right."""
    text, values, reference = CASES[name]
    rows = {each: value * (1 + np.arange(3.0) * 0.015625) for each, value in values.items()}
    if "parabola" not in name:
        table = cgcli.compile(text)(rows)
        for at in range(3):
            value, found = cgcli.value_and_grad(text)(**{each: float(column[at]) for each, column in rows.items()})
            assert table["value"][at] == pytest.approx(value, rel=1e-14)
            for each, slope in found.items():
                assert table[f"d_{each}"][at] == pytest.approx(slope, rel=1e-12)
    result = cg(capsys, "eval", text, "--digits=30", *(f"{each}={value!r}" for each, value in values.items()), "-q")
    with mpmath.workdps(60):
        expected = reference(*(mpmath.mpf(repr(value)) for value in values.values()))
        assert abs(mpmath.mpf(result.out) / expected - 1) < mpmath.mpf("1e-29")


REFUSED = [
    ("solve(x^2 + a = 0, x=3)", 1, "solve finds no root: after 200 trips"),
    ("solve(ln(x) = a, x=-1)", 1, "solve finds no root: it starts at -1.0, where an equation is no number"),
    ("solve(x^2 = a, x=0)", 1, "the derivative by the unknown is 0"),
    ("solve(exp(x) = -a, x=[1, 2])", 1, "solve finds no root"),
    ("solve(x^2 = a)", 2, "solve takes equations, then as many unknowns, each with its start"),
    ("solve(x^2 = a, x)", 2, "as in: solve(x^2 = 2, x=1)"),
    ("solve(x^2 - a, x=1)", 2, "write solve(x^2 - a = 0, x=1)"),
    ("solve(x^2 == a, x=1)", 2, "write solve(x^2 = a, x=1)"),
    ("solve(x + y = a, x - y = 0, x=1)", 2, "as many unknowns"),
    ("solve(x + y = a, x - y = 0, x=1, x=2)", 2, "'x' stands for two unknowns"),
    ("solve([x[0], x[1], x[0]*x[1]] = a, x=[1, 2])", 2, "there are 3 equations for 2 unknowns"),
    ("solve(x = a + 'b', x=1)", 2, ""),
    ("solve(x > a, x=1)", 2, "solve takes equations, no inequalities"),
    ("solve(a + 0 = 2, x=1)", 2, "the equation does not depend on 'x'"),
    ("fsolve(x^2 - a, 1)", 2, "a root is as in: solve(x^2 = 2, x=1)"),
    ("[k*a for k in 0..3]", 2, "write for k in 0..3 { k*a }"),
    ("scan(cos, 1, 5)", 2, "the values of all trips are as in: y = repeat 5 { x = cos(x); x }"),
    ("nest(cos, 1, 5)", 2, "as in: repeat 20 { x = cos(x) }"),
    ("sin(x^2 = a)", 2, "'=' cannot stand here"),
    ("[x^2 = a]", 2, "'=' cannot stand here"),
    ("solve(x^2 = a, x='1')", 2, "no value"),
]  # fmt: skip


@for_each(("text", "code", "message"), REFUSED)
def test_what_has_no_root_is_said(text: str, code: int, message: str, capsys: Capture) -> None:
    """Protects users from a number that is no root, and tells them how an equation is written."""
    result = cg(capsys, "eval", text, "a=2")
    assert (result.code, result.out) == (code, "")
    assert message in result.err


def test_no_number_gives_no_number(capsys: Capture) -> None:
    """Protects nan in, nan out, in a row as at a point."""
    result = cg(capsys, "eval", "solve(x^2 = a, x=1)", "a=nan", "-q")
    assert (result.code, result.out) == (0, "nan\n")
    table = cgcli.compile("solve(x^2 = a, x=1)")({"a": np.array([4.0, np.nan])})
    assert table["value"][0] == 2
    assert np.isnan(table["value"][1])
    assert np.isnan(table["d_a"][1])


def test_the_start_has_no_derivative() -> None:
    """Protects the theorem: where the search begins does not move the root."""
    value, found = cgcli.value_and_grad("solve(x^2 = a, x=b)")(a=2.0, b=3.0)
    assert value == pytest.approx(2**0.5)
    assert found["b"] == 0


def test_ranges_are_refused_by_name(capsys: Capture) -> None:
    """Protects from wrong bounds, and from a search without end."""
    result = cg(capsys, "eval", "solve(x^2 = a, x=1)", "a=1..2")
    assert "a root has no bounds" in result.out + result.err
