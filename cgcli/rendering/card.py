"""What stands on a card of a picture, as one of Graphviz's HTML-like texts."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Iterable, Iterator, Sequence
from cgcli.graph.node import CONSTANT, VARIABLE, constant_elements
from cgcli.graph.shapes import shape_of
from cgcli.rendering.arrays import (
    Elements,
    columns_of,
    elements_of,
    has_heat,
    is_tall,
    is_written_out,
    number_in,
    shows_shape,
)
from cgcli.rendering.figures import figure
from cgcli.rendering.look import Look
from cgcli.rendering.pen import MATRIX, SIGN, SMALL, TABLE, TEXT, TINY, VARIABLE_SIZE, WORD, Pen, line
from cgcli.rendering.scene import Card, Numbers, shorten, trips_text
from cgcli.rendering.sketch import CARRY, FOLDED, RESULT, Cluster
from cgcli.rendering.themes import Theme

MARKS = {"grad": "∂", "tangent": "d"}  # before the numbers of a card
MARKED = ' TITLE="{}"'  # of a cell whose number can be taken out of a picture
_HEAD_LENGTH = 60  # characters above a cluster
_SWATCH = 16  # points: the width of a sample of a colour
_BESIDE = 20  # points around a symbol and a number beside it
_RING = '<TABLE BORDER="1" STYLE="ROUNDED" COLOR="{colour}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'


def label(card: Card, known: Numbers, look: Look, theme: Theme, rankdir: str, *, marked: bool = False) -> str:
    """The label of a card, in its angle brackets.

    known: the numbers that stand on it where there are any. rankdir: the direction of the edges. marked: numbers that
    are to be left out are in their places, and marked so that they can be taken out of what is laid out.
    """
    numbers = _numbers(card, known, look, theme)
    columns = columns_of([(value, pen) for _, value, pen in numbers if is_written_out(shape_of(value), look)], look)
    rows = []
    for kind, number, pen in numbers:
        is_blank = kind in look.blank and not known.is_given(card.node, kind)
        text = number_in(number, look, theme, pen._replace(empty=is_blank and not marked), columns)
        rows.append((kind, MARKED.format(kind) if is_blank and marked else "", text))
    is_told = any(kind == "value" and shows_shape(shape_of(value), look) for kind, value, _ in numbers)
    head = _head(card, theme, dims=look.shows("shape") and not is_told)
    if not head:
        body = f'<TD CELLPADDING="2"{rows[0][1]}>{rows[0][2]}</TD>' if rows else '<TD CELLPADDING="2"></TD>'
    elif not rows:
        body = f'<TD CELLPADDING="2">{head}</TD>'
    else:
        body = _beside(head, rows, theme, tall=is_tall(card.node.shape, look))
    return f"<{_with_ports(card, body, theme, rankdir)}>"


def partial_label(number: Any, look: Look, theme: Theme, *, marked: bool = False) -> str:
    """What stands at an edge, in angle brackets: by what a tangent is multiplied on the way; '' for nothing.

    marked: as of `label`.
    """
    if number is None or not math.prod(shape_of(number)):
        return ""
    low, high = (
        (float(number), float(number)) if not shape_of(number) else (min(elements_of(number)), max(elements_of(number)))
    )
    text = figure(low, look.precision) + ("" if low == high else f" … {figure(high, look.precision)}")
    is_blank = "partial" in look.blank
    words = Pen(MATRIX, theme.adjoint, italic=True, empty=is_blank and not marked).write(f"×{text}")
    mark = MARKED.format("partial") if is_blank and marked else ""
    return f'<{TABLE}<TR><TD CELLPADDING="3"{mark}>{words}</TD></TR></TABLE>>'  # apart from the edge


def link_label(words: str, theme: Theme) -> str:
    """What stands at an edge to the next trip, or from a condition, in angle brackets."""
    return f'<{TABLE}<TR><TD CELLPADDING="2">{Pen(SMALL, theme.grey).write(words)}</TD></TR></TABLE>>'


def head(cluster: Cluster, trips: int | None, theme: Theme) -> str:
    """What stands above a cluster, in angle brackets: the loop, and how many trips it has made."""
    word, parting, others = shorten(cluster.head, _HEAD_LENGTH).partition("(" if cluster.call else " ")
    runs = [(Pen(TEXT, theme.ink, bold=True), word), (Pen(TEXT, theme.ink), parting + others)]
    made = trips_text(cluster, trips)
    if trips is not None and trips > 1 and not cluster.whole:
        made = f"{made}, the last one shown" if made else "the last trip shown"
    if made:
        runs.append((Pen(SMALL, theme.grey), f"   {made}"))
    return f'<{TABLE}<TR><TD ALIGN="LEFT" CELLPADDING="2">{line([run for run in runs if run[1]])}</TD></TR></TABLE>>'


def is_bare(card: Card, known: Numbers, look: Look, theme: Theme) -> bool:
    """Whether no numbers stand on a card."""
    return not _numbers(card, known, look, theme)


def _numbers(card: Card, known: Numbers, look: Look, theme: Theme) -> list[tuple[str, Any, Pen]]:
    """The numbers that stand on a card, each with its kind."""
    node = card.node
    if node.op is CONSTANT:
        return [("value", Elements(constant_elements(node), node.shape), Pen(TEXT, theme.ink))] if node.shape else []
    if card.again:
        return []
    pens = {"value": Pen(TEXT, theme.ink), "grad": Pen(TEXT, theme.adjoint, italic=True),
            "tangent": Pen(TEXT, theme.tangent, italic=True)}  # fmt: skip
    kinds = known.kinds.items()
    return [(kind, numbers[node], pens[kind]) for kind, numbers in kinds if node in numbers and look.shows(kind)]


def caption(look: Look, theme: Theme, known: Numbers) -> str:
    """The title and the legend of a picture, in angle brackets; '' where there is neither."""
    upright = [(Pen(SMALL, theme.grey), "upright: value    ")]
    if known.tangents and look.shows("tangent"):
        upright.append((Pen(SMALL, theme.tangent, italic=True), "d italic: tangent    "))
    italic = Pen(SMALL, theme.adjoint, italic=True)
    others = [(italic, "∂ italic: adjoint, ∂result/∂node")] if known.adjoints and look.shows("grad") else []
    if known.partials and look.shows("partial"):
        others.append((italic, "× at an edge: derivative by what comes in"))
    lines = [line(runs) for runs in ([*upright, *others[:1]], *([entry] for entry in others[1:]))]
    values = [number for numbers in known.kinds.values() for number in numbers.values()]
    has_data = any(node.op is VARIABLE and known.is_data(node) for node in known.values)
    return captioned(look, theme, [*lines, *colours(look, theme, values, data=has_data)])


def colours(look: Look, theme: Theme, values: Iterable[Any], *, data: bool = False) -> Iterator[str]:
    """What the colours of cards say and, where one of the values is a heat map, those of its cells, for a legend.

    data: whether there are inputs that have no adjoint.
    """
    roles = [(theme.variable, "input"), *([(theme.data, "input without an adjoint")] if data else []),
             (theme.output, "result")]  # fmt: skip
    yield _swatches([(role.fill, role.border, words) for role, words in roles if role != theme.operation], theme)
    if has_heat(values, look):
        signs = ((theme.low, "below 0"), (theme.middle, "0"), (theme.high, "above 0, scaled in each heat map"))
        yield _swatches([(colour, theme.edge, words) for colour, words in signs], theme)


def _swatches(samples: Sequence[tuple[str, str, str]], theme: Theme) -> str:
    """Small boxes in a row: the fill and the border of each, and what stands to its right."""
    pen = Pen(SMALL, theme.grey)
    cells = "".join(
        f'<TD FIXEDSIZE="TRUE" WIDTH="{_SWATCH}" HEIGHT="10" BORDER="1" BGCOLOR="{fill}" COLOR="{border}"></TD>'
        f'<TD ALIGN="LEFT" CELLPADDING="5">{pen.write(words)}</TD>'
        for fill, border, words in samples
    )
    wide = sum(_SWATCH + pen.width(words) + 14 for *_, words in samples)
    return f'{TABLE[:-1]} FIXEDSIZE="TRUE" WIDTH="{wide}" HEIGHT="16" ALIGN="LEFT"><TR>{cells}</TR></TABLE>'


def captioned(look: Look, theme: Theme, legend: Iterable[str]) -> str:
    """The title of a picture and the lines of its legend, as far as they are asked for, as `caption`.

    With a title both stand above the picture, where the legend's boxes keep a distance from the first nodes.
    """
    title = [line([(Pen(WORD, theme.ink, bold=True), look.title)])] if look.title else []
    lines = [*title, *(legend if look.legend else ())]
    rows = "".join(f'<TR><TD ALIGN="LEFT" CELLPADDING="4">{written}</TD></TR>' for written in lines)
    if look.title and look.legend:
        rows += '<TR><TD HEIGHT="12"></TD></TR>'
    return f"<{TABLE}{rows}</TABLE>>" if rows else ""


def least_width(card: Card, known: Numbers, look: Look, theme: Theme) -> float:
    """How many points a card takes from side to side at least: its widest line, and its widest number."""
    lines = [pen.width(text) for pen, text in _head_lines(card, theme, dims=False)]
    values = [(value, pen) for _, value, pen in _numbers(card, known, look, theme) if not shape_of(value)]
    numbers = [pen.width(figure(float(value), look.precision)) for value, pen in values]
    return max(lines, default=0) + max(numbers, default=0) + (_BESIDE if lines and numbers else 0)


def _head(card: Card, theme: Theme, *, dims: bool) -> str:
    """The left part: the program's name, the symbol, static parameters, the shape."""
    lines = _head_lines(card, theme, dims=dims)
    if not lines:  # an array without a name, written out
        return ""
    if len(lines) == 1:
        ((pen, text),) = lines
        return pen.write(text)
    wide, high = max(pen.width(text) for pen, text in lines), sum(pen.height for pen, _ in lines)
    rows = "".join(f"<TR><TD>{pen.write(text)}</TD></TR>" for pen, text in lines)
    return f'{TABLE[:-1]} FIXEDSIZE="TRUE" WIDTH="{wide}" HEIGHT="{high}">{rows}</TABLE>'


