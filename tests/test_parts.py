"""Many files: who computes their parts, in which order, and what happens when one of them dies."""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from glob import glob
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from cgcli.api import clusters
from cgcli.api.clusters import Executors
from cgcli.api.pool import Pool, Workers
from cgcli.api.program import Program
from cgcli.api.workers import workers
from cgcli.cli.rows import progress
from cgcli.errors import CgError, DataError, MissingProgramError, UsageError
from cgcli.tables import listing
from cgcli.tables.listing import Source, escaped, listed
from cgcli.tables.remote import failed
from tests.command import CG, Capture, cg
from tests.for_each import for_each


def once_dead(path: str) -> int:
    """Kills its process, but not where another has died before."""
    if not os.path.exists(path):
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


@pytest.fixture(scope="module")
def two() -> Iterator[Workers]:
    with workers(2) as found:
        yield found


def test_results_come_in_the_order_of_the_parts_whoever_computes_them(two: Workers) -> None:
    """Protects sums and messages, errors too, which do not depend on who was done first."""
    parts = [-0.1, *([0] * 7), 0.01]
    threads = Executors([ThreadPoolExecutor(3)], 3, 4)
    for some in (workers(), two, threads):
        assert list(some.run(math.exp, parts)) == [math.exp(part) for part in parts]
        assert list(some.run(math.exp, [])) == []
        with pytest.raises(ValueError, match="math domain"):
            list(some.run(math.sqrt, [1, -1, 2]))
    with threads:
        assert [*threads.run(time.sleep, [0.02, 0, 0])] == [None] * 3
        with pytest.raises(ValueError, match=r"0\.03"):
            list(threads.run(late_error, [0.03, 0.0, 0.0]))


def test_parts_are_not_given_before_somebody_is_about_to_compute_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects a scheduler from a million parts at once, and each who computes from parts that others are free for."""
    threads = [Executors([ThreadPoolExecutor(1) for _ in range(count)], count, 4) for count in (1, 2)]
    for some in (workers(2), workers(2, holding=True), *threads):
        assert isinstance(some, Pool)
        give, outcomes, running = some._give, some._outcomes, [0]

        def counted(at: int, part: Any, give: Any = give, running: list[int] = running) -> None:
            running.append(running[-1] + 1)
            give(at, part)

        def ended(outcomes: Any = outcomes, running: list[int] = running) -> Iterator[Any]:
            for outcome in outcomes():
                running.append(running[-1] - 1)
                yield outcome

        monkeypatch.setattr(some, "_give", counted)
        monkeypatch.setattr(some, "_outcomes", ended)
        with some:
            assert len([*some.run(abs, range(100))]) == 100
        assert max(running) <= 4, some


def test_there_are_no_more_processes_than_parts() -> None:
    """Protects the machine of who asks for a thousand processes, and has two files."""
    for holding in (False, True):
        before = {*multiprocessing.active_children()}
        with workers(4096, holding=holding) as some:
            assert list(some.run(abs, [])) == []
            assert {*multiprocessing.active_children()} == before
            assert list(some.run(abs, [-1, -2])) == [1, 2]
            assert len({*multiprocessing.active_children()} - before) <= 2


@for_each(("options", "threads"), [(["--threads", "1"], False), (["--threads", "2"], True), (["-o", "out/"], True)])
def test_one_thread_reads_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, options: list[str], threads: bool
) -> None:
    """Protects the other processes on a machine, those of `--jobs` and of a cluster, from threads of Arrow's own."""
    folders(tmp_path, monkeypatch)
    asked: list[bool] = []
    read = pq.ParquetFile.iter_batches

    def watched(self: Any, *given: Any, use_threads: bool = True) -> Any:
        asked.append(use_threads)
        return read(self, *given, use_threads=use_threads)

    monkeypatch.setattr("cgcli.cli.rows.table.cores", lambda: 2)
    monkeypatch.setattr("cgcli.cli.rows.apart.cores", lambda: 2)
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", watched)
    assert cg(capsys, "eval", "x*y", "data", "--to", "csv", *options).code == 0
    assert {*asked} == {threads}


def late_error(seconds: float) -> None:
    """Fails after some time."""
    time.sleep(seconds)
    raise ValueError(str(seconds))


def test_a_part_whose_worker_dies_is_tried_once_more(two: Workers, tmp_path: Path) -> None:
    """Protects a long run from one process that the system ends; and from one that ends for ever."""
    parts = [*(f"{tmp_path}/x" for _ in range(3)), str(tmp_path)]
    pids = list(two.run(once_dead, parts))
    assert len(pids) == 4
    assert os.getpid() not in pids
    quick = [*[str(tmp_path)] * 30, *[f"{tmp_path}/y"] * 30]  # of which each has the next one at hand
    assert len(list(two.run(once_dead, quick))) == 60
    with pytest.raises(DataError, match="so did the one that tried again"):
        list(two.run(os._exit, [1]))
    assert list(two.run(abs, [-1])) == [1]


def test_a_cluster_computes_parts_even_where_a_worker_dies(cluster: str, tmp_path: Path) -> None:
    """Protects the same runner on Dask: order, errors of tasks, a worker that is killed."""
    with workers(on=cluster) as some:
        assert some.count == 2
        assert list(some.run(abs, range(-9, 0))) == [*range(9, 0, -1)]
        with pytest.raises(ValueError, match="math domain"):
            list(some.run(math.sqrt, [1, -1]))
        assert len(list(some.run(once_dead, [f"{tmp_path}/x"] * 4))) == 4


