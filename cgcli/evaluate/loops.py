"""Loops and their reverse passes, run: for one point, or for rows, of which each makes trips of its own."""

from __future__ import annotations

import math
from _thread import _local

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Sequence, TypeVar
from cgcli.errors import EvaluationError, TooLargeError
from cgcli.evaluate import loop_code
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.elements import is_nan, somewhere
from cgcli.graph.body import Body
from cgcli.graph.loops import Loop, LoopAdjoint, States, compared, most_trips, packed_shape, pieces
from cgcli.graph.node import Node, constant_value, toposort
from cgcli.graph.shapes import as_lists, count_text
from cgcli.lean import cache
from cgcli.ops.lazily import np
from cgcli.ops.loops import has_index

if TYPE_CHECKING:
    from weakref import WeakKeyDictionary

    from cgcli.evaluate.batched import Batched
    from cgcli.evaluate.compiled import Kernels

_BY_TAPE = 64  # trips, before a function in Python is generated for the others
_TOGETHER = 5040  # trips between two looks at the carries: where these are the same, they would be for ever
_FEW_ROWS = 16  # that are left after so many trips, each for itself
_LOOKED_AT = 10_000  # trips, for where a nan was born
_STATES = 2**17  # numbers that the reverse pass of one point keeps, before it keeps the carries of fewer trips
_THINNED = 256  # of so many trips one is kept, where there are more
_ROUNDING = 1e-14  # what numbers as 1 cannot differ by after some operations
_WITHIN_REACH = 1e-12

Values = Sequence[Any]
_Made = TypeVar("_Made")


class _Budget(_local):
    """How many trips are left in this thread; None where no loop runs."""

    left: int | None = None


_budget = _Budget()


class _Runner:
    """The parts of a loop as functions of its arguments, each made when it is first needed."""

    def __init__(self, body: Body, carries: int, kernels: Kernels | None = None) -> None:
        self.kernels = kernels
        self._leaves = body.parameters
        self._nexts = body.outputs[:carries]
        self._going = body.outputs[carries:]
        self._made: dict[str, Any] = {}

    def step(self) -> Compiled:
        """The carries after a trip."""
        return self._get("step", lambda: Compiled(self._nexts, self._leaves, kernels=self.kernels))

    def condition(self) -> Compiled | None:
        """Whether there is one more trip; None where their number is known."""
        return (
            self._get("going", lambda: Compiled(self._going, self._leaves, kernels=self.kernels))
            if self._going
            else None
        )

    def compared(self) -> Compiled:
        """What the condition compares."""
        return self._get("compared", lambda: Compiled(compared(self._going), self._leaves, kernels=self.kernels))

    @property
    def is_generated(self) -> bool:
        """Whether there is a function for many trips already."""
        return self._made.get("generated") is not None

    def generated(self, loop: Loop) -> Callable[..., Any] | None:
        """Many trips in one call; None where there are arrays."""
        return self._get("generated", lambda: None if self.kernels else loop_code.forward(loop))

    def generated_back(self, adjoint: LoopAdjoint) -> Callable[..., Any] | None:
        """Many trips of the reverse pass in one call, of a body that is such a pass."""
        body = Body(self._leaves, self._nexts)
        moving = adjoint.moving * (2 if body is adjoint.careful else 1)
        return self._get("back", lambda: None if self.kernels else loop_code.backward(adjoint.loop, body, moving))

    def rows(self) -> Batched:
        """The carries after a trip, for rows."""
        return self._get("rows", lambda: _batched(self._nexts, self._leaves))

    def condition_of_rows(self) -> Batched | None:
        """Which rows make one more trip, and what their conditions compare."""
        outputs = [*self._going, *compared(self._going)]
        return self._get("condition of rows", lambda: _batched(outputs, self._leaves)) if self._going else None

    def _get(self, name: str, make: Callable[[], _Made]) -> _Made:
        if name not in self._made:
            self._made[name] = make()
        made: _Made = self._made[name]
        return made


