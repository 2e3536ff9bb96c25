"""Functions that are formulas of others, and special functions: value, gradient and second derivatives against mpmath,
in all modes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from mpmath import mp, mpf

from cgcli.errors import ParseError
from cgcli.graph.node import Node, constant, variable
from cgcli.ops.definitions import ENTRIES
from cgcli.ops.integrals import ENTRIES as SPECIAL
from cgcli.transform.differentiate import jvp, vjp
from tests.reference_values import logaddexp
from tests.support import node, samples, value

TOLERANCE = 1e-12
LEFT = 1e-40  # of a derivative that is 0, by differences


class Row(NamedTuple):
    """A call of a function of x, y and z, what it is, and the intervals in which each argument is tried."""

    call: str
    meaning: Callable[..., Any]
    intervals: Sequence[tuple[float, float]]


def softplus(x: Any) -> Any:
    return logaddexp(x, mpf(0))


def elu(x: Any, alpha: Any) -> Any:
    return x if x > 0 else alpha * mp.expm1(x)


def clip(x: Any, low: Any, high: Any) -> Any:
    return min(max(x, mpf(low)), mpf(high))


def root(x: Any, n: int) -> Any:
    return mp.sign(x) * mp.root(abs(x), n)


ALL, TAME, POSITIVE, HIGH = (-350.0, 350.0), (-12.0, 12.0), (1e-100, 1e100), (0.05, 20.0)
SCALE, ALPHA = mpf("1.0507009873554805"), mpf("1.6732632423543772")
# Those whose derivatives jump: tried between the jumps, which are at halves.
PIECEWISE: dict[str, Callable[..., Any]] = {
    "selu(x)": lambda x: SCALE * elu(x, ALPHA),
    "celu(x)": lambda x: elu(x, 1),
    "celu(x, alpha=2)": lambda x: 2 * elu(x / 2, 1),
    "hardsigmoid(x)": lambda x: clip(x + 3, 0, 6) / 6,
    "hardswish(x)": lambda x: x * clip(x + 3, 0, 6) / 6,
    "hardtanh(x)": lambda x: clip(x, -1, 1),
    "hardtanh(x, -2, max_val=3)": lambda x: clip(x, -2, 3),
    "relu6(x)": lambda x: clip(x, 0, 6),
    "softshrink(x)": lambda x: mp.sign(x) * max(abs(x) - mpf("0.5"), mpf(0)),
    "hardshrink(x, 2)": lambda x: x if abs(x) > 2 else mpf(0),
}  # fmt: skip
ROWS = [
    Row("csch(x)", mp.csch, [ALL]),
    Row("coth(x)", mp.coth, [(-45.0, 45.0)]),
    Row("exp10(x)", lambda x: mp.mpf(10) ** x, [(-90, 90)]),
    Row("logaddexp2(x, y)", lambda x, y: logaddexp(x * mp.ln2, y * mp.ln2) / mp.ln2, [TAME, TAME]),
    Row("xlog1py(x, y)", lambda x, y: x * mp.log1p(y), [TAME, (-0.99, 1e10)]),
    Row("degrees(x)", mp.degrees, [TAME]),
    Row("rad2deg(x)", mp.degrees, [TAME]),
    Row("radians(x)", mp.radians, [TAME]),
    Row("deg2rad(x)", mp.radians, [TAME]),
    Row("reciprocal(x)", lambda x: 1 / x, [HIGH]),
    Row("rsqrt(x)", lambda x: 1 / mp.sqrt(x), [POSITIVE]),
    Row("root(x, 2)", mp.sqrt, [POSITIVE]),
    Row("root(x, 3)", lambda x: root(x, 3), [TAME]),
    Row("root(x, 5)", lambda x: root(x, 5), [(-1e9, -1e-9)]),
    Row("nthroot(x, 4)", lambda x: root(x, 4), [POSITIVE]),
    Row("root(x, y)", lambda x, y: x ** (1 / y), [HIGH, HIGH]),
    Row("round(x, 2)", lambda x: mp.nint(x * 100) / 100, [TAME]),
    Row("round(x, -1)", lambda x: mp.nint(x / 10) * 10, [(11.1, 1e6)]),
    Row("heaviside(x, y)", lambda x, y: mpf(x > 0), [TAME, TAME]),
    Row("copysign(x, y)", lambda x, y: abs(x) * mp.sign(y), [HIGH, (-20.0, -0.05)]),
    Row("fmax(x, y)", max, [TAME, TAME]),
    Row("fmin(x, y)", min, [TAME, TAME]),
    Row("nan_to_num(x)", lambda x: x, [ALL]),
    Row("log_sigmoid(x)", lambda x: -softplus(-x), [ALL]),
    Row("logsigmoid(x)", lambda x: -softplus(-x), [ALL]),
    Row("logistic(x)", lambda x: 1 / (1 + mp.exp(-x)), [ALL]),
    Row("mish(x)", lambda x: x * mp.tanh(softplus(x)), [ALL]),
    *(
        Row(call, meaning, [(at + 0.1, at + 0.4)])
        for at in (-6.5, -3.5, -3, -2.5, -2, -1, -0.5, 0, 0.5, 1, 2, 2.5, 3, 6)
        for call, meaning in PIECEWISE.items()
    ),
    Row("threshold(x, 2, y)", lambda x, y: x if x > 2 else y, [(2.1, 9.0), TAME]),
    Row("threshold(x, 2, y)", lambda x, y: x if x > 2 else y, [(-9.0, 1.9), TAME]),
]  # fmt: skip


def derivatives(output: Node, args: Sequence[Node]) -> dict[tuple[int, ...], list[Node]]:
    """By the orders in each argument: the derivatives of first and second order in every mode."""

    def forward(of: Node, at: int) -> Node:
        return jvp(of, {args[at]: constant(1.0)})

    def reverse(of: Node, at: int) -> Node:
        return vjp(of, constant(1.0), args)[at]

    found: dict[tuple[int, ...], list[Node]] = {}
    places = range(len(args))
    for i in places:
        found[tuple(int(at == i) for at in places)] = [mode(output, i) for mode in (forward, reverse)]
    for i, j in itertools.combinations_with_replacement(places, 2):
        found[tuple(int(at == i) + int(at == j) for at in places)] = [
            outer(inner(output, i), j) for inner in (forward, reverse) for outer in (forward, reverse)
        ]
    return found


def points(row: Row, count: int) -> list[tuple[float, ...]]:
    """Points between the ends of each interval; of every size where one is wide."""
    rng = np.random.default_rng(len(row.call))
    columns = [
        rng.uniform(low, high, count) if high - low < 1000 else samples((low, high), count, rng)
        for low, high in row.intervals
    ]
    return list(zip(*(column.tolist() for column in columns), strict=True))


def mistakes(rows: Sequence[Row], count: int, digits: int) -> list[tuple[Any, ...]]:
    """Derivatives that are off, with what they should be."""
    wrong: list[tuple[Any, ...]] = []
    for row in rows:
        names = "xyz"[: len(row.intervals)]
        moved = [at for at, name in enumerate(names) if row.intervals[at][0] < row.intervals[at][1]]
        args = [variable(name) for name in names]
        output = node(row.call, dict.fromkeys(names, 0.0))
        asked = {(0,) * len(args): [output], **derivatives(output, args)}
        for point in points(row, count):
            at = dict(zip(names, point, strict=True))
            with mp.workdps(digits):
                exact = tuple(map(mpf, point))
                for orders, nodes in asked.items():
                    if any(order for place, order in enumerate(orders) if place not in moved):
                        continue
                    one = len(args) == 1
                    right = mp.diff(row.meaning, exact[0] if one else exact, orders[0] if one else orders)
                    if abs(right) < 1e300:
                        wrong += [
                            (row.call, point, orders, float(found), float(right))
                            for found in (value(each, at) for each in nodes)
                            if not abs(found - right) < TOLERANCE * abs(right) + LEFT
                        ]
    return wrong


def test_each_is_what_mpmath_says_with_its_derivatives() -> None:
    wrong = mistakes(ROWS, 12, 100)
    assert not wrong, "\n".join(map(str, wrong[:10]))


def incomplete_gamma(a: Any, x: Any) -> Any:
    return mp.gammainc(a, 0, x, regularized=True)


def log_ndtr(x: Any) -> Any:
    return mp.log(mp.erfc(-x / mp.sqrt(2)) / 2)


def fixed(order: float) -> tuple[float, float]:
    """An argument that is one number, and by which no derivative is known."""
    return (order, order)


X = (0.2, 15.0)
SPECIAL_ROWS = [
    Row("erfinv(x)", mp.erfinv, [(-0.999, 0.999)]),
    Row("erfcinv(x)", lambda x: mp.erfinv(1 - x), [(0.001, 1.99)]),
    Row("erfcx(x)", lambda x: mp.exp(x * x) * mp.erfc(x), [(-4.0, 30.0)]),
    Row("ndtr(x)", lambda x: mp.erfc(-x / mp.sqrt(2)) / 2, [(-20.0, 8.0)]),
    Row("ndtri(x)", lambda x: mp.sqrt(2) * mp.erfinv(2 * x - 1), [(0.001, 0.999)]),
    Row("log_ndtr(x)", log_ndtr, [(-15.0, 8.0)]),
    Row("betaln(x, y)", lambda x, y: mp.log(mp.beta(x, y)), [(0.1, 40.0), (0.1, 10.0)]),
    Row("beta(x, y)", mp.beta, [(0.1, 10.0), (0.1, 10.0)]),
    Row("beta(x, y)", mp.beta, [(0.01, 0.1), (3.0, 9.0)]),
    Row("betaln(x, y)", lambda x, y: mp.log(mp.beta(x, y)), [(1e-9, 1e-8), (0.3, 9000.0)]),
    Row("digamma_difference(x, y)", lambda x, y: mp.psi(0, x + y) - mp.psi(0, x), [(0.01, 90.0), (1e-9, 1e-7)]),
    Row("digamma_difference(x, y, order=3)", lambda x, y: mp.psi(3, x + y) - mp.psi(3, x), [(0.1, 90.0), (0.01, 9.0)]),
    Row("binomial(x, y)", mp.binomial, [(6.1, 20.0), (0.1, 5.0)]),
    Row("binomial(x, y)", mp.binomial, [(9e5, 1e6), (1.9, 2.1)]),
    *(Row(f"gammainc({a}, x)", lambda x, a=a: incomplete_gamma(a, x), [(0.1, 20.0)]) for a in (0.5, 1, 3.7, 12)),
    *(Row(f"gammaincc({a}, x)", lambda x, a=a: 1 - incomplete_gamma(a, x), [(0.1, 20.0)]) for a in (0.5, 1, 3.7)),
    *(Row(f"betainc({a}, {b}, x)", lambda x, a=a, b=b: mp.betainc(a, b, 0, x, regularized=True), [(0.05, 0.95)])
      for a, b in ((0.5, 2), (1, 1), (3.5, 0.7))),
    *(Row(f"{name}v({order}, x)", lambda x, f=f, v=order: f(v, x), [X])
      for name, f in (("j", mp.besselj), ("y", mp.bessely), ("i", mp.besseli), ("k", mp.besselk))
      for order in (0, 1, 2.5, 7)),
    *(Row(f"{name}{order}(x)", lambda x, f=f, v=order: f(v, x), [X])
      for name, f in (("j", mp.besselj), ("y", mp.bessely), ("i", mp.besseli), ("k", mp.besselk))
      for order in (0, 1)),
    Row("exp1(x)", mp.e1, [(0.05, 50.0)]),
    Row("expint(x)", mp.e1, [(0.05, 50.0)]),
    Row("expi(x)", mp.ei, [(0.6, 50.0)]),
    Row("Si(x)", mp.si, [(-20.0, 20.0)]),
    Row("Ci(x)", mp.ci, [(0.1, 20.0)]),
    Row("zeta(x)", mp.zeta, [(1.1, 30.0)]),
    Row("zeta(x)", mp.zeta, [(-1.5, 0.9)]),
    *(Row("factorial(x)", mp.factorial, [interval]) for interval in ((0.1, 20.0), (-1.8, -1.2), (-150.7, -150.3),
                                                                     (100.0, 169.0))),
    Row("trigamma(x)", lambda x: mp.psi(1, x), [(0.1, 20.0)]),
    Row("polygamma(2, x)", lambda x: mp.psi(2, x), [(0.1, 20.0)]),
]  # fmt: skip
CROSSING = 1e-13  # near a zero of a function whose values are sums of terms of size 1


def test_special_functions_are_what_mpmath_says_with_their_derivatives() -> None:
    wrong = [row for row in mistakes(SPECIAL_ROWS, 5, 40) if not abs(row[-1] - row[-2]) < CROSSING]
    assert not wrong, "\n".join(map(str, wrong[:10]))


def test_a_slope_of_zeta_that_no_float_holds_is_infinite_with_its_sign() -> None:
    """Protects against nan from 1 - 1 of two infinities."""
    for x in (-260.2, -262.7, -265.5, -290.1):
        for order in (1, 2, 3):
            sign = float(mp.sign(mp.zeta(mpf(x), 1, order)))
            assert value(node(f"zeta({x}, order={order})", {}), {}) == sign * np.inf, (x, order)
    exact = float(mp.zeta(mpf(-259.3), 1, 2))
    assert value(node("zeta(-259.3, order=2)", {}), {}) == pytest.approx(exact, rel=1e-12)


def test_bessel_functions_of_very_large_and_very_small_arguments() -> None:
    """Protects their digits where scipy has none: it loses the period of the wave from 1e16 on, and has 0 next to 0."""
    wrong = []
    for name, exact in (("jv", mp.besselj), ("yv", mp.bessely), ("iv", mp.besseli), ("kv", mp.besselk)):
        far = (1e14, 7e15, 1e16, 3.3e22, 1e300) if name in ("jv", "yv") else ()
        for order, x in itertools.product((0.0, 1.0, -1.0, -2.0, 2.5, 50.0, -0.5), (*far, 5e-309, 2e-305, 1e-120)):
            if name in ("yv", "kv") and x < 1 and abs(order) > 1:
                continue
            turned = order < 0 and order.is_integer()  # mpmath has no such order next to 0 (DLMF 10.4.1, 10.27.1)
            with mp.workdps(340 if x > 1 else 30):
                right = exact(-order if turned else order, mpf(x)) * (-1 if turned and name in "jv yv" else 1) ** order
                scale = max(abs(right), mp.sqrt(1 / x)) if x > 1 else abs(right)
                ours = value(node(f"{name}(v, x)", {"v": order, "x": x}), {"v": order, "x": x})
                if 1e-300 < abs(right) < 1e308 and not abs(ours - right) < 1e-14 * scale:
                    wrong.append((name, order, x, ours, float(right)))
    assert not wrong, "\n".join(map(str, wrong))
    assert value(node("jv(1, -1e20) + jv(1, 1e20)", {}), {}) == 0


def test_the_slopes_of_zeta_below_0() -> None:
    """Protects the digits of its derivatives where the sum that gives them on the right cancels."""
    for x in (-150.3, -60.0, -20.0, -9.5, -5.0, -4.9, -2.0, -0.6, -0.5, -0.4):
        for order in (1, 2):
            exact = float(mp.zeta(mp.mpf(x), 1, order))
            found = float(value(node(f"zeta({x}, order={order})", {}), {}))
            assert abs(found - exact) < 1e-12 * abs(exact), (x, order, found, exact)


EDGES = [
    ("heaviside(0, 0.5)", 0.5), ("heaviside(nan, 0.5)", np.nan), ("heaviside(-0.0, 3)", 3), ("copysign(3, -0.0)", -3),
    ("copysign(-3, 0)", 3), ("copysign(0, -1) == 0", 1), ("fmax(nan, 3)", 3), ("fmin(3, nan)", 3),
    ("fmax(nan, nan)", np.nan),
    ("nan_to_num(nan)", 0), ("nan_to_num(-inf)", -1.7976931348623157e308), ("nan_to_num(inf, posinf=7)", 7),
    ("nan_to_num(nan, nan=2)", 2), ("xlog1py(0, -1)", 0), ("xlog1py(0, nan)", np.nan), ("xlog1py(0, inf)", 0),
    ("root(125, 3)", 5), ("root(-32, 5)", -2), ("root(-4, 2)", np.nan), ("root(0, 5)", 0), ("round(2.5, 0)", 2),
    ("round(0.125, 2)", 0.12), ("round(1250, -2)", 1200), ("threshold(nan, 1, 0)", np.nan), ("hardshrink(nan)", np.nan),
    ("softshrink(nan)", np.nan), ("relu6(nan)", np.nan), ("mish(-1e4)", -0.0), ("log_sigmoid(-1e308)", -1e308),
    ("csch(800)", 0), ("coth(800)", 1), ("celu(-1e10)", -1), ("hardswish(-3)", -0.0), ("exp10(3)", 1000),
    ("logaddexp2(1000, 1000)", 1001), ("beta(2, 2)", 1 / 6), ("degrees(pi)", 180), ("ndtr(inf)", 1), ("ndtr(-inf)", 0),
    ("1/sinpi(1)", np.inf), ("1/sinpi(-2)", -np.inf), ("sinpi(inf)", np.nan), ("log_ndtr(inf) == 0", 1),
    ("ndtri(1)", np.inf),
    ("binomial(5, 2)", 10), ("binomial(52, 5)", 2598960), ("factorial(5)", 120), ("ndtri(0.5)", 0),
    ("erfcinv(1) == 0", 1),
    ("iv(1, 1e-300)", 5e-301), ("iv(-1, -1e-300)", -5e-301), ("iv(0, 5e-324)", 1), ("iv(2, 1e-300)", 0),
    ("jv(0, 0)", 1), ("yv(0, 0)", -np.inf), ("gammainc(2, 0)", 0), ("betainc(2, 3, 1)", 1), ("exp1(0)", np.inf),
    ("Ci(-1)", np.nan), ("exp1(-1)", np.nan), ("zeta(1)", np.inf), ("Si(inf)", np.pi / 2), ("j1(nan)", np.nan),
]  # fmt: skip


def test_at_edges_each_has_the_value_of_numpy_scipy_or_pytorch() -> None:
    for call, right in EDGES:
        np.testing.assert_equal(float(value(node(call, {}), {})), float(right), err_msg=call)


FACTORIALS = [
    ("5!", 120), ("-3!", -6), ("2^3!", 64), ("3!^2", 36), ("3!!=3", None), ("3!=3", 0), ("3! == 6", 1), ("3!==6", None),
    ("3 != 3!", 1), ("(1 + 2)!", 6), ("[1, 2, 3][2]!", 6), ("n = 4; n!/(2!*(n - 2)!)", 6), ("f(n) = n!; f(4)", 24),
    ("4!.T", 24),     ("solve(n! = 6, n=2.5)", 3),
]  # fmt: skip


def test_a_factorial_is_told_from_what_is_not_equal() -> None:
    for text, right in FACTORIALS:
        if right is None:
            with pytest.raises(ParseError):
                node(text, {})
        else:
            assert value(node(text, {}), {}) == pytest.approx(right, rel=1e-15), text


def test_of_whole_numbers_factorials_are_exact_and_binomials_are_whole() -> None:
    """Protects the digits that a reader knows: scipy has 265182524.99999997 ways to choose 14 of 31."""
    n = np.arange(171.0)
    assert value(node("n!", {"n": n}), {"n": n}).tolist() == [float(math.factorial(each)) for each in range(171)]
    assert [value(node(f"gamma({each + 1})", {}), {}) for each in range(19)] == [*map(math.factorial, range(19))]
    pairs = np.array([(n, k) for n in range(150) for k in range(n + 2)], dtype=float)
    found = value(node("binomial(n, k)", {"n": pairs[:, 0], "k": pairs[:, 1]}), {"n": pairs[:, 0], "k": pairs[:, 1]})
    for (n, k), each in zip(pairs.astype(int).tolist(), found.tolist(), strict=True):
        exact = math.comb(n, k)
        assert each.is_integer(), (n, k, each)
        assert abs(each - exact) <= (exact * 1e-15 if exact > 2**48 else 0), (n, k, each)


def test_every_definition_is_tried() -> None:
    tried = {row.call.partition("(")[0] for row in (*ROWS, *SPECIAL_ROWS)}
    assert {entry.name for entry in (*ENTRIES, *SPECIAL)} <= tried