@for_each(("version", "text"), [("0.0.1", "has cgcli"), ("no", "has no cgcli that can be imported")])
def test_a_worker_has_the_same_version(cluster: str, monkeypatch: pytest.MonkeyPatch, version: str, text: str) -> None:
    """Protects results from those of another version."""
    if version == "no":
        monkeypatch.setattr(clusters, "_VERSION", "__import__('cgcli_that_is_not_there').__version__")
    else:
        monkeypatch.setattr("cgcli.version.__version__", version)
    with pytest.raises(DataError, match=text):
        workers(on=cluster)


@contextmanager
def server(said: bytes) -> Iterator[str]:
    """The address of a server that says something, or waits for others to speak."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        asked: list[socket.socket] = []

        def answer() -> None:
            while True:
                try:
                    asked.append(listening.accept()[0])
                    asked[-1].sendall(said)
                except OSError:  # closed
                    return

        threading.Thread(target=answer, daemon=True).start()
        yield f"dask://127.0.0.1:{listening.getsockname()[1]}"
        for each in asked:
            each.close()


def test_a_scheduler_that_is_not_there_is_told_of_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects who waits for a cluster that has gone."""
    monkeypatch.setattr(clusters, "_PATIENCE", 0.3)
    cases: list[tuple[str, type[CgError], str]] = [
        ("dask://127.0.0.1:1", DataError, "connection refused"),
        ("spark://127.0.0.1:1", UsageError, "no address of a cluster"),
        ("dask://", UsageError, "no address of a cluster"),
        ("dask://x:y", UsageError, "no address of a cluster"),
        ("dask://x:65536", UsageError, "no address of a cluster"),
        ("dask://[::1]:1", DataError, r"at dask://\[::1\]:1: "),
    ]
    with server(b"") as deaf, server(b"SSH-2.0-OpenSSH_9.2\r\n") as other:
        cases += [(deaf, DataError, "there is no answer"), (other, DataError, "something else answers")]
        for on, kind, text in cases:
            began = time.monotonic()
            with pytest.raises(kind, match=text):
                workers(on=on)
            assert time.monotonic() - began < 5


