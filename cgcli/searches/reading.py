"""Rows that are read once and passed over again and again: which count, as arrays of what the programs read."""

from __future__ import annotations

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Collection, Iterable, Iterator, Mapping, Sequence
from cgcli.api.columns import Bound
from cgcli.api.point import Point
from cgcli.errors import DataError, UsageError
from cgcli.evaluate.batched import Batched
from cgcli.graph.node import name_of
from cgcli.searches.parameters import Parameters
from cgcli.tables.kept import MOST_BYTES, Kept

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.graph.node import Node
    from cgcli.tables.batch import Batch

    Floats = NDArray[np.float64]


class Weights(Bound):
    """The weights of rows. is_sigma: the program is the standard deviation of a row, and not its weight."""

    def __init__(self, point: Point, threads: int, *, is_sigma: bool) -> None:
        if len(point.graph.outputs) != 1 or point.graph.output.shape:
            raise UsageError("a weight is one number for each row")
        super().__init__(point, [("weight", point.graph.output)], threads)
        self._is_sigma = is_sigma

    def of(self, batch: Batch, good: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_], DataError | None]:
        """The weights of rows, which of the good rows have one, and what is wrong with the first that has none."""
        computed = self(batch)
        (weight,) = computed.arrays
        least = weight > 0 if self._is_sigma else weight >= 0
        fine = least & np.isfinite(weight)
        fine[list(computed.unread)] = False
        error = None
        if not fine.all():
            row = int(np.argmin(fine))
            if row in computed.unread or row in computed.nan:
                error = self.error(batch, row, computed)
            else:
                what = "a standard deviation is positive" if self._is_sigma else "a weight is 0 or more"
                error = DataError(f"{batch.at(row)}: {what}, and this one is {weight[row]:g}")
        if self._is_sigma:
            weight = np.where(fine, weight, 1.0) ** -2.0
        return weight, good & fine, error


class Read:
    """Rows that were read. groups: those of each value of a column, under "" where all belong together.

    rows: how many count; total: how many there were; bad: how many were left out; first: what was wrong with the first
    of them.
    """

    def __init__(self) -> None:
        self.groups: dict[str, Kept] = {}
        self.rows = self.total = self.bad = 0
        self.first = ""

    def add(self, rows: int, total: int, bad: int, first: str) -> None:
        """Count others, too."""
        self.rows, self.total, self.bad = self.rows + rows, self.total + total, self.bad + bad
        self.first = self.first or first

    def check(self, what: str) -> None:
        """Raise DataError where no row is left. what: there are none for it."""
        if not self.rows:
            raise DataError(
                f"there are no rows to {what}{f'; the first of {self.bad}: {self.first}' if self.bad else ''}"
            )

    def notes(self) -> list[str]:
        """Sentences on rows that were left out, and on those that memory does not hold."""
        found = []
        if self.bad:
            found.append(f"{self.bad} of {self.total} rows are left out; the first: {self.first}")
        if any(kept.spilled for kept in self.groups.values()):
            found.append("the rows do not fit into the memory for them, and wait in a temporary file")
        return found


def read_rows(
    batches: Iterable[Batch], first: Bound, *, weights: Weights | None = None, by: str | None = None,
    on_error: str = "fail", most_bytes: int = MOST_BYTES,
) -> Read:  # fmt: skip
    """The rows, kept as arrays of the columns that `first` reads, and of their weights behind these.

    first: what is to be finite at the start. by: a column, for whose every value rows are kept apart. on_error: fail,
    or skip, which leaves out rows with cells that are no numbers. most_bytes: in memory, of each group.
    Raises DataError for such rows, for a weight that is
    none, and for a row with a result that is not finite.
    """
    found = Read()
    for batch in batches:
        if not len(batch):
            continue
        found.add(0, len(batch), 0, "")
        columns = first.read(batch)
        arrays = [column.values for column in columns.values()]
        good, error = _readable(batch, columns)
        if weights is not None:
            weight, good, worse = weights.of(batch, good)
            arrays.append(weight)
            error = error or worse
        if error is not None:
            if on_error == "fail":
                raise error
            found.add(0, 0, len(batch) - int(good.sum()), error.message)
        kept = batch if good.all() else batch.those(good)
        if not len(kept):
            continue
        _check_start(kept, first)
        arrays = arrays if kept is batch else [array[good] for array in arrays]
        found.add(len(kept), 0, 0, "")
        if by is None:
            found.groups.setdefault("", Kept(most_bytes)).add(arrays, len(kept), batch.source)
        else:
            for key, rows in _rows_of_groups(kept, by).items():
                group = found.groups.setdefault(key, Kept(most_bytes))
                group.add([array[rows] for array in arrays], len(rows), batch.source)
    return found


