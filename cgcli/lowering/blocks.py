"""Statements in braces to nodes: loops, branches, the bodies of functions, and sums over an index."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from cgcli.errors import ArgumentError, ParseError, ShapeError, Span, TooLargeError
from cgcli.graph.loops import MAX_TRIPS, Loop, fresh_leaves
from cgcli.graph.node import CONSTANT, VARIABLE, Node, apply, constant, constant_array, constant_value, toposort
from cgcli.graph.shapes import shaped, two_shapes
from cgcli.lean import struct
from cgcli.lowering.arguments import Value, known
from cgcli.lowering.invoke import Gone, Scope, Several
from cgcli.lowering.invoke import Steps as Lowered
from cgcli.lowering.loops import looped, moved
from cgcli.ops.arithmetic import ADD, MULTIPLY
from cgcli.ops.creation import ARANGE, Steps
from cgcli.ops.fitting import broadcast
from cgcli.ops.indexing import ELEMENT
from cgcli.ops.logic import AND_OP, LESS_EQUAL, NOT_OP, WHERE
from cgcli.ops.loops import unpacked
from cgcli.ops.reductions import PROD
from cgcli.ops.shaping import reshape
from cgcli.ops.sums import SUM, Reduce
from cgcli.records import NamedTuple
from cgcli.syntax import tree

MAX_NESTED = 20  # loops and branches within each other
_TAKEN = "\0taken"  # the condition under which the statements of a branch are run, among the names of a scope
_SPELLED_OUT = 8  # values of an index, where there are no more
_ONE = constant(1.0)

Lookup = Callable[[str, Span], Value]


class Blocks:
    """Lowers statements in braces. lookup: finds what no scope holds. origins: the spans that nodes were read from.

    indices: what the program calls the indices of its loops. carried: and all that each loop carries, by its body.
    """

    def __init__(self, lookup: Lookup, origins: dict[Node, Span]) -> None:
        self._lookup = lookup
        self._origins = origins
        self._nested = 0
        self.indices: dict[Node, str] = {}
        self.carried: dict[object, tuple[str, ...]] = {}

    # ---- statements -----------------------------------------------------------------------

    def block(self, item: tree.Block, scope: Scope) -> Lowered:
        """The value of a function's body."""
        names = dict(scope.names)
        value = yield from self._run(item.statements, Scope(names, scope.inside))
        if value is None:
            last = item.statements[-1].span if item.statements else item.span
            raise ParseError("the block has no result", last, hint="end it with an expression")
        return value

    def _run(self, statements: Iterable[tree.Statement], scope: Scope) -> Lowered:
        """Run statements, which change the names of the scope; the value of the last one, if it is an expression."""
        names = scope.names
        assert isinstance(names, MutableMapping | dict)
        value: Any = None
        before: Any = None
        for item in statements:
            if value is not None:
                raise _unused(before)
            before = item
            if isinstance(item, tree.Assign):
                (result,) = yield (item.value,), scope
                if not isinstance(result, Node):
                    raise ArgumentError("only a value can be named", item.value.span)
                names[item.name], value = result, None
            elif isinstance(item, tree.AssignSeveral):
                (result,) = yield (item.value,), scope
                names.update(assigned_values(item, result))
                value = None
            elif isinstance(item, tree.Define | tree.DefineJvp | tree.Declare):
                raise ParseError("functions and shapes are declared outside of blocks", item.span)
            else:
                (value,) = yield (item,), scope
        return value

    def outputs(self, item: tree.Outputs, scope: Scope) -> Lowered:
        """(a, b), behind (x, y) = or at the end of a function."""
        values = yield item.items, scope
        return Several(tuple(_value(each, part.span) for each, part in zip(values, item.items, strict=True)))

    # ---- loops ------------------------------------------------------------------------------

    def loop(self, item: tree.While | tree.For | tree.Repeat, scope: Scope) -> Lowered:
        """Run a loop, which changes the names of the scope."""
        self._nested += 1
        if self._nested > MAX_NESTED:
            raise TooLargeError(f"more than {MAX_NESTED} loops and branches stand in each other")
        names = scope.names
        assert isinstance(names, dict)
        index = yield from self._index(item, scope)
        carried, starts = self._carried(item, names)
        while True:
            leaves = fresh_leaves([start.shape for start in starts])
            place = fresh_leaves([()]) if index.start is not None else []
            inside: dict[str, Value] = {**names, **dict(zip(carried, leaves, strict=True))}
            inside.pop(_TAKEN, None)
            if place and index.name:
                inside[index.name] = index.value(place[0])
            inner = Scope(inside, scope.inside)
            going = index.going(place[0]) if place and index.trips is None else None
            if isinstance(item, tree.While):
                (condition,) = yield (item.condition,), inner
                going = _scalar(condition, item.condition.span, "the condition of a loop")
            value = yield from self._run(item.body.statements, inner)
            if value is not None:
                raise _unused(item.body.statements[-1])
            nexts = [inside[name] for name in carried]
            wider = self._wider(starts, nexts, carried, item)
            if wider == starts:
                break
            starts = wider
        trips, taken = index.trips, names.get(_TAKEN)
        if isinstance(taken, Node):  # within a branch: no trip where that is not taken
            if going is None:
                going, trips = index.going(place[0]), None
            going = apply(AND_OP, (taken, going))
        afters = [*nexts, *(apply(ADD, (leaf, _ONE)) for leaf in place)]
        found = looped([*leaves, *place], [*starts, *([index.start] if place else [])], afters, going, trips,
                       range(len(carried) + bool(index.name)), self._origins)  # fmt: skip
        self._place(found, item.span, [*carried, index.name])
        names.update(zip(carried, found, strict=False))
        if index.name:
            self.indices[found[-1]] = index.name
        for name in _assigned(item.body.statements):
            if name not in carried:
                names[name] = Gone(f"'{name}' has a value within a trip of the loop only")
        self._nested -= 1
        return None

    def _place(self, pieces: Sequence[Node], span: Span, names: Sequence[str]) -> None:
        """Say where a loop was read, and what it carries. pieces: its carries after it."""
        called = dict(zip(pieces, names, strict=False))
        for node in pieces:
            self._origins.setdefault(node, span)
            while node.args and not isinstance(node.params, Loop):
                node = node.args[0]
            self._origins.setdefault(node, span)
            if isinstance(node.params, Loop):
                every = unpacked(node, node.params.shapes)
                self.carried.setdefault(node.params.body, tuple(called.get(piece, "") for piece in every))

    def _index(self, item: tree.While | tree.For | tree.Repeat, scope: Scope) -> Any:
        """The index of a loop, from the values of its bounds."""
        if isinstance(item, tree.While):
            return _Index("", None, None)
        if isinstance(item, tree.Repeat):
            (count,) = yield (item.trips,), scope
            return _Index("", _ONE, _scalar(count, item.trips.span, "the number of trips"))
        if item.last is None:
            (array,) = yield (item.first,), scope
            array = _value(array, item.first.span)
            if not array.shape:
                raise ShapeError("a scalar has no elements to go through", item.first.span,
                                 hint=f"as in: for {item.name} in 1..10 {{ … }}")  # fmt: skip
            return _Index(item.name, constant(0.0), constant(array.shape[0] - 1.0), array)
        first, last = yield (item.first, item.last), scope
        return _Index(item.name, *_bounds(item, first, last))

    def _carried(self, item: tree.Flow, names: Mapping[str, Value]) -> tuple[list[str], list[Node]]:
        """The names that go from trip to trip, and their values before the first."""
        body = item.body.statements if not isinstance(item, tree.If) else (*item.yes.statements, *item.no.statements)
        first = {item.name} if isinstance(item, tree.For) else set()
        condition = (item.condition,) if isinstance(item, tree.While | tree.If) else ()
        early = _read_first((*condition, *body), first)
        carried, starts = [], []
        for name in _assigned(body):
            value = names.get(name)
            if value is None and name in early:
                value = self._lookup(name, early[name])
            if isinstance(value, Node):
                carried.append(name)
                starts.append(value)
        return carried, starts

    def _wider(self, starts: list[Node], nexts: Sequence[Value], names: Sequence[str], item: tree.Flow) -> list[Node]:
        """The starts, those of scalars in the shapes that a trip gives them."""
        wider = []
        for start, after, name in zip(starts, nexts, names, strict=True):
            after = _value(after, item.span)
            if after.shape == start.shape or not after.shape:
                wider.append(start)
            elif not start.shape:
                wider.append(broadcast(start, after.shape))
            else:
                shapes = f"{shaped(start.shape)} before the trip, and {shaped(after.shape)} after it"
                raise ShapeError(f"'{name}' has {shapes}",
                                 item.span, hint="what a loop carries keeps its shape")  # fmt: skip
        return wider

    # ---- branches -----------------------------------------------------------------------------

    def branch(self, item: tree.If, scope: Scope) -> Lowered:
        """Run both sides of a branch; each name that they change is the one or the other, and so is the value."""
        self._nested += 1
        if self._nested > MAX_NESTED:
            raise TooLargeError(f"more than {MAX_NESTED} loops and branches stand in each other")
        names = scope.names
        assert isinstance(names, dict)
        (condition,) = yield (item.condition,), scope
        holds = _scalar(condition, item.condition.span, "the condition of a branch")
        known, starts = self._carried(item, names)
        names.update(zip(known, starts, strict=True))
        outer = names.get(_TAKEN)
        sides: list[dict[str, Value]] = []
        values: list[Value] = []
        for block, taken in ((item.yes, holds), (item.no, apply(NOT_OP, (holds,)))):
            side = dict(names)
            side[_TAKEN] = apply(AND_OP, (outer, taken)) if isinstance(outer, Node) else taken
            value = yield from self._run(block.statements, Scope(side, scope.inside))
            sides.append(side)
            values.append(value)
        yes, no = sides
        for name in _assigned((*item.yes.statements, *item.no.statements)):
            one, other = yes.get(name), no.get(name)
            if not isinstance(one, Node) or not isinstance(other, Node):
                names[name] = Gone(f"'{name}' has a value on one side of the branch only")
            elif one is other:
                names[name] = one
            else:
                names[name] = self._chosen(holds, one, other, f"'{name}'", item)
        self._nested -= 1
        for value, block in zip(values, (item.yes, item.no), strict=True):
            if value is not None and not all(isinstance(each, Node) for each in values):
                raise _unused(block.statements[-1])
        if None in values:
            return None
        return self._chosen(holds, values[0], values[1], "the value", item)

    def _chosen(self, holds: Node, one: Node, other: Node, what: str, item: tree.If) -> Node:
        try:
            node = apply(WHERE, (holds, one, other))
        except ShapeError:
            raise ShapeError(f"the sides of the branch give {what} {two_shapes(one.shape, other.shape)}",
                             item.span) from None  # fmt: skip
        self._origins.setdefault(node, item.span)
        return node

    # ---- sums and products over an index --------------------------------------------------------

    def series(self, item: tree.Series, scope: Scope) -> Lowered:
        """sum(i=a..b, f) and prod(i=a..b, f)."""
        if item.function not in _SERIES:
            raise ArgumentError(f"'{item.function}' has no index", item.where,
                                hint="sum and prod have one, as in: sum(i=1..10, x^i)")  # fmt: skip
        first, last = yield (item.first, item.last), scope
        start, end = _bounds(item, first, last)
        (leaf,) = fresh_leaves([()])
        names = {key: value for key, value in scope.names.items() if key != _TAKEN}
        (body,) = yield (item.body,), Scope({**names, item.name: leaf}, scope.inside)
        term = _value(body, item.body.span)
        combine, reduction, neutral = _SERIES[item.function]
        index = _Index(item.name, start, end)
        if index.trips is not None and index.trips <= MAX_TRIPS and _is_elementwise(term, leaf):
            return self._along_an_axis(term, leaf, index, reduction, neutral)
        (so_far,) = fresh_leaves([term.shape])
        going = None if index.trips is not None else index.going(leaf)
        nexts = [apply(combine, (so_far, term)), apply(ADD, (leaf, _ONE))]
        begin = broadcast(constant(neutral), term.shape)
        total, last = looped([so_far, leaf], [begin, start], nexts, going, index.trips, [0, 1], self._origins)
        self._place([total, last], item.span, ["", item.name])
        self.indices[last] = item.name
        return total

    def _along_an_axis(self, term: Node, leaf: Node, index: Any, reduction: Any, neutral: float) -> Node:
        """The terms along an axis of their own in front, added up or multiplied."""
        if not index.trips:
            return broadcast(constant(neutral), term.shape)
        first = _number(index.start)
        assert first is not None
        shape = (index.trips, *(1,) * len(term.shape))
        if index.trips <= _SPELLED_OUT:
            values = struct.pack(f"<{index.trips}d", *(first + at for at in range(index.trips)))
            numbers = constant_array(values, shape)
        else:
            numbers = reshape(apply(ARANGE, (), Steps(first, first + index.trips, 1.0)), shape)
        terms = moved([term], {leaf: numbers}, self._origins)[term]
        if terms.shape[:1] != shape[:1] or len(terms.shape) != len(shape):  # a term without the index
            terms = broadcast(terms, (index.trips, *term.shape))
        return apply(reduction, (terms,), Reduce((-len(shape),), False))


