"""The complementary error function and gelu on arrays: in the middle, by polynomials that BLAS computes together.

Both are made of a tail of the normal distribution: the bell exp(-s^2/2) times a slow function of the size s.
Beyond the middle are few numbers in most arrays; the formulas for them hold everywhere, and take longer.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable
from cgcli.lean import cache
from cgcli.ops.lazily import np
from cgcli.records import NamedTuple

_BLOCK = 2**15  # numbers that go together: with more, nothing is left of what a block costs by itself
_LANES = 64  # how many numbers go together is a multiple of it, so that BLAS treats each of them alike
_EDGE = 5.6  # of the middle, in standard deviations
_END = 39.0  # of all sizes: beyond, the bell is 0

# The tail over the bell, one*two/(three*four), each a polynomial in s, lowest power first: through its values at the
# Chebyshev nodes of (s - 4)/(s + 4) for s from 0 to 5.6, and to 39, computed with 60 digits, and taken apart at its
# roots. It is right to 1e-16 of itself, and its terms are all positive, so that none of their digits cancel.
# The rows are one, three, two and four.
_IN_MIDDLE = (
    (0.5, 0.27933258558093504, 0.05731754177559897, 0.0042724842829015, 0.0),
    (1.0, 0.9530325411458381, 0.3596430323526611, 0.06883888297282235, 0.0060812227089224015),
    (1.0, 0.6115716564292971, 0.22914454002603105, 0.040788518142636454, 0.0043188791657757),
    (1.0, 1.0150888472481863, 0.42872134134542983, 0.08777047306464977, 0.0076059038512590205),
)
_ANYWHERE = (
    (0.5, 0.32572831063119256, 0.09773562799286242, 0.01581888011162122, 0.0012446760864204686, 0.0, 0.0),
    (
        1.0,
        1.3948751790289138,
        0.8488013556507428,
        0.2935426498169393,
        0.0619974277890824,
        0.007823948327998036,
        0.00048803356773851323,
    ),
    (1.0, 0.9002588205436153, 0.4089385184600323, 0.1066083981595599, 0.015903794368064147, 0.0011242321011312917, 0.0),
    (1.0, 0.9547248235799454, 0.385075595217803, 0.07779310065059036, 0.007187081459393285, 0.0, 0.0),
)


class _Form(NamedTuple):
    """A function that is made of a tail.

    middle, anywhere: the rows of polynomials in abs(x). edge, end: where the middle ends, and all sizes. factor: the
    bell is exp(factor*x^2). finish: writes the value, from x and the tail. less: so many bells times abs(x) are taken
    off the tail before.
    """

    middle: Any
    anywhere: Any
    edge: float
    end: float
    factor: float
    finish: Callable[[Any, Any, Any], None]
    less: float = 0.0


def erfc(x: Any) -> Any:
    """1 - erf(x)."""
    return _by_blocks(x, _erfc_form())


def gelu(x: Any, order: int) -> Any:
    """x*erfc(-x/sqrt(2))/2, or its order-th derivative."""
    return _by_blocks(x, (_gelu_form, _slope_form)[order]()) if order < 2 else _bent(np.asarray(x, np.float64), order)


def _bent(x: Any, order: int) -> Any:
    """A derivative of gelu from the second on: the bell times a polynomial, which Hermite's make."""
    size = np.clip(x, -_END, _END)
    hermite = [np.zeros_like(x), np.ones_like(x)]
    for n in range(order - 1):
        hermite.append(size * hermite[-1] - n * hermite[-2])
    value = (order * hermite[-2] - size * hermite[-1]) * _bell(np.abs(size), 0.5) / math.sqrt(2 * math.pi)
    return (value if order % 2 == 0 else -value)[()]


@cache
def _erfc_form() -> _Form:
    """erfc(x) is twice the tail from sqrt(2)*x on."""
    middle, anywhere = (np.array(rows) * math.sqrt(2.0) ** np.arange(len(rows[0])) for rows in (_IN_MIDDLE, _ANYWHERE))
    for rows in (middle, anywhere):
        rows[0] *= 2.0
    two = np.float64(2.0).view(np.int64)

    def finish(x: Any, tail: Any, out: Any) -> None:
        left = np.right_shift(x.view(np.int64), 63, out=out.view(np.int64))  # all bits where x is negative
        left &= two
        np.subtract(out, tail, out=out)
        np.abs(out, out=out)

    return _Form(middle, anywhere, _EDGE / math.sqrt(2.0), _END / math.sqrt(2.0), -1.0, finish)


