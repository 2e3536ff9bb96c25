"""A graph as text in the DOT language of Graphviz: a pure function, the first step to a picture."""

from __future__ import annotations

from cgcli.annotations import Sequence
from cgcli.errors import quoted
from cgcli.graph.body import name_of_operation
from cgcli.graph.node import CONSTANT, VARIABLE, Graph, Node, name_of
from cgcli.graph.shapes import shape_text
from cgcli.render.card import caption, is_bare, label, partial_label, quote
from cgcli.render.look import DEFAULT, Look
from cgcli.render.scene import NO_NUMBERS, Card, Numbers, scene, shorten
from cgcli.render.themes import THEMES, Theme

# Helvetica is a name that every layout program knows the widths of; in a list of fonts,
# graphviz-pure would measure the text as Times. TBbalance puts a node that could stand in
# several columns beside what it goes into; left alone it may open a column of its own.
_STYLE = """\
  graph [rankdir={rankdir}, fontname="Helvetica", bgcolor="{background}"]
  graph [pad="0.1", nodesep="0.2", ranksep="0.3", TBbalance="max"]
  node [fontname="Helvetica", fontsize="12", fontcolor="{ink}", penwidth="1.1", margin="0.05,0.03"]
  node [height="0", width="0"]
  edge [fontname="Helvetica", fontsize="10", color="{edge}", penwidth="1.1", arrowsize="0.6"]
"""

# A thousand entangled cards take 18 seconds with the layout's own bounds, 6 with these; 500 take 3 and 1.
MANY_CARDS = 600
_QUICK = '  graph [nslimit="0.5", nslimit1="0.5", mclimit="0.05"]\n'

_ENTRY = {"LR": "w", "TB": "n", "RL": "e", "BT": "s"}  # the side of a card where edges end


def dot(
    graph: Graph, numbers: Numbers = NO_NUMBERS, *, look: Look = DEFAULT, cards: Sequence[Card] | None = None
) -> str:
    """The graph as DOT text; the same graph gives the same text.

    numbers: what to write beside nodes and at edges. cards: of the graph, where they are at hand.
    Raises UsageError for a look that there is not.
    """
    look.check()
    theme = THEMES[look.theme]
    rankdir = "LR" if look.rankdir == "auto" else look.rankdir
    cards = scene(graph, look, numbers) if cards is None else cards
    background = "transparent" if look.transparent else theme.background
    style = _STYLE.format(rankdir=rankdir, background=background, ink=theme.ink, edge=theme.edge)
    lines = [f"digraph {quote(_title(graph))} {{\n{style}"]
    words = caption(look, theme, numbers)
    if words:
        place = "t" if look.title else "b"
        lines.append(f'  graph [label={words}, labelloc="{place}", labeljust="l"]\n')
    if len(cards) > MANY_CARDS:
        lines.append(_QUICK)
    for card in cards:
        inside = label(card, numbers, look, theme, rankdir)
        is_data = bool(numbers.adjoints) and card.node in numbers.values and card.node not in numbers.adjoints
        looks = _looks(card, theme, bare=is_bare(card, numbers, look, theme), is_data=is_data)
        lines.append(f"  {card.id} [label={inside}, tooltip={quote(_tooltip(graph, card.node))}, {looks}]\n")
        for at, operand in enumerate(card.operands):
            port = f":p{at}:{_ENTRY[rankdir]}" if card.ordered else ""
            said = partial_label(card.partials[at], look, theme) if card.partials else ""
            lines.append(f"  {operand} -> {card.id}{port}{f' [label={said}]' if said else ''}\n")
    return "".join([*lines, "}\n"])


def _title(graph: Graph) -> str:
    text = " ".join(graph.source.text.split())
    return shorten(text, 200) or "computation graph"


def _tooltip(graph: Graph, node: Node) -> str:
    """What a viewer of SVG shows under the pointer: the text that the node was read from."""
    if node.op is VARIABLE:
        text = name_of(node)
    elif node in graph.origins:
        text = quoted(graph.source.text, graph.origins[node])
    else:
        text = name_of_operation(node)
    return f"{shorten(text, 200)} {shape_text(node.shape, '')}".rstrip()


def _looks(card: Card, theme: Theme, *, bare: bool, is_data: bool) -> str:
    """The form and the colours of a card: each role is told apart without its colour, too.

    bare: it shows no numbers. is_data: it has no adjoint, where others have one.
    """
    node = card.node
    if node.op is VARIABLE:
        form, role, kind = 'shape="box", style="filled"', theme.data if is_data else theme.variable, "input"
    elif node.op is CONSTANT or not card.operands:
        form, role, kind = 'shape="plain"', None, "constant"
    elif bare and len(card.symbol) == 1 and not (card.name or card.notes or node.shape or card.ordered):
        form = 'shape="circle", style="filled", margin="0", width="0.42", fixedsize="true"'
        role, kind = theme.operation, "operation"
    else:
        form, role, kind = 'shape="box", style="filled,rounded"', theme.operation, "operation"
    if card.ordered:  # edges end at its border
        form += ', margin="0"'
    if card.is_output:
        form = form.replace('"plain"', '"box", style="filled"')
        if not theme.double:
            form += ', penwidth="2.2"'
        elif not card.ordered:  # or the second border is one within: edges end at the outer one
            form += ', peripheries="2"'
        role, kind = theme.output, f"{kind} output"
    if role is not None:
        form += f', fillcolor="{role.fill}", color="{role.border}"'
    return f'{form}, class="{kind}"'
