"""Values for the names of a program: numbers, constant expressions, arrays, files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any

from cgcli.errors import CgError, DataError, Source, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Bindings = dict[str, NDArray[np.float64]]

_NUMBER = re.compile(r"\s*[-+]?(\d+(_\d+)*\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", re.ASCII)
_MAX_FILE_BYTES = 2**30


def read(pairs: Iterable[tuple[str, str]], vars_file: str | None) -> Bindings:
    """The value of each name: those of the file, then name=value operands, which win.

    Raises UsageError for a name that is bound twice or a value that is none, DataError for
    a file that cannot be used.
    """
    bindings: Bindings = _object(vars_file) if vars_file is not None else {}
    seen: set[str] = set()
    for name, text in pairs:
        if name in seen:
            raise UsageError(f"'{name}' is bound twice", hint="give one value for each name")
        seen.add(name)
        bindings[name] = value(text, f"the value of '{name}'")
    return bindings


def value(text: str, what: str) -> Any:
    """The array, or numpy scalar, that a text stands for.

    what: what messages call it. Raises UsageError or DataError.
    """
    import numpy as np

    if _NUMBER.fullmatch(text):
        return np.float64(text)
    if text.lstrip().startswith("@"):
        return _file(text.strip()[1:], what)
    return _constant(text, what)


def several(text: str, what: str) -> list[Any]:
    """The values of a text that may hold several, `(1, [1, 0])`. Raises as `value` does."""
    return _constants(text, what) if text.lstrip().startswith("(") else [value(text, what)]


def _constant(text: str, what: str) -> Any:
    """The value of a constant expression, `pi/2` or `[[1, 2], [3, 4]]`."""
    values = _constants(text, what)
    if len(values) > 1:
        raise UsageError(f"{what} is {len(values)} values", hint="an array is written in brackets: [1, 2]")
    return values[0]


def _constants(text: str, what: str) -> list[Any]:
    from cgcli.evaluate.evaluate import evaluate
    from cgcli.evaluate.limits import check_result
    from cgcli.graph.node import name_of, toposort, variables
    from cgcli.lowering.lower import lower
    from cgcli.syntax.parser import parse

    if not text.strip():
        raise UsageError(f"{what} is missing", hint="a value is as in: 3, pi/2, [1,2], @x.npy")
    try:
        graph = lower(parse(text))
    except CgError as error:
        error.message = f"{what}: {error.message}"
        if re.fullmatch(r"\s*[-+.\d]+(\s*,\s*[-+.\d]+)+\s*", text):
            error.hint = f"an array is written in brackets: [{text.strip()}]"
        raise
    free = variables(toposort(graph.outputs))
    if free:
        name = name_of(free[0])
        span = graph.origins.get(free[0])
        raise UsageError(
            f"{what} is not a number: '{name}' is not known", span, source=Source(text),
            hint="a value is a number, a constant expression, an array [1, 2], or @file.npy",
        )  # fmt: skip
    check_result(graph.outputs, what)
    return evaluate(graph.outputs, {})


def _file(name: str, what: str) -> Any:
    """An array from a file, by its suffix."""
    from pathlib import Path

    path = Path(name)
    readers = {".npy": _npy, ".json": _json_array, ".csv": _csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{what}: '{name}' has no known suffix", hint=f"known: {', '.join(readers)}")
    _check_size(path)
    try:
        return reader(path)
    except CgError as error:
        error.message = f"{what}: {error.message}"
        raise


def _check_size(path: Path) -> None:
    try:
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    if size > _MAX_FILE_BYTES:
        raise DataError(f"'{path}' is larger than {_MAX_FILE_BYTES >> 30} GiB")


def unreadable(path: Path | str, error: Exception) -> DataError:
    """The DataError for a file that could not be opened or read."""
    reason = getattr(error, "strerror", None) or str(error)
    return DataError(f"cannot read '{path}': {reason[:1].lower()}{reason[1:]}")


def text_of(path: Path | str, limit: int = _MAX_FILE_BYTES) -> str:
    """The text of a UTF-8 file of at most `limit` bytes, a byte-order mark left out. Raises DataError."""
    from pathlib import Path

    try:
        with Path(path).open("rb") as stream:
            return bounded_text(stream, f"'{path}'", limit)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None


def bounded_text(stream: IO[bytes], what: str, limit: int) -> str:
    """The UTF-8 text of a stream, which may never end: no more than `limit` bytes are read."""
    content = stream.read(limit + 1)
    if len(content) > limit:
        raise DataError(f"{what} is longer than {limit} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{what} is not UTF-8 text (byte {error.start})") from None


def _npy(path: Path) -> Any:
    import tokenize

    import numpy as np

    try:
        array = np.load(path, allow_pickle=False)
    except MemoryError:
        raise DataError(f"'{path}' holds more numbers than there is memory") from None
    except (OSError, ValueError, EOFError, SyntaxError, tokenize.TokenError, RecursionError) as error:
        reason = "it holds no array, or one of Python objects" if "pickle" in str(error) else error
        raise DataError(f"'{path}' is not an array file that cg reads: {reason}") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        raise DataError(f"'{path}' holds no array of real numbers")
    return _float64(array)


def _float64(array: Any) -> Any:
    import numpy as np

    return np.ascontiguousarray(array, dtype=np.float64) if np.ndim(array) else np.float64(array)


def _csv(path: Path) -> Any:
    """A table of numbers; one column is a vector."""
    import io
    import warnings

    import numpy as np

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
    cell = re.fullmatch(r"could not convert string '(.*)' to float64 at row (\d+), column (\d+)\.", error, re.DOTALL)
    if cell:
        return f"row {int(cell[2]) + 1}, column {cell[3]} holds '{cell[1]}'"
    return error.partition(";")[0]


def _json(path: Path | str) -> Any:
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


def _json_array(path: Path) -> Any:
    return _array(_json(path), f"'{path}'")


def _object(name: str) -> Bindings:
    """The bindings of a JSON object."""
    from pathlib import Path

    _check_size(Path(name))
    content = _json(name)
    if not isinstance(content, dict):
        raise DataError(f"'{name}' holds no JSON object", hint='as in: {"x": 2, "w": [1, 2]}')
    return {key: _array(item, f"'{name}': '{key}'") for key, item in content.items()}


def _array(item: Any, what: str) -> Any:
    """A number or nested lists of numbers as an array."""
    import numpy as np

    from cgcli.graph.node import check_size

    if type(item) is float:  # the most frequent by far, in files of many names
        return np.float64(item)
    try:
        array = np.asarray(item)
        check_size(array.shape, what)
    except (ValueError, OverflowError):
        raise DataError(f"{what} is a list whose rows differ in length") from None
    if array.size == 0 and isinstance(item, list):
        return np.zeros(array.shape)
    if array.dtype.kind != "f":
        raise DataError(f"{what} is not a number or a list of numbers", hint="as in: 2, [1, 2], [[1, 2], [3, 4]]")
    return _float64(array)
