"""Minima: values of names that make what a program gives least, at one point or over rows; constraints."""

from __future__ import annotations

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Collection, Iterable, Mapping, Sequence
from cgcli.api.apart import Crew
from cgcli.api.arguments import holding_kinds
from cgcli.api.columns import Bound
from cgcli.api.point import Point, at_values
from cgcli.api.program import Program, read
from cgcli.api.values import arrays_of
from cgcli.api.watched import Watched
from cgcli.errors import UsageError
from cgcli.evaluate.batched import Batched
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.elements import is_all_finite
from cgcli.fitting.descent import ENDLESS, Descent, least
from cgcli.graph.node import constant, name_of
from cgcli.graph.shapes import shape_text
from cgcli.records import EMPTY, NamedTuple
from cgcli.searches.constraints import Constraints
from cgcli.searches.data import opened
from cgcli.searches.parameters import Limits, Parameters, Search, check_starts, flat, not_finite
from cgcli.searches.parts import Parts, Rows, gathered
from cgcli.searches.reached import Reached
from cgcli.searches.reading import Passes, check_apart
from cgcli.transform.differentiate import pullback, pushforward

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.api.notices import Notice
    from cgcli.fitting.bounds import Bounds
    from cgcli.tables.batch import Batch

    Floats = NDArray[np.float64]

_KINDS = {  # what the Hessian says, in words of the search for a minimum
    "minimum": "a {minimum}: {reason}, and the Hessian is {positive}",
    "edge": "a {minimum} at the edge of what is allowed: {reason}, and the value {rises} to the inside",
    "kink": "a {minimum}: {reason}",
    "saddle": "a saddle: {reason}, and the value {falls} along a direction; start beside it",
    "maximum": "a {maximum}: {reason}, and the value {falls} in all directions; start beside it",
    "flat": "{reason}, and the value does not change along a direction: one {minimum} of many",
    "": "{reason}; the Hessian was not looked at",
}
_REACHED = ("minimum", "edge", "kink", "flat", "")


class Minimum(Reached):
    """A minimum: `minimize` makes it.

    kind: minimum, edge (at a bound or a constraint), kink (the value has no slope there), saddle, maximum, flat (it
    does not change along a direction); '' where the Hessian was not looked at. events: what is worth telling of the
    value there.
    """

    kind: str = ""

    events: Sequence[Notice] = ()

    def content(self) -> dict[str, Any]:
        """All of it as an object of JSON."""
        return {**super().content(), "kind": self.kind}


class _Way(NamedTuple):
    """Which way a search goes. sign: -1 for up. goal: what is sought; words: those that `_KINDS` has places for."""

    sign: float
    goal: str
    words: Mapping[str, str]

    def said(self, end: Descent) -> tuple[str, str]:
        """Why a search has stopped, and what kind of point that is, in words."""
        reason = "the value rises without bound" if end.reason == ENDLESS and self.sign < 0 else end.reason
        if end.converged:
            reason = _KINDS[end.kind].format(reason=reason, **self.words)
        return reason, self.words.get(end.kind, end.kind)


_DOWN = _Way(1.0, "least", {"minimum": "minimum", "maximum": "maximum", "positive": "positive",
                            "falls": "falls", "rises": "rises"})  # fmt: skip
_UP = _Way(-1.0, "greatest", {"minimum": "maximum", "maximum": "minimum", "positive": "negative",
                              "falls": "rises", "rises": "falls"})  # fmt: skip


class AtPoint:
    """What a program gives at one point, as an objective. sign: -1 where the greatest value is sought."""

    def __init__(self, point: Point, parameters: Parameters, sign: float) -> None:
        self.point, self.parameters, self.sign = point, parameters, sign
        value = point.graph.output
        slopes = pullback([value], [constant(1.0)], parameters.nodes)
        units, held = parameters.directions(), [node for node in point.inputs if node not in parameters.nodes]
        self._slopes = Compiled([value, *slopes], [*parameters.nodes, *held])
        self._held = [point.bindings[name_of(node)] for node in held]
        products = pushforward(slopes, dict(zip(parameters.nodes, units, strict=True)))
        fixed = {node: point.bindings[name_of(node)] for node in (*parameters.nodes, *held)}
        self._fixed, self._products = [*fixed], Batched(products, units, fixed)

    def slopes(self, values: Floats) -> tuple[float, Floats] | None:
        """The value and the gradient; None where a number of them is not finite."""
        found = self._slopes([*self.parameters.arrays(values), *self._held])
        if not all(map(is_all_finite, found)):
            return None
        return self.sign * float(found[0]), self.sign * flat(found[1:])

    def hessian(self, values: Floats) -> Floats:
        """The second derivatives: products with all unit vectors at once."""
        count = len(values)
        known = dict(zip(self._fixed, [*self.parameters.arrays(values), *self._held], strict=True))
        units = [np.stack(each) for each in zip(*map(self.parameters.arrays, np.eye(count)), strict=True)]
        products = self._products.at(known)(units, count)
        return self.sign * np.concatenate([each.reshape(count, -1) for each in products], axis=1)

    def tell(self, values: Floats, tell: Callable[[Notice], None]) -> None:
        """Tell of what happens at a point: a nan, an infinity, a kink."""
        bindings = {**self.point.bindings, **self.parameters.named(values)}
        watched = Watched(self.point.graph, bindings, tell)
        slopes = pullback([self.point.graph.output], [constant(1.0)], self.parameters.nodes)
        watched([self.point.graph.output, *slopes])
        watched.tell_kinks(self.parameters.nodes)


