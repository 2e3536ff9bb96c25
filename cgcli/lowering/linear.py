"""Whether a derivative rule of the user's own is linear in its tangents, read from the rules of the table."""

from __future__ import annotations

from cgcli.annotations import Collection, Sequence
from cgcli.graph.body import name_of_operation
from cgcli.graph.loops import Loop, States
from cgcli.graph.node import CONSTANT, Node, constant_elements, toposort
from cgcli.graph.rules import Branch, Partial, Transpose, TransposeOf
from cgcli.lean import re
from cgcli.lowering.arguments import Expand
from cgcli.ops.arithmetic import MULTIPLY
from cgcli.ops.creation import ZEROS
from cgcli.ops.fitting import repeated
from cgcli.ops.loops import unpacked, unpacked_states
from cgcli.records import NamedTuple

_NAMES = r"[^\W\d]\w*"


class Fault(NamedTuple):
    """The node at which linearity ends, and why, in a clause."""

    node: Node
    reason: str


def _is_zero(node: Node) -> bool:
    """Whether a node is a constant 0, or an array of them."""
    node = repeated(node)
    return node.op is ZEROS or (node.op is CONSTANT and not any(constant_elements(node)))


def fault(output: Node, tangents: Collection[Node], expand: Expand) -> Fault | None:
    """What keeps the output from being linear in all tangents together; None when it is linear.

    expand: gives what an operation that is made of others stands for.
    """
    moving = set(tangents)
    for node in toposort([output], moving):
        if node in moving:
            continue
        at = [position for position, arg in enumerate(node.args) if arg in moving]
        if not at:
            continue
        if isinstance(node.params, Loop | States):
            pieces = _moving_carries(node, at, expand)
            if isinstance(pieces, str):
                return Fault(node, pieces)
            moving.update(pieces)
            continue
        if node.op.is_formula:
            expanded = expand(node.op, node.args, node.params)
            inner = fault(expanded, {node.args[position] for position in at}, expand)
            if inner is not None:
                return Fault(node, _not_linear(node))
        elif reason := _reason(node, at):
            return Fault(node, reason)
        moving.add(node)
    if output in moving or _is_zero(output):
        return None
    return Fault(output, "no tangent stands in it")


def _moving_carries(node: Node, at: Sequence[int], expand: Expand) -> list[Node] | str:
    """The values of a loop that move when its arguments at the places `at` do; or why it is not linear in these."""
    assert isinstance(node.params, Loop | States)
    loop = node.params if isinstance(node.params, Loop) else node.params.loop
    parameters, reached = loop.body.parameters, {*at}
    while True:
        leaves = {parameters[place] for place in reached}
        read = {place for place, after in enumerate(loop.nexts) if _reads(after, leaves)}
        if read <= reached:
            break
        reached |= read
    if loop.going is not None and _reads(loop.going, leaves):
        return "a condition that reads a tangent is not linear"
    carried = [place for place in sorted(reached) if place < loop.carries]
    for place in carried:
        if place not in at and not _is_zero(node.args[place]):
            return "one of its terms has no tangent"
        if (inner := fault(loop.nexts[place], leaves, expand)) is not None:
            return inner.reason
    if isinstance(node.params, Loop):
        return [piece for place, piece in enumerate(unpacked(node, loop.shapes)) if place in carried]
    pieces = unpacked_states(node, node.params.shapes)
    return [piece for place, piece in zip(node.params.kept, pieces, strict=True) if place in carried]


def _reads(output: Node, leaves: Collection[Node]) -> bool:
    """Whether a node depends on one of some leaves."""
    reached = {*leaves}
    for node in toposort([output], reached):
        if not reached.isdisjoint(node.args):
            reached.add(node)
    return output in reached


def _reason(node: Node, at: list[int]) -> str:
    """Why a node is not linear in its arguments at the places `at` together; '' when it is."""
    still = [position for position in range(len(node.args)) if position not in at]
    names = node.op.arrays if not node.op.variadic else ()
    moving = {names[position] for position in at} | {"out"} if names else set()
    for position in at:
        rule = node.op.rule(position)
        if isinstance(rule, Partial):  # affine: the partial does not depend on what moves
            if moving.intersection(re.findall(_NAMES, rule.formula)):
                several = len(at) > 1 and node.op is MULTIPLY
                return "a product of tangents is not linear" if several else _not_linear(node)
        elif isinstance(rule, Transpose | TransposeOf):
            if len(at) > 1 and not (isinstance(rule, TransposeOf) and rule.jointly):
                return "a product of tangents is not linear"
        elif not isinstance(rule, Branch):
            return _not_linear(node)
    if any(_is_term(node, position, moving) and not _is_zero(node.args[position]) for position in still):
        return "one of its terms has no tangent"
    return ""


def _is_term(node: Node, position: int, moving: set[str]) -> bool:
    """Whether a still argument is added to what moves, as in a sum, a list or a choice; not a factor of it."""
    rule = node.op.rule(position)
    if isinstance(rule, Partial):
        return not moving.intersection(re.findall(_NAMES, rule.formula))
    return isinstance(rule, Branch) or (isinstance(rule, TransposeOf) and rule.jointly)


def _not_linear(node: Node) -> str:
    return f"{name_of_operation(node)} of a tangent is not linear"
