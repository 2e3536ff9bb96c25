"""Derivatives of programs as formulas."""

from __future__ import annotations

from collections.abc import Sequence

from cgcli.api.prepared import chosen
from cgcli.api.program import Program, read
from cgcli.derivatives.formula import derivative
from cgcli.errors import UsageError
from cgcli.graph.node import Graph, Node, name_of
from cgcli.graph.shapes import shape_text
from cgcli.printing.length import worth_a_name
from cgcli.printing.program import names, statements


def diff(program: Program | str, wrt: str | Sequence[str], order: int = 1) -> str:
    """The derivative as a formula that a person would write: a program, which `parse` reads.

    wrt: a name, or several, which give a program of several outputs, `(d_x, d_y)`.
    order: how often to differentiate by each. Shapes are those that the program declares.

    >>> diff("x^2*sin(x)", "x")
    'x^2*cos(x) + 2*x*sin(x)'
    >>> diff("x: [3]; sum(x^2)", "x")
    'x: [3]; 2*x'

    Raises UsageError for an order that is no whole number above 0, a name that the program
    computes, and what has no formula: several outputs, the derivative of an array by an
    array, a second derivative by one. UnknownNameError for a name that does not occur.
    """
    if not isinstance(order, int) or order < 1:
        raise UsageError(f"there is no derivative of order {order}", hint="the order is a whole number: 1, 2, …")
    parsed = read(program)
    graph = parsed.graph({})
    nodes = [chosen(name, parsed, graph, {}) for name in ([wrt] if isinstance(wrt, str) else wrt)]
    _check(graph, nodes, order)
    found = derivative(graph, nodes, order)
    return "; ".join(statements(found, names(found, worth_a_name(found))))


def _check(graph: Graph, wrt: Sequence[Node], order: int) -> None:
    """Raise UsageError for what has no formula."""
    if graph.names:
        raise UsageError(f"diff takes a program with one output, and this one has {len(graph.names)}",
                         hint=f"end it with the one that is meant, as in: {graph.names[0]}")  # fmt: skip
    array = next((node for node in wrt if node.shape), None)
    if array is not None and graph.output.shape:
        raise UsageError(
            f"the value has shape {shape_text(graph.output.shape)}, and a gradient by the array '{name_of(array)}' "
            "needs a scalar",
            hint="jacobian gives all its derivatives as numbers",
        )
    if array is not None and order > 1:
        raise UsageError(
            f"'{name_of(array)}' is an array, and a derivative of order {order} needs numbers to differentiate by",
            hint="hessian gives second derivatives by arrays, as numbers",
        )
