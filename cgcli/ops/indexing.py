"""Elements taken out of an array, put into one, or surrounded by zeros. All linear.

`take` and `put` are each other's transpose; so are padding and a slice.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.errors import ArgumentError, ShapeError
from cgcli.graph.node import Node, apply, check_size
from cgcli.graph.operation import ARRAYS, CHOOSES, REQUIRED, Advice, Operation, Shape, Static
from cgcli.graph.rules import Transpose
from cgcli.graph.shapes import axes_text, shape_text
from cgcli.ops.lazily import np
from cgcli.ops.statics import RawSlice, Taken, brief, integer, integers, sizes_of
from cgcli.records import NamedTuple

Key = tuple[Taken | int, ...]


class Index(NamedTuple):
    """The parameter of an index: an item for each axis."""

    key: Key


class Place(NamedTuple):
    """A key of a larger array, and that array's shape."""

    shape: Shape
    key: Key


class Put(NamedTuple):
    """The parameter of put."""

    place: Place


class Pad(NamedTuple):
    """The parameter of pad: how many zeros stand before and after, for each axis."""

    widths: tuple[tuple[int, int], ...]


def _key(value: Any, sizes: Shape) -> Key:
    """Index items, checked against the sizes and written out for every axis."""
    if len(value) > len(sizes):
        raise ArgumentError(
            f"{len(value)} indices for {axes_text(len(sizes))}", hint=f"the shape is {shape_text(sizes)}"
        )
    items = [*value, *[RawSlice(None, None, None)] * (len(sizes) - len(value))]
    return tuple(taken(item, axis, size) for axis, (item, size) in enumerate(zip(items, sizes, strict=True)))


def taken(item: Any, axis: int, size: int) -> Taken | int:
    """What an index takes of an axis of some size.

    Raises ShapeError when it is out of range, ArgumentError for a slice's step of 0.
    """
    if isinstance(item, Taken):
        return item
    if isinstance(item, RawSlice):
        if item.step == 0:
            raise ArgumentError("a slice's step cannot be 0")
        places = range(size)[slice(*item)]
        return Taken(places.start if places else 0, len(places), places.step)
    place = integer(item, "an index")
    if not -size <= place < size:
        hint = f"indices go from 0 to {size - 1}" if size else "the axis is empty"
        raise ShapeError(f"index {place} is out of range for axis {axis} of size {size}", hint=hint)
    return place % size


def _show_key(key: Key, sizes: Shape) -> str:
    return ", ".join(_show_item(item, size) for item, size in zip(key, sizes, strict=True))


def _show_item(item: Taken | int, size: int) -> str:
    if isinstance(item, int):
        return str(item)
    start, count, step = item
    stop = start + count * step if count else start
    if step < 0 and stop < 0:
        return f"{start}::{step}"
    if (start, stop, step) == (0, size, 1):
        return ":"
    return f"{start}:{stop}" if step == 1 else f"{start}:{stop}:{step}"


def _slices(key: Key) -> tuple[Any, ...]:
    """The key for numpy; the ellipsis in front lets a batch axis pass."""
    items: list[Any] = [...]
    for item in key:
        if isinstance(item, int):
            items.append(item)
        else:
            stop = item.start + item.size * item.step if item.size else item.start
            items.append(slice(item.start, None if stop < 0 else stop, item.step))
    return tuple(items)


def _take(x: Any, key: Key) -> Any:
    return np.asarray(x)[_slices(key)]


def _taken_shape(key: Key) -> Shape:
    return tuple(item.size for item in key if isinstance(item, Taken))


def _take_shape(shapes: Sequence[Shape], params: Index) -> Shape:
    return _taken_shape(params.key)


INDEX_KEY = Static("key", lambda value, shapes: _key(value, shapes[0]),
                   lambda key, shapes: _show_key(key, shapes[0]), REQUIRED, variadic=True)  # fmt: skip
