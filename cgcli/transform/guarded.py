"""Tangents and adjoints with their guards: where they exist, and how they add up and pass on.

A structural zero is not the number 0. What belongs to a branch that was not taken is left
out by a select, so that 0*inf is never formed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cgcli.graph.node import Node, constant
from cgcli.ops.arithmetic import ADD, EQUAL_TO, SUBTRACT
from cgcli.ops.creation import ONES
from cgcli.ops.logic import AND_OP, GREATER, NOT_EQUAL, OR_OP, TRUTHS, WHERE
from cgcli.ops.sums import broadcast
from cgcli.transform.exact import exact

ZERO = constant(0.0)


class Guarded(NamedTuple):
    """A tangent or an adjoint, and where it exists at all.

    guard: None, or a node that is 0 where nothing moves, as in a branch that was not taken.
    There it is a structural zero, whatever number (nan, inf) stands in `value`: the select
    is made where several are added or mixed, so that 0*inf is never formed.
    """

    value: Node
    guard: Node | None = None

    def selected(self) -> Node:
        """As plain numbers: 0 where it does not exist."""
        if self.guard is None:
            return self.value
        return exact(WHERE, (self.guard, self.value, ZERO))


def both(one: Node | None, other: Node | None) -> Node | None:
    """The guard that holds where both do."""
    if one is None or other is None:
        return other if one is None else one
    return exact(AND_OP, (one, other))


def total(contributions: list[Guarded]) -> Guarded:
    """The sum of contributions to one node."""
    first, *rest = contributions
    for contribution in rest:
        guard = None
        if first.guard is not None and contribution.guard is not None:
            guard = exact(OR_OP, (first.guard, contribution.guard))
        first = Guarded(exact(ADD, (first.selected(), contribution.selected())), guard)
    return first


def any_of(count: Node) -> Node:
    """1 where a count of guards is not 0."""
    return exact(GREATER, (count, ZERO))


def truth(condition: Node) -> Node:
    """A condition as 1 and 0, so that guards can be added up."""
    return condition if condition.op in TRUTHS else exact(NOT_EQUAL, (condition, ZERO))


def ones_like(x: Node) -> Node:
    """1 for each element of x."""
    return exact(ONES, (), (x.shape,)) if x.shape else constant(1.0)


def is_finite(x: Node) -> Node:
    """1 where x is a number, 0 where it is nan or infinite."""
    return exact(EQUAL_TO, (exact(SUBTRACT, (x, x)), ZERO))


def finite_part(x: Node) -> Node:
    """x, and 0 where it is nan or infinite."""
    return exact(WHERE, (is_finite(x), x, ZERO))


def through_linear(
    image: Callable[[Node, tuple[Node, ...]], Node], moved: Guarded, args: tuple[Node, ...], position: int
) -> Guarded:
    """What a linear map makes of a tangent or an adjoint.

    image(x, args): the map of x; the other arguments are its factors.
    """
    value = image(moved.selected(), args)
    if moved.guard is None:
        return Guarded(value)
    guard = broadcast(moved.guard, moved.value.shape)
    if len(args) == 1:
        return Guarded(value, any_of(image(guard, args)))

    def with_factors(factor: Callable[[Node], Node]) -> tuple[Node, ...]:
        return tuple(arg if at == position else factor(arg) for at, arg in enumerate(args))

    # a sum of products: the 0 of what does not move must not meet a factor that is nan or infinite
    reached = image(guard, with_factors(ones_like))
    clean = exact(EQUAL_TO, (image(guard, with_factors(is_finite)), reached))
    value = exact(WHERE, (clean, image(moved.selected(), with_factors(finite_part)), value))
    return Guarded(value, any_of(reached))
