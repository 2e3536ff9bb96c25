"""CSV and TSV: every cell is text as it stands; arrays have a column for each element.

In CSV a cell may be quoted, and then hold separators and newlines; in TSV these are spelled with backslashes.
"""

from __future__ import annotations

import contextlib
import csv
from functools import partial
from itertools import chain
from types import SimpleNamespace

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Iterator, Sequence
from cgcli.errors import DataError
from cgcli.records import NamedTuple
from cgcli.tables.arrow import joined, together
from cgcli.tables.batch import Batch, Unread
from cgcli.tables.bounds import MAX_RECORD, check_columns
from cgcli.tables.cell_texts import cell_texts, header_of, line_of
from cgcli.tables.content import Content, peeked
from cgcli.tables.delimited import Records, cut, lines_of, numbers_in, outside_quotes, row_bounds, whole_records
from cgcli.tables.dialect import Dialect, Reading
from cgcli.tables.escapes import unescaped_text
from cgcli.tables.held import TableWriter, arranged
from cgcli.tables.names import is_among, one_name_each
from cgcli.tables.output import Codec, Output, in_parts
from cgcli.tables.text import count_lines, not_utf8, places_of

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_SEPARATOR_IS = b"sep="

# ---- reading --------------------------------------------------------------------------


def _rows(content: Content, reading: Reading, dialect: Dialect) -> Iterator[Batch]:
    """The rows of UTF-8 text that comes in pieces; a batch for each piece, as soon as it is there.

    Where the first row holds no names, they are c1, c2, …. Excel's first line `sep=;` says what stands between cells.
    Raises DataError for empty text, and for a quote that is never closed. A blank line is no row, but an empty cell
    where there is one column.
    """
    content.in_large_pieces()
    pieces, said = _declared(reading.tidied(content.pieces, dialect))
    dialect = reading.of(dialect._replace(separator=said) if said else dialect)
    records = whole_records(pieces, content.source, dialect)
    first = _to_first_record(records)
    if first is None:
        raise DataError(f"{content.source} is empty: it has no {'header' if reading.header else 'rows'}")
    _, ends = row_bounds(Records(first.text[: int(first.ends[0])], first.line, first.ends[:1]), dialect, 1)
    end = int(ends[0])
    check_columns(first.text.count(dialect.separator.encode(), 0, end), content.source)
    spelled = _names(first.text[:end], f"{content.source}, line {first.line}", dialect)
    names = one_name_each(spelled if dialect.quotes else [unescaped_text(name) for name in spelled])
    header = ""
    if not reading.header:
        names = [f"c{at}" for at in range(1, len(names) + 1)]
    else:
        if len(set(spelled)) == len(names):
            header = first.text[:end].decode().rstrip("\r\n")
        first = first.behind(end)
    wanted = reading.wanted
    chosen = None if wanted is None else [at for at, name in enumerate(names) if is_among(name, wanted)]
    reader = _Reader(names, chosen, dialect)
    for part in chain([first], records):
        yield from reader.batches(part, content.source, header)


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


def _to_first_record(records: Iterator[Records]) -> Records | None:
    """The first text that holds more than blank lines, from its first row on."""
    for part in records:
        if rows := part.text.lstrip(b"\r\n"):
            return part.behind(len(part.text) - len(rows))
    return None


def _names(record: bytes, place: str, dialect: Dialect) -> list[str]:
    try:
        return _cells([record.decode("utf-8")], dialect)[0]
    except UnicodeDecodeError:
        raise DataError(
            f"{place}: the names are {not_utf8(record)}", hint="iconv -t UTF-8 turns other encodings"
        ) from None
    except csv.Error as error:
        raise DataError(f"{place}: {error}") from None


def _cells(records: Sequence[str], dialect: Dialect) -> list[list[str]]:
    """The cells of each record."""
    if not dialect.quotes:
        return [record.rstrip("\r\n").split(dialect.separator) for record in records]
    limit = csv.field_size_limit(MAX_RECORD)
    try:
        return [cells or [""] for cells in csv.reader(records, delimiter=dialect.separator)]
    finally:
        csv.field_size_limit(limit)


