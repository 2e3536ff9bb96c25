"""Loops run: what they carry after their last trip, or after each, for one point or for rows."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Iterator, Sequence
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.runners import runner
from cgcli.evaluate.trips import Values, trips_of
from cgcli.graph.loops import Loop, States, packed_shape
from cgcli.graph.node import Differentiated, Node
from cgcli.ops.lazily import np

if TYPE_CHECKING:
    from cgcli.evaluate.compiled import Kernels

_LOOKED_AT = 10_000  # trips, for where a nan was born


def run(*args: Any, kernels: Kernels | None = None) -> Any:
    """The packed last values of a loop's carries. kernels: those of another arithmetic than that of floats.

    Raises EvaluationError where the loop would go on without end, or beyond the bound.
    """
    *values, body, trips = args
    return packed(trips_of(Loop(body, trips), values, kernels=kernels).final)


def run_rows(*args: Any) -> Any:
    """As `run`, where all arguments have an axis of rows in front."""
    *values, body, trips = args
    rows = (len(values[0]),)
    return packed(trips_of(Loop(body, trips), values, rows).final, rows)


def run_states(*args: Any, kernels: Kernels | None = None) -> Any:
    """What a loop carries after each trip, packed. kernels: as of `run`."""
    *values, body, trips, kept = args
    return _states(States(body, trips, kept), values, kernels=kernels)


def run_states_rows(*args: Any) -> Any:
    """As `run_states`, where all arguments have an axis of rows in front."""
    *values, body, trips, kept = args
    return _states(States(body, trips, kept), values, (len(values[0]),))


def _states(params: States, values: Values, rows: tuple[int, ...] = (), kernels: Kernels | None = None) -> Any:
    """What a loop carries after each trip, packed, along an axis of trips."""
    states: list[Values] = []
    last = trips_of(params.loop, values, rows, lambda more, _: states.extend(more), kernels).final
    after = [packed([carries[at] for at in params.kept], rows) for carries in (*states[1:], last)]
    return np.stack(after, axis=len(rows)) if states else np.zeros((*rows, 0, *packed_shape(params.shapes)))


def values_in_trips(loop: Loop, values: Values, more: Sequence[Node] = ()) -> Iterator[dict[Node, Any]]:
    """The values of the body's nodes in each of the first trips. values: of the loop's arguments. more: nodes of it."""
    leaves, others = loop.body.parameters, values[loop.carries :]
    compiled = Compiled([*loop.nexts, *more], leaves, keep=True)
    states: list[Values] = []
    trips_of(loop, values, keep=lambda some, _: states.extend(some[: _LOOKED_AT - len(states)]))
    for carries in states:
        yield dict(zip(compiled.nodes, compiled.tape([*carries, *others]), strict=True))


def values_within(derivative: Differentiated, values: Values) -> Iterator[dict[Node, Any]]:
    """The values of the nodes in the innermost of the loops around a derivative, in each of the first trips.

    values: of the arguments of the outermost.
    """
    (_, loop), *inner = derivative.within
    for found in values_in_trips(loop, values, inner[0].args if inner else derivative[:3]):
        if inner:  # no deeper than loops may stand in each other
            deeper = derivative._replace(within=tuple(inner))
            yield from values_within(deeper, [found[arg] for arg in inner[0].args])
        else:
            yield found


def makes_no_trip(*args: Any) -> bool:
    """Whether a loop's condition does not hold at its start."""
    *values, body, trips = args
    condition = runner(body, Loop(body, trips).carries).condition
    return condition is not None and not condition(values)[0]


def packed(values: Values, rows: tuple[int, ...] = ()) -> Any:
    """Values in one array, behind the axis of rows if there is one; the only one itself."""
    if len(values) == 1:
        return values[0]
    return np.concatenate([np.reshape(value, (*rows, -1)) for value in values], axis=-1)
