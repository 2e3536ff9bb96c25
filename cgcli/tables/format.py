"""What a format of rows is: the one entry that each file of a format makes, and what its writer is made of."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import NamedTuple, Protocol

from cgcli import signals
from cgcli.errors import CgError
from cgcli.files import Undoable
from cgcli.tables.batch import Batch
from cgcli.tables.content import Content


class Output(Protocol):
    """What takes bytes. close: they are all there. abort: there will be no more, and a file will not be."""

    def write(self, content: bytes | memoryview) -> int:
        """Take bytes; how many."""

    def close(self) -> None:
        """Done."""

    def abort(self) -> None:
        """Given up."""


class Sink(Undoable):
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
        with signals.held():
            self._torn = True
            try:
                self._put(batch)
            except CgError:
                self._torn = False
                raise
            self._torn = False

    @abstractmethod
    def _put(self, batch: Batch) -> None:
        """Write rows."""

    def _finish(self) -> None:
        """Write what stands at the end."""

    def close(self) -> None:
        """Write the end, and make a file appear."""
        with signals.held() if self._at_once else contextlib.nullcontext():
            try:
                self._finish()
            except BaseException:
                self.abort()
                raise
            self._output.close()

    def abort(self) -> None:
        """Write no more, and leave no file."""
        self._output.abort()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the end behind what is whole, of an output that others read; the error goes on."""
        if self._torn or not self._at_once or not isinstance(error, (CgError, KeyboardInterrupt, SystemExit)):
            super().__exit__(kind, error, trace)
            return
        with contextlib.suppress(Exception):  # of errors the first is the one to be told
            self.close()


class Format(NamedTuple):
    """A format of rows.

    name: as -i and --to have it. suffixes: of file names. read: the rows of a content, at least one batch, perhaps
    without rows; the flag says whether the first row holds the names, where a format has them there. sink: what writes
    rows to an output, and whether that is read at once. magic: how binary data begin; none for text. lines: whether
    what is written can be read wherever a line ends, so that there is no end to write.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Content, bool], Iterator[Batch]]
    sink: Callable[[Output, bool], Sink]
    magic: tuple[bytes, ...] = ()
    lines: bool = False

    @property
    def is_text(self) -> bool:
        """Whether it is text, in whatever encoding."""
        return not self.magic
