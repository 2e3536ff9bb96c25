"""Exact fractions of whole numbers; those of Python's library load `decimal`, which takes as long as a short run."""

from __future__ import annotations

import math

from cgcli.annotations import Callable, Mapping
from cgcli.graph.operation import Operation
from cgcli.ops.arithmetic import ADD, DIVIDE, EQUAL_TO, MULTIPLY, NEG, POWER_OP, SUBTRACT
from cgcli.ops.logic import GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, NOT_EQUAL
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


def _compared(test: Callable[[int], bool]) -> Callable[[Ratio, Ratio], Ratio]:
    return lambda x, y: Ratio(int(test(_sum(x, _negative(y)).numerator)), 1)


COMPARISONS: Mapping[Operation, Callable[..., Ratio]] = {
    EQUAL_TO: _compared(lambda difference: difference == 0),
    NOT_EQUAL: _compared(lambda difference: difference != 0),
    LESS: _compared(lambda difference: difference < 0),
    LESS_EQUAL: _compared(lambda difference: difference <= 0),
    GREATER: _compared(lambda difference: difference > 0),
    GREATER_EQUAL: _compared(lambda difference: difference >= 0),
}
_OPERATIONS: Mapping[Operation, Callable[..., Ratio | None]] = {
    ADD: _sum,
    SUBTRACT: lambda x, y: _sum(x, _negative(y)),
    MULTIPLY: _product,
    DIVIDE: _quotient,
    NEG: _negative,
    POWER_OP: _power,
    **COMPARISONS,
}


def combined(op: Operation, args: list[Ratio | None]) -> Ratio | None:
    """The fraction that arithmetic, or a comparison, makes of others; None for what is none, or a long one."""
    given = [arg for arg in args if arg is not None]
    if op not in _OPERATIONS or len(given) < len(args):
        return None
    found = _OPERATIONS[op](*given)
    return found if found is not None and found.bits <= _LONGEST else None
