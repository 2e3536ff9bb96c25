"""The numbers of formulas, exact: read from constants, combined, and made constants again.

A whole number and a quotient of two, 1/3, are fractions. What was typed with a decimal point stays a decimal number:
0.1*3 is 0.3, and x/3 keeps its 3. pi and e are no numbers here, but symbols.
"""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from functools import lru_cache, wraps

from cgcli.annotations import Any, Callable, Iterator
from cgcli.evaluate.constants import SYMBOLIC
from cgcli.graph.node import CONSTANT, Node, apply, constant, constant_value
from cgcli.ops.arithmetic import CBRT, DIVIDE, POWER_OP, SQRT
from cgcli.records import NamedTuple

Number = int | Fraction  # whole ones are int where that is known, for fractions are slow
ZERO, ONE = 0, 1
HALF = Fraction(1, 2)

LARGEST_WHOLE = 2**53  # a float64 tells whole numbers apart up to it
_MOST_DIGITS = 15  # a float64 with more was computed, not typed
_MOST_REPEATED = 1000  # numerator and denominator of the fraction that a computed float64 may stand for
_NEAR = Fraction(1, 2**50)  # of 1/3 is what some steps of rounding make of it, and nothing else that anybody writes
_MOST_BITS = 4096  # of a fraction on the way
_SMALLEST = 2.3e-308  # below, a float64 loses digits
_LARGEST_PRIME = 1000  # that is looked for in a number under a root


def quotient(above: Number, below: Number) -> Number:
    """above/below, exactly."""
    return whole(above / (Fraction(below) if isinstance(below, int) else below))


def magnitude(number: Number) -> Number:
    """abs(number), of the same type."""
    return -number if number < 0 else number


def whole(number: Number) -> Number:
    """A number, as an int where it is whole."""
    return number.numerator if number.denominator == 1 else number


class UnwritableError(ArithmeticError):
    """A number that is not finite, or that no float64 holds to full precision."""


class Decimal(Fraction):
    """A number with a decimal point, and what arithmetic makes of it as long as it is not whole."""

    __slots__ = ()


def _decimal_result(name: str) -> Callable[..., Any]:
    exact = getattr(Fraction, name)

    @wraps(exact)
    def operation(*operands: Any) -> Any:
        return decimal(result) if isinstance(result := exact(*operands), Fraction) else result

    return operation


for _name in ("add", "sub", "mul", "truediv"):
    for _prefix in ("", "r"):
        setattr(Decimal, f"__{_prefix}{_name}__", _decimal_result(f"__{_prefix}{_name}__"))
for _name in ("__neg__", "__pos__", "__abs__", "__pow__"):
    setattr(Decimal, _name, _decimal_result(_name))


def decimal(number: Number) -> Number:
    """A number as one with a decimal point, unless it is whole."""
    return Decimal(number) if number.denominator != 1 else number.numerator


class Ratio(NamedTuple):
    """A coefficient as two numbers that a formula is multiplied and divided by; each may be 1."""

    number: Number
    divisor: Number


_ONE_OVER_ONE = Ratio(ONE, ONE)


def fraction_of(node: Node) -> Number | None:
    """What a finite scalar constant stands for: a number as it is written, or 1/3; None for pi and any other node."""
    value = constant_value(node) if node.op is CONSTANT else None
    return None if value is None else _meant(value)


