"""Signals that end the command: at once while it waits or computes, at the end of what must not be torn."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import NoReturn

# Ctrl-C; those of schedulers and of closed terminals, of which not every system has the last.
_NUMBERS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Terminated(SystemExit):
    """A signal other than Ctrl-C ends the command: what is half done is taken back, as there."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


class _State:
    """came: the first signal, 0 before. raised: whether it ends the command already. held: whether it has to wait."""

    came = 0
    raised = False
    held = False


def install() -> None:
    """Let signals end the command by an exception, except those that the caller has it ignore."""
    for number in _NUMBERS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _on_signal)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Within, the first signal waits until the end, and the next ends the command at once.

    So does one that comes here behind the first: nobody may read what is written in the end.
    """
    before, _State.held = _State.held, True
    try:
        yield
    finally:
        _State.held = before
    if not before:
        check()


def waits() -> bool:
    """Whether a signal has come that has not ended the command yet."""
    return bool(_State.came) and not _State.raised


def check() -> None:
    """End the command if a signal waits for it."""
    if waits():
        _end(_State.came)


def _on_signal(number: int, frame: object) -> None:
    first = not _State.came
    _State.came = _State.came or number
    if _State.held and not first:
        _end(number)
    if not _State.held and not _State.raised:  # else nothing comes between the command and its taking back
        _end(number)


def _end(number: int) -> NoReturn:
    _State.raised = True
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)
