"""A program as a function of columns, for Python and for the workers of other engines."""

from __future__ import annotations

from contextlib import closing
from functools import lru_cache, partial

from cgcli.annotations import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, Sequence
from cgcli.api.arguments import holding_kinds
from cgcli.api.cells import first_shapes, sizes_of
from cgcli.api.columns import Bound, check_columns, results
from cgcli.api.notices import warn
from cgcli.api.point import at_values
from cgcli.api.prepared import names_of
from cgcli.api.program import Program, read, read_again
from cgcli.api.sums import Sums
from cgcli.api.values import arrays_of, as_array, check_named
from cgcli.errors import ArgumentError, DataError, ShapeError, UsageError
from cgcli.graph.node import name_of
from cgcli.ops.lazily import np
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.api.apart import Crew
    from cgcli.api.prepared import Wrt
    from cgcli.graph.operation import Shape
    from cgcli.tables.batch import Batch
    from cgcli.tables.listing import Source

    Shapes = tuple[tuple[str, Shape], ...]

_MOST_KEPT = 32  # compiled programs that one function keeps, for as many sets of shapes
_MOST_REBUILT = 8  # functions that a worker keeps, so that those of many tasks are compiled once
_LENGTHS = (2, 3, 1, *range(4, 65))  # of lists whose rows do not tell, in the order in which they are tried


@holding_kinds
def compile(  # noqa: A001 (a method of the package: cgcli.compile)
    program: Program | str,
    wrt: Wrt = None,
    *,
    values: Mapping[str, Any] | None = None,
    threads: int = 1,
    on_error: str = "fail",
) -> ColumnFunction:
    """The value and the derivatives of a program as a function of columns, all rows at once.

    wrt: a name, or several; all columns when left out, `()` for the value alone. values: what
    holds for all rows, by name. threads: how many share the rows of one call; the results are
    the same to the bit, however many there are. on_error: fail, or null: what becomes of a row
    of Arrow's tables whose cell holds something else than a number.

    >>> f = compile("ln(x1) + x1*x2 - sin(k*x2)", values={"k": 1})
    >>> f({"x1": [2, 1], "x2": [5, 0]})["d_x1"]
    array([5.5, 1. ])

    The results are called as in a table that `cg grad` writes: `value`, `d_x1`, `d_x2`. In a
    record batch they come after its own columns; a column of lists binds an array.

    Raises ParseError and its kin; a call raises what ColumnFunction says.
    """
    return ColumnFunction(program, wrt, values or {}, threads, on_error)


class _Computed(NamedTuple):
    """A batch with its results. null: rows that have none. fixed: whether arrays are lists of fixed size."""

    batch: Batch
    results: Mapping[str, NDArray[np.float64]]
    null: NDArray[np.bool_]
    fixed: bool


