"""Graphs as programs in the language: what cg prints, cg reads, and it is the same graph.

Shared nodes become statements of their own (`t1 = sin(x); t1*t1`), inputs that are no
scalars are declared (`X: [10, 2]`), functions with a derivative rule are defined.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count

from cgcli.graph.node import Graph, Node, name_of, toposort, variables
from cgcli.graph.operation import Callee
from cgcli.graph.shapes import shape_text
from cgcli.ops.table import CONSTANTS
from cgcli.printing.definitions import definitions
from cgcli.printing.expression import shared, text_of, written_name
from cgcli.printing.printer import Names


def program(graph: Graph) -> str:
    """The graph as a program on one line; `parse` and `lower` give back the same nodes."""
    return "; ".join(statements(graph))


def statements(graph: Graph, named: Mapping[Node, str] | None = None) -> list[str]:
    """The statements of a program; `parse` and `lower` give back the same nodes.

    named: what gets a statement of its own, in order, with its name (see `names`); every shared part when it is None.
    """
    order = toposort(graph.outputs)
    functions = definitions(order, graph.functions)
    if named is None:
        named = names(graph, shared(order, graph.outputs))
    taken = _inputs(order) | set(named.values())
    spelled: dict[Node | Callee, str] = dict(functions.names.items())
    spelled |= named.items()
    lines = [
        f"{written_name(name_of(node))}: {shape_text(node.shape)}"
        for node in _declared(order, functions.names.values())
    ]
    lines += functions.statements
    lines += [f"{name} = {text_of(node, spelled, top=node)}" for node, name in named.items()]
    if len(graph.outputs) == 1:
        lines.append(text_of(graph.output, spelled))
    else:
        results = [
            _result(output, name, spelled, taken) for output, name in zip(graph.outputs, graph.names, strict=True)
        ]
        lines += [f"{name} = {text}" for name, text in results if name]
        lines.append(f"({', '.join(name or text for name, text in results)})")
    return lines


def names(graph: Graph, parts: Iterable[Node]) -> dict[Node, str]:
    """Names for some nodes of a graph, in their order: their labels, else t1, t2, …"""
    taken = _inputs(toposort(graph.outputs))
    fresh = (name for name in (f"t{at}" for at in count(1)) if name not in taken)
    named: dict[Node, str] = {}
    for node in parts:
        label = graph.labels.get(node, "")
        named[node] = written_name(label) if label and label not in taken else next(fresh)
        taken.add(label or named[node])
    return named


def _inputs(order: Sequence[Node]) -> set[str]:
    """The names that no part of a program can have."""
    return {name_of(node) for node in variables(order)} | set(CONSTANTS)


def _declared(order: Sequence[Node], functions: Collection[str]) -> Iterator[Node]:
    """The inputs that a reader would otherwise take for scalars, constants or functions of the program."""
    unclear = {*CONSTANTS, *functions}
    return (node for node in variables(order) if node.shape or written_name(name_of(node)) in unclear)


def _result(output: Node, name: str, named: Names, taken: Collection[str]) -> tuple[str, str]:
    """One of several outputs: the name that it needs a statement for, or '', and its text."""
    text = text_of(output, named)
    keeps_name = name != text and written_name(name) == name and name not in taken
    return name if keeps_name else "", text
