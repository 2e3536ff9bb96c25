"""Two panels: the graph of a program, and the graph that differentiation adds to it, with the values that it needs."""

from __future__ import annotations

from cgcli.annotations import Iterator, Mapping, Sequence
from cgcli.graph.shapes import shape_text
from cgcli.rendering.arrays import is_written_out, number
from cgcli.rendering.card import MARKED, head
from cgcli.rendering.draw import Pictures
from cgcli.rendering.look import Look
from cgcli.rendering.panels import Box, Panels
from cgcli.rendering.pen import SMALL, TABLE, TEXT, Pen, quote
from cgcli.rendering.picture import Drawing, Paper, drawing_of
from cgcli.rendering.scene import shorten
from cgcli.rendering.sketch import Cluster
from cgcli.rendering.themes import THEMES, Role, Theme

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
_ROOM = "<TD></TD>" * 8  # at each side of a number, which would grow with the box: all cells grow alike
_MOST_STEPS_TO_TRY = 40  # laid out in each direction
_LENGTH, _MOST_LINES = 44, 3  # characters of a line of a formula, and lines


def figure_of(panels: Panels, kinds: Sequence[str], *, look: Look, paper: Paper) -> Pictures:
    """The two panels in several formats; kinds: some of png, svg, pdf, tex, mmd, dot. Raises what `pictures` raises."""
    both = ("TB", "LR") if len(panels.forward) <= _MOST_STEPS_TO_TRY else ("TB",)
    tried = both if look.rankdir == "auto" else (look.rankdir,)
    content = {"dot": dot(panels, look._replace(rankdir=tried[0])).encode()} if "dot" in kinds else {}
    if "mmd" in kinds:
        from cgcli.rendering.mermaid import panels_as_mermaid

        content["mmd"] = panels_as_mermaid(panels, look._replace(rankdir=tried[0])).encode()
    kinds = [kind for kind in dict.fromkeys(kinds) if kind not in content]
    cards = len(panels.forward) + len(panels.backward)
    if not kinds:
        return Pictures(content, None, cards)
    laid = [drawing_of(dot(panels, look._replace(rankdir=each), marked=True), paper.layout) for each in tried]
    drawing: Drawing = max(laid, key=lambda each: each.reading_size(paper))
    if look.blank:
        from cgcli.rendering.frames import without

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
        written = dict[int | None, list[str]]()
        for at, box in boxes.items():
            role: Role = getattr(theme, box.role)
            border = theme.adjoint if kind == "grad" else role.border
            form = 'shape="box", style="filled"' if box.role == "variable" else 'style="filled,rounded"'
            inside = _label(box, kind, pen, look, theme, marked)
            written.setdefault(box.cluster, []).append(
                f"    {letter}{at} [label={inside}, tooltip={quote(box.text)}, {form}, "
                f'fillcolor="{role.fill}", color="{border}", class="{kind}"]\n'
            )
        yield from _within(panels.clusters, None, letter, written, theme, "b" if is_upright else "t")
        yield "  }\n"
    yield from (f"  {{ graph [rank=same]; f{at}; b{at} }}\n" for at in panels.backward)
    yield from (f"  f{tail} -> f{head}\n" for tail, head in panels.computed)
    yield from (f'  b{head} -> b{tail} [dir="back", color="{theme.adjoint}"]\n' for tail, head in panels.pulled)
    yield from (
        f'  f{tail} -> b{head} [style="dashed", constraint="false", class="saved"]\n' for tail, head in panels.saved
    )


def _within(
    clusters: Sequence[Cluster], place: int | None, letter: str, written: Mapping[int | None, Sequence[str]],
    theme: Theme, side: str,
) -> Iterator[str]:  # fmt: skip
    """The boxes of a call, and the calls within it; None for the whole panel. side: where edges cross no heading."""
    yield from written.get(place, ())
    for at, cluster in enumerate(clusters):
        if cluster.parent == place:
            words, tip = head(cluster, None, theme), quote(cluster.head)
            panel = _PANEL.format(label=words, colour=theme.edge, tip=tip, place=side)
            fill = f'    graph [style="rounded,filled", fillcolor="{theme.panel}"]\n'
            yield f"  subgraph cluster_{letter}_{at} {{\n{panel}{fill}"
            yield from _within(clusters, at, letter, written, theme, side)
            yield "  }\n"


def _label(box: Box, kind: str, pen: Pen, look: Look, theme: Theme, marked: bool) -> str:
    """What a box says: the formula, below it the number."""
    upright = pen._replace(italic=False)
    rows = [f'<TR><TD ALIGN="LEFT">{upright.write(line, "LEFT")}</TD></TR>' for line in lines_of(box.text)]
    is_shown = box.value is not None and look.shows(kind)
    if box.shape and look.shows("shape") and not (is_shown and is_written_out(box.shape, look)):
        words = Pen(SMALL, theme.grey).write(shape_text(box.shape, "").strip("[]").replace(", ", "×"))
        rows.append(f'<TR><TD ALIGN="LEFT">{words}</TD></TR>')
    if is_shown:
        is_blank = kind in look.blank and not box.is_given
        text = number(box.value, look, theme, pen._replace(empty=is_blank and not marked))
        mark = MARKED.format(kind) if is_blank and marked else ""
        cells = f'{_ROOM}<TD CELLPADDING="2"{mark}>{text}</TD>{_ROOM}'
        rows.append(f"<TR><TD>{TABLE}<TR>{cells}</TR></TABLE></TD></TR>")
    return f"<{TABLE}{''.join(rows)}</TABLE>>"


def lines_of(text: str) -> list[str]:
    """A formula in lines that fit into a box, broken where it has spaces; cut at its end when it is too long."""
    lines: list[str] = []
    while len(text) > _LENGTH and len(lines) < _MOST_LINES - 1:
        end = text.rfind(" ", _LENGTH // 2, _LENGTH + 1)
        lines.append(text[: end if end > 0 else _LENGTH])
        text = "   " + text[len(lines[-1]) :].lstrip()
    return [*lines, text if len(text) <= _LENGTH else f"{text[:_LENGTH]}…"]
