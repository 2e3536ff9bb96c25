"""Intervals of real numbers, with exact ends, and arithmetic on them that is rounded outward.

Every operation gives an interval that holds its value for all numbers within its arguments (Moore, Kearfott and Cloud
2009, "Introduction to Interval Analysis"). Sums, products and quotients of fractions are exact, so that 0.1 stays one
tenth. A result may be wider than the range of the operation, and never narrower.
"""

from __future__ import annotations

import math
from fractions import Fraction

from cgcli.annotations import Any, Iterable

_INF = math.inf
_LONGEST = 800  # bits of a fraction, of which none are rounded
_KEPT = 200  # bits of one that is

End = Any
"""A Fraction, or a float that is infinite, or nan where there is no value at all."""


class Interval:
    """All real numbers from low to high; without any, both are nan. It has no order: what compares asks both ends."""

    __slots__ = ("high", "low")

    def __init__(self, low: End, high: End) -> None:
        self.low, self.high = low, high

    def __add__(self, other: Any) -> Interval:
        other = of(other)
        if self.is_empty or other.is_empty:
            return EMPTY
        return outward(_sum(self.low, other.low, -_INF), _sum(self.high, other.high, _INF))

    def __sub__(self, other: Any) -> Interval:
        return self + -of(other)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __pos__(self) -> Interval:
        return self

    def __mul__(self, other: Any) -> Interval:
        other = of(other)
        if self.is_empty or other.is_empty:
            return EMPTY
        if self.low >= 0 and other.low >= 0:
            return outward(_product(self.low, other.low), _product(self.high, other.high))
        ends = [_product(x, y) for x in (self.low, self.high) for y in (other.low, other.high)]
        return outward(min(ends), max(ends))

    def __truediv__(self, other: Any) -> Interval:
        """The quotient by an interval; the whole line where that has 0 inside."""
        other = of(other)
        if self.is_empty or other.is_empty or other.low == other.high == 0:
            return EMPTY
        if other.low < 0 < other.high:
            return WHOLE
        return self * Interval(_inverse(other.high, -_INF), _inverse(other.low, _INF))

    def __abs__(self) -> Interval:
        if self.low <= 0 <= self.high:
            return Interval(Fraction(0), max(-self.low, self.high))
        return -self if self.high < 0 else self

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: Any) -> Interval:
        return of(other) - self

    @property
    def is_unbounded(self) -> bool:
        """Whether an end is infinite."""
        return _INF in (abs(self.low), abs(self.high))

    @property
    def is_empty(self) -> bool:
        """Whether there is no value at all."""
        return bool(self.low != self.low)

    @property
    def is_point(self) -> bool:
        """Whether it is one number."""
        return bool(self.low == self.high)

    def holds(self, number: End) -> bool:
        """Whether a number is in it."""
        return bool(self.low <= number <= self.high)

    def within(self, other: Interval) -> Interval:
        """The part of it that is in another, of which it is known that no value is outside; itself where none is."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Interval(low, high) if low <= high else self

    def part(self, low: End, high: End) -> Interval:
        """The part between two numbers, which may be none."""
        low, high = max(self.low, low), min(self.high, high)
        return Interval(low, high) if low <= high else EMPTY

    def __repr__(self) -> str:
        return f"<interval {self.low}..{self.high}>"


def point(number: Any) -> Interval:
    """One number: a Fraction, an int, or a float."""
    if isinstance(number, float) and not math.isfinite(number):
        return Interval(number, number)
    return Interval(Fraction(number), Fraction(number))


def of(value: Any) -> Interval:
    """An interval, as of a number."""
    return value if isinstance(value, Interval) else point(value)


def hull(parts: Iterable[Interval]) -> Interval:
    """The least interval that holds all of some others."""
    some = [part for part in parts if not part.is_empty]
    return Interval(min(part.low for part in some), max(part.high for part in some)) if some else EMPTY


def outward(low: End, high: End) -> Interval:
    """The interval between two ends, rounded outward where they are long."""
    return Interval(_short(low, up=False), _short(high, up=True))


def _short(end: End, *, up: bool) -> End:
    """An end, rounded where its fraction is long."""
    if not isinstance(end, Fraction):
        return end
    above, below = end.numerator, end.denominator
    if above.bit_length() + below.bit_length() < _LONGEST:
        return end
    shift = _KEPT - above.bit_length() + below.bit_length()
    scaled = (above << shift, below) if shift >= 0 else (above, below << -shift)
    whole = -(-scaled[0] // scaled[1]) if up else scaled[0] // scaled[1]
    return Fraction(whole, 1 << shift) if shift >= 0 else Fraction(whole << -shift)


def _sum(x: End, y: End, otherwise: float) -> End:
    """x + y. otherwise: where these are infinities of both signs."""
    if isinstance(x, float) or isinstance(y, float):
        return otherwise if x == -y else x if isinstance(x, float) else y
    return x + y


def _product(x: End, y: End) -> End:
    """x*y, and 0 where one of them is: an infinite end is no number of the interval."""
    if x == 0 or y == 0:
        return Fraction(0)
    if isinstance(x, float) or isinstance(y, float):
        return _INF if (x > 0) == (y > 0) else -_INF
    return x * y


def _inverse(x: End, at_zero: float) -> End:
    return at_zero if x == 0 else Fraction(0) if isinstance(x, float) else 1 / x


EMPTY = Interval(math.nan, math.nan)
WHOLE = Interval(-_INF, _INF)
NOUGHT, ONE = point(0), point(1)
UNDECIDED = Interval(Fraction(0), Fraction(1))


def text(end: End, digits: int, *, up: bool) -> str:
    """An end in decimal with at most so many significant digits, rounded outward where it has more."""
    if not isinstance(end, Fraction):
        return "nan" if end != end else "inf" if end > 0 else "-inf"
    if end == 0:
        return "0"
    above, below = abs(end.numerator), end.denominator
    size = int((above.bit_length() - below.bit_length()) * 0.30103) - 2  # below log10, by no more than 3
    while above >= below * 10 ** (size + 1) if size >= -1 else above * 10 ** (-size - 1) >= below:
        size += 1
    shift = digits - 1 - size
    scaled = (above * 10**shift, below) if shift >= 0 else (above, below * 10**-shift)
    away = up == (end > 0)
    whole = -(-scaled[0] // scaled[1]) if away else scaled[0] // scaled[1]
    if whole == 10**digits:
        whole, size = whole // 10, size + 1
    return ("-" if end < 0 else "") + _decimal(str(whole).rstrip("0"), size)


def _decimal(figures: str, size: int) -> str:
    """A number, from its figures and the power of ten of the first of them, as cg prints numbers."""
    if -5 <= size < 0:
        return "0." + "0" * (-size - 1) + figures
    if 0 <= size < 16:
        whole, rest = figures[: size + 1].ljust(size + 1, "0"), figures[size + 1 :]
        return f"{whole}.{rest}" if rest else whole
    rest = figures[1:]
    return f"{figures[0]}.{rest}e{size:+03}" if rest else f"{figures[0]}e{size:+03}"
