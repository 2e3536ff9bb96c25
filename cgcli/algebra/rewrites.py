"""Other forms of products and sums, as the normal form of `canonical.py` reads them.

(x*y)^2/y is x^2*y; x*exp(x) + exp(x) is exp(x)*(x + 1), and u/v - w/v^2 is (u*v - w)/v^2.
"""

from __future__ import annotations

from itertools import combinations
from itertools import product as cartesian
from math import gcd, isqrt, lcm

from cgcli.algebra.canonical import Canonical, remembered
from cgcli.algebra.coefficient import ONE, ZERO, Decimal, Number, magnitude, quotient
from cgcli.algebra.product import EULER, UNIT, Factors, Product, Terms, add_terms, multiplied, quotient_of
from cgcli.annotations import Callable, Sequence
from cgcli.graph.node import Node
from cgcli.ops.arithmetic import DIVIDE
from cgcli.records import EMPTY, NamedTuple

_MOST_TERMS = 24  # of a sum that is multiplied out
_MOST_TWICE = 8  # of one that is multiplied out again
_MOST_EXPANDED = 3  # the exponent of a sum in it


def _every(base: Node, powers: Sequence[Number]) -> bool:
    """Factors of every term; a name only where it has one power: x^2*cos(x) + 2*x*sin(x) stays, as polynomials do."""
    return 0 not in powers and (bool(base.args) or len(set(powers)) == 1)


def _lower(one: Terms, other: Terms) -> Terms | None:
    """The exponent of which each term is the lower one, k - 2 of 2*k - 2 and k - 2; None where neither is."""
    gaps = [other.get(term, ZERO) - one.get(term, ZERO) for term in {*one, *other}]
    if min(gaps, default=0) >= 0:
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
    for base in dict.fromkeys([*products[0].powers, *below]):  # what every term has, or one as a divisor
        numbers = [product.powers.get(base, ZERO) for product in products]
        if (lowest := min(numbers)) and takes.power(base, numbers):
            powers[base] = lowest
    bases = dict.fromkeys(base for product in products for base in product.exponents)
    exponents = {base: found for base in bases if (found := _lowest(base, products, takes))}
    return Product(ONE, powers, exponents) if powers or exponents else None


def _lowest(base: Node, products: Sequence[Product], takes: Takes) -> Terms | None:
    """The lowest of the symbolic exponents of a base; where contents are taken, 1 - 1/b^n has 1/b^n."""
    found: Terms | None = products[0].exponents.get(base)
    absent = EMPTY if takes.flat and base is not EULER else None
    for at, product in enumerate(products):
        own = product.exponents.get(base, absent)
        if own is None or (found is None and at):
            return None
        found = own if found is None else takes.lower(found, own)
    return found


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
    above = gcd(*(coefficient.numerator for coefficient in coefficients))
    above = -above if max(coefficients) < 0 else above
    return quotient(above, lcm(*(coefficient.denominator for coefficient in coefficients)))


@remembered
def _without_content(base: Node, canonical: Canonical) -> tuple[Product, Product] | None:
    """The content of a sum, its number and its factors, and what is left, a square where it is one; None for none."""
    terms = canonical.terms_of(base)
    found = takeable(CONTENT, terms, canonical) or Product(ONE)
    content = found._replace(coefficient=_common_number(terms, canonical))
    if content == Product(ONE):
        square = _squared(terms, canonical)
        return square and (content, square)
    rest = divided(terms, content, canonical)
    return content, _squared(rest, canonical) or canonical.product_of(canonical.sum(rest))


def primitive(product: Product, canonical: Canonical) -> Product | None:
    """A product with the contents of its sums taken out of them; None where they have none. Raises UnwritableError."""
    sums = [base for base, exponent in product.powers.items() if canonical.is_sum(base) and exponent.denominator == 1]
    contents = {base: found for base in sums if (found := _without_content(base, canonical))}
    if not contents:
        return None
    factors = Factors()
    factors.times(product.without(contents))
    for base, found in contents.items():
        for part in found:
            factors.times(part, product.powers[base])
    return factors.product()


