"""Kernels on intervals: for each operation an interval that holds its values.

By mpmath's interval arithmetic where that has the function; else from its monotone pieces, at whose ends mpmath
computes with more bits than count, and the value is widened. Each takes first the `Line` that holds the precision, and
is told of arguments outside of the domain and of jumps.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial

from cgcli.annotations import Any, Callable
from cgcli.ops import interval_gamma, many, many_special
from cgcli.ops.enclosures import EXACT, Line, as_iv, by_iv, in_domain, increasing, of_iv, of_monotone, whole_power
from cgcli.ops.intervals import EMPTY, NOUGHT, ONE, UNDECIDED, End, Interval, hull, of, outward
from cgcli.ops.lazily import np

_INF = math.inf


def kernel(line: Line, name: str) -> Callable[..., Interval] | None:
    """The kernel of this name, as entries name those on mpmath's numbers; None where there is none."""
    found = KERNELS.get(name.rpartition(":")[2])
    return found and partial(found, line)


# ---- arithmetic -------------------------------------------------------------------------


def truediv(line: Line, x: Interval, y: Interval) -> Interval:
    """x/y."""
    line.outside |= y.holds(0)
    return x / y


def power(line: Line, x: Interval, y: Interval) -> Interval:
    """x^y: products for a whole exponent, else by ln and exp."""
    if x.is_empty or y.is_empty:
        return EMPTY
    if y.is_point and y.low == y.low // 1 and abs(y.low) <= 1000:
        return whole_power(line, x, int(y.low))
    if x.is_point and x.low == 1:
        return ONE
    if y.is_point and y.low == Fraction(1, 2):
        return sqrt(line, x)
    if y.is_point and x.high <= 0 and y.low > 1000 and y.low == y.low // 1:
        return power(line, -x, y) * (1 if y.low % 2 == 0 else -1)
    base = in_domain(line, x, Fraction(0), _INF)
    if base.is_empty:
        return EMPTY
    if base.low == 0 and y.low <= 0:
        line.outside = True
    logarithm = of_monotone(line, line.mp.log, base)
    found = of_monotone(line, line.mp.exp, y * logarithm).part(Fraction(0), _INF)
    return hull([found, ONE]) if base.low == 0 and y.holds(0) else found


def _each_increasing(function: Callable[..., Any]) -> Callable[..., Interval]:
    """A function that increases in each of its arguments."""

    def run(line: Line, *args: Interval) -> Interval:
        if any(arg.is_empty for arg in args):
            return EMPTY
        own = partial(function, line.mp)
        lows, highs = [arg.low for arg in args], [arg.high for arg in args]
        return outward(line.at(own, *lows, up=False), line.at(own, *highs, up=True))

    return run


def maximum(line: Line, *args: Interval) -> Interval:
    """The largest."""
    return EMPTY if any(arg.is_empty for arg in args) else Interval(max(x.low for x in args), max(x.high for x in args))


def minimum(line: Line, *args: Interval) -> Interval:
    """The smallest."""
    return EMPTY if any(arg.is_empty for arg in args) else Interval(min(x.low for x in args), min(x.high for x in args))


def clip(line: Line, x: Interval, low: Interval, high: Interval) -> Interval:
    """A number, kept between bounds."""
    return minimum(line, maximum(line, x, low), high)


def _floor_of(line: Line, x: Interval, rounded: Callable[[End], End | None]) -> Interval:
    found = Interval(rounded(x.low), rounded(x.high))
    line.jumps |= not found.is_point
    return found


def floordiv(line: Line, x: Interval, y: Interval) -> Interval:
    """x/y, rounded down."""
    found = truediv(line, x, y)
    return found if found.is_empty else _floor_of(line, found, EXACT["floor"])


def mod(line: Line, x: Interval, y: Interval) -> Interval:
    """The remainder with the sign of the divisor."""
    whole = floordiv(line, x, y)
    if whole.is_empty or whole.is_point:
        return x - y * whole
    return Interval(min(y.low, Fraction(0)), max(y.high, Fraction(0)))


