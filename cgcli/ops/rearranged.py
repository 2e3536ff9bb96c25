"""Functions of arrays that are written out as others: running products, sorting, middles, parts put together or apart.

Names, arguments and defaults are numpy's. Sorting is one operation, `take_along`: it reads elements by their computed
places, and its transpose adds up where a place is read twice.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.errors import ArgumentError, ShapeError
from cgcli.graph.node import Node, apply, constant
from cgcli.graph.operation import ARRAYS, CHOOSES, NON_NEGATIVE, REQUIRED, Operation, Shape, Shorthand, Static
from cgcli.graph.rules import Transpose
from cgcli.graph.shapes import shape_text
from cgcli.ops.arithmetic import ADD, MAXIMUM, MINIMUM, MULTIPLY
from cgcli.ops.creation import LINSPACE, Points
from cgcli.ops.entry import STEP, same_shape
from cgcli.ops.indexing import take
from cgcli.ops.lazily import np
from cgcli.ops.shaping import CONCAT, reshape, transpose
from cgcli.ops.statics import Along, Taken, axis, brief, integers, keepdims, number, whole
from cgcli.ops.sums import Reduce, broadcast, reduced_shape
from cgcli.records import NamedTuple

_Args = tuple[Node, ...]


class AlongSized(NamedTuple):
    """The parameters of put_along: how many places the axis has, and the axis."""

    size: int
    axis: int


# ---- elements by their computed places ------------------------------------------------


def _argsort(x: Any, along: int) -> Any:
    return np.argsort(x, axis=along, kind="stable") * 1.0


def _take_along(x: Any, i: Any, along: int) -> Any:
    """nan where there is no such place."""
    i = np.asarray(i, dtype=float)
    size = np.shape(x)[along]
    inside = (i >= -size) & (i < size) & (i == np.floor(i))
    found = np.take_along_axis(x, np.where(inside, i, 0.0).astype(np.intp), along)
    return found if np.all(inside) else np.where(inside, found, np.nan)


def _put_along(x: Any, i: Any, size: int, along: int) -> Any:
    i = np.asarray(i, dtype=float)
    inside = (i >= -size) & (i < size) & (i == np.floor(i))
    sizes = list(np.shape(x))
    places: list[Any] = list(np.ogrid[tuple(slice(0, each) for each in sizes)])
    sizes[along] = size
    made = np.zeros(sizes, np.result_type(x))
    places[along] = np.where(inside, i, 0.0).astype(np.intp)
    np.add.at(made, tuple(each[inside] for each in np.broadcast_arrays(*places)), np.asarray(x)[inside])
    return made


def _take_along_shape(shapes: Sequence[Shape], params: Along) -> Shape:
    x, i = shapes
    at = params.axis
    if len(x) != len(i) or any(a != b for k, (a, b) in enumerate(zip(x, i, strict=True)) if k != at + len(x)):
        raise ShapeError(f"take_along: shapes {shape_text(x)} and {shape_text(i)} differ beside the axis", clash=(0, 1))
    return i


def _put_along_shape(shapes: Sequence[Shape], params: AlongSized) -> Shape:
    x, i = shapes
    if x != i:
        raise ShapeError(f"put_along: shapes {shape_text(x)} and {shape_text(i)} differ", clash=(0, 1))
    at = params.axis + len(x)
    return (*x[:at], params.size, *x[at + 1 :])


def _take_along_back(ct: Node, args: _Args, params: Along) -> Node:
    return apply(PUT_ALONG, (ct, args[1]), AlongSized(args[0].shape[params.axis], params.axis))


def _put_along_back(ct: Node, args: _Args, params: AlongSized) -> Node:
    return apply(TAKE_ALONG, (ct, args[1]), Along(params.axis))


ARGSORT = Operation("argsort", "the places of the elements in ascending order, along an axis (the last one)", ("x",),
                    _argsort, same_shape, (None,), statics=(axis(-1),), params=Along, facts=NON_NEGATIVE,
                    why_no_derivative=STEP, evident=True, example="argsort([3, 7, 5])", mp=ARRAYS)  # fmt: skip
TAKE_ALONG = Operation("take_along", "elements by their places along an axis: nan where there is none", ("x", "i"),
                       _take_along, _take_along_shape, (Transpose(_take_along_back), None), statics=(axis(-1),),
                       params=Along, aliases=("take_along_axis", "gather"), facts=CHOOSES,
                       example="take_along([5, 6, 7], [2, 0])",
                       mp=ARRAYS)  # fmt: skip
PUT_ALONG = Operation("put_along", "zeros with elements added at places along an axis, the transpose of take_along",
                      ("x", "i"), _put_along, _put_along_shape, (Transpose(_put_along_back), None),
                      statics=(whole("size", least=0), axis(-1)), params=AlongSized,
                      example="put_along([5, 6], [2, 0], 3)", mp=ARRAYS)  # fmt: skip


def elements(x: Node, i: Node) -> Node:
    """x[i], the parts of x at places along its first axis, for a vector of places."""
    rank = len(x.shape)
    places = broadcast(reshape(i, (*i.shape, *(1,) * (rank - 1))), (*i.shape, *x.shape[1:]))
    return apply(TAKE_ALONG, (x, places), Along(-rank))


def sort(x: Node, along: int) -> Node:
    """The elements in ascending order along an axis, a negative number."""
    return apply(TAKE_ALONG, (x, apply(ARGSORT, (x,), Along(along))), Along(along))


def _sort(args: _Args, params: Along) -> Node:
    return sort(args[0], params.axis)


class Topk(NamedTuple):
    """The parameters of topk."""

    k: int
    axis: int


def part(x: Node, along: int, start: int, count: int, step: int = 1) -> Node:
    """So many elements along an axis, a negative number, from one on."""
    key: list[Taken | int] = [Taken(0, size, 1) for size in x.shape]
    key[along] = Taken(start, count, step)
    return take(x, tuple(key))


def _topk(args: _Args, params: Topk) -> Node:
    (x,), size = args, args[0].shape[params.axis]
    if params.k > size:
        raise ShapeError(f"topk: there are {size} elements, not {params.k}")
    return part(sort(x, params.axis), params.axis, size - 1, params.k, -1)


def _one_axis(x: Node, along: int | None) -> tuple[Node, int]:
    """The array and the axis; all elements in a row where there is none."""
    if along is None:
        x, along = reshape(x, (math.prod(x.shape),)), -1
    if not x.shape[along]:
        raise ShapeError(f"the middle of no elements: the shape is {shape_text(x.shape)}")
    return x, along


class Middle(NamedTuple):
    """The parameters of median."""

    axis: int | None
    keepdims: bool


class Quantile(NamedTuple):
    """The parameters of quantile."""

    q: float
    axis: int | None
    keepdims: bool


def _median(args: _Args, params: Middle) -> Node:
    return _quantile(args, Quantile(0.5, *params))


def _quantile(args: _Args, params: Quantile) -> Node:
    """By linear interpolation, as numpy's."""
    if not 0 <= params.q <= 1:
        raise ArgumentError(f"q must be from 0 to 1, not {brief(params.q)}")
    x, along = _one_axis(args[0], params.axis)
    place = params.q * (x.shape[along] - 1)
    below = min(math.floor(place), max(x.shape[along] - 2, 0))
    ordered, share = sort(x, along), place - below

    reduced = range(-len(args[0].shape), 0) if params.axis is None else (along,)
    final = reduced_shape((args[0].shape,), Reduce(tuple(reduced), params.keepdims))

    def at(place: int) -> Node:
        return reshape(part(ordered, along, place, 1), final)

    if share == 0 or share == 1:
        return at(below + int(share))
    return apply(ADD, (_scaled(at(below), 1 - share), _scaled(at(below + 1), share)))


