"""The normal form of products and sums: `2*x*sin(x)/(y*z)`, `x^2 + 2*x - sin(x) + 1`.

A product is read as a coefficient and bases with exponents, a sum as terms with coefficients.
Equal bases and equal terms are merged, and all stand in a fixed order, so that equal formulas
become the same node.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from functools import reduce, wraps
from itertools import chain

from cgcli.algebra.coefficient import (
    ONE,
    ZERO,
    Decimal,
    Number,
    UnwritableError,
    checked,
    exponent_node,
    fraction_of,
    magnitude,
    number_node,
    number_of,
    quotient,
    ratio,
    uniform_number,
)
from cgcli.algebra.domain import Domains
from cgcli.algebra.known import Patterns
from cgcli.algebra.order import Key, Order
from cgcli.algebra.product import EULER, PI, UNIT, Product, Terms, common_number, cost_in_front
from cgcli.annotations import Any, TypeVar
from cgcli.graph.node import CONSTANT, Node, apply, constant
from cgcli.graph.operation import Operation, Params, Shape
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, POWER_OP, SQRT, SUBTRACT
from cgcli.ops.creation import ONES, ZEROS, OfShape
from cgcli.ops.functions import EXP
from cgcli.ops.linalg import MATMUL
from cgcli.ops.shaping import RESHAPE, column_of, outer, row_of
from cgcli.ops.sums import BROADCAST, MEAN, SUM, Reduce, broadcast
from cgcli.records import NamedTuple

_ARITHMETIC = (ADD, SUBTRACT, NEG, MULTIPLY, DIVIDE)  # what a sum of terms is made of, besides powers


class Identities(NamedTuple):
    """Rewrites of a product and of a sum that are applied before its node is built."""

    product: Callable[[Product, Canonical], Product]
    sum: Callable[[dict[Node, Number], Canonical], dict[Node, Number]]


_Found = TypeVar("_Found")


def remembered(function: Callable[[Node, Canonical], _Found]) -> Callable[[Node, Canonical], _Found]:
    """A function of a node in normal form, of which a Canonical remembers what it gave."""

    @wraps(function)
    def recalled(node: Node, canonical: Canonical) -> _Found:
        key = function, node
        if key not in canonical.remembered:
            canonical.remembered[key] = function(node, canonical)
        found: _Found = canonical.remembered[key]
        return found

    return recalled


class Canonical:
    """Builds nodes in normal form, and remembers the product or sum that each was built from."""

    def __init__(self, order: Order, identities: Identities, domains: Domains) -> None:
        self.order = order
        self.domains = domains
        self.patterns = Patterns()
        self._identities = identities
        self._products: dict[Node, Product] = {}
        self._sums: dict[Node, Terms] = {}
        self._built: dict[object, Node] = {}  # for each product that was asked for, its node
        self.remembered: dict[object, Any] = {}  # see the function of this name
        self._terms: dict[Node, Terms] = {}  # for each product, what it is as a term
        self._opposites: dict[Node, Node] = {}
        self._scaling: dict[Node, Product] = {}  # for each term, the product that its coefficient is multiplied into
        self._exponents: dict[frozenset[tuple[Node, Number]], Node] = {}

    def make(self, op: Operation, *args: Node, params: Params = ()) -> Node:
        """The node op(*args) with its static parameters."""
        return apply(op, args, params)

    def fitted(self, node: Node, shape: Shape) -> Node:
        """The node, broadcast to a shape."""
        if node.shape == shape:
            return node
        number = fraction_of(node)
        if number in (0, 1):
            return apply(ONES if number else ZEROS, (), OfShape(shape))
        return broadcast(node, shape)

    # ---- reading ----------------------------------------------------------------------

    def product_of(self, node: Node) -> Product:
        """A node as a product; itself to the power 1 when it is none. A broadcast is ignored.

        Raises UnwritableError for nan and infinities.
        """
        node = _unrepeated(node)
        known = self._products.get(node)
        if known is not None:
            return known
        number = number_of(node) if not node.shape else uniform_number(node)
        if node.op is CONSTANT and not node.shape and number is None:
            return _symbol(node)
        if node.op in (ZEROS, ONES):
            number = ONE if node.op is ONES else ZERO
        return Product(ONE, {node: ONE}) if number is None else Product(number)

    def length(self, node: Node) -> int:
        """How many factors or terms a node has, as a product and as a sum."""
        product = self._products.get(node, Product(ONE))
        return max(1, len(product.powers) + len(product.exponents), len(self._sums.get(node, ())))

    def is_compound(self, node: Node) -> bool:
        """Whether a node is a product of several factors, or a sum of several terms."""
        return self.length(node) > 1

    def is_sum(self, node: Node) -> bool:
        """Whether a node is a sum of several terms in normal form."""
        return node in self._sums

    def terms_of(self, node: Node) -> Terms:
        """A node as a sum; of one term when it is none."""
        node = _unrepeated(node)
        known = self._sums.get(node)
        return known if known is not None else self.term_of(node)

    def term_of(self, node: Node) -> Terms:
        """A node as one term of a sum."""
        known = self._terms.get(node)
        if known is None:
            known = self._term_of(node)
            if node in self._products:
                self._terms[node] = known
        return known

    def _term_of(self, node: Node) -> Terms:
        product = self.product_of(node)
        if not product.coefficient:
            return {}
        rest = product._replace(coefficient=ONE)
        term = self.product(rest)
        if term not in self._scaling or rest.powers.keys() == {term}:
            self._scaling[term] = rest
        return {term: product.coefficient}

    # ---- products ---------------------------------------------------------------------

    def product(self, product: Product, flip: bool = True) -> Node:
        """The node of a product, of the shape that its factors have together.

        flip: -(a - b)*c may be written (b - a)*c. Raises UnwritableError when no float64
        holds its coefficient.
        """
        if not product.coefficient or not (product.powers or product.exponents):
            return number_node(product.coefficient)
        key = flip, *product.key()
        node = self._built.get(key)
        if node is None:
            node = self._built[key] = self._product(product, flip)
        return node

    def _product(self, product: Product, flip: bool) -> Node:
        product = self._identities.product(self._without_opposites(product), self)
        if flip and product.coefficient == -1:
            product = self._flipped(product)
        above: list[tuple[Key, Node]] = []
        below: list[tuple[Key, Node]] = []
        written = self._under_one_root(product)
        for base, number in written.powers.items():
            over = number.numerator > 0
            (above if over else below).append((self.order.factor(base), self.power(base, number if over else -number)))
        for base, terms in product.exponents.items():
            under = base is not EULER and max(terms.values()) < 0  # 1/b^x, but exp(-x)
            exponent = self._exponent({term: -number for term, number in terms.items()} if under else terms)
            node = self.make(EXP, exponent) if base is EULER else self.make(POWER_OP, base, exponent)
            (below if under else above).append((self.order.factor(node), node))
        matrices = [base for base, number in product.powers.items() if base.op is MATMUL and number == 1]
        if (
            len(matrices) == 1
            and len(above) + (magnitude(product.coefficient) != 1) > 1
            and _others_are_numbers(product, matrices)
        ):
            node = self._matrix_product(product, matrices[0])
        else:
            node = self._quotient(written.coefficient, _with_outer(_sorted(above)), _sorted(below))
        self._note(node, product)
        return node

    def _note(self, node: Node, product: Product) -> None:
        """Remember what a node is as a product: of two readings, the one in which no factor was kept whole."""
        known = self._products.get(node)
        coarse = known is not None and self._has_products(known)
        if node not in product.powers and (known is None or (coarse and not self._has_products(product))):
            self._products[node] = product
            self._terms.pop(node, None)

    def _has_products(self, product: Product) -> bool:
        """Whether a base is a product itself: one that was kept whole."""
        return not self._products.keys().isdisjoint(product.powers)

    def _without_opposites(self, product: Product) -> Product:
        """The product without pairs of opposite sums, and without sums of negative terms: (a - b)/(b - a) = -1."""
        sums = [base for base, n in product.powers.items() if base in self._sums and n.denominator == 1]
        if not sums:
            return product
        coefficient, powers = product.coefficient, dict(product.powers)
        for base in sums:
            negative = max(self._sums[base].values()) < 0
            if base not in powers or not (negative or len(sums) > 1):
                continue
            opposite = self.opposite(base)
            if opposite is not base and (negative or opposite in powers):
                kept, dropped = (opposite, base) if negative else (base, opposite)
                number = powers.pop(dropped)
                coefficient *= (-1) ** (number.numerator % 2)
                powers[kept] = powers.get(kept, ZERO) + number
        return product._replace(coefficient=coefficient, powers={base: n for base, n in powers.items() if n})

    def opposite(self, node: Node) -> Node:
        """The negative of a sum, as a sum: b - a of a - b."""
        known = self._opposites.get(node)
        if known is None:
            known = self.sum({term: -coefficient for term, coefficient in self._sums[node].items()})
            self._opposites[node], self._opposites[known] = known, node
        return known

    def _in_one_direction(self, term: Node) -> tuple[Node, int]:
        """A term in which the first of a - b and b - a stands for both, and the sign by which the two terms differ."""
        product = self._products.get(term)
        if product is None:
            return term, 1
        sign, powers = 1, {}
        for base, number in product.powers.items():
            chosen = base
            if base in self._sums and number.denominator == 1:
                chosen = min(base, self.opposite(base), key=self.order.factor)
                sign *= -1 if chosen is not base and number.numerator % 2 else 1
            powers[chosen] = number
        if powers.keys() == product.powers.keys():
            return term, 1
        return self.product(product._replace(powers=powers), flip=False), sign

    def _like_terms(self, terms: Terms) -> Terms:
        """The terms, with those collected that differ in opposite sums only: a*(b - c) + a*(c - b) = 0."""
        found: dict[Node, tuple[Node, int]] = {}
        collected: dict[Node, Number] = {}
        for term, coefficient in terms.items():
            chosen, sign = self._in_one_direction(term)
            first, first_sign = found.setdefault(chosen, (term, sign))
            collected[first] = collected.get(first, ZERO) + coefficient * sign * first_sign
        return {term: coefficient for term, coefficient in collected.items() if coefficient}

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
                joined, exponent, with_pi = self.product(Product(number, {PI: ONE})), with_pi, ZERO
            powers[joined] = exponent
        return product._replace(coefficient=coefficient, powers={**powers, PI: with_pi} if with_pi else powers)

    def _matrix_product(self, product: Product, matrix: Node) -> Node:
        """Numbers and names that stand before a matrix product go with its first factor: 2*a*A.T @ B/c."""
        left, right = matrix.args
        below = {base: number for base, number in product.powers.items() if number < 0}
        above = {base: number for base, number in product.powers.items() if number > 0 and base is not matrix}
        number, divisor = ratio(product.coefficient)
        scaled = self.product(Product(number, {**above, left: ONE}, product.exponents))
        node = self.make(MATMUL, scaled, right)
        under = self.product(Product(divisor, {base: -n for base, n in below.items()}))
        return self.make(DIVIDE, node, under) if below or divisor != 1 else node

    def power(self, base: Node, exponent: Number) -> Node:
        """base^exponent for a positive number: x, sqrt(x), x^2."""
        if exponent is ONE or exponent.numerator == exponent.denominator:
            return base
        if base is EULER:
            return self.make(EXP, exponent_node(exponent))
        if exponent.numerator == 1 and exponent.denominator == 2 and not isinstance(exponent, Decimal):
            return self.make(SQRT, base)
        return self.make(POWER_OP, base, exponent_node(exponent))

    def _exponent(self, terms: Terms) -> Node:
        """The sum of terms; one that was built before is not built again, however deep exponents are nested."""
        key = frozenset(terms.items())
        known = self._exponents.get(key)
        if known is None:
            known = self._exponents[key] = self.sum(terms)
        return known

    def scaled(self, coefficient: Number, term: Node) -> Node:
        """coefficient * term; a shared product, t in 3*t, is not multiplied out."""
        product = self._scaling.get(term) or self.product_of(term)
        return self.product(product._replace(coefficient=checked(coefficient * product.coefficient)))

    def _quotient(self, coefficient: Number, above: list[Node], below: list[Node]) -> Node:
        number, divisor = ratio(coefficient)
        if divisor != 1:
            below = [number_node(divisor), *below]
        if number == -1 and above:
            above = [self.make(NEG, above[0]), *above[1:]]
        elif number != 1 or not above:
            above = [number_node(number), *above]
        top = self._chain(above)
        return self.make(DIVIDE, top, self._chain(below)) if below else top

    def _chain(self, factors: list[Node]) -> Node:
        node = factors[0]
        for factor in factors[1:]:
            node = self.make(MULTIPLY, node, factor)
        return node

    def _flipped(self, product: Product) -> Product:
        """A product with coefficient -1 without its sign, where a factor is a difference: -(a - b)*c as (b - a)*c."""
        differences = [
            base
            for base, number in product.powers.items()
            if number in (1, -1) and base in self._sums and min(self._sums[base].values()) < 0
        ]
        if not differences:
            return product
        first = min(differences, key=self.order.factor)
        powers = dict(product.powers)
        number = powers.pop(first)
        opposite = self.opposite(first)
        powers[opposite] = powers.get(opposite, ZERO) + number
        return Product(ONE, {base: number for base, number in powers.items() if number}, product.exponents)

    # ---- sums -------------------------------------------------------------------------

    def sum(self, terms: Terms) -> Node:
        """The node of a sum, of the shape that its terms have together.

        Raises UnwritableError when no float64 holds a coefficient.
        """
        terms = self._like_terms({term: c for term, c in terms.items() if c})
        terms = self._identities.sum(dict(terms), self)
        if not terms:
            return constant(0.0)
        if len(terms) == 1:
            ((term, coefficient),) = terms.items()
            return self.scaled(coefficient, term)
        common = common_number(terms)
        if common != 1:
            inner = self.sum({term: quotient(coefficient, common) for term, coefficient in terms.items()})
            return self.product(Product(common, {inner: ONE}))
        node = self._added(self._arranged(terms))
        self._sums.setdefault(node, dict(terms))
        return node

    def _arranged(self, terms: Terms) -> list[tuple[Node, Number]]:
        """The terms by falling degree, a positive one first if there is one."""
        ordered = sorted(terms.items(), key=lambda item: (item[0] is UNIT, self.order.term(item[0])))
        first = min(range(len(ordered)), key=lambda at: (cost_in_front(*ordered[at]), at))
        return [ordered[first], *ordered[:first], *ordered[first + 1 :]]

    def _added(self, terms: list[tuple[Node, Number]]) -> Node:
        (first, coefficient), *others = terms
        node = self.scaled(coefficient, first)
        for term, coefficient in others:
            node = self.make(ADD if coefficient > 0 else SUBTRACT, node, self.scaled(magnitude(coefficient), term))
        return node


_SYMBOLS = {PI: Product(ONE, {PI: ONE}), EULER: Product(ONE, {EULER: ONE})}
MULTIPLES_OF_PI = {
    constant(math.tau): apply(MULTIPLY, (constant(2.0), PI)),
    constant(math.radians(1)): apply(DIVIDE, (PI, constant(180.0))),
}


def _symbol(node: Node) -> Product:
    """A constant that is no decimal number. Raises UnwritableError for nan and infinities: inf - inf is not 0."""
    if node not in _SYMBOLS:
        raise UnwritableError
    return _SYMBOLS[node]


def _unrepeated(node: Node) -> Node:
    """What a node repeats along axes: x of broadcast(x, [3]), and sum(x) of sum(x, keepdims=1)."""
    while True:
        if node.op is BROADCAST or (node.op is RESHAPE and not node.args[0].shape):
            (node,) = node.args
        elif node.op in (SUM, MEAN) and node.shape and set(node.shape) == {1}:
            assert isinstance(node.params, Reduce)
            if len(node.params.axes) < len(node.shape):
                return node
            return apply(node.op, node.args, node.params._replace(keepdims=False))
        else:
            return node


def _others_are_numbers(product: Product, factors: Collection[Node]) -> bool:
    others = [*product.powers, *product.exponents, *chain.from_iterable(product.exponents.values())]
    return not any(factor.shape for factor in others if factor not in factors)


def _with_outer(factors: list[Node]) -> list[Node]:
    """Factors with columns and rows, if there are both, as one outer product after the others.

    A matrix of one element could be either: it is what there is none of.
    """
    either = [factor for factor in factors if factor.shape == (1, 1) and column_of(factor)]
    columns = [factor for factor in factors if factor not in either and column_of(factor)]
    rows = [factor for factor in factors if factor not in either and row_of(factor)]
    columns, rows = columns or either, rows or (either if columns else [])
    if not columns or not rows:
        return factors
    others = [factor for factor in factors if factor not in columns and factor not in rows]
    x, y = (reduce(lambda one, other: apply(MULTIPLY, (one, other)), [factor.args[0] for factor in part])
            for part in (columns, rows))  # fmt: skip
    return [*others, outer(x, y)]


def _sorted(factors: list[tuple[Key, Node]]) -> list[Node]:
    return [node for _, node in sorted(factors, key=lambda factor: factor[0])]
