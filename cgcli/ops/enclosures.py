"""Intervals by mpmath: the precision, ends rounded outwards, and the ranges of monotone functions."""

from __future__ import annotations

import math
from fractions import Fraction

from cgcli.annotations import Any, Callable
from cgcli.ops import many
from cgcli.ops.intervals import EMPTY, ONE, End, Interval, outward, point

_MORE = 30  # bits that are computed more than count
_FARTHEST = 20_000  # bits before the point of an end that is a number; and behind it, of one that is not 0
_INF = math.inf
_AT_LEAST = Fraction(1, 1 << _FARTHEST)
_AT_MOST = Fraction(1 << _FARTHEST)


class Line:
    """The precision, and what the last kernels met.

    outside: some numbers of an argument have no value, or an infinite one. jumps: the value jumps somewhere.
    """

    def __init__(self, digits: int) -> None:
        from mpmath.ctx_iv import MPIntervalContext

        self.bits = int(digits * 3.33) + 60
        self.mp = many.context(digits)
        self.mp.prec = self.bits + _MORE
        self.iv = MPIntervalContext()
        self.iv.prec = self.bits
        self.outside = self.jumps = False

    def constant(self, value: float) -> Interval:
        """What a float64 stands for: the decimal number that it is written as, or pi and its kin."""
        found = many.IRRATIONAL.get(abs(value))
        if found is not None:
            enclosed = of_iv(found(self.iv))
            return enclosed if value > 0 else -enclosed
        return point(Fraction(repr(value)) if math.isfinite(value) else value)

    def at(self, function: Callable[..., Any], *ends: End, up: bool) -> End:
        """A bound of the value of a function of mpmath's at some ends, of which it is increasing."""
        args = [self._number(end, up=up) for end in ends]
        try:
            value = function(*args)
        except (ZeroDivisionError, ValueError, ArithmeticError, NotImplementedError):
            return _INF if up else -_INF
        if not self.mp.isfinite(value):
            return _INF if value > 0 else -_INF if value < 0 else _INF if up else -_INF
        if value != 0 and self.mp.mag(value) > _FARTHEST:
            return (_INF if up else _AT_MOST) if value > 0 else (-_AT_MOST if up else -_INF)
        if value != 0 and self.mp.mag(value) < -_FARTHEST:
            return (_AT_LEAST if up else Fraction(0)) if value > 0 else (Fraction(0) if up else -_AT_LEAST)
        found = fraction(value)
        if all(end in (-1, 0, 1) for end in ends) and found.denominator.bit_length() < self.bits // 2:
            return found  # it is exact, for it is short
        error = abs(found) / (1 << self.bits) if found else _AT_LEAST
        return found + error if up else found - error

    def _number(self, end: End, *, up: bool) -> Any:
        """An end as a number of mpmath's, rounded in the direction of the bound."""
        if isinstance(end, float):
            return self.mp.mpf(end)
        return self.mp.fdiv(end.numerator, end.denominator, rounding="c" if up else "f")


def fraction(value: Any) -> Fraction:
    """A finite number of mpmath's, which is one exactly."""
    sign, whole, exponent, _ = value._mpf_
    found = Fraction(int(whole) << exponent) if exponent >= 0 else Fraction(int(whole), 1 << -exponent)
    return -found if sign else found


def of_iv(value: Any) -> Interval:
    """An interval of mpmath's."""
    ends: list[End] = []
    for end in value._mpi_:
        sign, whole, exponent, _ = end
        if not whole and exponent:  # an infinity, or nan
            ends.append({-456: _INF, -789: -_INF}.get(exponent, math.nan))
        else:
            found = Fraction(int(whole) << exponent) if exponent >= 0 else Fraction(int(whole), 1 << -exponent)
            ends.append(-found if sign else found)
    low, high = ends
    return Interval(-_INF if low != low else low, _INF if high != high else high)


def as_iv(line: Line, x: Interval) -> Any:
    """An interval as one of mpmath's."""
    low, high = (
        line.iv.mpf(end) if isinstance(end, float) else line.iv.mpf(end.numerator) / end.denominator
        for end in (x.low, x.high)
    )
    return line.iv.mpf([low.a, high.b])


def of_monotone(line: Line, function: Callable[..., Any], x: Interval, *, falls: bool = False) -> Interval:
    """The range of a monotone function of mpmath's over an interval."""
    if x.is_empty:
        return EMPTY
    if not falls:
        return outward(line.at(function, x.low, up=False), line.at(function, x.high, up=True))

    def negative(y: Any) -> Any:
        return function(-y)

    return outward(line.at(negative, -x.high, up=False), line.at(negative, -x.low, up=True))


