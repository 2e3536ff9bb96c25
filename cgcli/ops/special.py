"""Special functions, by scipy.special, and the activations of neural networks.

scipy is imported when a value is first computed. Formulas of the derivatives: NIST Digital
Library of Mathematical Functions, dlmf.nist.gov, chapters 5 (gamma) and 7 (erf).
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.graph.operation import (
    ANALYTIC,
    BOUNDED,
    CHOOSES,
    COUNTS,
    IDEMPOTENT,
    ILL_CONDITIONED,
    INCREASING,
    NON_NEGATIVE,
    ODD,
    POSITIVE,
    REAL,
    Inverse,
    Kink,
    Operation,
)
from cgcli.graph.rules import Partial
from cgcli.lean import cache
from cgcli.ops.bells import erfc, gelu
from cgcli.ops.entry import elementwise
from cgcli.ops.lazily import np, special
from cgcli.ops.masks import bounded
from cgcli.ops.statics import number, whole

_HIGHEST_ORDER = 100  # of a derivative; its factorial is still a float64


# r(v) in erfc(x) = exp(-x^2)*(1 + u*r(u - 1/2))/(1 + x), u = x/(x + 3), for x from 0 to 28: the polynomial through
# its values at the Chebyshev nodes of that range, computed with 60 digits. Highest power first.
ERFC_COEFFICIENTS = (
    -0.006410933041834397,
    -0.0043018945122927045,
    0.015467762552292992,
    0.014712542416959783,
    -0.01896461475176214,
    -0.02765125786450469,
    0.017780622861486923,
    0.04292200582777401,
    -0.01720324447448667,
    -0.06501550122844911,
    0.026307517490121123,
    0.1017764439012684,
    -0.07193331571720897,
    -0.1520849314007514,
    0.2413709142239446,
    0.08649138776520984,
    -0.6672898089635324,
    1.036293352943717,
    -0.8990092862058539,
    0.3676215319104192,
    0.21227224876252596,
    -0.5679907905488804,
)


def nested(coefficients: Sequence[float], variable: str) -> str:
    """A polynomial from the highest power down."""
    text = f"({coefficients[0]!r})"
    for coefficient in coefficients[1:]:
        text = f"({text}*{variable} + ({coefficient!r}))"
    return text


# What these functions are in simpler ones, for languages that lack them.
_DIGAMMA = (
    "u = x < 0 ? 1 - x : x; z = u + 8; "
    "ln(z) - 1/(2*z) - (1/12 - (1/120 - (1/252 - (1/240 - (1/132 - 691/32760/z^2)/z^2)/z^2)/z^2)/z^2)/z^2 "
    "- (1/u + 1/(u + 1) + 1/(u + 2) + 1/(u + 3) + 1/(u + 4) + 1/(u + 5) + 1/(u + 6) + 1/(u + 7)) "
    "- (x >= 0 ? 0 : x == -inf ? nan : x == floor(x) ? inf : pi/tan(pi*(x - round(x))))"
)
_TRIGAMMA = (  # Abramowitz and Stegun, 6.4.12 and 6.4.7
    "u = x < 0 ? 1 - x : x; z = u + 8; w = 1/z^2; "
    "y = 1/z + w/2 + w/z*(1/6 - w*(1/30 - w*(1/42 - w*(1/30 - w*(5/66 - w*(691/2730 - w*7/6)))))) "
    "+ u^-2 + 1/(u + 1)^2 + 1/(u + 2)^2 + 1/(u + 3)^2 + 1/(u + 4)^2 + 1/(u + 5)^2 + 1/(u + 6)^2 + 1/(u + 7)^2; "
    "x >= 0 ? y : x == -inf ? nan : (pi/sin(pi*(x - round(x))))^2 - y"
)
_LGAMMA = (  # Stirling's series, eight places to the right; Abramowitz and Stegun, 6.1.40 and 6.1.17
    "u = x < 0.5 ? 1 - x : x; z = u > 1e10 ? u : u + 8; "
    "p = u > 1e10 ? 0 : ln(u*(u + 1)*(u + 2)*(u + 3)*(u + 4)*(u + 5)*(u + 6)*(u + 7)); "
    "s = (1/12 - (1/360 - (1/1260 - (1/1680 - (1/1188 - 691/360360/z^2)/z^2)/z^2)/z^2)/z^2)/z; "
    "l = u == inf ? inf : (z - 0.5)*ln(z) - z + ln(2*pi)/2 + s - p; "
    "x == 1 || x == 2 ? 0 : x >= 0.5 ? l : x == floor(x) ? (x == -inf ? x : inf) "
    ": ln(pi) - ln(abs(sin(pi*(x - round(x))))) - l"
)
_GAMMA = (  # the reflection is computed where it is not chosen, too: there at 1/4, which has a derivative
    "r = x >= 0.5 || x == floor(x) ? 0.25 : x; x >= 0.5 ? exp(lgamma(x)) : x == floor(x) ? (x == 0 ? 1/x : nan)"
    " : pi/(sin(pi*(r - round(r)))*(round(r)/2 == floor(round(r)/2) ? 1 : -1)*exp(lgamma(1 - r)))"
)
_ERFC = (  # exp(-x^2) without the rounding of x^2
    "size = min(abs(x), 28); part = size/(size + 3); v = part - 0.5; "
    "high = size*134217729 - (size*134217729 - size); "
    f"y = (1 + part*{nested(ERFC_COEFFICIENTS, 'v')})/(1 + size)*exp(-high*high)*exp((high - size)*(high + size)); "
    "x < 0 ? 2 - y : y"
)
_ERF = (
    "abs(x) < 0.5 ? 2/sqrt(pi)*x*(1 - x^2*(1/3 - x^2*(1/10 - x^2*(1/42 - x^2*(1/216 - x^2*(1/1320 - x^2*(1/9360 "
    "- x^2*(1/75600 - x^2*(1/685440 - x^2/6894720))))))))) : (x == x ? sign(x)*(1 - erfc(abs(x))) : x)"
)
_SINC_1 = (
    "t = pi*x; s = t^2; abs(t) < 1 ? -pi*t*(1/3 - s*(1/30 - s*(1/840 - s*(1/45360 - s*(1/3991680 "
    "- s*(1/518918400 - s/93405312000)))))) : abs(x) == inf ? 0 : (cospi(x) - sinc(x))/x"
)


def _polynomial(coefficients: Sequence[float], x: Any) -> Any:
    """By Horner's rule, in place where x is an array; highest power first."""
    first, *rest, last = coefficients
    value = first * x
    for coefficient in rest:
        value += coefficient
        value *= x
    value += last
    return value