def fmod(line: Line, x: Interval, y: Interval) -> Interval:
    """The remainder with the sign of the dividend."""
    quotient = truediv(line, x, y)
    whole = quotient if quotient.is_empty else _floor_of(line, quotient, EXACT["trunc"])
    if whole.is_empty or whole.is_point:
        return x - y * whole
    most = abs(y).high
    return Interval(max(-most, min(x.low, Fraction(0))), min(most, max(x.high, Fraction(0))))


def hypot(line: Line, x: Interval, y: Interval) -> Interval:
    """sqrt(x^2 + y^2)."""
    return sqrt(line, whole_power(line, x, 2) + whole_power(line, y, 2))


def sqrt(line: Line, x: Interval) -> Interval:
    """The square root."""
    return increasing(line, "sqrt", (0.0, _INF))(x)


# ---- truth ------------------------------------------------------------------------------


def _compared(always: Callable[[Interval, Interval], bool], never: Callable[[Interval, Interval], bool]) -> Any:
    def compare(line: Line, x: Interval, y: Interval) -> Interval:
        if always(x, y):
            return ONE
        if never(x, y) or x.is_empty or y.is_empty:
            return NOUGHT
        line.jumps = True
        return UNDECIDED

    return compare


def _apart(x: Interval, y: Interval) -> bool:
    return bool(x.high < y.low or y.high < x.low)


def _same(x: Interval, y: Interval) -> bool:
    return not x.is_empty and (x is y or (x.is_point and y.is_point and x.low == y.low))


def _truth(x: Interval) -> Interval:
    """1 where it is certainly not 0, 0 where it certainly is."""
    if x.is_empty:
        return ONE  # nan is no 0
    return (NOUGHT if x.is_point else UNDECIDED) if x.holds(0) else ONE


def logical_not(line: Line, x: Interval) -> Interval:
    """1 where x is 0."""
    return ONE - _truth(x)


def logical_and(line: Line, x: Interval, y: Interval) -> Interval:
    """1 where both are true."""
    return minimum(line, _truth(x), _truth(y))


def logical_or(line: Line, x: Interval, y: Interval) -> Interval:
    """1 where either is true."""
    return maximum(line, _truth(x), _truth(y))


def where(line: Line, condition: Interval, yes: Interval, no: Interval) -> Interval:
    """yes where the condition is true, else no; both where that is not known."""
    truth = _truth(condition)
    return hull([yes, no]) if not truth.is_point else yes if truth.low else no


# ---- functions that are not increasing --------------------------------------------------


def _even(function: Callable[[Any, Any], Any], *, falls: bool = False) -> Callable[..., Interval]:
    """An even function that is monotone from 0 on."""
    return lambda line, x: of_monotone(line, partial(function, line.mp), abs(x), falls=falls)


def _falling(function: Callable[[Any, Any], Any], low: End = -_INF, high: End = _INF) -> Callable[..., Interval]:
    """A decreasing function on its domain."""
    return lambda line, x: of_monotone(line, partial(function, line.mp), in_domain(line, x, low, high), falls=True)


def _odd(
    function: Callable[[Any, Any], Any], low: End = Fraction(0), *, jumps: bool = False
) -> Callable[..., Interval]:
    """An odd function that falls above `low`, and has no value, or jumps, between -low and low."""

    def run(line: Line, x: Interval) -> Interval:
        gap = not (x.low > low or x.high < -low)
        line.outside |= gap and not jumps
        line.jumps |= gap
        of = partial(of_monotone, line, partial(function, line.mp), falls=True)
        return hull([of(x.part(low, _INF)), -of((-x).part(low, _INF))])

    return run


def asec(line: Line, x: Interval) -> Interval:
    """The inverse of sec: a right angle less that of csc."""
    return line.constant(math.pi) / 2 - KERNELS["acsc"](line, x)


