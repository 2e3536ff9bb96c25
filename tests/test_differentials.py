"""D(f, x) in a program: the derivative of an expression by a name, against SymPy, as numbers, rows and formulas."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import sympy

import cgcli
from cgcli.lowering.lower import lower
from cgcli.printing.program import program
from cgcli.syntax.parser import parse
from tests.command import Capture, cg
from tests.for_each import for_each

A, K, M, N, Q, T, U, V, W, X, Y = sympy.symbols("a k m n q t u v w x y", positive=True)
POINT = {"a": 0.7, "k": 4.0, "m": 1.5, "n": 2.5, "q": 0.4, "t": 0.3, "v": 0.9, "w": 1.2, "x": 0.8, "y": 1.3}
F = X**3 * sympy.exp(-A * X)


def of_sum(count: int) -> Any:
    return sum(X**i / i for i in range(1, count + 1))


# Programs of one number, and what SymPy makes of the same.
PROGRAMS = [
    ("D(x^2*sin(x), x)", sympy.diff(X**2 * sympy.sin(X), X)),
    ("D(sin(x), x)*x", sympy.cos(X) * X),
    ("D(y*x, t) + t", T),
    ("f(x) = x^3*exp(-a*x); D(f(x), x)", sympy.diff(F, X)),
    ("f(x) = x^3*exp(-a*x); D(f(2*x), x)", sympy.diff(F.subs(X, 2 * X), X)),
    ("f(u) = u^3*exp(-a*u); g(x) = D(f(x), x); g(2*x)", sympy.diff(F, X).subs(X, 2 * X)),
    ("f(x, y) = x^n*ln(y); D(f(x, y), x, y)", sympy.diff(X**N * sympy.log(Y), X, Y)),
    ("D(D(x^3*y^2, x), y)", 6 * X**2 * Y),
    ("D(exp(x*y), x, x, y)", sympy.diff(sympy.exp(X * Y), X, X, Y)),
    ("y = x^2; D(y^3, x)", 6 * X**5),
    ("x = 3; y = x^2; D(y, x)", sympy.Integer(6)),
    ("x = 2*t; D(2*t + x*t, x)", T),
    ("x = 2*t; D(x^2, t)", 8 * T),
    ("y = 2; x = y*t; D(x*y, y)", 4 * T),
    ("g(x) = { y = x^2; D(y, x) }; g(3) + g(t)", 6 + 2 * T),
    ("g(x, y) = D(x*y, x) + 10*D(x*y^2, y); g(t, t)", T + 20 * T**2),
    ("g(x) = D(x*t, x); g(t)", T),
    ("f(u) = D(u^3, u)*u; g(u) = D(f(u), u); g(x)", 9 * X**2),
    ("f(u) = u*x; x = 3; D(f(2), x)", sympy.Integer(2)),
    ("s = 0; for i in 1..3 { s = s + D(x^i, x) }; s", 1 + 2 * X + 3 * X**2),
    ("s = 0; for i in 1..3 { s = s + D(i^2*x, i) }; s", 12 * X),
    ("s = 1; for i in 1..3 { y = s*x; s = y + D(y^2, y) }; s", 27 * X**3),
    ("D(sum(i=1..5, x^i/i), x)", sympy.diff(of_sum(5), X)),
    ("y = 2*t; if t > 1 { z = D(y^2, y) } else { z = D(3*y^3, y) }; z", 36 * T**2),
    ("solve(D(x^4 - a*x, x) = 0, x=1)", (A / 4) ** sympy.Rational(1, 3)),
    ("(u, v) = solve(D(u^2*v - u, u) = 0, D(v^2 - u*v*w, v) = 0, u=1, v=1); u + v",
     sympy.sqrt(1 / W) + sympy.sqrt(W) / 2),
    ("D = 2; D*(x + 1) + D(x^2, x)", 2 * (X + 1) + 2 * X),
    ("D(x) = x^3; D(x + 1)", (X + 1) ** 3),
    ("L(q, v) = m*v^2/2 - k*q^2/2; p(q, v) = D(L(q, v), v); q = a*cos(w*t); v = D(q, t); D(p(q, v), t) - D(L(q, v), q)",
     (K - M * W**2) * A * sympy.cos(W * T)),
    ("u(x, t) = exp(-w*t)*sin(k*x); D(u(x, t), t) - a*D(u(x, t), x, x)",
     (A * K**2 - W) * sympy.exp(-W * T) * sympy.sin(K * X)),
]  # fmt: skip


def known(text: str) -> dict[str, float]:
    return {name: POINT[name] for name in cgcli.parse(text).inputs}


def right(truth: Any) -> float:
    return float(truth.subs({sympy.Symbol(name, positive=True): value for name, value in POINT.items()}).evalf(20))


@for_each(("text", "truth"), PROGRAMS)
def test_value_and_derivatives_are_sympys(text: str, truth: Any) -> None:
    """Protects what D means: by which name, through which others, at which point; and its own derivative."""
    values = known(text)
    value, slopes = cgcli.value_and_grad(text)(**values)
    assert value == pytest.approx(right(truth), rel=1e-12, abs=1e-13)
    for name, slope in slopes.items():
        by = sympy.diff(truth, sympy.Symbol(name, positive=True))
        assert slope == pytest.approx(right(by), rel=1e-11, abs=1e-11), name


@for_each(("text", "truth"), PROGRAMS)
def test_text_and_formula_are_the_same_program(text: str, truth: Any) -> None:
    """Protects pipes: what is printed reads back as the same nodes, and the formula of a book has the same value."""
    graph = lower(parse(text))
    assert lower(parse(program(graph))).outputs == graph.outputs
    formula = cgcli.simplify(text)
    assert cgcli.value(formula)(**known(formula)) == pytest.approx(right(truth), rel=1e-9, abs=1e-12)


FORMULAS = [
    ("D(atan(x), x)", "1/(x^2 + 1)"),
    ("D(x^n, x)", "n*x^(n - 1)"),
    ("D(abs(x), x)", "sign(x)"),
    ("D(ln(x^2 + 1), x)", "2*x/(x^2 + 1)"),
    ("x: [3]; D(sum(x^2*sin(x)), x)", "x: [3]; x^2*cos(x) + 2*x*sin(x)"),
    ("f(t) = exp(-t)*sin(t); D(f(t), t, t) + 2*D(f(t), t) + 2*f(t)", "0"),
]


@for_each(("text", "formula"), FORMULAS)
def test_a_formula_has_the_derivative_of_a_book(text: str, formula: str) -> None:
    assert cgcli.simplify(text) == formula


def test_arrays() -> None:
    """Protects the shapes: a gradient by an array, the derivative of each element by a number, no more."""
    np.testing.assert_allclose(cgcli.value("D(sum(v^3), v)")(v=[1.0, 2.0]), [3, 12])
    np.testing.assert_allclose(cgcli.value("D([x, x^2, 1], x)")(x=3.0), [1, 6, 0])
    np.testing.assert_allclose(cgcli.value("D(D(sum(v^3), v)[1], v)")(v=[1.0, 2.0]), [0, 12])
    np.testing.assert_allclose(
        cgcli.value("w @ D(ln(det(A)), A)")(w=[1.0, 0], A=[[2.0, 1], [0, 4]]), [0.5, 0], atol=1e-15
    )


def test_rows_and_a_residual() -> None:
    """Protects rows: D in them is a column's as any other, and the weights of a network have its gradient."""
    xs = np.linspace(0, 1, 5)
    text = "u(x) = v*tanh(w*x); D(u(x), x, x) + u(x)"
    table = cgcli.compile(text)
    found = table({"x": xs, "w": np.full(5, 1.3), "v": np.full(5, 0.7)})["value"]
    h = 1e-4

    def u(x: Any) -> Any:
        return 0.7 * np.tanh(1.3 * x)

    np.testing.assert_allclose(found, (u(xs + h) - 2 * u(xs) + u(xs - h)) / h**2 + u(xs), atol=1e-7)


