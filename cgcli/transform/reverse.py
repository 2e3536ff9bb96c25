"""Reverse mode: each node's adjoint handed to its arguments, and the sweep over a graph.

It reads the rules that forward mode reads, and transposes them.
"""

from __future__ import annotations

import math

from cgcli.annotations import Callable, Collection, Container, Iterator, Sequence
from cgcli.graph.node import Node, constant, constant_value, stand_in, toposort
from cgcli.graph.operation import Operation, imported
from cgcli.graph.rules import Branch, JointJvp, Jvp, Partial, Partials, Together, Transpose, TransposeOf
from cgcli.lean import cache
from cgcli.lowering.formula import expand
from cgcli.ops.arithmetic import DIVIDE, MULTIPLY, ROOTS
from cgcli.ops.fitting import broadcast, ones_like, unbroadcast, zeros_like
from cgcli.ops.logic import NOT_OP
from cgcli.records import NamedTuple
from cgcli.transform.exact import exact
from cgcli.transform.formulas import (
    Slope,
    Slopes,
    joint_tangent,
    moves_alone,
    moves_where_nan,
    slope,
    tangent_formula,
    transposed,
    whole,
)
from cgcli.transform.guarded import (
    Guarded,
    added,
    guard_and,
    is_light,
    is_positive,
    plain,
    replaced,
    through_linear,
    truth,
)

_ONE = constant(1.0)  # the most frequent of all partials
_FEW = 100  # elements, each of which may be divided by a number that the one before them could have been


def pull_back(
    node: Node, adjoint: Guarded, active: Container[Node], slopes: Slopes = slope, *, again: bool = False
) -> Iterator[tuple[Node, Guarded]]:
    """What a node's adjoint contributes to those of its arguments that are active. again: as in `sweep`."""
    op = node.op
    pulls = _pulls(op)
    if pulls is not None:
        for position, arg in enumerate(node.args):
            if arg not in active:
                continue
            pull = pulls[position] if position < len(pulls) else pulls[-1]
            if pull is not None:
                yield arg, pull(node, adjoint, position, slopes)
            elif moves_where_nan(op, slopes):
                yield arg, _fitted(adjoint.where_nan(node), arg)
        return
    if op.is_formula:
        expanded = expand(op, node.args, node.params)
        wanted = {arg for arg in node.args if arg in active}
        yield from sweep([expanded], [adjoint], wanted, leaves=node.args, slopes=slopes, again=again).items()
        return
    rule = op.rules[0]
    if isinstance(rule, Together):
        places = [at for at, arg in enumerate(node.args) if arg in active]
        for at, contribution in imported(rule.adjoints)(
            node, adjoint.closed().broadcast(node.shape), places, slopes
        ).items():
            yield node.args[at], contribution
    else:
        yield from _pull_joint(node, adjoint, active, slopes)


def _pull_partial(node: Node, adjoint: Guarded, position: int, slopes: Slopes) -> Guarded:
    """The adjoint times a partial. One division stays open, for all that is added up: that by the argument itself,
    else the one before, by what the argument is a part of.
    """
    arg = node.args[position]
    factor, divisor, chooses = slopes(node, position)
    if node.op in ROOTS and slopes is slope:
        from cgcli.transform.powers import base_of_root, joined

        if (base := base_of_root(node)) is not None:
            ours, (factor, divisor, _) = joined(Slope(adjoint.value, adjoint.divisor), Slope(factor, divisor), base)
            adjoint = adjoint._replace(value=ours.factor, divisor=ours.divisor)
    undivided = adjoint.guard is None and divisor is None and adjoint.divisor is None
    if undivided and arg.shape != node.shape and constant_value(factor) is not None:
        summed = _fitted(adjoint.broadcast(node.shape), arg).value  # fewer elements are left to multiply
        return plain(exact(MULTIPLY, (summed, factor)))
    product = adjoint.value if factor is _ONE else exact(MULTIPLY, (adjoint.value, factor))
    if divisor is None:
        divisor = adjoint.divisor
    elif adjoint.divisor is not None:
        first, divisor = (adjoint.divisor, arg) if divisor is arg else (divisor, adjoint.divisor)
        product, adjoint = exact(DIVIDE, (product, first)), adjoint._replace(zeroed=False)
    if not product.shape and adjoint.guard is None and not (node.shape or chooses):  # a number, as most are
        return plain(product) if divisor is None else Guarded(product, divisor=divisor)
    times = adjoint.choosing if chooses else adjoint.times
    moved = times(factor, broadcast(product, node.shape), divisor)
    return _fitted(moved if divisor is None or divisor.shape in ((), arg.shape) else moved.closed(), arg)


