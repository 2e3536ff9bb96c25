"""A graph as text in the DOT language of Graphviz: a pure function, the first step to a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cgcli.errors import UsageError, quoted
from cgcli.graph.body import function_of, name_of_operation
from cgcli.graph.node import CONSTANT, VARIABLE, Graph, Node, name_of, toposort
from cgcli.graph.shapes import shape_text
from cgcli.printing.spelling import in_unicode
from cgcli.render.label import GREY, label, quote, shorten, sign_of

RANKDIRS = ("LR", "TB", "RL", "BT")

# Helvetica is a name that every layout program knows the widths of; in a list of fonts,
# graphviz-pure would measure the text as Times. TBbalance puts a node that could stand in
# several columns beside what it goes into; left alone it may open a column of its own.
_FONT = 'fontname="Helvetica"'
_INK = "#1F2933"
_STYLE = f"""\
  graph [{_FONT}, bgcolor="white", pad="0.25", nodesep="0.3", ranksep="0.5", TBbalance="max"]
  node [{_FONT}, fontsize="14", fontcolor="{_INK}", penwidth="1.2", height="0.4", margin="0.12,0.06"]
  edge [{_FONT}, fontsize="9", fontcolor="{GREY}", color="{GREY}", penwidth="1.1", arrowsize="0.7"]
"""

# A thousand entangled nodes take half a minute with the layout's own bounds, a second with these.
_LARGE = 300
_QUICK = '  graph [nslimit="0.5", nslimit1="0.5", mclimit="0.05", splines="line"]\n'

# Each kind has a form of its own, so that a print in black and white tells them apart too.
_VARIABLE = 'shape="box", style="filled,rounded"'
_CONSTANT = 'shape="box", style="filled", fontsize="12", height="0.3", width="0.3"'
_OPERATION = 'shape="ellipse", style="filled"'
_BLUE = 'fillcolor="#D9E8F6", color="#1F5A93"'
_WHITE = 'fillcolor="white", color="white"'
_YELLOW = 'fillcolor="#FFF4DC", color="#8A6414"'
_OUTPUT = 'fillcolor="#E2F2E8", color="#1E6B45", peripheries="2"'


def dot(
    graph: Graph,
    *,
    values: Mapping[Node, Any] | None = None,
    adjoints: Mapping[Node, Any] | None = None,
    rankdir: str = "LR",
    precision: int | None = None,
) -> str:
    """The graph as DOT text; the same graph gives the same text.

    values, adjoints: what to write beside a node, for those nodes that have one.
    rankdir: the direction of the edges: LR, TB, RL or BT. precision: significant digits.
    Raises UsageError for another rankdir.
    """
    if rankdir not in RANKDIRS:
        raise UsageError(f"unknown direction '{rankdir}'", hint=f"possible: {', '.join(RANKDIRS)}")
    order = toposort(graph.outputs)
    ids = {node: f"n{at}" for at, node in enumerate(order)}
    outputs = frozenset(graph.outputs)
    labels = {node: graph.labels[node] for node in order if node in graph.labels}
    symbols = {node: _symbol(graph, node) for node in order}
    written = in_unicode({*labels.values(), *symbols.values()}, set(map(sign_of, order)))
    lines = [f"digraph {quote(_title(graph))} {{\n  rankdir={rankdir}\n{_STYLE}"]
    if len(order) > _LARGE:
        lines.append(_QUICK)
    for node in order:
        inside = label(
            node,
            written[labels[node]] if node in labels else "",
            written[symbols[node]],
            (values or {}).get(node),
            (adjoints or {}).get(node),
            precision,
        )
        looks = _looks(node, node in outputs)
        lines.append(f"  {ids[node]} [label={inside}, tooltip={quote(_tooltip(graph, node))}, {looks}]\n")
        lines.extend(_edges(node, ids))
    return "".join([*lines, "}\n"])


def _title(graph: Graph) -> str:
    text = " ".join(graph.source.text.split())
    return shorten(text, 200) or "computation graph"


def _symbol(graph: Graph, node: Node) -> str:
    """What the program calls a variable, or the operation of a node if that is a function of its own, else ''."""
    if node.op is VARIABLE:
        return name_of(node)
    return name_of_operation(node, graph.functions) if function_of(node) else ""


def _tooltip(graph: Graph, node: Node) -> str:
    """What a viewer of SVG shows under the pointer: the text that the node was read from."""
    if node.op is VARIABLE:
        text = name_of(node)
    elif node in graph.origins:
        text = quoted(graph.source.text, graph.origins[node])
    else:
        text = name_of_operation(node)
    return f"{shorten(text, 200)} {shape_text(node.shape, '')}".rstrip()


def _looks(node: Node, is_output: bool) -> str:
    if node.op is VARIABLE:
        form, colour = _VARIABLE, _BLUE
    elif node.op is CONSTANT:
        form, colour = _CONSTANT, _WHITE
    else:
        form, colour = _OPERATION, _YELLOW
    return f"{form}, {_OUTPUT if is_output else colour}"


def _edges(node: Node, ids: Mapping[Node, str]) -> Iterator[str]:
    """The edges into a node, in the order of its operands, which they name where it matters."""
    ordered = len(node.args) > 1 and not node.op.commutative
    for position, arg in enumerate(node.args):
        place = f" [label={quote(_operand(node, position))}]" if ordered else ""
        yield f"  {ids[arg]} -> {ids[node]}{place}\n"


def _operand(node: Node, position: int) -> str:
    """Which operand an edge brings: its telling name (`condition`), else `1st`, `2nd`, ….

    An ordinal is never taken for a value, and a one-letter name would be for a variable.
    """
    function = function_of(node)
    names = node.op.arrays if function is None else function.names
    name = "" if node.op.variadic and function is None else names[position]
    return name if len(name) > 1 else _ordinal(position + 1)


def _ordinal(position: int) -> str:
    """1st, 2nd, …: unlike a bare number, never taken for a value."""
    teen = position // 10 % 10 == 1
    return f"{position}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(position % 10, 'th')}"
