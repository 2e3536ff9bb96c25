"""Elementary functions: exponentials, logarithms, trigonometric and hyperbolic functions.

Each line is an entry: name, meaning, kernel, then the partial derivative as a formula in
the arguments' names and `out`, the value itself. Formulas are chosen for their accuracy, and for that
of their own derivatives: sech(x)^2 keeps every digit where 1 - tanh(x)^2 cancels, to every order. Outside the
real domain the value is nan, and so is each partial to every order, even where its formula alone would be
finite: `1/where(out == out, x, out)`. Where a formula is not that of a book, the book's stands behind it.
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
    POSITIVE,
    REAL,
    Advice,
    Inverse,
    Kink,
    Operation,
)
from cgcli.graph.rules import Partial
from cgcli.ops.entry import elementwise
from cgcli.ops.lazily import np

# 1 - x^2 with all its digits near -1 and 1, and its derivative -2*x with all of them near 0.
_ONE_MINUS_SQUARE = "where(abs(x) < 0.5, 1 - x^2, (1 - x)*(1 + x))"


def _over_square(x: str, y: str, sign: str = "") -> str:
    """x/(x^2 + y^2), or its negative, with all its digits; its derivative by x has them where x is near y or -y."""
    return (
        f"zero = x == 0 and y == 0; flat = 2*abs({x}) > abs({y});"
        f" where(zero, 0, where(flat, {sign}1, {sign}{x}/{y}))"
        f"/where(zero, 1, where(flat, {x} + {y}*({y}/{x}), {y} + {x}*({x}/{y})))"
    )


_ABOVE_ONE = (1.0, float("inf"))
_UNIT = (-1.0, 1.0)


def _sec(x: Any) -> Any:
    return 1.0 / np.cos(x)


def _csc(x: Any) -> Any:
    return 1.0 / np.sin(x)


def _sech(x: Any) -> Any:
    power = np.exp(-np.abs(x))
    return 2.0 * power / (1.0 + power * power)


def _cot(x: Any) -> Any:
    return 1.0 / np.tan(x)


EXP = elementwise("exp", "e to the power x", "exp", "out", facts=INCREASING | NON_NEGATIVE | ANALYTIC,
                  inverse=Inverse("ln"), python="exp", example="exp(1)", latex=r"\exp",
                  advice=Advice("infinity", "sigmoid(x) is 1/(1 + exp(-x)) without overflow; so are softplus, "
                                            "logaddexp, logsumexp, softmax"))  # fmt: skip
EXP2 = elementwise("exp2", "2 to the power x", "exp2", Partial("exp2(x - 1)*1.3862943611198906", "out*ln(2)"),
                   facts=INCREASING | NON_NEGATIVE | ANALYTIC, inverse=Inverse("log2"), python="exp2",
                   example="exp2(10)", latex="2^{#1}", simpler="2^x")  # fmt: skip
LN = elementwise("ln", "natural logarithm", "log", Partial("1/where(out == out, x, out)", "1/x"), samples=POSITIVE,
                 better=(("ln(1 + x)", "log1p(x)"), ("ln(1 - x)", "log1p(-x)"), ("ln(1 + exp(x))", "softplus(x)"),
                         ("ln(exp(x) + exp(y))", "logaddexp(x, y)"), ("ln(sum(exp(x)))", "logsumexp(x)"),
                         ("ln(sigmoid(x))", "log_sigmoid(x)"), ("ln(gamma(x))", "lgamma(x)"),
                         ("ln(x!)", "lgamma(x + 1)"),
                         ("ln(cosh(x))", "softplus(2*x) - x - ln(2)"), ("ln(softmax(x))", "log_softmax(x)"),
                         ("ln(x^y)", "y*ln(x)"), ("ln(prod(x))", "sum(ln(x))")),
                 aliases="log", facts=INCREASING | ANALYTIC | ILL_CONDITIONED, domain="x > 0",
                 inverse=Inverse("exp", "x > 0"), python="log", example="ln(e^2)", latex=r"\ln")  # fmt: skip
LOG2 = elementwise("log2", "logarithm to base 2", "log2",
                   Partial("1.4426950408889634/where(out == out, x, out)", "1/(x*ln(2))"), samples=POSITIVE,
                   facts=INCREASING | ANALYTIC | ILL_CONDITIONED, domain="x > 0", inverse=Inverse("exp2", "x > 0"),
                   python="log2", example="log2(8)", latex=r"\log_{2}", simpler="ln(x)/ln(2)")  # fmt: skip
LOG10 = elementwise("log10", "logarithm to base 10", "log10",
                    Partial("0.4342944819032518/where(out == out, x, out)", "1/(x*ln(10))"), samples=POSITIVE,
                    facts=INCREASING | ANALYTIC | ILL_CONDITIONED, domain="x > 0", python="cgcli.ops.doubles:log10",
                    example="log10(1000)", latex=r"\log_{10}", simpler="ln(x)/ln(10)")  # fmt: skip

SIN = elementwise("sin", "sine, x in radians", "sin", "cos(x)", facts=BOUNDED | ODD | ANALYTIC | ILL_CONDITIONED,
                  inverse=Inverse("asin", "-pi/2 <= x <= pi/2"),
                  python="sin", example="sin(90*deg)", latex=r"\sin")  # fmt: skip
COS = elementwise("cos", "cosine, x in radians", "cos", "-sin(x)", facts=BOUNDED | EVEN | ANALYTIC | ILL_CONDITIONED,
                  inverse=Inverse("acos", "0 <= x <= pi"), python="cos", example="cos(pi)", latex=r"\cos")  # fmt: skip
TAN = elementwise("tan", "tangent, x in radians", "tan", "1 + out^2", facts=ODD | ANALYTIC | ILL_CONDITIONED,
                  inverse=Inverse("atan", "-pi/2 < x < pi/2"), domain="cos(x) != 0", python="tan", example="tan(1)",
                  latex=r"\tan")  # fmt: skip
SINH = elementwise("sinh", "hyperbolic sine", "sinh", "cosh(x)", facts=ODD | INCREASING | ANALYTIC,
                   inverse=Inverse("asinh"), python="cgcli.ops.doubles:sinh", example="sinh(1)",
                   latex=r"\sinh",
                   simpler="a = abs(x); h = exp(a/2); s = x^2; sign(x)*(a < 0.5 ? a*(1 + s/6*(1 + s/20*(1 + s/42*(1 "
                           "+ s/72*(1 + s/110))))) : h/2*h - 1/h/(2*h))")  # fmt: skip
COSH = elementwise("cosh", "hyperbolic cosine", "cosh", "sinh(x)", facts=EVEN | NON_NEGATIVE | ANALYTIC,
                   inverse=Inverse("acosh", "x >= 0"), python="cosh", example="cosh(0)", latex=r"\cosh",
                   simpler="h = exp(abs(x)/2); h/2*h + 1/h/(2*h)")  # fmt: skip
TANH = elementwise("tanh", "hyperbolic tangent", "tanh", Partial("sech(x)^2", "1/cosh(x)^2"),
                   facts=BOUNDED | ODD | INCREASING | ANALYTIC,
                   inverse=Inverse("atanh"), python="tanh", example="tanh(1)", latex=r"\tanh",
                   simpler="u = expm1(-2*abs(x)); -sign(x)*u/(2 + u)")  # fmt: skip

SECH = elementwise("sech", "1/cosh(x), without overflow", _sech, "-out*tanh(x)", facts=BOUNDED | EVEN | NON_NEGATIVE,
                   inverse=Inverse("asech", "x >= 0"), python="sech", ulps=2.5, example="sech(1)",
                   latex=r"\operatorname{sech}", simpler="1/cosh(x)")  # fmt: skip
SEC = elementwise("sec", "1/cos(x)", _sec, "out*tan(x)", facts=EVEN | ANALYTIC | ILL_CONDITIONED, domain="cos(x) != 0",
                  inverse=Inverse("asec", "0 <= x <= pi"),
                  python="sec", ulps=2.0, example="sec(pi)", latex=r"\sec", simpler="1/cos(x)")  # fmt: skip
CSC = elementwise("csc", "1/sin(x)", _csc, "-out*cot(x)", facts=ODD | ANALYTIC | ILL_CONDITIONED, domain="sin(x) != 0",
                  inverse=Inverse("acsc", "-pi/2 <= x <= pi/2"),
                  python="csc", ulps=2.0, example="csc(pi/2)", latex=r"\csc", simpler="1/sin(x)")  # fmt: skip
COT = elementwise("cot", "1/tan(x)", _cot, "-(1 + out^2)", facts=ODD | ANALYTIC | ILL_CONDITIONED, domain="sin(x) != 0",
                  inverse=Inverse("acot", "-pi/2 < x <= pi/2"),
                  python="cot", ulps=2.0, example="cot(1)", latex=r"\cot", simpler="1/tan(x)")  # fmt: skip

ASIN = elementwise("asin", "inverse sine, in radians", "arcsin",
                   Partial(f"1/sqrt({_ONE_MINUS_SQUARE})", "1/sqrt(1 - x^2)"), samples=_UNIT,
                   aliases="arcsin", facts=BOUNDED | ODD | INCREASING | ANALYTIC, cut=lambda x: abs(x) == 1,
                   domain="-1 <= x <= 1", python="asin", example="asin(1)", latex=r"\arcsin")  # fmt: skip
ACOS = elementwise("acos", "inverse cosine, in radians", "arccos",
                   Partial(f"-1/sqrt({_ONE_MINUS_SQUARE})", "-1/sqrt(1 - x^2)"), samples=_UNIT,
                   aliases="arccos", facts=BOUNDED | NON_NEGATIVE | ANALYTIC | ILL_CONDITIONED,
                   cut=lambda x: abs(x) == 1,
                   domain="-1 <= x <= 1", python="acos", example="acos(-1)", latex=r"\arccos",
                   better=(("acos(1 - x)", "2*asin(sqrt(x/2))"),))  # fmt: skip
ATAN = elementwise("atan", "inverse tangent, in radians", "arctan",
                   Partial("h = hypot(1, x); 1/h/h", "1/(1 + x^2)"), aliases="arctan",
                   facts=BOUNDED | ODD | INCREASING | ANALYTIC, python="atan", example="atan(1)",
                   latex=r"\arctan")  # fmt: skip

ENTRIES: tuple[Operation, ...] = (
    EXP,
    elementwise("expm1", "exp(x) - 1, exact near 0", "expm1", "exp(x)", facts=INCREASING | ANALYTIC,
                inverse=Inverse("log1p"), python="expm1", example="expm1(1e-10)", latex="e^{#1} - 1",
                simpler="h = x/2; abs(x) < 0.5 ? 2*sinh(h)*exp(h) : exp(x) - 1"),
    EXP2,
    LN,
    elementwise("log1p", "ln(1 + x), exact near 0", "log1p",
                Partial("1/where(out == out, 1 + x, out)", "1/(1 + x)"),
                samples=(-1.0, float("inf")), facts=INCREASING | ANALYTIC | ILL_CONDITIONED, domain="x > -1",
                inverse=Inverse("expm1", "x > -1"), python="log1p", example="log1p(1e-10)",
                latex=r"\ln(1 + #1)", simpler="u = 1 + x; u == 1 ? x : (abs(x) < 0.5 ? ln(u)*x/(u - 1) : ln(u))"),
    LOG2,
    LOG10,

    SIN,
    COS,
    TAN,
    ASIN,
    ACOS,
    ATAN,
    elementwise("atan2", "angle of the point (x, y) from the x axis", "arctan2",
                Partial(_over_square("x", "y"), "where(x == 0 and y == 0, 0, x/(x^2 + y^2))"),
                Partial(_over_square("y", "x", "-"), "where(x == 0 and y == 0, 0, -y/(x^2 + y^2))"),
                arrays="y x", samples=(REAL, REAL), aliases="arctan2",
                kink=Kink(lambda y, x: (x == 0) & (y == 0), "the derivative of atan2 at (0, 0) is taken as 0",
                          isolated=True),
                python="atan2", example="atan2(1, -1)"),
    SEC,
    CSC,
    COT,

    SINH,
    COSH,
    TANH,
    SECH,
    elementwise("asinh", "inverse hyperbolic sine", "arcsinh", Partial("1/hypot(1, x)", "1/sqrt(1 + x^2)"),
                aliases="arcsinh", facts=ODD | INCREASING | ANALYTIC, inverse=Inverse("sinh"),
                python="cgcli.ops.doubles:asinh",
                example="asinh(1)", latex=r"\operatorname{arsinh}",
                simpler="a = abs(x); sign(x)*(a > 1e150 ? ln(a) + ln(2) : log1p(a + a*a/(1 + sqrt(a*a + 1))))"),
    elementwise("acosh", "inverse hyperbolic cosine", "arccosh",
                Partial("1/where(out == out, sqrt(x - 1)*sqrt(x + 1), out)", "1/sqrt(x^2 - 1)"), samples=_ABOVE_ONE,
                aliases="arccosh", facts=INCREASING | NON_NEGATIVE | ANALYTIC | ILL_CONDITIONED, cut=lambda x: x == 1,
                domain="x >= 1", python="cgcli.ops.doubles:acosh", example="acosh(1)", latex=r"\operatorname{arcosh}",
                simpler="x > 1e150 ? ln(x) + ln(2) : ln(x + sqrt((x - 1)*(x + 1)))"),
    elementwise("atanh", "inverse hyperbolic tangent", "arctanh",
                Partial(f"1/where(out == out, {_ONE_MINUS_SQUARE}, out)", "1/(1 - x^2)"), samples=_UNIT,
                aliases="arctanh", facts=ODD | INCREASING | ANALYTIC | ILL_CONDITIONED, domain="-1 < x < 1",
                inverse=Inverse("tanh", "-1 < x < 1"), python="cgcli.ops.doubles:atanh", example="atanh(0.5)",
                latex=r"\operatorname{artanh}", simpler="sign(x)*log1p(2*abs(x)/(1 - abs(x)))/2"),
)  # fmt: skip
