"""Elementary functions that fewer programs use, with kernels and rules that keep their digits.

The inverse functions are those of MATLAB, SymPy and mpmath: acot(x) is atan(1/x), between -pi/2 and pi/2.
"""

from __future__ import annotations

from cgcli.annotations import Any
from cgcli.graph.operation import (
    ANALYTIC,
    BOUNDED,
    EVEN,
    ILL_CONDITIONED,
    INCREASING,
    NON_NEGATIVE,
    ODD,
    Inverse,
    Operation,
)
from cgcli.graph.rules import Partial
from cgcli.ops.entry import elementwise
from cgcli.ops.lazily import np

_UNIT = (0.0, 1.0)
_BEYOND_1 = (1.0, float("inf"))
_ROOT = "sqrt(abs(x) - 1)*sqrt(abs(x) + 1)"  # sqrt(x^2 - 1), with all its digits near -1 and 1


def _root(x: Any) -> Any:
    size = np.abs(x)
    return np.sqrt(size - 1.0) * np.sqrt(size + 1.0)


def _asec(x: Any) -> Any:
    return np.arctan2(_root(x), np.sign(x))


def _acsc(x: Any) -> Any:
    return np.arctan2(np.sign(x), _root(x))


def _acot(x: Any) -> Any:
    return np.arctan2(np.copysign(1.0, x), np.abs(x))


def _asech(x: Any) -> Any:
    return np.log1p(np.sqrt(1.0 - x) * np.sqrt(1.0 + x)) - np.log(x)


def _acsch(x: Any) -> Any:
    """By logarithms near 0, where 1/x may be out of range."""
    size = np.abs(x)
    near = np.log1p(np.hypot(1.0, x)) - np.log(size)
    return np.where(size < 1.0, np.copysign(near, x), np.arcsinh(1.0 / np.where(size < 1.0, 1.0, x)))[()]


def _acoth(x: Any) -> Any:
    return np.copysign(np.log1p(2.0 / (np.abs(x) - 1.0)) / 2.0, x)


def _logit(x: Any) -> Any:
    """2*atanh(2*x - 1) in the middle, where the difference of the logarithms loses digits."""
    middle = np.abs(x - 0.5) < 0.25
    beside = np.log(x) - np.log1p(-np.asarray(x))
    return np.where(middle, 2.0 * np.arctanh(np.where(middle, 2.0 * x - 1.0, 0.0)), beside)[()]


def sinpi(x: Any) -> Any:
    """sin(pi*x): the sine of what is left of x beside a whole number. At one it is 0, with the sign of x (IEEE 754)."""
    whole = np.rint(x)
    part = x - whole
    value = np.where(np.mod(whole, 2.0) == 0, 1.0, -1.0) * np.sin(np.pi * part)
    return np.where(part == 0, np.copysign(0.0, x), value)[()]


def cospi(x: Any) -> Any:
    """cos(pi*x): a sine beside the zeros, a cosine elsewhere."""
    whole = np.rint(x)
    part = np.abs(x - whole)
    value = np.where(part > 0.25, np.sin(np.pi * (0.5 - part)), np.cos(np.pi * part))
    return np.where(np.mod(whole, 2.0) == 0, 1.0, -1.0) * value


def _softsign(x: Any) -> Any:
    return np.where(np.isinf(x), np.sign(x), x / (1.0 + np.abs(x)))[()]


def _tanhshrink(x: Any) -> Any:
    """x - tanh(x); near 0, where that cancels, by the continued fraction tanh(x) = x/(1 + x^2/(3 + x^2/(5 + …)))."""
    square = np.minimum(np.square(x), 1.0)
    part = square / 21.0
    for odd in (19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0):
        part = square / (odd + part)
    near = square / (3.0 + part)
    return np.where(np.abs(x) < 1.0, x * (near / (1.0 + near)), x - np.tanh(x))[()]


