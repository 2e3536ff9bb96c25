"""Derivatives of graphs, as graphs: the adjoints by the reverse pass, tangents by the forward.

Both apply the one rule that the table holds for each operation (see forward.py, reverse.py).
A result is an ordinary graph: it can be evaluated, printed, drawn, and differentiated again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cgcli.graph.node import Node, apply, constant
from cgcli.ops.creation import ZEROS
from cgcli.transform.forward import push_through
from cgcli.transform.guarded import Guarded
from cgcli.transform.reverse import sweep


def vjp(output: Node, cotangent: Node, wrt: Sequence[Node]) -> tuple[Node, ...]:
    """The vector-Jacobian product: for each node of `wrt`, its adjoint, of its shape.

    cotangent: a node of the output's shape, by which each of its elements is weighted.
    """
    found = sweep([output], [Guarded(cotangent)], set(wrt))
    return tuple(found[node].selected() if node in found else zeros(node) for node in wrt)


def adjoints(outputs: Sequence[Node], cotangents: Sequence[Node], wrt: Sequence[Node]) -> Mapping[Node, Node]:
    """The adjoint of every node between `wrt` and the outputs that has one.

    cotangents: for each output, a node of its shape.
    """
    found = sweep(list(outputs), [Guarded(cotangent) for cotangent in cotangents], set(wrt), keep=True)
    return {node: adjoint.selected() for node, adjoint in found.items()}


def jvp(output: Node, tangents: Mapping[Node, Node]) -> Node:
    """The Jacobian-vector product: the tangent of the output, of its shape.

    tangents: for each input that moves, a node of its shape.
    """
    pushed = push_through(output, {node: Guarded(tangent) for node, tangent in tangents.items()})
    return pushed.selected() if pushed else zeros(output)


def column(output: Node, wrt: Node, unit: Node) -> Node:
    """A column of the Jacobian: the tangent of the output when one element of `wrt` moves.

    unit: a node of wrt's shape, 1 at that element and 0 elsewhere. Unlike in `jvp`, its
    zeros are structural: what does not move is left out, even where 0*inf would be nan.
    """
    pushed = push_through(output, {wrt: Guarded(unit, unit)})
    return pushed.selected() if pushed else zeros(output)


def zeros(like: Node) -> Node:
    """A zero of a node's shape."""
    return apply(ZEROS, (), (like.shape,)) if like.shape else constant(0.0)
