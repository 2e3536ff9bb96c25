"""Damaged files of rows: 500 flipped bytes of each format, each an error, other values, or no change; never a crash.

    python tests/bench/damage.py [SEED] [FLIPS]

Each file has the same rows; one byte of it gets another value, and `cg eval` reads it. What fails in a way that nobody
foresaw, a signal included, is printed with the byte that did it; then the exit code is 1.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))  # the package and the tests' own modules

from cgcli.cli.main import run

NAMES = ("a.csv", "a.tsv", "a.jsonl", "a.json", "a.parquet", "a.arrow", "a.npy", "a.npz",
         "a.csv.gz", "a.csv.zst", "a.csv.bz2")  # fmt: skip


def outcome(path: Path) -> int:
    """The exit code of a command line in a process of its own; 99 where an error was not foreseen."""
    child = os.fork()
    if not child:
        said = io.StringIO()
        with contextlib.redirect_stderr(said), open(os.devnull, "w", encoding="utf-8") as nothing:
            os.dup2(nothing.fileno(), 1)
            code = run(["eval", "1", str(path), "--to", "jsonl", "--threads", "1"])
        os._exit(99 if "should not" in said.getvalue() or "Traceback" in said.getvalue() else code)
    return os.waitstatus_to_exitcode(os.wait4(child, 0)[1])


def main() -> int:
    """Print what went wrong for each format; 1 when something did."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    flips = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    chance = random.Random(seed)
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        for suffix in NAMES:
            path = Path(name) / suffix
            run(["grad", "x^2", "x=0:1:50", "-o", str(path)])
            whole = path.read_bytes()
            for _ in range(flips):
                at, value = chance.randrange(len(whole)), chance.randrange(256)
                path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
                code = outcome(path)
                if code not in (0, 1, 2):
                    wrong += 1
                    print(f"{suffix}: byte {at} of {len(whole)} became {value}: exit code {code}")
            print(f"{suffix}: {flips} flips", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
