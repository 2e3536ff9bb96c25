"""Kernels on Python's floats where the platform's functions are more than 1 ulp away: most of these are within 0.6.

They reckon with numbers that are the sum of two floats, the second a small part of the first: T. J. Dekker, A
floating-point technique for extending the available precision, Numerische Mathematik 18 (1971). What is not in their
domain, or has no finite value, is left to the function in floats.py.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable
from cgcli.lean import cache
from cgcli.ops import floats

_Pair = tuple[float, float]

_SPLITTER = 134217729.0  # 2^27 + 1
_LN2, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10  # the first has 32 bits: its multiples are exact
_LOG10_E, _LOG10_E_LOW = 0.4342944819032518, 1.098319650216765e-17
_ROOT_HALF = math.sqrt(0.5)
_STEPS = 32  # in a factor of 2, for the exponential
_WIDE = 1e280  # beyond, and below its inverse, an error of rounding may be out of range


def _sum(x: float, y: float) -> _Pair:
    """x + y, and what its rounding takes away (Knuth, The Art of Computer Programming 2, 4.2.2)."""
    total = x + y
    part = total - x
    return total, (x - (total - part)) + (y - part)


def _product(x: float, y: float) -> _Pair:
    """x*y, and what its rounding takes away (Dekker)."""
    scaled = x * _SPLITTER
    x_high = scaled - (scaled - x)
    scaled = y * _SPLITTER
    y_high = scaled - (scaled - y)
    x_low, y_low = x - x_high, y - y_high
    product = x * y
    return product, ((x_high * y_high - product) + x_high * y_low + x_low * y_high) + x_low * y_low


def _atanh_tail(square: float) -> float:
    """atanh(x)/x - 1, from x^2 < 0.03."""
    return square*(1/3 + square*(1/5 + square*(1/7 + square*(1/9 + square*(1/11 + square*(1/13 + square*(1/15 + square*(
        1/17 + square*(1/19 + square/21)))))))))  # fmt: skip


def _ln(x: float, low: float = 0.0, twos: int = 0) -> _Pair:
    """ln((x + low)*2^twos): of the mantissa m, 2*atanh((m - 1)/(m + 1))."""
    mantissa, exponent = math.frexp(x)
    if mantissa < _ROOT_HALF:
        mantissa, exponent = 2.0 * mantissa, exponent - 1
    low = math.ldexp(low, -exponent)
    above, (below, below_low) = mantissa - 1.0, _sum(mantissa, 1.0)
    ratio = above / below
    product, error = _product(ratio, below)
    ratio_low = ((above - product) - error + low - ratio * (below_low + low)) / below
    tail = 2.0 * (ratio_low + ratio * _atanh_tail(ratio * ratio))
    value, rest = _sum((exponent + twos) * _LN2, 2.0 * ratio)
    return value, rest + ((exponent + twos) * _LN2_LOW + tail)


@cache
def _roots_of_2() -> list[_Pair]:
    """2^(k/32) for k from 0 to 31, from whole numbers with 200 binary places."""
    one = 1 << 200
    root = 2 * one
    for _ in range(_STEPS.bit_length() - 1):
        root = math.isqrt(root * one)
    powers = [one]
    while len(powers) < _STEPS:
        powers.append(powers[-1] * root >> 200)
    return [(power / one, (power - int(power / one * 2.0**52) * 2**148) / one) for power in powers]


def _exp(x: float) -> tuple[float, float, int]:
    """exp(x) as a sum of two floats times a power of 2 (P. T. P. Tang, ACM Trans. Math. Software 15, 1989)."""
    steps = round(x * (_STEPS / math.log(2.0)))
    rest, low = x - steps * (_LN2 / _STEPS), steps * (_LN2_LOW / _STEPS)
    part = rest - low
    square = part * part
    tail = square*(1/2 + part*(1/6 + part*(1/24 + part*(1/120 + part/720))))  # fmt: skip
    growth = part + ((rest - part) - low + tail)
    high, low = _roots_of_2()[steps % _STEPS]
    return *_sum(high, low + high * growth), steps // _STEPS


def _within(kernel: Callable[..., float], has: Callable[..., Any], function: Callable[..., float]) -> Any:
    """The kernel where a condition holds, elsewhere the function."""
    return lambda *args: kernel(*args) if has(*args) else function(*args)


def _log10(x: float) -> float:
    value, low = _ln(x)
    product, error = _product(value, _LOG10_E)
    return product + (error + value * _LOG10_E_LOW + low * _LOG10_E)


def _xlogy(x: float, y: float) -> float:
    value, low = _ln(y)
    product, error = _product(x, value)
    return product + (error + x * low)


def _cbrt(x: float) -> float:
    """A step of Newton's method, from the exact remainder."""
    if abs(x) < 1.0 / _WIDE:
        return math.ldexp(_cbrt(math.ldexp(x, 300)), -100)
    root = math.cbrt(x)
    square, square_low = _product(root, root)
    cube, cube_low = _product(square, root)
    return root + ((x - cube) - cube_low - square_low * root) / (3.0 * square)


