"""Tangents and adjoints with guards, which tell their structural zeros from the number 0.

A structural zero: a derivative that does not exist, as in the branch of a choice that was not taken, or for
an element that nothing reads. It is left out by a select, `where(guard, value, 0)`; a product would
make 0*inf, which is nan.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable, Mapping, TypeVar
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import CONSTANT, VARIABLE, Node, constant, constant_elements, constant_value, rebuild, toposort
from cgcli.graph.operation import BOUNDED, CHOOSES, Shape
from cgcli.lean import lru_cache
from cgcli.ops.arithmetic import ADD, DIVIDE, EQUAL_TO, MULTIPLY, POWER_OP, SUBTRACT
from cgcli.ops.fitting import broadcast, ones_like
from cgcli.ops.lazily import np
from cgcli.ops.logic import AND_OP, GREATER, NOT_EQUAL, NOT_OP, OR_OP, TRUTHS, WHERE
from cgcli.records import NamedTuple
from cgcli.transform.exact import exact

ZERO = constant(0.0)
_new = tuple.__new__
Key = TypeVar("Key")

_MOST_KEPT, _LARGEST_KEPT = 16, 10**5  # guards, elements
_KEEP_BOUNDS = frozenset({ADD, SUBTRACT, MULTIPLY})
_MOST_PARTS = 16


class Guarded(NamedTuple):
    """A tangent or an adjoint, with a guard that is 0 at its structural zeros.

    guard: 1 and 0, of a shape that broadcasts to that of `value`; None when there is no structural
    zero. Where it is 0, `value` may be any number, nan and inf included; the select is made when several
    are added up or pass a linear map.
    zeroed: `value` is 0 there already, so that no select is needed.
    gaps: the guard depends on no value: it marks the elements that an index, a list or a diagonal
    leaves out. Products of arrays drop such a guard, which would multiply their cost.
    chosen: the guard marks what an extreme or the like has chosen. A program may have many of them, so products of
    arrays keep it, but take no care of factors that are infinite themselves.
    divisor: what an adjoint is still to be divided by, a scalar or of its shape; None for a tangent. The
    quotient may be out of the range of float64 where its product with the next partial is not.
    root: the base of a root whose derivative is a factor of a tangent.
    """

    value: Node
    guard: Node | None = None
    zeroed: bool = False
    gaps: bool = False
    chosen: bool = False
    divisor: Node | None = None
    root: Node | None = None

    @classmethod
    def seed(cls, weights: Node) -> Guarded | None:
        """A tangent or an adjoint that a pass starts from, its zeros structural; None when all of it is 0."""
        elements = constant_elements(weights) if weights.op is CONSTANT else ()
        if elements and not any(elements):
            return None
        return cls(weights) if elements and all(elements) else cls(weights, truth(weights), zeroed=True)

    def selected(self) -> Node:
        """The value, with the number 0 at structural zeros."""
        if self.guard is None and self.divisor is None:
            return self.value
        closed = self.closed()
        if closed.guard is None or closed.zeroed:
            return closed.value
        if closed.guard.op is NOT_OP:
            return exact(WHERE, (closed.guard.args[0], ZERO, closed.value))
        return exact(WHERE, (closed.guard, closed.value, ZERO))

    def closed(self) -> Guarded:
        """With its division made."""
        if self.divisor is None:
            return self
        return self._replace(value=exact(DIVIDE, (self.value, self.divisor)), zeroed=False, divisor=None)

    def times(self, factor: Node, product: Node, divisor: Node | None = None) -> Guarded:
        """The product with a factor, under the same guard.

        product: its value. At structural zeros that may be 0*inf, unless the factor is a finite constant.
        divisor: what it is still to be divided by.
        """
        if self.guard is None:
            return Guarded(product, divisor=divisor)
        number = constant_value(factor)
        finite = (number is not None and math.isfinite(number)) or (self.chosen and is_bounded(factor))
        return self._replace(value=product, zeroed=self.zeroed and finite, divisor=divisor)

    def choosing(self, factor: Node, product: Node, divisor: Node | None) -> Guarded:
        """As `times`, for a factor whose zeros are structural: it meets no infinite number there."""
        guard = truth(factor)
        if not is_bounded(self.value):
            product = exact(WHERE, (factor, product, ZERO))
        return self._replace(
            value=product, guard=guard_and(self.guard, guard), zeroed=self.guard is None or self.zeroed,
            gaps=False, chosen=is_light(self), divisor=divisor,
        )  # fmt: skip

    def where_nan(self, node: Node) -> Guarded:
        """What is left of it below a step: nan where the node's value is, else a structural zero."""
        is_nan = exact(NOT_EQUAL, (node, node))
        return Guarded(node, is_nan if self.guard is None else exact(AND_OP, (self.guard, is_nan)))

    def without_gaps(self) -> Guarded | None:
        """Without its guard if that marks gaps and there are none; None if there is nothing but gaps."""
        if self.guard is None or not self.gaps:
            return self
        some, every = _somewhere_and_everywhere(self.guard)
        return Guarded(self.value, divisor=self.divisor) if every else self if some else None

    def broadcast(self, shape: Shape) -> Guarded:
        """Value and guard, broadcast to a shape."""
        value = broadcast(self.value, shape)
        if self.guard is None or not self.guard.shape:
            return self._replace(value=value)
        return self._replace(value=value, guard=broadcast(self.guard, shape))

    def elementwise_guard(self) -> Node:
        """The guard in the shape of the value; ones where there is none."""
        return ones_like(self.value) if self.guard is None else broadcast(self.guard, self.value.shape)


