"""CSV and TSV: every cell is text as it stands; arrays have a column for each element.

In CSV a cell may be quoted, and then hold separators and newlines; in TSV these are spelled with backslashes.
"""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from functools import cache, partial
from itertools import chain, groupby

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Sequence
from cgcli.errors import DataError
from cgcli.graph.shapes import element_names
from cgcli.tables.arrow import joined, masked, shape_of, side_by_side, together
from cgcli.tables.batch import Batch
from cgcli.tables.bounds import MAX_RECORD, check_columns
from cgcli.tables.content import Content, peeked
from cgcli.tables.delimited import first_end, rows_of, whole_records
from cgcli.tables.dialect import Dialect, Reading
from cgcli.tables.digits import row_texts
from cgcli.tables.escapes import escaped, unescaped_text
from cgcli.tables.held import TableWriter, arranged
from cgcli.tables.output import Codec, Output
from cgcli.tables.text import as_json, count_lines, in_parts, not_utf8, without_text

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_SEPARATOR_IS = b"sep="
_EMPTY_CELL = '""'  # alone in its row: readers take a blank line for none

# ---- reading --------------------------------------------------------------------------


def _rows(content: Content, reading: Reading, dialect: Dialect) -> Iterator[Batch]:
    """The rows of UTF-8 text that comes in pieces; a batch for each piece, as soon as it is there.

    Where the first row holds no names, they are c1, c2, …. Excel's first line `sep=;` says what stands between cells.
    Raises DataError for empty text, and for a
    quote that is never closed. A blank line is no row, but an empty cell where TSV has one column.
    """
    source = content.source
    pieces, said = _declared(reading.tidied(content.pieces))
    dialect = reading.of(dialect._replace(separator=said) if said else dialect)
    records = whole_records(pieces, source, dialect)
    text, line = _to_first_record(records)
    if not text:
        raise DataError(f"{source} is empty: it has no {'header' if reading.header else 'rows'}")
    end = first_end(text, dialect)
    check_columns(text.count(dialect.separator.encode(), 0, end), source)
    spelled = _names(text[:end], f"{source}, line {line}", dialect)
    if reading.header:
        line += text.count(b"\n", 0, end)
        text = text[end:]
    else:
        spelled = [f"c{at}" for at in range(1, len(spelled) + 1)]
    names = spelled if dialect.quotes else [unescaped_text(name) for name in spelled]
    for part in chain([text], records):
        columns, bad = _columns(part, names, dialect, line)
        place = _places(part, dialect, line, len(names))
        yield Batch(columns, source, place, bad, untyped=True, dialect=dialect, spelled=spelled)
        line += count_lines(part)


def _declared(pieces: Iterator[bytes]) -> tuple[Iterator[bytes], str]:
    """The text with a blank line instead of Excel's `sep=;`, and the sign that this says; "" where there is none."""
    pieces, begin = peeked(pieces, [_SEPARATOR_IS])
    if not begin.startswith(_SEPARATOR_IS):
        return pieces, ""
    pieces = iter(pieces)
    next(pieces)
    while b"\n" not in begin and (more := next(pieces, b"")):
        begin += more
    first, newline, rest = begin.partition(b"\n")
    separator = first[len(_SEPARATOR_IS) :].rstrip(b"\r").decode("utf-8", "replace")
    if len(separator) != 1 or not separator.isascii():
        return chain([begin], pieces), ""
    return chain([newline + rest], pieces), separator


def _to_first_record(records: Iterator[bytes]) -> tuple[bytes, int]:
    """The first text that holds more than blank lines, from its first row on; and the line on which it begins."""
    line = 1
    for text in records:
        rows = text.lstrip(b"\r\n")
        line += text.count(b"\n", 0, len(text) - len(rows))
        if rows:
            return rows, line
    return b"", line


def _names(record: bytes, place: str, dialect: Dialect) -> list[str]:
    try:
        return _cells(record.decode("utf-8"), dialect)
    except UnicodeDecodeError:
        raise DataError(
            f"{place}: the names are {not_utf8(record)}", hint="iconv -t UTF-8 turns other encodings"
        ) from None
    except csv.Error as error:
        raise DataError(f"{place}: {error}") from None


def _cells(record: str, dialect: Dialect) -> list[str]:
    if not dialect.quotes:
        return record.rstrip("\r\n").split(dialect.separator)
    limit = csv.field_size_limit(MAX_RECORD)
    try:
        return next(csv.reader([record], delimiter=dialect.separator))
    finally:
        csv.field_size_limit(limit)