def uniform_number(node: Node) -> Number | None:
    """As `fraction_of`, and for a constant array of which all elements are one number, that number."""
    if node.op is not CONSTANT or not node.params[0]:
        return None
    (data,) = node.params
    assert isinstance(data, bytes)
    return _meant(struct.unpack("<d", data[:8])[0]) if data == data[:8] * (len(data) // 8) else None


@lru_cache(maxsize=1024)
def _meant(value: float) -> Number | None:
    """What a float64 stands for: the number as it is written, or the short fraction next to one of 16 digits."""
    if not math.isfinite(value) or value in SYMBOLIC:
        return None
    number = Fraction(repr(value))
    if number.denominator == 1:
        return number.numerator
    if len(repr(value).partition("e")[0].strip("-0.").replace(".", "")) > _MOST_DIGITS:
        near = number.limit_denominator(_MOST_REPEATED)
        if abs(near.numerator) <= _MOST_REPEATED and abs(number - near) <= _NEAR * abs(near):
            return near
    return Decimal(number)


def number_node(number: Number) -> Node:
    """The node of a number: a constant, or a quotient of two. Raises UnwritableError when it is too large or small."""
    if number.denominator == 1 and abs(number.numerator) <= LARGEST_WHOLE:
        return constant(float(number.numerator))
    top, bottom = ratio(number)
    above = constant(_float(top))
    return above if bottom == 1 else apply(DIVIDE, (above, constant(_float(bottom))))


def is_fraction(node: Node) -> bool:
    """Whether a node is a quotient of two numbers: 1/3."""
    return node.op is DIVIDE and fraction_of(node.args[1]) is not None and fraction_of(node.args[0]) is not None


def is_root_of_number(node: Node) -> bool:
    """Whether a node is a power of a number to a fraction: sqrt(2), 2^(1/3), cbrt(2)."""
    if node.op not in (SQRT, CBRT, POWER_OP) or fraction_of(node.args[0]) is None:
        return False
    return node.op is not POWER_OP or (number_of(node.args[1]) or ONE).denominator != 1


def number_of(node: Node) -> Number | None:
    """The number that a constant, or a quotient of two, stands for."""
    if node.op is not DIVIDE:
        return fraction_of(node)
    top, bottom = map(fraction_of, node.args)
    return quotient(top, bottom) if top is not None and bottom else None


def exponent_node(number: Number) -> Node:
    """The node of an exponent. Raises UnwritableError beyond the whole numbers that a float64 tells apart."""
    if magnitude(number) > LARGEST_WHOLE:
        raise UnwritableError
    return number_node(number)


def checked(number: Number) -> Number:
    """A number on the way to a formula. Raises UnwritableError when it has thousands of digits."""
    if number.numerator.bit_length() + number.denominator.bit_length() > _MOST_BITS:
        raise UnwritableError
    return number


class Root(NamedTuple):
    """base^exponent, for a positive number and an exponent that is not whole."""

    base: Number
    exponent: Number


def factored(number: Number, exponent: Number) -> Iterator[Root]:
    """number^exponent as powers of primes, and of what is left without a prime factor below 1,000.

    A decimal number is left whole, unless its root is a number. Raises UnwritableError for a number that is not
    positive.
    """
    if number <= 0:
        raise UnwritableError
    if isinstance(number, Decimal) and not _is_power(number, exponent.denominator):
        yield Root(number, exponent)
        return
    for whole, sign in ((number.numerator, 1), (number.denominator, -1)):
        rest = whole
        for prime in range(2, _LARGEST_PRIME) if whole < LARGEST_WHOLE else ():
            if prime * prime > rest:
                break
            while rest % prime == 0:
                rest //= prime
                yield Root(prime, sign * exponent)
        if rest != 1:
            yield Root(rest, sign * exponent)


def _is_power(number: Number, degree: int) -> bool:
    return all(round(part ** (1 / degree)) ** degree == part for part in (number.numerator, number.denominator))


def ratio(number: Number) -> Ratio:
    """How a coefficient is written, exactly: 2, 2/3, 0.7, 0.7/3.

    Raises UnwritableError where no float64 holds one of the two numbers.
    """
    if number is ONE:  # as mostly
        return _ONE_OVER_ONE
    top, divisor = number.numerator, number.denominator
    if divisor <= LARGEST_WHOLE >= abs(top) and (divisor == 1 or not isinstance(number, Decimal)):
        return Ratio(top, divisor)
    if isinstance(number, Decimal):
        for prime in (2, 5):
            while divisor % prime == 0:
                divisor //= prime
        found = Ratio(decimal(number * divisor), divisor)
    else:
        found = Ratio(top, divisor)
    if any(_meant(_float(part)) != part for part in found):
        raise UnwritableError
    return found


def _float(number: Number) -> float:
    """The nearest float64. Raises UnwritableError when none holds the number to full precision."""
    try:
        value = float(number)
    except OverflowError:
        raise UnwritableError from None
    if number and (not math.isfinite(value) or abs(value) < _SMALLEST):
        raise UnwritableError
    return value
