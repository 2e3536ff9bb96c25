"""A column of a batch as numbers: float64, one row after the other; and which rows hold none, and why."""

from __future__ import annotations

import json

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Mapping, Sequence
from cgcli.graph.shapes import shape_text
from cgcli.records import EMPTY, NamedTuple
from cgcli.tables.arrow import as_floats, plain, shape_of

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from cgcli.tables.dialect import Dialect

_READ_AS_NUMBER = r"^[-+]?((\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|(?i:nan(\(\w*\))?|inf|infinity))$"
# Cells of numbers that are spelled in other ways, and what stands for them; 12.5% is 12.5e-2.
_RESPELLED = (
    (r"^(?i:true)$", "1"),
    (r"^(?i:false)$", "0"),
    (r"^([-+]?(?:\d+\.?\d*|\.\d+))\s*%$", r"\1e-2"),
)
_HEX = r"^[-+]?0[xX][0-9a-fA-F]{1,64}$"
NULL = "null"  # what is said of a row without a value
_SHOWN = 40  # characters of a cell in a message


class Numbers(NamedTuple):
    """The values of a column.

    values: float64 of shape (rows, *shape); nan in bad rows. bad: rows without a number, and what they hold.
    beyond: rows of which a number, as 1e400, is infinite in float64 only, and what they hold.
    """

    values: NDArray[np.float64]
    bad: Mapping[int, str]
    beyond: Mapping[int, str] = EMPTY


def numbers(column: pa.Array, shape: tuple[int, ...] | None = None, dialect: Dialect | None = None) -> Numbers:
    """A column of text, of numbers, or of lists of numbers, all of one shape.

    shape: of every row, () for numbers; None takes it from the first row that is good. dialect: how text spells them.
    In a column whose type holds no numbers, every row is bad.
    """
    import pyarrow.types as kinds

    column = plain(column)
    kind = column.type
    if kinds.is_string(kind):
        return _of_text(column, shape, dialect)
    if _is_list(kind):
        return _of_lists(column, shape_of(kind) if shape is None else shape)
    if kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind) or kinds.is_decimal(kind):
        return _of_numbers(column) if not shape else _one_by_one(column.to_pylist(), shape)
    what = "an object" if kinds.is_struct(kind) else f"a value of type {kind}"
    why = NULL if kinds.is_null(kind) else what
    return Numbers(np.full((len(column), *(shape or ())), np.nan), dict.fromkeys(range(len(column)), why))


def _is_list(kind: pa.DataType) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_list(kind) or kinds.is_fixed_size_list(kind))


def _of_numbers(column: pa.Array) -> Numbers:
    values = as_floats(column)
    if not values.null_count:
        return Numbers(values.to_numpy(), {})
    import pyarrow.compute as pc

    missing = np.flatnonzero(np.asarray(values.is_null()))
    return Numbers(pc.fill_null(values, float("nan")).to_numpy(), dict.fromkeys(missing.tolist(), NULL))


