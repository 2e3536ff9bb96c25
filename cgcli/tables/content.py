"""What a file or standard input holds, decompressed: pieces of bytes, each as soon as it is there, or a file."""

from __future__ import annotations

import io
import os
import select
import stat
import sys
import time
import zlib
from contextlib import contextmanager
from itertools import chain

from cgcli.annotations import IO, Any, Callable, Iterable, Iterator
from cgcli.errors import DataError, UsageError, refused
from cgcli.tables.bounds import check_unpacked
from cgcli.tables.remote import is_remote, opened, shown
from cgcli.tables.temporary import keeping

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".xz": "xz"}  # suffixes, and pyarrow's names
_PIECE = 1 << 20  # bytes of a piece: as many as caches hold
_FIRST = 4  # the part of that which the first piece of a file has, so that what comes next begins soon
_GAP = 0.002  # seconds that a pipe may pause before what came is handed on,
_LONGEST = 0.02  # and from the first byte of a piece to its last
_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    **{bytes([0x50 + at]) + b"\x2a\x4d\x18": "zstd" for at in range(16)},  # a frame to be skipped comes first
    b"BZh": "bz2",
    b"\xfd7zXZ\0": "xz",
}
_FOREIGN = {  # how other data begin, and what they are
    b"\x04\x22\x4d\x18": "lz4 data",
    b"\x1f\x9d": "data of compress",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!\x1a": "a rar archive",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"SQLite format 3\0": "an SQLite database",
    b"\x89HDF": "HDF5 data",
    b"Obj\x01": "Avro data",
    b"%PDF-": "a PDF",
    b"<?xml": "XML",
    b"<!DOCTYPE": "HTML",
}
_TAR_AT, _TAR = 257, b"ustar"
_XZ_MEMORY = 1 << 27  # bytes that a file may ask for to be decompressed
_FILLING = b"\xff" * _PIECE  # a byte that stands in no text


class Content:
    """The bytes of a file, or of standard input for '-'.

    source: what messages call it. begin: the first bytes, as many as tell which of the `marks` stands there.
    pieces: all bytes, never an empty piece; they raise DataError when they cannot be read or their compression is
    damaged. They can be read once, either here or as a file.
    """

    def __init__(self, name: str, marks: Iterable[bytes]) -> None:
        self.name = name
        self.source = "standard input" if name == "-" else shown(name)
        self.quoted = _displayed(name)
        self._packed = _Packed()
        self.pieces, self.begin = peeked(_pieces(name, self._packed), marks)
        is_tar = self.begin[_TAR_AT:].startswith(_TAR)
        foreign = next((what for mark, what in _FOREIGN.items() if self.begin.startswith(mark)), "")
        if is_tar or foreign:
            raise DataError(f"{self.quoted} holds {foreign or 'a tar archive'}, which cg does not read",
                            hint="unpack or export it: CSV, JSON, Parquet and Arrow are read")  # fmt: skip

    @contextmanager
    def as_file(self) -> Iterator[str]:
        """The path of a file that holds the bytes, within the `with` block: itself, or a copy.

        Raises DataError when there is no room for a copy.
        """
        if self.is_plain():
            yield self.name
            return
        from tempfile import TemporaryDirectory

        with keeping(f"a copy of {self.name}"):
            made = TemporaryDirectory(prefix="cg-")
        with made as folder:
            path = os.path.join(folder, "content")
            with keeping(f"a copy of {self.name}"), open(path, "wb") as file:
                for piece in self.pieces:
                    file.write(piece)
                    check_unpacked(file.tell(), self._packed.size, self.source)
            yield path

    def in_large_pieces(self) -> None:
        """Have more come together from a file, for a reader that does much once for a piece, and little for a row."""
        self._packed.most = 2

    @property
    def size(self) -> int:
        """How many bytes there are before they are decompressed, as far as they were read where this is no file."""
        return os.path.getsize(self.name) if self.is_plain() else self._packed.size

    def is_plain(self) -> bool:
        """Whether the name is that of a file on disk that holds the content as it is, not compressed."""
        if self.name == "-" or is_remote(self.name) or not stat.S_ISREG(os.stat(self.name).st_mode):
            return False
        with open(self.name, "rb") as file:
            return file.read(len(self.begin)) == self.begin


class _Packed:
    """How many bytes were read, before they were decompressed, and how many times a piece come together from a file."""

    size = 0
    most = 1

    def all_of(self, content: Iterator[bytes]) -> Iterator[bytes]:
        for piece in content:
            self.size += len(piece)
            yield piece


def _displayed(name: str) -> str:
    return "standard input" if name == "-" else f"'{shown(name)}'"


