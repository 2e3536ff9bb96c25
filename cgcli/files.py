"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import sys
from abc import ABC, abstractmethod

from cgcli.annotations import IO, Self
from cgcli.errors import DataError, refused

_FLUSHED = 1 << 23  # bytes of a file that replaces another, after which the system may begin to put them on the disk
_START_WRITING = 2  # SYNC_FILE_RANGE_WRITE, of fcntl.h
_begun: set[str] = set()  # the names of files in the making


def remove_drafts() -> None:
    """Remove what files in the making hold, at the end of a process.

    There are some where a signal ended the work between two steps, as before whoever takes them back had them.
    """
    for draft in _begun:
        try:
            os.unlink(draft)
        except OSError:
            continue


def save(content: bytes, path: str) -> None:
    """Put `content` into the file at `path`, which at no time holds only a part of it.

    Raises DataError when that cannot be done; the file is then what it was.
    """
    with Draft(path) as draft:
        draft.write(content)


def folder_at(path: str) -> str:
    """A folder to write into, which is made where there is none. Raises DataError where that cannot be done."""
    with _Reasons(path):
        if os.path.exists(path) and not os.path.isdir(path):
            raise DataError(f"cannot write into '{path}': it is a file", hint="name a folder")
        os.makedirs(path, exist_ok=True)
    return path


def is_open_already(path: str) -> bool:
    """Whether a path is that of a device, a pipe or an open file, which hold nothing to protect, and not of a file."""
    return os.path.abspath(path).startswith("/dev/") or not os.path.isfile(path)


def _descriptor(path: str) -> int | None:
    """The number of an open file, /dev/stdout, /dev/stderr or /dev/fd/3; None for any other path."""
    folder, _, name = path.rpartition("/")
    if folder in ("/dev/fd", "/proc/self/fd") and name.isascii() and name.isdecimal():
        return int(name)
    return {"/dev/stdout": 1, "/dev/stderr": 2}.get(path)


class Undoable(ABC):
    """What is closed when all went well, and aborted when not; as a context, by itself."""

    @abstractmethod
    def close(self) -> None:
        """Make it real."""

    @abstractmethod
    def abort(self) -> None:
        """Make it as if nothing had been begun."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


class Draft(Undoable):
    """A file in the making: what is written becomes the file at `path` on `close`, on `abort` nothing happened.

    A link stays a link, an existing file keeps its permissions, a new one obeys the umask; a pipe
    or a device, which holds nothing to protect, and an open file are written to as they are. Every method
    raises DataError for what cannot be done.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        with _Reasons(path):
            if os.path.isdir(path):
                raise DataError(f"cannot write '{path}': it is a folder", hint="name a file in it")
            self._target = os.path.realpath(path)
            is_open = _descriptor(path) is not None or (os.path.exists(path) and is_open_already(path))
            self._whole = not is_open
            self._replaces = self._whole and os.path.exists(self._target)
            self._size = self._begun = 0  # bytes, and how many of them are on their way to the disk
            self._file, self._draft = (_opened_as_it_is(path), path) if is_open else _opened(self._target)

    def write(self, content: bytes | memoryview) -> int:
        """Add to the end; how many bytes."""
        rest = memoryview(content)
        size = len(rest)
        with _Reasons(self._path):
            while rest:
                rest = rest[self._file.write(rest) :]
        self._size += size
        if self._replaces and self._size - self._begun >= _FLUSHED:
            _begin_to_store(self._file.fileno(), self._begun, self._size - self._begun)
            self._begun = self._size
        return size

    def close(self) -> None:
        """What was written becomes the file."""
        with _Reasons(self._path):
            try:
                self._file.close()
                if self._whole:
                    if os.path.exists(self._target):
                        os.chmod(self._draft, os.stat(self._target).st_mode & 0o7777)
                    os.replace(self._draft, self._target)
                    _begun.discard(self._draft)
            except BaseException:
                self.abort()
                raise

    def abort(self) -> None:
        """Forget what was written."""
        from contextlib import suppress

        with suppress(OSError):
            self._file.close()
        if self._whole:
            with suppress(OSError):
                os.unlink(self._draft)
            _begun.discard(self._draft)


def _begin_to_store(descriptor: int, begin: int, size: int) -> None:
    """Have the system put some bytes of a file on the disk, and do not wait for that; other systems do as they do.

    Linux's ext4 lets no file take another's place before it has given all of it to the disk, and would begin then.
    """
    if sys.platform == "linux":
        import ctypes

        start = getattr(ctypes.CDLL(None), "sync_file_range", None)
        if start is not None:
            start(descriptor, ctypes.c_int64(begin), ctypes.c_int64(size), _START_WRITING)


class _Reasons:
    """The system's complaints about writing to a path, in our words; a closed pipe is none."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        # a NUL in the name is a ValueError, a loop of links a RuntimeError
        if isinstance(error, (OSError, ValueError, RuntimeError)) and not isinstance(error, BrokenPipeError):
            raise refused("write", f"'{self._path}'", error) from error


def _opened_as_it_is(path: str) -> IO[bytes]:
    """A device or a pipe, or an open file: behind what others have written there, which to open it anew would lose."""
    descriptor = _descriptor(path)
    return open(path, "wb", buffering=0) if descriptor is None else os.fdopen(os.dup(descriptor), "wb", buffering=0)


def _opened(target: str) -> tuple[IO[bytes], str]:
    """A new file to write to, and its name."""
    if os.path.islink(target):  # resolved, and a link still: newer Pythons do not complain of a loop
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise PermissionError("the file is read-only")
    # Beside the target, for only within one file system does a rename happen at once.
    # Opened with 0o666, as the umask then applies; tempfile would make a private file.
    draft = os.path.join(os.path.dirname(target), f".cg-{os.urandom(8).hex()}.tmp")
    _begun.add(draft)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(draft, flags, 0o666), "wb", buffering=0), draft
