"""Powers as products: (x^2)^3 is x^6, sqrt(4*x) is 2*sqrt(x), and exp(2*ln(x) + y) is x^2*exp(y)."""

from __future__ import annotations

from cgcli.algebra.canonical import Canonical
from cgcli.algebra.coefficient import ONE, ZERO, Number, fraction_of, number_of
from cgcli.algebra.product import EULER, PI, UNIT, Factors, Product
from cgcli.graph.node import Node, apply
from cgcli.ops.arithmetic import ABS
from cgcli.ops.functions import LN


def raised(canonical: Canonical, base: Node, exponent: Node) -> Product:
    """base^exponent as a product. Raises UnwritableError for a number that no float64 holds."""
    number = number_of(exponent)
    if number is None:
        return _symbolic(canonical, base, exponent)
    factors = Factors()
    product = canonical.product_of(base)
    if number.denominator != 1:
        _times_root(factors, canonical, product, number)
        return factors.product()
    constants = {base: n for base, n in product.powers.items() if _is_positive(base)}
    rest = product.without(constants)._replace(coefficient=ONE)
    factors.times(Product(product.coefficient, constants), number)
    if len(rest.powers) + len(rest.exponents) <= 1:  # (c*x^a)^n = c^n*x^(a*n)
        factors.times(rest, number)
    else:  # (c*x*y)^n = c^n*(x*y)^n
        factors.times(Product(ONE, {canonical.product(rest): number}))
    return factors.product()


def _times_root(factors: Factors, canonical: Canonical, product: Product, exponent: Number) -> None:
    """Multiply by product^exponent, for an exponent that is not whole: what is never negative is taken out of the root.

    sqrt(4*x) = 2*sqrt(x), sqrt(2*x^2) = sqrt(2)*abs(x), and sqrt(2*x) stays, as does sqrt(x^y), for x may be negative.
    """
    positive = {base: n for base, n in product.powers.items() if _is_positive(base)}
    even = {base: n for base, n in product.powers.items() if n % 2 == 0 and base not in positive}
    others = {base: n for base, n in product.powers.items() if base not in positive and base not in even}
    exponents = {base: terms for base, terms in product.exponents.items() if not _is_positive(base)}
    outside = Factors()
    if product.coefficient > 0:
        outside.times(Product(product.coefficient), exponent)
    roots_of_numbers = bool(outside.product().powers)
    apart = not exponents and len(others) + bool(even) <= 1 and not (others and (roots_of_numbers or positive))
    if product.coefficient > 0 and apart:
        factors.times(Product(product.coefficient, positive, product.exponents), exponent)
        factors.times(Product(ONE, others), exponent)  # where x^a is defined for an a that is not even, so is x^(a*r)
        for base, n in even.items():  # (x^2)^r = abs(x)^(2*r)
            plain = (n * exponent) % 2 == 0 or canonical.domains.is_non_negative(base)
            inside = base if plain else apply(ABS, (base,))
            factors.times(Product(ONE, {inside: n * exponent}))
        return
    taken_out = product.coefficient > 0 and not roots_of_numbers
    inside = canonical.product(product._replace(coefficient=ONE) if taken_out else product)
    if taken_out:
        factors.times(Product(product.coefficient), exponent)
    factors.times(Product(ONE, {inside: exponent}))


def _is_positive(base: Node) -> bool:
    """Whether a base is greater than 0 wherever it is a number."""
    return base in (PI, EULER) or (fraction_of(base) or ZERO) > 0


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