class OverRows:
    """The mean of what a program gives for rows, or the sum, as an objective."""

    weights = None

    def __init__(self, point: Point, parameters: Parameters, sign: float, threads: int, *, total: bool) -> None:
        value = point.graph.output
        self.parameters, self._sign, self._total, self._threads = parameters, sign, total, threads
        self._made = point, parameters.names, sign, threads, total
        nodes = [value, *pullback([value], [constant(1.0)], parameters.nodes)]
        units = parameters.directions()
        products = pushforward(nodes[1:], dict(zip(parameters.nodes, units, strict=True)))
        self.first = Bound(point, [("value", nodes[0]), *(("slope", node) for node in nodes[1:])], threads)
        self._slopes = Passes(point, parameters, nodes, threads)
        self._products = Passes(point, parameters, products, threads, units)
        self._rows: Rows

    def __reduce__(self) -> tuple[object, ...]:
        return _again, self._made

    def read(self, batches: Iterable[Batch] | Parts, on_error: str) -> list[str]:
        """Read the rows; sentences on them. Raises DataError as `read_rows` does, and where there are none."""
        groups, notes = gathered(self, batches, "compute the value of", on_error=on_error)
        self._rows = groups[""]
        return notes

    def _weight(self) -> float:
        return self._sign / (1 if self._total else self._rows.rows)

    def slopes(self, values: Floats) -> tuple[float, Floats] | None:
        """The value and the gradient; None where a number of them is not finite."""
        found = sum(self._rows.each("slope_sums", values)) * self._weight()
        return (float(found[0]), found[1:]) if np.isfinite(found).all() else None

    def hessian(self, values: Floats) -> Floats:
        """The second derivatives: a product with each unit vector, for one block of rows after the other."""
        return np.asarray(sum(self._rows.each("product_sums", values)) * self._weight())

    def slope_sums(self, rows: Iterable[Sequence[Any]], values: Floats) -> Floats:
        """The sums of the value and of the gradient over a part of the rows."""
        found = np.zeros(1 + len(values))
        for _, arrays in self._slopes.over(rows, values):
            found += flat([array.sum(axis=0) for array in arrays])
        return found

    def product_sums(self, rows: Iterable[Sequence[Any]], values: Floats) -> Floats:
        """The sum of the second derivatives over a part of the rows."""
        found = np.zeros((len(values), len(values)))
        runs = [self._products.at(values, self.parameters.arrays(unit)) for unit in np.eye(len(values))]
        for arrays in rows:
            for at, run in enumerate(runs):
                sums = run(arrays, len(arrays[0]), threads=self._threads)
                found[at] += flat([array.sum(axis=0) for array in sums])
        return found


def _again(point: Point, names: Sequence[str], sign: float, threads: int, total: bool) -> OverRows:
    """The objective that was pickled."""
    return OverRows(point, Parameters(point, names), sign, threads, total=total)


def check_loss(point: Point, names: Collection[str], what: str) -> Parameters:
    """The parameters. Raises UsageError for a value that is no number, and where no name is left to be found."""
    if len(point.graph.outputs) != 1:
        raise UsageError(f"what is made {what} is one number, and the program has {len(point.graph.outputs)} results")
    shape = point.graph.output.shape
    if shape:
        span = point.program.syntax.statements[-1].span
        raise UsageError(f"what is made {what} is one number, and this is an array of shape {shape_text(shape)}", span,
                         source=point.graph.source, hint="as in: sum(…), mean(…^2), norm(…)")  # fmt: skip
    parameters = Parameters(point, names)
    if not parameters.nodes:
        raise UsageError("no name of the expression has a start that may change",
                         hint="give one a value to begin with, as in: x=1; x==1 would hold it")  # fmt: skip
    return parameters


