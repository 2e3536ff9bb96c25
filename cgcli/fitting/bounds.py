"""Bounds of parameters, and random starts within them."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Iterator
from cgcli.ops.lazily import np
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_DECADES = 1.0  # that random starts are away from the given one, at most


class Bounds(NamedTuple):
    """The least and the greatest value of each parameter; infinities where there is none."""

    low: Floats
    high: Floats

    def cut(self, values: Floats) -> Floats:
        """The nearest values within."""
        return np.clip(values, self.low, self.high)

    def holds(self, values: Floats) -> bool:
        """Whether all values are within."""
        return bool(np.all((values >= self.low) & (values <= self.high)))

    def starts(self, start: Floats, count: int, seed: int) -> Iterator[Floats]:
        """The given start, then random ones: between two bounds, or up to ten times nearer to 0 or farther from it."""
        yield start
        if count > 1:
            random = np.random.default_rng(seed)
            between = np.isfinite(self.low) & np.isfinite(self.high)
            low, width = np.where(between, self.low, 0.0), np.where(between, self.high - self.low, 1.0)
            for _ in range(count - 1):
                share, normal = random.uniform(size=len(start)), random.normal(size=len(start))
                near = np.where(start != 0, start * 10.0 ** (_DECADES * (2 * share - 1)), normal)
                yield self.cut(np.where(between, low + share * width, near))
