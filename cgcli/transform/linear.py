"""The two ways through one node: its tangent from its arguments' tangents, and its
arguments' adjoints from its own. Both read the one rule that the table has for each argument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from cgcli.graph.node import Node, constant, toposort, variable
from cgcli.graph.operation import (
    Branch,
    Jvp,
    Operation,
    Params,
    Partial,
    PartialOf,
    Rule,
    Transpose,
    TransposeOf,
)
from cgcli.lowering.formula import lower_formula, names_of
from cgcli.ops.arithmetic import ADD, MULTIPLY
from cgcli.ops.creation import ONES, ZEROS
from cgcli.ops.determinants import COFACTOR_ALONG
from cgcli.ops.linalg import SOLVE
from cgcli.ops.logic import AND_OP, GREATER, NOT_EQUAL, NOT_OP, OR_OP, TRUTHS, WHERE
from cgcli.ops.reductions import MAX
from cgcli.ops.sums import broadcast, unbroadcast
from cgcli.transform.exact import exact

ZERO = constant(0.0)


class Adjoint(NamedTuple):
    """An adjoint, and where it exists at all.

    guard: None, or a node that is 0 where the value was in a branch not taken. There the
    adjoint is a structural zero, whatever number (nan, inf) stands in `value`: the select
    is made where adjoints are added or mixed, so that 0*inf is never formed.
    """

    value: Node
    guard: Node | None = None

    def selected(self) -> Node:
        """The adjoint as a plain number: 0 where it does not exist."""
        if self.guard is None:
            return self.value
        return exact(WHERE, (self.guard, self.value, ZERO))


def both(one: Node | None, other: Node | None) -> Node | None:
    """The guard that holds where both do."""
    if one is None or other is None:
        return other if one is None else one
    return exact(AND_OP, (one, other))


def total(contributions: list[Adjoint]) -> Adjoint:
    """The sum of contributions to one node."""
    first, *rest = contributions
    for contribution in rest:
        guard = None
        if first.guard is not None and contribution.guard is not None:
            guard = exact(OR_OP, (first.guard, contribution.guard))
        first = Adjoint(exact(ADD, (first.selected(), contribution.selected())), guard)
    return first


# ---- formulas of the table at one node ------------------------------------------------


class Template(NamedTuple):
    """A partial over scalar stand-ins: the formula's nodes, arguments first, and the stand-ins."""

    order: list[Node]
    stand_ins: tuple[Node, ...]  # for each argument
    out: Node


@cache
def _template(op: Operation, position: int, params: Params) -> Template:
    """The partial of an elementwise operation, read once for all its uses."""
    rule = op.rule(position)
    assert isinstance(rule, Partial)
    stand_ins = tuple(variable(f"\0{name}") for name in op.arrays)
    out = variable("\0out")
    formula = lower_formula(rule.formula, {**names_of(op, stand_ins, params), "out": out})
    return Template(toposort([formula]), stand_ins, out)


def partial(node: Node, position: int) -> Node:
    """The partial derivative of an elementwise node by one of its arguments."""
    rule = node.op.rule(position)
    if isinstance(rule, PartialOf):
        return rule.build(node.args, position)
    template = _template(node.op, position, node.params)
    become = dict(zip(template.stand_ins, node.args, strict=True))
    become[template.out] = node
    for part in template.order:
        if part.args:
            become[part] = exact(part.op, tuple(become[arg] for arg in part.args), part.params)
        else:
            become.setdefault(part, part)
    return become[template.order[-1]]


def tangent_formula(node: Node, position: int, tangent: Node) -> Node:
    """The contribution of one argument's tangent by a Jvp rule."""
    rule = node.op.rule(position)
    assert isinstance(rule, Jvp)
    names = names_of(node.op, node.args, node.params)
    return lower_formula(rule.formula, {**names, "out": node, f"d{node.op.arrays[position]}": tangent})


# ---- forward --------------------------------------------------------------------------


def push_forward(node: Node, tangents: list[Node | None]) -> Node | None:
    """The tangent of a node from its arguments' tangents, None being a structural zero."""
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


# ---- reverse --------------------------------------------------------------------------


def pull_back(node: Node, adjoint: Adjoint, position: int) -> Adjoint:
    """The contribution of a node's adjoint to one of its arguments."""
    return _PULL[type(node.op.rule(position))](node, adjoint, position)


