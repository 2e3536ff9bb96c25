"""What is known of arrays before anything runs: their values, where they are constant, and where they are 0."""

from __future__ import annotations

import math

from cgcli.annotations import Any
from cgcli.evaluate.constants import SYMBOLIC, as_constant, computed, constant_of
from cgcli.graph.node import CONSTANT, Node, apply, missing
from cgcli.graph.operation import Operation, Params
from cgcli.ops.arithmetic import ABS, ADD, DIVIDE, MULTIPLY, NEG, SQRT, SUBTRACT
from cgcli.ops.creation import ARANGE, EYE, ONES, ZEROS, OfShape, OfSize
from cgcli.ops.indexing import INDEX, PAD, PUT
from cgcli.ops.lazily import np
from cgcli.ops.linalg import MATMUL
from cgcli.ops.logic import WHERE
from cgcli.ops.reductions import PROD
from cgcli.ops.shaping import CONCAT, DIAG, FLIP, RESHAPE, STACK, TRANSPOSE
from cgcli.ops.sums import BROADCAST, MEAN, SUM

_MOST_WRITTEN = 64  # elements of an array that is written as a list
_MOST_COMPUTED = 100_000  # elements of an array whose value is computed
# These move elements and do not change them.
_MOVES = (STACK, CONCAT, RESHAPE, TRANSPOSE, FLIP, INDEX, PUT, PAD, DIAG, WHERE)
_ADDS_UP = (*_MOVES, BROADCAST, SUM, MEAN, PROD, MATMUL, ADD, MULTIPLY)  # 0 where all terms, or a factor of each, are 0
_CREATED = (ZEROS, ONES, EYE, ARANGE)


def known_value(node: Node) -> Any:
    """The value of a constant, or of an array of zeros and ones that is made from its shape; None for other nodes."""
    if node.op is CONSTANT:
        return constant_of(node)
    if node.op not in _CREATED or math.prod(node.shape) > _MOST_COMPUTED:
        return None
    return computed(node.op, (), node.params)


def is_known(node: Node) -> bool:
    """Whether a node is a constant, or made from its shape alone."""
    return node.op is CONSTANT or node.op in _CREATED


def is_identity(node: Node) -> bool:
    """Whether a node is an identity matrix."""
    size = node.shape[-1]
    if node.op is not CONSTANT or node.shape != (size, size) or size > _MOST_WRITTEN:
        return node.op is EYE
    return bool(np.array_equal(constant_of(node), np.eye(size)))


def folded_array(op: Operation, args: tuple[Node, ...], params: Params) -> Node | None:
    """An operation on known arrays as one array, if that is exact, and is short or no longer than they are."""
    shape = apply(op, args, params).shape
    if op is BROADCAST or max(math.prod(shape), *(math.prod(arg.shape) for arg in args)) > _MOST_COMPUTED:
        return None
    values = [known_value(arg) for arg in args]
    found = computed(op, values, params)
    numbers = [number for value in (found, *values) for number in np.ravel(value).tolist()]
    loses_nothing = all(map(float.is_integer, numbers)) or (op in _MOVES and SYMBOLIC.isdisjoint(numbers))
    if not loses_nothing:
        return None
    if shape and op is not STACK:
        for created, number in ((ZEROS, 0.0), (ONES, 1.0)):
            if np.all(found == number):
                return apply(created, (), OfShape(shape))
        if len(shape) == 2 and np.array_equal(found, np.eye(shape[0])):
            return apply(EYE, (), OfSize(shape[0]))
    if any(arg.op is ARANGE for arg in args):
        return None  # which is shorter than its numbers
    longest = max((math.prod(arg.shape) for arg in args if arg.op is CONSTANT or op is not STACK), default=0)
    return as_constant(found) if math.prod(shape) <= max(longest, _MOST_WRITTEN) else None


class Patterns:
    """The sparsity patterns of arrays: which elements may be other than 0, as far as constants tell."""

    def __init__(self) -> None:
        self._known: dict[Node, Any] = {}

    def of(self, root: Node) -> Any:
        """True for each element that may be other than 0; False where it is 0 unless it is undefined."""
        for node in missing(root, self._known):
            self._known[node] = self._pattern(node)
        return self._known[root]

    def _pattern(self, node: Node) -> Any:
        if math.prod(node.shape) > _MOST_COMPUTED:
            return np.broadcast_to(np.True_, node.shape)
        if is_known(node):
            value = known_value(node)
            return np.not_equal(value, 0)
        parts = [self._known[arg] for arg in node.args]
        if node.op is WHERE:
            mask = known_value(node.args[0])
            choice = parts[1] | parts[2] if mask is None else np.where(mask, parts[1], parts[2])
            return np.broadcast_to(choice, node.shape)
        if node.op in (NEG, ABS, SQRT, DIVIDE):
            return np.broadcast_to(parts[0], node.shape)
        if node.op is SUBTRACT:
            return np.logical_or(*parts)
        if node.op in _ADDS_UP:
            return np.greater(computed(node.op, [part.astype(float) for part in parts], node.params), 0)
        return np.broadcast_to(np.True_, node.shape)
