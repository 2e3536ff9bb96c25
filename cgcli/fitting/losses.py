"""Robust losses: what a residual costs, beyond a size where it counts for less than its square.

Each is a function rho of z = (r/c)^2, with which a residual r costs c^2 rho(z); c is the size up to which residuals are
taken for ordinary ones. The table has rho and its first two derivatives, as scipy.optimize.least_squares has them.
"""

from __future__ import annotations

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Callable
from cgcli.errors import UsageError, did_you_mean
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_LEAST = 2.0**-52  # of the square of a factor: a row is never left out whole


def _huber(z: Floats) -> Any:
    far = np.maximum(z, 1.0)
    near = z <= 1
    return (
        np.where(near, z, 2 * np.sqrt(far) - 1),
        np.where(near, 1.0, far**-0.5),
        np.where(near, 0.0, -0.5 * far**-1.5),
    )


def _soft_l1(z: Floats) -> Any:
    root = np.sqrt(1 + z)
    return 2 * (root - 1), 1 / root, -0.5 / root**3


def _cauchy(z: Floats) -> Any:
    return np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2


LOSSES: dict[str, Callable[[Floats], Any]] = {"huber": _huber, "soft_l1": _soft_l1, "cauchy": _cauchy}


class Loss(NamedTuple):
    """A robust loss of the table, and its size c."""

    name: str
    size: float

    def parts(self, residuals: Floats) -> tuple[float, Floats, Floats]:
        """The cost of all residuals; psi, half the slope of each one's cost; and psi's own slope."""
        z = (residuals / self.size) ** 2
        rho, first, second = LOSSES[self.name](z)
        return float(self.size**2 * np.sum(rho)), residuals * first, first + 2 * z * second

    def scaled(self, block: Floats) -> tuple[Floats, float]:
        """The rows [J r] in whose sum of squares steps do what they do in the cost, and the cost.

        After Triggs et al. (2000), Bundle adjustment: a modern synthesis, appendix 4.3.
        """
        cost, slopes, curves = self.parts(block[:, -1])
        factors = np.sqrt(np.maximum(curves, _LEAST))
        return np.column_stack([block[:, :-1] * factors[:, None], slopes / factors]), cost


def loss_of(text: str) -> Loss | None:
    """The loss that a text names, `huber:1.5`; None for squares. Raises UsageError."""
    name, _, size = text.partition(":")
    if name == "squares" and not size:
        return None
    if name not in LOSSES:
        hint = did_you_mean(name, LOSSES) or f"known: squares, {', '.join(f'{each}:1' for each in LOSSES)}"
        raise UsageError(f"unknown loss '{name}'", hint=hint)
    try:
        number = float(size or 1)
    except ValueError:
        number = 0.0
    if not 0 < number < np.inf:
        raise UsageError(f"the size of the loss '{text}' is a positive number", hint=f"as in: {name}:1.5")
    return Loss(name, number)
