"""A program over columns: its results for many rows, and which rows have none."""

from __future__ import annotations

import math
import re

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Mapping, Sequence
from cgcli.api.cells import Column, column_of
from cgcli.api.events import advice, sentence
from cgcli.api.notices import Notice
from cgcli.api.point import Point
from cgcli.api.seeds import cotangents as scalar_cotangents
from cgcli.derivatives.gradient import derivative_name, elasticities, gradients
from cgcli.derivatives.series import directional_derivatives
from cgcli.errors import DataError, UnknownNameError, UsageError, did_you_mean
from cgcli.evaluate.batched import Batched
from cgcli.evaluate.constants import constant_of
from cgcli.evaluate.evaluate import evaluate_all
from cgcli.evaluate.notes import births
from cgcli.graph.node import CONSTANT, Node, constant, name_of, toposort
from cgcli.lowering.free_names import calls_on_names
from cgcli.ops.arithmetic import DIVIDE
from cgcli.ops.lazily import np
from cgcli.ops.table import CONSTANTS, entries_of
from cgcli.records import NamedTuple
from cgcli.transform.differentiate import pullback
from cgcli.transform.exact import exact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.tables.batch import Batch

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_COMMENTS = ("#", "%", "!")  # what a first line begins with that is no header
_SEPARATORS = {";": "';'", "|": "'|'", "\t": "tab", " ": "blanks"}  # of CSV, with their names in options
_MOST_NODES = 10_000  # of derivatives of higher order
_SHOWN = 12  # names of columns in a message
_NEEDS_BACKTICKS = re.compile(r"[^\w.\[\]]|^(\d|$)")  # a path, and an element of a column, need none


Results = Sequence[tuple[str, Node]]
"""What is computed for each row, under the names of its columns."""


def results(
    point: Point, wrt: Sequence[Node], cotangents: Sequence[Node] | None = None, *,
    called: str = "value", prefix: str = "d_", elasticity: bool = False,
) -> Results:  # fmt: skip
    """Each output and its derivatives by some inputs.

    cotangents: a node for each output, of its shape; 1 for scalars unless given. called: the name of an
    only output. prefix: what the names of derivatives begin with. elasticity: put one behind each derivative.
    Raises UsageError for two results of one name, and for an output that is no scalar and has no cotangent where there
    are derivatives.
    """
    outputs = point.graph.outputs
    every: list[tuple[str, Sequence[Sequence[Node]]]] = []
    if wrt:
        weights = cotangents or scalar_cotangents(point.graph)
        every = [(prefix, gradients(outputs, weights, wrt))]
        if elasticity:
            every.append(("e_", elasticities(outputs, weights, wrt, every[0][1])))
    found: list[tuple[str, Node]] = []
    for at, (name, output) in enumerate(zip(point.graph.names or ("",), outputs, strict=True)):
        found.append((name or called, output))
        for place, by in enumerate(wrt):
            found += [(derivative_name(name, name_of(by), before), rows[at][place]) for before, rows in every]
    return _apart(found)


def orders(
    point: Point, directions: Sequence[Mapping[Node, Node]], called: Callable[[str, int], str], *, taylor: bool
) -> Results:
    """Each output and its derivatives along the first direction, the first two, and so on; or Taylor coefficients.

    called: what the derivative of an order, from 0 on, of an output is called, which is '' where it is the only one.
    Raises TooLargeError when the formulas grow beyond bounds.
    """
    every = directional_derivatives(point.graph.outputs, directions, _MOST_NODES)
    return _apart([
        (called(name, k), exact(DIVIDE, (node, constant(float(math.factorial(k))))) if taylor else node)
        for name, nodes in zip(point.graph.names or ("",), zip(*every, strict=True), strict=True)
        for k, node in enumerate(nodes)
    ])  # fmt: skip


