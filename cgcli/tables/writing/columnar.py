"""Tables of rows to Parquet and Arrow, whose columns have types."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from cgcli.errors import DataError
from cgcli.tables.table import Table
from cgcli.tables.writing.alike import alike, typed
from cgcli.tables.writing.base import FormatSink
from cgcli.tables.writing.outlet import Outlet, OutletFile

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP = 1 << 26  # bytes of the rows that Parquet holds together


class _ColumnarSink(FormatSink):
    """Batches to one of pyarrow's writers; the first one's types are those of all."""

    def __init__(self, outlet: Outlet) -> None:
        super().__init__(outlet)
        self._file = OutletFile(outlet)
        self._writer: Any = None
        self._schema: pa.Schema = None
        self._empty: Table | None = None

    def write(self, table: Table) -> None:
        """Write rows; what has none says nothing about types."""
        if not len(table):
            self._empty = table
            return
        columns = table.columns
        if self._writer is None:
            columns = typed(table)
            self._start(columns.schema)
        self._put(alike(columns, self._schema))

    def finish(self) -> None:
        """Write what stands at the end; without rows, a table of columns alone."""
        import pyarrow as pa

        if self._writer is None:
            self._start(typed(self._empty).schema if self._empty is not None else pa.schema([]))
        self._writer.close()

    def abort(self) -> None:
        """Write no more."""
        self._file.forget()
        super().abort()

    def _start(self, schema: pa.Schema) -> None:
        import pyarrow as pa

        # Metadata may speak of other columns, as pandas' does.
        self._schema = pa.schema([field.with_type(self._stored(field.type)) for field in schema])
        try:
            self._writer = self._opened(pa.PythonFile(self._file, "w"), self._schema)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DataError(f"these columns cannot be written: {error}") from None

    def _put(self, columns: pa.RecordBatch) -> None:
        self._writer.write_batch(columns)

    def _stored(self, kind: pa.DataType) -> pa.DataType:
        """The type that the format has for another. Dictionaries, which may change from batch to batch, have none."""
        import pyarrow as pa

        return kind.value_type if pa.types.is_dictionary(kind) else kind

    @abstractmethod
    def _opened(self, stream: pa.PythonFile, schema: pa.Schema) -> Any:
        """What writes batches of this schema to the stream."""


class ArrowStreamSink(_ColumnarSink):
    """Arrow IPC as a stream: each batch can be read before the next."""

    def _opened(self, stream: pa.PythonFile, schema: pa.Schema) -> Any:
        import pyarrow as pa

        return pa.ipc.new_stream(stream, schema)


class ArrowFileSink(_ColumnarSink):
    """Arrow IPC as a file, which is Feather of version 2."""

    def _opened(self, stream: pa.PythonFile, schema: pa.Schema) -> Any:
        import pyarrow as pa

        return pa.ipc.new_file(stream, schema)


class ParquetSink(_ColumnarSink):
    """Parquet, in groups of many rows even if they come one by one."""

    def __init__(self, outlet: Outlet) -> None:
        super().__init__(outlet)
        self._waiting: list[pa.RecordBatch] = []
        self._size = 0

    def finish(self) -> None:
        """Write the last group and the end."""
        self._write_group()
        super().finish()

    def _opened(self, stream: pa.PythonFile, schema: pa.Schema) -> Any:
        from pyarrow import parquet

        return parquet.ParquetWriter(stream, schema)

    def _stored(self, kind: pa.DataType) -> pa.DataType:
        import pyarrow as pa

        kind = super()._stored(kind)
        depth = 0
        while pa.types.is_fixed_size_list(kind):  # which Parquet does not know; some read nulls among them wrongly
            kind = kind.value_type
            depth += 1
        for _ in range(depth):
            kind = pa.list_(kind)
        return kind

    def _put(self, columns: pa.RecordBatch) -> None:
        self._waiting.append(columns)
        self._size += columns.nbytes
        if self._size >= _GROUP:
            self._write_group()

    def _write_group(self) -> None:
        import pyarrow as pa

        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting))
        self._waiting = []
        self._size = 0
