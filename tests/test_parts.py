"""Many files: who computes their parts, in which order, and what happens when one of them dies."""

from __future__ import annotations

import math
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cgcli.api import workers as crew
from cgcli.api.workers import Pool, Workers, workers
from cgcli.errors import CgError, DataError, MissingProgramError, UsageError
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


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of two processes."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as found:
        yield found.scheduler_address.replace("tcp://", "dask://")


def test_results_come_in_the_order_of_the_parts_whoever_computes_them(two: Workers) -> None:
    """Protects sums and messages, which do not depend on who was done first."""
    parts = [-0.1, *([0] * 7), 0.01]
    threads = Pool(lambda: ThreadPoolExecutor(3), 3, 4)
    for some in (workers(), two, threads):
        assert list(some.run(math.exp, parts)) == [math.exp(part) for part in parts]
        assert list(some.run(math.exp, [])) == []
        with pytest.raises(ValueError, match="math domain"):
            list(some.run(math.sqrt, [1, -1, 2]))
    with threads:
        assert [*threads.run(time.sleep, [0.02, 0, 0])] == [None] * 3


def test_a_part_whose_worker_dies_is_tried_once_more(two: Workers, tmp_path: Path) -> None:
    """Protects a long run from one process that the system ends; and from one that ends for ever."""
    parts = [*(f"{tmp_path}/x" for _ in range(3)), str(tmp_path)]
    pids = list(two.run(once_dead, parts))
    assert len(pids) == 4
    assert os.getpid() not in pids
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
        monkeypatch.setattr(crew, "_VERSION", "__import__('cgcli_that_is_not_there').__version__")
    else:
        monkeypatch.setattr("cgcli.version.__version__", version)
    with pytest.raises(DataError, match=text):
        workers(on=cluster)


@contextmanager
def deaf() -> Iterator[str]:
    """The address of a server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"dask://127.0.0.1:{server.getsockname()[1]}"


def test_a_scheduler_that_is_not_there_is_told_of_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects who waits for a cluster that has gone."""
    monkeypatch.setattr(crew, "_PATIENCE", 0.3)
    cases: list[tuple[str, type[CgError], str]] = [
        ("dask://127.0.0.1:1", DataError, "connection refused"),
        ("spark://127.0.0.1:1", UsageError, "no address of a cluster"),
        ("dask://", UsageError, "no address of a cluster"),
        ("dask://x:y", UsageError, "no address of a cluster"),
    ]
    with deaf() as address:
        cases.append((address, DataError, "there is no answer"))
        for on, kind, text in cases:
            began = time.monotonic()
            with pytest.raises(kind, match=text):
                workers(on=on)
            assert time.monotonic() - began < 5


def test_without_dask_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects users without the extra."""
    blocked: Any = None
    monkeypatch.setitem(sys.modules, "distributed", blocked)
    with pytest.raises(MissingProgramError) as caught:
        workers(on="dask://host:8786")
    assert "cgcli[dask]" in caught.value.hint
