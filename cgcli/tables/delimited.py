"""Records of CSV and TSV: where they end in a text that comes in pieces, on which lines they begin, their numbers."""

from __future__ import annotations

import re

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Iterator, Sequence
from cgcli.errors import DataError
from cgcli.records import NamedTuple
from cgcli.tables.arrow import numbers_at, of_floats
from cgcli.tables.bounds import check_record
from cgcli.tables.dialect import Dialect
from cgcli.tables.text import places_of

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_NEWLINE, _RETURN, _QUOTE = b'\n\r"'
_SAFE_BEFORE_QUOTE = b'\n\r"'
_BLANK = 2  # bytes that a line without anything takes at most
_QUOTED = rb'(?:(?<=[\n\r%s])|\A)"(?:[^"]++|"")*+"?'


class Records(NamedTuple):
    """Text that ends with a record. line: on which it begins. ends: behind each newline that is in no quotes."""

    text: bytes
    line: int
    ends: NDArray[np.int64]

    def behind(self, size: int) -> Records:
        """Without the first bytes."""
        line = self.line + self.text.count(b"\n", 0, size)
        return Records(self.text[size:], line, self.ends[self.ends > size] - size)


def whole_records(content: Iterator[bytes], source: str, dialect: Dialect) -> Iterator[Records]:
    """The pieces, cut anew so that each ends with a record. Raises DataError when a quote is never closed."""
    rest = b""
    line = 1  # on which the rest begins
    look_from = 0  # bytes that a row must have before it is looked at again
    for piece in content:
        end = piece.rfind(b"\n") + 1
        if end and len(rest) + end >= look_from:
            found, rest, line = cut(b"".join((rest, memoryview(piece)[:end])), line, dialect)
            if found.text:
                yield found
            piece = piece[end:]
        rest += piece
        look_from = 2 * len(rest) if len(rest) > 1 << 20 else 0
        check_record(len(rest), f"{source}, line {line}")
    found, rest, line = cut(rest + b"\n" * (rest[-1:] not in (b"", b"\n")), line, dialect)
    if found.text:
        yield found
    if rest:
        raise DataError(f"{source}, line {line}: a quote is opened and never closed")


def cut(text: bytes, line: int, dialect: Dialect) -> tuple[Records, bytes, int]:
    """The text up to its last record's end, and what is behind it. line: on which each begins."""
    newlines = places_of(_NEWLINE, text) + 1
    ends = outside_quotes(newlines, text, dialect)
    end = int(ends.max(initial=0))
    return Records(text[:end], line, ends), text[end:], line + int(np.searchsorted(newlines, end, "right"))


def row_bounds(records: Records, dialect: Dialect, columns: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each record begins and ends that is a row of a table.

    As pyarrow has it, a carriage return that no newline follows ends a record too.
    """
    text, _, ends = records
    buffer = np.frombuffer(text, np.uint8)
    if b"\r" in text and text.count(b"\r") > text.count(b"\r\n"):
        is_end = buffer == _NEWLINE
        is_end[:-1] |= (buffer[:-1] == _RETURN) & ~is_end[1:]
        ends = outside_quotes(np.flatnonzero(is_end) + 1, text, dialect)
    starts = np.append(0, ends[:-1])[: len(ends)]
    if dialect.has_blank_rows(columns) or (ends - starts).min(initial=_BLANK + 1) > _BLANK:
        return starts, ends
    is_row = (buffer[starts] != _NEWLINE) & (buffer[starts] != _RETURN)
    return (starts, ends) if is_row.all() else (starts[is_row], ends[is_row])


def lines_of(text: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> pa.Array:
    """The rows between these bounds as a column of text."""
    import pyarrow as pa

    content = np.frombuffer(text, np.uint8)
    if (starts[1:] != ends[:-1]).any():  # without the blank lines between them
        marks = np.zeros(len(content) + 1, np.int8)
        np.add.at(marks, starts, 1)
        np.add.at(marks, ends, -1)
        content = content[np.cumsum(marks[:-1]) > 0]
        ends = np.cumsum(ends - starts)
        starts = np.append(0, ends[:-1])
    offsets = np.append(starts[:1], ends).astype(np.int32)
    return pa.StringArray.from_buffers(len(starts), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(content)))


def numbers_in(
    text: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], dialect: Dialect, columns: int,
    chosen: Sequence[int],
) -> list[pa.Array] | None:  # fmt: skip
    """Some columns of the rows between these bounds as float64; None where a row has not as many cells, or has quotes.

    To tell which separators stand in quotes takes longer than a parser. Raises ArrowInvalid as `numbers_at`.
    """
    if dialect.has_quotes(text):
        return None
    separators = places_of(ord(dialect.separator), text)
    if len(separators) != len(starts) * (columns - 1):
        return None
    behind = separators.reshape(len(starts), columns - 1).T  # each cell but the last
    if columns > 1 and ((behind[0] < starts).any() or (behind[-1] >= ends).any()):
        return None
    bounds = np.empty((len(starts), len(chosen), 2), np.int32)
    for place, at in enumerate(chosen):
        bounds[:, place, 0] = behind[at - 1] + 1 if at else starts
        bounds[:, place, 1] = behind[at] if at < columns - 1 else ends - 1
    if columns - 1 in chosen:
        bounds[:, -1, 1] -= np.frombuffer(text, np.uint8)[ends - 2] == _RETURN
    return [of_floats(column) for column in numbers_at(text, bounds).T]


def outside_quotes(ends: NDArray[np.int64], text: bytes, dialect: Dialect) -> NDArray[np.int64]:
    """Those of the ends whose last byte is in no quotes."""
    if dialect.has_quotes(text):
        starts, stops = _quoted_spans(text, dialect.separator)
        before = np.searchsorted(starts, ends, "left") - 1  # the quoted text that begins last before the end
        ends = ends[(before < 0) | (ends > stops[before])] if len(starts) else ends
    return ends


def _quoted_spans(text: bytes, separator: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where quoted text begins, and where it ends: behind the text when a quote is left open."""
    buffer = np.frombuffer(text, np.uint8)
    quotes = places_of(_QUOTE, text)
    before = buffer[quotes[::2] - 1][int(quotes[0] == 0) :]
    # When each odd quote stands where a cell begins, or behind another, all quotes are pairs.
    if np.isin(before, np.frombuffer(_SAFE_BEFORE_QUOTE + separator.encode(), np.uint8)).all():
        starts = quotes[::2]
        return starts, np.append(quotes[1::2], [len(text)] * (len(quotes) % 2))
    cells = list(re.finditer(_QUOTED % re.escape(separator.encode()), text))
    return np.array([cell.start() for cell in cells], np.int64), np.array([cell.end() for cell in cells], np.int64)
