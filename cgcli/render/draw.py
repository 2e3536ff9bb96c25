"""A graph to a picture, all steps in a row: the direction that suits, the DOT text, the format."""

from __future__ import annotations

from collections.abc import Mapping

from cgcli.annotations import Any
from cgcli.graph.node import Graph, Node
from cgcli.render.dot import dot
from cgcli.render.look import DEFAULT, Look
from cgcli.render.outline import as_json, outline
from cgcli.render.picture import COLUMN, PAGE, PLAIN, Paper, inches, picture_bytes, plain

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
        target = paper.width or COLUMN
        if _scale(upright, target, paper) > 1.05 * _scale(text, target, paper):
            text = upright
    if kind == "json":
        return as_json(graph, values, adjoints, look, plain(text, paper.layout)).encode()
    return picture_bytes(text, kind, paper=paper)


def _scale(text: str, target: float, paper: Paper) -> float:
    """By how much a picture shrinks when it is `target` inches wide and no higher than a page."""
    width, height = inches(text, paper.layout)
    return min(1.0, target / width, PAGE / height)
