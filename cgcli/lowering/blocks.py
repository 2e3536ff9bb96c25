"""Statements in braces to nodes: loops, branches, the bodies of functions."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable, Iterable, Mapping, MutableMapping, Sequence
from cgcli.errors import ArgumentError, ParseError, ShapeError, Span, TooLargeError
from cgcli.graph.loops import fresh_leaves
from cgcli.graph.node import Node, apply, constant, toposort
from cgcli.graph.shapes import shaped, two_shapes
from cgcli.lowering.arguments import Value
from cgcli.lowering.assigned import assigned, read_first, standing_deeper
from cgcli.lowering.indices import Index, Places, bounds_of, number_of, scalar, value_of
from cgcli.lowering.invoke import TAKEN, Gone, Scope, Several, settled
from cgcli.lowering.invoke import Steps as Lowered
from cgcli.lowering.loops import looped
from cgcli.lowering.series import along_an_axis, is_elementwise
from cgcli.ops.arithmetic import ADD
from cgcli.ops.fitting import broadcast
from cgcli.ops.logic import AND_OP, NOT_OP, WHERE
from cgcli.ops.statics import brief
from cgcli.syntax import tree

MAX_NESTED = 20  # loops and branches within each other
_ONE = constant(1.0)

Lookup = Callable[[str, Span], Value]


class Blocks:
    """Lowers statements in braces.

    lookup: finds what no scope holds. places: told where things were read.
    """

    def __init__(self, lookup: Lookup, places: Places) -> None:
        self._lookup = lookup
        self._places = places
        self._nested = 0

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
        standing = self._places.moving.standing()
        for item in statements:
            if value is not None:
                raise _unused(before)
            before = item
            if isinstance(item, tree.Assign):
                (result,) = yield (item.value,), scope
                if not isinstance(result, Node):
                    raise ArgumentError("only a value can be named", item.value.span)
                names[item.name], value = standing.of(item.name, result) if standing else result, None
            elif isinstance(item, tree.AssignSeveral):
                (result,) = yield (item.value,), scope
                names.update(assigned_values(item, result))
                value = None
            elif isinstance(item, tree.Define | tree.DefineJvp | tree.Declare):
                raise ParseError("functions and shapes are declared outside of blocks", item.span)
            else:
                (value,) = yield (item,), scope
        if standing:
            value, *values = settled(standing, [value, *names.values()])
            names.update(zip([*names], values, strict=True))
        return value

    def outputs(self, item: tree.Outputs, scope: Scope) -> Lowered:
        """(a, b), behind (x, y) = or at the end of a function."""
        values = yield item.items, scope
        return Several(tuple(value_of(each, part.span) for each, part in zip(values, item.items, strict=True)))

    # ---- loops ------------------------------------------------------------------------------

    def loop(self, item: tree.While | tree.For | tree.Repeat, scope: Scope) -> Lowered:
        """Run a loop, which changes the names of the scope."""
        self._enter(item)
        names = scope.names
        assert isinstance(names, dict)
        index = yield from self._index(item, scope)
        carried, starts = self._carried(item, names)
        while True:
            leaves = fresh_leaves([start.shape for start in starts])
            place = fresh_leaves([()]) if index.start is not None else []
            inside: dict[str, Value] = {**names, **dict(zip(carried, leaves, strict=True))}
            inside.pop(TAKEN, None)
            if place and index.name:
                inside[index.name] = index.value(place[0])
            inner = Scope(inside, scope.inside)
            going = index.going(place[0]) if place and index.trips is None else None
            if isinstance(item, tree.While):
                (condition,) = yield (item.condition,), inner
                going = scalar(condition, item.condition.span, "the condition of a loop")
            value = yield from self._run(item.body.statements, inner)
            if value is not None and _leaves_a_loop(item.body.statements[-1]):
                raise _unused(item.body.statements[-1])
            nexts = [inside[name] for name in carried]
            wider = self._wider(starts, nexts, carried, item)
            if wider == starts:
                _check_shapes(starts, nexts, carried, item)
                break
            starts = wider
        trips, taken = index.trips, names.get(TAKEN)
        if isinstance(taken, Node):  # within a branch: no trip where that is not taken
            if going is None:
                going, trips = index.going(place[0]), None
            going = apply(AND_OP, (taken, going))
        afters = [*nexts, *(apply(ADD, (leaf, _ONE)) for leaf in place)]
        loop = [*leaves, *place], [*starts, *([index.start] if place else [])], afters, going, trips
        self._places.moving.go_within(*loop)
        found = looped(*loop, range(len(carried) + bool(index.name)), self._places.origins)  # fmt: skip
        self._places.of_loop(found, item.span, [*carried, index.name])
        names.update(zip(carried, found, strict=False))
        if index.name:
            self._places.names[found[-1]] = index.name
        for name in assigned(item.body.statements):
            if name not in carried:
                names[name] = Gone(f"'{name}' has a value within a trip of the loop only")
        self._nested -= 1
        if value is None:
            return None
        last = item.body.statements[-1].span
        if trips is None:
            raise _without_count(item, last)
        values = [*value.values] if isinstance(value, Several) else [value_of(value, last)]
        begin = [*starts, *([index.start] if place else [])]
        arrays = self._of_each_trip(values, [*leaves, *place], begin, afters, index)
        self._places.of_loop(arrays, item.span, [])
        return Several(tuple(arrays)) if isinstance(value, Several) else arrays[0]

    def iterate(self, item: tree.Call, scope: Scope) -> Lowered:
        """iterate(f, x0, n): f(f(…f(x0))), as a loop."""
        function = item.args[0] if item.args else None
        if len(item.args) != 3 or item.keywords or not isinstance(function, tree.Name):
            raise ArgumentError("iterate takes the name of a function, a start and a number of trips", item.span,
                                hint="as in: iterate(cos, 1, 20), or f(x) = x/2 + 1/x; iterate(f, 1, 5)")  # fmt: skip
        (start,) = yield (item.args[1],), scope
        name = f"{function.name}(…)"
        inner = Scope({**scope.names, name: start}, scope.inside)
        step = tree.Call(function.name, (tree.Name(name, function.span),), (), item.span, function.span)
        body = tree.Block((tree.Assign(name, step, item.span),), item.span)
        yield (tree.Repeat(item.args[2], body, item.span),), inner
        return inner.names[name]

    def _of_each_trip(
        self, values: Sequence[Node], carries: Sequence[Node], starts: Sequence[Node], nexts: Sequence[Node],
        index: Index,
    ) -> list[Node]:  # fmt: skip
        """Values of a trip, of each trip along an axis in front. What a loop does not carry yet, it carries as well."""
        assert index.trips is not None
        *moving, place = carries
        if set(toposort(values)).isdisjoint(moving) and all(is_elementwise(value, place) for value in values):
            terms = [along_an_axis(value, place, index, self._places) for value in values]
            return [
                broadcast(constant(0.0), (0, *value.shape)) if term is None else term
                for value, term in zip(values, terms, strict=True)
            ]
        more = [value for value in dict.fromkeys(values) if value not in nexts[:-1]]
        begin = [broadcast(constant(0.0), value.shape) for value in more]
        after = [*nexts, *more]
        kept = [after.index(value) for value in values]
        return looped([*carries, *fresh_leaves([each.shape for each in more])], [*starts, *begin], after, None,
                      index.trips, kept, self._places.origins, each_trip=True)  # fmt: skip

    def _enter(self, item: tree.Flow) -> None:
        """Count a loop or a branch. The outermost one looks for those that stand too deep, before anything is read."""
        self._nested += 1
        deeper = standing_deeper(item, MAX_NESTED) if self._nested == 1 else None
        if deeper is not None or self._nested > MAX_NESTED:
            raise TooLargeError(f"more than {MAX_NESTED} loops and branches stand in each other",
                                item.span if deeper is None else deeper.span)  # fmt: skip

    def _index(self, item: tree.While | tree.For | tree.Repeat, scope: Scope) -> Any:
        """The index of a loop, from the values of its bounds."""
        if isinstance(item, tree.While):
            return Index("", None, None)
        if isinstance(item, tree.Repeat):
            (count,) = yield (item.trips,), scope
            trips = scalar(count, item.trips.span, "the number of trips")
            known = number_of(trips)
            if known is not None and not (known >= 0 and (known == math.inf or known.is_integer())):
                raise ArgumentError(f"the number of trips is a whole number, not {brief(known)}", item.trips.span,
                                    hint="floor(x) is the whole number below" * (known > 0)
                                    or "as in: repeat 10 { x = cos(x) }")  # fmt: skip
            return Index("", _ONE, trips)
        if item.last is None:
            (array,) = yield (item.first,), scope
            array = value_of(array, item.first.span)
            if not array.shape:
                raise ShapeError("a scalar has no elements to go through", item.first.span,
                                 hint=f"as in: for {item.name} in 1..10 {{ … }}")  # fmt: skip
            return Index(item.name, constant(0.0), constant(array.shape[0] - 1.0), array)
        first, last = yield (item.first, item.last), scope
        return Index(item.name, *bounds_of(item, first, last))

    def _carried(self, item: tree.Flow, names: Mapping[str, Value]) -> tuple[list[str], list[Node]]:
        """The names that go from trip to trip, and their values before the first."""
        body = item.body.statements if not isinstance(item, tree.If) else (*item.yes.statements, *item.no.statements)
        first = {item.name} if isinstance(item, tree.For) else set()
        condition = (item.condition,) if isinstance(item, tree.While | tree.If) else ()
        early = read_first((*condition, *body), first)
        carried, starts = [], []
        for name in assigned(body):
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
            after = value_of(after, item.span)
            if after.shape == start.shape or not after.shape:
                wider.append(start)
            elif not start.shape:
                wider.append(broadcast(start, after.shape))
            else:
                raise _other_shape(name, start, after, item)
        return wider

    # ---- branches -----------------------------------------------------------------------------

    def branch(self, item: tree.If, scope: Scope) -> Lowered:
        """Run both sides of a branch; each name that they change is the one or the other, and so is the value."""
        self._enter(item)
        names = scope.names
        assert isinstance(names, dict)
        (condition,) = yield (item.condition,), scope
        holds = scalar(condition, item.condition.span, "the condition of a branch")
        known, starts = self._carried(item, names)
        names.update(zip(known, starts, strict=True))
        outer = names.get(TAKEN)
        sides: list[dict[str, Value]] = []
        values: list[Value] = []
        for block, taken in ((item.yes, holds), (item.no, apply(NOT_OP, (holds,)))):
            side = dict(names)
            side[TAKEN] = apply(AND_OP, (outer, taken)) if isinstance(outer, Node) else taken
            value = yield from self._run(block.statements, Scope(side, scope.inside))
            sides.append(side)
            values.append(value)
        yes, no = sides
        for name in assigned((*item.yes.statements, *item.no.statements)):
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
        self._places.origins.setdefault(node, item.span)
        return node


def _without_count(item: tree.Flow, span: Span) -> ArgumentError:
    """The error for the values of trips that nobody can count before they are made."""
    if isinstance(item, tree.While):
        return ArgumentError("a 'while' has no values of its trips: nobody knows how many there are", span,
                             hint="write repeat 10 { … }, or for k in 1..10 { … }")  # fmt: skip
    return ArgumentError("the values of the trips are an array, whose size must be known", span,
                         hint="give the bounds as numbers, outside of a branch: for k in 1..10 { … }")  # fmt: skip


def _leaves_a_loop(item: tree.Statement) -> bool:
    """Whether a statement is meant to leave a loop or a trip, as in other languages."""
    return isinstance(item, tree.Name) and item.name in ("break", "continue")


def _check_shapes(starts: Sequence[Node], nexts: Sequence[Value], names: Sequence[str], item: tree.Flow) -> None:
    """Raise ShapeError for an array that a trip makes a scalar."""
    for start, after, name in zip(starts, nexts, names, strict=True):
        if value_of(after, item.span).shape != start.shape:
            raise _other_shape(name, start, value_of(after, item.span), item)


def _other_shape(name: str, start: Node, after: Node, item: tree.Flow) -> ShapeError:
    return ShapeError(f"'{name}' has {shaped(start.shape)} before the trip, and {shaped(after.shape)} after it",
                      item.span, hint="what a loop carries keeps its shape")  # fmt: skip


def _unused(item: tree.Statement) -> ArgumentError:
    """The error for an expression in a block whose value nothing uses."""
    if _leaves_a_loop(item):
        assert isinstance(item, tree.Name)
        return ArgumentError(f"'{item.name}' is a name here: no statement leaves a loop or a trip", item.span,
                             hint="put it into the condition: while x > 1 and n < 10 { … }")  # fmt: skip
    return ArgumentError("nothing uses the value of this statement", item.span, hint="name it, as in: y = x^2")


def assigned_values(item: tree.AssignSeveral, value: Any) -> dict[str, Node]:
    """The names of (a, b) = value, with their values."""
    count = len(value.values) if isinstance(value, Several) else 1
    if count != len(item.names):
        results = f"{count} results" if count > 1 else "one result"
        raise ArgumentError(f"{len(item.names)} names stand before '=', and {results} behind it", item.span)
    return dict(zip((name.name for name in item.names), value.values, strict=True))
