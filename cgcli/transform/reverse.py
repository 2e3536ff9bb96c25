"""Reverse mode: each node's adjoint handed to its arguments, and the sweep over a graph.

It reads the rules that forward mode reads, and transposes them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator

from cgcli.graph.node import Node, stand_in, toposort
from cgcli.graph.operation import Branch, Jvp, Partial, Partials, Transpose, TransposeOf
from cgcli.lowering.formula import expand
from cgcli.ops.arithmetic import EQUAL_TO, MULTIPLY
from cgcli.ops.creation import ZEROS
from cgcli.ops.logic import NOT_OP, WHERE
from cgcli.ops.reductions import MAX
from cgcli.ops.sums import broadcast, unbroadcast
from cgcli.transform.adjoint import Adjoint, any_of, both, finite_part, is_finite, ones_like, total, truth
from cgcli.transform.exact import exact
from cgcli.transform.formulas import partial, tangent_formula


def pull_back(node: Node, adjoint: Adjoint, active: Container[Node]) -> Iterator[tuple[Node, Adjoint]]:
    """What a node's adjoint contributes to those of its arguments that are active."""
    if node.op.expansion:
        written = expand(node.op, node.args, node.params)
        yield from sweep([written], [adjoint], {arg for arg in node.args if arg in active}, leaves=node.args).items()
        return
    for position, arg in enumerate(node.args):
        rule = node.op.rule(position)
        if rule is not None and arg in active:
            yield arg, _PULL[type(rule)](node, adjoint, position)


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
    return Adjoint(unbroadcast(adjoint.selected(), arg.shape), any_of(unbroadcast(guard, arg.shape)))


def _pull_branch(node: Node, adjoint: Adjoint, position: int) -> Adjoint:
    rule = node.op.rule(position)
    assert isinstance(rule, Branch)
    condition = truth(node.args[0]) if rule.taken else exact(NOT_OP, (node.args[0],))
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
    adjoint = Adjoint(broadcast(adjoint.value, node.shape), guard)
    value = transposed(adjoint.selected(), node.args)
    if isinstance(rule, Transpose) and rule.mixes:
        mixed = tuple(range(-min(rule.mixes, len(guard.shape)), 0))
        taken = broadcast(exact(MAX, (guard,), (mixed, True)), guard.shape)
        return Adjoint(value, any_of(unbroadcast(taken, value.shape)))

    if len(node.args) == 1 or (isinstance(rule, TransposeOf) and rule.jointly):
        return Adjoint(value, any_of(transposed(guard, node.args)))

    def with_factors(factor: Callable[[Node], Node]) -> tuple[Node, ...]:
        return tuple(arg if at == position else factor(arg) for at, arg in enumerate(node.args))

    # a sum of products: the 0 of what was not taken must not meet a factor that is nan or infinite
    reached = transposed(guard, with_factors(ones_like))
    clean = exact(EQUAL_TO, (transposed(guard, with_factors(is_finite)), reached))
    value = exact(WHERE, (clean, transposed(adjoint.selected(), with_factors(finite_part)), value))
    return Adjoint(value, any_of(reached))


def _pull_jvp(node: Node, adjoint: Adjoint, position: int) -> Adjoint:
    """Linearise, then transpose: the Jvp rule over a stand-in tangent, run backwards."""
    tangent = stand_in(node, position)
    linear = tangent_formula(node, position, tangent)
    found = sweep([linear], [adjoint], {tangent}, leaves=(node, *node.args)).get(tangent)
    return found or Adjoint(exact(ZEROS, (), (tangent.shape,)))


_PULL: dict[type, Callable[[Node, Adjoint, int], Adjoint]] = {
    Partial: _pull_partial,
    Partials: _pull_partial,
    Branch: _pull_branch,
    Transpose: _pull_transpose,
    TransposeOf: _pull_transpose,
    Jvp: _pull_jvp,
}


def active_nodes(order: list[Node], wrt: set[Node]) -> set[Node]:
    """The nodes whose value has a derivative by one of `wrt`."""
    active = set(wrt)
    for node in order:
        if any(arg in active and (node.op.expansion or node.op.rule(at)) for at, arg in enumerate(node.args)):
            active.add(node)
    return active


def sweep(
    outputs: list[Node],
    seeds: list[Adjoint],
    wrt: set[Node],
    *,
    keep: bool = False,
    leaves: Collection[Node] = (),
) -> dict[Node, Adjoint]:
    """The reverse pass: the adjoint of each node of `wrt` that the outputs depend on.

    seeds: the outputs' adjoints. keep: give the adjoints of all nodes on the way.
    leaves: nodes below which the pass does not go.
    """
    order = toposort(outputs, leaves)
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
        if node not in leaves:
            for arg, contribution in pull_back(node, adjoint, active):
                contributions.setdefault(arg, []).append(contribution)
    return adjoints
