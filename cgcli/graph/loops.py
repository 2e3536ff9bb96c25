"""Loops in the graph: a body that runs again and again, and what it carries from trip to trip."""

from __future__ import annotations

import math
from _contextvars import ContextVar
from itertools import chain, count, repeat

from cgcli.annotations import Any, Iterable, Mapping, Sequence
from cgcli.errors import TooLargeError, UsageError
from cgcli.graph.body import Body
from cgcli.graph.node import CONSTANT, Node, carry, constant_value, name_of_carry, toposort
from cgcli.graph.operation import Shape
from cgcli.records import EMPTY, NamedTuple

MAX_TRIPS = 2_000_000  # in one evaluation, those of loops within loops included

_most = ContextVar("most trips", default=MAX_TRIPS)


def most_trips() -> int:
    """How many trips one evaluation may make here."""
    return _most.get()


class max_trips:  # noqa: N801, for it is used as a function
    """A bound on the trips of loops, for what is read and evaluated in it: `with cgcli.max_trips(1000): f(x=2)`.

    It counts for one evaluation, trips of loops within loops included; 2,000,000 where nothing is said. Beyond it an
    evaluation raises EvaluationError. A program that says how many trips it makes raises TooLargeError when it is read.
    """

    __slots__ = ("_most", "_token")

    def __init__(self, most: int) -> None:
        """Raises UsageError for what is no whole number from 1."""
        if not isinstance(most, int) or most < 1:
            raise UsageError(f"a bound on trips is a whole number from 1, and not {most!r:.60}")
        self._most = most

    def __enter__(self) -> None:
        self._token = _most.set(self._most)

    def __exit__(self, *error: object) -> None:
        _most.reset(self._token)


def too_many(trips: str, most: int) -> TooLargeError:
    """The error for a loop that would make more trips than are allowed."""
    return TooLargeError(f"the loop would make {trips} trips",
                         hint=f"the limit is {most} trips; --max-trips N sets another")  # fmt: skip


class Loop(NamedTuple):
    """The parameters of a loop, whose arguments are the starts of its carries, then what its body reads besides.

    body: of the carries and of what it reads; its outputs are the carries' next values, then, where the number of trips
    is not known, the condition for one more. trips: their number; None where the condition decides. The result is the
    carries' last values, packed.
    """

    body: Body
    trips: int | None

    @property
    def carries(self) -> int:
        """How many values go from trip to trip."""
        return len(self.body.outputs) - (self.trips is None)

    @property
    def nexts(self) -> tuple[Node, ...]:
        """The carries after a trip."""
        return self.body.outputs[: self.carries]

    @property
    def going(self) -> Node | None:
        """The condition for one more trip."""
        return self.body.outputs[-1] if self.trips is None else None

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of the carries, which the result packs."""
        return tuple(leaf.shape for leaf in self.body.parameters[: self.carries])


class States(NamedTuple):
    """The parameters of what a loop carries after each of its trips; its arguments are the loop's.

    kept: the places of the carries that the result packs, along the last axis of a row for each trip.
    """

    body: Body
    trips: int
    kept: tuple[int, ...]

    @property
    def loop(self) -> Loop:
        """The parameters of the loop."""
        return Loop(self.body, self.trips)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of the values of one trip."""
        return tuple(self.body.parameters[at].shape for at in self.kept)


