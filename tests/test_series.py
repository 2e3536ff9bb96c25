"""Derivatives of high order, by Taylor arithmetic: against mpmath's, on functions written a second time."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

import cgcli
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.support import ELEMENTWISE, intervals

FUNCTIONS: list[tuple[str, Callable[[Any], Any], str]] = [
    ("sinh(x)/x", lambda x: mp.sinh(x) / x, "0.01"),
    ("(1 - cos(x))/x^2", lambda x: (1 - mp.cos(x)) / x**2, "0.001"),
    ("tan(x)", mp.tan, "1.5"),
    ("gamma(x)", mp.gamma, "0.3"),
    ("1/(1 - x)", lambda x: 1 / (1 - x), "0.9"),
    ("x^x", lambda x: x**x, "0.4"),
    ("(x⁻¹)⁻¹ + (2 + x)^-1", lambda x: x + 1 / (2 + x), "0.5"),
    ("erf(x)", mp.erf, "0.7"),
    ("erfc(x)", mp.erfc, "3"),
    ("sqrt(1 + x)", lambda x: mp.sqrt(1 + x), "0.2"),
    ("exp(sin(x))/(1 + x^2)", lambda x: mp.exp(mp.sin(x)) / (1 + x**2), "0.3"),
    ("sin(exp(x))", lambda x: mp.sin(mp.exp(x)), "1"),
    ("x^2.5", lambda x: x ** mpf(2.5), "0.6"),
    ("x^7", lambda x: x**7, "-1.5"),
    ("hypot(x, 2)", lambda x: mp.hypot(x, 2), "0.5"),
    ("atan(x)", mp.atan, "0.8"),
    ("atan2(x, 1 + x)", lambda x: mp.atan2(x, 1 + x), "0.3"),
    ("asin(x)", mp.asin, "0.5"),
    ("acos(x)", mp.acos, "-0.4"),
    ("asinh(x)", mp.asinh, "0.6"),
    ("acosh(x)", mp.acosh, "2.25"),
    ("atanh(x)", mp.atanh, "0.25"),
    ("tanh(x)", mp.tanh, "0.75"),
    ("ln(1 + x)", lambda x: mp.log(1 + x), "0.5"),
    ("log1p(x)*log2(2 + x)", lambda x: mp.log1p(x) * mp.log(2 + x, 2), "0.5"),
    ("lgamma(x)", mp.loggamma, "2.5"),
    ("digamma(x)", mp.digamma, "1.25"),
    ("sinc(x)", lambda x: mp.sin(mp.pi * x) / (mp.pi * x), "0.3"),
    ("sigmoid(x)*softplus(x)", lambda x: mp.log1p(mp.exp(x)) / (1 + mp.exp(-x)), "0.3"),
    ("gelu(x) + silu(x)", lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2 + x / (1 + mp.exp(-x)), "0.5"),
    ("cbrt(x) + exp2(x)", lambda x: mp.cbrt(x) + 2**x, "1.5"),
    ("where(x > 0, sin(x), sqrt(x))", mp.sin, "0.5"),
    ("abs(x)*max(x, 2*x, -1)", lambda x: 2 * x * x, "0.5"),
    ("f(y) = y^3; jvp f(y; dy) = 3*y^2*dy; f(sin(x))", lambda x: mp.sin(x) ** 3, "0.5"),
    ("det([[x, 1], [sin(x), x^2]])", lambda x: x**3 - mp.sin(x), "0.5"),
    ("sum(solve([[x, 1], [2, x + 3]], [1, x]))", lambda x: (x + 3 - x + x * x - 2) / (x * (x + 3) - 2), "0.75"),
    ("sum(inv([[x, 1], [2, x + 3]]))", lambda x: (2 * x) / (x * (x + 3) - 2), "0.75"),
    ("softmax([x, x^2])[1]", lambda x: 1 / (1 + mp.exp(x - x * x)), "0.5"),
    ("logsumexp([x, x^2])", lambda x: mp.log(mp.exp(x) + mp.exp(x * x)), "0.5"),
    ("norm([x, 1, x^2])", lambda x: mp.sqrt(x**2 + 1 + x**4), "0.5"),
    ("prod([x, exp(x), 1 + x])", lambda x: x * mp.exp(x) * (1 + x), "0.5"),
    ("var([x, x^2])", lambda x: (x - x * x) ** 2 / 4, "0.5"),
    ('einsum("i,i,i->", [x, 1], [x, x], [sin(x), x])', lambda x: x * x * mp.sin(x) + x * x, "0.5"),
    ("[x, x^2] @ [[1, x], [2, 3]] @ [x, 1]", lambda x: x**2 + 2 * x**3 + x**2 + 3 * x**2, "0.5"),
]  # fmt: skip


def taylor(function: Callable[[Any], Any], x: str, order: int) -> list[Any]:
    with mp.workdps(25):  # it computes with so many digits times the order
        return [+item for item in mp.taylor(function, mpf(float(x)), order)]


@for_each("text", ["x^x", "x^(2*x)/x^x"])
def test_a_power_of_what_moves_goes_on_to_order_hundred(text: str) -> None:
    """Protects the cost, which grows with the square of the order: x^(x - 1), x^(x - 2), … had a series each.

    The other side is exp(u) for u = x*ln(x) about 2: n*c[n] is the sum of k*u[k]*c[n - k].
    """
    found = cgcli.directional(text, 100)({"x": 2}, {"x": 1})
    with mp.workdps(60):
        logs = [mp.log(2), *(-((-mpf(1) / 2) ** k) / k for k in range(1, 101))]
        u = [2 * logs[0], *(2 * logs[k] + logs[k - 1] for k in range(1, 101))]
        c = [mpf(4)]
        for n in range(1, 101):
            c.append(sum(k * u[k] * c[n - k] for k in range(1, n + 1)) / n)
        for order, coefficient in enumerate(c):
            exact = coefficient * mp.factorial(order)
            assert abs(found[order] - exact) <= 1e-10 * abs(exact)


@for_each(("text", "function", "x"), FUNCTIONS)
def test_coefficients_to_order_twenty(text: str, function: Callable[[Any], Any], x: str, capsys: Capture) -> None:
    """Each to 1e-10 of its own size; what is 0 is 0."""
    order = 8 if "gamma" in text or "det" in text else 20
    found = json.loads(cg(capsys, "grad", text, f"x={x}", "--order", str(order), "--taylor", "--json", "-q").out)
    for ours, exact in zip(found["taylor"], taylor(function, x, order), strict=True):
        exact = exact if abs(exact) > 1e-24 else 0
        assert abs(ours - exact) <= 1e-10 * abs(exact)


@pytest.mark.parametrize("order", [23, 100])
def test_an_order_that_formulas_do_not_reach(order: int, capsys: Capture) -> None:
    text = "exp(sin(x))/(1 + x^2)"
    out = cg(capsys, "grad", text, "x=0.3", "--order", str(order)).out.splitlines()
    with mp.workdps(60):  # Cauchy's integral over a circle, half way to the poles at i and -i
        circle = [mp.expjpi(mpf(2 * at) / 512) for at in range(512)]
        values = [mp.exp(mp.sin(mpf(0.3) + z / 2)) / (1 + (mpf(0.3) + z / 2) ** 2) for z in circle]
        exact = sum(value * z**-order for value, z in zip(values, circle, strict=True)).real * 2**order / 512
        exact *= mp.factorial(order)
    assert float(out[-1].split("\t")[1]) == pytest.approx(float(exact), rel=1e-10)


def test_orders_with_many_digits(capsys: Capture) -> None:
    out = cg(capsys, "grad", "sinh(x)/x", "x=0.01", "--order", "8", "--digits", "40").out.splitlines()
    with mp.workdps(400):
        exact = mp.diff(lambda x: mp.sinh(x) / x, mpf(1) / 100, 8)
        assert abs(mpf(out[-1].split("\t")[1]) - exact) < mpf(10) ** -40
    assert cg(capsys, "jvp", "x*y", "x=1/3", "y=2", "--tangent", "x=1,y=1/7", "--order", "2", "--digits", "20").out == (
        "value\t0.66666666666666666667\njvp\t2.047619047619047619\njvp2\t0.28571428571428571429\n"
    )


def test_several_results_and_arrays(capsys: Capture) -> None:
    out = cg(capsys, "jvp", "(x*y, exp(x))", "x=[1,2]", "y=3", "--tangent", "x=[1,0],y=1", "--order", "3").out
    e, square = repr(math.e), repr(math.exp(2))
    assert out == (
        f"x*y\t[3, 6]\njvp_(x*y)\t[4, 2]\njvp2_(x*y)\t[2, 0]\njvp3_(x*y)\t[0, 0]\n"
        f"exp(x)\t[{e}, {square}]\njvp_(exp(x))\t[{e}, 0]\njvp2_(exp(x))\t[{e}, 0]\njvp3_(exp(x))\t[{e}, 0]\n"
    )


def test_library() -> None:
    found = cgcli.directional("exp(sin(x))", 30)({"x": 0.5}, {"x": 2})
    exact = taylor(lambda x: mp.exp(mp.sin(x)), "0.5", 30)
    for k, (ours, c) in enumerate(zip(found, exact, strict=True)):
        assert ours == pytest.approx(float(c * 2**k * math.factorial(k)), rel=1e-10)
    vector = cgcli.directional("sum(x^4)", 4)({"x": [1, 2]}, {"x": [1, -1]})
    assert np.allclose(vector, [17, -28, 60, -24, 48], rtol=1e-14)


def test_where_a_derivative_is_infinite_is_told(capsys: Capture) -> None:
    found = cg(capsys, "grad", "sqrt(x)", "x=0", "--order", "3")
    assert found.out == "value\t0\nd_x\tinf\nd2_x\t-inf\nd3_x\tinf\n"
    assert "1/0 is infinite in the derivative" in found.err


@for_each(
    ("arguments", "printed"),
    [
        (["x^2*y", "x=2", "y=3", "--tangent", "x=1; y=1"], "value\t12\njvp\t12\njvp2\t4\n"),
        (["x^2*y", "x=2", "y=3", "--tangent", "y=1,x=0;x=1;x=1", "--order", "3"],
         "value\t12\njvp\t4\njvp2\t4\njvp3\t2\n"),
        (["[x, x*y]", "x=[1,2]", "y=3", "--tangent", "x=[1,0];y=2"],
         "value\t[[1, 2], [3, 6]]\njvp\t[[1, 0], [3, 0]]\njvp2\t[[0, 0], [2, 0]]\n"),
        (["x/y", "x=1", "y=3", "--tangent", "x=1;y=1", "--digits", "20"],
         "value\t0.33333333333333333333\njvp\t0.33333333333333333333\njvp2\t-0.11111111111111111111\n"),
        (["x^2*y", "x=1:2:2", "y=3", "--tangent", "x=1; y=1"], "x,value,jvp,jvp2\n1,3,6,2\n2,12,12,4\n"),
    ],
)  # fmt: skip
def test_mixed_directions(arguments: list[str], printed: str, capsys: Capture) -> None:
    assert cg(capsys, "jvp", *arguments) == (0, printed, "")


def test_mixed_derivatives_are_right_to_ten_digits() -> None:
    """Where formulas in floats lose them: by mpmath's derivatives, taken one after the other."""
    found = cgcli.directional("sinh(x)*exp(y)/x", 4)({"x": 0.01, "y": 0.5}, [{"x": 1}, {"y": 1}, {"x": 1}, {"x": 1}])
    with mp.workdps(60):
        f = mp.diff(lambda x, y: mp.sinh(x) * mp.exp(y) / x, (mpf(0.01), mpf("0.5")), (3, 1))
    assert found[-1] == pytest.approx(float(f), rel=1e-10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["jvp", "x*y", "x=1", "y=2", "--tangent", "x=1;y=1", "--order", "3"],
         "--tangent has 2 directions, and --order 3 goes along one"),
        (["jvp", "x*y", "x=1", "y=2", "--tangent", "x=1;y=1", "--taylor"],
         "--tangent has 2 directions, and --taylor goes along one"),
        (["hessian", "x*y", "x=1", "y=2", "--tangent", "x=1;y=1"],
         "--tangent has 2 directions, and this command takes one"),
        (["jvp", "x*y", "x=1", "y=2", "--tangent", "x=1;y=1", "--tangent", "x=1"],
         "several directions stand in one --tangent"),
    ],
)  # fmt: skip
def test_directions_that_do_not_fit(arguments: list[str], message: str, capsys: Capture) -> None:
    found = cg(capsys, *arguments)
    assert found.code == 2
    assert message in found.err


