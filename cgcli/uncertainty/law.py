"""The law of propagation of uncertainty: what a result inherits from its inputs, to the first and the second order.

After the Guide to the expression of uncertainty in measurement, JCGM 100:2008, 5.1.2 and 5.2.2, and for trials with
random numbers its Supplement 1, JCGM 101:2008. A part is the change of the result with one standard uncertainty of an
input; its parts stand along the last axis of an array.
"""

from __future__ import annotations

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Iterator, Sequence
from cgcli.errors import UsageError
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_ROUNDING = 1e-12  # of eigenvalues that are 0
_COVERAGE = (0.025, 0.975)  # of 95 % of the trials
_BLOCK = 1 << 16  # trials that are made together


class Correlations(NamedTuple):
    """Which inputs are correlated: pairs of positions, and the correlation coefficient of each."""

    pairs: Sequence[tuple[int, int, float]] = ()

    def check(self, names: Sequence[str]) -> None:
        """Raise UsageError where no quantities have all these correlations together."""
        for one, other, r in self.pairs:
            if not -1 <= r <= 1:
                raise UsageError(f"the correlation of '{names[one]}' and '{names[other]}' is from -1 to 1, not {r:g}")
            if one == other:
                raise UsageError(f"'{names[one]}' is correlated with itself", hint="a correlation is that of two names")
        if self.pairs and (least := float(np.linalg.eigvalsh(self._matrix)[0])) < -_ROUNDING * len(self._members):
            raise UsageError("no quantities have all these correlations together: their matrix is not positive "
                             f"semidefinite, with an eigenvalue of {least:.3g}",
                             hint="correlations nearer to 0 can be")  # fmt: skip

    @property
    def _members(self) -> list[int]:
        """The positions that stand in a pair."""
        return sorted({at for one, other, _ in self.pairs for at in (one, other)})

    @property
    def _matrix(self) -> Floats:
        """The correlation matrix of the members."""
        place = {at: row for row, at in enumerate(self._members)}
        matrix = np.eye(len(place))
        for one, other, r in self.pairs:
            matrix[place[one], place[other]] = matrix[place[other], place[one]] = r
        return matrix

    def coupled(self, parts: Floats) -> Floats:
        """The product of the parts with the correlation matrix of all inputs."""
        found = parts.copy()
        for one, other, r in self.pairs:
            found[..., one] += r * parts[..., other]
            found[..., other] += r * parts[..., one]
        return found

    def combined(self, parts: Floats) -> tuple[Floats, Floats]:
        """The combined standard uncertainty, and the share that each part has in its square; they sum to 1."""
        size = np.max(np.abs(parts), axis=-1, keepdims=True, initial=0.0)
        scaled = parts / np.where(size > 0, size, 1.0)
        shares = scaled * self.coupled(scaled)
        total = np.maximum(np.sum(shares, axis=-1, keepdims=True), 0.0)
        return (size * np.sqrt(total))[..., 0], shares / np.where(total > 0, total, 1.0)

    def second_order(self, parts: Floats) -> tuple[Floats, Floats]:
        """What second derivatives add: the standard uncertainty of the quadratic terms, and the shift of the mean.

        parts: u_i H_ij u_j, of shape (…, n, n). For inputs of normal distributions, of covariance V, these are
        sqrt(tr(HVHV)/2) and tr(HV)/2; without correlations the former is that of the note to JCGM 100, 5.1.2.
        """
        product = self.coupled(parts)
        squares = np.sum(product * np.swapaxes(product, -1, -2), axis=(-2, -1))
        return np.sqrt(np.maximum(squares / 2, 0.0)), np.trace(product, axis1=-2, axis2=-1) / 2

    def trials(self, inputs: int, count: int, seed: int) -> Iterator[Floats]:
        """Standard normal numbers with these correlations, in blocks of shape (trials, inputs)."""
        random = np.random.default_rng(seed)
        members = self._members
        if members:
            values, vectors = np.linalg.eigh(self._matrix)
            root = vectors * np.sqrt(np.maximum(values, 0.0))
        for begin in range(0, count, _BLOCK):
            normal = random.standard_normal((min(_BLOCK, count - begin), inputs))
            if members:
                normal[:, members] = normal[:, members] @ root.T
            yield normal


def statistics(trials: Floats) -> list[Floats]:
    """Of the trials along the first axis the mean, the standard deviation, and the ends of the middle 95 %."""
    return [np.mean(trials, axis=0), np.std(trials, axis=0, ddof=1), *np.quantile(trials, _COVERAGE, axis=0)]
