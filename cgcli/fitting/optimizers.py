"""Optimizers: a step from a gradient, as PyTorch's take it, on all parameters as one vector."""

from __future__ import annotations

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Callable
from cgcli.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Step = Callable[[Floats], Floats]

_BETAS = (0.9, 0.999)  # of the averages of the gradient and of its square
_EPSILON = 1e-8  # beside the root of the latter


def _sgd(lr: float, momentum: float) -> Step:
    """Steps against the gradient."""
    return lambda gradient: -lr * gradient


def _momentum(lr: float, momentum: float) -> Step:
    """Steps against a sum of all gradients, of which each counts `momentum` times as much as the one after it."""
    sums = np.zeros(1)

    def step(gradient: Floats) -> Floats:
        nonlocal sums
        sums = momentum * sums + gradient
        return -lr * sums

    return step


def _adam(lr: float, momentum: float) -> Step:
    """Adam: Kingma and Ba (2015), algorithm 1."""
    mean = square = np.zeros(1)
    steps = 0

    def step(gradient: Floats) -> Floats:
        nonlocal mean, square, steps
        steps += 1
        mean = mean + (1 - _BETAS[0]) * (gradient - mean)
        square = _BETAS[1] * square + (1 - _BETAS[1]) * gradient**2
        root = np.sqrt(square) / np.sqrt(1 - _BETAS[1] ** steps)
        moved: Floats = -lr / (1 - _BETAS[0] ** steps) * mean / (root + _EPSILON)
        return moved

    return step


OPTIMIZERS: dict[str, Callable[[float, float], Step]] = {"sgd": _sgd, "momentum": _momentum, "adam": _adam}


def optimizer(name: str, lr: float, momentum: float) -> Step:
    """What gives from each gradient the step that is added to the parameters. Raises UsageError.

    lr: the learning rate. momentum: of that optimizer.
    """
    if name not in OPTIMIZERS:
        hint = did_you_mean(name, OPTIMIZERS) or f"known: {', '.join(OPTIMIZERS)}"
        raise UsageError(f"unknown optimizer '{name}'", hint=hint)
    if not 0 < lr < np.inf:
        raise UsageError(f"the learning rate is a positive number, not {lr:g}", hint="as in: 0.01")
    if not 0 <= momentum < 1:
        raise UsageError(f"the momentum is from 0 to below 1, not {momentum:g}", hint="as in: 0.9")
    return OPTIMIZERS[name](lr, momentum)
