"""One call of `value_and_grad` on a scalar expression of 20 operations, against the derivative written by hand in
Python, HIPS autograd, and JAX without jit.

    python tests/bench/calls.py [CALLS]

The same function of three numbers, 10,000 calls unless told (of JAX a hundredth), each time at other
numbers, in rounds that take turns. The figure is the ratio of medians over the rounds. Before the
clock starts, all of them must agree on the value and the derivatives.
"""

from __future__ import annotations

import importlib
import math
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import cgcli

GOAL = 10.0  # times faster per call than another program
BY_HAND = 1 / 3  # of the speed of a derivative written by hand
ROUNDS = 5

EXPRESSION = "sin(x*y)*exp(-z) + ln(x + y)/(1 + x*x) + tanh(y*z) - sqrt(x*x + y*y)*cos(z)"

Numbers = tuple[float, float, float]
Call = Callable[[Numbers], tuple[float, list[float]]]


def ours() -> Call:
    """cg: compiled at the first call."""
    function = cgcli.value_and_grad(EXPRESSION)

    def call(at: Numbers) -> tuple[float, list[float]]:
        value, grad = function(x=at[0], y=at[1], z=at[2])
        return value, list(grad.values())

    return call


def expression(np: Any) -> Callable[[Any, Any, Any], Any]:
    """The same expression in the functions of a numpy-like module."""

    def function(x: Any, y: Any, z: Any) -> Any:
        return (
            np.sin(x * y) * np.exp(-z) + np.log(x + y) / (1 + x * x)
            + np.tanh(y * z) - np.sqrt(x * x + y * y) * np.cos(z)
        )  # fmt: skip

    return function


def hips_autograd() -> Call:
    """HIPS autograd: traces each call."""
    autograd = importlib.import_module("autograd")
    function = autograd.value_and_grad(expression(importlib.import_module("autograd.numpy")), (0, 1, 2))
    return lambda at: function(*at)


def jax_without_jit() -> Call:
    """JAX in float64, without jit: traces each call, and runs operation by operation."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    function = jax.value_and_grad(expression(importlib.import_module("jax.numpy")), (0, 1, 2))
    return lambda at: function(*at)


def by_hand() -> Call:
    """What a person would write in Python for this one expression."""
    from math import cos, exp, log, sin, sqrt, tanh

    def call(at: Numbers) -> tuple[float, list[float]]:
        x, y, z = at
        xy, small, total, below = x * y, exp(-z), x + y, 1 + x * x
        wave, quotient, bent, size, turned = sin(xy), log(total) / below, tanh(y * z), sqrt(x * x + y * y), cos(z)
        slope, flat, unit, inner = cos(xy) * small, 1 - bent * bent, turned / size, 1 / total / below
        value = wave * small + quotient + bent - size * turned
        d_x = slope * y + inner - 2 * x * quotient / below - unit * x
        return value, [d_x, slope * x + inner + flat * z - unit * y, flat * y - wave * small + size * sin(z)]

    return call


# Whom to compare with, its package, in how many calls of ours it makes one, and how many times faster we are to be.
OTHERS: list[tuple[str, str, Callable[[], Call], int, float]] = [
    ("written by hand", "", by_hand, 1, BY_HAND),
    ("HIPS autograd", "autograd", hips_autograd, 10, GOAL),
    ("JAX without jit", "jax", jax_without_jit, 100, GOAL),
]


def seconds(call: Call, calls: int) -> float:
    """The wall time of one call, as the mean of many."""
    points = [(0.5 + at / calls, 1.5 - at / calls, at / calls) for at in range(calls)]
    start = time.perf_counter()
    for point in points:
        call(point)
    return (time.perf_counter() - start) / calls


def agree(one: Call, other: Call) -> bool:
    """Whether two give the same value and derivatives."""
    at = (0.7, 1.3, 0.2)
    (value, partials), (value_too, partials_too) = one(at), other(at)
    pairs = zip([value, *partials], [value_too, *partials_too], strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=1e-12) for a, b in pairs)


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    cg = ours()
    rivals: list[tuple[str, Call, int, float]] = []
    for name, package, make, less, goal in OTHERS:
        try:
            rivals.append((name, make(), max(calls // less, 1), goal))
        except ImportError:
            print(f"{name} is not installed and is left out: pip install {package}")
    for name, rival, _, _ in rivals:
        if not agree(cg, rival):
            sys.exit(f"cg and {name} differ")
    times: dict[str, list[float]] = {name: [] for name in ("cg", *(name for name, *_ in rivals))}
    for _ in range(ROUNDS):
        times["cg"].append(seconds(cg, calls))
        for name, rival, fewer, _ in rivals:
            times[name].append(seconds(rival, fewer))
    middle = {name: statistics.median(taken) for name, taken in times.items()}
    print(f"{'one call of value_and_grad':28}{'':>14}{'ratio':>9}{'goal':>9}")
    print(f"{'cg':28}{middle['cg'] * 1e6:11.1f} us")
    for name, _, _, goal in rivals:
        print(f"{name:28}{middle[name] * 1e6:11.1f} us{middle[name] / middle['cg']:9.2f}{goal:9.2f}")
    return 1 if any(middle[name] / middle["cg"] < goal for name, _, _, goal in rivals) else 0


if __name__ == "__main__":
    sys.exit(main())
