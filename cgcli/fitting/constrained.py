"""The least value under constraints: scipy finds where it is, and Newton's method on the conditions of it the digits.

The conditions are those of Karush, Kuhn and Tucker: the gradient is a combination of those of the constraints that are
active, and these are 0 (Nocedal and Wright (2006), Numerical optimization, 12.3 and 18.1).
"""

from __future__ import annotations

import warnings

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any
from cgcli.errors import EvaluationError, Source, Span
from cgcli.fitting.bounds import Bounds
from cgcli.fitting.descent import ENDLESS, Descent, not_enough
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.annotations import Protocol
    from cgcli.fitting.descent import Log, Objective

    Floats = NDArray[np.float64]

    class Constraints(Protocol):
        """What holds where it is 0, or 0 or more."""

        equal: NDArray[np.bool_]
        texts: list[str]

        def values(self, values: Floats) -> Floats: ...
        def jacobian(self, values: Floats) -> Floats: ...
        def hessian(self, values: Floats, weights: Floats) -> Floats: ...


_HOLDS = 1e-7  # how far off a constraint may be, to the size of its terms
_NEAR = 1e-5  # how near to 0 an inequality is taken for active
_STEPS = 30  # of Newton's method
_MOST_STEPS = 1000  # of trust-constr
_HUGE = 1e30  # a value, or a parameter, where nothing stops it; and a value that is not finite
_SINGULAR = 1e-9  # an eigenvalue or a singular value, to the largest, that is as good as 0
_PRESSURE = 1e-7  # of the value against what is active, to the gradient, that is as good as 0
_SETTLED = 1e-6  # how far the conditions may be from holding, to the gradient


def least_within(
    objective: Objective, constraints: Constraints, start: Floats, bounds: Bounds, *, max_iter: int,
    log: Log | None = None,
) -> Descent | None:  # fmt: skip
    """The least value near the start where the constraints hold; None where it is not finite at the start."""
    if objective.slopes(start) is None:
        return None
    known = np.isfinite(constraints.values(start))
    if not known.all():
        text = constraints.texts[int(np.argmin(known))]
        raise EvaluationError("this constraint is no number at the start", Span(0, len(text)), source=Source(text),
                              hint="start elsewhere")  # fmt: skip
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        steps = 0
        for search in (_slsqp, _trust_constr):
            x, made = search(objective, constraints, start, bounds, max_iter, log)
            steps += made
            found = _judged(objective, constraints, bounds.cut(x), steps, is_whole=made < max_iter)
            if found.converged:
                found = _exactly(objective, constraints, found, bounds)
            if found.converged:
                break
        return found


def _slsqp(
    objective: Objective, constraints: Constraints, start: Floats, bounds: Bounds, max_iter: int, log: Log | None
) -> tuple[Floats, int]:
    """Where scipy's SLSQP ends, and its steps."""
    parts = [
        {"type": kind, "fun": lambda x, mask=mask: constraints.values(x)[mask],
         "jac": lambda x, mask=mask: constraints.jacobian(x)[mask]}
        for kind, mask in (("eq", constraints.equal), ("ineq", ~constraints.equal)) if mask.any()
    ]  # fmt: skip
    return _by_scipy(objective, start, log, method="SLSQP", bounds=np.transpose(bounds), constraints=parts,
                     options={"maxiter": max_iter, "ftol": 1e-12})  # fmt: skip


def _trust_constr(
    objective: Objective, constraints: Constraints, start: Floats, bounds: Bounds, max_iter: int, log: Log | None
) -> tuple[Floats, int]:
    """Where scipy's trust-constr ends, and its steps."""
    from scipy.optimize import Bounds as Box
    from scipy.optimize import NonlinearConstraint

    low = np.zeros(len(constraints.equal))
    both = NonlinearConstraint(constraints.values, low, np.where(constraints.equal, 0.0, np.inf),
                               constraints.jacobian, constraints.hessian)  # fmt: skip
    return _by_scipy(objective, start, log, method="trust-constr", hess=objective.hessian, constraints=both,
                     bounds=Box(*bounds),
                     options={"maxiter": min(max_iter, _MOST_STEPS), "gtol": 1e-9, "xtol": 1e-12})  # fmt: skip


def _by_scipy(objective: Objective, start: Floats, log: Log | None, **settings: Any) -> tuple[Floats, int]:
    """Where scipy's `minimize` ends, the start where that is no point, and its steps. settings: of `minimize`."""
    from scipy.optimize import minimize

    steps = 0

    def slopes(values: Floats) -> tuple[float, Floats]:  # a huge value where there is none
        return objective.slopes(values) or (_HUGE, np.zeros(len(values)))

    def told(values: Floats, *_: Any) -> None:
        nonlocal steps
        steps += 1
        if log:
            log(steps, slopes(values)[0], values)

    found = minimize(slopes, start, jac=True, callback=told, **settings)
    return (found.x if np.isfinite(found.x).all() else start), steps


def _judged(objective: Objective, constraints: Constraints, x: Floats, steps: int, *, is_whole: bool) -> Descent:
    """Where a search has ended, and whether what it has to find may be there. is_whole: it was not cut short."""
    known = objective.slopes(x)
    value, off = np.nan if known is None else known[0], _off(constraints, x)
    reason = "the steps are small"
    if off.max() > _HOLDS:
        at = int(np.argmax(off))
        reason = f"no point is found where the constraints hold: '{constraints.texts[at]}' is off by {off[at]:.3g}"
    elif value < -_HUGE / 1e5 or np.abs(x).max() > _HUGE:
        reason = ENDLESS
    elif not is_whole:
        reason = not_enough(steps)
    return Descent(x, value, steps, known is not None and reason == "the steps are small", reason)


