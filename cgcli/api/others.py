"""Processes that are no copies of this one: of a server that has imported what they need, where there are servers."""

from __future__ import annotations

import os
import sys
from multiprocessing import Pipe, context, get_all_start_methods, parent_process
from types import ModuleType

from cgcli.annotations import TYPE_CHECKING, Any, Mapping, Sequence
from cgcli.api.serving import serve
from cgcli.signals import Terminated

if TYPE_CHECKING:
    from cgcli.api.serving import Line

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


def prepare(modules: Sequence[str]) -> None:
    """Have the server begin, while this process goes on. modules: that it imports."""
    if _HAS_SERVER:
        from multiprocessing import forkserver

        forkserver.set_forkserver_preload(["cgcli.api.left_out", __name__, *modules])
        forkserver.ensure_running()


class Other:
    """A process that knows no task yet."""

    knows = b""

    def __init__(self) -> None:
        self.line, theirs = Pipe()
        self._process = _Process(target=_begin, args=(theirs, {**os.environ}), daemon=True)
        self._process.start()
        theirs.close()

    def terminate(self) -> None:
        """Tell it to end."""
        self._process.terminate()

    def join(self) -> None:
        """Wait until it has ended."""
        self._process.join()


def _begin(line: Line, environment: Mapping[str, str]) -> None:
    """Begin a process. environment: that of the one that asks, for the server may have begun with another."""
    from cgcli.api import left_out  # noqa: F401

    os.environ.update(environment)
    parent = parent_process()
    assert parent is not None
    try:
        serve(line, parent.join, {})
    except (KeyboardInterrupt, Terminated):  # what was half done is taken back
        os._exit(1)
