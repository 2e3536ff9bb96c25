"""Riemann's zeta function and its derivatives, as the coefficients of Taylor polynomials."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.ops.lazily import np, special

_REFLECTED = -0.5  # below which the derivatives are from those at 1 - x
_TERMS = 12  # of the sum, and of Bernoulli's


def zeta(x: Any, order: int) -> Any:
    """scipy's function; its derivatives by the sum of Euler and Maclaurin (DLMF 25.2.9), as Taylor polynomials.

    Below 0 that cancels: there by reflection.
    """
    if order == 0:
        return special.zeta(x)
    x = np.asarray(x, dtype=float)
    reflected = x < _REFLECTED
    right = _by_sum(np.where(reflected, 1.0 - x, x), order)
    if not np.any(reflected):
        return (math.factorial(order) * right[order])[()]
    left = _by_reflection(np.where(reflected, x, -2.0), right)
    return (math.factorial(order) * np.where(reflected, left, right[order]))[()]


def _by_reflection(x: Any, right: Sequence[Any]) -> Any:
    """The last coefficient of the zeta function's Taylor polynomial at x < 0, from that at 1 - x (DLMF 25.4.2)."""
    order, far = len(right) - 1, 1.0 - x
    log = math.log(2.0 * math.pi)
    slopes = [log - special.digamma(far)]  # of ln((2*pi)^x*gamma(1 - x)), each by its factorial
    slopes += [(-1.0) ** j * special.polygamma(j - 1, far) / math.factorial(j) for j in range(2, order + 1)]
    near = np.minimum(far, 170.0)
    first = np.exp(special.gammaln(far) - far * log)
    first = np.where(far == near, special.gamma(near) * (2.0 * math.pi) ** -near, first)
    growth = [1.0]  # in units of the first, which may be infinite
    for n in range(1, order + 1):
        growth.append(sum(k * slopes[k - 1] * growth[n - k] for k in range(1, n + 1)) / n)
    turn = np.mod(x, 4.0)  # sin(pi*x/2) has this period, in which its zeros stay exact
    wave = [(math.pi / 2.0) ** j / math.factorial(j) * _quarter_sine(turn + j) for j in range(order + 1)]
    both = [sum(growth[j] * wave[n - j] for j in range(n + 1)) for n in range(order + 1)]
    return 2.0 * first * sum(both[order - j] * (-1.0) ** j * right[j] for j in range(order + 1))


def _quarter_sine(x: Any) -> Any:
    """sin(pi*x/2), exactly 0 at even numbers."""
    x = np.mod(x, 4.0)
    x = np.where(x > 2.0, x - 4.0, x)
    x = np.where(x > 1.0, 2.0 - x, np.where(x < -1.0, -2.0 - x, x))
    return np.sin(math.pi / 2.0 * x)


def _by_sum(x: Any, order: int) -> list[Any]:
    """The coefficients of the zeta function's Taylor polynomial at x, by the sum of Euler and Maclaurin."""

    def power(base: float, exponent: Any) -> list[Any]:
        log = math.log(base)
        return [base**exponent * (-log) ** j / math.factorial(j) for j in range(order + 1)]

    every = range(order + 1)
    powers = [power(float(n), -x) for n in range(2, _TERMS)]
    end = power(float(_TERMS), -x)
    pole = [(-1.0) ** j / (x - 1.0) ** (j + 1) for j in every]
    totals = [sum(each[n] for each in powers) + end[n] / 2.0 for n in every]
    totals = [totals[n] + _TERMS * sum(end[j] * pole[n - j] for j in range(n + 1)) for n in every]
    totals[0] = totals[0] + 1.0
    rising = [x, np.ones_like(x), *[np.zeros_like(x)] * order][: order + 1]
    for k, number in enumerate(special.bernoulli(2 * _TERMS)[2::2], 1):
        scale = number / math.factorial(2 * k) * float(_TERMS) ** (1 - 2 * k)
        totals = [totals[n] + scale * sum(rising[j] * end[n - j] for j in range(n + 1)) for n in every]
        for step in (2 * k - 1, 2 * k):
            rising = [rising[j] * (x + step) + (rising[j - 1] if j else 0.0) for j in every]
    return totals
