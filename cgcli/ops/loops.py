"""A loop and its reverse pass, as operations. They stand for blocks of the language; no function has their names."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.graph.body import leaves
from cgcli.graph.loops import Loop, LoopAdjoint, States, packed_shape
from cgcli.graph.node import (
    CONSTANT,
    Node,
    apply,
    constant,
    constant_array,
    constant_elements,
    constant_value,
    data_of,
    toposort,
)
from cgcli.graph.operation import Kink, Operation, Shape, imported
from cgcli.graph.rules import Together
from cgcli.graph.work import work_of
from cgcli.lean import struct
from cgcli.ops.arithmetic import ADD, MULTIPLY
from cgcli.ops.creation import ZEROS
from cgcli.ops.fitting import broadcast, ones_like, repeated, zeros_like
from cgcli.ops.indexing import INDEX, take
from cgcli.ops.logic import LESS_EQUAL
from cgcli.ops.shaping import CONCAT, RESHAPE, STACK, reshape
from cgcli.ops.statics import Along, Taken
from cgcli.records import NamedTuple

_USUAL_TRIPS = 100  # where a condition decides

_RULE = Together("cgcli.transform.loops:tangent_of", "cgcli.transform.loops:adjoints_of")


def _work(shapes: Sequence[Shape], params: Loop | States | LoopAdjoint) -> int:
    outputs = params.body.outputs + (params.back.outputs if isinstance(params, LoopAdjoint) else ())
    return (_USUAL_TRIPS if params.trips is None else params.trips) * sum(map(work_of, toposort(outputs)))


def _loop_shape(shapes: Sequence[Shape], params: Loop) -> Shape:
    return packed_shape(params.shapes)


def _makes_no_trip(*args: Any) -> bool:
    return bool(imported("cgcli.evaluate.loops:makes_no_trip")(*args))


LOOP = Operation(
    "loop", "a block that is run again and again", ("*args",), "cgcli.evaluate.loops:run", _loop_shape, (_RULE,),
    work=_work, python="cgcli.evaluate.loops:run", rows="cgcli.evaluate.loops:run_rows",
    canonical="cgcli.lowering.loops:canonical",
    kink=Kink(_makes_no_trip, "it makes no trip, so its derivative is that of its start"),
)  # fmt: skip
LOOP_ADJOINT = Operation(
    "loop_adjoint", "the reverse pass of a loop", ("*args",), "cgcli.evaluate.loop_adjoints:run_back",
    lambda shapes, params: packed_shape(params.shapes), (_RULE,), work=_work,
    python="cgcli.evaluate.loop_adjoints:run_back", rows="cgcli.evaluate.loop_adjoints:run_back_rows",
    canonical="cgcli.transform.loops:canonical",
)  # fmt: skip

STATES = Operation(
    "states", "what a loop carries after each of its trips", ("*args",), "cgcli.evaluate.loops:run_states",
    lambda shapes, params: (params.trips, *packed_shape(params.shapes)),
    (Together("cgcli.transform.states:tangent_of", "cgcli.transform.states:adjoints_of"),), work=_work,
    python="cgcli.evaluate.loops:run_states", rows="cgcli.evaluate.loops:run_states_rows",
    canonical="cgcli.lowering.loops:canonical_states",
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


class Series(NamedTuple):
    """A sum or a product over the index of a loop.

    combine: ADD or MULTIPLY. start: what the terms are added to, or multiplied by. term: of the loop's leaves.
    """

    combine: Operation
    start: Node
    term: Node


def series_of(node: Node, at: int) -> Series | None:
    """What the carry at a place of a loop is, if it adds up or multiplies terms that no carry but the index is in."""
    loop = node.params
    assert isinstance(loop, Loop)
    leaves, after = loop.body.parameters, loop.nexts[at]
    if at == loop.carries - 1 or not has_index(loop) or after.op not in (ADD, MULTIPLY) or leaves[at] not in after.args:
        return None
    term = after.args[after.args[0] is leaves[at]]
    is_free = set(leaves[: loop.carries - 1]).isdisjoint(toposort([term]))
    return Series(after.op, node.args[at], term) if is_free and term.shape == after.shape else None


def known_last(loop: Loop, start: Node) -> Node | None:
    """The last value of an index whose first value and number of trips are known; None for any other."""
    first = constant_value(start)
    return None if first is None or loop.trips is None else constant(first + loop.trips - 1)


def last_index(node: Node) -> Node | None:
    """The bound that a loop's index goes up to, where it is computed outside of the loop; None where nothing is."""
    loop = node.params
    assert isinstance(loop, Loop)
    if loop.going is None or not has_index(loop):
        return None
    bound, outside = loop.going.args[1], loop.body.parameters[loop.carries :]
    return node.args[loop.carries + outside.index(bound)] if bound in outside else None


