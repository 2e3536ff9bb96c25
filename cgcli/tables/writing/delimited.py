"""Rows to CSV and TSV: cells are quoted or escaped where they must be, arrays have a column for each element."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from cgcli.errors import DataError
from cgcli.graph.shapes import element_names
from cgcli.tables.dialect import Dialect, escaped
from cgcli.tables.kernels import joined, side_by_side
from cgcli.tables.table import Masked, masked, shape_of
from cgcli.tables.writing.digits import row_texts

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


def header(schema: pa.Schema, dialect: Dialect, spelled: Sequence[str] = ()) -> bytes:
    """The first line, of names. spelled: the first of them, as they shall stand."""
    import pyarrow as pa

    fields = list(schema)[len(spelled) :]
    names = [element for field in fields for element in element_names(field.name, shape_of(field.type) or ())]
    line = dialect.separator.join([*spelled, *_spelled(pa.array(names, pa.string()), dialect).to_pylist()])
    return f"{_no_blank_line(line) if dialect.quotes and names else line}\n".encode()


def lines(columns: pa.RecordBatch, dialect: Dialect, *, spelled: bool = False) -> pa.Array:
    """The text of each row, its line's end included.

    spelled: whether cells of text stand as the dialect has them. A row of one empty cell is two quotes in CSV, and a
    blank line in TSV, where quotes would be its content; read_delimited takes both for a row. Raises DataError for a
    column that text cannot hold.
    """
    import pyarrow as pa

    names = columns.schema.names  # a list that pyarrow makes anew each time
    shapes = [shape_of(field.type) for field in columns.schema]
    widths = [1 if shape is None else math.prod(shape) for shape in shapes]
    shown = [at for at, width in enumerate(widths) if width]
    if not shown:
        return pa.array(["\n"] * columns.num_rows, pa.string())
    parts = []
    for numeric, group in groupby(shown, lambda at: shapes[at] is not None):
        chosen = list(group)
        end = "\n" if chosen[-1] == shown[-1] else ""
        if numeric:
            parts.append(_joined([masked(columns.column(at)) for at in chosen], dialect.separator, end))
        else:
            cells = [_texts(columns.column(at), names[at]) for at in chosen]
            if not spelled:
                cells = [_spelled(column, dialect) for column in cells]
            if end:
                cells[-1] = side_by_side(cells[-1], end, null="")
            parts += cells
    found = parts[0] if len(parts) == 1 else side_by_side(*parts, between=dialect.separator, null="")
    return _without_blank_lines(found) if dialect.quotes and sum(widths) == 1 else found


def _without_blank_lines(found: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    return pc.if_else(pc.equal(found, "\n"), _no_blank_line("") + "\n", found)


def _no_blank_line(line: str) -> str:
    """Readers take a blank line for no row."""
    return line or '""'


def _joined(columns: Sequence[Masked], separator: str, end: str) -> pa.Array:
    """Columns of numbers as one column of text."""
    missing = None
    if any(column.missing is not None for column in columns):
        masks = [np.zeros(values.shape, bool) if none is None else none for values, none in columns]
        missing = np.hstack([_matrix(mask) for mask in masks])
    values = np.hstack([_matrix(column.values) for column in columns])
    return row_texts(values, missing, between=separator, after=end)


def _matrix(array: NDArray[Any]) -> NDArray[Any]:
    return array.reshape(len(array), math.prod(array.shape[1:]))


def _texts(column: pa.Array, name: str) -> pa.Array:
    """What stands in the cells of a column of another type than float64."""
    import pyarrow.types as kinds

    if kinds.is_string(column.type):
        return column
    import orjson
    import pyarrow as pa
    import pyarrow.compute as pc

    if kinds.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        if kinds.is_nested(column.type):
            items = column.to_pylist()
            return pa.array([None if item is None else orjson.dumps(item).decode() for item in items], pa.string())
        return pc.cast(column, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, TypeError, UnicodeError):
        raise DataError(
            f"column '{name}' is of type {column.type}, which has no form as text",
            hint="write Parquet or Arrow, or leave the input's columns out with --only",
        ) from None


def _spelled(cells: pa.Array, dialect: Dialect) -> pa.Array:
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
