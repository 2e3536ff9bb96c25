"""The library's warnings: what is worth telling of a call, as Python tells it."""

from __future__ import annotations

import sys

from cgcli.annotations import Iterable
from cgcli.api.notices import Notice
from cgcli.errors import CgWarning


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
