"""The recipes for Spark and Ray, and what they cost: against `cg --jobs 2` on the same files; and SQL in DuckDB.

    python tests/bench/engines.py [ROWS] [RUNS]

First each recipe computes what tests/test_engines.py asks of the others: nulls, a row that holds no number, a file
without rows, a column of arrays, and a worker that is killed at work. Then Black-Scholes with five derivatives, of ROWS
rows (one million; the goals are those of five) in twenty Parquet files: `cg grad --jobs 2` as a whole process, and the
recipes in sessions of two workers that wait for work. They take turns; each figure is a ratio of medians of RUNS (5)
elapsed times. The SQL that is exported to DuckDB is held against the same formulas by hand, with the same erfc.

Needs pyspark, Java, ray[data] and duckdb, and two processors that have nothing else to do.
"""

from __future__ import annotations

import os
import runpy
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import cgcli

sys.path.insert(0, str(Path(__file__).parent.parent.parent))  # the tests' own modules

from cgcli.ops.special import ERFC_COEFFICIENTS
from tests.bench.parts import PROGRAM, write_rows
from tests.bench.startup import command_line
from tests.test_engines import ENGINES, Killed, check, write_folder
from tests.test_engines import PROGRAM as ASKED

GOAL, SQL_GOAL = 0.75, 1.2

Way = Callable[[Any, Path, Path], None]
"""How an engine has a function compute a folder of files, into another folder."""


def in_spark() -> tuple[Way, Callable[[], None]]:
    """Spark's way with a session of two workers, where what fails is tried again; and what ends it."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2, 4]").config("spark.ui.enabled", "false")
    session = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    with_results = runpy.run_path(str(ENGINES / "on_spark.py"))["with_results"]

    def run(function: Any, source: Path, target: Path) -> None:
        with_results(function, session.read.parquet(str(source))).write.parquet(str(target))

    return run, session.stop


def in_ray() -> tuple[Way, Callable[[], None]]:
    """Ray's way with two workers, and what ends it."""
    import logging

    import ray

    logging.disable(logging.INFO)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
    with_results = runpy.run_path(str(ENGINES / "on_ray.py"))["with_results"]

    def run(function: Any, source: Path, target: Path) -> None:
        with_results(function, ray.data.read_parquet(str(source))).write_parquet(str(target))

    return run, ray.shutdown


def asked_for(name: str, way: Way, folder: Path) -> None:
    """The rows of the recipes' test, without and with a worker that is killed."""
    write_folder(folder / "rows")
    function = cgcli.compile(ASKED, on_error="null")
    for what, each in (("plain", function), ("killed", Killed(function, folder / "flag"))):
        way(each, folder / "rows", folder / what)
        check(folder / what)
    assert (folder / "flag").exists()
    print(f"{name}: nulls, a bad row, a file without rows, arrays and a killed worker: as asked", flush=True)


def rows_of(folder: Path) -> Any:
    """The numbers of a folder's rows, in an order of their own, for engines keep none."""
    table = pq.read_table(folder)
    rows = np.stack([table[name].to_numpy() for name in sorted(table.column_names)])
    return rows[:, np.lexsort(rows)]


