"""A graph as text in the DOT language of Graphviz: a pure function, the first step to a picture."""

from __future__ import annotations

from cgcli.annotations import Any, Collection, Iterator, Mapping, Sequence
from cgcli.errors import quoted
from cgcli.graph.node import VARIABLE, Graph, Node, name_of
from cgcli.graph.shapes import shape_text
from cgcli.rendering.card import caption, head, is_bare, label, link_label, partial_label
from cgcli.rendering.compose import CROWD, scene
from cgcli.rendering.look import DEFAULT, Look
from cgcli.rendering.pen import quote
from cgcli.rendering.scene import NEXT, NO_NUMBERS, YES, Card, Link, Numbers, Scene, shorten
from cgcli.rendering.sketch import CARRY, FOLDED, Sketch, enclosing
from cgcli.rendering.themes import THEMES, Theme

# Helvetica is a name that every layout program knows the widths of; in a list of fonts,
# graphviz-pure would measure the text as Times. TBbalance puts a node that could stand in
# several columns beside what it goes into; left alone it may open a column of its own.
RANK_GAP = 0.3  # inches between the cards of an edge
_STYLE = """\
  graph [rankdir={rankdir}, fontname="Helvetica", bgcolor="{background}"]
  graph [pad="0.1", nodesep="0.2", ranksep="{gap}", TBbalance="max"]
  node [fontname="Helvetica", fontsize="12", fontcolor="{ink}", penwidth="1.1", margin="0.05,0.03"]
  node [height="0", width="0"]
  edge [fontname="Helvetica", fontsize="10", color="{edge}", penwidth="1.1", arrowsize="0.6"]
"""
_CORNERS = {"LR": ("nw", "sw"), "TB": ("nw", "ne"), "RL": ("ne", "se"), "BT": ("sw", "se")}  # and of a diamond

_CLUSTER = """\
    graph [label={label}, labeljust="l", labelloc="t", tooltip={tip}]
    graph [{form}, margin="10"]
"""
_FORMS = {
    "input": 'shape="box", style="filled"',
    "carry": 'shape="box", style="filled"',
    "condition": 'shape="diamond", style="filled", margin="0"',
    "constant": 'shape="plain"',
}  # of cards; all others have rounded corners
_HEADING = 'shape="plain", class="heading"'
_HIDDEN, _FAR = 'style="invis", weight="0"', 'style="invis", weight="10"'
_NEXT = 'class="next", dir="back", penwidth="2.4"'
_ANSWER = 'class="control", style="dashed"'

# A thousand entangled cards take 18 seconds with the layout's own bounds, 6 with these; 500 take 3 and 1.
# Clusters cost most: 60 trips take 20 seconds, and half a one.
_MANY_CARDS, _MANY_CLUSTERS = 600, 20
_MANY_ANSWERS = 40  # each with room of its own, which takes a time that grows with the fifth power of their number
_QUICK = '  graph [nslimit="0.5", nslimit1="0.5", mclimit="0.05"]\n'
_STRAIGHTENED_LESS = '  graph [nslimit="10"]\n'

_ENTRY = {"LR": "w", "TB": "n", "RL": "e", "BT": "s"}  # the side of a card where edges end
_EXIT = {"LR": "e", "TB": "s", "RL": "w", "BT": "n"}


def dot(
    graph: Graph | Sketch | Scene,
    numbers: Numbers = NO_NUMBERS,
    *,
    look: Look = DEFAULT,
    marked: bool = False,
    headings: bool = True,
) -> str:
    """The graph as DOT text; the same graph gives the same text.

    numbers: what to write beside nodes and at edges. marked: numbers that are to be left out are in their places, and
    marked, so that they can be taken out of what is laid out; else boxes of their size are. headings: downwards, what
    stands above a cluster is a card, which edges go around, and takes room as one.
    Raises UsageError for a look that there is not.
    """
    look.check()
    theme = THEMES[look.theme]
    rankdir = "LR" if look.rankdir == "auto" else look.rankdir
    drawn = graph if isinstance(graph, Scene) else scene(graph, look, numbers)
    background = "transparent" if look.transparent else theme.background
    style = _STYLE.format(rankdir=rankdir, gap=RANK_GAP, background=background, ink=theme.ink, edge=theme.edge)
    lines = [f"digraph {quote(_title(drawn.graph))} {{\n{style}"]
    words = caption(look, theme, numbers)
    if words:
        place = "t" if look.title else "b"
        lines.append(f'  graph [label={words}, labelloc="{place}", labeljust="l"]\n')
    if is_large(drawn):
        lines.append(_QUICK)
    elif _has_many_answers(drawn):
        lines.append(_STRAIGHTENED_LESS)
    return "".join([*lines, *_Writer(drawn, numbers, look, theme, rankdir, marked, headings).lines(), "}\n"])


