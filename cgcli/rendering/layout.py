"""The layout program: DOT text in, what it draws of it out.

The program is graphviz-pure, which is installed with cg and draws the same bytes everywhere; or the system's
`dot`, where that was asked for.
"""

from __future__ import annotations

import os
import sys

from cgcli.annotations import Sequence
from cgcli.errors import CgError, MissingProgramError
from cgcli.lean import import_module, signal

LAYOUTS = ("bundled", "dot")
TIMEOUT = 60  # seconds
_SIGNS = {"svg": (b'viewBox="', b"</svg>"), "plain": (b"graph ", b"stop"), "png": (b"PNG", b"IEND")}  # of a whole one
_INSTALL = "install Graphviz (https://graphviz.org/download), or write .dot"


def laid_out(dot_text: str, kinds: Sequence[str], layout: str, *options: str) -> bytes:
    """What the layout program writes of one or several graphs: of each graph, all kinds in a row.

    kinds: of Graphviz's formats. layout: one of LAYOUTS.
    Raises MissingProgramError, and CgError when the program fails or takes too long.
    """
    program = _program(layout)
    is_lean = hasattr(os, "posix_spawn") and os.path.basename(program) != "dot"
    run = _run if is_lean else _run_by_graphviz
    command = [program, "-Kdot", "-q", *(f"-T{kind}" for kind in kinds), *options]
    try:
        code, content, said = run(command, dot_text.encode())
    except TimeoutError as error:
        raise CgError(
            f"{program} did not finish the picture within {TIMEOUT} seconds",
            hint="fewer operations, or --arrays shape, make it smaller; .dot and .txt need no layout",
        ) from error
    except (OSError, RuntimeError) as error:  # the latter is what the package says of a missing program
        raise MissingProgramError(f"cannot run {program}: {error}", hint=_INSTALL) from error
    if code:
        lines = said.decode(errors="replace").strip().splitlines()
        raise CgError(f"{program} could not draw the picture: {lines[0] if lines else f'exit code {code}'}")
    if not all(sign in content for kind in kinds for sign in _SIGNS[kind]):
        raise CgError(f"{program} gave no picture", hint="is it Graphviz's program 'dot'?" if layout == "dot" else "")
    return content


def _program(layout: str) -> str:
    """The layout program to run."""
    found = (None if layout == "dot" else _bundled()) or _which("dot")
    if found is None and layout == "dot":
        raise MissingProgramError("Graphviz's program 'dot' was not found", hint=_INSTALL)
    if found:
        return found
    raise MissingProgramError(
        "no program to lay out a picture: neither 'graphviz-pure' nor Graphviz's 'dot' was found",
        hint="pip install graphviz-pure, or install Graphviz (https://graphviz.org/download), or write .dot",
    )


def _bundled() -> str | None:
    """graphviz-pure: beside this Python first, for its folder need not be on the PATH."""
    beside = _which("graphviz-pure", os.path.dirname(sys.executable))
    return beside or _which("graphviz-pure", import_module("sysconfig").get_path("scripts")) or _which("graphviz-pure")


def _which(name: str, folder: str | None = None) -> str | None:
    """A program in a folder, or on the PATH: `shutil.which`, whose import costs much, where names have no suffixes."""
    if os.name == "nt":
        from shutil import which

        return which(name, path=folder)
    paths = (os.path.join(place, name) for place in ([folder] if folder else os.get_exec_path()))
    return next((path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)), None)


# ---- running it -----------------------------------------------------------------------

_Ended = tuple[int, bytes, bytes]  # the exit code, the output, the errors


def _run_by_graphviz(command: list[str], text: bytes) -> _Ended:
    """By Graphviz's package. Raises TimeoutError, OSError, RuntimeError."""
    import subprocess

    from graphviz.backend import execute

    try:
        done = execute.run_check(command, input=text, capture_output=True, timeout=TIMEOUT, quiet=True)
    except subprocess.CalledProcessError as error:
        return error.returncode, error.stdout, error.stderr
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error
    return done.returncode, done.stdout, done.stderr


def _run(command: list[str], text: bytes) -> _Ended:
    """What `subprocess.run` does, whose import takes longer than the layout. Raises TimeoutError, OSError."""
    (its_input, our_input), (our_output, its_output), (our_errors, its_errors) = pipes = [os.pipe() for _ in range(3)]
    ends = enumerate((its_input, its_output, its_errors))
    try:
        process = os.posix_spawn(
            command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, end, at) for at, end in ends]
        )
    except BaseException:
        for end in (end for pipe in pipes for end in pipe):
            os.close(end)
        raise
    for end in (its_input, its_output, its_errors):
        os.close(end)
    try:
        output, errors = _talk(our_input, text, (our_output, our_errors))
    except BaseException:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        raise
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), output, errors


def _talk(target: int, text: bytes, sources: Sequence[int]) -> list[bytes]:
    """Write a text to one pipe, and read what comes from others until they end; all of them are closed then."""
    import select
    import time

    end = time.monotonic() + TIMEOUT
    rest, read = memoryview(text), {source: bytearray() for source in sources}
    poll, still_open = select.poll(), {target, *sources}
    os.set_blocking(target, False)
    poll.register(target, select.POLLOUT)
    for source in sources:
        poll.register(source, select.POLLIN)
    try:
        while still_open:
            events = poll.poll(max(0.0, end - time.monotonic()) * 1000)
            if not events:
                raise TimeoutError
            for pipe, _ in events:
                if pipe == target:
                    rest = rest[_written(target, rest) :]
                    ended = not rest
                else:
                    piece = os.read(pipe, 1 << 20)
                    read[pipe] += piece
                    ended = not piece
                if ended:
                    poll.unregister(pipe)
                    still_open.remove(pipe)
                    os.close(pipe)
    finally:
        for pipe in still_open:
            os.close(pipe)
    return [bytes(read[source]) for source in sources]


def _written(pipe: int, text: memoryview) -> int:
    """How much of a text a pipe took; all of it, where nobody reads any more."""
    try:
        return os.write(pipe, text)
    except BrokenPipeError:
        return len(text)
