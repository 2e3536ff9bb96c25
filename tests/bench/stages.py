"""Programs of 10,000, 100,000 and a million operations: how time and memory grow, stage by stage; beside CasADi.

    python tests/bench/stages.py [LARGEST]

A text of statements with four operations each is parsed, lowered, differentiated, compiled and run, each size in a
process of its own, in processor seconds and in bytes of memory that stay. The exponent is that of the growth of time
from one size to the next. The garbage collector rests meanwhile, as it does in the library's functions. CasADi builds
the expression of 40,000 operations in Python, its gradient and a function of both; where it is not installed, in this
Python or in that which CASADI_PYTHON names, it is left out.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent.parent))  # the package, and the tests' own modules

EXPONENT = 1.1
GRAPHS, WITH_TEXT = 1.0, 2.5  # times CasADi's building: without the text's parse, and with it
COMPARED, ROUNDS = 40_000, 5
CASADI = """
import sys, time
import casadi
start = time.process_time()
x, y = casadi.SX.sym("x"), casadi.SX.sym("y")
t = x
for _ in range(int(sys.argv[1]) // 4):
    t = casadi.sin(t * x) + y * t
casadi.Function("f", [x, y], [t, casadi.gradient(t, casadi.vertcat(x, y))])
print(time.process_time() - start)
"""

Stages = dict[str, tuple[float, int]]


def measured(operations: int) -> Stages:
    """The processor seconds and the bytes of each stage."""
    from cgcli.evaluate.compiled import Compiled
    from cgcli.graph.collector import collector_at_rest
    from cgcli.graph.node import constant, toposort, variables
    from cgcli.lowering.lower import lower
    from cgcli.syntax.parser import parse
    from cgcli.transform.differentiate import pullback

    text = "t = x\n" + "t=sin(t*x)+y*t\n" * (operations // 4) + "t"
    found: Stages = {}

    def stage(name: str, make: Callable[[], Any]) -> Any:
        before, start = resident(), time.process_time()
        result = make()
        found[name] = time.process_time() - start, resident() - before
        return result

    with collector_at_rest:
        tree = stage("parse", lambda: parse(text))
        output = stage("lower", lambda: lower(tree)).output
        inputs = variables(toposort([output]))
        partials = stage("gradient", lambda: pullback([output], [constant(1.0)], inputs))
        run = stage("compile", lambda: Compiled([output, *partials], inputs))
        stage("run", lambda: run([0.3, 0.4]))
    return found


def resident() -> int:
    """The bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def in_a_process(operations: int) -> Stages:
    """As `measured`, in a process of its own."""
    command = [sys.executable, __file__, "--one", str(operations)]
    found: Stages = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def by_casadi() -> float | None:
    """The processor seconds of CasADi; None where it is not installed."""
    command = [os.environ.get("CASADI_PYTHON", sys.executable), "-c", CASADI, str(COMPARED)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return float(done.stdout) if done.returncode == 0 else None


def growth(sizes: list[int]) -> bool:
    """Print how each stage grows; whether one grows too fast."""
    missed = False
    before: Stages = {}
    for at, size in enumerate(sizes):
        stages = in_a_process(size)
        stages["all"] = sum(taken for taken, _ in stages.values()), sum(held for _, held in stages.values())
        print(f"{size:,} operations")
        for name, (taken, held) in stages.items():
            line = f"  {name:10}{taken:10.3f} s{taken / size * 1e6:9.2f} us each{held / size:8.0f} bytes each"
            if before:
                exponent = math.log(taken / before[name][0]) / math.log(size / sizes[at - 1])
                line += f"{exponent:8.2f}   (goal {EXPONENT})"
                missed |= name == "all" and exponent > EXPONENT
            print(line, flush=True)
        before = stages
    return missed


def beside_casadi() -> bool:
    """Print our time over CasADi's, the least of some rounds that take turns; whether it is above a goal."""
    pairs = [(in_a_process(COMPARED), by_casadi()) for _ in range(ROUNDS)]
    theirs = min((taken for _, taken in pairs if taken is not None), default=None)
    if theirs is None:
        print("casadi is not installed and is left out: pip install casadi")
        return False
    graphs = min(sum(ours[name][0] for name in ("lower", "gradient", "compile")) for ours, _ in pairs)
    text = min(ours["parse"][0] for ours, _ in pairs)
    print(f"{COMPARED:,} operations: CasADi builds them in {theirs:.2f} s")
    print(f"  lower, gradient, compile {graphs:8.2f} s{graphs / theirs:8.2f}   (goal {GRAPHS})")
    print(f"  from the text            {graphs + text:8.2f} s{(graphs + text) / theirs:8.2f}   (goal {WITH_TEXT})")
    return graphs > GRAPHS * theirs or graphs + text > WITH_TEXT * theirs


def main() -> int:
    """Print the tables; 1 when a goal is missed."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measured(int(sys.argv[2]))))
        return 0
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    sizes = [size for size in (10_000, 100_000, 1_000_000) if size <= largest]
    missed = growth(sizes)
    return 1 if beside_casadi() or missed else 0


if __name__ == "__main__":
    sys.exit(main())
