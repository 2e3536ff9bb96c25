"""Parquet and Arrow: how they are written, in groups of many rows, and a mark at the end of a file besides rows."""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any
from cgcli.errors import DataError
from cgcli.tables.arrow import offsets_of, shape_of, together
from cgcli.tables.batch import Batch
from cgcli.tables.held import TableWriter, conformed
from cgcli.tables.output import Output, OutputFile

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_GROUP = 1 << 25  # bytes of the rows that are written together, wherever their input was cut,
_GROUP_ROWS = 1 << 17  # and at most so many
_MARK = "cgcli"  # the name of what stands at the end of a file, besides rows
_TEXT = 4  # bytes for each row that a column of text takes besides its texts


class _ColumnarWriter(TableWriter):
    """Batches to one of pyarrow's writers, in groups of many rows; the first one's types are those of all."""

    def __init__(self, output: Output, at_once: bool) -> None:
        super().__init__(output, at_once)
        self._file = OutputFile(output)
        self._arrow: Any = None
        self._schema: pa.Schema = None
        self._waiting: list[pa.RecordBatch] = []
        self._size = 0
        self._mark = ""

    def mark(self, text: str) -> None:
        """Keep the text for the end."""
        self._mark = text

    def _may_change(self, batch: Batch) -> bool:
        return batch.holds_objects or any(map(batch.is_cells, batch.names))

    def _put_now(self, batch: Batch) -> None:
        columns = together(batch.typed, batch.results)
        if self._arrow is None:
            self._start(columns.schema)
        self._put_columns(conformed(columns, self._schema))

    def _finish(self) -> None:
        """Without rows, a table of columns alone."""
        import pyarrow as pa

        super()._finish()
        if self._arrow is None:
            self._start(pa.schema([]))
        self._write_group()
        if self._mark:
            self._put_mark()
        self._arrow.close()

    def abort(self) -> None:
        """Write no more."""
        self._file.forget()
        super().abort()

    def _start(self, schema: pa.Schema) -> None:
        import pyarrow as pa

        # Metadata may speak of other columns, as pandas' does.
        self._schema = pa.schema([field.with_type(self._stored(field.type)) for field in schema])
        try:
            self._arrow = self._opened(pa.PythonFile(self._file, "w"), self._schema)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:  # the system's, and not Arrow's
                raise
            raise DataError(f"these columns cannot be written: {error}") from None

    def _put_columns(self, columns: pa.RecordBatch) -> None:
        """Take rows, and write as many as a group has, which their content alone decides."""
        ends = self._size + np.cumsum(np.maximum(_row_sizes(columns), _GROUP // _GROUP_ROWS))
        begin = 0
        while begin < len(ends):
            end = begin + int(np.searchsorted(ends[begin:], _GROUP)) + 1
            self._waiting.append(columns.slice(begin, end - begin))
            if end <= len(ends):
                ends -= ends[end - 1]
                self._write_group()
            begin = end
        self._size = int(ends[-1]) if len(ends) else self._size

    def _write_group(self) -> None:
        import pyarrow as pa

        if self._waiting:
            self._arrow.write_table(pa.Table.from_batches(self._waiting).combine_chunks())
        self._waiting = []

    def _stored(self, kind: pa.DataType) -> pa.DataType:
        """The type that the format has for another."""
        return kind

    @abstractmethod
    def _opened(self, stream: pa.PythonFile, schema: pa.Schema) -> Any:
        """What writes batches of this schema to the stream."""

    @abstractmethod
    def _put_mark(self) -> None:
        """Write the mark, behind all rows."""


class ArrowWriter(_ColumnarWriter):
    """Arrow IPC: where it is read at once a stream, else a file, which is Feather of version 2."""

    def _opened(self, stream: pa.PythonFile, schema: pa.Schema) -> Any:
        import pyarrow as pa

        return pa.ipc.new_stream(stream, schema) if self._at_once else pa.ipc.new_file(stream, schema)

    def _put_columns(self, columns: pa.RecordBatch) -> None:
        super()._put_columns(columns)
        if self._at_once:
            self._write_group()

    def _put_mark(self) -> None:
        """As what is said of a last batch, which has no rows."""
        import pyarrow as pa

        nothing = pa.RecordBatch.from_arrays([pa.nulls(0, kind) for kind in self._schema.types], schema=self._schema)
        self._arrow.write_batch(nothing, custom_metadata={_MARK: self._mark})


class ParquetWriter(_ColumnarWriter):
    """Parquet, whose lists have any size."""

    def _opened(self, stream: pa.PythonFile, schema: pa.Schema) -> Any:
        import pyarrow as pa
        from pyarrow import parquet

        texts = [field.name for field in schema if pa.types.is_string(field.type)]  # numbers seldom come twice
        return parquet.ParquetWriter(stream, schema, use_dictionary=texts)

    def _put_mark(self) -> None:
        self._arrow.add_key_value_metadata({_MARK: self._mark})

    def _stored(self, kind: pa.DataType) -> pa.DataType:
        import pyarrow as pa

        depth = 0
        while pa.types.is_fixed_size_list(kind):  # which Parquet does not know; some read nulls among them wrongly
            kind = kind.value_type
            depth += 1
        for _ in range(depth):
            kind = pa.list_(kind)
        return kind


def _row_sizes(columns: pa.RecordBatch) -> NDArray[np.int64]:
    """About how many bytes each row takes; the same wherever rows are cut."""
    import pyarrow as pa

    sizes = np.zeros(len(columns), np.int64)
    for column in columns.columns:
        if pa.types.is_string(column.type):
            sizes += np.diff(offsets_of(column)) + _TEXT
        else:
            sizes += 8 * math.prod(shape_of(column.type) or (1,))
    return sizes


def mark_of(stream: Any, kind: str) -> str:
    """The mark in a file of Parquet or Arrow, '' where there is none, or no such file."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        if kind == "parquet":
            found = parquet.read_metadata(stream).metadata or {}
        else:
            opened = pa.ipc.open_file(stream)
            _, found = opened.get_batch_with_custom_metadata(opened.num_record_batches - 1)
    except (pa.ArrowException, OSError, ValueError, IndexError):
        return ""
    return bytes(dict(found or {}).get(_MARK.encode(), b"")).decode("utf-8", "replace")