def _root(x: float, low: float) -> _Pair:
    """sqrt(x + low)."""
    root = math.sqrt(x)
    square, error = _product(root, root)
    return root, ((x - square) - error + low) / (2.0 * root)


def _asinh(x: float) -> float:
    size = abs(x)
    if size > 1e10:
        value, low = _ln(size, 0.0, 1)
    elif size < 1e-5:
        return x - x * x * x / 6.0
    else:
        square, error = _product(size, size)
        total, rest = _sum(square, 1.0)
        value, low = _ln(*_added(size, _root(total, rest + error)))
    return math.copysign(value + low, x)


def _acosh(x: float) -> float:
    if x > 1e10:
        value, low = _ln(x, 0.0, 1)
    else:
        square, error = _product(x, x)
        total, rest = _sum(square, -1.0)
        value, low = _ln(*_added(x, _root(*_sum(total, rest + error))))
    return value + low


def _added(x: float, pair: _Pair) -> _Pair:
    total, rest = _sum(x, pair[0])
    return _sum(total, rest + pair[1])


def _atanh(x: float) -> float:
    if abs(x) < 0.17:
        return x + x * _atanh_tail(x * x)
    (up, up_low), (down, down_low) = _ln(*_sum(1.0, x)), _ln(*_sum(1.0, -x))
    total, rest = _sum(up, -down)
    return (total + (rest + up_low - down_low)) / 2.0


def _sinh(x: float) -> float:
    size = abs(x)
    if size < 1.0:
        square = x * x
        return x + x*(square/6*(1 + square/20*(1 + square/42*(1 + square/72*(1 + square/110*(1 + square/156*(
            1 + square/210*(1 + square/272))))))))  # fmt: skip
    high, low, twos = _exp(size)
    value, rest = _sum(high, -math.ldexp(1.0 / (high + low), -2 * twos))
    return math.copysign(math.ldexp(value + (rest + low), twos - 1), x)


def _sigmoid(x: float) -> tuple[float, float, int]:
    """1/(1 + exp(-x)) as a sum of two floats times a power of 2."""
    high, low, twos = _exp(-abs(x))
    divisor, rest = _sum(1.0, math.ldexp(high, twos))
    rest += math.ldexp(low, twos)
    if x >= 0:
        high, low, twos = 1.0, 0.0, 0
    quotient = high / divisor
    product, error = _product(quotient, divisor)
    return quotient, ((high - product) - error + low - quotient * rest) / divisor, twos


def _sigmoid_as_float(x: float) -> float:
    value, low, twos = _sigmoid(x)
    return math.ldexp(value + low, twos)


def _silu(x: float) -> float:
    value, low, twos = _sigmoid(x)
    product, error = _product(x, value)
    return math.ldexp(product + (error + x * low), twos)


def _logaddexp(x: float, y: float) -> float:
    large = max(x, y)
    gap, error = _sum(min(x, y), -large)
    high, low, twos = _exp(gap)
    total, rest = _sum(1.0, math.ldexp(high, twos))
    value, tail = _ln(*_sum(total, rest + math.ldexp(low + high * error, twos)))
    value, rest = _sum(large, value)
    return value + (rest + tail)


log10 = _within(_log10, lambda x: 0.0 < x < math.inf and x != 1.0, floats.log10)
xlogy = _within(_xlogy, lambda x, y: 1 / _WIDE < abs(x) < _WIDE and 0.0 < y < math.inf and y != 1.0, floats.xlogy)
cbrt = _within(_cbrt, lambda x: 0.0 < abs(x) < math.inf, math.cbrt)
asinh = _within(_asinh, lambda x: 1e-100 < abs(x) < math.inf, math.asinh)
acosh = _within(_acosh, lambda x: 1.0 < x < math.inf, floats.acosh)
atanh = _within(_atanh, lambda x: 1e-100 < abs(x) < 1.0, floats.atanh)
sinh = _within(_sinh, lambda x: 1e-100 < abs(x) < 710.0, floats.sinh)
sigmoid = _within(_sigmoid_as_float, lambda x: abs(x) < 745.0, floats.sigmoid)
silu = _within(_silu, lambda x: 1 / _WIDE < abs(x) < 745.0, floats.silu)
logaddexp = _within(_logaddexp, lambda x, y: abs(x - y) < 700.0, floats.logaddexp)


def softplus(x: float) -> float:
    """ln(1 + exp(x)) without overflow."""
    value: float = logaddexp(0.0, x)
    return value
