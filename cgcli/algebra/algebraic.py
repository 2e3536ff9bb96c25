"""Algebraic simplification: the graph in normal form, for formulas that people read.

Each pass goes through the graph once, arguments first, piece by piece: a piece is a whole sum,
a whole product, or a single other operation. For each, some candidates are built, and the one
with the fewest operations replaces it, if it has no more than the piece; so no graph ever grows.
Passes are repeated until nothing changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator, Sequence, Set
from fractions import Fraction
from functools import partial

from cgcli.algebra.canonical import Canonical
from cgcli.algebra.coefficient import ONE, ZERO, UnwritableError, fraction_of, is_repeating
from cgcli.algebra.identities import RULES
from cgcli.algebra.order import Order
from cgcli.algebra.pieces import Piece, Pieces
from cgcli.algebra.product import Factors, Product
from cgcli.algebra.rewrites import (
    common_factors,
    distributed,
    exponential,
    has_compound_factor,
    multiplied_out,
    raised,
    taken_out,
)
from cgcli.algebra.size import operation_count, weight
from cgcli.algebra.trigonometry import TRIGONOMETRY
from cgcli.evaluate.constants import as_constant, computed, constant_of
from cgcli.graph.node import CONSTANT, Graph, Node, apply, constant, toposort
from cgcli.graph.operation import Operation, Params
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, POWER_OP, SQRT, SUBTRACT
from cgcli.ops.functions import EXP, LN
from cgcli.transform.exact import exact_symbolic
from cgcli.transform.substitute import rebuilt, replaced

_HALF = constant(0.5)
_NAMED = 8  # operations from which on a shared part of a text has a name
_MOST_EXPANDED = 12  # factors or terms of shared operands; with more, shared operands stay atomic
_LARGEST_SIZE = 10**15  # operations


def simplify(graph: Graph, *, as_text: bool = False) -> Graph:
    """The graph in normal form, with the labels of the nodes that are left.

    The value is that of the graph wherever that is finite; the result may be defined at more
    points. It never has more operations, and simplifying it again changes nothing.
    as_text: for a formula that is written out. An operation then counts as often as it is read;
    only large shared parts, which will have a name, count once.
    """
    seen: dict[tuple[Node, ...], Graph] = {}
    order = Order()
    graph = rebuilt(graph, partial(_in_one_order, order))
    while graph.outputs not in seen:
        seen[graph.outputs] = graph
        graph = replaced(graph, _Pass(graph.outputs, order, as_text).run())
    rank = list(seen).index(graph.outputs)  # the first graph of those that the passes now repeat; mostly the last
    if as_text:
        best = min(list(seen)[rank:], key=lambda outputs: [order.factor(output) for output in outputs])
        return _with_fractions(seen[best])

    def preferred(at: int, outputs: tuple[Node, ...]) -> tuple[object, ...]:
        return operation_count(outputs), -min(at, rank), [order.factor(output) for output in outputs]

    return _with_fractions(seen[min(enumerate(seen), key=lambda item: preferred(*item))[1]])


def _in_one_order(order: Order, op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """The node, with operands that may change places in the same order everywhere, so that equal parts are one."""
    if op is ADD and NEG in (args[0].op, args[1].op):  # -b + a = a - b
        negative, other = args if args[0].op is NEG else args[::-1]
        return apply(SUBTRACT, (other, negative.args[0]))
    return apply(op, tuple(sorted(args, key=order.factor)) if op.commutative else args, params)


Candidate = Callable[[], Node | None]
"""Builds another form of a piece; gives None, or raises UnwritableError, when there is none."""


class _Pass:
    """One pass over a graph, arguments first."""

    def __init__(self, outputs: Sequence[Node], order: Order, as_text: bool) -> None:
        self.as_text = as_text
        self.sizes: dict[Node, int] = {}  # as text
        self.pieces = Pieces(outputs)
        self.become: dict[Node, Node] = {}
        self.built: dict[Node, frozenset[Node]] = {}  # with which operations each was built
        self.wanted: set[Node] = set()  # operations that are there anyway, for several users
        self.canonical = Canonical(order, TRIGONOMETRY)

    def run(self) -> dict[Node, Node]:
        """What each node becomes; those inside a piece are left out."""
        for node in self.pieces.order:
            if not node.args:
                self.become[node] = node
            elif not self.pieces.inside(node):
                self.become[node] = self._simplest(node)
        return self.become

    def _simplest(self, node: Node) -> Node:
        """The candidate for a piece that takes the fewest operations, and no more than there were."""
        piece = self.pieces.piece(node)
        found, built = self._by_text(node, piece) if self.as_text else self._by_operations(node, piece)
        self.built.setdefault(found, built)
        if self.pieces.uses[node] > 1:
            self.wanted |= built
            if self.as_text and self._size(found) >= _NAMED:
                self.sizes[found] = 0
        return found

    def _by_operations(self, node: Node, piece: Piece) -> tuple[Node, frozenset[Node]]:
        """The best candidate where a shared operation counts once, and the operations that it is built of."""
        spent: set[Node] = set()
        for leaf in piece.leaves.keys() - piece.shared:
            spent.update(self.built.get(self.become[leaf], ()))
        there = {arg for part in spent for arg in part.args} - spent  # operands that every candidate keeps
        least = sum(map(weight, piece.inner)) + sum(map(weight, spent)) + 1
        best: tuple[Node, frozenset[Node]] | None = None
        for found in self._built_candidates(node, piece):
            made = {part for part in self.canonical.made if part in spent or part not in self.wanted} - there
            count = sum(map(weight, _reachable(found, made | spent)))
            if count < least:
                least, best = count, (found, _reachable(found, made))
        return best or self._unchanged(piece)

    def _by_text(self, node: Node, piece: Piece) -> tuple[Node, frozenset[Node]]:
        """As `_by_operations`, where a shared operation counts as often as it stands in the text."""
        best = unchanged = self._unchanged(piece)
        least = self._size(unchanged[0]) + 1
        for found in self._built_candidates(node, piece):
            size = self._size(found)
            if size < least:
                least, best = size, (found, _reachable(found, self.canonical.made))
        return best

    def _size(self, node: Node) -> int:
        """How many operations the text of a node has, up to a bound."""
        for part in () if node in self.sizes else toposort([node], self.sizes):
            if part not in self.sizes:
                self.sizes[part] = min(weight(part) + sum(self.sizes[arg] for arg in part.args), _LARGEST_SIZE)
        return self.sizes[node]

    def _built_candidates(self, node: Node, piece: Piece) -> Iterator[Node]:
        """The candidates that exist, in order; `canonical.made` tells of the one given last."""
        for build in self._candidates(node, piece):
            self.canonical.made = set()
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
            read = canonical.terms_of if node in self.pieces.sums else canonical.factors_of
            if sum(len(read(self.become[leaf])) for leaf in piece.shared) > _MOST_EXPANDED:
                yield from one(piece, piece.shared)
                return
            yield from one(piece, ())
            atomic = piece.shared
            if self.as_text:  # what has no name is written again at each use
                atomic = {leaf for leaf in atomic if not self._size(self.become[leaf])}
            compound = {leaf for leaf in atomic if self._is_compound(leaf)}
            for kept in (compound, atomic) if compound != atomic else (atomic,):
                if kept:
                    yield from one(piece, kept)
            return
        args = tuple(self.become[arg] for arg in node.args)
        if all(arg.op is CONSTANT for arg in args):
            yield partial(_folded, node, args)
        if node.op in (POWER_OP, SQRT):
            exponent = args[1] if node.op is POWER_OP else _HALF
            yield lambda: canonical.product(raised(canonical, args[0], exponent))
        elif node.op is EXP:
            yield lambda: canonical.product(exponential(canonical, args[0]))
        for rule in RULES.get(node.op, ()):
            yield partial(rule, canonical, node.op, args, node.params)

    def _is_compound(self, leaf: Node) -> bool:
        """Whether a node is a product of several factors, or a sum of several terms."""
        return len(self.built.get(self.become[leaf], ())) > 1

    def _candidates_of_product(self, piece: Piece, atomic: Container[Node]) -> Iterator[Candidate]:
        """The piece as a product. atomic: operands that are not read as products themselves."""
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
        spread = None if atomic else distributed(product, self.canonical)
        if spread is not None:
            yield partial(self.canonical.product, spread)
        yield partial(self.canonical.product, product, flip=not atomic)

    def _candidates_of_sum(self, piece: Piece, atomic: Container[Node]) -> Iterator[Candidate]:
        """The piece as a sum. atomic: operands that are not read as sums themselves."""
        try:
            terms = self._terms(piece, atomic)
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

    def _terms(self, piece: Piece, atomic: Container[Node]) -> dict[Node, Fraction]:
        """The terms of a sum, like ones collected."""
        terms: dict[Node, Fraction] = {}
        for leaf, signs in piece.leaves.items():
            node = self.become[leaf]
            whole = leaf in atomic and node.op is not CONSTANT
            for term, coefficient in ({node: ONE} if whole else self.canonical.terms_of(node)).items():
                terms[term] = terms.get(term, ZERO) + coefficient * sum(signs)
        return {term: coefficient for term, coefficient in terms.items() if coefficient}

    def _unchanged(self, piece: Piece) -> tuple[Node, frozenset[Node]]:
        """The same operations on the operands' simpler forms."""
        become = {leaf: self.become[leaf] for leaf in piece.leaves}
        for node in reversed(piece.inner):
            args = tuple(become[arg] for arg in node.args)
            if node.op in (ADD, MULTIPLY):
                args = tuple(sorted(args, key=self.canonical.order.factor))
            become[node] = exact_symbolic(node.op, args, node.params)
        root = become[piece.inner[0]]
        return root, frozenset([root])


