"""The house: imports point one way, and each third-party package belongs to its room."""

from __future__ import annotations

import collections
import copy
import graphlib
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import cgcli
from cgcli.records import NamedTuple
from tests.for_each import for_each

PACKAGE = Path(cgcli.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# From the ground up: a room imports only from floors below its own.
FLOORS = [
    {"annotations", "version"},
    {"lean"},
    {"records"},
    {"errors"},
    {"files", "signals"},
    {"syntax", "graph"},
    {"ops"},
    {"evaluate", "printing"},
    {"lowering", "rendering", "tables"},
    {"transform"},
    {"exporting"},
    {"algebra"},
    {"derivatives"},
    {"digits"},
    {"check"},
    {"trace"},
    {"fitting"},
    {"api"},
    {"searches"},
    {"uncertainty"},
    {"cli"},
    {"__init__"},
]
ROOMS_OF = {
    "lark": {"syntax"},
    "click": {"cli"},
    "tqdm": {"cli"},
    "graphviz": {"rendering"},
    "PIL": {"rendering"},
    "typst": {"rendering"},
    "scipy": {"ops", "fitting"},
    "pyarrow": {"tables"},
    "distributed": {"api"},
    "orjson": {"tables"},
    "mpmath": {"ops"},
    "numpy": {
        *["ops", "exporting", "digits", "evaluate", "tables", "derivatives", "check", "trace", "fitting", "api"],
        *["searches", "uncertainty", "cli"],
    },
}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    return ".".join(("cgcli", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def floor_of(room: str) -> int:
    return next(at for at, rooms in enumerate(FLOORS) if room in rooms)


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


_IMPORT = re.compile(r"^ *(?:from +(?P<module>[\w.]+) +)?import +(?P<names>\([^)]*\)|[^\n#]*)", re.MULTILINE)


@cache
def imported(path: Path) -> tuple[str, ...]:
    """The modules that a file imports, wherever in it."""
    return tuple(_imports(text_of(path)))


def _imports(text: str) -> Iterator[str]:
    for found in _IMPORT.finditer(text):
        names = [name.split()[0] for name in found["names"].strip("()").split(",") if name.strip()]
        if found["module"]:
            yield found["module"]
            yield from (f"{found['module']}.{name}" for name in names)
        else:
            yield from names


def _forbidden(path: Path) -> Iterator[str]:
    """The imports of a module that its room may not have."""
    room = room_of(path)
    for module in imported(path):
        top, _, rest = module.partition(".")
        other = rest.split(".")[0]
        upwards = top == "cgcli" and other and other != room and floor_of(other) >= floor_of(room)
        if upwards or room not in ROOMS_OF.get(top, {room}):
            yield f"{path.relative_to(PACKAGE)} imports {module}"


def test_imports_point_downwards() -> None:
    assert [each for path in MODULES for each in _forbidden(path)] == []


def test_a_module_says_its_duty() -> None:
    assert [path for path in MODULES if path.stat().st_size and not text_of(path).startswith(('"""', 'r"""'))] == []


def test_named_tuples_are_those_that_cost_little() -> None:
    """Protects the start of every command: `typing` compiles each annotation of a hundred named tuples."""
    assert [path.stem for path in MODULES if "typing.NamedTuple" in imported(path)] == ["records"]


def test_annotations_need_no_package_of_their_own() -> None:
    """Protects the start of every command: `cgcli.annotations` has the names of `collections.abc` and `typing`."""
    needy = {"collections.abc", "typing"}
    assert [path.stem for path in MODULES if not needy.isdisjoint(imported(path))] == ["annotations", "records"], (
        "take them from cgcli.annotations"
    )


def test_no_two_modules_import_each_other() -> None:
    """Nor any longer circle; imports within functions and for types alone count too."""
    names = {name_of(path): path for path in MODULES}
    waits_for = {name: {other for other in imported(path) if other in names} for name, path in names.items()}
    sorter = graphlib.TopologicalSorter(waits_for)
    try:
        sorter.prepare()
    except graphlib.CycleError as circle:
        pytest.fail(" imports ".join(reversed(circle.args[1])))


def test_no_room_has_a_public_name() -> None:
    """Protects `cgcli.render(…)`: the import of a room would put it in the place of the function."""
    assert {room_of(path) for path in MODULES if path.parent != PACKAGE}.isdisjoint(cgcli.__all__)


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


class _Few(NamedTuple):
    one: int
    two: str = "b"

    @property
    def both(self) -> tuple[int, str]:
        return self.one, self.two


class _Many(NamedTuple):
    a: int
    b: int = 2
    c: int = 3
    d: int = 4
    e: int = 5
    f: int = 6
    g: int = 7
    h: int = 8
    i: int = 9
    j: int = 10


Few: Any = _Few
ORDINARY: Any = collections.namedtuple("ORDINARY", ["one", "two"], defaults=["b"])


@pytest.mark.parametrize("made", [Few, ORDINARY])
def test_named_tuples_do_what_those_of_collections_do(made: Any) -> None:
    """Protects every value of the house: made, taken apart, changed, compared, shown as usual."""
    item = made(1)
    assert (item, item == (1, "b"), hash(item)) == ((1, "b"), True, hash((1, "b")))
    assert repr(item) == f"{made.__name__}(one=1, two='b')"
    assert (item._fields, item.one, item._replace(two="c")) == (("one", "two"), 1, (1, "c"))
    assert item._asdict() == {"one": 1, "two": "b"}
    assert made(two="x", one=3) == made._make([3, "x"]) == (3, "x")
    for values, others in [((), {}), ((1, 2, 3), {}), ((1,), {"three": 3}), ((1,), {"one": 1})]:
        with pytest.raises(TypeError):
            made(*values, **others)
    with pytest.raises(TypeError):
        made._make([1])
    with pytest.raises((ValueError, TypeError)):
        item._replace(three=3)
    with pytest.raises(AttributeError):
        item.one = 2
    match item:
        case made(one, two=two):
            assert (one, two) == (1, "b")


def test_named_tuples_have_methods_and_are_copied() -> None:
    """Protects what the house does with them beyond reading their fields."""
    assert (_Few(1).both, copy.deepcopy(_Few(2))) == ((1, "b"), (2, "b"))
    assert pickle.loads(pickle.dumps(_Few(1, "z"))) == (1, "z")
    assert (_Many(1, j=0), repr(_Many(1))[:12]) == ((1, 2, 3, 4, 5, 6, 7, 8, 9, 0), "_Many(a=1, b")


def test_each_row_that_fails_is_told() -> None:
    """Protects what a table of rows protects: no row hides another."""

    @for_each("one, two", [(1, 1), (1, 2), (3, 3), (3, 4)])
    def equal(one: int, two: int) -> None:
        assert one == two

    with pytest.raises(ExceptionGroup, match=r"2 of 4 rows fail\nrow 1: \(1, 2\)\nrow 3: \(3, 4\)"):
        equal()
