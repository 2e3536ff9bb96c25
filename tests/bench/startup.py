"""How long `cg` takes to start, against Python with the same packages imported.

    python tests/bench/startup.py [RUNS]

Whole processes, interleaved, so that a busy machine slows all of them alike; the figures are
ratios of medians within this run, of time and of processor time, user's and system's. Where the
machine is busy, the latter tells. Measure an installed wheel: an editable install adds a
finder to every start of Python, to both sides of each ratio. The script `cg` is the installer's:
that of pip before 26 imports `re`, which alone is 0.7 of `python -c pass`; that of uv and of later pips does not.
"""

from __future__ import annotations

import os
import resource
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
LAYOUT = ["sh", "-c", f"{CG} eval 1+1; {CG.with_name('graphviz-pure')} -Tsvg <g.dot 2>/dev/null"]

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

MANY = 200
# A loop of calls in a shell, measured a tenth as often.
LOOPS = [
    ["bash", "-c", f"for i in $(seq {MANY}); do {command}; done"]
    for command in (f"{CG} eval 1+1", "qalc -t 1+1", f"{PYTHON} -c pass")
]

# Processor time against the same with one thread for products of matrices: nothing spins for little work.
THREADED = [
    command_line("eval", "[1,2]+1"),
    command_line("eval", "sum(ones([64,784]) @ ones([784,128]))"),
    command_line("eval", "x+1", "x.csv"),
]
ONE_THREAD = ["env", "OPENBLAS_NUM_THREADS=1"]
MOST_THREADED = 1.1

# No goals: what the other commands cost, for orientation.
OTHERS = [
    command_line("simplify", "x + x"),
    command_line("trace", BOOK, "x1=2", "x2=5"),
    command_line("functions", "sin"),
]


def seconds(command: list[str]) -> tuple[float, float]:
    """The time of one process, and its processor time; its output goes nowhere."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    passed, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return passed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def medians(commands: list[list[str]], runs: int) -> dict[str, tuple[float, float]]:
    """The medians of both times, of commands that run in turn; each runs once before, for files to be at hand."""
    for command in commands if runs > 1 else ():
        seconds(command)
    taken: dict[str, list[tuple[float, float]]] = {spoken(command): [] for command in commands}
    for _ in range(runs):
        for command in commands:
            taken[spoken(command)].append(seconds(command))
    return {name: (statistics.median(each[0] for each in times), statistics.median(each[1] for each in times))
            for name, times in taken.items()}  # fmt: skip


def spoken(command: list[str]) -> str:
    """A command as it would be typed, without its folder."""
    name, *arguments = command
    named = [Path(item).name if item.startswith("/") else item for item in (name, *arguments)]
    return " ".join(f"'{item}'" if " " in item else item for item in named)


def main() -> int:
    """Print the tables; 1 when a goal is missed. The number of runs is the argument."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("x.csv").write_text("x\n1\n2\n3\n", encoding="utf-8")
        subprocess.run(command_line("render", BOOK, "-o", "g.dot"), check=True)
        return measure(runs)


def measure(runs: int) -> int:
    """Run everything in turn and print the table; 1 when the processor time misses a goal."""
    has_qalc = shutil.which("qalc") is not None
    pairs = [pair for pair in PAIRS if pair[1] is not QALC or has_qalc]
    pairs += [(command, [*ONE_THREAD, *command], MOST_THREADED) for command in THREADED]
    loops = [loop for loop in LOOPS if has_qalc or "qalc" not in loop[-1]]
    commands = {spoken(command): command for pair in pairs for command in pair[:2]}
    middle = medians([*OTHERS, *commands.values()], runs) | medians(loops, max(1, runs // 10))
    missed = 0
    print(" time  processor")
    for ours, theirs, goal in [*pairs, *((loops[0], loop, None) for loop in loops[1:])]:
        wall, processor = (one / other for one, other in zip(middle[spoken(ours)], middle[spoken(theirs)], strict=True))
        missed += goal is not None and processor > goal
        wanted = "" if goal is None else f"(goal {goal}: {'missed' if processor > goal else 'met'})"
        print(f"{wall:5.2f}  {processor:5.2f}  {wanted:19}  {spoken(ours)}  /  {spoken(theirs)}")
    for name, (wall, processor) in middle.items():
        print(f"{wall * 1e3:7.1f} ms  {processor * 1e3:7.1f} ms  {name}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
