"""Algebraic simplification: the graph in normal form, for formulas that people read.

Each pass goes through the graph once, arguments first, piece by piece: a piece is a whole sum,
a whole product, or a single other operation. Of its forms (forms.py), the one with the fewest operations
replaces it, if it has no more than the piece and demands no less of its operands (domain.py); so no text
ever grows, roots of numbers apart: sqrt(8) is 2*sqrt(2). Passes are repeated until nothing changes.
"""

from __future__ import annotations

from functools import partial

from cgcli.algebra.budget import Budget
from cgcli.algebra.canonical import MULTIPLES_OF_PI, Canonical
from cgcli.algebra.coefficient import ONE, Number, UnwritableError, is_root_of_number
from cgcli.algebra.domain import Domains
from cgcli.algebra.exponentials import with_one_exponential, within_range
from cgcli.algebra.forms import Forms
from cgcli.algebra.loops import with_simpler_loops
from cgcli.algebra.order import Order
from cgcli.algebra.pieces import Piece, Pieces
from cgcli.algebra.product import Factors, Product, Terms, add_terms
from cgcli.algebra.size import LARGEST_SIZE, Sizes
from cgcli.algebra.trigonometry import TRIGONOMETRY
from cgcli.annotations import Container, Iterator, Set
from cgcli.graph.collector import collector_at_rest
from cgcli.graph.node import CONSTANT, Graph, Node, apply, rebuild
from cgcli.graph.operation import Operation, Params
from cgcli.ops.arithmetic import ADD, MULTIPLY, NEG, POWER_OP, SQRT, SUBTRACT
from cgcli.transform.exact import exact
from cgcli.transform.substitute import rebuilt, replaced

Settled = tuple[dict[Node, int], Domains | None]
"""The sizes of a piece's operands, and the domains that denied a form to it; None where others would give the same."""

_WORTH_A_NAME = 14  # operations: a shared part of a text has a name if that saves so many
_MOST_EXPANDED = 12  # factors or terms of shared operands; with more, shared operands stay atomic


def simplify(graph: Graph, named: bool = False) -> Graph:
    """The graph in normal form, with the labels of the nodes that are left.

    The value is that of the graph wherever that is finite, and the result is defined at no more than isolated
    points besides. Its text never has more operations, roots of numbers apart, and simplifying it again changes
    nothing. An operation counts as often as it is read; shared parts that are large, or are `named` by a label,
    have a name in the text, and count once.
    """
    budget = Budget(graph.outputs)
    found = Simplifier(named=named)(graph, budget)
    while not budget.is_spent:  # what is remembered of the way may hide its last step
        again = Simplifier(named=named)(found, budget)
        if budget.is_spent or again.outputs == found.outputs:
            break
        found = again
    return found


