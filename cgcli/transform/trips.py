"""Loops with their last trip written out, or with all trips, or as a chain of trips: for whoever shows what they do."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from cgcli.annotations import Any, Callable, Iterator, Mapping, Sequence
from cgcli.errors import TooLargeError
from cgcli.graph.body import Body, instantiated
from cgcli.graph.loops import Loop, States, fresh_leaves
from cgcli.graph.node import CONSTANT, Node, apply, constant, constant_value, rebuild, toposort
from cgcli.graph.operation import Operation
from cgcli.graph.shapes import count_text
from cgcli.lowering.loops import looped
from cgcli.ops.arithmetic import ADD
from cgcli.ops.indexing import ELEMENT, take
from cgcli.ops.logic import LESS, WHERE
from cgcli.ops.loops import LOOP, has_index, last_index, packed, packed_states, unpacked, unpacked_states
from cgcli.ops.roots import Root
from cgcli.ops.shaping import CONCAT, STACK, reshape
from cgcli.ops.statics import Along, Taken
from cgcli.records import NamedTuple
from cgcli.transform.roots import stepped

MOST_TRIPS = 60  # that are written out: a picture of more shows nothing
_EACH = 20  # trips that are operations of their own
_ENDS = 3  # of more, so many at the beginning and at the end

Path = tuple[Any, ...]
"""Where a body stands: the loops around it, the outermost first; () for the program itself."""


class Written(NamedTuple):
    """A program whose loops are written out.

    outputs: its results. become: for each body, by its path, what its nodes are in the program's terms.
    trips: how many each loop makes, as a number or a node.
    """

    outputs: tuple[Node, ...]
    become: Mapping[Path, Mapping[Node, Node]]
    trips: Mapping[Path, Node | int]


def last_trips(outputs: Sequence[Node]) -> Written:
    """The outputs, with the last trip of each loop behind a loop of one trip less.

    A path is made of nodes: a loop of the program, then one of its body, and so on.
    """
    writer = _LastTrips()
    return Written(writer.level((), outputs, {}), writer.become, writer.trips)


def unrolled(outputs: Sequence[Node], number: Callable[[Node], float]) -> Written:
    """The outputs without loops: all trips one after the other.

    A path is made of pairs: a loop, and which of its trips, from 1 on. number: the value of a node.
    Raises TooLargeError for more than MOST_TRIPS trips, and what `number` raises.
    """
    writer = _AllTrips(number)
    return Written(writer.level((), outputs, {}), writer.become, writer.trips)


class Chained(NamedTuple):
    """A program whose loops are chains of trips, where their number is known.

    outputs: its results. become: what its nodes are in the chains. after: the carries after a trip, each with the loop,
    its place there, and how many trips have been made.
    """

    outputs: tuple[Node, ...]
    become: Mapping[Node, Node]
    after: Mapping[Node, tuple[Node, int, int]]


def chained(outputs: Sequence[Node], number: Callable[[Node], int | None]) -> Chained:
    """The outputs, with each trip of their loops as one operation for each carry: a loop of one trip.

    Of more than 20 trips, those between the first and the last three are one loop. number: the value of a node, None
    where it is not known: such a loop stays.
    """
    writer = _Chains(number)
    return Chained(writer.level((), outputs, {}), writer.become[()], writer.after)


class _Writer(ABC):
    def __init__(self) -> None:
        self.become: dict[Path, dict[Node, Node]] = {}
        self.trips: dict[Path, Node | int] = {}

    def level(self, path: Path, outputs: Sequence[Node], known: Mapping[Node, Node]) -> tuple[Node, ...]:
        """The outputs of a body. known: what its leaves are. Loops stand in each other a few levels deep at most."""
        become = self.become[path] = dict(known)
        for node in toposort(outputs, become):
            if node in become:
                continue
            if isinstance(node.params, Loop):
                pieces = self.loop(path, node, node.params, [become[arg] for arg in node.args])
                become |= zip(unpacked(node, node.params.shapes), pieces, strict=True)
                become[node] = packed(pieces)
            elif isinstance(node.params, States):
                pieces = self.states(path, node, node.params, [become[arg] for arg in node.args])
                become |= zip(unpacked_states(node, node.params.shapes), pieces, strict=True)
                become[node] = packed_states(pieces)
            elif isinstance(node.params, Root):
                become[node] = self.root(path, node, node.params, [become[arg] for arg in node.args])
            else:
                args = tuple(become[arg] for arg in node.args)
                become[node] = apply(node.op, args, node.params) if args else node
        return tuple(become[output] for output in outputs)

    @abstractmethod
    def loop(self, path: Path, node: Node, loop: Loop, args: Sequence[Node]) -> Sequence[Node]:
        """The last carries of a loop. path: where it stands. args: its arguments in the program's terms."""

    def states(self, path: Path, node: Node, states: States, args: Sequence[Node]) -> Sequence[Node]:
        """What a loop carries after each trip, as `loop`."""
        return unpacked_states(apply(node.op, tuple(args), states), states.shapes)

    def root(self, path: Path, node: Node, root: Root, args: Sequence[Node]) -> Node:
        """The root of an equation, as `loop`."""
        return apply(node.op, tuple(args), root)


