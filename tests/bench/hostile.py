"""Hostile small texts, given to every command in a process of its own: what takes more than two seconds or 300 MB.

    python tests/bench/hostile.py [SIZE] [WORD ...]

Each word is a command, or stands in the names of the kinds of texts that are tried; all by default, which may be run in
pieces: nested, chain, prefix, postfix, repeated, and the rest by their names.

Prints a line for each command and text that took more, or that ended with a traceback or in silence. Seconds are those
of the processor as it is at rest: a loop, before and after, tells how much slower it is while others use it.
"""

from __future__ import annotations

import contextlib
import io
import os
import resource
import signal
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.hostile import names_in, texts

SECONDS, MEGABYTES = 2.0, 300
VALUES = {"A": "[[1, 2], [3, 4]]"}
GIVEN_UP = 5  # seconds of the processor
COMMANDS = [
    line.split()
    for line in (
        "plan {}",  # what it refuses, no other command can read
        "eval {} x=1.5",
        "grad {} x=1.5",
        "grad {} x=1.5 --mode forward",
        "jacobian {} x=1.5",
        "diff {}",
        "diff {} --order 20",
        "diff {} --wrt x",
        "diff {} --latex",
        "simplify {}",
        "hessian {} x=1.5",
        "jvp {} x=1.5 --tangent x=1 --order 9",
        "trace {} x=1.5",
        "check {} x=1.5",
        "render {}",
        "render {} -o /dev/null --format svg",
        "render {} -o /dev/null --format dot --grad",
        "functions {}",
    )
]


def child(arguments: list[str]) -> None:
    """Run a command; leave what it wrote on the standard error, in a line."""
    from cgcli.cli.main import run

    resource.setrlimit(resource.RLIMIT_CPU, (GIVEN_UP, GIVEN_UP + 1))
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    err = io.StringIO()
    with (
        open(os.devnull, "w", encoding="utf-8") as nothing,
        contextlib.redirect_stdout(nothing),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = run(arguments)
        except BaseException as error:
            code = 99
            err.write(f"TRACEBACK {type(error).__name__}: {error}")
    text = err.getvalue()
    sys.stderr.write(f"{code} {text[:150]!r}")
    if code and not text:
        sys.stderr.write("SILENT")
    sys.stderr.flush()


def _loop() -> float:
    """The processor seconds of a short loop."""
    start, total = time.process_time(), 0
    for at in range(20_000):
        total += at * at
    return time.process_time() - start


def _filled(word: str, text: str) -> list[str]:
    """The arguments that a word of a command stands for: the text, or a value for each of its names."""
    if word == "x=1.5":
        return [f"{name}={VALUES.get(name, '1.5')}" for name in names_in(text)]
    return [text if word == "{}" else word]


def main() -> None:
    """Every command on every text."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    words = [word for word in sys.argv[2:] if word not in (command[0] for command in COMMANDS)]
    commands = [command for command in COMMANDS if command[0] in sys.argv[2:]] or COMMANDS
    at_rest = min(_loop() for _ in range(300))
    import cgcli.api.formulas
    import cgcli.api.pictures
    import cgcli.cli.main  # children begin with it  # noqa: F401

    for name, text in texts(size).items():
        if words and not any(word in name for word in words):
            continue
        for command in commands:
            loops = [_loop() for _ in range(3)]
            read, write = os.pipe()
            pid = os.fork()
            if not pid:
                os.dup2(write, 2)
                os.close(read)
                child([argument for word in command for argument in _filled(word, text)])
                os._exit(0)
            os.close(write)
            with os.fdopen(read, encoding="utf-8", errors="replace") as stream:
                said = stream.read()
            _, status, usage = os.wait4(pid, 0)
            slowness = statistics.median([*loops, *(_loop() for _ in range(3))]) / at_rest
            seconds, megabytes = (usage.ru_utime + usage.ru_stime) / slowness, usage.ru_maxrss / 1024
            killed = os.WIFSIGNALED(status) and signal.Signals(os.WTERMSIG(status)).name
            if seconds > SECONDS or megabytes > MEGABYTES or killed or "TRACEBACK" in said or "SILENT" in said:
                shown = " ".join(word if word != "{}" else "…" for word in command)
                print(
                    f"{seconds:5.1f} s {megabytes:6.0f} MB  {shown:28} {name[:40]:40} {killed or said[:100]}",
                    flush=True,
                )
            if command[0] == "plan" and said.startswith("2 "):
                break


if __name__ == "__main__":
    main()
