"""How far a long work over rows has come: tqdm's bar on standard error, if that is a terminal."""

from __future__ import annotations

import os
import sys
import time

from cgcli.annotations import Any, Iterable, Iterator, Sequence, TypeVar
from cgcli.tables.arrow import joined
from cgcli.tables.batch import Batch
from cgcli.tables.formats import split_name
from cgcli.tables.remote import is_remote

Result = TypeVar("Result")

_SILENT = 2.0  # seconds for which nothing is shown,
_PAUSE = 0.5  # and between two changes
_WIDTH, _HEIGHT = 80, 24  # characters, where a terminal does not know its own


class Progress:
    """Counts rows, and shows when it takes long how far the input is read.

    rows: how many are done, of those that count. unit: of what the total counts, where it is known.
    """

    def __init__(self, *, quiet: bool, rows: int | None = None, files: Sequence[str] = (), unit: str = " rows") -> None:
        self.rows = 0
        self._read = 0
        self._bar: Any = None
        self._begin = time.monotonic()
        silent = quiet or sys.stderr is None or not sys.stderr.isatty()
        self._next = float("inf") if silent else self._begin + _SILENT
        if rows is None and not silent and _are_parquet(files):
            from cgcli.tables.columnar import parquet_rows

            rows = parquet_rows(files)
        self._unit = unit
        self._counts_rows = rows is not None
        self._total = rows if rows is not None else _bytes_of_text(files)

    def of(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches, of which each counts as read when the next one is asked for."""
        for batch in batches:
            yield batch
            self._read += len(batch) if self._counts_rows or batch.lines is None else len(joined(batch.lines))

    def add(self, batch: Batch) -> None:
        """These rows are done, too."""
        self.rows += len(batch)
        self._show()

    @classmethod
    def of_files(cls, results: Iterable[Result], total: int, quiet: bool) -> Iterator[Result]:
        """The same results, one for each file, of so many; the bar counts files."""
        progress = cls(quiet=quiet, rows=total, unit=" files")
        try:
            for result in results:
                progress._read += 1
                progress._show()
                yield result
        finally:
            progress.clear()

    def _show(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _PAUSE
        if self._bar is None:
            self._bar = self._begun()
        self._bar.set_postfix_str("" if self._counts_rows else f"{self.rows:,} rows", refresh=False)
        self._bar.n = self._read
        self._bar.refresh()

    def _begun(self) -> Any:
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread that looks after bars
        unit = self._unit if self._counts_rows else "B"
        size: dict[str, Any] = {"dynamic_ncols": True} if _has_size() else {"ncols": _WIDTH, "nrows": _HEIGHT}
        is_large = self._total is None or self._total >= 1000
        bar = tqdm(
            total=self._total, unit=unit, unit_scale=is_large, leave=False, file=sys.stderr, delay=_PAUSE, **size
        )
        bar.start_t -= time.monotonic() - self._begin
        return bar

    def clear(self) -> None:
        """Take the bar away, before anything else is written to the terminal."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _has_size() -> bool:
    """Whether the terminal knows its size; one that a program has opened for another may not."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (OSError, ValueError):
        return False


def _are_parquet(files: Sequence[str]) -> bool:
    kinds = [split_name(name) for name in files]
    return bool(kinds) and all(kind and kind.name == "parquet" and not compression for kind, compression in kinds)


def _bytes_of_text(files: Sequence[str]) -> int | None:
    """How much text there is in files; None where some of them are no plain text or no files."""
    kinds = [split_name(name) for name in files]
    if not all(kind is not None and kind.is_text and not compression for kind, compression in kinds):
        return None
    return None if any(map(is_remote, files)) else sum(os.path.getsize(name) for name in files)
