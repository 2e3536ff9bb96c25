"""Analytic and numeric derivative against each other: what is right, wrong, or cannot be told, and why."""

from __future__ import annotations

import math

import numpy as np

from cgcli.check.differences import Estimate, Samples
from cgcli.records import NamedTuple

_RELATIVE = 1e-9  # by how much the derivatives of two exact methods may differ, at least

# From bad to good: only the first says that a rule is wrong.
KINDS = ("mismatch", "unclear", "not finite", "edge", "steep", "jump", "kink", "ok")


class Verdict(NamedTuple):
    """kind: one of KINDS. why: in words, '' where there is nothing to say. sides: the slopes beside a kink."""

    kind: str
    why: str = ""
    sides: tuple[float, float] | None = None


class Numbers(NamedTuple):
    """One derivative by every method.

    reverse, forward: by the two modes. central: by differences. complex_step: None where an
    operation takes no complex numbers.
    """

    reverse: float
    forward: float
    central: Estimate
    complex_step: float | None


def judge(numbers: Numbers, samples: Samples, *, value: float, size: float, rounding: float, at_kink: bool) -> Verdict:
    """Compare one derivative's numbers, each within its own error.

    samples: how the output changes nearby. value: of the output. size: of the number that moves.
    rounding: the error of the analytic derivative. at_kink: an operation between input and output is at a kink.
    """
    exact, _, central, by_complex = numbers
    slack = rounding + 4 * samples.fixed / size + 1e-270 / size  # the last is underflow
    if not math.isfinite(value):
        return _without_value(value, samples)
    if not _close(exact, numbers.forward, slack):
        return Verdict("mismatch", f"forward mode gives {numbers.forward!r}")
    if not math.isfinite(exact):
        return _without_derivative(exact, central, samples)
    near = _agrees(exact, central, slack)
    scale = max(abs(exact), abs(central.value), abs(value) / size)
    rough = not central.error <= 1e-3 * scale  # the differences have fewer than three digits
    special = _special(exact, slack, samples) if at_kink or rough or not near else None
    if rough or not near:
        special = _where_trips_change(exact, slack, samples) or special
    if special:
        return special
    if not near and samples.fixed > samples.most():
        return Verdict("unclear", "the value changes by less than the rounding of the point does to it")
    if not near:
        return Verdict("mismatch", f"differences give {central.value:.6g}")
    if by_complex is not None and not _close(exact, by_complex, slack):
        return Verdict("mismatch", f"the complex step gives {by_complex!r}")
    if rough and by_complex is None:
        return Verdict("unclear", f"differences are good to {central.error:.1g} only")
    far = abs(exact - central.value) > 1e-3 * abs(exact)
    return Verdict("ok", "within rounding" if far and not rough else "")


def _close(one: float, other: float, slack: float) -> bool:
    """Whether two exact methods agree."""
    if not (math.isfinite(one) and math.isfinite(other)):
        return one == other or (one != one and other != other)
    return abs(one - other) <= _RELATIVE * max(abs(one), abs(other)) + slack


def _agrees(exact: float, estimate: Estimate, slack: float) -> bool:
    """Whether a number is within the error of an estimate; never, where the estimate is nan."""
    return abs(exact - estimate.value) <= 2 * estimate.error + _RELATIVE * abs(exact) + slack


def _without_value(value: float, samples: Samples) -> Verdict:
    """The verdict where the value is nan or infinite: an edge, if all changes on one side alone are nan."""
    sides = {"left": samples.before[:3], "right": samples.after[:3]}
    none = [name for name, changes in sides.items() if np.all(np.isnan(changes))]
    if len(none) == 1:
        return Verdict("edge", f"the value is {value}, and there is none to the {none[0]}")
    return Verdict("not finite", f"the value is {value}")


def _without_derivative(exact: float, central: Estimate, samples: Samples) -> Verdict:
    """The verdict where the analytic derivative is nan or infinite, and the value is not."""
    none = [side.name for side in samples.sides() if side.kind == "none"]
    if none:
        return Verdict("edge", f"no differences to the {' or '.join(none)}, chosen {exact}")
    if special := _special(exact, 0.0, samples):
        return special
    if central.settled:
        return Verdict("mismatch", f"differences give {central.value:.6g}")
    return Verdict("unclear", f"the derivative is {exact}, and differences tell nothing")


def _special(exact: float, slack: float, samples: Samples) -> Verdict | None:
    """The verdict on a point at an edge, a jump, a kink or a steep place of the function; None at other points."""
    sides = samples.sides()
    kinds = [side.kind for side in sides]
    existing = [side for side in sides if side.kind != "none"]
    if not existing:
        return Verdict("edge", "no differences on either side")
    if len(existing) == 1:
        (side,) = existing
        wrong = side.kind == "smooth" and side.slope.settled and not _agrees(exact, side.slope, slack)
        why = f"differences on the {side.name} only: {side.slope.value:.6g}, chosen {exact:.6g}"
        return Verdict("mismatch" if wrong else "edge", why)
    if "jump" in kinds:
        return Verdict("jump", f"the value jumps, chosen {exact:.6g}")
    if "steep" in kinds:
        return Verdict("steep", f"the differences grow without bound, chosen {exact:.6g}")
    low, high = sorted(side.slope for side in sides)
    errors = 4 * (low.error + high.error)
    if not high.value - low.value > errors + 1e-6 * max(abs(high.value), abs(low.value)):
        return None
    one_sided = ", ".join(f"{side.name} {_slope_text(side.slope)}" for side in sides)
    outside = low.value - errors - slack > exact or high.value + errors + slack < exact
    left, right = (side.slope.value for side in sides)
    return Verdict("mismatch" if outside else "kink", f"{one_sided}, chosen {exact:.6g}", (left, right))


def _where_trips_change(exact: float, slack: float, samples: Samples) -> Verdict | None:
    """The verdict where loops make other trips beside the point, from the differences along the same trips."""
    same = samples.with_same_trips()
    if same is None or any(side.kind in ("jump", "steep") for side in same.sides()):
        return None
    settled = [side.slope for side in same.sides() if side.kind == "smooth" and side.slope.settled]
    wrong = [slope for slope in settled if not _agrees(exact, slope, slack)]
    if wrong:
        return Verdict("mismatch", f"differences along the same trips give {wrong[0].value:.6g}")
    return Verdict("kink", f"the number of trips changes nearby, chosen {exact:.6g}")


def _slope_text(slope: Estimate) -> str:
    """A one-sided derivative, to the digits that it has."""
    return f"{round(slope.value, 6) + 0.0 if slope.error < 1e-6 else slope.value:.6g}"
