"""Rows from a file to a file as whole processes, against Miller, Polars and jq; memory; and how soon an answer comes.

    python tests/bench/rows.py [ROWS] [RUNS]

All compute ln(x1) + x1*x2 - sin(x2) for a million rows of two columns: cg with both derivatives, which it derives;
Miller and Polars from formulas that are given to them; jq the value alone; Polars from Parquet to
Parquet, too, and with 38 columns of other kinds beside the two. They take turns, each writes a file that was not there
before, and each figure is a ratio of medians of elapsed time. Memory is the peak of cg over ten times the rows, against
that over the rows. The answer's time is that from a row to its result, when cg has been waiting for the first row at a
pipe that stays open.

It needs mlr and jq on the path, and Polars: in this Python, or in that which POLARS_PYTHON names. What is missing is
said, and counts as missed. cg is to be installed as users have it, `pip install .`: an editable one starts later.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent.parent))  # the tests' own modules

from tests.bench.startup import command_line

PROGRAM = "ln(x1) + x1*x2 - sin(x2)"
MILLER = "$value = log($x1) + $x1*$x2 - sin($x2); $d_x1 = 1/$x1 + $x2; $d_x2 = $x1 - cos($x2)"
JQ = ". + {value: ((.x1|log) + .x1*.x2 - (.x2|sin))}"
POLARS = """
import sys
import polars as pl
x1, x2 = pl.col("x1"), pl.col("x2")
kind = sys.argv[1].rpartition(".")[2]
rows = getattr(pl, "read_" + kind)(sys.argv[1]).with_columns(
    value=x1.log() + x1 * x2 - x2.sin(), d_x1=1 / x1 + x2, d_x2=x1 - x2.cos()
)
getattr(rows, "write_" + kind)(sys.argv[2])
"""
_POLARS_COMMAND = [os.environ.get("POLARS_PYTHON", sys.executable), "-c", POLARS, "{in}", "{out}"]
_OTHERS = ("1.25", "12345", "some text", '"with, a comma"', "2024-01-31", "true", "")  # cells of the other columns
_MIXED = 38  # of these
MEMORY_GOAL = 1.2
ANSWER_GOAL = 0.05  # seconds
WAITING = 2.0  # seconds until cg has surely started


class Rival(NamedTuple):
    """Another program that does the same, or less. command: `{in}` and `{out}` stand for files, of which the
    first is called `data`."""

    name: str
    command: list[str]
    data: str
    goal: float


RIVALS = [
    Rival("Miller", ["mlr", "--csv", "put", MILLER, "{in}"], "rows.csv", 0.22),
    Rival("Polars", _POLARS_COMMAND, "rows.csv", 1.0),
    Rival("Polars, Parquet", _POLARS_COMMAND, "rows.parquet", 1.0),
    Rival("Polars, 40 columns", _POLARS_COMMAND, "mixed.csv", 1.25),
    Rival("jq, value alone", ["jq", "-c", JQ, "{in}"], "rows.jsonl", 0.2),
]


def write_rows(path: Path, rows: int) -> None:
    """Random rows, in the format of the suffix; a quarter of them between 38 other columns where they are mixed."""
    numbers = random.Random(1)
    others = "".join(f",{_OTHERS[at % len(_OTHERS)]}" for at in range(_MIXED)) if path.stem == "mixed" else ""
    line = '{{"x1":{},"x2":{}}}\n' if path.suffix == ".jsonl" else f"{{}},{{}}{others}\n"
    if path.suffix == ".parquet":  # in a process of its own: the peak of a new one begins with that of this one
        write_rows(path.with_suffix(".csv"), rows)
        subprocess.run(
            command_line("eval", "x1", str(path.with_suffix(".csv")), "--as", "x3", "-o", str(path)), check=True
        )
        return
    rows //= 4 if others else 1
    with path.open("w", encoding="utf-8") as file:
        if path.suffix == ".csv":
            file.write(",".join(["x1", "x2", *(f"c{at}" for at in range(_MIXED) if others)]) + "\n")
        file.writelines(line.format(numbers.uniform(0.5, 5), numbers.uniform(-5, 5)) for _ in range(rows))


def seconds(command: Sequence[str], out: Path) -> float:
    """The elapsed time of one whole process, which must succeed; it, or its standard output, goes to a new file."""
    out.unlink(missing_ok=True)
    with open(os.devnull if str(out) in command else out, "wb") as file:
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=file)
        return time.perf_counter() - begin


def peak_memory(command: Sequence[str], out: Path) -> int:
    """The most memory that one process had, in kB."""
    with out.open("wb") as file:
        process = subprocess.Popen(command, stdout=file)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss


def first_answer() -> float:
    """The seconds from the first row to its answer, at a pipe that stays open."""
    process = subprocess.Popen(
        command_line("grad", PROGRAM, "-", "--only"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        time.sleep(WAITING)
        begin = time.perf_counter()
        os.write(process.stdin.fileno(), b"x1,x2\n2,5\n")
        answer = b""
        while answer.count(b"\n") < 2:
            answer += os.read(process.stdout.fileno(), 1 << 16)
        return time.perf_counter() - begin


def compare(rival: Rival, folder: Path, rows: int, runs: int) -> bool:
    """Print the ratio; whether the goal is missed."""
    if shutil.which(rival.command[0]) is None:
        print(f"{rival.name}: {rival.command[0]} is not installed")
        return True
    data = folder / rival.data
    out = folder / f"out{data.suffix}"
    if not data.exists():
        write_rows(data, rows)
    theirs = [part.replace("{in}", str(data)).replace("{out}", str(out)) for part in rival.command]
    ours = command_line("grad", PROGRAM, str(data), "-o", str(out))
    pairs = [(seconds(ours, out), seconds(theirs, out)) for _ in range(runs)]
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{rival.name:20}{mine:8.2f} s{other:8.2f} s{mine / other:8.2f}   (goal {rival.goal})", flush=True)
    return bool(mine / other > rival.goal)


def main() -> int:
    """Print the table; 1 when a figure is above its goal."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    print(f"{format(rows, ',') + ' rows':20}{'cg grad':>10}{'other':>10}{'ratio':>8}")
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"):  # cg starts as it does where pip has installed it
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(command_line("grad", PROGRAM, "x1=1:2:2", "x2=1"), check=True, stdout=subprocess.DEVNULL)
        missed = sum(compare(rival, folder, rows, runs) for rival in RIVALS)
        data, many = folder / "rows.csv", folder / "many.csv"
        write_rows(many, 10 * rows)
        small, large = (peak_memory(command_line("grad", PROGRAM, str(path)), folder / "out") for path in (data, many))
        print(f"memory, {10 * rows:,} rows against {rows:,}: {large >> 10} MB, {small >> 10} MB, ratio "
              f"{large / small:.2f}   (goal {MEMORY_GOAL})")  # fmt: skip
        answer = statistics.median(first_answer() for _ in range(runs))
    print(f"the first answer after {answer * 1000:.0f} ms   (goal {ANSWER_GOAL * 1000:.0f})")
    return 1 if missed or large / small > MEMORY_GOAL or answer > ANSWER_GOAL else 0


if __name__ == "__main__":
    sys.exit(main())