def _of_turns(name: str) -> Callable[..., Interval]:
    """A function of pi*x, by that of mpmath's intervals."""
    return lambda line, x: by_iv(name)(line, line.constant(math.pi) * x)


def atan2(line: Line, y: Interval, x: Interval) -> Interval:
    """The angle: its extremes over a box are at its corners, unless the box has the origin or the cut in it."""
    if x.is_empty or y.is_empty:
        return EMPTY
    if (x.low < 0 and y.low < 0 <= y.high) or (x.holds(0) and y.holds(0)):
        line.jumps = True
        turn = line.constant(math.pi)
        return hull([-turn, turn])
    return hull(_angle(line, v, u) for v in (y.low, y.high) for u in (x.low, x.high))


def _angle(line: Line, y: End, x: End) -> Interval:
    if y == 0 and x >= 0:
        return NOUGHT
    return of_iv(line.iv.atan2(as_iv(line, Interval(y, y)), as_iv(line, Interval(x, x))))


def xlogy(line: Line, x: Interval, y: Interval) -> Interval:
    """x*ln(y)."""
    if x.is_point and x.low == 0:
        return NOUGHT
    inside = in_domain(line, y, Fraction(0), _INF)
    line.outside |= inside.low == 0
    return x * of_monotone(line, line.mp.log, inside)


def xlog1py(line: Line, x: Interval, y: Interval) -> Interval:
    """x*ln(1 + y)."""
    return xlogy(line, x, ONE + y)


def _bent(line: Line, x: Interval, below: Interval) -> Interval:
    """x where positive, else another value."""
    positive = x.part(Fraction(0), _INF)
    return hull([positive, *([below] if x.low <= 0 else [])])


def leaky_relu(line: Line, x: Interval, slope: Any) -> Interval:
    """A number where positive, else a part of it."""
    return _bent(line, x, of(slope) * x.part(-_INF, Fraction(0)))


def elu(line: Line, x: Interval, alpha: Any) -> Interval:
    """A number where positive, else alpha*(exp(x) - 1)."""
    return _bent(line, x, of(alpha) * of_monotone(line, line.mp.expm1, x.part(-_INF, Fraction(0))))


def _valley(function: Callable[..., Any], place: tuple[Fraction, Fraction], least: Fraction) -> Callable[..., Interval]:
    """A function that falls as far as a place, from which it rises.

    place: two numbers with the place between them. least: one that no value is below.
    """

    def run(line: Line, x: Interval) -> Interval:
        if x.is_empty:
            return EMPTY
        own = partial(function, line.mp)
        found = hull(outward(line.at(own, end, up=False), line.at(own, end, up=True)) for end in (x.low, x.high))
        return found if x.high < place[0] or x.low > place[1] else hull([found, Interval(least, least)])

    return run


_GELU = _valley(
    partial(many_special.gelu, order=0), (Fraction("-0.75179153"), Fraction("-0.75179152")),
    Fraction("-0.16997120747990370"),
)  # fmt: skip
_SILU = _valley(
    many.silu, (Fraction("-1.2784645428"), Fraction("-1.2784645427")), Fraction("-0.27846454276107380")
)  # fmt: skip


def gelu(line: Line, x: Interval, order: Any) -> Interval:
    """The order-th derivative of x times the normal distribution function: its bell times Hermite's polynomials."""
    n, mp = int(order), line.mp
    if n == 0:
        return _GELU(line, x)
    bell = of_monotone(line, partial(many_special.normal_density, mp), abs(x), falls=True)
    if n == 1:
        return of_monotone(line, partial(many_special.ndtr, mp), x) + x * bell
    before, hermite = NOUGHT, ONE
    for k in range(n - 1):
        before, hermite = hermite, x * hermite - before * k
    found = (x * hermite - before * n) * bell
    return found if n % 2 else -found


