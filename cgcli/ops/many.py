"""Kernels on mpmath's numbers, of any precision, where mpmath has no function of the same meaning.

Each takes mpmath's context first, which holds the precision, then the arguments as the other kernels do. Range is no
concern here, for these numbers have no largest one. Those on arrays are in many_arrays.py.
"""

from __future__ import annotations

import math
from functools import partial

from cgcli.annotations import Any, Callable, Mapping
from cgcli.lean import import_module

# Float64 numbers that stand for others, of which they are the nearest: named constants, and those in derivative rules.
IRRATIONAL: Mapping[float, Callable[[Any], Any]] = {
    math.pi: lambda mp: mp.pi,
    math.tau: lambda mp: 2 * mp.pi,
    math.e: lambda mp: mp.e,
    math.radians(1): lambda mp: mp.pi / 180,
    1.4426950408889634: lambda mp: 1 / mp.ln2,
    1.3862943611198906: lambda mp: 2 * mp.ln2,
    0.4342944819032518: lambda mp: 1 / mp.ln10,
    0.7071067811865476: lambda mp: 1 / mp.sqrt(2),
    0.3989422804014327: lambda mp: 1 / mp.sqrt(2 * mp.pi),
    1.1283791670955126: lambda mp: 2 / mp.sqrt(mp.pi),
}

MANY_DIGITS = 300  # from where on the gamma function is a sum
GAMMAS = {"gamma": 1.0, "factorial": 1.0, "lgamma": 1.0, "digamma": 2.5, "zeta": 14.0}  # their time then
_NEAR = 16  # bits: what a dozen operations on the way may have rounded


def context(digits: int) -> Any:
    """A context of mpmath's of its own, which computes with so many decimal digits."""
    from mpmath.ctx_mp import MPContext

    made = MPContext()
    made.dps = digits
    return made


def kernel(mp: Any, name: str) -> Callable[..., Any]:
    """The function that a name means in an entry, whatever its module for floats: of this module, of many_special.py,
    or of mpmath."""
    name = name.rpartition(":")[2]
    own = globals().get(name) or getattr(import_module("cgcli.ops.many_special"), name, None)
    return partial(own, mp) if callable(own) else getattr(mp, name)


def kernel_on_arrays(mp: Any, name: str) -> Callable[..., Any]:
    """The same for an operation on arrays."""
    return partial(getattr(import_module("cgcli.ops.many_arrays"), name), mp)


def number(mp: Any, value: float) -> Any:
    """What a float64 stands for: the decimal number that it is written as, or pi and its kin."""
    found = IRRATIONAL.get(abs(value))
    if found is None:
        return mp.mpf(repr(float(value)))
    return +found(mp) if value > 0 else -found(mp)


def text(value: Any, digits: int) -> str:
    """A number in decimal with so many significant digits, as cg prints numbers: 2, 0.5, 1.5e-20."""
    from mpmath import nstr

    if value != value or value - value != 0:
        return "nan" if value != value else "inf" if value > 0 else "-inf"
    mantissa, _, exponent = nstr(value, digits, min_fixed=-5, max_fixed=digits).partition("e")
    mantissa = mantissa.removesuffix(".0")
    return f"{mantissa}e{exponent}" if exponent else mantissa


def rounded(value: Any, digits: int) -> Any:
    """A number with so many significant digits, as one of mpmath's own context, in which everybody computes."""
    from mpmath import mp

    with mp.workdps(digits + 2):
        return mp.mpf(text(value, digits))


def is_near(mp: Any, x: Any, y: Any) -> bool:
    """Whether two finite numbers differ by no more than rounding may have made of equal ones."""
    return bool(abs(x - y) <= mp.ldexp(max(abs(x), abs(y)), _NEAR - mp.prec))


