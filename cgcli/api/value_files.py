"""Values of names from files: arrays, objects of JSON, tables of numbers; and texts, of no more than a bound."""

from __future__ import annotations

import os
import sys

from cgcli.annotations import IO, Any, Callable
from cgcli.api.values import OF_JSON, as_array
from cgcli.errors import CgError, DataError, UsageError, refused
from cgcli.ops.lazily import np

_MAX_FILE_BYTES = 2**30
_MAX_ENDLESS_BYTES = 2**25  # of a pipe or a device, which may never end
_BEGIN = 4096  # bytes, in which JSON shows what it is


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
    content = _json(name)
    if not isinstance(content, dict):
        raise DataError(f"'{name}' holds no JSON object", hint='as in: {"x": 2, "w": [1, 2]}')
    return {key: as_array(item, f"'{name}': '{key}'", OF_JSON) for key, item in content.items()}


def exact_texts(path: str) -> dict[str, str]:
    """The values of a file with a JSON object, by name, with all the digits that they are written with.

    Nothing of a pipe, which has been read: of those, numbers have the digits of floats.
    """
    if not os.path.isfile(path):
        return {}
    import json

    content = json.loads(text_of(path), parse_float=str, parse_int=str)
    return {name: _written(value) for name, value in content.items()}


def _written(value: Any) -> str:
    """A number or lists of them, as the language writes them. They are nested no deeper than JSON's parser allows."""
    return f"[{', '.join(map(_written, value))}]" if isinstance(value, list) else str(value)


def holds_rows(name: str) -> bool:
    """Whether a file holds rows, and no JSON object of values."""
    if os.path.splitext(name)[1].lower() != ".json" or not os.path.isfile(name):
        from cgcli.tables.formats import split_name

        return os.path.isfile(name) and split_name(name)[0] is not None
    try:
        with open(name, "rb") as stream:
            begin = b"".join(stream.read(_BEGIN).removeprefix(b"\xef\xbb\xbf").split())
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
    import json

    try:
        return json.loads(text_of(path), parse_int=float, object_pairs_hook=_members)
    except RecursionError:
        raise DataError(f"'{path}' is nested too deeply") from None
    except ValueError as error:
        what = "standard input" if path == "-" else f"'{path}'"
        hint = "" if os.path.isfile(path) else "if it holds rows, say their format, as in: -i csv"
        raise DataError(f"{what} is not JSON: {error}", hint=hint) from None


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
