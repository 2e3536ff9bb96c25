"""The command `cg`: finds the subcommand, and turns every error into text and an exit code.

Commands are imported when they are called. A line in which all is right is read without click; help, completion and
mistakes are click's.
"""

from __future__ import annotations

import errno
import os
import sys

from cgcli import signals
from cgcli.annotations import TYPE_CHECKING
from cgcli.cli import commands
from cgcli.cli.options import HELP, plain
from cgcli.cli.say import echo, say
from cgcli.errors import CgError, describe

if TYPE_CHECKING:
    from cgcli.annotations import Any, NoReturn

_THREADS = {"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"}
_LARGE = 2**20  # bytes of an array: products of such take milliseconds, and more threads pay


def main() -> NoReturn:
    """The entry point of the console script."""
    if sys.stdout is None:  # closed by the caller: what is written there is lost, and that is an error
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    for stream in filter(None, (sys.stdout, sys.stderr)):  # text is UTF-8, and on a terminal what it can show
        stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
    try:
        process = os.getpid()
        sys.unraisablehook = lambda what: _ignored(process, what)
        signals.install()
        limit_threads(sys.argv[1:])
        _leave(run(sys.argv[1:]))
    except (KeyboardInterrupt, signals.Terminated):  # beside the run, or while its error becomes text
        _leave(signals.exit_code() or 0)


def limit_threads(arguments: list[str]) -> None:
    """Have numpy multiply matrices in one thread, unless the environment or the size of an array says otherwise.

    The threads of OpenBLAS wait for each other in a loop: in two of them a product of 64x784 and 784x128 takes fifty
    times the processor time where the machine has other things to do. Rows have threads of our own.
    numpy reads it when it is imported. It is for the process of `cg`, which is ours; the library leaves the threads of
    its user's numpy alone.
    """
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")  # what has nothing to do sleeps soon
    if _THREADS.isdisjoint(os.environ) and not any(map(_is_large, arguments)):
        os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"


def _is_large(argument: str) -> bool:
    """Whether it gives a name the array of a large file."""
    path = argument.partition("=@")[2]
    try:
        return bool(path) and os.stat(path).st_size > _LARGE
    except (OSError, ValueError):
        return False


def _leave(code: int) -> NoReturn:
    """End the process at once: to take numpy and all modules apart first would be a seventh of a short run.

    What standard output does not take any more, full or closed by its reader, was complained of before.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
    if (files := sys.modules.get("cgcli.files")) is not None:
        files.remove_drafts()
    os._exit(code)


def _ignored(process: int, what: sys.UnraisableHookArgs) -> None:
    """End the command where Python drops the exception of a signal, as it does in what it calls while it frees memory.

    process: that of the command; those that it begins have their own ends.
    """
    code = signals.exit_code()
    if code is None or os.getpid() != process or not issubclass(what.exc_type, (KeyboardInterrupt, signals.Terminated)):
        sys.__unraisablehook__(what)
    else:
        _leave(code)


def run(arguments: list[str]) -> int:
    """Run one command line; the exit code. The one place where errors become text."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except CgError as error:
        from cgcli.cli.hints import hint_of

        error.hint = hint_of(error)
        return _complain(describe(error), error.exit_code)
    except signals.Terminated as signalled:
        return signalled.exit_code
    except (BrokenPipeError, SystemExit):  # click exits by itself when the pipe is closed
        return 0
    except KeyboardInterrupt:
        return _complain("", 130)
    except MemoryError:
        return _complain("cg: error: not enough memory", 1)
    except OSError as error:
        closed = error.errno == errno.EBADF
        return _complain(f"cg: error: {'standard output is closed' if closed else error.strerror or error}", 1)
    except Exception as error:
        if (code := signals.exit_code()) is not None:
            return code
        unexpected = CgError(
            f"cg failed in a way that it should not: {type(error).__name__}: {error}",
            hint="please report this, with the command that you ran",
        )
        return _complain(describe(unexpected), 1)


def _run(arguments: list[str]) -> Any:
    """Run a line by itself if it is plain, else by click; what the command returns, or an exit code."""
    if "_CG_COMPLETE" not in os.environ and arguments:
        name, *others = arguments
        if name in HELP.spellings and not others and _columns() >= 80:
            return echo(commands.help_page())
        if name in commands.COMMANDS:
            command = commands.command(name)
            given = plain(command, others)
            if given is not None:
                return command.call(*given)
    from cgcli.cli import clicked

    return clicked.run(arguments)


def _columns() -> int:
    """The width of the terminal, as `shutil` finds it."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return 80


def _complain(text: str, code: int) -> int:
    say(text)
    return code
