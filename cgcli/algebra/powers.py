"""What a power of a power is: (x^2)^3 = x^6, sqrt(x^2) = abs(x), exp(2*ln(x)) = x^2."""

from __future__ import annotations

from cgcli.algebra.canonical import Canonical
from cgcli.algebra.coefficient import ONE, fraction_of
from cgcli.algebra.product import EULER, UNIT, Factors, Product
from cgcli.graph.node import Node
from cgcli.ops.arithmetic import ABS
from cgcli.ops.functions import LN


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
    return factors.settled()


def exponential(canonical: Canonical, exponent: Node) -> Product:
    """exp(exponent) as a product: exp(2*ln(x) + y) = x^2*exp(y)."""
    factors = Factors()
    for term, coefficient in canonical.terms_of(exponent).items():
        if term.op is LN:
            factors.times(Product(ONE, {term.args[0]: coefficient}))
        else:
            factors.raised(EULER, {term: coefficient})
    return factors.settled()


def _symbolic(canonical: Canonical, base: Node, exponent: Node) -> Product:
    if base is EULER:  # e^x = exp(x)
        return exponential(canonical, exponent)
    if base is UNIT:  # 1^x = 1
        return Product(ONE)
    factors = Factors()
    factors.raised(base, canonical.terms_of(exponent))
    return factors.settled()


def _even_power(product: Product) -> bool:
    return any(exponent % 2 == 0 for exponent in product.powers.values())
