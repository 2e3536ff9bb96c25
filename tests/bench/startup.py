"""How long `cg` takes to start, against Python with the same packages imported.

    python tests/bench/startup.py [RUNS]

Whole processes, interleaved, so that a busy machine slows all of them alike; the figures are
ratios of medians within this run. Measure an installed wheel: an editable install adds a
finder to every start of Python, to both sides of each ratio.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PYTHON = sys.executable
CG = Path(sys.executable).with_name("cg")


def command_line(*arguments: str) -> list[str]:
    """The command `cg` of this Python's environment; ends the script with a sentence where there is none."""
    if not CG.exists():
        sys.exit(f"no 'cg' stands beside {sys.executable}: install the project there (pip install .)")
    return [str(CG), *arguments]


BOOK = "ln(x1) + x1*x2 - sin(x2)"
PASS = [PYTHON, "-c", "pass"]
QALC = ["qalc", "-t", "1+1"]
RENDER = command_line("render", BOOK, "-o", "g.svg")
LAYOUT = ["sh", "-c", f"{CG} eval 1+1; {CG.with_name('graphviz-pure')} -Tsvg <g.dot"]

# What is measured, what it is measured against, and the ratio to stay below.
PAIRS = [
    *(
        (command, rival, goal)
        for command in (
            command_line("eval", "1+1"),
            command_line("eval", "sqrt(x^2+y^2)", "x=3", "y=4"),
            command_line("grad", BOOK, "x1=2", "x2=5"),
        )
        for rival, goal in ((QALC, 0.5), (PASS, 2.2))
    ),
    (command_line("diff", "x^2*sin(x)"), QALC, 0.8),
    (command_line("--help"), [PYTHON, "-c", "import click"], 0.6),
    (command_line("eval", "[1,2]+1"), [PYTHON, "-c", "import numpy"], 1.15),
    (command_line("eval", "x+1", "x.csv"), [PYTHON, "-c", "import numpy, pyarrow"], 1.3),
    (RENDER, LAYOUT, 1.3),
]

# No goals: what the other commands cost, for orientation.
OTHERS = [
    command_line("simplify", "x + x"),
    command_line("trace", BOOK, "x1=2", "x2=5"),
    command_line("functions", "sin"),
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
    """Print the table; 1 when a goal is missed. The number of runs is the argument."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("x.csv").write_text("x\n1\n2\n3\n", encoding="utf-8")
        subprocess.run(command_line("render", BOOK, "-o", "g.dot"), check=True)
        return measure(runs)


def measure(runs: int) -> int:
    """Run everything in turn and print the table; 1 when a goal is missed."""
    pairs = [pair for pair in PAIRS if pair[1] is not QALC or shutil.which("qalc")]
    commands = [*OTHERS, *{spoken(command): command for pair in pairs for command in pair[:2]}.values()]
    for command in commands:
        seconds(command)
    times: dict[str, list[float]] = {spoken(command): [] for command in commands}
    for _ in range(runs):
        for command in commands:
            times[spoken(command)].append(seconds(command))
    middle = {name: statistics.median(taken) for name, taken in times.items()}
    missed = 0
    for ours, theirs, goal in pairs:
        ratio = middle[spoken(ours)] / middle[spoken(theirs)]
        missed += ratio > goal
        print(f"{ratio:5.2f}  (goal {goal})  {spoken(ours)}  /  {spoken(theirs)}")
    for name, median in middle.items():
        print(f"{median * 1e3:7.1f} ms  {name}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
