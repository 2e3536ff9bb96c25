"""Values that are known while a graph is built: of its constants, and of operations on them."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.graph.node import Node, constant, constant_array, constant_value
from cgcli.graph.operation import Operation, Params
from cgcli.ops.lazily import np

_FLOAT = "<f8"

SYMBOLIC = frozenset({math.pi, math.tau, math.e, math.radians(1)})  # no decimal number: pi, tau, e, deg
OF_RULES = frozenset({  # nor are these, which derivative rules have instead of roots and logarithms
    1.4426950408889634, 1.3862943611198906, 0.4342944819032518, 0.7071067811865476, 0.3989422804014327,
    1.1283791670955126,
})  # fmt: skip


def constant_of(node: Node) -> Any:
    """The value of a constant node: an array, or a float."""
    number = constant_value(node)
    if number is not None:
        return number
    (data,) = node.params
    assert isinstance(data, bytes)
    return np.frombuffer(data, _FLOAT).reshape(node.shape)


def as_constant(value: Any) -> Node:
    """The constant node of an array or a number."""
    if isinstance(value, float):
        return constant(value)
    array = np.asarray(value, dtype=_FLOAT)
    return constant_array(array.tobytes(), array.shape) if array.shape else constant(float(array))


def computed(op: Operation, args: Sequence[Any], params: Params) -> Any:
    """One operation on arrays or numbers, quiet about nan and infinities."""
    if op.scalar is not None and all(isinstance(arg, float) for arg in args):
        return op.scalar(*args, *params)
    with np.errstate(all="ignore"):
        return op.kernel(*args, *params)
