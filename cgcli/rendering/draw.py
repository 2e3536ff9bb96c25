"""A graph to pictures, all steps in a row: the direction that suits, the DOT text, the formats."""

from __future__ import annotations

from cgcli.annotations import Callable, Mapping, Sequence
from cgcli.graph.node import Graph
from cgcli.records import NamedTuple
from cgcli.rendering.card import least_width
from cgcli.rendering.compose import scene, sketched
from cgcli.rendering.dot import RANK_GAP, dot, is_large
from cgcli.rendering.look import BLANKS, DEFAULT, Look
from cgcli.rendering.pen import TEXT
from cgcli.rendering.picture import PLAIN, POINTS, Drawing, Paper, drawing_of, png_at_once
from cgcli.rendering.scene import NO_NUMBERS, Numbers, Scene
from cgcli.rendering.sketch import Sketch
from cgcli.rendering.themes import THEMES

_MAX_CARDS_TO_TRY = 150  # laid out in each direction in a blink; larger graphs are drawn from left to right
_MAX_RANKS_TO_TRY = 2000  # that edges go through, each of which the layout has a place for
_MAX_CARDS_AT_A_GLANCE = 300  # laid out in a second
_MUCH_LARGER = 1.05  # text downwards than from left to right, where it is drawn downwards


def draw(
    graph: Graph | Sketch, kind: str, numbers: Numbers = NO_NUMBERS, *, look: Look = DEFAULT, paper: Paper = PLAIN
) -> bytes:
    """The picture of a graph in one format, as `pictures` makes it."""
    return pictures(graph, [kind], numbers, look=look, paper=paper).content[kind]


def svg_of(graph: Graph) -> str:
    """A graph as SVG; '' for one of more cards than anybody sees at a glance. Raises what `draw` does."""
    sketch = sketched(graph, fold=DEFAULT.fold)
    if len(scene(sketch, DEFAULT).cards) > _MAX_CARDS_AT_A_GLANCE:
        return ""
    return draw(sketch, "svg").decode()


class Pictures(NamedTuple):
    """A graph in several formats.

    content: of a file in each of them. points: the height of the numbers where the picture is read; None where
    nothing was laid out. cards: how many there are. simply: whether they were too many to be laid out with all care.
    unknown: the signs that no font has. has_calls: whether calls of functions are drawn open.
    """

    content: Mapping[str, bytes]
    points: float | None
    cards: int = 0
    simply: bool = False
    unknown: str = ""
    has_calls: bool = False


def pictures(
    graph: Graph | Sketch,
    kinds: Sequence[str],
    numbers: Numbers = NO_NUMBERS,
    *,
    look: Look = DEFAULT,
    paper: Paper = PLAIN,
) -> Pictures:
    """The pictures of a graph, laid out once for all of them.

    kinds: some of png, svg, pdf, tex for TikZ, mmd for Mermaid, dot, json, and txt for a tree of text. numbers: what to
    write beside nodes and at edges.
    Raises UsageError for a look or paper that there is not, and what `drawing_of` and `Drawing.painted` raise.
    """
    look.check()
    paper.check()
    drawn = scene(graph, look, numbers)
    content: dict[str, bytes] = {}
    if "txt" in kinds:
        from cgcli.rendering.outline import outline

        content["txt"] = outline(drawn, numbers, look).encode()
    if "dot" in kinds:
        content["dot"] = dot(drawn, numbers, look=look).encode()
    if "mmd" in kinds:
        from cgcli.rendering.mermaid import mermaid

        content["mmd"] = mermaid(drawn, numbers, look).encode()
    kinds = [kind for kind in dict.fromkeys(kinds) if kind not in content]
    if not kinds:
        return Pictures(content, None, len(drawn.cards))
    tried = _directions(drawn, look)

    def laid(rankdir: str) -> Drawing:
        return _laid(
            drawn, numbers, look._replace(rankdir=rankdir), paper, plain="json" in kinds,
            at_once=kinds == ["png"] and rankdir == tried[-1],
        )  # fmt: skip

    drawing = _most_readable(tried, laid, drawn, numbers, look, paper)
    if "json" in kinds:
        from cgcli.rendering.outline import as_json

        content["json"] = as_json(drawn, numbers, look, drawing.plain).encode()
    made = painted(drawing, kinds, content, look, paper)
    has_calls = any(cluster.call for cluster in drawn.clusters)
    return made._replace(cards=len(drawn.cards), simply=is_large(drawn), has_calls=has_calls)


