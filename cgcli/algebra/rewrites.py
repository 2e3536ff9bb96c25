"""Other forms of powers, products and sums, as the normal form of `canonical.py` reads them.

(x^2)^3 is x^6; (x*y)^2/y is x^2*y; x*exp(x) + exp(x) is exp(x)*(x + 1), and u/v - w/v^2 is (u*v - w)/v^2.
"""

from __future__ import annotations

from fractions import Fraction

from cgcli.algebra.canonical import Canonical
from cgcli.algebra.coefficient import ONE, ZERO, fraction_of
from cgcli.algebra.product import EULER, UNIT, Factors, Product, Terms
from cgcli.graph.node import Node
from cgcli.ops.arithmetic import ABS
from cgcli.ops.functions import LN

# ---- powers ---------------------------------------------------------------------------


def raised(canonical: Canonical, base: Node, exponent: Node) -> Product:
    """base^exponent as a product. Raises UnwritableError for a number that no float64 holds."""
    number = fraction_of(exponent)
    if number is None:
        return _symbolic(canonical, base, exponent)
    factors = Factors()
    product = canonical.product_of(base)
    single = len(product.powers) + len(product.exponents) <= 1
    if number.denominator == 1:
        if single:  # (c*x^a)^n = c^n*x^(a*n)
            factors.times(product, number)
        else:  # (c*x*y)^n = c^n*(x*y)^n
            factors.times(Product(product.coefficient), number)
            factors.times(Product(ONE, {canonical.product(product._replace(coefficient=ONE)): number}))
    elif single and product.coefficient == 1 and not _even_power(product):
        factors.times(product, number)  # (x^a)^r = x^(a*r): where x^a is defined, x is positive or a is odd
    elif single and product.coefficient == 1:
        ((inside, even),) = product.powers.items()
        whole = (even * number) % 2 == 0  # (x^2)^r = abs(x)^(2*r)
        factors.times(Product(ONE, {inside if whole else canonical.make(ABS, inside): even * number}))
    else:
        factors.times(Product(ONE, {base: number}))
    return factors.product()


def exponential(canonical: Canonical, exponent: Node) -> Product:
    """exp(exponent) as a product: exp(2*ln(x) + y) = x^2*exp(y)."""
    factors = Factors()
    for term, coefficient in canonical.terms_of(exponent).items():
        if term.op is LN:
            factors.times(Product(ONE, {term.args[0]: coefficient}))
        else:
            factors.times_power(EULER, {term: coefficient})
    return factors.product()


def _symbolic(canonical: Canonical, base: Node, exponent: Node) -> Product:
    if base is EULER:  # e^x = exp(x)
        return exponential(canonical, exponent)
    if base is UNIT:  # 1^x = 1
        return Product(ONE)
    factors = Factors()
    factors.times_power(base, canonical.terms_of(exponent))
    return factors.product()


def _even_power(product: Product) -> bool:
    return any(exponent % 2 == 0 for exponent in product.powers.values())


# ---- sums and products ----------------------------------------------------------------


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


def has_compound_factor(common: Product) -> bool:
    """Whether factors hold more than names; such are taken out even where that saves no operation."""
    return bool(common.exponents) or any(base.args for base in common.powers)


def taken_out(common: Product, terms: Terms, canonical: Canonical) -> Node:
    """A sum with its common factors before a bracket. Raises UnwritableError."""
    inner: dict[Node, Fraction] = {}
    for term, coefficient in terms.items():
        rest = Factors()
        rest.times(canonical.product_of(term))
        rest.times(common, -ONE)
        for part, number in canonical.terms_of(canonical.product(rest.product())).items():
            inner[part] = inner.get(part, ZERO) + number * coefficient
    whole = Factors()
    whole.times(common)
    whole.times(canonical.product_of(canonical.sum(inner)))
    return canonical.product(whole.product())


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
    return factors.product()