def _head_lines(card: Card, theme: Theme, *, dims: bool) -> list[tuple[Pen, str]]:
    node = card.node
    lines = []
    if card.name:
        lines.append((Pen(TEXT, theme.ink, bold=True), card.name))
    if card.again or node.op in (VARIABLE, CARRY, RESULT):
        lines.append((Pen(VARIABLE_SIZE, theme.ink, bold=True), card.symbol))
    elif node.op is FOLDED:
        lines.append((Pen(TEXT, theme.ink, bold=True), card.symbol))
    elif card.symbol:
        size = TEXT if node.op is CONSTANT else SIGN if len(card.symbol) == 1 else WORD
        lines.append((Pen(size, theme.ink), card.symbol))
    notes = [*card.notes, "×".join(map(str, node.shape))] if node.shape and dims else card.notes
    lines.extend((Pen(SMALL, theme.grey), note) for note in notes)
    return lines


def _beside(head: str, rows: Sequence[tuple[str, str, str]], theme: Theme, *, tall: bool) -> str:
    """The left part, a thin rule, and the numbers: below each other, or side by side where tall.

    rows: for each number its kind, attributes of its cell, and what stands there.
    """
    left = f'<TD CELLPADDING="6" SIDES="R" BORDER="1" COLOR="{theme.rule}"'
    pens = {"grad": Pen(MATRIX, theme.adjoint), "tangent": Pen(MATRIX, theme.tangent, italic=True)}
    marks = {kind: f'<TD CELLPADDING="3">{pen.write(MARKS[kind])}</TD>' for kind, pen in pens.items()}
    cells = [
        (marks.get(kind, ""), f'<TD ALIGN="RIGHT" CELLPADDING="4"{attributes}>{number}</TD>')
        for kind, attributes, number in rows
    ]
    if tall or len(rows) == 1:
        return f"{left}>{head}</TD>" + "".join(mark + number for mark, number in cells)
    lines = "</TR><TR>".join((mark or "<TD></TD>") + number for mark, number in cells)
    return f'<TD>{TABLE}<TR>{left} ROWSPAN="{len(rows)}">{head}</TD>{lines}</TR></TABLE></TD>'


