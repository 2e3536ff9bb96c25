"""Nodes from the values of an expression's parts: array literals, indices, slices, chained comparisons."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Sequence
from cgcli.errors import ArgumentError, CgError, ShapeError, Span
from cgcli.graph.node import CONSTANT, Node, apply, check_size, constant_array, data_of
from cgcli.graph.operation import Operation, Params
from cgcli.ops.logic import AND_OP
from cgcli.ops.table import FUNCTIONS
from cgcli.syntax import tree

if TYPE_CHECKING:
    from cgcli.lowering.arguments import Value
    from cgcli.ops.statics import RawSlice


def literal(values: Sequence[Value], spans: Sequence[Span]) -> Node:
    """The array of some elements: a constant when all of them are, else a stack.

    spans: where each element stands. Raises ArgumentError for an element that is no value,
    ShapeError for different shapes.
    """
    elements = [_node(value, "an array's element") for value in values]
    if not elements:
        return constant_array(b"", (0,))
    shape = elements[0].shape
    check_size((len(elements), *shape), "an array")
    if all(element.op is CONSTANT and element.shape == shape for element in elements):
        return constant_array(b"".join(map(data_of, elements)), (len(elements), *shape))
    from cgcli.ops.shaping import STACK
    from cgcli.ops.statics import Along

    return _applied(STACK, tuple(elements), Along(-len(shape) - 1), spans)


def indexed(base: Value, items: Sequence[Value], index: tree.Index) -> Node:
    """base[items], of an array. index: where it was read. Raises ArgumentError at the item that is wrong."""
    from cgcli.lowering.arguments import bind, known
    from cgcli.ops.indexing import ELEMENT, INDEX, taken

    if not isinstance(base, Node):
        raise ArgumentError("a text has no elements to index", index.base.span, hint="texts are arguments of einsum")
    if len(items) <= len(base.shape):
        at = next((at for at, item in enumerate(items) if _is_computed_number(item)), None)
        if at is not None:
            found = apply(ELEMENT, (_moved_to_front(base, at), items[at]))
            left = (*items[:at], *items[at + 1 :])
            rest = (*index.items[:at], *index.items[at + 1 :])
            return indexed(found, left, index._replace(items=rest)) if left else found
        if len(items) == 1 and isinstance(items[0], Node) and len(items[0].shape) == 1 and items[0].op.truth is None:
            return _elements(base, items[0], index)
    keys = []
    spans = [item.span for item in index.items]
    for axis, (value, span) in enumerate(zip(items, spans, strict=True)):
        if isinstance(value, str) or (isinstance(value, Node) and value.shape):
            if isinstance(value, Node) and value.op.truth is not None:
                raise ArgumentError("an index is a whole number or a slice, not a condition", span,
                                    hint="where(v > 0, v, 0) puts 0 for the other elements")  # fmt: skip
            raise ArgumentError("an index is a whole number or a slice", span, hint="as in: x[0], x[1:3], x[[0, 2]]")
        try:
            keys.append(known(value, "an index"))
            if len(items) <= len(base.shape):
                taken(keys[axis], axis, base.shape[axis])
        except CgError as error:
            raise error.at(span) from None
    args, params = bind(INDEX, (base, *keys), {})
    return apply(INDEX, args, params)


def _is_computed_number(item: Value) -> bool:
    """Whether an index is a number that is known only when the program runs."""
    from cgcli.lowering.arguments import is_computed

    return isinstance(item, Node) and not item.shape and item.op.truth is None and is_computed(item)


def _moved_to_front(base: Node, axis: int) -> Node:
    if not axis:
        return base
    from cgcli.ops.shaping import transpose

    rank = len(base.shape)
    return transpose(base, (axis - rank, *(at - rank for at in range(rank) if at != axis)))


def _elements(base: Node, places: Node, index: tree.Index) -> Node:
    """base[[0, 2]]. Raises CgError at the index for places that are known and do not exist."""
    from cgcli.lowering.arguments import is_computed, known
    from cgcli.ops.indexing import taken
    from cgcli.ops.rearranged import elements

    try:
        for place in () if is_computed(places) else known(places, "an index"):
            taken(place, 0, base.shape[0])
    except CgError as error:
        raise error.at(index.items[0].span) from None
    return elements(base, places)


def raw_slice(start: Value, stop: Value, step: Value) -> RawSlice:
    """A slice whose parts are whole numbers or left out."""
    from cgcli.lowering.arguments import known
    from cgcli.ops.statics import RawSlice

    def part(value: Value) -> int | None:
        if value is None:
            return None
        number = known(value, "a slice")
        if not isinstance(number, int | float) or not float(number).is_integer():
            raise ArgumentError("a slice takes whole numbers")
        return int(number)

    return RawSlice(part(start), part(stop), part(step))


def comparisons(functions: Sequence[str], values: Sequence[Value], spans: Sequence[Span]) -> Node:
    """`a < b < c`, which is `a < b and b < c` with b computed once. spans: where each stands."""
    operands = [_node(value, "a comparison") for value in values]
    links = []
    for position, function in enumerate(functions):
        (operation,) = FUNCTIONS[function]
        assert isinstance(operation, Operation)
        pair = slice(position, position + 2)
        links.append(_applied(operation, tuple(operands[pair]), (), spans[pair]))
    chain = links[0]
    arrays = [span for span, operand in zip(spans, operands, strict=True) if operand.shape]
    for link in links[1:]:
        chain = _applied(AND_OP, (chain, link), (), arrays)
    return chain


def _applied(operation: Operation, args: tuple[Node, ...], params: Params, spans: Sequence[Span]) -> Node:
    """The node of an operation; an error in its shapes is placed among the spans of the operands."""
    try:
        return apply(operation, args, params)
    except ShapeError as error:
        raise error.among(spans) from None


def _node(value: Value, what: str) -> Node:
    if isinstance(value, Node):
        return value
    raise ArgumentError(f"{what} must be a value, not a text or a slice")
