"""JSON objects as rows: read from lines of text, with a column for each member."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from functools import partial
from itertools import chain, pairwise
from operator import itemgetter

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Collection, Iterator
from cgcli.records import NamedTuple
from cgcli.tables.arrow import numbers_at, of_floats
from cgcli.tables.batch import Batch, Unread
from cgcli.tables.bounds import check_cells, check_columns
from cgcli.tables.names import is_among
from cgcli.tables.text import not_utf8, places_of
from cgcli.tables.values import Beyond, as_texts, column_of, encodable

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

BLANKS = b" \t\r\n"
_MOST_CELLS = 1 << 14  # of a batch
_SPARSE = 8  # times as many cells as members
_AT_ONCE = 1 << 20  # bytes that are searched for brackets
_MOST_ALIKE = 1 << 11  # bytes of a row that is compared with others byte by byte
_DEEPEST = 200  # lists and objects in each other; pyarrow recurses over them
_NEWLINE, _QUOTE, _OPENING, _CLOSING, _LIST = b'\n"{}['
_COLON, _MINUS, _DOT, _ZERO = b":-.0"
_IS_DIGIT = np.isin(np.arange(256), [*b"0123456789"])
_NUMBER_BEHIND = re.compile(rb":[ \t]*([-+.0-9eE]+)")
_STEP = np.zeros(256, np.int8)  # what a byte outside of strings adds to the depth
_STEP[[*b"{["]] = 1
_STEP[[*b"}]"]] = -1
_IS_MARK = _STEP != 0
_IS_MARK[_QUOTE] = True
_NO_JSON = re.compile(rb'"(?:[^"\\]|\\.)*+"|-?Infinity|NaN')  # but strings, which may hold anything
_LONG_INTEGER = re.compile(rb"[:,\[]\s*-?[0-9]{16,}\s*[],}]")


class Objects(NamedTuple):
    """Reads rows of which each is an object.

    wanted: the names of members that somebody will ask for; None where all will be. in_document: whether the rows were
    no lines there.
    """

    source: str
    wanted: Collection[str] | None
    in_document: bool

    def of_lines(self, text: bytes, line_of: Callable[[int], int]) -> Iterator[Batch]:
        """Rows of which each is a line, its newline included; blank lines are none.

        They come in one batch, but where rows have members that others do not have. line_of: the number that each line
        has in the source.
        """
        parts = [(0, text)]
        while parts:
            begin, part = parts.pop()
            batch = self._batch(part, partial(_line_behind, line_of, begin))
            if batch is not None:
                yield batch
                continue
            lines = part.splitlines(keepends=True)
            middle = len(lines) // 2
            parts += [(begin + middle, b"".join(lines[middle:])), (begin, b"".join(lines[:middle]))]

    def _batch(self, text: bytes, line_of: Callable[[int], int]) -> Batch | None:
        """The rows in one batch; None where these would be too many cells."""
        numbers = None if self.wanted is None else _numbers(text)
        if numbers is not None:
            return self._of_numbers(numbers, text, line_of)
        objects = _all_at_once(text)
        if objects is not None:
            found = self._columns(objects)
            if found is None:
                return None
            columns, names, doubtful = found
            if not (doubtful and _LONG_INTEGER.search(text)):  # orjson rounds the longest
                return Batch(columns, self.source, lambda row: f"line {line_of(row)}", {}, _texts(text),
                             unread=self._unread(names))  # fmt: skip
        lines = [(at, row) for at, line in enumerate(text.split(b"\n")) if (row := line.strip(BLANKS))]
        parsed = [object_of(row, in_document=self.in_document) for _, row in lines]
        bad = {at: why for at, (_, why) in enumerate(parsed) if why}
        rows = [b"{}" if at in bad else _NO_JSON.sub(_null, row) for at, (_, row) in enumerate(lines)]
        found = self._columns([item for item, _ in parsed])
        return found and Batch(
            found[0], self.source, lambda row: f"line {line_of(lines[row][0])}", bad, _texts(b"\n".join([*rows, b""])),
            unread=self._unread(found[1]),
        )  # fmt: skip

    def _of_numbers(self, numbers: dict[str, NDArray[np.float64]], text: bytes, line_of: Callable[[int], int]) -> Batch:
        """The rows of a text, of whose members all are known."""
        import pyarrow as pa

        check_columns(len(numbers), self.source)
        names = [name for name in numbers if is_among(name, self.wanted or ())] or [*numbers][:1]
        columns = pa.RecordBatch.from_arrays([of_floats(numbers[name]) for name in names], names=names)
        return Batch(columns, self.source, lambda row: f"line {line_of(row)}", {}, _texts(text),
                     unread=self._unread([*numbers]))  # fmt: skip

    def _columns(self, objects: list[dict[str, Any]]) -> tuple[pa.RecordBatch, list[str], bool] | None:
        """Their columns, the names of all members, and whether a number may have been rounded when it was parsed.

        None where most rows do not have most members, and these would be too many cells.
        """
        import pyarrow as pa

        size = sum(map(len, objects))
        names = list(objects[0]) if objects else []
        if size and not all(map(objects[0].keys().__eq__, map(dict.keys, objects))):
            names = list(dict.fromkeys(chain.from_iterable(objects)))
        chosen = names if self.wanted is None else [name for name in names if is_among(name, self.wanted)] or names[:1]
        if len(chosen) * len(objects) > max(_MOST_CELLS, _SPARSE * size) and len(objects) > 1:
            return None
        check_columns(len(chosen), self.source)
        try:
            members = [list(map(itemgetter(name), objects)) for name in chosen]
        except KeyError:  # not all have the same
            members = [[item.get(name) for item in objects] for name in chosen]
        names = list(map(encodable, names))
        if not chosen:
            rows = pa.StructArray.from_buffers(pa.struct([]), len(objects), [None])
            return pa.RecordBatch.from_struct_array(rows), names, False
        columns, doubtful = zip(*map(column_of, members), strict=True)
        return pa.RecordBatch.from_arrays(list(columns), names=list(map(encodable, chosen))), names, any(doubtful)

    def _unread(self, names: list[str]) -> Unread | None:
        """What reads the members that nobody wanted."""
        return None if self.wanted is None else Unread(names, self._all_of)

    def _all_of(self, lines: pa.Array) -> pa.RecordBatch:
        """All members of lines that were read before."""
        found = self._replace(wanted=None)._columns([object_of(line.encode(), in_document=False)[0] for line in
                                                      lines.to_pylist()])  # fmt: skip
        if found is None:
            check_cells(sys.maxsize, 0, self.source)
            raise AssertionError("so many cells are refused")
        return found[0]


def _line_behind(line_of: Callable[[int], int], begin: int, row: int) -> int:
    return line_of(begin + row)


def _null(word: re.Match[bytes]) -> bytes:
    return word[0] if word[0].startswith(b'"') else b"null"


def _numbers(text: bytes) -> dict[str, NDArray[np.float64]] | None:
    """The members of objects on lines that are all spelled as the first one is, but for their numbers; None where not.

    What stands between the numbers is compared where it must be, as the colons tell, and the numbers are cast.
    """
    import orjson
    import pyarrow as pa

    first = text[: text.find(b"\n", 0, _MOST_ALIKE) + 1]
    cells = [found.span(1) for found in _NUMBER_BEHIND.finditer(first)]
    try:
        members = orjson.loads(first)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(members, dict) or len(members) != len(cells) or not cells or b"\\" in first:
        return None
    if {*map(type, members.values())} - {int, float} or any(set(":.").intersection(name) for name in members):
        return None
    buffer, colons, newlines = np.frombuffer(text, np.uint8), places_of(_COLON, text), places_of(_NEWLINE, text)
    if len(colons) != len(newlines) * len(cells) or not text.endswith(b"\n"):
        return None
    gaps = [first[end:begin] for (_, end), (begin, _) in pairwise([(0, 0), *cells, (len(first), 0)])]
    bounds = np.empty((len(newlines), len(cells), 2), np.int32)
    places = [*(colons.reshape(bounds.shape[:2]) - [gap.rindex(b":") for gap in gaps[:-1]]).T,
              newlines + 1 - len(gaps[-1])]  # fmt: skip
    for at, gap in enumerate(gaps[:-1]):
        bounds[:, at, 0], bounds[:, at, 1] = places[at] + len(gap), places[at + 1]
    if places[0][0] or (places[0][1:] != newlines[:-1] + 1).any() or (bounds[:, :, 0] >= bounds[:, :, 1]).any():
        return None
    stand = ((buffer[place + at] == byte).all() for gap, place in zip(gaps, places, strict=True)
             for at, byte in enumerate(gap))  # fmt: skip
    if not all(stand) or not _are_of_json(buffer, bounds, places_of(_DOT, text)):
        return None
    with contextlib.suppress(pa.ArrowInvalid):
        values = numbers_at(text, bounds)
        if np.isfinite(values).all():
            return dict(zip(members, values.T, strict=True))
    return None


def _are_of_json(buffer: NDArray[np.uint8], bounds: NDArray[np.int32], dots: NDArray[np.int64]) -> bool:
    """Whether numbers that floats are parsed from are those of JSON, too: none is .5, 5. or 05; nor -0, an integer."""
    begins = bounds[:, :, 0].ravel()
    begins = begins + (buffer[begins] == _MINUS)
    zeros = begins[buffer[begins] == _ZERO]
    if (buffer[zeros[buffer[zeros - 1] == _MINUS] + 1] != _DOT).any():
        return False
    are_digits = all(_IS_DIGIT[buffer[places]].all() for places in (begins, dots - 1, dots + 1))
    return are_digits and not _IS_DIGIT[buffer[zeros + 1]].any()


def _all_at_once(text: bytes) -> list[dict[str, Any]] | None:
    """The objects on the lines of a text; None where there are blanks, or other things."""
    import orjson

    buffer = np.frombuffer(text, np.uint8)
    ends = places_of(_NEWLINE, text)
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

    Integers are exact, however long they are, and numbers beyond float64 keep their texts. NaN and Infinity are taken,
    as others write them.
    """
    import orjson

    if line.count(b"{") + line.count(b"[") > _DEEPEST and brackets(line).depth.max() > _DEEPEST:
        return {}, f"more than {_DEEPEST} lists or objects in each other"
    broken_at = 0
    exact = partial(json.loads, parse_float=Beyond.or_float)
    for parse in (orjson.loads, exact):
        try:
            found = parse(line)
        except UnicodeDecodeError:
            return {}, not_utf8(line)
        except ValueError as error:
            broken_at = max(broken_at, getattr(error, "pos", 0))
        else:
            if parse is exact or not _LONG_INTEGER.search(line):
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

    places: NDArray[np.int32]
    steps: NDArray[np.int8]
    depth: NDArray[np.int32]
    is_list: NDArray[np.bool_]


