"""Exact fractions of whole numbers; those of Python's library load `decimal`, which takes as long as a short run."""

from __future__ import annotations

import math

from cgcli.annotations import Callable, Mapping
from cgcli.graph.operation import Operation
from cgcli.ops import arithmetic, logic
from cgcli.records import NamedTuple

_LARGEST_POWER = 10_000
_LONGEST = 40_000  # bits of a fraction


class Ratio(NamedTuple):
    """A fraction in lowest terms; the denominator is positive."""

    numerator: int
    denominator: int

    @property
    def bits(self) -> int:
        """How many bits both take."""
        return self.numerator.bit_length() + self.denominator.bit_length()


def reduced(above: int, below: int) -> Ratio:
    """The fraction of two whole numbers."""
    common = math.gcd(above, below) * (-1 if below < 0 else 1)
    return Ratio(above // common, below // common)


def of_float(number: float) -> Ratio:
    """The number that the bits of a finite float are."""
    return Ratio(*number.as_integer_ratio())


def of_text(text: str) -> Ratio:
    """A number in decimal, as Python writes floats: `0.1`, `-2.5e-20`."""
    mantissa, _, exponent = text.partition("e")
    whole, _, behind = mantissa.partition(".")
    power = int(exponent or 0) - len(behind)
    figures = int(whole + behind)
    return Ratio(figures * 10**power, 1) if power >= 0 else reduced(figures, 10**-power)


def _sum(x: Ratio, y: Ratio) -> Ratio:
    return reduced(x.numerator * y.denominator + y.numerator * x.denominator, x.denominator * y.denominator)


def _negative(x: Ratio) -> Ratio:
    return Ratio(-x.numerator, x.denominator)


def _product(x: Ratio, y: Ratio) -> Ratio:
    return reduced(x.numerator * y.numerator, x.denominator * y.denominator)


def _quotient(x: Ratio, y: Ratio) -> Ratio | None:
    return reduced(x.numerator * y.denominator, x.denominator * y.numerator) if y.numerator else None


def _power(x: Ratio, y: Ratio) -> Ratio | None:
    n = y.numerator
    if y.denominator != 1 or abs(n) > _LARGEST_POWER or x.bits * abs(n) > 2 * _LONGEST or (n < 0 and not x.numerator):
        return None
    base = x if n >= 0 else reduced(x.denominator, x.numerator)
    return Ratio(base.numerator ** abs(n), base.denominator ** abs(n))


def _largest(*args: Ratio) -> Ratio:
    found = args[0]
    for arg in args[1:]:
        found = arg if _is_less(found, arg) else found
    return found


def _smallest(*args: Ratio) -> Ratio:
    return _negative(_largest(*map(_negative, args)))


def _is_less(x: Ratio, y: Ratio) -> bool:
    return x.numerator * y.denominator < y.numerator * x.denominator


def _step(whole: Callable[[int, int], int]) -> Callable[[Ratio], Ratio]:
    """A rounding to a whole number, from numerator and denominator."""
    return lambda x: Ratio(whole(*x), 1)


def _truncated(above: int, below: int) -> int:
    return abs(above) // below * (1 if above > 0 else -1)


def _nearest(above: int, below: int) -> int:
    """Rounded to the nearest, and halves to even."""
    whole, rest = divmod(2 * above + below, 2 * below)
    return whole - 1 if rest == 0 and whole % 2 else whole


def _by_quotient(whole: Callable[[int, int], int]) -> Callable[[Ratio, Ratio], Ratio | None]:
    """What remains of a division whose quotient is rounded."""

    def run(x: Ratio, y: Ratio) -> Ratio | None:
        quotient = _quotient(x, y)
        return quotient and _sum(x, _product(Ratio(-whole(*quotient), 1), y))

    return run


def _quotient_rounded_down(x: Ratio, y: Ratio) -> Ratio | None:
    quotient = _quotient(x, y)
    return quotient and Ratio(quotient.numerator // quotient.denominator, 1)


def _compared(test: Callable[[int], bool]) -> Callable[[Ratio, Ratio], Ratio]:
    return lambda x, y: Ratio(int(test(_sum(x, _negative(y)).numerator)), 1)


COMPARISONS: Mapping[Operation, Callable[..., Ratio]] = {
    arithmetic.EQUAL_TO: _compared(lambda difference: difference == 0),
    logic.NOT_EQUAL: _compared(lambda difference: difference != 0),
    logic.LESS: _compared(lambda difference: difference < 0),
    logic.LESS_EQUAL: _compared(lambda difference: difference <= 0),
    logic.GREATER: _compared(lambda difference: difference > 0),
    logic.GREATER_EQUAL: _compared(lambda difference: difference >= 0),
}
_OPERATIONS: Mapping[Operation, Callable[..., Ratio | None]] = {
    arithmetic.ADD: _sum,
    arithmetic.SUBTRACT: lambda x, y: _sum(x, _negative(y)),
    arithmetic.MULTIPLY: _product,
    arithmetic.DIVIDE: _quotient,
    arithmetic.NEG: _negative,
    arithmetic.POWER_OP: _power,
    arithmetic.ABS: lambda x: Ratio(abs(x.numerator), x.denominator),
    arithmetic.SIGN: lambda x: Ratio((x.numerator > 0) - (x.numerator < 0), 1),
    arithmetic.FLOOR: _step(int.__floordiv__),
    arithmetic.CEIL: _step(lambda above, below: -(-above // below)),
    arithmetic.TRUNC: _step(_truncated),
    arithmetic.ROUND: _step(_nearest),
    arithmetic.FLOOR_DIVIDE: _quotient_rounded_down,
    arithmetic.MOD: _by_quotient(int.__floordiv__),
    arithmetic.FMOD: _by_quotient(_truncated),
    arithmetic.MAXIMUM: _largest,
    arithmetic.MINIMUM: _smallest,
    arithmetic.CLIP: lambda x, low, high: _smallest(_largest(x, low), high),
    logic.WHERE: lambda condition, yes, no: yes if condition.numerator else no,
    **COMPARISONS,
}


def combined(op: Operation, args: list[Ratio | None]) -> Ratio | None:
    """The fraction that an operation makes of others; None where it makes none, or a long one."""
    given = [arg for arg in args if arg is not None]
    if op not in _OPERATIONS or len(given) < len(args):
        return None
    found = _OPERATIONS[op](*given)
    return found if found is not None and found.bits <= _LONGEST else None