def _with_ports(card: Card, body: str, theme: Theme, rankdir: str) -> str:
    """A card whose operands enter in order, each at a place of its own on the border."""
    if not card.ordered or card.is_condition:
        return f"{TABLE}<TR>{body}</TR></TABLE>"
    places = [card.places[at] for at in card.flowing]
    count, named = len(places), any(places)
    names = [f'<TD CELLPADDING="3">{Pen(TINY, theme.grey).write(place)}</TD>' if named else "" for place in places]
    ring = theme.output.border if theme.double and card.is_output else theme.operation.border
    is_double = (theme.double and card.is_output) or card.node.op is FOLDED
    table = _RING.format(colour=ring) if is_double else TABLE
    body = f'<TD CELLPADDING="3">{table}<TR>{body}</TR></TABLE></TD>'
    if rankdir in ("LR", "RL"):
        ports = [f'<TD PORT="p{at}" WIDTH="1" HEIGHT="{max(10, 34 // count)}"></TD>' for at in card.flowing]
        pairs = [(port, name) if rankdir == "LR" else (name, port) for port, name in zip(ports, names, strict=True)]
        side = f"<TD>{TABLE}{''.join(f'<TR>{one}{other}</TR>' for one, other in pairs)}</TABLE></TD>"
        parts = (side, body) if rankdir == "LR" else (body, side)
        return f"{TABLE}<TR>{parts[0]}{parts[1]}</TR></TABLE>"
    ports = [f'<TD PORT="p{at}" WIDTH="{max(14, 50 // count)}" HEIGHT="1"></TD>' for at in card.flowing]
    lines = ["".join(ports), "".join(names)] if named else ["".join(ports)]
    lines = lines if rankdir == "TB" else lines[::-1]
    side = f"<TD>{TABLE}{''.join(f'<TR>{line}</TR>' for line in lines)}</TABLE></TD>"
    parts = (side, body) if rankdir == "TB" else (body, side)
    return f"{TABLE}<TR>{parts[0]}</TR><TR>{parts[1]}</TR></TABLE>"
