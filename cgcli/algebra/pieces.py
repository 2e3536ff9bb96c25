"""A graph cut into pieces that are rewritten together: whole sums, whole products, and single operations."""

from __future__ import annotations

from cgcli.algebra.coefficient import ONE, Number
from cgcli.annotations import Mapping, Sequence, Set
from cgcli.graph.node import Node, toposort
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, SUBTRACT
from cgcli.records import NamedTuple

_SUMS, _PRODUCTS = (ADD, SUBTRACT), (MULTIPLY, DIVIDE)


class Piece(NamedTuple):
    """What is replaced together: operations of one kind that only it uses, and their operands.

    inner: the operations, users first. leaves: the operands, each with its signs or exponents.
    shared: those operands of a sum or a product that something else uses too.
    """

    inner: list[Node]
    leaves: Mapping[Node, Sequence[Number]]
    shared: Set[Node]


class Pieces:
    """The pieces of a graph.

    order: its nodes. uses: how often each is used. sums, products: those that belong to a sum or a product.
    """

    def __init__(self, outputs: Sequence[Node]) -> None:
        self.order = toposort(outputs)
        self.uses = dict.fromkeys(self.order, 0)
        self._user: dict[Node, Node] = {}
        for node in self.order:
            for arg in node.args:
                self.uses[arg] += 1
                self._user[arg] = node
        for output in outputs:
            self.uses[output] += 2  # its value is wanted for itself
        self.sums: set[Node] = set()
        self.products: set[Node] = set()
        for node in self.order:
            if node.op in _SUMS or (node.op is NEG and self.uses[node.args[0]] == 1 and node.args[0] in self.sums):
                self.sums.add(node)
            elif node.op in _PRODUCTS or node.op is NEG:
                self.products.add(node)

    def inside(self, node: Node) -> bool:
        """Whether a node belongs to the piece of its only user."""
        if self.uses[node] != 1:
            return False
        user = self._user[node]
        return (node in self.sums and user in self.sums) or (node in self.products and user in self.products)

    def piece(self, root: Node) -> Piece:
        """The piece that ends with a node."""
        if root not in self.sums and root not in self.products:
            return Piece([root], dict.fromkeys(root.args, (ONE,)), frozenset())
        inner: list[Node] = []
        leaves: dict[Node, list[Number]] = {}
        stack = [(root, ONE)]
        while stack:
            node, sign = stack.pop()
            if node is not root and not self.inside(node):
                leaves.setdefault(node, []).append(sign)
                continue
            inner.append(node)
            first = -sign if node.op is NEG and node in self.sums else sign
            second = -sign if node.op in (SUBTRACT, DIVIDE) else sign
            stack += [(arg, second if at else first) for at, arg in enumerate(node.args)]
        shared = {leaf for leaf, signs in leaves.items() if self.uses[leaf] > len(signs) and leaf.args}
        return Piece(inner, leaves, shared)