def _scaled(x: Node, factor: float) -> Node:
    return apply(MULTIPLY, (constant(factor), x))


# ---- running products and extremes ----------------------------------------------------


def _running(operation: Operation) -> Any:
    """A running fold in log2(n) steps (Hillis and Steele 1986), which join elements 1, 2, 4, … apart."""

    def expansion(args: _Args, params: Along) -> Node:
        (x,), along = args, params.axis
        size, shift = x.shape[along], 1
        while shift < size:
            joined = apply(operation, (part(x, along, shift, size - shift), part(x, along, 0, size - shift)))
            x = apply(CONCAT, (part(x, along, 0, shift), joined), Along(along))
            shift *= 2
        return x

    return expansion


# ---- arrangement ----------------------------------------------------------------------


class Times(NamedTuple):
    """The parameters of repeat."""

    times: int
    axis: int | None


class Shifts(NamedTuple):
    """The parameters of roll."""

    shift: int
    axis: int | None


class TwoAxes(NamedTuple):
    """The parameters of swapaxes and moveaxis."""

    first: int
    second: int


class Repeats(NamedTuple):
    """The parameter of tile."""

    counts: tuple[int, ...]


def _repeat(args: _Args, params: Times) -> Node:
    (x,), along = args, params.axis
    if along is None:
        x, along = reshape(x, (math.prod(x.shape),)), -1
    at = along + len(x.shape)
    grown = (*x.shape[: at + 1], params.times, *x.shape[at + 1 :])
    wide = broadcast(reshape(x, (*x.shape[: at + 1], 1, *x.shape[at + 1 :])), grown)
    return reshape(wide, (*x.shape[:at], x.shape[at] * params.times, *x.shape[at + 1 :]))


