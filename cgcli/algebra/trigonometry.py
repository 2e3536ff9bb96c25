"""Sines and cosines that meet: sin(x)^2 + cos(x)^2 is 1, sin(x)/cos(x) is tan(x); so with hyperbolic ones."""

from __future__ import annotations

from fractions import Fraction

from cgcli.algebra.canonical import Canonical, Identities
from cgcli.algebra.coefficient import ZERO
from cgcli.algebra.product import Product
from cgcli.graph.node import Node
from cgcli.graph.operation import Operation
from cgcli.ops.functions import COS, COSH, SIN, SINH, TAN, TANH
from cgcli.records import NamedTuple

_SQUARE = Fraction(2)


class Partner(NamedTuple):
    """one^2 + sign*other^2 = 1."""

    other: Operation
    sign: int
    leads: bool  # whether it is the one without a sign


_PARTNERS = {
    SIN: Partner(COS, 1, True),  # sin(x)^2 + cos(x)^2 = 1
    COS: Partner(SIN, 1, False),
    COSH: Partner(SINH, -1, True),  # cosh(x)^2 - sinh(x)^2 = 1
    SINH: Partner(COSH, -1, False),
}
_QUOTIENTS = {  # numerator: denominator, quotient
    SIN: (COS, TAN),  # sin(x)/cos(x) = tan(x)
    SINH: (COSH, TANH),  # sinh(x)/cosh(x) = tanh(x)
}


def _pythagorean(terms: dict[Node, Fraction], canonical: Canonical) -> dict[Node, Fraction]:
    """The terms of a sum with squares that add up to 1 replaced by 1, and 1 less a square by the other."""
    squares = {term: found for term in terms if (found := _square_in(canonical.product_of(term))) is not None}
    for term, (base, rest) in squares.items():
        if term not in terms:
            continue
        partner = _PARTNERS[base.op]
        twin = canonical.make(partner.other, *base.args)
        factor = canonical.product(rest)
        squared = {**rest.powers, twin: rest.powers.get(twin, ZERO) + _SQUARE}
        other = canonical.product(rest._replace(powers={base: n for base, n in squared.items() if n}))
        c = terms[term]
        if terms.get(other) == c * partner.sign:  # c*f^2 + c*s*g^2 = c, and c*g^2 + c*s*f^2 = c*s
            del terms[term], terms[other]
            _add(terms, factor, c if partner.leads else c * partner.sign)
        elif terms.get(factor) == (-c if partner.leads else -c * partner.sign):  # c*f^2 - c = -c*s*g^2
            del terms[term], terms[factor]
            _add(terms, other, -c * partner.sign)
    return terms


def _quotients(product: Product, canonical: Canonical) -> Product:
    """The product with sin(x)^n/cos(x)^n as tan(x)^n."""
    powers: dict[Node, Fraction] | None = None
    for base, exponent in product.powers.items():
        if base.op not in _QUOTIENTS:
            continue
        below, quotient = _QUOTIENTS[base.op]
        other = canonical.make(below, *base.args)
        if product.powers.get(other) == -exponent:
            powers = dict(product.powers) if powers is None else powers
            del powers[base], powers[other]
            _add(powers, canonical.make(quotient, *base.args), exponent)
    return product if powers is None else product._replace(powers=powers)


def _square_in(product: Product) -> tuple[Node, Product] | None:
    """The first base that is a squared function with a partner, and what is left without it."""
    for base, exponent in product.powers.items():
        if exponent == _SQUARE and base.op in _PARTNERS:
            rest = {other: number for other, number in product.powers.items() if other is not base}
            return base, product._replace(powers=rest)
    return None


def _add(numbers: dict[Node, Fraction], node: Node, number: Fraction) -> None:
    total = numbers.get(node, ZERO) + number
    if total:
        numbers[node] = total
    else:
        numbers.pop(node, None)


TRIGONOMETRY = Identities(_quotients, _pythagorean)
