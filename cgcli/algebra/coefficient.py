"""The numbers of formulas as exact fractions: read from constants, combined, and made constants again.

x/3 keeps its 3, (x/3)*6 is 2*x, and the float64 next to 1/3 is read as 1/3. What a float64 cannot hold is refused,
never rounded to 0 or infinity.
"""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from functools import lru_cache

from cgcli.graph.node import CONSTANT, Node, constant, constant_value
from cgcli.records import NamedTuple

ZERO = Fraction(0)
ONE = Fraction(1)
HALF = Fraction(1, 2)

_MOST_SHOWN = 10**6  # larger numerators and denominators are written as one decimal number
_MOST_HALVED = 1000  # x/512 and 3*x/4 are written so, others of a power of two as decimals
_NEAR = Fraction(1, 2**50)  # of 1/3 is what some steps of rounding make of it, and nothing else that anybody writes
_MOST_BITS = 4096  # of a fraction on the way; beyond, it is rounded
_LARGEST_EXPONENT = 2**53
_SMALLEST = 2.3e-308  # below, a float64 loses digits


class UnwritableError(ArithmeticError):
    """A number that is not finite, or that no float64 holds to full precision."""


class Ratio(NamedTuple):
    """A coefficient as two numbers that a formula is multiplied and divided by; each may be 1."""

    number: Fraction
    divisor: Fraction


def fraction_of(node: Node) -> Fraction | None:
    """What a finite scalar constant stands for: its exact value, or 1/3; None for any other node."""
    value = constant_value(node)
    if value is None or not math.isfinite(value):
        return None
    return _meant(value)


def uniform_number(node: Node) -> Fraction | None:
    """As `fraction_of`, and for a constant array of which all elements are one number, that number."""
    if node.op is not CONSTANT or not node.params[0]:
        return None
    (data,) = node.params
    assert isinstance(data, bytes)
    value = struct.unpack("<d", data[:8])[0]
    same = math.isfinite(value) and data == data[:8] * (len(data) // 8)
    return _meant(value) if same else None


@lru_cache(maxsize=1024)
def _meant(value: float) -> Fraction:
    """The exact value of a float64, or the short repeating fraction next to it: 1/3 for 0.3333333333333333."""
    number = Fraction(value)
    if number.denominator <= _MOST_HALVED:
        return number
    near = number.limit_denominator(_MOST_HALVED)
    return near if is_repeating(near) and abs(number - near) <= _NEAR * abs(near) else number


def number_node(number: Fraction) -> Node:
    """The constant nearest to a number. Raises UnwritableError when it is too large or too small."""
    return constant(_float(number))


def exponent_node(number: Fraction) -> Node:
    """The constant for an exponent. Raises UnwritableError beyond the whole numbers that a float64 tells apart."""
    if abs(number) > _LARGEST_EXPONENT:
        raise UnwritableError
    return number_node(number)


def rounded(number: Fraction) -> Fraction:
    """A number that takes little room: itself, or the nearest float64 when it has thousands of digits."""
    if number.numerator.bit_length() + number.denominator.bit_length() < _MOST_BITS:
        return number
    return Fraction(_float(number))


def power(number: Fraction, exponent: Fraction) -> Fraction:
    """number^exponent, exact for whole exponents. Raises UnwritableError when there is none."""
    if exponent.denominator == 1 and abs(exponent.numerator) <= 64 and (number or exponent > 0):
        return rounded(number**exponent.numerator)
    if number <= 0:
        raise UnwritableError
    try:
        result = float(number) ** float(exponent)
    except OverflowError:
        raise UnwritableError from None
    return Fraction(_checked(result))


def is_short_fraction(number: Fraction) -> bool:
    """Whether a number that a float64 holds is rather read as a fraction: 1/2, -3/4; not 2 and not 0.1."""
    bottom = number.denominator
    return bottom != 1 and bottom & (bottom - 1) == 0 and max(abs(number.numerator), bottom) <= _MOST_HALVED


def is_repeating(number: Fraction) -> bool:
    """Whether a short fraction never ends as a decimal number: 1/3, 22/7."""
    bottom = number.denominator
    return max(abs(number.numerator), bottom) <= _MOST_HALVED and 10**9 % bottom != 0


def ratio(number: Fraction, above: bool) -> Ratio:
    """How a coefficient stands in a product: 2*x, x/2, 2*x/3, 0.7*x.

    above: whether anything else stands above the fraction stroke. It takes no more
    operations than any other way to write it.
    """
    top, bottom = number.numerator, number.denominator
    if bottom == 1:
        return Ratio(number, ONE)
    if is_short_fraction(number):
        return Ratio(Fraction(top), Fraction(bottom))
    if bottom & (bottom - 1) == 0:  # a float64 holds it
        return Ratio(number, ONE)
    if max(abs(top), bottom) <= _MOST_SHOWN:
        return Ratio(Fraction(top), Fraction(bottom))
    return Ratio(Fraction(_float(number)), ONE)


def _float(number: Fraction) -> float:
    try:
        return _checked(float(number), zero=not number)
    except OverflowError:
        raise UnwritableError from None


def _checked(value: float, zero: bool = False) -> float:
    if zero or (math.isfinite(value) and abs(value) >= _SMALLEST):
        return value
    raise UnwritableError
