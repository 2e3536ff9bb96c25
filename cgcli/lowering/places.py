"""base[items] as numpy reads it: whole numbers, slices, lists of places, `...` and new axes, computed places too."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.errors import ArgumentError, CgError, ShapeError, Span
from cgcli.graph.node import Node, apply, constant, constant_array
from cgcli.graph.operation import Shape
from cgcli.graph.shapes import axes_text, shape_text
from cgcli.lean import struct
from cgcli.lowering.arguments import Value, is_computed, known
from cgcli.lowering.invoke import Several
from cgcli.ops.arithmetic import ADD, EQUAL_TO, FLOOR, MOD, MULTIPLY
from cgcli.ops.entry import broadcast_shapes
from cgcli.ops.indexing import ELEMENT, INDEX, Index, taken
from cgcli.ops.logic import LESS, LESS_EQUAL, WHERE
from cgcli.ops.shaping import reshape, transpose
from cgcli.ops.statics import RawSlice, Taken
from cgcli.ops.sums import broadcast
from cgcli.records import NamedTuple
from cgcli.syntax import tree

_ALL = RawSlice(None, None, None)


class _Item(NamedTuple):
    """What an index says of one axis. value: a slice, a node, or None for a new axis. apart: behind an ellipsis that
    stands for no axis, which keeps lists apart all the same."""

    value: Any
    span: Span
    apart: bool = False

    @property
    def is_place(self) -> bool:
        """Whether it is a number or a list of them."""
        return isinstance(self.value, Node)


def indexed(base: Value, items: Sequence[Value], index: tree.Index) -> Node:
    """base[items]. items: the values at the index, dots and new axes as they are. index: where it was read.

    Raises ArgumentError and ShapeError at the item that is wrong.
    """
    if isinstance(base, Several):
        return _one_of(base, items, index)
    if not isinstance(base, Node):
        raise ArgumentError("a text has no elements to index", index.base.span, hint="texts are arguments of einsum")
    plain = not any(isinstance(item, tree.Dots | tree.NewAxis) for item in items)
    places = _written_out(items, [item.span for item in index.items], base.shape)
    if any(item.is_place and item.value.shape for item in places):
        return _by_lists(base, places)
    return _by_numbers(base, places, plain)


def _one_of(base: Several, items: Sequence[Value], index: tree.Index) -> Node:
    """One of several results, as split(x, 2)[0]."""
    place = known(items[0], "an index") if len(items) == 1 and isinstance(items[0], Node) else None
    if not isinstance(place, float):
        raise ArgumentError("several results take one whole number as their index", index.span)
    try:
        at = taken(place, 0, len(base.values))
    except CgError as error:
        raise error.at(index.items[0].span) from None
    assert isinstance(at, int)
    return base.values[at]


def _written_out(items: Sequence[Value], spans: Sequence[Span], shape: Shape) -> list[_Item]:
    """An item for each axis, and for each new one; what stands for no axis is written out."""
    dots = [span for item, span in zip(items, spans, strict=True) if isinstance(item, tree.Dots)]
    if len(dots) > 1:
        raise ArgumentError("an index has one '...'", dots[1])
    taking = sum(not isinstance(item, tree.Dots | tree.NewAxis) for item in items)
    left = len(shape) - taking
    if left < 0:
        raise ArgumentError(f"{taking} indices for {axes_text(len(shape))}", hint=f"the shape is {shape_text(shape)}")
    found: list[_Item] = []
    apart = False
    for item, span in zip(items, spans, strict=True):
        if isinstance(item, tree.Dots):
            found += [_Item(_ALL, span)] * left
            apart = not left
            continue
        value = None if isinstance(item, tree.NewAxis) else _checked(item, span)
        found.append(_Item(value, span, apart))
        apart = False
    return found if dots else found + [_Item(_ALL, spans[-1])] * left


def _checked(item: Value, span: Span) -> Node | RawSlice:
    """A number, a list of them or a slice. Raises ArgumentError."""
    if isinstance(item, Node) and item.shape and item.op.truth is not None:
        raise ArgumentError("an index is a whole number or a slice, not a condition", span,
                            hint="where(v > 0, v, 0) puts 0 for the other elements")  # fmt: skip
    if isinstance(item, Node | RawSlice):
        return item
    raise ArgumentError("an index is a whole number or a slice", span, hint="as in: x[0], x[1:3], x[[0, 2]]")


def _by_numbers(base: Node, items: Sequence[_Item], plain: bool) -> Node:
    """By numbers and slices. plain: without '...' and new axes, so that x[:] is an index, too."""
    axes = [item for item in items if item.value is not None]
    at = 0
    for item in [*axes]:
        if item.is_place and item.value.op.truth is None and is_computed(item.value):
            base = apply(ELEMENT, (_to_front(base, [at]), item.value))
            axes.remove(item)
        else:
            at += 1
    if any(item.value != _ALL for item in axes) or (plain and len(axes) == len(items)):
        base = _cut(base, axes)
    kept = [item for item in items if not item.is_place]
    return _with_new_axes(base, kept)


def _cut(base: Node, axes: Sequence[_Item]) -> Node:
    """By known numbers and slices alone, one for each axis."""
    key: list[Taken | int] = []
    for at, item in enumerate(axes):
        try:
            place = known(item.value, "an index") if item.is_place else item.value
            key.append(taken(place, at, base.shape[at]))
        except CgError as error:
            raise error.at(item.span) from None
    return apply(INDEX, (base,), Index(tuple(key)))


def _with_new_axes(base: Node, items: Sequence[_Item]) -> Node:
    """New axes among those of the array."""
    sizes = iter(base.shape)
    return reshape(base, tuple(1 if item.value is None else next(sizes) for item in items))


def _to_front(base: Node, axes: Sequence[int], *, back: bool = False) -> Node:
    """The array with some of its axes in front; back: where those in front go to these places."""
    order = [*axes, *(at for at in range(len(base.shape)) if at not in axes)]
    rank = len(order)
    if back:
        order = sorted(range(rank), key=order.__getitem__)
    return base if order == [*range(rank)] else transpose(base, tuple(at - rank for at in order))


def _by_lists(base: Node, items: Sequence[_Item]) -> Node:
    """By lists of places, which broadcast against each other and against numbers, as numpy's integer arrays do.

    Their axes stand where the lists do, and in front where something stands between these.
    """
    from cgcli.ops.rearranged import elements

    axes = [item._replace(value=_ALL) if item.is_place else item for item in items if item.value is not None]
    if any(item.value != _ALL for item in axes):
        base = _cut(base, axes)
    base = _with_new_axes(base, items)
    at = [axis for axis, item in enumerate(items) if item.is_place]
    sizes = [base.shape[axis] for axis in at]
    lists = [_list(items[axis], axis, base.shape[axis]) for axis in at]
    try:
        shape = broadcast_shapes([each.shape for each in lists])
    except ShapeError as error:
        raise error.among([items[axis].span for axis in at]) from None
    places = lists[0] if len(lists) == 1 else _joined(lists, sizes)
    base = _to_front(base, at)
    rest = base.shape[len(at) :]
    flat = reshape(broadcast(places, shape), (math.prod(shape),))
    found = reshape(elements(reshape(base, (math.prod(sizes), *rest)), flat), (*shape, *rest))
    together = at == [*range(at[0], at[0] + len(at))] and not any(items[axis].apart for axis in at[1:])
    return _to_front(found, range(at[0], at[0] + len(shape)), back=True) if together else found


def _list(item: _Item, axis: int, size: int) -> Node:
    """The places of an item: where they are known, whole numbers from 0. Raises CgError for those that do not exist."""
    node: Node = item.value
    if is_computed(node):
        return node
    try:
        numbers = [taken(place, axis, size) for place in _flat(known(node, "an index"))]
    except CgError as error:
        raise error.at(item.span) from None
    return constant_array(struct.pack(f"<{len(numbers)}d", *numbers), node.shape)


def _flat(values: Any) -> list[Any]:
    while isinstance(values, tuple) and values and isinstance(values[0], tuple):
        values = tuple(item for row in values for item in row)
    return [*values] if isinstance(values, tuple) else [values]


def _joined(lists: Sequence[Node], sizes: Sequence[int]) -> Node:
    """The places within all axes as one, the last axis fastest."""
    is_known = not any(map(is_computed, lists))
    joined = constant(0.0)
    for place, size in zip(lists, sizes, strict=True):
        inside = place if is_known else _inside(place, size)
        joined = apply(ADD, (apply(MULTIPLY, (joined, constant(float(size)))), inside))
    if not is_known:
        return joined
    numbers = _flat(known(joined, "an index"))
    return constant_array(struct.pack(f"<{len(numbers)}d", *numbers), joined.shape)


def _inside(place: Node, size: int) -> Node:
    """A computed place counted from 0; nan where there is none."""
    count = constant(float(size))
    inside = apply(MOD, (place, count))
    is_place = (
        apply(LESS_EQUAL, (constant(-float(size)), place)),
        apply(LESS, (place, count)),
        apply(EQUAL_TO, (place, apply(FLOOR, (place,)))),
    )
    for test in is_place:
        inside = apply(WHERE, (test, inside, constant(math.nan)))
    return inside
