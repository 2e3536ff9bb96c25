"""Rows as JSON objects: read from lines of text, with a column for each member, and written with their results."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from cgcli.errors import DataError
from cgcli.records import NamedTuple
from cgcli.tables.arrow import Masked, joined, masked, offsets_of, shape_of, side_by_side
from cgcli.tables.batch import Batch
from cgcli.tables.digits import json_texts, row_texts
from cgcli.tables.text import not_utf8

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

BLANKS = b" \t\r\n"
_DEEPEST = 200  # lists and objects in each other; pyarrow recurses over them
_FIRST_GAP = 2**53  # from here on, whole numbers are missing among floats
_NEWLINE, _QUOTE, _OPENING, _CLOSING, _LIST = b'\n"{}['
_STEP = np.zeros(256, np.int8)  # what a byte outside of strings adds to the depth
_STEP[[*b"{["]] = 1
_STEP[[*b"}]"]] = -1
_IS_MARK = _STEP != 0
_IS_MARK[_QUOTE] = True
_LONG_INTEGER = re.compile(rb"[:,\[]\s*-?[0-9]{16,}\s*[],}]")
_JSON_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$"  # as JSON has it
_JOINT = b',"'  # between what was read and the results, instead of the brace and the newline that end each row
_TO_ESCAPE = rb'[\x00-\x1f"\\\x7f]'

# ---- reading --------------------------------------------------------------------------


def objects_of_lines(text: bytes, source: str, line_of: Callable[[int], int], *, in_document: bool = False) -> Batch:
    """Rows of which each is a line, its newline included; blank lines are none.

    line_of: the number that each line has in the source. in_document: whether the rows were no lines there.
    """
    objects = _all_at_once(text)
    if objects is not None:
        columns, doubtful = _columns(objects)
        if not (doubtful and _LONG_INTEGER.search(text)):  # orjson rounds the longest
            return Batch(columns, source, lambda row: f"line {line_of(row)}", {}, _texts(text))
    lines = [(at, row) for at, line in enumerate(text.split(b"\n")) if (row := line.strip(BLANKS))]
    found = [object_of(row, in_document=in_document) for _, row in lines]
    bad = {at: why for at, (_, why) in enumerate(found) if why}
    rows = [b"{}" if at in bad else row for at, (_, row) in enumerate(lines)]
    columns, _ = _columns([item for item, _ in found])
    texts = _texts(b"\n".join([*rows, b""]))
    return Batch(columns, source, lambda row: f"line {line_of(lines[row][0])}", bad, texts)


def _all_at_once(text: bytes) -> list[dict[str, Any]] | None:
    """The objects on the lines of a text; None where there are blanks, or other things."""
    import orjson

    buffer = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(buffer == _NEWLINE)
    if not text.startswith(b"{") or (buffer[ends - 1] != _CLOSING).any() or (buffer[ends[:-1] + 1] != _OPENING).any():
        return None
    if b"[" in text or np.count_nonzero(buffer == _OPENING) > len(ends) + _DEEPEST:
        places, _, depth, _ = brackets(text)
        if depth.max() > _DEEPEST or depth[np.searchsorted(places, ends) - 1].any():  # a list goes on in the next line
            return None
    try:  # with the newlines, as no string may hold one
        objects: list[dict[str, Any]] = orjson.loads(b"[%b]" % text.replace(b"\n", b"\n,")[:-1])
    except orjson.JSONDecodeError:
        return None
    return objects if len(objects) == len(ends) else None


def object_of(line: bytes, *, in_document: bool) -> tuple[dict[str, Any], str]:
    """The object that a line holds; or an empty one, and why it holds none.

    Integers are exact, however long they are. NaN and Infinity are taken, as others write them.
    """
    import orjson

    if line.count(b"{") + line.count(b"[") > _DEEPEST and brackets(line).depth.max() > _DEEPEST:
        return {}, f"more than {_DEEPEST} lists or objects in each other"
    broken_at = 0
    for parse in (orjson.loads, json.loads):
        try:
            found = parse(line)
        except UnicodeDecodeError:
            return {}, not_utf8(line)
        except ValueError as error:
            broken_at = max(broken_at, getattr(error, "pos", 0))
        else:
            if parse is json.loads or not _LONG_INTEGER.search(line):
                return (found, "") if isinstance(found, dict) else ({}, no_object(line))
    if not in_document:
        return {}, f"this is no JSON, from column {broken_at + 1} on"
    rest = line.decode("utf-8", "replace")[broken_at:]
    return {}, f"this is no JSON, from {_quoted(rest)} on" if rest else "this object is never closed"


def no_object(text: bytes) -> str:
    """What is said of text that stands where a row should."""
    return f"{_quoted(text.decode('utf-8', 'replace'))} where an object was expected"


def _quoted(text: str) -> str:
    """The begin of a text, on one line."""
    return "'" + text[:20].replace("\n", " ").replace("\r", " ") + "'"


class Brackets(NamedTuple):
    """The brackets and braces of a text that stand in no string.

    places: where. steps: 1 for those that open, -1 for those that close. depth: how many are open behind each.
    is_list: which are square.
    """

    places: NDArray[np.int64]
    steps: NDArray[np.int8]
    depth: NDArray[np.int64]
    is_list: NDArray[np.bool_]


def brackets(text: bytes) -> Brackets:
    """The brackets and braces of JSON."""
    if b"\\" in text:  # escapes: without them, each quote opens or closes a string
        text = text.replace(rb"\\", b"__").replace(rb"\"", b"__")
    buffer = np.frombuffer(text, np.uint8)
    places = np.flatnonzero(_IS_MARK[buffer])
    marks = buffer[places]
    is_quote = marks == _QUOTE
    outside = (np.cumsum(is_quote) % 2 == 0) & ~is_quote
    found = marks[outside]
    steps = _STEP[found]
    return Brackets(places[outside], steps, np.cumsum(steps, dtype=np.int64), found == _LIST)


def _texts(text: bytes) -> pa.Array:
    """The lines of a text as a column, each with its newline."""
    import pyarrow as pa

    text = text.replace(b"\r", b" ")
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == _NEWLINE)
    offsets = np.append(0, ends + 1).astype(np.int32)
    return pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(text))


def _columns(objects: list[dict[str, Any]]) -> tuple[pa.RecordBatch, bool]:
    """A column for each member, and whether a number in them may have been rounded when it was parsed."""
    import pyarrow as pa

    names = list(objects[0]) if objects else []
    try:
        members = [list(map(itemgetter(name), objects)) for name in names]
    except KeyError:
        members = []
    if sum(map(len, objects)) != sum(map(len, members)):  # not all have the same
        names = list(dict.fromkeys(chain.from_iterable(objects)))
        members = [[item.get(name) for item in objects] for name in names]
    if not names:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * len(objects), pa.struct([]))), False
    columns, doubtful = zip(*map(_column, members), strict=True)
    return pa.RecordBatch.from_arrays(list(columns), names=list(map(_encodable, names))), any(doubtful)


def _column(values: list[Any]) -> tuple[pa.Array, bool]:
    """Values as a column, of their type where they have one that holds them all without loss, else of text.

    And whether a number among them may have been rounded when it was parsed.
    """
    import pyarrow as pa

    try:
        column = pa.array(values)
        doubtful = _has_gaps(column)
        if not (doubtful and any(type(value) is int and abs(value) > _FIRST_GAP for value in values)):
            return column, doubtful
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeError):
        pass
    return pa.array([None if value is None else _text(value) for value in values], pa.string()), True


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
        elif kinds.is_float64(level.type) and (np.abs(level.to_numpy(zero_copy_only=False)) >= _FIRST_GAP).any():
            return True
    return False


def _text(value: Any) -> str:
    return _encodable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _encodable(text: str) -> str:
    """The text, with a stand-in for halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode()


