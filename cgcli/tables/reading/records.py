"""Where the records of delimited text end: in CSV, a newline within a quoted cell ends none."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cgcli.errors import DataError
from cgcli.tables.dialect import Dialect

MAX_RECORD = 1 << 26  # bytes of one row, beyond which a quote was surely left open
_NEWLINE, _RETURN, _QUOTE = b'\n\r"'
_SAFE_BEFORE_QUOTE = b'\n\r"'
_QUOTED = rb'(?:(?<=[\n\r%s])|\A)"(?:[^"]++|"")*+"?'


def whole_records(content: Iterator[bytes], source: str, dialect: Dialect) -> Iterator[bytes]:
    """The pieces, cut anew so that each ends with a record. Raises DataError when a quote is never closed."""
    rest = b""
    lines = 0  # before the rest
    look_from = 0  # bytes that a row must have before it is looked at again
    for piece in content:
        if not (dialect.has_quotes(rest) or dialect.has_quotes(piece)):
            end = piece.rfind(b"\n") + 1
            whole, rest = (rest + piece[:end], piece[end:]) if end else (b"", rest + piece)
        else:
            rest += piece
            complete = b"\n" in piece and len(rest) >= look_from
            end = end_of_records(rest, dialect) if complete else 0
            whole, rest = rest[:end], rest[end:]
        if whole:
            yield whole
            lines += count_lines(whole)
        look_from = 2 * len(rest) if len(rest) > 1 << 20 else 0
        if len(rest) > MAX_RECORD:
            raise DataError(
                f"{source}, line {lines + 1}: this row is longer than {MAX_RECORD >> 20} MB",
                hint="is a quote left open?" if dialect.quotes else "",
            )
    end = end_of_records(rest + b"\n", dialect)
    if rest[:end]:
        yield rest[:end]
    if end < len(rest):
        lines += count_lines(rest[:end])
        raise DataError(f"{source}, line {lines + 1}: a quote is opened and never closed")


def count_lines(text: bytes) -> int:
    """How many newlines there are in a text."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == _NEWLINE))


def not_utf8(text: bytes) -> str:
    """Why bytes are no text; '' when they are."""
    if text.isascii():
        return ""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"not UTF-8 text: a byte is 0x{text[error.start]:02x}"
    return ""


def end_of_records(text: bytes, dialect: Dialect) -> int:
    """Behind the last newline that is in no quotes; 0 when there is none."""
    if not dialect.has_quotes(text):
        return text.rfind(b"\n") + 1
    newlines = np.flatnonzero(np.frombuffer(text, np.uint8) == _NEWLINE)
    ends = newlines[_outside(newlines, text, dialect.separator)] + 1
    return int(ends[-1]) if len(ends) else 0


def first_end(text: bytes, dialect: Dialect) -> int:
    """Behind the first newline that is in no quotes; the end of the text when there is none."""
    if not dialect.has_quotes(text):
        return text.find(b"\n") + 1 or len(text)
    newlines = np.flatnonzero(np.frombuffer(text, np.uint8) == _NEWLINE)
    ends = newlines[_outside(newlines, text, dialect.separator)] + 1
    return int(ends[0]) if len(ends) else len(text)


def record_ends(text: bytes, dialect: Dialect) -> list[int]:
    """Behind each record: behind each newline that is in no quotes, and at the end.

    As pyarrow has it, a carriage return that no newline follows ends a record too.
    """
    buffer = np.frombuffer(text + b"\r", np.uint8)
    ends = np.flatnonzero((buffer[:-1] == _NEWLINE) | ((buffer[:-1] == _RETURN) & (buffer[1:] != _NEWLINE))) + 1
    if dialect.has_quotes(text):
        ends = ends[_outside(ends - 1, text, dialect.separator)]
    found: list[int] = ends.tolist()
    return found if not text or (found and found[-1] == len(text)) else [*found, len(text)]


def rows_of(text: bytes, dialect: Dialect, line: int, columns: int) -> Iterator[tuple[int, bytes]]:
    """Each record that is a row of a table, and the line on which it begins; the text begins on `line`."""
    blank_too = dialect.has_blank_rows(columns)
    begin = 0
    for end in record_ends(text, dialect):
        record = text[begin:end]
        if blank_too or record.strip(b"\r\n"):
            yield line, record
        line += record.count(b"\n")
        begin = end


def _outside(places: NDArray[np.int64], text: bytes, separator: str) -> NDArray[np.bool_]:
    """Which places are in no quotes, of a text that has some."""
    starts, stops = _quoted(text, separator)
    if not len(starts):
        return np.ones(len(places), np.bool_)
    before = np.searchsorted(starts, places, "right") - 1
    return (before < 0) | (places >= stops[before])


def _quoted(text: bytes, separator: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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
