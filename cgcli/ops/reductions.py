"""Reductions that are not linear, and what is made of them.

A Jvp is a formula linear in dx, the tangent of x; the names `axis`, `keepdims` in it are
the operation's own parameters. An expansion is the operation written as others.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.errors import ShapeError
from cgcli.graph.node import Node, apply
from cgcli.graph.operation import ANALYTIC, ARRAYS, CHOOSES, NON_NEGATIVE, Kink, Operation, Shape
from cgcli.graph.rules import Jvp, Transpose
from cgcli.graph.shapes import shape_text, shaped
from cgcli.ops.arithmetic import MULTIPLY
from cgcli.ops.creation import ONES, OfShape
from cgcli.ops.entry import STEP, passes, same_shape
from cgcli.ops.indexing import take
from cgcli.ops.lazily import np
from cgcli.ops.shaping import CONCAT, reshape
from cgcli.ops.statics import Along, Axes, Taken, axes, axis, keepdims, whole
from cgcli.ops.sums import Reduce, reduced_shape
from cgcli.records import NamedTuple

_SHARED = """
hit = x == {extreme}(x, axis=axis, keepdims=1)
sum(hit*dx, axis=axis, keepdims=keepdims)/sum(hit, axis=axis, keepdims=keepdims)
"""
# The same, with structural zeros for the elements that are not the extreme: 0*inf would be nan. Of a nan, all is nan.
_CHOSEN = """
less = x {less} {extreme}(x, axis=axis, keepdims=1)
count = (size(x, axis=axis) - sum(less, axis=axis, keepdims=keepdims))*where(out == out, 1, out)
sum(where(less, 0, dx), axis=axis, keepdims=keepdims)/count
"""


_LARGEST = "top = max(x, axis=axis, keepdims=1); far = where(abs(top) == inf, 0, top); "
# In units of the largest element: the share of one that is nearly the whole norm would lose its derivative.
_BY_LARGEST = """
largest = max(abs(x), axis=axis, keepdims=1)
unit = where(largest == 0, 0, x/largest)
length = norm(unit, axis=axis, keepdims=keepdims)
sum(unit*dx, axis=axis, keepdims=keepdims)/where(length == 0, 1, length)
"""

_SHORT = 2**13  # elements whose squares one sum after the other adds up: of more, numpy's keeps more digits


class Spread(NamedTuple):
    """The parameters of a variance. ddof: by how much the divisor is less than the number of elements."""

    axes: tuple[int, ...]
    keepdims: bool
    ddof: int


def _never_empty(shapes: Sequence[Shape], params: Reduce) -> Shape:
    if any(shapes[0][at] == 0 for at in params.axes):
        raise ShapeError(f"{shaped(shapes[0])} has no elements, of which none is the largest or smallest")
    return reduced_shape(shapes, params)


def _extreme(name: str, less: str, doc: str, example: str) -> Operation:
    def kernel(x: Any, along: tuple[int, ...], keep: bool) -> Any:
        return getattr(np, name)(x, axis=along, keepdims=keep)

    def tied(x: Any, along: tuple[int, ...], keep: bool) -> Any:
        return np.sum(x == kernel(x, along, True), along, keepdims=keep) > 1

    rule = Jvp(_CHOSEN.format(extreme=name, less=less), _SHARED.format(extreme=name))
    return Operation(name, doc, ("x",), kernel, _never_empty, (rule,), aliases=(f"a{name}",),
                     statics=(axes(True), keepdims(True)), params=Reduce,
                     kink=Kink(tied, "equal elements of an extreme share its derivative equally", tie=True),
                     facts=CHOOSES, example=example, latex=rf"\{name}_{{axis}} #1", mp=ARRAYS)  # fmt: skip


def _argument(name: str, doc: str, example: str) -> Operation:
    def kernel(x: Any, along: tuple[int, ...], keep: bool) -> Any:
        search, rank = getattr(np, name), len(along)
        lead = np.ndim(x) - rank if along == tuple(range(-rank, 0)) else None
        if len(along) == 1:
            return search(x, axis=along[0], keepdims=keep) * 1.0
        flat = np.reshape(x, (*np.shape(x)[:lead], -1))
        found = search(flat, axis=-1) * 1.0
        return np.reshape(found, (*np.shape(x)[:lead], *((1,) * rank if keep else ())))

    def shape(shapes: Sequence[Shape], params: Reduce) -> Shape:
        if len(params.axes) not in (1, len(shapes[0])):
            raise ShapeError(f"{name} takes one axis, or none for the whole array")
        return _never_empty(shapes, params)

    return Operation(name, doc, ("x",), kernel, shape, (None,), statics=(axes(), keepdims()), params=Reduce,
                     facts=NON_NEGATIVE, why_no_derivative=STEP, example=example,
                     latex=rf"\operatorname*{{{name[:3]}\,{name[3:]}}}_{{axis}} #1", mp=ARRAYS)  # fmt: skip


def _prod(x: Any, along: tuple[int, ...], keep: bool) -> Any:
    return np.prod(x, along, keepdims=keep)


def _prod_by_halves(args: tuple[Node, ...], params: Reduce) -> Node:
    """The product as a tree of products of halves.

    Its derivative has each element's product of all others, without a division: exact with
    zeros among them, to any order, in linear work.
    """
    (x,) = args
    final = reduced_shape((x.shape,), params)
    if any(x.shape[at] == 0 for at in params.axes):
        return apply(ONES, (), OfShape(final))
    for at in params.axes:
        while (size := x.shape[at]) > 1:
            half = size // 2
            product = apply(MULTIPLY, (_part(x, at, 0, half), _part(x, at, half, half)))
            odd = size % 2
            x = apply(CONCAT, (product, _part(x, at, 2 * half, 1)), Along(at)) if odd else product
    return reshape(x, final)


def _part(x: Node, at: int, start: int, count: int) -> Node:
    key = [Taken(0, size, 1) for size in x.shape]
    key[at] = Taken(start, count, 1)
    return take(x, tuple(key))


def centred(x: Any, along: tuple[int, ...]) -> Any:
    """x less its mean along axes, in memory of its own."""
    mean: Any = np.add.reduce(x, along, keepdims=True)
    mean /= x.size / (mean.size or 1)
    return np.subtract(x, mean)


def sum_of_squares(x: Any, along: tuple[int, ...], keep: bool) -> Any:
    """The squares of an array's elements, added up along axes."""
    rank = len(along)
    last = x.shape[-1] if rank == 1 else math.prod(x.shape[x.ndim - rank :])
    if along[:1] != (-rank,) or not 0 < last <= _SHORT or x.dtype != np.float64 or not x.flags.c_contiguous:
        reduce: Any = np.add.reduce
        return reduce(np.square(x), along, keepdims=keep)
    if rank > 1:
        x = x.reshape(*x.shape[: x.ndim - rank], last)
    total = np.vecdot(x, x)
    return total[(..., *(None,) * rank)] if keep else total


