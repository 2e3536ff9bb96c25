"""What is worth telling of a program at a point, and is no error; in the library, as Python's warnings."""

from __future__ import annotations

import sys

from cgcli.annotations import Any, Iterable, Mapping
from cgcli.errors import CgWarning, Span
from cgcli.records import EMPTY, NamedTuple


class Notice(NamedTuple):
    """One thing to tell: a sentence, what to do, where in the program. details: the same for programs, `kind` first.

    topic: as in CgError, where the command line has a hint of its own.
    """

    message: str
    hint: str = ""
    span: Span | None = None
    details: Mapping[str, Any] = EMPTY
    topic: str = ""


def warn(notices: Iterable[Notice]) -> None:
    """Warn of each, at the line that called the library from outside."""
    for notice in notices:
        import warnings

        frame, level = sys._getframe(), 1
        while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "cgcli":
            frame, level = frame.f_back, level + 1
        warnings.warn(
            f"{notice.message}; {notice.hint}" if notice.hint else notice.message, CgWarning, stacklevel=level
        )