def _has_many_answers(drawn: Scene) -> bool:
    """Whether so many edges come from conditions that what stands at them must take no room of its own."""
    return sum(link.kind != NEXT for link in drawn.links) > _MANY_ANSWERS


def is_large(drawn: Scene) -> bool:
    """Whether a graph is laid out with less care, or that would take too long."""
    return len(drawn.cards) > _MANY_CARDS or len(drawn.clusters) > _MANY_CLUSTERS


class _Writer:
    """Writes cards and edges, those of a cluster together."""

    def __init__(
        self, drawn: Scene, numbers: Numbers, look: Look, theme: Theme, rankdir: str, marked: bool, headings: bool
    ) -> None:  # fmt: skip
        self.drawn, self.numbers, self.marked = drawn, numbers, marked
        self.look, self.theme, self.rankdir = look, theme, rankdir
        self.clusters = drawn.clusters
        self.cards = {card.id: card for card in drawn.cards}
        self.has_many_answers = _has_many_answers(drawn)
        has_room = rankdir in ("TB", "BT") and len(drawn.clusters) <= _MANY_CLUSTERS
        self.has_headings = has_room and (headings or any(cluster.whole for cluster in drawn.clusters))

    def lines(self) -> Iterator[str]:
        """The whole picture: each edge in the innermost cluster that holds both of its ends, for it to stay within."""
        edges: dict[int | None, list[str]] = {}
        for card in self.drawn.cards:
            for at in card.flowing:
                edges.setdefault(self._around(card.operands[at], card.id), []).append(self._edge(card, at))
        for link in self.drawn.links:
            edges.setdefault(self._around(link.tail, link.head), []).append(self._link(link))
        if self.has_headings:
            for place, (cluster, above, below) in enumerate(self._order()):
                edges.setdefault(cluster, []).extend(f"  {name} -> h{place} [{_FAR}]\n" for name in above)
                edges.setdefault(place, []).extend(f"  h{place} -> {name} [{_HIDDEN}]\n" for name in below)
        return self._within(None, self.drawn.cards, edges)

    def _order(self) -> Iterator[tuple[int | None, Collection[str], Collection[str]]]:
        """For each cluster the one around it, and what stands above its heading and below: above a trip, the last."""
        for place, cluster in enumerate(self.clusters):
            cards = [card for card in self.drawn.cards if place in self._path(card.cluster)]
            inside = {card.id for card in cards}
            below = [card.id for card in cards if inside.isdisjoint(card.operands)]
            if cluster.whole:
                below = [f"h{at}" for at, trip in enumerate(self.clusters) if trip.parent == place]
            before = {name: None for card in cards for name in card.operands if name not in inside}
            is_trip = cluster.parent is not None and self.clusters[cluster.parent].whole
            above = [name for name in before if is_trip and cluster.parent in self._path(self.cards[name].cluster)]
            yield cluster.parent, above, below

    def _within(
        self, cluster: int | None, cards: Sequence[Card], edges: Mapping[int | None, Sequence[str]]
    ) -> Iterator[str]:
        """What stands in a cluster, or in one within it; None for the whole picture."""
        parts: dict[Any, list[Card]] = {}  # by a card that stands there itself, or the place of a cluster
        for card in cards:
            inner = self._inner(card.cluster, cluster)
            parts.setdefault(card.id if inner is None else inner, []).append(card)
        for place, others in parts.items():
            if isinstance(place, str):
                yield self._card(others[0])
            else:
                yield f"  subgraph cluster_{place} {{\n{self._style(place)}"
                yield from self._within(place, others, edges)
                yield "  }\n"
        yield from edges.get(cluster, ())

    def _path(self, place: int | None) -> list[int | None]:
        """A cluster and all around it, the whole picture last."""
        return [*enclosing(self.clusters, place), None]

    def _around(self, one: str, other: str) -> int | None:
        """The innermost cluster that holds two cards."""
        holds = self._path(self.cards[one].cluster)
        return next(place for place in self._path(self.cards[other].cluster) if place in holds)

    def _inner(self, place: int | None, outer: int | None) -> int | None:
        """The cluster right within another one that is a place, or is around it."""
        path = self._path(place)
        return path[path.index(outer) - 1] if outer in path[1:] else None

    def _card(self, card: Card) -> str:
        inside = label(card, self.numbers, self.look, self.theme, self.rankdir, marked=self.marked)
        bare = is_bare(card, self.numbers, self.look, self.theme)
        looks = _looks(card, self.theme, bare=bare, is_data=self.numbers.is_data(card.node))
        return f"  {card.id} [label={inside}, tooltip={quote(_tooltip(self.drawn.graph, card.node))}, {looks}]\n"

    def _edge(self, card: Card, at: int) -> str:
        said = partial_label(card.partials[at], self.look, self.theme, marked=self.marked) if card.partials else ""
        about = [f"label={said}"] if said else []
        tail = card.operands[at]
        if len(card.operands) > CROWD:  # or the edges would lie over each other
            tail, about = f"{tail}:{_EXIT[self.rankdir]}", [*about, 'minlen="2"']
        style = f" [{', '.join(about)}]" if about else ""
        return f"  {tail} -> {card.id}{self._port(card, at)}{style}\n"

    def _port(self, card: Card, at: int) -> str:
        if not card.ordered:
            return ""
        return f":{_CORNERS[self.rankdir][at]}" if card.is_condition else f":p{at}:{_ENTRY[self.rankdir]}"

    def _style(self, place: int) -> str:
        """How a cluster looks, and what stands above it: downwards, edges would cross a label, and go around a card."""
        cluster = self.clusters[place]
        words, tip = head(cluster, self.numbers.trips.get(cluster.path), self.theme), quote(cluster.head)
        form = f'style="dashed,rounded", color="{self.theme.edge}"'
        if cluster.call is not None:
            form = f'style="rounded", color="{self.theme.edge}"'
            if not self.look.transparent:
                form = f'style="rounded,filled", color="{self.theme.edge}", fillcolor="{self.theme.panel}"'
        style = _CLUSTER.format(label='""' if self.has_headings else words, form=form, tip=tip)
        return f"{style}    h{place} [label={words}, tooltip={tip}, {_HEADING}]\n" if self.has_headings else style

    def _link(self, link: Link) -> str:
        """The way to the next trip, laid out as one from there, or an edge from a condition."""
        port = "" if link.port is None else self._port(self.cards[link.head], link.port)
        label = "headlabel" if self.has_many_answers and link.kind != NEXT else "label"
        said = f", {label}={link_label(link.said, self.theme)}" if link.said else ""
        if link.kind == NEXT:
            ports = self._beside(link) if self.rankdir in ("TB", "BT") else ""
            return f"  {link.head} -> {link.tail} [{_NEXT}{ports}{said}]\n"
        free = ', constraint="false"' if link.within and link.kind == YES else ""
        return f"  {link.tail} -> {link.head}{port} [{_ANSWER}{free}{said}]\n"

    def _beside(self, link: Link) -> str:
        """The sides at which the way to the next trip ends, where it would lie on an edge between the same two cards.

        So it would where another operand needs the carry, too, and both are long; short ones stand apart.
        """
        operands = self.cards[link.tail].operands
        if link.head not in operands:
            return ""
        side = "w" if link.head == operands[0] else "e"
        waiting, seen = [each for each in operands if each != link.head], {link.head}
        while waiting:
            needed = self.cards[waiting.pop()].operands
            if link.head in needed:
                return f', tailport="{side}", headport="{side}"'
            waiting += [each for each in needed if each not in seen]
            seen.update(needed)
        return ""


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
        from cgcli.graph.body import name_of_operation

        text = name_of_operation(node)
    return f"{shorten(text, 200)} {shape_text(node.shape, '')}".rstrip()


