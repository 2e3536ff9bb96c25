"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from cgcli.errors import DataError


def save(content: bytes, path: Path) -> None:
    """Put `content` into the file at `path`, which at no time holds only a part of it.

    A link stays a link, an existing file keeps its permissions, a new one obeys the umask.
    Raises DataError when that cannot be done; the file is then what it was.
    """
    try:
        if path.is_dir():
            raise DataError(f"cannot write '{path}': it is a folder", hint="name a file in it")
        if path.exists() and not path.is_file():  # a pipe or a device holds nothing to protect
            path.write_bytes(content)
        else:
            _replace(content, path.resolve())
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in the name; a loop of links
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DataError(f"cannot write '{path}': {reason[:1].lower()}{reason[1:]}") from error


def _replace(content: bytes, target: Path) -> None:
    permissions = None
    if target.is_symlink():  # resolved, and a link still: newer Pythons do not complain of a loop
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if target.exists():
        permissions = target.stat().st_mode & 0o7777
        if not os.access(target, os.W_OK):
            raise PermissionError("the file is read-only")
    # Beside the target, for only within one file system does a rename happen at once.
    # Opened with 0o666, as the umask then applies; tempfile would make a private file.
    draft = target.with_name(f".cg-{secrets.token_hex(8)}.tmp")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        if permissions is not None:
            draft.chmod(permissions)
        draft.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
