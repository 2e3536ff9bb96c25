"""Rows with their results, as every format is written from: the input's columns, then the results'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cgcli.errors import UsageError
from cgcli.graph.shapes import element_names
from cgcli.tables.batch import Batch
from cgcli.tables.dialect import DIALECTS, unescaped
from cgcli.tables.kernels import as_floats

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Table:
    """Rows to be written.

    raw: the columns, of float64 where they are numbers, (nested) lists of fixed size where they are
    arrays. results: how many of them, at the end, are results. objects: of JSON, the text of each row's
    object without its results. untyped: whether the other columns are cells of text, as in CSV,
    so that it is for the writer to say which are numbers. spelled: of TSV, the names of these other
    columns as its header spells them, as their cells stand in `raw`.
    """

    raw: pa.RecordBatch
    results: int
    objects: pa.Array | None = None
    untyped: bool = False
    spelled: Sequence[str] | None = None

    @cached_property
    def columns(self) -> pa.RecordBatch:
        """The columns, with plain text where TSV spells it with backslashes; of this all formats but TSV are made."""
        if self.spelled is None:
            return self.raw
        import pyarrow as pa

        arrays = self.raw.columns
        given = len(arrays) - self.results
        plain = [*map(unescaped, arrays[:given]), *arrays[given:]]
        return pa.RecordBatch.from_arrays(plain, names=self.raw.schema.names)

    def __len__(self) -> int:
        """How many rows."""
        return int(self.raw.num_rows)

    def slice(self, begin: int, count: int) -> Table:
        """Some of the rows."""
        objects = None if self.objects is None else self.objects.slice(begin, count)
        return replace(self, raw=self.raw.slice(begin, count), objects=objects)


def with_results(
    batch: Batch,
    results: Mapping[str, NDArray[np.float64]],
    *,
    null: NDArray[np.bool_] | None = None,
    skip: NDArray[np.bool_] | None = None,
    only: bool = False,
) -> Table:
    """The batch's columns, and behind them the results.

    results: arrays of shape (rows, *shape) under the names of their columns. null: rows that have
    no results. skip: rows that are left out. only: leave out the batch's own columns.
    Raises UsageError when a name stands for two columns.
    """
    import pyarrow as pa

    given = [] if only else batch.columns.schema.names
    _check_names(given, results, batch.source)
    old = [] if only else batch.columns.columns
    new = [_column(array, null) for array in results.values()]
    columns = pa.RecordBatch.from_arrays([*old, *new], names=[*given, *results])
    objects = None if only else batch.objects
    if skip is not None and skip.any():
        keep = pa.array(~skip)
        columns = columns.filter(keep)
        objects = None if objects is None else objects.filter(keep)
    cells = bool(old) and batch.format in DIALECTS and all(pa.types.is_string(column.type) for column in old)
    return Table(columns, len(results), objects, cells, None if only else batch.spelled)


class Masked(NamedTuple):
    """A column of numbers or arrays.

    values: float64 of shape (rows, *shape). missing: of the same shape, says which are null;
    None when none is.
    """

    values: NDArray[np.float64]
    missing: NDArray[np.bool_] | None


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


def _column(array: NDArray[np.float64], null: NDArray[np.bool_] | None) -> pa.Array:
    import pyarrow as pa

    if array.ndim == 1 and null is None:  # pa.array would import numpy.ma
        return pa.Array.from_buffers(pa.float64(), len(array), [None, pa.py_buffer(np.ascontiguousarray(array))])
    if array.ndim == 1:
        return pa.array(array, mask=null)
    if 0 in array.shape[1:]:  # whose elements do not tell the number of rows
        kind = pa.float64()
        for size in reversed(array.shape[1:]):
            kind = pa.list_(kind, size)
        return pa.array(array.tolist(), kind)
    column = pa.array(np.ascontiguousarray(array).ravel())
    for size in reversed(array.shape[2:]):
        column = pa.FixedSizeListArray.from_arrays(column, size)
    return pa.FixedSizeListArray.from_arrays(column, array.shape[1], mask=None if null is None else pa.array(null))


def _check_names(given: list[str], results: Mapping[str, NDArray[np.float64]], source: str) -> None:
    taken = set(given)
    for name, array in results.items():
        for element in [name, *element_names(name, array.shape[1:])]:
            if element in taken:
                raise UsageError(
                    f"{source} has a column '{element}' already, and a result would be called so too",
                    hint="name the results with --as or --prefix, or leave the input's columns out with --only",
                )