# ---- writing --------------------------------------------------------------------------


def text_of_objects(batch: Batch, end: str = "\n") -> pa.Array:
    """The object of each row as text, and `end` behind it. Raises DataError for a type that JSON cannot hold."""
    columns = batch.plain
    names, kinds = columns.schema.names, columns.schema.types
    first = 0 if batch.objects is None else columns.num_columns - batch.results
    parts: list[pa.Array | str] = ["{"] if batch.objects is None else [_opened(batch.objects)]
    for plain, group in groupby(range(first, columns.num_columns), lambda at: shape_of(kinds[at]) == ()):
        chosen = list(group)
        keys = [("," if at > first else "") + _key(names[at]) for at in chosen]
        if batch.objects is not None and chosen[0] == first:
            keys[0] = keys[0][1:]  # its quote is that of the joint
        if plain:
            texts = _numbers([masked(columns.column(at)) for at in chosen])
        else:
            keys = [f"{key}:" for key in keys]
            texts = [_member(batch, at) for at in chosen]
        parts += chain.from_iterable(zip(keys, texts, strict=True))
    found = side_by_side(*parts, "}" + end)
    return found if isinstance(parts[0], str) else _without_first_comma(found)


def _opened(objects: pa.Array) -> pa.Array:
    """The objects, each with the joint instead of its end `}\\n`: a first result must follow, without its quote."""
    import pyarrow as pa

    text = bytearray(joined(objects))
    ends = offsets_of(objects)
    marks = np.frombuffer(text, np.uint8)
    marks[ends[1:] - 2], marks[ends[1:] - 1] = _JOINT
    return pa.StringArray.from_buffers(len(objects), pa.py_buffer(ends), pa.py_buffer(text))


