"""Parameters: inputs of a program whose values are sought, each from its start; their elements make one vector."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Collection, Iterable, Mapping, Sequence, TypeVar
from cgcli.api.columns import check_columns, listed_columns
from cgcli.errors import EvaluationError, UnknownNameError, UsageError, did_you_mean, listed
from cgcli.fitting.bounds import Bounds
from cgcli.graph.node import leaf, name_of
from cgcli.graph.shapes import element_names
from cgcli.ops.lazily import np
from cgcli.records import EMPTY, Record

if TYPE_CHECKING:
    from cgcli.annotations import Protocol
    from cgcli.api.notices import Notice
    from cgcli.api.point import Point
    from cgcli.fitting.bounds import Floats
    from cgcli.graph.node import Node

    class _Ended(Protocol):
        """Where a search has ended, or stopped."""

        @property
        def values(self) -> Floats: ...
        @property
        def converged(self) -> bool: ...

    Ended = TypeVar("Ended", bound=_Ended)

_SHOWN = 12  # names in a message
_FIRST_STEPS = 200  # from each of several starts; the best goes on
_SAME = 1e-6  # the relative distance of values that count as one

Limits = Mapping[str, tuple[float | None, float | None]]


class Search(Record):
    """How parameters are sought.

    bounds: low and high by name, None where there is none. starts: how many points the search begins at, the given one
    and random ones of a seed. max_iter: the most steps from each. tol: the step, relative to each parameter, at which
    it has converged. log: told of each step, with its number, the value there and the parameters by name.
    """

    bounds: Limits = EMPTY
    starts: int = 1
    seed: int = 0
    max_iter: int = 5000
    tol: float = 1e-12
    log: Callable[[int, float, dict[str, Any]], None] | None = None

    def logged(self, parameters: Parameters) -> Callable[[int, float, Floats], None] | None:
        """Tells of a step, from the vector of the parameters; None where nobody is to be told."""
        log = self.log
        if log is None:
            return None
        return lambda iteration, value, values: log(iteration, value, parameters.named(values))

    def best(
        self, start: Floats, bounds: Bounds, search: Callable[[Floats, int], Ended | None],
        cost: Callable[[Ended], float],
    ) -> tuple[Ended | None, str]:  # fmt: skip
        """Where the search of least cost from all starts has ended, and words on the others; None where all fail.

        search: from a start, with so many steps at most, of which each of several starts has a part.
        """
        steps = self.max_iter if self.starts == 1 else min(self.max_iter, _FIRST_STEPS)
        found = [one for each in bounds.starts(start, self.starts, self.seed) if (one := search(each, steps))]
        if not found:
            return None, ""
        best = min(found, key=cost)
        reached = sum(cost(one) <= cost(best) + _SAME * abs(cost(best)) for one in found)
        if not best.converged and steps < self.max_iter:
            best = search(best.values, self.max_iter) or best
        return best, f"; the best of {self.starts} starts, which {reached} of them reached" * (self.starts > 1)


class Parameters:
    """Those inputs of a point that have one of some names; where they begin are their values there.

    nodes: the inputs. elements: what their numbers are called, `b1`, `w[0]`. start: these numbers, in one vector.
    """

    def __init__(self, point: Point, names: Collection[str]) -> None:
        self.nodes = [node for node in point.inputs if name_of(node) in names]
        self.names = [name_of(node) for node in self.nodes]
        self.elements = [each for node in self.nodes for each in element_names(name_of(node), node.shape)]
        self._sizes = [math.prod(node.shape) for node in self.nodes]
        self._bindings = point.bindings

    @property
    def start(self) -> Floats:
        return np.concatenate([np.ravel(self._bindings[name]) for name in self.names])

    def directions(self) -> list[Node]:
        """Leaves that stand for a direction in which the parameters move."""
        return [leaf(f"direction of {name}", node.shape) for name, node in zip(self.names, self.nodes, strict=True)]

    def arrays(self, values: Floats) -> list[Any]:
        """The numbers of all elements, as arrays of the parameters' shapes, or floats."""
        parts = np.split(values, np.cumsum(self._sizes)[:-1])
        return [part.reshape(node.shape) if node.shape else float(part[0])
                for node, part in zip(self.nodes, parts, strict=True)]  # fmt: skip

    def named(self, values: Floats) -> dict[str, Any]:
        """These arrays by name."""
        return dict(zip(self.names, self.arrays(values), strict=True))

    def bounds(self, given: Limits) -> Bounds:
        """The bounds of each element. Raises UsageError for what cannot be, and for a start outside of its bounds."""
        for name in given:
            if name not in self.names:
                raise UsageError(f"there are bounds for '{name}', which is no parameter",
                                 hint=f"the parameters are: {', '.join(self.names)}")  # fmt: skip
        ends = []
        for name, size in zip(self.names, self._sizes, strict=True):
            low, high = (
                sign * math.inf if end is None else float(end)
                for sign, end in zip((-1, 1), given.get(name, (None, None)), strict=True)
            )
            if not low < high:
                raise UsageError(f"the bounds of '{name}' are crossed: {low:g} is not below {high:g}")
            ends.append(np.tile([[low], [high]], size))
        bounds, start = Bounds(*np.concatenate(ends, axis=1)), self.start
        if not bounds.holds(start):
            at = int(np.argmin((start >= bounds.low) & (start <= bounds.high)))
            raise UsageError(f"'{self.elements[at]}' starts at {start[at]:g}, outside of its bounds")
        return bounds

    def at_bounds(self, values: Floats, bounds: Bounds) -> list[str]:
        """Sentences on the elements that end at a bound."""
        found = [f"'{name}' ends at its bound {value:g}" for name, value, low, high
                 in zip(self.elements, values, *bounds, strict=True) if value in (low, high)]  # fmt: skip
        more = len(found) - _SHOWN
        return [*found[:_SHOWN], *[f"{more} more numbers end at their bounds"] * (more > 0)]


