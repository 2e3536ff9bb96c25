"""Running one command line in the tests' own process."""

from __future__ import annotations

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
