"""What a fit says of its parameters: their covariance, which of them the rows leave open, tests and intervals."""

from __future__ import annotations

import math

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Sequence
from cgcli.lean import cache
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_OPEN = 1e-13  # a singular value, to the largest, at which rounding is all that is left of it
_PART = 1e-3  # of a direction: parameters with less have no part in it
_MOST_STEPS = 200
_LARGE = 1000.0  # an argument of the gamma function whose logarithm loses digits in differences


class Determined(NamedTuple):
    """What a triangle R says of the parameters.

    root: a matrix C with C C' = (R'R)^-1, of shape (p, p), without the directions that are open. idle: the positions
    of parameters that move nothing. tied: those of parameters of which only combinations are determined, for each
    combination that is not.
    """

    root: Floats
    idle: Sequence[int]
    tied: Sequence[Sequence[int]]

    @property
    def open(self) -> list[int]:
        """The positions of all parameters that are not determined."""
        return sorted({*self.idle, *(at for each in self.tied for at in each)})


def determined(factor: Floats) -> Determined:
    """What the triangle says, from the singular values of R with columns of length 1."""
    norms = np.linalg.norm(factor, axis=0)
    moving = np.flatnonzero(norms > 0)
    root = np.zeros_like(factor)
    if not len(moving):
        return Determined(root, range(len(norms)), ())
    _, singular, right = np.linalg.svd(factor[:, moving] / norms[moving])
    known = singular > _OPEN * singular[0]
    root[moving, : len(moving)] = right.T * np.where(known, 1 / np.where(known, singular, 1.0), 0.0)
    root[moving] /= norms[moving, None]
    tied = [moving[np.abs(direction) > _PART].tolist() for direction in right[~known]]
    return Determined(root, np.flatnonzero(norms == 0).tolist(), tied)


def two_sided(t: float, dof: float) -> float:
    """The probability of a value of Student's t that is at least so far from 0; dof: inf for the normal distribution.

    It is the regularised incomplete beta function at dof/(dof + t^2), by its continued fraction, from the end that
    converges: NIST Digital Library of Mathematical Functions, 8.17.4 and 8.17.22.
    """
    if math.isnan(t) or math.isnan(dof) or dof <= 0:
        return math.nan
    if math.isinf(dof) or math.isinf(t) or t == 0:
        return math.erfc(abs(t) / math.sqrt(2))
    a, b = dof / 2, 0.5
    x, rest = dof / (dof + t * t), t * t / (dof + t * t)
    front = math.exp(_ratio(a) + a * math.log(x) + b * math.log(rest))
    if x <= (a + 1) / (a + b + 2):
        return front / a / _fraction(x, a, b)
    return 1 - front / b / _fraction(rest, b, a)


@cache
def quantile(level: float, dof: float) -> float:
    """How far from 0 values of Student's t are with this probability; nan without degrees of freedom."""
    if dof <= 0:
        return math.nan
    found = 0.0
    for _ in range(_MOST_STEPS):  # Newton's, from the left: the probability is convex, so that no step goes too far
        excess = two_sided(found, dof) - (1 - level)
        step = excess / (2 * _density(found, dof))
        found += step
        if step <= 1e-12 * found:
            break
    return found


def _density(t: float, dof: float) -> float:
    """The probability density of Student's t."""
    if math.isinf(dof):
        return math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
    return math.exp(_ratio(dof / 2) - (dof + 1) / 2 * math.log1p(t * t / dof)) / math.sqrt(dof)


def _ratio(a: float) -> float:
    """The logarithm of gamma(a + 1/2)/(gamma(a)*sqrt(pi)); of a large a by its asymptotic series."""
    if a < _LARGE:
        return math.lgamma(a + 0.5) - math.lgamma(a) - 0.5 * math.log(math.pi)
    return 0.5 * math.log(a / math.pi) - 1 / (8 * a) + 1 / (192 * a**3)


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d1/(1 + d2/(1 + …)) of the incomplete beta function, from so deep that nothing is missing."""
    found = 1.0
    for m in range(30 + int(math.sqrt(max(a, b))), -1, -1):
        even = (m + 1) * (b - m - 1) * x / ((a + 2 * m + 1) * (a + 2 * m + 2))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        found = 1 + odd / (1 + even / found)
    return found