@cache
def _gelu_form() -> _Form:
    """gelu(x) is max(x, 0) less abs(x) times the tail from abs(x) on, which has its sign here."""
    middle, anywhere = (np.array(((0.0, *one[:-1]), *others)) for one, *others in (_IN_MIDDLE, _ANYWHERE))
    for rows in (middle, anywhere):
        rows[0] *= -1.0

    def finish(x: Any, tail: Any, out: Any) -> None:
        np.add(x, tail, out=out)
        np.maximum(out, tail, out=out)

    return _Form(middle, anywhere, _EDGE, _END, -0.5, finish)


@cache
def _slope_form() -> _Form:
    """The derivative of gelu is, below 0, the tail less abs(x) times the bell/sqrt(2*pi), and above 0 that from 1."""

    def finish(x: Any, tail: Any, out: Any) -> None:
        np.subtract(1.0, tail, out=out)
        bits, other = out.view(np.int64), tail.view(np.int64)
        other ^= bits
        other &= np.right_shift(x.view(np.int64), 63)  # all bits where x is negative
        bits ^= other

    less = 1 / math.sqrt(2 * math.pi)
    return _Form(np.array(_IN_MIDDLE), np.array(_ANYWHERE), _EDGE, _END, -0.5, finish, less)


_kept: list[tuple[Any, Any]] = []  # memory for blocks, which calls at the same time take each its own of


def _by_blocks(x: Any, form: _Form) -> Any:
    x = np.asarray(x, np.float64)
    flat = np.ascontiguousarray(x).reshape(-1)
    result = np.empty(x.shape)
    into = result.reshape(-1)
    try:
        memory = _kept.pop()  # without asking first, for another thread may take the last
    except IndexError:
        memory = np.ones((5, _BLOCK)), np.empty((4, _BLOCK))
    powers, values = memory
    for begin in range(0, flat.size, _BLOCK):
        _block(flat[begin : begin + _BLOCK], form, powers, values, into[begin : begin + _BLOCK])
    _kept.append(memory)
    return result if x.shape else result[()]


def _block(x: Any, form: _Form, powers: Any, values: Any, result: Any) -> None:
    """The values of a block. powers, values: memory for the powers of abs(x), and for the polynomials."""
    count = len(x)
    if (wide := -(-count // _LANES) * _LANES) < powers.shape[1]:
        powers, values = powers[:, :wide], values[:, :wide]
    size = powers[1]
    size[count:] = 0.0
    np.abs(x, out=size[:count])
    beyond = None
    if not np.maximum.reduce(size) <= form.edge:
        beyond = ~(size[:count] <= form.edge)
        np.minimum(size, form.edge, out=size)
    _polynomials(form.middle, powers, values)
    tail = _tail(form, np.exp(np.multiply(powers[2], form.factor, out=powers[2]), out=powers[2]), size, values)
    form.finish(x, tail[:count], result)
    if beyond is not None:
        result[beyond] = _anywhere(x[beyond], form)


def _tail(form: _Form, bell: Any, size: Any, values: Any) -> Any:
    """The tail, in the memory of the bell. size: of x, whose memory is lost. values: numerator and denominator."""
    above, below = values[:2]
    if form.less:
        size *= form.less
        size *= below
        above -= size
    bell *= above
    bell /= below
    return bell


def _polynomials(rows: Any, powers: Any, values: Any) -> None:
    """The numerator and the denominator, in the first rows of the values. powers: the first two rows are there."""
    square = np.multiply(powers[1], powers[1], out=powers[2])
    for at in range(3, len(powers), 2):
        np.multiply(powers[at - 2 : at], square, out=powers[at : at + 2])
    np.matmul(rows, powers, out=values)
    np.multiply(values[:2], values[2:], out=values[:2])


def _anywhere(x: Any, form: _Form) -> Any:
    """The values of any numbers, with a bell that keeps its digits where x^2 is large."""
    count = len(x)
    wide = -(-count // _LANES) * _LANES
    powers, values, result = np.empty((7, wide)), np.empty((4, wide)), np.empty(count)
    powers[0], powers[1, count:] = 1.0, 0.0
    size = np.minimum(np.abs(x), form.end, out=powers[1, :count])
    near = np.float64(size < form.end)
    size *= near  # numpy takes long for powers of e that are 0
    _polynomials(form.anywhere, powers, values)
    bell = _bell(size, -form.factor)
    bell *= near
    tail = _tail(form, bell, size, values[:, :count])
    form.finish(x, tail, result)
    return result


def _bell(x: Any, factor: float) -> Any:
    """exp(-factor*x^2): the square of the upper half of x is exact, and the rest is little."""
    high = np.float64(np.float32(x))
    value = np.exp(high * high * -factor)
    value *= np.exp((high - x) * (high + x) * factor)
    return value
