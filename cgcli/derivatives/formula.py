"""The derivative as a formula that a person would write: by the rules of the table in their book form, simplified."""

from __future__ import annotations

from collections.abc import Sequence

from cgcli.algebra.algebraic import simplify
from cgcli.derivatives.book import expanded, with_book_rules
from cgcli.graph.node import Graph, Node, constant, name_of, toposort
from cgcli.transform.differentiate import jvp, vjp

# Forward mode gives the chain rule as a book writes it, one name after the other; beyond so many
# operations for all names together, reverse mode gives all of them at once, and they share their parts.
_MOST_FORWARD = 20_000
_MOST_READ = 2000  # operations; in a larger graph they count once each, however often they would stand in a text


def derivative(graph: Graph, wrt: Sequence[Node], order: int = 1) -> Graph:
    """The derivatives of a graph's only output by each of some inputs, as formulas.

    wrt: variables; the output is a scalar, or all of them are. order: how often to differentiate by each
    of them; more than once only by scalars. One output for each of them, of the shape of the output or of
    the variable, called d_x, or d2_x for the second order. At a kink or an edge of its domain a formula
    has the value that it has there as it stands, not the one that the tables of conventions choose.
    """
    graph = _simplified(graph)
    found = _simplified(_with(graph, _slopes(graph.output, wrt)))
    for _ in range(order - 1):
        slopes = (_slopes(output, [node])[0] for output, node in zip(found.outputs, wrt, strict=True))
        found = _simplified(_with(found, tuple(slopes)))
    return found._replace(names=derivative_names([name_of(node) for node in wrt], order)) if len(wrt) > 1 else found


def derivative_names(wrt: Sequence[str], order: int = 1) -> tuple[str, ...]:
    """What the derivatives by some names are called: d_x, or d2_x for the second order."""
    return tuple(f"d{order if order > 1 else ''}_{name}" for name in wrt)


def _simplified(graph: Graph) -> Graph:
    return simplify(graph, as_text=len(toposort(graph.outputs)) <= _MOST_READ)


def _with(graph: Graph, outputs: tuple[Node, ...]) -> Graph:
    return graph._replace(outputs=outputs, origins={}, idle=(), names=())


def _slopes(output: Node, wrt: Sequence[Node]) -> tuple[Node, ...]:
    """The derivative by each variable, not yet simplified."""
    primal = expanded(output)
    size = len(toposort([primal.output]))
    forward = [node for node in wrt if not node.shape and (output.shape or len(wrt) * size <= _MOST_FORWARD)]
    backward = [node for node in wrt if node not in forward]
    found = {node: jvp(primal.output, {node: constant(1.0)}) for node in forward}
    if backward:
        found |= zip(backward, vjp(primal.output, constant(1.0), backward), strict=True)
    return with_book_rules(primal, [found[node] for node in wrt])
