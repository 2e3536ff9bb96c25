"""Two panels: the graph of a program, and the graph that differentiation adds to it, with the values that it needs."""

from __future__ import annotations

from cgcli.annotations import Iterator, Mapping, Sequence
from cgcli.graph.shapes import shape_text
from cgcli.lean import re
from cgcli.rendering.arrays import number, shows_shape
from cgcli.rendering.card import MARKED, captioned, colours, head
from cgcli.rendering.draw import Pictures, painted
from cgcli.rendering.look import Look
from cgcli.rendering.panels import Box, Panels
from cgcli.rendering.pen import SMALL, TABLE, TEXT, Pen, line, quote
from cgcli.rendering.picture import Drawing, Paper, drawing_of
from cgcli.rendering.scene import shorten
from cgcli.rendering.sketch import enclosing
from cgcli.rendering.themes import THEMES, Role, Theme

_STYLE = """\
  graph [rankdir={rankdir}, fontname="Helvetica", bgcolor="{background}", newrank="true"]
  graph [pad="0.1", nodesep="0.3", ranksep="0.35", ordering="in"]
  node [fontname="Helvetica", fontsize="12", fontcolor="{ink}", penwidth="1.1", margin="0.08,0.04"]
  node [height="0", width="0", shape="box", style="filled,rounded"]
  edge [fontname="Helvetica", fontsize="10", color="{edge}", penwidth="1.1", arrowsize="0.6"]
"""
_PANEL = """\
    graph [label={label}, labeljust="l", tooltip={tip}]
    graph [style="rounded", color="{colour}", margin="12"]
"""
_ROOM = "<TD></TD>" * 8  # at each side of a number, which would grow with the box: all cells grow alike
_UPRIGHT = ("TB", "BT")
_HEADING = 'shape="plain", style="", class="heading"'
_MOST_STEPS_TO_TRY = 40  # laid out in each direction
_LENGTH, _MOST_LINES = 44, 3  # signs of a line of a formula, and lines
_SIGNS = re.compile(".[\u0300-\u036f]*")  # with the bars over them


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
    laid = [_laid(panels, look._replace(rankdir=each), paper) for each in tried]
    drawing = max(laid, key=lambda each: each.reading_size(paper))
    return painted(drawing, kinds, content, look, paper)._replace(cards=cards)


def _laid(panels: Panels, look: Look, paper: Paper) -> Drawing:
    """The panels, laid out again where an edge crosses what stands above a call, and may go around it, or a title."""
    found = drawing_of(dot(panels, look, marked=True, headings=False), paper.layout)
    if found.crossed and look.rankdir in _UPRIGHT:
        if panels.clusters:
            found = drawing_of(dot(panels, look, marked=True), paper.layout)
        if found.crossed:
            below = drawing_of(dot(panels, look, marked=True, headings=bool(panels.clusters), below=True), paper.layout)
            found = found if below.crossed else below
    return found


def dot(panels: Panels, look: Look, *, marked: bool = False, headings: bool = True, below: bool = False) -> str:
    """The panels as DOT text: side by side where the graph goes down, else one above the other.

    marked, headings: as of `dot` for one graph. below: where the titles of the panels stand.
    """
    theme = THEMES[look.theme]
    background = "transparent" if look.transparent else theme.background
    style = _STYLE.format(rankdir=look.rankdir, background=background, ink=theme.ink, edge=theme.edge)
    return "".join(
        [
            f"digraph {quote(shorten(panels.title, 200))} {{\n{style}",
            *_lines(panels, look, theme, marked, headings, below),
            "}\n",
        ]
    )


def _lines(
    panels: Panels, look: Look, theme: Theme, marked: bool, headings: bool, below: bool
) -> Iterator[str]:  # fmt: skip
    small, italic = Pen(SMALL, theme.grey), Pen(SMALL, theme.adjoint, italic=True)
    legend = [
        [(small, "upright: value    "), (italic, "italic: adjoint, ∂result/∂node")],
        [(small, "dashed: a value that an adjoint needs")],
    ]
    if theme.adjoint != theme.ink:
        legend.append([(Pen(SMALL, theme.adjoint), "arrow in this colour: an adjoint goes into another")])
    values = [box.value for boxes in (panels.forward, panels.backward) for box in boxes.values()]
    known = [value for value in values if value is not None]
    if words := captioned(look, theme, [*map(line, legend), *colours(look, theme, known)]):
        yield f'  graph [label={words}, labelloc="{"t" if look.title else "b"}", labeljust="l"]\n'
    panes = [
        ("f", "forward: values", panels.forward, Pen(TEXT, theme.ink), "value"),
        ("b", "backward: adjoints", panels.backward, Pen(TEXT, theme.adjoint, italic=True), "grad"),
    ]
    is_upright = look.rankdir in _UPRIGHT
    has_headings = headings and is_upright
    for letter, title, boxes, pen, kind in panes if is_upright else panes[::-1]:  # the last one stands above
        words = f"<{Pen(TEXT, theme.grey, bold=True).write(title)}>"
        panel = _PANEL.format(label=words, colour=theme.rule, tip=quote(title))
        panel += f'    graph [labelloc="{"b" if below != (look.rankdir == "BT") else "t"}"]\n'  # upwards, "b" is above
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
        yield from _within(panels, None, letter, written, theme, has_headings)
        yield "  }\n"
    if has_headings:
        yield from _below_headings(panels)
    yield from (f"  {{ graph [rank=same]; f{at}; b{at} }}\n" for at in panels.backward)
    yield from (f"  f{tail} -> f{head}\n" for tail, head in panels.computed)
    yield from (f'  b{head} -> b{tail} [dir="back", color="{theme.adjoint}"]\n' for tail, head in panels.pulled)
    yield from (
        f'  f{tail} -> b{head} [style="dashed", constraint="false", class="saved"]\n' for tail, head in panels.saved
    )


