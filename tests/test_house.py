"""The house: imports point one way, and each third-party package belongs to its room."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import cgcli
from cgcli.syntax.parser import grammar_file, tables

PACKAGE = Path(cgcli.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# From the ground up: a room imports only from floors below its own.
FLOORS = [
    {"errors"},
    {"files"},
    {"syntax", "graph"},
    {"ops"},
    {"evaluate", "printing"},
    {"lowering", "render", "rows"},
    {"transform"},
    {"simplify"},
    {"derivatives"},
    {"trace"},
    {"library", "cli"},
    {"__init__"},
]
ROOMS_OF = {
    "lark": {"syntax"},
    "click": {"cli"},
    "graphviz": {"render"},
    "scipy": {"ops"},
    "pyarrow": {"rows"},
    "orjson": {"rows"},
    "numpy": {"ops", "evaluate", "rows", "derivatives", "trace", "library", "cli"},
}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def floor_of(room: str) -> int:
    return next(at for at, rooms in enumerate(FLOORS) if room in rooms)


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(path: Path) -> None:
    room = room_of(path)
    for module in imported(path):
        top, _, rest = module.partition(".")
        other = rest.split(".")[0]
        if top == "cgcli" and other and other != room:
            assert floor_of(other) < floor_of(room), f"{room} imports {module}"
        if top in ROOMS_OF:
            assert room in ROOMS_OF[top], f"{room} imports {top}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_fits_one_sitting_and_says_its_duty(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 260
    assert not text or ast.get_docstring(ast.parse(text))


def test_the_stored_tables_are_those_of_the_grammar() -> None:
    """Forgotten `python -m cgcli.syntax.parser` after an edit of the grammar."""
    grammar = Path(grammar_file("cg.lark")).read_text(encoding="utf-8")
    stored = json.loads(Path(grammar_file("cg.tables.json")).read_text(encoding="utf-8"))
    assert stored == json.loads(tables(grammar)) | {"data": stored["data"], "memo": stored["memo"]}
