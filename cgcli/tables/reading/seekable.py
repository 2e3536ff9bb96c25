"""A source as a file that can be read from anywhere: itself where it is one, else a copy for the time being."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cgcli.errors import DataError


@contextmanager
def seekable(name: str, content: Iterator[bytes], begin: bytes) -> Iterator[str]:
    """The path of a file that holds the content, which begins so; it holds it within the `with` block.

    Raises DataError when there is no room for a copy.
    """
    if is_plain(name, begin):
        yield name
        return
    with TemporaryDirectory(prefix="cg-") as folder:
        path = os.path.join(folder, "content")
        copied(content, path, name)
        yield path


def copied(content: Iterator[bytes], path: str, name: str) -> None:
    """Writes the content to a new file."""
    try:
        with open(path, "wb") as file:
            file.writelines(content)
    except OSError as error:
        raise DataError(f"cannot keep a copy of {name}: {error.strerror}") from None


def is_plain(name: str, begin: bytes) -> bool:
    """Whether a name is that of a file on disk that holds the content as it is, not compressed."""
    if name == "-" or not stat.S_ISREG(os.stat(name).st_mode):
        return False
    with Path(name).open("rb") as file:
        return file.read(len(begin)) == begin
