"""Parsing a text to the syntax tree, against lark alone: the ratio of times, and memory for 1 MB of text.

    python tests/bench/parse.py [RUNS]

Lark alone makes its own tree from the same grammar and text. Both run in turn in one
process, so that a busy machine slows both. Memory is the peak of a whole process that parses 1 MB.
"""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

GOAL_RATIO = 1.0
GOAL_MEGABYTES = 600

# Texts of about as many characters as are asked for.
TEXTS: dict[str, Callable[[int], str]] = {
    "a long sum": lambda size: " + ".join(f"{k}*x" for k in range(size // 10)),
    "nested brackets": lambda size: "(" * (size // 2) + "x" + ")" * (size // 2),
    "nested calls": lambda size: "sin(" * (size // 5) + "x" + ")" * (size // 5),
    "statements": lambda size: "t = x\n" + "\n".join(f"t{k} = t*x + {k}" for k in range(size // 17)),
    "an array of numbers": lambda size: "[" + ", ".join(f"{k / 7:.6g}" for k in range(size // 9)) + "]",
    "formulas": lambda size: "; ".join(["ln(x1) + x1*x2 - sin(x2)^2"] * (size // 28)),
}

CHILD = """
import gc, resource, sys
from cgcli.syntax.parser import parse
gc.disable()
parse(sys.stdin.read())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def seconds(function: Callable[[str], object], text: str) -> float:
    """The processor time of one call, with its result dropped and collected outside of it."""
    gc.collect()
    start = time.process_time()
    result = function(text)
    taken = time.process_time() - start
    del result
    return taken


def megabytes(text: str) -> float:
    """The peak memory of a process that parses the text."""
    done = subprocess.run([sys.executable, "-c", CHILD], input=text, capture_output=True, text=True, check=True)
    return int(done.stdout) / 1e3


def main() -> int:
    """Print the tables; 1 when a goal is missed."""
    import lark

    from cgcli.syntax.lalr import grammar_file
    from cgcli.syntax.parser import parse

    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    grammar = Path(grammar_file("cg.lark")).read_text(encoding="utf-8")
    alone = lark.Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=True).parse
    gc.disable()  # as the command does; lark alone gains from it too
    missed = 0
    print(f"{'100 kB of':24}{'cg':>10}{'lark alone':>13}{'ratio':>8}   (goal {GOAL_RATIO})")
    for name, write in TEXTS.items():
        text = write(100_000)
        pairs = [(seconds(parse, text), seconds(alone, text)) for _ in range(runs)]
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        missed += ours / theirs > GOAL_RATIO
        print(f"{name:24}{ours * 1e3:7.0f} ms{theirs * 1e3:10.0f} ms{ours / theirs:8.2f}", flush=True)
    print(f"\n{'1 MB of':24}{'peak':>10}   (goal {GOAL_MEGABYTES} MB)")
    for name, write in TEXTS.items():
        peak = megabytes(write(1_000_000))
        missed += peak > GOAL_MEGABYTES
        print(f"{name:24}{peak:7.0f} MB", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
