"""Rows that wait until all are there, as only then their columns and types are known; writers that need both first."""

from __future__ import annotations

import mmap
from abc import abstractmethod

from cgcli.annotations import TYPE_CHECKING, Any, Iterator, Mapping
from cgcli.errors import DataError
from cgcli.lean import cached_property
from cgcli.records import NamedTuple
from cgcli.tables.arrow import together
from cgcli.tables.batch import Batch
from cgcli.tables.bounds import check_cells, check_columns
from cgcli.tables.objects import members_of
from cgcli.tables.output import Output, Writer
from cgcli.tables.temporary import keeping
from cgcli.tables.types import cast, merged, stored, type_of, type_of_cells

if TYPE_CHECKING:
    import pyarrow as pa

    from cgcli.tables.dialect import Dialect


class _Section(NamedTuple):
    """What batches behind each other have in common.

    given: how many columns are no results. untyped: whether these are cells of text, of which dialect. objects: whether
    the text of JSON objects is the last column.
    """

    schema: pa.Schema
    given: int
    untyped: bool
    objects: bool
    dialect: Dialect | None


class Held:
    """Rows in a temporary file, and the columns and types that hold all of them.

    as_text: whether cells of text stay as they are, which otherwise have the narrowest type that holds them.
    """

    def __init__(self, *, as_text: bool = False) -> None:
        self._as_text = as_text
        from tempfile import TemporaryFile

        with keeping("the rows"):
            self._file = TemporaryFile()  # noqa: SIM115 (it goes when this object does)
        self._sections: list[tuple[_Section, int]] = []  # and where each begins in the file
        self._stream: Any = None
        self._types: dict[str, pa.DataType] = {}
        self._results: dict[str, pa.DataType] = {}
        self._size = 0
        self.rows = 0

    def add(self, batch: Batch) -> None:
        """Take rows. Raises DataError where several columns have one name, or there are far more cells than text."""
        import pyarrow as pa

        source = batch.columns if self._as_text else batch.typed
        given = source.num_columns
        columns = together(source, batch.results)
        names = columns.schema.names
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DataError(f"several columns are called '{twice}', and each needs a name of its own")
        self._types = dict.fromkeys(batch.others, pa.null()) | self._types
        for at, (name, column) in enumerate(zip(names, columns.columns, strict=True)):
            types = self._types if at < given else self._results
            known = types.get(name, pa.null())
            if not pa.types.is_string(known):
                is_cells = at < given and batch.is_cells(name) and not self._as_text
                here = type_of_cells(column, batch.words(name)) if is_cells else type_of(column)
                types[name] = merged(known, here)
        if batch.holds_objects:
            columns = pa.RecordBatch.from_arrays([*columns.columns, batch.lines], names=[*names, ""])
        with keeping("the rows"):
            self._keep(columns, _Section(columns.schema, given, batch.untyped, batch.holds_objects, batch.dialect))
        self.rows += len(batch)
        self._size += batch.size
        check_columns(len(self._types), batch.source)
        check_cells(self.rows * (len(self._types) + len(self._results)), self._size, batch.source)

    def _keep(self, columns: pa.RecordBatch, section: _Section) -> None:
        import pyarrow as pa

        if not self._sections or self._sections[-1][0] != section:
            if self._stream is not None:
                self._stream.close()
            self._sections.append((section, self._file.tell()))
            self._stream = pa.ipc.new_stream(self._file, columns.schema)
        self._stream.write_batch(columns)

    @property
    def dialect(self) -> Dialect | None:
        """The dialect of all cells, where there is one; they are plain else."""
        found = {section.dialect for section, _ in self._sections}
        return found.pop() if self._as_text and len(found) == 1 else None

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of the input in the order in which they first came, then the results; no more rows come."""
        import pyarrow as pa

        types = self._types
        if any(section.untyped for section, _ in self._sections):  # where no cell holds anything, numbers were meant
            types = {name: pa.float64() if pa.types.is_null(kind) else kind for name, kind in types.items()}
        return pa.schema([(name, stored(kind)) for name, kind in (types | self._results).items()])

    @cached_property
    def _read(self) -> list[tuple[_Section, dict[str, int], pa.RecordBatch]]:
        """The rows as they were taken, which stay in the file, and where each column stands."""
        import pyarrow as pa

        if self._stream is None:
            return []
        with keeping("the rows"):
            self._stream.close()
            self._file.flush()
        content = pa.py_buffer(mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))
        found = []
        for section, start in self._sections:
            names = section.schema.names[: len(section.schema) - section.objects]
            places = {name: at for at, name in enumerate(names)}
            with pa.ipc.open_stream(content.slice(start)) as stream:
                found += [(section, places, columns) for columns in stream]
        return found

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, with the columns of the schema; they can be read several times. Raises DataError as `column`."""
        import pyarrow as pa

        for part in self._read:
            yield pa.RecordBatch.from_arrays([self._fitted(field, *part) for field in self.schema], schema=self.schema)

    def column(self, at: int) -> Iterator[pa.Array]:
        """One column of each of the batches. Raises DataError where a value does not fit."""
        return (self._fitted(self.schema.field(at), *part) for part in self._read)

    def _fitted(
        self, field: pa.Field, section: _Section, places: Mapping[str, int], columns: pa.RecordBatch
    ) -> pa.Array:
        import pyarrow as pa

        at = places.get(field.name)
        if at is None:
            return pa.nulls(len(columns), field.type)
        column = columns.column(at)
        is_cells = section.untyped and at < section.given
        if self._as_text and is_cells:
            return column if self.dialect or not section.dialect else section.dialect.plain(column)
        if column.type != field.type and section.objects and at < section.given:
            return members_of(columns.columns[-1], field.name, field.type)
        return _cast(column, field, is_cells=is_cells)


