"""Signals that end the command, and wait until what is being written has an end."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]

# Ctrl-C; those of schedulers and of closed terminals, of which not every system has the last.
_NUMBERS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def handlers() -> dict[int, Handler]:
    """What each signal calls now; none that is ignored or left to the system, and none in a thread, which sees none."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    found = {number: signal.getsignal(number) for number in _NUMBERS}
    return {number: handler for number, handler in found.items() if callable(handler)}


@contextlib.contextmanager
def handled(by: Mapping[int, Handler]) -> Iterator[None]:
    """Within, signals call these handlers."""
    before: dict[int, Any] = {}
    try:
        for number, handler in by.items():
            before[number] = signal.signal(number, handler)
        yield
    finally:
        for number, usual in before.items():
            if signal.getsignal(number) == by[number]:  # else it is to be ignored by now
                signal.signal(number, usual)


@contextlib.contextmanager
def signals_waiting() -> Iterator[list[int]]:
    """Within, the first signal only goes on the list, and is handled behind; a second one at once."""
    noted: list[int] = []
    usual = handlers()

    def note(number: int, frame: FrameType | None) -> None:
        if noted:
            usual[number](number, frame)
        noted.append(number)

    with handled(dict.fromkeys(usual, note)):
        yield noted
    for number in noted[:1]:
        usual[number](number, None)
