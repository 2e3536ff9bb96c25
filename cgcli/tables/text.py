"""Text: in any Unicode encoding, read as UTF-8 with newlines as Unix writes them; its lines; values in JSON."""

from __future__ import annotations

import codecs
from itertools import chain

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Callable, Iterator
from cgcli.errors import DataError
from cgcli.tables.arrow import joined
from cgcli.tables.content import peeked

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_MARKED = {  # the longer first, as it begins with the shorter
    codecs.BOM_UTF32_LE: "utf-32-le", codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be",
}  # fmt: skip
_LOOKED_AT = 1000  # bytes at the begin
_NO_TIME = b"<value out of range"  # Arrow's text of a time that has none
_ZEROS = 8  # one of so many bytes there is zero: this is no text
_NONE = 8
_ONLY_BIT = np.full(256, _NONE)  # which bit of a byte is set; _NONE where it is not one
_ONLY_BIT[1 << np.arange(8)] = np.arange(8)
_LONGEST_FIRST_LINE = 1 << 20  # bytes in which a newline is looked for


def as_utf8(content: Iterator[bytes], source: str) -> Iterator[bytes]:
    """The same text in UTF-8, without a byte-order mark; where a carriage return ends lines, a newline does.

    Raises DataError for data that are no text, or text in another encoding with zeros in it.
    """
    content, begin = peeked(content, [codecs.BOM_UTF8, *_MARKED])
    encoding = next((found for mark, found in _MARKED.items() if begin.startswith(mark)), None)
    if encoding:
        return _unix_newlines(_decoded(content, encoding, source))
    if begin.count(0, 0, _LOOKED_AT) * _ZEROS > min(len(begin), _LOOKED_AT):
        raise DataError(
            f"{source} holds no text",
            hint="if it is UTF-16 without a byte-order mark, turn it with iconv -f UTF-16LE -t UTF-8",
        )
    first = next(content, b"").removeprefix(codecs.BOM_UTF8)
    return _unix_newlines(chain([first] if first else [], content))


def _decoded(content: Iterator[bytes], encoding: str, source: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    first = True
    try:
        for piece in content:
            text = decoder.decode(piece)
            if text:
                yield (text[1:] if first else text).encode()
                first = False
        decoder.decode(b"", final=True)
    except UnicodeError:
        raise DataError(f"{source} begins as {encoding[:6].upper()} text, and is none") from None


def _unix_newlines(content: Iterator[bytes]) -> Iterator[bytes]:
    """Text whose first line ends with a carriage return alone, with newlines instead."""
    begin = b""
    for piece in content:
        begin += piece
        newline, old = begin.find(b"\n"), begin.find(b"\r", 0, -1)
        is_json = begin.lstrip()[:1] in (b"{", b"[")  # where newlines mean nothing
        if newline >= 0 or old >= 0 or is_json or len(begin) > _LONGEST_FIRST_LINE:
            break
    else:
        yield begin.replace(b"\r", b"\n")
        return
    if old >= 0 and not 0 <= newline <= old + 1 and begin.count(b'"', 0, old) % 2 == 0:
        yield begin.replace(b"\r", b"\n")
        for piece in content:
            yield piece.replace(b"\r", b"\n")
        return
    yield begin
    yield from content


def places_of(byte: int, text: bytes | bytearray | NDArray[np.uint8]) -> NDArray[np.int64]:
    """Where a byte stands in a text, in ascending order. Where it is rare, eight bytes are looked at together."""
    found = np.frombuffer(text, np.uint8) == byte
    eights = np.packbits(found, bitorder="little")
    places = np.flatnonzero(eights != 0)
    within = _ONLY_BIT.take(eights.take(places))
    if within.max(initial=0) == _NONE:
        return np.flatnonzero(found)
    places *= 8
    places += within
    return places


def count_lines(text: bytes) -> int:
    """How many newlines there are in a text."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord("\n")))


def not_utf8(text: bytes) -> str:
    """Why bytes are no text; '' when they are."""
    if text.isascii():
        return ""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"not UTF-8 text: a byte is 0x{text[error.start]:02x}"
    return ""


def as_json(column: pa.Array) -> pa.Array:
    """Each value as JSON has it; as Arrow's text times that Python has not, decimals in lists, and bytes that are text.

    Raises TypeError or ValueError for one that JSON has not, or of which Arrow has no text.
    """
    import orjson
    import pyarrow as pa

    kind = _in_words(column.type, lambda leaf: any(word in str(leaf) for word in ("[ns", "binary", "duration")))
    try:
        items = (column if kind == column.type else column.cast(kind)).to_pylist()
    except (ValueError, OverflowError):  # a year that Python does not know
        items = column.cast(_in_words(column.type, pa.types.is_temporal)).to_pylist()
    texts = pa.array([None if item is None else orjson.dumps(item).decode() for item in items], pa.string())
    return texts if pa.types.is_string(column.type) else in_range(texts)


def in_range(texts: pa.Array) -> pa.Array:
    """The texts of times. Raises ValueError for one that is none, since its year has more digits than Arrow writes."""
    if _NO_TIME in bytes(joined(texts)):
        raise ValueError("a time that has no text")
    return texts


def _in_words(kind: pa.DataType, says: Callable[[pa.DataType], bool]) -> pa.DataType:
    """The type with text in place of some parts, and of decimals."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if kinds.is_list(kind) or kinds.is_large_list(kind):
        return pa.list_(_in_words(kind.value_type, says))
    if kinds.is_fixed_size_list(kind):
        return pa.list_(_in_words(kind.value_type, says), kind.list_size)
    if kinds.is_map(kind):
        return pa.map_(_in_words(kind.key_type, says), _in_words(kind.item_type, says))
    if kinds.is_struct(kind):
        return pa.struct([(field.name, _in_words(field.type, says)) for field in kind])
    return pa.string() if says(kind) or kinds.is_decimal(kind) else kind


def without_text(column: pa.Array, name: str, reason: str) -> DataError:
    """The error for a column whose values cannot be written as text. reason: `which JSON cannot hold`."""
    hint = "write Parquet or Arrow, or leave the input's columns out with --only"
    return DataError(f"column '{name}' is of type {column.type}, {reason}", hint=hint)