def packed(nodes: Sequence[Node]) -> Node:
    """Values in one array: the only one itself, else their elements in a row, or what they are pieces of."""
    if len(nodes) == 1:
        return nodes[0]
    shapes = [node.shape for node in nodes]
    if all(node.op is CONSTANT for node in nodes):
        return constant_array(b"".join(map(data_of, nodes)), packed_shape(shapes))
    whole = nodes[0]
    while whole.op is RESHAPE or whole.op is INDEX:
        whole = whole.args[0]
        if whole.shape == packed_shape(shapes) and _taken(whole, shapes) == [*nodes]:
            return whole
    if not any(shapes):
        return apply(STACK, tuple(nodes), Along(-1))
    return apply(CONCAT, tuple(reshape(node, (math.prod(node.shape),)) for node in nodes), Along(-1))


def unpacked(node: Node, shapes: Sequence[Shape]) -> list[Node]:
    """The values in a packed array; those that were packed into it."""
    if len(shapes) == 1:
        return [node]
    filled = next((like for like in (ones_like, zeros_like) if node is like(node)), None)
    if filled is not None:
        return [filled(leaf) for leaf in leaves(shapes)]
    sizes = [*map(math.prod, shapes)]
    if node.op is CONSTANT:
        data = data_of(node)
        ends = [8 * sum(sizes[:at]) for at in range(len(sizes) + 1)]
        return [
            constant_array(data[begin:end], shape) for begin, end, shape in zip(ends, ends[1:], shapes, strict=False)
        ]
    if node.op is STACK and not any(shapes):
        return [*node.args]
    if node.op is CONCAT and len(node.shape) == 1 and [arg.shape[0] for arg in node.args] == sizes:
        return [in_shape(arg, shape) for arg, shape in zip(node.args, shapes, strict=True)]
    return _taken(node, shapes)


def _taken(node: Node, shapes: Sequence[Shape]) -> list[Node]:
    """The values in a packed array, as pieces of it."""
    found, begin = [], 0
    for shape in shapes:
        size = math.prod(shape)
        part = reshape(take(node, (Taken(begin, size, 1),)), shape) if shape else take(node, (begin,))
        found.append(part)
        begin += size
    return found


def read_by(node: Node) -> list[Node]:
    """What the text of a node reads: its arguments; of a loop's adjoint, what is packed in the last two."""
    if not isinstance(node.params, LoopAdjoint):
        return [*node.args]
    *args, cotangent, guard = node.args
    shapes = node.params.loop.shapes
    for packed_one in (cotangent, guard):
        found = unpacked(packed_one, shapes)
        args += [packed_one] if found == _taken(packed_one, shapes) else found
    return args


def in_shape(node: Node, shape: Shape) -> Node:
    """A value that was laid out in a row, in its shape."""
    return node.args[0] if node.op is RESHAPE and node.args[0].shape == shape else reshape(node, shape)


def implied_guard(weight: Node) -> Node:
    """0 where a tangent or a cotangent that is given as an argument is a structural zero: the zeros of a constant."""
    number = repeated(weight)
    if number.op is ZEROS or (number.op is CONSTANT and not any(constant_elements(number))):
        return zeros_like(weight)
    if number.op is not CONSTANT or all(constant_elements(number)):
        return ones_like(weight)
    truths = [element != 0 for element in constant_elements(number)]
    return broadcast(constant_array(struct.pack(f"<{len(truths)}d", *truths), number.shape), weight.shape)


def unpacked_states(node: Node, shapes: Sequence[Shape]) -> list[Node]:
    """The values in a packed array with an axis of trips in front."""
    if len(shapes) == 1:
        return [node]
    found, begin, everywhere = [], 0, Taken(0, node.shape[0], 1)
    for shape in shapes:
        size = math.prod(shape)
        part = take(node, (everywhere, Taken(begin, size, 1) if shape else begin))
        found.append(reshape(part, (node.shape[0], *shape)) if len(shape) > 1 else part)
        begin += size
    return found


def packed_states(nodes: Sequence[Node]) -> Node:
    """Values with an axis of trips in front in one array: the only one itself, else side by side."""
    if len(nodes) == 1:
        return nodes[0]
    trips = nodes[0].shape[0]
    flat = tuple(reshape(node, (trips, math.prod(node.shape[1:]))) for node in nodes)
    return apply(CONCAT, flat, Along(-1))
