"""Values and gradients over columns in memory, against JAX's `jit(vmap(value_and_grad))` on the same columns.

    python tests/bench/columns.py [RUNS]

Both in one process that has two cores for itself, in float64, with two threads on both sides, and in turn, so that a
busy machine slows both alike. The first calls, in which JAX compiles, are not counted; of the others the fastest is.
The answers are compared.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erfc

from cgcli.evaluate.batched import Batched
from cgcli.graph.node import constant, variable
from cgcli.lowering.lower import lower
from cgcli.ops.table import FUNCTIONS
from cgcli.syntax.parser import parse
from cgcli.transform.differentiate import pullback

GOAL = 1.0  # cg's time over JAX's
THREADS = 2
BLACK_SCHOLES = Path(__file__).parent.parent.parent / "examples" / "black_scholes.cg"

Span = tuple[float, float]


class Case(NamedTuple):
    """A program, the same for JAX, how many rows, and between what its inputs lie."""

    name: str
    program: str
    in_jax: Callable[..., Any]
    rows: int
    inputs: dict[str, Span]


def textbook(x1: Any, x2: Any) -> Any:
    return jnp.log(x1) + x1 * x2 - jnp.sin(x2)


def black_scholes(S: Any, K: Any, r: Any, sigma: Any, T: Any) -> Any:  # noqa: N803 - as everybody writes it
    def normal(z: Any) -> Any:
        return erfc(-z / jnp.sqrt(2.0)) / 2

    d1 = (jnp.log(S / K) + (r + sigma**2 / 2) * T) / (sigma * jnp.sqrt(T))
    d2 = d1 - sigma * jnp.sqrt(T)
    return S * normal(d1) - K * jnp.exp(-r * T) * normal(d2)


CASES = [
    Case("ln(x1) + x1*x2 - sin(x2)", "ln(x1) + x1*x2 - sin(x2)", textbook, 4_000_000, {"x1": (0.5, 5), "x2": (-5, 5)}),
    Case("Black-Scholes", BLACK_SCHOLES.read_text(encoding="utf-8"), black_scholes, 1_000_000,
         {"S": (50, 150), "K": (50, 150), "r": (0, 0.1), "sigma": (0.1, 0.6), "T": (0.1, 2)}),
]  # fmt: skip


def by_cg(case: Case, columns: Sequence[Any]) -> Callable[[], Sequence[Any]]:
    """The value and all derivatives, by cg."""
    inputs = [variable(name) for name in case.inputs]
    output = lower(parse(case.program, functions=FUNCTIONS.__contains__), {}).output
    batched = Batched([output, *pullback([output], [constant(1.0)], inputs)], inputs)
    return lambda: batched(columns, threads=THREADS)


def by_jax(case: Case, columns: Sequence[Any]) -> Callable[[], Sequence[Any]]:
    """The same by JAX; it has copies of the columns as it wants them."""
    function = jax.jit(jax.vmap(jax.value_and_grad(case.in_jax, argnums=tuple(range(len(case.inputs))))))
    own = [jnp.asarray(column) for column in columns]

    def call() -> Sequence[Any]:
        value, partials = jax.block_until_ready(function(*own))
        return [value, *partials]

    return call


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def agree(ours: Sequence[Any], theirs: Sequence[Any]) -> bool:
    """Whether the numbers are the same to ten digits of the largest of a column."""
    pairs = zip(ours, map(np.asarray, theirs), strict=True)
    return all(bool(np.all(np.abs(one - other) <= 1e-10 * np.max(np.abs(other)))) for one, other in pairs)


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])  # JAX counts the cores at its first call
    jax.config.update("jax_enable_x64", True)
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    print(f"{'':28}{'rows':>10}{'cg, ms':>10}{'JAX, ms':>10}{'ratio':>8}{'goal':>8}")
    missed = False
    for case in CASES:
        rng = np.random.default_rng(0)
        columns = [rng.uniform(*span, case.rows) for span in case.inputs.values()]
        cg, other = by_cg(case, columns), by_jax(case, columns)
        if not agree(cg(), other()):
            sys.exit(f"{case.name}: cg and JAX do not agree")
        ours, theirs = (min(times) for times in zip(*((seconds(cg), seconds(other)) for _ in range(runs)), strict=True))
        missed |= ours > GOAL * theirs
        print(f"{case.name:28}{case.rows:>10}{ours * 1e3:>10.1f}{theirs * 1e3:>10.1f}{ours / theirs:>8.2f}{GOAL:>8.2f}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
