"""A command line read by itself against click's reading: the same operands, the same values, the same complaints."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random

import click
import pytest

from cgcli.cli import clicked
from cgcli.cli.commands import COMMANDS, command, help_page
from cgcli.cli.options import HELP, Command, Kind, Option, plain
from cgcli.errors import UsageError

VALUES = ["", "x", "-3", "171", "x,y", "x=1", "--json", "--", "-", "θ₁=½", "a b"]
OPERANDS = [
    "x^2",
    "-x^2",
    "--x",
    "-1",
    "x=3",
    "-",
    "--",
    "-z",
    "--nope",
    "--no-pe=1",
    "--js",
    "-qf",
    "data.csv",
    "-f",
    "",
    "−x² + é",
    "--größe",
    "—json",
    " --json",
]


def _good(option: Option) -> list[str]:
    """Values that an option takes."""
    if option.kind is int or isinstance(option.kind, Kind):
        return ["3", "3cm"]
    return [*map(str, option.kind)] if isinstance(option.kind, tuple) else ["x", "-x=2", ""]


def _written(option: Option) -> Iterator[list[str]]:
    """An option in every spelling, with and without a value, right and wrong ones."""
    for spelling in option.spellings:
        yield [spelling]
        for value in (*_good(option), *VALUES):
            yield [spelling, value]
            yield [f"{spelling}={value}"]
            yield [f"{spelling}{value}"]
            yield [spelling[:-1], value]


def _lines(declared: Command) -> list[list[str]]:
    """Command lines: each option alone and between operands, and random rows of all of it.

    An option that a command before it has, too, is read in some of its spellings.
    """
    random = Random(3)
    names = list(COMMANDS)
    before = {option for name in names[: names.index(declared.name)] for option in command(name).options}
    pieces = [piece for option in (*declared.options, HELP)
              for piece in islice(_written(option), 0, None, 23 if option in before else 1)]  # fmt: skip
    lines = [[], *pieces, *(["x^2", *piece, "x=3"] for piece in pieces)]
    words = [*pieces, *([operand] for operand in OPERANDS)]
    rows = (random.choices(words, k=random.randint(1, 5)) for _ in range(30))
    return lines + [[word for piece in row for word in piece] for row in rows]


def _by_click(declared: click.Command, operands: str, line: list[str]) -> object:
    """The operands and values that click finds, or what is said of a mistake; None for help."""
    try:
        context = declared.make_context(f"cg {declared.name}", list(line))
    except (click.ClickException, UsageError) as error:
        return "mistake", str(error)
    except click.exceptions.Exit:
        return None
    settings = dict(context.params)
    return settings.pop(operands), settings


@pytest.mark.parametrize("name", COMMANDS)
def test_a_line_is_read_as_click_reads_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Protects the plain way: what it reads is what click reads; little but help and mistakes is left to click."""
    declared = command(name)
    by_click = clicked._Command(declared)
    read = left = 0
    for line in _lines(declared):
        theirs = _by_click(by_click, declared.operands, line)
        try:
            ours: object = plain(declared, line)
        except UsageError as error:
            ours = "mistake", str(error)
        if ours is not None:
            assert ours == theirs, line
            read += 1
        elif theirs is not None and (isinstance(theirs, tuple) and theirs[0] != "mistake"):
            left += 1  # a wrong value that a later one takes the place of
    capsys.readouterr()
    assert left < read / 20 or not declared.takes_expression


def test_the_help_page_is_that_of_click(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects `cg --help`, which is printed without click where the terminal is wide enough."""
    monkeypatch.setenv("COLUMNS", "80")
    assert clicked.run(["--help"]) in (0, None)
    assert capsys.readouterr().out == f"{help_page()}\n"
