"""Where bytes go: to standard output at once, or into a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
from typing import Any

from cgcli import signals
from cgcli.errors import UsageError
from cgcli.tables.format import Output


class StandardOutput:
    """The standard output, to which everything goes at once.

    lines: whether whole lines come; a signal that waits then ends the work behind the line that is being written.
    Raises UsageError when it is closed, BrokenPipeError when its reader has gone.
    """

    def __init__(self, *, lines: bool) -> None:
        if sys.stdout is None:
            raise UsageError("standard output is closed")
        sys.stdout.flush()
        self._lines = lines

    def write(self, content: bytes | memoryview) -> int:
        """Write all; how many bytes."""
        rest = memoryview(content)
        while rest:
            count = _written(rest)
            ended = rest[count - 1] == ord("\n")
            rest = rest[count:]
            if self._lines and signals.waits():
                rest = rest[: 0 if ended else bytes(rest).find(b"\n") + 1]
        if self._lines:
            signals.check()
        return len(content)

    def close(self) -> None:
        """Nothing is held back."""

    def abort(self) -> None:
        """What is written is written."""


def _written(content: memoryview) -> int:
    """Write some of the bytes to the standard output; how many."""
    try:
        descriptor = sys.stdout.fileno()
    except OSError:  # a stand-in without a file, as in tests
        return sys.stdout.buffer.write(content)
    return os.write(descriptor, content)


class Compressed:
    """Bytes on their way into another output."""

    def __init__(self, output: Output, compression: str) -> None:
        import pyarrow as pa

        self._output = output
        self._file = OutputFile(output)
        self._stream: Any = pa.CompressedOutputStream(pa.PythonFile(self._file, "w"), compression)

    def write(self, content: bytes | memoryview) -> int:
        """Take bytes; how many."""
        self._stream.write(content)
        return len(content)

    def close(self) -> None:
        """Write what is held back, and close the output."""
        try:
            self._stream.close()
        except BaseException:
            self.abort()
            raise
        self._output.close()

    def abort(self) -> None:
        """Give up the output."""
        self._file.forget()
        self._output.abort()


class OutputFile:
    """The output as a file that others write to; that they close it leaves the output open.

    A write that fails is the last one: what they write as they end would wait again for a reader that does not read.
    """

    closed = False

    def __init__(self, output: Output) -> None:
        self._output: Output | None = output
        self._position = 0

    def write(self, content: Any) -> int:
        """Pass the bytes on; how many."""
        try:
            written = len(content) if self._output is None else self._output.write(memoryview(content))
        except BaseException:
            self.forget()
            raise
        self._position += written
        return written

    def forget(self) -> None:
        """Pass nothing on any more: a writer that was not closed writes its end when Python removes it."""
        self._output = None

    def tell(self) -> int:
        """How many bytes went by."""
        return self._position

    def flush(self) -> None:
        """Nothing is held back."""

    def writable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """The output is closed by its owner."""
