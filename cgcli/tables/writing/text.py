"""Tables of rows to text: CSV, TSV, JSON lines and arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cgcli.tables.dialect import Dialect
from cgcli.tables.kernels import joined
from cgcli.tables.table import Table
from cgcli.tables.writing.alike import arranged
from cgcli.tables.writing.base import FormatSink
from cgcli.tables.writing.delimited import header, lines
from cgcli.tables.writing.json_lines import object_lines
from cgcli.tables.writing.outlet import Outlet

if TYPE_CHECKING:
    import pyarrow as pa

_PART = 1 << 22  # bytes of a table whose text is made at once


class DelimitedSink(FormatSink):
    """CSV and TSV: the names once, then the rows; what came as TSV and is written so stands as it was."""

    def __init__(self, outlet: Outlet, dialect: Dialect) -> None:
        super().__init__(outlet)
        self._dialect = dialect
        self._names: list[str] | None = None

    def write(self, table: Table) -> None:
        """Write rows, before the first ones the header."""
        spelled = None if self._dialect.quotes else table.spelled
        columns = table.columns if spelled is None else table.raw
        if self._names is None:
            self._names = columns.schema.names
            self._outlet.write(header(columns.schema, self._dialect, spelled or ()))
        columns = arranged(columns, self._names)

        def text(part: Table) -> pa.Array:
            return lines(part.raw, self._dialect, spelled=spelled is not None)

        for rows in _texts(Table(columns, table.results), text):
            self._outlet.write(rows)


class JsonLinesSink(FormatSink):
    """An object for each row, each on its line."""

    def write(self, table: Table) -> None:
        """Write rows."""
        for text in _texts(table, object_lines):
            self._outlet.write(text)


class JsonArraySink(FormatSink):
    """One array of objects, each on its line."""

    def __init__(self, outlet: Outlet) -> None:
        super().__init__(outlet)
        self._before = b"[\n"

    def write(self, table: Table) -> None:
        """Write rows; the comma behind the last one comes with the next."""
        for text in _texts(table, lambda part: object_lines(part, ",\n")):
            self._outlet.write(b"".join((self._before, text[:-2])))
            self._before = b",\n"

    def finish(self) -> None:
        """Close the array."""
        self._outlet.write(b"\n]\n" if self._before == b",\n" else b"[]\n")


def _texts(table: Table, text: Callable[[Table], pa.Array]) -> Iterator[memoryview]:
    """The text of the rows, in parts where there is much."""
    size = table.raw.nbytes + (0 if table.objects is None else table.objects.nbytes)
    step = max(1, len(table) * _PART // max(size, 1))
    for begin in range(0, len(table), step):
        yield joined(text(table.slice(begin, step)))
