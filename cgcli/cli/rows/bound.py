"""A program bound to columns: the results for many rows, and which rows have none, and why."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cgcli.cli.point import Point
from cgcli.cli.report import advice, sentence
from cgcli.errors import DataError, UnknownNameError, did_you_mean
from cgcli.evaluate.batched import Batched
from cgcli.evaluate.constants import constant_of
from cgcli.evaluate.evaluate import evaluate_all
from cgcli.evaluate.notes import births
from cgcli.graph.node import CONSTANT, Node, name_of, toposort
from cgcli.graph.shapes import shape_text
from cgcli.lowering.inputs import check_bound
from cgcli.tables.numbers import NULL, Numbers, numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.graph.operation import Shape
    from cgcli.tables.batch import Batch, Elements

_NONE = np.zeros(0, np.int64)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_MOST_HELD = 16  # batches without a good row, before a column is taken for one of numbers
_SHOWN = 12  # names of columns in a message


class Computed(NamedTuple):
    """The results for a batch.

    arrays: of shape (rows, *shape), one for each result. unread: rows whose cells are not what they should be,
    and why. nan, infinite: rows, in ascending order, whose results are so though their cells are not.
    """

    arrays: list[NDArray[np.float64]]
    unread: Mapping[int, str]
    nan: NDArray[np.int64]
    infinite: NDArray[np.int64]


class Bound:
    """A program at a point of which some names are columns: called with a batch, it gives the results.

    results: what is computed, and what it is called. columns: the shapes of the names that are columns.
    Raises what `Batched` raises.
    """

    def __init__(
        self, point: Point, results: Sequence[tuple[str, Node]], columns: Mapping[str, Shape], threads: int
    ) -> None:
        self.results = results
        self.names = [name for name, _ in results]
        self._point = point
        self._nodes = [node for _, node in results]
        self.threads = threads
        varying = [node for node in point.inputs if name_of(node) in columns]
        fixed = {node: point.bindings[name_of(node)] for node in point.inputs if node not in varying}
        self._columns = {name_of(node): node.shape for node in varying}
        self._batched = Batched(self._nodes, varying, fixed)
        constants = [constant_of(node) for node in toposort(self._nodes) if node.op is CONSTANT]
        self._nan_is_given = any(np.isnan(value).any() for value in [*constants, *fixed.values()])

    def __call__(self, batch: Batch) -> Computed:
        """The results for the rows of a batch. Raises DataError for a column that is not there, or twice."""
        found = {name: column_numbers(batch, name, shape) for name, shape in self._columns.items()}
        unread = dict(batch.bad)
        for column in found.values():
            for row, what in column.bad.items():
                unread.setdefault(row, what)
        inputs = [column.values for column in found.values()]
        arrays = self._batched(inputs, len(batch), threads=self.threads)
        if all(np.isfinite(array).all() for array in arrays):
            return Computed(arrays, unread, _NONE, _NONE)
        given_nan, given_infinite = _some(np.isnan, inputs, len(batch)), _some(np.isinf, inputs, len(batch))
        given_nan[list(unread)] = True
        nan = _some(np.isnan, arrays, len(batch)) & ~given_nan & (not self._nan_is_given)
        infinite = _some(np.isinf, arrays, len(batch)) & ~(nan | given_nan | given_infinite)
        return Computed(arrays, unread, np.flatnonzero(nan), np.flatnonzero(infinite))

    def error(self, batch: Batch, row: int, computed: Computed) -> DataError:
        """Why a row is bad: what its cells hold, or the operation that gives a nan or an infinity."""
        why = computed.unread.get(row)
        if why is not None:
            return DataError(f"{batch.at(row)}: {why}")
        kind = "nan" if row in computed.nan else "infinity"
        cells = {name: column_numbers(batch, name, shape, row).values[0] for name, shape in self._columns.items()}
        values = evaluate_all(self._nodes, {**self._point.bindings, **cells})
        note = next((note for note in births(self._nodes, values) if note.kind == kind), None)
        if note is None:
            return DataError(f"{batch.at(row)}: a result is {'nan' if kind == 'nan' else 'infinite'}")
        graph = self._point.graph
        span = graph.origins.get(note.node)
        what = sentence(note, derived=span is None)
        return DataError(f"{batch.at(row)}: {what}", span, source=graph.source, hint=advice(note))


def check_names(point: Point, columns: Iterable[str], available: Sequence[str]) -> None:
    """Raise UnknownNameError for names that are neither bound nor columns. available: all columns that there are."""
    try:
        check_bound(point.graph, {*point.bindings, *columns})
    except UnknownNameError as error:
        missing = next(name_of(node) for node in point.inputs if name_of(node) not in {*point.bindings, *columns})
        listed = ", ".join(available[:_SHOWN]) + ", …" * (len(available) > _SHOWN)
        near = did_you_mean(missing, available)
        columns_are = " ".join([*([near] if near else []), f"the columns are: {listed or 'none'}"])
        error.hint = _other_way_to_read(available) or columns_are
        raise


def _other_way_to_read(available: Sequence[str]) -> str:
    """What to do about columns whose names look as if they were none."""
    if available and all(_NUMBER.fullmatch(name.strip()) for name in available):
        return f"the columns are called {', '.join(available[:_SHOWN])}: --no-header, if these are no names"
    if len(available) == 1 and ";" in available[0]:
        return f"the only column is '{available[0]}': mlr --icsv --ifs ';' --ocsv cat puts commas between cells"
    return ""


def first_shapes(
    batches: Iterable[Batch], names: Sequence[str], *, patient: bool, constants: Collection[str] = ()
) -> tuple[list[Batch], dict[str, Shape]]:
    """The batches up to where it is known which names are columns, and the shape that each has in a row.

    patient: whether to look for a good row behind bad ones, for some batches. constants: names that need no column.
    """
    held: list[Batch] = []
    shapes: dict[str, Shape] = {}
    present: set[str] = set()
    for batch in batches:
        held.append(batch)
        present |= {name for name in names if batch.has(name)}
        shapes |= {name: shape for name in present.difference(shapes) if (shape := _shape(batch, name)) is not None}
        expected = present if batch.objects is None else present.union(names).difference(constants)
        if len(batch) and (not patient or expected.issubset(shapes) or len(held) == _MOST_HELD):
            break
    return held, {name: shapes.get(name, ()) for name in names if name in present}


def column_numbers(batch: Batch, name: str, shape: Shape | None = None, row: int | None = None) -> Numbers:
    """A column of a batch, or one cell of it, as numbers, and what is to be said of bad rows.

    An array may have a column for each element. Raises DataError when there is no such column.
    """
    rows = slice(None) if row is None else slice(row, row + 1)
    elements = None if batch.position(name) is not None else batch.elements(name)
    if elements is None:
        return _described(numbers(batch.column(name)[rows], shape), name, batch)
    if shape is not None and shape != elements.shape:
        count = len(batch) if row is None else 1
        why = f"'{name}' has shape {shape_text(elements.shape)} here, and {shape_text(shape)} in the rows before"
        return Numbers(np.full((count, *shape), np.nan), dict.fromkeys(range(count), why))
    return _of_elements(batch, elements, rows)


def _of_elements(batch: Batch, elements: Elements, rows: slice) -> Numbers:
    """The arrays of which each element has a column."""
    names, columns = batch.columns.schema.names, batch.columns.columns  # lists that pyarrow makes anew each time
    found = [
        _described(numbers(columns[position][rows], ()), names[position].strip(), batch)
        for position in elements.positions
    ]
    values = np.stack([column.values for column in found], axis=1)
    bad = {at: what for column in reversed(found) for at, what in column.bad.items()}
    return Numbers(values.reshape(len(values), *elements.shape), bad)


def _described(column: Numbers, name: str, batch: Batch) -> Numbers:
    """The same numbers; of a bad row it is said what the column holds there."""
    said = {row: f"column '{name}' holds {what}" for row, what in column.bad.items()}
    if batch.objects is not None:
        said |= {row: f"there is no '{name}', or it is null" for row, what in column.bad.items() if what == NULL}
    return column._replace(bad=said)


def _shape(batch: Batch, name: str) -> Shape | None:
    """The shape of a cell; None where no row of the batch tells."""
    if batch.position(name) is None and (elements := batch.elements(name)):
        return elements.shape
    found = column_numbers(batch, name)
    if len(found.bad) < len(batch):
        return found.values.shape[1:]
    kind = str(batch.column(name).type)
    return None if "list" in kind or kind == "null" else ()


def _some(test: Any, arrays: Iterable[NDArray[np.float64]], rows: int) -> NDArray[np.bool_]:
    """In which rows the test holds for some number."""
    mask = np.zeros(rows, np.bool_)
    for array in arrays:
        mask |= test(array).reshape(rows, -1).any(axis=1)
    return mask
