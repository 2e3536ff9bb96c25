"""Batches made uniform, for a writer that needs it: the columns' order and types are those of the first batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cgcli.errors import DataError
from cgcli.tables.batch import Batch

if TYPE_CHECKING:
    import pyarrow as pa

# Cells that float64 holds without loss, and that are surely meant as numbers: 007 is not.
_SAFE_AS_NUMBER = r"^(-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][-+]?[0-9]+)?|nan|-?inf)?$"


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


def typed(batch: Batch) -> pa.RecordBatch:
    """The columns, those of untyped cells as float64 where each cell is a number or empty."""
    import pyarrow as pa

    columns = batch.plain
    if not batch.untyped:
        return columns
    arrays = columns.columns
    for at in range(columns.num_columns - batch.results):
        if _all_numbers(arrays[at]):
            arrays[at] = _as_type(arrays[at], pa.float64())
    return pa.RecordBatch.from_arrays(arrays, names=columns.schema.names)


def _all_numbers(cells: pa.Array) -> bool:
    """Whether float64 holds every cell of text, and nobody would miss how it was written."""
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(cells, _SAFE_AS_NUMBER), min_count=0).as_py())


def unified(columns: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The columns in the order and of the types of those before. Raises DataError when that loses anything."""
    import pyarrow as pa

    columns = arranged(columns, schema.names)
    if columns.schema.equals(schema):
        return columns
    arrays = [_fitted(column, field) for column, field in zip(columns.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _fitted(column: pa.Array, field: pa.Field) -> pa.Array:
    """A column of the type that its field has had before."""
    import pyarrow as pa

    if column.type == field.type:
        return column
    hint = "write CSV or JSON lines, which have no types"
    if pa.types.is_string(column.type) and pa.types.is_floating(field.type) and not _all_numbers(column):
        raise DataError(
            f"column '{field.name}' holds numbers at first, and later a cell that is none, as 007", hint=hint
        )
    try:
        return _as_type(column, field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise DataError(
            f"column '{field.name}' is of type {field.type} at first, and later of {column.type} that does not fit",
            hint=hint,
        ) from None


def _as_type(column: pa.Array, kind: pa.DataType) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(column.type) and pa.types.is_floating(kind):
        nothing: Any = pa.scalar(None, pa.string())
        column = pc.if_else(pc.equal(column, ""), nothing, column)
    return pc.cast(column, kind)
