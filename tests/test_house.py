"""The house: imports point one way, and each third-party package belongs to its room."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cgcli

PACKAGE = Path(cgcli.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# From the ground up: a room imports only from floors below its own.
FLOORS = [
    {"records"},
    {"errors"},
    {"files", "signals"},
    {"syntax", "graph"},
    {"ops"},
    {"evaluate", "printing"},
    {"lowering", "render", "tables"},
    {"transform"},
    {"algebra"},
    {"derivatives"},
    {"check"},
    {"trace"},
    {"api"},
    {"cli"},
    {"__init__"},
]
ROOMS_OF = {
    "lark": {"syntax"},
    "click": {"cli"},
    "graphviz": {"render"},
    "scipy": {"ops"},
    "pyarrow": {"tables"},
    "orjson": {"tables"},
    "numpy": {"ops", "evaluate", "tables", "derivatives", "check", "trace", "api", "cli"},
}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    return ".".join(("cgcli", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def floor_of(room: str) -> int:
    return next(at for at, rooms in enumerate(FLOORS) if room in rooms)


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(path: Path) -> None:
    room = room_of(path)
    for module in imported(path):
        top, _, rest = module.partition(".")
        other = rest.split(".")[0]
        if top == "cgcli" and other and other not in (room, "__version__"):
            assert floor_of(other) < floor_of(room), f"{room} imports {module}"
        if top in ROOMS_OF:
            assert room in ROOMS_OF[top], f"{room} imports {top}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_says_its_duty(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text or ast.get_docstring(ast.parse(text))


def test_named_tuples_are_those_that_cost_little() -> None:
    """Protects the start of every command: `typing` compiles each annotation of a hundred named tuples."""
    assert [path.stem for path in MODULES if "typing.NamedTuple" in imported(path)] == ["records"]


def test_no_two_modules_import_each_other() -> None:
    """Nor any longer circle; imports within functions and for types alone count too."""
    names = {name_of(path): path for path in MODULES}
    waits_for = {name: {other for other in imported(path) if other in names} for name, path in names.items()}
    sorter = graphlib.TopologicalSorter(waits_for)
    try:
        sorter.prepare()
    except graphlib.CycleError as circle:
        pytest.fail(" imports ".join(reversed(circle.args[1])))


def test_the_map_shows_every_room_from_the_top_to_the_ground() -> None:
    """The map for who works on cg agrees with the code."""
    text = (Path(__file__).parent.parent / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| `cgcli/(\w+)(?:/|\.py)` \|", text, re.MULTILINE)
    assert sorted(shown) == sorted({room_of(path) for path in MODULES} - {"__init__"})
    floors = list(map(floor_of, shown))
    assert floors == sorted(floors, reverse=True)


def test_a_graph_is_built_without_numpy() -> None:
    """Protects the start: kernels are names, found when the first of them runs."""
    code = """
import sys
from cgcli.lowering.lower import lower
from cgcli.ops.table import FUNCTIONS
from cgcli.syntax.parser import parse
lower(parse("f(x) = x^2; f(a)*sin(b) + max(a, 2)/xlogy(a, b) - sum([1, a, b])", functions=FUNCTIONS.__contains__), {})
print({"numpy", "scipy"} & set(sys.modules))
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