class ColumnFunction:
    """A program as a function of columns; `compile` makes it.

    Call it with a RecordBatch or a Table of pyarrow, with what Arrow's own interface takes for a
    table, such as a data frame, or with arrays by name whose first axis is that of the rows.
    Threads may call it at the same time. It can be pickled: what is pickled is the program's
    text and the options, and no code.
    """

    def __init__(
        self, program: Program | str, wrt: Wrt, values: Mapping[str, Any], threads: int, on_error: str = "fail"
    ) -> None:
        if threads < 1:
            raise UsageError(f"threads are 1 or more, and not {threads}")
        if on_error not in ("fail", "null"):
            raise UsageError(f"on_error is fail or null, and not {on_error!r}")
        self.program = read(program, names_of(wrt))
        self._wrt = names_of(wrt)
        self._values = arrays_of(values)
        self._threads, self._on_error = threads, on_error
        self._bound = lru_cache(maxsize=_MOST_KEPT)(self._bind)
        self._assumed = lru_cache(maxsize=_MOST_KEPT)(self._assume)

    def __call__(self, columns: Any) -> Any:
        """The results for all rows: a batch, or a table, of its columns and the results, or a dict of arrays.

        A row with a null in a column that is read has null results. Arrays are lists of fixed size where those of
        the columns are, else lists. Raises UnknownNameError for names that are neither columns nor have a value,
        DataError for columns that hold no numbers or differ in length, ShapeError for shapes that do not fit.
        """
        if isinstance(columns, Mapping):
            check_named(columns, "columns")
            return self._of_arrays(columns)
        if _is_batch(columns):
            return self._of_batch(columns, "the record batch", 0)
        if hasattr(columns, "__arrow_c_stream__"):
            from cgcli.tables.arrow import batches_of, table_of

            return table_of([self._of_batch(batch, "the table", before) for batch, before in batches_of(columns)])
        raise _no_columns(columns, "map_batches")

    def map_batches(self, batches: Iterable[Any]) -> Iterator[Any]:
        """The results for each batch or table of an iterator, one after the other, as engines ask for them.

        Raises what a call does.
        """
        return (self(batch) for batch in batches)

    def schema(self, columns: Any) -> Any:
        """The schema of pyarrow that results have for columns of a schema, or of a batch, a table, a data frame.

        Raises UsageError where there is no schema, DataError where the program takes lists of certain lengths only
        and these are neither declared nor found, and what a call raises.
        """
        from cgcli.tables.arrow import without_rows

        return self(without_rows(columns)).schema

    def _of_arrays(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        from cgcli.tables.arrow import check_lengths

        arrays = {name: as_array(columns[name], f"column '{name}'") for name in columns if name in self._read_names()}
        for name, array in arrays.items():
            if not np.ndim(array):
                raise DataError(
                    f"column '{name}' is one number", hint="give what holds for all rows to compile: values={…}"
                )
        rows = {name: len(array) for name, array in arrays.items()}
        check_lengths(rows)
        count = next(iter(rows.values()), None)
        if count is None:  # the program reads none of them
            count = len(np.atleast_1d(next(iter(columns.values()), ())))
        bound = self._bound(tuple((name, array.shape[1:]) for name, array in arrays.items()), tuple(columns))
        return dict(zip(bound.names, bound.of_arrays(arrays, count), strict=True))

    def sums(self, columns: Any, *, jobs: int = 1, on: str = "") -> Sums:
        """The results added up over all rows that have some; of an iterator, over all of its batches.

        columns: also the name of a file, of a folder, a pattern, or several, of any format that tables have. jobs, on:
        how many processes read files, or the cluster that does, `dask://host:8786`; the bits are the same.
        Sums of parts of the rows merge: `sum(parts).mean()`. Raises what a call does, ShapeError where rows have
        results of several shapes, and DataError for files that cannot be read.
        """
        from cgcli.api.apart import Crew, names_in

        names, crew = names_in(columns), Crew(jobs, on)
        if names or crew.is_of_others:
            crew.check_files(names)
            return self._sums_of_files(names, crew)
        found = Sums()
        several = hasattr(columns, "__iter__") and not _are_columns(columns)
        for part in columns if several else [columns]:
            for good in self._good(part):
                found.add(good)
        return found

    def _sums_of_files(self, names: Sequence[str], crew: Crew) -> Sums:
        """The sums over the rows of files, each of which may lack a column that another has."""
        from cgcli.tables.listing import listed
        from cgcli.tables.source import batches

        with crew.workers(names, [__name__, "cgcli.tables.source"]) as workers:
            files = crew.named(listed(names))
            with closing(batches(files)) as source:
                first = next(source)
            columns = [name for name in self._read_names() if first.has(name) or first.others_have(name)]
            return sum(workers.run(partial(_sums_of_file, self, columns), files), Sums())

    def _good(self, columns: Any) -> Iterator[Mapping[str, NDArray[np.float64]]]:
        """The results of the rows that have some."""
        if isinstance(columns, Mapping):
            yield self._of_arrays(columns)
            return
        if not _are_columns(columns):
            raise _no_columns(columns, "sums")
        from cgcli.tables.arrow import batches_of

        source = "the record batch" if _is_batch(columns) else "the table"
        for batch, before in [(columns, 0)] if _is_batch(columns) else batches_of(columns):
            yield self._good_of(_rows(batch, source, before))

    def _good_of(self, batch: Batch) -> Mapping[str, NDArray[np.float64]]:
        """The results of the rows of a batch that have some."""
        _, results, null, _ = self._computed(batch)
        return {name: each[~null] for name, each in results.items()} if null.any() else results

    def _of_batch(self, record_batch: Any, source: str, before: int) -> Any:
        from cgcli.tables.results import with_results

        batch, results, null, fixed = self._computed(_rows(record_batch, source, before))
        return with_results(batch, results, null=null if null.any() else None, fixed=fixed).table

    def _computed(self, batch: Batch) -> _Computed:
        _, found = first_shapes([batch], self._read_names(), patient=False)
        sizes = {name: sizes_of(batch, name) for name in found}
        shapes, names = tuple(found.items()), tuple(dict.fromkeys((*batch.names, *batch.others)))
        untold = tuple((name, sizes[name]) for name, shape in shapes if len(shape) < len(sizes[name]))
        bound = self._bound(self._assumed(shapes, untold, names) if untold else shapes, names)
        columns = bound.read(batch)
        null = np.zeros(len(batch), np.bool_)
        bad = dict(batch.bad)
        for column in columns.values():
            null[[*column.null]] = True
            bad |= {row: why for row, why in column.bad.items() if row not in column.null}
        if bad and self._on_error == "fail":
            raise DataError(f"{batch.at(min(bad))}: {bad[min(bad)]}")
        null[[*bad]] = True
        arrays = bound.of_arrays({name: column.values for name, column in columns.items()}, len(batch))
        lengths = [length for each in sizes.values() for length in each]
        results = dict(zip(bound.names, arrays, strict=True))
        return _Computed(batch, results, null, fixed=bool(lengths) and None not in lengths)

    def _read_names(self) -> list[str]:
        """The names that are columns where there is one."""
        return [name for name in self.program.open_names if name not in self._values]

    def _bind(self, shapes: Shapes, available: tuple[str, ...]) -> Bound:
        columns = dict(shapes)
        point = at_values(self.program, self._values, columns)
        check_columns(point, available)
        wrt = point.chosen(self._wrt)
        if self._wrt is None:
            wrt = [node for node in wrt if name_of(node) in columns]
        warn(point.notices(wrt))
        return Bound(point, results(point, wrt), self._threads)

    def _assume(
        self, shapes: Shapes, untold: tuple[tuple[str, tuple[int | None, ...]], ...], available: tuple[str, ...]
    ) -> Shapes:
        """The shapes, with some that the program takes for columns of lists of which no row tells how long they are.

        untold: what the types of these columns say. The types of the results are the same, whatever the lengths.
        """
        wrong: Exception | None = None
        for assumed in _LENGTHS:
            guess = dict(shapes)
            for name, sizes in untold:
                guess[name] = tuple(assumed if size is None else size for size in sizes)
                declared = self.program.shapes.get(name, ())
                if len(declared) == len(sizes):
                    guess[name] = declared
            try:
                self._bind(tuple(guess.items()), available)
            except (ShapeError, ArgumentError) as error:
                wrong = wrong or error
            else:
                return tuple(guess.items())
        name, sizes = untold[0]
        example = f"{name}: [{', '.join('3' for _ in sizes)}]; …"
        raise DataError(f"no row tells how long the lists in column '{name}' are",
                        hint=f"declare it in the program, as in: {example}") from wrong  # fmt: skip

    def __reduce__(self) -> tuple[object, ...]:
        values = tuple((name, np.shape(value), np.asarray(value).tobytes()) for name, value in self._values.items())
        wrt = None if self._wrt is None else tuple(self._wrt)
        return _rebuilt, (self.program.__reduce__()[1], wrt, values, self._threads, self._on_error)

    def __repr__(self) -> str:
        return f"<function of columns, of the program {self.program.text!r}>"


def _is_batch(columns: Any) -> bool:
    """Whether it is a record batch; a table has several."""
    return hasattr(columns, "num_rows") and hasattr(columns, "to_pydict") and not hasattr(columns, "to_batches")


def _are_columns(columns: Any) -> bool:
    return isinstance(columns, Mapping) or _is_batch(columns) or hasattr(columns, "__arrow_c_stream__")


def _no_columns(given: Any, takes_several: str) -> UsageError:
    """The error for what are no columns. takes_several: what takes an iterator."""
    hint = f"{takes_several} takes an iterator of batches" if hasattr(given, "__iter__") else ""
    return UsageError(
        f"columns are a record batch, a table or arrays by name, and not a '{type(given).__name__}'", hint=hint
    )


def _rows(record_batch: Any, source: str, before: int) -> Batch:
    """A record batch with the places of its rows. before: how many rows of the source come before it."""
    from cgcli.tables.batch import Batch

    return Batch(record_batch, source, lambda row: f"row {before + row + 1}")


def _sums_of_file(function: ColumnFunction, columns: Sequence[str], source: Source) -> Sums:
    """The sums over the rows of one file of many, which may lack some of the columns."""
    from cgcli.tables.dialect import AS_EVERYWHERE
    from cgcli.tables.source import batches

    found = Sums()
    for batch in batches([source], None, AS_EVERYWHERE._replace(wanted=frozenset(columns)), columns):
        found.add(function._good_of(batch))
    return found


@lru_cache(maxsize=_MOST_REBUILT)
def _rebuilt(
    program: tuple[Any, ...], wrt: tuple[str, ...] | None,
    values: tuple[tuple[str, Shape, bytes], ...], threads: int, on_error: str,
) -> ColumnFunction:  # fmt: skip
    """The function again, from its parts."""
    arrays = {name: np.frombuffer(data).reshape(shape)[()] for name, shape, data in values}
    return ColumnFunction(read_again(*program), wrt, arrays, threads, on_error)
