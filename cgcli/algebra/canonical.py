"""The normal form of products and sums: equal formulas become the same node.

A product is read as a coefficient and bases with exponents, a sum as terms with coefficients. Equal bases and equal
terms are merged, opposite sums too (opposites.py), and all are written in a fixed order (written.py).
"""

from __future__ import annotations

import math
from functools import wraps

from cgcli.algebra.budget import Budget
from cgcli.algebra.coefficient import (
    ONE,
    ZERO,
    Number,
    UnwritableError,
    checked,
    fraction_of,
    number_node,
    number_of,
    quotient,
    uniform_number,
)
from cgcli.algebra.domain import Domains
from cgcli.algebra.opposites import Opposites
from cgcli.algebra.order import Order
from cgcli.algebra.product import EULER, PI, Product, Terms, add, common_number
from cgcli.algebra.written import Writer
from cgcli.annotations import Any, Callable, TypeVar
from cgcli.graph.node import CONSTANT, Node, apply, constant
from cgcli.graph.operation import Shape
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, SUBTRACT
from cgcli.ops.creation import ONES, ZEROS, OfShape
from cgcli.ops.shaping import RESHAPE
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
    """Builds nodes in normal form, and remembers how each reads.

    A node reads as a product, 2*x^3, and as a sum, x + y of two terms or 2*x of one: `product_of`, `terms_of`. From
    such a reading `product` and `sum` build the node. What is read and built once is found again in the tables.
    """

    def __init__(self, order: Order, identities: Identities, domains: Domains) -> None:
        self.order = order
        self.domains = domains
        self.budget = Budget(())  # what is built counts, wherever it is
        self._identities = identities
        self.remembered: dict[object, Any] = {}  # see the function of this name
        # how a node reads
        self._products: dict[Node, Product] = {}  # as the product that it was built from
        self._atoms: dict[Node, Product] = {}  # as a product, where it is a number, or is no product
        self._sums: dict[Node, Terms] = {}  # as the sum that it was built from
        self._terms: dict[Node, Terms] = {}  # as one term of a sum, where it was built from a product
        self._scaling: dict[Node, Product] = {}  # a term, as the product that its coefficient is multiplied into
        self._repeats: dict[Node, Node] = {}  # an array, as the number that it repeats: c*ones([3]) as c
        # what a reading was built to
        self._built: dict[object, Node] = {}  # a product
        self._exponents: dict[frozenset[tuple[Node, Number]], Node] = {}  # a sum in an exponent
        self._opposites = Opposites(order, self._sums)

    def _writer(self) -> Writer:
        """A new one for each use, for it holds methods of this object: kept, the two would hold each other."""
        return Writer(self.order, self.product, self._exponent, self.scaled)

    def fitted(self, node: Node, shape: Shape) -> Node:
        """The node, broadcast to a shape."""
        if node.shape == shape:
            return node
        number = fraction_of(node)
        if number in (0, 1):
            return apply(ONES if number else ZEROS, (), OfShape(shape))
        try:
            found = self._writer().repeated(self.product_of(node), shape)
        except UnwritableError:
            found = None
        if found is None:
            return broadcast(node, shape)
        self._repeats[found] = node
        return found

    # ---- reading ----------------------------------------------------------------------

    def product_of(self, node: Node) -> Product:
        """A node as a product; itself to the power 1 when it is none. A broadcast is ignored.

        Raises UnwritableError for nan and infinities.
        """
        if node.shape:
            node = self._repeats.get(node) or _unrepeated(node)
        known = self._products.get(node) or self._atoms.get(node)
        if known is None:
            known = self._atoms[node] = self._atom(node)
        return known

    def _atom(self, node: Node) -> Product:
        """A number as a product; of any other node the power 1."""
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

    def is_sum(self, node: Node) -> bool:
        """Whether a node is a sum of several terms in normal form."""
        return node in self._sums

    def terms_of(self, node: Node) -> Terms:
        """A node as a sum; of one term when it is none."""
        if node.shape:
            node = self._repeats.get(node) or _unrepeated(node)
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
        rest = product if product.coefficient == 1 else Product(ONE, product.powers, product.exponents)
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
        self.budget.spend(len(product.powers) + len(product.exponents))
        product = self._identities.product(self._opposites.cancelled(product, self.sum), self)
        if flip:
            product = self._opposites.flipped(product, self.sum)
        node = self._writer().product(product)
        self._note(node, product)
        return node

    def _note(self, node: Node, product: Product) -> None:
        """Remember how a node reads as a product: x*y*z rather than t*z with t = x*y kept whole."""
        known = self._products.get(node)
        is_finer = known is None or (self._has_products(known) and not self._has_products(product))
        if is_finer and node not in product.powers:
            self._products[node] = product
            self._terms.pop(node, None)

    def _has_products(self, product: Product) -> bool:
        """Whether a base is a product itself: one that was kept whole."""
        return not self._products.keys().isdisjoint(product.powers)

    def in_one_direction(self, product: Product) -> tuple[Product, int]:
        """A product in which the first of a - b and b - a stands for both, and the sign by which the two differ."""
        return self._opposites.in_one_direction(product, self.sum)

    def like_terms(self, terms: Terms) -> Terms:
        """The terms, with those collected that differ in opposite sums only: a*(b - c) + a*(c - b) = 0."""
        if len(terms) < 2:
            return terms
        changed = self._opposites.in_common_directions(terms, self.product_of, self.sum)
        if not changed:
            return terms
        collected: dict[Node, Number] = {}
        for term, coefficient in terms.items():
            if term in changed:
                product, sign = changed[term]
                term, coefficient = self.product(product, flip=False), coefficient * sign
            add(collected, term, coefficient)
        return collected

    def _exponent(self, terms: Terms) -> Node:
        """The sum of terms; one that was built before is not built again, however deep exponents are nested."""
        key = frozenset(terms.items())
        known = self._exponents.get(key)
        if known is None:
            known = self._exponents[key] = self.sum(terms)
        return known

    def scaled(self, coefficient: Number, term: Node) -> Node:
        """coefficient*term; of a product that was kept whole, t in 3*t, the factors stay together."""
        if coefficient == 1 and term in self._scaling:
            return term
        product = self._scaling.get(term) or self.product_of(term)
        return self.product(Product(checked(coefficient * product.coefficient), product.powers, product.exponents))

    # ---- sums -------------------------------------------------------------------------

    def sum(self, terms: Terms) -> Node:
        """The node of a sum, of the shape that its terms have together.

        Raises UnwritableError when no float64 holds a coefficient.
        """
        self.budget.spend(len(terms))
        terms = self.like_terms({term: c for term, c in terms.items() if c})
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
        if max(terms.values()) < 0:
            terms = self._with_positive_terms(terms)
        node = self._writer().sum(terms)
        self._sums.setdefault(node, dict(terms))
        return node

    def _with_positive_terms(self, terms: Terms) -> Terms:
        """The terms of a sum without a positive one, with differences the other way: (1 - y)/(1 - p) - y/p."""
        found = dict(terms)
        for term, coefficient in terms.items():
            flipped = self._opposites.flipped(self.product_of(term)._replace(coefficient=-ONE), self.sum)
            if flipped.coefficient == 1:
                del found[term]
                found[self.product(flipped)] = -coefficient
        return found


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
