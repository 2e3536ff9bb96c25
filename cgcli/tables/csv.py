"""CSV and TSV: every cell is text as it stands; arrays have a column for each element.

In CSV a cell may be quoted, and then hold separators and newlines; in TSV these are spelled with backslashes.
"""

from __future__ import annotations

import contextlib
import csv
import math
from functools import partial
from itertools import chain, groupby

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Iterator, Sequence
from cgcli.errors import DataError
from cgcli.graph.shapes import element_names
from cgcli.records import NamedTuple
from cgcli.tables.arrow import Masked, joined, masked, masked_together, offsets_of, shape_of, side_by_side
from cgcli.tables.batch import Batch, Unread, element_of, one_name_each, together
from cgcli.tables.bounds import MAX_RECORD, check_columns
from cgcli.tables.content import Content, peeked
from cgcli.tables.delimited import first_end, lines_of, row_bounds, whole_records
from cgcli.tables.dialect import Dialect, Reading
from cgcli.tables.digits import row_texts
from cgcli.tables.escapes import escaped, unescaped_text
from cgcli.tables.held import TableWriter, arranged
from cgcli.tables.output import Codec, Output
from cgcli.tables.text import as_json, count_lines, in_parts, not_utf8, without_text

if TYPE_CHECKING:
    import pyarrow as pa

_SEPARATOR_IS = b"sep="
_EMPTY_CELL = '""'  # alone in its row: readers take a blank line for none

# ---- reading --------------------------------------------------------------------------


def _rows(content: Content, reading: Reading, dialect: Dialect) -> Iterator[Batch]:
    """The rows of UTF-8 text that comes in pieces; a batch for each piece, as soon as it is there.

    Where the first row holds no names, they are c1, c2, …. Excel's first line `sep=;` says what stands between cells.
    Raises DataError for empty text, and for a quote that is never closed. A blank line is no row, but an empty cell
    where there is one column.
    """
    pieces, said = _declared(reading.tidied(content.pieces))
    dialect = reading.of(dialect._replace(separator=said) if said else dialect)
    records = whole_records(pieces, content.source, dialect)
    text, line = _to_first_record(records)
    if not text:
        raise DataError(f"{content.source} is empty: it has no {'header' if reading.header else 'rows'}")
    end = first_end(text, dialect)
    check_columns(text.count(dialect.separator.encode(), 0, end), content.source)
    spelled = _names(text[:end], f"{content.source}, line {line}", dialect)
    names = one_name_each(spelled if dialect.quotes else [unescaped_text(name) for name in spelled])
    header = ""
    if not reading.header:
        names = [f"c{at}" for at in range(1, len(names) + 1)]
    else:
        if len(set(spelled)) == len(names):
            header = text[:end].decode().rstrip("\r\n")
        line += text.count(b"\n", 0, end)
        text = text[end:]
    wanted = reading.wanted
    chosen = [at for at, name in enumerate(names) if wanted is None or {name.strip(), element_of(name)} & {*wanted}]
    reader = _Reader(names, None if wanted is None else chosen, dialect)
    for part, begin in chain([(text, line)], records):
        yield reader.batch(part, content.source, begin, header)


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


def _to_first_record(records: Iterator[tuple[bytes, int]]) -> tuple[bytes, int]:
    """The first text that holds more than blank lines, from its first row on; and the line on which it begins."""
    for text, line in records:
        rows = text.lstrip(b"\r\n")
        if rows:
            return rows, line + text.count(b"\n", 0, len(text) - len(rows))
    return b"", 1


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
        return next(csv.reader([record], delimiter=dialect.separator)) or [""]
    finally:
        csv.field_size_limit(limit)


