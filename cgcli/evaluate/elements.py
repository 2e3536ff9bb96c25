"""What holds of a value, a number or an array element by element; numpy is not needed where it is a number."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Mapping, Sequence
from cgcli.graph.node import Node, toposort
from cgcli.graph.shapes import shape_of
from cgcli.ops.lazily import np

LOSING = frozenset({"add", "subtract", "ln", "log2", "log10", "power"})  # digits of operands that were rounded
_ILL = 2.0**27  # as a condition number
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
    """Whether an operation is ill-conditioned that may lose digits; of arrays, whether there is such an operation.

    values: of every node, where they are numbers.
    """
    if not values:
        return any(node.op.name in LOSING for node in toposort(outputs))
    return any(
        node.op.name in LOSING and is_ill_conditioned(node.op.name, value, [values[arg] for arg in node.args])
        for node, value in values.items()
    )


def is_ill_conditioned(name: str, value: float, operands: Sequence[float]) -> bool:
    """Whether rounding an operand of one of `LOSING` moves its value, which is not 0, by 1e-8 of it or more."""
    if name == "power":
        return abs(operands[1]) > _ILL
    if len(operands) == 1:  # a logarithm
        return 0 < abs(value) * _ILL < 1
    return 0 < abs(value) * _ILL < max(map(abs, operands))


def is_small(value: Any) -> bool:
    """Whether a number is 0 or next to it, or all elements of an array are."""
    return not somewhere(abs(value) >= LEAST)
