"""How long a graph is as a text, found without writing it, and which parts are worth a name."""

from __future__ import annotations

from collections import Counter

from cgcli.graph.node import Graph, Node, toposort
from cgcli.ops.entry import ATOM
from cgcli.printing.expression import Part, shared, written

_NAME = 2  # characters of t1
_WORTH = 40  # characters that a name saves; with fewer, looking it up costs the reader more than reading it again
_ENDLESS = 10**15  # characters; longer texts are not told apart


def worth_a_name(graph: Graph) -> list[Node]:
    """The shared parts that are long enough, or used often enough, for a name of their own, in order."""
    order = toposort(graph.outputs)
    uses = Counter(graph.outputs)
    for node in order:
        uses.update(node.args)
    repeated = set(shared(order, graph.outputs))
    lengths = _Lengths()
    for node in order:
        saved = (uses[node] - 1) * lengths.of(node)
        if node in repeated and saved >= _WORTH:
            lengths.name(node)
    return lengths.named


def flat_length(graph: Graph) -> int:
    """The length of the text in which no part has a name, about; 10^15 for all that are longer."""
    lengths = _Lengths()
    for node in toposort(graph.outputs):
        lengths.of(node)
    return sum(lengths.of(output) for output in graph.outputs)


class _Lengths:
    """The lengths of nodes as texts, asked for in order: arguments first."""

    def __init__(self) -> None:
        self.named: list[Node] = []
        self._known: dict[Node, tuple[int, int]] = {}  # how tightly it binds, and its length

    def of(self, node: Node) -> int:
        """The length of a node's text, capped."""
        if node not in self._known:
            level, parts = written(node, {})
            self._known[node] = level, min(sum(map(self._part, parts)), _ENDLESS)
        return self._known[node][1]

    def name(self, node: Node) -> None:
        """From now on, write a name in the place of the node."""
        self.named.append(node)
        self._known[node] = ATOM, _NAME

    def _part(self, part: str | Part) -> int:
        if isinstance(part, str):
            return len(part)
        level, length = self._known[part.node]
        return length if level >= part.level else length + 2
