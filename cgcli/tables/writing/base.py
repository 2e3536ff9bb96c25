"""What all sinks of rows share: they end well, or nothing happened."""

from __future__ import annotations

from abc import abstractmethod

from cgcli.files import Undoable
from cgcli.tables.table import Table
from cgcli.tables.writing.outlet import Outlet


class Sink(Undoable):
    """What takes rows.

    write: the rows of a table, in their order. close: no more come; a file is there from now on.
    abort: give up; there is no file.
    """

    @abstractmethod
    def write(self, table: Table) -> None:
        """Write rows; on standard output they are seen at once. Raises DataError for what the format cannot hold."""


class FormatSink(Sink):
    """Rows in one format, on their way to an outlet.

    Where `write` raises a CgError, the rows before stay whole, and the end can be written still.
    """

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def finish(self) -> None:
        """Write what stands at the end."""

    def close(self) -> None:
        """Write the end, and make the file appear."""
        try:
            self.finish()
        except BaseException:
            self.abort()
            raise
        self._outlet.close()

    def abort(self) -> None:
        """Write no more, and leave no file."""
        self._outlet.abort()
