"""How long a graph is as a text, found without writing it, and which parts are worth a name."""

from __future__ import annotations

from cgcli.annotations import Container
from cgcli.graph.node import Graph, Node, constant, toposort
from cgcli.ops.arithmetic import DIVIDE
from cgcli.ops.entry import ATOM
from cgcli.ops.roots import Root
from cgcli.printing.expression import Text, shared, uses_of
from cgcli.printing.printer import ENDLESS, Part, View

_NAME_LENGTH = 2  # characters of t1
_WORTH = 40  # characters that a name saves; with fewer, looking it up costs the reader more than reading it again


def parts_worth_naming(graph: Graph, wanted: Container[Node] = ()) -> list[Node]:
    """The shared parts that are long enough, or used often enough, for a name of their own, or wanted; in order.

    An exponential that stands as 1/exp(x) too is one of them: a name for it is short for exp(-x).
    """
    order = toposort(graph.outputs)
    uses = uses_of(order, graph.outputs)
    repeated = set(shared(order, graph.outputs))
    lengths = _Lengths()
    inverted = {node.args[1] for node in order if node.op is DIVIDE and node.args[0] is constant(1.0)}
    named = []
    for node in order:
        length = lengths.add(node)
        is_worth = node in wanted or isinstance(node.params, Root) or (node.op.name == "exp" and node in inverted)
        if node in repeated and (is_worth or (uses[node] - 1) * length >= _WORTH):
            named.append(node)
            lengths.known[node] = ATOM, _NAME_LENGTH
    return named


def flat_length(graph: Graph) -> int:
    """The length of the text in which no part has a name, about; 10^15 for all that are longer."""
    lengths = _Lengths()
    for node in toposort(graph.outputs):
        lengths.add(node)
    return sum(lengths.known[output][1] for output in graph.outputs)


class _Lengths:
    """How tightly the text of each node binds, and how long it is; arguments are added before their users."""

    def __init__(self) -> None:
        self.known: dict[Node, tuple[int, int]] = {}
        self._text = Text({})

    def add(self, node: Node) -> int:
        """The length of a node's text."""
        layout = self._text.form(Part(View(node)))
        length = 0
        for piece in layout.pieces:
            if isinstance(piece, str):
                length += len(piece)
            else:
                if piece.view.node not in self.known:  # the sides of an equation are no arguments
                    for part in toposort([piece.view.node], self.known):
                        if part not in self.known:
                            self.add(part)
                level, inner = self.known[piece.view.node]
                length += inner + (2 if level < piece.level else 0)
        length = min(length, ENDLESS)
        self.known[node] = layout.level, length
        return length
