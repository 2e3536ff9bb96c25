"""CSV and TSV to batches of rows, every cell as its text; quoted cells may hold separators and newlines."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from functools import cache

from cgcli.errors import DataError
from cgcli.rows.batch import Batch
from cgcli.rows.reading.records import MAX_RECORD, count_lines, end_of_records, record_ends, record_lines, whole_records


def read_delimited(content: Iterator[bytes], source: str, separator: str, *, header: bool) -> Iterator[Batch]:
    """The rows of UTF-8 text that comes in pieces; a batch for each piece, as soon as it is there.

    header: whether the first row holds the names; else they are c1, c2, …. There is at least one
    batch, perhaps without rows. Raises DataError for empty text, and for a quote that is never closed.
    """
    records = whole_records(content, source, separator)
    text, line = _to_first_record(records)
    if not text:
        raise DataError(f"{source} is empty: it has no {'header' if header else 'rows'}")
    end = _first_end(text, separator)
    names = _names(text[:end], f"{source}, line {line}", separator)
    if header:
        line += text.count(b"\n", 0, end)
        text = text[end:]
    else:
        names = [f"c{at}" for at in range(1, len(names) + 1)]
    yield _batch(text, names, source, separator, line)
    line += count_lines(text)
    for text in records:
        yield _batch(text, names, source, separator, line)
        line += count_lines(text)


def _to_first_record(records: Iterator[bytes]) -> tuple[bytes, int]:
    """The first text that holds more than blank lines, from its first row on; and the line on which it begins."""
    line = 1
    for text in records:
        rows = text.lstrip(b"\r\n")
        line += text.count(b"\n", 0, len(text) - len(rows))
        if rows:
            return rows, line
    return b"", line


def _first_end(text: bytes, separator: str) -> int:
    """Behind the first record."""
    end = 0
    while end < len(text):
        end = text.find(b"\n", end) + 1 or len(text)
        if text.endswith(b"\n", 0, end) and end_of_records(text[:end], separator) == end:
            break
    return end


def _names(record: bytes, place: str, separator: str) -> list[str]:
    try:
        return _cells(record.decode("utf-8"), separator)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{place}: the names are {_not_utf8(error)}", hint="iconv -t UTF-8 turns other encodings"
        ) from None
    except csv.Error as error:
        raise DataError(f"{place}: {error}") from None


def _cells(record: str, separator: str) -> list[str]:
    limit = csv.field_size_limit(MAX_RECORD)
    try:
        return next(csv.reader([record], delimiter=separator))
    finally:
        csv.field_size_limit(limit)


def _no_text(record: bytes) -> str:
    """Why a record is no text; '' when it is."""
    try:
        record.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(error)
    return ""


def _not_utf8(error: UnicodeDecodeError) -> str:
    return f"not UTF-8 text: a byte is 0x{error.object[error.start]:02x}"


def _batch(text: bytes, names: list[str], source: str, separator: str, line: int) -> Batch:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    fields = [str(at) for at in range(len(names))]
    irregular = False

    def is_irregular(row: arrow_csv.InvalidRow) -> str:
        nonlocal irregular
        irregular = True
        return "skip"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(text or b"\n"),
            arrow_csv.ReadOptions(column_names=fields, block_size=max(len(text), 1), use_threads=False),
            arrow_csv.ParseOptions(
                delimiter=separator, newlines_in_values=b'"' in text, invalid_row_handler=is_irregular
            ),
            arrow_csv.ConvertOptions(
                check_utf8=not text.isascii(),
                column_types=dict.fromkeys(fields, pa.string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:  # a byte that is no UTF-8
        irregular = True
    place = _places(text, separator, line)
    if irregular:
        return _irregular_batch(text, names, source, separator, place)
    arrays = [column.chunk(0) if column.num_chunks == 1 else column.combine_chunks() for column in table.columns]
    return Batch(pa.RecordBatch.from_arrays(arrays, names=names), source, place)


def _places(text: bytes, separator: str, line: int) -> Callable[[int], str]:
    """Says of a row on which line it begins; the lines are counted when they are first asked for."""

    @cache
    def lines() -> list[int]:
        return record_lines(text, separator, line)

    return lambda row: f"line {lines()[row]}"


def _irregular_batch(text: bytes, names: list[str], source: str, separator: str, place: Callable[[int], str]) -> Batch:
    """The rows of text in which some have too few or too many cells, or are not UTF-8: read one by one."""
    import pyarrow as pa

    expected = len(names)
    rows: list[list[str | None]] = []
    bad: dict[int, str] = {}
    begin = 0
    for end in record_ends(text, separator):
        record = text[begin:end]
        begin = end
        if not record.strip(b"\r\n"):
            continue
        cells = _cells(record.decode("utf-8", "replace"), separator)
        if len(cells) != expected:
            bad[len(rows)] = f"{len(cells)} cell{'s' * (len(cells) > 1)} instead of {expected}"
        elif why := _no_text(record):
            bad[len(rows)] = why
        rows.append([*cells, *[None] * expected][:expected])
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    arrays = [pa.array(column, pa.string()) for column in columns]
    return Batch(pa.RecordBatch.from_arrays(arrays, names=names), source, place, bad)
