"""What data may ask for at most, so that a file of some kilobytes cannot take the machine: the same for all formats.

The environment variable CG_LIMITS multiplies every bound: CG_LIMITS=10 for data that are large in earnest.
"""

from __future__ import annotations

import os

from cgcli.errors import DataError

VARIABLE = "CG_LIMITS"


def _times(bound: int) -> int:
    factor = os.environ.get(VARIABLE, "")
    return bound * max(int(factor), 1) if factor.isdecimal() and len(factor) < 10 else bound


MAX_RECORD = _times(1 << 23)  # bytes of one row, beyond which a quote or a bracket was surely left open
MAX_COLUMNS = _times(1 << 13)
MAX_OPEN = _times(1_000_000)  # lists and objects in each other
_ALWAYS = _times(1 << 26)  # bytes that any file may unpack to,
_RATIO = _times(200)  # and beyond them so many for each byte of the file
_CELLS = _times(1 << 24)  # cells that any table may have,
_CELLS_RATIO = _times(16)  # and beyond them so many for each byte of its text


def check_record(size: int, place: str) -> None:
    """Raise DataError where a row is too long."""
    _check(size <= MAX_RECORD, f"{place}: this row is longer than {MAX_RECORD >> 20} MB",
           "is a quote or a bracket left open? ")  # fmt: skip


def check_columns(count: int, source: str) -> None:
    """Raise DataError where there are too many columns."""
    _check(count <= MAX_COLUMNS, f"{source} has more than {MAX_COLUMNS} columns")


def check_unpacked(size: int, packed: int, source: str) -> None:
    """Raise DataError where compressed data unpack to much more than honest ones do."""
    _check(size <= max(_ALWAYS, _RATIO * packed), f"{source} unpacks to more than {_RATIO} times its size")


def check_cells(cells: int, size: int, source: str) -> None:
    """Raise DataError where a table has many more cells than its text tells, as each row has columns of its own."""
    _check(cells <= max(_CELLS, _CELLS_RATIO * size),
           f"{source} makes a table of more than {_CELLS_RATIO} cells for each byte")  # fmt: skip


def check_open(depth: int, source: str) -> None:
    """Raise DataError where brackets are in each other without end."""
    _check(depth <= MAX_OPEN, f"{source} opens more than {MAX_OPEN} brackets in each other")


def _check(holds: bool, why: str, question: str = "") -> None:
    if not holds:
        raise DataError(why, hint=f"{question}if that is meant, raise all bounds: {VARIABLE}=10 cg …")
