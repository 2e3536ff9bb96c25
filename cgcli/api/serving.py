"""What a process does that runs tasks for another one: it ends with that, and leaves Ctrl-C to it."""

from __future__ import annotations

import gc
import os
import pickle
import threading

from cgcli.annotations import TYPE_CHECKING, Any, Callable
from cgcli.lean import signal
from cgcli.signals import install

if TYPE_CHECKING:
    from cgcli.annotations import Protocol

    class Line(Protocol):
        """What objects go to another process by, and come from it."""

        def fileno(self) -> int: ...
        def send_bytes(self, content: bytes) -> None: ...
        def recv(self) -> Any: ...
        def close(self) -> None: ...


GONE = (EOFError, OSError)  # what a line raises where the other process has ended
_PATIENCE = 5.0  # seconds that a process has to take back what it has begun, whoever catches what is to end it
_MOST_TASKS = 4  # that a process keeps


def serve(line: Line, alone: Callable[[], object], tasks: dict[bytes, Any]) -> None:
    """Run tasks, until the other process has no more: it sends a task, pickled, with each part.

    alone: returns when the other one has ended. tasks: that are known, by what is sent of them; what a task keeps, it
    keeps for all its parts.
    """
    gc.freeze()
    gc.enable()
    install(_PATIENCE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=lambda: (alone(), os._exit(1)), daemon=True).start()
    task: Any = None
    while True:
        try:
            sent, part = line.recv()
        except GONE:
            return
        if sent:
            task = tasks.pop(sent, None) or pickle.loads(sent)
            tasks[sent] = task
            if len(tasks) > _MOST_TASKS:
                del tasks[next(iter(tasks))]
        try:
            answer: tuple[Any, Exception | None] = task(part), None
        except Exception as error:
            answer = None, error
        try:
            content = pickle.dumps(answer)
        except Exception as error:
            content = pickle.dumps((None, RuntimeError(f"{type(error).__name__}: {error}")))
        try:
            line.send_bytes(content)
        except GONE:
            return
