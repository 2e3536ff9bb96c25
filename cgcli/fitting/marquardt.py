"""The method of Levenberg and Marquardt, on the summaries of passes over the rows: steps within a region of trust.

After Moré (1978), The Levenberg-Marquardt algorithm: implementation and theory, with a singular value decomposition in
the place of his pivoted QR: the triangle is small, and a direction that the rows say nothing of is left alone. The
parameters are scaled by their start, whose sizes the user has thought about.
"""

from __future__ import annotations

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Callable
from cgcli.fitting.bounds import Bounds
from cgcli.fitting.descent import not_enough
from cgcli.fitting.summary import Summary
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Pass = Callable[[Floats], Summary | None]
    Log = Callable[[int, float, Floats], None]

_EPSILON = 2.0**-52
_FIRST = 100.0  # the radius of the first region, to the size of the start
_ROUNDING = 1e-13  # a change of the cost by no more may be rounding, and what steps can still reach decides
_SETTLED = 1e-8  # the steps that are small, where the cost no longer changes
_FLAT, _NEARLY_FLAT = 1e-9, 1e-6  # the share of the residuals that steps can reach where there is nothing to gain


class Found(NamedTuple):
    """Where a fit has ended. start: the summary at the start; end: at `values`. reason: why it stopped."""

    values: Floats
    start: Summary
    end: Summary
    iterations: int
    converged: bool
    reason: str


def least_squares(
    at: Pass, start: Floats, bounds: Bounds, *, max_iter: int, tol: float, log: Log | None = None
) -> Found | None:
    """The parameters whose cost is least near the start; None where the residuals there are not finite.

    at: makes the summary of all rows at some values, None where a number of it is not finite. max_iter: trials of a
    step; tol: the step, relative to each parameter, at which it has converged. log: told of each iteration.
    """
    values, first = start, at(start)
    if first is None:
        return None
    now = first
    norms = np.linalg.norm(now.factor, axis=0)
    scale = np.where(start != 0, 1 / np.abs(np.where(start == 0, 1.0, start)), np.where(norms > 0, norms, 1.0))
    radius = _FIRST * (float(np.linalg.norm(scale * start)) or 1.0)
    damping = 0.0

    def ended(converged: bool, reason: str) -> Found:
        return Found(values, first, now, iteration, converged, reason)

    for iteration in range(1, max_iter + 1):
        if log:
            log(iteration - 1, now.cost, values)
        if now.cost <= (4 * _EPSILON * now.size) ** 2:
            return ended(True, "the residuals are no more than rounding")
        damping, step = _step(now, scale, radius, damping)
        step = _within(now, scale, damping, step, values, bounds)
        length = float(np.linalg.norm(scale * step))
        radius = min(radius, length) if iteration == 1 and length else radius
        trial = bounds.cut(values + step)
        then = at(trial)
        gain = float(np.sum(now.projected**2) - np.sum((now.factor @ step + now.projected) ** 2))
        change = now.cost - then.cost if then is not None else -np.inf
        is_rounding = then is not None and abs(change) <= _ROUNDING * now.cost and gain <= _ROUNDING * now.cost
        if is_rounding and then is not None:
            ratio = float(_reach(then, trial, bounds) < _reach(now, values, bounds))
        else:
            ratio = change / gain if gain > 0 else 0.0
        if ratio <= 0.25:
            radius = 0.25 * min(radius, 10 * length) if then is not None else 0.1 * length
        elif ratio >= 0.75 or damping == 0:
            radius = 2 * length
        size = np.abs(values)
        if ratio > 1e-4 and then is not None:
            values, now = trial, then
        if np.all(np.abs(step) <= tol * (size + tol)):
            return ended(True, "the steps are small")
        reach, whole = _reach(now, values, bounds), np.sqrt(now.rss)
        if is_rounding and reach <= _FLAT * whole and np.all(np.abs(step) <= _SETTLED * size):
            return ended(True, "the sum of squares changes no more")
        if radius < _EPSILON * np.linalg.norm(scale * values):
            return ended(bool(reach <= _NEARLY_FLAT * whole), "no step makes the sum of squares less")
    return ended(False, not_enough(max_iter))


def _reach(now: Summary, values: Floats, bounds: Bounds) -> float:
    """The length of what steps can reach of the residuals, without those of parameters at their bounds."""
    free = (values > bounds.low) & (values < bounds.high)
    if free.all():
        return float(np.linalg.norm(now.projected))
    count = int(free.sum())
    block = np.column_stack([now.factor[:, free], now.projected])
    return float(np.linalg.norm(np.asarray(np.linalg.qr(block, mode="r"))[:count, -1]))


def _step(now: Summary, scale: Floats, radius: float, damping: float) -> tuple[float, Floats]:
    """The step that makes |R d + q| least where |scale d| is at most the radius, and the damping that it takes."""
    left, singular, right = np.linalg.svd(now.factor / scale)
    target = -(left.T @ now.projected)
    known = singular > singular[0] * 1e-15

    def at(damping: float) -> Floats:
        divisor = np.where(known | (damping > 0), singular**2 + damping, 1.0)
        return np.where(known | (damping > 0), singular * target / np.maximum(divisor, 1e-300), 0.0)

    found = at(0.0)
    if np.linalg.norm(found) <= 1.1 * radius:
        return 0.0, right.T @ found / scale
    low, high = 0.0, float(np.linalg.norm(singular * target)) / radius
    damping = damping if low < damping < high else max(1e-3 * high, 1e-300)
    for _ in range(30):  # Newton's method on 1/|step| - 1/radius, in an interval
        found = at(damping)
        length = float(np.linalg.norm(found))
        if abs(length - radius) <= 0.1 * radius:
            break
        low, high = (damping, high) if length > radius else (low, damping)
        slope = -float(np.sum((singular * target) ** 2 / np.maximum(singular**2 + damping, 1e-300) ** 3)) / length
        next_one = damping - (length - radius) / radius * length / slope
        damping = next_one if low < next_one < high else float(np.sqrt(max(low, high * 1e-6) * high))
    return damping, right.T @ found / scale


def _within(now: Summary, scale: Floats, damping: float, step: Floats, values: Floats, bounds: Bounds) -> Floats:
    """The step itself where it ends within the bounds; else that which is best within, by scipy on the triangle."""
    if bounds.holds(values + step):
        return step
    from scipy.optimize import lsq_linear

    room = np.stack([bounds.low - values, bounds.high - values])
    free = room[1] > room[0]
    matrix = np.concatenate([now.factor, np.sqrt(damping) * np.diag(scale)])[:, free] / scale[free]
    target = np.concatenate([-now.projected, np.zeros(len(step))])
    found = np.zeros(len(step))
    found[free] = lsq_linear(matrix, target, (room * scale)[:, free], method="bvls").x / scale[free]
    return np.clip(found, *room)
