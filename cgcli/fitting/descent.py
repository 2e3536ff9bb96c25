"""The least value of a function near a start, by its exact gradient and Hessian: steps within a region of trust.

A step makes the quadratic model least in a ball of the parameters as they are scaled by their start, by the
eigenvectors of the Hessian (Conn, Gould and Toint (2000), Trust-region methods, 7.3); one that leaves the bounds stops
at them, and goes on in the other parameters. Of many parameters scipy's L-BFGS-B takes the place of it.
"""

from __future__ import annotations

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Callable
from cgcli.fitting.bounds import Bounds
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.annotations import Protocol

    Floats = NDArray[np.float64]
    Log = Callable[[int, float, Floats], None]

    class Objective(Protocol):
        """The function that is made least."""

        def slopes(self, values: Floats) -> tuple[float, Floats] | None:
            """The value and the gradient; None where a number of them is not finite."""

        def hessian(self, values: Floats) -> Floats:
            """The second derivatives."""


MOST_BY_HESSIAN = 50  # parameters whose steps the Hessian tells
MOST_CHECKED = 500  # parameters for whom it tells what was reached

_EPSILON, _TINY = 2.0**-52, 2.0**-1022
_ROUNDING = 1e-14  # a change of the value by no more may be rounding
_SETTLED = (
    1e-6  # what the gradient promises of a step as large as the parameters, to the value, where it is as good as 0
)
_SINGULAR = 1e-9  # an eigenvalue, to the largest, that may be 0
_FAR, _LOW = 1e100, 1e25  # parameters, and how far the value has fallen, where nothing stops it
_TESTED = (1e-2, 1e-3)  # steps, to the size of the parameters, that try what the Hessian leaves open
_TOWARDS_ROUNDING = 20  # steps by the Hessian that follow L-BFGS


ENDLESS = "the value falls without bound"


def not_enough(iterations: int) -> str:
    """Why a search ended that was to make no more iterations."""
    return f"{iterations} iterations were not enough"


class Descent(NamedTuple):
    """Where a search has ended. kind: minimum, edge, kink, saddle, maximum, flat; '' where it was not looked at."""

    values: Floats
    value: float
    iterations: int
    converged: bool
    reason: str
    kind: str = ""


def least(
    objective: Objective, start: Floats, bounds: Bounds, *, max_iter: int, tol: float, log: Log | None = None
) -> Descent | None:
    """The least value near the start; None where it is not finite there."""
    with np.errstate(all="ignore"):
        if len(start) <= MOST_BY_HESSIAN:
            found = _by_hessian(objective, start, bounds, max_iter, tol, log, 0)
        else:
            found = _by_gradients(objective, start, bounds, max_iter, tol, log)
        if found is None or not found.converged or len(start) > MOST_CHECKED or found.kind:
            return found
        kind = kind_of(objective, found.values, bounds, np.maximum(np.abs(found.values), _sizes(start)))
        return found._replace(kind=kind)


def _by_hessian(
    objective: Objective, start: Floats, bounds: Bounds, max_iter: int, tol: float, log: Log | None, made: int
) -> Descent | None:
    """Steps within a region of trust. made: those before."""
    first = objective.slopes(start)
    if first is None:
        return None
    x, (value, slope) = start, first
    scale = 1 / _sizes(start)
    radius = max(float(np.linalg.norm(scale * start)), 1.0)
    iteration = made

    def ended(converged: bool, reason: str) -> Descent:
        return Descent(x, value, iteration, converged, reason)

    for iteration in range(made, made + max_iter):
        if log:
            log(iteration, value, x)
        free = _free(x, slope, bounds)
        if not slope[free].any():
            return ended(True, "the gradient is 0")
        if value < first[0] - _LOW * max(1.0, abs(first[0])) or np.abs(x).max() > _FAR:
            return ended(False, ENDLESS)
        hessian = objective.hessian(x)
        if not np.isfinite(hessian).all():
            return ended(False, "a second derivative is not finite")
        step = _within(slope, hessian, scale, radius, x, free, bounds)
        trial = bounds.cut(x + step)
        step = trial - x
        length = float(np.linalg.norm(scale * step))
        gain = -float(slope @ step + step @ hessian @ step / 2)
        then = objective.slopes(trial)
        change = -np.inf if then is None else value - then[0]
        size = np.abs(x)
        small = bool(np.all(np.abs(step) <= tol * (size + tol)))
        if then is not None and abs(change) <= _ROUNDING * abs(value) and gain <= _ROUNDING * abs(value):
            ratio = float(_promise(trial, then[1], bounds) < _promise(x, slope, bounds))
        else:
            ratio = change / gain if gain > 0 else 0.0
        if ratio <= 0.25:
            radius = 0.25 * min(radius, length) if then is not None else 0.1 * length
        elif ratio >= 0.75 and length > 0.9 * radius:
            radius = 2 * length
        if ratio > 1e-4 and then is not None:
            x, (value, slope) = trial, then
        if small or radius < _EPSILON * max(float(np.linalg.norm(scale * x)), _EPSILON):
            iteration += 1
            low = max(abs(value), _ROUNDING * abs(first[0]), _TINY)
            if _is_settled(objective, x, low, slope, scale, bounds):
                return ended(True, "the steps are small")
            if len(x) == 1 and _sides(objective, x, np.ones(1, bool), scale**-1, value) == (1, 1):
                return ended(True, "no step makes the value less, which has a kink there")._replace(kind="kink")
            return ended(False, "no step makes the value less, and the gradient is not 0: it may have a kink there")
    iteration += 1
    return ended(False, not_enough(max_iter))