class _LastTrips(_Writer):
    def loop(self, path: Path, node: Node, loop: Loop, args: Sequence[Node]) -> Sequence[Node]:
        path = (*path, node)
        starts, outside = args[: loop.carries], args[loop.carries :]
        before, made = _before_the_last(loop, starts, outside)
        self.trips[path] = made
        inside = dict(zip(loop.body.parameters, (*before, *outside), strict=True))
        nexts = self.level(path, loop.body.outputs, inside)[: loop.carries]
        if isinstance(made, int):
            return nexts if made else starts
        is_some = apply(LESS, (constant(0.0), made))
        return [apply(WHERE, (is_some, after, start)) for after, start in zip(nexts, starts, strict=True)]

    def states(self, path: Path, node: Node, states: States, args: Sequence[Node]) -> Sequence[Node]:
        last = self.loop(path, node, states.loop, args)
        fewer = states._replace(trips=states.trips - 1)
        before = unpacked_states(apply(node.op, tuple(args), fewer), states.shapes) if fewer.trips else []
        rows = [reshape(last[at], (1, *last[at].shape)) for at in states.kept]
        return [apply(CONCAT, pair, Along(-len(pair[1].shape))) for pair in zip(before, rows, strict=False)] or rows

    def root(self, path: Path, node: Node, root: Root, args: Sequence[Node]) -> Node:
        """One more step from the root: in it, the equations have the adjoints that are its derivatives."""
        x = apply(node.op, tuple(args), root)
        known = (x, *args[1:])
        (rest,) = self.level((*path, node), root.body.outputs, dict(zip(root.body.parameters, known, strict=True)))
        return stepped(root.body, known, rest)


class _AllTrips(_Writer):
    def __init__(self, number: Callable[[Node], float]) -> None:
        super().__init__()
        self._number = number
        self._left = MOST_TRIPS

    def loop(self, path: Path, node: Node, loop: Loop, args: Sequence[Node]) -> Sequence[Node]:
        (*_, last) = [args[: loop.carries], *self._each(path, node, loop, args)]
        return last

    def states(self, path: Path, node: Node, states: States, args: Sequence[Node]) -> Sequence[Node]:
        each = [*self._each(path, node, states.loop, args)]
        return [
            apply(STACK, tuple(carries[at] for carries in each), Along(-1 - len(each[0][at].shape)))
            for at in states.kept
        ]

    def _bound(self, node: Node, loop: Loop, args: Sequence[Node]) -> Node | None:
        """The number that a loop's index goes up to, in the program's terms; None where the body computes it."""
        if loop.going is not None and loop.going.args[1].op is CONSTANT:
            return loop.going.args[1]
        bound = last_index(node)
        return None if bound is None else args[node.args.index(bound)]

    def _each(self, path: Path, node: Node, loop: Loop, args: Sequence[Node]) -> Iterator[Sequence[Node]]:
        """The carries after each trip."""
        carries, outside = args[: loop.carries], args[loop.carries :]
        made = loop.trips
        if made is None and has_index(loop) and (bound := self._bound(node, loop, args)) is not None:
            way = self._number(bound) - self._number(carries[-1])
            made = None if math.isnan(way) else math.floor(min(max(way, -1), MOST_TRIPS)) + 1
        if made is None:
            _, counted = _before_the_last(loop, carries, outside)
            assert isinstance(counted, Node)
            made = round(self._number(counted))
        self.trips[*path, node] = made
        self._left -= made
        if self._left < 0:
            raise TooLargeError(
                f"a picture of {count_text(made)} trips would be too large: the limit is {MOST_TRIPS}",
                hint="draw the loop as it is, without --unroll, or make fewer trips",
            )
        first = constant_value(carries[-1]) if has_index(loop) else None
        shown = loop.carries - (first is not None)  # an index is a number in each trip
        for trip in range(1, made + 1):
            inside = dict(zip(loop.body.parameters, (*carries, *outside), strict=True))
            found = self.level((*path, (node, trip)), loop.nexts[:shown], inside)
            carries = found if first is None else (*found, constant(first + trip))
            yield carries


