"""Where bytes go: to standard output at once, or into a file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from cgcli.errors import UsageError
from cgcli.files import Draft


class Outlet(Protocol):
    """What takes bytes. close: they are all there. abort: there will be no more, and a file will not be."""

    def write(self, content: bytes | memoryview) -> int:
        """Take bytes; how many."""

    def close(self) -> None:
        """Done."""

    def abort(self) -> None:
        """Given up."""


def open_outlet(target: str | None, compression: str | None = None) -> Outlet:
    """Standard output for None, else a file.

    compression: gzip or zstd. Raises DataError when the file cannot be made, UsageError when
    standard output is closed.
    """
    outlet: Outlet = StandardOutput() if target is None else Draft(Path(target))
    return Compressed(outlet, compression) if compression else outlet


class StandardOutput:
    """The standard output, to which everything goes at once.

    An interrupt waits until the line is at its end; a second one does not. A closed pipe raises
    BrokenPipeError.
    """

    def __init__(self) -> None:
        if sys.stdout is None:
            raise UsageError("standard output is closed")
        sys.stdout.flush()

    def write(self, content: bytes | memoryview) -> int:
        """Write whole lines, or a part of what has no lines; how many bytes."""
        try:
            descriptor = sys.stdout.fileno()
        except OSError:  # a stand-in without a file, as in tests
            return sys.stdout.buffer.write(content)
        rest = memoryview(content)
        with _interrupts_noted() as noted:
            while rest:
                written = os.write(descriptor, rest)
                ended = rest[written - 1] == ord("\n")
                rest = rest[written:]
                if noted:
                    rest = rest[: 0 if ended else bytes(rest).find(b"\n") + 1]
        if noted:
            raise KeyboardInterrupt
        return len(content)

    def close(self) -> None:
        """Nothing is held back."""

    def abort(self) -> None:
        """What is written is written."""


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
    """The outlet as a file that others write to; that they close it leaves the outlet open."""

    closed = False

    def __init__(self, outlet: Outlet) -> None:
        self._outlet: Outlet | None = outlet
        self._position = 0

    def write(self, content: Any) -> int:
        """Pass the bytes on; how many."""
        written = len(content) if self._outlet is None else self._outlet.write(memoryview(content))
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


@contextlib.contextmanager
def _interrupts_noted() -> Iterator[list[int]]:
    """Within, the first interrupt (Ctrl-C) only goes on the list; only the main thread sees any."""
    noted: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return

    def note(number: int, frame: FrameType | None) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.append(number)

    usual = signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, usual)
