"""Rows without a file: the points of a grid, made a batch at a time, so that there may be any number of them."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Generator, Sequence
from cgcli.printing.values import number
from cgcli.records import NamedTuple
from cgcli.tables.batch import Batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_ROWS = 1 << 16  # in a batch
_EXACT_BELOW = 2**52  # twice that is the last whole number before floats have gaps


class Axis(NamedTuple):
    """So many numbers at equal distances, both ends among them; a single one is the start."""

    name: str
    start: float
    stop: float
    size: int

    def points(self, at: NDArray[np.int64]) -> Floats:
        """The numbers with these indices. Where the ends are short decimals, so are those between: 0.1, 0.2, 0.3, …."""
        last = float(max(self.size - 1, 1))
        first, second, scale = self._whole(last) or (self.start, self.stop, 1.0)
        found = (first * (last - at) + second * at) / (last * scale)
        return np.where(at == 0, self.start, np.where(at == last, self.stop, found))

    def _whole(self, last: float) -> tuple[float, float, float] | None:
        """Both ends as whole numbers, and what they are to be divided by, if all that comes of them is exact."""
        first, second = Decimal(repr(self.start)), Decimal(repr(self.stop))
        digits = max(0, *(-int(end.as_tuple().exponent) for end in (first, second)))
        scale = 10**digits
        if Decimal(last) * max(scale, *(abs(end) * scale for end in (first, second))) >= _EXACT_BELOW:
            return None
        return float(first * scale), float(second * scale), float(scale)


def grid(axes: Sequence[Axis]) -> Generator[Batch, None, None]:
    """Every combination of the axes' numbers as a row; the first axis varies slowest."""
    import pyarrow as pa

    names = [axis.name for axis in axes]
    total = math.prod(axis.size for axis in axes)
    for begin in range(0, total, _ROWS):
        rest = np.arange(begin, min(begin + _ROWS, total))
        columns: list[Floats] = []
        for axis in reversed(axes):
            rest, at = np.divmod(rest, axis.size)
            columns.append(axis.points(at))
        columns.reverse()

        def place(row: int, columns: Sequence[Floats] = tuple(columns)) -> str:
            return ", ".join(
                f"{name}={number(float(column[row]))}" for name, column in zip(names, columns, strict=True)
            )

        table = pa.RecordBatch.from_arrays([pa.array(column) for column in columns], names=names)
        yield Batch(table, "the sweep", place, format="csv")
