"""An equation as a model of rows: its residuals and their exact Jacobian by the parameters, a batch at a time."""

from __future__ import annotations

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, Sequence
from cgcli.api.columns import Bound, Computed, check_columns
from cgcli.api.point import Point
from cgcli.errors import CgError, DataError, UnknownNameError, UsageError, did_you_mean
from cgcli.evaluate.batched import Batched
from cgcli.fitting.summary import Summary, summary
from cgcli.graph.node import constant, constant_value, name_of
from cgcli.graph.shapes import element_names, shape_text
from cgcli.ops.arithmetic import SUBTRACT
from cgcli.tables.kept import Kept
from cgcli.transform.differentiate import pullback
from cgcli.transform.exact import exact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.fitting.losses import Loss
    from cgcli.graph.node import Node
    from cgcli.tables.batch import Batch

    Floats = NDArray[np.float64]

_SHOWN = 12  # names in a message


class Model:
    """The equation at a point, where its parameters have their starts and its columns vary.

    names: of what is to be found, among those that have a value. weights: a program of one number for each row, at a
    point of its own; is_sigma: it is the standard deviation of the row and not its weight. Raises UsageError for sides
    that are no numbers, and where there is nothing to find.
    """

    def __init__(
        self, point: Point, names: Sequence[str], weights: Point | None, *, is_sigma: bool, threads: int
    ) -> None:
        self.point = point
        sides = dict(zip(("left", "right"), point.graph.outputs, strict=True))
        for side, node in sides.items():
            if node.shape:
                raise UsageError(f"the {side} side has shape {shape_text(node.shape)}, and a row gives one number",
                                 hint="as in: y = w @ x, with x a column of lists")  # fmt: skip
        self.parameters = [node for node in point.inputs if name_of(node) in names]
        if not self.parameters:
            raise UsageError("there is nothing to fit: no name of the equation has a start",
                             hint="give its parameters a value to begin with, as in: a=1")  # fmt: skip
        self.residual = exact(SUBTRACT, (sides["right"], sides["left"]))
        self.slopes = pullback([self.residual], [constant(1.0)], self.parameters)
        self.left, self.right = sides.values()
        self._columns = [node for node in point.inputs if name_of(node) in point.columns]
        self._threads = threads
        self._passes = Batched([self.residual, self.left, *self.slopes], self._columns, self._fixed({}))
        self._weights = None
        self._is_sigma = is_sigma
        if weights is not None:
            if len(weights.graph.outputs) != 1 or weights.graph.output.shape:
                raise UsageError("a weight is one number for each row")
            self._weights = Bound(weights, [("weight", weights.graph.output)], threads)

    def _fixed(self, named: Mapping[str, Any]) -> dict[Node, Any]:
        """The values that hold for all rows, some of them others than at the start."""
        known = {**self.point.bindings, **named}
        return {node: known[name_of(node)] for node in self.point.inputs if node not in self._columns}

    @property
    def columns(self) -> list[str]:
        """The names whose values vary with the row, in the order in which they are kept."""
        return [name_of(node) for node in self._columns]

    @property
    def start(self) -> Floats:
        """The starts of all parameters' elements, one behind the other."""
        return np.concatenate([np.ravel(self.point.bindings[name_of(node)]) for node in self.parameters])

    @property
    def elements(self) -> list[str]:
        """What the elements are called: `b1`, `w[0]`."""
        return [name for node in self.parameters for name in element_names(name_of(node), node.shape)]

    @property
    def constant_elements(self) -> list[str]:
        """Those that the equation does not change with, wherever they are."""
        return [
            name
            for node, slope in zip(self.parameters, self.slopes, strict=True)
            if not slope.args and (constant_value(slope) == 0 or slope.op.name == "zeros")
            for name in element_names(name_of(node), node.shape)
        ]

    def named(self, values: Floats) -> dict[str, Any]:
        """The numbers of all elements, as arrays of the parameters' shapes by name, or floats."""
        found, at = {}, 0
        for node in self.parameters:
            array = values[at : at + int(np.prod(node.shape))].reshape(node.shape)
            found[name_of(node)] = array if node.shape else float(array)
            at += array.size
        return found

    # ---- reading ----------------------------------------------------------------------

    def read(self, batches: Iterable[Batch], *, by: str | None = None, on_error: str = "fail") -> _Read:
        """The rows, kept for the passes, with their weights; by: a column, for whose every value rows are kept apart.

        on_error: fail, or skip, which leaves out rows with cells that are no numbers. Raises DataError for such rows,
        for a weight that is none, and where the equation or a derivative is not finite at the start.
        """
        found = _Read()
        first = Bound(self.point, [("residual", self.residual), *(("slope", slope) for slope in self.slopes)],
                      self._threads)  # fmt: skip
        for batch in batches:
            if not len(batch):
                continue
            found.total += len(batch)
            columns = first.read(batch)
            arrays = [column.values for column in columns.values()]
            good, error = _readable(batch, first, columns)
            if self._weights is not None:
                weight, good, worse = self._weighed(batch, good)
                arrays.append(weight)
                error = error or worse
            if error is not None:
                if on_error == "fail":
                    raise error
                found.bad += len(batch) - int(good.sum())
                found.first = found.first or error.message
            kept = batch if good.all() else batch.those(good)
            if not len(kept):
                continue
            self._check_start(kept, first)
            arrays = arrays if kept is batch else [array[good] for array in arrays]
            if by is None:
                found.groups.setdefault("", Kept()).add(arrays, len(kept))
            else:
                for key, rows in _rows_of_groups(kept, by).items():
                    found.groups.setdefault(key, Kept()).add([array[rows] for array in arrays], len(rows))
        return found

    def _check_start(self, batch: Batch, first: Bound) -> None:
        computed = first(batch)
        if rows := [*computed.nan, *computed.infinite]:
            error = first.error(batch, int(min(rows)), computed)
            error.message += ", at the start"
            error.hint = error.hint or "start elsewhere"
            raise error

    def _weighed(self, batch: Batch, good: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_], DataError | None]:
        """The weights of rows, which of the good rows have one, and what is wrong with the first that has none."""
        assert self._weights is not None
        computed = self._weights(batch)
        (weight,) = computed.arrays
        least = weight > 0 if self._is_sigma else weight >= 0
        fine = least & np.isfinite(weight)
        fine[list(computed.unread)] = False
        error = None
        if not fine.all():
            row = int(np.argmin(fine))
            if row in computed.unread or row in computed.nan:
                error = self._weights.error(batch, row, computed)
            else:
                what = "a standard deviation is positive" if self._is_sigma else "a weight is 0 or more"
                error = DataError(f"{batch.at(row)}: {what}, and this one is {weight[row]:g}")
        if self._is_sigma:
            weight = np.where(fine, weight, 1.0) ** -2.0
        return weight, good & fine, error

    # ---- passes -----------------------------------------------------------------------

    def blocks(self, values: Floats, rows: Kept) -> Iterator[tuple[Floats, Floats, Floats | None]]:
        """[J r] of each block of rows, times the roots of the weights; the left sides; the weights, None for 1."""
        run = self._passes.at(self._fixed(self.named(values)))
        for arrays in rows:
            columns = arrays[: len(self._columns)]
            weights = arrays[-1] if self._weights is not None else None
            residual, left, *slopes = run(columns, len(arrays[0]), threads=self._threads)
            block = np.column_stack([*(slope.reshape(len(residual), -1) for slope in slopes), residual])
            yield block if weights is None else block * np.sqrt(weights)[:, None], left, weights

    def at(self, values: Floats, rows: Kept, loss: Loss | None) -> Summary | None:
        """The summary of all rows at some values of the parameters; None where a number of it is not finite."""
        found: Summary | None = None
        for block, left, weights in self.blocks(values, rows):
            with np.errstate(over="ignore", invalid="ignore"):
                scaled, cost = (block, None) if loss is None else loss.scaled(block)
                part = summary(scaled, left, weights, cost)
            if not np.isfinite(part.cost) or not np.isfinite(part.triangle).all():
                return None
            found = part if found is None else found.merged(part)
        return found


