"""Functions that no language has, written in what it has: their digits, far from 1 too, against mpmath."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

from mpmath import mp

import cgcli
from tests.for_each import for_each

POINTS, DIGITS = 25, 1e-12
ANY, POSITIVE, UNIT = (-30.0, 30.0), (0.0, 500.0), (0.0, 1.0)
# A function, mpmath's, and where its arguments are.
ROWS: list[tuple[str, Callable[..., Any], list[tuple[float, float]]]] = [
    ("erfinv(x)", mp.erfinv, [(-1, 1)]),
    ("erfcinv(x)", lambda x: mp.erfinv(1 - x), [(0, 2)]),
    ("erfcx(x)", lambda x: mp.exp(x * x) * mp.erfc(x), [(-20, 500)]),
    ("erfcx(x)", lambda x: mp.exp(x * x) * mp.erfc(x), [POSITIVE]),
    ("betaln(x, y)", lambda x, y: mp.log(mp.beta(x, y)), [POSITIVE, POSITIVE]),
    ("binomial(n, k)", mp.binomial, [(0, 100), (-5, 100)]),
    ("digamma_difference(x, h)", lambda x, h: mp.psi(0, x + h) - mp.psi(0, x), [POSITIVE, POSITIVE]),
    ("digamma_difference(x, h)", lambda x, h: mp.psi(0, x + h) - mp.psi(0, x), [POSITIVE, (0, 1e-3)]),
    ("digamma_difference(x, -x/3)", lambda x: mp.psi(0, x - mp.mpf(x / 3)) - mp.psi(0, x), [POSITIVE]),
    ("digamma_difference(x, h, order=1)", lambda x, h: mp.psi(1, x + h) - mp.psi(1, x), [POSITIVE, (0, 1e-3)]),
    ("digamma_difference(x, h)", lambda x, h: mp.psi(0, x + h) - mp.psi(0, x), [(-20.3, -0.3), (25.2, 60)]),
    ("n!", mp.factorial, [(-20, 170)]),
    ("gammainc(a, x)", lambda a, x: mp.gammainc(a, 0, x, regularized=True), [POSITIVE, POSITIVE]),
    ("gammaincc(a, x)", lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True), [POSITIVE, POSITIVE]),
    ("betainc(a, b, x)", lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True), [(0, 50), (0, 50), UNIT]),
    ("exp1(x)", mp.e1, [POSITIVE]),
    ("expi(x)", mp.ei, [POSITIVE]),
    ("expi(x)", mp.ei, [(-500, 0)]),
    ("Si(x)", mp.si, [(-500, 500)]),
    ("Ci(x)", mp.ci, [POSITIVE]),
    ("zeta(x)", mp.zeta, [POSITIVE]),
    ("zeta(x)", mp.zeta, [(-20, 0)]),
    ("jv(v, x)", mp.besselj, [POSITIVE, POSITIVE]),
    ("jv(v, x)", mp.besselj, [(-3, 3), (0, 2000)]),
    ("jv(3, x)", lambda x: mp.besselj(3, x), [(-60, 60)]),
    ("iv(v, x)", mp.besseli, [ANY, POSITIVE]),
    ("iv(4, x)", lambda x: mp.besseli(4, x), [(-60, 60)]),
    ("kv(v, x)", mp.besselk, [ANY, POSITIVE]),
    ("kv(v, x)", mp.besselk, [(-900, 900), (200, 900)]),
    ("yv(v, x)", mp.bessely, [POSITIVE, POSITIVE]),
    ("yv(v, x)", mp.bessely, [(-8, 8), (0, 2000)]),
    ("yv(1, x)", lambda x: mp.bessely(1, x), [(0, 1e12)]),
    ("zeta(x)", mp.zeta, [(-160, -100)]),
    ("sinc(x)", mp.sincpi, [(-1e6, 1e6)]),
    ("x // y", lambda x, y: mp.floor(x / y), [(-1e3, 1e3), (0.001, 1e3)]),
    ("mod(x, y)", lambda x, y: x - y * mp.floor(x / y), [(-1e3, 1e3), (0.001, 1e3)]),
]


def inside(low: float, high: float, random: Random) -> float:
    """A number of an interval, of any size in half of all cases."""
    if random.random() < 0.5:
        return random.uniform(low, high)
    return min(max(random.choice([-1, 1]) * high * math.exp(random.uniform(-15, 0)), low), high) or high


@for_each("text, exact, intervals", ROWS)
def test_functions_that_no_language_has(
    text: str, exact: Callable[..., Any], intervals: list[tuple[float, float]]
) -> None:
    space: dict[str, Any] = {}
    exec(cgcli.export(text, "python", only_value=True), space)
    random = Random(text)
    for _ in range(POINTS):
        point = [inside(*interval, random) for interval in intervals]
        with mp.workdps(60):
            expected = exact(*map(mp.mpf, point))
            largest = max(abs(expected), mp.mpf("0.01") if text[0] in "jyCm" else 0)  # of what crosses 0
            (found,) = space["f"](*point)
            if 1e-290 < abs(expected) < 1e300:
                assert abs(mp.mpf(found) - expected) < DIGITS * largest, (text, point, found, mp.nstr(expected, 17))
