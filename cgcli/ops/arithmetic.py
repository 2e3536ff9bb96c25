"""Arithmetic: the operators, powers and roots, rounding, extremes.

Each line is an entry: name, meaning, kernel, then the partial derivative for each argument
as a formula in the arguments' names and `out`, the value itself.
"""

from __future__ import annotations

from cgcli.annotations import Any
from cgcli.graph.node import Node, apply
from cgcli.graph.operation import (
    ANALYTIC,
    BOUNDED,
    CHOOSES,
    EVEN,
    IDEMPOTENT,
    ILL_CONDITIONED,
    INCREASING,
    NON_NEGATIVE,
    ODD,
    POSITIVE,
    REAL,
    STEPWISE,
    Advice,
    Infix,
    Inverse,
    Kink,
    Operation,
)
from cgcli.graph.rules import Partial, Partials
from cgcli.graph.shapes import shape_of
from cgcli.lean import operator, reduce
from cgcli.ops.entry import COMPARISON, POWER, PRODUCT, STEP, SUM, UNARY, elementwise, scalar_truth, truth_of
from cgcli.ops.lazily import np
from cgcli.ops.masks import bounded


def _shares_of(extreme: str) -> Partials:
    """The partials of an n-ary extreme: 1/k for each of the k arguments that attain it."""

    def build(args: tuple[Node, ...]) -> tuple[Node, ...]:
        out = apply(_operation_of(extreme), args)
        ties = [apply(EQUAL_TO, (arg, out)) for arg in args]
        count = reduce(lambda a, b: apply(ADD, (a, b)), ties)
        return tuple(apply(DIVIDE, (tie, count)) for tie in ties)

    return Partials(build, chooses=True)


def _operation_of(extreme: str) -> Operation:
    return MAXIMUM if extreme == "max" else MINIMUM


def _direction(x: str, y: str) -> Partial:
    """The partial of hypot by x. Where x is the larger one, x/out would lose its own derivative, (y/out)^2/out."""
    book = f"where(out == 0, 0, {x}/out)"
    return Partial(f"where(abs({x}) > abs({y}), sign({x})/hypot(1, {y}/{x}), {book})", book)


def _maximum(*args: Any) -> Any:
    return reduce(np.maximum, args)


def _minimum(*args: Any) -> Any:
    return reduce(np.minimum, args)


def _clip(x: Any, low: Any, high: Any) -> Any:
    return bounded(np.minimum, bounded(np.maximum, x, low), high)


def _power(x: Any, y: Any, *, out: Any = None) -> Any:
    """C's power; of one exponent 0.5 for many numbers numpy takes the root, which is another of -inf and of -0."""
    half = y == 0.5
    if np.count_nonzero(half) and not np.min(x, initial=1.0) > 0:
        x = np.where(half & ((x == 0) | (x == -np.inf)), np.abs(x), x)
    return np.power(x, y, out=out)


def _tie_of(extreme: str) -> Kink:
    """Where more than one argument attains the extreme."""

    def tied(*args: Any) -> Any:
        op = _operation_of(extreme)
        kernel = op.kernel if any(map(shape_of, args)) else op.scalar
        assert kernel is not None
        out = kernel(*args)
        return sum((arg == out) * 1 for arg in args) > 1

    return Kink(tied, "equal arguments of an extreme share its derivative equally", tie=True)


ADD = elementwise("add", "sum of two values", "add", "1", "1", arrays="x y", label="+",
                  infix=Infix("+", SUM), commutative=True, facts=ANALYTIC | ILL_CONDITIONED, example="2 + 3",
                  python=operator.add)  # fmt: skip