def _columns(text: bytes, names: list[str], dialect: Dialect, line: int) -> tuple[pa.RecordBatch, dict[int, str]]:
    """The cells of a text, and which rows are none, and why."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    if not text or not_utf8(text):  # pyarrow reads nothing of the one, and cannot show is_irregular the other
        return _read_one_by_one(text, names, dialect, line)
    fields = [str(at) for at in range(len(names))]
    irregular = False

    def is_irregular(row: arrow_csv.InvalidRow) -> str:
        nonlocal irregular
        irregular = True
        return "skip"

    table = arrow_csv.read_csv(
        pa.BufferReader(text),
        arrow_csv.ReadOptions(column_names=fields, block_size=len(text), use_threads=False),
        arrow_csv.ParseOptions(
            delimiter=dialect.separator,
            quote_char='"' if dialect.quotes else False,
            newlines_in_values=dialect.has_quotes(text),
            ignore_empty_lines=not dialect.has_blank_rows(len(names)),
            invalid_row_handler=is_irregular,
        ),
        arrow_csv.ConvertOptions(
            check_utf8=False, column_types=dict.fromkeys(fields, pa.string()), strings_can_be_null=False
        ),
    )
    if irregular:
        return _read_one_by_one(text, names, dialect, line)
    arrays = [column.chunk(0) if column.num_chunks == 1 else column.combine_chunks() for column in table.columns]
    return pa.RecordBatch.from_arrays(arrays, names=names), {}


def _places(text: bytes, dialect: Dialect, line: int, columns: int) -> Callable[[int], str]:
    """Says of a row on which line it begins; the lines are counted when they are first asked for."""

    @cache
    def lines() -> list[int]:
        return [begin for begin, _ in rows_of(text, dialect, line, columns)]

    return lambda row: f"line {lines()[row]}"


def _read_one_by_one(
    text: bytes, names: list[str], dialect: Dialect, line: int
) -> tuple[pa.RecordBatch, dict[int, str]]:
    """The rows of text in which there are none, or some have too few or too many cells, or are not UTF-8."""
    import pyarrow as pa

    expected = len(names)
    rows: list[list[str | None]] = []
    bad: dict[int, str] = {}
    for _, record in rows_of(text, dialect, line, expected):
        cells = _cells(record.decode("utf-8", "replace"), dialect)
        if len(cells) != expected:
            bad[len(rows)] = f"{len(cells)} cell{'s' * (len(cells) > 1)} instead of {expected}"
        elif why := not_utf8(record):
            bad[len(rows)] = why
        rows.append([*cells, *[None] * expected][:expected])
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    arrays = [pa.array(column, pa.string()) for column in columns]
    return pa.RecordBatch.from_arrays(arrays, names=names), bad


# ---- writing --------------------------------------------------------------------------


class _DelimitedWriter(TableWriter):
    """The names once, then the rows; what came in the same format stands as it was, and its dialect is kept."""

    def __init__(self, output: Output, at_once: bool, dialect: Dialect) -> None:
        super().__init__(output, at_once)
        self._dialect = dialect
        self._names: list[str] | None = None

    def _may_change(self, batch: Batch) -> bool:
        return batch.objects is not None

    def _put(self, batch: Batch) -> None:
        if batch.dialect is None or self._held is not None:
            super()._put(batch)
        else:  # text has no types that other rows would have to share
            self._begun = True
            self._put_now(batch)

    def _put_now(self, batch: Batch) -> None:
        same = batch.dialect is not None and batch.dialect.quotes == self._dialect.quotes
        if self._names is None and batch.dialect is not None and same:
            self._dialect = batch.dialect
        as_it_stands = same and not self._dialect.quotes
        columns = batch.columns if same else batch.plain
        if self._names is None:
            _lines(columns.slice(0, 1), self._dialect)  # what has no text is refused before anything is written
            self._names = columns.schema.names
            self._output.write(_header(columns.schema, self._dialect, (batch.spelled or ()) if as_it_stands else ()))
        rows = replace(batch, columns=arranged(columns, self._names), objects=None)
        for text in in_parts(rows, lambda part: _lines(part.columns, self._dialect, spelled=as_it_stands)):
            self._output.write(text)


def _header(schema: pa.Schema, dialect: Dialect, spelled: Sequence[str] = ()) -> bytes:
    """The first line, of names. spelled: the first of them, as they shall stand."""
    import pyarrow as pa

    fields = list(schema)[len(spelled) :]
    names = [element for field in fields for element in element_names(field.name, shape_of(field.type) or ())]
    line = dialect.separator.join([*spelled, *_as_cells(pa.array(names, pa.string()), dialect).to_pylist()])
    return f"{line or _EMPTY_CELL if dialect.quotes and names else line}\n".encode()


def _lines(columns: pa.RecordBatch, dialect: Dialect, *, spelled: bool = False) -> pa.Array:
    """The text of each row, its line's end included.

    spelled: whether cells of text stand as the dialect has them. A row of one empty cell is two quotes in CSV, and a
    blank line in TSV, where quotes would be its content; readers take both for a row. Raises DataError for a
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
            numbers = together([masked(columns.column(at)).flat() for at in chosen], np.hstack)
            parts.append(_numbers(*numbers, dialect, end))
        else:
            cells = [_texts(columns.column(at), names[at]) for at in chosen]
            if not spelled:
                cells = [_as_cells(column, dialect) for column in cells]
            if end:
                cells[-1] = side_by_side(cells[-1], end, null="")
            parts += cells
    found = parts[0] if len(parts) == 1 else side_by_side(*parts, between=dialect.separator, null="")
    if dialect.quotes and sum(widths) == 1:
        import pyarrow.compute as pc

        found = pc.if_else(pc.equal(found, "\n"), f"{_EMPTY_CELL}\n", found)
    return found


def _numbers(values: NDArray[np.float64], missing: NDArray[np.bool_] | None, dialect: Dialect, end: str) -> pa.Array:
    """The cells of each row of a matrix side by side, as the dialect spells numbers."""
    found = row_texts(values, missing, between=dialect.separator, after=end)
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

    if kinds.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        if isinstance(column, pa.ExtensionArray):  # as uuid, whose text is Python's
            return pa.array([None if item is None else str(item) for item in column.to_pylist()], pa.string())
        return as_json(column) if kinds.is_nested(column.type) else pc.cast(column, pa.string())
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


def _codec(dialect: Dialect) -> Codec:
    return Codec(partial(_rows, dialect=dialect), partial(_DelimitedWriter, dialect=dialect))


CSV = _codec(Dialect(",", quotes=True))
TSV = _codec(Dialect("\t", quotes=False))