def _batched(outputs: Sequence[Node], inputs: Sequence[Node]) -> Batched:
    from cgcli.evaluate.batched import Batched

    return Batched(outputs, inputs)


@cache
def _runners() -> WeakKeyDictionary[Body, dict[int, _Runner]]:
    from weakref import WeakKeyDictionary

    return WeakKeyDictionary()


def _runner(body: Body, carries: int, kernels: Kernels | None) -> _Runner:
    """What runs a body, kept as long as that lives. kernels: those of another arithmetic than that of floats."""
    if kernels is not None:
        return _Runner(body, carries, kernels)
    of_body = _runners().setdefault(body, {})
    if carries not in of_body:
        of_body[carries] = _Runner(body, carries)
    return of_body[carries]


# ---- one point ------------------------------------------------------------------------


def run(*args: Any, kernels: Kernels | None = None) -> Any:
    """The packed last values of a loop's carries. kernels: those of another arithmetic than that of floats."""
    *values, body, trips = args
    return _packed(_run(Loop(body, trips), values, None, kernels).carries)


def run_states(*args: Any, kernels: Kernels | None = None) -> Any:
    """What a loop carries after each trip, packed. kernels: as of `run`."""
    *values, body, trips, kept = args
    states: list[Values] = []
    states.append(_run(Loop(body, trips), values, states.append, kernels).carries)
    rows = [_packed([state[at] for at in kept]) for state in states[1:]]
    return np.array(rows) if rows else np.zeros((0, *packed_shape(States(body, trips, kept).shapes)))


def _run(loop: Loop, values: Values, keep: Callable[[Values], None] | None, kernels: Kernels | None) -> _Trips:
    """The trips of a loop, all made. keep: told of the carries before each trip.

    Raises EvaluationError where the loop would go on without end, or beyond the bound.
    """
    with _bounded():
        trips = _Trips(loop, values, keep, kernels)
        trips.make()
        return trips


class _bounded:  # noqa: N801, a context manager
    """Where trips are counted: loops within loops share the bound of the outermost."""

    def __enter__(self) -> None:
        self._outermost = _budget.left is None
        if self._outermost:
            _budget.left = most_trips()

    def __exit__(self, *error: object) -> None:
        if self._outermost:
            _budget.left = None


def _spend(trips: int, carries: Values, rows: str = "") -> None:
    assert _budget.left is not None
    _budget.left -= trips
    if _budget.left < 0:
        raise _unfinished("", carries, rows)


def values_in_trips(loop: Loop, values: Values) -> Iterator[dict[Node, Any]]:
    """The values of the body's nodes in each of the first trips. values: of the loop's arguments."""
    leaves, others = loop.body.parameters, values[loop.carries :]
    compiled = Compiled(loop.nexts, leaves, keep=True)
    states: list[Values] = []
    _run(loop, values, lambda carries: states.append(carries) if len(states) < _LOOKED_AT else None, None)
    for carries in states:
        yield dict(zip(compiled.nodes, compiled.tape([*carries, *others]), strict=True))


def makes_no_trip(*args: Any) -> bool:
    """Whether a loop's condition does not hold at its start."""
    *values, body, trips = args
    loop = Loop(body, trips)
    condition = _runner(body, loop.carries, None).condition()
    return condition is not None and not condition(values)[0]


