"""Parquet and Arrow (file, stream, Feather), whose columns have types: how they are read."""

from __future__ import annotations

import contextlib
import struct
from collections import deque

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Sequence
from cgcli.errors import DataError
from cgcli.tables.arrow import unpacked, unpacked_type
from cgcli.tables.batch import Batch
from cgcli.tables.bounds import check_columns, check_unpacked
from cgcli.tables.content import Content, Joined
from cgcli.tables.dialect import Reading
from cgcli.tables.grouped import ArrowWriter, ParquetWriter
from cgcli.tables.names import one_name_each
from cgcli.tables.output import Codec

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 1 << 16  # of a batch, at most,
_BYTES = 1 << 24  # fewer where they take more
_ARROW_FILE = b"ARROW1"
_ARROW_BEGIN = 8  # where its messages begin
_HEADER, _DATA, _BUFFERS, _COMPRESSION = 2, 1, 2, 3  # members of tables in messages
_LIST_ITEM = 8  # bytes of what stands in a list
_INDEX = 3  # bytes of each value in a column that holds each once, at most
_FEW = 20_000  # values, in which one may be looked for
_LONG_ROW = 1 << 12  # bytes, of which one may have many in honest files


def _parquet_rows(content: Content, reading: Reading) -> Iterator[Batch]:
    with content.as_file() as path:
        yield from _numbered(_parquet(path, content, alone=reading.alone), content, "Parquet")


def _arrow_rows(content: Content, _: Reading) -> Iterator[Batch]:
    if content.begin.startswith(_ARROW_FILE):
        with content.as_file() as path:
            yield from _numbered(_arrow_file(path, content), content, "Arrow")
    else:
        yield from _numbered(_arrow_stream(content), content, "Arrow")


def parquet_rows(names: Sequence[str]) -> int | None:
    """How many rows Parquet files hold together, as they say at their end; None where one is no such file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return sum(int(pq.read_metadata(name).num_rows) for name in names)
    except (pa.ArrowInvalid, OSError):
        return None


def rows_of_size(row_bytes: float) -> int:
    """How many rows of so many bytes make a batch."""
    return max(1, min(_ROWS, int(_BYTES / max(row_bytes, 1))))


def _parquet(path: str, content: Content, *, alone: bool) -> Iterator[pa.RecordBatch]:
    """First a batch without rows, for the columns. alone: whether no other thread decodes them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pa.OSFile(path) as file:
        metadata = pq.read_metadata(file)
        check_columns(metadata.num_columns, content.source)
        groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
        sizes = [group.total_byte_size for group in groups]
        repeated = []
        for at in range(metadata.num_columns):
            column = metadata.schema.column(at)
            if column.max_repetition_level:
                sizes = [size + _LIST_ITEM * group.column(at).num_values
                         for size, group in zip(sizes, groups, strict=True)]  # fmt: skip
            elif column.physical_type == "BYTE_ARRAY" and _repeats([group.column(at) for group in groups]):
                repeated.append(column.path)
        check_unpacked(sum(sizes), content.size, content.source)
        opened = pq.ParquetFile(
            file, metadata=metadata, read_dictionary=repeated, buffer_size=1 << 20, pre_buffer=False
        )
        yield _nothing(opened.schema_arrow)
        row_bytes = max((size / max(group.num_rows, 1) for size, group in zip(sizes, groups, strict=True)), default=0)
        for batch in opened.iter_batches(rows_of_size(row_bytes), use_threads=not alone):
            yield from _slices(batch, content)


def _repeats(chunks: Sequence[Any]) -> bool:
    """Whether a column of text has few values, each of which its file holds once, so that they may be long."""
    size, values = sum(chunk.total_uncompressed_size for chunk in chunks), sum(chunk.num_values for chunk in chunks)
    return bool(size < _INDEX * values or values < _FEW)


def _arrow_file(path: str, content: Content) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    with pa.memory_map(path) as file:
        file.seek(_ARROW_BEGIN)
        check_unpacked(sum(map(_size_of, pa.ipc.MessageReader.open_stream(file))), content.size, content.source)
        with pa.ipc.open_file(file) as opened:
            yield _nothing(opened.schema)
            for at in range(opened.num_record_batches):
                batch = opened.get_batch(at)
                batch.validate(full=True)
                yield from _slices(batch, content)


