"""Loops in formulas: their bodies in normal form, with what is known of an index."""

from __future__ import annotations

import math

from cgcli.annotations import Callable, Mapping, Sequence
from cgcli.evaluate.constants import computed
from cgcli.graph.loops import Loop, leaves_of
from cgcli.graph.node import Node, apply, constant, constant_value, rebuild, toposort
from cgcli.lowering.loops import looped
from cgcli.ops.arithmetic import ADD, EQUAL_TO, MULTIPLY, NEG, SUBTRACT
from cgcli.ops.logic import GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, NOT_EQUAL
from cgcli.ops.loops import has_index, unpacked
from cgcli.records import EMPTY, NamedTuple
from cgcli.transform.exact import exact

Simplify = Callable[[tuple[Node, ...]], tuple[Node, ...]]

_LINEAR, _LONGEST = (ADD, SUBTRACT, MULTIPLY, NEG), 8
_EQUALITIES = (EQUAL_TO, NOT_EQUAL)
_COMPARISONS = {*_EQUALITIES, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL}


class _Range(NamedTuple):
    """The values of an index: the first two, which give the step, and the last.

    Where the first two are equal the step is not known: any number from there to the last may be among them.
    """

    first: float
    second: float
    last: float

    def has(self, value: float) -> bool:
        """Whether it is among them."""
        step, (least, most) = self.second - self.first, sorted((self.first, self.last))
        return least <= value <= most and (not step or ((value - self.first) / step).is_integer())


def with_simpler_loops(
    outputs: Sequence[Node], simplify: Simplify, indices: Mapping[Node, _Range] = EMPTY
) -> dict[Node, Node]:
    """What loops carry, as it is of loops whose next values are simplified; their conditions stay as they are.

    A condition decides by its last digit how many trips there are. Nothing where there is no loop. indices: those of
    loops around, and their values.
    """
    become: dict[Node, Node] = {}
    for node in toposort(outputs):
        loop = node.params
        if not isinstance(loop, Loop):
            continue
        args = _replaced(node.args, become)
        carries = leaves_of(loop.body, loop.carries)
        inside = dict(zip(loop.body.parameters, (*carries, *args[loop.carries :]), strict=True))
        results = _replaced(loop.body.outputs, inside)
        nexts, going = results[: loop.carries], results[-1] if loop.trips is None else None
        within = {**indices, **_index_of(loop, args, carries, indices)}
        nexts = _replaced(nexts, with_simpler_loops(nexts, simplify, within))
        nexts = simplify(_with_known_conditions(nexts, within))
        values = looped(carries, args[: loop.carries], nexts, going, loop.trips, range(loop.carries))
        become |= zip(unpacked(node, loop.shapes), values, strict=True)
    return become


def _index_of(
    loop: Loop, args: Sequence[Node], carries: Sequence[Node], indices: Mapping[Node, _Range]
) -> dict[Node, _Range]:
    """The index of a loop, if it has one whose first value is known, or is that of a loop around it."""
    at = loop.carries - 1
    if not has_index(loop):
        return {}
    first = constant_value(args[at])
    if first is not None:
        return {carries[at]: _Range(first, first + 1, math.inf if loop.trips is None else first + loop.trips - 1)}
    around = indices.get(args[at])
    return {carries[at]: _Range(around.first, around.first, math.inf)} if around else {}


def _with_known_conditions(nodes: tuple[Node, ...], indices: Mapping[Node, _Range]) -> tuple[Node, ...]:
    """The nodes, where comparisons of an index with a number that come out the same in all trips are that truth."""
    known = {}
    for node in toposort(nodes):
        for counts, number in (node.args, node.args[::-1]) if node.op in _COMPARISONS else ():
            values, value = _range_of(counts, indices), constant_value(number)
            if values is None or value is None or (node.op in _EQUALITIES and values.has(value)):
                continue
            begin, _, end = (_computed(node, each) for each in values)
            if begin == end:
                known[node] = constant(begin)
    become = rebuild(nodes, exact, known) if known else {}
    return tuple(become.get(node, node) for node in nodes)


def _range_of(node: Node, indices: Mapping[Node, _Range]) -> _Range | None:
    """The values of what an index and numbers make, as 2*i + 1."""
    path: list[Node] = []
    while node not in indices:
        moving = [arg for arg in node.args if constant_value(arg) is None]
        if node.op not in _LINEAR or len(moving) != 1 or len(path) == _LONGEST:
            return None
        path.append(node)
        (node,) = moving
    values = indices[node]
    for each in reversed(path):
        values = _Range(*(_computed(each, value) for value in values))
    return values


def _computed(node: Node, value: float) -> float:
    """What an operation on numbers and one thing more is, where that has a value."""
    numbers = map(constant_value, node.args)
    return float(computed(node.op, [value if number is None else number for number in numbers], node.params))


def _replaced(nodes: Sequence[Node], known: dict[Node, Node]) -> tuple[Node, ...]:
    become = rebuild(nodes, apply, known)
    return tuple(become[node] for node in nodes)
