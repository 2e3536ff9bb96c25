"""Functions that meet: sin(x)^2 + cos(x)^2 is 1, sin(x)/cos(x) is tan(x); so with hyperbolic ones, cofactor and det."""

from __future__ import annotations

from cgcli.algebra.canonical import Canonical, Identities
from cgcli.algebra.coefficient import ZERO, Number
from cgcli.algebra.product import Product
from cgcli.graph.node import Node, apply
from cgcli.graph.operation import Operation
from cgcli.ops.determinants import COFACTOR, DET
from cgcli.ops.functions import COS, COSH, COT, CSC, SEC, SIN, SINH, TAN, TANH
from cgcli.ops.linalg import INV
from cgcli.ops.shaping import transpose
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
    """first^n * second^(n*sign) = product^n; no product is 1. transposed: the product is a matrix, transposed."""

    second: Operation
    sign: int
    product: Operation | None
    transposed: bool = False


_PAIRS: dict[Operation, list[Pair]] = {
    SIN: [Pair(COS, -1, TAN), Pair(CSC, 1, None), Pair(TAN, -1, COS), Pair(COT, 1, COS)],
    TAN: [Pair(COS, 1, SIN), Pair(COT, 1, None), Pair(SIN, -1, SEC)],
    COS: [Pair(SEC, 1, None)],
    SINH: [Pair(COSH, -1, TANH), Pair(TANH, -1, COSH)],
    TANH: [Pair(COSH, 1, SINH)],
    COFACTOR: [Pair(DET, -1, INV, transposed=True)],  # cofactor(A)/det(A) = inv(A).T
}


_PAIRED = _PAIRS.keys() | {pair.second for pairs in _PAIRS.values() for pair in pairs}


def _pythagorean(terms: dict[Node, Number], canonical: Canonical) -> dict[Node, Number]:
    """The terms of a sum with squares that add up to 1 replaced by 1, and 1 less a square by the other."""
    squares = {term: found for term in terms if (found := _square_in(canonical.product_of(term))) is not None}
    for term, (base, rest) in squares.items():
        if term not in terms:
            continue
        partner = _PARTNERS[base.op]
        twin = apply(partner.other, base.args)
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


def _paired(product: Product, canonical: Canonical) -> Product:
    """The product with two functions that make one: sin(x)^n/cos(x)^n as tan(x)^n."""
    powers = product.powers
    if len(powers) < 2 or len([base for base in powers if base.op in _PAIRED]) < 2:
        return product
    for base, exponent in product.powers.items():
        for pair in _PAIRS.get(base.op, ()) if base in powers else ():
            other = apply(pair.second, base.args)
            if powers.get(other) == pair.sign * exponent:
                powers = {part: n for part, n in powers.items() if part not in (base, other)}
                if pair.product is not None:
                    found = apply(pair.product, base.args)
                    _add(powers, transpose(found, (-1, -2)) if pair.transposed else found, exponent)
                break
    return product._replace(powers=powers)


def _square_in(product: Product) -> tuple[Node, Product] | None:
    """The first base that is a squared function with a partner, and what is left without it."""
    for base, exponent in product.powers.items():
        if exponent == _SQUARE and base.op in _PARTNERS:
            rest = {other: number for other, number in product.powers.items() if other is not base}
            return base, product._replace(powers=rest)
    return None


def _add(numbers: dict[Node, Number], node: Node, number: Number) -> None:
    total = numbers.get(node, ZERO) + number
    if total:
        numbers[node] = total
    else:
        numbers.pop(node, None)


TRIGONOMETRY = Identities(_paired, _pythagorean)
