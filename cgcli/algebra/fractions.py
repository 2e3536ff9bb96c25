"""Thirds and sevenths, which no float64 is: written as divisions when all else is done, x^(2/3) + 1/7."""

from __future__ import annotations

from cgcli.algebra.coefficient import fraction_of, is_repeating
from cgcli.graph.node import Graph, Node, apply, constant, toposort
from cgcli.ops.arithmetic import DIVIDE
from cgcli.transform.substitute import rebuilt


def with_fractions(graph: Graph) -> Graph:
    """The graph with a division in the place of each scalar constant that stands for a repeating fraction."""
    found = {node: divided for node in toposort(graph.outputs) if (divided := _divided(node)) is not None}
    return rebuilt(graph, known=found) if found else graph


def _divided(node: Node) -> Node | None:
    number = fraction_of(node)
    if number is None or not is_repeating(number):
        return None
    return apply(DIVIDE, (constant(float(number.numerator)), constant(float(number.denominator))))
