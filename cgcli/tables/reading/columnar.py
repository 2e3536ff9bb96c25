"""Parquet and Arrow (file, stream, Feather) to batches of rows, each column with its type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from cgcli.errors import DataError
from cgcli.tables.batch import Batch
from cgcli.tables.reading.pieces import Joined
from cgcli.tables.reading.seekable import is_plain, seekable

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 1 << 16  # of a batch, at most,
_BYTES = 1 << 24  # fewer where they take more


def read_parquet(path: str, source: str) -> Iterator[Batch]:
    """The rows of a Parquet file. Raises DataError when it is damaged."""
    return _numbered(_parquet(path), source, "Parquet")


def parquet_rows(names: Sequence[str]) -> int | None:
    """How many rows Parquet files hold together, as they say at their end; None where one is no such file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return sum(int(pq.read_metadata(name).num_rows) for name in names)
    except (pa.ArrowInvalid, OSError):
        return None


def read_arrow(name: str, content: Iterator[bytes], begin: bytes, source: str) -> Iterator[Batch]:
    """The rows of an Arrow file or of a stream, which begins so. Raises DataError when it is damaged."""
    if begin.startswith(b"ARROW1"):
        with seekable(name, content, begin) as path:
            yield from _numbered(_arrow_file(path), source, "Arrow")
    else:
        yield from _numbered(_arrow_stream(name, content, begin), source, "Arrow")


def rows_of_size(row_bytes: float) -> int:
    """How many rows of so many bytes make a batch."""
    return max(1, min(_ROWS, int(_BYTES / max(row_bytes, 1))))


def _parquet(path: str) -> Iterator[pa.RecordBatch]:
    """First a batch without rows, for the columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pa.OSFile(path) as file:
        opened = pq.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False)
        yield _nothing(opened.schema_arrow)
        groups = [opened.metadata.row_group(at) for at in range(opened.metadata.num_row_groups)]
        row_bytes = max((group.total_byte_size / max(group.num_rows, 1) for group in groups), default=0)
        yield from opened.iter_batches(rows_of_size(row_bytes))


def _arrow_file(path: str) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    with pa.memory_map(path) as file, pa.ipc.open_file(file) as opened:
        yield _nothing(opened.schema)
        for at in range(opened.num_record_batches):
            yield from _slices(opened.get_batch(at))


def _arrow_stream(name: str, content: Iterator[bytes], begin: bytes) -> Iterator[pa.RecordBatch]:
    """A batch that comes through a pipe is in memory as a whole, as large as its writer made it."""
    import pyarrow as pa

    file = pa.memory_map(name) if is_plain(name, begin) else pa.PythonFile(Joined(content), "r")
    with file, pa.ipc.open_stream(file) as opened:
        yield _nothing(opened.schema)
        for batch in opened:
            yield from _slices(batch)


def _nothing(schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([pa.array([], kind) for kind in schema.types], schema=schema)


def _slices(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch that another program wrote, checked, in parts of bounded size."""
    batch.validate(full=True)
    rows = rows_of_size(batch.nbytes / max(len(batch), 1))
    for start in range(0, len(batch), rows):
        yield batch.slice(start, rows)


def _numbered(parts: Iterator[pa.RecordBatch], source: str, what: str) -> Iterator[Batch]:
    """The parts as batches; a failure to read them is a DataError."""
    import pyarrow as pa

    rows = 0
    while True:
        try:
            part = next(parts, None)
        except (pa.ArrowException, OSError, EOFError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            after = f", behind row {rows}" if rows else ""
            raise DataError(f"{source} holds damaged {what} data{after}: {reason}") from None
        if part is None:
            return
        yield Batch(part, source, row_place(rows + 1))
        rows += len(part)


def row_place(first: int) -> Callable[[int], str]:
    """Says of a row which one of the source it is, when the batch begins with the row `first`."""
    return lambda row: f"row {first + row}"
