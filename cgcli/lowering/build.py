"""Nodes from the values of an expression's parts: array literals, slices, chained comparisons."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Sequence
from cgcli.errors import ArgumentError, ShapeError, Span
from cgcli.graph.node import CONSTANT, Node, apply, check_size, constant_array, data_of
from cgcli.graph.operation import Operation, Params
from cgcli.ops.logic import AND_OP
from cgcli.ops.table import FUNCTIONS

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
    for value, span in zip(values, spans, strict=True):
        if isinstance(value, str):
            hint = "rows are chosen by a text with other tools, as in: mlr --csv filter '$name == \"a\"'"
            raise ArgumentError("a text cannot be compared: values are numbers", span, hint=hint)
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
