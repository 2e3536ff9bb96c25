"""Signals that end the command: at once while it waits or computes, at the end of what must not be torn."""

from __future__ import annotations

from cgcli.annotations import NoReturn
from cgcli.lean import signal

# Ctrl-C; those of schedulers and of closed terminals, of which not every system has the last.
_NUMBERS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Terminated(SystemExit):
    """A signal other than Ctrl-C ends the command: what is half done is taken back, as there."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


class _State:
    """first: the first signal, 0 before. raised: whether it ends the command already. deferred: whether it waits.

    patience: seconds from a signal to the end, whoever has caught its exception; 0 for any time.
    """

    first = 0
    raised = False
    deferred = False
    patience = 0.0


def install(patience: float = 0.0) -> None:
    """Let signals end the command by an exception, except those that the caller has it ignore.

    patience: seconds after which it ends in any case, where the system has alarms; 0 for never.
    """
    _State.patience = patience
    for number in _NUMBERS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _on_signal)


def are_ours() -> bool:
    """Whether this process is a command, whose signals end it by an exception."""
    return any(signal.getsignal(number) is _on_signal for number in _NUMBERS)


class Deferred:
    """A context in which the first signal waits until its end, and the next ends the command at once.

    So does one that comes here behind the first: nobody may read what is written in the end.
    """

    def __enter__(self) -> None:
        _State.deferred = True

    def __exit__(self, kind: type[BaseException] | None, *others: object) -> None:
        _State.deferred = False
        if kind is None:
            check()


def pending() -> bool:
    """Whether a signal has come that has not ended the command yet."""
    return bool(_State.first) and not _State.raised


def check() -> None:
    """End the command if a signal waits for it."""
    if pending():
        _end(_State.first)


def end_if_lost() -> None:
    """End the command if a signal should have ended it before, and a library that was imported caught its exception."""
    if _State.raised:
        _end(_State.first)


def exit_code() -> int | None:
    """That of the signal that ends the command; None where none does.

    An import that the signal breaks off may turn its exception into an error of its own, as that of numpy does.
    """
    return 128 + _State.first if _State.raised else None


def _on_signal(number: int, frame: object) -> None:
    is_first = not _State.first
    _State.first = _State.first or number
    if not is_first if _State.deferred else not _State.raised:  # what takes back the work is not disturbed
        _end(number)


def _end(number: int) -> NoReturn:
    _State.raised = True
    if _State.patience and hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, _State.patience)  # the alarm, which nobody handles, ends the process
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)
