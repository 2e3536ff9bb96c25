"""What it costs to listen for nan and infinities, where there are none: the ratio of two evaluations.

    python tests/bench/events.py [ROUNDS]

One is told of floating-point events, the other ignores them. Many short rounds of each, in turn, and
the ratio of their medians; the goal is that of a difference that cannot be measured.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

GOAL = 1.02

SCALAR = "(sin(x)*y + exp(-x^2))/(1 + y^2) - ln(1 + x^2)*cos(x*y) + sqrt(x^2 + y^2)*tanh(x - y)"
ARRAY = "mean((sin(x)*y + exp(-x^2))/(1 + y^2))"


def seconds(action: Callable[[], object], times: int) -> float:
    """The processor time of some calls."""
    start = time.process_time()
    for _ in range(times):
        action()
    return time.process_time() - start


def ratio(listening: Callable[[], object], ignoring: Callable[[], object], times: int, rounds: int) -> float:
    """How much longer the one takes: rounds in turn, so that a busy machine slows both."""
    for action in (listening, ignoring):
        seconds(action, times)
    pairs = []
    for at in range(rounds):  # who goes first takes turns too
        first, second = (listening, ignoring) if at % 2 else (ignoring, listening)
        taken = {first: seconds(first, times)}
        taken[second] = seconds(second, times)
        pairs.append(taken[listening] / taken[ignoring])
    return statistics.median(pairs)


def main() -> int:
    """Print the ratios; 1 when one is above the goal."""
    import numpy as np

    from cgcli.evaluate.evaluate import Events, evaluate
    from cgcli.graph.node import toposort
    from cgcli.lowering.lower import lower
    from cgcli.syntax.parser import parse

    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 61
    numbers = {"x": np.float64(0.7), "y": np.float64(1.3)}
    arrays = {name: value + np.linspace(0, 1, 1_000_000) for name, value in numbers.items()}
    missed = 0
    for text, values, times in ((SCALAR, numbers, 300), (ARRAY, arrays, 1)):
        outputs = lower(parse(text), {name: value.shape for name, value in values.items()}).outputs
        events = Events()
        listening = partial(evaluate, outputs, values, events)
        found = ratio(listening, partial(evaluate, outputs, values), times, rounds)
        assert not events.seen
        missed += found > GOAL
        what = "scalars" if values is numbers else "arrays of 1,000,000"
        print(f"{found:6.3f}  (goal {GOAL})  {len(toposort(outputs))} nodes, {what}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