def _fitted(adjoint: Guarded, arg: Node) -> Guarded:
    """The adjoint of a broadcast argument: added up over what was repeated."""
    if adjoint.value.shape == arg.shape:
        return adjoint
    if adjoint.guard is None or not adjoint.guard.shape:
        return adjoint._replace(value=unbroadcast(adjoint.value, arg.shape))
    value = unbroadcast(adjoint.selected(), arg.shape)
    guard = broadcast(adjoint.guard, adjoint.value.shape)
    return Guarded(value, is_positive(unbroadcast(guard, arg.shape)), True, adjoint.gaps, adjoint.chosen)


def _pull_branch(node: Node, adjoint: Guarded, position: int, slopes: Slopes) -> Guarded:
    rule, arg = node.op.rule(position), node.args[position]
    if adjoint.divisor is not None and adjoint.divisor.shape not in ((), arg.shape):
        adjoint = adjoint.closed()
    assert isinstance(rule, Branch)
    condition = truth(node.args[0]) if rule.taken else exact(NOT_OP, (node.args[0],))
    guard = guard_and(adjoint.guard, condition)
    return _fitted(Guarded(adjoint.value, guard, divisor=adjoint.divisor), arg)


def _pull_transpose(node: Node, adjoint: Guarded, position: int, slopes: Slopes) -> Guarded:
    rule = node.op.rule(position)

    def image(ct: Node, args: tuple[Node, ...]) -> Node:
        return transposed(node, position, ct, args)

    def partners(guard: Node, at: int) -> Node:
        return transposed(node, at, guard, tuple(ones_like(arg) for arg in node.args))

    if adjoint.divisor is not None and not adjoint.divisor.shape and math.prod(node.args[position].shape) <= _FEW:
        moved = _pull_transpose(node, adjoint._replace(divisor=None), position, slopes)
        return moved._replace(divisor=adjoint.divisor)
    adjoint = adjoint.closed().broadcast(node.shape)
    if isinstance(rule, Transpose) and rule.mixes and adjoint.guard is not None and adjoint.guard.shape:
        return _coupled(image(adjoint.selected(), node.args), broadcast(adjoint.guard, node.shape), rule.mixes)
    if (isinstance(rule, TransposeOf) and rule.jointly) or moves_alone(node, position):
        return through_linear(lambda ct, _: image(ct, node.args), adjoint, (node.args[position],), 0, partners)
    return through_linear(image, adjoint, node.args, position, partners)


def _coupled(value: Node, guard: Node, axes: int) -> Guarded:
    """The adjoint of an argument of which every element depends on all along the last axes, as in a solve."""
    along = tuple(range(-min(axes, len(guard.shape)), 0))
    from cgcli.ops.reductions import MAX
    from cgcli.ops.sums import Reduce

    reached = broadcast(exact(MAX, (guard,), Reduce(along, True)), guard.shape)
    return Guarded(value, is_positive(unbroadcast(reached, value.shape)))


def _pull_jvp(node: Node, adjoint: Guarded, position: int, slopes: Slopes) -> Guarded:
    """Linearise, then transpose: the Jvp rule over a stand-in tangent, run backwards."""
    tangent = stand_in(node, position)
    linear = tangent_formula(node, position, tangent, slopes)
    found = sweep([linear], [adjoint], {tangent}, leaves=(node, *node.args), slopes=slopes).get(tangent)
    return found._replace(chosen=is_light(adjoint)) if found else Guarded(zeros_like(tangent))