@holding_kinds
def minimize(
    program: Program | str, start: Mapping[str, Any], data: Any = None, *,
    fixed: Mapping[str, Any] | None = None, bounds: Limits | None = None, subject_to: str | Sequence[str] = (),
    maximize: bool = False, total: bool = False, starts: int = 1, seed: int = 0, max_iter: int = 5000,
    tol: float = 1e-12, on_error: str = "fail", log: Callable[[int, float, dict[str, Any]], None] | None = None,
    jobs: int = 1, on: str = "",
) -> Minimum:  # fmt: skip
    """The least value of a program near a start, by exact derivatives.

    start: the names that may change, numbers or arrays, where the search begins; fixed: values of other names. data:
    rows, over which the value is averaged, or with `total` summed: arrays by name, a table (of pyarrow, pandas,
    polars), the name of a file, or several. bounds: low and high by name, None where there is none. subject_to:
    relations that hold in the end, as `x + y <= 1`, `x*y = 2`. maximize: seek the greatest value. starts, seed: how
    many points the search begins at, random but for the first. max_iter: the most steps; tol: the step, relative to
    each name, at which it has converged. on_error: fail, or skip: what becomes of rows with cells that are no numbers.
    log: told of each step. jobs, on: as of `fit`.

    >>> found = minimize("(x - 1)^2 + (y - x^2)^2", {"x": 3, "y": 0})
    >>> found.converged, found.kind, round(found.point["y"], 9)
    (True, 'minimum', 1.0)

    To 50 numbers steps are taken within a region of trust, by the exact Hessian; beyond, by L-BFGS. Raises UsageError
    for a value that is no number, EvaluationError where it is not finite at the start, and what reading rows raises.
    """
    read_as = read(program)
    values = {**arrays_of(start), **arrays_of(fixed or {})}
    search = Search(bounds or EMPTY, starts, seed, max_iter, tol, log)
    relations = [subject_to] if isinstance(subject_to, str) else [*subject_to]
    crew = Crew(jobs, on)
    if data is None and not crew.is_of_others:
        point = at_values(read_as, values)
        check_starts(point)
        return minimum(point, [*start], search, relations, maximize=maximize)
    with opened([read_as], values, data, crew, patient=on_error != "fail") as ((point,), first, rows):
        return minimum(point, [*start], search, relations, maximize=maximize, total=total, rows=rows, first=first,
                       on_error=on_error)  # fmt: skip


def minimum(
    point: Point, names: Sequence[str], search: Search, relations: Sequence[str] = (), *, maximize: bool = False,
    total: bool = False, rows: Iterable[Batch] | Parts | None = None, first: Sequence[Batch] = (),
    on_error: str = "fail", threads: int = 1,
) -> Minimum:  # fmt: skip
    """As `minimize`, of a program at a point. first: the first batches of the rows."""
    way = _UP if maximize else _DOWN
    parameters = check_loss(point, names, way.goal)
    bounds = parameters.bounds(search.bounds)
    notes: list[str] = []
    objective: AtPoint | OverRows
    if rows is None:
        objective = AtPoint(point, parameters, way.sign)
    else:
        check_apart(names, first)
        objective = OverRows(point, parameters, way.sign, threads, total=total)
        notes = objective.read(rows, on_error)
    constraints = Constraints(relations, point, parameters) if relations else None
    best, others = _descended(objective, constraints, bounds, search, way.sign)
    events: list[Notice] = []
    if isinstance(objective, AtPoint) and (best is None or best.converged):
        objective.tell(parameters.start if best is None else best.values, events.append)
    if best is None:
        raise not_finite("the value, or a derivative of it,", point, events)
    reason, kind = way.said(best)
    return Minimum(
        point=parameters.named(best.values), value=way.sign * best.value, reason=reason + others, kind=kind,
        notes=[*notes, *parameters.at_bounds(best.values, bounds)], converged=best.converged and best.kind in _REACHED,
        iterations=best.iterations, events=events,
    )  # fmt: skip


def _descended(
    objective: AtPoint | OverRows, constraints: Constraints | None, bounds: Bounds, search: Search, sign: float
) -> tuple[Descent | None, str]:
    """The lowest end of the searches from all starts, and words on the others; None where none could begin."""
    parameters = objective.parameters
    log = search.logged(parameters)
    told = log and (lambda iteration, value, values: log(iteration, sign * value, values))

    def descend(start: Floats, steps: int) -> Descent | None:
        if constraints is not None:
            from cgcli.fitting.constrained import least_within

            return least_within(objective, constraints, start, bounds, max_iter=steps, log=told)
        return least(objective, start, bounds, max_iter=steps, tol=search.tol, log=told)

    return search.best(parameters.start, bounds, descend, lambda found: found.value)
