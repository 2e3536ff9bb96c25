"""JSON objects to batches of rows: a column for each member, and the text of each object as it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from cgcli.tables.batch import Batch
from cgcli.tables.reading.json_text import Lines, depth, object_lines
from cgcli.tables.reading.records import count_lines

if TYPE_CHECKING:
    import pyarrow as pa

_DEEPEST = 200  # lists and objects in each other; pyarrow recurses over them
_FIRST_GAP = 2**53  # from here on, whole numbers are missing among floats
_BLOCK = 1 << 18  # bytes that one of pyarrow's threads parses
_LONG_INTEGER = re.compile(rb"[:,\[]\s*-?[0-9]{16,}\s*[],}]")
_TWO_OBJECTS = re.compile(rb"\}[ \t\r]*\{")  # on one line, of which pyarrow makes two rows


def read_json(content: Iterator[bytes], source: str) -> Iterator[Batch]:
    """The rows of UTF-8 text that comes in pieces: objects, one a line, one behind the other, or in an array.

    A batch has a column for each member of its rows, in the order in which they first come; a row
    without this member has null there. A column is of one type where all its values are of one, else of text;
    another batch may have other columns, and other types. There is at least one batch, perhaps without rows.
    """
    empty = True
    for rows in object_lines(content, source):
        if len(rows.lines):
            yield _batch(rows, source)
            empty = False
    if empty:
        yield _batch(Lines(b"", np.empty(0, np.int64)), source)


def _batch(rows: Lines, source: str) -> Batch:
    def place(row: int) -> str:
        return f"line {rows.lines[row]}"

    columns = _parsed_at_once(rows)
    if columns is not None:
        return Batch(columns, source, place, {}, _texts(rows.text))
    objects, bad = _parsed_one_by_one(rows.text)
    texts = rows.text.split(b"\n")
    for row in bad:
        texts[row] = b"{}"
    return Batch(_columns(objects), source, place, bad, _texts(b"\n".join(texts)))


def _texts(text: bytes) -> pa.Array:
    """The lines of a text as a column, each with its newline."""
    import pyarrow as pa

    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
    offsets = np.concatenate([[0], ends + 1]).astype(np.int32)
    return pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(text))


def _parsed_at_once(rows: Lines) -> pa.RecordBatch | None:
    """The columns as pyarrow reads them; None where it fails, or would take text for times."""
    import orjson
    import pyarrow as pa
    from pyarrow import json as arrow_json

    text = rows.text
    if not _is_utf8(text) or _is_deep(text) or _TWO_OBJECTS.search(text):
        return None

    def parsed(**options: Any) -> pa.Table:
        return arrow_json.read_json(pa.BufferReader(text), arrow_json.ReadOptions(**options))

    try:
        first = orjson.loads(text[: text.find(b"\n")])
        table = parsed(block_size=_BLOCK) if len(text) > 2 * _BLOCK else None
        # Threads find members in any order; when the first row has them all, it tells theirs.
        if table is not None and set(first) == set(table.column_names):
            table = table.select(list(first))
        else:
            table = parsed(block_size=len(text) + 1, use_threads=False)
    except (pa.ArrowInvalid, UnicodeError, orjson.JSONDecodeError):
        return None
    if len(table) != len(rows.lines) or any("timestamp[" in str(kind) for kind in table.schema.types):
        return None
    if any(map(_may_be_rounded, table.columns)) and _LONG_INTEGER.search(text):
        return None
    arrays = [column.combine_chunks() for column in table.columns]
    if not arrays:
        return None
    return pa.RecordBatch.from_arrays(arrays, names=table.schema.names)


def _may_be_rounded(column: pa.ChunkedArray) -> bool:
    """Whether a column of floats holds whole numbers so large that another one may have been meant."""
    import pyarrow.types as kinds

    return kinds.is_float64(column.type) and any(
        bool((np.abs(chunk.to_numpy(zero_copy_only=False)) >= _FIRST_GAP).any()) for chunk in column.chunks
    )


def _is_utf8(text: bytes) -> bool:
    try:
        return text.isascii() or bool(text.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _is_deep(text: bytes) -> bool:
    opened = sum(int(np.count_nonzero(np.frombuffer(text, np.uint8) == bracket)) for bracket in b"{[")
    return opened > count_lines(text) + _DEEPEST and depth(text) > _DEEPEST


def _parsed_one_by_one(text: bytes) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """The object on each line, empty where there is none, and why there is none."""
    objects: list[dict[str, Any]] = []
    bad: dict[int, str] = {}
    for row, line in enumerate(text.split(b"\n")[:-1]):
        item, why = _parsed(line)
        if not why and not isinstance(item, dict):
            why = f"'{line[:20].decode('utf-8', 'replace')}' where an object was expected"
        if why:
            bad[row] = why
        objects.append({} if why else item)
    return objects, bad


def _parsed(line: bytes) -> tuple[Any, str]:
    """The value that a line holds, and why it holds none. NaN and Infinity are taken, as others write them.

    Integers are exact, however long they are.
    """
    import orjson

    if _is_deep(line):
        return None, f"more than {_DEEPEST} lists or objects in each other"
    try:
        found = orjson.loads(line)
        return (json.loads(line) if _LONG_INTEGER.search(line) else found), ""
    except orjson.JSONDecodeError as error:
        first = error
    except ValueError:  # a number of thousands of digits
        return found, ""
    try:
        return json.loads(line), ""
    except UnicodeDecodeError as error:
        return None, f"not UTF-8 text: a byte is 0x{line[error.start]:02x}"
    except ValueError:
        return None, f"this is no JSON, from column {first.colno} on"


def _columns(objects: list[dict[str, Any]]) -> pa.RecordBatch:
    import pyarrow as pa

    names = list(dict.fromkeys(name for item in objects for name in item))
    if not names:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * len(objects), pa.struct([])))
    arrays = [_column([item.get(name) for item in objects]) for name in names]
    return pa.RecordBatch.from_arrays(arrays, names=[_encodable(name) for name in names])


def _column(values: list[Any]) -> pa.Array:
    """Values as a column: of their type where they have one that holds them all without loss, else of text."""
    import pyarrow as pa

    try:
        column = pa.array(values)
        if not (
            pa.types.is_floating(column.type)
            and any(type(value) is int and abs(value) > _FIRST_GAP for value in values)
        ):
            return column
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeError):
        pass
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    return _encodable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _encodable(text: str) -> str:
    """The text, with a stand-in for halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode()