def _is_settled(objective: Objective, x: Floats, size: float, slope: Floats, scale: Floats, bounds: Bounds) -> bool:
    """Whether the gradient is as good as 0 where steps have become small; at a kink it is not. size: of the value."""
    if _promise(x, slope, bounds) <= _SETTLED * size:
        return True
    free = _free(x, slope, bounds)
    hessian = objective.hessian(x)[np.ix_(free, free)]
    if not np.isfinite(hessian).all() or np.linalg.eigvalsh(hessian / scale[free] / scale[free, None])[0] <= 0:
        return False
    step = np.linalg.solve(hessian, slope[free])
    return bool(np.all(np.abs(step) <= _SETTLED * np.maximum(np.abs(x), 1 / scale)[free]))


def _free(x: Floats, slope: Floats, bounds: Bounds) -> NDArray[np.bool_]:
    """The parameters that the gradient does not press against a bound."""
    return ~((x <= bounds.low) & (slope >= 0) | (x >= bounds.high) & (slope <= 0))


def _promise(x: Floats, slope: Floats, bounds: Bounds) -> float:
    """What the gradient promises of steps as large as the parameters."""
    return float(np.linalg.norm(np.where(_free(x, slope, bounds), slope * x, 0.0)))


def _within(
    slope: Floats, hessian: Floats, scale: Floats, radius: float, x: Floats, free: NDArray[np.bool_], bounds: Bounds
) -> Floats:
    """A step that makes the model least in the region, and stops at the bounds."""
    step, held = np.zeros(len(x)), ~free
    while not held.all():
        rest = ~held
        step[rest] = _in_ball(
            slope[rest] + hessian[np.ix_(rest, held)] @ step[held], hessian[np.ix_(rest, rest)], scale[rest], radius
        )
        over = rest & ((x + step < bounds.low) | (x + step > bounds.high))
        if not over.any():
            break
        step[over] = bounds.cut(x + step)[over] - x[over]
        held = held | over
    best, most = step, -float(slope @ step + step @ hessian @ step / 2)
    if not bounds.holds(x + np.where(free, -slope, 0.0) * radius) or most <= 0:  # a step along the gradient, to compare
        length = radius / max(float(np.linalg.norm(slope[free] / scale[free])), 1e-300)
        for _ in range(50):
            along = bounds.cut(x - np.where(free, slope / scale**2, 0.0) * length) - x
            gain = -float(slope @ along + along @ hessian @ along / 2)
            if 0.1 * gain > most:
                best, most = along, gain
            length /= 2
    return best


def _in_ball(slope: Floats, hessian: Floats, scale: Floats, radius: float) -> Floats:
    """The step d that makes slope @ d + d @ hessian @ d/2 least where |scale d| is at most the radius.

    A direction of negative curvature that the gradient does not move along stays out of it: a start on the ridge of a
    saddle leads to the saddle, which is told.
    """
    largest = max(float(np.abs(slope).max()), float(np.abs(hessian).max()))
    if largest == 0:
        return np.zeros(len(slope))
    curves, vectors = np.linalg.eigh(hessian / largest / scale / scale[:, None])  # squares do not overflow
    parts = vectors.T @ (slope / largest / scale)
    moved = (np.abs(parts) > _EPSILON * np.abs(parts).max()) & ((parts != 0) | (curves > 0))
    curves, parts, vectors = curves[moved], parts[moved], vectors[:, moved]
    if not len(curves):
        return np.zeros(len(slope))
    bottom = max(0.0, -float(curves[0]))
    if curves[0] > _EPSILON * abs(curves[-1]) and np.linalg.norm(parts / curves) <= radius:
        damping = 0.0
    else:
        low, high = bottom, bottom + float(np.linalg.norm(parts)) / radius
        damping = high
        for _ in range(60):  # Newton's method on 1/|step| - 1/radius, in an interval
            length = float(np.linalg.norm(parts / (curves + damping)))
            if abs(length - radius) <= 1e-3 * radius:
                break
            low, high = (damping, high) if length > radius else (low, damping)
            rise = float(np.sum(parts**2 / (curves + damping) ** 3)) / max(length**2, _TINY)
            nearer = damping + (length - radius) / radius / rise if rise else high
            damping = nearer if low < nearer < high else (low + high) / 2
    step: Floats = -(vectors @ (parts / (curves + damping))) / scale
    return step