KERNELS: dict[str, Callable[..., Interval]] = {
    "truediv": truediv,
    "power": power,
    "maximum": maximum,
    "minimum": minimum,
    "clip": clip,
    "floordiv": floordiv,
    "mod": mod,
    "fmod": fmod,
    "hypot": hypot,
    "where": where,
    "less": _compared(lambda x, y: x.high < y.low, lambda x, y: x.low >= y.high),
    "less_equal": _compared(lambda x, y: x.high <= y.low, lambda x, y: x.low > y.high),
    "greater": _compared(lambda x, y: x.low > y.high, lambda x, y: x.high <= y.low),
    "greater_equal": _compared(lambda x, y: x.low >= y.high, lambda x, y: x.high < y.low),
    "equal": _compared(_same, _apart),
    "not_equal": _compared(_apart, _same),
    "not": logical_not,
    "and": logical_and,
    "or": logical_or,
    "sin": by_iv("sin"),
    "cos": by_iv("cos"),
    "tan": by_iv("tan"),
    "cot": by_iv("cot"),
    "sec": by_iv("sec"),
    "csc": by_iv("csc"),
    "cosh": _even(lambda mp, x: mp.cosh(x)),
    "sech": _even(lambda mp, x: mp.sech(x), falls=True),
    "acos": _falling(lambda mp, x: mp.acos(x), Fraction(-1), Fraction(1)),
    "asec": asec,
    "acsc": _odd(lambda mp, x: mp.acsc(x), ONE.low),
    "acot": _odd(lambda mp, x: mp.acot(x), jumps=True),
    "asech": _falling(lambda mp, x: mp.asech(x), Fraction(0), Fraction(1)),
    "acsch": _odd(lambda mp, x: mp.acsch(x)),
    "acoth": _odd(lambda mp, x: mp.acoth(x), ONE.low),
    "sinpi": _of_turns("sin"),
    "cospi": _of_turns("cos"),
    "erfc": _falling(many_special.erfc),
    "atan2": atan2,
    "gamma": interval_gamma.gamma,
    "factorial": interval_gamma.factorial,
    "lgamma": interval_gamma.lgamma,
    "digamma": interval_gamma.digamma,
    "logaddexp": _each_increasing(many.logaddexp),
    "logaddexp2": _each_increasing(many_special.logaddexp2),
    "xlogy": xlogy,
    "xlog1py": xlog1py,
    "sinc": interval_gamma.sinc,
    "leaky_relu": leaky_relu,
    "elu": elu,
    "gelu": gelu,
    "silu": _SILU,
}


# ---- arrays -----------------------------------------------------------------------------


def norm(line: Line, x: Any, along: tuple[int, ...], keep: bool) -> Any:
    """The root of the sum of squares."""
    squares = np.sum(_each(partial(whole_power, line, n=2))(x), along, keepdims=keep)
    return _each(partial(sqrt, line))(squares)


def logsumexp(line: Line, x: Any, along: tuple[int, ...], keep: bool) -> Any:
    """ln(sum(exp(x)))."""
    powers = np.sum(_each(lambda each: of_monotone(line, line.mp.exp, each))(x), along, keepdims=keep)
    return _each(lambda each: of_monotone(line, line.mp.log, each))(powers)


def softmax(line: Line, x: Any, along: int) -> Any:
    """exp(x), scaled to add up to 1: it is 1/(1 + the sum of exp(other - x))."""
    moved = np.moveaxis(x, along, -1)
    made = np.empty(moved.shape, object)
    for at in np.ndindex(moved.shape):
        others = [each for place, each in enumerate(moved[at[:-1]]) if place != at[-1]]
        total = sum((of_monotone(line, line.mp.exp, other - moved[at]) for other in others), ONE)
        made[at] = ONE / total
    return np.moveaxis(made, -1, along)


def _each(function: Callable[..., Any]) -> Callable[..., Any]:
    on_arrays: Callable[..., Any] = np.frompyfunc(function, 1, 1)
    return on_arrays


ON_ARRAYS: dict[str, Callable[..., Any]] = {"norm": norm, "logsumexp": logsumexp, "softmax": softmax}
