"""JSON lines and JSON: an object for each row; a column for each member, and the text of each object as it stands."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from cgcli.errors import DataError
from cgcli.tables.arrow import Masked, joined, masked, offsets_of, shape_of, side_by_side
from cgcli.tables.batch import Batch
from cgcli.tables.content import Content
from cgcli.tables.digits import json_texts, row_texts
from cgcli.tables.format import Format, Output, Sink
from cgcli.tables.text import MAX_RECORD, count_lines, in_parts, not_utf8

if TYPE_CHECKING:
    import pyarrow as pa

_DEEPEST = 200  # lists and objects in each other; pyarrow recurses over them
_TOO_DEEP = f"more than {_DEEPEST} lists or objects in each other"
_FIRST_GAP = 2**53  # from here on, whole numbers are missing among floats
_BLANKS = b" \t\r\n"
_BETWEEN = {False: re.compile(r"[ \t\r\n]*"), True: re.compile(r"[ \t\r\n,]*")}  # values, of an array
_LONG_INTEGER = re.compile(rb"[:,\[]\s*-?[0-9]{16,}\s*[],}]")
_NEXT_ROW = re.compile(r"\}[ \t\r\n]*,[ \t\r\n]*\{")  # in an array, or in a list within a row
_TWO_OBJECTS = re.compile(rb"\}[ \t\r]*,[ \t\r]*\{")  # on one line: rows, or items of a list in a row
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_LONGEST_WORD = len("-Infinity")
_STEP = np.zeros(256, np.int8)  # what a byte outside of strings adds to the depth
_STEP[[*b"{["]] = 1
_STEP[[*b"}]"]] = -1
_parse = json.JSONDecoder().raw_decode
_JSON_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$"  # as JSON has it
_JOINT = b',"'  # between what was read and the results, instead of the brace and the newline that end each row
_TO_ESCAPE = rb'[\x00-\x1f"\\\x7f]'

# ---- reading --------------------------------------------------------------------------


def _rows(content: Content, _: bool) -> Iterator[Batch]:
    """The rows of UTF-8 text that comes in pieces: objects, one a line, one behind the other, or in an array.

    A batch has a column for each member of its rows, in the order in which they first come; a row
    without this member has null there. A column is of one type where all its values are of one, else of text;
    another batch may have other columns, and other types. Raises DataError for what stands between the objects of an
    array, and where one cannot be read.
    """
    begin = b""
    for piece in content.pieces:
        begin += piece
        start = begin.lstrip(_BLANKS)
        if (start and start[:1] != b"{") or b"\n" in start or len(begin) > MAX_RECORD:
            break
    read = _from_lines if _is_of_lines(begin) else _from_values
    empty = True
    for batch in read(chain([begin], content.pieces), content.source):
        yield batch
        empty = False
    if empty:
        yield _batch([], [], [], {}, content.source)


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
        end, untried = 0, True
        while end < len(text) and not failure:
            between = _BETWEEN[in_array].match(text, end)
            start = between.end() if between else end
            line += text.count("\n", end, start)
            end = start
            if text[start : start + 1] == ("]" if in_array else "["):
                in_array = not in_array
                end += 1
            elif untried and in_array and text[start : start + 1] == "{":
                untried = False
                for item, row in _objects_at_once(text, start):
                    line += text.count("\n", end, row.start)
                    objects.append(item)
                    rows.append(text[row])
                    lines.append(line)
                    line += text.count("\n", row.start, row.stop)
                    end = row.stop
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


def _objects_at_once(text: str, start: int) -> list[tuple[dict[str, Any], slice]]:
    """The objects of an array from here to the last but one of the text, and where they stand; none where in doubt.

    There are as many `},{` as objects that end with one, so none of them stands within an object.
    """
    import orjson

    ends = [(match.start() + 1, match.end() - 1) for match in _NEXT_ROW.finditer(text, start)]
    if not ends:
        return []
    places = [slice(begin, end) for begin, (end, _) in zip([start, *(begin for _, begin in ends)], ends, strict=False)]
    try:
        content = text[start : places[-1].stop].encode()
        objects = orjson.loads(b"[%b]" % content)
    except ValueError:
        return []
    if len(objects) != len(places) or set(map(type, objects)) != {dict} or _LONG_INTEGER.search(content):
        return []
    return list(zip(objects, places, strict=True))


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
    text = "\n".join(rows)
    if "\r" in text or text.count("\n") >= len(rows):
        text = "\n".join(row.replace("\r", " ").replace("\n", " ") for row in rows)
    content = text.encode("utf-8", "surrogateescape")
    texts = content.split(b"\n")
    bad = {}
    has_deep = _is_deep(content)
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


# ---- writing --------------------------------------------------------------------------


class _LinesSink(Sink):
    """An object for each row, each on its line."""

    def _put(self, batch: Batch) -> None:
        for text in in_parts(batch, _object_lines):
            self._output.write(text)


class _ArraySink(Sink):
    """One array of objects, each on its line."""

    def __init__(self, output: Output, at_once: bool) -> None:
        super().__init__(output, at_once)
        self._before = b"[\n"

    def _put(self, batch: Batch) -> None:
        """The comma behind the last one comes with the next."""
        for text in in_parts(batch, lambda part: _object_lines(part, ",\n")):
            self._output.write(b"".join((self._before, text[:-2])))
            self._before = b",\n"

    def _finish(self) -> None:
        self._output.write(b"\n]\n" if self._before == b",\n" else b"[]\n")


def _object_lines(batch: Batch, end: str = "\n") -> pa.Array:
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


JSON_LINES = Format("jsonl", (".jsonl", ".ndjson"), _rows, _LinesSink, lines=True)
JSON = Format("json", (".json",), _rows, _ArraySink)
