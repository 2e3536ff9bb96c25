"""Sums that are each other's negative, a - b and b - a, in products and in the terms of a sum.

What is linear in a sum counts as one: A @ (x - y) is the negative of A @ (y - x).
"""

from __future__ import annotations

from cgcli.algebra.coefficient import ZERO, Number
from cgcli.algebra.order import Order
from cgcli.algebra.product import UNIT, Product, Terms, add
from cgcli.annotations import Callable, Mapping, Sequence
from cgcli.graph.node import Node, apply
from cgcli.graph.rules import Transpose
from cgcli.ops.linalg import MATMUL, SOLVE
from cgcli.records import NamedTuple

_LINEAR_IN = {MATMUL: (0, 1), SOLVE: (1,)}  # in which arguments, one at a time
_MOST = 16  # linear operations that are looked through for a sum


class _Step(NamedTuple):
    """An operation, and in which of its arguments it is taken as linear."""

    user: Node
    at: int

    @property
    def of(self) -> Node:
        """The argument in which it is linear."""
        return self.user.args[self.at]


Build = Callable[[Terms], Node]
Read = Callable[[Node], Product]


class Opposites:
    """Finds the negative of a sum, and remembers it.

    sums: the terms of the sums that there are. build, below: makes the node of a sum.
    """

    def __init__(self, order: Order, sums: Mapping[Node, Terms]) -> None:
        self._order = order
        self._sums = sums
        self._known: dict[Node, Node] = {}

    def of(self, node: Node, build: Build) -> Node:
        """The negative of a sum, or of what is linear in one: b - a of a - b."""
        known = self._known.get(node)
        if known is None:
            way = self._way(node) or ()
            inner = way[-1].of if way else node
            known = build({term: -coefficient for term, coefficient in self._sums[inner].items()})
            for user, at in reversed(way):
                known = apply(user.op, (*user.args[:at], known, *user.args[at + 1 :]), user.params)
            self._known[node], self._known[known] = known, node
        return known

    def _sum_in(self, node: Node) -> Node | None:
        """A sum itself, or the one that a node is linear in; None where there is none."""
        if node in self._sums:
            return node
        way = self._way(node) if _linear_in(node) else None
        return way[-1].of if way else None

    def _way(self, node: Node) -> tuple[_Step, ...] | None:
        """The linear operations from a node to a sum; None where none leads to one."""
        waiting: list[tuple[Node, tuple[_Step, ...]]] = [(node, ())]
        for _ in range(_MOST):
            if not waiting:
                break
            part, way = waiting.pop()
            if part in self._sums:
                return way
            waiting += [(part.args[at], (*way, _Step(part, at))) for at in reversed(_linear_in(part))]
        return None

    def cancelled(self, product: Product, build: Build) -> Product:
        """The product without pairs of opposite sums, and without sums of negative terms: (a - b)/(b - a) = -1."""
        sums = self._differences(product)
        if len(sums) < 2 and not any(map(self._is_negative, sums.values())):
            return product
        coefficient, powers = product.coefficient, dict(product.powers)
        for base, inner in sums.items():
            negative = self._is_negative(inner)
            if base not in powers or not (negative or len(sums) > 1):
                continue
            opposite = self.of(base, build)
            if opposite is not base and (negative or opposite in powers):
                kept, dropped = (opposite, base) if negative else (base, opposite)
                number = powers.pop(dropped)
                coefficient *= (-1) ** (number.numerator % 2)
                add(powers, kept, number)
        return product._replace(coefficient=coefficient, powers=powers)

    def flipped(self, product: Product, build: Build) -> Product:
        """A negative product without its sign, if a factor is a difference: -2*(a - b)*c as 2*(b - a)*c.

        Before a number, only one whose signs do not become more: -2*(a + b - c) stays. Of several, 1 - x stays.
        """
        if product.coefficient >= 0:
            return product
        differences = {
            base: self._sums[inner]
            for base, inner in self._differences(product).items()
            if product.powers[base] in (1, -1) and _may_flip(self._sums[inner], product.coefficient)
        }
        if not differences:
            return product
        first = min(differences, key=lambda base: (differences[base].get(UNIT, ZERO) > 0, self._order.factor(base)))
        powers = dict(product.powers)
        number = powers.pop(first)
        add(powers, self.of(first, build), number)
        return Product(-product.coefficient, powers, product.exponents)

    def in_one_direction(self, product: Product, build: Build) -> tuple[Product, int]:
        """The product with the first of a - b and b - a for both, and the sign by which it differs."""
        differences = self._differences(product)
        if not differences:
            return product, 1
        sign, powers = 1, {}
        for base, number in product.powers.items():
            chosen = base
            if base in differences:
                chosen = min(base, self.of(base, build), key=self._order.factor)
                sign *= -1 if chosen is not base and number.numerator % 2 else 1
            powers[chosen] = number
        return (product if powers.keys() == product.powers.keys() else product._replace(powers=powers)), sign

    def in_common_directions(self, terms: Terms, product_of: Read, build: Build) -> dict[Node, tuple[Product, int]]:
        """For terms that hold one of a - b and b - a, while others hold the other: with one for both, and the sign."""
        found = {term: (product, self._differences(product)) for term in terms if (product := product_of(term))}
        gain: dict[Node, int] = {}
        for term, (product, differences) in found.items():
            for base, inner in differences.items():
                odd = product.powers[base].numerator % 2
                gain[inner] = gain.get(inner, 0) + (odd if terms[term] > 0 else -odd)
        turned = set()
        for inner in gain:
            opposite = self.of(inner, build)
            if opposite in gain and opposite is not inner:
                turned.add(max(inner, opposite, key=lambda node: (-gain[node], self._order.factor(node))))
        changed = {}
        for term, (product, differences) in found.items() if turned else ():
            sign, powers = 1, dict[Node, Number]()
            for base, number in product.powers.items():
                chosen = base
                if differences.get(base) in turned:
                    chosen = self.of(base, build)
                    sign *= -1 if number.numerator % 2 else 1
                add(powers, chosen, number)
            if powers.keys() != product.powers.keys():
                changed[term] = product._replace(powers=powers), sign
        return changed

    def _differences(self, product: Product) -> dict[Node, Node]:
        """The factors that are sums, to whole powers, or linear in one, each with the sum."""
        found = {}
        for base, number in product.powers.items():
            if base.args and number.denominator == 1 and (inner := self._sum_in(base)) is not None:
                found[base] = inner
        return found

    def _is_negative(self, sum_: Node) -> bool:
        return max(self._sums[sum_].values()) < 0


def _may_flip(terms: Terms, coefficient: Number) -> bool:
    negative = sum(number < 0 for number in terms.values())
    return negative > 0 if coefficient == -1 else 2 * negative >= len(terms)


def _linear_in(node: Node) -> Sequence[int]:
    """In which of its arguments an operation is linear, each alone."""
    args = node.args
    if not args or not args[-1].shape:  # no array: a number, a name, or a function of such
        return ()
    if len(args) > 1:
        return _LINEAR_IN.get(node.op, ())
    return (0,) if isinstance(node.op.rule(0), Transpose) else ()
