"""THE TABLE: every function of the language by name, collected from its families.

A name has one entry, or several that differ in how many arguments they take (`max(x)` is
a reduction, `max(x, y)` an elementwise choice).
"""

from __future__ import annotations

from collections.abc import Iterator

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

CONSTANTS = {
    "pi": 3.141592653589793,
    "π": 3.141592653589793,
    "e": 2.718281828459045,
    "tau": 6.283185307179586,
    "τ": 6.283185307179586,
    "inf": float("inf"),
    "∞": float("inf"),
    "nan": float("nan"),
    "deg": 0.017453292519943295,  # pi/180: sin(90*deg) is 1
    "true": 1.0,
    "false": 0.0,
}
