"""A product while it is collected: a coefficient, and bases with their exponents, equal bases merged."""

from __future__ import annotations

import math
from fractions import Fraction

from cgcli.algebra.coefficient import (
    ONE,
    ZERO,
    Number,
    UnwritableError,
    checked,
    factored,
    fraction_of,
    magnitude,
    number_node,
    quotient,
    whole,
)
from cgcli.annotations import Container, Mapping
from cgcli.graph.node import CONSTANT, Node, constant
from cgcli.graph.operation import Operation
from cgcli.ops.arithmetic import ABS, CBRT
from cgcli.records import EMPTY, NamedTuple

UNIT = constant(1.0)  # the term of a sum that is only a number
EULER = constant(math.e)  # the base of exp
PI = constant(math.pi)

_UNDONE: dict[Operation, tuple[int, Number]] = {
    ABS: (2, ONE),
    CBRT: (3, Fraction(1, 3)),
}  # abs(x)^2 = x^2, cbrt(x)^3 = x
_MOST_BITS = 4096  # of a number to a whole power

Terms = Mapping[Node, Number]
"""A sum: each term without its coefficient, and the coefficient."""


def common_number(terms: Terms) -> Number:
    """The number that stands before every term: 2*x - 2*y is 2*(x - y), but 2*x + 2 stays."""
    first = magnitude(next(iter(terms.values())))
    same = UNIT not in terms and all(magnitude(coefficient) == first for coefficient in terms.values())
    return first if same else ONE


class Product(NamedTuple):
    """coefficient * product of base^number * product of base^(sum of terms)."""

    coefficient: Number
    powers: Mapping[Node, Number] = EMPTY
    exponents: Mapping[Node, Terms] = EMPTY

    def key(self) -> tuple[object, ...]:
        """What equal products have in common; hashable."""
        powers = frozenset(self.powers.items())
        if not self.exponents:
            return self.coefficient, powers
        exponents = frozenset([(base, frozenset(terms.items())) for base, terms in self.exponents.items()])
        return self.coefficient, powers, exponents

    def without(self, bases: Container[Node]) -> Product:
        """The product without the powers of some bases."""
        return self._replace(powers={base: number for base, number in self.powers.items() if base not in bases})


class Factors:
    """A product that is being collected."""

    def __init__(self) -> None:
        self.coefficient: Number = ONE
        self.powers: dict[Node, Number] = {}
        self.exponents: dict[Node, dict[Node, Number]] = {}
        self._roots: dict[Number, Number] = {}  # numbers with exponents that are not whole

    def times(self, product: Product, exponent: Number = ONE) -> None:
        """Multiply by product^exponent."""
        if product.coefficient != 1:
            self._times_number(product.coefficient, exponent)
        for base, number in product.powers.items():
            scaled = number if exponent is ONE else number * exponent  # most exponents are 1, and fractions are slow
            known = self.powers.get(base)
            self.powers[base] = scaled if known is None else known + scaled
        for base, terms in product.exponents.items():
            self.times_power(base, terms, exponent)

    def times_power(self, base: Node, terms: Terms, scale: Number = ONE) -> None:
        """Multiply by base^(scale * sum of terms)."""
        total = self.exponents.setdefault(base, {})
        for term, coefficient in terms.items():
            total[term] = total.get(term, ZERO) + coefficient * scale

    def _times_number(self, number: Number, exponent: Number) -> None:
        if exponent.denominator == 1:
            self.coefficient = checked(self.coefficient * _whole_power(number, exponent.numerator))
        elif number or exponent < 0:
            for root, part in factored(number, exponent):
                self._roots[root] = self._roots.get(root, ZERO) + part
        else:
            self.coefficient = ZERO

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
                self._times_number(number, self.powers.pop(base))
        for root, exponent in self._roots.items():
            floor = exponent.numerator // exponent.denominator
            self.coefficient = checked(self.coefficient * _whole_power(root, floor))
            if exponent != floor:
                self.powers[number_node(root)] = exponent - floor
        for base in [base for base in self.powers if base.op in _UNDONE]:
            degree, power = _UNDONE[base.op]
            if self.powers[base] % degree == 0:
                (inside,) = base.args
                self.powers[inside] = self.powers.get(inside, ZERO) + self.powers.pop(base) * power
        powers = {base: whole(exponent) for base, exponent in self.powers.items() if exponent}
        return Product(whole(self.coefficient), powers, exponents)


def multiplied(*products: Product) -> Product:
    """The product of products. Raises UnwritableError."""
    factors = Factors()
    for product in products:
        factors.times(product)
    return factors.product()


def quotient_of(one: Product, other: Product) -> Product:
    """one/other. Raises UnwritableError."""
    factors = Factors()
    factors.times(one)
    factors.times(other, -ONE)
    return factors.product()


def add(numbers: dict[Node, Number], node: Node, number: Number) -> None:
    """Add to the coefficient of a term, or to the exponent of a base; what comes to 0 is left out."""
    total = numbers.get(node, ZERO) + number
    if total:
        numbers[node] = total
    else:
        numbers.pop(node, None)


def add_terms(total: dict[Node, Number], terms: Terms, times: Number = ONE) -> None:
    """Add so many times the terms of a sum to those of another."""
    for term, coefficient in terms.items():
        add(total, term, coefficient * times)


def _whole_power(number: Number, exponent: int) -> Number:
    """number^exponent. Raises UnwritableError for 0^-1, and for a power of too many digits."""
    if not number and exponent < 0:
        raise UnwritableError
    bits = max(number.numerator.bit_length(), number.denominator.bit_length())
    if abs(number) != 1 and bits * abs(exponent) > _MOST_BITS:
        raise UnwritableError
    return number**exponent if exponent >= 0 else quotient(1, number**-exponent)


def cost_in_front(term: Node, coefficient: Number) -> int:
    """What a term costs at the head of a sum: 0 when it needs no sign, 1 when its number carries it, 2 for a sign."""
    if coefficient > 0:
        return 0
    return 2 if coefficient == -1 and term is not UNIT else 1
