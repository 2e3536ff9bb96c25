"""A loop and its reverse pass, as operations. They stand for blocks of the language; no function has their names."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.graph.loops import Loop, LoopAdjoint, packed_shape
from cgcli.graph.node import Node, apply, constant, toposort
from cgcli.graph.operation import Kink, Operation, Shape, imported
from cgcli.graph.rules import Together
from cgcli.graph.work import work_of
from cgcli.ops.arithmetic import ADD
from cgcli.ops.indexing import take
from cgcli.ops.logic import LESS_EQUAL
from cgcli.ops.shaping import CONCAT, STACK, reshape
from cgcli.ops.statics import Along, Taken

_USUAL_TRIPS = 100  # where a condition decides

_RULE = Together("cgcli.transform.loops:tangent_of", "cgcli.transform.loops:adjoints_of")


def _work(shapes: Sequence[Shape], params: Loop | LoopAdjoint) -> int:
    outputs = params.body.outputs + (params.back.outputs if isinstance(params, LoopAdjoint) else ())
    return (_USUAL_TRIPS if params.trips is None else params.trips) * sum(map(work_of, toposort(outputs)))


def _loop_shape(shapes: Sequence[Shape], params: Loop) -> Shape:
    return packed_shape(params.shapes)


def _makes_no_trip(*args: Any) -> bool:
    return bool(imported("cgcli.evaluate.loops:makes_no_trip")(*args))


LOOP = Operation(
    "loop", "a block that is run again and again", ("*args",), "cgcli.evaluate.loops:run", _loop_shape, (_RULE,),
    work=_work, python="cgcli.evaluate.loops:run", rows="cgcli.evaluate.loops:run_rows",
    kink=Kink(_makes_no_trip, "it makes no trip, so its derivative is that of its start"),
)  # fmt: skip
LOOP_ADJOINT = Operation(
    "loop_adjoint", "the reverse pass of a loop", ("*args",), "cgcli.evaluate.loops:run_back",
    lambda shapes, params: packed_shape(params.shapes), (_RULE,), work=_work,
    python="cgcli.evaluate.loops:run_back", rows="cgcli.evaluate.loops:run_back_rows",
)  # fmt: skip


def has_index(loop: Loop) -> bool:
    """Whether the last carry counts the trips, one by one, up to a bound that no trip changes."""
    carries, at = loop.body.parameters[: loop.carries], loop.carries - 1
    if loop.nexts[at] is not apply(ADD, (carries[at], constant(1.0))):
        return False
    going = loop.going
    if going is None:
        return True
    counts = going.op is LESS_EQUAL and going.args[0] is carries[at]
    return counts and set(carries).isdisjoint(toposort([going.args[1]]))


def packed(nodes: Sequence[Node]) -> Node:
    """Values in one array: the only one itself, else their elements in a row."""
    if len(nodes) == 1:
        return nodes[0]
    if not any(node.shape for node in nodes):
        return apply(STACK, tuple(nodes), Along(-1))
    return apply(CONCAT, tuple(reshape(node, (math.prod(node.shape),)) for node in nodes), Along(-1))


def unpacked(node: Node, shapes: Sequence[Shape]) -> list[Node]:
    """The values in a packed array."""
    if len(shapes) == 1:
        return [node]
    found, begin = [], 0
    for shape in shapes:
        size = math.prod(shape)
        part = reshape(take(node, (Taken(begin, size, 1),)), shape) if shape else take(node, (begin,))
        found.append(part)
        begin += size
    return found