class _Reader(NamedTuple):
    """Reads rows of text.

    names: of their columns. wanted: the positions of those whose numbers somebody will ask for; None where the text of
    all will be.
    """

    names: list[str]
    wanted: list[int] | None
    dialect: Dialect

    def batch(self, text: bytes, source: str, line: int, header: str) -> Batch:
        """The rows of a text that begins on a line. header: the line of names."""
        starts, ends = row_bounds(text, self.dialect, len(self.names))

        def place(row: int) -> str:
            return f"line {line + count_lines(text[: starts[row]])}"

        found = None if not_utf8(text) else self._read(text)
        if found is None or found.num_rows != len(starts):
            records = [text[begin:end] for begin, end in zip(starts.tolist(), ends.tolist(), strict=True)]
            columns, lines, bad = self._one_by_one(records)
            return Batch(columns, source, place, bad, lines, untyped=True, dialect=self.dialect, header=header)
        unread = None if self.wanted is None else Unread(self.names, self._all_of)
        return Batch(found, source, place, {}, lines_of(text, starts, ends), untyped=True, dialect=self.dialect,
                     header=header, unread=unread)  # fmt: skip

    def _all_of(self, lines: pa.Array) -> pa.RecordBatch:
        """All columns of lines whose rows are known to be whole."""
        found = self._replace(wanted=None)._read(bytes(joined(lines)))
        assert found is not None, "the rows are whole"
        return found

    def _read(self, text: bytes) -> pa.RecordBatch | None:
        """The columns that are wanted, as numbers if all are finite; None where a row is not whole."""
        import pyarrow as pa

        chosen = range(len(self.names)) if self.wanted is None else self.wanted or [0]
        if not text:
            names = [self.names[at] for at in chosen]
            return pa.RecordBatch.from_arrays([pa.nulls(0, pa.string()) for _ in names], names=names)
        if self.wanted and not self.dialect.spells_numbers:
            with contextlib.suppress(pa.ArrowInvalid):
                found = self._parsed(text, chosen, pa.float64())
                if found is None or all(np.isfinite(column.to_numpy()).all() for column in found.columns):
                    return found
        return self._parsed(text, chosen, pa.string())

    def _parsed(self, text: bytes, chosen: Sequence[int], kind: pa.DataType) -> pa.RecordBatch | None:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        irregular = False

        def is_irregular(row: arrow_csv.InvalidRow) -> str:
            nonlocal irregular
            irregular = True
            return "skip"

        fields = [str(at) for at in range(len(self.names))]
        read = [fields[at] for at in chosen]
        table = arrow_csv.read_csv(
            pa.BufferReader(text),
            arrow_csv.ReadOptions(column_names=fields, block_size=len(text), use_threads=False),
            arrow_csv.ParseOptions(
                delimiter=self.dialect.separator,
                quote_char='"' if self.dialect.quotes else False,
                newlines_in_values=self.dialect.has_quotes(text),
                ignore_empty_lines=not self.dialect.has_blank_rows(len(self.names)),
                invalid_row_handler=is_irregular,
            ),
            arrow_csv.ConvertOptions(
                check_utf8=False, column_types=dict.fromkeys(read, kind), include_columns=read,
                strings_can_be_null=False, null_values=[],
            ),
        )  # fmt: skip
        if irregular:
            return None
        arrays = [column.chunk(0) if column.num_chunks == 1 else column.combine_chunks() for column in table.columns]
        return pa.RecordBatch.from_arrays(arrays, names=[self.names[at] for at in chosen])

    def _one_by_one(self, records: Sequence[bytes]) -> tuple[pa.RecordBatch, pa.Array, dict[int, str]]:
        """Rows of which some have too few or too many cells, or are not UTF-8; their lines; and which, and why."""
        import pyarrow as pa

        expected = len(self.names)
        rows: list[list[str | None]] = []
        lines: list[str] = []
        bad: dict[int, str] = {}
        for record in records:
            line = record.decode("utf-8", "replace")
            cells = _cells(line, self.dialect)
            if len(cells) != expected:
                bad[len(rows)] = f"{len(cells)} cell{'s' * (len(cells) > 1)} instead of {expected}"
                whole = [*cells, *[""] * expected][:expected]
                line = _line(whole, self.dialect) if self.dialect.quotes else self.dialect.separator.join(whole)
            elif why := not_utf8(record):
                bad[len(rows)] = why
            rows.append([*cells, *[None] * expected][:expected])
            lines.append(line.rstrip("\r\n") + "\n")
        columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in self.names]
        arrays = [pa.array(column, pa.string()) for column in columns]
        return pa.RecordBatch.from_arrays(arrays, names=self.names), pa.array(lines, pa.string()), bad


# ---- writing --------------------------------------------------------------------------


class _DelimitedWriter(TableWriter):
    """The names once, then the rows; what came in the same format stands as it was, and its dialect is kept."""

    def __init__(self, output: Output, at_once: bool, dialect: Dialect) -> None:
        super().__init__(output, at_once)
        self._dialect = dialect
        self._names: list[str] | None = None

    _keeps_text = True

    def _may_change(self, batch: Batch) -> bool:
        return batch.holds_objects

    def _put(self, batch: Batch) -> None:
        if batch.dialect is None or batch.others or self._held is not None:
            super()._put(batch)
        else:  # text has no types that other rows would have to share
            self._begun = True
            self._put_now(batch)

    def _put_now(self, batch: Batch) -> None:
        alike = batch.dialect is not None and batch.dialect.quotes == self._dialect.quotes
        if self._names is None and batch.dialect is not None and alike:
            self._dialect = batch.dialect
        names = [*batch.names, *(batch.results.schema.names if batch.results is not None else ())]
        if batch.lines is not None and batch.dialect == self._dialect and self._names in (None, names):
            columns, rows = together(batch.results), batch
        else:
            columns = together(batch.columns if alike and self._dialect.quotes else batch.plain, batch.results)
            rows = Batch(columns if self._names is None else arranged(columns, self._names), "", str)
        if self._names is None:
            _lines(columns.slice(0, 1), self._dialect)  # what has no text is refused before anything is written
            self._names = names
            begin = "" if rows is not batch else batch.header or _line(batch.names, self._dialect)
            self._output.write(_header(columns.schema, self._dialect, begin))
        for text in in_parts(rows, partial(_texts_of_rows, dialect=self._dialect)):
            self._output.write(text)


def _header(schema: pa.Schema, dialect: Dialect, begin: str = "") -> bytes:
    """The first line, of names. begin: of the first of them, as it shall stand; "" for none."""
    names = [element for field in schema for element in element_names(field.name, shape_of(field.type) or ())]
    line = dialect.separator.join(filter(None, [begin, _line(names, dialect)]))
    return f"{line or _EMPTY_CELL if dialect.quotes and names else line}\n".encode()


def _line(cells: Sequence[str], dialect: Dialect) -> str:
    """Cells as a line."""
    import pyarrow as pa

    return dialect.separator.join(_as_cells(pa.array(cells, pa.string()), dialect).to_pylist())


def _texts_of_rows(rows: Batch, dialect: Dialect) -> pa.Array:
    """The text of each row, its line's end included: what was read as it stood, the results behind it.

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
    if b"\r" in bytes(joined(lines)):
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
