"""Rows that wait until all are there, as only then their columns and types are known; writers that need both first."""

from __future__ import annotations

import mmap
from abc import abstractmethod

from cgcli.annotations import TYPE_CHECKING, Any, Iterator
from cgcli.errors import DataError
from cgcli.records import NamedTuple
from cgcli.tables.batch import Batch, together
from cgcli.tables.objects import members_of
from cgcli.tables.output import Output, Writer
from cgcli.tables.types import cast, merged, stored, type_of, type_of_cells

if TYPE_CHECKING:
    import pyarrow as pa


class _Section(NamedTuple):
    """Batches of one schema. start: where they begin in the file. given: how many columns are no results.

    untyped: whether these are cells of text. objects: whether the text of JSON objects is the last column.
    """

    start: int
    schema: pa.Schema
    given: int
    untyped: bool
    objects: bool


class Held:
    """Rows in a temporary file, and the columns and types that hold all of them.

    as_text: whether cells of text stay as they are, which otherwise have the narrowest type that holds them.
    """

    def __init__(self, *, as_text: bool = False) -> None:
        self._as_text = as_text
        from tempfile import TemporaryFile

        self._file = TemporaryFile()  # noqa: SIM115 (it goes when this object does)
        self._sections: list[_Section] = []
        self._stream: Any = None
        self._types: dict[str, pa.DataType] = {}
        self._results: dict[str, pa.DataType] = {}
        self.rows = 0

    def add(self, batch: Batch) -> None:
        """Take rows. Raises DataError where several columns have one name."""
        import pyarrow as pa

        source = batch.plain if self._as_text else batch.typed
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
        self._write(columns, given, batch)
        self.rows += len(batch)

    def _write(self, columns: pa.RecordBatch, given: int, batch: Batch) -> None:
        import pyarrow as pa

        section = _Section(0, columns.schema, given, batch.untyped, batch.holds_objects)
        if not self._sections or self._sections[-1]._replace(start=0) != section:
            if self._stream is not None:
                self._stream.close()
            self._sections.append(section._replace(start=self._file.tell()))
            self._stream = pa.ipc.new_stream(self._file, columns.schema)
        self._stream.write_batch(columns)

    @property
    def schema(self) -> pa.Schema:
        """The columns of the input in the order in which they first came, then the results."""
        import pyarrow as pa

        if any(section.untyped for section in self._sections):  # where no cell holds anything, numbers were meant
            self._types = {name: pa.float64() if pa.types.is_null(kind) else kind for name, kind in self._types.items()}
        return pa.schema([(name, stored(kind)) for name, kind in (self._types | self._results).items()])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, with the columns of the schema; they can be read several times."""
        import pyarrow as pa

        if self._stream is None:
            return
        self._stream.close()
        self._file.flush()
        schema = self.schema
        content = pa.py_buffer(mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))
        for section in self._sections:
            with pa.ipc.open_stream(content.slice(section.start)) as stream:
                for columns in stream:
                    yield _fitted(columns, section, schema)


def _fitted(columns: pa.RecordBatch, section: _Section, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of the schema. Raises DataError where a value does not fit."""
    import pyarrow as pa

    places = {name: at for at, name in enumerate(columns.schema.names[: len(columns.schema) - section.objects])}
    objects = columns.columns[-1] if section.objects else None
    arrays = []
    for field in schema:
        at = places.get(field.name)
        if at is None:
            arrays.append(pa.nulls(len(columns), field.type))
        elif (column := columns.column(at)).type == field.type:
            arrays.append(column)
        elif objects is not None and at < section.given:
            arrays.append(members_of(objects, field.name, field.type))
        else:
            arrays.append(_cast(column, field))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def conformed(columns: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of a schema. Raises DataError where there are others, or a value does not fit."""
    import pyarrow as pa

    columns = arranged(columns, schema.names)
    if columns.schema.equals(schema):
        return columns
    arrays = [_cast(column, field) for column, field in zip(columns.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _cast(column: pa.Array, field: pa.Field) -> pa.Array:
    """A column as one of the field's type; an empty cell of text is null. Raises DataError when that loses anything."""
    import pyarrow as pa

    try:
        return cast(column, field.type)
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
            self._held.add(batch)
        else:
            self._begun = True
            self._put_now(batch)

    def _finish(self) -> None:
        """Write the rows that waited."""
        if self._held is not None:
            for columns in self._held.batches():
                self._put_now(Batch(columns, "", str))

    @abstractmethod
    def _may_change(self, batch: Batch) -> bool:
        """Whether rows behind these may have other columns, or may need other types."""

    @abstractmethod
    def _put_now(self, batch: Batch) -> None:
        """Write rows; the first ones say the columns."""
