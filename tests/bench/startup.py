"""How long `cg` takes to start, against Python with the same packages imported.

    python tests/bench/startup.py [RUNS]

Whole processes, interleaved, so that a busy machine slows all of them alike; the figures are
ratios of medians within this run. Measure an installed wheel: an editable install adds a
finder to every start of Python, to both sides of each ratio.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

PYTHON = sys.executable
CG = Path(sys.executable).with_name("cg")


def command_line(*arguments: str) -> list[str]:
    """The command `cg` of this Python's environment; ends the script with a sentence where there is none."""
    if not CG.exists():
        sys.exit(f"no 'cg' stands beside {sys.executable}: install the project there (pip install .)")
    return [str(CG), *arguments]


# What is measured, what it is measured against, and the ratio to stay below.
PAIRS = [
    (command_line("eval", "1+1"), [PYTHON, "-c", "import numpy, click, lark"], 1.25),
    (command_line("--help"), [PYTHON, "-c", "import click"], 1.6),
]

# No goals: what the other commands cost, for orientation.
OTHERS = [
    command_line("grad", "ln(x1) + x1*x2 - sin(x2)", "x1=2", "x2=5"),
    command_line("render", "ln(x1) + x1*x2 - sin(x2)", "-o", "-"),
]


def seconds(command: list[str]) -> float:
    """The wall time of one process; its output goes nowhere."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def spoken(command: list[str]) -> str:
    """A command as it would be typed, without its folder."""
    name, *arguments = command
    return " ".join([Path(name).name, *(f"'{item}'" if " " in item else item for item in arguments)])


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    commands = [*OTHERS, *(command for pair in PAIRS for command in pair[:2])]
    for command in commands:
        seconds(command)
    times: dict[str, list[float]] = {spoken(command): [] for command in commands}
    for _ in range(runs):
        for command in commands:
            times[spoken(command)].append(seconds(command))
    middle = {name: statistics.median(taken) for name, taken in times.items()}
    missed = 0
    for ours, theirs, goal in PAIRS:
        ratio = middle[spoken(ours)] / middle[spoken(theirs)]
        missed += ratio > goal
        print(f"{ratio:5.2f}  (goal {goal})  {spoken(ours)}  /  {spoken(theirs)}")
    for name, median in middle.items():
        print(f"{median * 1e3:7.1f} ms  {name}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
