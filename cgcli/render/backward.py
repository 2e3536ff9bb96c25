"""Two panels: the graph of a program, and the graph that differentiation adds to it, with the values that it needs."""

from __future__ import annotations

from cgcli.annotations import Any, Iterator, Mapping, Sequence
from cgcli.graph.operation import Shape
from cgcli.graph.shapes import shape_text
from cgcli.records import NamedTuple
from cgcli.render.card import MARKED, SMALL, TEXT, Pen, is_written_out, number, quote
from cgcli.render.draw import Pictures
from cgcli.render.look import Look
from cgcli.render.picture import Drawing, Paper, drawing_of
from cgcli.render.scene import shorten
from cgcli.render.themes import THEMES, Role, Theme

_STYLE = """\
  graph [rankdir={rankdir}, fontname="Helvetica", bgcolor="{background}", newrank="true"]
  graph [pad="0.1", nodesep="0.3", ranksep="0.35", ordering="in"]
  node [fontname="Helvetica", fontsize="12", fontcolor="{ink}", penwidth="1.1", margin="0.08,0.04"]
  node [height="0", width="0", shape="box", style="filled,rounded"]
  edge [fontname="Helvetica", fontsize="10", color="{edge}", penwidth="1.1", arrowsize="0.6"]
"""
_PANEL = """\
    graph [label={label}, labeljust="l", labelloc="{place}", tooltip={tip}]
    graph [style="rounded", color="{colour}", margin="12"]
"""
_TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'
_ROOM = "<TD></TD>" * 8  # at each side of a number, which would grow with the box: all cells grow alike
_MOST_STEPS_TO_TRY = 40  # laid out in each direction
_LENGTH = 44  # characters of a formula


class Box(NamedTuple):
    """A node of a panel.

    text: what it computes, `v₁ = ln(x₁)`. value: its number or array; None where that is not known. role: what it is
    in the theme. is_given: nobody computes its number.
    """

    text: str
    shape: Shape
    value: Any
    role: str
    is_given: bool


class Panels(NamedTuple):
    """What is drawn of the passes; steps by their numbers.

    title: the text of the program. forward, backward: the boxes of values and of adjoints. computed: a step and one
    that is computed of it. pulled: a step and one to whose adjoint its own adds. saved: a step, and one whose adjoint
    needs its value.
    """

    title: str
    forward: Mapping[int, Box]
    backward: Mapping[int, Box]
    computed: Sequence[tuple[int, int]]
    pulled: Sequence[tuple[int, int]]
    saved: Sequence[tuple[int, int]]


def figure_of(panels: Panels, kinds: Sequence[str], *, look: Look, paper: Paper) -> Pictures:
    """The two panels in several formats; kinds: some of png, svg, pdf and dot. Raises what `pictures` raises."""
    both = ("TB", "LR") if len(panels.forward) <= _MOST_STEPS_TO_TRY else ("TB",)
    tried = both if look.rankdir == "auto" else (look.rankdir,)
    content = {"dot": dot(panels, look._replace(rankdir=tried[0])).encode()} if "dot" in kinds else {}
    kinds = [kind for kind in dict.fromkeys(kinds) if kind not in content]
    cards = len(panels.forward) + len(panels.backward)
    if not kinds:
        return Pictures(content, None, cards)
    laid = [drawing_of(dot(panels, look._replace(rankdir=each), marked=True), paper.layout) for each in tried]
    drawing: Drawing = max(laid, key=lambda each: each.reading_size(paper))
    if look.blank:
        from cgcli.render.frames import without

        drawing = drawing._replace(svg=without(drawing.svg, look.blank))
    content |= {kind: drawing.painted(kind, paper) for kind in kinds}
    unknown = drawing.without_font() if not {"png", "pdf"}.isdisjoint(kinds) else ""
    return Pictures(content, drawing.reading_size(paper), cards, unknown=unknown)