SUBTRACT = elementwise("subtract", "difference of two values", "subtract", "1", "-1", arrays="x y",
                       label="−", infix=Infix("-", SUM), aliases="sub", facts=ANALYTIC | ILL_CONDITIONED,
                       example="5 - 7", python=operator.sub,
                       better=(("1 - cos(x)", "2*sin(x/2)^2"), ("cosh(x) - 1", "2*sinh(x/2)^2"),
                               ("exp(x) - 1", "expm1(x)"), ("1 - erf(x)", "erfc(x)"), ("1 - tanh(x)^2", "sech(x)^2"),
                               ("x^2 - y^2", "(x - y)*(x + y)"),
                               ("1 - sin(x)^2", "cos(x)^2"), ("1 - cos(x)^2", "sin(x)^2"),
                               ("exp(x) - exp(y)", "exp(y)*expm1(x - y)"), ("ln(x) - ln(y)", "log1p((x - y)/y)"),
                               ("cos(x) - cos(y)", "-2*sin((x + y)/2)*sin((x - y)/2)"),
                               ("sin(x) - sin(y)", "2*cos((x + y)/2)*sin((x - y)/2)"),
                               ("sqrt(x) - sqrt(y)", "(x - y)/(sqrt(x) + sqrt(y))"), ("1/x - 1/y", "(y - x)/(x*y)"),
                               ("sqrt(1 + x) - 1", "x/(sqrt(1 + x) + 1)"), ("1 - sqrt(1 - x)", "x/(1 + sqrt(1 - x))"),
                               ("sqrt(x) - y", "(x - y^2)/(sqrt(x) + y)"), ("1 - sigmoid(x)", "sigmoid(-x)"),
                               ("1 - 1/(1 + exp(-x))", "sigmoid(-x)"), ("1 - exp(x)", "-expm1(x)"),
                               ("1/sqrt(1 - x) - 1", "x/(sqrt(1 - x)*(1 + sqrt(1 - x)))"),
                               ("x^y - 1", "expm1(y*ln(x))"), ("1 - x^y", "-expm1(y*ln(x))"),
                               ("mean(x^2) - mean(x)^2", "var(x)")))  # fmt: skip
MULTIPLY = elementwise("multiply", "product, element by element", "multiply", "y", "x", arrays="x y",
                       label="×", infix=Infix("*", PRODUCT), aliases="mul", commutative=True, facts=ANALYTIC,
                       advice=Advice("nan", "xlogy(x, y) is x*ln(y), and 0 where x is 0",
                                     lambda operands, sources: not {"ln", "log2", "log10"}.isdisjoint(sources)),
                       written=("x × y", "x · y"), example="[1, 2]*3", python=operator.mul)  # fmt: skip
DIVIDE = elementwise("divide", "quotient", "divide", "1/y", "-out/y", arrays="x y", label="÷",
                     infix=Infix("/", PRODUCT), aliases="div", facts=ANALYTIC,
                     domain="y != 0", written=("x ÷ y",), python="truediv", example="7/2",
                     advice=Advice("nan", "sinc(x/pi) is sin(x)/x, and 1 where x is 0",
                                   lambda operands, sources: operands[0] == 0 and "sin" in sources),
                     better=(("sin(pi*x)/(pi*x)", "sinc(x)"), ("1/(1 + exp(-x))", "sigmoid(x)"),
                             ("exp(x)/(1 + exp(x))", "sigmoid(x)"), ("exp(x)/(exp(x) + exp(y))", "sigmoid(x - y)"),
                             ("exp(x)/sum(exp(x))", "softmax(x)"),
                             ("gamma(x)/gamma(y)", "exp(lgamma(x) - lgamma(y))"),
                             ("x!/y!", "exp(lgamma(x + 1) - lgamma(y + 1))")))  # fmt: skip
FLOOR_DIVIDE = elementwise("floor_divide", "quotient rounded down", "floor_divide", None, None,
                           arrays="x y", label="//", infix=Infix("//", PRODUCT), facts=STEPWISE, why_no_derivative=STEP,
                           domain="y != 0", python="floordiv", example="-7 // 2",
                           latex=r"\lfloor \frac{#1}{#2} \rfloor",
                           simpler="m = fmod(x, y); d = (x - m)/y - (m != 0 && (y < 0) != (m < 0)); f = floor(d); "
                                   "y == 0 ? x/y : d == 0 ? 0*(x/y) : d - f > 0.5 ? f + 1 : f")  # fmt: skip
MOD = elementwise("mod", "remainder with the sign of the divisor, as Python's", "mod",
                  "where(out == out, 1, out)",
                  Partial("where(out == out, -round((x - out)/y), out)", "where(out == out, -floor(x/y), out)"),
                  arrays="x y", label="mod", infix=Infix("%", PRODUCT), aliases="remainder",
                  domain="y != 0", python="mod", facts=ILL_CONDITIONED, example="-7 % 3", latex=r"#1 \bmod #2",
                  simpler="m = fmod(x, y); m == 0 ? (y < 0 ? -0 : 0) : (y < 0) != (m < 0) ? m + y : m")  # fmt: skip