class LoopAdjoint(NamedTuple):
    """The parameters of a loop's adjoint, whose arguments are the loop's, the packed cotangent of its
    result, and its guard.

    body, trips: the loop's. back: one trip of the reverse pass, of the loop's arguments before that trip, then of the
    adjoints of the `moving` carries after it; its outputs are those adjoints before it, then what the trip adds to
    the adjoints of the arguments in `wanted` that are no carries. careful: the same with guards, for where 0*inf has
    made a nan: it takes those of the carries behind their adjoints, and gives those of all that it gives behind that.
    marked: only the careful one is right, and behind the adjoints of the arguments the result has their guards.
    wanted: the places of the arguments whose adjoints are the result, packed.
    """

    body: Body
    trips: int | None
    back: Body
    careful: Body
    moving: tuple[int, ...]
    wanted: tuple[int, ...]
    marked: bool

    @property
    def loop(self) -> Loop:
        """The parameters of the loop."""
        return Loop(self.body, self.trips)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of what the result packs."""
        return tuple(self.body.parameters[at].shape for at in self.wanted) * (1 + self.marked)

    def told_apart(self, outputs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """What `back` or `careful` gives: what goes to the trip before, and what is added up; guards behind values."""
        carries = len(self.moving)
        size = carries + sum(at >= self.loop.carries for at in self.wanted)
        if len(outputs) == size:
            return [*outputs[:carries]], [*outputs[carries:]]
        halves = (outputs[:size], outputs[size:])
        behind, added = (chain(*(half[part] for half in halves)) for part in (slice(carries), slice(carries, None)))
        return [*behind], [*added]


def loops_in(order: Iterable[Node]) -> list[Node]:
    """The loops among some nodes, and the adjoints of loops."""
    return [node for node in order if isinstance(node.params, Loop | States | LoopAdjoint)]


_numbers = count()


def fresh_leaves(shapes: Sequence[Shape], names: Sequence[str] = ()) -> list[Node]:
    """Leaves that are no others: for carries, until a body has them as its parameters. names: what they are called."""
    return [carry(next(_numbers), shape, name) for shape, name in zip(shapes, names or repeat(""), strict=False)]


_carried: ContextVar[dict[object, tuple[str, ...]] | None] = ContextVar("names of carries", default=None)


class names_kept:  # noqa: N801, for it is used as a function
    """Loops that are made of others in it have their names: `with names_kept(graph.carried) as carried: …`

    What it gives has the names of the new loops too, as `Graph.carried` has them.
    """

    __slots__ = ("_names", "_token")

    def __init__(self, carried: Mapping[object, tuple[str, ...]]) -> None:
        self._names = dict(carried)

    def __enter__(self) -> dict[object, tuple[str, ...]]:
        self._token = _carried.set(self._names)
        return self._names

    def __exit__(self, *error: object) -> None:
        _carried.reset(self._token)


def leaves_of(body: Body, count: int) -> list[Node]:
    """Leaves for the carries of another loop that is made of one with this body, whose names they have."""
    return fresh_leaves([leaf.shape for leaf in body.parameters[:count]], (_carried.get() or EMPTY).get(body, ()))


def tangent_leaf(leaf: Node) -> Node:
    """A leaf for the tangent of a carry: that of s is called d_s, that of d_s is d2_s."""
    name = name_of_carry(leaf)
    prefix, _, rest = name.partition("_")
    order = prefix[1:] or "1"
    is_tangent = prefix[:1] == "d" and rest and order.isdecimal()
    (found,) = fresh_leaves([leaf.shape], [f"d{int(order) + 1}_{rest}" if is_tangent else f"d_{name}" if name else ""])
    return found


def keep_names(body: Body, carries: Sequence[Node]) -> None:
    """Call the carries of a new body what the leaves are called that stood for them."""
    names = tuple(map(name_of_carry, carries))
    if any(names) and (carried := _carried.get()) is not None:
        carried.setdefault(body, names)


def compared(going: Sequence[Node]) -> list[Node]:
    """The operands of a condition's comparisons: where one is nan, nobody knows whether there is one more trip."""
    operands = (arg for node in toposort(going) if node.op.truth for arg in node.args if not arg.op.truth)
    return [arg for arg in dict.fromkeys(operands) if arg.op is not CONSTANT or math.isnan(constant_value(arg) or 0.0)]


def packed_shape(shapes: Sequence[Shape]) -> Shape:
    """The shape of packed values: their own where there is one, else that of all their elements in a row."""
    return shapes[0] if len(shapes) == 1 else (sum(map(math.prod, shapes)),)


def pieces(packed: Any, shapes: Sequence[Shape], rows: tuple[int, ...] = ()) -> list[Any]:
    """The values in a packed array. rows: the axis of rows in front of all of them, if there is one."""
    if len(shapes) == 1:
        return [packed]
    found, begin = [], 0
    for shape in shapes:
        end = begin + math.prod(shape)
        found.append(packed[..., begin:end].reshape(rows + shape) if shape or rows else packed[begin])
        begin = end
    return found
