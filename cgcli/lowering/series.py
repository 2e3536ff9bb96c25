"""Sums and products over an index: an axis where the terms act element by element, else a loop."""

from __future__ import annotations

from cgcli.annotations import Any
from cgcli.errors import ArgumentError, TooLargeError
from cgcli.graph.loops import fresh_leaves, most_trips
from cgcli.graph.node import Node, apply, constant, constant_array, dependents, toposort
from cgcli.lean import struct
from cgcli.lowering.indices import Index, Places, bounds_of, number_of, value_of
from cgcli.lowering.invoke import TAKEN, Scope
from cgcli.lowering.invoke import Steps as Lowered
from cgcli.lowering.loops import looped, moved
from cgcli.ops.arithmetic import ADD, MULTIPLY
from cgcli.ops.creation import ARANGE, Steps
from cgcli.ops.fitting import broadcast
from cgcli.ops.reductions import PROD
from cgcli.ops.shaping import reshape
from cgcli.ops.sums import SUM, Reduce
from cgcli.syntax import tree

_SPELLED_OUT = 8  # values of an index, where there are no more
_MOST_NESTED = 50  # an axis each, of which an array has 64
_ONE = constant(1.0)

_SERIES: dict[str, tuple[Any, Any, float]] = {"sum": (ADD, SUM, 0.0), "prod": (MULTIPLY, PROD, 1.0)}


def series(item: tree.Series, scope: Scope, places: Places) -> Lowered:
    """sum(i=a..b, f) and prod(i=a..b, f)."""
    if item.function not in _SERIES:
        raise ArgumentError(f"'{item.function}' has no index", item.where,
                            hint="sum and prod have one, as in: sum(i=1..10, x^i)")  # fmt: skip
    first, last = yield (item.first, item.last), scope
    start, end = bounds_of(item, first, last)
    (leaf,) = fresh_leaves([()])
    names = {key: value for key, value in scope.names.items() if key != TAKEN}
    places.series.append(item)
    if len(places.series) > _MOST_NESTED:
        raise TooLargeError(f"more than {_MOST_NESTED} sums and products stand in each other", item.where)
    (body,) = yield (item.body,), Scope({**names, item.name: leaf}, scope.inside)
    places.series.pop()
    term = value_of(body, item.body.span)
    combine, reduction, neutral = _SERIES[item.function]
    index = Index(item.name, start, end)
    begin = broadcast(constant(neutral), term.shape)
    if index.trips is not None and index.trips <= most_trips() and is_elementwise(term, leaf):
        terms = along_an_axis(term, leaf, index, places)
        return begin if terms is None else apply(reduction, (terms,), Reduce((-len(terms.shape),), False))
    (so_far,) = fresh_leaves([term.shape])
    going = None if index.trips is not None else index.going(leaf)
    nexts = [apply(combine, (so_far, term)), apply(ADD, (leaf, _ONE))]
    loop = [so_far, leaf], [begin, start], nexts, going, index.trips
    places.moving.go_within(*loop)
    total, last = looped(*loop, [0, 1], places.origins)
    places.of_loop([total, last], item.span, ["", item.name])
    places.names[last] = item.name
    return total


def along_an_axis(term: Node, leaf: Node, index: Index, places: Places) -> Node | None:
    """The terms of a known number of trips along an axis of their own in front; None where there are none.

    leaf: stands for the index in the term, which acts on it element by element.
    """
    if not index.trips:
        return None
    assert index.start is not None
    first = number_of(index.start)
    assert first is not None
    shape = (index.trips, *(1,) * len(term.shape))
    if index.trips <= _SPELLED_OUT:
        values = struct.pack(f"<{index.trips}d", *(first + at for at in range(index.trips)))
        numbers = constant_array(values, shape)
    else:
        numbers = reshape(apply(ARANGE, (), Steps(first, first + index.trips, 1.0)), shape)
    terms = moved([term], {leaf: numbers}, places.origins)[term]
    places.moving.replace_leaf(leaf, numbers)
    if terms.shape[:1] != shape[:1] or len(terms.shape) != len(shape):  # a term without the index
        terms = broadcast(terms, (index.trips, *term.shape))
    return terms


def is_elementwise(term: Node, leaf: Node) -> bool:
    """Whether all that depends on a leaf acts element by element, so that the leaf may have an axis more."""
    return all(node is leaf or node.op.elementwise for node in dependents([leaf], toposort([term], [leaf])))
