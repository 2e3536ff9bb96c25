"""A product while it is collected: a coefficient, and bases with their exponents, equal bases merged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from cgcli.algebra.coefficient import ONE, ZERO, fraction_of, power, rounded
from cgcli.graph.node import CONSTANT, Node, constant
from cgcli.ops.arithmetic import ABS
from cgcli.records import NamedTuple

UNIT = constant(1.0)  # the term of a sum that is only a number
EULER = constant(math.e)  # the base of exp

Terms = Mapping[Node, Fraction]
"""A sum: each term without its coefficient, and the coefficient."""


def common_number(terms: Terms) -> Fraction:
    """The number that stands before every term: 2*x - 2*y is 2*(x - y), but 2*x + 2 stays."""
    first = abs(next(iter(terms.values())))
    same = UNIT not in terms and all(abs(coefficient) == first for coefficient in terms.values())
    return first if same else ONE


class Product(NamedTuple):
    """coefficient * product of base^number * product of base^(sum of terms)."""

    coefficient: Fraction
    powers: Mapping[Node, Fraction] = {}
    exponents: Mapping[Node, Terms] = {}


class Factors:
    """A product that is being collected."""

    def __init__(self) -> None:
        self.coefficient = ONE
        self.powers: dict[Node, Fraction] = {}
        self.exponents: dict[Node, dict[Node, Fraction]] = {}

    def times(self, product: Product, exponent: Fraction = ONE) -> None:
        """Multiply by product^exponent."""
        if product.coefficient != 1:
            self.coefficient = rounded(self.coefficient * power(product.coefficient, exponent))
        for base, number in product.powers.items():
            scaled = number if exponent is ONE else number * exponent  # most exponents are 1, and fractions are slow
            known = self.powers.get(base)
            self.powers[base] = scaled if known is None else known + scaled
        for base, terms in product.exponents.items():
            self.times_power(base, terms, exponent)

    def times_power(self, base: Node, terms: Terms, scale: Fraction = ONE) -> None:
        """Multiply by base^(scale * sum of terms)."""
        total = self.exponents.setdefault(base, {})
        for term, coefficient in terms.items():
            total[term] = total.get(term, ZERO) + coefficient * scale

    def product(self) -> Product:
        """The product, without what has cancelled."""
        for base, terms in self.exponents.items():
            terms[UNIT] = terms.get(UNIT, ZERO) + self.powers.pop(base, ZERO)
        exponents = {base: {term: c for term, c in terms.items() if c} for base, terms in self.exponents.items()}
        for base, terms in list(exponents.items()):
            if not terms.keys() - {UNIT}:
                del exponents[base]
                self.powers[base] = terms.get(UNIT, ZERO)
        for base in [base for base in self.powers if base.op is CONSTANT]:
            number = fraction_of(base)
            if number is not None:
                self.times(Product(power(number, self.powers.pop(base))))
        for base in [base for base in self.powers if base.op is ABS]:  # abs(x)^2 = x^2
            if self.powers[base] % 2 == 0:
                (inside,) = base.args
                self.powers[inside] = self.powers.get(inside, ZERO) + self.powers.pop(base)
        powers = {base: exponent for base, exponent in self.powers.items() if exponent}
        return Product(self.coefficient, powers, exponents)


def cost_in_front(term: Node, coefficient: Fraction) -> int:
    """What a term costs at the head of a sum: 0 when it needs no sign, 1 when its number carries it, 2 for a sign."""
    if coefficient > 0:
        return 0
    return 2 if coefficient == -1 and term is not UNIT else 1