def conformed(columns: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of a schema. Raises DataError where there are others, or a value does not fit."""
    import pyarrow as pa

    columns = arranged(columns, schema.names)
    if columns.schema.equals(schema):
        return columns
    arrays = [_cast(column, field) for column, field in zip(columns.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _cast(column: pa.Array, field: pa.Field, *, is_cells: bool = False) -> pa.Array:
    """A column as one of the field's type. Raises DataError when that loses anything. is_cells: as `types.cast`."""
    import pyarrow as pa

    try:
        return cast(column, field.type, is_cells=is_cells)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise DataError(
            f"column '{field.name}' is of type {field.type} at first, and later of {column.type} that does not fit",
            hint="write CSV or JSON lines, which have no types",
        ) from None


def arranged(columns: pa.RecordBatch, names: list[str]) -> pa.RecordBatch:
    """The columns in the order of `names`; one that is missing holds nulls.

    Raises DataError for a column that has none of these names.
    """
    import pyarrow as pa

    present = columns.schema.names
    if present == names:
        return columns
    for name in present:
        if present.count(name) > names.count(name):
            raise DataError(
                f"a column '{name}' appears after rows without it have been written",
                hint="write JSON lines (--to jsonl), whose rows may differ",
            )
    if len(set(names)) < len(names):
        raise DataError("the columns change after rows have been written, and several have one name")
    found = [columns.column(name) if name in present else pa.nulls(len(columns)) for name in names]
    return pa.RecordBatch.from_arrays(found, names=names)


class TableWriter(Writer):
    """A writer of a format that says its columns before its rows.

    Rows go through as they come where the first of them say all columns and types. Else they wait until the end, so
    that what is written does not depend on how they came.
    """

    _keeps_text = False

    def __init__(self, output: Output, at_once: bool) -> None:
        super().__init__(output, at_once)
        self._held: Held | None = None
        self._begun = False

    def _put(self, batch: Batch) -> None:
        """Take rows; a batch without any says nothing about types."""
        if self._held is None and not self._begun and (not len(batch) or batch.others or self._may_change(batch)):
            self._held = Held(as_text=self._keeps_text)
        if self._held is not None:
            try:
                self._held.add(batch)
            except DataError:  # beyond bounds: what waits is not written either
                self._held = None
                raise
        else:
            self._begun = True
            self._put_now(batch)

    def _finish(self) -> None:
        """Write the rows that waited."""
        if self._held is not None:
            dialect = self._held.dialect
            for columns in self._held.batches():
                self._put_now(Batch(columns, "", str, dialect=dialect))

    @abstractmethod
    def _may_change(self, batch: Batch) -> bool:
        """Whether rows behind these may have other columns, or may need other types."""

    @abstractmethod
    def _put_now(self, batch: Batch) -> None:
        """Write rows; the first ones say the columns."""
