"""Kernels on Python's floats: the functions of `math`, and what IEEE 754 says where these raise.

A kernel has the function that it stands on in `__wrapped__`: where that does not raise, it gives the same value.
"""

from __future__ import annotations

import math
from math import atan, atan2, erf, erfc, hypot

from cgcli.annotations import Callable
from cgcli.lean import operator

__all__ = ["atan", "atan2", "erf", "erfc", "hypot"]

_Beyond = Callable[..., float]
_WHOLE = 2.0**52  # a float of this size has no fraction
_ODD = (17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0)  # of tanh(x) = x/(1 + x^2/(3 + x^2/(5 + …)))


def _quiet(function: Callable[..., float], beyond: _Beyond) -> Callable[..., float]:
    """The function, and where it raises what `beyond` gives for the same arguments."""

    def kernel(*args: float) -> float:
        try:
            return function(*args)
        except (ValueError, ArithmeticError):
            return beyond(*args)

    kernel.__wrapped__ = function  # type: ignore[attr-defined]
    return kernel


def _nan(*_: float) -> float:
    return math.nan


def _infinite(*_: float) -> float:
    return math.inf


def _pole_at(place: float) -> _Beyond:
    """Minus infinity there, where a logarithm has its pole; nan elsewhere."""
    return lambda x: -math.inf if x == place else math.nan


def _signed_infinity(x: float) -> float:
    return math.copysign(math.inf, x)


def _pole_of_atanh(x: float) -> float:
    return _signed_infinity(x) if abs(x) == 1 else math.nan


def _by_zero(x: float, y: float) -> float:
    return math.nan if x == 0 or x != x else _signed_infinity(x) * math.copysign(1.0, y)


def _beyond_power(x: float, y: float) -> float:
    if x < 0 and y != math.floor(y):
        return math.nan
    return _signed_infinity(x) if y % 2 == 1 else math.inf


mod, fmod, sqrt, sin, cos, tan, asin, acos, acosh = [
    _quiet(function, _nan)
    for function in (
        operator.mod, math.fmod, math.sqrt, math.sin, math.cos, math.tan, math.asin, math.acos, math.acosh,
    )
]  # fmt: skip
exp, expm1, exp2, cosh = [_quiet(function, _infinite) for function in (math.exp, math.expm1, math.exp2, math.cosh)]
truediv, floordiv = [_quiet(function, _by_zero) for function in (operator.truediv, operator.floordiv)]
log, log2, log10 = [_quiet(function, _pole_at(0.0)) for function in (math.log, math.log2, math.log10)]
log1p = _quiet(math.log1p, _pole_at(-1.0))
power = _quiet(math.pow, _beyond_power)
sinh = _quiet(math.sinh, _signed_infinity)
atanh = _quiet(math.atanh, _pole_of_atanh)


def tanh(x: float) -> float:
    """The hyperbolic tangent, with fewer roundings than `math` has: by its continued fraction, or from exp(2*x)."""
    size = abs(x)
    if not size < 1.0:
        return math.copysign(1.0 - 2.0 / (exp(2.0 * size) + 1.0), x)
    square, part = size * size, 0.0
    for odd in _ODD:
        part = square / (odd + part)
    return math.copysign(size - size * part / (1.0 + part), x)


def sech(x: float) -> float:
    """1/cosh(x), without overflow."""
    power = math.exp(-abs(x))
    return 2.0 * power / (1.0 + power * power)


def sec(x: float) -> float:
    """1/cos(x)."""
    return 1.0 / cos(x)


def csc(x: float) -> float:
    """1/sin(x)."""
    return truediv(1.0, sin(x))


def cot(x: float) -> float:
    """1/tan(x)."""
    return truediv(1.0, tan(x))


def _rounded_by(function: Callable[[float], int]) -> Callable[[float], float]:
    """Whole numbers as floats, with the sign of the argument at 0."""

    def kernel(x: float) -> float:
        return math.copysign(function(x), x) if abs(x) < _WHOLE else float(x)

    return kernel


floor = _rounded_by(math.floor)
ceil = _rounded_by(math.ceil)
trunc = _rounded_by(math.trunc)
rint = _rounded_by(round)


def sign(x: float) -> float:
    """-1, 0 or 1; nan of nan."""
    return 1.0 if x > 0 else -1.0 if x < 0 else 0.0 if x == 0 else math.nan


def maximum(x: float, *others: float) -> float:
    """The largest, as numpy's: of equal ones the last, as of 0 and -0; nan where one is nan."""
    for y in others:
        if y >= x or y != y:
            x = y
    return x


def minimum(x: float, *others: float) -> float:
    """The smallest, as numpy's: of equal ones the last, as of 0 and -0; nan where one is nan."""
    for y in others:
        if y <= x or y != y:
            x = y
    return x


def clip(x: float, low: float, high: float) -> float:
    """A number, kept between two others."""
    return minimum(maximum(x, low), high)


def where(condition: float, yes: float, no: float) -> float:
    """One of two numbers."""
    return yes if condition != 0 else no


def logaddexp(x: float, y: float) -> float:
    """ln(exp(x) + exp(y)) without overflow."""
    if x == y:  # infinities too
        return x + math.log(2.0)
    return maximum(x, y) + math.log1p(exp(-abs(x - y)))


def xlogy(x: float, y: float) -> float:
    """x*ln(y), and 0 where x is 0."""
    return 0.0 if x == 0 and y == y else x * log(y)


def sigmoid(x: float) -> float:
    """1/(1 + exp(-x)) without overflow."""
    small = math.exp(-abs(x))
    return (small if x < 0 else 1.0) / (1.0 + small)


def relu(x: float) -> float:
    """max(x, 0)."""
    return x if x > 0 or x != x else 0.0


def leaky_relu(x: float, slope: float) -> float:
    """A number where positive, else a part of it."""
    return x if x > 0 else slope * x


def elu(x: float, alpha: float) -> float:
    """A number where positive, else alpha*(exp(x) - 1)."""
    return x if x > 0 else alpha * expm1(x)


def silu(x: float) -> float:
    """x*sigmoid(x)."""
    if not x < 0:
        return x / (1.0 + math.exp(-abs(x)))
    x = max(x, -1e4)
    root = math.exp(x * 0.5)  # exp(x) itself would be subnormal before the result is
    return x * root / (1.0 + root * root) * root
