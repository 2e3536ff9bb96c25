"""What passes from a reader of rows to their writer: some rows, and where they stand."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from cgcli.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa


_ELEMENT = re.compile(r"\s*(.+)\[(\d{1,6}(?:,\d{1,6})*)\]\s*", re.DOTALL)


class Elements(NamedTuple):
    """An array of which each element has a column of its own, `x[0]`, `x[1]`: their positions in row-major order."""

    shape: tuple[int, ...]
    positions: Sequence[int]


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of one source.

    columns: in CSV and TSV every cell is text, exactly as it stands in the file; in other formats
    columns have their types. source: what messages call where they come from. place: says where
    a row stands, `line 12`. bad: rows that are none, and why: too few or too many cells, text that
    is no object. objects: of JSON, each row as a line of text, its newline included; `{}` for a bad one.
    format: the name of the format that the rows came in, as in formats.FORMATS. spelled: of TSV, whose cells
    stand with their backslashes, the names as its header spells them.
    """

    columns: pa.RecordBatch
    source: str
    place: Callable[[int], str]
    bad: Mapping[int, str] = field(default_factory=dict)
    objects: pa.Array | None = None
    format: str = ""
    spelled: Sequence[str] | None = None

    def __len__(self) -> int:
        """How many rows."""
        return int(self.columns.num_rows)

    def position(self, name: str) -> int | None:
        """Which column has this name, blanks around it apart. Raises DataError when several have."""
        names = self.columns.schema.names
        found = [at for at, other in enumerate(names) if other == name]
        found = found or [at for at, other in enumerate(names) if other.strip() == name]
        if len(found) > 1:
            raise DataError(f"{self.source} has {len(found)} columns called '{name}'")
        return found[0] if found else None

    def elements(self, name: str) -> Elements | None:
        """The array that columns `name[0]`, `name[1]`, … make up, if none is missing and none comes twice."""
        found: dict[tuple[int, ...], int] = {}
        for position, other in enumerate(self.columns.schema.names):
            match = _ELEMENT.fullmatch(other)
            if match and match[1] == name:
                index = tuple(map(int, match[2].split(",")))
                if index in found:
                    return None
                found[index] = position
        ranks = {len(index) for index in found}
        if len(ranks) != 1:
            return None
        shape = tuple(1 + max(places) for places in zip(*found, strict=True))
        return Elements(shape, [found[index] for index in sorted(found)]) if math.prod(shape) == len(found) else None

    def has(self, name: str) -> bool:
        """Whether a column, or the columns of an array's elements, have this name."""
        return self.position(name) is not None or self.elements(name) is not None

    def column(self, name: str) -> pa.Array:
        """The cells of a column. Where rows are JSON objects, a member that none of them has is null.

        Raises DataError when there is no such column, or more than one.
        """
        import pyarrow as pa

        position = self.position(name)
        if position is not None:
            return self.columns.column(position)
        if self.objects is not None:
            return pa.nulls(len(self))
        names = self.columns.schema.names
        raise DataError(
            f"{self.source} has no column '{name}'", hint=did_you_mean(name, names) or f"it has {_listed(names)}"
        )

    def at(self, row: int, column: str = "") -> str:
        """The place of a row, or of its cell: `points.csv, line 12, column 'x1'`."""
        return f"{self.source}, {self.place(row)}" + (f", column '{column}'" if column else "")


def _listed(names: list[str], most: int = 12) -> str:
    if not names:
        return "no columns"
    return ", ".join(f"'{name}'" for name in names[:most]) + (", …" if len(names) > most else "")