def test_a_scheduler_needs_no_cgcli(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects those whose scheduler has Dask alone: it reads what it passes on, and that is text and bytes."""
    sent: list[Any] = []
    threads = ThreadPoolExecutor(1)
    submit = threads.submit

    def watched(function: Any, text: Any, given: dict[str, Any]) -> Any:
        sent.append((function, type(text), {*map(type, given.values())}))
        return submit(function, text, given)

    monkeypatch.setattr(threads, "submit", watched)
    with Executors([threads], 1, 2) as some:
        assert list(some.run(Source, ["a", "b"])) == [Source("a"), Source("b")]
    assert sent == [(eval, str, {bytes})] * 2


def test_a_cluster_whose_workers_have_gone_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects who would wait for ever for the last worker."""
    monkeypatch.setattr(clusters, "_PATIENCE", 0.02)
    monkeypatch.setattr(clusters, "_LONG_PATIENCE", 0.05)
    threads = ThreadPoolExecutor(1)
    client = SimpleNamespace(nthreads=lambda: {"a": 1}, get_executor=lambda pure: threads, close=lambda: None)
    with clusters.Cluster(client, "dask://a", holding=False) as some:
        client.nthreads = dict
        with pytest.raises(DataError, match="all workers at dask://a have gone"):
            list(some.run(time.sleep, [0.5]))


def test_without_dask_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects users without the extra."""
    blocked: Any = None
    monkeypatch.setitem(sys.modules, "distributed", blocked)
    with pytest.raises(MissingProgramError) as caught:
        workers(on="dask://host:8786")
    assert "cgcli[dask]" in caught.value.hint


def test_links_in_a_folder_are_followed_but_not_around_in_a_circle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Protects a folder from being read for ever, and the rows behind a link from being left out."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "x").mkdir(parents=True)
    (tmp_path / "data" / "x" / "a.csv").write_text("x\n1\n")
    (tmp_path / "data" / "y").symlink_to("x")
    (tmp_path / "data" / "x" / "up").symlink_to("..")
    assert cg(capsys, "eval", "2*x", "data", "--only") == (0, "value\n2\n2\n", "")
    monkeypatch.setattr(listing, "_MOST", 2)
    done = cg(capsys, "eval", "2*x", "data")
    assert (done.code, done.err.splitlines()[0]) == (1, "cg: error: 'data' holds more than 2 files")


# ---- a folder of results --------------------------------------------------------------

ROWS = {"a": [1.0, 2.0], "b": [3.0, 4.5], "c": [-1.0, 0.5]}


def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where cg runs: a folder `data` of three Parquet files, two of them in folders that say a year."""
    monkeypatch.chdir(tmp_path)
    for name, place in zip(ROWS, ("", "year=2023/", "year=2024/"), strict=True):
        path = tmp_path / "data" / f"{place}{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"x": ROWS[name], "y": [2.0, 3.0]}), path)
    (tmp_path / "data" / "a.parquet").rename(tmp_path / "data" / "year=2023" / "a.parquet")
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    """What the files in a folder hold that are there for readers, by their paths."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(("_", "."))
    }


READ = [
    ("data", [2023, 2023, 2024]),
    ("data/", [2023, 2023, 2024]),
    ("data/year=*/*.parquet", [2023, 2023, 2024]),
    ("data/**/[!b].parquet", [2023, 2024]),
    ("file://{}/data", [2023, 2023, 2024]),
]


@for_each(("name", "years"), READ)
def test_data_is_a_folder_a_pattern_or_a_uri_whose_folders_say_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, name: str, years: list[int]
) -> None:
    """Protects which files are read, in which order, and the keys of Hive."""
    data = folders(tmp_path, monkeypatch)
    found = cg(capsys, "eval", "x*year", name.format(data), "--to", "jsonl")
    assert found.code == 0, found.err
    rows = [json.loads(line) for line in found.out.splitlines()]
    assert [row["year"] for row in rows[::2]] == years
    assert all(row["value"] == row["x"] * row["year"] for row in rows)


GLOBS = ["*.csv", "**", "*/*.csv", "**/*.csv", "[a]*", "[!a]*.csv", "[[]x]/*", "[]y].csv", "[[]z", "[z-a].csv", "?.csv",
         "[a&&b--c||d~~].csv", "a b/*", "ü*/[!k]*.csv", "[\\]*", "a[!b]b/*.csv", "*[*]*"]  # fmt: skip


@pytest.mark.filterwarnings("error")
def test_patterns_match_what_those_of_python_match(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Protects names with blanks, brackets and letters of any kind, and a slash from all but `**`."""
    monkeypatch.chdir(tmp_path)
    names = ["a.csv", "[z", "].csv", "y.csv", "&.csv", "\\.csv", "*x.csv",
             "a b/c d.csv", "[x]/1.csv", "[x]/[1].csv", "ü/é.csv"]  # fmt: skip
    for name in names:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("x\n1\n")
    for pattern in GLOBS:
        expected = sorted(name for name in glob(pattern, recursive=True) if Path(name).is_file())
        try:
            found = [source.name for source in listed([pattern])]
        except DataError as error:
            found = []
            assert str(error.message) == f"no file matches '{pattern}'"  # noqa: PT017 (its words are the check)
        assert sorted(found) == expected, pattern
    for name in names:
        assert [source.name for source in listed([escaped(name)])] == [name]
    Path("[x]/2.tsv").write_text("x\tz\n1\t2\n")
    assert "'[[]x]/*.csv'" in cg(capsys, "eval", "x", "[x]", "-o", "out/").err


TEXTS = [  # files with a key that say the same in their formats; what is written of them
    ("m=7/a.csv", 'x,s\r\n1,"a, b"\r\n', "x,s,m,v\n1,\"a, b\",7,7\n"),
    ("m=7/a.tsv", "x\ts\n1\tb\n", "x\ts\tm\tv\n1\tb\t7\t7\n"),
    ("m=7/a.jsonl", '{"x": 1, "s": {"t": 2}}\n', '{"x": 1, "s": {"t": 2},"m":7,"v":7}\n'),
    ("m=0.5/a.csv", "x\n2\n", "x,m,v\n2,0.5,1\n"),
    ("n=a%20b/m=7/a.csv", "x\n1\n", "x,n,m,v\n1,a b,7,7\n"),
    ("n=__HIVE_DEFAULT_PARTITION__/m=7/a.csv", "x\n1\n", "x,n,m,v\n1,,7,7\n"),
    ("m=7/a.csv", "x,m\n1,3\n", "x,m,v\n1,3,3\n"),  # the file's own column stays
]  # fmt: skip


@for_each(("name", "text", "expected"), TEXTS)
def test_keys_stand_in_text_behind_the_cells_as_they_were(
    tmp_path: Path, capsys: Capture, name: str, text: str, expected: str
) -> None:
    """Protects each format of text, whose rows pass through as they stand."""
    path = tmp_path / "in" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode())
    assert cg(capsys, "eval", "x*m", str(tmp_path / "in"), "--as", "v").out.replace("\r\n", "\n") == expected


WRITTEN = [("parquet", "parquet"), ("arrow", "arrow"), ("csv", "csv"), ("jsonl", "jsonl")]


@for_each(("kind", "suffix"), WRITTEN)
def test_a_folder_gets_a_file_for_each_and_a_rerun_keeps_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, kind: str, suffix: str
) -> None:
    """Protects parts of every kind: the same bytes as of one file, counts that add up, what is made again."""
    data = folders(tmp_path, monkeypatch)
    arguments = ["grad", "ln(x)*y", "data", "--to", kind, "--on-error", "null"]
    first = cg(capsys, *arguments, "-o", "out/")
    assert first.code == 0
    assert "1 of 6 rows has no results; the first: data/year=2024/c.parquet, row 1" in first.err
    out = data / "out"
    found = content(out)
    assert [*sorted(found)] == [
        f"year={year}/{name}.{suffix}" for year, name in ((2023, "a"), (2023, "b"), (2024, "c"))
    ]
    assert (out / "_SUCCESS").exists()
    again = cg(capsys, *arguments, "-o", "out/")
    assert again.err == f"3 of 3 files were done before, and are kept\n{first.err}"
    (out / f"year=2023/a.{suffix}").unlink()
    before = {path: path.stat().st_mtime_ns for path in out.rglob(f"*.{suffix}")}
    assert cg(capsys, *arguments, "-o", "out/").err.startswith("2 of 3 files were done before")
    assert content(out) == found
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    for changed in (["--precision", "3"], ["--wrt", "x"], ["k=1"]):  # other results, or maybe so
        assert "kept" not in cg(capsys, *arguments, "-o", "out/", *changed).err
    os.utime(data / "data/year=2024/c.parquet", (1, 1))
    cg(capsys, *arguments, "-o", "out/")
    os.utime(data / "data/year=2024/c.parquet", (2, 2))
    assert cg(capsys, *arguments, "-o", "out/").err.startswith("2 of 3 files were done before")


