"""Functions that meet: sin(x)^2 + cos(x)^2 is 1, sin(x)/cos(x) is tan(x); so with hyperbolic ones.

And those of arrays: cofactor and det make inv, exp(x)/sum(exp(x)) is softmax(x), exp(x)/(exp(x) + 1) sigmoid(x),
A.T @ x + x @ A is 2*A.T @ x.
"""

from __future__ import annotations

from cgcli.algebra.canonical import Canonical, Identities
from cgcli.algebra.coefficient import ONE, ZERO, Number, quotient
from cgcli.algebra.product import EULER, UNIT, Product, add
from cgcli.graph.node import Node, apply
from cgcli.graph.operation import Operation
from cgcli.ops.arithmetic import POWER_OP
from cgcli.ops.determinants import COFACTOR, DET
from cgcli.ops.functions import COS, COSH, COT, CSC, EXP, SEC, SIN, SINH, TAN, TANH
from cgcli.ops.linalg import INV, MATMUL
from cgcli.ops.reductions import SOFTMAX
from cgcli.ops.shaping import transpose
from cgcli.ops.special import SIGMOID
from cgcli.ops.statics import Along
from cgcli.ops.sums import SUM
from cgcli.records import NamedTuple

_SQUARE = 2


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
    SEC: Partner(TAN, -1, True),  # sec(x)^2 - tan(x)^2 = 1
    TAN: Partner(SEC, -1, False),
    CSC: Partner(COT, -1, True),
    COT: Partner(CSC, -1, False),
}


class Pair(NamedTuple):
    """first^n * second^(n*sign) = product^n; no product is 1."""

    second: Operation
    sign: int
    product: Operation | None


_PAIRS: dict[Operation, list[Pair]] = {
    SIN: [Pair(COS, -1, TAN), Pair(CSC, 1, None), Pair(TAN, -1, COS), Pair(COT, 1, COS)],
    TAN: [Pair(COS, 1, SIN), Pair(COT, 1, None), Pair(SIN, -1, SEC)],
    COS: [Pair(SEC, 1, None)],
    SINH: [Pair(COSH, -1, TANH), Pair(TANH, -1, COSH)],
    TANH: [Pair(COSH, 1, SINH)],
}


_PAIRED = _PAIRS.keys() | {pair.second for pairs in _PAIRS.values() for pair in pairs} | {COFACTOR, DET}


def _pythagorean(terms: dict[Node, Number], canonical: Canonical) -> dict[Node, Number]:
    """The terms of a sum with squares that add up to 1 replaced by 1, and 1 less a square by the other."""
    if any(term.shape for term in terms):
        terms = _on_one_side(terms, canonical)
    squares = {term: found for term in terms if (found := _square_in(canonical.product_of(term))) is not None}
    for term, (base, rest) in squares.items():
        if term not in terms:
            continue
        partner = _PARTNERS[base.op]
        twin = apply(partner.other, base.args)
        factor = canonical.product(rest)
        squared = dict(rest.powers)
        add(squared, twin, _SQUARE)
        other = canonical.product(rest._replace(powers=squared))
        c = terms[term]
        if terms.get(other) == c * partner.sign:  # c*f^2 + c*s*g^2 = c, and c*g^2 + c*s*f^2 = c*s
            del terms[term], terms[other]
            add(terms, factor, c if partner.leads else c * partner.sign)
        elif terms.get(factor) == (-c if partner.leads else -c * partner.sign):  # c*f^2 - c = -c*s*g^2
            del terms[term], terms[factor]
            add(terms, other, -c * partner.sign)
    return terms


def _on_one_side(terms: dict[Node, Number], canonical: Canonical) -> dict[Node, Number]:
    """The terms with x @ A counted as A.T @ x, where both are there."""
    for term in list(terms):
        product = canonical.product_of(term)
        for base, number in product.powers.items():
            if base.op is MATMUL and number == 1 and len(base.args[0].shape) == 1 < len(base.args[1].shape) == 2:
                x, a = base.args
                twin = apply(MATMUL, (transpose(a, (-1, -2)), x))
                powers = {twin if part is base else part: n for part, n in product.powers.items()}
                other = canonical.product(product._replace(powers=powers))
                if other in terms:
                    add(terms, other, terms.pop(term))
                break
    return terms


