"""A gradient of 100,000 names at one point: the whole process of `cg grad`, against lark's bare parse of the same text.

    python tests/bench/large.py [NAMES] [RUNS]

`cg grad` reads the text from a file and the values from a JSON file, and prints every derivative. Lark alone makes its
own tree, in this process, from the same grammar and text; its start is not counted. Both take turns, and the figure is
the ratio of the medians of processor seconds.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))  # the tests' own modules

GOAL = 4.0

# Texts of as many names as are asked for, a0, b0, a1, b1, …, each of which occurs once.
TEXTS: dict[str, Callable[[int], str]] = {
    "a0*b0 + a1*b1 + …": lambda names: " + ".join(f"a{k}*b{k}" for k in range(names // 2)),
    "sin(a0)*exp(b0) + …": lambda names: " + ".join(f"sin(a{k})*exp(b{k})" for k in range(names // 2)),
}


def processor_seconds(command: list[str]) -> float:
    """The processor time of one whole process, which must succeed."""
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)


def main() -> int:
    """Print the table; 1 when a ratio is above the goal."""
    import lark

    from cgcli.syntax.lalr import grammar_file
    from tests.bench.parse import seconds
    from tests.bench.startup import command_line

    names = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    grammar = Path(grammar_file("cg.lark")).read_text(encoding="utf-8")
    alone = lark.Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=True).parse
    gc.disable()  # as the command does; lark alone gains from it too
    missed = 0
    print(f"{format(names, ',') + ' names':24}{'cg grad':>10}{'lark alone':>13}{'ratio':>8}   (goal {GOAL})")
    with tempfile.TemporaryDirectory() as folder:
        program, values = Path(folder) / "program.cg", Path(folder) / "values.json"
        values.write_text(
            json.dumps({f"{letter}{k}": k / names + 0.1 for k in range(names // 2) for letter in "ab"}),
            encoding="utf-8",
        )
        command = command_line("grad", "-f", str(program), "--vars", str(values))
        for title, write in TEXTS.items():
            text = write(names)
            program.write_text(text, encoding="utf-8")
            pairs = [(processor_seconds(command), seconds(alone, text)) for _ in range(runs)]
            ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
            missed += ours / theirs > GOAL
            print(f"{title:24}{ours:8.2f} s{theirs:11.2f} s{ours / theirs:8.2f}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