def plain(value: Node) -> Guarded:
    """`Guarded(value)`, as most of all are, at a quarter of the price."""
    return _new(Guarded, (value, None, False, False, False, None, None))


@lru_cache(maxsize=256)
def _somewhere_and_everywhere(guard: Node) -> tuple[bool, bool]:
    """Whether a guard of gaps holds somewhere, and everywhere; it depends on no value but the places of elements."""
    kept = dict(_masks)
    if any(node.op is VARIABLE for node in toposort([guard], kept)):
        return True, False
    holds = _mask(guard)
    return bool(np.any(holds)), bool(np.all(holds))


_masks: dict[Node, Any] = {}
"""The values of the last guards of gaps. Where many are added up, each is made of the one before."""


def _mask(guard: Node) -> Any:
    kept = dict(_masks)
    (holds,) = evaluate([guard], {}, known={node: kept[node] for node in toposort([guard], kept) if node in kept})
    if math.prod(guard.shape) <= _LARGEST_KEPT:
        for oldest in list(kept)[: len(kept) + 1 - _MOST_KEPT]:
            _masks.pop(oldest, None)
        _masks[guard] = holds
    return holds


def guard_and(one: Node | None, other: Node | None) -> Node | None:
    """The guard that is 1 where both are; None is 1 everywhere."""
    if one is None or other is None:
        return other if one is None else one
    return exact(AND_OP, (one, other))


def added(one: Guarded, other: Guarded) -> Guarded:
    """The sum of two contributions to one node; still to be divided where both are, by the same."""
    divisor = one.divisor
    if divisor is not None and other.divisor is divisor:
        return added(one._replace(divisor=None), other._replace(divisor=None))._replace(divisor=divisor)
    value = exact(ADD, (one.selected(), other.selected()))
    if one.guard is None or other.guard is None:
        return plain(value)
    guard = exact(OR_OP, (one.guard, other.guard))
    return Guarded(value, guard, True, one.gaps and other.gaps, is_light(one) and is_light(other))


def replaced(moved: Mapping[Key, Guarded], known: Mapping[Node, Node]) -> dict[Key, Guarded]:
    """Adjoints, with nodes for the leaves in them and in their guards."""
    closed_ones = {at: each.closed() for at, each in moved.items()}
    become = rebuild([part for each in closed_ones.values() for part in each[:2] if part], exact, known)
    return {
        at: each._replace(value=become[each.value], guard=each.guard and become[each.guard])
        for at, each in closed_ones.items()
    }


