"""Exponentials in formulas that are printed: within the range of float64, and exp(x) and exp(-x) by one of them."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import combinations

from cgcli.algebra.canonical import Canonical
from cgcli.algebra.coefficient import ONE, ZERO, Number, UnwritableError
from cgcli.algebra.product import EULER, Product, Terms, add_terms, multiplied, quotient_of
from cgcli.algebra.rewrites import POSITIVE, divided, expanded, takeable
from cgcli.algebra.size import cost, has_square_of_exponentials
from cgcli.annotations import Sequence, Set
from cgcli.graph.node import CONSTANT, Node, apply, constant, rebuild, toposort
from cgcli.graph.operation import Operation, Params
from cgcli.ops.arithmetic import DIVIDE, MULTIPLY, NEG
from cgcli.ops.functions import EXP
from cgcli.records import EMPTY
from cgcli.transform.exact import exact

_MOST_GROWTH = 3  # of a formula that is brought within range
_MOST = 6  # exponentials that are compared with each other
_WORTH_A_NAME = 3  # operations of an exponential; 1/((exp(x) + 1)*(exp(-x) + 1)) stays


def within_range(outputs: Sequence[Node], canonical: Canonical) -> tuple[Node, ...]:
    """Formulas in normal form without squares of exponentials below, where they are not much longer then.

    They leave the range of float64 where the formula does not: exp(x)/(exp(x) + 1)^2 for x = 400.
    """
    quotients = [node for node in toposort(outputs) if node.op is DIVIDE and has_square_of_exponentials(node.args[1])]
    known: dict[Node, Node] = {}
    for node in quotients:
        if canonical.budget.is_spent:  # the costs of many large formulas would take all the time
            break
        try:
            product = _within_range(canonical.product_of(node), canonical)
            found = node if product is None else canonical.fitted(canonical.product(product), node.shape)
        except UnwritableError:
            continue
        if found is not node and cost(found) <= _MOST_GROWTH * cost(node) and canonical.domains.keeps(node, found):
            known[node] = found
    become = rebuild(outputs, exact, known) if known else {}
    return tuple(become.get(output, output) for output in outputs)


def with_one_exponential(outputs: Sequence[Node], canonical: Canonical) -> tuple[Node, ...]:
    """Formulas in normal form with 1/exp(x) for exp(-x), where they have both, and exp(x) is worth a name."""
    order = toposort(outputs)
    found = [node for node in order if node.op is EXP and not node.shape and cost(node) >= _WORTH_A_NAME]
    if not 2 <= len(found) <= _MOST:
        return tuple(outputs)
    uses = Counter(arg for node in order for arg in node.args)
    known: dict[Node, Node] = {}
    for one, other in combinations(sorted(found, key=lambda node: (-uses[node], cost(node))), 2):
        if known.keys().isdisjoint((one, other)) and _are_opposite(one.args[0], other.args[0], canonical):
            known[other] = apply(DIVIDE, (constant(1.0), one))
    become = rebuild(outputs, partial(_over, {node.args[1] for node in known.values()}), known) if known else {}
    return tuple(become.get(output, output) for output in outputs)


def _over(divisors: Set[Node], op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """The node, with one of the divisors below all other factors: a*b/x for (a/x)*b."""
    over = [arg.args[1] if arg.op is DIVIDE and arg.args[1] in divisors else None for arg in args]
    if op not in (MULTIPLY, DIVIDE, NEG) or not any(over) or (op is DIVIDE and over[1]):
        return exact(op, args, params)
    above = tuple(arg.args[0] if divisor else arg for arg, divisor in zip(args, over, strict=True))
    (divisor, *_) = filter(None, over)
    if op is DIVIDE:
        return exact(DIVIDE, (above[0], exact(MULTIPLY, (args[1], divisor))))
    return exact(DIVIDE, (exact(op, above), divisor))


def _are_opposite(x: Node, y: Node, canonical: Canonical) -> bool:
    (one, sign), (other, other_sign) = (canonical.in_one_direction(canonical.product_of(node)) for node in (x, y))
    if one._replace(coefficient=one.coefficient * sign) == other._replace(coefficient=-other.coefficient * other_sign):
        return True
    return canonical.is_sum(x) and canonical.sum({term: -c for term, c in canonical.terms_of(x).items()}) is y


def _within_range(product: Product, canonical: Canonical) -> Product | None:
    """A product without squares of sums of exponentials below, which leave the range of float64 before it does.

    exp(x)/(exp(x) + 1)^2 = 1/((exp(x) + 1)*(exp(-x) + 1)). None where there are none. Raises UnwritableError.
    """
    product = _with_exponentials_out(product, canonical)
    for base, number in product.powers.items():
        if number > -2 or number.denominator != 1 or not canonical.is_sum(base):
            continue
        terms, found = canonical.terms_of(base), product
        for growth in [_growth(canonical.product_of(term)) for term in terms]:
            if growth.exponents and found.powers.get(base, ZERO) < 0:
                other = canonical.sum(divided(terms, growth, canonical))
                found = _less(found, base, growth, other, canonical) or found
        if found is not product:
            return _within_range(found, canonical) or found
    return None


def _with_exponentials_out(product: Product, canonical: Canonical) -> Product:
    """A product with the exponentials that all terms of a sum have before it: exp(a + b) + exp(a + c) has exp(a)."""
    for whole, number in product.powers.items():
        terms = canonical.terms_of(whole) if number == 1 and canonical.is_sum(whole) else {}
        first, *others = [canonical.product_of(term).exponents.get(EULER, EMPTY) for term in terms] or [EMPTY]
        least = {term: min([number, *(each.get(term, ZERO) for each in others)]) for term, number in first.items()}
        shared = {term: number for term, number in least.items() if number > 0}
        if shared:
            common = Product(ONE, {}, {EULER: shared})
            rest = Product(ONE, {whole: -ONE, canonical.sum(divided(terms, common, canonical)): ONE})
            return multiplied(product, rest, common)
    return product


def _growth(product: Product) -> Product:
    """The exponentials in a product: exp(x), 10^x. Those of a name, (1 + r)^n, stay as a book has them."""
    return Product(ONE, {}, {base: terms for base, terms in product.exponents.items() if base.op is CONSTANT})


def _less(product: Product, base: Node, growth: Product, other: Node, canonical: Canonical) -> Product | None:
    """A product over base^n as one over base^(n - 1), where a factor is one of base, or of the others.

    growth: exponentials. other: base/growth. The factor is growth, or a sum with it in a term. None for none.
    """
    if _has_exponential(product, growth):
        return quotient_of(multiplied(product, Product(ONE, {base: ONE, other: -ONE})), growth)
    for whole, number in product.powers.items():
        if number != 1 or not canonical.is_sum(whole):
            continue
        for terms in (canonical.terms_of(whole), expanded(canonical.terms_of(whole), canonical) or {}):
            shares = _shares(terms, base, growth, canonical)
            if not shares[_EXPONENTIAL]:
                continue
            inner = dict(shares[_BASE])
            for share, divisor in ((shares[_EXPONENTIAL], other), (shares[_OTHERS], base)):
                part = quotient_of(canonical.product_of(canonical.sum(share)), Product(ONE, {divisor: ONE}))
                add_terms(inner, canonical.terms_of(canonical.product(part)))
            common = takeable(POSITIVE, inner, canonical) or Product(ONE)
            rest = canonical.product_of(canonical.sum(divided(inner, common, canonical)))
            return multiplied(product, Product(ONE, {whole: -ONE, base: ONE}), common, rest)
    return None


_BASE, _EXPONENTIAL, _OTHERS = range(3)


def _shares(terms: Terms, base: Node, growth: Product, canonical: Canonical) -> list[dict[Node, Number]]:
    """The terms with a factor base, those with the exponentials, both without that factor, and the others."""
    shares: list[dict[Node, Number]] = [{}, {}, {}]
    for term, coefficient in terms.items():
        product = canonical.product_of(term)
        if product.powers.get(base, ZERO) >= 1:
            at, divisor = _BASE, Product(ONE, {base: ONE})
        elif _has_exponential(product, growth):
            at, divisor = _EXPONENTIAL, growth
        else:
            at, divisor = _OTHERS, Product(ONE)
        add_terms(shares[at], canonical.terms_of(canonical.product(quotient_of(product, divisor))), coefficient)
    return shares


def _has_exponential(product: Product, growth: Product) -> bool:
    """Whether a product has exponentials for factors: exp(2*x) has exp(x)."""
    return all(
        product.exponents.get(base, EMPTY).get(term, ZERO) / number >= 1
        for base, terms in growth.exponents.items()
        for term, number in terms.items()
    )
