"""A program as a function of columns: record batches to record batches, numpy columns to numpy columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from cgcli.api.arguments import as_array
from cgcli.api.prepared import prepare, scalar_outputs
from cgcli.api.program import Program, read
from cgcli.derivatives.gradient import gradient_columns
from cgcli.errors import DataError, UsageError
from cgcli.evaluate.batched import Batched
from cgcli.graph.node import constant, name_of
from cgcli.graph.operation import Shape

_MOST_KEPT = 32


class ColumnFunction:
    """A program as a function of columns; `compile` makes it.

    Call it with a pyarrow RecordBatch, or with arrays by name whose first axis is that of the
    rows. It can be pickled, and threads may call it at the same time.
    """

    def __init__(
        self, program: Program | str, wrt: str | Sequence[str] | None, values: Mapping[str, Any], threads: int
    ) -> None:
        if threads < 1:
            raise UsageError(f"threads are 1 or more, and not {threads}")
        self.program = read(program)
        self._wrt = (wrt,) if isinstance(wrt, str) else wrt if wrt is None else tuple(wrt)
        self._values = {name: as_array(value, f"the value of '{name}'") for name, value in values.items()}
        self._threads = threads
        self._prepared = lru_cache(maxsize=_MOST_KEPT)(self._prepare)

    def __call__(self, columns: Any) -> Any:
        """The results for all rows: a record batch of its columns and the results, or a dict of arrays.

        A row with a null in a column that is read has null results. Raises UnknownNameError for
        names that are neither columns nor have a value, DataError for columns that hold no numbers
        or differ in length, ShapeError for shapes that do not fit.
        """
        if isinstance(columns, Mapping):
            return self._of_arrays(columns)
        if hasattr(columns, "to_batches"):
            raise UsageError("a table comes in several batches", hint="call it with each of table.to_batches()")
        if hasattr(columns, "schema") and hasattr(columns, "num_rows"):
            return self._of_batch(columns)
        raise UsageError(f"columns are a RecordBatch or arrays by name, and not a '{type(columns).__name__}'")

    def _of_arrays(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        arrays = {name: as_array(columns[name], f"column '{name}'") for name in columns if self._reads(name)}
        for name, array in arrays.items():
            if not np.ndim(array):
                raise DataError(
                    f"column '{name}' is one number", hint="give what holds for all rows to compile: values={…}"
                )
        rows = {name: len(array) for name, array in arrays.items()}
        if len(set(rows.values())) > 1:
            listed = ", ".join(f"'{name}' has {count}" for name, count in rows.items())
            raise DataError(f"the columns differ in length: {listed}")
        return self._results(arrays, next(iter(rows.values()), len(next(iter(columns.values()), ()))))

    def _of_batch(self, batch: Any) -> Any:
        from cgcli.tables.batch import Batch
        from cgcli.tables.numbers import NULL, numbers
        from cgcli.tables.table import with_results

        given = Batch(batch, "the record batch", lambda row: f"row {row + 1}")
        arrays = {}
        null = np.zeros(len(given), np.bool_)
        for name in filter(self._reads, batch.schema.names):
            found = numbers(given.column(name))
            for row, what in found.bad.items():
                if what != NULL:
                    raise DataError(f"{given.at(row, name)} holds {what}")
                null[row] = True
            arrays[name] = found.values
        try:
            return with_results(given, self._results(arrays, len(given)), null=null if null.any() else None).columns
        except UsageError as error:
            error.hint = "rename the column, or leave it out of the batch"
            raise

    def _reads(self, name: str) -> bool:
        return name in self.program.open_names and name not in self._values

    def _results(self, arrays: Mapping[str, Any], rows: int) -> dict[str, Any]:
        shapes = tuple(array.shape[1:] for array in arrays.values())
        names, batched = self._prepared(tuple(arrays), shapes)
        results = batched(list(arrays.values()), rows, threads=self._threads)
        return dict(zip(names, results, strict=True))

    def _prepare(self, names: tuple[str, ...], shapes: tuple[Shape, ...]) -> tuple[list[str], Batched]:
        fixed = {name: value for name, value in self._values.items() if name in self.program.open_names}
        known = dict(zip(names, shapes, strict=True)) | {name: np.shape(value) for name, value in fixed.items()}
        point = prepare(self.program, known, self._wrt)
        wrt = point.wrt if self._wrt is not None else [node for node in point.wrt if name_of(node) in names]
        if wrt:
            scalar_outputs(point.graph)
        columns = gradient_columns(point.graph, [constant(1.0)] * len(point.graph.outputs), wrt)
        held = {node: fixed[name_of(node)] for node in point.inputs if name_of(node) in fixed}
        varying = [node for node in point.inputs if name_of(node) in names]
        return [name for name, _ in columns], Batched([node for _, node in columns], varying, held)

    def __reduce__(self) -> tuple[object, ...]:
        return ColumnFunction, (self.program, self._wrt, self._values, self._threads)

    def __repr__(self) -> str:
        return f"<function of columns, of the program {self.program.text!r}>"


def compile(  # noqa: A001 (a method of the package: cgcli.compile)
    program: Program | str,
    wrt: str | Sequence[str] | None = None,
    *,
    values: Mapping[str, Any] | None = None,
    threads: int = 1,
) -> ColumnFunction:
    """The value and the derivatives of a program as a function of columns, all rows at once.

    wrt: a name, or several; all columns when left out, `()` for the value alone. values: what
    holds for all rows, by name. threads: how many share the rows of one call; the results are
    the same to the bit, however many there are.

    >>> f = compile("ln(x1) + x1*x2 - sin(k*x2)", values={"k": 1})
    >>> f({"x1": [2, 1], "x2": [5, 0]})["d_x1"]
    array([5.5, 1. ])

    The results are called as in a table that `cg grad` writes: `value`, `d_x1`, `d_x2`. In a
    record batch they come after its own columns; a column of lists binds an array.

    Raises ParseError and its kin; a call raises what ColumnFunction says.
    """
    return ColumnFunction(program, wrt, values or {}, threads)