def _tile(args: _Args, params: Repeats) -> Node:
    (x,), counts = args, params.counts
    rank = max(len(x.shape), len(counts))
    sizes = (1,) * (rank - len(x.shape)) + x.shape
    counts = (1,) * (rank - len(counts)) + counts
    apart = tuple(each for size in sizes for each in (1, size))
    wide = tuple(each for count, size in zip(counts, sizes, strict=True) for each in (count, size))
    return reshape(broadcast(reshape(x, apart), wide), tuple(c * s for c, s in zip(counts, sizes, strict=True)))


def _counts(value: Any, shapes: Sequence[Shape]) -> tuple[int, ...]:
    counts = integers(value, "a count")
    if min(counts, default=0) < 0:
        raise ArgumentError(f"a count is at least 0, not {brief(value)}")
    return counts


def _roll(args: _Args, params: Shifts) -> Node:
    (x,), along = args, params.axis
    if along is None:
        return reshape(_roll((reshape(x, (math.prod(x.shape),)),), Shifts(params.shift, -1)), x.shape)
    size = x.shape[along]
    shift = params.shift % size if size else 0
    if not shift:
        return x
    parts = part(x, along, size - shift, shift), part(x, along, 0, size - shift)
    return apply(CONCAT, parts, Along(along))


class Parts(NamedTuple):
    """The parameters of split. places: where the axis is cut; or into how many equal parts."""

    places: tuple[int, ...] | int
    axis: int


def _places(value: Any, shapes: Sequence[Shape]) -> tuple[int, ...] | int:
    if isinstance(value, tuple):
        return integers(value, "a place")
    count = integers(value, "the number of parts")[0]
    if count < 1:
        raise ArgumentError(f"there is at least 1 part, not {brief(value)}")
    return count


