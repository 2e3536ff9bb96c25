"""Rows with their results: columns behind those of the input, whose names must be free."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Mapping
from cgcli.errors import UsageError
from cgcli.graph.shapes import element_names
from cgcli.tables.arrow import lists_of, of_floats

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from cgcli.tables.batch import Batch


def with_results(
    batch: Batch,
    results: Mapping[str, NDArray[np.float64]],
    *,
    null: NDArray[np.bool_] | None = None,
    skip: NDArray[np.bool_] | None = None,
    only: bool = False,
    fixed: bool = True,
) -> Batch:
    """The batch with the results behind its columns.

    results: arrays of shape (rows, *shape) under the names of their columns. null: rows that have
    no results. skip: rows that are left out. only: leave out the batch's own columns. fixed:
    arrays are lists of fixed size, and not of any.
    Raises UsageError when a name stands for two columns.
    """
    import pyarrow as pa

    if only:
        batch = replace(batch, given=batch.given.select([]), lines=None, unread=None, header="")
    _check_names(batch.names, results, batch.source)
    columns = [_column(array, null, fixed=fixed) for array in results.values()]
    found = replace(batch, results=pa.RecordBatch.from_arrays(columns, names=[*results]))
    return found if skip is None or not skip.any() else found.those(~skip)


def _column(array: NDArray[np.float64], null: NDArray[np.bool_] | None, *, fixed: bool) -> pa.Array:
    import pyarrow as pa

    if array.ndim == 1 and null is None:
        return of_floats(array)
    if array.ndim == 1:
        return pa.array(array, mask=null)
    return lists_of(array, null, fixed=fixed)


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
