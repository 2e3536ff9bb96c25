"""Rows on standard output in a format that has an end: what came out can be read, whatever ends the work."""

from __future__ import annotations

import contextlib
from types import TracebackType

from cgcli.errors import CgError
from cgcli.tables.table import Table
from cgcli.tables.writing.base import Sink
from cgcli.tables.writing.signals import handled, handlers, signals_waiting


class ReadableSink(Sink):
    """A sink on standard output, which an error of the data and a signal leave with its format's end.

    A signal waits until the rows that are being written are out, and a second one does not: what is
    torn then has no end, as where the reader has gone or the disk is full.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._handlers = handlers()
        self._torn = False

    def write(self, table: Table) -> None:
        """Write whole rows."""
        with signals_waiting():
            try:
                self._sink.write(table)
            except (KeyboardInterrupt, SystemExit):  # a second signal
                self._torn = True
                raise

    def close(self) -> None:
        """Write the end."""
        with signals_waiting():
            self._sink.close()

    def abort(self) -> None:
        """Write no more."""
        self._sink.abort()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the end behind what is whole; the error goes on."""
        if self._torn or not isinstance(error, (CgError, KeyboardInterrupt, SystemExit)):
            super().__exit__(kind, error, trace)
            return
        # Behind a signal, others may be ignored; here the next ends it. Of errors the first is the one to be told.
        signals = signals_waiting() if isinstance(error, CgError) else handled(self._handlers)
        with signals, contextlib.suppress(Exception):
            self._sink.close()
