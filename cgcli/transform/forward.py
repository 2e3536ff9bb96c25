"""Forward mode through one node: its tangent from its arguments' tangents."""

from __future__ import annotations

from collections.abc import Mapping

from cgcli.graph.node import Node, toposort
from cgcli.graph.operation import Branch, Jvp, Rule, Transpose, TransposeOf
from cgcli.lowering.formula import expand
from cgcli.ops.arithmetic import ADD, MULTIPLY
from cgcli.ops.creation import ZEROS
from cgcli.ops.sums import broadcast
from cgcli.transform.adjoint import ZERO
from cgcli.transform.exact import exact
from cgcli.transform.formulas import partial, tangent_formula


def push_through(output: Node, tangents: Mapping[Node, Node | None]) -> Node | None:
    """The tangent of an output from those of the nodes that it is computed from.

    None is a structural zero; nothing below the given nodes is looked at.
    """
    moved = dict(tangents)
    for node in toposort([output], tangents):
        if node not in moved:
            moved[node] = push_forward(node, [moved[arg] for arg in node.args])
    return moved[output]


def push_forward(node: Node, tangents: list[Node | None]) -> Node | None:
    """The tangent of a node from its arguments' tangents."""
    if node.op.expansion:
        written = expand(node.op, node.args, node.params)
        return push_through(written, dict(zip(node.args, tangents, strict=True)))
    rules = [node.op.rule(position) for position in range(len(node.args))]
    moving = [at for at, (rule, t) in enumerate(zip(rules, tangents, strict=True)) if rule and t is not None]
    if not moving:
        return None
    first = rules[moving[0]]
    if isinstance(first, Branch) or (isinstance(first, TransposeOf) and first.jointly):
        args = [
            arg if rule is None else ZERO if t is None and not arg.shape else t or exact(ZEROS, (), (arg.shape,))
            for arg, rule, t in zip(node.args, rules, tangents, strict=True)
        ]
        return exact(node.op, tuple(args), node.params)
    result: Node | None = None
    for at in moving:
        tangent = tangents[at]
        assert tangent is not None
        term = _forward_term(node, at, rules[at], tangent)
        result = term if result is None else exact(ADD, (result, term))
    return broadcast(result, node.shape) if result is not None else None


def _forward_term(node: Node, at: int, rule: Rule, tangent: Node) -> Node:
    if isinstance(rule, Transpose | TransposeOf):
        return exact(node.op, (*node.args[:at], tangent, *node.args[at + 1 :]), node.params)
    if isinstance(rule, Jvp):
        return tangent_formula(node, at, tangent)
    return exact(MULTIPLY, (partial(node, at), tangent))