def _check_start(batch: Batch, first: Bound) -> None:
    computed = first(batch)
    if rows := [*computed.nan, *computed.infinite]:
        error = first.error(batch, int(min(rows)), computed)
        error.message += ", at the start"
        error.hint = error.hint or "start elsewhere"
        raise error


def _readable(batch: Batch, columns: Mapping[str, Any]) -> tuple[NDArray[np.bool_], DataError | None]:
    """Which rows have finite numbers in all columns, and what is wrong with the first that has not."""
    good = np.ones(len(batch), np.bool_)
    for column in columns.values():
        good &= np.isfinite(column.values).reshape(len(batch), -1).all(axis=1)
        good[list(column.bad)] = False
    good[list(batch.bad)] = False
    if good.all():
        return good, None
    row = int(np.argmin(good))
    why = batch.bad.get(row) or next((column.bad.get(row) or column.beyond.get(row) for column in columns.values()
                                      if row in column.bad or row in column.beyond), None)  # fmt: skip
    if why is None:
        name = next(name for name, column in columns.items() if not np.isfinite(column.values[row]).all())
        why = f"column '{name}' holds {columns[name].values[row]}"
    return good, DataError(f"{batch.at(row)}: {why}", hint="--on-error skip leaves such rows out")


def _rows_of_groups(batch: Batch, by: str) -> dict[str, list[int]]:
    """The rows with each value of a column. Raises DataError where there is no such column."""
    found: dict[str, list[int]] = {}
    for row, value in enumerate(batch.texts(by)):
        found.setdefault(value, []).append(row)
    return found


class Passes:
    """Nodes of a point at rows that were kept, and at any values of the parameters.

    others: variables besides those of the point, which have a value for all rows.
    """

    def __init__(
        self, point: Point, parameters: Parameters, nodes: Sequence[Node], threads: int, others: Sequence[Node] = ()
    ) -> None:
        columns = [node for node in point.inputs if name_of(node) in point.columns]
        self.columns = [name_of(node) for node in columns]
        self._parameters, self._threads = parameters, threads
        moving = {*columns, *parameters.nodes}
        self._held = {node: point.bindings[name_of(node)] for node in point.inputs if node not in moving}
        zeros = {node: np.zeros(node.shape) for node in others}
        start = dict(zip(parameters.nodes, parameters.arrays(parameters.start), strict=True))
        self._others = [*others]
        self._run = Batched(nodes, columns, {**self._held, **start, **zeros})

    def at(self, values: Floats, others: Sequence[Any] = ()) -> Batched:
        """The nodes as a function of the columns."""
        moved = zip(self._parameters.nodes, self._parameters.arrays(values), strict=True)
        return self._run.at({**self._held, **dict(moved), **dict(zip(self._others, others, strict=True))})

    def over(self, rows: Iterable[Sequence[Any]], values: Floats, others: Sequence[Any] = ()) -> Iterator[Any]:
        """For each block of rows its arrays behind the columns, and the values of the nodes."""
        run, count = self.at(values, others), len(self.columns)
        for arrays in rows:
            yield arrays[count:], run(arrays[:count], len(arrays[0]), threads=self._threads)


def check_apart(names: Collection[str], first: Sequence[Batch]) -> None:
    """Raise UsageError for a parameter that is a column, too. first: the first batches."""
    for name in names:
        if any(batch.has(name) for batch in first):
            raise UsageError(f"'{name}' has a start, and is a column of {first[0].source}, too",
                             hint=f"to read the column, leave out {name}=…; to hold it, write {name}==…")  # fmt: skip
