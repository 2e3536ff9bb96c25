"""Files and standard input as pieces of bytes, decompressed: each as soon as it is there, large when there is much."""

from __future__ import annotations

import io
import os
import select
import stat
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO

from cgcli.errors import DataError, UsageError, refused
from cgcli.tables.formats import split_name

_PIECE = 1 << 20  # bytes of a piece: as many as caches hold
_GAP = 0.002  # seconds that a pipe may pause before what came is handed on,
_LONGEST = 0.02  # and from the first byte of a piece to its last
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


def display_name(name: str) -> str:
    """What messages call a source."""
    return "standard input" if name == "-" else f"'{name}'"


def opened(name: str) -> IO[bytes]:
    """A file, or standard input for '-'. Raises DataError when there is none, UsageError when the latter is closed."""
    if name != "-":
        try:
            return open(name, "rb", buffering=0)
        except (OSError, ValueError) as error:
            raise refused("read", display_name(name), error) from None
    if sys.stdin is None:
        raise UsageError("standard input is closed")
    try:
        return os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    except OSError:  # a stand-in without a descriptor, when cg is called from Python
        return io.BytesIO(sys.stdin.buffer.read())


def pieces(name: str) -> Iterator[bytes]:
    """The content of a file, or of standard input for '-', decompressed; never an empty piece.

    Raises DataError when it cannot be read or its compression is damaged.
    """
    with opened(name) as stream:
        try:
            content, begin = peeked(_ready(stream), _MAGIC)
            found = next((kind for magic, kind in _MAGIC.items() if begin.startswith(magic)), None)
            expected = split_name(name)[1] if name != "-" else None
            if expected and found != expected and begin:
                raise DataError(f"{display_name(name)} holds no {expected} data")
            yield from _DECOMPRESS[found](content) if found else content
        except (OSError, zlib.error, EOFError) as error:
            raise refused("read", display_name(name), error) from None


def peeked(content: Iterator[bytes], marks: Iterable[bytes]) -> tuple[Iterator[bytes], bytes]:
    """The same content, and as much of its begin as tells which of the marks stands there."""
    begin = next(content, b"")
    while any(len(begin) < len(mark) and mark.startswith(begin) for mark in marks):
        more = next(content, b"")
        if not more:
            break
        begin += more
    return chain([begin] if begin else [], content), begin


def _ready(stream: IO[bytes]) -> Iterator[bytes]:
    """What the stream gives: of a pipe, what comes without a pause."""
    try:
        descriptor = stream.fileno()
    except OSError:
        descriptor = -1
    if descriptor < 0 or stat.S_ISREG(os.fstat(descriptor).st_mode):
        while piece := stream.read(_PIECE):
            yield piece
        return
    while piece := os.read(descriptor, _PIECE):
        collected = [piece]
        size = len(piece)
        until = time.monotonic() + _LONGEST
        while size < _PIECE and time.monotonic() < until and _more_comes(descriptor):
            piece = os.read(descriptor, _PIECE)
            if not piece:
                break
            collected.append(piece)
            size += len(piece)
        yield b"".join(collected)


def _more_comes(descriptor: int) -> bool:
    try:
        return bool(select.select([descriptor], [], [], _GAP)[0])
    except (OSError, ValueError):  # a system that cannot ask pipes
        return False


def _gunzipped(content: Iterator[bytes]) -> Iterator[bytes]:
    """One gzip file, or several behind each other; what is there is given at once."""
    member = zlib.decompressobj(wbits=31)
    begun = False
    for piece in content:
        rest = piece
        while rest:
            begun = True
            given = member.decompress(rest, _PIECE)
            if given:
                yield given
            rest = member.unconsumed_tail
            if member.eof:
                rest = member.unused_data.lstrip(b"\0")  # tapes and some tools fill up with zeros
                member = zlib.decompressobj(wbits=31)
                begun = False
        while given := b"" if member.eof else member.decompress(b"", _PIECE):
            yield given
    if begun:
        raise EOFError("the gzip data end too early")


def _unzstd(content: Iterator[bytes]) -> Iterator[bytes]:
    """All that zstd compressed; pyarrow gives it when it has a whole piece, not as soon as it is there."""
    import pyarrow as pa

    with pa.CompressedInputStream(pa.PythonFile(Joined(content), "r"), "zstd") as stream:
        while piece := stream.read(_PIECE):
            yield piece


_DECOMPRESS = {"gzip": _gunzipped, "zstd": _unzstd}


class Joined(io.RawIOBase):
    """Pieces as a file that can only be read on."""

    def __init__(self, content: Iterator[bytes]) -> None:
        self._content = content
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, none at the end; as many where there are as many."""
        taken: list[memoryview] = []
        wanted = sys.maxsize if size is None or size < 0 else size
        while wanted:
            if not self._rest:
                self._rest = memoryview(next(self._content, b""))
                if not self._rest:
                    break
            taken.append(self._rest[:wanted])
            wanted -= len(taken[-1])
            self._rest = self._rest[len(taken[-1]) :]
        return b"".join(taken)
