"""THE TABLE: every function of the language by name, collected from its families.

A name has one entry, or several that differ in how many arguments they take (`max(x)` is
a reduction, `max(x, y)` an elementwise choice). A family's module is imported when a name
is looked for that no module at hand has, nor any before it: most programs need one or two.
"""

from __future__ import annotations

import sys

from cgcli.annotations import Iterator, Mapping
from cgcli.graph.operation import Operation, Shorthand
from cgcli.lean import cache, import_module
from cgcli.records import NamedTuple

Entry = Operation | Shorthand

# The families, and the modules that they stand in.
_MODULES = {
    "arithmetic": ("arithmetic",),
    "functions": ("functions", "elementary", "definitions"),
    "special": ("special", "integrals"),
    "logic": ("logic",),
    "sums": ("sums",),
    "reductions": ("reductions",),
    "creation": ("creation",),
    "shape": ("shaping", "indexing", "rearranged", "neighbours"),
    "linear algebra": ("linalg", "determinants", "einsum", "products", "spectra", "factors", "norms"),
    "network": ("windows", "convolution", "pooling", "layers", "losses"),
    "shorthands": ("shorthands",),
}
# Those whose functions few programs use: a name is looked for in them after all others.
_RARE = {
    "elementary", "definitions", "integrals", "rearranged", "neighbours", "products", "spectra", "factors", "norms",
}  # fmt: skip
# The names with entries in two modules, and the second of these.
AGAIN = {
    "max": "reductions", "min": "reductions", "log": "shorthands", "arange": "shorthands", "round": "definitions",
    "linspace": "rearranged", "norm": "norms",
}  # fmt: skip


@cache
def families() -> dict[str, tuple[Entry, ...]]:
    """All entries, by their families."""
    return {family: tuple(entry for module in modules for entry in _entries(module))
            for family, modules in _MODULES.items()}  # fmt: skip


def __getattr__(name: str) -> dict[str, tuple[Entry, ...]]:
    """FAMILIES, for programs that read the table from outside: all entries, by their families."""
    if name == "FAMILIES":
        return families()
    raise AttributeError(name)


def entries() -> Iterator[Entry]:
    """Every entry, family by family."""
    for family in families().values():
        yield from family


def operations() -> Iterator[Operation]:
    """Every entry that is a node of the graph."""
    return (entry for entry in entries() if isinstance(entry, Operation))


def _entries(module: str) -> tuple[Entry, ...]:
    found: tuple[Entry, ...] = import_module(f"cgcli.ops.{module}").ENTRIES
    return found


@cache
def _by_name(module: str) -> dict[str, tuple[Entry, ...]]:
    """The entries of a module by their names, which it is imported for."""
    table: dict[str, tuple[Entry, ...]] = {}
    for entry in _entries(module):
        for name in (entry.name, *entry.aliases):
            table[name] = (*table.get(name, ()), entry)
    return table


class _Functions(Mapping[str, tuple[Entry, ...]]):
    """The entries of each name."""

    def __getitem__(self, name: str) -> tuple[Entry, ...]:
        found = entries_of(name)
        if not found:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> dict[str, None]:
        return dict.fromkeys(name for module in _modules() for name in _by_name(module))


@cache
def _modules() -> list[str]:
    """All modules, in the order in which a name is looked for."""
    return sorted((module for modules in _MODULES.values() for module in modules), key=_RARE.__contains__)


@cache
def entries_of(name: str) -> tuple[Entry, ...]:
    """The entries of a name; none where it is no function."""
    if name in AGAIN:
        main = next(found for module in _modules() if (found := _by_name(module).get(name)))
        return main + _by_name(AGAIN[name])[name]
    near = sorted(_modules(), key=lambda module: f"cgcli.ops.{module}" not in sys.modules)  # those at hand come first
    return next((found for module in near if (found := _by_name(module).get(name))), ())


FUNCTIONS: Mapping[str, tuple[Entry, ...]] = _Functions()


class Constant(NamedTuple):
    """A number that has a name."""

    name: str
    value: float
    doc: str
    aliases: tuple[str, ...] = ()


NAMED_NUMBERS = (
    Constant("pi", 3.141592653589793, "half a turn in radians", ("π",)),
    Constant("e", 2.718281828459045, "the base of the natural logarithm"),
    Constant("tau", 6.283185307179586, "a full turn in radians", ("τ",)),
    Constant("inf", float("inf"), "infinity", ("∞",)),
    Constant("nan", float("nan"), "not a number"),
    Constant("deg", 0.017453292519943295, "one degree in radians, pi/180: sin(90*deg) is 1"),
    Constant("true", 1.0, "what a comparison gives that holds"),
    Constant("false", 0.0, "what a comparison gives that does not hold"),
)

CONSTANTS = {name: constant.value for constant in NAMED_NUMBERS for name in (constant.name, *constant.aliases)}
