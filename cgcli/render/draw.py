"""A graph to pictures, all steps in a row: the direction that suits, the DOT text, the formats."""

from __future__ import annotations

from cgcli.annotations import Mapping, Sequence
from cgcli.graph.node import Graph
from cgcli.records import NamedTuple
from cgcli.render.card import shown
from cgcli.render.dot import dot
from cgcli.render.look import DEFAULT, Look
from cgcli.render.outline import as_json, outline
from cgcli.render.picture import PLAIN, Paper, drawings, painted, picture_bytes, plain
from cgcli.render.scene import NO_NUMBERS, Numbers, scene

_MAX_NODES_TO_TRY = 150  # laid out in each direction in a blink; larger graphs are drawn from left to right
_MUCH_LARGER = 1.05  # text downwards than from left to right, where it is drawn downwards
_LAID_OUT = ("png", "svg", "pdf", "json")


def draw(
    graph: Graph, kind: str, numbers: Numbers = NO_NUMBERS, *, look: Look = DEFAULT, paper: Paper = PLAIN
) -> bytes:
    """The picture of a graph in one format, as `pictures` makes it."""
    return pictures(graph, [kind], numbers, look=look, paper=paper).content[kind]


class Pictures(NamedTuple):
    """A graph in several formats.

    content: of a file in each of them. points: the height of the numbers where the picture is read; None where
    nothing was laid out.
    """

    content: Mapping[str, bytes]
    points: float | None


def pictures(
    graph: Graph, kinds: Sequence[str], numbers: Numbers = NO_NUMBERS, *, look: Look = DEFAULT, paper: Paper = PLAIN
) -> Pictures:
    """The pictures of a graph, laid out once for all of them.

    kinds: some of png, svg, pdf, dot, json, and txt for a tree of text. numbers: what to write beside nodes and at
    edges.
    Raises UsageError for a look or paper that there is not, and what `picture_bytes` raises.
    """
    look.check()
    paper.check()

    def as_text(look: Look) -> str:
        return dot(graph, numbers, look=look)

    content: dict[str, bytes] = {}
    if "txt" in kinds:
        content["txt"] = outline(graph, numbers, look).encode()
    if any(kind not in ("txt", *_LAID_OUT) for kind in kinds):
        content |= {kind: picture_bytes(as_text(look), kind) for kind in kinds if kind not in ("txt", *_LAID_OUT)}
    kinds = [kind for kind in dict.fromkeys(kinds) if kind in _LAID_OUT]
    if not kinds:
        return Pictures(content, None)
    texts = [as_text(look)]
    if look.rankdir == "auto" and texts[0].count("\n  n") <= 2 * _MAX_NODES_TO_TRY:
        texts.append(as_text(look._replace(rankdir="TB")))
    drawn = drawings(texts, paper.layout)
    upright = len(drawn) > 1 and drawn[1].reading_size(paper) > _MUCH_LARGER * drawn[0].reading_size(paper)
    text, drawing = texts[upright], drawn[upright]
    for kind in kinds:
        if kind == "json":
            content[kind] = as_json(graph, numbers, look, plain(text, paper.layout)).encode()
        else:
            content[kind] = painted(drawing.on(paper), kind, paper.dpi)
    return Pictures(content, drawing.reading_size(paper))


def texts_of(graph: Graph, look: Look) -> str:
    """What a picture says in words, all in a row: names, operations, notes, the title."""
    cards = scene(graph, look)
    return shown("".join((look.title, *(text for card in cards for text in (card.name, card.symbol, *card.notes)))))
