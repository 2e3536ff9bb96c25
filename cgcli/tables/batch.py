"""Rows on their way from a reader to a writer: their columns, where they stand, and their results."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Mapping, Sequence
from cgcli.errors import DataError, did_you_mean
from cgcli.records import NamedTuple
from cgcli.tables.arrow import together
from cgcli.tables.escapes import unescaped
from cgcli.tables.names import Elements, elements_of
from cgcli.tables.numbers import Numbers, numbers
from cgcli.tables.text import as_json
from cgcli.tables.types import TYPES, cast, unfit
from cgcli.tables.values import column_of

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from cgcli.tables.dialect import Dialect


_LOOKED_AT = 100  # rows in which names of members are looked for


class Unread(NamedTuple):
    """Columns of text of which some are not read yet: the names of all, and what reads all of them from lines."""

    names: Sequence[str]
    read: Callable[[pa.Array], pa.RecordBatch]


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of one source.

    given: columns of the input. In CSV and TSV every cell is text, exactly as it stands in the file, or a column holds
    the numbers for which its cells stand; in other formats columns have their types. source: what messages call where
    the rows come from. place: says where a row stands, `line 12`. bad: rows that are none, and why: too few or too many
    cells, text that is no object. lines: of CSV, TSV and JSON, the text of each row as it stands, its newline
    included; of a bad one as far as it has the columns of the others. format: the name of the format that the rows came
    in, as in formats.FORMATS. untyped: whether columns are cells of text, so that it is for the writer to say which are
    numbers. dialect: of CSV and TSV, how cells are spelled; None for all else. header: the line of their names, as it
    stands; "" where there is none. unread: where some columns are not given, who reads them. results: come behind the
    columns; float64, or lists of fixed size where they are arrays. others: where files have other columns than each
    other, the names of those of all. types: that columns shall have, by name, as types.TYPES has them.
    """

    given: pa.RecordBatch
    source: str
    place: Callable[[int], str]
    bad: Mapping[int, str] = field(default_factory=dict)
    lines: pa.Array | None = None
    format: str = ""
    untyped: bool = False
    dialect: Dialect | None = None
    header: str = ""
    unread: Unread | None = None
    results: pa.RecordBatch | None = None
    others: Sequence[str] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    _numbers: dict[str | int, Numbers] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        """How many rows."""
        rows = self.given if self.results is None else self.results
        return len(self.lines) if self.lines is not None else int(rows.num_rows)

    @cached_property
    def names(self) -> list[str]:
        """The names of the input's columns."""
        found: list[str] = self.given.schema.names if self.unread is None else [*self.unread.names]
        return found

    @cached_property
    def columns(self) -> pa.RecordBatch:
        """All columns of the input."""
        return self.given if self.unread is None else self.unread.read(self.lines)

    @property
    def table(self) -> pa.RecordBatch:
        """The columns, and the results behind them."""
        return together(self.columns, self.results)

    @property
    def holds_objects(self) -> bool:
        """Whether rows are JSON objects, which may have other members than those before."""
        return self.lines is not None and self.dialect is None

    @cached_property
    def paths(self) -> list[str]:
        """Names with points in them: of columns, and of what these hold, `p.x`; of objects, the first ones."""
        if self.holds_objects:
            found = [member for row in self._objects(_LOOKED_AT) for member in row.items()]
        else:
            found = [*((name, None) for name in self.names), *_members_of(self.given.schema)]
        for name, item in found:  # and what is added meanwhile
            found += [(f"{name}.{member}", value) for member, value in _members_of(item)]
        return list(dict.fromkeys(name for name, _ in found if "." in name))

    def _objects(self, most: int) -> list[dict[str, Any]]:
        """The rows, at most so many, as objects."""
        if self.lines is None:
            return list(self.given.slice(0, most).to_pylist())
        import orjson

        lines = self.lines.slice(0, most).to_pylist()
        try:
            return [orjson.loads(line) for line in lines]
        except orjson.JSONDecodeError:  # a number beyond float64
            return [json.loads(line) for line in lines]

    def may_lack(self, name: str) -> bool:
        """Whether other rows have, or may have, such a column where some of these have none."""
        return self.holds_objects or (self.others_have(name) and self.position(name) is None)

    def others_have(self, name: str) -> bool:
        """Whether other files have a column of this name, of an array's elements or of objects, and not all have."""
        has_column = any(name == other or name.startswith(f"{other}.") for other in self.others)
        return has_column or elements_of([*self.others], name) is not None

    @property
    def size(self) -> int:
        """About how many bytes the rows take."""
        parts = [self.given if self.lines is None else self.lines, self.results]
        return sum(int(part.nbytes) for part in parts if part is not None)

    def position(self, name: str) -> int | None:
        """Which column has this name, blanks around it apart. Raises DataError when several have."""
        found = [at for at, other in enumerate(self.names) if other == name]
        found = found or [at for at, other in enumerate(self.names) if other.strip() == name]
        if len(found) > 1:
            raise DataError(f"{self.source} has {len(found)} columns called '{name}'")
        return found[0] if found else None

    def elements(self, name: str) -> Elements | None:
        """The array whose elements have columns of their own, if there is one of this name."""
        return elements_of(self.names, name)

    def has(self, name: str) -> bool:
        """Whether a column, the columns of an array's elements, or a member of a column have this name."""
        return self.position(name) is not None or self.elements(name) is not None or name in self.paths

    def is_numeric(self, name: str) -> bool:
        """Whether there is such a column, whose type says that each of its cells is a number or null."""
        if self.untyped or self.lines is not None or name not in self.names:
            return False
        import pyarrow.types as kinds

        kind = self.column(name).type
        return bool(kinds.is_floating(kind) or kinds.is_integer(kind) or kinds.is_boolean(kind))

    def column(self, name: str) -> pa.Array:
        """The cells of a column. One that other rows have, or may have, is null here.

        Raises DataError when there is no such column, or more than one.
        """
        position = self.position(name)
        if position is not None:
            return self._cells(position)
        if name in self.paths or ("." in name and self.holds_objects):
            return self._members(name)
        if self.may_lack(name):
            import pyarrow as pa

            return pa.nulls(len(self))
        raise DataError(
            f"{self.source} has no column '{name}'",
            hint=did_you_mean(name, self.names) or f"it has {_listed(self.names)}",
        )

    def _members(self, path: str) -> pa.Array:
        """The values `p.x` in objects; nothing where there are none."""
        first, *others = path.split(".")
        column = _member(self.given.column(first), others) if first in self.names else None
        if column is not None:
            return column
        rows = (
            self if self.holds_objects or first not in self.names else replace(self, given=self.given.select([first]))
        )
        return column_of([_value(row, path) for row in rows._objects(len(self))])[0]

    def _beyond(self, name: str, values: NDArray[np.float64]) -> dict[int, str]:
        """The rows of objects that have an infinity for a number that float64 does not reach, and which."""
        found: dict[int, str] = {}
        if self.lines is None or not self.holds_objects or not np.isinf(values).any():
            return found
        for row in np.flatnonzero(np.isinf(values).reshape(len(values), -1).any(axis=1)).tolist():
            given = json.loads(self.lines[row].as_py(), parse_float=lambda text: (text,))
            parts = [given.get(name, _value(given, name))]
            for part in parts:  # and what is added meanwhile
                if isinstance(part, list):
                    parts += part
                elif isinstance(part, tuple) and np.isinf(float(part[0])):
                    found.setdefault(row, f"'{part[0]}'")
        return found

    def _cells(self, position: int) -> pa.Array:
        at = position if self.unread is None else self.given.schema.get_field_index(self.names[position])
        return self.given.column(at) if at >= 0 else self.columns.column(position)

    def numbers(self, column: str | int, shape: tuple[int, ...] | None = None) -> Numbers:
        """A column, given by name or position, as `numbers.numbers` has it; for one shape it is parsed once."""
        known = self._numbers.get(column)
        if known is None or shape not in (None, known.values.shape[1:]):
            cells = self.column(column) if isinstance(column, str) else self._cells(column)
            known = numbers(cells, shape, self.dialect)
            name = column if isinstance(column, str) else self.names[column]
            if beyond := self._beyond(name, known.values):
                known = known._replace(beyond=beyond)
            self._numbers[column] = known
        return known

    def texts(self, name: str) -> list[str]:
        """The cells of a column as texts as they stand, '' for none. Raises DataError when there is no such column."""
        cells = (self if self.unread is None else replace(self, given=self.columns, unread=None)).column(name)
        if self.dialect is not None:
            cells = self.dialect.plain(cells)
        return ["" if cell is None else str(cell) for cell in cells.to_pylist()]

    def at(self, row: int, column: str = "") -> str:
        """The place of a row, or of its cell: `points.csv, line 12, column 'x1'`."""
        return f"{self.source}, {self.place(row)}" + (f", column '{column}'" if column else "")

    def part(self, begin: int, end: int) -> Batch:
        """Some of the rows."""
        if begin == 0 and end >= len(self):
            return self
        return replace(
            self._picked(lambda rows: rows.slice(begin, end - begin)),
            place=lambda row: self.place(begin + row),
            bad={row - begin: why for row, why in self.bad.items() if begin <= row < end},
        )

    def those(self, chosen: NDArray[np.bool_]) -> Batch:
        """Some of the rows, of which a flag says so."""
        import pyarrow as pa

        rows = np.flatnonzero(chosen).tolist()
        keep = pa.array(chosen)
        return replace(
            self._picked(lambda rows: rows.filter(keep)),
            place=lambda row: self.place(rows[row]),
            bad={at: self.bad[row] for at, row in enumerate(rows) if row in self.bad},
        )

    def _picked(self, pick: Callable[[Any], Any]) -> Batch:
        given, lines, results = (
            None if rows is None else pick(rows) for rows in (self.given, self.lines, self.results)
        )
        return replace(self, given=given, lines=lines, results=results)

    @cached_property
    def plain(self) -> pa.RecordBatch:
        """The columns, with plain text where their dialect spells it in its own way; of this other formats are made."""
        own = self.dialect is not None and (self.dialect.spells_numbers or not self.dialect.quotes)
        return self._spelled(self.dialect.plain) if self.dialect is not None and own else self.columns

    @property
    def unescaped(self) -> pa.RecordBatch:
        """The columns, with numbers as the dialect spells them, and text that is plain otherwise."""
        return self.columns if self.dialect is None or self.dialect.quotes else self._spelled(unescaped)

    def _spelled(self, spell: Callable[[pa.Array], pa.Array]) -> pa.RecordBatch:
        """The columns, of which those of text are spelled in another way."""
        import pyarrow as pa

        found = [spell(column) if pa.types.is_string(column.type) else column for column in self.columns.columns]
        return pa.RecordBatch.from_arrays(found, names=self.names)

    @cached_property
    def typed(self) -> pa.RecordBatch:
        """The plain columns, with the types that were asked for; null for a value that has not its type."""
        import pyarrow as pa

        if not self.types:
            return self.plain
        arrays = self.plain.columns
        for at, name in enumerate(self.names):
            if name in self.types:
                kind = pa.type_for_alias(TYPES[self.types[name]])
                if pa.types.is_string(kind) and pa.types.is_nested(arrays[at].type):
                    arrays[at] = as_json(arrays[at])
                fits = np.ones(len(arrays[at]), np.bool_)
                fits[self._unfit(name, arrays[at], kind)] = False
                if not fits.all():
                    import pyarrow.compute as pc

                    arrays[at] = pc.if_else(pa.array(fits), arrays[at], pa.scalar(None, arrays[at].type))
                arrays[at] = cast(arrays[at], kind, is_cells=self.untyped)
        return pa.RecordBatch.from_arrays(arrays, names=self.names)

    def checked(self, types: Mapping[str, str]) -> Batch:
        """The rows, of which those are bad that have a value that has not the type that its column shall have."""
        import pyarrow as pa

        bad = dict(self.bad)
        for name in set(types).intersection(self.names):
            cells = self.plain.column(self.names.index(name))
            for row in self._unfit(name, cells, pa.type_for_alias(TYPES[types[name]])):
                bad.setdefault(row, f"column '{name}' holds '{cells[row].as_py()}', which is not of type {types[name]}")
        return replace(self, bad=bad, types=types)

    def _unfit(self, name: str, cells: pa.Array, kind: pa.DataType) -> list[int]:
        """The rows of a column whose plain cells are not of a type."""
        import pyarrow as pa

        if pa.types.is_string(kind):
            return []
        words = self.words(name)
        return [*unfit(cells, kind), *([] if words is None else np.flatnonzero(words).tolist())]

    def is_cells(self, name: str) -> bool:
        """Whether a column of the input holds cells of text whose type is for the writer to say."""
        return self.untyped and name not in self.types

    def words(self, name: str) -> pa.Array | None:
        """Which of such cells are text though other formats would take them for numbers; None for none."""
        if self.dialect is None or not self.dialect.has_words:
            return None
        return self.dialect.words(self.columns.column(self.names.index(name)))


def _members_of(item: Any) -> list[tuple[str, Any]]:
    """The members of an object with their values, those of a schema and of a type of objects with their types."""
    import pyarrow as pa

    if isinstance(item, dict):
        return [*item.items()]
    return [(field.name, field.type) for field in item] if isinstance(item, (pa.Schema, pa.StructType)) else []


def _value(row: dict[str, Any], path: str) -> Any:
    """The value `p.x` in an object; None where there is none."""
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _member(column: pa.Array, path: Sequence[str]) -> pa.Array | None:
    """A column within a column of objects of one type; None where there is no such type."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    for name in path:
        if not kinds.is_struct(column.type):
            return None
        if column.type.get_field_index(name) < 0:
            return pa.nulls(len(column))
        column = pc.struct_field(column, name)
    return column


def _listed(names: list[str], most: int = 12) -> str:
    if not names:
        return "no columns"
    return ", ".join(f"'{name}'" for name in names[:most]) + (", …" if len(names) > most else "")
