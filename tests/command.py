"""Running one command line in the tests' own process."""

from __future__ import annotations

import subprocess
import sys
from typing import NamedTuple

import pytest

from cgcli.cli.main import run

Capture = pytest.CaptureFixture[str]
CG = [sys.executable, "-c", "from cgcli.cli.main import main; main()"]


class Outcome(NamedTuple):
    """What a command line did."""

    code: int
    out: str
    err: str


def cg(capsys: Capture, *arguments: str) -> Outcome:
    """Run one command line in this process."""
    code = run(list(arguments))
    return Outcome(code, *capsys.readouterr())


def workers_of(pid: int) -> list[int]:
    """The processes that compute files for a `cg … --jobs N`: children of the server that it has started."""
    listed = subprocess.run(["ps", "-eo", "ppid=,pid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    servers = {child for parent, child, command in rows if int(parent) == pid and "forkserver" in command}
    return [int(child) for parent, child, _ in rows if parent in servers]