@cache
def _log_gamma_at_1() -> tuple[float, ...]:
    """Taylor's coefficients of ln(gamma(1 + t))/t, highest power first (DLMF 5.7.3)."""
    return (*((-1) ** k * float(special.zeta(k)) / k for k in range(26, 1, -1)), -np.euler_gamma)


def _lgamma(x: Any) -> Any:
    """scipy's function, and what it lacks: the Taylor series near its zeros 1 and 2; -ln(|x|) next to 0."""
    value = np.where(np.abs(x) < 1e-300, -np.log(np.abs(x)), special.gammaln(x))[()]
    near = np.rint(x)
    at = (np.abs(x - near) < 0.25) & ((near == 1.0) | (near == 2.0))
    if not np.any(at):
        return value
    part = np.where(at, x - near, 0.0)
    return np.where(at, part * _polynomial(_log_gamma_at_1(), part) + np.log1p(part) * (near == 2.0), value)[()]


def digamma(x: Any, order: int) -> Any:
    """The derivative of lgamma, taken `order` times more."""
    if order == 0:
        turned = np.pi * (x - np.rint(x))  # scipy's reflection loses digits near the poles (DLMF 5.5.4)
        return np.where(x < 0, special.psi(np.where(x < 0, 1.0 - x, x)) - np.pi / np.tan(turned), special.psi(x))[()]
    # the sum of (x + k)^-s over k >= 0 (DLMF 5.15.1): scipy's zeta takes those above 0, and those below from both ends
    x, power = np.asarray(x, dtype=float), order + 1.0
    above = x + np.where(x < 0, np.ceil(-x), 0.0)
    total = special.zeta(power, above)
    size = np.where(x < 0, -x, 1.0)
    below = size - (np.ceil(size) - 1.0)
    both = total + (-1.0) ** power * special.zeta(power, below)
    off = (above - below) / 2.0
    if order % 2 == 0 and np.any(midway := (x < 0) & (np.abs(off) < 0.25)):
        both = np.where(midway, _beside_midway(np.where(midway, off, 0.0), power), both)
    total = np.where(x < 0, both - (-1.0) ** power * special.zeta(power, size + 1.0), total)
    return ((-1.0) ** power * math.factorial(order) * total)[()]


def _beside_midway(off: Any, power: float) -> Any:
    """The sum of (k + 1/2 + off)^-s over all whole k, for an odd power s: the two sides nearly cancel between poles.

    With u = k + 1/2 and r = off/u, (u + off)^-s - (u - off)^-s = -2*u^-s*(1 - r^2)^(-s/2)*sinh(s*atanh(r)).
    """
    total = special.zeta(power, 16.5 + off) - special.zeta(power, 16.5 - off)
    for u in np.arange(15.5, 0.0, -1.0):
        ratio = off / u
        total = total - 2.0 * u**-power * (1.0 - ratio * ratio) ** (-power / 2.0) * np.sinh(power * np.arctanh(ratio))
    return total