def _without_first_comma(lines: pa.Array) -> pa.Array:
    """The same objects, of which some may begin with a comma: those to which nothing was there before."""
    starts = offsets_of(lines)[:-1]
    if not np.isin(np.frombuffer(joined(lines), np.uint8)[starts + 1], np.frombuffer(b", \t\r", np.uint8)).any():
        return lines
    import pyarrow.compute as pc

    return pc.replace_substring_regex(lines, r"^\{\s*,", "{")


def _key(name: str) -> str:
    import orjson

    return orjson.dumps(name).decode()


def _numbers(columns: Sequence[Masked]) -> list[pa.Array]:
    """The text of each number of some columns, with a colon before it."""
    missing = None
    if any(column.missing is not None for column in columns):
        missing = np.stack([np.zeros(len(values), bool) if none is None else none for values, none in columns])
    return json_texts(np.stack([column.values for column in columns]), missing)


def _member(batch: Batch, at: int) -> pa.Array:
    """The text of each value of a column that does not hold numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column, name = batch.plain.column(at), batch.plain.schema.names[at]
    shape = shape_of(column.type)
    if shape and 0 not in shape:
        texts = _arrays(column)
    elif pa.types.is_string(column.type):
        is_result = at >= batch.plain.num_columns - batch.results
        texts = _untyped(column) if batch.untyped and not is_result else _strings(column)
    else:
        texts = _others(column, name)
    return pc.fill_null(texts, "null")


def _arrays(column: pa.Array) -> pa.Array:
    """Nested lists of numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values, missing = masked(column)
    width = values.shape[-1]
    masks = None if missing is None else missing.reshape(-1, width)
    texts = row_texts(values.reshape(-1, width), masks, before="[", after="]", json=True)
    for size in reversed(values.shape[1:-1]):
        lists = pa.ListArray.from_arrays(np.arange(0, len(texts) + 1, size, dtype=np.int32), texts)
        texts = side_by_side("[", pc.binary_join(lists, ","), "]")
    return pc.if_else(column.is_valid(), texts, None) if column.null_count else texts


def _strings(column: pa.Array) -> pa.Array:
    import orjson
    import pyarrow as pa

    if re.search(_TO_ESCAPE, joined(column)) is None:
        return side_by_side('"', column, '"')
    return pa.array(
        [None if item is None else orjson.dumps(item).decode() for item in column.to_pylist()],
        pa.string(),
    )


def _untyped(column: pa.Array) -> pa.Array:
    """Cells of a text file: numbers in their own spelling, strings, null for an empty cell."""
    import pyarrow.compute as pc

    is_number = pc.match_substring_regex(column, _JSON_NUMBER)
    texts = column if pc.all(is_number).as_py() else pc.if_else(is_number, column, _strings(column))
    return pc.if_else(pc.equal(column, ""), None, texts)


def _others(column: pa.Array, name: str) -> pa.Array:
    """Values of other types: integers, truth values, short floats, times as text, lists and objects."""
    import orjson
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    if kinds.is_integer(column.type) or kinds.is_boolean(column.type) or kinds.is_decimal(column.type):
        return pc.cast(column, pa.string())
    if kinds.is_floating(column.type):
        return pc.if_else(pc.is_finite(column), pc.cast(column, pa.string()), None)
    if kinds.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        texts = [orjson.dumps(item).decode() for item in column.to_pylist()]
    except (TypeError, ValueError, UnicodeError):
        raise DataError(
            f"column '{name}' is of type {column.type}, which JSON cannot hold",
            hint="write Parquet or Arrow, or leave the input's columns out with --only",
        ) from None
    return pa.array(texts, pa.string())
