"""How long a graph is as a text, found without writing it, and which parts are worth a name."""

from __future__ import annotations

from collections import Counter

from cgcli.graph.node import Graph, Node, toposort
from cgcli.ops.entry import ATOM
from cgcli.printing.expression import Text, shared
from cgcli.printing.printer import Layout, View

_NAME = Layout(ATOM, ("t1",), size=2)  # what is written in the place of a part that has a name
_WORTH = 40  # characters that a name saves; with fewer, looking it up costs the reader more than reading it again


def parts_worth_naming(graph: Graph) -> list[Node]:
    """The shared parts that are long enough, or used often enough, for a name of their own, in order."""
    order = toposort(graph.outputs)
    uses = Counter(graph.outputs)
    for node in order:
        uses.update(node.args)
    text = Text({})
    named = []
    for node in shared(order, graph.outputs):
        view = View(node)
        if (uses[node] - 1) * text.lay_out(view).size >= _WORTH:
            named.append(node)
            text.layouts[view] = _NAME
    return named


def flat_length(graph: Graph) -> int:
    """The length of the text in which no part has a name, about; 10^15 for all that are longer."""
    text = Text({})
    return sum(text.lay_out(View(output)).size for output in graph.outputs)
