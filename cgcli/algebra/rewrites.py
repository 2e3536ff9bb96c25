"""Other forms of powers, products and sums, as the normal form of `canonical.py` reads them.

(x^2)^3 is x^6; (x*y)^2/y is x^2*y; x*exp(x) + exp(x) is exp(x)*(x + 1), and u/v - w/v^2 is (u*v - w)/v^2.
"""

from __future__ import annotations

import math

from cgcli.algebra.canonical import Canonical, remembered
from cgcli.algebra.coefficient import ONE, ZERO, Decimal, Number, fraction_of, number_of, quotient
from cgcli.algebra.product import EULER, PI, UNIT, Factors, Product, Terms
from cgcli.annotations import Callable, Sequence
from cgcli.graph.node import Node, apply
from cgcli.ops.arithmetic import ABS
from cgcli.ops.functions import LN
from cgcli.records import NamedTuple

_MOST_TERMS = 24  # of a sum that is multiplied out
_MOST_EXPANDED = 3  # the exponent of a sum in it

# ---- powers ---------------------------------------------------------------------------


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
    rest = Product(ONE, {base: n for base, n in product.powers.items() if base not in constants}, product.exponents)
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


# ---- sums and products ----------------------------------------------------------------


def _every(base: Node, powers: Sequence[Number]) -> bool:
    """Factors of every term; a name only where it has one power: x^2*cos(x) + 2*x*sin(x) stays, as polynomials do."""
    return 0 not in powers and (bool(base.args) or len(set(powers)) == 1)


def _lower(one: Terms, other: Terms) -> Terms | None:
    """The exponent of which each term is the lower one, k - 2 of 2*k - 2 and k - 2; None where neither is."""
    gaps = [other.get(term, ZERO) - one.get(term, ZERO) for term in {*one, *other}]
    if min(gaps) >= 0:
        return one
    return other if max(gaps) <= 0 else None


def _lower_by_number(one: Terms, other: Terms) -> Terms | None:
    """The lower of two exponents that differ by a number, n - 1 of n and n - 1; None where they differ otherwise."""
    return _lower(one, other) if all(one.get(term) == other.get(term) for term in {*one, *other} - {UNIT}) else None


class Takes(NamedTuple):
    """What may be taken out of a sum, to its lowest power.

    power: whether a base may, by its powers in the terms. lower: the lower of two symbolic exponents, None for neither.
    flat: whether powers of products are written out first.
    """

    power: Callable[[Node, Sequence[Number]], bool]
    lower: Callable[[Terms, Terms], Terms | None]
    flat: bool


COMMON_FACTORS = Takes(_every, _lower_by_number, False)  # x*exp(x) + exp(x) has exp(x), a*b + a*c has a
EXPONENTIALS = Takes(lambda base, powers: False, _lower, False)  # exp(2*x) - exp(x) has exp(x)
DENOMINATORS = Takes(lambda base, powers: sum(n < 0 for n in powers) > 1, lambda one, other: None, True)
CONTENT = Takes(lambda base, powers: True, _lower, True)  # 6*R*h - 3*h^2 has h, a/b - c/b^2 has 1/b^2

POSITIVE = Takes(lambda base, powers: min(powers) > 0, lambda one, other: None, True)  # x of x^2 + x/(y + 1)


def takeable(takes: Takes, terms: Terms, canonical: Canonical) -> Product | None:
    """The factors that can be taken out of a sum of several terms; None for none. Raises UnwritableError."""
    if len(terms) < 2:
        return None
    products = [_flat(term, canonical) if takes.flat else canonical.product_of(term) for term in terms]
    powers = {}
    below = [base for product in products[1:] for base, number in product.powers.items() if number < 0]
    for base in {*products[0].powers, *below}:  # what every term has, or one as a divisor
        numbers = [product.powers.get(base, ZERO) for product in products]
        if (lowest := min(numbers)) and takes.power(base, numbers):
            powers[base] = lowest
    exponents = products[0].exponents
    for product in products[1:] if exponents else ():
        shared = [base for base in exponents if base in product.exponents]
        lower = ((base, takes.lower(exponents[base], product.exponents[base])) for base in shared)
        exponents = {base: found for base, found in lower if found}
    return Product(ONE, powers, exponents) if powers or exponents else None


@remembered
def _flat(term: Node, canonical: Canonical) -> Product:
    """A term as a product, with powers of products written out. Raises UnwritableError."""
    product = canonical.product_of(term)
    return distributed(product, canonical) or product


def _common_number(terms: Terms, canonical: Canonical) -> Number:
    """The largest number that can be taken out of a sum: 3 of 6*x - 3*y, and 1/3 of x^2/3 + 1."""
    coefficients = [number * _flat(term, canonical).coefficient for term, number in terms.items()]
    if any(isinstance(coefficient, Decimal) for coefficient in coefficients):
        return ONE
    above = math.gcd(*(coefficient.numerator for coefficient in coefficients))
    above = -above if max(coefficients) < 0 else above
    return quotient(above, math.lcm(*(coefficient.denominator for coefficient in coefficients)))