def _off(constraints: Constraints, x: Floats) -> Floats:
    """How far each constraint is from holding."""
    values = constraints.values(x)
    return np.where(np.isfinite(values), np.where(constraints.equal, np.abs(values), np.maximum(-values, 0)), np.inf)


class _Active(NamedTuple):
    """The conditions of a minimum where some relations, and some bounds, are active.

    relations: which, in order; held: which parameters are at a bound, and which ends these bounds are; is_low: whether
    it is the lower one.
    """

    objective: Objective
    constraints: Constraints
    relations: NDArray[np.int64]
    held: NDArray[np.int64]
    ends: Floats
    is_low: NDArray[np.bool_]

    def slope(self, x: Floats) -> Floats:
        """The gradient."""
        known = self.objective.slopes(x)
        return np.full(len(x), np.nan) if known is None else known[1]

    def normals(self, x: Floats) -> Floats:
        """The gradients of what is active."""
        return np.concatenate([self.constraints.jacobian(x)[self.relations], np.eye(len(x))[self.held]])

    def rest(self, x: Floats, weights: Floats) -> Floats:
        """The left sides of the conditions, all of which are 0 at a minimum."""
        apart = [self.constraints.values(x)[self.relations], x[self.held] - self.ends]
        return np.concatenate([self.slope(x) - self.normals(x).T @ weights, *apart])

    def hessian(self, x: Floats, weights: Floats) -> Floats:
        """The second derivatives of the Lagrangian."""
        full = np.zeros(len(self.constraints.equal))
        full[self.relations] = weights[: len(self.relations)]
        return self.objective.hessian(x) - self.constraints.hessian(x, full)

    def pressures(self, weights: Floats) -> Floats:
        """How the value presses against what is active: below 0 where it does not; infinite for an equation."""
        count = len(self.relations)
        sides = np.where(self.is_low, 1, -1) * weights[count:]
        return np.concatenate([np.where(self.constraints.equal[self.relations], np.inf, weights[:count]), sides])

    def without(self, at: int) -> _Active:
        """The conditions where one of the constraints or bounds is not active."""
        count = len(self.relations)
        if at < count:
            return self._replace(relations=np.delete(self.relations, at))
        at -= count
        return self._replace(
            held=np.delete(self.held, at), ends=np.delete(self.ends, at), is_low=np.delete(self.is_low, at)
        )


def _exactly(objective: Objective, constraints: Constraints, found: Descent, bounds: Bounds) -> Descent:
    """The same with all digits, and its kind; where the conditions do not hold, it has not converged."""
    x, values = found.values, constraints.values(found.values)
    near = _NEAR * np.maximum(np.abs(x), 1.0)
    low, high = x - bounds.low <= near, bounds.high - x <= near
    held = np.flatnonzero(low | high)
    relations = np.flatnonzero(constraints.equal | (values <= _NEAR * max(1.0, float(np.abs(values).max()))))
    ends = np.where(low, bounds.low, bounds.high)[held]
    active = _Active(objective, constraints, relations, held, ends, low[held])
    while True:
        x, weights, left = _by_newton(active, found.values)
        pressures, size = active.pressures(weights), max(1.0, float(np.abs(active.slope(x)).max()))
        if not (pressures < -_PRESSURE * size).any():
            break
        active = active.without(int(np.argmin(pressures)))
    x = bounds.cut(x)
    last = objective.slopes(x)
    if last is None or _off(constraints, x).max() > _HOLDS:
        return found
    if not left <= _SETTLED * size:
        return found._replace(converged=False, reason="the conditions of a minimum do not hold where it stopped")
    inside = _directions(active.normals(x))
    curves = np.linalg.eigvalsh(inside.T @ active.hessian(x, weights) @ inside) if inside.size else np.ones(1)
    noise = _SINGULAR * float(np.abs(curves).max())
    is_edge = bool((np.isfinite(pressures) & (pressures > _PRESSURE * size)).any())
    if curves[0] < -noise:
        kind = "saddle" if (curves > -noise).any() or is_edge else "maximum"
    else:
        kind = "flat" if curves[0] <= noise else "edge" if is_edge else "minimum"
    return found._replace(values=x, value=last[0], kind=kind)


def _by_newton(active: _Active, x: Floats) -> tuple[Floats, Floats, float]:
    """The point where the conditions hold, the weights of what is active, and how far they are from holding."""
    normals, count = active.normals(x), len(x)
    weights: Floats = np.zeros(0)
    if len(normals):
        weights = np.asarray(np.linalg.lstsq(normals.T, active.slope(x), rcond=None)[0], np.float64)
    best = (x, weights, np.inf)
    for _ in range(_STEPS):
        rest = active.rest(x, weights)
        if not (now := float(np.linalg.norm(rest))) < best[2]:
            break
        best, normals = (x, weights, now), active.normals(x)
        zeros = np.zeros((len(normals), len(normals)))
        matrix = np.block([[active.hessian(x, weights), -normals.T], [normals, zeros]])
        if not np.isfinite(matrix).all():
            break
        step = np.linalg.lstsq(matrix, rest, rcond=None)[0]
        x, weights = x - step[:count], weights - step[count:]
    return best


def _directions(normals: Floats) -> Floats:
    """A basis of the directions that leave what is active as it is, as columns."""
    if not len(normals):
        return np.eye(normals.shape[1])
    _, singular, right = np.linalg.svd(normals)
    return right[int((singular > _SINGULAR * singular[0]).sum()) :].T