def split(product: Product, canonical: Canonical) -> Product | None:
    """A quotient of sums without what the divisor divides: (1 - y*u - y)/(u + 1) = 1/(u + 1) - y; None for others.

    Raises UnwritableError.
    """
    sums = [base for base in product.powers if canonical.is_sum(base)]
    divisors = [base for base in sums if product.powers[base] == -1]
    for divisor, dividend in cartesian(divisors, [base for base in sums if product.powers[base] == 1]):
        found = _divided_in_part(dividend, divisor, canonical)
        if found is not None:
            return multiplied(product.without((dividend, divisor)), canonical.product_of(found))
    return None


def _divided_in_part(dividend: Node, divisor: Node, canonical: Canonical) -> Node | None:
    """factor + rest/divisor for the sum factor*divisor + rest; None where no term of it is the first of such a part."""
    terms, inside = canonical.terms_of(dividend), canonical.terms_of(divisor)
    if len(terms) <= len(inside):
        return None
    first, first_coefficient = next(iter(inside.items()))
    for term, coefficient in terms.items():
        scaled = _multiplied(canonical.product_of(term), UNIT, quotient(coefficient, first_coefficient), canonical)
        factor = quotient_of(scaled, canonical.product_of(first))
        part: dict[Node, Number] = {}
        for each, c in inside.items():
            part |= canonical.terms_of(canonical.product(_multiplied(factor, each, c, canonical)))
        if all(terms.get(each) == c for each, c in part.items()):
            rest = canonical.sum({each: c for each, c in terms.items() if each not in part})
            remainder = quotient_of(canonical.product_of(rest), Product(ONE, {divisor: ONE}))
            found = dict(canonical.terms_of(canonical.product(remainder)))
            add_terms(found, canonical.terms_of(canonical.product(factor)))
            return canonical.sum(found)
    return None


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
        parts = [product.without(sums)]
        for base, times in sums.items():
            inside = canonical.terms_of(base)
            for _ in range(times):
                count += len(parts) * (len(inside) - 1)
                if count > _MOST_TERMS:
                    return None
                parts = [_multiplied(part, other, c, canonical) for part in parts for other, c in inside.items()]
        for part in parts:
            add_terms(found, canonical.terms_of(canonical.product(part)), coefficient)
    return found


def leveled(terms: Terms, canonical: Canonical) -> Terms | None:
    """The terms with their divisors in one form: 1/(a - b) and 1/(b - a), 1/(a/b + 1) and 1/(a + b).

    None where they are so, or there is nothing to bring together. Raises UnwritableError.
    """
    if sum(term.op is DIVIDE for term in terms) < 2:
        return None
    products = {term: canonical.product_of(term) for term in terms}
    divisors = [
        base for product in products.values() for base, n in product.powers.items() if n < 0 and canonical.is_sum(base)
    ]
    if len(divisors) < 2:
        return None
    found: dict[Node, Number] = {}
    for term, coefficient in terms.items():
        product, sign = canonical.in_one_direction(primitive(products[term], canonical) or products[term])
        add_terms(found, canonical.term_of(canonical.product(product, flip=False)), coefficient * sign)
    return None if found.keys() == terms.keys() else found


def absorbed(product: Product, canonical: Canonical) -> Product | None:
    """A product with the factors of a power's base in that power: x*(x/l)^(k - 2)/l^3 = (x/l)^(k - 1)/l^2.

    None where that takes no factor away. Raises UnwritableError.
    """
    for base in product.exponents:
        inside = canonical.product_of(base)
        if len(inside.powers) < 2 or inside.exponents or not inside.powers.keys() <= product.powers.keys():
            continue
        shifts = {quotient(product.powers[factor], number) for factor, number in inside.powers.items()}
        shift = min(shifts, key=magnitude)
        if shift.denominator != 1:
            continue
        factors = Factors()
        factors.times(product)
        factors.times(inside, -shift)
        factors.times_power(base, {UNIT: shift})
        if len((found := factors.product()).powers) < len(product.powers):
            return found
    return None


def _sums_to_multiply(product: Product, canonical: Canonical) -> dict[Node, int]:
    """The sums in a product that are multiplied out, each with its power."""
    return {
        base: int(n)
        for base, n in product.powers.items()
        if canonical.is_sum(base) and 0 < n <= _MOST_EXPANDED and n.denominator == 1
    }


def _multiplied(product: Product, term: Node, coefficient: Number, canonical: Canonical) -> Product:
    return multiplied(product, canonical.product_of(term), Product(coefficient))