def _pull_partial(node: Node, adjoint: Adjoint, position: int) -> Adjoint:
    value = exact(MULTIPLY, (adjoint.value, partial(node, position)))
    return _fitted(Adjoint(broadcast(value, node.shape), adjoint.guard), node.args[position])


def _fitted(adjoint: Adjoint, arg: Node) -> Adjoint:
    """The adjoint of a broadcast argument: added up over what was repeated."""
    value, guard = adjoint
    if value.shape == arg.shape:
        return adjoint
    if guard is None:
        return Adjoint(unbroadcast(value, arg.shape))
    guard = broadcast(guard, value.shape)
    return Adjoint(unbroadcast(adjoint.selected(), arg.shape), _any(unbroadcast(guard, arg.shape)))


def _any(count: Node) -> Node:
    return exact(GREATER, (count, ZERO))


def _truth(condition: Node) -> Node:
    """A condition as 1 and 0, so that guards can be added up."""
    return condition if condition.op in TRUTHS else exact(NOT_EQUAL, (condition, ZERO))


def _pull_branch(node: Node, adjoint: Adjoint, position: int) -> Adjoint:
    rule = node.op.rule(position)
    assert isinstance(rule, Branch)
    condition = _truth(node.args[0]) if rule.taken else exact(NOT_OP, (node.args[0],))
    guard = both(adjoint.guard, condition)
    return _fitted(Adjoint(adjoint.value, guard), node.args[position])


def _pull_transpose(node: Node, adjoint: Adjoint, position: int) -> Adjoint:
    rule = node.op.rule(position)

    def transposed(ct: Node, args: tuple[Node, ...]) -> Node:
        if isinstance(rule, TransposeOf):
            return rule.build(ct, args, node.params, position)
        assert isinstance(rule, Transpose)
        return rule.build(ct, args, node.params)

    if adjoint.guard is None:
        return Adjoint(transposed(adjoint.value, node.args))
    guard = broadcast(adjoint.guard, node.shape)
    value = transposed(exact(WHERE, (guard, adjoint.value, ZERO)), node.args)
    if node.op in (SOLVE, COFACTOR_ALONG):  # mixes everything: one element taken reaches all
        return Adjoint(value, broadcast(exact(MAX, (guard,), (tuple(range(-len(guard.shape), 0)), False)), value.shape))
    others = tuple(arg if at == position else exact(ONES, (), (arg.shape,)) for at, arg in enumerate(node.args))
    return Adjoint(value, _any(transposed(guard, others)))


def _pull_jvp(node: Node, adjoint: Adjoint, position: int) -> Adjoint:
    """Linearise, then transpose: the Jvp rule over a stand-in tangent, run backwards."""
    tangent = variable("\0tangent", node.args[position].shape)
    linear = tangent_formula(node, position, tangent)
    found = sweep([linear], [adjoint], {tangent}).get(tangent)
    return found or Adjoint(exact(ZEROS, (), (tangent.shape,)))


_PULL: dict[type, Callable[[Node, Adjoint, int], Adjoint]] = {
    Partial: _pull_partial,
    PartialOf: _pull_partial,
    Branch: _pull_branch,
    Transpose: _pull_transpose,
    TransposeOf: _pull_transpose,
    Jvp: _pull_jvp,
}


def active_nodes(order: list[Node], wrt: set[Node]) -> set[Node]:
    """The nodes whose value has a derivative by one of `wrt`."""
    active = set(wrt)
    for node in order:
        if any(arg in active and node.op.rule(at) is not None for at, arg in enumerate(node.args)):
            active.add(node)
    return active


def sweep(outputs: list[Node], seeds: list[Adjoint], wrt: set[Node], keep: bool = False) -> Mapping[Node, Adjoint]:
    """The reverse pass: the adjoint of each node of `wrt` that the outputs depend on.

    seeds: the outputs' adjoints. keep: give the adjoints of all nodes on the way.
    """
    order = toposort(outputs)
    active = active_nodes(order, wrt)
    contributions: dict[Node, list[Adjoint]] = {}
    for output, seed in zip(outputs, seeds, strict=True):
        contributions.setdefault(output, []).append(seed)
    adjoints: dict[Node, Adjoint] = {}
    for node in reversed(order):
        if node not in active or node not in contributions:
            continue
        adjoint = total(contributions.pop(node))
        if keep or node in wrt:
            adjoints[node] = adjoint
        for position, arg in enumerate(node.args):
            if arg in active and node.op.rule(position) is not None:
                contributions.setdefault(arg, []).append(pull_back(node, adjoint, position))
    return adjoints