@remembered
def _without_content(base: Node, canonical: Canonical) -> tuple[Product, Product] | None:
    """The content of a sum, its number and its factors, and what is left; None where it has none."""
    terms = canonical.terms_of(base)
    found = takeable(CONTENT, terms, canonical) or Product(ONE)
    content = found._replace(coefficient=_common_number(terms, canonical))
    if content == Product(ONE):
        return None
    return content, canonical.product_of(canonical.sum(divided(terms, content, canonical)))


def primitive(product: Product, canonical: Canonical) -> Product | None:
    """A product with the contents of its sums taken out of them; None where they have none. Raises UnwritableError."""
    sums = [base for base, exponent in product.powers.items() if canonical.is_sum(base) and exponent.denominator == 1]
    contents = {base: found for base in sums if (found := _without_content(base, canonical))}
    if not contents:
        return None
    factors = Factors()
    factors.times(product._replace(powers={base: n for base, n in product.powers.items() if base not in contents}))
    for base, found in contents.items():
        for part in found:
            factors.times(part, product.powers[base])
    return factors.product()


def split(product: Product, canonical: Canonical) -> Product | None:
    """A quotient of sums without what the divisor divides: (1 - y*u - y)/(u + 1) = 1/(u + 1) - y; None for others.

    Raises UnwritableError.
    """
    for below, number in product.powers.items():
        inside = canonical.terms_of(below) if number == -1 and canonical.is_sum(below) else {}
        for above, exponent in product.powers.items() if inside else ():
            terms = canonical.terms_of(above)
            if exponent != 1 or len(terms) <= len(inside):
                continue
            (first, coefficient), *_ = inside.items()
            for term, times in terms.items():
                factor = _multiplied(canonical.product_of(term), UNIT, quotient(times, coefficient), canonical)
                factor = _quotient_of(factor, canonical.product_of(first))
                taken: dict[Node, Number] = {}
                for part, c in inside.items():
                    taken |= canonical.terms_of(canonical.product(_multiplied(factor, part, c, canonical)))
                if all(terms.get(part) == c for part, c in taken.items()):
                    rest = canonical.sum({part: c for part, c in terms.items() if part not in taken})
                    share = canonical.product(_quotient_of(canonical.product_of(rest), Product(ONE, {below: ONE})))
                    whole = {**canonical.terms_of(share)}
                    for part, c in canonical.terms_of(canonical.product(factor)).items():
                        whole[part] = whole.get(part, ZERO) + c
                    others = {base: n for base, n in product.powers.items() if base not in (above, below)}
                    return _with_factor(product._replace(powers=others), canonical.sum(whole), canonical)
    return None


def _quotient_of(one: Product, other: Product) -> Product:
    factors = Factors()
    factors.times(one)
    factors.times(other, -ONE)
    return factors.product()


def _with_factor(product: Product, node: Node, canonical: Canonical) -> Product:
    factors = Factors()
    factors.times(product)
    factors.times(canonical.product_of(node))
    return factors.product()


def within_range(product: Product, canonical: Canonical) -> Product | None:
    """A product without squares of sums of exponentials below, which leave the range of float64 before it does.

    exp(x)/(exp(x) + 1)^2 = 1/((exp(x) + 1)*(exp(-x) + 1)). None where there are none. Raises UnwritableError.
    """
    for base, number in product.powers.items():
        if number > -2 or number.denominator != 1 or not canonical.is_sum(base):
            continue
        terms, found = canonical.terms_of(base), product
        for exponents in [canonical.product_of(term).exponents.get(EULER) for term in terms]:
            if exponents and found.powers.get(base, ZERO) < 0:
                other = canonical.sum(divided(terms, Product(ONE, {}, {EULER: exponents}), canonical))
                found = _over(found, base, exponents, other, canonical) or found
        if found is not product:
            return within_range(found, canonical) or found
    return None


def _over(product: Product, base: Node, exponents: Terms, other: Node, canonical: Canonical) -> Product | None:
    """A product over base^n as one over base^(n - 1), where a factor is one of base, or of the others.

    other: base/exp(exponents). The factor is exp(exponents), or a sum whose terms have it or the base. None for none.
    """
    factors = Factors()
    factors.times(product)
    if _has_exponential(product, exponents):
        factors.times(Product(ONE, {base: ONE, other: -ONE}, {EULER: {term: -n for term, n in exponents.items()}}))
        return factors.product()
    for whole, number in product.powers.items():
        if number != 1 or not canonical.is_sum(whole):
            continue
        inner: dict[Node, Number] = {}
        for term, coefficient in canonical.terms_of(whole).items():
            part = canonical.product_of(term)
            rest = Factors()
            rest.times(part)
            if part.powers.get(base, ZERO) >= 1:
                rest.times(Product(ONE, {base: -ONE}))
            elif _has_exponential(part, exponents):
                rest.times(Product(ONE, {other: -ONE}, {EULER: {term: -n for term, n in exponents.items()}}))
            else:
                break
            for node, n in canonical.terms_of(canonical.product(rest.product())).items():
                inner[node] = inner.get(node, ZERO) + n * coefficient
        else:
            common = takeable(POSITIVE, inner, canonical) or Product(ONE)
            factors.times(Product(ONE, {whole: -ONE, base: ONE}))
            factors.times(common)
            factors.times(canonical.product_of(canonical.sum(divided(inner, common, canonical))))
            return factors.product()
    return None