def _pieces(name: str, packed: _Packed) -> Iterator[bytes]:
    """A function, and no method: where it is the last to know its file, that is closed as soon as nobody reads it."""
    with _opened(name) as stream:
        try:
            content, begin = peeked(packed.all_of(_bursts(stream, packed)), _MAGIC)
            found = next((kind for magic, kind in _MAGIC.items() if begin.startswith(magic)), None)
            expected = COMPRESSIONS.get(os.path.splitext(shown(name).lower())[1])
            if expected and found != expected and begin:
                raise DataError(f"{_displayed(name)} holds no {expected} data")
            yield from _DECOMPRESS[found](content) if found else content
        except (OSError, zlib.error, EOFError) as error:
            raise refused("read", _displayed(name), error) from None


def _opened(name: str) -> IO[bytes]:
    """Raises DataError when there is no such file, UsageError when standard input is closed."""
    if is_remote(name):
        return opened(name)
    if name != "-":
        try:
            return open(name, "rb", buffering=0)
        except (OSError, ValueError) as error:
            raise refused("read", _displayed(name), error) from None
    if sys.stdin is None:
        raise UsageError("standard input is closed")
    try:
        return os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    except OSError:  # a stand-in without a descriptor, when cg is called from Python
        return io.BytesIO(sys.stdin.buffer.read())


def peeked(content: Iterator[bytes], marks: Iterable[bytes]) -> tuple[Iterator[bytes], bytes]:
    """The same content, and as much of its begin as tells which of the marks stands there."""
    begin = next(content, b"")
    while any(len(begin) < len(mark) and mark.startswith(begin) for mark in marks):
        more = next(content, b"")
        if not more:
            break
        begin += more
    return chain([begin] if begin else [], content), begin


def _bursts(stream: IO[bytes], packed: _Packed) -> Iterator[bytes]:
    """The bytes of a stream in pieces; of a pipe, what comes without a pause is one."""
    try:
        descriptor = stream.fileno()
    except OSError:
        descriptor = -1
    if descriptor < 0 or stat.S_ISREG(os.fstat(descriptor).st_mode):
        size = max(_PIECE // _FIRST, 1)
        while piece := stream.read(min(size, packed.most * _PIECE)):
            yield piece
            size *= 2
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


class _Gunzip:
    """zlib's decompressor, to be called as those of bz2 and lzma are."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, content: bytes, most: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + content, most)


def _gunzipped(content: Iterator[bytes]) -> Iterator[bytes]:
    return _decompressed(content, _Gunzip, "gzip")


def _unbz2(content: Iterator[bytes]) -> Iterator[bytes]:
    from bz2 import BZ2Decompressor

    return _decompressed(content, BZ2Decompressor, "bz2")


def _unxz(content: Iterator[bytes]) -> Iterator[bytes]:
    from lzma import LZMADecompressor, LZMAError

    try:
        yield from _decompressed(content, lambda: LZMADecompressor(memlimit=_XZ_MEMORY), "xz")
    except LZMAError as error:
        raise EOFError(f"the xz data are damaged: {error}") from None


def _decompressed(content: Iterator[bytes], make: Callable[[], Any], name: str) -> Iterator[bytes]:
    """One compressed file, or several behind each other; what is there is given at once.

    make: makes what decompresses one file, as bz2 has it. name: of the compression.
    """
    member = make()
    begun = False
    for piece in content:
        rest, given = piece, b""
        while rest or given:
            begun = begun or bool(rest)
            given = member.decompress(rest, _PIECE)
            if given:
                yield given
            rest = b""
            if member.eof:
                rest = member.unused_data.lstrip(b"\0")  # tapes and some tools fill up with zeros
                member, begun, given = make(), False, b""
    if begun:
        raise EOFError(f"the {name} data end too early")


def _unzstd(content: Iterator[bytes]) -> Iterator[bytes]:
    """All that zstd compressed; pyarrow gives it when it has a whole piece, not as soon as it is there."""
    import pyarrow as pa

    buffer = bytearray(_PIECE)
    with pa.CompressedInputStream(pa.PythonFile(Joined(content), "r"), "zstd") as stream:
        while True:
            buffer[:] = _FILLING
            try:
                size = stream.readinto(buffer)
            except OSError:  # what came before the damage stands in the buffer
                yield bytes(buffer.rstrip(_FILLING[:1]))
                raise
            if not size:
                return
            yield bytes(buffer[:size])


_DECOMPRESS = {"gzip": _gunzipped, "zstd": _unzstd, "bz2": _unbz2, "xz": _unxz}


class Joined(io.RawIOBase):
    """Pieces as a file that can only be read on."""

    def __init__(self, content: Iterator[bytes | memoryview]) -> None:
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
