"""Rows on their way from a reader to a writer: their columns, where they stand, and their results."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Callable, Mapping, Sequence
from cgcli.errors import DataError, UsageError, did_you_mean
from cgcli.graph.shapes import element_names
from cgcli.records import NamedTuple
from cgcli.tables.arrow import lists_of
from cgcli.tables.numbers import Numbers, numbers

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from cgcli.tables.dialect import Dialect


_ELEMENT = re.compile(r"\s*(.+)\[(\d+(?:,\d+)*)\]\s*", re.DOTALL)


def element_of(column: str) -> str:
    """The name of the array of which a column `x[0,1]` is one element; "" where it is none."""
    match = _ELEMENT.fullmatch(column)
    return match[1] if match else ""


class Elements(NamedTuple):
    """An array of which each element has a column of its own, `x[0]`, `x[1]`: their positions in row-major order."""

    shape: tuple[int, ...]
    positions: Sequence[int]


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of one source.

    columns: in CSV and TSV every cell is text, exactly as it stands in the file; in other formats columns have their
    types. Results, which come last, are float64, or lists of fixed size where they are arrays. source: what messages
    call where the rows come from. place: says where a row stands, `line 12`. bad: rows that are none, and why: too few
    or too many cells, text that is no object. objects: of JSON, each row as a line of text without its results, its
    newline included; `{}` for a bad one. format: the name of the format that the rows came in, as in formats.FORMATS.
    untyped: whether all columns but the results are cells of text, so that it is for the writer to say which are
    numbers. dialect: of text, how its cells are spelled. spelled: of text, the names of these columns as its header
    spells them. results: how many of the columns, at the end, are results.
    """

    columns: pa.RecordBatch
    source: str
    place: Callable[[int], str]
    bad: Mapping[int, str] = field(default_factory=dict)
    objects: pa.Array | None = None
    format: str = ""
    untyped: bool = False
    dialect: Dialect | None = None
    spelled: Sequence[str] | None = None
    results: int = 0
    _numbers: dict[str | int, Numbers] = field(default_factory=dict, init=False, repr=False, compare=False)

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

    def numbers(self, column: str | int, shape: tuple[int, ...] | None = None) -> Numbers:
        """A column, given by name or position, as `numbers.numbers` has it; for one shape it is parsed once."""
        known = self._numbers.get(column)
        if known is None or shape not in (None, known.values.shape[1:]):
            cells = self.column(column) if isinstance(column, str) else self.columns.column(column)
            known = self._numbers[column] = numbers(cells, shape, self.dialect)
        return known

    def at(self, row: int, column: str = "") -> str:
        """The place of a row, or of its cell: `points.csv, line 12, column 'x1'`."""
        return f"{self.source}, {self.place(row)}" + (f", column '{column}'" if column else "")

    def part(self, begin: int, end: int) -> Batch:
        """Some of the rows."""
        if begin == 0 and end >= len(self):
            return self
        return replace(
            self,
            columns=self.columns.slice(begin, end - begin),
            place=lambda row: self.place(begin + row),
            bad={row - begin: why for row, why in self.bad.items() if begin <= row < end},
            objects=None if self.objects is None else self.objects.slice(begin, end - begin),
        )

    def those(self, chosen: NDArray[np.bool_]) -> Batch:
        """Some of the rows, of which a flag says so."""
        import pyarrow as pa

        rows = np.flatnonzero(chosen).tolist()
        keep = pa.array(chosen)
        return replace(
            self,
            columns=self.columns.filter(keep),
            place=lambda row: self.place(rows[row]),
            bad={at: self.bad[row] for at, row in enumerate(rows) if row in self.bad},
            objects=None if self.objects is None else self.objects.filter(keep),
        )

    @cached_property
    def plain(self) -> pa.RecordBatch:
        """The columns, with plain text where their dialect spells it in its own way; of this other formats are made."""
        if self.dialect is None or (self.dialect.quotes and not self.dialect.spells_numbers):
            return self.columns
        import pyarrow as pa

        arrays = self.columns.columns
        given = len(arrays) - self.results
        plain = [*map(self.dialect.plain, arrays[:given]), *arrays[given:]]
        return pa.RecordBatch.from_arrays(plain, names=self.columns.schema.names)


def with_results(
    batch: Batch,
    results: Mapping[str, NDArray[np.float64]],
    *,
    null: NDArray[np.bool_] | None = None,
    skip: NDArray[np.bool_] | None = None,
    only: bool = False,
) -> Batch:
    """The batch with the results as its last columns; of rows that are left out, the places of others are wrong.

    results: arrays of shape (rows, *shape) under the names of their columns. null: rows that have
    no results. skip: rows that are left out. only: leave out the batch's own columns.
    Raises UsageError when a name stands for two columns.
    """
    import pyarrow as pa

    if only:
        batch = replace(batch, columns=batch.columns.select([]), objects=None, untyped=False, spelled=())
    given = batch.columns.schema.names
    _check_names(given, results, batch.source)
    new = [_column(array, null) for array in results.values()]
    columns = pa.RecordBatch.from_arrays([*batch.columns.columns, *new], names=[*given, *results])
    objects = batch.objects
    if skip is not None and skip.any():
        keep = pa.array(~skip)
        columns = columns.filter(keep)
        objects = None if objects is None else objects.filter(keep)
    return replace(batch, columns=columns, objects=objects, results=len(results))


def _column(array: NDArray[np.float64], null: NDArray[np.bool_] | None) -> pa.Array:
    import pyarrow as pa

    if array.ndim == 1 and null is None:  # pa.array would import numpy.ma
        return pa.Array.from_buffers(pa.float64(), len(array), [None, pa.py_buffer(np.ascontiguousarray(array))])
    if array.ndim == 1:
        return pa.array(array, mask=null)
    return lists_of(array, null)


def _check_names(given: list[str], results: Mapping[str, NDArray[np.float64]], source: str) -> None:
    taken = set(given)
    for name, array in results.items():
        for element in [name, *element_names(name, array.shape[1:])]:
            if element in taken:
                raise UsageError(
                    f"{source} has a column '{element}' already, and a result would be called so too",
                    hint="rename the column, or leave it out of the batch",
                    topic="taken",
                )


def _listed(names: list[str], most: int = 12) -> str:
    if not names:
        return "no columns"
    return ", ".join(f"'{name}'" for name in names[:most]) + (", …" if len(names) > most else "")