def test_newtons_method_takes_few_trips(capsys: Capture) -> None:
    """Protects D by what a loop carries."""
    done = cg(capsys, "eval", "f(x) = x^3 - a; x = 1; repeat 8 { x = x - f(x)/D(f(x), x) }; x", "a=2")
    assert done.code == 0
    assert float(done.out) == pytest.approx(2 ** (1 / 3), rel=1e-15)


KINKS = [
    ("D(abs(x), x)", "x=0", "abs(0)"),
    ("D(max(x, 1), x)", "x=1", "max(1, 1)"),
    ("y = 2*x; D(abs(y), y)", "x=0", "abs(0)"),
    ("f(u) = D(relu(u)^2, u); f(x)", "x=0", "relu(0)"),
    ("D(norm(v), v)", "v=[0,0]", "norm(…)"),
    ("D(abs(x), x)", "x=1", ""),
    ("D(x^2, x) + abs(x)", "x=0", ""),
    ("where(x > 0, D(abs(x), x), 0)", "x=0", ""),
    ("s = 1; for i in 1..3 { s = s - D(abs(s), s) }; s + x", "x=0", "abs(0)"),
    ("s = 2; for i in 1..3 { s = s + D(abs(x*s), s) }; s", "x=0", "abs(0)"),
    ("s = 2; for i in 1..3 { s = s + D(abs(x*s), s) }; s", "x=1", ""),
    ("s = 1; while s < 9 { s = s + 1 + x*D(max(s, 4), s) }; s", "x=0", "max(4, 4)"),
    ("s = 1; repeat 3 { t = s; for k in 1..2 { t = t + 2*D(abs(t - k), t) }; s = s + t }; s*x", "x=1", "abs(0)"),
    ("s = 1; for i in 1..3 { if i > x { s = s + D(abs(s - 1), s) } }; s", "x=1", "abs(0)"),
    ("s = 1; for i in 1..3 { if i > x { s = s + D(abs(s - 1), s) } }; s", "x=5", ""),
    ("sum(i=1..3, D(abs(i*x - 2), x))", "x=1", "abs(0)"),
    ("sum(i=1..3, D(norm([x, i - 2]), i))", "x=0", "norm(…)"),
]

