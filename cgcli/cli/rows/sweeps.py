"""Sweeps: `x=0:10:101` on the command line, so many numbers at equal distances; several make their grid."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Iterable
from cgcli.errors import UsageError
from cgcli.graph.shapes import shape_of
from cgcli.lean import re

if TYPE_CHECKING:
    from cgcli.tables.grid import Axis

_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_STRUCTURE = r"[][(){}:?]"
_ENDS = ("the start", "the stop", "the count")
_MOST_POINTS = 2**62
_FARTHEST = 1e290  # with room to compute points without overflow
_EXAMPLE = "as in: x=0:10:101, which is 101 points from 0 to 10"


def is_sweep(text: str) -> bool:
    """Whether the text of a value holds colons that belong to no slice, no choice and no file's name."""
    return ":" in text and not text.lstrip().startswith("@") and len(_parts(text)) > 1


def axes(pairs: Iterable[tuple[str, str]]) -> list[Axis]:
    """The axes of a grid, from names and texts `start:stop:count`; both ends are points.

    Raises UsageError for a text that is no sweep, a name that stands twice, more points than can be counted.
    """
    found: list[Axis] = []
    for name, text in pairs:
        if any(axis.name == name for axis in found):
            raise UsageError(f"'{name}' is bound twice", hint="give one sweep for each name")
        found.append(_axis(name, text))
    if math.prod(axis.size for axis in found) > _MOST_POINTS:
        raise UsageError("the grid has more points than can be counted")
    return found


def _parts(text: str) -> list[str]:
    """The text, split at its colons outside brackets; whole where a `?` stands there, too: a choice."""
    cuts = []
    depth = 0
    for match in re.finditer(_STRUCTURE, text):
        depth += _BRACKETS.get(match[0], 0)
        if depth == 0 and match[0] == "?":
            return [text]
        if depth == 0 and match[0] == ":":
            cuts.append(match.start())
    return [text[begin + 1 : end] for begin, end in zip([-1, *cuts], [*cuts, len(text)], strict=True)]


def _axis(name: str, text: str) -> Axis:
    from cgcli.api.value_texts import of_text
    from cgcli.tables.grid import Axis

    parts = _parts(text)
    what = f"the sweep of '{name}'"
    if len(parts) != 3 or not all(part.strip() for part in parts):
        hint = f"write {name}={text}:101 for 101 points" if len(parts) == 2 and all(parts) else _EXAMPLE
        raise UsageError(f"{what} is start:stop:count, and not '{text}'", hint=hint)
    start, stop, count = (of_text(part, f"{end} of {what}") for part, end in zip(parts, _ENDS, strict=True))
    if any(shape_of(number) for number in (start, stop, count)):
        raise UsageError(f"{what} goes over numbers, not over arrays", hint=_EXAMPLE)
    first, last, points = float(start), float(stop), float(count)
    if not points.is_integer() or points < 1:
        raise UsageError(f"{what} has {parts[2].strip()} points", hint=f"the count comes last, {_EXAMPLE}")
    if not (abs(first) + abs(last)) * points < _FARTHEST:
        raise UsageError(f"{what} has ends that are too far away: '{text}'", hint=_EXAMPLE)
    return Axis(name, first, last, int(points))
