"""Values of names, as arrays: from Python's numbers and lists, from constant expressions, from files."""

from __future__ import annotations

import os

from cgcli.annotations import IO, Any, Callable, Mapping, Sequence
from cgcli.errors import CgError, DataError, Source, UsageError, refused
from cgcli.evaluate.constants import as_constant
from cgcli.graph.node import Node, check_size, name_of, toposort, variables
from cgcli.ops.lazily import np

_DIGITS = tuple("0123456789.")
_NUMBERS = r"\s*[-+.\d]+(\s*,\s*[-+.\d]+)+\s*"
_MAX_FILE_BYTES = 2**30
_MAX_ENDLESS_BYTES = 2**25  # of a pipe or a device, which may never end
_NO_RANGE = {*"{}@;?\n"}  # signs that stand in programs and names of files
_BEGIN = 4096  # bytes, in which JSON shows what it is
_MOST = 2**1023  # an int beyond it may be no float
_OF_JSON = "f"  # the kind of numpy's type that JSON's numbers have


def by_position(names: Sequence[str], given: Sequence[Any], named: dict[str, Any]) -> dict[str, Any]:
    """The values of a call `f(1, 2, z=3)`, or `f({"x": 1}, y=2)`, of a function of these names.

    Raises UsageError for a name that is given twice, and for more values than names.
    """
    if not given:
        return named
    if len(given) == 1 and (given[0] is None or isinstance(given[0], Mapping)):
        return by_name(given[0], named)
    if len(given) > len(names):
        raise UsageError(f"there are {len(given)} values for {len(names)} name{'s' * (len(names) != 1)}",
                         hint=f"the names, in their order, are: {', '.join(names) or 'none'}")  # fmt: skip
    return by_name(dict(zip(names, given, strict=False)), named)


def by_name(values: Mapping[str, Any] | None, named: dict[str, Any]) -> dict[str, Any]:
    """The values of a call `f({"x": 1}, y=2)`. Raises UsageError for a name that is given twice."""
    if values is None:
        return named
    if not isinstance(values, Mapping):
        raise UsageError("values are given by name", hint="as in: f(x=2), or f({'x': 2})")
    for name in named:
        if name in values:
            raise bound_twice(name)
    return {**values, **named}


def bound_twice(name: str) -> UsageError:
    """The error for a name with two values."""
    return UsageError(f"'{name}' is bound twice", hint="give one value for each name")


