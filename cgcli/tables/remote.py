"""Files in object stores, by URI: `s3://bucket/a.parquet`, through pyarrow's file systems."""

from __future__ import annotations

import os
import re
from functools import lru_cache

from cgcli.annotations import IO, TYPE_CHECKING, Any
from cgcli.errors import DataError, refused
from cgcli.files import Undoable
from cgcli.tables.temporary import keeping

if TYPE_CHECKING:
    import pyarrow.fs

_MARK = "://"
_STORES = ("s3", "gs", "gcs")  # whose paths begin with the bucket
_GOOGLE = re.compile(r"google::cloud::Status\((?P<kind>\w+): .*?last message of (?P<why>.*?)(\.? error_info|\. |\)|$)")
_PIECE = 1 << 23  # bytes that are asked for at once


def is_remote(name: str) -> bool:
    """Whether a name is a URI."""
    return _MARK in name


def split_uri(uri: str) -> tuple[str, str, str]:
    """Its begin, as `s3://`, its path, and the settings behind it, as `?region=eu-central-1`."""
    scheme, _, rest = uri.partition(_MARK)
    path, mark, query = rest.partition("?")
    return scheme + _MARK, path, mark + query


def shown(name: str) -> str:
    """A name as messages have it: of a URI without what may be secret."""
    if not is_remote(name):
        return name
    scheme, path, _ = split_uri(name)
    return scheme + path[path.partition("/")[0].rfind("@") + 1 :]


def joined(base: str, below: str) -> str:
    """The name of what lies below a folder."""
    if not is_remote(base):
        return os.path.join(base, *below.split("/"))
    scheme, path, query = split_uri(base)
    return f"{scheme}{path.rstrip('/')}/{below}{query}"


def file_at(name: str) -> tuple[pyarrow.fs.FileSystem, str]:
    """The file system of a path or a URI, and the path there. Raises DataError where there is none."""
    import pyarrow as pa
    from pyarrow import fs

    if not is_remote(name):
        return fs.LocalFileSystem(), name
    scheme, path, query = split_uri(name)
    try:
        if scheme.removesuffix(_MARK) in _STORES:  # whose paths stand as they are, blanks and percent signs included
            bucket, _, key = path.partition("/")
            return _store(f"{scheme}{bucket}{query}"), "/".join(filter(None, [bucket.rpartition("@")[2], key]))
        found: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(name)
    except (OSError, pa.ArrowException) as error:
        hint = "files are read from s3://, gs:// and file://, and what a pipe brings as '-'"
        raise DataError(f"cannot use '{shown(name)}': {_reason(error)}", hint=hint) from None
    return found


@lru_cache
def _store(root: str) -> pyarrow.fs.FileSystem:
    from pyarrow import fs

    return fs.FileSystem.from_uri(root)[0]


def opened(uri: str) -> IO[bytes]:
    """A file to read from its begin to its end. Raises DataError."""
    filesystem, path = file_at(uri)
    try:
        stream: IO[bytes] = filesystem.open_input_stream(path, compression=None, buffer_size=_PIECE)
    except OSError as error:
        raise failed("read", uri, error) from None
    return stream


class Upload(Undoable):
    """An object in the making: it appears when all of it is there, on `abort` nothing happened.

    Until then its bytes wait in a temporary file, since an upload that is broken off may leave a part of it.
    """

    def __init__(self, uri: str) -> None:
        from tempfile import TemporaryFile

        if split_uri(uri)[1].endswith("/"):
            raise DataError(f"cannot write '{shown(uri)}': it is a folder", hint="name a file in it")
        self._uri = uri
        self._filesystem, self._path = file_at(uri)
        with keeping(f"'{shown(uri)}'"):
            self._file = TemporaryFile()  # noqa: SIM115 (it goes when this object does)

    def write(self, content: bytes | memoryview) -> int:
        """Add to the end; how many bytes."""
        with keeping(f"'{shown(self._uri)}'"):
            return self._file.write(content)

    def close(self) -> None:
        """Send it."""
        try:
            self._file.seek(0)
            with self._filesystem.open_output_stream(self._path, compression=None) as stream:
                while piece := self._file.read(_PIECE):
                    stream.write(piece)
        except OSError as error:
            raise failed("write", self._uri, error) from None
        finally:
            self._file.close()

    def abort(self) -> None:
        """Forget it."""
        self._file.close()


def failed(what: str, uri: str, error: OSError) -> DataError:
    """The error for an object that cannot be read or written (`what`)."""
    google = _GOOGLE.search(str(error))  # who tells of policies, retries and metadata, too
    if google:
        error = OSError(f"{google['kind'].lower().replace('_', ' ')}: {google['why']}")
    return refused(what, f"'{shown(uri)}'", error)


def _reason(error: Any) -> str:
    text = getattr(error, "strerror", None) or str(error).partition("\n")[0]
    return str(text).removesuffix(".")
