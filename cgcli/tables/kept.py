"""Arrays of rows that are read again and again: in memory as many as a bound allows, the others in a temporary file."""

from __future__ import annotations

import tempfile

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Iterator, Sequence

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BYTES = 1 << 26  # in memory


class Kept:
    """Blocks of rows, each with an array for every column; iterate as often as you like, one at a time.

    rows: how many there are. spilled: whether some wait in a file.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._left = most_bytes
        self._held: list[Sequence[NDArray[Any]]] = []
        self._file: Any = None
        self._in_file: list[int] = []  # how many arrays each block there has
        self.rows = 0

    @property
    def spilled(self) -> bool:
        return self._file is not None

    def add(self, arrays: Sequence[NDArray[Any]], rows: int) -> None:
        """Take a block of so many rows. Raises OSError where the file does not take it."""
        self.rows += rows
        self._left -= sum(array.nbytes for array in arrays)
        if self._left >= 0:
            self._held.append(arrays)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 (it goes when this object does)
        self._in_file.append(len(arrays))
        for array in arrays:
            np.save(self._file, np.ascontiguousarray(array), allow_pickle=False)

    def __iter__(self) -> Iterator[Sequence[NDArray[Any]]]:
        yield from self._held
        if self._file is not None:
            self._file.seek(0)
        for count in self._in_file:
            yield [np.load(self._file, allow_pickle=False) for _ in range(count)]