def brackets(text: bytes) -> Brackets:
    """The brackets and braces of JSON."""
    if b"\\" in text:  # escapes: without them, each quote opens or closes a string
        text = text.replace(rb"\\", b"__").replace(rb"\"", b"__")
    content = np.frombuffer(text, np.uint8)
    found, is_open = [], 0
    for begin in range(0, max(len(text), 1), _AT_ONCE):
        places = np.flatnonzero(_IS_MARK[content[begin : begin + _AT_ONCE]])
        marks = content[begin + places]
        is_quote = marks == _QUOTE
        quotes = np.cumsum(is_quote, dtype=np.uint8) + np.uint8(is_open)
        outside = (quotes % 2 == 0) & ~is_quote
        found.append(((begin + places[outside]).astype(np.int32), marks[outside]))
        is_open = int(quotes[-1] % 2) if len(quotes) else is_open
    where, marks = map(np.concatenate, zip(*found, strict=True))
    steps = _STEP[marks]
    return Brackets(where.astype(np.int32, copy=False), steps, np.cumsum(steps, dtype=np.int32), marks == _LIST)


def _texts(text: bytes) -> pa.Array:
    """The lines of a text as a column, each with its newline."""
    import pyarrow as pa

    text = text.replace(b"\r", b" ")
    ends = places_of(_NEWLINE, text)
    offsets = np.append(0, ends + 1).astype(np.int32)
    return pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(text))
