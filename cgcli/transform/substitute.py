"""A whole graph built again: with values in the place of inputs, or by another constructor of nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cgcli.graph.node import Graph, Node, apply, rebuild
from cgcli.graph.operation import Operation, Params


def rebuilt(
    graph: Graph,
    make: Callable[[Operation, tuple[Node, ...], Params], Node] = apply,
    known: Mapping[Node, Node] | None = None,
) -> Graph:
    """The graph with each node built by `make`, and with the labels of the nodes that are left.

    known: nodes that are replaced, with what replaces them.
    """
    become = rebuild(graph.outputs, make, known)
    return moved(graph, become)


def moved(graph: Graph, become: Mapping[Node, Node]) -> Graph:
    """The graph that a pass has made of another: its outputs, and the labels that still name an operation.

    become: what the nodes have become; those that are gone are left out. Places in the text
    are given up, for the text says something else now.
    """
    labels: dict[Node, str] = {}
    for node, name in graph.labels.items():
        if node in become and become[node].args:
            labels.setdefault(become[node], name)
    return graph._replace(outputs=tuple(become[output] for output in graph.outputs), labels=labels, origins={}, idle=())
