"""What passes from a reader of rows to their writer: some rows, and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cgcli.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of one source.

    columns: in CSV and TSV every cell is text, exactly as it stands in the file; in other formats
    columns have their types. source: what messages call where they come from. place: says where
    a row stands, `line 12`. bad: rows that are none, and why: too few or too many cells, text that
    is no object. objects: of JSON, each row as a line of text, its newline included; `{}` for a bad one.
    format: the name of the format that the rows came in, as in formats.FORMATS.
    """

    columns: pa.RecordBatch
    source: str
    place: Callable[[int], str]
    bad: Mapping[int, str] = field(default_factory=dict)
    objects: pa.Array | None = None
    format: str = ""

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
