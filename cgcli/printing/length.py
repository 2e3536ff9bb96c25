"""How long a graph is as a text, found without writing it, and which parts are worth a name."""

from __future__ import annotations

from cgcli.annotations import Container
from cgcli.graph.node import Graph, Node, constant, toposort
from cgcli.ops.arithmetic import DIVIDE
from cgcli.ops.entry import ATOM
from cgcli.ops.roots import Root
from cgcli.printing.expression import Text, shared, uses_of
from cgcli.printing.printer import Layout, View

_NAMED = Layout(ATOM, ("t1",), first="t1", last="t1", size=2)
_WORTH = 40  # characters that a name saves; with fewer, looking it up costs the reader more than reading it again


def parts_worth_naming(graph: Graph, wanted: Container[Node] = ()) -> list[Node]:
    """The shared parts that are long enough, or used often enough, for a name of their own, or wanted; in order.

    An exponential that stands as 1/exp(x) too is one of them: a name for it is short for exp(-x).
    """
    order = toposort(graph.outputs)
    uses = uses_of(order, graph.outputs)
    repeated = set(shared(order, graph.outputs))
    text = Text({})
    inverted = {node.args[1] for node in order if node.op is DIVIDE and node.args[0] is constant(1.0)}
    named = []
    for node in order:
        length = text.lay_out(View(node)).size
        is_worth = node in wanted or isinstance(node.params, Root) or (node.op.name == "exp" and node in inverted)
        if node in repeated and (is_worth or (uses[node] - 1) * length >= _WORTH):
            named.append(node)
            text.layouts[View(node)] = _NAMED
    return named


def flat_length(graph: Graph) -> int:
    """The length of the text in which no part has a name, about; 10^15 for all that are longer."""
    text = Text({})
    return sum(text.lay_out(View(output)).size for output in graph.outputs)
