"""Arrays of rows that are read again and again: in memory as many as a bound allows, the others in a temporary file."""

from __future__ import annotations

import tempfile
from itertools import islice

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Iterator, Sequence
from cgcli.tables.temporary import keeping

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BYTES = 1 << 26  # in memory


class Kept:
    """Blocks of rows, each with an array for every column; iterate as often as you like, one at a time.

    rows: how many there are; bytes: what they take. spilled: whether some wait in a file.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._parts: list[tuple[str, int]] = []  # a name for each, and how many blocks it has
        self._held: list[Sequence[NDArray[Any]]] = []
        self._file: Any = None
        self._in_file: list[int] = []  # how many arrays each block there has
        self.rows = self.bytes = 0

    @property
    def spilled(self) -> bool:
        return self._file is not None

    def add(self, arrays: Sequence[NDArray[Any]], rows: int, part: str = "") -> None:
        """Take a block of so many rows; with another part than that before it begins one.

        Raises DataError where the file does not take it.
        """
        name, count = self._parts.pop() if self._parts and self._parts[-1][0] == part else (part, 0)
        self._parts.append((name, count + 1))
        self.rows += rows
        self.bytes += sum(array.nbytes for array in arrays)
        if self.bytes <= self._most:
            self._held.append(arrays)
            return
        with keeping("the rows"):
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 (it goes when this object does)
            self._in_file.append(len(arrays))
            for array in arrays:
                np.save(self._file, np.ascontiguousarray(array), allow_pickle=False)
            self._file.flush()

    def __iter__(self) -> Iterator[Sequence[NDArray[Any]]]:
        yield from self._held
        if self._file is not None:
            self._file.seek(0)
        for count in self._in_file:
            yield [np.load(self._file, allow_pickle=False) for _ in range(count)]

    def parts(self) -> Iterator[Iterator[Sequence[NDArray[Any]]]]:
        """The blocks of each part, to be taken before those of the next."""
        blocks = iter(self)
        for _, count in self._parts:
            yield islice(blocks, count)
