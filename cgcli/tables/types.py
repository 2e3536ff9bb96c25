"""The type that holds a column over a whole stream of rows, wherever it is cut into batches.

Nothing (null) widens to any type, whole numbers to float64 where each of them is exact there, and all else that
differs to text. Lists and objects widen by what is in them.
"""

from __future__ import annotations

import contextlib
import re

from cgcli.annotations import TYPE_CHECKING, Any
from cgcli.tables.arrow import joined, plain, plain_type, side_by_side

if TYPE_CHECKING:
    import pyarrow as pa

TYPES = {"double": "float64", "int": "int64", "text": "string", "bool": "bool"}  # with Arrow's names
FIRST_GAP = 2**53  # from here on, whole numbers are missing among floats
_WHOLE = r"^-?[0-9]+$"
_WHOLE_ONES, _TRUTHS, _NUMBERS = (
    re.compile(rb"(?:(?:%b)?\n)*+" % pattern)
    for pattern in (
        rb"0|-?[1-9][0-9]*+",
        rb"true|True|TRUE|false|False|FALSE",
        # Cells of which nobody would miss how they were written, if they were numbers: 007 is none.
        rb"-?(?:0|[1-9][0-9]*+)(?=\n)|-?(?:(?:0|[1-9][0-9]{0,14}+)(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][-+]?[0-9]++)?"
        rb"|[nN][aA][nN]|-?[iI][nN][fF](?:[iI][nN][iI][tT][yY])?",
    )
)
_LONG = re.compile(rb"(?m)^-?[0-9]{16,}$")  # numbers that float64 may not hold


def type_of(column: pa.Array) -> pa.DataType:
    """The type of a column, in which whole numbers that float64 may not hold have a mark that `stored` takes away."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_int64(kind):
        import pyarrow.compute as pc

        ends = pc.min_max(column).as_py()
        is_long = max(-(ends["min"] or 0), ends["max"] or 0) > FIRST_GAP
        return _long() if is_long else kind
    if pa.types.is_list(kind):
        return pa.list_(type_of(column.flatten()))
    if pa.types.is_struct(kind):
        return pa.struct([(kind[at].name, type_of(member)) for at, member in enumerate(column.flatten())])
    return plain_type(kind)


def type_of_cells(cells: pa.Array, words: pa.Array | None = None) -> pa.DataType:
    """The narrowest type that loses nothing of cells of text; an empty one is null. words: which are no numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_null(cells.type) or not len(joined(cells)):
        return pa.null()
    text = bytes(joined(side_by_side(cells, "\n", null="")))
    if words is not None or text.count(b"\n") > len(cells) or not _NUMBERS.fullmatch(text):
        return pa.bool_() if words is None and _TRUTHS.fullmatch(text) else pa.string()
    kind = pa.int64() if _WHOLE_ONES.fullmatch(text) else pa.float64()
    if not _LONG.search(text):
        return kind
    whole = cells.filter(pc.match_substring_regex(cells, _WHOLE))
    try:
        return merged(type_of(pc.cast(whole, pa.int64())), kind)
    except pa.ArrowInvalid:  # more than 64 bits
        return pa.string()


def merged(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """The type that holds what both hold. Types in each other are as deep as readers let them be."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if one == other or kinds.is_null(other):
        return one
    if kinds.is_null(one):
        return other
    pair = {one, other}
    if pair == {pa.int64(), _long()}:
        return _long()
    if all(kind != _long() and (kinds.is_integer(kind) or kinds.is_floating(kind)) for kind in pair):
        return pa.float64()
    if kinds.is_list(one) and kinds.is_list(other):
        item = merged(one.value_type, other.value_type)
        return pa.list_(item) if _holds(item, one.value_type, other.value_type) else pa.string()
    if kinds.is_struct(one) and kinds.is_struct(other):
        return _merged_members(one, other)
    return pa.string()


def _merged_members(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """The type of objects that have the members of both."""
    import pyarrow as pa

    members = {field.name: field.type for field in one}
    for field in other:
        known = members.get(field.name, field.type)
        members[field.name] = merged(known, field.type)
        if not _holds(members[field.name], known, field.type):
            return pa.string()
    return pa.struct(list(members.items()))


def _holds(kind: pa.DataType, *parts: pa.DataType) -> bool:
    """Whether values keep their kind: within lists and objects nothing but text becomes text."""
    import pyarrow.types as kinds

    return not kinds.is_string(kind) or all(kinds.is_string(part) or kinds.is_null(part) for part in parts)


def stored(kind: pa.DataType) -> pa.DataType:
    """The type without marks."""
    import pyarrow as pa

    if pa.types.is_list(kind):
        return pa.list_(stored(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, stored(field.type)) for field in kind])
    return pa.int64() if kind == _long() else kind


def _long() -> pa.DataType:
    """What stands for int64 where some numbers are beyond 2^53: a type that no data have."""
    import pyarrow as pa

    return pa.decimal256(19, 0)


def cast(column: pa.Array, kind: pa.DataType, *, is_cells: bool = False) -> pa.Array:
    """A column as one of another type. Raises ArrowException when that loses anything.

    An empty text that becomes no text is null. is_cells: it is always, as the cells are those of a file of text.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    is_text = pa.types.is_string(kind)
    if column.type == kind and not (is_cells and is_text):
        return column
    column = plain(column)
    if not pa.types.is_string(column.type):
        return pc.cast(column, kind)
    if not is_text:
        with contextlib.suppress(pa.ArrowInvalid):
            return pc.cast(column, kind)
        column = pc.utf8_trim_whitespace(column)
    nothing: Any = pa.scalar(None, pa.string())
    return pc.cast(pc.if_else(pc.equal(column, ""), nothing, column), kind)


def unfit(column: pa.Array, kind: pa.DataType) -> list[int]:
    """The rows whose value does not become one of another type."""
    import pyarrow as pa

    found, parts = [], [(0, len(column))]
    while parts:
        begin, end = parts.pop()
        try:
            cast(column.slice(begin, end - begin), kind)
        except pa.ArrowException:
            middle = (begin + end) // 2
            if middle == begin:
                found.append(begin)
            else:
                parts += [(middle, end), (begin, middle)]
    return found