INDEX = Operation("index", "elements or slices of an array: x[0], X[:, 1]", ("x",), _take, _take_shape,
                  (Transpose(lambda ct, args, params: put(ct, args[0].shape, params.key)),),
                  statics=(INDEX_KEY,), params=Index, label="[ ]", written=("x[key]",),
                  facts=CHOOSES, example="[5, 6, 7][1:]",
                  work=lambda shapes, params: math.prod(_take_shape(shapes, params)), mp=ARRAYS)  # fmt: skip


def unraveled(number: int, shape: Shape) -> tuple[int, ...]:
    """The place of an element in an array of a shape, of which so many stand before it in a row."""
    found: list[int] = []
    for size in reversed(shape):
        number, at = divmod(number, size)
        found.append(at)
    return tuple(reversed(found))


def take(x: Node, key: Any) -> Node:
    """x[key]; x itself when the key takes all of it, what was put where the key takes it, and an element of a list."""
    if x.op is PUT and x.params == Put(Place(x.shape, key)):
        return x.args[0]
    if x.op.name == "stack" and len(x.shape) == 1 and isinstance(key[0], int):
        element: Node = x.args[key[0]]
        return element
    whole_key = tuple(Taken(0, size, 1) for size in x.shape)
    return x if key == whole_key else apply(INDEX, (x,), Index(key))


def _put(x: Any, place: Place) -> Any:
    sizes, key = place
    lead = np.shape(x)[: np.ndim(x) - len(_taken_shape(key))]
    result = np.zeros((*lead, *sizes), np.result_type(x))
    result[_slices(key)] = x
    return result


def _place(value: Any, shapes: Sequence[Shape]) -> Place:
    """(shape, items...) together, for the items need the shape."""
    value = value if isinstance(value, tuple) and value else ((),)
    sizes = sizes_of(value[0])
    check_size(sizes, "put")
    return Place(sizes, _key(value[1:], sizes))


def _show_place(place: Place, shapes: Sequence[Shape]) -> str:
    sizes, key = place
    return ", ".join([shape_text(sizes), *([_show_key(key, sizes)] if key else [])])


def _put_shape(shapes: Sequence[Shape], params: Put) -> Shape:
    sizes, key = params.place
    if _taken_shape(key) != shapes[0]:
        raise ShapeError(
            f"values of shape {shape_text(shapes[0])} do not fill a place of shape {shape_text(_taken_shape(key))}"
        )
    return sizes


PUT = Operation("put", "zeros of a shape with x at an index: put(x, [5], 1:3)", ("x",), _put, _put_shape,
                (Transpose(lambda ct, args, params: take(ct, params.place.key)),),
                statics=(Static("place", _place, _show_place, REQUIRED, variadic=True),), params=Put,
                gaps=True, facts=CHOOSES, example="put(7, [3], 1)", mp=ARRAYS)  # fmt: skip


def put(x: Node, sizes: Shape, key: Any) -> Node:
    """Zeros of shape `sizes` with x at the key: the transpose of `take`."""
    return apply(PUT, (x,), Put(Place(sizes, key)))


class Size(NamedTuple):
    """How many elements an axis has."""

    size: int


def _element(x: Any, i: Any) -> Any:
    return x[int(i)] if -len(x) <= i < len(x) and i == int(i) else np.full(np.shape(x)[1:], np.nan)[()]


def _element_rows(x: Any, i: Any) -> Any:
    size = x.shape[1]
    inside = (i >= -size) & (i < size) & (i == np.floor(i))
    found = x[np.arange(len(x)), np.where(inside, i, 0).astype(np.intp)]
    return np.where(inside.reshape(-1, *(1,) * (x.ndim - 2)), found, np.nan)


def _element_shape(shapes: Sequence[Shape], params: tuple[()]) -> Shape:
    array, place = shapes
    if place or not array:
        raise ShapeError("element takes an array and a number", clash=(0, 1))
    return array[1:]


def _why_nan(x: Any, i: Any) -> str:
    if i % 1 != 0:
        return f"an index is a whole number, and not {i:g}"
    return f"there is no element {i:.0f}: indices go from 0 to {len(x) - 1}" if len(x) else "there is no element"


