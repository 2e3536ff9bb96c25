"""Values of Python as a column of Arrow, of the type that holds them all without loss."""

from __future__ import annotations

import json
import math
import re

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Iterator
from cgcli.tables.types import FIRST_GAP

if TYPE_CHECKING:
    import pyarrow as pa


_NO_JSON = re.compile(r'"(?:[^"\\]|\\.)*+"|-?Infinity|NaN')  # but strings, which may hold anything


class Beyond(float):
    """A number that float64 does not reach: an infinity, with its text."""

    text: str

    @classmethod
    def or_float(cls, text: str) -> float:
        """The number of a text."""
        value = float(text)
        if math.isfinite(value):
            return value
        found = cls(value)
        found.text = text
        return found


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


def _not_finite(value: Any) -> Iterator[float]:
    """The numbers in a value that are nan or infinite, in the order of its text."""
    parts = [value]
    while parts:
        part = parts.pop()
        if isinstance(part, (list, dict)):
            parts += reversed(part.values() if isinstance(part, dict) else part)
        elif isinstance(part, float) and not math.isfinite(part):
            yield part


def _text(value: Any) -> str:
    """A text as it is, anything else in JSON, with numbers beyond float64 as they stood."""
    if isinstance(value, str):
        return encodable(value)
    text = json.dumps(value, ensure_ascii=False)
    if "Infinity" in text:
        words = (part.text if isinstance(part, Beyond) else json.dumps(part) for part in _not_finite(value))
        text = _NO_JSON.sub(lambda found: found[0] if found[0].startswith('"') else next(words), text)
    return encodable(text)


def encodable(text: str) -> str:
    """The text, with a stand-in for halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode()