def _size_of(message: Any) -> int:
    """How many bytes the buffers of a message of Arrow take when they are decompressed.

    The message is a table of flatbuffers, as Message.fbs and its kin have it; in front of each buffer of a body that is
    compressed stands its length.
    """
    content, body = memoryview(message.metadata), message.body

    def number(at: int, code: str) -> int:
        return int(struct.unpack_from(f"<{code}", content, at)[0])

    def member(table: int, at: int) -> int:
        fields = table - number(table, "i")
        place = number(fields + 4 + 2 * at, "H") if 4 + 2 * at < number(fields, "H") else 0
        return table + place if place else 0

    def target(place: int) -> int:
        return place + number(place, "I")

    batch = target(member(target(0), _HEADER))
    if message.type == "dictionary":
        batch = target(member(batch, _DATA))
    if message.type not in ("dictionary", "record batch") or not member(batch, _COMPRESSION):
        return 0 if body is None else body.size
    buffers = target(member(batch, _BUFFERS))
    places = struct.iter_unpack("<qq", content[buffers + 4 : buffers + 4 + 16 * number(buffers, "I")])
    lengths = (struct.unpack_from("<q", body, start)[0] for start, length in places if length)
    return sum(lengths)


def _arrow_stream(content: Content) -> Iterator[pa.RecordBatch]:
    """A batch that comes through a pipe is in memory as a whole, as large as its writer made it."""
    import pyarrow as pa

    with contextlib.ExitStack() as files:
        if content.is_plain():
            file = files.enter_context(pa.memory_map(content.name))
            deque(_checked(file, content.source), 0)
            file.seek(0)
        else:
            given = files.enter_context(pa.PythonFile(Joined(content.pieces), "r"))
            checked = (memoryview(message.serialize()) for message in _checked(given, content.source))
            file = pa.PythonFile(Joined(checked), "r")
        opened = files.enter_context(pa.ipc.open_stream(file))
        yield _nothing(opened.schema)
        for batch in opened:
            batch.validate(full=True)
            yield from _slices(batch, content)


def _checked(file: Any, source: str) -> Iterator[Any]:
    """The messages of a stream. Raises DataError before the first that unpacks to much more than it is."""
    import pyarrow as pa

    for message in pa.ipc.MessageReader.open_stream(file):
        check_unpacked(_size_of(message), message.body.size if message.body else 0, source)
        yield message


def _nothing(schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    kinds = [unpacked_type(kind) for kind in schema.types]
    return pa.RecordBatch.from_arrays([pa.nulls(0, kind) for kind in kinds], names=schema.names)


def _slices(batch: pa.RecordBatch, content: Content) -> Iterator[pa.RecordBatch]:
    """A batch in parts of bounded size, in which each row has its own values."""
    mean = batch.nbytes / max(len(batch), 1)
    for start in range(0, len(batch), _ROWS):
        rows = batch.slice(start, _ROWS)
        sizes = np.full(len(rows), mean)
        for column in rows.columns:
            if unpacked_type(column.type) != column.type:
                sizes += _value_sizes(column)
        check_unpacked(sizes[sizes > _LONG_ROW].sum(), max(content.size, batch.nbytes), content.source)
        ends = np.cumsum(sizes)
        begin = 0
        while begin < len(rows):
            end = max(begin + 1, int(np.searchsorted(ends, _BYTES + ends[begin] - sizes[begin])))
            part = rows.slice(begin, end - begin)
            yield type(part).from_arrays(list(map(unpacked, part.columns)), names=part.schema.names)
            begin = end


def _value_sizes(column: pa.Array) -> Any:
    """How many bytes the value of each row takes in a column that holds each value once, or at most."""
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    is_dictionary = kinds.is_dictionary(column.type)
    values = column.dictionary if is_dictionary else column.values
    kind = values.type
    if kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_binary(kind) or kinds.is_large_binary(kind):
        sizes = pc.fill_null(pc.binary_length(values), 0).to_numpy(zero_copy_only=False)
    else:
        sizes = np.full(len(values), values.nbytes / max(len(values), 1))
    if not is_dictionary or not len(values):
        return sizes.max(initial=0)
    return sizes[pc.fill_null(column.indices, 0).to_numpy(zero_copy_only=False)]


def _numbered(parts: Iterator[pa.RecordBatch], content: Content, what: str) -> Iterator[Batch]:
    """The parts as batches; a failure to read them is a DataError."""
    import pyarrow as pa

    rows, source = 0, content.source
    while True:
        try:
            part = next(parts, None)
            names = [] if part is None else part.schema.names  # which may be no UTF-8
        except (pa.ArrowException, OSError, EOFError, ValueError, struct.error) as error:
            reason = str(error).partition("\n")[0]
            after = f", behind row {rows}" if rows else ""
            raise DataError(f"{source} holds damaged {what} data{after}: {reason}") from None
        if part is None:
            return
        check_columns(part.num_columns, source)
        if len({*names}) < part.num_columns:
            part = part.rename_columns(one_name_each(names))
        yield Batch(part, source, row_place(rows + 1))
        rows += len(part)


def row_place(first: int) -> Callable[[int], str]:
    """Says of a row which one of the source it is, when the batch begins with the row `first`."""
    return lambda row: f"row {first + row}"


PARQUET = Codec(_parquet_rows, ParquetWriter)
ARROW = Codec(_arrow_rows, ArrowWriter)