def _pull_joint(
    node: Node, adjoint: Guarded, active: Container[Node], slopes: Slopes
) -> Iterator[tuple[Node, Guarded]]:
    """The tangent of all arguments together, run backwards."""
    from cgcli.graph.loops import Loop, States

    linear, moving = joint_tangent(node)
    wanted = {tangent: arg for tangent, arg in zip(moving, node.args, strict=True) if arg in active}
    leaves = (node, *node.args)
    found = sweep([linear], [adjoint], set(wanted), leaves=leaves, slopes=slopes)
    if any(isinstance(part.params, Loop | States) for part in toposort([linear], leaves)):
        # the adjoint of a loop runs it; that of a linear one is the same for all tangents, so those are 0 there
        still = dict(zip(moving, map(zeros_like, moving), strict=True))
        found = replaced(found, still | {each: each for each in (*leaves, *adjoint[:2], adjoint.divisor) if each})
    for tangent, contribution in found.items():
        yield wanted[tangent], contribution


_Pull = Callable[[Node, Guarded, int, Slopes], Guarded]
_PULL: dict[type, _Pull] = {
    Partial: _pull_partial,
    Partials: _pull_partial,
    Branch: _pull_branch,
    Transpose: _pull_transpose,
    TransposeOf: _pull_transpose,
    Jvp: _pull_jvp,
}


@cache
def _pulls(op: Operation) -> tuple[_Pull | None, ...] | None:
    """Who pulls an adjoint back to each argument; None where one rule is for all of them together."""
    if op.is_formula or (op.rules and isinstance(op.rules[0], JointJvp | Together)):
        return None
    return tuple(None if rule is None else _PULL[type(rule)] for rule in op.rules) or (None,)


def active_nodes(order: Sequence[Node], wrt: set[Node], slopes: Slopes = whole) -> set[Node]:
    """The nodes whose value has a derivative by one of `wrt`; steps among them where the slopes say so."""
    active = set(wrt)
    for node in order:
        for at, arg in enumerate(node.args):
            if arg in active and (node.op.is_formula or node.op.rule(at) or moves_where_nan(node.op, slopes)):
                active.add(node)
                break
    return active


class Flow(NamedTuple):
    """What the adjoint of one node adds to that of another.

    source: None for an adjoint that the pass starts from. so_far: the target's adjoint, this contribution included.
    """

    source: Node | None
    target: Node
    contribution: Guarded
    so_far: Guarded


def sweep(
    outputs: Sequence[Node],
    seeds: Sequence[Guarded],
    wrt: set[Node],
    *,
    keep: bool = False,
    leaves: Collection[Node] = (),
    record: Callable[[Flow], None] | None = None,
    slopes: Slopes = slope,
    order: Sequence[Node] | None = None,
    again: bool = False,
) -> dict[Node, Guarded]:
    """The reverse pass: the adjoint of each node of `wrt` that the outputs depend on.

    seeds: the outputs' adjoints. keep: give the adjoints of all nodes on the way.
    leaves: nodes below which the pass does not go. record: told of every contribution as it is added, those
    included that come from elements which nothing reads. slopes: the partials. order: that of what the outputs need,
    down to the leaves, for whom has it at hand. again: the adjoints are differentiated once more, so that products of
    arrays take care of all guards: a factor that meets structural zeros alone has no derivative, be it 0*inf.
    """
    order = toposort(outputs, leaves) if order is None else order
    active = active_nodes(order, wrt, slopes)
    so_far: dict[Node, Guarded] = {}

    def add(source: Node | None, target: Node, contribution: Guarded) -> None:
        before = so_far.get(target)
        so_far[target] = contribution if before is None else added(before, contribution)
        if record is not None:
            record(Flow(source, target, contribution, so_far[target]))

    for output, seed in zip(outputs, seeds, strict=True):
        if output in active:
            add(None, output, seed)
    adjoints: dict[Node, Guarded] = {}
    for node in reversed(order):
        adjoint = so_far.pop(node, None)
        if adjoint is None:
            continue
        if keep or node in wrt:
            adjoints[node] = adjoint
        if not node.args or node in leaves:
            continue
        moved = adjoint.without_gaps() if adjoint.gaps and record is None else adjoint
        if moved is not None:
            if again and moved.guard is not None and len(node.args) > 1 and not node.op.elementwise:
                moved = moved._replace(chosen=False, gaps=False, zeroed=False)
            for arg, contribution in pull_back(node, moved, active, slopes, again=again):
                add(node, arg, contribution)
    return adjoints
