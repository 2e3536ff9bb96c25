"""Pictures: room for each node, the height of the text in a paper's column, the time of the whole process.

Usage: python tests/bench/pictures.py [RUNS]

The time is that of `cg render … -o flagship.png` against `cg eval` and the layout program alone on the same DOT text,
the least of four times RUNS each, in turn, in processor time of the processes; pictures step by step are painted by
several processors, and measured on the clock. Python keeps its compiled modules: not with PYTHONDONTWRITEBYTECODE.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cgcli
from cgcli.graph.node import toposort
from cgcli.lowering.lower import lower
from cgcli.rendering import draw as drawn
from cgcli.rendering.dot import dot
from cgcli.rendering.picture import PLAIN, drawing_of
from cgcli.syntax.parser import parse

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
CG = [sys.executable, "-c", "from cgcli.cli.main import main; main()"]
FLAGSHIP = ["ln(x1) + x1*x2 - sin(x2)", "x1=2", "x2=5"]
PROGRAMS = {
    "logistic": ["-f", "logistic.cg", "--vars", "logistic.json"],
    "convolution_loss": ["-f", "convolution_loss.cg", "--vars", "convolution.json"],
    "linear_model": ["-f", "linear_model.cg", "--vars", "linear_model.json"],
    "black_scholes": ["-f", "black_scholes.cg", "S=42", "K=40", "r=0.1", "sigma=0.2", "T=0.5"],
    "pendulum": ["-f", "pendulum.cg", "`length of string`=0.6", "g=9.81", "θ₀=20"],
}


def seconds(command: list[str], text: str | None = None) -> float:
    """Processor time of one process and its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, input=text, text=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def elapsed(command: list[str]) -> float:
    """Time on the clock, of what several processors do at once."""
    before = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - before


def least(runs: int, measure: Callable[[], float]) -> float:
    """The least of several measurements."""
    return each_least(runs, measure)[0]


def each_least(runs: int, *measures: Callable[[], float]) -> list[float]:
    """The least of several measurements of each, in turn, so that a busy machine slows all of them alike."""
    return [min(found) for found in zip(*([measure() for measure in measures] for _ in range(runs)), strict=True)]


def here(work: Callable[[], object]) -> float:
    """Processor time of some work, that of processes which it starts included."""
    before = os.times()
    work()
    after = os.times()
    return sum(after[:4]) - sum(before[:4])


def entangled(statements: int) -> str:
    """A program whose every statement uses two of the forty before it."""
    chance = random.Random(1)
    lines = [f"a{at} = x{at}" for at in range(10)]
    lines.extend(
        f"a{at} = sin(a{chance.randrange(max(0, at - 12), at)}*a{chance.randrange(max(0, at - 40), at)})"
        for at in range(10, statements)
    )
    return "; ".join([*lines, " + ".join(f"a{at}" for at in range(statements - 10, statements))])


def dot_of(arguments: list[str], rankdir: str) -> str:
    """The DOT text of a program with its adjoints."""
    command = [*CG, "render", *arguments, "--grad", "-q", "--rankdir", rankdir, "-o", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=EXAMPLES).stdout


def points(text: str) -> float:
    """The height of the text when the picture is as wide as a column."""
    drawing = drawing_of(text, "bundled")
    return drawing._replace(height=0.1).reading_size(PLAIN)


def main() -> int:
    """Print the figures; 1 when a goal is missed."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    missed = 0

    def tell(what: str, figure: float, goal: float, *, most: bool) -> None:
        nonlocal missed
        fine = figure <= goal if most else figure >= goal
        missed += not fine
        print(f"{what:58} {figure:8.2f}  goal {'at most' if most else 'at least'} {goal:g}{'' if fine else '  MISSED'}")

    for rankdir in ("LR", "TB"):
        flagship = drawing_of(dot_of(FLAGSHIP, rankdir), "bundled")
        area = flagship.width * flagship.height / 7
        tell(f"square inches for each of the flagship's 7 nodes, {rankdir}", area, 2.2, most=True)
    best = max(points(dot_of(FLAGSHIP, rankdir)) for rankdir in ("LR", "TB"))
    tell("points of the flagship's text in a column", best, 11, most=False)
    for name, arguments in PROGRAMS.items():
        best = max(points(dot_of(arguments, rankdir)) for rankdir in ("LR", "TB"))
        tell(f"points of the text of {name} in a column", best, 4, most=False)
    program = entangled(5000)
    parsing = least(runs, lambda: here(lambda: parse(program)))
    graph = lower(parse(program), {})
    tell(f"time of the DOT text of {len(toposort(graph.outputs))} nodes, against parsing",
         least(runs, lambda: here(lambda: dot(graph))) / parsing, 3, most=True)  # fmt: skip
    graph = lower(parse(entangled(320)), {})
    took = least(runs, lambda: here(lambda: drawn.draw(graph, "svg")))
    tell(f"seconds for the SVG of {len(toposort(graph.outputs))} entangled nodes", took, 5, most=True)
    text = cgcli.picture(FLAGSHIP[0], x1=2, x2=5, grad=True, rankdir="TB").decode()
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder, "flagship.png"))
        whole, auto, png, steps, value, layout = each_least(
            4 * runs,
            lambda: seconds([*CG, "render", *FLAGSHIP, "--grad", "--rankdir", "TB", "-o", target]),
            lambda: seconds([*CG, "render", *FLAGSHIP, "--grad", "-o", target]),
            lambda: elapsed([*CG, "render", *FLAGSHIP, "--grad", "-o", target]),
            lambda: elapsed([*CG, "render", *FLAGSHIP, "--frames", folder]),
            lambda: seconds([*CG, "eval", *FLAGSHIP]),
            lambda: seconds([str(Path(sys.executable).parent / "graphviz-pure"), "-Tpng", "-Gdpi=192"], text),
        )
    tell("time of the flagship's PNG, against eval and layout", whole / (value + layout), 1.3, most=True)
    tell("time of its 17 pictures step by step, against one PNG", steps / png, 3, most=True)
    print(f"{'the same where both directions are tried':58} {auto / (value + layout):8.2f}")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
