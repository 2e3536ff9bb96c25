"""What stands on a card of a picture, as one of Graphviz's HTML-like texts.

`escape` is the only way into it: names may hold quotes, angle brackets, ampersands, backslashes, line ends,
and any Unicode.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable, Sequence
from cgcli.graph.node import CONSTANT, VARIABLE, constant_elements
from cgcli.graph.operation import Shape
from cgcli.records import NamedTuple
from cgcli.rendering.figures import figure
from cgcli.rendering.look import Look
from cgcli.rendering.metrics import width
from cgcli.rendering.scene import Card, Numbers, shorten, trips_text
from cgcli.rendering.sketch import CARRY, FOLDED, RESULT, Cluster
from cgcli.rendering.themes import Theme, mixed

TEXT, SIGN, WORD, VARIABLE_SIZE, SMALL, TINY = 12, 18, 14, 15, 9, 8  # points
MATRIX = 10  # points, of numbers in an array
MARKS = ADJOINT, TANGENT = "∂", "d"  # before the numbers of a card
KINDS = {"": "value", ADJOINT: "grad", TANGENT: "tangent"}  # what stands behind them
MARKED = ' TITLE="{}"'  # of a cell whose number can be taken out of a picture
_FEW, _COLUMNS = 6, 4  # an array of so many numbers, in so many columns, is written out
_MANY = 24  # so many where numbers were asked for
_HEAD_LENGTH = 60  # characters above a cluster
_CELLS, _SLICES = 16, 4  # of a heat map: rows and columns; of an array of more axes: maps side by side
_BESIDE = 20  # points around a symbol and a number beside it
_JOINERS = "\u200c\u200d"  # between letters of Devanagari and between emoji
_RING = '<TABLE BORDER="1" STYLE="ROUNDED" COLOR="{colour}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'
_TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'


def shown(text: str) -> str:
    """Any text as a picture shows it: on one line, without a character that XML forbids."""
    return "".join(
        character if character.isprintable() or character in _JOINERS else " " if character.isspace() else "�"
        for character in text
    )


_ESCAPED = {ord(sign): text for sign, text in {
    "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "\\": "\\\\",
}.items()}  # fmt: skip


def escape(text: str) -> str:
    """Any text as the content of a label.

    Graphviz replaces `\\N` and its like even in HTML-like texts, so backslashes are doubled.
    """
    return shown(text).translate(_ESCAPED)


def quote(text: str) -> str:
    """Any text as a quoted string of the DOT language, which reads entities and backslashes likewise."""
    return f'"{escape(text)}"'


class Pen(NamedTuple):
    """How a text is written: its size, colour and style. empty: only its room is left."""

    size: float
    colour: str
    bold: bool = False
    italic: bool = False
    empty: bool = False

    def write(self, text: str, align: str = "CENTER") -> str:
        """A text; where a layout program would measure it wrongly, in a box of its own width."""
        if self.empty:
            return _box("", self.width(text), self.height, align)
        if text.isascii():
            return self.marked(text)
        text = shown(text)
        return _box(self.marked(text), self.width(text), self.height, align)

    def marked(self, text: str) -> str:
        """A text with its style, without a box; a layout program takes no style of nothing."""
        if not text:
            return ""
        marked = escape(text)
        marked = f"<B>{marked}</B>" if self.bold else marked
        marked = f"<I>{marked}</I>" if self.italic else marked
        return f'<FONT POINT-SIZE="{self.size:g}" COLOR="{self.colour}">{marked}</FONT>'

    def width(self, text: str) -> int:
        """How many points the text takes from side to side."""
        return math.ceil(width(text, self.size, bold=self.bold, italic=self.italic)) + 1

    @property
    def height(self) -> int:
        """How many points a line takes."""
        return math.ceil(self.size * 1.2)


def label(card: Card, known: Numbers, look: Look, theme: Theme, rankdir: str, *, marked: bool = False) -> str:
    """The label of a card, in its angle brackets.

    known: the numbers that stand on it where there are any. rankdir: the direction of the edges. marked: numbers that
    are to be left out are in their places, and marked so that they can be taken out of what is laid out.
    """
    numbers = _numbers(card, known, look, theme)
    columns = _columns([(value, pen) for _, value, pen in numbers if is_written_out(_shape(value), look)], look)
    rows = []
    for mark, number, pen in numbers:
        is_blank = KINDS[mark] in look.blank and not known.is_given(card.node, KINDS[mark])
        text = _number(number, look, theme, pen._replace(empty=is_blank and not marked), columns)
        rows.append((mark, MARKED.format(KINDS[mark]) if is_blank and marked else "", text))
    written_out = any(not mark and is_written_out(_shape(value), look) for mark, value, _ in numbers)
    head = _head(card, theme, dims=look.shows("shape") and not written_out)
    if not head:
        body = f'<TD CELLPADDING="2"{rows[0][1]}>{rows[0][2]}</TD>' if rows else '<TD CELLPADDING="2"></TD>'
    elif not rows:
        body = f'<TD CELLPADDING="2">{head}</TD>'
    else:
        body = _beside(head, rows, theme, tall=_is_tall(card.node.shape, look))
    return f"<{_with_ports(card, body, theme, rankdir)}>"


def partial_label(number: Any, look: Look, theme: Theme, *, marked: bool = False) -> str:
    """What stands at an edge, in angle brackets: by what a tangent is multiplied on the way; '' for nothing.

    marked: as of `label`.
    """
    if number is None or not math.prod(_shape(number)):
        return ""
    low, high = (float(number), float(number)) if not _shape(number) else (min(_flat(number)), max(_flat(number)))
    text = figure(low, look.precision) + ("" if low == high else f" … {figure(high, look.precision)}")
    is_blank = "partial" in look.blank
    words = Pen(MATRIX, theme.adjoint, italic=True, empty=is_blank and not marked).write(f"×{text}")
    mark = MARKED.format("partial") if is_blank and marked else ""
    return f'<{_TABLE}<TR><TD CELLPADDING="3"{mark}>{words}</TD></TR></TABLE>>'  # apart from the edge


def link_label(words: str, theme: Theme) -> str:
    """What stands at an edge to the next trip, or from a condition, in angle brackets."""
    return f'<{_TABLE}<TR><TD CELLPADDING="2">{Pen(SMALL, theme.grey).write(words)}</TD></TR></TABLE>>'


def head(cluster: Cluster, trips: int | None, theme: Theme) -> str:
    """What stands above a cluster, in angle brackets: the loop, and how many trips it has made."""
    word, parting, others = shorten(cluster.head, _HEAD_LENGTH).partition("(" if cluster.call else " ")
    runs = [(Pen(TEXT, theme.ink, bold=True), word), (Pen(TEXT, theme.ink), parting + others)]
    made = trips_text(cluster, trips)
    if trips is not None and trips > 1 and not cluster.whole:
        made = f"{made}, the last one shown" if made else "the last trip shown"
    if made:
        runs.append((Pen(SMALL, theme.grey), f"   {made}"))
    return f'<{_TABLE}<TR><TD ALIGN="LEFT" CELLPADDING="2">{_line([run for run in runs if run[1]])}</TD></TR></TABLE>>'


def is_bare(card: Card, known: Numbers, look: Look, theme: Theme) -> bool:
    """Whether no numbers stand on a card."""
    return not _numbers(card, known, look, theme)


def _numbers(card: Card, known: Numbers, look: Look, theme: Theme) -> list[tuple[str, Any, Pen]]:
    """The numbers that stand on a card, each with its mark: '' for the value."""
    node = card.node
    if node.op is CONSTANT:
        return [("", Elements(constant_elements(node), node.shape), Pen(TEXT, theme.ink))] if node.shape else []
    if card.again:
        return []
    kinds = (
        ("", "value", known.values, Pen(TEXT, theme.ink)),
        (ADJOINT, "grad", known.adjoints, Pen(TEXT, theme.adjoint, italic=True)),
        (TANGENT, "tangent", known.tangents, Pen(TEXT, theme.tangent, italic=True)),
    )
    return [(mark, numbers[node], pen) for mark, what, numbers, pen in kinds if node in numbers and look.shows(what)]


def caption(look: Look, theme: Theme, known: Numbers) -> str:
    """The title and the legend of a picture, in angle brackets; '' where there is neither."""
    lines: list[list[tuple[Pen, str]]] = []
    if look.title:
        lines.append([(Pen(WORD, theme.ink, bold=True), look.title)])
    if look.legend:
        upright = [(Pen(SMALL, theme.grey), "upright: value    ")]
        if known.tangents and look.shows("tangent"):
            upright.append((Pen(SMALL, theme.tangent, italic=True), "d italic: tangent    "))
        italic = Pen(SMALL, theme.adjoint, italic=True)
        others = [(italic, "∂ italic: adjoint, ∂result/∂node")] if known.adjoints and look.shows("grad") else []
        if known.partials and look.shows("partial"):
            others.append((italic, "× at an edge: derivative by what comes in"))
        lines.append([*upright, *others[:1]])
        lines.extend([entry] for entry in others[1:])
    rows = "".join(f'<TR><TD ALIGN="LEFT" CELLPADDING="4">{_line(line)}</TD></TR>' for line in lines)
    return f"<{_TABLE}{rows}</TABLE>>" if rows else ""


def _line(runs: Sequence[tuple[Pen, str]]) -> str:
    """Texts beside each other on one base line, in a box of their width. Only the last may go beyond ASCII."""
    wide, high = sum(pen.width(text) for pen, text in runs), max(pen.height for pen, _ in runs)
    return _box("".join(pen.marked(text) for pen, text in runs), wide, high, "LEFT")


def _box(words: str, wide: int, high: int, align: str) -> str:
    """A line of text in a box of its width, from the left edge on; align: where the box stands, if there is room."""
    size = f'FIXEDSIZE="TRUE" WIDTH="{wide}" HEIGHT="{high}"'
    return (
        f'{_TABLE[:-1]} {size} ALIGN="{align}"><TR><TD {size} ALIGN="LEFT">{words}<BR ALIGN="LEFT"/></TD></TR></TABLE>'
    )


def least_width(card: Card, known: Numbers, look: Look, theme: Theme) -> float:
    """How many points a card takes from side to side at least: its widest line, and its widest number."""
    lines = [pen.width(text) for pen, text in _head_lines(card, theme, dims=False)]
    values = [(value, pen) for _, value, pen in _numbers(card, known, look, theme) if not _shape(value)]
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
    return f'{_TABLE[:-1]} FIXEDSIZE="TRUE" WIDTH="{wide}" HEIGHT="{high}">{rows}</TABLE>'


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

    rows: for each number its mark, attributes of its cell, and what stands there.
    """
    left = f'<TD CELLPADDING="6" SIDES="R" BORDER="1" COLOR="{theme.rule}"'
    marks = dict(zip(MARKS, (Pen(MATRIX, theme.adjoint), Pen(MATRIX, theme.tangent, italic=True)), strict=True))
    written = {mark: f'<TD CELLPADDING="3">{pen.write(mark)}</TD>' for mark, pen in marks.items()}
    cells = [
        (written.get(mark, ""), f'<TD ALIGN="RIGHT" CELLPADDING="4"{attributes}>{number}</TD>')
        for mark, attributes, number in rows
    ]
    if tall or len(rows) == 1:
        return f"{left}>{head}</TD>" + "".join(mark + number for mark, number in cells)
    lines = "</TR><TR>".join((mark or "<TD></TD>") + number for mark, number in cells)
    return f'<TD>{_TABLE}<TR>{left} ROWSPAN="{len(rows)}">{head}</TD>{lines}</TR></TABLE></TD>'


