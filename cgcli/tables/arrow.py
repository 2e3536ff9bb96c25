"""Arrow's columns: the two of its functions that every row of text goes through, its texts, its lists of fixed size.

The functions are taken from where `pyarrow.compute` has them: that module makes functions and documentation for
hundreds of others when it is imported, which takes as long as ten thousand rows. What else is needed, and seldom, is
taken there.
"""

from __future__ import annotations

import math

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Mapping, Sequence
from cgcli.errors import DataError, UsageError
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_EVERY_SECOND = b"\x55"  # the bits that say of eight values which are there


def as_floats(column: pa.Array) -> pa.Array:
    """The values as float64; an integer that is too long for it is rounded. Raises ArrowInvalid for other text."""
    import pyarrow as pa

    if pa.types.is_float64(column.type):
        return column
    compute = functions()
    return compute.call_function("cast", [column], compute.CastOptions.unsafe(pa.float64()))


def of_floats(values: NDArray[np.float64]) -> pa.Array:
    """Numbers as a column, none of which is missing; `pa.array` would import numpy.ma."""
    import pyarrow as pa

    return pa.Array.from_buffers(pa.float64(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def numbers_at(text: bytes, bounds: NDArray[np.int32]) -> NDArray[np.float64]:
    """The numbers whose cells stand between these bounds, of shape (rows, columns, 2), in ascending order.

    The cells are cast where they stand, as one column of text of which every second value, all that is between two of
    them, is missing: a parser, which looks at each byte, takes two to four times as long.
    Raises ArrowInvalid for a cell that is no number, or has something else beside it.
    """
    import pyarrow as pa

    places = pa.py_buffer(np.append(bounds, np.int32(len(text))))
    present = pa.py_buffer(_EVERY_SECOND * (bounds.size // 8 + 1))
    cells = pa.StringArray.from_buffers(bounds.size, places, pa.py_buffer(text), present)
    values = np.frombuffer(as_floats(cells).buffers()[1], np.float64)
    return values[: bounds.size].reshape(bounds.shape)[:, :, 0]


def side_by_side(*texts: pa.Array | str, between: str = "", null: str | None = None) -> pa.Array:
    """The texts of each row, one behind the other; a string stands in every row.

    null: what stands for a missing text; with None, all of a row is missing where one of its texts is.
    """
    import pyarrow as pa

    compute = functions()
    typed = [pa.scalar(text, pa.string()) if isinstance(text, str) else text for text in (*texts, between)]
    options = compute.JoinOptions("emit_null" if null is None else "replace", null or "")
    return compute.call_function("binary_join_element_wise", typed, options)


def together(*parts: pa.RecordBatch | None) -> pa.RecordBatch:
    """The columns of the same rows, one behind the other; None has none."""
    import pyarrow as pa

    found = [part for part in parts if part is not None]
    if len(found) == 1:
        return found[0]
    columns, names = ([item for part in lists for item in part] for lists in
                      ([part.columns for part in found], [part.schema.names for part in found]))  # fmt: skip
    return pa.RecordBatch.from_arrays(columns, names=names)


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type with the same values of which there is one alone: text that is no view, lists that are not large."""
    import pyarrow as pa
    import pyarrow.types as kinds

    kind = unpacked_type(kind)
    if kinds.is_large_string(kind) or kinds.is_string_view(kind):
        return pa.string()
    if kinds.is_large_list(kind) or kinds.is_list_view(kind) or kinds.is_large_list_view(kind):
        return pa.list_(kind.value_type)
    return kind


def unpacked_type(kind: pa.DataType) -> pa.DataType:
    """The type of values, for a type that holds each of them once."""
    import pyarrow.types as kinds

    return kind.value_type if kinds.is_dictionary(kind) or kinds.is_run_end_encoded(kind) else kind


def unpacked(column: pa.Array) -> pa.Array:
    """The column with a value for each row, where it holds each value once."""
    import pyarrow.types as kinds

    if kinds.is_dictionary(column.type):
        return column.dictionary_decode()
    if kinds.is_run_end_encoded(column.type):
        import pyarrow.compute as pc

        return pc.run_end_decode(column)
    return column


def plain(column: pa.Array) -> pa.Array:
    """The column with its plain type."""
    import pyarrow.types as kinds

    column = unpacked(column)
    kind = plain_type(column.type)
    if kind == column.type:
        return column
    if kinds.is_list_view(column.type) or kinds.is_large_list_view(column.type):  # whose cast loses values
        import pyarrow as pa

        return pa.array(column.to_pylist(), kind)
    return column.cast(kind)


def joined(texts: pa.Array) -> memoryview:
    """A column of strings as one text."""
    _, offsets, content = texts.buffers()
    if not len(texts) or content is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int32)
    return memoryview(content)[ends[texts.offset] : ends[texts.offset + len(texts)]]


def offsets_of(texts: pa.Array) -> NDArray[np.int32]:
    """Where each string of a column begins in its joined text, and where the last one ends."""
    offsets = texts.buffers()[1]
    ends: NDArray[np.int32] = np.frombuffer(offsets, np.int32) if offsets else np.zeros(1, np.int32)
    found: NDArray[np.int32] = ends[texts.offset : texts.offset + len(texts) + 1] - ends[texts.offset]
    return found


class Masked(NamedTuple):
    """A column of numbers or arrays.

    values: float64 of shape (rows, *shape). missing: of the same shape, says which are null;
    None when none is.
    """

    values: NDArray[np.float64]
    missing: NDArray[np.bool_] | None

    def flat(self) -> Masked:
        """The numbers of each row side by side."""
        shape = len(self.values), math.prod(self.values.shape[1:])
        return Masked(self.values.reshape(shape), None if self.missing is None else self.missing.reshape(shape))


def shape_of(kind: pa.DataType) -> tuple[int, ...] | None:
    """The shape of each row in a column of float64 numbers, or of arrays of numbers; None for other types."""
    import pyarrow.types as kinds

    if kinds.is_float64(kind):
        return ()
    shape = []
    while kinds.is_fixed_size_list(kind):
        shape.append(kind.list_size)
        kind = kind.value_type
    return tuple(shape) if shape and (kinds.is_floating(kind) or kinds.is_integer(kind)) else None


def masked(column: pa.Array) -> Masked:
    """The content of a column whose type has a shape."""
    import pyarrow as pa

    shape = [len(column)]
    missing: NDArray[np.bool_] | None = None
    while True:
        if column.null_count or missing is not None:
            here = np.asarray(column.is_null()).reshape(shape)
            missing = here if missing is None else np.expand_dims(missing, -1) | here
        if not pa.types.is_fixed_size_list(column.type):
            break
        size = column.type.list_size
        column = column.values.slice(column.offset * size, len(column) * size)
        shape.append(size)
    values = as_floats(column).to_numpy(zero_copy_only=False)
    return Masked(values.reshape(shape), missing)


def masked_together(columns: Sequence[Masked], join: Callable[[Sequence[NDArray[Any]]], NDArray[Any]]) -> Masked:
    """Columns of numbers as one array of numpy, which `join` makes of several."""
    missing = None
    if any(column.missing is not None for column in columns):
        missing = join([np.zeros(values.shape, bool) if none is None else none for values, none in columns])
    return Masked(join([column.values for column in columns]), missing)


def lists_of(array: NDArray[Any], null: NDArray[np.bool_] | None = None, *, fixed: bool = True) -> pa.Array:
    """An array of two axes or more as a column of lists. null: rows that are missing. fixed: of fixed size."""
    import pyarrow as pa

    sizes = array.shape[1:]
    column = vector_of(np.ascontiguousarray(array).ravel())
    missing = None if null is None else pa.array(null)
    if not fixed:
        for axis in reversed(range(len(sizes))):
            lists = math.prod(array.shape[: axis + 1])
            ends = pa.array(np.arange(lists + 1) * sizes[axis], pa.int32())
            column = pa.ListArray.from_arrays(ends, column, mask=None if axis else missing)
        return column
    if 0 in sizes:  # the elements do not tell the number of rows
        kind = column.type
        for size in reversed(sizes):
            kind = pa.list_(kind, size)
        return pa.array(array.tolist(), kind)
    for size in reversed(sizes[1:]):
        column = pa.FixedSizeListArray.from_arrays(column, size)
    return pa.FixedSizeListArray.from_arrays(column, sizes[0], mask=missing)


def vector_of(array: NDArray[Any]) -> pa.Array:
    """An array of one axis as a column. Arrow by itself ends numpy's texts at their first NUL."""
    import pyarrow as pa

    return pa.array(array.tolist(), pa.string()) if array.dtype.kind == "U" else pa.array(array)


def list_sizes(kind: pa.DataType) -> tuple[int | None, ...]:
    """How long each axis of the arrays in a column of this type is, None where rows may differ; () of numbers."""
    import pyarrow.types as kinds

    found: list[int | None] = []
    kind = plain_type(kind)
    while kinds.is_list(kind) or kinds.is_fixed_size_list(kind):
        found.append(kind.list_size if kinds.is_fixed_size_list(kind) else None)
        kind = plain_type(kind.value_type)
    return tuple(found)


def functions() -> Any:
    """The module that has these two, and their options."""
    try:
        from pyarrow import _compute
    except ImportError:  # a version of pyarrow that has them elsewhere
        from pyarrow import compute

        return compute
    return _compute


def record_batches(data: Any) -> list[pa.RecordBatch]:
    """A table in memory as record batches: arrays or lists by name, or anything that Arrow's own interface gives out.

    Raises UsageError for anything else, DataError for columns that differ in length or hold what has no type.
    """
    import pyarrow as pa

    if isinstance(data, Mapping):
        columns = {name: _column(name, given) for name, given in data.items()}
        check_lengths({name: len(column) for name, column in columns.items()})
        return [pa.RecordBatch.from_arrays([*columns.values()], names=[*columns])]
    if isinstance(data, pa.RecordBatch):
        return [data]
    if hasattr(data, "__arrow_c_stream__"):
        return list(pa.table(data).to_batches())
    raise UsageError(f"rows are arrays by name, a table or the name of a file, and not a '{type(data).__name__}'")


def check_lengths(rows: Mapping[str, int]) -> None:
    """Raise DataError for columns that differ in length. rows: how many each has, by its name."""
    if len(set(rows.values())) > 1:
        listed = ", ".join(f"'{name}' has {count}" for name, count in rows.items())
        raise DataError(f"the columns differ in length: {listed}")


def without_rows(given: Any) -> pa.RecordBatch:
    """A batch of no rows with the columns of a schema, or of what has one: a batch, a table, a reader, a data frame.

    Raises UsageError for anything else.
    """
    import pyarrow as pa

    if not isinstance(given, pa.Schema):
        schema = getattr(given, "schema", None)
        if isinstance(schema, pa.Schema):
            given = schema
        elif hasattr(given, "__arrow_c_schema__"):
            given = pa.schema(given)
        elif hasattr(given, "__arrow_c_stream__"):
            given = pa.RecordBatchReader.from_stream(given).schema
        else:
            raise UsageError(f"columns are those of a schema of pyarrow, and not of a '{type(given).__name__}'")
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in given], names=given.names)


def batches_of(data: Any) -> Iterator[tuple[pa.RecordBatch, int]]:
    """The batches of a table, of a reader or a data frame, at least one, each with how many rows come before it."""
    import pyarrow as pa

    reader = pa.RecordBatchReader.from_stream(data)
    before = 0
    for batch in reader:
        yield batch, before
        before += len(batch)
    if not before:
        yield without_rows(reader.schema), 0


def table_of(batches: Iterable[pa.RecordBatch]) -> pa.Table:
    """Batches, at least one, as a table."""
    import pyarrow as pa

    return pa.Table.from_batches(batches)


def _column(name: str, given: Any) -> pa.Array:
    """The rows of an array or a list as a column: numbers, texts, or lists of numbers. Raises DataError."""
    import pyarrow as pa

    try:
        array = np.asarray(given)
        if not array.ndim:
            raise DataError(f"column '{name}' is no list", hint="a value that holds for all rows is given by fixed={…}")
        if array.ndim > 1 and array.dtype.kind != "c":
            return lists_of(array.astype(np.float64))
        return pa.array(array if array.dtype.kind in "fiub" else array.tolist())
    except (pa.ArrowInvalid, ValueError, TypeError) as error:
        what = "numbers, texts, or lists of numbers of one length"
        raise DataError(f"column '{name}' holds something else than {what}") from error
