"""What holds of a value, a number or an array element by element; numpy is not needed where it is a number."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Mapping, Sequence
from cgcli.evaluate.kernels import kernel_of
from cgcli.graph.node import Node, is_given, toposort
from cgcli.graph.operation import ILL_CONDITIONED
from cgcli.graph.shapes import shape_of
from cgcli.ops.lazily import np

_ILL = 2.0**27  # as a condition number
_STEP = 2.0**-40  # of an operand
SMALL_SUM = 1 / _ILL  # of its terms
MOST_TRIPS = 1000  # of a loop that is looked into
LEAST = 2.0**-1022  # of the floats that have all their digits


def is_nan(value: Any) -> Any:
    """Whether a number is nan; of an array, which of its elements are."""
    return value != value


def is_not_finite(value: Any) -> Any:
    """Whether a number is nan or infinite; of an array, which of its elements are."""
    return not math.isfinite(value) if isinstance(value, float) else ~np.isfinite(value)


def is_all_finite(value: Any) -> bool:
    """Whether a number is finite, or all elements of an array are."""
    return not somewhere(is_not_finite(value))


def somewhere(mask: Any) -> bool:
    """Whether a condition, or one for each element, holds anywhere."""
    return bool(np.any(mask)) if shape_of(mask) else bool(mask)


def may_lose(outputs: Sequence[Node], values: Mapping[Node, float]) -> bool:
    """Whether an operation is ill-conditioned at operands that were computed; of arrays and loops, whether one may be.

    values: of every node, where they are numbers.
    """
    order = values or toposort(outputs)
    if any(node.op.name == "loop" and _may_lose_in_trips(node) for node in order):
        return True
    if not values:
        return any(node.op.facts & ILL_CONDITIONED for node in order)
    return any(
        node.op.facts & ILL_CONDITIONED
        and any(not is_given(arg) and is_ill_conditioned(node, at, values) for at, arg in enumerate(node.args))
        for node in values
    )


def _may_lose_in_trips(loop: Node) -> bool:
    """Whether an operation in a loop's body may be ill-conditioned; where that is a sum alone, it is not looked for."""
    from cgcli.graph.loops import Loop

    if not isinstance(loop.params, Loop) or (loop.params.trips or MOST_TRIPS) >= MOST_TRIPS:
        return False
    return any(
        node.op.facts & ILL_CONDITIONED and node.op.name != "add" and not all(map(is_given, node.args))
        for node in toposort(loop.params.nexts)
    )


def is_ill_conditioned(node: Node, at: int, values: Mapping[Node, Any]) -> Any:
    """Whether rounding the operand at a position moves a value, which is not 0, by 1e-8 of it or more; of an array,
    which elements.

    That is a condition number of 2^27. Tried are steps that are far longer than rounding is, and still short.
    """
    value, operands = values[node], [values[arg] for arg in node.args]
    kernel, params = kernel_of(node), node.params
    bound = abs(value) * (_ILL * _STEP)
    mask: Any = False
    for step in (1 - _STEP, 1 + _STEP):
        moved = [*operands[:at], operands[at] * step, *operands[at + 1 :]]
        try:
            mask |= abs(kernel(*moved, *params) - value) > bound
        except (ArithmeticError, ValueError):  # out of the domain of a number
            continue
    return mask & (value != 0)


def is_small(value: Any) -> bool:
    """Whether a number is 0 or next to it, or all elements of an array are."""
    return not somewhere(abs(value) >= LEAST)
