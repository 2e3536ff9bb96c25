"""JSON lines and JSON: an object for each row, on a line of its own, or wherever it stands in a document."""

from __future__ import annotations

import json
import re
from functools import partial
from itertools import chain
from operator import add

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Iterator
from cgcli.errors import DataError
from cgcli.tables.batch import Batch
from cgcli.tables.bounds import MAX_RECORD, check_open, check_record
from cgcli.tables.content import Content
from cgcli.tables.dialect import Reading
from cgcli.tables.object_texts import object_texts
from cgcli.tables.objects import BLANKS, Objects, brackets, no_object, object_of
from cgcli.tables.output import Codec, Output, Writer, in_parts
from cgcli.tables.text import count_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.int32]

# What stands between the rows of a document, with a brace for each row: rows stand alone, or in arrays.
_BETWEEN = re.compile(rb"(?:[ \t\r\n{]|\[[ \t\r\n,{]*+\]?+)*+")

# ---- reading --------------------------------------------------------------------------


def _rows(content: Content, reading: Reading) -> Iterator[Batch]:
    """The rows of UTF-8 text that comes in pieces: objects, one a line, one behind the other, or in an array.

    A batch has a column for each member of its rows, or of those that are wanted, in the order in which they first
    come; a row without this member has null there. A column is of one type where all its values are of one, else of
    text; another batch may have other columns, and other types. Raises DataError for what stands between the rows of a
    document, and where one does not end.
    """
    begin = b""
    for piece in content.pieces:
        begin += piece
        start = begin.lstrip(BLANKS)
        if (start and start[:1] != b"{") or b"\n" in start or len(begin) > MAX_RECORD:
            break
    objects = Objects(content.source, reading.wanted, in_document=not _is_of_lines(begin))
    yield from objects.of_lines(b"", int)
    read = _from_document if objects.in_document else _from_lines
    yield from read(chain([begin], content.pieces), objects)


def _is_of_lines(begin: bytes) -> bool:
    """Whether each row is a line, as the first one tells: it is no array, and holds a whole object, or a broken one."""
    line = begin.lstrip(BLANKS).partition(b"\n")[0].rstrip(BLANKS).decode("utf-8", "replace")
    if line[:1] != "{":
        return line[:1] != "["
    try:
        _, end = json.JSONDecoder().raw_decode(line)
    except json.JSONDecodeError as error:
        return error.pos < len(line)
    except (RecursionError, ValueError):  # too deep; a number of thousands of digits
        return True
    return not line[end:].lstrip().startswith(("{", "["))


def _from_lines(pieces: Iterator[bytes], objects: Objects) -> Iterator[Batch]:
    """Rows of which each is a line."""
    line = 1
    rest = bytearray()
    for piece in chain(pieces, [b"\n"]):
        rest += piece
        end = rest.rfind(b"\n", len(rest) - len(piece)) + 1
        text = bytes(rest[:end]).replace(b"\r\n", b"\n")
        del rest[:end]
        if text:
            yield from objects.of_lines(text, partial(add, line))
            line += count_lines(text)
        check_record(len(rest), f"{objects.source}, line {line}")


def _from_document(pieces: Iterator[bytes], objects: Objects) -> Iterator[Batch]:
    """Rows that stand behind each other, or are the items of arrays; each may take several lines.

    A row that goes on in the next piece waits for it, behind a bracket if it stands in an array.
    """
    text, line, source = b"", 1, objects.source
    look_from = 0  # bytes that a row must have before it is looked at again
    for piece in chain(pieces, [b""]):
        text += piece
        if piece and len(text) < look_from:
            check_record(len(text) - len(piece), f"{source}, line {line}")
            continue
        starts, ends, stop, in_array = _bounds(text, source)
        lines, between = _apart(text[:stop].replace(b"\n", b"\r"), starts, ends)  # as blank, as forbidden in strings
        stray = _BETWEEN.sub(b"", between, 1)
        rows = between.count(b"{", 0, -len(stray)) if stray else len(starts)
        if rows < len(starts):
            lines = lines[: int((ends - starts)[:rows].sum()) + rows]
        if rows:
            yield from objects.of_lines(lines, partial(_line_of_row, text, line, starts))
        if stray:
            word = re.split(rb"[\s,\]]", stray[:20])[0] or stray[:1]
            behind = int(starts[rows]) if rows < len(starts) else stop
            before = text.count(b"\n", 0, behind - len(stray.partition(b"{")[0]))
            raise DataError(f"{source}, line {line + before}: {no_object(word)}")
        line += text.count(b"\n", 0, stop)
        text = b"[" * in_array + text[stop:]
        look_from = 2 * len(text) if len(text) > 1 << 20 else 0
        check_record(len(text), f"{source}, line {line}")
    if text:
        row = text.removeprefix(b"[")
        why = object_of(row, in_document=True)[1] if row else "the array is never closed"
        raise DataError(f"{source}, line {line}: {why}")


def _bounds(text: bytes, source: str) -> tuple[Places, Places, int, bool]:
    """Where rows of a document begin and end, where one begins that does not end in the text, which is else its end.

    And whether an array is open there.
    """
    places, steps, depth, is_list = brackets(text)
    check_open(int(depth.max(initial=0)), source)
    opens = steps > 0
    outermost = opens & (depth == 1)
    in_array = np.append(False, is_list[outermost])[np.cumsum(outermost)]
    bounds = (places + ~opens)[depth - opens == in_array]
    ends = bounds[1::2]
    stop = int(bounds[-1]) if len(bounds) % 2 else len(text)
    return bounds[::2][: len(ends)], ends, stop, bool(len(depth)) and min(int(depth[-1]), int(in_array[-1])) > 0


def _apart(text: bytes, starts: Places, ends: Places) -> tuple[bytes, bytes]:
    """The rows of a text, a newline behind each; and what stands between them, with a brace for each row."""
    content = np.frombuffer(bytearray(text), np.uint8)
    changes = np.zeros(len(text) + 1, np.int8)
    changes[starts] = 1
    changes[ends] -= 1
    is_row = np.cumsum(changes[:-1], dtype=np.int8) > 0
    lines = np.insert(content[is_row], np.cumsum(ends - starts), ord("\n")).tobytes()
    content[starts], is_row[starts] = ord("{"), False
    return lines, content[~is_row].tobytes()


def _line_of_row(text: bytes, first: int, starts: Places, row: int) -> int:
    return first + text.count(b"\n", 0, int(starts[row]))


# ---- writing --------------------------------------------------------------------------


class _LinesWriter(Writer):
    """An object for each row, each on its line."""

    def _put(self, batch: Batch) -> None:
        for text in in_parts(batch, object_texts):
            self._output.write(text)


class _ArrayWriter(Writer):
    """One array of objects, each on its line."""

    def __init__(self, output: Output, at_once: bool) -> None:
        super().__init__(output, at_once)
        self._before = b"[\n"

    def _put(self, batch: Batch) -> None:
        """The comma behind the last one comes with the next."""
        for text in in_parts(batch, lambda part: object_texts(part, ",\n")):
            self._output.write(b"".join((self._before, text[:-2])))
            self._before = b",\n"

    def _finish(self) -> None:
        self._output.write(b"\n]\n" if self._before == b",\n" else b"[]\n")


JSONL = Codec(_rows, _LinesWriter)
JSON = Codec(_rows, _ArrayWriter)
