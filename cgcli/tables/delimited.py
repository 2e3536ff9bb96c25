"""Records of CSV and TSV: where they end in a text that comes in pieces, and on which lines they begin."""

from __future__ import annotations

import re

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Iterator
from cgcli.errors import DataError
from cgcli.tables.bounds import MAX_RECORD
from cgcli.tables.dialect import Dialect
from cgcli.tables.text import count_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEWLINE, _RETURN, _QUOTE = b'\n\r"'
_SAFE_BEFORE_QUOTE = b'\n\r"'
_QUOTED = rb'(?:(?<=[\n\r%s])|\A)"(?:[^"]++|"")*+"?'


def whole_records(content: Iterator[bytes], source: str, dialect: Dialect) -> Iterator[bytes]:
    """The pieces, cut anew so that each ends with a record. Raises DataError when a quote is never closed."""
    rest = b""
    line = 1  # on which the rest begins
    look_from = 0  # bytes that a row must have before it is looked at again
    for piece in content:
        rest += piece
        end = _last_end(rest, dialect) if b"\n" in piece and len(rest) >= look_from else 0
        if end:
            yield rest[:end]
            line += count_lines(rest[:end])
            rest = rest[end:]
        look_from = 2 * len(rest) if len(rest) > 1 << 20 else 0
        if len(rest) > MAX_RECORD:
            raise DataError(
                f"{source}, line {line}: this row is longer than {MAX_RECORD >> 20} MB",
                hint="is a quote left open?" if dialect.quotes else "",
            )
    end = _last_end(rest + b"\n", dialect)
    if rest[:end]:
        yield rest[:end]
    if end < len(rest):
        raise DataError(f"{source}, line {line + count_lines(rest[:end])}: a quote is opened and never closed")


def _last_end(text: bytes, dialect: Dialect) -> int:
    """Behind the last newline that is in no quotes; 0 when there is none."""
    if not dialect.has_quotes(text):
        return text.rfind(b"\n") + 1
    return max(_behind_newlines(text, dialect), default=0)


def first_end(text: bytes, dialect: Dialect) -> int:
    """Behind the first newline that is in no quotes; the end of the text when there is none."""
    return min(_behind_newlines(text, dialect), default=len(text))


def _behind_newlines(text: bytes, dialect: Dialect) -> list[int]:
    return _outside_quotes(np.flatnonzero(np.frombuffer(text, np.uint8) == _NEWLINE) + 1, text, dialect)


def _record_ends(text: bytes, dialect: Dialect) -> list[int]:
    """Behind each record: behind each newline that is in no quotes, and at the end.

    As pyarrow has it, a carriage return that no newline follows ends a record too.
    """
    buffer = np.frombuffer(text + b"\r", np.uint8)
    ends = np.flatnonzero((buffer[:-1] == _NEWLINE) | ((buffer[:-1] == _RETURN) & (buffer[1:] != _NEWLINE))) + 1
    found = _outside_quotes(ends, text, dialect)
    return found if not text or (found and found[-1] == len(text)) else [*found, len(text)]


def rows_of(text: bytes, dialect: Dialect, line: int, columns: int) -> Iterator[tuple[int, bytes]]:
    """Each record that is a row of a table, and the line on which it begins; the text begins on `line`."""
    blank_too = dialect.has_blank_rows(columns)
    begin = 0
    for end in _record_ends(text, dialect):
        record = text[begin:end]
        if blank_too or record.strip(b"\r\n"):
            yield line, record
        line += record.count(b"\n")
        begin = end


def _outside_quotes(ends: NDArray[np.int64], text: bytes, dialect: Dialect) -> list[int]:
    """Those of the ends whose last byte is in no quotes."""
    if dialect.has_quotes(text):
        starts, stops = _quoted_spans(text, dialect.separator)
        before = np.searchsorted(starts, ends, "left") - 1  # the quoted text that begins last before the end
        ends = ends[(before < 0) | (ends > stops[before])] if len(starts) else ends
    found: list[int] = ends.tolist()
    return found


def _quoted_spans(text: bytes, separator: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where quoted text begins, and where it ends: behind the text when a quote is left open."""
    buffer = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(buffer == _QUOTE)
    before = buffer[quotes[::2] - 1][int(quotes[0] == 0) :]
    # When each odd quote stands where a cell begins, or behind another, all quotes are pairs.
    if np.isin(before, np.frombuffer(_SAFE_BEFORE_QUOTE + separator.encode(), np.uint8)).all():
        starts = quotes[::2]
        return starts, np.append(quotes[1::2], [len(text)] * (len(quotes) % 2))
    cells = list(re.finditer(_QUOTED % re.escape(separator.encode()), text))
    return np.array([cell.start() for cell in cells], np.int64), np.array([cell.end() for cell in cells], np.int64)
