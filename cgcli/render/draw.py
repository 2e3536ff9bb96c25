"""A graph to a picture, all steps in a row: the direction that suits, the DOT text, the format."""

from __future__ import annotations

from cgcli.annotations import Any, Mapping
from cgcli.graph.node import Graph, Node
from cgcli.render.card import TEXT
from cgcli.render.dot import dot
from cgcli.render.look import DEFAULT, Look
from cgcli.render.metrics import is_drawn
from cgcli.render.outline import as_json, outline
from cgcli.render.picture import COLUMN, PAGE, PLAIN, Paper, inches, picture_bytes, plain
from cgcli.render.scene import scene

_MAX_NODES_TO_TRY = 150  # laid out in each direction in a blink; larger graphs are drawn from left to right


def draw(
    graph: Graph, kind: str, *,
    values: Mapping[Node, Any] | None = None, adjoints: Mapping[Node, Any] | None = None,
    look: Look = DEFAULT, paper: Paper = PLAIN,
) -> bytes:  # fmt: skip
    """The picture of a graph; kind: png, svg, pdf, dot, json, or txt for a tree of text.

    values, adjoints: what to write beside a node, for those nodes that have one.
    Raises UsageError for a look or paper that there is not, and what `picture_bytes` raises.
    """
    paper.check()
    if kind == "txt":
        look.check()
        return outline(graph, values, adjoints, look).encode()
    text = dot(graph, values=values, adjoints=adjoints, look=look)
    if look.rankdir == "auto" and kind != "dot" and text.count("\n  n") <= 2 * _MAX_NODES_TO_TRY:
        upright = dot(graph, values=values, adjoints=adjoints, look=look._replace(rankdir="TB"))
        level, standing = (_scale(size, paper.width or COLUMN) for size in inches([text, upright], paper.layout))
        if standing > 1.05 * level:
            text = upright
    if paper.font_size is not None and kind != "dot":
        ((width, _),) = inches([text], paper.layout)
        paper = paper._replace(width=width * paper.font_size / TEXT, font_size=None)
    if kind == "json":
        return as_json(graph, values, adjoints, look, plain(text, paper.layout)).encode()
    return picture_bytes(text, kind, paper=paper)


def undrawn(graph: Graph, kind: str, look: Look, layout: str) -> str:
    """The signs of a picture that its program has no font for, in the order in which they come."""
    if kind != "png" or layout != "bundled":
        return ""
    texts = (text for card in scene(graph, look, {}) for text in (card.name, card.symbol, *card.notes))
    return "".join(dict.fromkeys(sign for text in (look.title, *texts) for sign in text if not is_drawn(sign)))


def _scale(size: tuple[float, float], target: float) -> float:
    """By how much a picture shrinks when it is `target` inches wide and no higher than a page."""
    return min(1.0, target / size[0], PAGE / size[1])