ELEMENT = Operation(
    "element", "x[i], where i is computed: nan where there is none", ("x", "i"), _element, _element_shape,
    (Transpose(lambda ct, args, params: _put_back(ct, args)), None),
    rows=_element_rows, facts=CHOOSES, example="element([1, 2, 3], 1 + 1)", mp=ARRAYS,
    advice=Advice("nan", "", of_arrays=_why_nan),
)  # fmt: skip


def _put_element(x: Any, i: Any, size: int) -> Any:
    made = np.zeros((size, *np.shape(x)), np.result_type(x))
    if -size <= i < size and i == int(i):
        made[int(i)] = x
    return made


def _put_element_rows(x: Any, i: Any, size: int) -> Any:
    made = np.zeros((len(x), size, *x.shape[1:]))
    inside = (i >= -size) & (i < size) & (i == np.floor(i))
    rows = np.flatnonzero(inside)
    made[rows, i[rows].astype(np.intp)] = x[rows]
    return made


def _put_back(ct: Node, args: tuple[Node, ...]) -> Node:
    return apply(PUT_ELEMENT, (ct, args[1]), Size(args[0].shape[0]))


PUT_ELEMENT = Operation(
    "put_element", "zeros with x at the index i, which is computed: put_element(5, 1, 3)", ("x", "i"), _put_element,
    lambda shapes, params: (params.size, *shapes[0]),
    (Transpose(lambda ct, args, params: apply(ELEMENT, (ct, args[1]))), None),
    statics=(Static("size", lambda value, shapes: integer(value, "a size"), lambda size, shapes: str(size), REQUIRED),),
    params=Size, rows=_put_element_rows, facts=CHOOSES, example="put_element(5, 1, 3)", mp=ARRAYS,
)  # fmt: skip


def _widths(value: Any, shapes: Sequence[Shape]) -> tuple[tuple[int, int], ...]:
    """(before, after) for each axis; one pair or one number stands for all."""
    rank = len(shapes[0])
    rows = value if isinstance(value, tuple) and value and isinstance(value[0], tuple) else (value,) * rank
    pairs = []
    for row in rows:
        pair = integers(row, "a width")
        pairs.append(pair * 2 if len(pair) == 1 else pair)
    if len(pairs) != rank or any(len(pair) != 2 or min(pair) < 0 for pair in pairs):
        raise ArgumentError(f"widths {brief(value)} do not fit {rank} axes", hint="as in: pad(x, [[1, 1], [0, 2]])")
    return tuple((before, after) for before, after in pairs)


def _show_widths(widths: tuple[tuple[int, int], ...], shapes: Sequence[Shape]) -> str:
    return "[" + ", ".join(shape_text(pair) for pair in widths) + "]"


def _pad(x: Any, widths: tuple[tuple[int, int], ...]) -> Any:
    lead = ((0, 0),) * (np.ndim(x) - len(widths))
    return np.pad(x, (*lead, *widths)) if widths else x


def _pad_shape(shapes: Sequence[Shape], params: Pad) -> Shape:
    return tuple(before + size + after for size, (before, after) in zip(shapes[0], params.widths, strict=True))


def _pad_back(ct: Node, args: tuple[Node, ...], params: Pad) -> Node:
    starts = (before for before, _ in params.widths)
    return take(ct, tuple(Taken(start, size, 1) for start, size in zip(starts, args[0].shape, strict=True)))


PAD = Operation("pad", "zeros around: pad(x, [before, after]), or one pair for each axis", ("x",), _pad,
                _pad_shape, (Transpose(_pad_back),),
                statics=(Static("widths", _widths, _show_widths, REQUIRED),), params=Pad,
                gaps=True, facts=CHOOSES, example="pad([1, 2], [1, 0])", mp=ARRAYS)  # fmt: skip

ENTRIES: tuple[Operation, ...] = (INDEX, PUT, PAD, ELEMENT, PUT_ELEMENT)
