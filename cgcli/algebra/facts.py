"""What is plain to see of an operation, from its arguments: that it is never negative, smooth, or regular."""

from __future__ import annotations

from cgcli.algebra.coefficient import number_of
from cgcli.annotations import Any, Sequence
from cgcli.errors import EvaluationError, TooLargeError
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import CONSTANT, Node, constant_elements, name_of, toposort, variables
from cgcli.graph.operation import NON_NEGATIVE
from cgcli.ops.arithmetic import ADD, DIVIDE, FMOD, MAXIMUM, MINIMUM, MOD, MULTIPLY, POWER_OP
from cgcli.ops.indexing import INDEX
from cgcli.ops.lazily import np
from cgcli.ops.logic import WHERE
from cgcli.ops.shaping import RESHAPE, TRANSPOSE
from cgcli.ops.sums import BROADCAST, MEAN, SUM

_KEEPS_SIGN = (INDEX, RESHAPE, TRANSPOSE, BROADCAST, SUM, MEAN)
_JUMPS = (MOD, FMOD)  # mod(y, y) is 0 everywhere
_ROUNDING = 1e-12


def is_non_negative(node: Node, known: Sequence[bool]) -> bool:
    """Whether a node is at least 0 wherever it has a value. known: which of its arguments are."""
    op, args = node.op, node.args
    if op is CONSTANT:
        return all(number >= 0 for number in constant_elements(node))
    if op.facts & NON_NEGATIVE:
        return True
    if op in (ADD, DIVIDE, MINIMUM) or op in _KEEPS_SIGN:
        return all(known)
    if op is MULTIPLY:
        return all(known) or args[0] is args[1]
    if op is POWER_OP:
        exponent = number_of(args[1])
        return known[0] or (exponent is not None and (exponent.denominator != 1 or exponent % 2 == 0))
    if op is MAXIMUM:
        return any(known)
    return op is WHERE and known[1] and known[2]


def is_smooth(node: Node) -> bool:
    """Whether an operation is smooth, isolated points apart: its zeros then are isolated, or it is 0 everywhere."""
    op = node.op
    of_number = op is POWER_OP and node.args[0].op is CONSTANT  # 0^x has a corner
    kink = op in _JUMPS or (op.kink and not op.kink.isolated)
    return not (op is WHERE or op.why_no_derivative or kink or of_number)


def is_regular_somewhere(matrix: Node) -> bool:
    """Whether a matrix is regular at a random point."""
    (value,) = _at_random([matrix])
    return bool(np.all(np.isfinite(value)) and np.all(np.linalg.matrix_rank(value) == matrix.shape[-1]))


def vanishing(nodes: Sequence[Node]) -> set[Node]:
    """Those of some nodes that are 0 at a random point, or have an element that is, but for rounding.

    None of them where they are too large to be computed.
    """
    try:
        values = _at_random(nodes) if nodes else []
    except (TooLargeError, EvaluationError):
        return set()
    return {node for node, value in zip(nodes, values, strict=True) if np.any(np.abs(value) < _ROUNDING)}


def _at_random(nodes: Sequence[Node]) -> list[Any]:
    """The values of some nodes at a random point, the same one each time."""
    inputs = {name_of(node): node.shape for node in variables(toposort(nodes))}
    random = np.random.default_rng(0)
    return evaluate(nodes, {name: random.uniform(0.5, 1.5, shape)[()] for name, shape in sorted(inputs.items())})
