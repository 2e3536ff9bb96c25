"""A graph as text in the DOT language of Graphviz: a pure function, the first step to a picture."""

from __future__ import annotations

from cgcli.annotations import Iterator, Sequence
from cgcli.errors import quoted
from cgcli.graph.body import name_of_operation
from cgcli.graph.node import CONSTANT, VARIABLE, Graph, Node, name_of
from cgcli.graph.shapes import shape_text
from cgcli.render.card import caption, head, is_bare, label, link_label, partial_label, quote
from cgcli.render.look import DEFAULT, Look
from cgcli.render.scene import NEXT, NO, NO_NUMBERS, Card, Numbers, Scene, scene, shorten
from cgcli.render.sketch import CARRY, RESULT, Sketch
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
_CORNERS = {"LR": ("nw", "sw"), "TB": ("nw", "ne"), "RL": ("ne", "se"), "BT": ("sw", "se")}  # and of a diamond

_CLUSTER = """\
    graph [label={label}, labeljust="l", labelloc="t", tooltip={tip}]
    graph [style="dashed,rounded", color="{colour}", margin="10"]
"""
_NEXT = 'class="next", penwidth="2.4"'
_ANSWER = 'class="control", style="dashed"'

# A thousand entangled cards take 18 seconds with the layout's own bounds, 6 with these; 500 take 3 and 1.
MANY_CARDS = 600
_QUICK = '  graph [nslimit="0.5", nslimit1="0.5", mclimit="0.05"]\n'

_ENTRY = {"LR": "w", "TB": "n", "RL": "e", "BT": "s"}  # the side of a card where edges end


def dot(graph: Graph | Sketch | Scene, numbers: Numbers = NO_NUMBERS, *, look: Look = DEFAULT) -> str:
    """The graph as DOT text; the same graph gives the same text.

    numbers: what to write beside nodes and at edges.
    Raises UsageError for a look that there is not.
    """
    look.check()
    theme = THEMES[look.theme]
    rankdir = "LR" if look.rankdir == "auto" else look.rankdir
    drawn = graph if isinstance(graph, Scene) else scene(graph, look, numbers)
    background = "transparent" if look.transparent else theme.background
    style = _STYLE.format(rankdir=rankdir, background=background, ink=theme.ink, edge=theme.edge)
    lines = [f"digraph {quote(_title(drawn.graph))} {{\n{style}"]
    words = caption(look, theme, numbers)
    if words:
        place = "t" if look.title else "b"
        lines.append(f'  graph [label={words}, labelloc="{place}", labeljust="l"]\n')
    if len(drawn.cards) > MANY_CARDS:
        lines.append(_QUICK)
    writer = _Writer(drawn, numbers, look, theme, rankdir)
    return "".join([*lines, *writer.lines(None, drawn.cards), *writer.links(), "}\n"])


class _Writer:
    """Writes cards and edges, those of a cluster together."""

    def __init__(self, drawn: Scene, numbers: Numbers, look: Look, theme: Theme, rankdir: str) -> None:
        self.drawn, self.numbers = drawn, numbers
        self.look, self.theme, self.rankdir = look, theme, rankdir
        self.clusters = drawn.clusters

    def lines(self, cluster: int | None, cards: Sequence[Card]) -> Iterator[str]:
        """The cards that stand in a cluster, or in one within it; None for the whole picture."""
        written: set[int] = set()
        for card in cards:
            inner = self._inner(card.cluster, cluster)
            if inner is None:
                yield self._card(card)
                if cluster is None:
                    yield from self._edges(card)
            elif inner not in written:
                written.add(inner)
                others = [other for other in cards if self._inner(other.cluster, cluster) == inner]
                yield f"  subgraph cluster_{inner} {{\n{self._style(inner)}"
                yield from self.lines(inner, others)
                yield "  }\n"
                if cluster is None:  # an edge within would take what it leads from or to into the cluster
                    for other in others:
                        yield from self._edges(other)

    def _inner(self, place: int | None, outer: int | None) -> int | None:
        """The cluster right within another one that is a place, or is around it."""
        while place is not None and self.clusters[place].parent != outer:
            place = self.clusters[place].parent
        return place if place != outer else None

    def _card(self, card: Card) -> str:
        inside = label(card, self.numbers, self.look, self.theme, self.rankdir)
        numbers = self.numbers
        is_data = bool(numbers.adjoints) and card.node in numbers.values and card.node not in numbers.adjoints
        bare = is_bare(card, numbers, self.look, self.theme)
        looks = _looks(card, self.theme, bare=bare, is_data=is_data)
        return f"  {card.id} [label={inside}, tooltip={quote(_tooltip(self.drawn.graph, card.node))}, {looks}]\n"

    def _edges(self, card: Card) -> Iterator[str]:
        for at in card.flowing:
            said = partial_label(card.partials[at], self.look, self.theme) if card.partials else ""
            yield f"  {card.operands[at]} -> {card.id}{self._port(card, at)}{f' [label={said}]' if said else ''}\n"

    def _port(self, card: Card, at: int) -> str:
        if not card.ordered:
            return ""
        return f":{_CORNERS[self.rankdir][at]}" if card.is_condition else f":p{at}:{_ENTRY[self.rankdir]}"

    def _style(self, place: int) -> str:
        cluster = self.clusters[place]
        words = head(cluster, self.numbers.trips.get(cluster.path), self.theme)
        return _CLUSTER.format(label=words, colour=self.theme.edge, tip=quote(cluster.head))

    def links(self) -> Iterator[str]:
        """The ways to the next trip, and those from conditions."""
        cards = {card.id: card for card in self.drawn.cards}
        for link in self.drawn.links:
            style = _NEXT if link.kind == NEXT else _ANSWER
            port = "" if link.port is None else self._port(cards[link.head], link.port)
            free = ', constraint="false"' if link.within and link.kind != NO else ""
            said = f", label={link_label(link.kind, self.theme)}" if link.said else ""
            yield f"  {link.tail} -> {link.head}{port} [{style}{free}{said}]\n"


def _title(graph: Graph) -> str:
    text = " ".join(graph.source.text.split())
    return shorten(text, 200) or "computation graph"


def _tooltip(graph: Graph, node: Node) -> str:
    """What a viewer of SVG shows under the pointer: the text that the node was read from."""
    if node.op is VARIABLE:
        text = name_of(node)
    elif node.op is CARRY:
        text = graph.labels[node]
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
    elif card.is_carry:
        form, role, kind = 'shape="box", style="filled"', theme.data, "carry"
    elif card.is_condition:
        form, role, kind = 'shape="diamond", style="filled", margin="0"', theme.operation, "condition"
    elif node.op is CONSTANT or not card.operands:
        form, role, kind = 'shape="plain"', None, "constant"
    elif node.op is RESULT:
        form, role, kind = 'shape="box", style="filled,rounded"', theme.operation, "result"
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
