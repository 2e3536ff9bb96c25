"""Text as cells of TSV spell it: tabs, newlines, carriage returns and backslashes with a backslash."""

from __future__ import annotations

import re

from cgcli.annotations import TYPE_CHECKING
from cgcli.tables.arrow import joined

if TYPE_CHECKING:
    import pyarrow as pa

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
