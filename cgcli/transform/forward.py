"""Forward mode: each node's tangent from its arguments' tangents, through a whole graph."""

from __future__ import annotations

from cgcli.annotations import Mapping, Sequence
from cgcli.graph.node import CONSTANT, Node, stand_in, toposort
from cgcli.graph.operation import Rule, imported
from cgcli.graph.rules import Branch, JointJvp, Jvp, Together, Transpose, TransposeOf
from cgcli.lean import reduce
from cgcli.lowering.formula import expand
from cgcli.ops.arithmetic import DIVIDE, MULTIPLY, ROOTS
from cgcli.ops.creation import ONES
from cgcli.ops.fitting import ones_like, zeros_like
from cgcli.ops.sums import BROADCAST
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
)
from cgcli.transform.guarded import Guarded, added, through_linear


def push_all(
    outputs: Sequence[Node], tangents: Mapping[Node, Guarded | None], slopes: Slopes = slope
) -> list[Guarded | None]:
    """The tangents of outputs from those of the nodes that they are computed from.

    None is a structural zero; nothing below the given nodes is looked at. slopes: the partials.
    """
    moved = dict(tangents)
    for node in toposort(outputs, tangents):
        if node not in moved:
            pushed = push_forward(node, [moved[arg] for arg in node.args], slopes)
            moved[node] = pushed and pushed.without_gaps()
    return [moved[output] for output in outputs]


def push_through(output: Node, tangents: Mapping[Node, Guarded | None], slopes: Slopes = slope) -> Guarded | None:
    """The tangent of one output, as `push_all`."""
    (pushed,) = push_all([output], tangents, slopes)
    return pushed


def push_forward(node: Node, tangents: Sequence[Guarded | None], slopes: Slopes) -> Guarded | None:
    """The tangent of a node from its arguments' tangents."""
    if node.op.is_formula:
        expanded = expand(node.op, node.args, node.params)
        return push_through(expanded, dict(zip(node.args, tangents, strict=True)), slopes)
    rules = [node.op.rule(position) for position in range(len(node.args))]
    moving = {
        at: t
        for at, (rule, t) in enumerate(zip(rules, tangents, strict=True))
        if t is not None and (rule or moves_where_nan(node.op, slopes))
    }
    if not moving:
        return None
    first = rules[min(moving)]
    if isinstance(first, Together):
        together: Guarded = imported(first.tangent)(node, moving, slopes)
        return together
    if isinstance(first, JointJvp):
        tangent, argument_tangents = joint_tangent(node)
        leaves = dict.fromkeys((node, *node.args))
        return push_through(tangent, {**leaves, **dict(zip(argument_tangents, tangents, strict=True))}, slopes)
    if isinstance(first, Branch) or (isinstance(first, TransposeOf) and first.jointly):
        return _jointly(node, rules, moving)
    terms = [_term(node, at, rules[at], tangent, slopes) for at, tangent in moving.items()]
    return reduce(added, terms).broadcast(node.shape)


def _term(node: Node, at: int, rule: Rule | None, tangent: Guarded, slopes: Slopes) -> Guarded:
    """What the tangent of one argument contributes."""
    if rule is None:
        return tangent.where_nan(node)
    if isinstance(rule, Transpose | TransposeOf):

        def image(x: Node, args: tuple[Node, ...]) -> Node:
            return exact(node.op, (*args[:at], x, *args[at + 1 :]), node.params)

        def partners(guard: Node, other: int) -> Node:
            factors = tuple(guard if place == at else ones_like(arg) for place, arg in enumerate(node.args))
            return transposed(node, other, ones_like(node), factors)

        if isinstance(rule, Transpose) and rule.mixes and tangent.guard is not None and tangent.guard.shape:
            return Guarded(image(tangent.selected(), node.args))
        if moves_alone(node, at):
            return through_linear(lambda x, _: image(x, node.args), tangent, (node.args[at],), 0, partners)
        return through_linear(image, tangent, node.args, at, partners)
    if isinstance(rule, Jvp):
        if tangent.guard is None:
            return Guarded(tangent_formula(node, at, tangent.value, slopes))
        moving = stand_in(node, at)
        leaves = dict.fromkeys((node, *node.args))
        pushed = push_through(tangent_formula(node, at, moving, slopes), {**leaves, moving: tangent}, slopes)
        return pushed or Guarded(zeros_like(node))
    if slopes is slope and (tangent.root is not None or node.op in ROOTS):
        return _of_root(node, at, tangent)
    return _times(slopes(node, at), tangent)


def _times(partial: Slope, tangent: Guarded) -> Guarded:
    """The product of a partial and a tangent."""
    factor, divisor, chooses = partial
    if divisor is None:
        times = tangent.choosing if chooses else tangent.times
        return times(factor, exact(MULTIPLY, (factor, tangent.value)), None)
    moves = tangent.value.args[0] if tangent.value.op is BROADCAST else tangent.value
    if moves.op is CONSTANT or moves.op is ONES:
        return tangent.times(divisor, exact(MULTIPLY, (exact(DIVIDE, (factor, divisor)), tangent.value)))
    return tangent.times(divisor, exact(MULTIPLY, (factor, exact(DIVIDE, (tangent.value, divisor)))))


def _of_root(node: Node, at: int, tangent: Guarded) -> Guarded:
    """The product of a partial and a tangent where one of them has the derivative of a root for a factor."""
    from cgcli.transform.powers import base_of_root, joined

    partial = slope(node, at)
    if tangent.root is not None:
        partial, (value, *_) = joined(partial, Slope(tangent.value), tangent.root, node.args[at])
        tangent = tangent._replace(value=value)
    return _times(partial, tangent)._replace(root=tangent.root or base_of_root(node))


def _jointly(node: Node, rules: Sequence[Rule | None], moving: Mapping[int, Guarded]) -> Guarded:
    """The tangent of a node that is linear in its moving arguments together, as a list or a choice is."""

    def applied(moved: Mapping[int, Node]) -> Node:
        args = [
            arg if rule is None else moved[at] if at in moved else zeros_like(arg)
            for at, (arg, rule) in enumerate(zip(node.args, rules, strict=True))
        ]
        return exact(node.op, tuple(args), node.params)

    value = applied({at: tangent.value for at, tangent in moving.items()})
    tangents = moving.values()
    if len(moving) == sum(rule is not None for rule in rules) and all(tangent.guard is None for tangent in tangents):
        return Guarded(value)
    guard = applied({at: tangent.elementwise_guard() for at, tangent in moving.items()})
    return Guarded(value, guard, zeroed=all(tangent.guard is None or tangent.zeroed for tangent in tangents))
