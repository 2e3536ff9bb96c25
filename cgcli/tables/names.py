"""Names of columns: one for each, and those of an array of which each element has a column."""

from __future__ import annotations

import math
import re
from collections import Counter

from cgcli.annotations import Collection, Sequence
from cgcli.records import NamedTuple

_ELEMENT = re.compile(r"\s*(.+)\[(\d+(?:,\d+)*)\]\s*", re.DOTALL)


def element_of(column: str) -> str:
    """The name of the array of which a column `x[0,1]` is one element; "" where it is none."""
    match = _ELEMENT.fullmatch(column)
    return match[1] if match else ""


def is_among(column: str, wanted: Collection[str]) -> bool:
    """Whether a column has one of some names, holds an element of the array that has it, or an object with `p.x`."""
    name = column.strip()
    return name in wanted or element_of(name) in wanted or any(path.startswith(f"{name}.") for path in wanted)


class Elements(NamedTuple):
    """An array of which each element has a column of its own, `x[0]`, `x[1]`: their positions in row-major order."""

    shape: tuple[int, ...]
    positions: Sequence[int]


def elements_of(names: Sequence[str], array: str) -> Elements | None:
    """The array that columns `name[0]`, `name[1]`, … make up, if none is missing and none comes twice."""
    found: dict[tuple[int, ...], int] = {}
    for position, name in enumerate(names):
        match = _ELEMENT.fullmatch(name)
        if match and match[1] == array:
            index = tuple(map(int, match[2].split(",")))
            if index in found:
                return None
            found[index] = position
    ranks = {len(index) for index in found}
    if len(ranks) != 1:
        return None
    shape = tuple(1 + max(places) for places in zip(*found, strict=True))
    return Elements(shape, [found[index] for index in sorted(found)]) if math.prod(shape) == len(found) else None


def one_name_each(names: Sequence[str]) -> list[str]:
    """The names, of which the second that is called a becomes a_2, the third a_3, as Miller has it."""
    taken, count = set(names), Counter[str]()
    found = []
    for name in names:
        count[name] += 1
        new = name
        while count[name] > 1 and (new := f"{name}_{count[name]}") in taken:
            count[name] += 1
        taken.add(new)
        found.append(new)
    return found
