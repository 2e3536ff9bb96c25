"""JSON objects to batches of rows: a column for each member, and the text of each object as it stands."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from cgcli.errors import DataError
from cgcli.tables.batch import Batch
from cgcli.tables.reading.records import MAX_RECORD, count_lines, not_utf8

if TYPE_CHECKING:
    import pyarrow as pa

_DEEPEST = 200  # lists and objects in each other; pyarrow recurses over them
_TOO_DEEP = f"more than {_DEEPEST} lists or objects in each other"
_FIRST_GAP = 2**53  # from here on, whole numbers are missing among floats
_BLANKS = b" \t\r\n"
_BETWEEN = {False: re.compile(r"[ \t\r\n]*"), True: re.compile(r"[ \t\r\n,]*")}  # values, of an array
_LONG_INTEGER = re.compile(rb"[:,\[]\s*-?[0-9]{16,}\s*[],}]")
_TWO_OBJECTS = re.compile(rb"\}[ \t\r]*,[ \t\r]*\{")  # on one line: rows, or items of a list in a row
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_LONGEST_WORD = len("-Infinity")
_STEP = np.zeros(256, np.int8)  # what a byte outside of strings adds to the depth
_STEP[[*b"{["]] = 1
_STEP[[*b"}]"]] = -1
_parse = json.JSONDecoder().raw_decode


def read_json(content: Iterator[bytes], source: str) -> Iterator[Batch]:
    """The rows of UTF-8 text that comes in pieces: objects, one a line, one behind the other, or in an array.

    A batch has a column for each member of its rows, in the order in which they first come; a row
    without this member has null there. A column is of one type where all its values are of one, else of text;
    another batch may have other columns, and other types. There is at least one batch, perhaps without rows.
    Raises DataError for what stands between the objects of an array, and where one cannot be read.
    """
    begin = b""
    for piece in content:
        begin += piece
        start = begin.lstrip(_BLANKS)
        if (start and start[:1] != b"{") or b"\n" in start or len(begin) > MAX_RECORD:
            break
    read = _from_lines if _is_of_lines(begin) else _from_values
    empty = True
    for batch in read(chain([begin], content), source):
        yield batch
        empty = False
    if empty:
        yield _batch([], [], [], {}, source)


def _is_of_lines(begin: bytes) -> bool:
    """Whether each row is a line, as the first one tells: it is no array, and holds a whole object, or a broken one."""
    line = begin.lstrip(_BLANKS).partition(b"\n")[0].rstrip(_BLANKS).decode("utf-8", "replace")
    if line[:1] != "{":
        return line[:1] != "["
    try:
        _, end = _parse(line)
    except json.JSONDecodeError as error:
        return error.pos < len(line)
    except RecursionError:
        return True
    return not line[end:].lstrip().startswith(("{", "["))


def _from_lines(content: Iterator[bytes], source: str) -> Iterator[Batch]:
    """Rows of which each is a line."""
    line = 1
    rest = bytearray()
    for piece in chain(content, [b"\n"]):
        rest += piece
        end = rest.rfind(b"\n", len(rest) - len(piece)) + 1
        text = bytes(rest[:end])
        del rest[:end]
        if text:
            batch = _parsed_at_once(text, line, source) or _parsed_one_by_one(text, line, source)
            if len(batch):
                yield batch
            line += count_lines(text)
        _check_size(len(rest), source, line)


def _parsed_at_once(text: bytes, line: int, source: str) -> Batch | None:
    """The objects on the lines of a text; None where there are blanks or other things, or a long integer."""
    import orjson

    rows = count_lines(text)
    is_plain = text.startswith(b"{") and text.count(b"\n{") == rows - 1 and text.count(b"}\n") == rows
    if not is_plain or _TWO_OBJECTS.search(text) or _is_deep(text):
        return None
    try:
        objects = orjson.loads(b"[%b]" % text[:-1].replace(b"\n", b","))
    except orjson.JSONDecodeError:
        return None
    if len(objects) != rows or set(map(type, objects)) != {dict}:
        return None
    columns = _columns(objects)
    if any(map(_has_gaps, columns.columns)) and _LONG_INTEGER.search(text):  # orjson rounds those beyond 64 bits
        return None
    return Batch(columns, source, lambda row: f"line {line + row}", {}, _texts(text))


def _parsed_one_by_one(text: bytes, line: int, source: str) -> Batch:
    """The same, and which lines hold no object; blank lines are no rows."""
    objects: list[dict[str, Any]] = []
    rows: list[bytes] = []
    lines: list[int] = []
    bad: dict[int, str] = {}
    for at, untrimmed in enumerate(text.split(b"\n"), line):
        if row := untrimmed.strip(_BLANKS):
            item, why = _parsed(row)
            if not why and not isinstance(item, dict):
                why = _no_object(row)
            if why:
                bad[len(rows)] = why
            objects.append({} if why else item)
            rows.append(b"{}" if why else row)
            lines.append(at)
    return _batch(objects, rows, lines, bad, source)


def _parsed(line: bytes) -> tuple[Any, str]:
    """The value that a line holds, and why it holds none. NaN and Infinity are taken, as others write them.

    Integers are exact, however long they are.
    """
    import orjson

    if _is_deep(line):
        return None, _TOO_DEEP
    try:
        found = orjson.loads(line)
        return (json.loads(line) if _LONG_INTEGER.search(line) else found), ""
    except orjson.JSONDecodeError as error:
        first = error
    except ValueError:  # a number of thousands of digits
        return found, ""
    try:
        return json.loads(line), ""
    except UnicodeDecodeError:
        return None, not_utf8(line)
    except ValueError:
        return None, f"this is no JSON, from column {first.colno} on"


def _from_values(content: Iterator[bytes], source: str) -> Iterator[Batch]:
    """Rows that stand behind each other, or are the items of arrays; each may take several lines."""
    decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
    text, line, in_array = "", 1, False
    look_from = 0  # characters that an object must have before it is looked at again
    for piece in chain(content, [b""]):
        text += decode(piece, not piece)
        if piece and len(text) < look_from:
            continue
        objects: list[Any] = []
        rows: list[str] = []
        lines: list[int] = []
        failure = ""
        end = 0
        while end < len(text) and not failure:
            between = _BETWEEN[in_array].match(text, end)
            start = between.end() if between else end
            line += text.count("\n", end, start)
            end = start
            if text[start : start + 1] == ("]" if in_array else "["):
                in_array = not in_array
                end += 1
            elif start < len(text):
                item, end, failure = _value_at(text, start, last=not piece)
                if end == start:
                    break
                objects.append(item)
                rows.append(text[start:end])
                lines.append(line)
                line += text.count("\n", start, end)
        if objects:
            yield _batch_of_values(objects, rows, lines, source)
        text = text[end:]
        if not piece and in_array and not failure:
            failure = "the array is never closed"
        if failure:
            raise DataError(f"{source}, line {line}: {failure}")
        look_from = 2 * len(text) if len(text) > 1 << 20 else 0
        _check_size(len(text), source, line)


def _value_at(text: str, start: int, *, last: bool) -> tuple[Any, int, str]:
    """The object or list that begins here, where it ends, and why there is none.

    last: whether no more text comes; else a value that may go on in the next piece ends where it begins.
    """
    if text[start] not in "{[":
        word = re.split(r"[\s,\]]", text[start : start + 20])[0] or text[start]
        return None, start, _no_object(word.encode("utf-8", "replace"))
    try:
        return *_parse(text, start), ""
    except RecursionError:
        return None, start, _TOO_DEEP
    except json.JSONDecodeError as error:
        if error.pos + _LONGEST_WORD >= len(text) or error.msg.startswith("Unterminated"):
            return None, start, "this object is never closed" if last else ""
        return None, start, f"this is no JSON, from '{text[error.pos : error.pos + 20]}' on"


def _batch_of_values(objects: list[Any], rows: list[str], lines: Sequence[int], source: str) -> Batch:
    """The values, those that are no rows left empty."""
    texts = [row.replace("\r", " ").replace("\n", " ").encode("utf-8", "surrogateescape") for row in rows]
    bad = {}
    has_deep = _is_deep(b"\n".join(texts))
    for at, (item, row) in enumerate(zip(objects, texts, strict=True)):
        if not isinstance(item, dict):
            bad[at] = _no_object(row)
        elif has_deep and _is_deep(row):
            bad[at] = _TOO_DEEP
        elif not row.isascii() and (why := not_utf8(row)):
            bad[at] = why
    for at in bad:
        objects[at], texts[at] = {}, b"{}"
    return _batch(objects, texts, lines, bad, source)


def _no_object(text: bytes) -> str:
    return f"'{text[:20].decode('utf-8', 'replace')}' where an object was expected"


def _check_size(size: int, source: str, line: int) -> None:
    if size > MAX_RECORD:
        raise DataError(f"{source}, line {line}: this row is longer than {MAX_RECORD >> 20} MB")


def _is_deep(text: bytes) -> bool:
    if text.count(b"{") + text.count(b"[") <= count_lines(text) + _DEEPEST:
        return False
    steps = _STEP[np.frombuffer(_STRING.sub(b"", text), np.uint8)]
    return bool(np.cumsum(steps, dtype=np.int64).max() > _DEEPEST)


def _batch(
    objects: list[dict[str, Any]], rows: Sequence[bytes], lines: Sequence[int], bad: dict[int, str], source: str
) -> Batch:
    return Batch(_columns(objects), source, lambda row: f"line {lines[row]}", bad, _texts(b"\n".join([*rows, b""])))


def _texts(text: bytes) -> pa.Array:
    """The lines of a text as a column, each with its newline."""
    import pyarrow as pa

    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
    offsets = np.concatenate([[0], ends + 1]).astype(np.int32)
    return pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(text))


def _columns(objects: list[dict[str, Any]]) -> pa.RecordBatch:
    """A column for each member."""
    import pyarrow as pa

    names = list(dict.fromkeys(chain.from_iterable(objects)))
    if not names:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * len(objects), pa.struct([])))
    arrays = [_column([item.get(name) for item in objects]) for name in names]
    return pa.RecordBatch.from_arrays(arrays, names=[_encodable(name) for name in names])


def _has_gaps(column: pa.Array) -> bool:
    """Whether a column of floats holds whole numbers so large that another one may have been meant."""
    import pyarrow as pa

    if not pa.types.is_float64(column.type):
        return False
    return bool((np.abs(column.to_numpy(zero_copy_only=False)) >= _FIRST_GAP).any())


def _column(values: list[Any]) -> pa.Array:
    """Values as a column: of their type where they have one that holds them all without loss, else of text."""
    import pyarrow as pa

    try:
        column = pa.array(values)
        if not (_has_gaps(column) and any(type(value) is int and abs(value) > _FIRST_GAP for value in values)):
            return column
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeError):
        pass
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    return _encodable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _encodable(text: str) -> str:
    """The text, with a stand-in for halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode()
