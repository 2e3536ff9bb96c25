"""Rows that are interrupted: 200 signals at random moments, after which a file is what it was, or whole; never a part.

    python tests/bench/kills.py [SEED] [KILLS]

`cg eval` writes 20,000 rows over an older file, in each format in turn; SIGINT, SIGTERM or SIGKILL comes in the time
that this takes. A file that is neither the old one nor the new one is printed, and so is one that is left beside it by
a signal that can be handled; then the exit code is 1.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))  # the tests' own modules

from tests.bench.startup import command_line

NAMES = ("o.csv", "o.jsonl", "o.parquet", "o.arrow", "o.npz", "o.csv.gz")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
OLD = b"what was there"


def faults(folder: Path, kills: int, chance: random.Random) -> list[str]:
    """What went wrong, a line for each fault."""
    (folder / "in.csv").write_text("x\n" + "".join(f"{at}.5\n" for at in range(20_000)), encoding="utf-8")
    whole: dict[str, tuple[bytes, float]] = {}
    found = []
    for at in range(kills):
        name = NAMES[at % len(NAMES)]
        out = folder / name
        command = command_line("eval", "2*x", str(folder / "in.csv"), "-o", str(out))
        if name not in whole:
            begin = time.monotonic()
            subprocess.run(command, check=True)
            whole[name] = out.read_bytes(), time.monotonic() - begin
        out.write_bytes(OLD)
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, 1.1 * whole[name][1]))
        sent = chance.choice(SIGNALS)
        process.send_signal(sent)
        process.wait(timeout=60)
        if out.read_bytes() not in (OLD, whole[name][0]):
            found.append(f"{name} holds a part of the rows after {sent.name}")
        for left in (path for path in folder.iterdir() if path.name.startswith(".cg-")):
            os.unlink(left)
            if sent != signal.SIGKILL:
                found.append(f"{left.name} is left beside {name} after {sent.name}")
    return found


def main() -> int:
    """Print what went wrong; 1 when something did."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    with tempfile.TemporaryDirectory() as name:
        found = faults(Path(name), kills, random.Random(seed))
    print(f"{kills} kills, {len(found)} faults", *found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