FMOD = elementwise("fmod", "remainder with the sign of the dividend, as C's", "fmod",
                   "where(out == out, 1, out)",
                   Partial("where(out == out, -round((x - out)/y), out)", "where(out == out, -trunc(x/y), out)"),
                   arrays="x y",
                   domain="y != 0", python="fmod", facts=ILL_CONDITIONED, example="fmod(-7, 3)",
                   simpler="abs(y) == inf && abs(x) < inf ? x : x - y*trunc(x/y)")  # fmt: skip
NEG = elementwise("neg", "the negative", "negative", "-1", label="−", prefix=Infix("-", UNARY),
                  aliases="negative", facts=CHOOSES | ODD | ANALYTIC, inverse=Inverse("neg"), example="-[1, 2]",
                  python=operator.neg)  # fmt: skip

# d/dx: the power rule, which folds to n*x^(n-1) for a constant exponent: exact at 0, never through a
# logarithm; 0 at (0, 0), and nowhere else cut off, for it is differentiated by y again. d/dy: out*ln(x),
# whose limit at x = 0 is 0 for y > 0. Of x near 0 a power below 0, and the second derivative of one next to 0,
# leave the range before y*out*(dx/x) does.
POWER_OP = elementwise("power", "x to the power y", _power,
                       Partial("where(y < 0, y*out/x, where(y < 0.01 and (0 < x and x < 1), y*out/x,"
                               " where(y == 0 and x == 0, 0, y*x^(y - 1))))",
                               "where(y == 0 and x == 0, 0, y*x^(y - 1))"),
                       "where(x == 0 and y >= 0, 0, out*ln(x))",
                       arrays="x y", label="^", infix=Infix("^", POWER, right=True), aliases="pow",
                       samples=(POSITIVE, (-8.0, 8.0)), facts=ANALYTIC | ILL_CONDITIONED,
                       # a whole power, of a negative number too, is a repeated product
                       cut=lambda x, y: (x <= 0) & ((y != np.rint(y)) | (abs(y) > 64)),
                       advice=Advice("nan", "a negative number has no real power to a fraction; cbrt(-8) is -2",
                                     lambda operands, sources: operands[0] < 0),
                       kink=Kink(lambda x, y: (x == 0) & (y == 0),
                                 "the derivative of a power at (0, 0) is taken as 0", isolated=True),
                       better=(("(1 + x)^y", "exp(y*log1p(x))"),),
                       domain="x > 0 or (x == 0 and y >= 0) or (x < 0 and y == floor(y))", written=("x ** y",),
                       python="power", example="2^3^2")  # fmt: skip
SQRT = elementwise("sqrt", "square root", "sqrt", "1/(2*out)", samples=POSITIVE, label="√",
                   facts=INCREASING | NON_NEGATIVE | ANALYTIC, cut=lambda x: x == 0,
                   domain="x >= 0", written=("√x",), python="sqrt", example="sqrt(16)",
                   better=(("sqrt(x^2 + y^2)", "hypot(x, y)"), ("sqrt(x^2 + 1)", "hypot(x, 1)"),
                           ("sqrt(sum(x^2))", "norm(x)")),
                   latex=r"\sqrt{#1}")  # fmt: skip
CBRT = elementwise("cbrt", "cube root, of negative numbers too", "cbrt", "1/(3*out^2)",
                   facts=ODD | INCREASING, python="cgcli.ops.doubles:cbrt", example="cbrt(-8)",
                   latex=r"\sqrt[3]{#1}", simpler="sign(x)*abs(x)^(1/3)")  # fmt: skip
ABS = elementwise("abs", "absolute value", "abs", Partial("stop_gradient(sign(x))", "sign(x)"), aliases="fabs absolute",
                  facts=CHOOSES | EVEN | IDEMPOTENT | NON_NEGATIVE,
                  kink=Kink(lambda x: x == 0, "the derivative of abs at 0 is taken as 0"),
                  example="abs(-3)", python=operator.abs, latex="|#1|")  # fmt: skip
SIGN = elementwise("sign", "-1, 0 or 1", "sign", None, aliases="sgn",
                   facts=BOUNDED | ODD | INCREASING | IDEMPOTENT | STEPWISE,
                   why_no_derivative=STEP, python="sign", example="sign(-0.5)",
                   latex=r"\operatorname{sgn}", simpler="x > 0 ? 1 : (x < 0 ? -1 : x)")  # fmt: skip
