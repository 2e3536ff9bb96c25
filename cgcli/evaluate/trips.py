"""The trips of a loop, made one after the other: for one point, or for rows, of which each makes trips of its own."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Sequence
from cgcli.errors import EvaluationError
from cgcli.evaluate import loop_code
from cgcli.evaluate.budget import bounded, set_left, shown, spend, trips_left, unfinished
from cgcli.evaluate.elements import is_nan, somewhere
from cgcli.evaluate.runners import runner
from cgcli.graph.body import Body
from cgcli.graph.loops import Loop, too_many
from cgcli.graph.node import constant_value, toposort
from cgcli.graph.shapes import count_text, shape_of
from cgcli.lean import cached_property
from cgcli.ops.lazily import np
from cgcli.ops.loops import has_index
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from cgcli.evaluate.compiled import Kernels

_BY_TAPE = 64  # trips, before a function in Python is generated for the others
_TOGETHER = 5040  # trips in one call of it: what goes round in a few trips is where it was after so many
_LONGEST = 2**16  # what goes round in up to so many trips is found
_FEW_ROWS = 16  # that are left after so many trips, each for itself
_ROUNDING = 1e-14  # what numbers as 1 cannot differ by after some operations
_WITHIN_REACH = 1e-12
_LITTLE = 2**14  # numbers in the arrays of a trip: of more, what happens around it counts for nothing
_AT_ONCE = 2**20  # numbers in the arrays of trips that are made together

Values = Sequence[Any]


class State(NamedTuple):
    """What a loop carries before a trip. rows: which rows make it, or the one that is meant; None for a point."""

    carries: Values
    rows: Any = None


Keep = Callable[[Sequence[Values], Any], None]
"""What is told of the carries before some trips, one after the other, and of the rows that make these."""


class Trips(ABC):
    """The trips of a loop. keep: told of the states before all trips. kernels: as of `Runner`.

    values: of the loop's arguments. final: the carries after the last trip, nan where the condition compares a nan, as
    `unknown` tells.
    """

    final: Values
    unknown: Any
    alone: Sequence[int] = ()

    def __init__(
        self, loop: Loop, values: Values, keep: Keep | None, rows: Any = None, kernels: Kernels | None = None
    ) -> None:
        self._loop, self._keep, self._kernels = loop, keep, kernels
        self._carries: Values = list(values[: loop.carries])
        self._others: Values = list(values[loop.carries :])
        self._rows = rows
        self._trip = 0
        self._runner = runner(loop.body, loop.carries, rows=rows is not None, kernels=kernels)

    def make(self) -> Trips:
        """Make all trips.

        Raises EvaluationError where the loop would go on without end, or beyond the bound.
        """
        with bounded():
            self._check_planned()
            search = _Search()
            while self._goes_on():
                if self._makes_many():
                    search = _Search()
                    continue
                before = self._first()
                if self._keep is not None:
                    self._keep([self._carries], self._rows)
                self._carries = self._runner.step(self._values())
                self._trip += 1
                after = self._first()
                spend(1, after.carries, "" if self._rows is None else f" in {len(self._rows)} rows")
                if self._loop.trips is None and search.is_back(before, after):
                    raise self._endless(f"after {self._trip} trips it is back where it was", after.carries)
        self.final = self._last()
        return self

    @abstractmethod
    def again(self, state: State, first: int, trips: int, keep: Keep) -> Trips:
        """So many trips from a state that was before trip `first`, none of which need ask its condition."""

    @abstractmethod
    def at(self, values: Values, rows: Any) -> Values:
        """Some values, in the rows that make a trip."""

    @abstractmethod
    def _goes_on(self) -> bool:
        """Whether there is another trip. Rows without one are taken out."""

    @abstractmethod
    def _makes_many(self) -> bool:
        """Make some trips in another way, if there is one now."""

    @abstractmethod
    def _first(self) -> State:
        """The state of the point, or of the first row that makes another trip."""

    @abstractmethod
    def _last(self) -> Values:
        """What `final` is."""

    def _values(self) -> Values:
        return [*self._carries, *self._others]

    def _check_planned(self) -> None:
        """Raise where an index goes up to a bound that is too far away."""
        loop, left = self._loop, trips_left()
        if loop.going is None or not has_index(loop):
            return
        end = loop.going.args[1]
        bound = constant_value(end)
        if bound is None and end in loop.body.parameters[loop.carries :]:
            bound = self._others[loop.body.parameters.index(end) - loop.carries]
        if bound is not None and somewhere(bound - self._carries[-1] >= left):
            trips = 1 + float(np.nanmax(bound - self._carries[-1]))
            many = count_text(int(trips)) if math.isfinite(trips) else "endlessly many"
            raise too_many(many, left)

    @cached_property
    def _without_condition(self) -> Body:
        """The body, and with it what is generated from it, as long as somebody may ask for trips again."""
        return Body(self._loop.body.parameters, self._loop.nexts)

    def _endless(self, reason: str, carries: Values) -> EvaluationError:
        message = f"the loop is endless: {reason}, so it would never end; it carries {shown(carries)}"[:400]
        compared = toposort([self._loop.going] if self._loop.going else [])
        numbers = [constant_value(arg) or 0.0 for node in compared for arg in node.args]
        tiny = next((number for number in numbers if 0 < abs(number) <= _ROUNDING), None)
        hint = "" if tiny is None else (f"{tiny:g} is below rounding, which the difference may never reach: "
                                        f"take a larger number, such as {_WITHIN_REACH:g}")  # fmt: skip
        return EvaluationError(message, hint=hint)


class _Search:
    """Brent's search for what comes back: a state is held against one before, 2^k states against the same one."""

    def __init__(self) -> None:
        self._seen: State | None = None
        self._left = self._length = 1

    def is_back(self, before: State, after: State) -> bool:
        """Whether a trip leads to where it was. before, after: the states there."""
        if self._seen is None or not self._left:
            self._seen = before
            self._left, self._length = self._length, 2 * self._length
        self._left -= 1
        return bool(after.rows == self._seen.rows) and _equal(after.carries, self._seen.carries)