def _unused(item: tree.Statement) -> ArgumentError:
    """The error for an expression in a block whose value nothing uses."""
    if isinstance(item, tree.Name) and item.name in ("break", "continue"):
        return ArgumentError(f"'{item.name}' is a name here: no statement leaves a loop or a trip", item.span,
                             hint="put it into the condition: while x > 1 and n < 10 { … }")  # fmt: skip
    return ArgumentError("nothing uses the value of this statement", item.span, hint="name it, as in: y = x^2")


class _Index(NamedTuple):
    """The index of a loop. start, end: its bounds. array: that whose elements it counts, if any."""

    name: str
    start: Node | None
    end: Node | None
    array: Node | None = None

    @property
    def trips(self) -> int | None:
        """How many trips the bounds make, where they are known."""
        if self.start is None or self.end is None:
            return None
        first, last = _number(self.start), _number(self.end)
        if first is None or last is None or not math.isfinite(last - first):
            return None
        return max(math.floor(last - first) + 1, 0)

    def going(self, leaf: Node) -> Node:
        """The condition for one more trip."""
        assert self.end is not None
        return apply(LESS_EQUAL, (leaf, self.end))

    def value(self, leaf: Node) -> Node:
        """What the index's name means."""
        return leaf if self.array is None else apply(ELEMENT, (self.array, leaf))


