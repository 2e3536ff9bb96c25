"""Common factors of a sum: x*exp(x) + exp(x) is exp(x)*(x + 1), and u/v - w/v^2 is (u*v - w)/v^2."""

from __future__ import annotations

from fractions import Fraction

from cgcli.algebra.canonical import Canonical
from cgcli.algebra.coefficient import ONE, ZERO
from cgcli.algebra.product import Factors, Product, Terms
from cgcli.graph.node import Node


def common_factors(terms: Terms, canonical: Canonical) -> Product | None:
    """The factors that stand in every term of a sum, each to its lowest power; None where there are none.

    A name counts only to the same power in every term: a*b + a*c is a*(b + c), but
    x^2*cos(x) + 2*x*sin(x) stays, and so do polynomials.
    """
    if len(terms) < 2:
        return None
    first, *others = map(canonical.product_of, terms)
    powers = dict(first.powers)
    exponents = dict(first.exponents)
    for product in others:
        for base in list(powers):
            number = product.powers.get(base)
            if number is None or (number != powers[base] and not base.args):
                del powers[base]
            else:
                powers[base] = min(powers[base], number)
        for base in list(exponents):
            if product.exponents.get(base) != exponents[base]:
                del exponents[base]
        if not powers and not exponents:
            return None
    return Product(ONE, powers, exponents)


def is_evident(common: Product) -> bool:
    """Whether factors hold more than names; such are taken out even where that saves no operation."""
    return bool(common.exponents) or any(base.args for base in common.powers)


def taken_out(common: Product, terms: Terms, canonical: Canonical) -> Node:
    """A sum with its common factors before a bracket. Raises UnwritableError."""
    inner: dict[Node, Fraction] = {}
    for term, coefficient in terms.items():
        rest = Factors()
        rest.times(canonical.product_of(term))
        rest.times(common, -ONE)
        for part, number in canonical.terms_of(canonical.product(rest.settled())).items():
            inner[part] = inner.get(part, ZERO) + number * coefficient
    whole = Factors()
    whole.times(common)
    whole.times(canonical.product_of(canonical.sum(inner)))
    return canonical.product(whole.settled())


def multiplied_out(terms: Terms, canonical: Canonical) -> Terms | None:
    """A sum with its terms c*(a + b), for a number c, as c*a + c*b; None where there are none."""
    sums = {term: inside for term in terms if len(inside := canonical.terms_of(term)) > 1}
    if not sums:
        return None
    spread = {term: coefficient for term, coefficient in terms.items() if term not in sums}
    for term, inside in sums.items():
        for part, number in inside.items():
            spread[part] = spread.get(part, ZERO) + number * terms[term]
    return {term: coefficient for term, coefficient in spread.items() if coefficient}


def distributed(product: Product, canonical: Canonical) -> Product | None:
    """A product with powers of products written out, (x*y)^2/y = x^2*y; None where there are none."""
    inside = {
        base: canonical.product_of(base)
        for base, number in product.powers.items()
        if base.args and number.denominator == 1 and abs(number) != 1  # else it was left together on purpose
    }
    compound = {base: found for base, found in inside.items() if base not in found.powers}
    if not compound:
        return None
    factors = Factors()
    factors.times(product._replace(powers={base: n for base, n in product.powers.items() if base not in compound}))
    for base, found in compound.items():
        factors.times(found, product.powers[base])
    return factors.settled()