def _with_ports(card: Card, body: str, theme: Theme, rankdir: str) -> str:
    """A card whose operands enter in order, each at a place of its own on the border."""
    if not card.ordered or card.is_condition:
        return f"{_TABLE}<TR>{body}</TR></TABLE>"
    places = [card.places[at] for at in card.flowing]
    count, named = len(places), any(places)
    names = [f'<TD CELLPADDING="3">{Pen(TINY, theme.grey).write(place)}</TD>' if named else "" for place in places]
    ring = theme.output.border if theme.double and card.is_output else theme.operation.border
    is_double = (theme.double and card.is_output) or card.node.op is FOLDED
    table = _RING.format(colour=ring) if is_double else _TABLE
    body = f'<TD CELLPADDING="3">{table}<TR>{body}</TR></TABLE></TD>'
    if rankdir in ("LR", "RL"):
        ports = [f'<TD PORT="p{at}" WIDTH="1" HEIGHT="{max(10, 34 // count)}"></TD>' for at in card.flowing]
        pairs = [(port, name) if rankdir == "LR" else (name, port) for port, name in zip(ports, names, strict=True)]
        side = f"<TD>{_TABLE}{''.join(f'<TR>{one}{other}</TR>' for one, other in pairs)}</TABLE></TD>"
        parts = (side, body) if rankdir == "LR" else (body, side)
        return f"{_TABLE}<TR>{parts[0]}{parts[1]}</TR></TABLE>"
    ports = [f'<TD PORT="p{at}" WIDTH="{max(14, 50 // count)}" HEIGHT="1"></TD>' for at in card.flowing]
    lines = ["".join(ports), "".join(names)] if named else ["".join(ports)]
    lines = lines if rankdir == "TB" else lines[::-1]
    side = f"<TD>{_TABLE}{''.join(f'<TR>{line}</TR>' for line in lines)}</TABLE></TD>"
    parts = (side, body) if rankdir == "TB" else (body, side)
    return f"{_TABLE}<TR>{parts[0]}</TR><TR>{parts[1]}</TR></TABLE>"


