"""Sums and means of a program's results over rows, exact until they are rounded in the end; those of parts merge."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Mapping
from cgcli.errors import ShapeError
from cgcli.evaluate.exact_sums import ExactSum
from cgcli.graph.shapes import two_shapes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Sums:
    """Results added up over rows, by the names of their columns; `ColumnFunction.sums` makes them.

    rows: how many count. Sums of parts of the rows, which can be pickled, add up to those of all: `one + other`, or
    `sum(parts)`. No grouping and no order of the rows changes a bit of the results.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._sums: dict[str, ExactSum] = {}

    def add(self, results: Mapping[str, NDArray[np.float64]]) -> None:
        """Add the rows of arrays of shape (rows, *shape)."""
        part = Sums()
        for name, array in results.items():
            part._sums[name] = ExactSum(array.shape[1:])
            part._sums[name].add(array)
            part.rows = len(array)
        self._merge(part)

    def _merge(self, other: Sums) -> None:
        """Add what other rows have. Raises ShapeError where their results have other shapes."""
        if not self.rows and other._sums:  # what no row tells is not known: the shapes of arrays
            self._sums = {}
        for name, found in other._sums.items() if other.rows or not self._sums else ():
            mine = self._sums.setdefault(name, ExactSum(found.shape))
            if mine.shape != found.shape:
                raise ShapeError(f"'{name}' cannot be added up: some rows have {two_shapes(mine.shape, found.shape)}")
            mine.merge(found)
        self.rows += other.rows

    def __add__(self, other: Sums | int) -> Sums:
        if other == 0:
            return self
        if not isinstance(other, Sums):
            return NotImplemented
        found = Sums()
        found._merge(self)
        found._merge(other)
        return found

    __radd__ = __add__

    def sum(self) -> dict[str, Any]:
        """The sums by name, floats or arrays: each is the float next to the exact sum."""
        return {name: found.total() for name, found in self._sums.items()}

    def mean(self) -> dict[str, Any]:
        """The means by name, each the float next to the exact one; nan where there are no rows."""
        return {name: found.mean() for name, found in self._sums.items()}

    def __repr__(self) -> str:
        return f"<sums of {', '.join(self._sums) or 'nothing'} over {self.rows} rows>"
