"""The reverse pass of a loop: its trips are made, then the adjoints go back through them.

The states before the trips are kept: all of them of short loops; of others some, from which those between are computed
again.
"""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Iterator, Sequence
from cgcli.evaluate.loops import packed
from cgcli.evaluate.runners import generated_back, runner
from cgcli.evaluate.trips import PointTrips, RowsTrips, State, Trips, Values, somewhere_nan
from cgcli.graph.loops import LoopAdjoint, pieces
from cgcli.graph.shapes import shape_of
from cgcli.ops.lazily import np

if TYPE_CHECKING:
    from cgcli.evaluate.compiled import Kernels

_BY_TAPE = 64  # trips, for more of which a function in Python is generated
_STATES = 2**17  # numbers that are kept at once, of arrays 32 times as many
_IN_ARRAYS = 32
_FEWEST = 16
_THINNED = 256  # of so many states one is kept, where there are more


def run_back(*args: Any, kernels: Kernels | None = None) -> Any:
    """The packed adjoints of a loop's arguments. kernels: those of another arithmetic than that of floats."""
    *values, body, trips, back, careful, moving, wanted, marked = args
    adjoint = LoopAdjoint(body, trips, back, careful, moving, wanted, marked)
    found = [] if marked else _Reverse(adjoint, values, kernels=kernels).results()
    if marked or somewhere_nan(found):
        found = _Reverse(adjoint, values, kernels=kernels, guarded=True).results()
    return packed(found)


def run_back_rows(*args: Any) -> Any:
    """As `run_back`, where all arguments have an axis of rows in front."""
    *values, body, trips, back, careful, moving, wanted, marked = args
    adjoint = LoopAdjoint(body, trips, back, careful, moving, wanted, marked)
    rows = len(values[0])
    reverse = _Reverse(adjoint, values, (rows,), guarded=marked)
    found = packed(reverse.results(), (rows,))
    wrong = np.isnan(found).reshape(rows, -1).any(axis=1)
    if not marked and wrong.any():
        some = [value[wrong] for value in values]
        found[wrong] = packed(_Reverse(adjoint, some, (len(some[0]),), guarded=True).results(), (len(some[0]),))
    for row in reverse.alone:
        found[row] = run_back(*(value[row] for value in values), *adjoint)
    return found