def arrays_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name as arrays; see `as_array`."""
    return {name: as_array(value, f"the value of '{name}'") for name, value in values.items()}


def each_array(values: Sequence[Any] | None, what: str) -> list[Any] | None:
    """Several values as arrays; None where there are none. what: what messages call each; see `as_array`."""
    return None if values is None else [as_array(value, f"{what} {at + 1}") for at, value in enumerate(values)]


def as_array(value: Any, what: str, kinds: str = "fiub") -> Any:
    """A value as a float64 array, or a float where it is a number.

    what: what messages call it. kinds: of numpy's types, that count as numbers. What a masked array hides
    is nan. Raises DataError for what is no number and no array of numbers, TooLargeError for an
    array beyond the bounds.
    """
    if type(value) is float:  # most of all calls
        return value
    if isinstance(value, float) or (type(value) is int and "i" in kinds and abs(value) < _MOST):
        return float(value)
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        raise DataError(f"{what} is a list whose rows differ in length") from None
    check_size(array.shape, what)
    if array.dtype.kind not in kinds:
        example = "2, [1, 2], [[1, 2], [3, 4]]" + ", a numpy array" * (kinds != _OF_JSON)
        raise DataError(f"{what} is not a number or a list of numbers", hint=f"as in: {example}")
    if array is not value and isinstance(getattr(value, "mask", None), (np.ndarray, np.bool_)):  # of a masked array
        array = np.where(value.mask, np.nan, array)
    return np.ascontiguousarray(array, np.float64) if array.shape else float(array[()])


def of_text(text: str, what: str) -> Any:
    """The array, or float, that a text stands for: a number, a constant expression, or @file.

    what: what messages call it. Raises UsageError or DataError.
    """
    if text.isascii() and text.strip().lstrip("+-")[:1] in _DIGITS and "_" not in text:
        try:
            return float(text)
        except ValueError:
            pass  # an expression
    if text.lstrip().startswith("@"):
        return of_file(text.strip()[1:], what)
    values = _constants(text, what)
    if len(values) > 1:
        raise UsageError(f"{what} is {len(values)} values", hint="an array is written in brackets: [1, 2]")
    return values[0]


def ends_of_range(text: str) -> tuple[str, str] | None:
    """The ends of a range `0..1`, as texts; None for any other value, as a program with loops."""
    if ".." not in text or not _NO_RANGE.isdisjoint(text):
        return None
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and text.startswith("..", at):
            low, high = text[:at].strip(), text[at + 2 :].strip()
            return (low, high) if low and high else None
    return None


def several(text: str, what: str) -> list[Any]:
    """The values of a text that may hold several, `(1, [1, 0])`. Raises as `of_text` does."""
    return _constants(text, what) if text.lstrip().startswith("(") else [of_text(text, what)]


def exact_of_text(text: str, what: str) -> tuple[Node, ...]:
    """The graphs of the values that a text stands for, of a number with all its digits; raises as `of_text` does."""
    if text.lstrip().startswith("@"):
        return (as_constant(of_file(text.strip()[1:], what)),)
    return _graphs(text, what, exactly=True)


def _constants(text: str, what: str) -> list[Any]:
    """The values of a constant expression, `pi/2` or `[[1, 2], [3, 4]]`."""
    from cgcli.evaluate.evaluate import evaluate

    return evaluate(_graphs(text, what), {})


def _graphs(text: str, what: str, *, exactly: bool = False) -> tuple[Node, ...]:
    """The graphs of a constant expression."""
    from cgcli.evaluate.limits import check_result
    from cgcli.lowering.lower import lower
    from cgcli.syntax.parser import parse

    if not text.strip():
        raise UsageError(f"{what} is missing", hint="a value is as in: 3, pi/2, [1,2], @x.npy")
    try:
        graph = lower(parse(text), exactly=exactly)
    except CgError as error:
        import re

        error.message = f"{what}: {error.message}"
        if re.fullmatch(_NUMBERS, text):
            error.hint = f"an array is written in brackets: [{text.strip()}]"
        raise
    free = variables(toposort(graph.outputs))
    if free:
        raise UsageError(
            f"{what} is not a number: '{name_of(free[0])}' is not known",
            graph.origins.get(free[0]), source=Source(text),
            hint="a value is a number, a constant expression, an array [1, 2], or @file.npy",
        )  # fmt: skip
    check_result(graph.outputs, what)
    return graph.outputs


def of_file(name: str, what: str) -> Any:
    """An array from a file, by its suffix: .npy, .json, .csv; `FILE:NAME` is a column of any file of rows.

    Raises UsageError or DataError.
    """
    path, _, column = name.rpartition(":")
    is_column = bool(path and column) and not os.path.exists(name)
    reader = _column if is_column else _READERS.get(os.path.splitext(name)[1].lower())
    if reader is None:
        raise UsageError(
            f"{what}: '{name}' has no known suffix",
            hint=f"known: {', '.join(_READERS)}; a column of a file of rows is @{name}:NAME",
        )
    if not is_column:
        _check_size(name)
    try:
        return reader(name)
    except CgError as error:
        error.message = f"{what}: {error.message}"
        raise


def of_json_object(name: str) -> dict[str, Any]:
    """The arrays of a file that holds a JSON object, by name. Raises DataError."""
    _check_size(name)
    content = _json(name)
    if not isinstance(content, dict):
        raise DataError(f"'{name}' holds no JSON object", hint='as in: {"x": 2, "w": [1, 2]}')
    return {key: as_array(item, f"'{name}': '{key}'", _OF_JSON) for key, item in content.items()}


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
    """The text of a UTF-8 file of at most `limit` bytes, a byte-order mark left out. Raises DataError."""
    if limit is None:
        limit = _MAX_FILE_BYTES if os.path.isfile(path) else _MAX_ENDLESS_BYTES
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
        size = os.stat(path).st_size
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


def _column(name: str) -> Any:
    from cgcli.api.files import column_of_file

    path, _, column = name.rpartition(":")
    return column_of_file(path, column)


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
        raise DataError(f"'{path}' is not JSON: {error}") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; raises ValueError for a name that stands twice in it."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"'{next(name for name in names if names.count(name) > 1)}' stands in it twice")
    return members


def _json_array(path: str) -> Any:
    return as_array(_json(path), f"'{path}'", _OF_JSON)


_READERS: dict[str, Callable[[str], Any]] = {".npy": _npy, ".json": _json_array, ".csv": _csv}
