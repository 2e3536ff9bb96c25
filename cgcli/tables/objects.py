"""JSON objects as rows: read from lines of text, with a column for each member."""

from __future__ import annotations

import json
import re
from functools import partial
from itertools import chain
from operator import itemgetter

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator
from cgcli.records import NamedTuple
from cgcli.tables.batch import Batch
from cgcli.tables.bounds import check_columns
from cgcli.tables.text import not_utf8
from cgcli.tables.values import as_texts, column_of, encodable

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

BLANKS = b" \t\r\n"
_MOST_CELLS = 1 << 14  # of a batch
_SPARSE = 8  # times as many cells as members
_DEEPEST = 200  # lists and objects in each other; pyarrow recurses over them
_NEWLINE, _QUOTE, _OPENING, _CLOSING, _LIST = b'\n"{}['
_STEP = np.zeros(256, np.int8)  # what a byte outside of strings adds to the depth
_STEP[[*b"{["]] = 1
_STEP[[*b"}]"]] = -1
_IS_MARK = _STEP != 0
_IS_MARK[_QUOTE] = True
_NO_JSON = re.compile(rb'"(?:[^"\\]|\\.)*+"|-?Infinity|NaN')  # but strings, which may hold anything
_LONG_INTEGER = re.compile(rb"[:,\[]\s*-?[0-9]{16,}\s*[],}]")


def objects_of_lines(
    text: bytes, source: str, line_of: Callable[[int], int], *, in_document: bool = False
) -> Iterator[Batch]:
    """Rows of which each is a line, its newline included; blank lines are none.

    They come in one batch, but where rows have members that others do not have. line_of: the number that each line has
    in the source. in_document: whether the rows were no lines there.
    """
    parts = [(0, text)]
    while parts:
        begin, part = parts.pop()
        batch = _objects_of(part, source, partial(_line_behind, line_of, begin), in_document=in_document)
        if batch is not None:
            yield batch
            continue
        lines = part.splitlines(keepends=True)
        middle = len(lines) // 2
        parts += [(begin + middle, b"".join(lines[middle:])), (begin, b"".join(lines[:middle]))]


def _line_behind(line_of: Callable[[int], int], begin: int, row: int) -> int:
    return line_of(begin + row)


def _objects_of(text: bytes, source: str, line_of: Callable[[int], int], *, in_document: bool) -> Batch | None:
    """The rows in one batch; None where these would be too many cells."""
    objects = _all_at_once(text)
    if objects is not None:
        found = _columns(objects, source)
        if found is None:
            return None
        columns, doubtful = found
        if not (doubtful and _LONG_INTEGER.search(text)):  # orjson rounds the longest
            return Batch(columns, source, lambda row: f"line {line_of(row)}", {}, _texts(text))
    lines = [(at, row) for at, line in enumerate(text.split(b"\n")) if (row := line.strip(BLANKS))]
    parsed = [object_of(row, in_document=in_document) for _, row in lines]
    bad = {at: why for at, (_, why) in enumerate(parsed) if why}
    rows = [b"{}" if at in bad else _NO_JSON.sub(_null, row) for at, (_, row) in enumerate(lines)]
    found = _columns([item for item, _ in parsed], source)
    texts = _texts(b"\n".join([*rows, b""]))
    return found and Batch(found[0], source, lambda row: f"line {line_of(lines[row][0])}", bad, texts)


def _null(word: re.Match[bytes]) -> bytes:
    return word[0] if word[0].startswith(b'"') else b"null"


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


def members_of(objects: pa.Array, name: str, kind: pa.DataType) -> pa.Array:
    """The values of a member as a column of a type that holds all of them. objects: lines of text."""
    import pyarrow as pa

    rows = [object_of(line.encode(), in_document=False)[0] for line in objects.to_pylist()]
    values = [{encodable(key): item for key, item in row.items()}.get(name) for row in rows]
    return as_texts(values) if pa.types.is_string(kind) else pa.array(values, kind)


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
    depth: NDArray[np.int32]
    is_list: NDArray[np.bool_]


def brackets(text: bytes) -> Brackets:
    """The brackets and braces of JSON."""
    if b"\\" in text:  # escapes: without them, each quote opens or closes a string
        text = text.replace(rb"\\", b"__").replace(rb"\"", b"__")
    buffer = np.frombuffer(text, np.uint8)
    places = np.flatnonzero(_IS_MARK[buffer])
    marks = buffer[places]
    is_quote = marks == _QUOTE
    outside = (np.cumsum(is_quote, dtype=np.uint8) % 2 == 0) & ~is_quote
    found = marks[outside]
    steps = _STEP[found]
    return Brackets(places[outside], steps, np.cumsum(steps, dtype=np.int32), found == _LIST)


def _texts(text: bytes) -> pa.Array:
    """The lines of a text as a column, each with its newline."""
    import pyarrow as pa

    text = text.replace(b"\r", b" ")
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == _NEWLINE)
    offsets = np.append(0, ends + 1).astype(np.int32)
    return pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(text))


def _columns(objects: list[dict[str, Any]], source: str) -> tuple[pa.RecordBatch, bool] | None:
    """A column for each member, and whether a number in them may have been rounded when it was parsed.

    None where most rows do not have most members, and these would be too many cells.
    """
    import pyarrow as pa

    names = list(objects[0]) if objects else []
    check_columns(len(names), source)
    try:
        members = [list(map(itemgetter(name), objects)) for name in names]
    except KeyError:
        members = []
    if sum(map(len, objects)) != sum(map(len, members)):  # not all have the same
        names = list(dict.fromkeys(chain.from_iterable(objects)))
        if len(names) * len(objects) > max(_MOST_CELLS, _SPARSE * sum(map(len, objects))) and len(objects) > 1:
            return None
        members = [[item.get(name) for item in objects] for name in names]
    check_columns(len(names), source)
    if not names:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * len(objects), pa.struct([]))), False
    columns, doubtful = zip(*map(column_of, members), strict=True)
    return pa.RecordBatch.from_arrays(list(columns), names=list(map(encodable, names))), any(doubtful)
