"""Graphs as programs in the language: what cg prints, cg reads, and it is the same graph.

Shared nodes become statements of their own (`t1 = sin(x); t1*t1`), inputs that are no
scalars are declared (`X: [10, 2]`), functions with a derivative rule are defined.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import count

from cgcli.graph.node import Graph, Node, name_of, toposort, variables
from cgcli.graph.operation import Operation
from cgcli.ops.statics import shape_text
from cgcli.ops.table import CONSTANTS
from cgcli.printing.definitions import definitions
from cgcli.printing.expression import Names, shared, text_of, written_name


def program(graph: Graph) -> str:
    """The graph as a program on one line; `parse` and `lower` give back the same nodes."""
    order = toposort(graph.outputs)
    functions = definitions(order, graph.functions)
    taken = {name_of(node) for node in variables(order)} | set(CONSTANTS)
    fresh = (name for name in (f"t{at}" for at in count(1)) if name not in taken)
    named = _names(order, graph, taken, fresh)
    spelled: dict[Node | Operation, str] = dict(functions.names.items())
    spelled |= named.items()
    statements = [
        f"{written_name(name_of(node))}: {shape_text(node.shape)}"
        for node in _declared(order, functions.names.values())
    ]
    statements += functions.statements
    statements += [f"{name} = {text_of(node, spelled, top=node)}" for node, name in named.items()]
    if len(graph.outputs) == 1:
        statements.append(text_of(graph.output, spelled))
    else:
        results = [
            _result(output, name, spelled, taken) for output, name in zip(graph.outputs, graph.names, strict=True)
        ]
        statements += [f"{name} = {text}" for name, text in results if name]
        statements.append(f"({', '.join(name or text for name, text in results)})")
    return "; ".join(statements)


def _declared(order: Sequence[Node], functions: Collection[str]) -> Iterator[Node]:
    """The inputs that a reader would otherwise take for scalars, constants or functions of the program."""
    unclear = {*CONSTANTS, *functions}
    return (node for node in variables(order) if node.shape or written_name(name_of(node)) in unclear)


def _names(order: Sequence[Node], graph: Graph, taken: set[str], fresh: Iterator[str]) -> dict[Node, str]:
    """Names for the nodes that are used more than once, in order: their labels, else t1, t2, …"""
    named: dict[Node, str] = {}
    for node in shared(order, graph.outputs):
        label = graph.labels.get(node, "")
        named[node] = written_name(label) if label and label not in taken else next(fresh)
        taken.add(label or named[node])
    return named


def _result(output: Node, name: str, named: Names, taken: set[str]) -> tuple[str, str]:
    """One of several outputs: the name that it needs a statement for, or '', and its text."""
    text = text_of(output, named)
    keeps_name = name != text and written_name(name) == name and name not in taken
    return name if keeps_name else "", text