class _Chains(_Writer):
    def __init__(self, number: Callable[[Node], int | None]) -> None:
        super().__init__()
        self._number = number
        self.after: dict[Node, tuple[Node, int, int]] = {}

    def loop(self, path: Path, node: Node, loop: Loop, args: Sequence[Node]) -> Sequence[Node]:
        carries, outside = args[: loop.carries], args[loop.carries :]
        made = loop.trips
        if made is None:
            counted = _before_the_last(loop, carries, outside)[1]
            made = counted if isinstance(counted, int) else self._number(counted)
        if made is None:
            return unpacked(apply(LOOP, tuple(args), loop), loop.shapes)
        first = constant_value(carries[-1]) if has_index(loop) else None
        trip = 0
        for trips in [1] * made if made <= _EACH else [*[1] * _ENDS, made - 2 * _ENDS, *[1] * _ENDS]:
            carries = _together(loop, (*carries, *outside), trips)
            trip += trips
            if first is not None:  # an index is a number in each trip
                carries = [*carries[:-1], constant(first + trip)]
            for at, carry in enumerate(carries):
                self.after.setdefault(carry, (node, at, trip))
        return carries


def _together(loop: Loop, args: tuple[Node, ...], trips: int) -> list[Node]:
    """The carries after some trips; after one trip each by itself, made of what it depends on."""
    leaves = loop.body.parameters
    if trips > 1:
        return unpacked(apply(LOOP, args, Loop(Body(leaves, loop.nexts), trips)), loop.shapes)
    return [_alone(loop, args, at) for at in range(loop.carries)]


def _alone(loop: Loop, args: tuple[Node, ...], at: int) -> Node:
    """A carry after one trip: one operation, of what it is made of, if it depends on itself and is not simple."""
    leaves, carry = loop.body.parameters, args[at]
    own = {arg: leaf for leaf, arg in reversed([*zip(leaves, args, strict=True)])}  # one leaf for equal arguments
    stand = tuple(arg if arg.op is CONSTANT and place != at else own[arg] for place, arg in enumerate(args))
    following = rebuild([loop.nexts[at]], _read, dict(zip(leaves, stand, strict=True)))[loop.nexts[at]]
    order = {*toposort([following])}
    outside = [arg for arg in own if own[arg] in order and arg is not carry]
    body = Body((own[carry], *map(own.__getitem__, outside)), (following,))
    if own[carry] not in order or not any(arg.args for arg in following.args):
        return rebuild([following], _read, {own[arg]: arg for arg in (carry, *outside)})[following]
    return apply(LOOP, (carry, *outside), Loop(body, 1))


def _read(op: Operation, args: tuple[Node, ...], params: Any) -> Node:
    """A node, in which an element whose place is known is read by its index, as in X[0]."""
    place = constant_value(args[1]) if op is ELEMENT else None
    size, *others = args[0].shape or (0,)
    if place is None or not (place.is_integer() and -size <= place < size):
        return apply(op, args, params)
    return take(args[0], (int(place) % size, *(Taken(0, each, 1) for each in others)))


def _before_the_last(loop: Loop, starts: Sequence[Node], outside: Sequence[Node]) -> tuple[Sequence[Node], Node | int]:
    """The carries before the last trip, and the number of trips; the starts where there is no trip."""
    carries = fresh_leaves(loop.shapes)
    nexts = [*instantiated(loop.body, (*carries, *outside))]
    if loop.trips is not None:
        if loop.trips < 2:
            return starts, loop.trips
        return looped(carries, starts, nexts, None, loop.trips - 1, range(len(carries))), loop.trips
    going = nexts.pop()
    behind, (count,) = fresh_leaves(loop.shapes), fresh_leaves([()])
    *before, made = looped(
        [*carries, *behind, count], [*starts, *starts, constant(0.0)],
        [*nexts, *carries, apply(ADD, (count, constant(1.0)))], going, None,
        range(len(carries), 2 * len(carries) + 1),
    )  # fmt: skip
    return before, made