def seconds(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def medians(ways: Mapping[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """The median times of what takes turns."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, run in ways.items():
            times[name].append(seconds(run))
    return {name: statistics.median(each) for name, each in times.items()}


def by_hand() -> str:
    """Black-Scholes and its five derivatives as a person writes them, who knows the Greeks; erfc is that of cg."""

    def normal(at: int) -> str:
        polynomial = repr(ERFC_COEFFICIENTS[0])
        for coefficient in ERFC_COEFFICIENTS[1:]:
            polynomial = f"({polynomial}*v{at} + {coefficient!r}::DOUBLE)"
        tail = f"(1 + p{at}*{polynomial})/(1 + z{at})*exp(-z{at}*z{at})/2"
        return f"CASE WHEN d{at} > 0 THEN 1 - {tail} ELSE {tail} END AS n{at}"

    return f"""
WITH a AS (SELECT *, sqrt("T") AS q, exp(-r*"T")*K AS later, ln(S/K) AS l FROM data),
b AS (SELECT *, (l + (r + sigma*sigma/2)*"T")/(sigma*q) AS d1, (l + (r - sigma*sigma/2)*"T")/(sigma*q) AS d2 FROM a),
c AS (SELECT *, least(abs(d1)/sqrt(2), 28) AS z1, least(abs(d2)/sqrt(2), 28) AS z2 FROM b),
d AS (SELECT *, z1/(z1 + 3) AS p1, z2/(z2 + 3) AS p2, z1/(z1 + 3) - 0.5 AS v1, z2/(z2 + 3) - 0.5 AS v2 FROM c),
e AS (SELECT *, {normal(1)}, {normal(2)}, S*exp(-d1*d1/2)/sqrt(2*pi()) AS w FROM d)
SELECT S, K, r, sigma, "T", S*n1 - later*n2 AS value, n1 AS "d_S", -later/K*n2 AS "d_K", "T"*later*n2 AS d_r,
  w*q AS d_sigma, w*sigma/(2*q) + r*later*n2 AS "d_T" FROM e"""


def in_duckdb(source: Path, runs: int) -> float:
    """The time of exported SQL in that of SQL written by hand, both in two threads; their numbers are the same."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    connection.execute(f"CREATE TABLE data AS FROM '{source}/*.parquet'")
    exported = cgcli.export(PROGRAM.read_text(encoding="utf-8"), "sql").rstrip()
    sums = ", ".join(f'sum("{name}")' for name in ("value", "d_S", "d_K", "d_r", "d_sigma", "d_T"))
    found: dict[str, Any] = {}

    def run(name: str, select: str) -> Callable[[], None]:
        def query() -> None:
            found[name] = connection.execute(f"SELECT {sums} FROM ({select})").fetchone()

        return query

    times = medians({"exported": run("exported", exported), "by hand": run("by hand", by_hand())}, runs)
    assert np.allclose(found["exported"], found["by hand"], rtol=1e-11)
    return times["exported"] / times["by hand"]


def main(rows: int, runs: int) -> int:
    """Check, measure, and print; 1 where a goal is missed."""
    missed = False
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # what is imported here is so by the workers
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        write_rows(folder / "data", rows)
        function = cgcli.compile(PROGRAM.read_text(encoding="utf-8"))

        def of_cg() -> None:
            shutil.rmtree(folder / "cg", ignore_errors=True)
            command = command_line("grad", "-f", str(PROGRAM), str(folder / "data"), "--jobs", "2")
            subprocess.run([*command, "-o", f"{folder}/cg/"], check=True)

        for engine, start in (("Spark", in_spark), ("Ray", in_ray)):
            way, stop = start()
            (folder / engine).mkdir()
            asked_for(engine, way, folder / engine)
            target = folder / engine / "out"

            def of_engine(way: Way = way, target: Path = target) -> None:
                shutil.rmtree(target, ignore_errors=True)
                way(function, folder / "data", target)

            of_engine()  # its workers are started, and have imported what they need
            times = medians({"cg": of_cg, "engine": of_engine}, runs)
            stop()
            assert np.array_equal(rows_of(folder / "cg"), rows_of(target)), f"{engine} has other numbers"
            ratio = times["cg"] / times["engine"]
            print(f"cg --jobs 2 to {engine}: {ratio:.2f} (goal {GOAL}), {times['cg']:.2f} s", flush=True)
            missed = missed or ratio > GOAL
        sql = in_duckdb(folder / "data", runs)
        print(f"exported SQL in DuckDB to that by hand: {sql:.2f} (goal {SQL_GOAL})")
    return 1 if missed or sql > SQL_GOAL else 0


if __name__ == "__main__":
    sys.exit(main(*[int(text) for text in (*sys.argv[1:], *["1000000", "5"][len(sys.argv) - 1 :])]))
