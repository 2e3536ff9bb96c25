"""How the tests are run: all of them in several processes, where some are named in one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")  # the processes share the processors already


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """One process for the tests that are named, so that nothing waits for others and a debugger works."""
    return 0 if config.args_source is config.ArgsSource.ARGS else None


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The address of a Dask cluster of two processes."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as found:
        yield found.scheduler_address.replace("tcp://", "dask://")
