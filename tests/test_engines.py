"""The recipes of examples/engines, as somebody who copies them runs them: what Dask, Polars and DuckDB make of rows.

Spark and Ray run in tests/bench/engines.py.
"""

from __future__ import annotations

import os
import runpy
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cgcli
from tests.for_each import for_each

ENGINES = Path(__file__).parent.parent / "examples" / "engines"
PROGRAM = "ln(x)*y + sum(w^2)"
SCHEMA = pa.schema([("id", pa.int64()), ("x", pa.string()), ("y", pa.float64()), ("w", pa.list_(pa.float64()))])
ROWS = [  # a good row, one that holds no number, a null, an array that is missing, and a nan as result
    {"id": 0, "x": "2", "y": 1.5, "w": [1.0, 2.0]},
    {"id": 1, "x": "a", "y": 1.5, "w": [1.0, 2.0]},
    {"id": 2, "x": "3", "y": None, "w": [1.0, 2.0]},
    {"id": 3, "x": "3", "y": 2.0, "w": None},
    {"id": 4, "x": "-1", "y": 2.0, "w": [3.0, 4.0]},
]
RESULTS = [  # value, d_x, d_y, d_w
    (6.039720770839918, 0.75, 0.6931471805599453, [2.0, 4.0]), (None,) * 4, (None,) * 4, (None,) * 4,
    ("nan", "nan", "nan", [6.0, 8.0]),
]  # fmt: skip


def write_folder(folder: Path) -> None:
    """Three files, the second without rows."""
    folder.mkdir()
    for name, rows in (("a", ROWS), ("b", []), ("c", ROWS)):
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), folder / f"{name}.parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(tmp_path / "rows")
    return tmp_path / "rows"


def check(written: Path) -> None:
    """What was written is the rows with their results."""
    table = pq.read_table(written)
    assert table.schema.names == ["id", "x", "y", "w", "value", "d_x", "d_y", "d_w"]
    rows = table.to_pylist()
    results = [
        tuple("nan" if row[name] != row[name] else row[name] for name in ("value", "d_x", "d_y", "d_w")) for row in rows
    ]
    assert [row["id"] for row in rows] == [row["id"] for row in ROWS] * 2
    assert results == RESULTS * 2


@for_each("script", ["on_polars.py", "on_duckdb.py"])
def test_a_query_takes_results(script: str, folder: Path, tmp_path: Path) -> None:
    """Protects the recipes: nulls, a bad row, a batch without rows and a column of arrays go through each engine."""
    runpy.run_path(str(ENGINES / script))["main"](PROGRAM, f"{folder}/*.parquet", str(tmp_path / "out.parquet"))
    check(tmp_path / "out.parquet")


class Killed:
    """A function of columns whose first worker is killed at work."""

    def __init__(self, function: Any, flag: Path) -> None:
        self._function, self._flag = function, flag

    def schema(self, columns: Any) -> Any:
        return self._function.schema(columns)

    def __call__(self, batch: Any) -> Any:
        if not self._flag.exists():
            self._flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self._function(batch)

    def map_batches(self, batches: Iterator[Any]) -> Iterator[Any]:
        return map(self, batches)


def test_a_cluster_makes_parts(folder: Path, tmp_path: Path) -> None:
    """Protects the recipe for Dask, with a worker that is killed in the middle of a file: each file has its part."""
    from dask.distributed import Client, LocalCluster

    recipe = runpy.run_path(str(ENGINES / "on_dask.py"))
    run, files = recipe["run"], recipe["files_of"](str(folder))
    assert recipe["files_of"](f"{folder}/[ac]*.parquet") == [files[0], files[2]]
    function = Killed(cgcli.compile(PROGRAM, on_error="null"), tmp_path / "killed")
    workers = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None, silence_logs=50)
    with workers as cluster, Client(cluster) as client:
        assert run(function, files, tmp_path / "out", client) == 2 * len(ROWS)
    assert (tmp_path / "killed").exists()
    assert sorted(path.name for path in (tmp_path / "out").glob("[!_]*")) == ["a.parquet", "b.parquet", "c.parquet"]
    check(tmp_path / "out")


def test_a_cluster_is_not_asked_for_nothing(folder: Path, tmp_path: Path) -> None:
    """Protects who mistakes a folder for "0 rows", and parts of one name from each other."""
    main = runpy.run_path(str(ENGINES / "on_dask.py"))["main"]
    write_folder(tmp_path / "others")
    for source, text in ((f"{tmp_path}/none", "no file matches"), (f"{folder}/*.csv", "no file matches"),
                         (str(tmp_path), "no file matches"), (f"{tmp_path}/*/*.parquet", "have one name")):  # fmt: skip
        with pytest.raises(ValueError, match=text):
            main(PROGRAM, source, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
