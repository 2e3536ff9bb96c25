"""The complementary error function and gelu on arrays: in the middle, by polynomials that BLAS computes together.

Both are made of a tail of the normal distribution: the bell exp(-s^2/2) times a slow function of the size s.
Beyond the middle are few numbers in most arrays; the formulas for them hold everywhere, and take longer.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable, Sequence
from cgcli.lean import cache
from cgcli.ops.lazily import np
from cgcli.records import NamedTuple

_BLOCK = 2**14  # numbers that go together: their rows fit in a core's cache
_LANES = 64  # how many numbers go together is a multiple of it, so that BLAS treats each of them alike
_MIDDLE = 5.6  # where it ends, in standard deviations

# The tail over the bell, one*two/(three*four), each a polynomial in s, lowest power first: through its values at the
# Chebyshev nodes of (s - 4)/(s + 4) for s from 0 to 5.6, computed with 60 digits, and taken apart at its roots.
# It is right to 8.5e-17 of itself, and its terms are all positive, so that none of their digits cancel.
_ONE = (0.5, 0.27933258558093504, 0.05731754177559897, 0.0042724842829015, 0.0)
_TWO = (1.0, 0.6115716564292971, 0.22914454002603105, 0.040788518142636454, 0.0043188791657757)
_THREE = (1.0, 0.9530325411458381, 0.3596430323526611, 0.06883888297282235, 0.0060812227089224015)
_FOUR = (1.0, 1.0150888472481863, 0.42872134134542983, 0.08777047306464977, 0.0076059038512590205)

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


class _Form(NamedTuple):
    """A function that is made of a tail.

    rows: the polynomials one, three, two and four in abs(x). factor: the bell is exp(factor*x^2). middle: where it
    ends. finish: writes the value, from x and the tail. beyond: computes it for any x.
    """

    rows: Any
    factor: float
    middle: float
    finish: Callable[[Any, Any, Any], None]
    beyond: Callable[[Any], Any]


def erfc(x: Any) -> Any:
    """1 - erf(x)."""
    return _by_blocks(x, _erfc_form())


def gelu(x: Any) -> Any:
    """x*erfc(-x/sqrt(2))/2."""
    return _by_blocks(x, _gelu_form())


@cache
def _erfc_form() -> _Form:
    """erfc(x) is twice the tail from sqrt(2)*x on."""
    rows = np.array((_ONE, _THREE, _TWO, _FOUR)) * math.sqrt(2.0) ** np.arange(5.0)
    rows[0] *= 2.0
    two = np.float64(2.0).view(np.int64)

    def finish(x: Any, tail: Any, out: Any) -> None:
        left = np.right_shift(x.view(np.int64), 63, out=out.view(np.int64))  # all bits where x is negative
        left &= two
        np.subtract(out, tail, out=out)
        np.abs(out, out=out)

    return _Form(rows, -1.0, _MIDDLE / math.sqrt(2.0), finish, _any_erfc)


@cache
def _gelu_form() -> _Form:
    """gelu(x) is max(x, 0) less abs(x) times the tail from abs(x) on."""
    rows = np.array(((0.0, *_ONE[:-1]), _THREE, _TWO, _FOUR))
    zeros = np.zeros(_BLOCK)

    def finish(x: Any, tail: Any, out: Any) -> None:
        np.maximum(x, zeros[: len(x)], out=out)
        out -= tail

    return _Form(rows, -0.5, _MIDDLE, finish, _any_gelu)


def _by_blocks(x: Any, form: _Form) -> Any:
    x = np.asarray(x, np.float64)
    flat = np.ascontiguousarray(x).reshape(-1)
    result = np.empty(flat.size)
    size = min(_BLOCK, -(-flat.size // _LANES) * _LANES)
    powers, values = np.empty((5, size)), np.empty((4, size))
    powers[0] = 1.0
    for begin in range(0, flat.size, _BLOCK):
        _block(flat[begin : begin + _BLOCK], form, powers, values, result[begin : begin + _BLOCK])
    return result.reshape(x.shape)[()]


def _block(x: Any, form: _Form, powers: Any, values: Any, result: Any) -> None:
    """The values of a block. powers, values: memory for the powers of abs(x), and for the polynomials."""
    if (wide := -(-len(x) // _LANES) * _LANES) < powers.shape[1]:
        powers, values = powers[:, :wide], values[:, :wide]
    size, square = powers[1], powers[2]
    size[len(x) :] = 0.0
    np.abs(x, out=size[: len(x)])
    beyond = None
    if not np.maximum.reduce(size) <= form.middle:
        beyond = np.flatnonzero(~(size <= form.middle))
        size[beyond] = 0.0
    np.multiply(size, size, out=square)
    np.multiply(powers[1:3], square, out=powers[3:])
    np.matmul(form.rows, powers, out=values)
    square *= form.factor
    tail = np.exp(square, out=square)
    np.multiply(values[:2], values[2:], out=values[:2])
    tail *= values[0]
    tail /= values[1]
    form.finish(x, tail[: len(x)], result)
    if beyond is not None:
        result[beyond] = form.beyond(x[beyond])


def _any_erfc(x: Any) -> Any:
    """By one formula for all x: scipy's function loses digits where x^2 is rounded, and branches at each element."""
    size = np.minimum(np.abs(x), 28.0)  # beyond, it is 0 or 2
    value = _scaled_erfc(size)
    value *= _bell(size, 1.0)
    sign = np.copysign(1.0, x)
    value *= sign
    value += 1.0 - sign  # 2 - erfc(-x) on the left
    return value


def _scaled_erfc(size: Any) -> Any:
    """exp(x^2)*erfc(x) for x from 0 to 28."""
    part = size / (size + 3.0)
    value = polynomial(ERFC_COEFFICIENTS, part - 0.5)
    value *= part
    value += 1.0
    value /= size + 1.0
    return value


def _bell(x: Any, factor: float) -> Any:
    """exp(-factor*x^2): the square of the upper half of x is exact, and the rest is little."""
    high = np.float64(np.float32(x))
    value = np.exp(high * high * -factor)
    value *= np.exp((high - x) * (high + x) * factor)
    return value


def polynomial(coefficients: Sequence[float], x: Any) -> Any:
    """By Horner's rule, in place where x is an array; highest power first."""
    first, *rest, last = coefficients
    value = first * x
    for coefficient in rest:
        value += coefficient
        value *= x
    value += last
    return value


def _any_gelu(x: Any) -> Any:
    """x*erfc(-x/sqrt(2))/2, with the bell of x itself, for that of x/sqrt(2), which is rounded, would lose digits."""
    size = np.minimum(np.abs(x), 40.0)
    value = _scaled_erfc(size * math.sqrt(0.5))
    value *= _bell(size, 0.5)
    right = np.copysign(0.5, x) + 0.5
    value *= 0.5 - right
    value += right
    value *= np.maximum(x, -40.0)  # below, it is 0
    return value