# ---- numbers and arrays ---------------------------------------------------------------


class Elements(NamedTuple):
    """An array that was never evaluated: a constant's numbers in row-major order."""

    numbers: Sequence[float]
    shape: Shape


def _shape(value: Any) -> Shape:
    return tuple(getattr(value, "shape", ()))


def _flat(value: Any) -> Sequence[float]:
    return value.numbers if isinstance(value, Elements) else value.ravel().tolist()


def is_written_out(shape: Shape, look: Look) -> bool:
    """Whether an array stands as numbers."""
    most, columns = (_MANY, _MANY // 2) if look.arrays == "numbers" else (_FEW, _COLUMNS)
    few = len(shape) in (1, 2) and 0 < math.prod(shape) <= most and shape[-1] <= columns
    return few and look.arrays in ("auto", "numbers")


def _is_tall(shape: Shape, look: Look) -> bool:
    return len(shape) == 2 and shape[0] > shape[1] and not is_written_out(shape, look)


def number(value: Any, look: Look, theme: Theme, pen: Pen) -> str:
    """A value in a cell of its own."""
    return _number(
        value, look, theme, pen, _columns([(value, pen)], look) if is_written_out(_shape(value), look) else []
    )


def _number(value: Any, look: Look, theme: Theme, pen: Pen, columns: Sequence[int]) -> str:
    """A value in its cell. columns: how wide those of an array are that stands as numbers."""
    shape = _shape(value)
    if not shape:
        return pen.write(figure(float(value), look.precision), "RIGHT")
    if is_written_out(shape, look):
        return _matrix(_flat(value), columns, look, theme, pen)
    if look.arrays == "shape" or math.prod(shape) == 0:
        return pen._replace(size=MATRIX).write("×".join(map(str, shape)), "RIGHT")
    return _heat(_flat(value), shape, look, theme, pen)


def _element(number: float, look: Look) -> str:
    return figure(number, look.precision, 3)


def _columns(arrays: Sequence[tuple[Any, Pen]], look: Look) -> list[int]:
    """How wide the columns of a card's arrays are, all of one shape, so that they stand below each other."""
    widths = [0] * (_shape(arrays[0][0])[-1] if arrays else 0)
    for value, pen in arrays:
        pen = pen._replace(size=MATRIX)
        for at, number in enumerate(_flat(value)):
            column = at % len(widths)
            widths[column] = max(widths[column], pen.width(_element(number, look)))
    return widths


def _matrix(numbers: Sequence[float], columns: Sequence[int], look: Look, theme: Theme, pen: Pen) -> str:
    """An array in brackets."""
    pen = pen._replace(size=MATRIX)
    cells = [
        f'<TD ALIGN="RIGHT" WIDTH="{columns[at % len(columns)] + 6}">{pen.write(_element(number, look), "RIGHT")}</TD>'
        for at, number in enumerate(numbers)
    ]
    rows = ["".join(cells[at : at + len(columns)]) for at in range(0, len(cells), len(columns))]
    left, right = (
        f'<TD ROWSPAN="{len(rows)}" BORDER="1" SIDES="{sides}" COLOR="{theme.edge}" WIDTH="3" CELLPADDING="0"></TD>'
        for sides in ("LTB", "RTB")
    )
    rows[0] = left + rows[0] + right
    table = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3">'
    return f"{table}{''.join(f'<TR>{row}</TR>' for row in rows)}</TABLE>"


def _heat(numbers: Sequence[float], shape: Shape, look: Look, theme: Theme, pen: Pen) -> str:
    """An array as a heat map that diverges about 0, its slices side by side, its range below."""
    finite = [number for number in numbers if math.isfinite(number)]
    low, high = (min(finite), max(finite)) if finite else (math.nan, math.nan)
    if low == high and len(finite) == len(numbers) and not pen.empty:
        return pen._replace(size=MATRIX).write(f"all {figure(low, look.precision, 3)}", "RIGHT")
    top = max(abs(low), abs(high)) if finite else 1.0

    def colour(number: float) -> str:
        if pen.empty:
            return theme.middle
        if not math.isfinite(number):
            return theme.ink
        return mixed(theme.middle, theme.high if number > 0 else theme.low, abs(number) / top if top else 0)

    rows, columns = shape[-2:] if len(shape) > 1 else (1, shape[0])
    count = math.prod(shape[:-2])
    maps = [_map(numbers, at * rows * columns, rows, columns, colour, theme) for at in range(min(count, _SLICES))]
    small = pen._replace(size=TINY)
    more = f"<TD>{small.write('…')}</TD>" if count > _SLICES else ""
    span = len(maps) + bool(more)
    ends = ([figure(end, look.precision, digits) for end in (low, high)] for digits in (2, 3, 4))
    bounds = next((" … ".join(pair) for pair in ends if pair[0] != pair[1]), f"≈ {figure(low, look.precision)}")
    return (
        f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="0">'
        f"<TR>{''.join(f'<TD>{one}</TD>' for one in maps)}{more}</TR>"
        f'<TR><TD COLSPAN="{span}">{small.write(bounds)}</TD></TR></TABLE>'
    )


def _map(
    numbers: Sequence[float], first: int, rows: int, columns: int, colour: Callable[[float], str], theme: Theme
) -> str:
    """One heat map; of a large array, every so many rows and columns."""
    down, across = range(0, rows, -(-rows // _CELLS)), range(0, columns, -(-columns // _CELLS))
    side = 9 if max(len(down), len(across)) <= _CELLS // 2 else 6
    cell = f'<TD FIXEDSIZE="TRUE" WIDTH="{side}" HEIGHT="{side}" BGCOLOR='
    lines = (
        "<TR>"
        + "".join(f'{cell}"{colour(numbers[first + row * columns + column])}"></TD>' for column in across)
        + "</TR>"
        for row in down
    )
    return (
        f'<TABLE FIXEDSIZE="TRUE" WIDTH="{side * len(across) + 2}" HEIGHT="{side * len(down) + 2}" BORDER="1" '
        f'COLOR="{theme.edge}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{"".join(lines)}</TABLE>'
    )
