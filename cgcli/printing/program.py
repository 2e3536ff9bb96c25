"""Graphs as programs in the language: what cg prints, cg reads, and it is the same graph.

Shared nodes become statements of their own (`t1 = sin(x); t1*t1`), inputs that are no
scalars are declared (`X: [10, 2]`), functions with a derivative rule are defined.
"""

from __future__ import annotations

from cgcli.annotations import Collection, Iterator, Mapping
from cgcli.graph.node import Graph, Node, name_of
from cgcli.graph.shapes import shape_text
from cgcli.ops.table import CONSTANTS
from cgcli.printing.definitions import definitions
from cgcli.printing.expression import text_of, written_name
from cgcli.printing.names import Contents, contents, not_for_parts
from cgcli.printing.printer import Names


def program(graph: Graph) -> str:
    """The graph as a program on one line; `parse` and `lower` give back the same nodes."""
    return "; ".join(statements(graph))


def statements(graph: Graph, named: Mapping[Node, str] | None = None) -> list[str]:
    """The statements of a program; `parse` and `lower` give back the same nodes.

    named: what gets a statement of its own, in order, with its name, as `names.names` makes it;
    every shared part when it is None.
    """
    held = contents(graph, named)
    graph = held.graph
    spelled = held.names
    lines = [f"{written_name(name_of(node))}: {shape_text(node.shape)}" for node in _declared(held)]
    if not held.has_blocks:
        lines += definitions(held)
        lines += [f"{name} = {text_of(node, spelled, top=node)}" for node, name in held.parts.items()]
    else:
        from cgcli.printing.loops import Fresh, function_of, statements_of

        fresh = Fresh({*held.reserved, *not_for_parts(held.inputs), *held.parts.values()}, graph.carried)
        lines += definitions(held, lambda body, named: function_of(body, named, fresh))
        for body in held.equations:
            spelled[body], definition = function_of(body, dict(spelled), fresh)
            lines += definition
        lines += statements_of(graph, held.loops, held.parts, spelled, fresh)
    if len(graph.outputs) == 1:
        lines.append(text_of(graph.output, spelled))
    else:
        taken = {*not_for_parts(held.inputs), *held.parts.values()}
        results = [
            _result(output, name, spelled, taken) for output, name in zip(graph.outputs, graph.names, strict=True)
        ]
        lines += [f"{name} = {text}" for name, text in results if name]
        lines.append(f"({', '.join(name or text for name, text in results)})")
    return lines


def _declared(held: Contents) -> Iterator[Node]:
    """The inputs that a reader would otherwise take for scalars, constants or functions of the program."""
    unclear = {*CONSTANTS, *held.functions.values()}
    return (node for node in held.inputs if node.shape or written_name(name_of(node)) in unclear)


def _result(output: Node, name: str, named: Names, taken: Collection[str]) -> tuple[str, str]:
    """One of several outputs: the name that it needs a statement for, or '', and its text."""
    text = text_of(output, named)
    keeps_name = name != text and written_name(name) == name and name not in taken
    return name if keeps_name else "", text
