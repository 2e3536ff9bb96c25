"""What every row of text goes through: two of Arrow's functions, and its way to hold texts.

The functions are taken from where `pyarrow.compute` has them: that module makes functions and documentation for
hundreds of others when it is imported, which takes as long as ten thousand rows. What else is needed, and seldom, is
taken there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


def as_floats(column: pa.Array) -> pa.Array:
    """The values as float64; an integer that is too long for it is rounded. Raises ArrowInvalid for other text."""
    import pyarrow as pa

    if pa.types.is_float64(column.type):
        return column
    compute = functions()
    return compute.call_function("cast", [column], compute.CastOptions.unsafe(pa.float64()))


def side_by_side(*texts: pa.Array | str, between: str = "", null: str | None = None) -> pa.Array:
    """The texts of each row, one behind the other; a string stands in every row.

    null: what stands for a missing text; with None, all of a row is missing where one of its texts is.
    """
    import pyarrow as pa

    compute = functions()
    typed = [pa.scalar(text, pa.string()) if isinstance(text, str) else text for text in (*texts, between)]
    options = compute.JoinOptions("emit_null" if null is None else "replace", null or "")
    return compute.call_function("binary_join_element_wise", typed, options)


def joined(texts: pa.Array) -> memoryview:
    """A column of strings as one text."""
    _, offsets, content = texts.buffers()
    if not len(texts) or content is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int32)
    return memoryview(content)[ends[texts.offset] : ends[texts.offset + len(texts)]]


def offsets_of(texts: pa.Array) -> NDArray[np.int32]:
    """Where each string of a column begins in its joined text, and where the last one ends."""
    offsets = texts.buffers()[1]
    ends: NDArray[np.int32] = np.frombuffer(offsets, np.int32) if offsets else np.zeros(1, np.int32)
    found: NDArray[np.int32] = ends[texts.offset : texts.offset + len(texts) + 1] - ends[texts.offset]
    return found


def functions() -> Any:
    """The module that has both, and their options."""
    try:
        from pyarrow import _compute
    except ImportError:  # a version of pyarrow that has them elsewhere
        from pyarrow import compute

        return compute
    return _compute
