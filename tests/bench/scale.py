"""How every command grows with the length of its text: brackets, calls, terms, names, statements, arguments.

    python tests/bench/scale.py [N]

Each program is run at N (100,000 unless told) and at 2N, as a whole process that reads it from standard input. The
figure is the ratio of processor seconds: 2 is linear, 4 would be quadratic.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))  # the tests' own modules

GOAL = 2.6  # between linear and n log n with noise, and well below quadratic

COMMANDS = {
    "eval": ["eval", "-"],
    "grad": ["grad", "-"],
    "render": ["render", "-", "-o", "-"],
    "diff": ["diff", "-"],
    "simplify": ["simplify", "-"],
}

PROGRAMS: dict[str, Callable[[int], str]] = {
    "nested brackets": lambda n: "(" * n + "x" + ")" * n,
    "nested calls": lambda n: "sin(" * n + "x" + ")" * n,
    "the user's calls": lambda n: "f(y) = y*0.5\n" + "f(" * n + "x" + ")" * n,
    "terms": lambda n: " + ".join(f"{k}*x" for k in range(n)),
    "names": lambda n: " + ".join(f"a{k}" for k in range(n)),
    "statements": lambda n: "t = x\n" + "t = t*x\n" * n + "t",
    "named statements": lambda n: "a0=x\n" + "".join(f"a{k}=a{k - 1}+x\n" for k in range(1, n)) + f"a{n - 1}",
    # a hundredth as many: 1,000 arguments
    "arguments": lambda n: f"max({', '.join(f'a{k}' for k in range(n // 100))})",
    "parameters": lambda n: (
        f"f({_listed('p', n)}) = {' + '.join(f'p{k}' for k in range(n // 100))}\nf({_listed('a', n)})"
    ),
}


def _listed(letter: str, n: int) -> str:
    return ", ".join(f"{letter}{k}" for k in range(n // 100))


def processor_seconds(command: list[str], program: str, values: Path) -> float:
    """The processor time of one whole process, which must succeed."""
    from tests.bench.startup import command_line

    given = [*command, "-q", *([] if command[0] in ("render", "diff", "simplify") else ["--vars", str(values)])]
    before = os.times()
    subprocess.run(command_line(*given), input=program.encode(), check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)


def main() -> int:
    """Print the table; 1 when a ratio is above the goal."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    missed = 0
    print(f"{'':28}{'n = ' + format(size, ','):>14}{'2n':>10}{'ratio':>9}   (goal {GOAL})")
    with tempfile.TemporaryDirectory() as folder:
        values = Path(folder) / "values.json"
        values.write_text(json.dumps({"x": 0.5} | {f"a{k}": k / size for k in range(2 * size)}), encoding="utf-8")
        for name, program in PROGRAMS.items():
            for command, words in COMMANDS.items():
                once, twice = (processor_seconds(words, program(n), values) for n in (size, 2 * size))
                missed += twice / once > GOAL
                print(f"{command:9}{name:19}{once:12.2f} s{twice:8.2f} s{twice / once:9.2f}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
