"""Algebraic simplification: the graph in canonical form, for formulas that people read.

Each pass goes through the graph once, arguments first. A sum or a product of many operands
is one piece, collected and written anew; so is a single operation with its rule. A piece is
replaced only when that takes no more operations, so no graph ever grows. Passes are repeated
until nothing changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator, Mapping, Sequence, Set
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from cgcli.evaluate.constants import computed, constant_of
from cgcli.graph.node import CONSTANT, Graph, Node, constant, constant_array, constant_value, toposort
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, POWER_OP, SQRT, SUBTRACT
from cgcli.simplify.canonical import Canonical
from cgcli.simplify.coefficient import ONE, ZERO, UnwritableError
from cgcli.simplify.identities import RULES
from cgcli.simplify.order import Order
from cgcli.simplify.powers import exponential, raised
from cgcli.simplify.product import EXP, Factors, Product
from cgcli.transform.exact import exact
from cgcli.transform.substitute import moved

_HALF = constant(0.5)
_SUMS, _PRODUCTS = (ADD, SUBTRACT), (MULTIPLY, DIVIDE)


def simplify(graph: Graph) -> Graph:
    """The graph in canonical form, with the labels of the nodes that are left.

    The value is that of the graph wherever that is finite; the result may be defined at more
    points. It never has more operations, and simplifying it again changes nothing.
    """
    seen: dict[tuple[Node, ...], Graph] = {}
    while graph.outputs not in seen:
        seen[graph.outputs] = graph
        graph = moved(graph, _Pass(graph.outputs).run())
    order = Order()
    rank = list(seen).index(graph.outputs)  # where the passes began to go round, mostly the last one

    def preferred(at: int, outputs: tuple[Node, ...]) -> tuple[object, ...]:
        return operation_count(outputs), -min(at, rank), [order.factor(output) for output in outputs]

    return seen[min(enumerate(seen), key=lambda item: preferred(*item))[1]]


def operation_count(outputs: Sequence[Node]) -> int:
    """How many operations a graph has; x^-2 counts as what it stands for, 1/x^2."""
    return sum(map(_weight, toposort(outputs)))


def _weight(node: Node) -> int:
    if not node.args:
        return 0
    if node.op is POWER_OP or node.op is DIVIDE:
        return 2 if (constant_value(node.args[1]) or 0.0) < 0 else 1
    return 1


class _Piece(NamedTuple):
    """What is replaced together: operations of one kind that only it uses, and their operands.

    inner: the operations, users first. leaves: the operands, each with its signs or exponents.
    shared: those operands that something else uses too.
    """

    inner: list[Node]
    leaves: Mapping[Node, Sequence[Fraction]]
    shared: Set[Node]


class _Pass:
    """One way through a graph, arguments first."""

    def __init__(self, outputs: Sequence[Node]) -> None:
        self.order = toposort(outputs)
        self.uses = dict.fromkeys(self.order, 0)
        self.user: dict[Node, Node] = {}
        for node in self.order:
            for arg in node.args:
                self.uses[arg] += 1
                self.user[arg] = node
        for output in outputs:
            self.uses[output] += 2  # its value is wanted for itself
        self.sums: set[Node] = set()
        self.products: set[Node] = set()
        self.become: dict[Node, Node] = {}
        self.built: dict[Node, frozenset[Node]] = {}  # with which operations each was built
        self.wanted: set[Node] = set()  # operations that are there anyway, for several users
        self.canonical = Canonical()

    def run(self) -> dict[Node, Node]:
        """What each node becomes; those inside a piece are left out."""
        for node in self.order:
            if node.op in _SUMS or (node.op is NEG and self.uses[node.args[0]] == 1 and node.args[0] in self.sums):
                self.sums.add(node)
            elif node.op in _PRODUCTS or node.op is NEG:
                self.products.add(node)
        for node in self.order:
            if not node.args:
                self.become[node] = node
            elif not self._inside(node):
                self.become[node] = self._simplest(node)
        return self.become

    def _inside(self, node: Node) -> bool:
        """Whether a node belongs to the piece of its only user."""
        if self.uses[node] != 1:
            return False
        user = self.user[node]
        return (node in self.sums and user in self.sums) or (node in self.products and user in self.products)

    def _piece(self, root: Node) -> _Piece:
        inner: list[Node] = []
        leaves: dict[Node, list[Fraction]] = {}
        collects = root in self.sums or root in self.products
        stack = [(root, ONE)]
        while stack:
            node, sign = stack.pop()
            if node is not root and not (collects and self._inside(node)):
                leaves.setdefault(node, []).append(sign)
                continue
            inner.append(node)
            first = -sign if node.op is NEG and node in self.sums else sign
            second = -sign if node.op in (SUBTRACT, DIVIDE) else sign
            stack += [(arg, second if at else first) for at, arg in enumerate(node.args)]
        shared = {leaf for leaf, signs in leaves.items() if self.uses[leaf] > len(signs) and leaf.args}
        return _Piece(inner, leaves, shared)

    def _simplest(self, node: Node) -> Node:
        """The way to write a piece that takes the fewest operations, and no more than there were."""
        piece = self._piece(node)
        spent: set[Node] = set()
        for leaf in piece.leaves.keys() - piece.shared:
            spent.update(self.built.get(self.become[leaf], ()))
        there = {arg for part in spent for arg in part.args} - spent  # operands that no way to write it takes away
        least = sum(map(_weight, piece.inner)) + sum(map(_weight, spent)) + 1
        best: tuple[Node, frozenset[Node]] | None = None
        for write in self._ways(node, piece):
            self.canonical.made = set()
            try:
                found = write()
            except UnwritableError:
                continue
            if found is None:
                continue
            found = self.canonical.fitted(found, node.shape)
            made = {part for part in self.canonical.made if part in spent or part not in self.wanted} - there
            count = sum(map(_weight, _within(made | spent, found)))
            if count < least:
                least, best = count, (found, _within(made, found))
        found, built = best or self._plain(piece)
        self.built.setdefault(found, built)
        if self.uses[node] > 1:
            self.wanted |= built
        return found

    def _ways(self, node: Node, piece: _Piece) -> Iterator[Callable[[], Node | None]]:
        """The ways to write a piece, the boldest first."""
        canonical = self.canonical
        if node in self.sums or node in self.products:
            collect = self._sum if node in self.sums else self._product
            closed: Container[Node] = ()
            yield partial(collect, piece, closed)
            if piece.shared:
                yield partial(collect, piece, {leaf for leaf in piece.shared if self._is_compound(leaf)})
                yield partial(collect, piece, piece.shared)
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

    def _product(self, piece: _Piece, closed: Container[Node]) -> Node:
        """The piece as a product. closed: operands that are taken as they are, not as products."""
        factors = Factors()
        for leaf, exponents in piece.leaves.items():
            node = self.become[leaf]
            whole = leaf in closed and node.op is not CONSTANT
            product = Product(ONE, {node: ONE}) if whole else self.canonical.product_of(node)
            for exponent in exponents:
                factors.times(product, exponent)
        if sum(node.op is NEG for node in piece.inner) % 2:
            factors.times(Product(-ONE))
        return self.canonical.product(factors.settled(), flip=not closed)

    def _sum(self, piece: _Piece, closed: Container[Node]) -> Node:
        """The piece as a sum. closed: operands that are taken as they are, not as sums."""
        terms: dict[Node, Fraction] = {}
        for leaf, signs in piece.leaves.items():
            node = self.become[leaf]
            whole = leaf in closed and node.op is not CONSTANT
            for term, coefficient in ({node: ONE} if whole else self.canonical.terms_of(node)).items():
                terms[term] = terms.get(term, ZERO) + coefficient * sum(signs)
        return self.canonical.sum(terms)

    def _plain(self, piece: _Piece) -> tuple[Node, frozenset[Node]]:
        """The piece as it was, from its operands' simpler forms."""
        become = {leaf: self.become[leaf] for leaf in piece.leaves}
        for node in reversed(piece.inner):
            become[node] = exact(node.op, tuple(become[arg] for arg in node.args), node.params)
        root = become[piece.inner[0]]
        return root, frozenset([root])


def _within(region: Set[Node], node: Node) -> frozenset[Node]:
    """The nodes that are reached from a node without leaving a region."""
    found: set[Node] = set()
    stack = [node]
    while stack:
        part = stack.pop()
        if part in region and part not in found:
            found.add(part)
            stack.extend(part.args)
    return frozenset(found)


def _folded(node: Node, args: tuple[Node, ...]) -> Node | None:
    """An operation on constants as a constant, unless it is nan or infinite, or larger than they are."""
    if math.prod(node.shape) > max(math.prod(arg.shape) for arg in args):
        return None
    value = computed(node.op, [constant_of(arg) for arg in args], node.params)
    elements = value.ravel().tolist() if node.shape else [float(value)]
    if not all(map(math.isfinite, elements)):
        return None
    if not node.shape:
        return constant(elements[0])
    return constant_array(value.astype("<f8").tobytes(), node.shape)