def _equal(one: Values, other: Values) -> bool:
    return all(np.array_equal(a, b) if shape_of(a) else a == b for a, b in zip(one, other, strict=True))


class PointTrips(Trips):
    """Of one point."""

    def __init__(self, loop: Loop, values: Values, keep: Keep | None = None, kernels: Kernels | None = None) -> None:
        super().__init__(loop, values, keep, kernels=kernels)
        self.unknown = self._ended = False
        is_long = loop.trips is not None and loop.trips > 2 * _BY_TAPE
        self._by_tape: float = 0 if is_long and self._runner.is_generated else _BY_TAPE  # up to this trip
        self._looks = _TOGETHER if loop.trips is None else math.inf  # for long circles from this trip on

    def again(self, state: State, first: int, trips: int, keep: Keep) -> Trips:
        return PointTrips(Loop(self._without_condition, trips), [*state.carries, *self._others], keep, self._kernels)

    def at(self, values: Values, rows: Any) -> Values:
        return values

    def _goes_on(self) -> bool:
        if self._ended or self._trip == self._loop.trips:
            return False
        condition = self._runner.condition
        if condition is None or condition(self._values())[0]:
            return True
        self.unknown = somewhere_nan(self._runner.compared(self._values()))
        return False

    def _makes_many(self) -> bool:
        """Make some trips in one call; False, and none is made, where no function can."""
        if self._trip < self._by_tape:
            return False
        function, before, trip = self._runner.generated, self._carries, self._trip
        most = _TOGETHER if self._loop.trips is None else min(_TOGETHER, self._loop.trips - trip)
        if function is None:
            return self._makes_many_of_arrays()
        states: list[Values] = []
        looks = trip >= self._looks  # whether it comes back to where it was, within half as many trips as it has made
        if looks:
            most, self._looks = min(max(trip // 2, _TOGETHER), _LONGEST), 2 * trip
        most = min(most, trips_left() + 1)
        keep = states.append if looks or self._keep is not None else None
        try:
            self._carries, made, ended, spent = function(*self._values(), most, trips_left(), keep)
        except loop_code.TooManyTripsError:
            raise unfinished(before, "with the loops in it, ") from None
        except (TypeError, ValueError, ArithmeticError):
            self._by_tape = trip + _TOGETHER  # where Python raises and IEEE 754 has a result: the tape knows
            return False
        if self._keep is not None:
            self._keep(states, None)
        self._trip += made
        self.unknown, self._ended = ended == loop_code.UNKNOWN, bool(ended)
        spend(spent, self._carries)
        if self._loop.trips is None and not ended and _equal(self._carries, before):
            raise self._endless(f"after {trip} trips it is where it is after {self._trip}", before)
        if looks and not ended and (last := tuple(self._carries)) in states:
            been = trip + states.index(last)
            raise self._endless(f"after {been} trips it is where it is after {self._trip}", last)
        return True

    def _makes_many_of_arrays(self) -> bool:
        """Make some trips, and look only then at what is left; False where each asks whether there is another."""
        numbers = max(sum(math.prod(shape_of(carry)) for carry in self._carries), 1)
        if self._loop.trips is None or self._kernels is not None or numbers > _LITTLE:
            self._by_tape = math.inf
            return False
        states: list[Values] = [self._carries]
        most = min(self._loop.trips - self._trip, _AT_ONCE // numbers, trips_left() + 1)

        def following(carries: list[Any]) -> Values | None:
            states.append(carries)
            return [*carries, *self._others] if len(states) <= most else None

        self._runner.step.repeated(self._values(), following)
        self._carries = states.pop()
        if self._keep is not None:
            self._keep(states, None)
        self._trip += most
        spend(most, self._carries)
        return True

    def _first(self) -> State:
        return State(self._carries)

    def _last(self) -> Values:
        return [carry * math.nan for carry in self._carries] if self.unknown else self._carries


class RowsTrips(Trips):
    """Of rows, whose axis is in front of all values: those that make another trip are computed together.

    alone: the last rows, which made very many trips, each for itself; leaves: they make them for whoever asks for it.
    """

    def __init__(self, loop: Loop, values: Values, keep: Keep | None = None, *, leaves: bool = False) -> None:
        count = len(values[0])
        super().__init__(loop, values, keep, np.arange(count))
        self.unknown, self._made = np.zeros(count, bool), np.zeros(count, int)
        self._ends = [np.array(carry) for carry in self._carries]
        self._leaves = leaves
        self._planned: Any = None  # how many trips each row makes, where that is known
        self._all_others = self._others

    def again(self, state: State, first: int, trips: int, keep: Keep) -> Trips:
        rows = state.rows
        values = [*state.carries, *self.at(self._all_others, rows)]
        bare = Loop(self._without_condition, trips)
        trips_again = RowsTrips(bare, values, lambda states, inner: keep(states, rows[inner]))
        trips_again._planned = self._made[rows] - first
        return trips_again

    def at(self, values: Values, rows: Any) -> Values:
        return values if len(rows) == len(self._made) else [value[rows] for value in values]

    def _goes_on(self) -> bool:
        if self._trip == self._loop.trips:
            self._take_out(np.zeros(len(self._rows), bool))
        elif self._planned is not None:
            self._take_out(self._planned[self._rows] > self._trip)
        elif self._runner.condition is not None and len(self._rows):
            self._take_out(self._runner.condition(self._values())[0] != 0, self._runner.compared)
        return len(self._rows) > 0

    def _take_out(self, stay: Any, compared: Callable[..., Values] | None = None) -> None:
        """End the trips of the rows that do not stay. compared: what their conditions compare."""
        if stay.all():
            return
        ended = self._rows[~stay]
        self._made[ended] = self._trip
        for target, carry in zip(self._ends, self._carries, strict=True):
            target[ended] = carry[~stay]
        for operand in compared([value[~stay] for value in self._values()]) if compared else ():
            self.unknown[ended[np.isnan(operand).reshape(len(ended), -1).any(axis=1)]] = True
        self._rows = self._rows[stay]
        self._carries = [carry[stay] for carry in self._carries]
        self._others = [other[stay] for other in self._others]

    def _makes_many(self) -> bool:
        """Make all trips of the last rows, one row after the other, or leave them to others."""
        if (max(self._trip, self._loop.trips or 0) < _TOGETHER or len(self._rows) > _FEW_ROWS
                or (self._keep is not None and not self._leaves)
                or runner(self._loop.body, self._loop.carries).generated is None):  # fmt: skip
            return False
        self.alone, self._rows = self._rows, self._rows[:0]
        left, rest = trips_left(), self._loop.trips and self._loop.trips - self._trip
        for at, row in enumerate(() if self._leaves else self.alone):
            set_left(left)
            alone = PointTrips(Loop(self._loop.body, rest), [value[at] for value in self._values()]).make()
            self.unknown[row] = alone.unknown
            for target, carry in zip(self._ends, alone.final, strict=True):
                target[row] = carry
        return True

    def _first(self) -> State:
        return State([carry[0] for carry in self._carries], self._rows[0])

    def _last(self) -> Values:
        for target in self._ends:
            target[self.unknown] = math.nan
        return self._ends


def trips_of(
    loop: Loop, values: Values, rows: tuple[int, ...] = (), keep: Keep | None = None, kernels: Kernels | None = None
) -> Trips:
    """The trips of a loop, all made. rows: the axis of rows in front of all values, if there is one.

    Raises EvaluationError where the loop would go on without end, or beyond the bound.
    """
    return (RowsTrips(loop, values, keep) if rows else PointTrips(loop, values, keep, kernels)).make()


def somewhere_nan(values: Values) -> bool:
    """Whether one of some values is nan, or has an element that is."""
    return any(somewhere(is_nan(value)) for value in values)