class Simplifier:
    """Simplifies graphs, and remembers the forms of their parts from one to the next."""

    def __init__(self, named: bool = False) -> None:
        self._order = Order()
        self._canonical = Canonical(self._order, TRIGONOMETRY, Domains())
        self._weights: dict[Node, int] = {}
        self._forms = Forms(self._canonical, Sizes(self._weights))
        self._settled: dict[Node, Settled] = {}  # pieces that have their simplest form, with what it depends on
        self._named = named

    def where_defined(self, graph: Graph, budget: Budget | None = None) -> Graph:
        """The graph in normal form. From here on, values are asked for only where its output has one."""
        graph = self(graph, budget)
        while True:
            domains = self._canonical.domains
            demands = domains.assumed.union(domains.surely(graph.output))
            if demands == domains.assumed:
                return graph
            self._canonical.domains = domains.assuming(demands)
            with collector_at_rest:
                graph = self._repeated(graph)

    def for_readers(self, outputs: tuple[Node, ...]) -> tuple[Node, ...]:
        """Formulas in normal form, within the range of float64, and with one of exp(x) and exp(-x)."""
        return with_one_exponential(within_range(outputs, self._canonical), self._canonical)

    def __call__(self, graph: Graph, budget: Budget | None = None) -> Graph:
        """The graph in normal form; see `simplify`. budget: what may be tried; by default what its size may need."""
        budget = budget or Budget(graph.outputs)

        def simpler(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
            own = Budget(nodes, before=budget)
            outputs = self(graph._replace(outputs=nodes, labels={}), own).outputs
            budget.spend_as(own)
            return outputs

        loops = with_simpler_loops(graph.outputs, simpler)
        graph = replaced(graph, rebuild(graph.outputs, apply, loops)) if loops else graph
        self._canonical.budget = budget
        with collector_at_rest:
            return self._repeated(rebuilt(graph, partial(_in_one_order, self._order), MULTIPLES_OF_PI))

    def _repeated(self, graph: Graph) -> Graph:
        """The graph after passes that go on until nothing changes, or nothing more may be tried."""
        seen: dict[tuple[Node, ...], Graph] = {}
        while graph.outputs not in seen and not self._canonical.budget.is_spent:
            seen[graph.outputs] = graph
            graph = replaced(graph, _Pass(graph, self._forms, self._weights, self._settled, self._named).run())
        if graph.outputs not in seen:
            return graph
        repeated = list(seen)[list(seen).index(graph.outputs) :]  # passes go round through these; mostly this is one
        if len(repeated) == 1:
            return seen[graph.outputs]
        return seen[min(repeated, key=lambda outputs: [self._order.factor(output) for output in outputs])]


def _in_one_order(order: Order, op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """The node, with the operands of commutative operations in a fixed order, so that equal parts become one node."""
    node = _with_difference(op, args, params)
    if not node.op.commutative:
        return node
    return apply(node.op, tuple(sorted(node.args, key=order.factor)), node.params)


def _with_difference(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """The node; a - b for a + (-b)."""
    if op is ADD and NEG in (args[0].op, args[1].op):
        negative, other = args if args[0].op is NEG else args[::-1]
        return apply(SUBTRACT, (other, negative.args[0]))
    return exact(op, args, params)


class _Pass:
    """One pass over a graph, arguments first."""

    def __init__(
        self, graph: Graph, forms: Forms, weights: dict[Node, int], settled: dict[Node, Settled], named: bool
    ) -> None:
        self.forms = forms
        self.settled = settled
        self.canonical = forms.canonical
        self.domains = forms.canonical.domains
        self.labels = graph.labels if named else {}
        self.sizes = Sizes(weights)  # as text
        self.pieces = Pieces(graph.outputs)
        self.become: dict[Node, Node] = {}

    def run(self) -> dict[Node, Node]:
        """What each node becomes; those inside a piece are left out."""
        for node in self.pieces.order:
            if not node.args:
                self.become[node] = node
            elif not self.pieces.inside(node):
                self.become[node] = self._simplest(node)
        return self.become

    def _simplest(self, node: Node) -> Node:
        """The form of a piece whose text has the fewest operations, and no more than there were."""
        piece = self.pieces.piece(node)
        best = unchanged = self._unchanged(piece)
        given = {leaf: self.sizes.of(self.become[leaf]) for leaf in piece.leaves}
        if unchanged is not node or self.settled.get(node) not in ((given, None), (given, self.domains)):
            before = self.domains.denials
            best = self._shortest(node, piece, unchanged)
            if best is node and not self.canonical.budget.is_spent:
                self.settled[node] = given, self.domains if self.domains.denials > before else None
        repeats = self.pieces.uses[node] - 1
        if repeats and (node in self.labels or repeats * self.sizes.of(best) >= _WORTH_A_NAME):
            self.sizes.known[best] = 0
        return best

    def _shortest(self, node: Node, piece: Piece, unchanged: Node) -> Node:
        """The first of the shortest forms of a piece that keep its domain; `unchanged` where all are longer."""
        best = unchanged
        least = LARGEST_SIZE if self._has_root_of_number(node, piece) else self.sizes.of(best) + 1
        for form in () if self.canonical.budget.is_spent else self._forms_of(node, piece, unchanged):
            found = self.canonical.fitted(form, node.shape)
            size = self.sizes.of(found)
            if size < least and self.domains.keeps(unchanged, found):
                least, best = size, found
        return best

    def _has_root_of_number(self, node: Node, piece: Piece) -> bool:
        """Whether a piece has sqrt(8) or sqrt(2) for a factor: it gets its normal form even where that is longer."""
        if node in self.pieces.products:
            return any(is_root_of_number(self.become[leaf]) for leaf in piece.leaves)
        return is_root_of_number(node)

    def _forms_of(self, node: Node, piece: Piece, unchanged: Node) -> Iterator[Node]:
        """Other forms of a piece: of equally short ones the first is taken."""
        if node in self.pieces.sums or node in self.pieces.products:
            tried: list[object] = []
            for atomic in self._kept_whole(piece):
                try:
                    found = self._terms(piece, atomic) if node in self.pieces.sums else self._product(piece, atomic)
                except UnwritableError:
                    continue
                if found not in tried:
                    tried.append(found)
                    yield from self.forms.of(found, bool(atomic))
            if node.shape:
                yield from self.forms.in_elements(unchanged)
        else:
            yield from self.forms.of_operation(node.op, tuple([self.become[arg] for arg in node.args]), node.params)
            if any(arg.shape for arg in node.args):
                yield from self.forms.in_elements(unchanged)

    def _kept_whole(self, piece: Piece) -> Iterator[Set[Node]]:
        """Operands that may be kept as they are, not read as sums or products themselves; first none of them."""
        found: set[frozenset[Node]] = set()
        operands = {leaf: self.become[leaf] for leaf in piece.leaves if leaf.args}
        if not operands:
            yield frozenset()
            return
        if sum(map(self.canonical.length, map(operands.__getitem__, piece.shared))) > _MOST_EXPANDED:
            yield piece.shared
            return
        named = {leaf for leaf, node in operands.items() if not self.sizes.of(node)}
        powers = {
            leaf for leaf, node in operands.items() if node.op in (SQRT, POWER_OP) and not is_root_of_number(node)
        }
        for atomic in map(frozenset, ((), named, powers)):
            if atomic not in found:
                found.add(atomic)
                yield atomic

    def _product(self, piece: Piece, atomic: Container[Node]) -> Product:
        """A piece as a product. atomic: operands that are not read as products."""
        factors = Factors()
        for leaf, exponents in piece.leaves.items():
            node = self.become[leaf]
            whole = leaf in atomic and node.op is not CONSTANT
            product = Product(ONE, {node: ONE}) if whole else self.canonical.product_of(node)
            for exponent in exponents:
                factors.times(product, exponent)
        if sum(node.op is NEG for node in piece.inner) % 2:
            factors.times(Product(-ONE))
        return factors.product()

    def _terms(self, piece: Piece, atomic: Container[Node]) -> Terms:
        """The terms of a sum, like ones collected."""
        terms: dict[Node, Number] = {}
        for leaf, signs in piece.leaves.items():
            node = self.become[leaf]
            whole = leaf in atomic and node.op is not CONSTANT
            add_terms(terms, {node: ONE} if whole else self.canonical.terms_of(node), sum(signs))
        return self.canonical.like_terms(terms)

    def _unchanged(self, piece: Piece) -> Node:
        """A piece as it was, its operations applied to the simpler forms of its operands."""
        become = {leaf: self.become[leaf] for leaf in piece.leaves}
        if [*become] == [*become.values()]:
            return piece.inner[0]
        for node in reversed(piece.inner):
            args = tuple(become[arg] for arg in node.args)
            if node.op in (ADD, MULTIPLY):
                args = tuple(sorted(args, key=self.canonical.order.factor))
            become[node] = _with_difference(node.op, args, node.params)
        return become[piece.inner[0]]
