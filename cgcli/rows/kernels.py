"""The two of Arrow's functions that every row of text goes through.

They are taken from where `pyarrow.compute` has them: that module makes functions and documentation for hundreds of
others when it is imported, which takes as long as ten thousand rows. What else is needed, and seldom, is taken there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


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


def functions() -> Any:
    """The module that has both, and their options."""
    try:
        from pyarrow import _compute
    except ImportError:  # a version of pyarrow that has them elsewhere
        from pyarrow import compute

        return compute
    return _compute