def test_directions_with_many_digits() -> None:
    third, _, both = cgcli.directional("x^2*y", 2, digits=30)({"x": "1/3", "y": 3}, [{"x": 1}, {"y": 1}])
    with mp.workdps(30):
        assert abs(third - mpf(1) / 3) < mpf(10) ** -30
        assert abs(both - mpf(2) / 3) < mpf(10) ** -30
        e = cgcli.directional("exp(x)", 12, digits=30)({"x": 1}, {"x": 1})
        assert max(abs(item - mp.e) for item in e) < mpf(10) ** -28
    product = cgcli.hessian_product("sum(x^4)", digits=25)({"x": [0.1, 2, 3]}, {"x": [1, 0, 0]})
    assert list(map(str, product["x"])) == ["0.12", "0.0", "0.0"]
    with pytest.raises(cgcli.CgError, match="there are 2 directions for derivatives of order 3"):
        cgcli.directional("x*y", 3)({"x": 2, "y": 3}, [{"x": 1}, {"y": 1}])


EDGES = ["0", "-0.0", "1", "-1", "2", "1e300", "-1e300", "inf", "-inf", "nan"]


WORDS = [
    name for name, each in ELEMENTWISE.items() if name.isidentifier() and each.infix is None and each.prefix is None
]


@for_each("name", WORDS)
def test_at_edges_numpy_says_nothing(name: str, capsys: Capture) -> None:
    """Its warnings are no answer; those of cg name the node. They came from kernels of numpy's on single numbers."""
    names = [f"a{at}" for at in range(len(intervals(ELEMENTWISE[name])))]
    text = f"{name}({', '.join(names)})"
    moved = [word for each in names for word in ("--tangent", f"{each}=1")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for edge in EDGES:
            assert cg(capsys, "jvp", text, *(f"{each}={edge}" for each in names), *moved, "--order", "3").code == 0
