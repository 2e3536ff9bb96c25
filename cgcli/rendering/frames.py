"""Work sheets and the steps of both passes: of one layout many pictures, in which some numbers are left out.

The numbers that can be left out are marked in what is laid out, so that nothing else moves when they go.
"""

from __future__ import annotations

from cgcli.annotations import Any, Iterator, Mapping, Sequence
from cgcli.errors import TooLargeError
from cgcli.graph.node import Node
from cgcli.lean import re
from cgcli.records import NamedTuple
from cgcli.rendering.figures import figure
from cgcli.rendering.look import Look
from cgcli.rendering.pen import TEXT, Pen, escape
from cgcli.rendering.scene import Event, Numbers, Scene
from cgcli.rendering.themes import THEMES

MAX_FRAMES = 500  # as many take ten seconds
_MARKED = re.compile(r'<g id="a_(?:node|edge)\d+_\d+"><a xlink:title="(\w+)">\n(.*?)</a>\n</g>\n', re.DOTALL)
_GROUP = re.compile(r'<g id="(node|edge)\d+" .*?\n</g>\n(?=<!--|</g>\n</svg>)', re.DOTALL)
_TITLE = re.compile(r"<title>(.*?)</title>")
_BORDER = re.compile(r'(<(?:polygon|path|ellipse) [^\n]*?)stroke="[^"]*" stroke-width="[^"]*"')
_STROKE = re.compile(r'stroke="#\w+" stroke-width="[^"]*"')
_FILL = re.compile(r'fill="#\w+"')
_WORDS = re.compile(r' x="([-\d.]+)"(.*?>)([^<]*)</text>')
_HEAVY, _THICK = 3, 2.2  # points: the border of the card of a step, the edges that it goes along


def without(svg: str, blank: Sequence[str]) -> str:
    """What the layout program has made, without the marked numbers of some kinds, and without marks."""
    return _MARKED.sub(lambda found: "" if found[1] in blank else found[2], svg)


class Step(NamedTuple):
    """One picture of the series: what is done, by the ids of cards.

    cards, edges: those that are lit; an edge is its tail and its head. kind: of the number that comes.
    number: what stands there from now on, where that is one number alone. is_whole: whether anything comes: an adjoint
    that is an array does when nothing more is added to it.
    """

    cards: tuple[str, ...]
    edges: frozenset[tuple[str, str]]
    kind: str
    number: Any = None
    is_whole: bool = True


def steps(drawn: Scene, numbers: Numbers, look: Look) -> list[Step]:
    """The steps of the passes that a picture shows. Raises TooLargeError for more than anybody looks at."""
    cards: dict[Node, list[str]] = {}
    users: dict[Node, Node] = {}
    for card in drawn.cards:
        if card.again:
            cards[card.node].append(card.id)
        else:
            cards.setdefault(card.node, []).append(card.id)
        users.update(dict.fromkeys(card.node.args, card.node))
    for event in numbers.events:  # of what is drawn within another card
        users.update((arg, event.node) for arg in event.node.args if event.node not in cards)
    operands = {card.id: card.operands for card in drawn.cards}
    last = {event.node: event for event in numbers.events}
    found = []
    for event in numbers.events:
        step = _step(event, cards, operands, users, look)
        if step is not None:
            is_whole = event.sum is None or not event.node.shape or last[event.node] is event
            found.append(step._replace(is_whole=is_whole))
    if len(found) > MAX_FRAMES:
        raise TooLargeError(
            f"the passes have {len(found)} steps, and a series has at most {MAX_FRAMES} pictures",
            hint="draw a part: --around NAME, --depth 0; cg trace --grad prints the steps of all of it",
        )
    return found