def _has_exponential(product: Product, exponents: Terms) -> bool:
    """Whether a product has exp(exponents) for a factor: exp(2*x) has exp(x)."""
    own = product.exponents.get(EULER, {})
    return all(own.get(term, ZERO) / number >= 1 for term, number in exponents.items())


def expanded(terms: Terms, canonical: Canonical) -> Terms | None:
    """A sum with its products of sums multiplied out, like terms collected: a*(b + c) - a*c is a*b.

    None where there are none, or the result would have too many terms. Raises UnwritableError.
    """
    products = {term: _flat(term, canonical) for term in terms}
    sums_of = {term: _sums_to_multiply(product, canonical) for term, product in products.items()}
    if not any(sums_of.values()) and all(canonical.product_of(term) == flat for term, flat in products.items()):
        return None
    found: dict[Node, Number] = {}
    count = len(terms)
    for term, coefficient in terms.items():
        product, sums = products[term], sums_of[term]
        parts = [product._replace(powers={base: n for base, n in product.powers.items() if base not in sums})]
        for base, times in sums.items():
            inside = canonical.terms_of(base)
            for _ in range(times):
                count += len(parts) * (len(inside) - 1)
                if count > _MOST_TERMS:
                    return None
                parts = [_multiplied(part, other, c, canonical) for part in parts for other, c in inside.items()]
        for part in parts:
            for node, number in canonical.terms_of(canonical.product(part)).items():
                found[node] = found.get(node, ZERO) + number * coefficient
    return {term: coefficient for term, coefficient in found.items() if coefficient}


def _sums_to_multiply(product: Product, canonical: Canonical) -> dict[Node, int]:
    """The sums in a product that are multiplied out, each with its power."""
    return {
        base: int(n)
        for base, n in product.powers.items()
        if canonical.is_sum(base) and 0 < n <= _MOST_EXPANDED and n.denominator == 1
    }


def _multiplied(product: Product, term: Node, coefficient: Number, canonical: Canonical) -> Product:
    factors = Factors()
    factors.times(product)
    factors.times(canonical.product_of(term))
    factors.times(Product(coefficient))
    return factors.product()


def divided(terms: Terms, common: Product, canonical: Canonical) -> dict[Node, Number]:
    """The terms of a sum, each divided by a product. Raises UnwritableError."""
    inner: dict[Node, Number] = {}
    for term, coefficient in terms.items():
        rest = Factors()
        rest.times(_flat(term, canonical))
        rest.times(common, -ONE)
        for part, number in canonical.terms_of(canonical.product(rest.product())).items():
            inner[part] = inner.get(part, ZERO) + number * coefficient
    return inner


def has_compound_factor(common: Product) -> bool:
    """Whether factors hold more than names; such are taken out even where that saves no operation."""
    return bool(common.exponents) or any(base.args for base in common.powers)


def taken_out(common: Product, terms: Terms, canonical: Canonical) -> Node:
    """A sum with its common factors before a bracket. Raises UnwritableError."""
    return _before_bracket(common, divided(terms, common, canonical), canonical)


def brought_together(terms: Terms, canonical: Canonical, common: Product) -> Node | None:
    """As `taken_out`, with the products of sums in the bracket multiplied out; None where there are none."""
    inner = expanded(divided(terms, common, canonical), canonical)
    return None if inner is None else _before_bracket(common, inner, canonical)


def _before_bracket(common: Product, inner: Terms, canonical: Canonical) -> Node:
    whole = Factors()
    whole.times(common)
    whole.times(canonical.product_of(canonical.sum(inner)))
    return canonical.product(whole.product())


def distributed(product: Product, canonical: Canonical) -> Product | None:
    """A product with powers of products written out, (x*y)^2/y = x^2*y; None where there are none."""
    inside = {
        base: canonical.product_of(base)
        for base, number in product.powers.items()
        if base.args and number.denominator == 1 and abs(number) != 1  # the others were kept whole on purpose
    }
    compound = {base: found for base, found in inside.items() if base not in found.powers}
    if not compound:
        return None
    factors = Factors()
    factors.times(product._replace(powers={base: n for base, n in product.powers.items() if base not in compound}))
    for base, found in compound.items():
        factors.times(found, product.powers[base])
    return factors.product()
