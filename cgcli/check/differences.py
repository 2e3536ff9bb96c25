"""Numeric derivatives of a function on a line: difference quotients, and how far each can be trusted.

Nothing here knows of graphs. A step that is too long is wrong by truncation, one that is too
short by rounding; so there is a ladder of steps, and what is taken is the longest step whose
quotient agrees, within rounding, with those of all shorter ones (Lepski's method).
"""

from __future__ import annotations

import math

import numpy as np

from cgcli.annotations import TYPE_CHECKING
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_SHORTEST, _LONGEST = -48, -3  # in powers of two, relative to the number that moves
_RUNG = 3  # a step is 2^3 times the one before
_MAX_RUNGS = 24
_EPSILON = 2.0**-52


def ladder(size: float) -> list[float]:
    """Steps for a number of this size, the shortest first: powers of two, up to 1/8 of it (of 1, where it is less)."""
    exponent = math.frexp(size)[1]
    low, high = max(exponent + _SHORTEST, -1060), max(exponent, 1) + _LONGEST
    rung = max(_RUNG, -(-(high - low) // _MAX_RUNGS))
    return [math.ldexp(1.0, at) for at in range(low, high + 1, rung)]


class Estimate(NamedTuple):
    """A derivative from differences: its value, a bound of its error, and the step that it was taken with.

    steps: how many steps agree on it.
    """

    value: float
    error: float
    step: float
    steps: int

    @property
    def settled(self) -> bool:
        """Whether the quotients tend to a number, as far as can be told."""
        return self.steps > 3 or self.error <= 0.1 * abs(self.value)


class Side(NamedTuple):
    """What a function does on one side of a point.

    name: 'left' or 'right'. kind: 'smooth', 'steep' (the quotients grow without bound), 'jump', or 'none'
    where it is not finite. slope: the one-sided derivative.
    """

    name: str
    kind: str
    slope: Estimate


class Samples(NamedTuple):
    """How a function changes along a line: for each step f(x) - f(x - step) and f(x + step) - f(x).

    fixed: the rounding error of f(x). growing: by how much that error grows for each unit of distance from x.
    same_before, same_after: for each step whether the loops of f make as many trips there as at x.
    """

    steps: Array
    before: Array
    after: Array
    fixed: float
    growing: float
    same_before: NDArray[np.bool_]
    same_after: NDArray[np.bool_]

    def with_same_trips(self) -> Samples | None:
        """The changes of f along the same trips, nan where loops make others; None where they make the same always."""
        if self.same_before.all() and self.same_after.all():
            return None
        before, after = np.where(self.same_before, self.before, np.nan), np.where(self.same_after, self.after, np.nan)
        return self._replace(before=before, after=after)

    def most(self) -> float:
        """The largest change of f."""
        return float(np.nanmax(np.abs([self.before, self.after]), initial=0.0))

    def central(self) -> Estimate:
        """The derivative by central differences (f(x + h) - f(x - h))/(2h)."""
        with np.errstate(all="ignore"):
            return self._limit((self.after + self.before) / (2 * self.steps))

    def sides(self) -> tuple[Side, Side]:
        """The function before and after the point."""
        return self._side("left", self.before), self._side("right", self.after)

    def slope_of_remainder(self, derivative: float) -> float | None:
        """The power of h with which f(x + h) - f(x) - h*derivative falls: 2 or more if the derivative is right.

        Taken at the shortest steps where the remainder is more than rounding; None where that tells nothing.
        """
        with np.errstate(all="ignore"):
            remainders = np.abs(self.after - self.steps * derivative)
        noise = 2 * (self.fixed + self.growing * self.steps)
        points = np.flatnonzero(np.isfinite(remainders) & (remainders > noise))[:3]
        if len(points) < 2 or (points[0] > 0 and remainders[points[0]] > 1e4 * noise[points[0]]):
            return None  # all is rounding, or what rises out of it is a jump and no power
        first, last = points[0], points[-1]
        return math.log(remainders[last] / remainders[first]) / math.log(self.steps[last] / self.steps[first])

    def _side(self, name: str, changes: Array) -> Side:
        with np.errstate(all="ignore"):
            quotients = changes / self.steps
        slope = self._limit(quotients)
        if not np.any(np.isfinite(changes[:3])):
            return Side(name, "none", slope)
        if abs(changes[0]) > max(abs(changes[3]) / 2, 2 * self.fixed):  # over a step 500 times shorter
            return Side(name, "jump", slope)
        growing = abs(quotients[0]) > 1.5 * abs(quotients[1]) > 2 * abs(quotients[2])
        return Side(name, "steep" if growing and not slope.settled else "smooth", slope)

    def _limit(self, quotients: Array) -> Estimate:
        """What the quotients tend to as the step falls.

        Rounding is the only error of the shortest steps, so that the derivative lies within their error
        bars. A longer step has a shorter bar; as long as all bars have a point in common, the truncation
        error is no larger than they are. One step before the last of these, it is 64 times less.
        """
        low, high = -math.inf, math.inf
        agreed: list[Estimate] = []
        apart = math.inf  # how far the first quotient that does not agree is from the last one that does
        bars = self.fixed / self.steps + self.growing + 4 * _EPSILON * np.abs(quotients)
        for quotient, bar, step in zip(quotients.tolist(), bars.tolist(), self.steps.tolist(), strict=True):
            if not math.isfinite(quotient):
                if agreed:
                    break
                continue
            if quotient - bar > high or quotient + bar < low:
                apart = abs(quotient - agreed[-1].value)
                break
            low, high = max(low, quotient - bar), min(high, quotient + bar)
            agreed.append(Estimate(quotient, bar, step, len(agreed) + 1))
        if not agreed:
            return Estimate(math.nan, math.nan, math.nan, 0)
        if len(agreed) == 1:
            return agreed[0]._replace(error=apart)
        last, chosen = agreed[-1], agreed[-2 if math.isfinite(apart) else -1]
        return chosen._replace(error=chosen.error + abs(last.value - agreed[-2].value), steps=last.steps)