def second_derivatives(point: Point, wrt: Sequence[Node], cotangents: Sequence[Node], called: str) -> Results:
    """The outputs, and the second derivatives of their weighted sum by each pair of numbers, `h_x_y`.

    Raises UsageError for arrays.
    """
    arrays = [name_of(node) for node in wrt if node.shape]
    if arrays:
        raise UsageError(f"over rows, second derivatives are by numbers, and '{arrays[0]}' is an array",
                         hint="give each of its elements a name, or differentiate by others")  # fmt: skip
    found = [
        (name or called, output) for name, output in zip(point.graph.names or ("",), point.graph.outputs, strict=True)
    ]
    slopes = pullback(point.graph.outputs, cotangents, wrt)
    for at, (node, slope) in enumerate(zip(wrt, slopes, strict=True)):
        second = pullback([slope], [constant(1.0)], wrt[at:])
        found += [(f"h_{name_of(node)}_{name_of(by)}", item) for by, item in zip(wrt[at:], second, strict=True)]
    return _apart(found)


def _apart(found: Results) -> Results:
    """The results. Raises UsageError for two of one name."""
    names = [name for name, _ in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"two results are called '{twice}'", hint="name them in the program, as in: a = x; (a, x^2)")
    return found


class Computed(NamedTuple):
    """The results for a batch.

    arrays: of shape (rows, *shape), one for each result. unread: rows with a cell that cannot be read,
    and why. nan, infinite: rows, in ascending order, whose results are so though their cells are not. beyond: rows with
    a cell whose number is beyond float64, and which.
    """

    arrays: list[NDArray[np.float64]]
    unread: Mapping[int, str]
    nan: NDArray[np.int64]
    infinite: NDArray[np.int64]
    beyond: Mapping[int, str]


class Bound:
    """A program at a point of which some names are columns: called with a batch, it gives the results.

    The columns are the inputs that have a shape and no value. Raises what `Batched` raises.
    """

    def __init__(self, point: Point, results: Results, threads: int) -> None:
        self.results = results
        self.names = [name for name, _ in results]
        self.threads = threads
        self._point = point
        self._nodes = [node for _, node in results]
        varying = [node for node in point.inputs if name_of(node) in point.columns]
        fixed = {node: point.bindings[name_of(node)] for node in point.inputs if node not in varying}
        self._columns = {name_of(node): node.shape for node in varying}
        self._batched = Batched(self._nodes, varying, fixed)
        constants = [constant_of(node) for node in toposort(self._nodes) if node.op is CONSTANT]
        self._nan_is_given = any(np.isnan(value).any() for value in [*constants, *fixed.values()])

    def of_arrays(self, columns: Mapping[str, Any], rows: int) -> list[NDArray[np.float64]]:
        """The results for arrays of shape (rows, *shape), by name."""
        return self._batched([columns[name] for name in self._columns], rows, threads=self.threads)

    def read(self, batch: Batch) -> dict[str, Column]:
        """The columns of a batch that the program reads, and what their bad rows hold."""
        return {name: column_of(batch, name, shape) for name, shape in self._columns.items()}

    def __call__(self, batch: Batch) -> Computed:
        """The results for the rows of a batch. Raises DataError for a column that is not there, or twice."""
        found = self.read(batch)
        unread: Mapping[int, str] = batch.bad
        beyond: Mapping[int, str] = {}
        for column in found.values():
            unread = {**column.bad, **unread} if unread else column.bad
            beyond = {**column.beyond, **beyond} if beyond else column.beyond
        inputs = [column.values for column in found.values()]
        arrays = self._batched(inputs, len(batch), threads=self.threads)
        if all(np.isfinite(array).all() for array in arrays):
            none = np.zeros(0, np.int64)
            return Computed(arrays, unread, none, none, beyond)
        given_nan, given_infinite = _some(np.isnan, inputs, len(batch)), _some(np.isinf, inputs, len(batch))
        given_nan[list(unread)] = True
        nan = _some(np.isnan, arrays, len(batch)) & ~given_nan & (not self._nan_is_given)
        infinite = _some(np.isinf, arrays, len(batch)) & ~(nan | given_nan | given_infinite)
        return Computed(arrays, unread, np.flatnonzero(nan), np.flatnonzero(infinite), beyond)

    def notices(self) -> Iterator[Notice]:
        """What is to be told in the end, when all batches have been computed: nothing."""
        return iter(())

    def error(self, batch: Batch, row: int, computed: Computed) -> DataError:
        """Why a row is bad: what its cells hold, or the operation that gives a nan or an infinity."""
        why = computed.unread.get(row, computed.beyond.get(row))
        if why is not None:
            return DataError(f"{batch.at(row)}: {why}")
        kind = "nan" if row in computed.nan else "infinity"
        cells = {name: column.values[row] for name, column in self.read(batch).items()}
        values = evaluate_all(self._nodes, {**self._point.bindings, **cells})
        note = next((note for note in births(self._nodes, values) if note.kind == kind), None)
        if note is None:
            return DataError(f"{batch.at(row)}: a result is {'nan' if kind == 'nan' else 'infinite'}")
        graph = self._point.graph
        span = graph.origins.get(note.node)
        what = sentence(note, in_derivative=span is None)
        return DataError(f"{batch.at(row)}: {what}", span, source=graph.source, hint=advice(note))


