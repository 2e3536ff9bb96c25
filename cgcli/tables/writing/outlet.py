"""Where bytes go: to standard output at once, or into a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Protocol

from cgcli.errors import UsageError
from cgcli.files import Draft
from cgcli.tables.writing.signals import signals_waiting


class Outlet(Protocol):
    """What takes bytes. close: they are all there. abort: there will be no more, and a file will not be."""

    def write(self, content: bytes | memoryview) -> int:
        """Take bytes; how many."""

    def close(self) -> None:
        """Done."""

    def abort(self) -> None:
        """Given up."""


def open_outlet(target: str, compression: str | None = None) -> Outlet:
    """A file. compression: gzip or zstd. Raises DataError when it cannot be made."""
    outlet = Draft(Path(target))
    return Compressed(outlet, compression) if compression else outlet


class StandardOutput:
    """The standard output, to which everything goes at once.

    Raises UsageError when it is closed, BrokenPipeError when its reader has gone.
    """

    def __init__(self) -> None:
        if sys.stdout is None:
            raise UsageError("standard output is closed")
        sys.stdout.flush()

    def write(self, content: bytes | memoryview) -> int:
        """Write all; how many bytes."""
        rest = memoryview(content)
        while rest:
            rest = rest[_written(rest) :]
        return len(content)

    def close(self) -> None:
        """Nothing is held back."""

    def abort(self) -> None:
        """What is written is written."""


class StandardLines(StandardOutput):
    """The standard output for whole lines, of which a signal that ends the command leaves none half written.

    It waits until the line is at its end; a second one does not.
    """

    def write(self, content: bytes | memoryview) -> int:
        """Write whole lines; how many bytes."""
        rest = memoryview(content)
        with signals_waiting() as noted:
            while rest:
                count = _written(rest)
                ended = rest[count - 1] == ord("\n")
                rest = rest[count:]
                if noted:
                    rest = rest[: 0 if ended else bytes(rest).find(b"\n") + 1]
        return len(content)


def _written(content: memoryview) -> int:
    """Write some of the bytes to the standard output; how many."""
    try:
        descriptor = sys.stdout.fileno()
    except OSError:  # a stand-in without a file, as in tests
        return sys.stdout.buffer.write(content)
    return os.write(descriptor, content)


class Compressed:
    """Bytes on their way into another outlet."""

    def __init__(self, outlet: Outlet, compression: str) -> None:
        import pyarrow as pa

        self._outlet = outlet
        self._file = OutletFile(outlet)
        self._stream: Any = pa.CompressedOutputStream(pa.PythonFile(self._file, "w"), compression)

    def write(self, content: bytes | memoryview) -> int:
        """Take bytes; how many."""
        self._stream.write(content)
        return len(content)

    def close(self) -> None:
        """Write what is held back, and close the outlet."""
        try:
            self._stream.close()
        except BaseException:
            self.abort()
            raise
        self._outlet.close()

    def abort(self) -> None:
        """Give up the outlet."""
        self._file.forget()
        self._outlet.abort()


class OutletFile:
    """The outlet as a file that others write to; that they close it leaves the outlet open.

    A write that fails is the last one: what they write as they end would wait again for a reader that does not read.
    """

    closed = False

    def __init__(self, outlet: Outlet) -> None:
        self._outlet: Outlet | None = outlet
        self._position = 0

    def write(self, content: Any) -> int:
        """Pass the bytes on; how many."""
        try:
            written = len(content) if self._outlet is None else self._outlet.write(memoryview(content))
        except BaseException:
            self.forget()
            raise
        self._position += written
        return written

    def forget(self) -> None:
        """Pass nothing on any more: a writer that was not closed writes its end when Python removes it."""
        self._outlet = None

    def tell(self) -> int:
        """How many bytes went by."""
        return self._position

    def flush(self) -> None:
        """Nothing is held back."""

    def writable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """The outlet is closed by its owner."""