def _sigmoid(x: Any) -> Any:
    small = np.exp(-np.abs(x))  # scipy's expit is 0 already where exp(-x) overflows
    return np.where(x < 0, small, 1.0) / (1.0 + small)


def _softplus(x: Any) -> Any:
    return np.logaddexp(0.0, x)


def _sinc(x: Any, order: int) -> Any:
    """The order-th derivative of sin(z)/z at z = pi*x, times pi^order.

    Away from 0 the recurrence z*S_n = sin^(n)(z) - n*S_(n-1), from Leibniz's rule for
    sin(z) = z*S(z); near 0, where it would cancel, the Taylor series of S_n.
    """
    x = np.asarray(x, dtype=float)
    whole_part = np.rint(x)
    turn = np.pi * (x - whole_part)
    sign = 1.0 - 2.0 * np.mod(whole_part, 2.0)
    derivatives_of_sin = (sign * np.sin(turn), sign * np.cos(turn), -sign * np.sin(turn), -sign * np.cos(turn))
    z = np.pi * x
    near = np.abs(z) < 1.0 + order / 2 if order else z == 0
    divisor = np.where(near, 1.0, z)
    value = np.asarray(derivatives_of_sin[0] / divisor)
    for n in range(1, order + 1):
        value = np.asarray((derivatives_of_sin[n % 4] - n * value) / divisor)
    value[near] = _sinc_near_0(z[near], order)
    return np.where(np.isinf(x), 0.0, np.pi**order * value)[()]


def _sinc_near_0(z: Any, order: int) -> Any:
    """The order-th derivative of sin(z)/z, by its Taylor series at 0."""
    total = np.zeros_like(z)
    first = (order + 1) // 2
    for k in range(first + 15 + order, first - 1, -1):
        total = total + (-1.0) ** k * z ** (2 * k - order) / (math.factorial(2 * k - order) * (2 * k + 1))
    return total


def _relu(x: Any) -> Any:
    return bounded(np.maximum, x, 0.0)


def _leaky_relu(x: Any, slope: float) -> Any:
    return np.where(x > 0, x, slope * x)


def _elu(x: Any, alpha: float) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(0.0, x)))


def _silu(x: Any) -> Any:
    root = np.exp(np.maximum(x, -1e4) * 0.5)  # exp(x) itself would be subnormal before the result is
    value = np.where(x < 0, np.maximum(x, -1e4) * root / (1.0 + root * root) * root, x / (1.0 + np.exp(-np.abs(x))))
    return value[()]


_RELU_KINK = Kink(lambda x: x == 0, "the derivative of relu at 0 is taken as 0")

SIGMOID = elementwise("sigmoid", "1/(1 + exp(-x)) without overflow", _sigmoid,
          Partial("sech(x/2)^2/4", "out*(1 - out)"), aliases="expit logistic",
          facts=BOUNDED | INCREASING | NON_NEGATIVE, inverse=Inverse("logit"),
          python="cgcli.ops.doubles:sigmoid", example="sigmoid(0)",
          simpler="a = exp(-abs(x)); (x < 0 ? a : 1)/(1 + a)")  # fmt: skip