def _compared(test: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    """A comparison in which numbers are equal that only rounding tells apart."""

    def compare(mp: Any, x: Any, y: Any) -> Any:
        if mp.isfinite(x) and mp.isfinite(y) and is_near(mp, x, y):
            x = y
        return mp.mpf(test(x, y))

    return compare


less = _compared(lambda x, y: x < y)
greater = _compared(lambda x, y: x > y)
less_equal = _compared(lambda x, y: x <= y)
greater_equal = _compared(lambda x, y: x >= y)
equal = _compared(lambda x, y: x == y)
not_equal = _compared(lambda x, y: x != y)


def _settled(mp: Any, x: Any) -> Any:
    """A number, as the whole one that only rounding tells it apart from."""
    whole = mp.nint(x)
    return whole if is_near(mp, x, whole) else x


def floor(mp: Any, x: Any) -> Any:
    """The largest whole number not above."""
    return mp.floor(_settled(mp, x))


def ceil(mp: Any, x: Any) -> Any:
    """The smallest whole number not below."""
    return mp.ceil(_settled(mp, x))


def trunc(mp: Any, x: Any) -> Any:
    """The whole part, towards 0."""
    return floor(mp, x) if x >= 0 else ceil(mp, x)


def rint(mp: Any, x: Any) -> Any:
    """The nearest whole number, halves to even."""
    return mp.nint(_settled(mp, 2 * x) / 2)


def where(mp: Any, condition: Any, yes: Any, no: Any) -> Any:
    """yes where the condition is true, else no."""
    return yes if condition != 0 else no


def truediv(mp: Any, x: Any, y: Any) -> Any:
    """x/y; by 0 as IEEE 754 has it, whose 0 is positive here."""
    if y == 0:
        return mp.nan if x == 0 or x != x else mp.inf * mp.sign(x)
    return x / y


def floordiv(mp: Any, x: Any, y: Any) -> Any:
    """x/y, rounded down."""
    found = truediv(mp, x, y)
    return floor(mp, found) if mp.isfinite(found) else found


def mod(mp: Any, x: Any, y: Any) -> Any:
    """The remainder with the sign of the divisor."""
    return x - y * floor(mp, x / y)


def fmod(mp: Any, x: Any, y: Any) -> Any:
    """The remainder with the sign of the dividend."""
    return x - y * trunc(mp, x / y)


def power(mp: Any, x: Any, y: Any) -> Any:
    """x^y; at x = 0 and for a negative x as IEEE 754 has it."""
    if y == 0 or x == 1:
        return mp.one
    if x == 0:
        return mp.zero if y > 0 else mp.inf
    if x < 0 and not mp.isint(y):
        return mp.nan
    return x ** int(y) if mp.isint(y) and mp.mag(y) < 1000 else mp.power(x, y)


def cbrt(mp: Any, x: Any) -> Any:
    """The cube root, of negative numbers too."""
    return mp.sign(x) * mp.cbrt(abs(x))


def maximum(mp: Any, *args: Any) -> Any:
    """The largest."""
    return max(args)


def minimum(mp: Any, *args: Any) -> Any:
    """The smallest."""
    return min(args)


def clip(mp: Any, x: Any, low: Any, high: Any) -> Any:
    """A number, kept between bounds."""
    return min(max(x, low), high)


def exp2(mp: Any, x: Any) -> Any:
    """2 to the power x."""
    return mp.power(2, x)


def log2(mp: Any, x: Any) -> Any:
    """The logarithm to base 2."""
    return mp.log(x) / mp.ln2


def gamma(mp: Any, x: Any) -> Any:
    """The gamma function."""
    if x == 0:
        return mp.inf
    return _by_sum(mp, x, derive=False) if _is_slow(mp, x) else mp.gamma(x)


def factorial(mp: Any, n: Any) -> Any:
    """n!."""
    return gamma(mp, n + 1)


def lgamma(mp: Any, x: Any) -> Any:
    """ln(|gamma(x)|)."""
    if x <= 0 and mp.isint(x):
        return mp.inf
    if not _is_slow(mp, x):
        return mp.re(mp.loggamma(x))
    zeros = -min(mp.mag(x - 1), mp.mag(x - 2), 0)  # bits that are lost near 1 and 2
    with mp.workprec(mp.prec + zeros + _NEAR):
        return mp.log(abs(_by_sum(mp, x, derive=False)))


def digamma(mp: Any, x: Any, order: Any) -> Any:
    """The derivative of lgamma, taken `order` times more."""
    return _by_sum(mp, x, derive=True) if order == 0 and _is_slow(mp, x) else mp.psi(int(order), x)


def _is_slow(mp: Any, x: Any) -> bool:
    """Whether mpmath needs so many of Bernoulli's numbers for the gamma function that a sum is faster."""
    return bool(mp.dps > MANY_DIGITS and abs(x) < mp.dps and not mp.isint(x))


def _by_sum(mp: Any, x: Any, derive: bool) -> Any:
    """The gamma function, or the derivative of its logarithm: t^(x - 1)*exp(-t), integrated from 0 to n term by term.

    DLMF 8.7.1: n^x*exp(-n) times the sum of n^k/(x*(x + 1)*...*(x + k)), over one denominator, so that nothing is
    divided. All terms are positive. What is left, beyond n, is less than the last digit.
    """
    digits = mp.dps + 10
    with mp.workdps(digits):
        whole = mp.floor(x) - 1
        start = x - whole  # from 1 to 2, and the factors between the two
        between = [start + at if whole > 0 else x + at for at in range(int(abs(whole)))]
        n = int(digits * math.log(10)) + 20
        power, total, product, total_moves, product_moves = mp.one, mp.one, start, mp.zero, mp.one
        part = start
        while mp.mag(power) > mp.mag(total) - mp.prec:
            part += 1
            if derive:
                total_moves, product_moves = total_moves * part + total, product_moves * part + product
            power *= n
            total, product = total * part + power, product * part
        if derive:
            found = mp.log(n) + total_moves / total - product_moves / product
            return found + mp.sign(whole) * mp.fsum(1 / each for each in between)
        found = mp.exp(start * mp.log(n) - n) * total / product
        between = mp.fprod(between)
        return found * between if whole > 0 else found / between


def logaddexp(mp: Any, x: Any, y: Any) -> Any:
    """ln(exp(x) + exp(y))."""
    if x == y and mp.isinf(x):
        return x
    return max(x, y) + mp.log1p(mp.exp(-abs(x - y)))


def softplus(mp: Any, x: Any) -> Any:
    """ln(1 + exp(x))."""
    return logaddexp(mp, x, mp.zero)


def xlogy(mp: Any, x: Any, y: Any) -> Any:
    """x*ln(y), and 0 where x is 0."""
    return mp.zero if x == 0 else x * mp.log(y)


def sinc(mp: Any, x: Any, order: Any) -> Any:
    """The order-th derivative of sin(pi*x)/(pi*x): by Leibniz's rule, with more digits near 0, where it cancels."""
    n = int(order)
    if mp.isinf(x):
        return mp.zero
    if x == 0:
        return mp.zero if n % 2 else mp.mpf((-1) ** (n // 2)) * mp.pi**n / (n + 1)
    with mp.extraprec((n + 1) * max(0, 8 - mp.mag(x))):
        z = mp.pi * x
        waves = (mp.sinpi(x), mp.cospi(x), -mp.sinpi(x), -mp.cospi(x))
        value = waves[0] / z
        for k in range(1, n + 1):
            value = (waves[k % 4] - k * value) / z
        value *= mp.pi**n
    return +value


def sigmoid(mp: Any, x: Any) -> Any:
    """1/(1 + exp(-x))."""
    return 1 / (1 + mp.exp(-x))


def relu(mp: Any, x: Any) -> Any:
    """max(x, 0)."""
    return max(x, mp.zero)


def leaky_relu(mp: Any, x: Any, slope: Any) -> Any:
    """A number where positive, else a part of it."""
    return x if x > 0 else slope * x


def elu(mp: Any, x: Any, alpha: Any) -> Any:
    """A number where positive, else alpha*(exp(x) - 1)."""
    return x if x > 0 else alpha * mp.expm1(x)


def silu(mp: Any, x: Any) -> Any:
    """x*sigmoid(x)."""
    return mp.zero if x == mp.ninf else x / (1 + mp.exp(-x))
