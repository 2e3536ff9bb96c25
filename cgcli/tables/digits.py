"""Numbers as text, thousands at a time: `2` when whole, else Python's repr."""

from __future__ import annotations

import numpy as np

from cgcli.annotations import TYPE_CHECKING
from cgcli.printing.values import number
from cgcli.tables.text import places_of

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_COMMA, _NEWLINE = b",\n"
# orjson writes repr's digits, and writes them as repr does from here on, up to numbers that are all whole.
_SAME_FROM = 1e-4
_NO_EXPONENT_FROM = 1e-5
# Outside, and in whole numbers, it is a matter of spelling.
_RESPELLED = (
    (b"e+", b"e"),  # as its newer versions have it
    (b"e", b"e+"),
    (b"e+-", b"e-"),
    *((f"e-{digit},".encode(), f"e-0{digit},".encode()) for digit in range(6, 10)),
    (b".0,", b","),
)
_FEW = 1 / 64  # of all numbers are written one by one before all are searched for spellings


def row_texts(
    values: NDArray[np.float64],
    missing: NDArray[np.bool_] | None = None,
    *,
    before: str = "",
    between: str = ",",
    after: str = "",
    last: str = "",
    json: bool = False,
) -> pa.Array:
    """Each row of a matrix as text: its numbers with one character between them.

    values: (rows, numbers), at least one number. missing: of the same shape, says which are left
    empty. before, after: what each text begins and ends with. last: one character that ends the last text besides,
    where those are one together. json: nan, infinities and missing numbers are null, and -0 is -0.0, so that it is
    read as a float.
    """
    import pyarrow as pa

    rows, width = values.shape
    if not rows:
        return pa.array([], pa.string())
    text, marks, commas = _listed(values, missing, json=json)
    if between != ",":
        marks[commas] = ord(between)
    bounds = commas[::width]
    joint = (after + before).encode()
    if joint != b",":
        marks[bounds] = joint[0] if len(joint) == 1 else _NEWLINE  # which stands in no number
    if len(joint) != 1:
        text = text.replace(b"\n", joint)
        bounds += np.arange(rows + 1) * (len(joint) - 1)
    offsets = (bounds + len(after.encode())).astype(np.int32)
    if last:
        text[-1:] = last.encode()
        offsets[-1] = len(text)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(text))


def json_texts(columns: NDArray[np.float64], missing: NDArray[np.bool_] | None = None) -> list[pa.Array]:
    """Each number of several columns as JSON has it, a colon before it.

    columns: (columns, rows). missing: of the same shape, says which are null, as nan and infinities are.
    """
    import pyarrow as pa

    count, rows = columns.shape
    if not rows:
        return [pa.array([], pa.string())] * count
    text, marks, commas = _listed(columns, missing, json=True)
    marks[commas] = ord(":")
    content = pa.py_buffer(text)
    starts = [commas[begin : begin + rows + 1].astype(np.int32) for begin in range(0, columns.size, rows)]
    return [pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), content) for offsets in starts]


def _listed(
    numbers: NDArray[np.float64], missing: NDArray[np.bool_] | None, *, json: bool
) -> tuple[bytearray, NDArray[np.uint8], NDArray[np.int64]]:
    """A comma, then the numbers in row-major order, behind each another comma; its bytes, and where the commas are."""
    import orjson

    values = numbers.ravel()
    size = np.abs(values)
    empty = None if missing is None else missing.ravel()
    with np.errstate(invalid="ignore"):  # a signalling nan
        by_hand = np.floor(size) == size
        if not size.min() >= _SAME_FROM:
            by_hand |= ~(size >= _SAME_FROM)
    few = np.count_nonzero(by_hand) <= _FEW * len(values)
    if not few:
        by_hand = ~(size < np.inf) | ((size >= _NO_EXPONENT_FROM) & (size < _SAME_FROM))
    if empty is not None:
        by_hand |= empty
    chosen = np.flatnonzero(by_hand)
    text = orjson.dumps(np.where(by_hand, np.nan, values) if len(chosen) else values, option=orjson.OPT_SERIALIZE_NUMPY)
    if not few:
        text = _respelled(text, json=json)
    none = "null" if json else ""
    nothing = np.zeros(len(chosen), np.bool_) if empty is None else empty[chosen]
    if json:
        nothing |= ~(size[chosen] < np.inf)
    pairs = zip(values[chosen].tolist(), nothing.tolist(), strict=True)
    found = _filled(text, [none if is_empty else _spelled(item, json=json) for item, is_empty in pairs])
    found[0] = found[-1] = _COMMA  # instead of brackets
    marks = np.frombuffer(found, np.uint8)
    return found, marks, places_of(_COMMA, found)


def _respelled(text: bytes, *, json: bool) -> bytes:
    """The same list of numbers, spelled as Python does."""
    text = text[:-1] + b","
    for theirs, ours in _RESPELLED:
        text = text.replace(theirs, ours)
    return text.replace(b"-0,", b"-0.0,") if json else text


def _spelled(value: float, *, json: bool) -> str:
    text = number(value)
    return "-0.0" if json and text == "-0" else text


def _filled(text: bytes, numbers: list[str]) -> bytearray:
    """The text with other words for its nulls."""
    parts = []
    begin = 0
    for word in numbers:
        end = text.index(b"n", begin)  # of null; no number has an n
        parts += [text[begin:end], word.encode()]
        begin = end + len(b"null")
    return bytearray().join([*parts, memoryview(text)[begin:]])
