"""Rows as the text of CSV and TSV: what was read stands as it stood, and the results are behind it."""

from __future__ import annotations

import math
from itertools import groupby

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Sequence
from cgcli.graph.shapes import element_names
from cgcli.tables.arrow import (
    Masked,
    joined,
    masked,
    masked_together,
    offsets_of,
    plain,
    shape_of,
    side_by_side,
    together,
)
from cgcli.tables.batch import Batch
from cgcli.tables.dialect import Dialect
from cgcli.tables.digits import row_texts
from cgcli.tables.escapes import escaped
from cgcli.tables.text import as_json, in_range, without_text

if TYPE_CHECKING:
    import pyarrow as pa

_RETURN = ord("\r")
_EMPTY_CELL = '""'  # alone in its row: readers take a blank line for none


def header_of(schema: pa.Schema, dialect: Dialect, begin: str = "") -> bytes:
    """The first line, of names. begin: of the first of them, as it shall stand; "" for none."""
    names = [element for field in schema for element in element_names(field.name, shape_of(field.type) or ())]
    line = dialect.separator.join(filter(None, [begin, line_of(names, dialect)]))
    return f"{line or _EMPTY_CELL if dialect.quotes and names else line}\n".encode()


def line_of(cells: Sequence[str], dialect: Dialect) -> str:
    """Cells as a line."""
    import pyarrow as pa

    return dialect.separator.join(_as_cells(pa.array(cells, pa.string()), dialect).to_pylist())


def cell_texts(rows: Batch, dialect: Dialect) -> pa.Array:
    """The text of rows, in pieces that stand behind each other: what was read as it stood, the results behind it.

    A row of one empty cell is two quotes in CSV, and a blank line in TSV, where quotes would be its content; readers
    take both for a row. Raises DataError for a column that text cannot hold.
    """
    if rows.lines is None:
        found, width = _lines(rows.table, dialect)
        if not dialect.quotes or width != 1:
            return found
        import pyarrow.compute as pc

        return pc.if_else(pc.equal(found, "\n"), f"{_EMPTY_CELL}\n", found)
    lines = rows.lines
    if (np.frombuffer(joined(lines), np.uint8) == _RETURN).any():
        import pyarrow.compute as pc

        lines = side_by_side(pc.utf8_rtrim(lines, "\r\n"), "\n")
    columns = [masked(column).flat() for column in together(rows.results).columns]
    if not sum(column.values.size for column in columns):
        return lines
    numbers = _numbers(masked_together(columns, np.hstack), dialect, before=dialect.separator, last="\n")
    return side_by_side(_newlines_first(lines), numbers)


def _newlines_first(lines: pa.Array) -> pa.Array:
    """The same text but the last newline, cut before the newlines instead of behind them."""
    import pyarrow as pa

    ends = offsets_of(lines).copy()
    ends[1:] -= 1
    return pa.StringArray.from_buffers(len(lines), pa.py_buffer(ends), pa.py_buffer(joined(lines)))


def _lines(columns: pa.RecordBatch, dialect: Dialect) -> tuple[pa.Array, int]:
    """The text of each row, its line's end included; and how many cells it has."""
    import pyarrow as pa

    names = columns.schema.names  # a list that pyarrow makes anew each time
    shapes = [shape_of(field.type) for field in columns.schema]
    widths = [1 if shape is None else math.prod(shape) for shape in shapes]
    shown = [at for at, width in enumerate(widths) if width]
    if not shown:
        return pa.array(["\n"] * columns.num_rows, pa.string()), 0
    parts = []
    for numeric, group in groupby(shown, lambda at: shapes[at] is not None):
        chosen = list(group)
        end = "\n" if chosen[-1] == shown[-1] else ""
        if numeric:
            numbers = masked_together([masked(columns.column(at)).flat() for at in chosen], np.hstack)
            parts.append(_numbers(numbers, dialect, after=end))
        else:
            cells = [_as_cells(_texts(columns.column(at), names[at]), dialect) for at in chosen]
            if end:
                cells[-1] = side_by_side(cells[-1], end, null="")
            parts += cells
    found = parts[0] if len(parts) == 1 else side_by_side(*parts, between=dialect.separator, null="")
    return found, sum(widths)


def _numbers(numbers: Masked, dialect: Dialect, before: str = "", after: str = "", last: str = "") -> pa.Array:
    """The cells of each row of a matrix side by side, as the dialect spells numbers; their ends as in `row_texts`."""
    found = row_texts(*numbers, before=before, between=dialect.separator, after=after, last=last)
    if dialect.decimal == ".":
        return found
    import pyarrow.compute as pc

    return pc.replace_substring(found, ".", dialect.decimal)


def _texts(column: pa.Array, name: str) -> pa.Array:
    """What stands in the cells of a column of another type than float64."""
    import pyarrow.types as kinds

    if kinds.is_string(column.type):
        return column
    import pyarrow as pa
    import pyarrow.compute as pc

    column = plain(column)
    try:
        if isinstance(column, pa.ExtensionArray):  # as uuid, whose text is Python's
            return pa.array([None if item is None else str(item) for item in column.to_pylist()], pa.string())
        if kinds.is_nested(column.type):
            return as_json(column)
        texts = pc.cast(column, pa.string())
        return in_range(texts) if kinds.is_temporal(column.type) else texts
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        raise without_text(column, name, "which has no form as text") from None


def _as_cells(cells: pa.Array, dialect: Dialect) -> pa.Array:
    return _quoted(cells, dialect.separator) if dialect.quotes else escaped(cells)


def _quoted(cells: pa.Array, separator: str) -> pa.Array:
    """The cells, in quotes where a separator, a quote or a line's end stands in them."""
    text = bytes(joined(cells))
    special = [character for character in (separator, '"', "\n", "\r") if character.encode() in text]
    if not special:
        return cells
    import pyarrow.compute as pc

    found: Any = False
    for character in special:
        found = pc.or_(found, pc.match_substring(cells, character))
    quoted = side_by_side('"', pc.replace_substring(cells, '"', '""'), '"')
    return pc.if_else(found, quoted, cells)
