"""Processes of our own that run tasks: they are made anew, end with this process, and leave Ctrl-C to it."""

from __future__ import annotations

import os
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from threading import Thread
from types import ModuleType

from cgcli import signals
from cgcli.annotations import Any
from cgcli.lean import signal


class _Process(SpawnProcess):
    """One that does not run the script that was started here: tasks are functions of this package."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 (as its base has it)
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            return SpawnProcess._Popen(process_obj)
        finally:
            sys.modules["__main__"] = main


class _Context(SpawnContext):
    """Processes that are no copies of this one, whose threads may hold locks."""

    Process = _Process


def processes(count: int) -> Executor:
    """So many, each as soon as it has something to do."""
    return ProcessPoolExecutor(count, _Context(), initializer=_begin)


def end(executor: Executor) -> None:
    """Have the processes of an executor take back what they have begun."""
    for process in [*vars(executor).get("_processes", {}).values()]:
        process.terminate()


def _begin() -> None:
    signals.install()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.meta_path.insert(0, _NoPandas())
    Thread(target=_end_with_parent, daemon=True).start()


class _NoPandas:
    """Keeps pyarrow from importing pandas where it is installed, in the time of the whole start."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        """Raises ImportError for pandas; nothing else is found here."""
        if name == "pandas":
            raise ImportError("cg uses no pandas")


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