def _var(x: Any, along: tuple[int, ...], keep: bool, ddof: int) -> Any:
    return np.divide(sum_of_squares(centred(np.asarray(x), along), along, keep), _size(x, along) - ddof)


def _std(x: Any, along: tuple[int, ...], keep: bool, ddof: int) -> Any:
    return np.divide(_norm(centred(np.asarray(x), along), along, keep), np.sqrt(_size(x, along) - ddof))


def _spread_shape(shapes: Sequence[Shape], params: Spread) -> Shape:
    along, keep, ddof = params
    count = math.prod(shapes[0][at] for at in along)
    if ddof > count:
        raise ShapeError(f"ddof is {ddof}, but there are only {count} elements to spread")
    return reduced_shape(shapes, Reduce(along, keep))


def _norm(x: Any, along: tuple[int, ...], keep: bool) -> Any:
    """The root of the sum of squares; by hypot where squares overflow or underflow."""
    with np.errstate(over="ignore", under="ignore"):
        squares = np.sum(np.square(x), along, keepdims=keep)
    safe = (squares > 1e-280) & (squares < 1e300)
    return np.sqrt(squares) if np.all(safe) else np.where(safe, np.sqrt(squares), _scaled_norm(x, along, keep))[()]


def _scaled_norm(x: Any, along: tuple[int, ...], keep: bool) -> Any:
    scale = np.max(np.abs(x), axis=along, keepdims=True, initial=0.0)
    safe = np.where((scale > 0) & np.isfinite(scale), scale, 1.0)
    root = np.sqrt(np.sum(np.square(x / safe), along, keepdims=True)) * safe
    return root if keep else np.squeeze(root, along)