class _Trips:
    """The trips of a loop at one point. keep: told of the carries before each trip, if given.

    carries: after the last trip; nan where the condition compares a nan, which `unknown` tells.
    """

    def __init__(
        self, loop: Loop, values: Values, keep: Callable[[Values], None] | None, kernels: Kernels | None
    ) -> None:
        self._loop, self._keep = loop, keep
        self.carries: Values = list(values[: loop.carries])
        self._others = values[loop.carries :]
        self.unknown = False
        self._runner = _runner(loop.body, loop.carries, kernels)
        self._trip = 0
        self._ended = loop.trips == 0

    def make(self) -> None:
        """Make all trips."""
        self._check_planned()
        if self._loop.trips is None or self._loop.trips <= _THINNED // 2 or not self._runner.is_generated:
            self._by_tape(_BY_TAPE)
        while not self._ended:
            before, trip = self.carries, self._trip
            if not self._by_function(_TOGETHER):
                self._by_tape(_TOGETHER)
            if self._loop.trips is None and not self._ended and _equal(self.carries, before):
                reason = f"after {trip} trips it is where it is after {self._trip}, so it would never end"
                raise _endless(reason, before, self._loop)

    def _check_planned(self) -> None:
        """Raise where an index goes up to a bound that is too far away."""
        loop, left = self._loop, _budget.left
        assert left is not None
        if loop.going is None or not has_index(loop):
            return
        at, end = loop.carries - 1, loop.going.args[1]
        bound = constant_value(end)
        if bound is None and end in loop.body.parameters[loop.carries :]:
            bound = self._others[loop.body.parameters.index(end) - loop.carries]
        if bound is not None and bound - self.carries[at] >= left:
            trips = bound - self.carries[at] + 1
            many = count_text(int(trips)) if math.isfinite(trips) else "endlessly many"
            raise TooLargeError(
                f"the loop would make {many} trips", hint=f"the limit is {left} trips; --max-trips N sets another"
            )

    def _by_tape(self, most: int) -> None:
        """Make some trips, one after the other."""
        loop, carries, others = self._loop, self.carries, self._others
        step, condition = self._runner.step(), self._runner.condition()
        kept, after = carries, 1
        for trip in range(1, most + 1):
            if self._trip == loop.trips:
                self._ended = True
            elif condition is not None and not condition([*carries, *others])[0]:
                self._ended = True
                self.unknown = somewhere_nan(self._runner.compared()([*carries, *others]))
                if self.unknown:
                    carries = [carry * math.nan for carry in carries]
            if self._ended:
                break
            if self._keep is not None:
                self._keep(carries)
            carries = step([*carries, *others])
            self._trip += 1
            _spend(1, carries)
            if condition is not None and _equal(carries, kept):
                reason = f"after {self._trip} trips it is back where it was, so it would never end"
                raise _endless(reason, carries, loop)
            if trip == after:
                kept, after = carries, 2 * after
        self.carries = carries

    def _by_function(self, most: int) -> bool:
        """Make some trips in one call; False, and none is made, where no function can."""
        function = self._runner.generated(self._loop)
        if function is None:
            return False
        most = most if self._loop.trips is None else min(most, self._loop.trips - self._trip)
        states: list[Values] = []
        keep = None if self._keep is None else states.append
        try:
            carries, trips, ended, spent = function(*self.carries, *self._others, most, _budget.left, keep)
        except loop_code.TooManyTripsError:
            raise _unfinished("with the loops in it, ", self.carries) from None
        except (TypeError, ValueError, ArithmeticError):
            return False  # where Python raises and IEEE 754 has a result: the tape knows
        if self._keep is not None:
            for state in states:
                self._keep(state)
        self.carries, self._trip = carries, self._trip + trips
        self.unknown = ended == loop_code.UNKNOWN
        self._ended = bool(ended) or self._trip == self._loop.trips
        _spend(spent, carries)
        return True


def somewhere_nan(values: Values) -> bool:
    """Whether one of some values is nan, or has an element that is."""
    return any(somewhere(is_nan(value)) for value in values)


def _equal(one: Values, other: Values) -> bool:
    return all(
        somewhere(a == b) if not hasattr(a, "shape") else bool(np.array_equal(a, b))
        for a, b in zip(one, other, strict=True)
    )


def _endless(reason: str, carries: Values, loop: Loop) -> EvaluationError:
    message = f"the loop is endless: {reason}; it carries {_shown(carries)}"[:400]
    numbers = [constant_value(arg) or 0.0 for node in toposort([loop.going] if loop.going else []) for arg in node.args]
    tiny = next((number for number in numbers if 0 < abs(number) <= _ROUNDING), None)
    hint = "" if tiny is None else (f"{tiny:g} is below rounding, which the difference may never reach: "
                                    f"take a larger number, such as {_WITHIN_REACH:g}")  # fmt: skip
    return EvaluationError(message, hint=hint)


