"""What holds of a value, a number or an array element by element; numpy is not needed where it is a number."""

from __future__ import annotations

import math

from cgcli.annotations import Any
from cgcli.graph.shapes import shape_of
from cgcli.ops.lazily import np

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


def is_small(value: Any) -> bool:
    """Whether a number is 0 or next to it, or all elements of an array are."""
    return not somewhere(abs(value) >= LEAST)