def painted(drawing: Drawing, kinds: Sequence[str], content: Mapping[str, bytes], look: Look, paper: Paper) -> Pictures:
    """A layout in several formats, without the numbers that are left out. content: of formats that there are."""
    if look.blank:
        from cgcli.rendering.frames import without

        drawing = drawing._replace(svg=without(drawing.svg, look.blank))
    every = {kind: content[kind] if kind in content else drawing.painted(kind, paper) for kind in [*content, *kinds]}
    unknown = drawing.without_font() if not {"png", "pdf"}.isdisjoint(kinds) else ""
    return Pictures(every, drawing.reading_size(paper), unknown=unknown)


def least_inches(drawn: Scene, numbers: Numbers, look: Look) -> float:
    """How wide a picture from left to right is at least: so much is told without a layout."""
    ends: dict[str, float] = {}
    for card in drawn.cards:
        before = (ends[card.operands[at]] + RANK_GAP for at in card.flowing)
        ends[card.id] = max(before, default=0) + least_width(card, numbers, look, THEMES[look.theme]) / POINTS
    return max(ends.values())


def series(
    graph: Graph | Sketch, kind: str, numbers: Numbers, *, look: Look = DEFAULT, paper: Paper = PLAIN
) -> list[bytes]:
    """The passes as pictures of one layout: the work sheet, then one for each of the numbers' events that is drawn.

    kind: png, svg or pdf. Raises TooLargeError for too many, and what `pictures` raises.
    """
    from cgcli.rendering.frames import frames, steps, widest

    look = look._replace(blank=BLANKS)
    drawn = scene(graph, look, numbers)
    made = steps(drawn, numbers, look)
    numbers = widest(numbers, look)

    def laid(rankdir: str) -> Drawing:
        return _laid(drawn, numbers, look._replace(rankdir=rankdir), paper)

    drawing = _most_readable(_directions(drawn, look), laid, drawn, numbers, look, paper)
    svgs = [*frames(drawing.svg, made, look)]
    if kind == "png":
        return drawing.pngs(svgs, paper)
    return [drawing._replace(svg=svg).painted(kind, paper) for svg in svgs]


def _laid(
    drawn: Scene, numbers: Numbers, look: Look, paper: Paper, *, plain: bool = False, at_once: bool = False
) -> Drawing:
    """A graph that is laid out: a second time, where an edge crosses what stands above a cluster, and may go around it.

    plain: as of `drawing_of`. at_once: as PNG alone, where that can be.
    """
    text = dot(drawn, numbers, look=look, marked=True, headings=False)
    found = (png_at_once(text, paper) if at_once else None) or drawing_of(text, paper.layout, plain=plain)
    if not found.crossed:
        return found
    again = dot(drawn, numbers, look=look, marked=True)
    return found if again == text else drawing_of(again, paper.layout, plain=plain)


def _directions(drawn: Scene, look: Look) -> Sequence[str]:
    """The directions in which a graph is laid out, to take the one whose text is largest."""
    is_small = len(drawn.cards) <= _MAX_CARDS_TO_TRY and _ranks_of_edges(drawn) <= _MAX_RANKS_TO_TRY
    return ("LR", "TB") if look.rankdir == "auto" and is_small else (look.rankdir,)


def _ranks_of_edges(drawn: Scene) -> int:
    """Through how many ranks of cards all edges go together, each card one behind the last of its operands."""
    ranks: dict[str, int] = {}
    for card in drawn.cards:
        ranks[card.id] = 1 + max((ranks[name] for name in card.operands), default=0)
    return sum(ranks[card.id] - ranks[name] for card in drawn.cards for name in card.operands)


def _most_readable(
    tried: Sequence[str], laid: Callable[[str], Drawing], drawn: Scene, numbers: Numbers, look: Look, paper: Paper
) -> Drawing:
    """The layout whose text is the largest. tried: directions. laid: makes the layout in one of them."""
    upright = None
    if len(tried) > 1:
        largest = _MUCH_LARGER * paper.reading_size(least_inches(drawn, numbers, look), 0)
        if largest < TEXT:  # which is the largest of all
            upright = laid("TB")
            if upright.reading_size(paper) > largest:
                return upright
    drawing = laid(tried[0])
    least = _MUCH_LARGER * drawing.reading_size(paper)
    if len(tried) == 1 or least >= TEXT:
        return drawing
    upright = upright or laid("TB")
    return upright if upright.reading_size(paper) > least else drawing