def test_processes_shares_and_a_cluster_write_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, cluster: str
) -> None:
    """Protects results from who computes them."""
    data = folders(tmp_path, monkeypatch)
    arguments = ["grad", "sin(x)*y*k", "data", "k=[1, 2]", "--cotangent", "[1, 2]", "--to", "parquet"]
    assert cg(capsys, *arguments, "-o", "one/").code == 0
    assert cg(capsys, *arguments, "-o", "two/", "--jobs", "2", "--threads", "3").code == 0
    for shard in ("3/4", "4/4", "1/4"):
        assert cg(capsys, *arguments, "-o", "shares/", "--shard", shard).code == 0
        assert not (data / "shares" / "_SUCCESS").exists()
    assert cg(capsys, *arguments, "-o", "shares/", "--shard", "2/4").code == 0
    assert cg(capsys, *arguments, "-o", "far/", "--on", cluster).code == 0
    expected = content(data / "one")
    assert len(expected) == 3
    for folder in ("two", "shares", "far"):
        rows = {
            name: pq.read_table(data / folder / name).equals(pq.read_table(data / "one" / name)) for name in expected
        }
        assert rows == dict.fromkeys(expected, True), folder
        assert (data / folder / "_SUCCESS").exists(), folder
    assert cg(capsys, *arguments, "-o", "two/").err == "3 of 3 files were done before, and are kept\n"


def test_columns_within_objects_are_read_in_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Protects names with a point, which a program may have once its rows are known: of each file, whoever reads it."""
    monkeypatch.chdir(tmp_path)
    for at in (1, 2):
        (tmp_path / f"{at}.jsonl").write_text(f'{{"p": {{"x": {at}}}, "y": {2 * at}}}\n{{"p": {{"x": 5}}, "y": 9}}\n')
    for options in (["--jobs", "2"], []):
        assert cg(capsys, "eval", "p.x*2", "*.jsonl", "--sum", "--where", "p.x < 3", *options) == (0, "6\n", "")
        fitted = cg(capsys, "fit", "y = a*p.x", "*.jsonl", "a=1", "--params", "--precision", "3", *options)
        assert fitted == (0, "a=1.82\n", "")
    assert cg(capsys, "eval", "p.x*2", "*.jsonl", "-o", "out/").code == 0
    assert json.loads((tmp_path / "out/2.jsonl").read_text().splitlines()[0])["value"] == 4


OBJECTS = [
    ("x + p", ['{"x": 1}\n', '{"x": 2, "p": 3}\n'], "p"),
    ("x + p", ['{"x": 2, "p": 3}\n', '{"x": 1}\n', ""], "p"),
    ("x + p.q", ['{"x": 1}\n', '{"x": 2, "p": {"q": 3}}\n'], "p.q"),
    ("x + p.q", ["", '{"x": 2, "p": {"q": 3}}\n', '{"x": 1, "p": {"r": 3}}\n', '{"x": 0, "p": null}\n'], "p.q"),
    ("x + p.q.r", ['{"x": 1, "p": {}}\n{"x": 1}\n', '{"x": 2, "p": {"q": {"r": 3}}}\n'], "p.q.r"),
    ("x + p@[1, 2]", ['{"x": 1}\n', '{"x": 0, "p": [1, 2]}\n'], "p"),
]


@for_each(("program", "files", "name"), OBJECTS)
def test_files_of_objects_are_read_as_one(
    program: str, files: list[str], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Protects objects of which only some have a member: wherever the first with it stands, and whoever reads it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for at, text in enumerate(files):
        (tmp_path / "in" / f"{at}.jsonl").write_text(text)
    (tmp_path / "all.jsonl").write_text("".join(files))
    skip, null = ("--on-error", "skip"), ("--on-error", "null")
    together = cg(capsys, "eval", program, "all.jsonl", *null)
    assert together.code == 0
    assert "null" in together.out
    assert cg(capsys, "eval", program, "in", *null).out == together.out
    for options in ((), ("--jobs", "2")):
        assert cg(capsys, "eval", program, "in", "--sum", *skip, *options).out == "5\n"
        code, _, said = cg(capsys, "eval", program, "in", "--sum", *options)
        assert (code, f"there is no '{name}', or it is null" in said) == (1, True)
        out = f"out{len(options)}"
        assert cg(capsys, "eval", program, "in", "-o", f"{out}/", *null, *options).code == 0
        written = [(tmp_path / out / f"{at}.jsonl").read_text() for at in range(len(files))]
        assert "".join(written) == together.out


def test_objects_in_parquet_need_not_be_in_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Protects names with a point that types say: of a later file, and of one whose first rows have no objects."""
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"x": [1.0]}), "1.parquet")
    kind = pa.struct({"q": pa.float64()})
    pq.write_table(pa.table({"x": [2.0] * 200, "p": pa.array([None] * 199 + [{"q": 3.0}], kind)}), "2.parquet")
    for options in ((), ("--jobs", "2")):
        added = cg(capsys, "eval", "x + p.q", "*.parquet", "--sum", "--on-error", "skip", *options)
        assert (added.code, added.out) == (0, "5\n")
        assert "200 of 201 rows are left out; the first: 1.parquet, row 1: there is no 'p.q'" in added.err