def _number(node: Node) -> float | None:
    """A number that is known while the program is read."""
    if node.op is CONSTANT:
        return constant_value(node)
    if any(part.op is VARIABLE or isinstance(part.params, Loop) for part in toposort([node])):
        return None
    value: float = known(node, "a bound")
    return value


_SERIES: dict[str, tuple[Any, Any, float]] = {"sum": (ADD, SUM, 0.0), "prod": (MULTIPLY, PROD, 1.0)}


def _bounds(item: tree.For | tree.Series, first: Value, last: Value) -> tuple[Node, Node]:
    assert item.last is not None
    what = "a bound of the index"
    return _scalar(first, item.first.span, what), _scalar(last, item.last.span, what)


def _scalar(value: Value, span: Span, what: str) -> Node:
    node = _value(value, span)
    if node.shape:
        raise ShapeError(f"{what} is a number, and this has {shaped(node.shape)}", span)
    return node


def _value(value: Any, span: Span) -> Node:
    if not isinstance(value, Node):
        raise ArgumentError("this is no value", span)
    return value


def assigned_values(item: tree.AssignSeveral, value: Any) -> dict[str, Node]:
    """The names of (a, b) = value, with their values."""
    count = len(value.values) if isinstance(value, Several) else 1
    if count != len(item.names):
        results = f"{count} results" if count > 1 else "one result"
        raise ArgumentError(f"{len(item.names)} names stand before '=', and {results} behind it", item.span)
    return dict(zip((name.name for name in item.names), value.values, strict=True))


