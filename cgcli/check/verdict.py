"""Analytic and numeric derivative against each other: what is right, wrong, or cannot be told, and why."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cgcli.check.differences import Estimate, Rounding, Samples, Side, sides

RELATIVE = 1e-9  # by how much the derivatives of two exact methods may differ, at least
_SIDES = ("left", "right")


# From bad to good: only the first says that a rule is wrong.
KINDS = ("mismatch", "unclear", "not finite", "edge", "steep", "jump", "kink", "ok")


class Verdict(NamedTuple):
    """kind: one of KINDS. why: in words, '' where there is nothing to say."""

    kind: str
    why: str = ""


class Numbers(NamedTuple):
    """One derivative by every method.

    reverse, forward: by the two modes. central: by differences. complex_step: None where an
    operation takes no complex numbers.
    """

    reverse: float
    forward: float
    central: Estimate
    complex_step: float | None


class Place(NamedTuple):
    """Where a derivative is taken.

    value: of the output. size: of the number that moves. own_error: the rounding error of the
    analytic derivative. at_kink: an operation on the way stands at a kink. samples, rounding:
    how the output changes nearby.
    """

    value: float
    size: float
    own_error: float
    at_kink: bool
    samples: Samples
    rounding: Rounding


def judge(numbers: Numbers, place: Place) -> Verdict:
    """Compare one derivative's numbers, each within its own error."""
    exact = numbers.reverse
    slack = place.own_error + 4 * place.rounding.fixed / place.size + 1e-270 / place.size  # the last is underflow
    if not math.isfinite(place.value):
        return _without_value(place)
    if not _close(exact, numbers.forward, slack):
        return Verdict("mismatch", f"forward mode gives {numbers.forward!r}")
    if not math.isfinite(exact):
        return _without_derivative(exact, numbers.central, place)
    near = _agrees(exact, numbers.central, slack)
    natural = max(abs(exact), abs(numbers.central.value), abs(place.value) / place.size)
    rough = not numbers.central.error <= 1e-3 * natural
    if place.at_kink or rough or not near:
        special = _special(exact, slack, *sides(place.samples, place.rounding))
        if special is not None:
            return special
    if not near:
        return Verdict("mismatch", f"differences give {numbers.central.value:.6g}")
    by_complex = numbers.complex_step
    if by_complex is not None and not _close(exact, by_complex, slack):
        return Verdict("mismatch", f"the complex step gives {by_complex!r}")
    if rough and by_complex is None:
        return Verdict("unclear", f"differences are good to {numbers.central.error:.1g} only")
    far = abs(exact - numbers.central.value) > 1e-3 * abs(exact)
    return Verdict("ok", "within rounding" if far and not rough else "")


def _close(one: float, other: float, slack: float) -> bool:
    """Whether two exact methods agree."""
    if not (math.isfinite(one) and math.isfinite(other)):
        return one == other or (one != one and other != other)
    return abs(one - other) <= RELATIVE * max(abs(one), abs(other)) + slack


def _agrees(exact: float, estimate: Estimate, slack: float) -> bool:
    """Whether a number is within the error of a difference; never, where there is no difference."""
    return abs(exact - estimate.value) <= 2 * estimate.error + RELATIVE * abs(exact) + slack


def _without_value(place: Place) -> Verdict:
    """Where the value is nan or infinite; beside an infinite one, changes are infinite where there are values."""
    changes = (place.samples.before[:3], place.samples.after[:3])
    blind = [name for name, side in zip(_SIDES, changes, strict=True) if np.all(np.isnan(side))]
    if len(blind) == 1:
        return Verdict("edge", f"the value is {place.value}, and there is none to the {blind[0]}")
    return Verdict("not finite", f"the value is {place.value}")


def _without_derivative(exact: float, estimate: Estimate, place: Place) -> Verdict:
    """Where the analytic derivative is nan or infinite, and the value is not."""
    around = sides(place.samples, place.rounding)
    blind = _blind(*around)
    if blind:
        return Verdict("edge", f"no differences to the {' or '.join(blind)}, chosen {exact}")
    if any(side.kind == "steep" for side in around):
        return Verdict("steep", f"the differences grow without bound, chosen {exact}")
    special = _special(exact, 0.0, *around)
    if special is not None:
        return special
    if estimate.settled:
        return Verdict("mismatch", f"differences give {estimate.value:.6g}")
    return Verdict("unclear", f"the derivative is {exact}, and differences tell nothing")


def _blind(*around: Side) -> list[str]:
    return [name for name, side in zip(_SIDES, around, strict=True) if side.kind == "none"]


def _special(exact: float, slack: float, left: Side, right: Side) -> Verdict | None:
    """What is special about the point, if anything is."""
    blind = _blind(left, right)
    if len(blind) == 1:
        name, side = ("right", right) if left.kind == "none" else ("left", left)
        wrong = side.kind == "smooth" and side.slope.settled and not _agrees(exact, side.slope, slack)
        why = f"differences on the {name} only: {side.slope.value:.6g}, chosen {exact:.6g}"
        return Verdict("mismatch" if wrong else "edge", why)
    if blind:
        return Verdict("edge", "no differences on either side")
    if "jump" in (left.kind, right.kind):
        return Verdict("jump", f"the value jumps, chosen {exact:.6g}")
    if "steep" in (left.kind, right.kind):
        return Verdict("steep", f"the differences grow without bound, chosen {exact:.6g}")
    low, high = sorted((left.slope, right.slope))
    errors = 4 * (low.error + high.error)
    if not high.value - low.value > errors + 1e-6 * max(abs(high.value), abs(low.value)):
        return None
    why = f"left {_brief(left)}, right {_brief(right)}, chosen {exact:.6g}"
    within = not low.value - errors - slack > exact and not high.value + errors + slack < exact
    return Verdict("kink" if within else "mismatch", why)


def _brief(side: Side) -> str:
    """A one-sided derivative, to the digits that it has."""
    value, error = side.slope[:2]
    return f"{round(value, 6) + 0.0 if error < 1e-6 else value:.6g}"