def _by_gradients(
    objective: Objective, start: Floats, bounds: Bounds, max_iter: int, tol: float, log: Log | None
) -> Descent | None:
    """scipy's L-BFGS-B, then a few steps by the Hessian where that is not too large."""
    from scipy.optimize import minimize

    first = objective.slopes(start)
    if first is None:
        return None
    lowest = first[0] - _LOW * max(1.0, abs(first[0]))

    def slopes(values: Floats) -> tuple[float, Floats]:
        found = objective.slopes(values)
        if found is None:  # farther away than the line search may go
            return max(abs(first[0]), 1.0) * _LOW, np.zeros(len(values))
        if found[0] < lowest or (found[0] < first[0] and np.abs(values).max() > _FAR):
            raise _EndlessError(values, found[0])
        return found

    steps = [0]

    def told(intermediate_result: Any) -> None:
        steps[0] += 1
        if log:
            log(steps[0], float(intermediate_result.fun), intermediate_result.x)

    if log:
        log(0, first[0], start)
    try:
        slopes(bounds.cut(start - _FAR**0.3 * first[1] / max(float(np.linalg.norm(first[1])), _TINY)))
        found = minimize(
            slopes, start, jac=True, method="L-BFGS-B", callback=told, bounds=np.transpose(bounds),
            options={"maxiter": max_iter, "maxfun": 20 * max_iter, "ftol": _EPSILON, "gtol": 0.0, "maxcor": 20},
        )  # fmt: skip
    except _EndlessError as endless:
        return Descent(endless.values, endless.value, steps[0], False, ENDLESS)
    x, value = found.x, float(found.fun)
    if steps[0] >= max_iter:
        return Descent(x, value, steps[0], False, not_enough(max_iter))
    if len(start) <= MOST_CHECKED:
        ended = _by_hessian(objective, x, bounds, _TOWARDS_ROUNDING, tol, log, steps[0])
        if ended is not None and ended.iterations == steps[0] + _TOWARDS_ROUNDING:
            return ended._replace(reason=f"the value still falls after {ended.iterations} iterations")
        return ended
    last = objective.slopes(x)
    settled = last is not None and _promise(x, last[1], bounds) <= 1e-4 * max(abs(value), _TINY)
    reason = "the value changes no more" if settled else "no step makes the value less, and the gradient is not 0"
    return Descent(x, value, steps[0], settled, reason)


class _EndlessError(Exception):
    """The value has fallen too far."""

    def __init__(self, values: Floats, value: float) -> None:
        super().__init__()
        self.values, self.value = values.copy(), value


def _sizes(start: Floats) -> Floats:
    """How large each parameter may be expected to be."""
    return np.where(start != 0, np.abs(start), 1.0)


def kind_of(objective: Objective, x: Floats, bounds: Bounds, sizes: Floats) -> str:
    """What the Hessian says of a point where the gradient is 0: minimum, edge, saddle, maximum; flat where it is 0.

    sizes: of the parameters. Where eigenvalues are next to 0, points to both sides decide.
    """
    found = objective.slopes(x)
    assert found is not None
    value, _ = found
    inside = (x > bounds.low) & (x < bounds.high)
    if not inside.any():
        return "edge"
    size = sizes[inside]
    hessian = objective.hessian(x)[np.ix_(inside, inside)] * size * size[:, None]
    if not np.isfinite(hessian).all():
        return ""
    curves, vectors = np.linalg.eigh(hessian)
    open_ones = np.abs(curves) <= _SINGULAR * np.abs(curves).max()
    signs = np.where(open_ones, 0, np.sign(curves))
    for at in np.flatnonzero(open_ones):
        before, behind = _sides(objective, x, inside, vectors[:, at] * size, value)
        if before != behind:
            return "saddle"
        signs[at] = before
    if (signs > 0).all():
        return "minimum" if inside.all() else "edge"
    if (signs < 0).any():
        return "maximum" if (signs < 0).all() and inside.all() else "saddle"
    return "flat"


def _sides(
    objective: Objective, x: Floats, inside: NDArray[np.bool_], direction: Floats, value: float
) -> tuple[int, int]:
    """Whether the value rises, 1, falls, -1, or neither, 0, to the one side of a point and to the other."""
    noise, found = _ROUNDING * abs(value), []
    for side in (-1, 1):
        changes = []
        for length in _TESTED:
            other = x.copy()
            other[inside] += side * length * direction
            there = objective.slopes(other)
            changes.append(np.inf if there is None else there[0] - value)
        found.append(-1 if min(changes) < -noise else int(min(changes) > noise))
    return found[0], found[1]
