"""Values that are known while a graph is built: of its constants, and of operations on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cgcli.graph.node import Node, constant, constant_array
from cgcli.graph.operation import Operation, Params
from cgcli.ops.lazily import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FLOAT = "<f8"

SYMBOLIC = frozenset({math.pi, math.tau, math.e, math.radians(1)})  # no decimal number: pi, tau, e, deg


def constant_of(node: Node) -> NDArray[np.float64]:
    """The value of a constant node."""
    (data,) = node.params
    assert isinstance(data, bytes)
    value = np.frombuffer(data, _FLOAT).reshape(node.shape)
    return value if node.shape else value[()]


def as_constant(value: Any) -> Node:
    """The constant node of an array or a number."""
    array = np.asarray(value, dtype=_FLOAT)
    return constant_array(array.tobytes(), array.shape) if array.shape else constant(float(array))


def computed(op: Operation, args: Sequence[Any], params: Params) -> Any:
    """One operation on arrays, quiet about nan and infinities."""
    with np.errstate(all="ignore"):
        return op.kernel(*args, *params)
