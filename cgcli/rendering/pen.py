"""How texts of a picture are written: in Graphviz's HTML-like texts, with sizes, colours and widths.

`escape` is the only way into them: names may hold quotes, angle brackets, ampersands, backslashes, line ends,
and any Unicode.
"""

from __future__ import annotations

import math

from cgcli.annotations import Sequence
from cgcli.records import NamedTuple
from cgcli.rendering.metrics import width

TEXT, SIGN, WORD, VARIABLE_SIZE, SMALL, TINY = 12, 18, 14, 15, 9, 8  # points
MATRIX = 10  # points, of numbers in an array
TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'
OVERLINE = "\u0305"  # combining: behind each sign of what has one bar over all of it
_JOINERS = "\u200c\u200d"  # between letters of Devanagari and between emoji


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


def line(runs: Sequence[tuple[Pen, str]]) -> str:
    """Texts beside each other on one base line, in a box of their width. Only the last may go beyond ASCII."""
    wide, high = sum(pen.width(text) for pen, text in runs), max(pen.height for pen, _ in runs)
    return _box("".join(pen.marked(text) for pen, text in runs), wide, high, "LEFT")


def _box(words: str, wide: int, high: int, align: str) -> str:
    """A line of text in a box of its width, from the left edge on; align: where the box stands, if there is room."""
    size = f'FIXEDSIZE="TRUE" WIDTH="{wide}" HEIGHT="{high}"'
    return (
        f'{TABLE[:-1]} {size} ALIGN="{align}"><TR><TD {size} ALIGN="LEFT">{words}<BR ALIGN="LEFT"/></TD></TR></TABLE>'
    )
