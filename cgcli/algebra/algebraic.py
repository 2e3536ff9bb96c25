"""Algebraic simplification: the graph in normal form, for formulas that people read.

Each pass goes through the graph once, arguments first, piece by piece: a piece is a whole sum,
a whole product, or a single other operation. For each, some candidates are built, and the one
with the fewest operations replaces it, if it has no more than the piece and demands no less of its
operands (domain.py); so no text ever grows, roots of numbers apart: sqrt(8) is 2*sqrt(2).
Passes are repeated until nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator, Mapping, Set
from fractions import Fraction
from functools import partial

from cgcli.algebra.canonical import MULTIPLES_OF_PI, Canonical
from cgcli.algebra.coefficient import HALF, ONE, ZERO, UnwritableError, is_root_of_number, number_node
from cgcli.algebra.domain import Demand, Domains
from cgcli.algebra.elements import in_elements
from cgcli.algebra.identities import RULES
from cgcli.algebra.known import folded_array, is_known
from cgcli.algebra.order import Order
from cgcli.algebra.pieces import Piece, Pieces
from cgcli.algebra.product import Factors, Product, Terms
from cgcli.algebra.rewrites import (
    brought_together,
    common_factors,
    denominators,
    distributed,
    expanded,
    exponential,
    exponentials,
    has_compound_factor,
    multiplied_out,
    primitive,
    raised,
    taken_out,
)
from cgcli.algebra.size import weight
from cgcli.algebra.trigonometry import TRIGONOMETRY
from cgcli.graph.node import CONSTANT, Graph, Node, apply, toposort
from cgcli.graph.operation import Operation, Params
from cgcli.ops.arithmetic import ADD, MULTIPLY, NEG, POWER_OP, SQRT, SUBTRACT
from cgcli.ops.functions import EXP
from cgcli.transform.exact import exact
from cgcli.transform.substitute import rebuilt, replaced

_HALF = number_node(HALF)
_WORTH_A_NAME = 14  # operations: a shared part of a text has a name if that saves so many
_MOST_EXPANDED = 12  # factors or terms of shared operands; with more, shared operands stay atomic
_LARGEST_SIZE = 10**15  # operations


def simplify(graph: Graph, named: bool = False, assumed: Collection[Demand] = ()) -> Graph:
    """The graph in normal form, with the labels of the nodes that are left.

    The value is that of the graph wherever that is finite, and the result is defined at no more than isolated
    points besides. Its text never has more operations, roots of numbers apart, and simplifying it again changes
    nothing. An operation counts as often as it is read; shared parts that are large, or are `named` by a label,
    have a name in the text, and count once. assumed: what holds wherever the value is asked for.
    """
    seen: dict[tuple[Node, ...], Graph] = {}
    order, domains = Order(), Domains(assumed)
    graph = rebuilt(graph, partial(_in_one_order, order), MULTIPLES_OF_PI)
    settled: dict[Node, Set[Node]] = {}
    while graph.outputs not in seen:
        seen[graph.outputs] = graph
        one = _Pass(graph, order, domains, named, settled)
        graph, settled = rebuilt(replaced(graph, one.run()), _with_difference), one.settles
    rank = list(seen).index(graph.outputs)  # from here on, passes repeat the same graphs; mostly this is one
    return seen[min(list(seen)[rank:], key=lambda outputs: [order.factor(output) for output in outputs])]


def _in_one_order(order: Order, op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """The node, with the operands of commutative operations in a fixed order, so that equal parts become one node."""
    node = _with_difference(op, args, params)
    return apply(op, tuple(sorted(args, key=order.factor)), params) if node.op.commutative else node


def _with_difference(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """The node; a - b for a + (-b)."""
    if op is ADD and NEG in (args[0].op, args[1].op):
        negative, other = args if args[0].op is NEG else args[::-1]
        return apply(SUBTRACT, (other, negative.args[0]))
    return apply(op, args, params)


Candidate = Callable[[], Node | None]
"""Builds another form of a piece; gives None, or raises UnwritableError, when there is none."""


class _Pass:
    """One pass over a graph, arguments first.

    settled: the pieces that the pass before left as they were, each with those of its operands that had a name.
    settles: the same for this pass.
    """

    def __init__(
        self, graph: Graph, order: Order, domains: Domains, named: bool, settled: Mapping[Node, Set[Node]]
    ) -> None:
        self.settled = settled
        self.settles: dict[Node, Set[Node]] = {}
        self.domains = domains
        self.labels = graph.labels if named else {}
        self.sizes: dict[Node, int] = {}  # as text
        self.pieces = Pieces(graph.outputs)
        self.become: dict[Node, Node] = {}
        self.canonical = Canonical(order, TRIGONOMETRY, domains)

    def run(self) -> dict[Node, Node]:
        """What each node becomes; those inside a piece are left out."""
        for node in self.pieces.order:
            if not node.args:
                self.become[node] = node
            elif not self.pieces.inside(node):
                self.become[node] = self._simplest(node)
        return self.become

    def _simplest(self, node: Node) -> Node:
        """The candidate for a piece whose text has the fewest operations, and no more than there were."""
        piece = self.pieces.piece(node)
        best = unchanged = self._unchanged(piece)
        names = {leaf for leaf in piece.leaves if leaf.args and not self._size(self.become[leaf])}
        is_settled = unchanged is node and self.settled.get(node) == names
        least = _LARGEST_SIZE if self._has_root_of_number(node, piece) else self._size(best) + 1
        for found in self._built_candidates(node, piece):
            size = self._size(found)
            if size < least and self.domains.keeps(unchanged, found):
                least, best = size, found
            if is_settled and found is node:
                break
        if best is node:
            self.settles[node] = names
        repeats = self.pieces.uses[node] - 1
        if repeats and (node in self.labels or repeats * self._size(best) >= _WORTH_A_NAME):
            self.sizes[best] = 0
        return best

    def _has_root_of_number(self, node: Node, piece: Piece) -> bool:
        """Whether a piece has sqrt(8) or sqrt(2) for a factor: it gets its normal form even where that is longer."""
        if node in self.pieces.products:
            return any(is_root_of_number(self.become[leaf]) for leaf in piece.leaves)
        return is_root_of_number(node)

    def _size(self, node: Node) -> int:
        """How many operations the text of a node has, up to a bound."""
        for part in () if node in self.sizes else toposort([node], self.sizes):
            if part not in self.sizes:
                self.sizes[part] = min(weight(part) + sum(self.sizes[arg] for arg in part.args), _LARGEST_SIZE)
        return self.sizes[node]

    def _built_candidates(self, node: Node, piece: Piece) -> Iterator[Node]:
        """The candidates that exist, in order."""
        for build in self._candidates(node, piece):
            try:
                found = build()
            except UnwritableError:
                continue
            if found is not None:
                yield self.canonical.fitted(found, node.shape)

    def _candidates(self, node: Node, piece: Piece) -> Iterator[Candidate]:
        """Other forms of a piece, those that rewrite most first: of equally short ones the first is taken."""
        canonical = self.canonical
        if node in self.pieces.sums or node in self.pieces.products:
            one = self._candidates_of_sum if node in self.pieces.sums else self._candidates_of_product
            tried: list[object] = []
            for atomic in self._kept_whole(piece):
                yield from one(piece, atomic, tried)
            if node.shape:
                yield partial(in_elements, canonical, self._unchanged(piece))
            return
        args = tuple(self.become[arg] for arg in node.args)
        if all(map(is_known, args)):
            yield partial(_folded, node, args)
        if node.op in (POWER_OP, SQRT):
            exponent = args[1] if node.op is POWER_OP else _HALF
            yield lambda: canonical.product(raised(canonical, args[0], exponent))
        elif node.op is EXP:
            yield lambda: canonical.product(exponential(canonical, args[0]))
        for rule in RULES.get(node.op, ()):
            yield partial(rule, canonical, node.op, args, node.params)
        yield partial(in_elements, canonical, self._unchanged(piece))

    def _kept_whole(self, piece: Piece) -> Iterator[Set[Node]]:
        """Operands that may be kept as they are, not read as sums or products themselves; first none of them."""
        found: set[frozenset[Node]] = set()
        operands = {leaf: self.become[leaf] for leaf in piece.leaves if leaf.args}
        if sum(map(self.canonical.length, map(operands.__getitem__, piece.shared))) > _MOST_EXPANDED:
            yield piece.shared
            return
        named = {leaf for leaf, node in operands.items() if not self._size(node)}
        compound = {leaf for leaf in named if self.canonical.is_compound(operands[leaf])}
        powers = {
            leaf for leaf, node in operands.items() if node.op in (SQRT, POWER_OP) and not is_root_of_number(node)
        }
        for atomic in map(frozenset, ((), compound, named, powers)):
            if atomic not in found:
                found.add(atomic)
                yield atomic

    def _candidates_of_product(self, piece: Piece, atomic: Container[Node], tried: list[object]) -> Iterator[Candidate]:
        """The piece as a product. atomic: operands that are not read as products. tried: the products so far."""
        factors = Factors()
        try:
            for leaf, exponents in piece.leaves.items():
                node = self.become[leaf]
                whole = leaf in atomic and node.op is not CONSTANT
                product = Product(ONE, {node: ONE}) if whole else self.canonical.product_of(node)
                for exponent in exponents:
                    factors.times(product, exponent)
            if sum(node.op is NEG for node in piece.inner) % 2:
                factors.times(Product(-ONE))
            product = factors.product()
        except UnwritableError:
            return
        if product in tried:
            return
        tried.append(product)
        spread = None if atomic else distributed(product, self.canonical)
        if spread is not None:
            yield partial(self.canonical.product, spread)
        yield partial(self.canonical.product, product, flip=not atomic)
        yield lambda: self._primitive(product)

    def _candidates_of_sum(self, piece: Piece, atomic: Container[Node], tried: list[object]) -> Iterator[Candidate]:
        """The piece as a sum. atomic: operands that are not read as sums. tried: the sums so far."""
        try:
            terms = self._terms(piece, atomic)
            if terms in tried:
                return
            tried.append(terms)
            common = None if atomic else common_factors(terms, self.canonical)
        except UnwritableError:
            return
        if common is not None and has_compound_factor(common):
            yield partial(taken_out, common, terms, self.canonical)
        spread = None if atomic else multiplied_out(terms, self.canonical)
        if spread is not None:
            yield partial(self.canonical.sum, spread)
        yield partial(self.canonical.sum, terms)
        if common is not None and not has_compound_factor(common):
            yield partial(taken_out, common, terms, self.canonical)
        if len(terms) > 1:
            yield from self._rational_forms(terms)

    def _rational_forms(self, terms: Terms) -> Iterator[Candidate]:
        """A sum of several terms multiplied out, and over a common denominator."""
        try:
            wide = expanded(terms, self.canonical)
            below = denominators(terms, self.canonical)
            powers = exponentials(terms, self.canonical)
            common = None if wide is None else common_factors(wide, self.canonical)
        except UnwritableError:
            return
        if wide is not None:
            yield partial(self.canonical.sum, wide)
            if common is not None:
                yield partial(taken_out, common, wide, self.canonical)
        if powers.exponents:
            yield partial(taken_out, powers, terms, self.canonical)
        if below.powers:
            yield partial(taken_out, below, terms, self.canonical)
            yield partial(brought_together, terms, self.canonical, below)

    def _primitive(self, product: Product) -> Node | None:
        found = primitive(product, self.canonical)
        return None if found is None else self.canonical.product(found)

    def _terms(self, piece: Piece, atomic: Container[Node]) -> dict[Node, Fraction]:
        """The terms of a sum, like ones collected."""
        terms: dict[Node, Fraction] = {}
        for leaf, signs in piece.leaves.items():
            node = self.become[leaf]
            whole = leaf in atomic and node.op is not CONSTANT
            for term, coefficient in ({node: ONE} if whole else self.canonical.terms_of(node)).items():
                terms[term] = terms.get(term, ZERO) + coefficient * sum(signs)
        return {term: coefficient for term, coefficient in terms.items() if coefficient}

    def _unchanged(self, piece: Piece) -> Node:
        """The same operations on the operands' simpler forms."""
        become = {leaf: self.become[leaf] for leaf in piece.leaves}
        for node in reversed(piece.inner):
            args = tuple(become[arg] for arg in node.args)
            if node.op in (ADD, MULTIPLY):
                args = tuple(sorted(args, key=self.canonical.order.factor))
            become[node] = exact(node.op, args, node.params)
        return become[piece.inner[0]]


def _folded(node: Node, args: tuple[Node, ...]) -> Node | None:
    """An operation on constants as a constant, if that loses nothing, and is no larger than they are."""
    if not node.shape and not any(arg.shape for arg in args):
        folded = exact(node.op, args, node.params)
        return folded if folded.op is CONSTANT else None
    return folded_array(node.op, args, node.params)