def _looks(card: Card, theme: Theme, *, bare: bool, is_data: bool) -> str:
    """The form and the colours of a card: each kind is told apart without its colour, too.

    bare: it shows no numbers. is_data: it has no adjoint, where others have one.
    """
    kind, node = card.kind, card.node
    form = _FORMS.get(kind, 'shape="box", style="filled,rounded"')
    roles = {"input": theme.data if is_data else theme.variable, "carry": theme.data, "constant": None}
    role = roles.get(kind, theme.operation)
    if kind == "call" and not card.ordered:  # two borders: there is more in it
        form += ', peripheries="2"'
    is_sign = bare and len(card.symbol) == 1 and not (card.name or card.notes or node.shape or card.ordered)
    if kind == "operation" and is_sign:
        form = 'shape="circle", style="filled", margin="0", width="0.42", fixedsize="true"'
    if card.ordered:  # edges end at its border
        form += ', margin="0"'
    if card.is_output:
        form = form.replace('"plain"', '"box", style="filled"')
        if node.op is FOLDED or not theme.double:
            form += ', penwidth="2.2"'
        elif not card.ordered:  # or the second border is one within: edges end at the outer one
            form += ', peripheries="2"'
        role, kind = theme.output, f"{kind} output"
    if role is not None:
        form += f', fillcolor="{role.fill}", color="{role.border}"'
    return f'{form}, class="{kind}"'
