"""The adjoint of a loop's packed result, taken apart into those of the single carries."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.graph.body import leaves
from cgcli.graph.node import Node, toposort
from cgcli.graph.operation import Shape
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY
from cgcli.ops.fitting import broadcast, ones_like, repeated, zeros_like
from cgcli.ops.indexing import Put
from cgcli.ops.logic import AND_OP, GREATER, NOT_OP, OR_OP, WHERE
from cgcli.ops.loops import in_shape, unpacked
from cgcli.ops.statics import Taken
from cgcli.transform.exact import exact

_LEADING = (AND_OP, MULTIPLY, DIVIDE, GREATER)  # where their first argument is a structural zero, so are they


def parts(node: Node, shapes: Sequence[Shape]) -> list[Node]:
    """The values in a packed adjoint, or in its guard.

    A sum of what was put at the places of single values is taken apart, so that each has its own terms.
    """
    found = [node] if len(shapes) == 1 else _parts(node, shapes)
    return [zeros_like(leaf) if part is None else part for leaf, part in zip(leaves(shapes), found, strict=True)]


def _parts(node: Node, shapes: Sequence[Shape]) -> list[Node | None]:
    """The same; None where nothing was ever put."""
    places: dict[Any, int] = {}
    begin = 0
    for at, shape in enumerate(shapes):
        size = math.prod(shape)
        places[(Taken(begin, size, 1) if shape else begin,)] = at
        begin += size
    found: dict[Node, list[Node | None]] = {}
    for each in toposort([node], _Opaque(node.shape)):
        params, args = each.params, each.args
        if isinstance(params, Put) and params.place.shape == node.shape and params.place.key in places:
            place = places[params.place.key]
            found[each] = [in_shape(args[0], shape) if at == place else None for at, shape in enumerate(shapes)]
        elif not repeated(each).shape:
            found[each] = [broadcast(repeated(each), shape) for shape in shapes]
        elif each.shape == node.shape and each.op.elementwise:
            rows = zip(*(found[arg] for arg in args), strict=True)
            found[each] = [_combined(each, row, shape) for row, shape in zip(rows, shapes, strict=True)]
        elif each.shape == node.shape:
            found[each] = [*unpacked(each, shapes)]
    return found[node]


class _Opaque:
    """The nodes below which nothing is packed in a given shape."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def __contains__(self, node: object) -> bool:
        assert isinstance(node, Node)
        return not (node.op.elementwise and node.shape == self._shape)


def _combined(node: Node, args: Sequence[Node | None], shape: Shape) -> Node | None:
    """What an elementwise operation makes of parts, of which some are structural zeros."""
    (leaf,) = leaves([shape])
    there = [arg for arg in args if arg is not None]
    if node.op is WHERE and args[0] is None:
        return args[2]
    if node.op is NOT_OP and args[0] is None:
        return ones_like(leaf)
    if len(there) < 2 and (node.op is ADD or node.op is OR_OP):
        return there[0] if there else None
    if not there or (node.op in _LEADING and args[0] is None):
        return None
    return exact(node.op, tuple(zeros_like(leaf) if arg is None else arg for arg in args), node.params)