def flat(arrays: Sequence[Any]) -> Floats:
    """The numbers of all arrays, one behind the other."""
    return np.concatenate([np.ravel(array) for array in arrays])


def not_finite(what: str, point: Point, events: Iterable[Notice]) -> EvaluationError:
    """The error for a start where something is not finite: the first of the events there that says so."""
    for notice in events:
        if notice.details.get("kind") in ("nan", "infinity"):
            return EvaluationError(f"{notice.message}, at the start", notice.span, source=point.graph.source,
                                   hint=notice.hint or "start elsewhere")  # fmt: skip
    return EvaluationError(f"{what} is not finite at the start", hint="start elsewhere")


def _starts(names: Sequence[str]) -> str:
    return " ".join(f"{name}=1" for name in names[:_SHOWN])


def check_starts(point: Point, columns: Sequence[str] = ()) -> None:
    """Raise UnknownNameError for names that are no columns, and have no value."""
    try:
        check_columns(point, columns)
    except UnknownNameError as error:
        verb = "are" if len(error.missing) > 1 else "is"
        error.message = f"{listed(error.missing)} {verb}{' no column, and' * bool(columns)} without a start"
        known = f"; the columns are: {listed_columns(columns)}"
        starts = f"give each a start, as in: {_starts(error.missing)}" + known * bool(columns)
        error.hint = did_you_mean(error.missing[0], columns) or starts
        error.topic = ""
        raise


def check_complete(point: Point) -> None:
    """Raise UnknownNameError for names without a value; which of them are sought is not known yet."""
    try:
        point.check_complete()
    except UnknownNameError as error:
        error.message = f"{listed(error.missing)} {'have' if len(error.missing) > 1 else 'has'} no value"
        error.hint = f"give each a start, or its value, as in: {_starts(error.missing)}"
        raise
