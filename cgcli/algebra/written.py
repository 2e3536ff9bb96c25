"""How a product and a sum in normal form are written as operations: 2*x*sin(x)/(y*z), x^2 + 2*x - sin(x) + 1."""

from __future__ import annotations

from functools import reduce
from itertools import chain

from cgcli.algebra.coefficient import (
    ONE,
    ZERO,
    Decimal,
    Number,
    exponent_node,
    fraction_of,
    magnitude,
    number_node,
    ratio,
)
from cgcli.algebra.order import Order
from cgcli.algebra.product import EULER, PI, UNIT, Product, Terms, cost_in_front
from cgcli.annotations import Callable, Iterable
from cgcli.graph.node import CONSTANT, Node, apply, constant
from cgcli.graph.operation import Shape
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, POWER_OP, SQRT, SUBTRACT
from cgcli.ops.creation import ONES, OfShape
from cgcli.ops.functions import EXP
from cgcli.ops.linalg import MATMUL
from cgcli.ops.shaping import column_of, outer, reshape, row_of

_NOTHING = constant(0.0)


class Writer:
    """Writes products and sums; what stands inside is built by the functions given.

    product: a product. exponent: a sum that is an exponent. scaled: a term with its coefficient.
    They, and what is written, raise UnwritableError when no float64 holds a number.
    """

    def __init__(
        self,
        order: Order,
        product: Callable[[Product], Node],
        exponent: Callable[[Terms], Node],
        scaled: Callable[[Number, Node], Node],
    ) -> None:
        self._order = order
        self._product_of = product
        self._exponent_of = exponent
        self._scaled = scaled

    def product(self, product: Product) -> Node:
        """Numbers, names, functions and sums in this order, over a divisor if there is one."""
        above: list[Node] = []
        below: list[Node] = []
        written = self._under_one_root(product)
        powers = written.powers.items()
        parts = [(base, number.numerator > 0, _power(base, magnitude(number))) for base, number in powers]
        parts += [self._symbolic_power(base, terms) for base, terms in product.exponents.items()]
        if len(parts) > 1:
            parts.sort(key=lambda part: (bool(part[2].shape), self._order.factor(part[0])))  # 2*c*A: scalars first
        for _, over, node in parts:
            (above if over else below).append(node)
        matrices = [base for base, number in product.powers.items() if base.op is MATMUL and number == 1]
        has_others = len(above) + (magnitude(product.coefficient) != 1) > 1
        if len(matrices) == 1 and has_others and _others_are_numbers(product, matrices[0]):
            return self._matrix_product(product, matrices[0])
        return _quotient(written.coefficient, _with_outer(above) if len(above) > 1 else above, below)

    def _symbolic_power(self, base: Node, terms: Terms) -> tuple[Node, bool, Node]:
        """base^terms: what gives its place among the factors, whether it is no divisor, and the node."""
        # 1/b^x, but exp(-x), and 0^(-x), which is a number where 0^x is none
        over = base is EULER or _is_power_of_zero(base) or max(terms.values()) > 0
        exponent = self._exponent_of(terms if over else {term: -number for term, number in terms.items()})
        node = apply(EXP, (exponent,)) if base is EULER else apply(POWER_OP, (base, exponent))
        return node, over, node

    def _under_one_root(self, product: Product) -> Product:
        """The product with constants of one exponent together: sqrt(6), and 1/sqrt(2*pi) for sqrt(2)/(2*sqrt(pi))."""
        roots = {base: n for base, n in product.powers.items() if base.op is CONSTANT and n.denominator != 1}
        roots.pop(EULER, None)
        if len(roots) < 2:
            return product
        coefficient = product.coefficient
        powers = {base: number for base, number in product.powers.items() if base not in roots}
        with_pi = roots.pop(PI, ZERO)
        numbers: dict[Number, Number] = {}
        for base, exponent in roots.items():
            numbers[exponent] = numbers.get(exponent, ONE) * (fraction_of(base) or ONE)
        for exponent, number in numbers.items():
            joined = number_node(number)
            shorter = exponent - 1 == with_pi and (coefficient * number).denominator < coefficient.denominator
            if shorter or exponent == with_pi:
                coefficient *= number if shorter else ONE
                joined, exponent, with_pi = self._product_of(Product(number, {PI: ONE})), with_pi, ZERO
            powers[joined] = exponent
        return product._replace(coefficient=coefficient, powers={**powers, PI: with_pi} if with_pi else powers)

    def _matrix_product(self, product: Product, matrix: Node) -> Node:
        """Numbers and names that stand before a matrix product go with its first factor: 2*a*A.T @ B/c."""
        left, rights = matrix, list[Node]()
        while left.op is MATMUL:
            left, right = left.args
            rights.append(right)
        below = {base: -number for base, number in product.powers.items() if number < 0}
        above = {base: number for base, number in product.powers.items() if number > 0 and base is not matrix}
        number, divisor = ratio(product.coefficient)
        node = self._product_of(Product(number, {**above, left: ONE}, product.exponents))
        for right in reversed(rights):
            node = apply(MATMUL, (node, right))
        under = self._product_of(Product(divisor, below))
        return apply(DIVIDE, (node, under)) if below or divisor != 1 else node

    def repeated(self, product: Product, shape: Shape) -> Node | None:
        """A product that is repeated to a shape: c*ones([3]), outer(ones([2]), x); None for one of other arrays."""
        bases = {base: number for base, number in product.powers.items() if base.shape}
        if 0 in shape or any(node.shape for base, terms in product.exponents.items() for node in (base, *terms)):
            return None
        ones = apply(ONES, (), OfShape(shape))
        if bases:
            if len(shape) != 2 or 1 in shape or set(bases.values()) != {ONE}:
                return None
            if all(map(row_of, bases)):
                ones = reshape(apply(ONES, (), OfShape(shape[:1])), (shape[0], 1))
            elif all(map(column_of, bases)):
                ones = reshape(apply(ONES, (), OfShape(shape[1:])), (1, shape[1]))
            else:
                return None
        return self.product(product._replace(powers={**product.powers, ones: ONE}))

    def sum(self, terms: Terms) -> Node:
        """The terms by falling degree, a positive one first if there is one."""
        written = [(term.args[0], -number) if term.op is NEG else (term, number) for term, number in terms.items()]
        ordered = sorted(written, key=lambda item: (item[0] is UNIT, self._order.term(item[0])))
        first = min(ordered, key=lambda item: cost_in_front(*item))
        ordered.remove(first)
        node = self._scaled(first[1], first[0])
        for term, coefficient in ordered:
            op = ADD if coefficient > 0 else SUBTRACT
            node = apply(op, (node, self._scaled(magnitude(coefficient), term)))
        return node


