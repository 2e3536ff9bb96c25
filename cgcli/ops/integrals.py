"""Special functions that fewer programs use, by scipy.special, whose names and arguments they have.

Formulas of the derivatives: NIST Digital Library of Mathematical Functions, dlmf.nist.gov, chapters 5 to 8, 10 and 25.
By the order of a Bessel function, and by a and b of an incomplete gamma or beta function, no derivative is known here:
it is nan, never 0.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any
from cgcli.graph.operation import (
    ANALYTIC,
    BOUNDED,
    COUNTS,
    ILL_CONDITIONED,
    INCREASING,
    NON_NEGATIVE,
    ODD,
    POSITIVE,
    REAL,
    Infix,
    Inverse,
    Kernel,
    Operation,
    Shorthand,
)
from cgcli.graph.rules import UNKNOWN, Partial
from cgcli.lean import cache
from cgcli.ops import bessel, in_simpler
from cgcli.ops.bells import erfc
from cgcli.ops.entry import POSTFIX, elementwise
from cgcli.ops.lazily import np, special
from cgcli.ops.special import digamma
from cgcli.ops.statics import whole
from cgcli.ops.zeta import zeta

_HIGHEST_ORDER = 100  # of a derivative; its factorial is still a float64
_MOST_FACTORS = 170  # of a factorial that is a float64
_TERMS = 12  # that are added one by one
_BERNOULLI = (1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000)  # B, each over (2*j)!
_START = 400  # of Miller's recurrence, from where it has all digits for x from 1 on

_UNIT = (0.0, 1.0)
_WHOLE_OR_RIGHT = "x > 0 or v == floor(v) or (x == 0 and v >= 0)"


def _erfcx(x: Any, order: int) -> Any:
    """exp(x^2)*erfc(x), and its derivatives y_n: y_(n+1) = 2*x*y_n + 2*n*y_(n-1) (DLMF 7.18.8 and 7.18.9).

    Up to x = 1 by that; above, where it cancels, backwards (J. C. P. Miller), for they fall as n grows.
    """
    x = np.asarray(x, dtype=float)
    first = special.erfcx(x)
    before, value = first, first if order == 0 else 2.0 * x * first - 2.0 / math.sqrt(math.pi)
    for n in range(1, order):
        before, value = value, 2.0 * x * value + 2.0 * n * before
    if order == 0 or not np.any(x > 1.0):
        return value[()]
    size = np.where(x > 1.0, x, 1.0)
    ratio, product = np.zeros_like(size), np.ones_like(size)  # of each to the one before, with the sign turned
    for n in range(_START + order, 0, -1):
        ratio = 2.0 * n / (2.0 * size + ratio)
        if n <= order:
            product = product * ratio
    return np.where(x > 1.0, (-1.0) ** order * first * product, value)[()]


def _ndtr(x: Any) -> Any:
    return erfc(-np.asarray(x) / math.sqrt(2.0)) / 2.0


def _ndtri(x: Any) -> Any:
    return -math.sqrt(2.0) * special.erfcinv(2.0 * x)


def _log_ndtr(x: Any) -> Any:
    """Below 0 without underflow, above it without the cancellation of 1 - ndtr(-x)."""
    right = x > 0
    above, below = np.where(right, x, 0.0), np.where(right, 0.0, x)
    left = np.log(special.erfcx(-below / math.sqrt(2.0)) / 2.0) - np.square(below) / 2.0
    return np.where(right, np.log1p(-erfc(above / math.sqrt(2.0)) / 2.0), left)[()]


def _beta(x: Any, y: Any) -> Any:
    """By gamma functions where they are numbers, else by the logarithm."""
    product = special.gamma(x) * special.gamma(y) * special.rgamma(x + y)
    return np.where((x + y < 100.0) & (x > 0) & (y > 0), product, np.exp(_betaln(x, y)))[()]


def _betaln(x: Any, y: Any) -> Any:
    """scipy's function; where one is large, what Stirling's series gives for the quotient of gamma functions."""
    large, small = np.maximum(x, y), np.minimum(x, y)
    value = np.where(small >= 0, special.betaln(x, y), np.nan)
    at = (large > 15.0) & (large < np.inf)
    if np.any(at):
        size, total = np.where(at, large, 16.0), np.where(at, large + small, 17.0)
        ratio = small - (size - 0.5) * np.log1p(small / size) - small * np.log(total)
        value = np.where(at & (small >= 0), special.gammaln(small) + ratio + _stirling(size) - _stirling(total), value)
    return value[()]


def _stirling(x: Any) -> Any:
    """lgamma(x) - (x - 1/2)*ln(x) + x - ln(2*pi)/2 for x > 15 (DLMF 5.11.1)."""
    square = 1.0 / (x * x)
    return (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))) / x


def _digamma_difference(x: Any, h: Any, order: int) -> Any:
    """Term by term, with h in each, right of 0: (-1)^n*n! times the sum of (x + k)^-s - (x + h + k)^-s, s = n + 1
    (DLMF 5.15.1); its end by Euler and Maclaurin's formula (DLMF 2.10.1).
    """
    x, h = np.asarray(x, dtype=float), np.asarray(h, dtype=float)
    right = (x > 0) & (x + h > 0)
    start, step = np.where(right, x, 1.0), np.where(right, h, 1.0)

    def fall(of: Any, power: int) -> Any:
        return -(of ** float(-power)) * np.expm1(-power * np.log1p(step / of))

    total = sum(fall(start + k, order + 1) for k in range(_TERMS + order))
    end = start + float(_TERMS + order)
    total = total + (fall(end, order) / order if order else np.log1p(step / end)) + fall(end, order + 1) / 2.0
    factor = order + 1.0  # (n + 1)*...*(n + 2*j - 1)/(2*j)!, of which 2! and so on is in the numbers
    for j, bernoulli in enumerate(_BERNOULLI, 1):
        total = total + bernoulli * factor * fall(end, order + 2 * j)
        factor *= (order + 2.0 * j) * (order + 2.0 * j + 1.0)
    total *= (-1.0) ** order * math.factorial(order)
    return np.where(right, total, digamma(x + h, order) - digamma(x, order))[()]


@cache
def _factorials() -> Any:
    """n! for whole n, as long as it is a float64."""
    return np.array([float(math.factorial(n)) for n in range(_MOST_FACTORS + 1)])


def _factorial(n: Any) -> Any:
    """By scipy's gamma function, whose values at whole numbers are not exact from 25! on."""
    n = np.asarray(n)
    above = n.real > 1.0  # there n + 1 would lose the last bit of n
    value = special.gamma(np.where(above, n, n + 1.0)) * np.where(above, n, 1.0)
    whole = (n == np.rint(n)) & (n.real >= 0.0) & (n.real <= _MOST_FACTORS)
    return np.where(whole, _factorials()[np.where(whole, n.real, 0.0).astype(int)], value)[()]