class _Reverse:
    """The reverse pass for some values of the arguments. rows: their axis, in front of all values, if there is one.

    guarded: with the guards of the adjoints, for where 0*inf has made a nan, or values decide on structural zeros.
    """

    def __init__(
        self, adjoint: LoopAdjoint, values: Values, rows: tuple[int, ...] = (), *, guarded: bool = False,
        kernels: Kernels | None = None,
    ) -> None:  # fmt: skip
        self._adjoint, self._rows, self._guarded, self._kernels = adjoint, rows, guarded, kernels
        *self._values, cotangent, self._guard = values
        self._ends = [at for at in adjoint.wanted if at >= adjoint.loop.carries]
        body = adjoint.careful if guarded else adjoint.back
        self._step = runner(body, len(body.outputs), rows=bool(rows), kernels=kernels).step
        # Of the carries, and so far of the other arguments: adjoints, then their guards, if there are any.
        parts = [pieces(each, adjoint.loop.shapes, rows) for each in (cotangent, self._guard)[: 1 + guarded]]
        self._behind = [np.array(part[at]) if rows else part[at] for part in parts for at in adjoint.moving]
        shapes = [rows + adjoint.body.parameters[at].shape for at in self._ends]
        self._added: list[Any] = [np.zeros(shape) if shape else 0.0 for shape in shapes * (1 + guarded)]

    def results(self) -> list[Any]:
        """The adjoints of the wanted arguments, then their guards, where the result has them."""
        loop = self._adjoint.loop
        carries, others = self._values[: loop.carries], self._values[loop.carries :]
        states = _States(carries)
        trips: Trips
        if self._rows:
            trips = RowsTrips(loop, self._values, states.add, leaves=True)
        else:
            trips = PointTrips(loop, self._values, states.add, self._kernels)
        self.alone = trips.make().alone
        for piece, rows in states.backwards(trips):
            if not self._in_one_call(piece, others):
                for before, active in zip(reversed(piece), reversed(rows), strict=True):
                    self._back(before, trips.at(others, active), trips.at(self._behind, active), active)
        return self._told(trips.unknown)

    def _back(self, before: Values, others: Values, behind: Values, rows: Any) -> None:
        """The adjoints before a trip from those behind it. before: the carries there. rows: which make the trip."""
        behind, added = self._adjoint.told_apart(self._step([*before, *others, *behind]))
        if not self._rows or len(rows) == self._rows[0]:
            self._behind = behind
            self._added = [so_far + more for so_far, more in zip(self._added, added, strict=True)]
            return
        for target, value in zip(self._behind, behind, strict=True):
            target[rows] = value
        for target, value in zip(self._added, added, strict=True):
            target[rows] += value

    def _in_one_call(self, piece: Sequence[Values], others: Values) -> bool:
        """Go back through trips by a generated function, or of arrays in one go; False where neither can."""
        if self._rows or self._kernels is not None or len(piece) <= _BY_TAPE:
            return False
        function = generated_back(self._adjoint, guarded=self._guarded)
        if function is None:
            self._repeat(reversed(piece), others)
            return True
        try:
            found = function(*others, *self._behind, *self._added, reversed(piece))
        except (TypeError, ValueError, ArithmeticError):
            return False  # where Python raises and IEEE 754 has a result
        self._behind, self._added = found[: len(self._behind)], found[len(self._behind) :]
        return True

    def _repeat(self, piece: Iterator[Values], others: Values) -> None:
        """Go back through trips, at least one, of which only the adjoints are told."""

        def given() -> Values | None:
            before = next(piece, None)
            return None if before is None else [*before, *others, *self._behind]

        def following(outputs: list[Any]) -> Values | None:
            self._behind, added = self._adjoint.told_apart(outputs)
            self._added = [so_far + more for so_far, more in zip(self._added, added, strict=True)]
            return given()

        self._step.repeated(given(), following)

    def _told(self, unknown: Any) -> list[Any]:
        """The results; where the condition compares a nan they are nan, if anything that the loop carries counts."""
        adjoint, moving = self._adjoint, self._adjoint.moving
        places = (*moving, *self._ends)
        found = dict(zip(places, (*self._behind[: len(moving)], *self._added[: len(self._ends)]), strict=True))
        results = [found[at] for at in adjoint.wanted]
        if adjoint.marked:
            marks = dict(zip(places, (*self._behind[len(moving) :], *self._added[len(self._ends) :]), strict=True))
            results += [(marks[at] > 0) * 1.0 for at in adjoint.wanted]
        if not np.any(unknown):
            return results
        counts = np.any(np.reshape(self._guard, (*self._rows, -1)), axis=-1)
        told = [np.where(counts, math.nan, 0.0)] * len(adjoint.wanted) + [counts * 1.0] * len(adjoint.wanted)
        return [_instead(value, unknown, other) for value, other in zip(results, told, strict=False)]


def _instead(value: Any, mask: Any, other: Any) -> Any:
    """A value, or where the mask holds another; both of the point, or of each row."""
    mask, other = (np.reshape(each, np.shape(each) + (1,) * (np.ndim(value) - np.ndim(each))) for each in (mask, other))
    return np.where(mask, other, value)[()]


class _States:
    """The states before some of the trips: before each, or each 256th and so on, where there are too many.

    carries: of the first state, whose size tells how many are too many.
    """

    def __init__(self, carries: Values) -> None:
        self._carries = carries
        numbers = sum(-(-math.prod(shape_of(carry)) // _IN_ARRAYS) for carry in carries)
        self._most = max(_STATES // max(numbers, 1), _FEWEST)
        self._kept: list[Values] = []
        self._rows: list[Any] = []
        self._stride, self._trips = 1, 0

    def add(self, states: Sequence[Values], rows: Any) -> None:
        """Take the states before the next trips, and the rows that make these."""
        more = states[-self._trips % self._stride :: self._stride]
        self._kept += more
        self._rows += [rows] * len(more)
        self._trips += len(states)
        while len(self._kept) > self._most:
            thinned = min(_THINNED, self._most)
            self._kept, self._rows = self._kept[::thinned], self._rows[::thinned]
            self._stride *= thinned

    def backwards(self, trips: Trips, first: int = 0) -> Iterator[tuple[Sequence[Values], Sequence[Any]]]:
        """The states before all trips, and their rows, in pieces: that of the last trips first.

        first: the number of the first trip.
        """
        if self._stride == 1:
            yield self._kept, self._rows
            return
        while self._kept:
            state = State(self._kept.pop(), self._rows.pop())
            begin = len(self._kept) * self._stride
            between = _States(self._carries)
            trips.again(state, first + begin, min(self._stride, self._trips - begin), between.add).make()
            yield from between.backwards(trips, first + begin)
