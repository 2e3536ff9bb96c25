"""Sums over rows that are exact, so that no order of the rows, and no way to share them out, changes a bit of them.

A sum is a whole number of units that every float is a multiple of, as long as it takes; these add up in any order.
Blocks of rows are brought there by an error-free transformation: of each number the bits above a limit are split off,
whose sum is then exact in float64, until nothing is left (Rump, Ogita and Oishi (2008), Accurate floating-point
summation, part I).
"""

from __future__ import annotations

import math

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.graph.operation import Shape

_ROWS_BITS = 13  # of a block: so many bits of a float are for the sum of its rows, all others for one of them
_BLOCK = 1 << _ROWS_BITS
_MOST_NUMBERS = 1 << 16  # in a block, so that the cache holds them,
_FEWEST_ROWS = 64  # unless these are more
_UNIT = 1126  # sums are whole numbers times 2^-1126: the last of the 53 bits of the smallest float
_LARGE = 2.0**1000  # numbers beyond have no room for the limit above them


class ExactSum:
    """The sum of arrays of one shape; it can be pickled, and merged with others. rows: how many there are."""

    def __init__(self, shape: Shape) -> None:
        self.rows = 0
        self.shape = shape
        self._wholes = [0] * math.prod(shape)
        self._others = np.zeros(math.prod(shape))  # the sum of nan and infinities

    def add(self, array: NDArray[np.float64]) -> None:
        """Add an array of shape (rows, *shape)."""
        self.rows += len(array)
        columns = array.reshape(len(array), len(self._wholes)).T
        size = max(min(_BLOCK, _MOST_NUMBERS // max(len(columns), 1)), _FEWEST_ROWS)
        for begin in range(0, len(array), size):
            self._add(np.array(columns[:, begin : begin + size], order="C"))

    def _add(self, block: NDArray[np.float64]) -> None:
        """Add the numbers of each row of a block, which is changed."""
        most = _largest(block)
        if not np.isfinite(most).all():
            finite = np.isfinite(block)
            with np.errstate(invalid="ignore"):
                self._others += np.where(finite, 0.0, block).sum(axis=1)
            block[~finite] = 0.0
            most = _largest(block)
        if (most >= _LARGE).any():
            for column in block.T:
                self._add_units(column)
            return
        high = np.empty_like(block)
        while most.any():
            limit = np.ldexp(1.5, np.frexp(most)[1] + _ROWS_BITS)[:, None]
            np.add(block, limit, out=high)
            np.subtract(high, limit, out=high)
            self._add_units(high.sum(axis=1))
            np.subtract(block, high, out=block)
            most = _largest(block)

    def _add_units(self, numbers: NDArray[np.float64]) -> None:
        """Add a number to each sum, as so many units."""
        for at, (fraction, exponent) in enumerate(map(math.frexp, numbers.tolist())):
            self._wholes[at] += int(fraction * 2.0**53) << (exponent + _UNIT - 53)

    def merge(self, other: ExactSum) -> None:
        """Add what another has."""
        self.rows += other.rows
        self._wholes = [one + two for one, two in zip(self._wholes, other._wholes, strict=True)]
        with np.errstate(invalid="ignore"):
            self._others = self._others + other._others

    def total(self) -> Any:
        """The sum: the float next to the exact one, or an array of such."""
        return self._rounded(1)

    def mean(self) -> Any:
        """The mean, rounded likewise; nan where there are no rows."""
        return self._rounded(self.rows)

    def _rounded(self, divisor: int) -> Any:
        found = [_divided(whole, divisor) for whole in self._wholes]
        with np.errstate(invalid="ignore"):
            array = (np.array(found, np.float64) + self._others).reshape(self.shape)
        return array if self.shape else float(array)


def _largest(block: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest size of a number in each row."""
    found: NDArray[np.float64] = np.maximum(block.max(axis=1), -block.min(axis=1))
    return found


def _divided(whole: int, divisor: int) -> float:
    """So many units, divided."""
    if not divisor:
        return math.nan
    try:
        return whole / (divisor << _UNIT)
    except OverflowError:
        return math.inf if whole > 0 else -math.inf
