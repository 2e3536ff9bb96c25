"""What a caller gives, as arrays: numbers, nested lists and numpy arrays, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cgcli.errors import DataError, UsageError
from cgcli.graph.node import check_size


def by_name(values: Mapping[str, Any] | None, named: dict[str, Any]) -> dict[str, Any]:
    """The values of a call `f({"x": 1}, y=2)`. Raises UsageError for a name that is given twice."""
    if values is None:
        return named
    if not isinstance(values, Mapping):
        raise UsageError("values are given by name", hint="as in: f(x=2), or f({'x': 2})")
    for name in named:
        if name in values:
            raise UsageError(f"'{name}' is bound twice", hint="give one value for each name")
    return {**values, **named}


def as_array(value: Any, what: str) -> Any:
    """A value as a float64 array, or a numpy scalar.

    what: what messages call it. What a masked array hides is nan. Raises DataError for what is no
    number and no array of numbers, TooLargeError for an array beyond the bounds.
    """
    if type(value) is float:  # most of all calls, at a fifth of the price
        return np.float64(value)
    try:
        array = np.asarray(value)
    except ValueError:
        raise DataError(f"{what} is a list whose rows differ in length") from None
    check_size(array.shape, what)
    if array.dtype.kind not in "fiub":
        raise DataError(
            f"{what} is not a number or a list of numbers", hint="as in: 2, [1, 2], [[1, 2], [3, 4]], a numpy array"
        )
    if isinstance(getattr(value, "mask", None), np.ndarray | np.bool_):  # of a masked array
        array = np.where(value.mask, np.nan, array)
    return np.ascontiguousarray(array, np.float64) if array.shape else np.float64(array[()])
