"""How `cg` grows with the length of its text: 100,000 nested brackets, terms, operations, statements.

    python tests/bench/scale.py [N]

Each program is run at N and at 2N, as a whole process that reads it from standard input. The
figure is the ratio of processor seconds: 2 is linear, 4 would be quadratic.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CG = str(Path(sys.executable).with_name("cg"))

PROGRAMS: dict[str, Callable[[int], str]] = {
    "nested brackets": lambda n: "(" * n + "x" + ")" * n,
    "sum of terms": lambda n: " + ".join(f"{k}*x" for k in range(n)),
    "nested functions": lambda n: "sin(" * n + "x" + ")" * n,
    "chain of statements": lambda n: "t = x\n" + "t = t*x\n" * n + "t",
}


def processor_seconds(command: str, program: str) -> float:
    """The processor time of one whole process."""
    before = os.times()
    subprocess.run([CG, command, "-", "x=0.5"], input=program.encode(), check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)


def main() -> None:
    """Print the table."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(f"{'':24}{'n = ' + format(size, ','):>14}{'2n':>10}{'ratio':>9}")
    for name, program in PROGRAMS.items():
        for command in ("eval", "grad"):
            once, twice = (processor_seconds(command, program(n)) for n in (size, 2 * size))
            print(f"{command} {name:19}{once:12.2f} s{twice:8.2f} s{twice / once:9.2f}", flush=True)


if __name__ == "__main__":
    main()
