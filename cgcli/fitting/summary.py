"""What rows say of the parameters at one point, in memory that does not grow with them: triangles, which merge.

The Jacobian J and the residuals r of any number of rows are kept as the triangle T of the QR decomposition of [J r]:
|J d + r|^2 = |R d + q|^2 + a constant, whatever the step d (Golub and Van Loan, Matrix Computations, 5.3). The triangle
of two triangles is that of all their rows, so parts may come from different batches, processes and machines. The normal
equations J'J would square the condition number and lose half of the digits.
"""

from __future__ import annotations

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_BLOCK = 1 << 13  # rows that are decomposed together: they stay in the cache


class Summary(NamedTuple):
    """The sums over some rows at one point; it can be pickled, and merges with that of other rows.

    triangle: of [J r], of p + 1 columns. rows: how many count. cost: what the fit makes least, the sum of the squares
    of r, or of a robust loss. logs: the sum of the weights' logarithms. weight: the sum of the weights. mean,
    spread: of the left sides the weighted mean, and the weighted sum of squares about it.
    """

    triangle: Any
    rows: int
    cost: float
    logs: float
    weight: float
    mean: float
    spread: float

    @property
    def factor(self) -> Floats:
        """R, an upper triangle of shape (p, p)."""
        return self._square[:-1, :-1]

    @property
    def projected(self) -> Floats:
        """q, of p elements: R d + q is what a step d leaves of the residuals that steps can reach."""
        return self._square[:-1, -1]

    @property
    def rss(self) -> float:
        """The sum of the squares of r."""
        return float(np.sum(self._square[:, -1] ** 2))

    @property
    def size(self) -> float:
        """The root of the weighted sum of the squares of the left sides: what residuals are small against."""
        return float(np.sqrt(self.spread + self.weight * self.mean**2))

    @property
    def _square(self) -> Floats:
        """The triangle with rows of zeros, where there were too few."""
        columns = self.triangle.shape[1]
        found = np.zeros((columns, columns))
        found[: len(self.triangle)] = self.triangle
        return found

    def merged(self, other: Summary) -> Summary:
        """That of the rows of both. Means and spreads by Chan, Golub and LeVeque (1983)."""
        weight = self.weight + other.weight
        share = other.weight / weight if weight else 0.0
        apart = other.mean - self.mean
        return Summary(
            triangle(np.concatenate([self.triangle, other.triangle])), self.rows + other.rows, self.cost + other.cost,
            self.logs + other.logs, weight, self.mean + share * apart,
            self.spread + other.spread + apart**2 * share * self.weight,
        )  # fmt: skip


def summary(block: Floats, left: Floats, weights: Floats | None, cost: float | None = None) -> Summary:
    """The summary of rows. block: [J r], of shape (rows, p + 1), its rows times the roots of their weights.

    left: the left sides. weights: 1 for each row unless given. cost: the sum of the squares of r unless given.
    """
    found = block[:0]
    for begin in range(0, len(block), _BLOCK):
        found = triangle(np.concatenate([found, block[begin : begin + _BLOCK]]))
    if cost is None:
        cost = float(np.sum(block[:, -1] ** 2))
    if weights is None:
        mean = float(np.mean(left))
        return Summary(found, len(left), cost, 0.0, float(len(left)), mean, float(np.sum((left - mean) ** 2)))
    counted = weights[weights > 0]
    total = float(np.sum(weights))
    mean = float(np.sum(weights * left)) / total if total else 0.0
    spread = float(np.sum(weights * (left - mean) ** 2))
    return Summary(found, len(counted), cost, float(np.sum(np.log(counted))), total, mean, spread)


def triangle(block: Floats) -> Floats:
    """The triangle of the QR decomposition of rows; they themselves, where they are no more than it would have."""
    if len(block) <= block.shape[1]:
        return block
    return np.asarray(np.linalg.qr(block, mode="r"))