ABSENT = [
    ("D(x^2, y)", "y", ""),
    ("D(x^2, y)*x", "y", ""),
    ("f(u) = u^2; D(f(x), t)", "t", ""),
    ("speed = 1; D(x*speed + rate, rats)", "rats", "did you mean 'rate'?"),
    ("s = 1; for i in 1..3 { s = s*x + D(s*x, y) }; s", "y", ""),
    ("D(x^2, y) + y", "", ""),
    ("D(x^2, y) + D(y*x, x)", "", ""),
    ("y = 3; D(x^2, y)", "", ""),
    ("f(x, y) = D(x^2, y); f(x, 2)", "", ""),
]


@for_each(("text", "binding", "where"), KINKS)
def test_a_kink_is_told(text: str, binding: str, where: str, capsys: Capture) -> None:
    """Protects against a number chosen in silence; what is not differentiated, or not taken, is no concern."""
    done = cg(capsys, "eval", text, binding)
    assert done.code == 0
    assert done.err.startswith(f"cg: warning: {where} is at a kink") if where else not done.err


@for_each(("text", "name", "hint"), ABSENT)
@pytest.mark.parametrize("command", ["eval", "grad", "simplify"])
def test_a_name_that_is_nowhere_else_is_told(text: str, name: str, hint: str, command: str, capsys: Capture) -> None:
    """Protects against a 0 by a name that was misspelled: as of `--wrt`, in the same words, and where it stands."""
    values = [f"{each}=1" for each in cgcli.parse(text).inputs] * (command != "simplify")
    done = cg(capsys, command, text, *values)
    told = [line for line in done.err.splitlines() if line.startswith("cg: ")]
    if name:
        assert told == [f"cg: warning: '{name}' is not in the expression: its derivative is 0"]
        assert hint in done.err
        of_grad = cg(capsys, "grad", "x", "x=1", "--wrt", name).err.splitlines()
        assert of_grad[0] == told[0]
    else:
        assert not told


def test_a_name_that_a_derivative_leaves_out_is_used(capsys: Capture) -> None:
    done = cg(capsys, "eval", "D(x^2*y, x, y)", "x=1", "y=2")
    assert (done.out, done.err) == ("2\n", "")


def test_a_derivative_of_high_order_ends(capsys: Capture) -> None:
    """Protects the machine: what grows without end is refused, in time."""
    done = cg(capsys, "eval", f"D(tan(x*exp(sin(x)))/x, {', '.join(['x'] * 40)})", "x=1")
    assert done.code == 2
    assert "this derivative takes more than" in done.err


def test_many_names_are_no_recursion() -> None:
    lines = "; ".join(["x = x + 1"] * 3000)
    assert cgcli.value(f"x = 1; {lines}; D(x^2, x)")() == 6002


def test_a_kink_that_is_looked_for_where_a_value_is_nan_writes_no_warning_of_numpy(capsys: Capture) -> None:
    """Protects standard error from Python's own words: at its kink, std of one number divides 0 by 0 once more."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert cg(capsys, "vjp", "std(x, ddof=1)", "x=1.31").out == "value\tnan\nvjp_x\tnan\n"
