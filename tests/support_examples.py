"""The example programs at the values that stand beside them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cgcli.api.point import Point
from cgcli.cli.operands import split
from cgcli.cli.request import Request

EXAMPLES = Path(__file__).parent.parent / "examples"
PROGRAMS = sorted(path.name for path in EXAMPLES.glob("*.cg"))


def example(name: str, monkeypatch: pytest.MonkeyPatch) -> Point:
    """A program of the examples, at the values of the first command beside it that gives any."""
    monkeypatch.chdir(EXAMPLES)
    lines = [line for path in sorted(EXAMPLES.glob("*.txt")) for line in path.read_text(encoding="utf-8").splitlines()]
    command = next(line for line in lines if re.match(rf"\$ .*cg (eval|grad) -f {re.escape(name)}( |$)", line))
    words = shlex.split(command)
    bindings = tuple(word for word in words if re.match(r"(`|[^\W\d])[^=]*=", word))
    values = words[words.index("--vars") + 1] if "--vars" in words else None
    return Request(split(bindings, name), name, values, strict=False, quiet=True, takes_rows=False).point()
