"""Values of names from files: arrays, objects of JSON, tables of numbers; and texts, of no more than a bound."""

from __future__ import annotations

import os
import sys
from itertools import chain

from cgcli.annotations import IO, TYPE_CHECKING, Any, Callable
from cgcli.api.values import OF_JSON, as_array
from cgcli.errors import CgError, DataError, UsageError, refused
from cgcli.ops.lazily import np

if TYPE_CHECKING:
    from cgcli.tables.content import Content

_MAX_FILE_BYTES = 2**30
_MAX_ENDLESS_BYTES = 2**25  # of a pipe or a device, which may never end
_BEGIN = 4096  # bytes, in which JSON shows what it is
_MARK = b"\xef\xbb\xbf"  # of UTF-8


def of_file(name: str, what: str, column: Column | None = None) -> Any:
    """An array from a file, by its suffix: .npy, .json, .csv; `FILE:NAME` is a column of any file of rows.

    column: what reads that, of a file and a name; None does so without anything that options say. Raises UsageError or
    DataError.
    """
    path, _, column_name = name.rpartition(":")
    is_column = bool(path and column_name) and not os.path.exists(name)
    reader = _READERS.get(os.path.splitext(name)[1].lower())
    if reader is None and not is_column:
        raise UsageError(
            f"{what}: '{name}' has no known suffix",
            hint=f"known: {', '.join(_READERS)}; a column of a file of rows is @{name}:NAME",
        )
    if not is_column:
        _check_size(name)
    try:
        return (column or _column)(path, column_name) if reader is None or is_column else reader(name)
    except CgError as error:
        error.message = f"{what}: {error.message}"
        raise


def of_json_object(name: str) -> dict[str, Any]:
    """The arrays of a file that holds a JSON object, by name. Raises DataError."""
    _check_size(name)
    return _of_object(_json(name), f"'{name}'")


def values_or_rows(name: str) -> dict[str, Any] | Content:
    """What standard input, a pipe, or a file whose suffix does not tell gives: the arrays of a JSON object, or rows.

    Rows are whatever is no JSON object, and several objects. Raises DataError for what begins as one and is none.
    """
    from cgcli.tables.content import Content
    from cgcli.tables.formats import MAGIC

    content = Content(name, MAGIC)
    text = bytearray()
    most = _MAX_FILE_BYTES if os.path.isfile(name) else _MAX_ENDLESS_BYTES
    for piece in content.pieces:
        text += piece
        begin = text[:_BEGIN].removeprefix(_MARK).lstrip()
        if (begin and not begin.startswith(b"{")) or len(text) > most:
            break
    else:
        if text.strip() and not _is_several(text):
            return _of_object(_parsed(text, content.source), content.quoted)
    content.pieces = chain([bytes(text)] if text else [], content.pieces)
    return content


def _is_several(text: bytearray) -> bool:
    """Whether JSON goes on behind its first value."""
    from json import JSONDecoder

    try:
        decoded = text.decode("utf-8-sig").lstrip()
        return bool(decoded[JSONDecoder().raw_decode(decoded)[1] :].strip())
    except (ValueError, RecursionError):  # told by who reads it
        return False


def _of_object(content: Any, what: str) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise DataError(f"{what} holds no JSON object", hint='as in: {"x": 2, "w": [1, 2]}')
    return {key: as_array(item, f"{what}: '{key}'", OF_JSON) for key, item in content.items()}


def exact_texts(path: str) -> dict[str, str]:
    """The values of a file with a JSON object, by name, with all the digits that they are written with.

    Nothing of a pipe, which has been read: of those, numbers have the digits of floats; and nothing of rows.
    """
    if not os.path.isfile(path):
        return {}
    import json

    try:
        content = json.loads(text_of(path), parse_float=str, parse_int=str)
    except ValueError:
        return {}
    return {name: _written(value) for name, value in content.items()}


def _written(value: Any) -> str:
    """A number or lists of them, as the language writes them. They are nested no deeper than JSON's parser allows."""
    return f"[{', '.join(map(_written, value))}]" if isinstance(value, list) else str(value)