def _paired(product: Product, canonical: Canonical) -> Product:
    """The product with two functions that make one: sin(x)^n/cos(x)^n as tan(x)^n."""
    if product.exponents and product.powers:
        product = _as_shares(_under_roots(product, canonical), canonical)
    powers = product.powers
    functions = {(base.op, base.args): base for base in powers if base.op in _PAIRED}
    if len(functions) < 2:
        return product
    for base in functions.values():
        if base.op is COFACTOR:  # cofactor(A)/det(A)^2 = inv(A).T/det(A)
            det, exponent = apply(DET, base.args), powers[base]
            if powers.get(det, ZERO) < 0:
                powers = {part: n for part, n in powers.items() if part is not base}
                add(powers, det, exponent)
                add(powers, transpose(apply(INV, base.args), (-1, -2)), exponent)
        for pair in _PAIRS.get(base.op, ()) if base in powers else ():
            other, exponent = functions.get((pair.second, base.args)), powers[base]
            if other is not None and powers.get(other) == pair.sign * exponent:
                powers = {part: n for part, n in powers.items() if part not in (base, other)}
                if pair.product is not None:
                    add(powers, apply(pair.product, base.args), exponent)
                break
    return product if powers is product.powers else product._replace(powers=powers)


def _as_shares(product: Product, canonical: Canonical) -> Product:
    """The product with softmax(x) for exp(x)/sum(exp(x)); of arrays, sigmoid(x) for exp(x)/(exp(x) + 1)."""
    own = product.exponents.get(EULER, {})
    for base, number in product.powers.items() if own else ():
        share = _share(base, canonical) if number == -1 else None
        if share is None:
            continue
        terms = canonical.terms_of(share.args[0])
        if all(own.get(term) == coefficient for term, coefficient in terms.items()):
            powers = {part: n for part, n in product.powers.items() if part is not base}
            add(powers, share, ONE)
            rest = {term: c for term, c in own.items() if term not in terms}
            others = {part: terms for part, terms in product.exponents.items() if part is not EULER}
            return product._replace(powers=powers, exponents={**others, EULER: rest} if rest else others)
    return product


def _share(whole: Node, canonical: Canonical) -> Node | None:
    """The function by which exp(x) is divided by a sum with exp(x) in it; None for other sums."""
    if whole.op is SUM and whole.args[0].op is EXP and whole.params[0] == (-1,):
        return apply(SOFTMAX, whole.args[0].args, Along(-1))
    if not whole.shape or not canonical.is_sum(whole):
        return None  # of numbers, physics has exp(-E/(k*T))/(exp(-E/(k*T)) + 1)
    terms = canonical.terms_of(whole)
    term = next(iter(terms.keys() - {UNIT}))
    return apply(SIGMOID, term.args) if term.op is EXP and terms == {term: ONE, UNIT: ONE} else None


def _under_roots(product: Product, canonical: Canonical) -> Product:
    """The product with b^x under the root beside it: b^x/sqrt(b^x) is sqrt(b^x)."""
    powers, exponents = dict(product.powers), dict(product.exponents)
    for root, number in product.powers.items():
        if root.op is not POWER_OP or number.denominator == 1 or root.args[0] not in exponents:
            continue
        own, inside = exponents[root.args[0]], canonical.terms_of(root.args[1])
        times = {quotient(own.get(term, ZERO), coefficient) for term, coefficient in inside.items()}
        if own.keys() == inside.keys() and len(times) == 1 and (whole := min(times)).denominator == 1:
            powers[root] = number + whole
            del exponents[root.args[0]]
    changed = len(exponents) < len(product.exponents)
    return product._replace(powers=powers, exponents=exponents) if changed else product


def _square_in(product: Product) -> tuple[Node, Product] | None:
    """The first base that is a squared function with a partner, and what is left without it."""
    bases = (base for base, exponent in product.powers.items() if exponent == _SQUARE and base.op in _PARTNERS)
    base = next(bases, None)
    return None if base is None else (base, product.without((base,)))


TRIGONOMETRY = Identities(_paired, _pythagorean)