def _power(base: Node, exponent: Number) -> Node:
    """base^exponent for a positive number: x, sqrt(x), x^2."""
    if exponent is ONE or exponent == 1:
        return base
    if base is EULER:
        return apply(EXP, (exponent_node(exponent),))
    if exponent.numerator == 1 and exponent.denominator == 2 and not isinstance(exponent, Decimal):
        return apply(SQRT, (base,))
    return apply(POWER_OP, (base, exponent_node(exponent)))


def _is_power_of_zero(base: Node) -> bool:
    while base.op is POWER_OP:
        base = base.args[0]
    return base is _NOTHING


def _quotient(coefficient: Number, above: list[Node], below: list[Node]) -> Node:
    number, divisor = ratio(coefficient)
    if divisor != 1:
        below = [number_node(divisor), *below]
    if number == -1 and above:
        above = [apply(NEG, (above[0],)), *above[1:]]
    elif number != 1 or not above:
        above = [number_node(number), *above]
    return apply(DIVIDE, (_chain(above), _chain(below))) if below else _chain(above)


def _chain(factors: Iterable[Node]) -> Node:
    return reduce(lambda product, factor: apply(MULTIPLY, (product, factor)), factors)


def _others_are_numbers(product: Product, matrix: Node) -> bool:
    others = chain(product.powers, product.exponents, *product.exponents.values())
    return not any(factor.shape for factor in others if factor is not matrix)


def _with_outer(factors: list[Node]) -> list[Node]:
    """Factors with columns and rows, if there are both, as one outer product after the others.

    A matrix of one element could be either: it is what there is none of.
    """
    if not any(factor.shape for factor in factors):
        return factors
    either = [factor for factor in factors if factor.shape == (1, 1) and column_of(factor)]
    columns = [factor for factor in factors if factor not in either and column_of(factor)]
    rows = [factor for factor in factors if factor not in either and row_of(factor)]
    columns, rows = columns or either, rows or (either if columns else [])
    if not columns or not rows:
        return factors
    others = [factor for factor in factors if factor not in columns and factor not in rows]
    x, y = (_chain(factor.args[0] for factor in part) for part in (columns, rows))
    return [*others, outer(x, y)]
