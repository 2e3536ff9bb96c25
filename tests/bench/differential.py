"""Formulas of random programs, held against the programs and their gradients for as long as is asked.

    python tests/bench/differential.py [SECONDS] [SEED]

Programs of the seeds from SEED (100,000 unless told) on, for SECONDS (600 unless told). Each fault is printed as the
command that shows it, with what it prints and what is right, in the smallest program that still has it; faults whose
programs differ in names and numbers alone are printed once, and counted. `tests/differential.py` says what a fault is.
"""

from __future__ import annotations

import re
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent.parent.parent))  # the tests' own modules

from tests.differential import Counts, Fault, faults, random_source, shrunk

SECONDS, SEED = 600.0, 100_000
MOST_SECONDS = 30  # for one program


class TooLongError(Exception):
    """A program takes longer than any should."""


def _too_long(*_: object) -> None:
    raise TooLongError


def kind(fault: Fault) -> str:
    """What faults of one kind have in common: the command, whatever its names and numbers are."""
    shape = re.sub(r"\b[xyznvwAtu]\b", "x", fault.command)
    return re.sub(r"\d+(\.\d+)?", "1", shape) + fault.why[:20] * fault.why.startswith("fails")


def faults_of(seed: int, counts: Counts) -> list[Fault]:
    """What is wrong with the formulas of one random program: one fault for each formula, made small."""
    source = random_source(Random(seed))
    signal.alarm(MOST_SECONDS)
    try:
        found = list(faults(source.text(), seed, counts=counts))
    except TooLongError:
        return [Fault("time", f"cg diff '{source.text()}'", "", f"takes more than {MOST_SECONDS} s")]
    finally:
        signal.alarm(0)
    return [shrunk(source, fault, seed) for fault in found[:2]]


def main() -> int:
    """Print the faults and the counts; 1 when there is a fault."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else SEED
    signal.signal(signal.SIGALRM, _too_long)
    end = time.monotonic() + seconds
    counts, kinds = Counts(), Counter[str]()
    while time.monotonic() < end:
        for fault in faults_of(seed, counts):
            kinds[kind(fault)] += 1
            if kinds[kind(fault)] == 1:
                print(f"{seed}: {fault}", flush=True)
        seed += 1
    print(f"{counts}; {kinds.total()} faults of {len(kinds)} kinds; the next seed is {seed}")
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