def dying(task: Callable[[Any], Any], path: str, part: Any) -> Any:
    """The task, whose process is killed when its draft is whole; but not where another has died before.

    path: tells that one has; where it ends so, a process is killed after its part is there.
    """

    def die(draft: str, target: str) -> None:
        is_first = not os.path.exists(path)
        if path.endswith("after") or not is_first:
            replace(draft, target)
        if is_first:
            Path(path).touch()
            os.kill(os.getpid(), signal.SIGKILL)

    replace, os.replace = os.replace, die  # type: ignore[assignment]
    try:
        return task(part)
    finally:
        os.replace = replace


@for_each(
    ("killed", "on"), [("killed", False), ("killed after", False), ("far killed", True), ("far killed after", True)]
)
def test_a_process_that_is_killed_changes_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, cluster: str, killed: str, on: bool
) -> None:
    """Protects a run of which the system kills a process or a worker: its part is made again, and no draft stays.

    One that was done is not told as one of an earlier run.
    """
    data = folders(tmp_path, monkeypatch)
    arguments = ["grad", "sin(x)*exp(y)", "data", "--threads", "1"]
    assert cg(capsys, *arguments, "-o", "one/").code == 0
    run = Pool.run
    monkeypatch.setattr(
        Pool, "run", lambda self, task, parts: run(self, partial(dying, task, str(tmp_path / killed)), parts)
    )
    assert cg(capsys, *arguments, "-o", "two/", *(("--on", cluster) if on else ("--jobs", "2"))) == (0, "", "")
    assert (tmp_path / killed).exists()
    assert content(data / "two") == content(data / "one")
    assert not [*(data / "two").rglob(".cg-*")]


def test_a_bar_counts_the_files_that_are_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Protects who waits for many files on a terminal: one bar, of files, which goes before anything is said."""
    folders(tmp_path, monkeypatch)
    monkeypatch.setattr(progress, "_SILENT", 0)
    monkeypatch.setattr(progress, "_PAUSE", 0)
    for terminal in (True, False):
        for task in (["-o", f"out {terminal}/"], ["--sum", "--jobs", "2"]):
            monkeypatch.setattr(sys.stderr, "isatty", lambda shown=terminal: shown)
            said = cg(capsys, "eval", "1/(x + 1)", "data", *task).err
            before, _, after = said.rpartition("\r")
            assert [f" {at}/3 [" in before for at in (1, 2, 3)] == [terminal] * 3
            assert "in 1 of 6 rows a result is infinite" in after.splitlines()[0]


_ENDED = """
import os
import signal
from cgcli import signals
from cgcli.api import serving
from cgcli.api.workers import workers
from cgcli.errors import DataError
signals.install()
install = serving.install
serving.install = lambda patience: (install(), os.kill(os.getpid(), signal.SIGTERM))
try:
    with workers(2, copies=True) as two:
        list(two.run(abs, [1]))
except DataError as error:
    print(error)
"""


def test_a_process_that_is_ended_as_it_begins_says_nothing() -> None:
    """Protects standard error from tracebacks of those who are ended with one that was killed."""
    found = subprocess.run([sys.executable, "-c", _ENDED], capture_output=True, text=True, timeout=60)
    assert (found.stdout, found.stderr) == ("a worker died, and so did the one that tried again\n", "")


_DEADLY = """
from cgcli.api.workers import workers
from cgcli.errors import DataError
parts = ["import time; time.sleep(60)", "import os, time; time.sleep(0.3); os.kill(os.getpid(), 9)"]
try:
    with workers(2) as two:
        list(two.run(exec, parts))
except DataError as error:
    print(error)
"""


def test_a_process_ends_within_a_task_where_another_is_killed_again() -> None:
    """Protects the command from waiting for ever for one that has been told to end."""
    found = subprocess.run([sys.executable, "-c", _DEADLY], capture_output=True, text=True, timeout=60)
    assert (found.stdout, found.stderr) == ("a worker died, and so did the one that tried again\n", "")


_COMMAND_THAT_DIES = """
import sys
from functools import partial
from cgcli.api.pool import Pool
from cgcli.cli.main import main
from tests.test_parts import dying
run, path = Pool.run, sys.argv.pop()
Pool.run = lambda self, task, parts: run(self, partial(dying, task, path), parts)
main()
"""


def test_a_copy_of_the_command_that_is_killed_changes_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the same where processes are copies of the command, which runs by itself."""
    data = folders(tmp_path, monkeypatch)
    arguments = ["grad", "sin(x)*exp(y)", "data", "--threads", "1", "-o"]
    assert subprocess.run([*CG, *arguments, "one/"]).returncode == 0
    dies = [sys.executable, "-c", _COMMAND_THAT_DIES, *arguments, "two/", "--jobs", "2", str(tmp_path / "killed")]
    places = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}  # where the tests are found
    found = subprocess.run(dies, capture_output=True, text=True, timeout=60, env=places)
    assert (found.returncode, found.stderr) == (0, "")
    assert (tmp_path / "killed").exists()
    assert content(data / "two") == content(data / "one")
    assert not [*(data / "two").rglob(".cg-*")]