def holds_rows(name: str) -> bool | None:
    """Whether a file holds rows, and no JSON object of values; None where that is not seen without reading it."""
    if os.path.splitext(name)[1].lower() != ".json" or not os.path.isfile(name):
        from cgcli.tables.formats import split_name

        return True if os.path.isfile(name) and split_name(name)[0] is not None else None
    try:
        with open(name, "rb") as stream:
            begin = b"".join(stream.read(_BEGIN).removeprefix(_MARK).split())
    except OSError:  # told by who reads it
        return False
    return begin.startswith(b"[{")


def text_of(path: str, limit: int | None = None) -> str:
    """The text of a UTF-8 file of at most `limit` bytes, a byte-order mark left out; that of standard input for '-'.

    Raises DataError, UsageError when standard input is closed.
    """
    if limit is None:
        limit = _MAX_FILE_BYTES if os.path.isfile(path) else _MAX_ENDLESS_BYTES
    if path == "-":
        if sys.stdin is None:
            raise UsageError("standard input is closed")
        return bounded_text(sys.stdin.buffer, "standard input", limit)
    try:
        with open(path, "rb") as stream:
            return bounded_text(stream, f"'{path}'", limit)
    except (OSError, ValueError) as error:
        raise refused("read", f"'{path}'", error) from None


def bounded_text(stream: IO[bytes], what: str, limit: int) -> str:
    """The UTF-8 text of a stream, which may never end: no more than `limit` bytes are read."""
    content = stream.read(limit + 1)
    if len(content) > limit:
        raise DataError(f"{what} is longer than {limit} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{what} is not UTF-8 text (byte {error.start})") from None


def _check_size(path: str) -> None:
    try:
        size = 0 if path == "-" else os.stat(path).st_size
    except (OSError, ValueError) as error:
        raise refused("read", f"'{path}'", error) from None
    if size > _MAX_FILE_BYTES:
        raise DataError(f"'{path}' is larger than {_MAX_FILE_BYTES >> 30} GiB")


def _npy(path: str) -> Any:
    import tokenize

    try:
        array = np.load(path, allow_pickle=False)
    except MemoryError:
        raise DataError(f"'{path}' holds more numbers than there is memory") from None
    except (OSError, ValueError, EOFError, SyntaxError, tokenize.TokenError, RecursionError) as error:
        reason = "it holds no array, or one of Python objects" if "pickle" in str(error) else error
        raise DataError(f"'{path}' is not an array file that cg reads: {reason}") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        raise DataError(f"'{path}' holds no array of real numbers")
    return as_array(array, f"'{path}'")


def _column(path: str, name: str) -> Any:
    from cgcli.api.files import Table

    return Table([path]).vector(name)


def _csv(path: str) -> Any:
    """A table of numbers; one column is a vector."""
    import io
    import warnings

    text = text_of(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            table = np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2)
    except ValueError as error:
        raise DataError(f"'{path}' is not a table of numbers: {_csv_reason(str(error))}") from None
    return np.ascontiguousarray(table[:, 0] if table.shape[1] == 1 else table)


def _csv_reason(error: str) -> str:
    """numpy's complaint, with rows counted from 1 as its columns are."""
    import re

    cell = re.fullmatch(r"could not convert string '(.*)' to float64 at row (\d+), column (\d+)\.", error, re.DOTALL)
    if cell:
        return f"row {int(cell[2]) + 1}, column {cell[3]} holds '{cell[1]}'"
    return error.partition(";")[0]


def _json(path: str) -> Any:
    return _parsed(text_of(path), f"'{path}'")


def _parsed(text: str | bytearray, what: str) -> Any:
    """The value of a text in JSON."""
    import json

    try:
        return json.loads(text, parse_int=float, object_pairs_hook=_members)
    except RecursionError:
        raise DataError(f"{what} is nested too deeply") from None
    except ValueError as error:
        raise DataError(f"{what} is not JSON: {error}") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; raises ValueError for a name that stands twice in it."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"'{next(name for name in names if names.count(name) > 1)}' stands in it twice")
    return members


def _json_array(path: str) -> Any:
    return as_array(_json(path), f"'{path}'", OF_JSON)


Column = Callable[[str, str], Any]
_READERS: dict[str, Callable[[str], Any]] = {".npy": _npy, ".json": _json_array, ".csv": _csv}