def is_positive(count: Node) -> Node:
    """1 where a number is above 0: the guard from a count of guards."""
    return exact(GREATER, (count, ZERO))


def truth(condition: Node) -> Node:
    """A condition as 1 and 0, so that guards can be added up."""
    return condition if condition.op in TRUTHS else exact(NOT_EQUAL, (condition, ZERO))


def is_bounded(node: Node) -> bool:
    """Whether a node's value is no larger than some number, whatever those of the program are, as that of sech(x)^2.

    A name counts as a number of the program; where it is infinite, so is the program's doing.
    """
    waiting, names = [node], 0
    for _ in range(_MOST_PARTS):
        if not waiting:
            return True
        part = waiting.pop()
        op, args = part.op, part.args
        if op is VARIABLE:
            names += 1  # the product of two may be infinite
        if op is CONSTANT and not all(map(math.isfinite, constant_elements(part))):
            return False
        if op is POWER_OP and (constant_value(args[1]) or -1) > 0:
            waiting.append(args[0])
        elif op in _KEEP_BOUNDS or op.facts & CHOOSES:
            waiting += args
        elif names > 1 or not (op is CONSTANT or op is VARIABLE or op.name == "ones" or op.truth or op.facts & BOUNDED):
            return False
    return False


def is_light(moved: Guarded) -> bool:
    return moved.guard is None or moved.gaps or moved.chosen


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
    partners: Callable[[Node, int], Node],
) -> Guarded:
    """What a linear map makes of a tangent or an adjoint.

    image(x, args): the map of x, linear in x; the other arguments are factors. partners(guard, at):
    for each element of the factor at a position, how many elements of x with guard 1 it is multiplied by.
    """
    selected = moved.selected()
    value = image(selected, args)
    alone = len(args) == 1
    leaves_gaps = alone and value.op.gaps
    if moved.guard is None and not leaves_gaps:
        return Guarded(value)
    if moved.guard is None:
        return Guarded(value, image(ones_like(moved.value), args), zeroed=True, gaps=True)
    if not moved.guard.shape and not leaves_gaps:
        return moved._replace(value=image(moved.value, args), zeroed=moved.zeroed and alone)
    guard = moved.elementwise_guard()
    if alone:
        mark = image(guard, args)
        chosen = mark.op.facts & CHOOSES and mark.args == (guard,)
        return Guarded(value, mark if chosen else is_positive(mark), True, moved.gaps, moved.chosen)
    if moved.gaps:
        return Guarded(value)
    if moved.chosen:
        reached = image(guard, tuple(arg if at == position else ones_like(arg) for at, arg in enumerate(args)))
        return Guarded(value, is_positive(reached), zeroed=True, chosen=True)
    return _through_products(image, selected, guard, args, position, partners)


def _through_products(
    image: Callable[[Node, tuple[Node, ...]], Node],
    selected: Node,
    guard: Node,
    args: tuple[Node, ...],
    position: int,
    partners: Callable[[Node, int], Node],
) -> Guarded:
    """As `through_linear`, for a sum of products: 0 must not meet a factor that is nan or infinite.

    A factor that is multiplied by structural zeros only is replaced by 0, so that it gets no derivative
    either. A nan or infinite factor counts only in its products with elements whose guard is 1.
    """

    def with_factors(factor: Callable[[Node], Node]) -> tuple[Node, ...]:
        return tuple(arg if at == position else factor(arg) for at, arg in enumerate(factors))

    factors = tuple(
        arg if at == position else exact(WHERE, (is_positive(partners(guard, at)), arg, ZERO))
        for at, arg in enumerate(args)
    )
    reached = image(guard, with_factors(ones_like))
    clean = exact(EQUAL_TO, (image(guard, with_factors(is_finite)), reached))
    finite = image(selected, with_factors(finite_part))
    return Guarded(exact(WHERE, (clean, finite, image(selected, factors))), is_positive(reached), zeroed=True)
