"""A program as a function of columns, for Python and for the workers of other engines."""

from __future__ import annotations

from functools import lru_cache

from cgcli.annotations import TYPE_CHECKING, Any, Iterable, Mapping
from cgcli.api.cells import first_shapes
from cgcli.api.columns import Bound, check_columns, results
from cgcli.api.functions import names_of
from cgcli.api.notices import warn
from cgcli.api.point import at_values
from cgcli.api.program import Program, read
from cgcli.api.values import arrays_of, as_array
from cgcli.errors import DataError, UsageError
from cgcli.graph.node import name_of
from cgcli.ops.lazily import np

if TYPE_CHECKING:
    from cgcli.api.functions import Wrt
    from cgcli.graph.operation import Shape

_MOST_KEPT = 32  # compiled programs that one function keeps, for as many sets of shapes


def compile(  # noqa: A001 (a method of the package: cgcli.compile)
    program: Program | str,
    wrt: Wrt = None,
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


class ColumnFunction:
    """A program as a function of columns; `compile` makes it.

    Call it with a pyarrow RecordBatch, or with arrays by name whose first axis is that of the
    rows. It can be pickled, and threads may call it at the same time.
    """

    def __init__(self, program: Program | str, wrt: Wrt, values: Mapping[str, Any], threads: int) -> None:
        if threads < 1:
            raise UsageError(f"threads are 1 or more, and not {threads}")
        self.program = read(program, names_of(wrt))
        self._wrt = names_of(wrt)
        self._values = arrays_of(values)
        self._threads = threads
        self._bound = lru_cache(maxsize=_MOST_KEPT)(self._bind)

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
        arrays = {name: as_array(columns[name], f"column '{name}'") for name in columns if name in self._read_names()}
        for name, array in arrays.items():
            if not np.ndim(array):
                raise DataError(
                    f"column '{name}' is one number", hint="give what holds for all rows to compile: values={…}"
                )
        rows = {name: len(array) for name, array in arrays.items()}
        if len(set(rows.values())) > 1:
            listed = ", ".join(f"'{name}' has {count}" for name, count in rows.items())
            raise DataError(f"the columns differ in length: {listed}")
        count = next(iter(rows.values()), len(next(iter(columns.values()), ())))
        bound = self._for({name: array.shape[1:] for name, array in arrays.items()}, columns)
        return dict(zip(bound.names, bound.of_arrays(arrays, count), strict=True))

    def _of_batch(self, record_batch: Any) -> Any:
        from cgcli.tables.batch import Batch, with_results

        batch = Batch(record_batch, "the record batch", lambda row: f"row {row + 1}")
        _, shapes = first_shapes([batch], self._read_names(), patient=False)
        bound = self._for(shapes, record_batch.schema.names)
        columns = bound.read(batch)
        null = np.zeros(len(batch), np.bool_)
        for column in columns.values():
            for row, why in column.bad.items():
                if row not in column.null:
                    raise DataError(f"{batch.at(row)}: {why}")
                null[row] = True
        arrays = bound.of_arrays({name: column.values for name, column in columns.items()}, len(batch))
        results = dict(zip(bound.names, arrays, strict=True))
        return with_results(batch, results, null=null if null.any() else None).table

    def _read_names(self) -> list[str]:
        """The names that are columns where there is one."""
        return [name for name in self.program.open_names if name not in self._values]

    def _for(self, shapes: Mapping[str, Shape], available: Iterable[str]) -> Bound:
        return self._bound(tuple(shapes.items()), tuple(available))

    def _bind(self, shapes: tuple[tuple[str, Shape], ...], available: tuple[str, ...]) -> Bound:
        columns = dict(shapes)
        point = at_values(self.program, self._values, columns)
        check_columns(point, available)
        wrt = point.chosen(self._wrt)
        if self._wrt is None:
            wrt = [node for node in wrt if name_of(node) in columns]
        warn(point.notices(wrt))
        return Bound(point, results(point, wrt), self._threads)

    def __reduce__(self) -> tuple[object, ...]:
        return ColumnFunction, (self.program, self._wrt, self._values, self._threads)

    def __repr__(self) -> str:
        return f"<function of columns, of the program {self.program.text!r}>"
