"""CSV and TSV to batches of rows, every cell as its text; in CSV, quoted cells may hold separators and newlines."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import chain

from cgcli.errors import DataError
from cgcli.tables.batch import Batch
from cgcli.tables.dialect import Dialect, unescaped_text
from cgcli.tables.reading.records import MAX_RECORD, count_lines, first_end, not_utf8, rows_of, whole_records


def read_delimited(content: Iterator[bytes], source: str, dialect: Dialect, *, header: bool) -> Iterator[Batch]:
    """The rows of UTF-8 text that comes in pieces; a batch for each piece, as soon as it is there.

    header: whether the first row holds the names; else they are c1, c2, …. There is at least one
    batch, perhaps without rows. Raises DataError for empty text, and for a quote that is never closed.
    A blank line is no row, but an empty cell where TSV has one column.
    """
    records = whole_records(content, source, dialect)
    text, line = _to_first_record(records)
    if not text:
        raise DataError(f"{source} is empty: it has no {'header' if header else 'rows'}")
    end = first_end(text, dialect)
    spelled = _names(text[:end], f"{source}, line {line}", dialect)
    if header:
        line += text.count(b"\n", 0, end)
        text = text[end:]
    else:
        spelled = [f"c{at}" for at in range(1, len(spelled) + 1)]
    names = spelled if dialect.quotes else [unescaped_text(name) for name in spelled]
    for part in chain([text], records):
        batch = _batch(part, names, source, dialect, line)
        yield batch if dialect.quotes else replace(batch, spelled=spelled)
        line += count_lines(part)


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


def _batch(text: bytes, names: list[str], source: str, dialect: Dialect, line: int) -> Batch:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    if not text or not_utf8(text):  # pyarrow reads nothing of the one, and cannot show is_irregular the other
        return _read_one_by_one(text, names, source, dialect, line)
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
        return _read_one_by_one(text, names, source, dialect, line)
    arrays = [column.chunk(0) if column.num_chunks == 1 else column.combine_chunks() for column in table.columns]
    return Batch(pa.RecordBatch.from_arrays(arrays, names=names), source, _places(text, dialect, line, len(names)))


def _places(text: bytes, dialect: Dialect, line: int, columns: int) -> Callable[[int], str]:
    """Says of a row on which line it begins; the lines are counted when they are first asked for."""

    @cache
    def lines() -> list[int]:
        return [begin for begin, _ in rows_of(text, dialect, line, columns)]

    return lambda row: f"line {lines()[row]}"


def _read_one_by_one(text: bytes, names: list[str], source: str, dialect: Dialect, line: int) -> Batch:
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
    place = _places(text, dialect, line, expected)
    return Batch(pa.RecordBatch.from_arrays(arrays, names=names), source, place, bad)
