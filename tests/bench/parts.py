"""Many files: rows of twenty Parquet files with five derivatives each, by one process, by two, and by a Dask cluster.

    python tests/bench/parts.py [ROWS] [RUNS]

The program is Black-Scholes, of ROWS rows (one million; the goals are those of five). All are whole processes of `cg`;
they take turns, and each figure is a ratio of medians: that of `--jobs 2` to one process with `--threads 1`, of elapsed
time and of the processors'; that of a cluster of two workers, which waits for work, to `--jobs 2`. Then a process is
killed in the middle of `--jobs 2`, and a worker in that of the cluster's run, and every byte is to be that of the one
process. A first round is not counted: in it the cluster's workers import what they need. All run a copy of the package
whose modules are compiled, as those of who has installed it.

It needs Dask, and two processors that have nothing else to do.
"""

from __future__ import annotations

import compileall
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent.parent.parent))  # the tests' own modules

import cgcli
from cgcli.syntax.lalr import grammar_file
from tests.bench.startup import command_line

FILES = 20
PROGRAM = Path(__file__).parent.parent.parent / "examples" / "black_scholes.cg"
INPUTS = {"S": (20, 60), "K": (20, 60), "r": (0, 0.1), "sigma": (0.1, 0.5), "T": (0.1, 2)}
JOBS_GOAL, CLUSTER_GOAL, PROCESSOR_GOAL = 0.6, 1.3, 1.15


def write_rows(folder: Path, rows: int) -> None:
    """Random rows, in files of the same size."""
    random = np.random.default_rng(1)
    for at in range(FILES):
        columns = {name: random.uniform(*ends, rows // FILES) for name, ends in INPUTS.items()}
        pq.write_table(pa.table(columns), folder / f"{at:02}.parquet")


def workers_of(pid: int) -> list[int]:
    """The processes that compute files for a `cg … --jobs N`."""
    listed = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True)
    return [int(child) for child in listed.stdout.split()]


def content(folder: Path) -> dict[str, bytes]:
    """The parts of a folder."""
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


def seconds(command: list[str], out: Path) -> tuple[float, float]:
    """The elapsed time of one whole process that fills a folder anew, and that of processors."""
    shutil.rmtree(out, ignore_errors=True)
    begin, used = time.perf_counter(), os.times()
    subprocess.run([*command, "-o", f"{out}/"], check=True)
    now = os.times()
    spent = now.children_user - used.children_user + now.children_system - used.children_system
    return time.perf_counter() - begin, spent


def with_a_kill(command: list[str], out: Path, workers: Callable[[int], Sequence[int]]) -> None:
    """Run a command, for which a process is killed when there are three parts. workers: those of a command."""
    shutil.rmtree(out, ignore_errors=True)
    run = subprocess.Popen([*command, "-o", f"{out}/"])
    killed = False
    while run.poll() is None:
        if not killed and len([*out.glob("*.parquet")]) >= 3 and (found := workers(run.pid)):
            os.kill(found[0], signal.SIGKILL)
            killed = True
        time.sleep(0.005)
    assert killed, "there was nobody to be killed"
    assert run.returncode == 0, "the command failed"


@contextmanager
def compiled_once() -> Iterator[None]:
    """Processes that are started find modules compiled, as those of who has installed cg do, whatever is set here."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(cgcli.__file__).parent
        for each in (package, Path(grammar_file("cg.lark")).parent):  # within the package, where that is installed
            copy = Path(folder) / each.relative_to(package.parent)
            shutil.copytree(each, copy, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        compileall.compile_dir(folder, quiet=1)
        os.environ["PYTHONPATH"] = folder
        yield


def main(rows: int, runs: int) -> int:
    """Measure, and print; 1 where a goal is missed."""
    from distributed import LocalCluster

    with tempfile.TemporaryDirectory() as name, compiled_once(), LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:  # fmt: skip
        folder = Path(name)
        (folder / "data").mkdir()
        write_rows(folder / "data", rows)
        command = [*command_line(), "grad", "-f", str(PROGRAM), str(folder / "data")]
        ways = {
            "one": [*command, "--threads", "1"],
            "jobs": [*command, "--jobs", "2"],
            "cluster": [*command, "--on", cluster.scheduler_address.replace("tcp://", "dask://")],
        }
        times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for turn in range(1 + runs):
            for way, line in ways.items():
                spent = seconds(line, folder / way)
                times[way] += [spent] if turn else []
        expected = content(folder / "one")
        with_a_kill(ways["jobs"], folder / "killed", workers_of)
        with_a_kill(ways["cluster"], folder / "far", lambda _: [each.pid for each in cluster.workers.values()])
        same = all(content(folder / way) == expected for way in ("jobs", "cluster", "killed", "far"))
    one, jobs, on = (statistics.median(elapsed for elapsed, _ in times[way]) for way in ways)
    alone, shared = (statistics.median(spent for _, spent in times[way]) for way in ("one", "jobs"))
    print(f"{rows} rows in {FILES} files: {one:.2f} s, {rows / one / 1e6:.2f} million rows a second in one thread")
    print(f"two processes to one: {jobs / one:.2f} (goal {JOBS_GOAL})")
    print(f"the same in seconds of processors: {shared / alone:.2f} (goal {PROCESSOR_GOAL})")
    print(f"a cluster of two workers to two processes: {on / jobs:.2f} (goal {CLUSTER_GOAL})")
    print(f"the same bytes, also after a process or a worker was killed: {'yes' if same else 'NO'}")
    met = jobs / one <= JOBS_GOAL and shared / alone <= PROCESSOR_GOAL and on / jobs <= CLUSTER_GOAL
    return 0 if met and same else 1


if __name__ == "__main__":
    sys.exit(main(*[int(text) for text in (*sys.argv[1:], *["1000000", "3"][len(sys.argv) - 1 :])]))
