"""The two ways in which rows stand as text: CSV, where cells may be quoted, and TSV, where they are escaped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cgcli.tables.kernels import joined

if TYPE_CHECKING:
    import pyarrow as pa


class Dialect(NamedTuple):
    r"""How cells stand side by side.

    separator: the character between them. quotes: whether a cell with a separator, a quote or a line's end in it
    stands in quotes, as in CSV. Else, as IANA and Miller have TSV, a row is a line, quotes stand for themselves, and
    a tab, newline, carriage return and backslash are spelled `\t`, `\n`, `\r` and `\\`.
    """

    separator: str
    quotes: bool

    def has_quotes(self, text: bytes) -> bool:
        """Whether quotes of the text may open and close cells."""
        return self.quotes and b'"' in text

    def has_blank_rows(self, columns: int) -> bool:
        """Whether a blank line is a row: an empty cell alone, which CSV writes as two quotes, and TSV as nothing."""
        return not self.quotes and columns == 1


CSV, TSV = Dialect(",", quotes=True), Dialect("\t", quotes=False)
DIALECTS = {"csv": CSV, "tsv": TSV}

_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}  # the backslash first, as it begins the others
_PLAIN = {escape: character for character, escape in _ESCAPES.items()}
_ESCAPE = re.compile(r"\\[\\tnr]")


def escaped(cells: pa.Array) -> pa.Array:
    """The cells as TSV spells them."""
    text = bytes(joined(cells))
    for character, escape in _ESCAPES.items():
        if character.encode() in text:
            import pyarrow.compute as pc

            cells = pc.replace_substring(cells, character, escape)
    return cells


def unescaped(cells: pa.Array) -> pa.Array:
    """The text for which cells of TSV stand; a backslash that begins no escape is one."""
    if b"\\" not in bytes(joined(cells)):
        return cells
    import pyarrow as pa

    return pa.array([None if cell is None else unescaped_text(cell) for cell in cells.to_pylist()], pa.string())


def unescaped_text(cell: str) -> str:
    """The text for which a cell or a name of TSV stands."""
    return _ESCAPE.sub(lambda escape: _PLAIN[escape[0]], cell)
