"""Text with JSON objects, one a line, one behind the other or in an array, to text with one object a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cgcli.errors import DataError
from cgcli.tables.reading.records import MAX_RECORD, count_lines

_BLANKS = b" \t\r\n"
_LONGEST_FIRST_LINE = 1 << 20  # bytes; where it is longer, rows are told apart by their brackets
_STEP = np.zeros(256, np.int8)  # what a byte outside of strings adds to the depth
_STEP[[*b"{["]] = 1
_STEP[[*b"}]"]] = -1
_MARK = _STEP != 0
_MARK[ord('"')] = True
_SPACE = np.zeros(256, bool)
_SPACE[[*_BLANKS, ord(",")]] = True


class Lines(NamedTuple):
    """Rows as text.

    text: one row a line, without blanks around it, each with its newline. lines: on which line of the
    source each row begins.
    """

    text: bytes
    lines: NDArray[np.int64]


def object_lines(content: Iterator[bytes], source: str) -> Iterator[Lines]:
    """The rows of JSON text that comes in pieces, as soon as they are there; none of it is parsed yet.

    Raises DataError for what stands between the objects of an array, and for an end within one.
    """
    begin = start = b""
    for piece in content:
        begin += piece
        start = begin.lstrip(_BLANKS)
        if (start and start[:1] != b"{") or b"\n" in start or len(begin) > _LONGEST_FIRST_LINE:
            break
    content = chain([begin], content)
    objects, _ = _spans(start.partition(b"\n")[0])
    if start[:1] == b"[" or (start[:1] == b"{" and len(objects) != 1):
        return _from_values(content, source)
    return _from_lines(content, source)


def _from_lines(content: Iterator[bytes], source: str) -> Iterator[Lines]:
    """Rows of which each is a line."""
    line = 1
    rest = bytearray()
    for piece in content:
        rest += piece
        end = rest.rfind(b"\n", len(rest) - len(piece)) + 1
        if end:
            text = bytes(rest[:end])
            del rest[:end]
            yield _trimmed(text, line)
            line += count_lines(text)
        _check_size(len(rest), source, line)
    if rest:
        yield _trimmed(bytes(rest) + b"\n", line)


def _trimmed(text: bytes, line: int) -> Lines:
    """The lines of a text that are not blank."""
    buffer = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(buffer == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1])
    if (buffer[starts] == ord("{")).all() and (buffer[ends - 1] == ord("}")).all():
        return Lines(text, line + np.arange(len(ends)))
    stripped = [row.strip(_BLANKS) for row in text.split(b"\n")[:-1]]
    kept = [at for at, row in enumerate(stripped) if row]
    return Lines(b"".join([stripped[at] + b"\n" for at in kept]), line + np.array(kept, np.int64))


def _from_values(content: Iterator[bytes], source: str) -> Iterator[Lines]:
    """Rows that stand behind each other, or are the items of arrays; each may take several lines."""
    line = 1
    in_array = False
    rest = b""
    look_from = 0  # bytes that an object must have before it is looked at again
    for piece in chain(content, [None]):
        rest += piece or b""
        if piece is not None and len(rest) < look_from:
            continue
        spans, arrays = _values(rest, in_array)
        end = max((int(found[-1, 1]) for found in (spans, arrays) if len(found)), default=0)
        _check_between(rest[:end], np.concatenate([spans, arrays]), source, line)
        if len(spans):
            yield _items(rest, spans, line)
        if len(arrays):
            in_array = rest[arrays[-1, 0]] == ord("[")
        end = len(rest) - len(rest[end:].lstrip(_BLANKS + b"," * in_array))
        line += rest.count(b"\n", 0, end)
        rest = rest[end:]
        look_from = 2 * len(rest) if len(rest) > 1 << 20 else 0
        _check_size(len(rest), source, line)
    if rest:
        _check_between(rest, np.empty((0, 2), np.int64), source, line, upto=1)
        raise DataError(f"{source}, line {line}: this object is never closed")
    if in_array:
        raise DataError(f"{source}, line {line}: the array is never closed")


def _values(text: bytes, in_array: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the whole rows begin and end, and where the brackets of the arrays that they are in: shape (count, 2)."""
    marks, depths = _brackets(text)
    depths = depths + in_array
    inside = np.logical_and.accumulate(depths >= 0)  # before a bracket that closes nothing
    marks, depths = marks[inside], depths[inside]
    opens = np.diff(depths, prepend=int(in_array)) == 1
    tops = opens & (depths == 1)
    is_array = np.append(in_array, np.frombuffer(text, np.uint8)[marks[tops]] == ord("["))[np.cumsum(tops)]
    starts = marks[opens & (depths == 1 + is_array)]
    ends = marks[~opens & (depths == is_array)]
    arrays = marks[is_array & (tops | (~opens & (depths == 0)))]
    return np.stack([starts[: len(ends)], ends + 1], axis=1), np.stack([arrays, arrays + 1], axis=1)


