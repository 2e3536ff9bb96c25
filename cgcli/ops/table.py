"""THE TABLE: every function of the language by name, collected from its families.

A name has one entry, or several that differ in how many arguments they take (`max(x)` is
a reduction, `max(x, y)` an elementwise choice).
"""

from __future__ import annotations

from cgcli.annotations import Iterator
from cgcli.graph.operation import Operation, Shorthand
from cgcli.ops import (
    arithmetic,
    creation,
    determinants,
    einsum,
    functions,
    indexing,
    linalg,
    logic,
    losses,
    network,
    reductions,
    shaping,
    shorthands,
    special,
    sums,
)
from cgcli.records import NamedTuple

Entry = Operation | Shorthand

FAMILIES: dict[str, tuple[Entry, ...]] = {
    "arithmetic": arithmetic.ENTRIES,
    "functions": functions.ENTRIES,
    "special": special.ENTRIES,
    "logic": logic.ENTRIES,
    "sums": sums.ENTRIES,
    "reductions": reductions.ENTRIES,
    "shape": (*shaping.ENTRIES, *indexing.ENTRIES),
    "creation": creation.ENTRIES,
    "linear algebra": (*linalg.ENTRIES, *determinants.ENTRIES, *einsum.ENTRIES),
    "network": (*network.ENTRIES, *losses.ENTRIES),
    "shorthands": shorthands.ENTRIES,
}


def entries() -> Iterator[Entry]:
    """Every entry, family by family."""
    for family in FAMILIES.values():
        yield from family


def operations() -> Iterator[Operation]:
    """Every entry that is a node of the graph."""
    return (entry for entry in entries() if isinstance(entry, Operation))


def _by_name() -> dict[str, tuple[Entry, ...]]:
    table: dict[str, tuple[Entry, ...]] = {}
    for entry in entries():
        for name in (entry.name, *entry.aliases):
            table[name] = (*table.get(name, ()), entry)
    return table


FUNCTIONS = _by_name()


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