class _Read:
    """Rows that were read. groups: those of each value of a column, under "" where all belong together.

    total: how many there were; bad: how many were left out; first: what was wrong with the first of them.
    """

    def __init__(self) -> None:
        self.groups: dict[str, Kept] = {}
        self.total = self.bad = 0
        self.first = ""


def _readable(batch: Batch, bound: Bound, columns: Mapping[str, Any]) -> tuple[NDArray[np.bool_], DataError | None]:
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
    hint = "--on-error skip leaves such rows out"
    return good, DataError(f"{batch.at(row)}: {why}", hint=hint)


def _rows_of_groups(batch: Batch, by: str) -> dict[str, list[int]]:
    """The rows with each value of a column. Raises DataError where there is no such column."""
    found: dict[str, list[int]] = {}
    for row, value in enumerate(batch.texts(by)):
        found.setdefault(value, []).append(row)
    return found


def check_starts(point: Point, available: Sequence[str]) -> None:
    """Raise UnknownNameError for names that are neither columns nor have a value. available: the columns."""
    try:
        check_columns(point, available)
    except UnknownNameError as error:
        raise _no_start(error, available) from None


def _no_start(error: CgError, available: Sequence[str]) -> CgError:
    """The error for names without a value, in the words of a fit."""
    missing = error.message.removeprefix("no value for ")
    first = missing.split("'")[1]
    listed = ", ".join(available[:_SHOWN]) + ", …" * (len(available) > _SHOWN)
    starts = " ".join(f"{name}=1" for name in missing.split("'")[1::2])
    error.message = f"{missing} {'are' if ',' in missing else 'is'} no column, and without a start"
    error.hint = (
        did_you_mean(first, available) or f"give each a start, as in: {starts}; the columns are: {listed or 'none'}"
    )
    error.topic = ""
    return error


class Predictions(Bound):
    """What a fit says of each row: the right side, the residual, the standard error and an interval of the former.

    root: of the covariance of the parameters, C with C C' the covariance. times: how many standard errors the interval
    takes to each side.
    """

    def __init__(self, model: Model, values: Floats, root: Floats, times: float, threads: int) -> None:
        results = [("fit", model.right), ("residual", model.residual), *(("slope", slope) for slope in model.slopes)]
        point = model.point
        super().__init__(point._replace(bindings={**point.bindings, **model.named(values)}), results, threads)
        self.names = ["fit", "residual", "std_error", "low", "high"]
        self._root, self._times = root, times

    def __call__(self, batch: Batch) -> Computed:
        """The results for the rows of a batch."""
        computed = super().__call__(batch)
        return computed._replace(arrays=self._told(computed.arrays))

    def of_arrays(self, columns: Mapping[str, Any], rows: int) -> list[Floats]:
        """The results for arrays of shape (rows, *shape), by name."""
        return self._told(super().of_arrays(columns, rows))

    def _told(self, arrays: Sequence[Floats]) -> list[Floats]:
        fit, residual, *slopes = arrays
        slope = np.column_stack([each.reshape(len(fit), -1) for each in slopes])
        error = np.linalg.norm(slope @ self._root, axis=1)
        return [fit, residual, error, fit - self._times * error, fit + self._times * error]
