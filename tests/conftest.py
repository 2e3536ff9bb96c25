"""How the tests are run: all of them in several processes, where some are named in one."""

from __future__ import annotations

import os

import pytest

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")  # the processes share the processors already


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """One process for the tests that are named, so that nothing waits for others and a debugger works."""
    return 0 if config.args_source is config.ArgsSource.ARGS else None
