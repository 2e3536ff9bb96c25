"""Kernels on intervals of gamma and its kin, and of sinc, which are not monotone: by where they are least."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial

from cgcli.annotations import Any, Callable
from cgcli.ops import many
from cgcli.ops.enclosures import Line, by_iv, of_monotone, whole_power
from cgcli.ops.intervals import EMPTY, ONE, WHOLE, Interval, hull, point

_INF = math.inf

# Where gamma has its minimum between 1 and 2, and a number just below its value there, and below ln of it; and the
# least value of sinc (OEIS A030169, A030171, A213053).
_GAMMA_LEAST_AT = Fraction("1.461632144968362341")
_GAMMA_LEAST = Fraction("0.885603194410888700")
_LGAMMA_LEAST = Fraction("-0.12148629053584961")
_SINC_LEAST = Fraction("-0.21723362821122166")


def gamma(line: Line, x: Interval) -> Interval:
    """The gamma function, which falls, then rises; below 0 by mpmath's intervals."""
    if x.low > 0:
        return _valley(line, line.mp.gamma, x, _GAMMA_LEAST)
    return by_iv("gamma")(line, x) if math.floor(x.low) < x.low and x.high < math.floor(x.low) + 1 else _poles(line, x)


def factorial(line: Line, n: Interval) -> Interval:
    """n!."""
    return gamma(line, n + ONE)


def lgamma(line: Line, x: Interval) -> Interval:
    """ln(|gamma(x)|)."""
    if x.low > 0:
        return _valley(line, line.mp.loggamma, x, _LGAMMA_LEAST)
    return _poles(line, x)


def _poles(line: Line, x: Interval) -> Interval:
    line.outside = True
    return x if x.is_empty else WHOLE


def _valley(line: Line, function: Callable[..., Any], x: Interval, least: Fraction) -> Interval:
    """A function that falls to the place where gamma is least, and rises beyond."""
    falls, rises = x.part(-_INF, _GAMMA_LEAST_AT), x.part(_GAMMA_LEAST_AT, _INF)
    found = hull([of_monotone(line, function, falls, falls=True), of_monotone(line, function, rises)])
    near = x.part(_GAMMA_LEAST_AT - Fraction(1, 10**9), _GAMMA_LEAST_AT + Fraction(1, 10**9))
    return found if near.is_empty else hull([found, point(least)])


def digamma(line: Line, x: Interval, order: Any) -> Interval:
    """The derivative of lgamma, and its derivatives: right of 0 they rise and fall in turn."""
    if not x.low > 0:
        return _poles(line, x)
    return of_monotone(line, partial(line.mp.psi, int(order)), x, falls=int(order) % 2 == 1)


def sinc(line: Line, x: Interval, order: Any) -> Interval:
    """The order-th derivative of sin(pi*x)/(pi*x), which is pi^n times the mean of a derivative of cos(pi*x*t)*t^n."""
    n, turn = int(order), line.constant(math.pi)
    if x.is_empty:
        return EMPTY
    if n == 0 and not x.holds(0):
        return (by_iv("sin")(line, turn * x) / (turn * x)).within(Interval(_SINC_LEAST, Fraction(1)))
    if n == 0 and abs(x).high <= 1:
        return of_monotone(line, partial(many.sinc, line.mp, order=0), abs(x), falls=True)
    bound = whole_power(line, turn, n).high / (n + 1)
    return Interval(_SINC_LEAST, Fraction(1)) if n == 0 else Interval(-bound, bound)
