"""What all sinks of rows share: they end well, or nothing happened."""

from __future__ import annotations

from types import TracebackType

from cgcli.rows.table import Table
from cgcli.rows.writing.outlet import Outlet


class Sink:
    """What takes rows.

    write: the rows of a table, in their order. close: no more come; a file is there from now on.
    abort: give up; there is no file. As a context, it closes, or aborts on an exception.
    """

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def write(self, table: Table) -> None:
        """Write rows; on standard output they are seen at once. Raises DataError for what the format cannot hold."""
        raise NotImplementedError

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

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()