def _step(
    event: Event, cards: Mapping[Node, Sequence[str]], operands: Mapping[str, Sequence[str]],
    users: Mapping[Node, Node], look: Look,
) -> Step | None:  # fmt: skip
    ids = cards.get(event.node)
    kind = "value" if event.sum is None else "grad"
    if ids is None or not look.shows(kind):
        return None
    if event.sum is None:
        edges = frozenset((tail, name) for name in ids for tail in operands[name])
        return Step(tuple(ids), edges, kind)
    source = event.source
    while source is not None and source not in cards:
        source = users.get(source)
    heads = cards[source] if source is not None else ()
    edges = frozenset((tail, head) for head in heads for tail in ids if tail in operands[head])
    return Step((ids[0],), edges, kind, None if event.node.shape else event.sum)


def widest(numbers: Numbers, look: Look) -> Numbers:
    """The numbers with which a series is laid out: each adjoint the sum that takes most room on the way."""
    pen = Pen(TEXT, "", italic=True)
    most: dict[Node, float] = {}
    for event in numbers.events:
        if event.sum is not None and not event.node.shape:
            most[event.node] = max(
                (most.get(event.node, event.sum), event.sum), key=lambda value: pen.width(_figure(value, look))
            )
    return numbers._replace(adjoints={**numbers.adjoints, **most})


def _figure(value: Any, look: Look) -> str:
    return figure(float(value), look.precision)


def frames(svg: str, made: Sequence[Step], look: Look) -> Iterator[str]:
    """The pictures of a series, of what the layout program has made: the work sheet, then one for each step."""
    theme = THEMES[look.theme]
    colours = {"value": theme.tangent.lower(), "grad": theme.adjoint.lower()}
    pieces, at = [], 0
    for group in _GROUP.finditer(svg):
        pieces += [("", svg[at : group.start()]), (_name(group[0]), group[0])]
        at = group.end()
    pieces.append(("", svg[at:]))
    shown: dict[tuple[str, str], Any] = {}
    for step in (None, *made):
        lit = {} if step is None else dict.fromkeys([*step.cards, *step.edges], colours[step.kind])
        if step is not None:
            shown |= {(name, step.kind): step.number for name in step.cards if step.is_whole}
            shown |= {(edge, "partial"): None for edge in step.edges if step.kind == "grad"}
        whole = step is not None and step is made[-1]  # an adjoint to which nothing is added is 0
        yield "".join(
            _piece(name, text, shown, lit.get(name, ""), look, whole) if name else text for name, text in pieces
        )


def _name(group: str) -> Any:
    """The id of a card, or those of the ends of an edge."""
    from html import unescape

    found = _TITLE.search(group)
    tail, arrow, head = unescape(found[1] if found else "").partition("->")
    return (tail.partition(":")[0], head.partition(":")[0]) if arrow else tail


def _piece(name: Any, text: str, shown: Mapping[tuple[str, str], Any], colour: str, look: Look, whole: bool) -> str:
    """A card or an edge with what is known of it. colour: of its light; '' for none. whole: all is known."""

    def number(found: re.Match[str]) -> str:
        if (name, found[1]) not in shown:
            return found[2] if whole else ""
        value = shown[name, found[1]]
        return found[2] if value is None else _written(found[2], _figure(value, look))

    text = _MARKED.sub(number, text)
    if not colour:
        return text
    if isinstance(name, tuple):
        return _FILL.sub(f'fill="{colour}"', _STROKE.sub(f'stroke="{colour}" stroke-width="{_THICK}"', text))
    return _BORDER.sub(rf'\1stroke="{colour}" stroke-width="{_HEAVY}"', text, count=1)


def _written(words: str, text: str) -> str:
    """A number in the place of another one, at the right."""
    from html import unescape

    def moved(found: re.Match[str]) -> str:
        pen = Pen(TEXT, "", italic=True)
        place = float(found[1]) + pen.width(unescape(found[3])) - pen.width(text)
        return f' x="{place:.2f}"{found[2]}{escape(text)}</text>'

    return _WORDS.sub(moved, words, count=1)
