"""Derivatives of graphs, as graphs: the adjoints by the reverse pass, tangents by the forward.

Both apply the one rule that the table holds for each operation (see forward.py, reverse.py). A result is
an ordinary graph: it can be evaluated, printed, drawn, and differentiated again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cgcli.graph.node import Node, apply, constant, rebuild, toposort
from cgcli.graph.operation import Operation, Params
from cgcli.lowering.formula import expand
from cgcli.ops.creation import ZEROS
from cgcli.transform.adjoint import Adjoint
from cgcli.transform.forward import push_forward
from cgcli.transform.reverse import sweep


def vjp(output: Node, cotangent: Node, wrt: Sequence[Node]) -> tuple[Node, ...]:
    """The vector-Jacobian product: for each node of `wrt`, its adjoint.

    cotangent: a node of the output's shape, by which each of its elements is weighted.
    """
    found, _ = _reverse(output, cotangent, wrt, keep=False)
    return tuple(found[node] if node in found else zeros(node) for node in wrt)


def adjoints(output: Node, cotangent: Node, wrt: Sequence[Node]) -> Mapping[Node, Node]:
    """The adjoint of every node between `wrt` and the output that has one."""
    found, become = _reverse(output, cotangent, wrt, keep=True)
    return {node: found[become[node]] for node in toposort([output]) if become[node] in found}


def jvp(output: Node, tangents: Mapping[Node, Node]) -> Node:
    """The Jacobian-vector product: the tangent of the output.

    tangents: for each input that moves, a node of its shape.
    """
    become = expanded([output])
    moved: dict[Node, Node | None] = dict(tangents)
    for node in toposort([become[output]]):
        if node not in moved:
            moved[node] = push_forward(node, [moved[arg] for arg in node.args])
    return moved[become[output]] or zeros(output)


def one(shape: tuple[int, ...] = ()) -> Node:
    """The cotangent of a scalar."""
    return constant(1.0)


def zeros(like: Node) -> Node:
    """A zero of a node's shape."""
    return apply(ZEROS, (), (like.shape,)) if like.shape else constant(0.0)


def expanded(outputs: Sequence[Node]) -> dict[Node, Node]:
    """What each node becomes when operations that are defined by others are written out."""

    def make(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
        if not op.expansion:
            return apply(op, args, params)
        written = expand(op, args, params)
        return rebuild([written], make, {arg: arg for arg in args})[written]

    return rebuild(outputs, make)


def _reverse(
    output: Node, cotangent: Node, wrt: Sequence[Node], keep: bool
) -> tuple[dict[Node, Node], dict[Node, Node]]:
    become = expanded([output])
    root = become[output]
    found = sweep([root], [Adjoint(cotangent)], {become.get(node, node) for node in wrt}, keep)
    return {node: adjoint.selected() for node, adjoint in found.items()}, become