def _within(
    panels: Panels, place: int | None, letter: str, written: Mapping[int | None, Sequence[str]], theme: Theme,
    has_headings: bool,
) -> Iterator[str]:  # fmt: skip
    """The boxes of a call, and the calls within it; None for the whole panel. has_headings: on cards."""
    yield from written.get(place, ())
    for at, cluster in enumerate(panels.clusters):
        if cluster.parent == place:
            call = panels.head(at, letter)
            words, tip = head(call, None, theme), quote(call.head)
            panel = _PANEL.format(label='""' if has_headings else words, colour=theme.edge, tip=tip)
            if has_headings:
                panel += f"    {_heading(letter, at)} [label={words}, tooltip={tip}, {_HEADING}]\n"
            fill = f'    graph [style="rounded,filled", fillcolor="{theme.panel}"]\n'
            yield f"  subgraph cluster_{letter}_{at} {{\n{panel}{fill}"
            yield from _within(panels, at, letter, written, theme, has_headings)
            yield "  }\n"


def _heading(letter: str, place: int) -> str:
    """The name of the card with what stands above a call."""
    return f"h{place}_{letter}"


def _below_headings(panels: Panels) -> Iterator[str]:
    """What stands below the headings of calls, in both panels: all that needs nothing else in the call."""
    for place in range(len(panels.clusters)):
        inside = {at for at, box in panels.forward.items() if place in enclosing(panels.clusters, box.cluster)}
        first = inside.difference(head for tail, head in panels.computed if tail in inside)
        letters = "fb" if inside.intersection(panels.backward) else "f"
        for letter, shown in (("f", panels.forward), ("b", panels.backward)):
            for at in sorted(first.intersection(shown)):
                yield f'  {_heading(letter, place)} -> {letter}{at} [style="invis", weight="0"]\n'
        if len(letters) > 1:
            yield f"  {{ graph [rank=same]; {'; '.join(_heading(each, place) for each in letters)} }}\n"


def _label(box: Box, kind: str, pen: Pen, look: Look, theme: Theme, marked: bool) -> str:
    """What a box says: the formula, below it the number."""
    upright = pen._replace(italic=False)
    lines = lines_of(box.text)
    align = "LEFT" if len(lines) > 1 else "CENTER"
    rows = [f'<TR><TD ALIGN="{align}">{upright.write(line, align)}</TD></TR>' for line in lines]
    is_shown = box.value is not None and look.shows(kind) and not box.is_told(look)
    if box.shape and look.shows("shape") and not (is_shown and shows_shape(box.shape, look)):
        words = Pen(SMALL, theme.grey).write(shape_text(box.shape, "").strip("[]").replace(", ", "×"))
        rows.append(f"<TR><TD>{words}</TD></TR>")
    if is_shown:
        is_blank = kind in look.blank and not box.is_given
        text = number(box.value, look, theme, pen._replace(empty=is_blank and not marked))
        mark = MARKED.format(kind) if is_blank and marked else ""
        cells = f'{_ROOM}<TD CELLPADDING="2"{mark}>{text}</TD>{_ROOM}'
        rows.append(f"<TR><TD>{TABLE}<TR>{cells}</TR></TABLE></TD></TR>")
    return f"<{TABLE}{''.join(rows)}</TABLE>>"


def lines_of(text: str) -> list[str]:
    """A formula in lines that fit into a box, broken where it has spaces; cut at its end when it is too long."""
    lines, signs = list[str](), _SIGNS.findall(text)
    while len(signs) > _LENGTH and len(lines) < _MOST_LINES - 1:
        end = max((at for at in range(_LENGTH // 2, _LENGTH + 1) if signs[at] == " "), default=_LENGTH)
        lines.append("".join(signs[:end]))
        signs = _SIGNS.findall("   " + "".join(signs[end:]).lstrip())
    return [*lines, "".join(signs) if len(signs) <= _LENGTH else f"{''.join(signs[:_LENGTH])}…"]