def _is_elementwise(term: Node, leaf: Node) -> bool:
    """Whether all that depends on a leaf acts element by element, so that the leaf may have an axis more."""
    moving = {leaf}
    for node in toposort([term], moving):
        if not moving.isdisjoint(node.args):
            if not node.op.elementwise:
                return False
            moving.add(node)
    return True


# ---- names ----------------------------------------------------------------------------------


def _assigned(statements: Iterable[tree.Statement]) -> list[str]:
    """The names that statements assign, in the order in which they stand."""
    found: dict[str, None] = {}
    waiting: list[Any] = [*statements][::-1]
    while waiting:
        item = waiting.pop()
        if isinstance(item, tree.Assign):
            found[item.name] = None
        elif isinstance(item, tree.AssignSeveral):
            found.update(dict.fromkeys(name.name for name in item.names))
        else:
            waiting += [statement for block in _blocks(item) for statement in block.statements][::-1]
    return [*found]


def _blocks(item: Any) -> tuple[tree.Block, ...]:
    if isinstance(item, tree.If):
        return item.yes, item.no
    return (item.body,) if isinstance(item, tree.While | tree.For | tree.Repeat) else ()


def _read_first(parts: Iterable[Any], bound: set[str]) -> dict[str, Span]:
    """The names that are read before they are assigned, each with its first place. bound: names that are no inputs."""
    found: dict[str, Span] = {}
    known = set(bound)
    for name, span, assigns in _uses(parts):
        if assigns:
            known.add(name)
        elif name not in known:
            found.setdefault(name, span)
    return found


def _uses(parts: Iterable[Any]) -> Iterator[tuple[str, Span, bool]]:
    """The names in statements and expressions in the order in which they are read and assigned."""
    waiting: list[Any] = [*parts][::-1]
    while waiting:
        item = waiting.pop()
        if isinstance(item, tree.Name):
            yield item.name, item.span, False
        elif isinstance(item, _Assigned):
            yield item.name, item.span, True
        elif isinstance(item, tree.Assign):
            waiting += (_Assigned(item.name, item.span), item.value)
        elif isinstance(item, tree.AssignSeveral):
            waiting += (*(_Assigned(name.name, name.span) for name in item.names), item.value)
        elif isinstance(item, tree.For | tree.Series):
            waiting += (item.body, _Assigned(item.name, item.span), item.last, item.first)
        elif isinstance(item, tuple):
            waiting += item[::-1]


class _Assigned(NamedTuple):
    name: str
    span: Span
