"""Values of Python as a column of Arrow, of the type that holds them all without loss."""

from __future__ import annotations

import json

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any
from cgcli.tables.types import FIRST_GAP

if TYPE_CHECKING:
    import pyarrow as pa


def column_of(values: list[Any]) -> tuple[pa.Array, bool]:
    """Values as a column, of their type where they have one that holds them all without loss, else of text.

    And whether a number among them may have been rounded when it was parsed.
    """
    import pyarrow as pa

    try:
        column = pa.array(values)
        doubtful = _has_gaps(column)
        if not (doubtful and any(type(value) is int and abs(value) > FIRST_GAP for value in values)):
            return column, doubtful
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeError):
        pass
    return as_texts(values), True


def as_texts(values: list[Any]) -> pa.Array:
    import pyarrow as pa

    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _has_gaps(column: pa.Array) -> bool:
    """Whether a column holds, if in lists, whole floats so large that another number may have been meant."""
    import pyarrow.types as kinds

    levels = [column]
    while levels:
        level = levels.pop()
        if kinds.is_list(level.type):
            levels.append(level.flatten())
        elif kinds.is_struct(level.type):
            levels += level.flatten()
        elif kinds.is_float64(level.type) and (np.abs(level.to_numpy(zero_copy_only=False)) >= FIRST_GAP).any():
            return True
    return False


def _text(value: Any) -> str:
    return encodable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def encodable(text: str) -> str:
    """The text, with a stand-in for halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode()