def _binomial(n: Any, k: Any) -> Any:
    """scipy's function, which is a little off a whole number for some whole n and k, and loses digits for large n."""
    n, k = np.asarray(n, dtype=float), np.asarray(k, dtype=float)
    value, whole_k = special.binom(n, k), k == np.rint(k)
    value = np.where((n == np.rint(n)) & whole_k, np.rint(value), value)
    large = (n > 20.0) & (n < np.inf) & ~whole_k & (k > -1.0) & (n - k > -1.0)
    if np.any(large):
        m, j = np.where(large, n, 21.0), np.where(large, k, 1.5)
        value = np.where(large, np.exp(-_betaln(m - j + 1.0, j + 1.0)) / (m + 1.0), value)
    return value[()]


def _si(x: Any) -> Any:
    return special.sici(x)[0]


def _ci(x: Any) -> Any:
    return np.where(np.asarray(x) < 0, np.nan, special.sici(x)[1])[()]


def _bessel(name: str, kind: str, derivative: str, latex: str, domain: str, simpler: str, kernel: Kernel) -> Operation:
    return elementwise(f"{name}v", f"Bessel function of {kind}, of order v; no derivative by v",
                       kernel, UNKNOWN, derivative, arrays="v x", domain=domain,
                       samples=((0.0, 10.0), (0.0, 20.0)), mp=f"bessel_{name}", example=f"{name}v(0, 1)",
                       latex=f"{latex}_{{#1}}(#2)", simpler=simpler)  # fmt: skip