def test_files_that_are_alike_have_their_program_prepared_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Protects the time of many small files: what is made to see whether all is right is used for all of them."""
    folders(tmp_path, monkeypatch)
    made: list[Program] = []
    lower = Program.graph

    def counted(self: Program, *given: Any, **named: Any) -> Any:
        made.append(self)
        return lower(self, *given, **named)

    monkeypatch.setattr(Program, "graph", counted)
    assert cg(capsys, "grad", "sin(x)*y", "data", "--where", "x > 1", "-o", "out/").code == 0
    assert len(made) == 2


WRONG = [  # what is called with data, and what is said
    (["-o", "data/"], 2, "is read, and lies in 'data/', where its results would go"),
    (["-o", "data/out/"], 2, "the results would lie in 'data', which is read"),
    (["-o", "full/"], 1, "'full/strange.csv' is in the folder already, and is none of these parts"),
    (["-o", "mine/"], 1, "is there already, and is no part that cg has written"),
    (["-o", "file/"], 1, "it is a file"),
    (["-o", "out/", "--limit", "1"], 2, "--limit is of all rows together"),
    (["-o", "out/", "--jobs", "2", "--on", "dask://x"], 2, "--jobs is of this machine"),
    (["-o", "out/", "--shard", "5/4"], 2, "'5/4' is no share: these are 1/4 to 4/4"),
    (["-o", "out/", "--shard", "5"], 2, "'5' is no share, as 3/100 is the third of a hundred"),
    (["-o", "out/", "--on", ""], 2, "'' is no address of a cluster"),
    (["-o", "out/", "--on", "dask://127.0.0.1:1"], 1, "there is no scheduler of Dask at dask://127.0.0.1:1"),
    (
        ["-o", "out/", "--to", "csv", "other.csv"],
        1,
        "has the columns 'x', 'z', and data/year=2023/a.parquet (Parquet) has",
    ),
    (["-o", "out/", "other.parquet"], 1, "has other columns than data/year=2023/a.parquet"),
    (["-o", "out/", "short.parquet"], 1, "short.parquet has the columns 'x' (float), 'y' (double)"),
    (
        ["-o", "out/", "data/year=2023/a.parquet", "data/year=2023/../year=2023/a.parquet"],
        2,
        "a.parquet' is read twice",
    ),
    (["-o", "out/", "data/year=2023/a.parquet", "mine/year=2023/a.parquet"], 2, "would be in one file"),
    (["-o", "folder", "--jobs", "2"], 2, "a folder ends with a slash: -o folder/"),
    (["--jobs", "2"], 2, "--jobs is for files whose results go into a folder"),
    (["--whole", "--jobs", "2", "-o", "out/"], 2, "--jobs has each file computed by itself, and --whole has all rows"),
    (["--whole", "--shard", "1/2", "-o", "out/"], 2, "leave out --shard or --whole"),
    (["--shard", "1/2"], 2, "--shard is for files whose results go into a folder"),
    (["--on", "dask://x"], 2, "--on is for files whose results go into a folder"),
    (["empty"], 1, "there is no file of rows in 'empty'"),
    (["none/*.csv"], 1, "no file matches 'none/*.csv'"),
    (["notes"], 1, "'notes/a.txt' is in the folder, and has no suffix of a known format"),
    (["https://host/a.csv"], 1, "cannot use 'https://host/a.csv'"),
]


@for_each(("arguments", "code", "text"), WRONG)
def test_what_is_wrong_with_folders_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, arguments: list[str], code: int, text: str
) -> None:
    """Protects files that are no parts from being replaced, and who has mistaken a folder."""
    data = folders(tmp_path, monkeypatch)
    for folder in ("full", "mine/year=2023", "empty", "notes"):
        (data / folder).mkdir(parents=True)
    for name in ("full/strange.csv", "mine/year=2023/a.parquet", "file", "notes/a.txt", "empty/_SUCCESS"):
        (data / name).write_bytes(b"x\n1\n")
    (data / "other.csv").write_bytes(b"x,z\n1,2\n")
    pq.write_table(pa.table({"x": [1.0]}), data / "other.parquet")
    pq.write_table(pa.table({"x": pa.array([1.0], pa.float32()), "y": [1.0], "year": [1]}), data / "short.parquet")
    before = content(data)
    found = cg(capsys, "eval", "x" if "other.csv" in arguments else "x*y", "data", *arguments)
    assert (found.code, text in found.err) == (code, True), found.err
    assert {name: text for name, text in content(data).items() if not name.startswith("out/")} == before


@for_each(
    ("kind", "options", "left"),
    [
        ("parquet", [], []),
        ("csv", [], []),
        ("csv", ["--jobs", "2"], ["new/2.csv", "new/_2.csv.done"]),  # which was begun at the same time
        ("csv", ["--shard", "1/2"], ["new/_1.csv.done"]),  # the others may be about to write into it
    ],
)
def test_an_error_leaves_no_folder_that_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, kind: str, options: list[str], left: list[str]
) -> None:
    """Protects who asks whether there are results by whether there is a folder; one that was there stays."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for name, text in (("1.csv", "x\n1\nno\n"), ("2.csv", "x\n1\n")):
        (tmp_path / "data" / name).write_text(text)
    (tmp_path / "old").mkdir()
    for folder in ("new", "old/below"):
        found = cg(capsys, "eval", "x^2", "data", "-o", f"{folder}/", "--to", kind, *options)
        assert (found.code, "column 'x' holds 'no'" in found.err) == (1, True), found.err
    assert sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / "new").rglob("*")) == left
    assert (tmp_path / "new").exists() == (tmp_path / "old/below").exists() == bool(left)
    assert (tmp_path / "old").exists()


