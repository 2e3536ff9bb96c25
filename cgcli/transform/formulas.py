"""The formulas of the table at one node: partials and tangents, as graphs."""

from __future__ import annotations

from functools import cache, lru_cache

from cgcli.graph.node import CONSTANT, Node, rebuild, stand_in, toposort, variable
from cgcli.graph.operation import Operation, Params
from cgcli.graph.rules import JointJvp, Jvp, Partial, Partials, Transpose, TransposeOf
from cgcli.lowering.formula import lower_formula, names_of
from cgcli.records import NamedTuple
from cgcli.transform.exact import exact


class _Template(NamedTuple):
    """A partial over scalar stand-ins: the formula's nodes, arguments first, and the stand-ins."""

    order: list[Node]
    stand_ins: tuple[Node, ...]  # for each argument
    out: Node


@cache
def _template(op: Operation, position: int, params: Params) -> _Template:
    """The partial of an elementwise operation, read once for all its uses."""
    rule = op.rule(position)
    assert isinstance(rule, Partial)
    stand_ins = tuple(variable(f"\0{name}") for name in op.arrays)
    out = variable("\0out")
    formula = lower_formula(rule.formula, {**names_of(op, stand_ins, params), "out": out})
    return _Template(toposort([formula]), stand_ins, out)


@lru_cache(maxsize=1)
def _all_partials(node: Node) -> tuple[Node, ...]:
    """All partials of a node, kept while its arguments are asked for one after the other."""
    rule = node.op.rule(0)
    assert isinstance(rule, Partials)
    return rule.build(node.args)


def partial(node: Node, position: int) -> Node:
    """The partial derivative of an elementwise node by one of its arguments."""
    rule = node.op.rule(position)
    if isinstance(rule, Partials):
        return _all_partials(node)[position]
    template = _template(node.op, position, node.params)
    if template.order[-1].op is CONSTANT:  # as those of a sum
        return template.order[-1]
    become = dict(zip(template.stand_ins, node.args, strict=True))
    become[template.out] = node
    for part in template.order:
        if part.args:
            become[part] = exact(part.op, tuple(become[arg] for arg in part.args), part.params)
        else:
            become.setdefault(part, part)
    return become[template.order[-1]]


def joint_tangent(node: Node) -> tuple[Node, list[Node]]:
    """The tangent of a node with a JointJvp rule, and the stand-ins for its arguments' tangents in it."""
    rule = node.op.rule(0)
    assert isinstance(rule, JointJvp)
    moving = [stand_in(node, at) for at in range(len(node.args))]
    tangent = rule.build(node, tuple(moving))
    leaves = (node, *node.args, *moving)
    return rebuild([tangent], exact, dict(zip(leaves, leaves, strict=True)))[tangent], moving


def transposed(node: Node, position: int, adjoint: Node, args: tuple[Node, ...]) -> Node:
    """What the transpose rule of one argument makes of an adjoint, with `args` in the arguments' places."""
    rule = node.op.rule(position)
    if isinstance(rule, TransposeOf):
        return rule.build(adjoint, args, node.params, position)
    assert isinstance(rule, Transpose)
    return rule.build(adjoint, args, node.params)


def tangent_formula(node: Node, position: int, tangent: Node) -> Node:
    """The contribution of one argument's tangent by a Jvp rule."""
    rule = node.op.rule(position)
    assert isinstance(rule, Jvp)
    names = names_of(node.op, node.args, node.params)
    return lower_formula(rule.formula, {**names, "out": node, f"d{node.op.arrays[position]}": tangent})