def _unfinished(before: str, carries: Values, where: str = "") -> EvaluationError:
    """The error for a loop that makes more trips than are allowed."""
    trips = f"{before}the loop did not end within {most_trips()} trips{where}"
    return EvaluationError(f"{trips}; it carries {_shown(carries)}"[:400], hint="--max-trips N allows more")


def _shown(carries: Values) -> str:
    return ", ".join(str(as_lists(carry)) for carry in carries[:4]) + ", …" * (len(carries) > 4)


def _packed(values: Values) -> Any:
    """Values in one array; the only one itself."""
    if len(values) == 1:
        return values[0]
    return np.concatenate([np.ravel(value) for value in values])


def run_back(*args: Any, kernels: Kernels | None = None) -> Any:
    """The packed adjoints of a loop's arguments. kernels: as of `run`."""
    *values, body, trips, back, careful, moving, wanted, marked = args
    adjoint = LoopAdjoint(body, trips, back, careful, moving, wanted, marked)
    found = [] if marked else _pulled(adjoint, values, kernels, guarded=False)
    if marked or somewhere_nan(found):
        found = _pulled(adjoint, values, kernels, guarded=True)
    return _packed(found)


def _pulled(adjoint: LoopAdjoint, values: Values, kernels: Kernels | None, *, guarded: bool) -> list[Any]:
    """The adjoints of the wanted arguments, then their guards, where the result has them."""
    loop, leaves = adjoint.loop, adjoint.body.parameters
    *values, cotangent, guard = values
    others = values[loop.carries :]
    moving, ends = adjoint.moving, [at for at in adjoint.wanted if at >= loop.carries]
    behind = _of_carries(cotangent, adjoint)
    behind += _of_carries(guard, adjoint) if guarded else []
    added = [_zero(leaves[at]) for at in ends] * (1 + guarded)
    body = adjoint.careful if guarded else adjoint.back
    runner = _runner(body, len(body.outputs), kernels)
    points = _Points(max(_STATES // max(sum(map(math.prod, loop.shapes)), 1), 16))
    if _run(loop, values, points.add, kernels).unknown:
        return _unknown(adjoint, any(np.ravel(guard)))
    for states in _segments(loop, values, points, kernels):
        many = runner.generated_back(adjoint) if len(states) > _BY_TAPE else None
        found = None if many is None else _in_one_call(many, [*others, *behind, *added, reversed(states)])
        if found is not None:
            behind, added = found[: len(behind)], found[len(behind) :]
            continue
        for before in reversed(states):
            behind, here = _sorted(runner.step()([*before, *others, *behind]), len(moving), len(ends))
            added = [so_far + more for so_far, more in zip(added, here, strict=True)]
    return _results(adjoint, behind, added)


def _in_one_call(function: Callable[..., Any], values: Values) -> Any:
    """What a generated function gives; None where Python raises and IEEE 754 has a result."""
    try:
        return function(*values)
    except (TypeError, ValueError, ArithmeticError):
        return None


def _sorted(outputs: Values, carries: int, ends: int) -> tuple[list[Any], list[Any]]:
    """What a trip of the reverse pass gives, for the carries and for the other arguments: guards behind adjoints."""
    size = carries + ends
    halves = [outputs[begin : begin + size] for begin in range(0, len(outputs), size)] if size else []
    return [x for half in halves for x in half[:carries]], [x for half in halves for x in half[carries:]]


def _results(adjoint: LoopAdjoint, behind: Values, added: Values) -> list[Any]:
    """The adjoints of the wanted arguments, then their guards, where the result has them."""
    moving, ends = adjoint.moving, [at for at in adjoint.wanted if at >= adjoint.loop.carries]
    found = dict(zip(moving, behind, strict=False)) | dict(zip(ends, added, strict=False))
    results = [found[at] for at in adjoint.wanted]
    if adjoint.marked:
        marks = dict(zip(moving, behind[len(moving) :], strict=True)) | dict(zip(ends, added[len(ends) :], strict=True))
        results += [(marks[at] > 0) * 1.0 for at in adjoint.wanted]
    return results


def _zero(leaf: Node) -> Any:
    return np.zeros(leaf.shape) if leaf.shape else 0.0


def _of_carries(packed: Any, adjoint: LoopAdjoint, rows: tuple[int, ...] = ()) -> list[Any]:
    """What is packed for the carries that move."""
    parts = pieces(packed, adjoint.loop.shapes, rows)
    return [parts[at] for at in adjoint.moving]


def _unknown(adjoint: LoopAdjoint, counts: Any, rows: tuple[int, ...] = ()) -> list[Any]:
    """The results where the condition compares a nan: nan, but where nothing that the loop carries counts."""
    whole = [rows + adjoint.body.parameters[at].shape for at in adjoint.wanted]
    ends = [np.reshape(counts, rows + (1,) * (len(shape) - len(rows))) for shape in whole]
    found = [np.where(end, math.nan, np.zeros(shape))[()] for end, shape in zip(ends, whole, strict=True)]
    marks = [end * np.ones(shape) for end, shape in zip(ends, whole, strict=True)]
    return found + marks * adjoint.marked


def _segments(loop: Loop, values: Values, points: _Points, kernels: Kernels | None) -> Iterator[list[Values]]:
    """The carries before each trip, in pieces: the piece of the last trips first.

    Where there are many, only some were kept, and those between them are computed anew.
    """
    if points.stride == 1:
        yield points.kept
        return
    carries = loop.carries
    for at in range(len(points.kept) - 1, -1, -1):
        trips = min(points.stride, points.trips - at * points.stride)
        states: list[Values] = []
        _run(Loop(_of_trips(loop), trips), [*points.kept[at], *values[carries:]], states.append, kernels)
        yield states


def _of_trips(loop: Loop) -> Body:
    """The body without its condition."""
    return Body(loop.body.parameters, loop.nexts)


class _Points:
    """The carries before some of the trips: before each, or each 256th and so on where there are more than `most`."""

    def __init__(self, most: int) -> None:
        self.kept: list[Values] = []
        self.stride, self.trips, self._most = 1, 0, most

    def add(self, carries: Values) -> None:
        """Take the carries before the next trip."""
        if self.trips % self.stride == 0:
            self.kept.append(carries)
            if len(self.kept) > self._most:
                self.kept, self.stride = self.kept[::_THINNED], _THINNED * self.stride
        self.trips += 1


# ---- rows -----------------------------------------------------------------------------


def run_rows(*args: Any) -> Any:
    """As `run`, where all arguments have an axis of rows in front."""
    *values, body, trips = args
    loop = Loop(body, trips)
    final = [np.array(carry) for carry in values[: loop.carries]]
    unknown = np.zeros(len(values[0]), bool)
    with _bounded():
        for trip, (active, carries, others) in enumerate(_trips_of_rows(loop, values, final, unknown)):
            if trips is None and trip >= _TOGETHER and len(active) <= _FEW_ROWS:
                left = _budget.left
                for at, row in enumerate(active):  # each alone, in one call for many trips
                    _budget.left = left
                    last = _run(loop, [value[at] for value in (*carries, *others)], None, None).carries
                    for target, carry in zip(final, last, strict=True):
                        target[row] = carry
                break
    return _packed_rows(final)


def run_states_rows(*args: Any) -> Any:
    """As `run_states`, where all arguments have an axis of rows in front."""
    *values, body, trips, kept = args
    loop = Loop(body, trips)
    final = [np.array(carry) for carry in values[: loop.carries]]
    unknown = np.zeros(len(values[0]), bool)
    with _bounded():
        made = [*_trips_of_rows(loop, values, final, unknown)]
    states = [[carries[at] for at in kept] for _, carries, _ in made]
    states.append([final[at] for at in kept])
    if not trips:
        return np.zeros((len(values[0]), 0, *packed_shape(States(body, trips, kept).shapes)))
    return np.stack([_packed_rows(state) for state in states[1:]], axis=1)


def _packed_rows(values: Values) -> Any:
    if len(values) == 1:
        return values[0]
    return np.concatenate([value.reshape(len(value), -1) for value in values], axis=1)


def _trips_of_rows(
    loop: Loop, values: Values, final: list[Any], unknown: Any
) -> Iterator[tuple[Any, list[Any], list[Any]]]:
    """For each trip: which rows make it, their carries before it, and the other arguments of these rows.

    final: filled with the carries of each row after its last trip. unknown: with whether its condition compared a nan.
    """
    runner = _runner(loop.body, loop.carries, None)
    step, condition = runner.rows(), runner.condition_of_rows()
    active = np.arange(len(values[0]))
    carries, others = list(values[: loop.carries]), list(values[loop.carries :])
    trip = 0
    while trip != loop.trips and len(active):
        if condition is not None:
            going, *compared = condition([*carries, *others], len(active))
            if not (stay := going != 0).all():
                ended = ~stay
                is_unknown = np.zeros(len(active), bool)
                for operand in compared:
                    is_unknown |= np.isnan(operand).reshape(len(active), -1).any(axis=1)
                unknown[active[ended & is_unknown]] = True
                for target, carry in zip(final, carries, strict=True):
                    target[active[ended]] = carry[ended]
                    target[active[ended & is_unknown]] = np.nan
                active = active[stay]
                carries, others = [carry[stay] for carry in carries], [other[stay] for other in others]
                if not len(active):
                    return
        yield active, carries, others
        carries = step([*carries, *others], len(active))
        trip += 1
        _spend(1, [carry[0] for carry in carries], f" in {len(active)} rows")
    for target, carry in zip(final, carries, strict=True):
        target[active] = carry


def run_back_rows(*args: Any) -> Any:
    """As `run_back`, where all arguments have an axis of rows in front."""
    *values, body, trips, back, careful, moving, wanted, marked = args
    adjoint = LoopAdjoint(body, trips, back, careful, moving, wanted, marked)
    found = _packed_rows(_pulled_rows(adjoint, values, guarded=marked))
    wrong = np.isnan(found).reshape(len(found), -1).any(axis=1)
    if not marked and wrong.any():
        found[wrong] = _packed_rows(_pulled_rows(adjoint, [value[wrong] for value in values], guarded=True))
    return found


def _pulled_rows(adjoint: LoopAdjoint, values: Values, *, guarded: bool) -> list[Any]:
    """As `_pulled`."""
    loop, leaves, rows = adjoint.loop, adjoint.body.parameters, len(values[0])
    *values, cotangent, guard = values
    moving, ends = adjoint.moving, [at for at in adjoint.wanted if at >= loop.carries]
    behind = [np.array(part) for part in _of_carries(cotangent, adjoint, (rows,))]
    behind += [np.array(part) for part in _of_carries(guard, adjoint, (rows,))] if guarded else []
    added = [np.zeros((rows, *leaves[at].shape)) for _ in range(1 + guarded) for at in ends]
    body = adjoint.careful if guarded else adjoint.back
    step = _runner(body, len(body.outputs), None).rows()
    final = [np.array(carry) for carry in values[: loop.carries]]
    unknown = np.zeros(rows, bool)
    with _bounded():
        trips = [*_trips_of_rows(loop, values, final, unknown)]
    for active, carries, others in reversed(trips):
        out = step([*carries, *others, *(array[active] for array in behind)], len(active))
        after, here = _sorted(out, len(moving), len(ends))
        for target, new in zip(behind, after, strict=True):
            target[active] = new
        for target, more in zip(added, here, strict=True):
            target[active] += more
    results = _results(adjoint, behind, added)
    if unknown.any():
        counts = np.any(np.reshape(guard, (rows, -1)), axis=1)
        for target, instead in zip(results, _unknown(adjoint, counts, (rows,)), strict=True):
            target[unknown] = instead[unknown]
    return results