PATTERNS = [  # a file of another kind among three, the argument, and the pattern that leaves it out
    ("data/year=2024/z.csv", "data", "'data/**/*.parquet'"),
    ("data/year=2024/z.parquet", "data", "'data/year=2023/*.parquet'"),
    ("data/year=2024/z.csv", "data/*/*", "'data/**/*.parquet'"),
    ("data/year=2023/z.parquet", "data/year=2023", "name the files without data/year=2023/z.parquet, or by a pattern"),
]


@for_each(("strange", "name", "pattern"), PATTERNS)
def test_a_hint_has_a_pattern_of_the_files_that_were_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, strange: str, name: str, pattern: str
) -> None:
    """Protects who follows a hint: what it names is there, and leaves the other file out."""
    data = folders(tmp_path, monkeypatch)
    if strange.endswith("csv"):
        (data / strange).write_text("x,z\n1,2\n")
    else:
        pq.write_table(pa.table({"x": [1.0], "z": [2.0]}), strange)
    found = cg(capsys, "eval", "x", name, "-o", "out/")
    assert found.code == 1
    assert pattern in found.err
    assert ("(CSV) has the columns" in found.err) == strange.endswith("csv")
    if pattern.startswith("'"):
        assert cg(capsys, "eval", "x", pattern.strip("'"), "-o", "other/").code == 0
        assert content(data / "other")


def test_a_first_file_that_lacks_a_column_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Protects who has one strange file among many: which it is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two").mkdir()
    for name, columns in (("a", {"x": [1.0]}), ("b", {"x": [1.0], "y": [2.0]})):
        pq.write_table(pa.table(columns), f"two/{name}.parquet")
    found = cg(capsys, "eval", "x*y", "two", "-o", "out/")
    assert found.code == 1
    assert "two/a.parquet has other columns than files behind it: no value for 'y'" in found.err
    assert "the columns are: x" in found.err


def test_parts_may_have_their_columns_in_any_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Protects folders whose files were written by several, and in several formats."""
    data = folders(tmp_path, monkeypatch)
    pq.write_table(pa.table({"y": [1.0], "x": [2.0]}), "data/year=2024/d.parquet")
    (data / "data/year=2024/e.csv").write_text("y,x\n1,2\n")
    found = cg(capsys, "eval", "x*y", "data", "-o", "out/", "--jobs", "2")
    assert (found.code, found.err) == (0, "")
    assert pq.read_table("out/year=2024/d.parquet")["value"].to_pylist() == [2.0]
    assert (data / "out/year=2024/e.csv").read_text() == "y,x,year,value\n1,2,2024,2\n"


OLDER = [("csv", "jsonl", ", and 'out/year=2023/_a.csv.done' beside it"), ("parquet", "csv", "")]


@for_each(("kind", "other", "mark"), OLDER)
def test_parts_of_earlier_are_told_from_files_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, kind: str, other: str, mark: str
) -> None:
    """Protects who deletes a file of rows, or writes in another format: cg knows its own parts, and what to remove."""
    data = folders(tmp_path, monkeypatch)
    arguments = ["eval", "x*y", "data", "-o", "out/", "--to"]
    assert cg(capsys, *arguments, kind).code == 0
    told = f"'out/year=2023/a.{kind}' is a part that cg wrote earlier, and no file that is read now gives it"
    found = cg(capsys, *arguments, other)
    assert (found.code, told in found.err) == (1, True), found.err
    assert f"remove it{mark}\n" in found.err
    (data / "data/year=2023/a.parquet").unlink()
    assert told in cg(capsys, *arguments, kind).err
    for name in (f"a.{kind}", f"_a.{kind}.done"):
        (data / "out/year=2023" / name).unlink(missing_ok=True)
    assert cg(capsys, *arguments, kind).err == "2 of 2 files were done before, and are kept\n"


def test_a_full_disk_leaves_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects a folder from half a file, and the rest of the work: what was done before is kept later."""
    data = folders(tmp_path, monkeypatch)
    pq.write_table(
        pa.table({"x": np.linspace(1, 2, 200_000), "y": np.full(200_000, 2.0)}), data / "data/year=2024/z.parquet"
    )
    limited = ["sh", "-c", 'ulimit -f 1000; exec "$@"', "sh", *CG, "grad", "sin(x)*y", "data", "-o", "out/"]
    found = subprocess.run([*limited, "--jobs", "2"], capture_output=True, text=True)
    assert found.returncode == 1
    assert "cannot write" in found.stderr
    assert "z.parquet'" in found.stderr
    assert len(content(data / "out")) == 3
    assert not [*(data / "out").rglob(".cg-*")]
    assert not (data / "out/_SUCCESS").exists()
    assert "3 of 4 files were done before" in subprocess.run(limited[3:][1:], capture_output=True, text=True).stderr


