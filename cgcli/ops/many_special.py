"""Kernels on mpmath's numbers for the functions that fewer programs use, where mpmath has none of the same meaning.

Each takes mpmath's context first, as those of many.py do.
"""

from __future__ import annotations

from cgcli.annotations import Any
from cgcli.errors import EvaluationError

_MOST_BITS = 5_000  # that a difference is computed with beside those of its result
_FAR = 500  # of a number, by the power of two, beyond which mpmath has no erfc


def logit(mp: Any, x: Any) -> Any:
    """ln(x/(1 - x))."""
    return mp.inf if x == 1 else mp.log(x / (1 - x)) if x else mp.ninf


def softsign(mp: Any, x: Any) -> Any:
    """x/(1 + |x|)."""
    return mp.sign(x) if mp.isinf(x) else x / (1 + abs(x))


def tanhshrink(mp: Any, x: Any) -> Any:
    """x - tanh(x), with more digits near 0, where it cancels."""
    with mp.extraprec(max(0, -2 * mp.mag(x)) if mp.isfinite(x) and x else 0):
        value = x - mp.tanh(x)
    return +value


def exp(mp: Any, x: Any) -> Any:
    """e^x, for large whole numbers, too: mpmath multiplies e with itself for each bit of those."""
    if not mp.isfinite(x) or mp.mag(x) < _FAR:
        return mp.exp(x)
    with mp.extraprec(mp.mag(x) + 10):
        halvings = mp.nint(x / mp.ln2)
        value = mp.ldexp(mp.exp(x - halvings * mp.ln2), int(halvings))
    return +value


def erfc(mp: Any, x: Any) -> Any:
    """1 - erf(x); where mpmath's own does not go, by the first terms of exp(-x^2)/(x*sqrt(pi))*(1 - 1/(2*x^2) + …)."""
    if not mp.isfinite(x) or x < 0 or mp.mag(x) < _FAR:
        return mp.erfc(x)
    with mp.extraprec(2 * mp.mag(x) + 10):
        term = total = mp.one
        for k in range(1, mp.prec, 2):
            term *= -k / (2 * x * x)
            if mp.mag(term) < -mp.prec:
                break
            total += term
        value = exp(mp, -x * x) / (x * mp.sqrt(mp.pi)) * total
    return +value


def erfcinv(mp: Any, x: Any) -> Any:
    """The inverse of erfc, with more digits near 0, where 1 - x loses them."""
    if not 0 < x < 2:
        return mp.nan if not 0 <= x <= 2 else mp.inf * (1 - x)
    with mp.extraprec(max(0, -mp.mag(x))):
        value = mp.erfinv(1 - x)
    return +value


def erfcx(mp: Any, x: Any, order: Any) -> Any:
    """The order-th derivative of exp(x^2)*erfc(x), by its recurrence, which cancels for large x."""
    n = int(order)
    if mp.isinf(x):
        return mp.zero if x > 0 else mp.inf * (-1) ** n
    with mp.extraprec((n + 1) * 2 * max(0, mp.mag(x)) + 10 * n):
        before, value = mp.zero, mp.exp(x * x) * mp.erfc(x)
        for k in range(n):
            value, before = 2 * x * value + 2 * k * before - (2 / mp.sqrt(mp.pi) if k == 0 else 0), value
    return +value


def ndtr(mp: Any, x: Any) -> Any:
    """The distribution function of the standard normal distribution."""
    return erfc(mp, -x / mp.sqrt(2)) / 2


def normal_density(mp: Any, x: Any) -> Any:
    """The density of the standard normal distribution."""
    return exp(mp, -x * x / 2) / mp.sqrt(2 * mp.pi)


def gelu(mp: Any, x: Any, order: Any) -> Any:
    """The order-th derivative of x times the normal distribution function: its bell times Hermite's polynomials."""
    n = int(order)
    if mp.isinf(x):
        return (mp.zero if x < 0 else x) if n == 0 else mp.mpf(n == 1 and x > 0)
    tail = ndtr(mp, x)
    bell = normal_density(mp, x)
    if n < 2:
        return x * tail if n == 0 else tail + x * bell
    before, hermite = mp.zero, mp.one
    for k in range(n - 1):
        before, hermite = hermite, x * hermite - k * before
    return (-1) ** n * (n * before - x * hermite) * bell


def ndtri(mp: Any, x: Any) -> Any:
    """The inverse of ndtr."""
    return -mp.sqrt(2) * erfcinv(mp, 2 * x)


def log_ndtr(mp: Any, x: Any) -> Any:
    """ln(ndtr(x)), which is nearly 0 for large x."""
    return mp.log1p(-ndtr(mp, -x)) if x > 0 else mp.log(ndtr(mp, x))


def logaddexp2(mp: Any, x: Any, y: Any) -> Any:
    """log2(2^x + 2^y)."""
    if x == y and mp.isinf(x):
        return x
    return max(x, y) + mp.log1p(mp.power(2, -abs(x - y))) / mp.ln2


def xlog1py(mp: Any, x: Any, y: Any) -> Any:
    """x*ln(1 + y), and 0 where x is 0."""
    return mp.zero if x == 0 else x * mp.log1p(y)


def digamma_difference(mp: Any, x: Any, h: Any, order: Any) -> Any:
    """The difference of two values of digamma, or of a derivative of it, with more digits where it cancels."""
    n, more = int(order), 20
    if mp.isfinite(x * h) and x and h:
        near = x if x > 0 else abs(x - mp.nint(x)) or x  # how far the next pole is
        closer = mp.mag(near) - mp.mag(h)
        if closer > mp.prec + more:
            return h * mp.psi(n + 1, x)
        more += max(closer, 0) if x > 0 and h > 0 else abs(mp.mag(x) - mp.mag(h))
        if more > _MOST_BITS:
            raise EvaluationError(
                f"digamma_difference cannot be computed: one argument has {more} bits more than the other"
            )
    with mp.extraprec(more):
        value = mp.psi(n, x + h) - mp.psi(n, x)
    return +value


def betaln(mp: Any, x: Any, y: Any) -> Any:
    """ln(|beta(x, y)|)."""
    return mp.re(mp.loggamma(x) + mp.loggamma(y) - mp.loggamma(x + y))


def gamma_p(mp: Any, a: Any, x: Any) -> Any:
    """The regularized lower incomplete gamma function."""
    return mp.gammainc(a, 0, x, regularized=True)


def gamma_q(mp: Any, a: Any, x: Any) -> Any:
    """The regularized upper incomplete gamma function."""
    return mp.gammainc(a, x, mp.inf, regularized=True)


def beta_i(mp: Any, a: Any, b: Any, x: Any) -> Any:
    """The regularized incomplete beta function."""
    return mp.betainc(a, b, 0, x, regularized=True)


def bessel_j(mp: Any, v: Any, x: Any) -> Any:
    """The Bessel function of the first kind."""
    return mp.besselj(v, x)


def bessel_y(mp: Any, v: Any, x: Any) -> Any:
    """The Bessel function of the second kind."""
    return mp.bessely(v, x)


def bessel_i(mp: Any, v: Any, x: Any) -> Any:
    """The modified Bessel function of the first kind."""
    return mp.besseli(v, x)


def bessel_k(mp: Any, v: Any, x: Any) -> Any:
    """The modified Bessel function of the second kind."""
    return mp.besselk(v, x)


def exp1(mp: Any, x: Any) -> Any:
    """The exponential integral E1."""
    return mp.e1(x)


def zeta(mp: Any, x: Any, order: Any) -> Any:
    """The order-th derivative of the zeta function."""
    return mp.zeta(x, 1, int(order))
