"""Kernels of Bessel functions: scipy's, and what stands in for them for very large and very small arguments.

Formulas: NIST Digital Library of Mathematical Functions, dlmf.nist.gov, chapter 10.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any
from cgcli.ops.elementary import cospi, sinpi
from cgcli.ops.lazily import np, special

_FIRST_TERM = 1e-100  # below which the square of an argument is nothing beside 1
_NOT_NEAR_0, _HIGHEST = 0.1, 150.0  # orders for which one term is enough, and whose gamma function is a number
_FAR = 1e14  # from where on scipy loses the period of the wave
_NARROW = 1e-3  # of a far argument the square of the order may be so large a part


def jv(v: Any, x: Any) -> Any:
    """The Bessel function of the first kind."""
    return _wave(_near_0(special.jv, v, x), v, x, 0.0)


def yv(v: Any, x: Any) -> Any:
    """The Bessel function of the second kind; of orders below 0 by those above (DLMF 10.4.6)."""
    size = np.abs(v)
    value = _beside_0(special.yv(size, x), size, x, 2.0 / math.pi, -math.pi)
    if np.any(v < 0):
        cosine, sine = cospi(size), sinpi(size)
        first, second = (np.where(part == 0, 0.0, part * f) for part, f in ((cosine, value), (sine, jv(size, x))))
        value = np.where(v < 0, np.where(x == 0, special.yv(v, x), first + second), value)
    return _wave(value, v, x, 0.5)


def iv(v: Any, x: Any) -> Any:
    """The modified Bessel function of the first kind."""
    return _near_0(special.iv, v, x)


def kv(v: Any, x: Any) -> Any:
    """The modified Bessel function of the second kind; scipy's is infinite at 0 for an order that is nan, too."""
    value = np.where(np.isnan(v), np.nan, special.kv(v, x))[()]
    return _beside_0(value, np.abs(v), x, -1.0, 2.0)


def _near_0(function: Any, v: Any, x: Any) -> Any:
    """A function of the first kind, near 0, where scipy has 0 or nan, by its first term (DLMF 10.2.2, 10.25.2)."""
    tiny = (np.abs(x) < _FIRST_TERM) & (x != 0)
    if not np.any(tiny):
        return function(v, x)
    whole = v == np.floor(v)
    size = np.where(whole, np.abs(v), v)  # of a whole order, f(-v) is f(v), or for jv of an odd order -f(v)
    first = np.where(tiny, x, 1.0) ** size * 2.0**-size * special.rgamma(size + 1.0)
    sign = np.where(whole & (v < 0), cospi(v), 1.0) if function is special.jv else 1.0
    return np.where(tiny, sign * first, function(v, np.where(tiny, 1.0, x)))[()]


def _beside_0(value: Any, v: Any, x: Any, of_logarithm: float, below: float) -> Any:
    """A function of the second kind, of an order from 0 on; next to 0, where scipy's is infinite, its first term.

    That is a multiple of ln(x/2) + Euler's constant for order 0, gamma(v)*(2/x)^v/below for one that is not near 0
    (DLMF 10.7.3, 10.7.4, 10.8.2 and 10.30.2).
    """
    tiny = (x > 0) & (x < _FIRST_TERM)
    if not np.any(tiny):
        return value
    size = np.where(tiny, x, 1.0)
    value = np.where(tiny & (v == 0), of_logarithm * (np.log(size / 2.0) + np.euler_gamma), value)
    order = np.clip(v, _NOT_NEAR_0, _HIGHEST)
    power = (size * ((abs(below) / special.gamma(order)) ** (1.0 / order) / 2.0)) ** -order
    return np.where(tiny & (order == v), math.copysign(1.0, below) * power, value)[()]


def _wave(value: Any, v: Any, x: Any, turn: float) -> Any:
    """A function that oscillates, and far from 0 the beginning of Hankel's expansion (DLMF 10.17.3 and 10.17.4).

    turn: 0 for the first kind; 1/2, a quarter of a period, for the second.
    """
    size = np.abs(x)
    inside = (x > 0) | ((v == np.floor(v)) & (turn == 0.0))
    far = (size > _FAR) & (size < np.inf) & (np.square(v) < _NARROW * size) & inside
    if not np.any(far):
        return value
    u, w = np.where(far, size, 1e16), np.where(far, v, 0.0)
    term: Any = np.ones_like(u * w)
    waves: list[Any] = [1.0, 0.0]
    for k in range(1, 8):
        term = term * (4.0 * w * w - (2.0 * k - 1.0) ** 2) / (8.0 * k * u)
        waves[k % 2] = waves[k % 2] + term * (1.0, -1.0)[k // 2 % 2]
    phase = w / 2.0 + 0.25 + turn  # of half a period
    cosine = np.cos(u) * cospi(phase) + np.sin(u) * sinpi(phase)
    sine = np.sin(u) * cospi(phase) - np.cos(u) * sinpi(phase)
    found = np.sqrt(2.0 / np.pi / u) * (waves[0] * cosine - waves[1] * sine)
    return np.where(far, np.where(x < 0, cospi(w), 1.0) * found, value)[()]
