"""Nodes from the values of an expression's parts: array literals, indices, chained comparisons."""

from __future__ import annotations

from collections.abc import Sequence

from cgcli.errors import ArgumentError, CgError, Span
from cgcli.graph.node import CONSTANT, Node, apply, check_size, constant_array
from cgcli.graph.operation import Operation
from cgcli.lowering.arguments import Value, bind, known
from cgcli.ops.indexing import INDEX
from cgcli.ops.logic import AND_OP
from cgcli.ops.shaping import STACK
from cgcli.ops.table import FUNCTIONS


def literal(values: Sequence[Value]) -> Node:
    """The array of some elements: a constant when all of them are, else a stack.

    Raises ArgumentError for an element that is no value, ShapeError for different shapes.
    """
    elements = [_node(value, "an array's element") for value in values]
    if not elements:
        return constant_array(b"", (0,))
    shape = elements[0].shape
    check_size((len(elements), *shape), "an array")
    if all(element.op is CONSTANT and element.shape == shape for element in elements):
        return constant_array(b"".join(_data(element) for element in elements), (len(elements), *shape))
    return apply(STACK, tuple(elements), (-len(shape) - 1,))


def indexed(base: Value, items: Sequence[Value], spans: Sequence[Span]) -> Node:
    """base[items]. spans: where each item stands. Raises ArgumentError at the item that is wrong."""
    if isinstance(base, Node) and not base.shape:
        raise ArgumentError("a scalar has no elements to index")
    keys = []
    for value, span in zip(items, spans, strict=True):
        if isinstance(value, Node) and value.shape:
            raise ArgumentError("an index is a whole number or a slice", span, hint="as in: x[0], x[1:3]")
        try:
            keys.append(known(value, "an index"))
        except CgError as error:
            raise error.at(span) from None
    args, params = bind(INDEX, (base, *keys), {})
    return apply(INDEX, args, params)


def comparisons(functions: Sequence[str], values: Sequence[Value]) -> Node:
    """`a < b < c`, which is `a < b and b < c` with b computed once."""
    operands = [_node(value, "a comparison") for value in values]
    links = []
    for position, function in enumerate(functions):
        (operation,) = FUNCTIONS[function]
        assert isinstance(operation, Operation)
        links.append(apply(operation, (operands[position], operands[position + 1])))
    chain = links[0]
    for link in links[1:]:
        chain = apply(AND_OP, (chain, link))
    return chain


def _node(value: Value, what: str) -> Node:
    if isinstance(value, Node):
        return value
    raise ArgumentError(f"{what} must be a value, not a text or a slice")


def _data(node: Node) -> bytes:
    (data,) = node.params
    assert isinstance(data, bytes)
    return data