def _below_largest(x: Any, along: tuple[int, ...]) -> tuple[Any, Any]:
    """By how much each element is below the largest one, and that. 0 for the infinite ones."""
    largest = np.max(x, axis=along, keepdims=True, initial=-np.inf)
    if np.all(np.isfinite(largest)):
        return x - largest, largest
    with np.errstate(invalid="ignore"):
        return np.where(x == np.inf, 0.0, x - np.where(largest == -np.inf, 0.0, largest)), largest


def _log_of_sum(below: Any, along: tuple[int, ...]) -> Any:
    """ln(sum(exp(x))) less the largest x; what is not the largest adds to 1, which it may be far below."""
    largest = below == 0
    others = np.sum(np.where(largest, 0.0, np.exp(below)), along, keepdims=True)
    with np.errstate(divide="ignore"):
        return np.log1p(others + (np.sum(largest, along, keepdims=True) - 1.0))


def _logsumexp(x: Any, along: tuple[int, ...], keep: bool) -> Any:
    below, largest = _below_largest(x, along)
    value = _log_of_sum(below, along) + largest
    return value if keep else np.reshape(value, np.shape(np.sum(x, along)))


def _softmax(x: Any, along: int) -> Any:
    powers = x - _largest(x, along)
    np.exp(powers, out=powers)
    powers /= np.add.reduce(powers, along, keepdims=True)
    return powers


def log_softmax(x: Any, along: int) -> Any:
    """The kernel of ln(softmax(x)): where the largest element, of which exp is 1, is most of the sum, log1p has it."""
    largest = _largest(x, along)
    if not np.isfinite(largest).all():
        below, largest = _below_largest(x, (along,))
        return x - largest - _log_of_sum(below, (along,))
    below = x - largest
    powers = np.exp(below)
    total = np.add.reduce(powers, along, keepdims=True)
    logarithm = np.log(total)
    if np.minimum.reduce(total, None, initial=2.0) < 2.0:
        others = np.add.reduce(powers, along, keepdims=True, where=below < 0)
        np.log1p(others, out=logarithm, where=total < 2.0)
    below -= logarithm
    return below


def _largest(x: Any, along: int) -> Any:
    return np.maximum.reduce(x, along, keepdims=True, initial=-np.inf)


def _first_largest(x: Any, along: int) -> tuple[Any, ...]:
    """The index of the first largest element along an axis, as an axis of size 1."""
    rank = x.ndim
    places = [np.arange(size).reshape(-1, *(1,) * (rank - 1 - at)) for at, size in enumerate(x.shape)]
    places[along] = np.argmax(x, along, keepdims=True)
    return tuple(places)


# The derivatives of softmax and its logarithm, in which 1 - share would lose the digits of a share near 1, stay the
# same when a number is added to all of a tangent: it is taken relative to that of the largest element.
_FROM_LARGEST = "from_it = dx - at_largest(dx, x, axis=axis)\n"
_FIRST_LARGEST = """
largest = x == max(x, axis=axis, keepdims=1) or x != x
first = largest*(cumsum(largest, axis=axis) == 1)
"""


def _at_largest(dx: Any, x: Any, along: int) -> Any:
    return dx[_first_largest(x, along)]


def _to_largest(y: Any, x: Any, along: int) -> Any:
    result: Any = np.zeros(np.shape(x), np.result_type(y))
    result[_first_largest(x, along)] = y
    return result


def _at_largest_shape(shapes: Sequence[Shape], params: Along) -> Shape:
    dx, x = shapes
    if dx != x:
        raise ShapeError(f"at_largest: shapes {shape_text(dx)} and {shape_text(x)} differ")
    return _never_empty((x,), Reduce((params.axis,), True))