def _split(args: _Args, params: Parts) -> tuple[Node, ...]:
    """Slices between the places, as numpy's."""
    (x,), (places, along) = args, params
    size = x.shape[along]
    if isinstance(places, int):
        if size % places:
            raise ShapeError(f"split: {size} elements do not make {places} equal parts", clash=(0,),
                             hint="places are as in: split(x, [2, 3])")  # fmt: skip
        places = tuple(range(size // places, size, size // places)) if size else (0,) * (places - 1)
    bounds = (slice(start, end).indices(size)[:2] for start, end in zip((0, *places), (*places, size), strict=True))
    return tuple(part(x, along, start, max(end - start, 0)) for start, end in bounds)


def _swapped(args: _Args, params: TwoAxes) -> Node:
    (x,), (first, second) = args, params
    order = list(range(-len(x.shape), 0))
    order[first], order[second] = order[second], order[first]
    return transpose(x, tuple(order))


def _moved(args: _Args, params: TwoAxes) -> Node:
    (x,), (source, destination) = args, params
    order = [at for at in range(-len(x.shape), 0) if at != source]
    order.insert(destination + len(x.shape), source)
    return transpose(x, tuple(order))


def _an_axis(name: str) -> Static:
    return axis(REQUIRED)._replace(name=name)


def _a_count(name: str) -> Static:
    return whole(name)


class Count(NamedTuple):
    """The parameter of linspace with ends that are computed."""

    points: int


def _linspace(args: tuple[Node, ...], params: Count) -> Node:
    """Both ends exact; arrays in a new first axis, as numpy's."""
    start, stop = args
    new = (params.points, *(1,) * max(len(start.shape), len(stop.shape)))

    def part(end: Node, first: float) -> Node:
        share = apply(LINSPACE, (), Points(first, 1 - first, params.points))
        return apply(MULTIPLY, (end, reshape(share, new)))

    return apply(ADD, (part(start, 1.0), part(stop, 0.0)))


ENTRIES: tuple[Operation | Shorthand, ...] = (
    Shorthand("sort", "the elements in ascending order, along an axis (the last one)", ("x",), _sort, (axis(-1),),
              Along, example="sort([3, 7, 5])"),
    ARGSORT, TAKE_ALONG, PUT_ALONG,
    Shorthand("topk", "the k largest elements along an axis (the last one), the largest first", ("x",), _topk,
              (whole("k", least=0), axis(-1)), Topk, example="topk([3, 7, 5], 2)"),
    Shorthand("median", "the middle element, or the mean of the two middle ones", ("x",), _median,
              (axis(None), keepdims()), Middle, example="median([3, 7, 5, 1])"),
    Shorthand("quantile", "the element below which the share q lies, by linear interpolation", ("x",), _quantile,
              (number("q"), axis(None), keepdims()), Quantile, example="quantile([1, 2, 3], 0.25)"),
    Shorthand("cumprod", "running products along an axis (the last one)", ("x",), _running(MULTIPLY),
              (axis(-1),), Along, example="cumprod([2, 3, 4])"),
    Shorthand("cummax", "the largest element so far, along an axis (the last one)", ("x",), _running(MAXIMUM),
              (axis(-1),), Along, example="cummax([3, 1, 4])"),
    Shorthand("cummin", "the smallest element so far, along an axis (the last one)", ("x",), _running(MINIMUM),
              (axis(-1),), Along, example="cummin([3, 1, 4])"),

    Shorthand("repeat", "each element so many times, along an axis, or all in a row", ("x",), _repeat,
              (whole("count", least=0), axis(None)), Times, example="repeat([1, 2], 2)"),
    Shorthand("tile", "copies behind each other, so many along each axis", ("x",), _tile,
              (Static("counts", _counts, lambda value, shapes: shape_text(value), REQUIRED),), Repeats,
              example="tile([1, 2], 2)"),
    Shorthand("roll", "the elements moved along an axis, those behind the end to the front", ("x",), _roll,
              (_a_count("shift"), axis(None)), Shifts, example="roll([1, 2, 3], 1)"),
    Shorthand("split", "the parts between places along an axis, or so many equal parts", ("x",), _split,
              (Static("parts", _places, lambda value, shapes: brief(value), REQUIRED), axis(0)), Parts,
              example="split([1, 2, 3, 4], 2)[1]"),
    Shorthand("swapaxes", "two axes in each other's place", ("x",), _swapped, (_an_axis("axis1"), _an_axis("axis2")),
              TwoAxes, example="swapaxes([[1, 2]], 0, 1)"),
    Shorthand("moveaxis", "an axis at another place", ("x",), _moved, (_an_axis("source"), _an_axis("destination")),
              TwoAxes, example="moveaxis([[1, 2]], 0, 1)"),
    Shorthand("ravel", "all elements in a row", ("x",), "reshape(x, [-1])", aliases=("flatten",),
              example="ravel([[1, 2], [3, 4]])"),
    Shorthand("linspace", "count values from start to stop, which are computed", ("start", "stop"), _linspace,
              (whole("count", 50, least=0),), Count, example="sum(i=1..2, linspace(0, i, 3))"),
)  # fmt: skip
