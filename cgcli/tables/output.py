"""Where rows go, and their bytes: to standard output at once, or into a file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
from abc import abstractmethod

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Protocol
from cgcli.errors import CgError, UsageError
from cgcli.files import Undoable
from cgcli.records import NamedTuple
from cgcli.signals import Deferred, check, pending

if TYPE_CHECKING:
    import pyarrow as pa

    from cgcli.tables.batch import Batch
    from cgcli.tables.content import Content
    from cgcli.tables.dialect import Reading


_PART = 1 << 22  # bytes of rows whose text is made at once


class Output(Protocol):
    """What takes bytes. close: they are all there. abort: there will be no more, and a file will not be."""

    def write(self, content: bytes | memoryview) -> int:
        """Take bytes; how many."""

    def close(self) -> None:
        """Done."""

    def abort(self) -> None:
        """Given up."""


class Writer(Undoable):
    """Rows in one format, on their way to an output.

    at_once: whether others read the output already; it then stays as far as it is written, and whatever ends the work,
    an error of the data or a signal, it ends as its format ends. Else it appears whole, or not at all.
    """

    def __init__(self, output: Output, at_once: bool) -> None:
        self._output = output
        self._at_once = at_once
        self._torn = False  # within a row

    def write(self, batch: Batch) -> None:
        """Write rows; at once, if so. Raises DataError for what the format cannot hold; the rows before stay whole.

        A signal waits for the end of the rows, and a second one does not.
        """
        with Deferred():
            self._torn = True
            try:
                self._put(batch)
            except CgError:
                self._torn = False
                raise
            self._torn = False

    def mark(self, text: str) -> None:
        """Have a text stand at the end, where the format has room for what is no row; else nothing."""

    @abstractmethod
    def _put(self, batch: Batch) -> None:
        """Write rows."""

    def _finish(self) -> None:
        """Write what stands at the end."""

    def close(self) -> None:
        """Write the end, and make a file appear."""
        with Deferred() if self._at_once else contextlib.nullcontext():
            try:
                self._finish()
            except BaseException:
                self.abort()
                raise
            self._output.close()

    def abort(self) -> None:
        """Write no more, and leave no file."""
        self._output.abort()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Write the end behind what is whole, of an output that others read; the error goes on."""
        if self._torn or not self._at_once or not isinstance(error, (CgError, KeyboardInterrupt, SystemExit)):
            super().__exit__(kind, error, trace)
            return
        with contextlib.suppress(Exception):  # of errors the first is the one to be told
            self.close()


class Codec(NamedTuple):
    """What reads and writes a format.

    read: the rows of a content, at least one batch, perhaps without rows; what is said of text is for
    formats of text. writer: what writes rows to an output, and whether that is read at once.
    """

    read: Callable[[Content, Reading], Iterator[Batch]]
    writer: Callable[[Output, bool], Writer]


def in_parts(batch: Batch, text: Callable[[Batch], pa.Array]) -> Iterator[memoryview]:
    """The text of the rows, in parts where there is much. text: that of some rows, one behind the other."""
    from cgcli.tables.arrow import joined

    step = max(1, len(batch) * _PART // max(batch.size, 1))
    for begin in range(0, len(batch), step):
        yield joined(text(batch.part(begin, begin + step)))


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
            if self._lines and pending():
                rest = rest[: 0 if ended else bytes(rest).find(b"\n") + 1]
        if self._lines:
            check()
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