FLOOR = elementwise("floor", "largest whole number not above", "floor", None, facts=INCREASING | IDEMPOTENT | STEPWISE,
                    why_no_derivative=STEP, python="floor", example="floor(-1.5)",
                    latex=r"\lfloor #1 \rfloor")  # fmt: skip
CEIL = elementwise("ceil", "smallest whole number not below", "ceil", None, facts=INCREASING | IDEMPOTENT | STEPWISE,
                   why_no_derivative=STEP, python="ceil", example="ceil(1.2)",
                   latex=r"\lceil #1 \rceil", simpler="-floor(-x)")  # fmt: skip
ROUND = elementwise("round", "nearest whole number, halves to even", "rint", None, aliases="rint",
                    facts=ODD | INCREASING | IDEMPOTENT | STEPWISE, why_no_derivative=STEP, python="rint",
                    example="round(2.5)",
                    simpler="n = floor(x + 0.5); n == 0 ? 0*x : n - x == 0.5 && n/2 != floor(n/2) ? n - 1 : n",
                    )  # fmt: skip
TRUNC = elementwise("trunc", "whole part, rounded towards 0", "trunc", None,
                    facts=ODD | INCREASING | IDEMPOTENT | STEPWISE, why_no_derivative=STEP, python="trunc",
                    example="trunc(-1.7)", simpler="sign(x)*floor(abs(x))")  # fmt: skip
HYPOT = elementwise("hypot", "sqrt(x^2 + y^2) without overflow", "hypot",
                    _direction("x", "y"), _direction("y", "x"), arrays="x y", commutative=True,
                    facts=NON_NEGATIVE,
                    kink=Kink(lambda x, y: (x == 0) & (y == 0),
                               "the derivative of hypot at (0, 0) is taken as 0", isolated=True),
                    python="hypot", example="hypot(3, 4)", latex=r"\sqrt{#1^{2} + #2^{2}}",
                    simpler="a = max(abs(x), abs(y)); b = min(abs(x), abs(y)); abs(x) == inf || abs(y) == inf ? inf : "
                            "a == 0 ? 0 : a*sqrt(1 + (b/a)^2)")  # fmt: skip
EQUAL_TO = elementwise("equal", "1 where equal, else 0", truth_of("equal"), None, None, arrays="x y",
                       label="=", infix=Infix("==", COMPARISON), commutative=True, facts=NON_NEGATIVE,
                       why_no_derivative=STEP, example="2 == 2", python=scalar_truth(operator.eq), mp="equal",
                       latex="#1 = #2", truth="equal")  # fmt: skip
MAXIMUM = elementwise("max", "the largest of its arguments, element by element", _maximum, _shares_of("max"),
                      arrays="*x", least=2, aliases="maximum", commutative=True, samples=(REAL, REAL),
                      kink=_tie_of("max"), python="maximum", facts=CHOOSES,
                      example="max(3, 7, 5)", latex=r"\max")  # fmt: skip
MINIMUM = elementwise("min", "the smallest of its arguments, element by element", _minimum, _shares_of("min"),
                      arrays="*x", least=2, aliases="minimum", commutative=True, samples=(REAL, REAL),
                      kink=_tie_of("min"), python="minimum", facts=CHOOSES,
                      example="min(3, 7, 5)", latex=r"\min")  # fmt: skip
CLIP = elementwise("clip", "x, kept between low and high", _clip,
                   Partial("where(out == out, x >= low and x <= high, out)", chooses=True),
                   Partial("where(out == out, x < low and low <= high, out)", chooses=True),
                   Partial("where(out == out, max(x, low) > high, out)", chooses=True),
                   arrays="x low high", samples=(REAL, (-2.0, -1.0), (1.0, 2.0)),
                   kink=Kink(lambda x, low, high: (x == low) | (x == high),
                             "the derivative of clip at its bound is taken as 1"),
                   python="clip", facts=CHOOSES, example="clip(7, 0, 5)", simpler="min(max(x, low), high)")  # fmt: skip

ENTRIES: tuple[Operation, ...] = (
    ADD, SUBTRACT, MULTIPLY, DIVIDE, FLOOR_DIVIDE, MOD, FMOD, NEG, POWER_OP, SQRT, CBRT, ABS, SIGN,
    FLOOR, CEIL, ROUND, TRUNC, HYPOT, EQUAL_TO, MAXIMUM, MINIMUM, CLIP,
)  # fmt: skip
ROOTS = frozenset({POWER_OP, SQRT, CBRT})
"""What has a root among its nodes."""
