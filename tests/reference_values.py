"""Every elementwise operation a second time, by mpmath, to as many digits as are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from mpmath import mp, mpf


def truth(test: Callable[..., bool]) -> Callable[..., Any]:
    return lambda *args: mpf(1 if test(*args) else 0)


def fmod(x: Any, y: Any) -> Any:
    if y == 0:
        raise ZeroDivisionError
    return mp.sign(x) * mp.fmod(abs(x), abs(y))


def mod(x: Any, y: Any) -> Any:
    rest = fmod(x, y)
    return rest + y if rest * y < 0 else rest


def trunc(x: Any) -> Any:
    return mp.floor(x) if x >= 0 else mp.ceil(x)


def logaddexp(x: Any, y: Any) -> Any:
    return max(x, y) + mp.log1p(mp.exp(-abs(x - y)))


def sinc(x: Any, order: int) -> Any:
    """Leibniz's rule for sin(z) = z*S(z) with digits to spare; near 0 the power series."""
    with mp.workdps(mp.dps + 20 * (order + 1)):
        z = mp.pi * x
        if abs(x) >= 0.1:
            waves = (mp.sinpi(x), mp.cospi(x), -mp.sinpi(x), -mp.cospi(x))
            value = waves[0] / z
            for n in range(1, order + 1):
                value = (waves[n % 4] - n * value) / z
        else:
            first = (order + 1) // 2
            value = sum(
                (-1) ** k * z ** (2 * k - order) / (mp.factorial(2 * k - order) * (2 * k + 1))
                for k in range(first, first + 25)
            )
        return mp.pi**order * value


def polygamma(x: Any, order: int) -> Any:
    return mp.psi(order, x)


def gelu(x: Any, order: int) -> Any:
    """Leibniz's rule for x times the normal distribution function, whose derivatives are of its bell."""
    if order == 0:
        return x * erfc(-x / mp.sqrt(2)) / 2
    bell = mp.npdf(x)
    inner = [erfc(-x / mp.sqrt(2)) / 2, *((-1) ** k * _hermite(k, x) * bell for k in range(order))]
    return order * inner[order - 1] + x * inner[order]


def _hermite(k: int, x: Any) -> Any:
    """The polynomial that the k-th derivative of exp(-x^2/2) is over it, but for its sign."""
    return mp.hermite(k, x / mp.sqrt(2)) / mp.sqrt(2) ** k


def _gelu_terms(x: float, order: int) -> float:
    """The sizes of the terms that a derivative of gelu is the sum of."""
    sizes = [0.0, 1.0]
    for k in range(order - 1):
        sizes.append(abs(x) * sizes[-1] + k * sizes[-2])
    tail = math.erfc(-x / math.sqrt(2)) / 2 if order == 1 else 0.0
    return tail + (order * sizes[-2] + abs(x) * sizes[-1]) * math.exp(-min(x * x, 1400) / 2) / math.sqrt(2 * math.pi)


def tanhshrink(x: Any) -> Any:
    """By the power series near 0."""
    if abs(x) > 0.1:
        return x - mp.tanh(x)
    return -mp.nsum(lambda k: mp.bernoulli(2 * k) * 4**k * (4**k - 1) * x ** (2 * k - 1) / mp.factorial(2 * k), [2, 40])


def power(x: Any, y: Any) -> Any:
    return mpf(0) if x == 0 and y > 0 else mp.power(x, y)


def erfc(x: Any) -> Any:
    return mpf(0) if x > 1e8 else mp.erfc(x)


