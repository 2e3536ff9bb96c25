"""How far a long work over rows has come: one line on standard error, if that is a terminal."""

from __future__ import annotations

import os
import sys
import time

from cgcli.annotations import Sequence
from cgcli.tables.batch import Batch
from cgcli.tables.formats import split_name

_SILENT = 2.0  # seconds for which nothing is said,
_PAUSE = 0.5  # and between two lines
_CLEAR = "\r\033[K"


class Progress:
    """Counts rows, and shows them when it takes long.

    rows: how many are done. total: how many there will be, or how many bytes of text; None when nobody knows.
    """

    def __init__(self, *, quiet: bool, rows: int | None = None, files: Sequence[str] = ()) -> None:
        self.rows = 0
        self._done = 0
        self._shown = False
        self._begin = time.monotonic()
        silent = quiet or sys.stderr is None or not sys.stderr.isatty()
        self._next = float("inf") if silent else self._begin + _SILENT
        if rows is None and not silent and _are_parquet(files):
            from cgcli.tables.columnar import parquet_rows

            rows = parquet_rows(files)
        self._counts_rows = rows is not None
        self._total = rows if rows is not None else _bytes_of_text(files)

    def add(self, batch: Batch) -> None:
        """These rows are done, too."""
        self.rows += len(batch)
        self._done += len(batch) if self._counts_rows else batch.size
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _PAUSE
            self._shown = True
            share = self._done / self._total if self._total else None
            sys.stderr.write(_CLEAR + line(self.rows, now - self._begin, share))
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away, before anything else is written to the terminal."""
        if self._shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
            self._shown = False


def line(rows: int, seconds: float, share: float | None) -> str:
    """`1,200,000 rows, 400,000 rows/s, 0:07 left`. share: how much of all is done, if that is known."""
    parts = [f"{rows:,} rows", f"{rows / seconds:,.0f} rows/s"]
    if share:
        minutes, rest = divmod(max(round(seconds * (1 / share - 1)), 0), 60)
        hours, minutes = divmod(minutes, 60)
        parts.append((f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}") + " left")
    return ", ".join(parts)


def _are_parquet(files: Sequence[str]) -> bool:
    kinds = [split_name(name) for name in files]
    return bool(kinds) and all(kind and kind.name == "parquet" and not compression for kind, compression in kinds)


def _bytes_of_text(files: Sequence[str]) -> int | None:
    """How much text there is in files; None where some of them are no plain text or no files."""
    kinds = [split_name(name) for name in files]
    if not all(kind is not None and kind.is_text and not compression for kind, compression in kinds):
        return None
    return sum(os.path.getsize(name) for name in files)