def _of_text(given: pa.Array, shape: tuple[int, ...] | None, dialect: Dialect | None) -> Numbers:
    import pyarrow as pa

    column = dialect.numbers(given, only=True) if dialect is not None and dialect.spells_numbers else given
    if not column.null_count and not shape:
        try:
            values = as_floats(column).to_numpy()
            return Numbers(values, {}, _beyond(values, given))
        except pa.ArrowInvalid:
            pass  # a cell is no number, or has blanks around it
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(column)
    is_list = pc.starts_with(trimmed, "[")
    if shape or (shape is None and pc.any(is_list).as_py()):
        others = _of_text(pc.if_else(is_list, "", trimmed), (), None)
        items = list(map(_parsed, trimmed.to_pylist()))
        for row in set(range(len(items))).difference(others.bad):
            items[row] = float(others.values[row])
        return _one_by_one(items, shape)
    for pattern, number in _RESPELLED:
        trimmed = pc.replace_substring_regex(trimmed, pattern, number)
    hexadecimal = pc.fill_null(pc.match_substring_regex(trimmed, _HEX), False)
    if pc.any(hexadecimal).as_py():
        whole = [repr(float(int(cell, 16))) for cell in trimmed.filter(hexadecimal).to_pylist()]
        trimmed = pc.replace_with_mask(trimmed, hexadecimal, pa.array(whole, pa.string()))
    good = pc.fill_null(pc.match_substring_regex(trimmed, _READ_AS_NUMBER), False)
    plain = pc.if_else(good, trimmed, "nan")
    rows = np.flatnonzero(~np.asarray(good))
    cells = given.take(pa.array(rows)).to_pylist()
    described = {cell: _described(cell) for cell in {*cells}}  # many have the same
    values = as_floats(plain).to_numpy()
    bad = {row: described[cell] for row, cell in zip(rows.tolist(), cells, strict=True)}
    return Numbers(values, bad, _beyond(values, given))


def _beyond(values: NDArray[np.float64], cells: pa.Array) -> dict[int, str]:
    """The rows whose number is infinite though their cell does not say so."""
    texts = ((row, cells[row].as_py()) for row in np.flatnonzero(np.isinf(values)).tolist())
    return {row: _described(text) for row, text in texts if "inf" not in text.lower()}


def _of_lists(column: pa.Array, shape: tuple[int, ...] | None) -> Numbers:
    """Rows of nested lists; those of another shape, or with a hole, are bad."""
    fast = _of_equal_lists(column)
    if fast is not None and shape in (None, fast.shape[1:]):
        return Numbers(fast, {})
    return _one_by_one(column.to_pylist(), shape)


def _of_equal_lists(column: pa.Array) -> NDArray[np.float64] | None:
    """The rows at one stroke where no list is missing and all have one length; else None."""
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    rows = len(column)
    lengths = []
    while _is_list(column.type):
        sizes = pc.unique(pc.list_value_length(column))
        if column.null_count or len(sizes) != 1:
            return None
        lengths.append(sizes[0].as_py())
        column = pc.list_flatten(column)
    if column.null_count or not (kinds.is_integer(column.type) or kinds.is_floating(column.type)):
        return None
    return np.asarray(as_floats(column).to_numpy()).reshape(rows, *lengths)


def _one_by_one(items: Sequence[Any], shape: tuple[int, ...] | None) -> Numbers:
    """Rows of whatever kind: numbers, text, nested lists."""
    found = [_array(item) for item in items]
    if shape is None:
        shape = next((row.shape for row in found if not isinstance(row, str)), ())
    values = np.full((len(items), *shape), np.nan)
    bad = {}
    for at, row in enumerate(found):
        if isinstance(row, str):
            bad[at] = row
        elif row.shape != shape:
            bad[at] = f"{_shape(row.shape)} instead of {_shape(shape)}"
        else:
            values[at] = row
    return Numbers(values, bad)


def _array(item: Any) -> NDArray[np.float64] | str:
    """A number or a list as an array; else what it is."""
    if item is None or isinstance(item, str):
        return _described(item)
    try:
        array = np.array(item, dtype=object)
        if any(part is None for part in array.flat):
            return "a list with a null in it"
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return "a list whose parts are no numbers, or not of the same length"


def _parsed(cell: str | None) -> Any:
    """What a cell of text that is no number holds: a list in brackets, or itself."""
    if cell is None or not cell.startswith("["):
        return cell
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell


def _shape(shape: tuple[int, ...]) -> str:
    return f"a list of shape {shape_text(shape)}" if shape else "a number"


def _described(cell: str | None) -> str:
    if cell is None:
        return NULL
    if not cell.strip():
        return "an empty cell"
    return f"'{cell}'" if len(cell) <= _SHOWN else f"'{cell[:_SHOWN]}…'"