def _of_order(name: str, order: int) -> Shorthand:
    return Shorthand(f"{name}{order}", f"Bessel function {name}v of order {order}", ("x",), f"{name}v({order}, x)",
                     domain="x > 0" if name in "yk" else "", example=f"{name}{order}(1)")  # fmt: skip


def _shorthand(name: str, doc: str, formula: str, example: str, arrays: str = "x", domain: str = "") -> Shorthand:
    return Shorthand(name, doc, tuple(arrays.split()), formula, domain=domain, example=example)


FACTORIAL = elementwise("factorial", "the product of 1 to n; between whole numbers gamma(n + 1)", _factorial,
                        "out*digamma(n + 1)", arrays="n", facts=ANALYTIC | COUNTS | ILL_CONDITIONED,
                        samples=(0.0, 169.0), label="( )!", postfix=Infix("!", POSTFIX), example="5!", latex="#1!",
                        domain="n > -1 or n != floor(n)", mp="factorial", simpler="gamma(n + 1)")  # fmt: skip

ENTRIES: tuple[Operation | Shorthand, ...] = (
    elementwise("erfinv", "inverse of erf", "scipy.special:erfinv", "exp(out^2)*(sqrt(pi)/2)", samples=(-1.0, 1.0),
                facts=ODD | INCREASING, domain="-1 < x and x < 1", mp="erfinv", example="erfinv(0.5)",
                simpler=in_simpler.ERFINV),
    elementwise("erfcinv", "inverse of erfc, exact near 0", "scipy.special:erfcinv", "-exp(out^2)*(sqrt(pi)/2)",
                samples=(0.0, 2.0), domain="0 < x and x < 2", mp="erfcinv", example="erfcinv(1e-100)",
                simpler=in_simpler.ERFCINV),
    elementwise("erfcx", "exp(x^2)*erfc(x), without underflow; its order-th derivative", _erfcx,
                "erfcx(x, order=order + 1)", statics=(whole("order", 0, least=0, most=_HIGHEST_ORDER),),
                samples=(-20.0, float("inf")), mp="erfcx", example="erfcx(30)",
                simpler=(in_simpler.ERFCX, in_simpler.ERFCX_1)),
    elementwise("ndtr", "distribution function of the standard normal distribution", _ndtr,
                Partial("exp(-clip(x, -45, 45)^2/2)/sqrt(2*pi)", "exp(-x^2/2)/sqrt(2*pi)"),
                facts=BOUNDED | INCREASING | NON_NEGATIVE, inverse=Inverse("ndtri"), mp="ndtr", example="ndtr(1.96)",
                latex=r"\Phi", simpler="erfc(-x/sqrt(2))/2"),
    elementwise("ndtri", "inverse of ndtr: the quantile of the standard normal distribution", _ndtri,
                "exp(out^2/2)*sqrt(2*pi)", samples=_UNIT, facts=INCREASING, domain="0 < x and x < 1",
                inverse=Inverse("ndtr", "0 < x and x < 1"), mp="ndtri", example="ndtri(0.975)",
                latex=r"\Phi^{-1}(#1)", simpler="-sqrt(2)*erfcinv(2*x)"),
    elementwise("log_ndtr", "ln(ndtr(x)), exact for all x", _log_ndtr,
                Partial("sqrt(2/pi)/erfcx(-x/sqrt(2))", "exp(-x^2/2)/(sqrt(2*pi)*ndtr(x))"), facts=INCREASING,
                mp="log_ndtr", example="log_ndtr(-40)", latex=r"\ln(\Phi(#1))",
                simpler="x > 0 ? log1p(-erfc(x/sqrt(2))/2) : ln(erfcx(-x/sqrt(2))/2) - x^2/2"),
    elementwise("logaddexp2", "log2(2^x + 2^y) without overflow", "logaddexp2",
                "sigmoid((x - y)*ln(2))", "sigmoid((y - x)*ln(2))", arrays="x y",
                commutative=True, mp="logaddexp2", example="logaddexp2(1000, 1000)",
                latex=r"\log_{2}(2^{#1} + 2^{#2})",
                simpler="x == y ? x + 1 : max(x, y) + log1p(2^(-abs(x - y)))/ln(2)"),
    elementwise("xlog1py", "x*ln(1 + y), and 0 where x is 0", "scipy.special:xlog1py", "log1p(y)",
                Partial("where(x == 0 and y == -1, 0, x/where(out == out, 1 + y, out))", "x/(1 + y)"), arrays="x y",
                samples=(REAL, (-1.0, float("inf"))), domain="x == 0 or y > -1", mp="xlog1py",
                example="xlog1py(2, 1e-10)", latex=r"#1 \ln(1 + #2)", simpler="x == 0 && y == y ? 0 : x*log1p(y)"),
    elementwise("beta", "gamma(x)*gamma(y)/gamma(x + y)", _beta,
                Partial("-out*digamma_difference(x, y)", "out*(digamma(x) - digamma(x + y))"),
                Partial("-out*digamma_difference(y, x)", "out*(digamma(y) - digamma(x + y))"),
                arrays="x y", commutative=True, samples=(POSITIVE, POSITIVE), facts=NON_NEGATIVE,
                domain="x > 0 and y > 0", mp="beta", example="beta(2, 3)", latex=r"\mathrm{B}(#1, #2)",
                simpler="exp(betaln(x, y))"),
    elementwise("digamma_difference", "digamma(x + h) - digamma(x), exact for small h too", _digamma_difference,
                "digamma_difference(x, h, order=order + 1)",
                Partial("where(out == out, digamma(x + h, order=order + 1), out)", "digamma(x + h, order=order + 1)"),
                arrays="x h",
                statics=(whole("order", 0, least=0, most=_HIGHEST_ORDER),), samples=(POSITIVE, POSITIVE),
                domain="(x > 0 or x != floor(x)) and (x + h > 0 or x + h != floor(x + h))", mp="digamma_difference",
                example="digamma_difference(1, 1)", simpler=(in_simpler.DIGAMMA_DIFFERENCE,)),
    elementwise("betaln", "ln(beta(x, y))", _betaln,
                Partial("where(out == out, -digamma_difference(x, y), out)", "digamma(x) - digamma(x + y)"),
                Partial("where(out == out, -digamma_difference(y, x), out)", "digamma(y) - digamma(x + y)"),
                arrays="x y", commutative=True, samples=(POSITIVE, POSITIVE), domain="x > 0 and y > 0", mp="betaln",
                example="betaln(100, 200)", latex=r"\ln(\mathrm{B}(#1, #2))", simpler=in_simpler.BETALN),
    FACTORIAL,
    elementwise("binomial", "how many ways there are to choose k of n, for real numbers too", _binomial,
                Partial("out*digamma_difference(n - k + 1, k)", "out*(digamma(n + 1) - digamma(n - k + 1))"),
                Partial("out*digamma_difference(k + 1, n - 2*k)", "out*(digamma(n - k + 1) - digamma(k + 1))"),
                arrays="n k", aliases="binom", facts=COUNTS, domain="n >= 0 or n != floor(n)",
                samples=((5.0, 40.0), (0.0, 5.0)), mp="binomial", example="binomial(5, 2)",
                latex=r"\binom{#1}{#2}", simpler=in_simpler.BINOMIAL),
    elementwise("gammainc", "regularized lower incomplete gamma function; no derivative by a", "scipy.special:gammainc",
                UNKNOWN, Partial("exp(where(out == out, xlogy(a - 1, x), out) - x - lgamma(a))",
                                  "exp(xlogy(a - 1, x) - x - lgamma(a))"), arrays="a x", samples=(POSITIVE, POSITIVE),
                facts=NON_NEGATIVE, domain="a >= 0 and x >= 0 and a + x > 0", mp="gamma_p", example="gammainc(2, 3)",
                latex="P(#1, #2)", simpler=in_simpler.GAMMAINC),
    elementwise("gammaincc", "1 - gammainc(a, x), exact for large x; no derivative by a", "scipy.special:gammaincc",
                UNKNOWN, Partial("-exp(where(out == out, xlogy(a - 1, x), out) - x - lgamma(a))",
                                  "-exp(xlogy(a - 1, x) - x - lgamma(a))"), arrays="a x", samples=(POSITIVE, POSITIVE),
                facts=NON_NEGATIVE, domain="a >= 0 and x >= 0 and a + x > 0", mp="gamma_q", example="gammaincc(2, 3)",
                latex="Q(#1, #2)", simpler=in_simpler.GAMMAINCC),
    elementwise("betainc", "regularized incomplete beta function; no derivatives by a and b", "scipy.special:betainc",
                UNKNOWN, UNKNOWN, Partial(
                    "exp(where(out == out, xlogy(a - 1, x), out) + (b - 1)*log1p(-x) - betaln(a, b))",
                    "exp(xlogy(a - 1, x) + (b - 1)*log1p(-x) - betaln(a, b))"), arrays="a b x",
                samples=(POSITIVE, POSITIVE, _UNIT), facts=NON_NEGATIVE,
                domain="a >= 0 and b >= 0 and a + b > 0 and 0 <= x <= 1", mp="beta_i",
                example="betainc(2, 3, 0.5)", latex="I_{#3}(#1, #2)", simpler=in_simpler.BETAINC),
    _bessel("j", "the first kind", "(jv(v - 1, x) - jv(v + 1, x))/2", "J", _WHOLE_OR_RIGHT, in_simpler.JV, bessel.jv),
    _bessel("y", "the second kind", "(yv(v - 1, x) - yv(v + 1, x))/2", "Y", "x > 0", in_simpler.YV, bessel.yv),
    _bessel("i", "the first kind, modified", "(iv(v - 1, x) + iv(v + 1, x))/2", "I", _WHOLE_OR_RIGHT, in_simpler.IV,
            bessel.iv),
    _bessel("k", "the second kind, modified", "-(kv(v - 1, x) + kv(v + 1, x))/2", "K", "x > 0", in_simpler.KV,
            bessel.kv),
    elementwise("exp1", "exponential integral E1: of exp(-t)/t from x to infinity", "scipy.special:exp1",
                Partial("-exp(-x)/where(out == out, x, out)", "-exp(-x)/x"), aliases="expint", samples=POSITIVE,
                facts=NON_NEGATIVE, domain="x > 0", mp="exp1", example="exp1(1)", latex="E_{1}",
                simpler=in_simpler.EXP1),
    elementwise("expi", "exponential integral Ei: of exp(t)/t up to x", "scipy.special:expi", "exp(x)/x",
                samples=POSITIVE, domain="x != 0", mp="ei", example="expi(1)", latex=r"\operatorname{Ei}",
                simpler=in_simpler.EXPI),
    elementwise("Si", "sine integral: of sin(t)/t from 0 to x", _si,
                Partial("where(abs(x) < 3, sinc(x/pi), sin(x)/x)", "sin(x)/x"), aliases="sinint",
                facts=BOUNDED | ODD, mp="si", example="Si(pi)", latex=r"\operatorname{Si}", simpler=in_simpler.SI),
    elementwise("Ci", "cosine integral: of -cos(t)/t from x to infinity", _ci,
                Partial("cos(x)/where(out == out, x, out)", "cos(x)/x"),
                aliases="cosint", samples=POSITIVE, domain="x > 0", mp="ci", example="Ci(1)",
                latex=r"\operatorname{Ci}", simpler=in_simpler.CI),
    elementwise("zeta", "Riemann's zeta function; its order-th derivative", zeta,
                "zeta(x, order=order + 1)", statics=(whole("order", 0, least=0, most=_HIGHEST_ORDER),),
                samples=(1.0, float("inf")), domain="x != 1", mp="zeta", example="zeta(2)", latex=r"\zeta",
                simpler=(in_simpler.ZETA,)),

    _shorthand("trigamma", "derivative of digamma", "digamma(x, order=1)", "trigamma(1)",
               domain="x > 0 or x != floor(x)"),
    Shorthand("polygamma", "the n-th derivative of digamma", ("x",), "digamma(x, order=n)",
              (whole("n", least=0, most=_HIGHEST_ORDER)._replace(leading=True),), example="polygamma(1, 2)"),
    *(_of_order(name, order) for name in "jyik" for order in (0, 1)),
)  # fmt: skip