def _to_largest_shape(shapes: Sequence[Shape], params: Along) -> Shape:
    y, x = shapes
    if len(x) < -params.axis or y != _at_largest_shape((x, x), params):
        raise ShapeError(
            f"to_largest: an array of {shape_text(y)} has no element for each largest one of {shape_text(x)}"
        )
    return x


_WHICH = "which element is the largest is a step"
AT_LARGEST: Operation = Operation(
    "at_largest", "dx at the first largest element of x along an axis", ("dx", "x"), _at_largest, _at_largest_shape,
    (Transpose(lambda ct, args, params: apply(TO_LARGEST, (ct, args[1]), params)), None),
    expansion=_FIRST_LARGEST + "sum(where(first, dx, 0), axis=axis, keepdims=1)", statics=(axis(-1),), params=Along,
    facts=CHOOSES, example="at_largest([1, 2, 3], [7, 9, 8])", work=passes(1), why_no_derivative=_WHICH,
)  # fmt: skip
TO_LARGEST: Operation = Operation(
    "to_largest", "y at the first largest element of x along an axis, 0 elsewhere", ("y", "x"), _to_largest,
    _to_largest_shape, (Transpose(lambda ct, args, params: apply(AT_LARGEST, (ct, args[1]), params)), None),
    expansion=_FIRST_LARGEST + "where(first, y, 0)", statics=(axis(-1),), params=Along, gaps=True,
    facts=CHOOSES, example="to_largest([5], [7, 9, 8])",
    work=lambda shapes, params: math.prod(shapes[1]), why_no_derivative=_WHICH,
)  # fmt: skip


def _size(x: Any, along: tuple[int, ...]) -> Any:
    return np.float64(math.prod(np.shape(x)[at] for at in along))


def _size_rows(x: Any, along: tuple[int, ...]) -> Any:
    return np.full(len(x), _size(x, along))


_SPREAD_STATICS = (axes(), keepdims(), whole("ddof", 0, least=0))
# The derivative of a variance through the mean is 0, so in its book form the mean counts as a constant.
_VARIANCE = (
    "sum((x - stop_gradient(mean(x, axis=axis, keepdims=1)))^2, axis=axis, keepdims=keepdims)"
    "/(size(x, axis=axis) - ddof)"
)

MAX = _extreme("max", "<", "the largest element", example="max([3, 7, 5])")
MIN = _extreme("min", ">", "the smallest element", example="min([3, 7, 5])")
LOG_SOFTMAX = Operation(
    "log_softmax", "ln(softmax(x)), exact for small shares", ("x",), log_softmax, same_shape,
    (Jvp(_FROM_LARGEST + "from_it - sum(exp(out)*from_it, axis=axis, keepdims=1)",
         "dx - sum(softmax(x, axis=axis)*dx, axis=axis, keepdims=1)"),), statics=(axis(-1),), params=Along,
    facts=ANALYTIC, example="log_softmax([1, 2, 3])", work=passes(5), mp="log_softmax",
    simpler=_LARGEST + "x - far - ln(sum(exp(x - far), axis=axis, keepdims=1))")  # fmt: skip
NORM = Operation("norm", "the Euclidean norm", ("x",), _norm, reduced_shape,
                 (Jvp(_BY_LARGEST, "length = norm(x, axis=axis, keepdims=1)\n"
                      "sum(where(length == 0, 0, x/length)*dx, axis=axis, keepdims=keepdims)"),),
                 statics=(axes(True), keepdims(True)), params=Reduce, facts=ANALYTIC | NON_NEGATIVE,
                 book="sqrt(sum(x^2, axis=axis, keepdims=keepdims))",
                 kink=Kink(lambda x, along, keep: _norm(x, along, keep) == 0,
                           "the derivative of norm at 0 is taken as 0", isolated=True), example="norm([3, 4])",
                 latex=r"\lVert #1 \rVert", work=passes(2), mp="norm",
                 simpler="top = max(abs(x), axis=axis, keepdims=1); far = where(top == 0 || top == inf, 1, top); "
                         "max(far, axis=axis, keepdims=keepdims)*sqrt(sum((x/far)^2, axis=axis, "
                         "keepdims=keepdims))")  # fmt: skip