VALUES: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "floor_divide": lambda x, y: mp.floor(x / y),
    "mod": mod,
    "fmod": fmod,
    "neg": lambda x: -x,
    "power": power,
    "sqrt": mp.sqrt,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "abs": abs,
    "sign": mp.sign,
    "floor": mp.floor,
    "ceil": mp.ceil,
    "round": mp.nint,
    "trunc": trunc,
    "hypot": mp.hypot,
    "equal": truth(lambda x, y: x == y),
    "max...": max,
    "min...": min,
    "clip": lambda x, low, high: min(max(x, low), high),
    "exp": mp.exp,
    "expm1": mp.expm1,
    "exp2": lambda x: mp.power(2, x),
    "ln": mp.ln,
    "log1p": mp.log1p,
    "log2": lambda x: mp.log(x, 2),
    "log10": mp.log10,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "atan2": mp.atan2,
    "sec": mp.sec,
    "csc": mp.csc,
    "cot": mp.cot,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "sech": mp.sech,
    "asec": mp.asec,
    "acsc": mp.acsc,
    "acot": mp.acot,
    "asech": mp.asech,
    "acsch": mp.acsch,
    "acoth": mp.acoth,
    "logit": lambda x: mp.ln(x) - mp.ln(1 - x),
    "sinpi": mp.sinpi,
    "cospi": mp.cospi,
    "softsign": lambda x: x / (1 + abs(x)),
    "tanhshrink": tanhshrink,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
    "erf": mp.erf,
    "erfc": erfc,
    "gamma": mp.gamma,
    "lgamma": lambda x: mp.ln(abs(mp.gamma(x))) if abs(x) < 1e6 else mp.loggamma(x),
    "digamma": polygamma,
    "logaddexp": logaddexp,
    "xlogy": lambda x, y: x * mp.ln(y) if x else mpf(0),
    "sinc": sinc,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda x: logaddexp(x, mpf(0)),
    "relu": lambda x: max(x, mpf(0)),
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
    "elu": lambda x, alpha: x if x > 0 else alpha * mp.expm1(x),
    "gelu": gelu,
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "less": truth(lambda x, y: x < y),
    "greater": truth(lambda x, y: x > y),
    "not_equal": truth(lambda x, y: x != y),
    "less_equal": truth(lambda x, y: x <= y),
    "greater_equal": truth(lambda x, y: x >= y),
    "not": truth(lambda x: x == 0),
    "and": truth(lambda x, y: x != 0 and y != 0),
    "or": truth(lambda x, y: x != 0 or y != 0),
    "where": lambda condition, yes, no: yes if condition != 0 else no,
    "stop_gradient": lambda x: x,
}

# Static parameters to test beside the defaults.
PARAMETERS: dict[str, list[tuple[float, ...]]] = {
    "digamma": [(1,), (2,), (5,)],
    "sinc": [(1,), (2,), (3,), (8,)],
    "gelu": [(1,), (2,), (3,), (8,)],
    "leaky_relu": [(0.25,), (-0.5,)],
    "elu": [(1.5,), (-0.5,)],
}


class Beyond(NamedTuple):
    """A looser bound than 4 ulp: how many ulp, of at least which size, and why it is inherent."""

    ulps: float
    why: str
    scale: Callable[[Sequence[float], tuple[Any, ...]], float] = lambda point, params: 0.0


BEYOND: dict[str, Beyond] = {
    "erfc": Beyond(8, "a quotient of polynomials, times an exponential"),
    "gelu": Beyond(
        8,
        "as erfc, and its derivatives cancel where they cross 0; results below 1e-305 have few digits",
        lambda point, params: 1e-305 + (_gelu_terms(point[0], params[0]) if params[0] else 0.0),
    ),
    "gamma": Beyond(8, "scipy's power loses digits for large x"),
    "lgamma": Beyond(4, "cancels near its zeros 1 and 2", lambda point, params: 1.0),
    "digamma": Beyond(12, "scipy's zeta; results below 1e-305 have few digits", lambda point, params: 1e-305),
    "logaddexp": Beyond(4, "cancels near 0", lambda point, params: max(map(abs, point))),
    "sinc": Beyond(
        32,
        "its derivatives cancel where they cross 0",
        lambda point, params: math.pi ** params[0] / (1 + params[0] + math.pi * abs(point[0])) if params[0] else 0.0,
    ),
}


def reference(name: str) -> Callable[..., Any]:
    """The reference of an entry of the table."""
    assert name in VALUES, f"give the operation '{name}' a reference: an entry of VALUES in {__file__}"
    return VALUES[name]
