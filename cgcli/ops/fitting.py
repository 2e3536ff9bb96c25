"""Nodes of the shape of others. Scalars, which fit already, need none of the operations on arrays."""

from __future__ import annotations

from cgcli.graph.node import Node, apply, constant
from cgcli.graph.operation import Shape


def ones_like(x: Node) -> Node:
    """1 for each element of x."""
    return _filled(1.0, x.shape)


def zeros_like(x: Node) -> Node:
    """0 for each element of x."""
    return _filled(0.0, x.shape)


def _filled(number: float, shape: Shape) -> Node:
    if not shape:
        return constant(number)
    from cgcli.ops.creation import ONES, ZEROS, OfShape

    return apply(ONES if number else ZEROS, (), OfShape(shape))


def broadcast(x: Node, new: Shape) -> Node:
    """x repeated to shape `new`; x itself when it has that shape already."""
    if x.shape == new:
        return x
    from cgcli.ops.sums import broadcast as repeated

    return repeated(x, new)


def unbroadcast(x: Node, old: Shape) -> Node:
    """The transpose of broadcasting from `old` to x's shape: sums over what was repeated."""
    if x.shape == old:
        return x
    from cgcli.ops.sums import unbroadcast as added

    return added(x, old)


def repeated(x: Node) -> Node:
    """What a node repeats to a shape; the node itself where it repeats nothing."""
    if not x.shape:
        return x
    from cgcli.ops.sums import BROADCAST

    return x.args[0] if x.op is BROADCAST else x
