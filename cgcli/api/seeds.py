"""Where a derivative starts: the cotangents of outputs and the tangents of inputs, held against their shapes."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Mapping, Sequence
from cgcli.api.point import Point
from cgcli.api.values import check_named
from cgcli.errors import UnknownNameError, UsageError
from cgcli.evaluate.constants import as_constant
from cgcli.graph.node import Graph, Node, constant, constant_array, name_of, variable
from cgcli.graph.shapes import shape_of, shape_text
from cgcli.lean import struct


def cotangents(graph: Graph, given: Sequence[Any] | None = None) -> list[Node]:
    """A cotangent for each output: those that are given, arrays of the outputs' shapes, or graphs of them; else 1.

    Raises UsageError when one has another shape, when there are too many or too few, and
    where there are none for an output that is no scalar.
    """
    outputs, names = graph.outputs, graph.names or ("",)
    if given is None:
        return [_one(output, name) for output, name in zip(outputs, names, strict=True)]
    if len(given) != len(outputs):
        example = _example(len(outputs)) if len(outputs) > 1 else ""
        raise UsageError(
            f"the cotangent has {len(given)} weight{'s' * (len(given) > 1)}, and the program {len(outputs)} "
            f"output{'s' * (len(outputs) > 1)}",
            hint=example and f"give one for each, as in: {example}",
            topic=example and f"each:{example}",
        )
    for value, output, name in zip(given, outputs, names, strict=True):
        check_seed("cotangent", value, output, name)
    return [_as_node(value) for value in given]


def weights(graph: Graph, given: Sequence[Any] | None = None) -> list[Node]:
    """As `cotangents`, for derivatives of the outputs' weighted sum: with several outputs, they must be given."""
    if given is None and graph.names:
        example = _example(len(graph.outputs))
        raise UsageError(
            f"the program has {len(graph.outputs)} results, and how much does each of them count?",
            hint=f"weigh them with a cotangent; for the first alone: {example}", topic=f"weights:{example}",
        )  # fmt: skip
    return cotangents(graph, given)


def _example(count: int) -> str:
    """A cotangent for the first of several outputs."""
    return f"({', '.join(('1', '0', '0', '…')[:count])})"


def _one(output: Node, name: str) -> Node:
    if output.shape:
        what = f"the output '{name}'" if name else "the value"
        raise UsageError(
            f"{what} has shape {shape_text(output.shape)}, and a gradient needs a scalar",
            hint="jacobian gives all its derivatives, vjp those of its elements' weighted sum",
            topic="scalars" if name else "scalar",
        )
    return constant(1.0)


def check_seed(kind: str, value: Any, node: Node, name: str = "") -> None:
    """Raise UsageError for a tangent or cotangent, an array, that has not the shape of what it belongs to.

    kind: which of them. name: of the input or output, '' for the only output.
    """
    if shape_of(value) != node.shape:
        what, whose = (f"the {kind} of '{name}'", f"'{name}'") if name else (f"the {kind}", "the value")
        raise UsageError(
            f"{what} has shape {shape_text(shape_of(value))}, and {whose} {shape_text(node.shape)}",
            hint=f"a {kind} has one number for each element",
        )


def moving(point: Point, names: Sequence[str]) -> list[Node]:
    """The variables of the inputs that move. Raises UnknownNameError for a name that is no input."""
    read = dict(zip(point.names, point.inputs, strict=True))
    for name in names:
        if name not in read and name not in point.shapes:
            raise UnknownNameError(f"'{name}' has a tangent, and is no input of the program", hint=point.nearest(name))
    return [read[name] if name in read else variable(name, point.shapes[name]) for name in names]


def unit_tangent(scalar: Node) -> dict[Node, Node]:
    """The tangent along which a derivative is that by this scalar."""
    return {scalar: constant(1.0)}


def tangents(point: Point, given: Mapping[str, Any] | None) -> dict[Node, Node]:
    """The tangent of each input that moves, from arrays or graphs by name; 1 for an only input that is a scalar.

    Raises UnknownNameError for a name that is no input, UsageError for a tangent that is missing or
    has another shape.
    """
    if not given:
        if len(point.inputs) == 1 and not point.inputs[0].shape:
            return unit_tangent(point.inputs[0])
        example = ",".join(f"{name_of(node)}={'[…]' if node.shape else int(at == 0)}"
                           for at, node in enumerate(point.inputs[:2])) or "x=1"  # fmt: skip
        raise UsageError("in which direction do the inputs move?", hint=f"give the tangents, as in: {example}",
                         topic=f"tangents:{repr(example) if '[' in example else example}")  # fmt: skip
    check_named(given, "tangents")
    nodes = moving(point, list(given))
    for node, value in zip(nodes, given.values(), strict=True):
        check_seed("tangent", value, node, name_of(node))
    return dict(zip(nodes, map(_as_node, given.values()), strict=True))


def _as_node(value: Any) -> Node:
    """An array as a constant; the graph of one as it is."""
    return value if isinstance(value, Node) else as_constant(value)


def ones_of(output: Node) -> Node:
    """The cotangent of a sum of all elements."""
    if not output.shape:
        return constant(1.0)
    return constant_array(struct.pack("<d", 1.0) * math.prod(output.shape), output.shape)
