"""Tangents and adjoints with their guards: where they exist, and how they add up and pass on.

A structural zero is not the number 0. What belongs to a branch that was not taken, or to an
element that is not read, is left out by a select, so that 0*inf is never formed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import CONSTANT, Node, constant, constant_elements, constant_value
from cgcli.graph.operation import Shape
from cgcli.ops.arithmetic import ADD, EQUAL_TO, SUBTRACT
from cgcli.ops.creation import ones_like
from cgcli.ops.logic import AND_OP, GREATER, NOT_EQUAL, OR_OP, TRUTHS, WHERE
from cgcli.ops.sums import broadcast
from cgcli.transform.exact import exact

ZERO = constant(0.0)


class Guarded(NamedTuple):
    """A tangent or an adjoint, and where it exists at all.

    guard: None, or a node that is 0 where nothing moves, as in a branch that was not taken;
    a scalar where that holds for all elements or none.
    There it is a structural zero, whatever number (nan, inf) stands in `value`: the select
    is made where several are added or mixed, so that 0*inf is never formed.
    settled: the number there is 0 already, so that no select is needed.
    gaps: the guard tells of gaps only, the elements that an index, a list or a diagonal leaves
    out. It ends at a product of arrays, whose cost it would multiply.
    """

    value: Node
    guard: Node | None = None
    settled: bool = False
    gaps: bool = False

    @classmethod
    def given(cls, weights: Node) -> Guarded | None:
        """A tangent or an adjoint to start from, whose zeros are structural; None when all of it is 0."""
        elements = constant_elements(weights) if weights.op is CONSTANT else ()
        if elements and not any(elements):
            return None
        return cls(weights) if elements and all(elements) else cls(weights, truth(weights), settled=True)

    def selected(self) -> Node:
        """As plain numbers: 0 where it does not exist."""
        if self.guard is None or self.settled:
            return self.value
        return exact(WHERE, (self.guard, self.value, ZERO))

    def times(self, factor: Node, product: Node) -> Guarded:
        """Its product with a factor: 0*inf may be formed, unless the factor is a finite constant."""
        if self.guard is None:
            return Guarded(product)
        number = constant_value(factor)
        finite = number is not None and math.isfinite(number)
        return self._replace(value=product, settled=self.settled and finite)

    def without_gaps(self) -> Guarded | None:
        """It without a guard where no gap is left; None where nothing else is."""
        if self.guard is None or not self.gaps:
            return self
        some, every = _reached(self.guard)
        return Guarded(self.value) if every else self if some else None

    def broadcast(self, shape: Shape) -> Guarded:
        """It, repeated to a shape."""
        value = broadcast(self.value, shape)
        if self.guard is None or not self.guard.shape:
            return self._replace(value=value)
        return self._replace(value=value, guard=broadcast(self.guard, shape))

    def full_guard(self) -> Node:
        """The guard of each element."""
        return ones_like(self.value) if self.guard is None else broadcast(self.guard, self.value.shape)


@lru_cache(maxsize=256)
def _reached(guard: Node) -> tuple[bool, bool]:
    """Whether a guard of gaps, which depends on no value, holds somewhere, and everywhere."""
    (holds,) = evaluate([guard], {})
    return bool(holds.any()), bool(holds.all())


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
        value = exact(ADD, (first.selected(), contribution.selected()))
        first = Guarded(value, guard, settled=True, gaps=first.gaps and contribution.gaps)
    return first


def any_of(count: Node) -> Node:
    """1 where a count of guards is not 0."""
    return exact(GREATER, (count, ZERO))


def truth(condition: Node) -> Node:
    """A condition as 1 and 0, so that guards can be added up."""
    return condition if condition.op in TRUTHS else exact(NOT_EQUAL, (condition, ZERO))


def is_finite(x: Node) -> Node:
    """1 where x is a number, 0 where it is nan or infinite."""
    return exact(EQUAL_TO, (exact(SUBTRACT, (x, x)), ZERO))


def finite_part(x: Node) -> Node:
    """x, and 0 where it is nan or infinite."""
    return exact(WHERE, (is_finite(x), x, ZERO))


def through_linear(
    image: Callable[[Node, tuple[Node, ...]], Node],
    moved: Guarded,
    args: tuple[Node, ...],
    position: int,
    met: Callable[[Node, int], Node],
) -> Guarded:
    """What a linear map makes of a tangent or an adjoint.

    image(x, args): the map of x; the other arguments are its factors. met(guard, at): for each
    element of the factor at a place, how many of those that move it is multiplied with.
    """
    selected = moved.selected()
    value = image(selected, args)
    alone = len(args) == 1
    leaves_gaps = alone and value.op.gaps
    if moved.guard is None and not leaves_gaps:
        return Guarded(value)
    if moved.guard is None:
        return Guarded(value, image(ones_like(moved.value), args), settled=True, gaps=True)
    if not moved.guard.shape and not leaves_gaps:
        return moved._replace(value=image(moved.value, args), settled=moved.settled and alone)
    guard = moved.full_guard()
    if alone:
        return Guarded(value, any_of(image(guard, args)), settled=True, gaps=moved.gaps)
    if moved.gaps:
        return Guarded(value)
    return _through_products(image, selected, guard, args, position, met)


def _through_products(
    image: Callable[[Node, tuple[Node, ...]], Node],
    selected: Node,
    guard: Node,
    args: tuple[Node, ...],
    position: int,
    met: Callable[[Node, int], Node],
) -> Guarded:
    """As `through_linear`, for a sum of products: 0 must not meet a factor that is nan or infinite.

    A factor that meets nothing that moves is left out, so that its own derivative is, too; one that
    meets what moves and what does not counts only where it meets what moves.
    """

    def with_factors(factor: Callable[[Node], Node]) -> tuple[Node, ...]:
        return tuple(arg if at == position else factor(arg) for at, arg in enumerate(factors))

    factors = tuple(
        arg if at == position else exact(WHERE, (any_of(met(guard, at)), arg, ZERO)) for at, arg in enumerate(args)
    )
    reached = image(guard, with_factors(ones_like))
    clean = exact(EQUAL_TO, (image(guard, with_factors(is_finite)), reached))
    finite = image(selected, with_factors(finite_part))
    return Guarded(exact(WHERE, (clean, finite, image(selected, factors))), any_of(reached), settled=True)