@pytest.fixture(scope="module")
def store() -> Iterator[Any]:
    """A stand-in for S3, with a bucket of two files; its file system."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patches:
        settings = {
            "ENDPOINT_URL": f"http://{host}:{port}",
            "ACCESS_KEY_ID": "a",
            "SECRET_ACCESS_KEY": "b",
            "REGION": "us-east-1",
        }
        for name, value in settings.items():
            patches.setenv(f"AWS_{name}", value)
        found = fs.S3FileSystem(
            allow_bucket_creation=True, region="us-east-1", endpoint_override=settings["ENDPOINT_URL"]
        )
        found.create_dir("rows")
        for at in (1, 2):
            with found.open_output_stream(f"rows/data/k={at}/a b.csv", compression=None) as stream:
                stream.write(b"x,y\n1,2\n3,4\n")
        yield found
    server.stop()


def test_objects_are_read_and_written(store: Any, capsys: Capture, tmp_path: Path) -> None:
    """Protects object stores: folders and patterns there, one object, parts that a rerun keeps, all other formats."""
    expected = "x,y,k,value,d_x,d_y,d_k\n1,2,1,2,2,1,2\n3,4,1,12,4,3,12\n1,2,2,4,4,2,2\n3,4,2,24,8,6,12\n"
    assert cg(capsys, "grad", "x*y*k", "s3://rows/data").out == expected
    assert cg(capsys, "grad", "x*y*k", "s3://rows/data/k=*/*.csv").out == expected
    assert cg(capsys, "eval", "x*y", "s3://rows/data/k=1/a b.csv", "-o", "s3://rows/one.parquet").code == 0
    assert (
        cg(capsys, "eval", "value", "s3://rows/one.parquet", *["--only", "--as", "v", "--to", "csv"]).out
        == "v\n2\n12\n"
    )
    for kind in ("csv", "parquet"):
        arguments = ["grad", "x*y*k", "s3://rows/data", "--to", kind, "-o", f"s3://rows/{kind}/"]
        assert cg(capsys, *arguments).code == 0
        assert cg(capsys, *arguments, "--jobs", "2").err == "2 of 2 files were done before, and are kept\n"
        assert cg(capsys, "eval", "k", f"s3://rows/{kind}", "--as", "v", "--to", "csv").out.count("\n") == 5
        assert store.get_file_info(f"rows/{kind}/_SUCCESS").is_file
    assert cg(capsys, "eval", "ln(-x)", "s3://rows/data", "-o", "s3://rows/bad/").code == 1
    assert not store.get_file_info("rows/bad/k=1/a b.csv").is_file
    for arguments, text in (
        (["s3://rows/none.csv"], "there is no file of rows in 's3://rows/none.csv'"),
        (["s3://rows/data/*.csv"], "no file matches"),
        (["s3://rows/data", "-o", "s3://rows/data/"], "is read, and lies in"),
        (["s3://rows/data", "-o", "s3://none/a.csv"], "bucket does not exist"),
    ):
        assert text in cg(capsys, "eval", "x", *arguments).err


def test_who_asks_and_settings_behind_a_uri_go_with_each_object(store: Any, capsys: Capture) -> None:
    """Protects keys and settings in a URI, of a folder to read and of one to write; messages do not have them."""
    query = f"?scheme=http&endpoint_override={os.environ['AWS_ENDPOINT_URL'].removeprefix('http://')}"
    names = [source.name for source in listed([f"s3://me:key@rows/data{query}"])]
    assert names == [f"s3://me:key@rows/data/k={at}/a b.csv{query}" for at in (1, 2)]
    found = cg(capsys, "eval", "x*k", f"s3://me:key@rows/data{query}", "-o", f"s3://me:key@rows/mine/{query}")
    assert (found.code, found.err) == (0, "")
    assert store.get_file_info("rows/mine/_SUCCESS").is_file
    assert "'s3://rows/none'" in cg(capsys, "eval", "x", f"s3://me:key@rows/none{query}").err


GOOGLE = [  # what pyarrow says of Google's store, and we
    ("google::cloud::Status(NOT_FOUND: Permanent error, with a last message of Received HTTP status code: 404 "
     "error_info={reason=, domain=, metadata={gcloud-cpp.retry.function=Create}}). Detail: [errno 2] No such file",
     "cannot read 'gs://b/a.csv': not found: Received HTTP status code: 404"),
    ("google::cloud::Status(UNAVAILABLE: Retry policy exhausted, with a last message of Could not create a OAuth2 "
     "access token to authenticate the request. The request was not sent, as such an access token is required",
     "cannot read 'gs://b/a.csv': unavailable: Could not create a OAuth2 access token to authenticate the request"),
]  # fmt: skip


@for_each(("said", "message"), GOOGLE)
def test_what_google_says_at_length_is_told_in_short(said: str, message: str) -> None:
    """Protects a reader from policies and metadata."""
    assert failed("read", "gs://me@b/a.csv?scheme=http", OSError(said)).message == message
