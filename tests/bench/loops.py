"""Loops against JAX: a pendulum of 100,000 steps with its gradient, square roots by Newton's iteration in a million
rows, the memory of a gradient over a million trips, and how time grows with the trips.

    python tests/bench/loops.py

Each figure is a ratio of medians in this run, or megabytes; behind it stands its goal. JAX's loop is a jitted `scan`,
with and without the time that it takes to compile; in rows it is a vmapped `while_loop`, which has no reverse mode.
"""

from __future__ import annotations

import importlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import cgcli

STEPS = 100_000
ROWS = 1_000_000
PENDULUM = "repeat {steps} {{ t = theta; theta = theta + h*w; w = w - h*g*sin(t) }}; theta"
ROOT = "x = a; while abs(x^2 - a) > 1e-12*a { x = (x + a/x)/2 }; x"
MEMORY = """
import re, sys
import cgcli
f = cgcli.value_and_grad(sys.argv[1])
f(theta=1.0, w=0.0, g=9.8, h=1e-5)
print(int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) / 1000)
"""


def seconds(call: Callable[[], Any], rounds: int = 3) -> float:
    """The median time of a call, after one to warm up."""
    call()
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def pendulum(steps: int) -> Callable[[], Any]:
    """cg: value and gradient."""
    function = cgcli.value_and_grad(PENDULUM.format(steps=steps))
    return lambda: function(theta=1.0, w=0.0, g=9.8, h=1e-3)


def pendulum_of_jax(steps: int) -> Callable[[], Any]:
    """JAX: a jitted scan, value and gradient."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)

    def last(theta: Any, w: Any, g: Any, h: Any) -> Any:
        def step(carry: Any, _: Any) -> Any:
            theta, w = carry
            return (theta + h * w, w - h * g * jax.numpy.sin(theta)), None

        return jax.lax.scan(step, (theta, w), None, length=steps)[0][0]

    function = jax.jit(jax.value_and_grad(last, (0, 1, 2, 3)))
    return lambda: jax.block_until_ready(function(1.0, 0.0, 9.8, 1e-3))


def root_of_jax(a: Any) -> Callable[[], Any]:
    """JAX: a vmapped while_loop."""
    jax = importlib.import_module("jax")

    def root(a: Any) -> Any:
        return jax.lax.while_loop(lambda x: abs(x**2 - a) > 1e-12 * a, lambda x: (x + a / x) / 2, a)

    function = jax.jit(jax.vmap(root))
    return lambda: jax.block_until_ready(function(a))


def main() -> int:
    """Print the figures; 1 where a goal is missed."""
    begin = time.perf_counter()
    other = pendulum_of_jax(STEPS)
    other()
    compiled = time.perf_counter() - begin
    begin = time.perf_counter()
    mine = pendulum(STEPS)
    (value, grad), (expected, slopes) = mine(), other()
    whole = time.perf_counter() - begin
    assert np.allclose([value, *(grad[name] for name in ("theta", "w", "g", "h"))], [expected, *slopes], rtol=1e-9)
    a = np.exp(np.random.default_rng(1).uniform(-8, 8, ROWS))
    rows = cgcli.compile(ROOT, ())
    assert np.allclose(rows({"a": a})["value"], np.sqrt(a), rtol=1e-12)
    assert np.allclose(cgcli.compile(ROOT)({"a": a})["d_a"], 0.5 / np.sqrt(a), rtol=1e-6)
    text = PENDULUM.format(steps=1_000_000)
    used = subprocess.run([sys.executable, "-c", MEMORY, text], capture_output=True, text=True, check=True).stdout
    times = [seconds(pendulum(steps)) for steps in (10_000, 100_000)]
    figures = [
        (f"{STEPS} steps, value and gradient, x JAX's scan", seconds(mine) / seconds(other), 70.0),
        ("the same, compilation counted, x JAX", whole / compiled, 1.0),
        (f"{ROWS} rows of Newton's square root, x JAX's while_loop",
         seconds(lambda: rows({"a": a})) / seconds(root_of_jax(a)), 5.0),
        ("MB, a gradient over 1,000,000 trips", float(used), 100.0),
        ("x the time for 10 x the trips", times[1] / times[0], 15.0),
    ]  # fmt: skip
    for name, figure, goal in figures:
        print(f"{figure:8.2f}  (goal {goal:g})  {name}")
    return int(any(figure > goal for _, figure, goal in figures))


if __name__ == "__main__":
    sys.exit(main())