def _spans(text: bytes) -> tuple[NDArray[np.int64], int]:
    """Where the whole objects and lists at the top begin and end, shape (count, 2), and where the last of them ends.

    Only those before a bracket that closes none of them.
    """
    marks, depths = _brackets(text)
    beyond = np.flatnonzero(depths < 0)
    if len(beyond):
        marks, depths = marks[: beyond[0]], depths[: beyond[0]]
    ends = marks[depths == 0] + 1
    starts = marks[(depths == 1) & (np.diff(depths, prepend=0) == 1)][: len(ends)]
    return np.stack([starts, ends], axis=1), int(ends[-1]) if len(ends) else 0


def depth(text: bytes) -> int:
    """How deep objects and lists are nested in each other, at most."""
    return int(max(_brackets(text)[1], default=0))


def _brackets(text: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the brackets stand that are in no string, and how many are open behind each."""
    plain = re.sub(rb"\\.", b"__", text, flags=re.DOTALL) if b"\\" in text else text
    buffer = np.frombuffer(plain, np.uint8)
    marks = np.flatnonzero(_MARK[buffer])
    steps = _STEP[buffer[marks]]
    outside = (steps != 0) & (np.cumsum(steps == 0) % 2 == 0)
    return marks[outside], np.cumsum(steps[outside], dtype=np.int64)


def _items(text: bytes, spans: NDArray[np.int64], line: int) -> Lines:
    newlines = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
    items = [text[start:end] for start, end in spans.tolist()]
    joined = b"\n".join(items) + b"\n"
    if count_lines(joined) > len(items):
        joined = b"".join([item.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n" for item in items])
    return Lines(joined, line + np.searchsorted(newlines, spans[:, 0]))


def _check_between(text: bytes, spans: NDArray[np.int64], source: str, line: int, upto: int = 0) -> None:
    """Raises DataError when something else than blanks and commas stands outside of the spans."""
    ink = ~_SPACE[np.frombuffer(text, np.uint8)]
    for_spans = np.zeros(len(text) + 1, np.int8)
    for_spans[spans[:, 0]] += 1
    for_spans[spans[:, 1]] -= 1
    stray = np.flatnonzero(ink & (np.cumsum(for_spans[:-1]) == 0))
    if not len(stray) or (upto and text[stray[0] : stray[0] + 1] == b"{"):
        return
    at = int(stray[0])
    shown = re.split(rb"[\s,\]]", text[at : at + 20])[0].decode("utf-8", "replace") or text[at : at + 1].decode()
    raise DataError(f"{source}, line {line + text.count(bytes([10]), 0, at)}: '{shown}' where an object was expected")


def _check_size(size: int, source: str, line: int) -> None:
    if size > MAX_RECORD:
        raise DataError(f"{source}, line {line}: this row is longer than {MAX_RECORD >> 20} MB")