ENTRIES: tuple[Operation, ...] = (
    elementwise("asec", "inverse of sec, in radians", _asec,
                Partial(f"1/(abs(x)*({_ROOT}))", "1/(abs(x)*sqrt(x^2 - 1))"),
                samples=_BEYOND_1, aliases="arcsec", facts=BOUNDED | NON_NEGATIVE | ILL_CONDITIONED,
                domain="abs(x) >= 1", mp="asec",
                example="asec(2)", latex=r"\operatorname{arcsec}", simpler="acos(1/x)"),
    elementwise("acsc", "inverse of csc, in radians", _acsc,
                Partial(f"-1/(abs(x)*({_ROOT}))", "-1/(abs(x)*sqrt(x^2 - 1))"), samples=_BEYOND_1, aliases="arccsc",
                facts=BOUNDED | ODD, domain="abs(x) >= 1", mp="acsc", example="acsc(2)",
                latex=r"\operatorname{arccsc}", simpler="asin(1/x)"),
    elementwise("acot", "inverse of cot, in radians: atan(1/x), and pi/2 at 0", _acot,
                Partial("h = hypot(1, x); -1/h/h", "-1/(1 + x^2)"), aliases="arccot", facts=BOUNDED | ODD, mp="acot",
                example="acot(1)", latex=r"\operatorname{arccot}", simpler="atan(1/x)"),
    elementwise("asech", "inverse of sech", _asech,
                Partial("-1/(where(out == out, x, out)*(sqrt(1 - x)*sqrt(1 + x)))", "-1/(x*sqrt(1 - x^2))"),
                samples=_UNIT, aliases="arcsech", facts=NON_NEGATIVE | ANALYTIC | ILL_CONDITIONED, cut=lambda x: x == 1,
                domain="0 < x and x <= 1", mp="asech", example="asech(0.5)", latex=r"\operatorname{arsech}",
                simpler="x == 0 ? inf : x > 0 && x < 1e-300 ? ln(2) - ln(x) : acosh(1/x)"),
    elementwise("acsch", "inverse of csch", _acsch, Partial("-1/(abs(x)*hypot(1, x))", "-1/(abs(x)*sqrt(1 + x^2))"),
                aliases="arccsch", facts=ODD, domain="x != 0", mp="acsch", example="acsch(2)",
                latex=r"\operatorname{arcsch}",
                simpler="a = abs(x); a > 0 && a < 1e-300 ? sign(x)*(ln(2) - ln(a)) : asinh(1/x)"),
    elementwise("acoth", "inverse of coth", _acoth, Partial("1/where(out == out, (1 - x)*(1 + x), out)", "1/(1 - x^2)"),
                samples=_BEYOND_1, aliases="arccoth", facts=ODD | ILL_CONDITIONED, domain="abs(x) > 1",
                mp="acoth", example="acoth(2)", latex=r"\operatorname{arcoth}", simpler="atanh(1/x)"),
    elementwise("logit", "ln(x/(1 - x)), the inverse of sigmoid", _logit,
                Partial("1/(x*where(out == out, 1 - x, out))", "1/(x*(1 - x))"),
                samples=_UNIT, facts=INCREASING | ANALYTIC | ILL_CONDITIONED, domain="0 < x and x < 1",
                inverse=Inverse("sigmoid", "0 < x and x < 1"), mp="logit",
                example="logit(0.9)", simpler="abs(x - 0.5) < 0.2 ? 2*atanh(2*x - 1) : ln(x/(1 - x))"),
    elementwise("sinpi", "sin(pi*x), exact where x is whole", sinpi, "pi*cospi(x)",
                facts=BOUNDED | ODD | ILL_CONDITIONED, mp="sinpi",
                example="sinpi(1)", latex=r"\sin(\pi #1)",
                simpler="r = x - 2*round(x/2); a = abs(r); sign(r)*sin(pi*(a > 0.5 ? 1 - a : a))"),
    elementwise("cospi", "cos(pi*x), exact where x is half of a whole number", cospi, "-pi*sinpi(x)",
                facts=BOUNDED | EVEN | ILL_CONDITIONED, mp="cospi", example="cospi(0.5)", latex=r"\cos(\pi #1)",
                simpler="sin(pi*(0.5 - abs(x - 2*round(x/2))))"),
    elementwise("softsign", "x/(1 + |x|)", _softsign, Partial("size = 1 + abs(x); 1/size/size", "1/(1 + abs(x))^2"),
                facts=BOUNDED | ODD | INCREASING, mp="softsign", example="softsign(1)",
                simpler="abs(x) == inf ? sign(x) : x/(1 + abs(x))"),
    elementwise("tanhshrink", "x - tanh(x), exact near 0", _tanhshrink, "tanh(x)^2", facts=ODD | INCREASING | ANALYTIC,
                mp="tanhshrink", example="tanhshrink(1)",
                simpler="s = x^2; abs(x) < 0.1 ? x*s*(1/3 - s*(2/15 - s*(17/315 - s*(62/2835 - s*(1382/155925 - "
                        "s*21844/6081075))))) : x - tanh(x)"),
)  # fmt: skip