def _without_cells(columns: pa.RecordBatch, present: NDArray[np.int64]) -> pa.RecordBatch:
    """The columns, with nulls where a row has no such cell. present: how many cells each row has."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = [pc.if_else(pa.array(present > at), column, None) if (present <= at).any() else column
             for at, column in enumerate(columns.columns)]  # fmt: skip
    return pa.RecordBatch.from_arrays(found, names=columns.schema.names)


class _Reader(NamedTuple):
    """Reads rows of text.

    names: of their columns. wanted: the positions of those whose numbers somebody will ask for; None where the text of
    all will be.
    """

    names: list[str]
    wanted: list[int] | None
    dialect: Dialect

    def batches(self, records: Records, source: str, header: str) -> Iterator[Batch]:
        """The rows of a text. header: of names."""
        text, line, _ = records
        starts, ends = row_bounds(records, self.dialect, len(self.names))

        def place(row: int) -> str:
            return f"line {line + count_lines(text[: starts[row]])}"

        found = None if not_utf8(text) else self._read(text, starts, ends)
        if found is not None and found.num_rows == len(starts):
            unread = None if self.wanted is None else Unread(self.names, self._all_of)
            yield Batch(found, source, place, {}, lines_of(text, starts, ends), untyped=True, dialect=self.dialect,
                        header=header, unread=unread)  # fmt: skip
            return
        columns, lines, bad = self._mended(text, starts, ends)
        yield Batch(columns, source, place, bad, lines, untyped=True, dialect=self.dialect, header=header)

    def _all_of(self, lines: pa.Array) -> pa.RecordBatch:
        """All columns of lines whose rows are known to be whole."""
        found = self._replace(wanted=None)._parsed(bytes(joined(lines)))
        assert found is not None, "the rows are whole"
        return found

    def _read(self, text: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> pa.RecordBatch | None:
        """The columns that are wanted, as numbers if all are finite; None where a row is not whole."""
        if self.wanted and len(starts) and not self.dialect.spells_numbers:
            found = self._floats(text, starts, ends, self.wanted)
            if found is not None and all(np.isfinite(column.to_numpy()).all() for column in found.columns):
                return found
        return self._parsed(text)

    def _floats(
        self, text: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], wanted: Sequence[int]
    ) -> pa.RecordBatch | None:
        """The columns that are wanted, where all are numbers, which may have blanks around them."""
        import pyarrow as pa

        with contextlib.suppress(pa.ArrowInvalid):
            columns = numbers_in(text, starts, ends, self.dialect, len(self.names), wanted)
            if columns is not None:
                return pa.RecordBatch.from_arrays(columns, names=[self.names[at] for at in wanted])
        with contextlib.suppress(pa.ArrowInvalid):
            return self._parsed(text, pa.float64())
        return None

    def _parsed(self, text: bytes, kind: pa.DataType | None = None) -> pa.RecordBatch | None:
        """The columns that are wanted, of this type, or of text; None where a row is not whole."""
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        chosen = range(len(self.names)) if self.wanted is None else self.wanted or [0]
        if not text:
            names = [self.names[at] for at in chosen]
            return pa.RecordBatch.from_arrays([pa.nulls(0, pa.string()) for _ in names], names=names)
        irregular = False

        def is_irregular(row: arrow_csv.InvalidRow) -> str:
            nonlocal irregular
            irregular = True
            return "error"

        fields = [str(at) for at in range(len(self.names))]
        read = [fields[at] for at in chosen]
        parse = arrow_csv.ParseOptions(
            delimiter=self.dialect.separator,
            quote_char='"' if self.dialect.quotes else False,
            newlines_in_values=self.dialect.has_quotes(text),
            ignore_empty_lines=not self.dialect.has_blank_rows(len(self.names)),
            invalid_row_handler=is_irregular,
        )
        convert = arrow_csv.ConvertOptions(
            check_utf8=False, column_types=dict.fromkeys(read, kind or pa.string()), include_columns=read,
            strings_can_be_null=False, null_values=[],
        )  # fmt: skip
        options = arrow_csv.ReadOptions(column_names=fields, block_size=len(text), use_threads=False)
        try:
            table = arrow_csv.read_csv(pa.BufferReader(text), options, parse, convert)
        except pa.ArrowInvalid:
            if irregular:
                return None
            raise
        arrays = [column.chunk(0) if column.num_chunks == 1 else column.combine_chunks() for column in table.columns]
        return pa.RecordBatch.from_arrays(arrays, names=[self.names[at] for at in chosen])

    def _mended(
        self, text: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> tuple[pa.RecordBatch, pa.Array, dict[int, str]]:
        """Rows of which some have too few or too many cells, or are not UTF-8; their lines; and which, and why."""
        found = self._with_lines(text, starts, ends, self._doubtful(text, starts, ends))
        if found is None:  # quotes are odd, so that Arrow has other rows than we: all are spelled anew
            found = self._with_lines(text, starts, ends, range(len(starts)), anew=True)
        assert found is not None, "the rows are whole"
        return found

    def _doubtful(self, text: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Sequence[int]:
        """Rows with another number of cells than others have, or that may be no UTF-8."""
        buffer = np.frombuffer(text, np.uint8)
        behind = outside_quotes(places_of(ord(self.dialect.separator), text) + 1, text, self.dialect)
        counts = np.searchsorted(behind, ends) - np.searchsorted(behind, starts, "right")
        is_doubtful = counts != len(self.names) - 1
        if not_utf8(text):
            is_doubtful[np.searchsorted(ends, np.flatnonzero(buffer > 127), "right")] = True
        rows: list[int] = np.flatnonzero(is_doubtful).tolist()
        return rows

    def _with_lines(
        self,
        text: bytes,
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        doubtful: Sequence[int],
        *,
        anew: bool = False,
    ) -> tuple[pa.RecordBatch, pa.Array, dict[int, str]] | None:
        """What `_mended` gives, where all rows are whole but some that are doubtful; None where they are not.

        anew: the doubtful ones are spelled anew even if they are whole.
        """
        expected, rows = len(self.names), len(starts)
        records = [text[starts[row] : ends[row]] for row in doubtful]
        texts = [record.decode("utf-8", "replace").rstrip("\r\n") for record in records]
        present = np.full(rows, expected)
        bad: dict[int, str] = {}
        parts, begin = list[bytes](), 0
        for row, record, line, cells in zip(doubtful, records, texts, _cells(texts, self.dialect), strict=True):
            present[row] = len(cells)
            if len(cells) != expected:
                bad[row] = f"{len(cells)} cell{'s' * (len(cells) > 1)} instead of {expected}"
            elif why := not_utf8(record):
                bad[row] = why
            elif not anew:
                continue
            if len(cells) > expected or anew:
                line = self._spelled(cells[:expected])
            line += self.dialect.separator * (expected - len(cells))
            parts += [text[begin : starts[row]], line.encode(), b"\n"]
            begin = ends[row]
        text = b"".join([*parts, text[begin:]])
        starts, ends = row_bounds(cut(text, 1, self.dialect)[0], self.dialect, expected)
        columns = self._replace(wanted=None)._parsed(text)
        if columns is None or not columns.num_rows == len(starts) == rows:
            return None
        return _without_cells(columns, present), lines_of(text, starts, ends), bad

    def _spelled(self, cells: Sequence[str]) -> str:
        """Cells as a line."""
        if not self.dialect.quotes:
            return self.dialect.separator.join(cells)
        written = list[str]()  # a carriage return is quoted where a line may end with it
        csv.writer(SimpleNamespace(write=written.append), delimiter=self.dialect.separator).writerow(cells)
        return written[0].removesuffix("\r\n")


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
            columns = together(batch.unescaped if alike else batch.plain, batch.results)
            rows = Batch(columns if self._names is None else arranged(columns, self._names), "", str)
        if self._names is None:
            cell_texts(Batch(columns.slice(0, 1), "", str), self._dialect)  # what has no text is refused before that
            self._names = names
            begin = "" if rows is not batch else batch.header or line_of(batch.names, self._dialect)
            self._output.write(header_of(columns.schema, self._dialect, begin))
        for text in in_parts(rows, partial(cell_texts, dialect=self._dialect)):
            self._output.write(text)


def _codec(dialect: Dialect) -> Codec:
    return Codec(partial(_rows, dialect=dialect), partial(_DelimitedWriter, dialect=dialect))


CSV = _codec(Dialect(",", quotes=True))
TSV = _codec(Dialect("\t", quotes=False))
