"""Sums that are each other's negative, a - b and b - a, in products and in the terms of a sum."""

from __future__ import annotations

from cgcli.algebra.coefficient import ZERO, Number
from cgcli.algebra.order import Order
from cgcli.algebra.product import UNIT, Product, Terms
from cgcli.annotations import Callable, Mapping
from cgcli.graph.node import Node

Build = Callable[[Terms], Node]


class Opposites:
    """Finds the negative of a sum, and remembers it.

    sums: the terms of the sums that there are. build, below: makes the node of a sum.
    """

    def __init__(self, order: Order, sums: Mapping[Node, Terms]) -> None:
        self._order = order
        self._sums = sums
        self._known: dict[Node, Node] = {}

    def of(self, node: Node, build: Build) -> Node:
        """The negative of a sum, as a sum: b - a of a - b."""
        known = self._known.get(node)
        if known is None:
            known = build({term: -coefficient for term, coefficient in self._sums[node].items()})
            self._known[node], self._known[known] = known, node
        return known

    def cancelled(self, product: Product, build: Build) -> Product:
        """The product without pairs of opposite sums, and without sums of negative terms: (a - b)/(b - a) = -1."""
        if self._sums.keys().isdisjoint(product.powers):
            return product
        sums = [base for base, n in product.powers.items() if base in self._sums and n.denominator == 1]
        if len(sums) < 2 and not any(max(self._sums[base].values()) < 0 for base in sums):
            return product
        coefficient, powers = product.coefficient, dict(product.powers)
        for base in sums:
            negative = max(self._sums[base].values()) < 0
            if base not in powers or not (negative or len(sums) > 1):
                continue
            opposite = self.of(base, build)
            if opposite is not base and (negative or opposite in powers):
                kept, dropped = (opposite, base) if negative else (base, opposite)
                number = powers.pop(dropped)
                coefficient *= (-1) ** (number.numerator % 2)
                powers[kept] = powers.get(kept, ZERO) + number
        return product._replace(coefficient=coefficient, powers={base: n for base, n in powers.items() if n})

    def flipped(self, product: Product, build: Build) -> Product:
        """A negative product without its sign, if a factor is a difference: -2*(a - b)*c as 2*(b - a)*c.

        Before a number, only one whose signs do not become more: -2*(a + b - c) stays. Of several, 1 - x stays.
        """
        if product.coefficient >= 0:
            return product
        differences = [
            base
            for base, number in product.powers.items()
            if number in (1, -1) and base in self._sums and self._may_flip(base, product.coefficient)
        ]
        if not differences:
            return product
        first = min(differences, key=lambda base: (self._sums[base].get(UNIT, ZERO) > 0, self._order.factor(base)))
        powers = dict(product.powers)
        number = powers.pop(first)
        opposite = self.of(first, build)
        powers[opposite] = powers.get(opposite, ZERO) + number
        powers = {base: number for base, number in powers.items() if number}
        return Product(-product.coefficient, powers, product.exponents)

    def _may_flip(self, base: Node, coefficient: Number) -> bool:
        numbers = self._sums[base].values()
        negative = sum(number < 0 for number in numbers)
        return negative > 0 if coefficient == -1 else 2 * negative >= len(numbers)

    def in_one_direction(self, product: Product, build: Build) -> tuple[Product, int]:
        """The product with the first of a - b and b - a for both, and the sign by which it differs."""
        if self._sums.keys().isdisjoint(product.powers):
            return product, 1
        sign, powers = 1, {}
        for base, number in product.powers.items():
            chosen = base
            if base in self._sums and number.denominator == 1:
                chosen = min(base, self.of(base, build), key=self._order.factor)
                sign *= -1 if chosen is not base and number.numerator % 2 else 1
            powers[chosen] = number
        return (product if powers.keys() == product.powers.keys() else product._replace(powers=powers)), sign