def check_columns(point: Point, available: Iterable[str]) -> None:
    """Raise UnknownNameError for names that are neither bound nor columns. available: all columns that there are."""
    try:
        point.check_complete()
    except UnknownNameError as error:
        columns = list(available)
        missing = next(name for name in point.names if name not in point.shapes)
        near = did_you_mean(missing, columns)
        error.hint = " ".join(filter(None, [near, f"the columns are: {listed_columns(columns) or 'none'}"]))
        error.topic = topic_of(columns)
        raise


def listed_columns(columns: Sequence[str]) -> str:
    """The first columns as a program writes them: in backticks, where a name is none without."""
    written = [f"`{name}`" if _NEEDS_BACKTICKS.search(name) else name for name in columns[:_SHOWN]]
    return ", ".join(written) + ", …" * (len(columns) > _SHOWN)


def topic_of(columns: Sequence[str]) -> str:
    """What the names of columns tell of how they should have been read; "" for nothing."""
    if columns and all(_NUMBER.fullmatch(name.strip()) for name in columns):
        return f"header:{', '.join(columns[:_SHOWN])}{', …' * (len(columns) > _SHOWN)}"
    if columns and columns[0].lstrip()[:1] in _COMMENTS:
        return f"comment:{columns[0].lstrip()[0]}"
    if len(columns) == 1 and (sign := next((sign for sign in _SEPARATORS if sign in columns[0].strip()), "")):
        return f"separator:{_SEPARATORS[sign]}"
    return ""


def column_notices(point: Point, batches: Sequence[Batch]) -> Iterator[Notice]:
    """Notices of columns whose name is also that of a value or a constant, and of sums over one number.

    batches: the first ones.
    """
    for name in point.names:
        if name in point.bindings and any(batch.has(name) for batch in batches):
            yield Notice(f"'{name}' has a value for all rows, so its column is not read", details={"kind": "column"})
    for name in point.columns:
        if name in CONSTANTS:
            yield Notice(f"'{name}' is the column here, and not the constant", details={"kind": "column"})
    over_rows = {name_of(node) for node in point.inputs if name_of(node) in point.columns and not node.shape}
    for call, name in calls_on_names(point.program.syntax, _is_along_an_axis):
        if name in over_rows:
            yield Notice(f"{call.function}({name}) is computed for each row, of its one number",
                         "for all rows at once: --vars FILE instead of FILE, or --whole",
                         call.span, {"kind": "row"})  # fmt: skip
            break


def _is_along_an_axis(function: str) -> bool:
    """Whether a built-in function with one array goes along an axis of it, as a sum."""
    return any(len(entry.arrays) == 1 and any(static.name == "axis" for static in entry.statics)
               for entry in entries_of(function))  # fmt: skip


def _some(test: Any, arrays: Iterable[NDArray[np.float64]], rows: int) -> NDArray[np.bool_]:
    """In which rows the test holds for some number."""
    mask = np.zeros(rows, np.bool_)
    for array in arrays:
        mask |= test(array).reshape(rows, -1).any(axis=1)
    return mask