def _reachable(node: Node, region: Set[Node]) -> frozenset[Node]:
    """The nodes that are reached from a node without leaving a region."""
    found: set[Node] = set()
    stack = [node]
    while stack:
        part = stack.pop()
        if part in region and part not in found:
            found.add(part)
            stack.extend(part.args)
    return frozenset(found)


def _is_whole(node: Node) -> bool:
    number = fraction_of(node)
    return number is not None and number > 1 and number.denominator == 1


def _folded(node: Node, args: tuple[Node, ...]) -> Node | None:
    """An operation on constants as a constant, unless it is nan or infinite, or larger than they are; ln(2) stays."""
    if node.op is LN and _is_whole(args[0]):
        return None
    if math.prod(node.shape) > max(math.prod(arg.shape) for arg in args):
        return None
    value = computed(node.op, [constant_of(arg) for arg in args], node.params)
    return as_constant(value) if all(map(math.isfinite, value.ravel().tolist())) else None


def _with_fractions(graph: Graph) -> Graph:
    """The graph with a division in the place of each scalar constant that stands for a repeating fraction: 1/3, 1/7."""
    found = {node: divided for node in toposort(graph.outputs) if (divided := _divided(node)) is not None}
    return rebuilt(graph, known=found) if found else graph


def _divided(node: Node) -> Node | None:
    number = fraction_of(node)
    if number is None or not is_repeating(number):
        return None
    return apply(DIVIDE, (constant(float(number.numerator)), constant(float(number.denominator))))