SIZE = Operation("size", "how many elements there are along axes", ("x",), _size, lambda shapes, params: (), (None,),
                 statics=(axes(),), params=Axes, facts=NON_NEGATIVE, why_no_derivative="it depends on the shape only",
                 evident=True, rows=_size_rows, example="size([[1, 2, 3], [4, 5, 6]])", mp=ARRAYS)  # fmt: skip

PROD = Operation("prod", "the elements multiplied", ("x",), _prod, reduced_shape, expansion=_prod_by_halves,
                 statics=(axes(), keepdims()), params=Reduce, label="Π", facts=ANALYTIC,
                 book="exp(sum(ln(x), axis=axis, keepdims=keepdims))", example="prod([2, 3, 4])",
                 latex=r"\prod_{axis} #1")  # fmt: skip

SOFTMAX = Operation(
    "softmax",
    "exp(x), scaled to add up to 1 along an axis (the last one)",
    ("x",),
    _softmax,
    same_shape,
    (
        Jvp(
            _FROM_LARGEST + "out*(from_it - sum(out*from_it, axis=axis, keepdims=1))",
            "out*(dx - sum(out*dx, axis=axis, keepdims=1))",
        ),
    ),
    statics=(axis(-1),),
    params=Along,
    facts=ANALYTIC | NON_NEGATIVE,
    example="softmax([1, 2, 3])",
    work=passes(5),
    mp="softmax",
    simpler=_LARGEST + "u = exp(x - far); u/sum(u, axis=axis, keepdims=1)",
)

ENTRIES: tuple[Operation, ...] = (
    MAX,
    LOG_SOFTMAX,
    MIN,
    _argument("argmax", "the index of the largest element", example="argmax([3, 7, 5])"),
    _argument("argmin", "the index of the smallest element", example="argmin([3, 7, 5])"),
    PROD,
    Operation("var", "the variance; ddof=1 for a sample's", ("x",), _var, _spread_shape,
              expansion="sum((x - mean(x, axis=axis, keepdims=1))^2, axis=axis, keepdims=keepdims)"
                        "/(size(x, axis=axis) - ddof)", statics=_SPREAD_STATICS, params=Spread,
              facts=ANALYTIC | NON_NEGATIVE, book=_VARIANCE, example="var([1, 2, 3, 4])",
              work=passes(4)),
    Operation("std", "the standard deviation; ddof=1 for a sample's", ("x",), _std, _spread_shape,
              expansion="norm(x - mean(x, axis=axis, keepdims=1), axis=axis, keepdims=keepdims)"
                        "/sqrt(size(x, axis=axis) - ddof)", statics=_SPREAD_STATICS, params=Spread,
              facts=ANALYTIC | NON_NEGATIVE, book=f"sqrt({_VARIANCE})",
              kink=Kink(lambda x, along, keep, ddof: _std(x, along, keep, ddof) == 0,
                        "the derivative of std at 0 is taken as 0", isolated=True), example="std([1, 3])",
              work=passes(4)),
    NORM,
    Operation("logsumexp", "ln(sum(exp(x))) without overflow", ("x",), _logsumexp, reduced_shape,
              (Jvp("powers = exp(where(x == inf, 0, x - max(x, axis=axis, keepdims=1)))\n"
                   "sum(powers*dx, axis=axis, keepdims=keepdims)/sum(powers, axis=axis, keepdims=keepdims)"),),
              statics=(axes(), keepdims()), params=Reduce, facts=ANALYTIC,
              book="ln(sum(exp(x), axis=axis, keepdims=keepdims))", example="logsumexp([1000, 1000])", work=passes(4),
              mp="logsumexp",
              simpler=_LARGEST + "max(far, axis=axis, keepdims=keepdims) + ln(sum(exp(x - far), axis=axis, "
                                 "keepdims=keepdims))"),
    SOFTMAX,
    AT_LARGEST,
    TO_LARGEST,
    SIZE,
)  # fmt: skip