ENTRIES: tuple[Operation, ...] = (
    elementwise("erf", "error function", "scipy.special:erf",
                Partial("2/sqrt(pi)*exp(-clip(x, -30, 30)^2)", "2/sqrt(pi)*exp(-x^2)"),
                facts=BOUNDED | ODD | INCREASING | ANALYTIC, python="erf", example="erf(1)", simpler=_ERF),
    elementwise("erfc", "1 - erf(x), exact for large x", erfc,
                Partial("-2/sqrt(pi)*exp(-clip(x, -30, 30)^2)", "-2/sqrt(pi)*exp(-x^2)"), facts=BOUNDED | NON_NEGATIVE,
                python="erfc", ulps=3.0, example="erfc(10)", simpler=_ERFC),
    elementwise("gamma", "gamma function; gamma(n + 1) is n!", "scipy.special:gamma", "out*digamma(x)",
                samples=(0.0, 170.0), facts=ANALYTIC | COUNTS | ILL_CONDITIONED, domain="x > 0 or x != floor(x)",
                example="gamma(5)", mp="gamma", latex=r"\Gamma", simpler=_GAMMA),
    elementwise("lgamma", "logarithm of |gamma(x)|; it loses digits near its zeros below 0",
                _lgamma, "digamma(x)", samples=POSITIVE, aliases="gammaln loggamma",
                domain="x > 0 or x != floor(x)", facts=ILL_CONDITIONED, example="lgamma(100)", mp="lgamma",
                latex=r"\ln(|\Gamma(#1)|)", simpler=_LGAMMA),
    elementwise("digamma", "derivative of lgamma, order times more; it loses digits near its zeros below 0",
                digamma,
                "digamma(x, order=order + 1)", samples=POSITIVE, aliases="psi",
                statics=(whole("order", 0, least=0, most=_HIGHEST_ORDER),),
                domain="x > 0 or x != floor(x)", facts=ILL_CONDITIONED, example="digamma(1)", mp="digamma",
                latex=r"\psi", simpler=(_DIGAMMA, _TRIGAMMA)),
    elementwise("logaddexp", "ln(exp(x) + exp(y)) without overflow", "logaddexp",
                "sigmoid(x - y)", "sigmoid(y - x)", arrays="x y", commutative=True,
                python="cgcli.ops.doubles:logaddexp", facts=ILL_CONDITIONED, example="logaddexp(1000, 1000)",
                latex=r"\ln(e^{#1} + e^{#2})", simpler="x == y ? x + ln(2) : max(x, y) + log1p(exp(-abs(x - y)))"),
    elementwise("xlogy", "x*ln(y), and 0 where x is 0", "scipy.special:xlogy", "ln(y)",
                Partial("where(x == 0 and y == 0, 0, x/where(out == out, y, out))", "where(x == 0 and y == 0, 0, x/y)"),
                arrays="x y", samples=(REAL, POSITIVE), facts=ANALYTIC | ILL_CONDITIONED, cut=lambda x, y: y <= 0,
                domain="x == 0 or y > 0", python="cgcli.ops.doubles:xlogy", example="xlogy(0, 0)",
                latex=r"#1 \ln(#2)", simpler="x == 0 && y == y ? 0 : x*ln(y)"),
    elementwise("sinc", "sin(pi*x)/(pi*x), and 1 at 0; its order-th derivative", _sinc,
                "sinc(x, order=order + 1)", statics=(whole("order", 0, least=0, most=_HIGHEST_ORDER),),
                facts=ILL_CONDITIONED,
                example="sinc(0.5)", mp="sinc", simpler=("x == 0 ? 1 : abs(x) == inf ? 0 : sinpi(x)/(pi*x)", _SINC_1)),

    SIGMOID,
    elementwise("softplus", "ln(1 + exp(x)) without overflow", _softplus, "sigmoid(x)", facts=INCREASING | NON_NEGATIVE,
                python="cgcli.ops.doubles:softplus", example="softplus(0)", simpler="logaddexp(0, x)"),
    elementwise("relu", "max(x, 0)", _relu, Partial("stop_gradient(sign(out))", "max(sign(x), 0)", chooses=True),
                facts=CHOOSES | INCREASING | IDEMPOTENT | NON_NEGATIVE, kink=_RELU_KINK, python="relu",
                example="relu([-2, 3])", latex=r"\operatorname{ReLU}", simpler="max(x, 0)"),
    elementwise("leaky_relu", "x where positive, else slope*x", _leaky_relu,
                "where(x == x, where(x > 0, 1, slope), x)", statics=(number("slope", 0.01),),
                kink=Kink(lambda x, slope: x == 0, "the derivative of leaky_relu at 0 is taken as its slope"),
                python="leaky_relu", example="leaky_relu([-2, 3])", latex=r"\operatorname{LeakyReLU}",
                simpler="x > 0 ? x : slope*x"),
    elementwise("elu", "x where positive, else alpha*(exp(x) - 1)", _elu,
                "where(x > 0, 1, alpha*exp(x))", statics=(number("alpha", 1.0),),
                kink=Kink(lambda x, alpha: (x == 0) & (alpha != 1), "the derivative of elu at 0 is taken as alpha"),
                python="elu", ulps=2.0, example="elu([-1, 3])", latex=r"\operatorname{ELU}",
                simpler="x > 0 ? x : alpha*expm1(x)"),
    elementwise("gelu", "x times the normal distribution function; its order-th derivative", gelu,
                Partial("gelu(x, order=order + 1)",
                        "order == 0 ? erfc(-x/sqrt(2))/2 + x*exp(-x^2/2)/sqrt(2*pi) : gelu(x, order=order + 1)"),
                statics=(whole("order", 0, least=0, most=_HIGHEST_ORDER),),
                example="gelu(1)", mp="gelu", latex=r"\operatorname{GELU}",
                simpler=("x == -inf ? -0 : x*erfc(-x/sqrt(2))/2",
                         "erfc(-x/sqrt(2))/2 + (abs(x) == inf ? 0 : x*exp(-x^2/2)/sqrt(2*pi))")),
    elementwise("silu", "x*sigmoid(x)", _silu, "sigmoid(x)*(1 - silu(-x))", aliases="swish",
    python="cgcli.ops.doubles:silu", example="silu(1)",
                latex=r"\operatorname{SiLU}", simpler="x == -inf ? -0 : x*sigmoid(x)"),
)  # fmt: skip
