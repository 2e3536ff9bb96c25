"""A whole graph built again: by another constructor of nodes, or with some nodes replaced."""

from __future__ import annotations

from cgcli.annotations import Callable, Mapping
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
    return replaced(graph, become)


def replaced(graph: Graph, become: Mapping[Node, Node]) -> Graph:
    """The graph with nodes replaced, and with the labels that still name an operation.

    become: for each node that is left, its replacement; every output is among them. Places in the
    text are dropped, for they no longer match it.
    """
    labels: dict[Node, str] = {}
    for node, name in graph.labels.items():
        if node in become and become[node].args:
            labels.setdefault(become[node], name)
    return graph._replace(outputs=tuple(become[output] for output in graph.outputs), labels=labels, origins={}, idle=())