def increasing(line: Line, name: str, domain: tuple[float, float]) -> Callable[..., Interval]:
    """That of an increasing function, from mpmath's kernel and its domain, an interval."""
    function = many.kernel(line.mp, name)
    exactly = EXACT.get(name.rpartition(":")[2])
    low, high = (end if math.isinf(end) else Fraction(end) for end in domain)

    def run(x: Interval, *params: Any) -> Interval:
        inside = in_domain(line, x, low, high)
        if inside.is_empty:
            return EMPTY

        def bound(end: End, *, up: bool) -> End:
            known = exactly and exactly(end)
            return known if known is not None else line.at(lambda x: function(x, *params), end, up=up)

        found = outward(bound(inside.low, up=False), bound(inside.high, up=True))
        ends = (found.low, inside.low), (found.high, inside.high)
        line.outside |= any(abs(value) == _INF != abs(end) for value, end in ends)
        return found

    return run


def in_domain(line: Line, x: Interval, low: End, high: End) -> Interval:
    """The part of an argument that is in a domain; that there is more of it is told."""
    found = x.part(low, high)
    if not x.is_empty and (found.low, found.high) != (x.low, x.high):
        line.outside = True
    return found


def _root(end: End, degree: int) -> End | None:
    """The root of an end, where it is a fraction."""
    if not isinstance(end, Fraction):
        return None
    parts = [round(abs(number) ** (1 / degree)) if abs(number) < 10**12 else 0
             for number in (end.numerator, end.denominator)]  # fmt: skip
    found = Fraction(parts[0], parts[1]) if parts[1] else None
    sign = -1 if end < 0 else 1
    return sign * found if found is not None and found**degree == abs(end) else None


def _step(function: Callable[[Fraction], int]) -> Callable[[End], End]:
    return lambda end: end if isinstance(end, float) else Fraction(function(end))


def _power_of(base: int, end: End) -> End | None:
    """base^end for a whole number that is not large."""
    return Fraction(base) ** int(end) if end == end // 1 and abs(end) < 1000 else None


def _log_of(base: int, end: End) -> End | None:
    """The whole number x with base^x = end."""
    if isinstance(end, float) or end <= 0:
        return None
    whole = round(math.log(end.numerator, base) - math.log(end.denominator, base))
    return Fraction(whole) if Fraction(base) ** whole == end else None


EXACT: dict[str, Callable[[End], End | None]] = {
    "sqrt": lambda end: _root(end, 2) if end >= 0 else None,
    "cbrt": lambda end: _root(end, 3),
    "floor": _step(math.floor),
    "ceil": _step(math.ceil),
    "trunc": _step(math.trunc),
    "rint": _step(round),
    "sign": lambda end: Fraction((end > 0) - (end < 0)),
    "relu": lambda end: max(end, Fraction(0)),
    "exp2": lambda end: None if isinstance(end, float) else _power_of(2, end),
    "log2": lambda end: _log_of(2, end),
    "log10": lambda end: _log_of(10, end),
}


def by_iv(name: str) -> Callable[..., Interval]:
    """By the function of mpmath's intervals."""

    def run(line: Line, x: Interval) -> Interval:
        if x.is_empty:
            return EMPTY
        found = of_iv(getattr(line.iv, name)(as_iv(line, x)))
        line.outside |= found.is_unbounded
        return found

    return run


def whole_power(line: Line, x: Interval, n: int) -> Interval:
    """x^n, by products."""
    if n < 0:
        below = whole_power(line, x, -n)
        line.outside |= below.holds(0)
        return ONE / below
    if n == 0:
        return ONE
    ends = [_raised(line, end, n, up=up) for end, up in ((x.low, False), (x.high, True))]
    if n % 2:
        return outward(*ends)
    size = abs(x)
    return outward(_raised(line, size.low, n, up=False), _raised(line, size.high, n, up=True))


def _raised(line: Line, end: End, n: int, *, up: bool) -> End:
    """end^n for a whole n from 1 on; of a negative end an odd one."""
    if isinstance(end, float):
        return end
    if (end.numerator.bit_length() + end.denominator.bit_length()) * n < 10_000:
        return end**n
    return line.at(lambda x: x**n, end, up=up)
