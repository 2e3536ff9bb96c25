"""Processes of our own that run tasks: they end with this process, and leave Ctrl-C to it."""

from __future__ import annotations

import gc
import os
import sys
import threading
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from multiprocessing import context, get_all_start_methods, parent_process
from types import ModuleType

from cgcli.annotations import Any, Callable, Mapping, Sequence
from cgcli.lean import signal
from cgcli.signals import Terminated, are_ours, install

# Processes are copies of this one where it is a command: they have all that it has prepared. In a program of others,
# its threads may hold locks; then they are copies of a server that has imported what they need, where there is one.
_PATIENCE = 5.0  # seconds that a process has to take back what it has begun: a pool may catch what is to end it
_HAS_SERVER = "forkserver" in get_all_start_methods()
_BASE: Any = context.ForkServerProcess if _HAS_SERVER else context.SpawnProcess


class _Process(_BASE):  # type: ignore[misc]
    """One that does not run the script that was started here: tasks are functions of this package."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 (as its base has it)
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            return _BASE._Popen(process_obj)
        finally:
            sys.modules["__main__"] = main


class _Context(context.ForkServerContext if _HAS_SERVER else context.SpawnContext):  # type: ignore[misc]
    Process = _Process


def processes(modules: Sequence[str], *, copies: bool) -> Callable[[Sequence[int]], list[Executor]]:
    """Makes executors of so many each. modules: that they need. copies: whether they may be those of this process."""
    if copies and sys.platform == "linux" and are_ours():
        return partial(_copies, modules)
    return _others(modules)


def _copies(modules: Sequence[str], each: Sequence[int]) -> list[Executor]:
    """Copies of this process, unless it has threads."""
    if threading.active_count() > 1:
        return _others(modules)(each)
    made = [ProcessPoolExecutor(count, context.ForkContext(), initializer=_begin, initargs=({},)) for count in each]
    for executor in made:
        executor.submit(_ready)  # has its processes begin, before this one has other threads than those that wait
    return [*made]


def _others(modules: Sequence[str]) -> Callable[[Sequence[int]], list[Executor]]:
    """Others, as soon as there is something to do; what they need is imported meanwhile."""
    if _HAS_SERVER:
        from multiprocessing import forkserver

        forkserver.set_forkserver_preload(["cgcli.api.without_pandas", __name__, *modules])
        forkserver.ensure_running()
    return partial(_of_server, dict(os.environ))


def _of_server(environment: Mapping[str, str], each: Sequence[int]) -> list[Executor]:
    """Executors whose processes begin with their first task, all at once.

    One that began later might die unseen: an executor knows of none that began while it waits for the others.
    """
    made = [ProcessPoolExecutor(count, _Context(), initializer=_begin, initargs=(environment,)) for count in each]
    for executor in made:
        vars(executor)["_safe_to_dynamically_spawn_children"] = False
    return [*made]


def _ready() -> None:
    """A task that does nothing."""


def end(executors: Sequence[Executor], *, at_once: bool) -> bool:
    """End the processes of executors; whether these leave names in the system, which go when they do themselves.

    at_once: the processes take back what they have begun.
    """
    if at_once:
        terminate(executors)
    for executor in executors:
        executor.shutdown(cancel_futures=True)
    return any(vars(executor)["_mp_context"].get_start_method() != "fork" for executor in executors)


def terminate(executors: Sequence[Executor]) -> None:
    """Tell the processes of executors to end."""
    for executor in executors:
        for process in [*(vars(executor).get("_processes") or {}).values()]:
            process.terminate()


def _begin(environment: Mapping[str, str]) -> None:
    """Begin a process. environment: that of the one that asks, for the server may have begun with another."""
    try:
        _prepare(environment)
    except (KeyboardInterrupt, Terminated):
        os._exit(1)  # it has begun nothing yet; the pool would log the exception


def _prepare(environment: Mapping[str, str]) -> None:
    from cgcli.api import without_pandas  # noqa: F401

    os.environ.update(environment)
    gc.freeze()
    gc.enable()
    install(_PATIENCE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