def dot(panels: Panels, look: Look, *, marked: bool = False) -> str:
    """The panels as DOT text: side by side where the graph goes down, else one above the other. marked: as of `dot`."""
    theme = THEMES[look.theme]
    background = "transparent" if look.transparent else theme.background
    style = _STYLE.format(rankdir=look.rankdir, background=background, ink=theme.ink, edge=theme.edge)
    return "".join(
        [f"digraph {quote(shorten(panels.title, 200))} {{\n{style}", *_lines(panels, look, theme, marked), "}\n"]
    )


def _lines(panels: Panels, look: Look, theme: Theme, marked: bool) -> Iterator[str]:
    if look.title:
        words = Pen(TEXT + 2, theme.ink, bold=True).write(look.title)
        yield f'  graph [label=<{words}>, labelloc="t", labeljust="l"]\n'
    panes = [
        ("f", "forward: values", panels.forward, Pen(TEXT, theme.ink), "value"),
        ("b", "backward: adjoints", panels.backward, Pen(TEXT, theme.adjoint, italic=True), "grad"),
    ]
    is_upright = look.rankdir in ("TB", "BT")
    for letter, title, boxes, pen, kind in panes if is_upright else panes[::-1]:  # the last one stands above
        place = "b" if is_upright or letter == "b" else "t"  # where no edge goes from one to the other
        words = f"<{Pen(TEXT, theme.grey, bold=True).write(title)}>"
        panel = _PANEL.format(label=words, colour=theme.rule, tip=quote(title), place=place)
        yield f"  subgraph cluster_{letter} {{\n{panel}"
        for at, box in boxes.items():
            role: Role = getattr(theme, box.role)
            border = theme.adjoint if kind == "grad" else role.border
            form = 'shape="box", style="filled"' if box.role == "variable" else 'style="filled,rounded"'
            inside = _label(box, kind, pen, look, theme, marked)
            yield (
                f"    {letter}{at} [label={inside}, tooltip={quote(box.text)}, {form}, "
                f'fillcolor="{role.fill}", color="{border}", class="{kind}"]\n'
            )
        yield "  }\n"
    yield from (f"  {{ graph [rank=same]; f{at}; b{at} }}\n" for at in panels.backward)
    yield from (f"  f{tail} -> f{head}\n" for tail, head in panels.computed)
    yield from (f'  b{head} -> b{tail} [dir="back", color="{theme.adjoint}"]\n' for tail, head in panels.pulled)
    yield from (
        f'  f{tail} -> b{head} [style="dashed", constraint="false", class="saved"]\n' for tail, head in panels.saved
    )


def _label(box: Box, kind: str, pen: Pen, look: Look, theme: Theme, marked: bool) -> str:
    """What a box says: the formula, below it the number."""
    words = pen._replace(italic=False).write(shorten_formula(box.text), "LEFT")
    rows = [f'<TR><TD ALIGN="LEFT">{words}</TD></TR>']
    is_shown = box.value is not None and look.shows(kind)
    if box.shape and look.shows("shape") and not (is_shown and is_written_out(box.shape, look)):
        words = Pen(SMALL, theme.grey).write(shape_text(box.shape, "").strip("[]").replace(", ", "×"))
        rows.append(f'<TR><TD ALIGN="LEFT">{words}</TD></TR>')
    if is_shown:
        is_blank = kind in look.blank and not box.is_given
        text = number(box.value, look, theme, pen._replace(empty=is_blank and not marked))
        mark = MARKED.format(kind) if is_blank and marked else ""
        cells = f'{_ROOM}<TD CELLPADDING="2"{mark}>{text}</TD>{_ROOM}'
        rows.append(f"<TR><TD>{_TABLE}<TR>{cells}</TR></TABLE></TD></TR>")
    return f"<{_TABLE}{''.join(rows)}</TABLE>>"


def shorten_formula(text: str) -> str:
    """A formula, cut at its end when it is too long for a box."""
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]}…"
