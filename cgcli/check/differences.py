"""Numeric derivatives of a function on a line: difference quotients, and how far each can be trusted.

Nothing here knows of graphs. A step that is too long is wrong by truncation, one that is too
short by rounding; so there is a ladder of steps, and what is taken is the longest step whose
quotient agrees, within rounding, with those of all shorter ones (Lepski's method).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

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

    rungs: how many steps agree on it.
    """

    value: float
    error: float
    step: float
    rungs: int

    @property
    def settled(self) -> bool:
        """Whether the quotients tend to a number, as far as can be told."""
        return self.rungs > 3 or self.error <= 0.1 * abs(self.value)


class Rounding(NamedTuple):
    """The rounding error of a function's value: `fixed`, and `growing` times the step beside it."""

    fixed: float
    growing: float

    def of_quotient(self, quotient: float, step: float) -> float:
        """The rounding error of a difference quotient with this step."""
        return self.fixed / step + self.growing + 4 * _EPSILON * abs(quotient)


class Samples(NamedTuple):
    """How much a function changes along a line: f(x + step) - f(x), and f(x) - f(x - step), for each step.

    They are rows of one number for each output of the function.
    """

    steps: list[float]
    after: Array
    before: Array

    def column(self, output: int) -> Samples:
        """Those of one output."""
        return self._replace(after=self.after[:, output], before=self.before[:, output])


def sample(change: Callable[[float, float], Array], steps: Sequence[float]) -> Samples:
    """Sample a function: change(a, b) is f(x + b) - f(x + a), one number for each output."""
    after = np.array([change(0.0, step) for step in steps])
    before = np.array([change(-step, 0.0) for step in steps])
    return Samples(list(steps), after, before)


def central(samples: Samples, rounding: Rounding) -> Estimate:
    """The derivative by central differences (f(x + h) - f(x - h))/(2h)."""
    return _limit([(a + b) / (2 * h) for h, a, b in _rows(samples)], samples.steps, rounding)


def _rows(samples: Samples) -> Iterator[tuple[float, float, float]]:
    return zip(samples.steps, samples.after.tolist(), samples.before.tolist(), strict=True)


def _limit(quotients: Sequence[float], steps: Sequence[float], rounding: Rounding) -> Estimate:
    """What the quotients tend to as the step falls.

    The shortest steps are spoilt by rounding alone, so that the truth lies within their bars. A
    longer step has a shorter bar; as long as all bars have a point in common, truncation is no
    larger than they are. At the step before the last of these it is 64 times less still.
    """
    low, high = -math.inf, math.inf
    agreed: list[Estimate] = []
    apart = math.inf  # how far the next one lies, where there is one that does not agree
    for quotient, step in zip(quotients, steps, strict=True):
        if not math.isfinite(quotient):
            if agreed:
                break
            continue
        bar = rounding.of_quotient(quotient, step)
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
    return chosen._replace(error=chosen.error + abs(last.value - agreed[-2].value), rungs=last.rungs)


class Side(NamedTuple):
    """What the function does on one side of the point.

    kind: 'smooth', 'steep' (the quotients grow without bound), 'jump', or 'none' where it is not finite.
    """

    kind: str
    slope: Estimate


def sides(samples: Samples, rounding: Rounding) -> tuple[Side, Side]:
    """The function before and after the point."""
    return _side(samples.before, samples.steps, rounding), _side(samples.after, samples.steps, rounding)


def _side(changes: Array, steps: Sequence[float], rounding: Rounding) -> Side:
    quotients = (changes / np.array(steps)).tolist()
    slope = _limit(quotients, steps, rounding)
    if not np.any(np.isfinite(changes[:3])):
        return Side("none", slope)
    shortest, longer = abs(changes[0]), abs(changes[3])
    if shortest > max(longer / 2, 2 * rounding.fixed):  # over a step 500 times shorter
        return Side("jump", slope)
    growing = abs(quotients[0]) > 1.5 * abs(quotients[1]) > 2 * abs(quotients[2])
    return Side("steep" if growing and not slope.settled else "smooth", slope)


def slope_of_remainder(samples: Samples, derivative: float, rounding: Rounding) -> float | None:
    """The power of h with which f(x + h) - f(x) - h*derivative falls: 2 or more if the derivative is right.

    Taken at the shortest steps where the remainder is more than rounding; None where that tells nothing.
    """
    with np.errstate(invalid="ignore"):
        remainders = np.abs(samples.after - np.array(samples.steps) * derivative).tolist()
    noise = [2 * (rounding.fixed + rounding.growing * step) for step in samples.steps]
    points = [at for at, remainder in enumerate(remainders) if math.isfinite(remainder) and remainder > noise[at]][:3]
    if len(points) < 2 or (points[0] > 0 and remainders[points[0]] > 1e4 * noise[points[0]]):
        return None  # all is rounding, or what rises out of it is a jump and no power
    first, last = points[0], points[-1]
    return math.log(remainders[last] / remainders[first]) / math.log(samples.steps[last] / samples.steps[first])