def divided(terms: Terms, common: Product, canonical: Canonical) -> dict[Node, Number]:
    """The terms of a sum, each divided by a product. Raises UnwritableError."""
    inner: dict[Node, Number] = {}
    for term, coefficient in terms.items():
        rest = canonical.product(quotient_of(_flat(term, canonical), common))
        add_terms(inner, canonical.terms_of(rest), coefficient)
    return inner


def shared_factors(terms: Terms, canonical: Canonical) -> dict[tuple[Node, ...], list[Node]]:
    """The bases that some terms of a sum have in common, but not all, by these terms; EULER for an exponential."""
    having: dict[object, list[Node]] = {}
    for term in terms:
        product = canonical.product_of(term)
        for base in product.powers:
            having.setdefault(base, []).append(term)
        for base, part in product.exponents.items():
            having.setdefault((base, frozenset(part.items())), []).append(term)
    groups = dict.fromkeys(tuple(group) for group in having.values() if 1 < len(group) < len(terms))
    return {
        group: [key if isinstance(key, Node) else EULER for key, where in having.items() if set(group) <= set(where)]
        for group in groups
    }


def collected(terms: Terms, group: Sequence[Node], canonical: Canonical) -> Node | None:
    """A sum with what some terms have in common before a bracket, exp(x)*(a + b) + c. Raises UnwritableError."""
    inside = {term: terms[term] for term in group}
    common = takeable(COMMON_FACTORS, inside, canonical)
    if common is None:
        return None
    rest = {term: coefficient for term, coefficient in terms.items() if term not in inside}
    add_terms(rest, canonical.terms_of(taken_out(common, inside, canonical)))
    return canonical.sum(rest)


def _squared(terms: Terms, canonical: Canonical) -> Product | None:
    """(a + b)^2 for a^2 + 2*a*b + b^2; None for other sums. Raises UnwritableError."""
    roots = [(term, root) for term, c in terms.items() if (root := _square_root(canonical.product_of(term), c))]
    for (one, a), (other, b) in combinations(roots, 2) if len(terms) == 3 else ():
        between = canonical.terms_of(canonical.product(multiplied(a, b)))
        middle, coefficient = next(iter(between.items()))
        sign = quotient(terms.get(middle, ZERO), 2 * coefficient)
        if len(between) == 1 and middle not in (one, other) and abs(sign) == 1:
            inner = dict(canonical.terms_of(canonical.product(a)))
            add_terms(inner, canonical.terms_of(canonical.product(b)), sign)
            return Product(ONE, {canonical.sum(inner): 2})
    return None


def _square_root(product: Product, coefficient: Number) -> Product | None:
    """The product whose square a term is, of names and functions to whole powers; None where it is none."""
    number = product.coefficient * coefficient
    if number <= 0 or product.exponents or any(n % 2 for n in product.powers.values()):
        return None
    above, below = isqrt(number.numerator), isqrt(number.denominator)
    if above**2 != number.numerator or below**2 != number.denominator:
        return None
    return Product(quotient(above, below), {base: n // 2 for base, n in product.powers.items()})


def has_compound_factor(common: Product) -> bool:
    """Whether factors hold more than names; such are taken out even where that saves no operation."""
    return bool(common.exponents) or any(base.args for base in common.powers)


def taken_out(common: Product, terms: Terms, canonical: Canonical) -> Node:
    """A sum with its common factors before a bracket. Raises UnwritableError."""
    return _before_bracket(common, divided(terms, common, canonical), canonical)


def brought_together(terms: Terms, canonical: Canonical, common: Product, fits: Callable[[Terms], bool]) -> Node | None:
    """As `taken_out`, with the products of sums in the bracket multiplied out, twice; None where there are none.

    fits: whether a bracket is not too long. Raises UnwritableError.
    """
    inner = expanded(divided(terms, common, canonical), canonical)
    if inner is None or not fits(inner):
        return None
    again = expanded(inner, canonical) if len(inner) <= _MOST_TWICE else None
    return _before_bracket(common, again or inner, canonical) if not again or fits(again) else None


def _before_bracket(common: Product, inner: Terms, canonical: Canonical) -> Node:
    return canonical.product(multiplied(common, canonical.product_of(canonical.sum(inner))))


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
    factors.times(product.without(compound))
    for base, found in compound.items():
        factors.times(found, product.powers[base])
    return factors.product()
