"""Files of numpy arrays: one matrix (.npy), or an array for each column (.npz); pickled objects are never read."""

from __future__ import annotations

import contextlib
import math
import shutil
import tempfile
import tokenize
import zipfile
import zlib
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cgcli.errors import DataError
from cgcli.graph.shapes import shape_text
from cgcli.tables.arrow import lists_of, masked
from cgcli.tables.batch import Batch
from cgcli.tables.columnar import row_place, rows_of_size
from cgcli.tables.content import Content
from cgcli.tables.output import Codec, Output, OutputFile, Writer
from cgcli.tables.unify import arranged, typed

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK = 1 << 20  # bytes copied at once; whole numbers of each type
Array = NDArray[Any]

# ---- reading --------------------------------------------------------------------------


def _npy_rows(content: Content, _: bool) -> Iterator[Batch]:
    """Columns c1, c2, … of a matrix, c1 of a vector, its fields when it has fields.

    Raises DataError for damaged data, for objects and for a single number.
    """
    with content.as_file() as path:
        array = _loaded(lambda: np.load(path, mmap_mode="r", allow_pickle=False), content.source)
        if array.dtype.names:
            columns = [(name, array[name]) for name in array.dtype.names]
        elif array.ndim == 1:
            columns = [("c1", array)]
        else:
            columns = [(f"c{at + 1}", array[:, at]) for at in range(array.shape[1])]
        yield from _rows(columns, content.source)


def _npz_rows(content: Content, _: bool) -> Iterator[Batch]:
    """A column for each array; that of a matrix holds lists. All of them are in memory at once.

    Raises DataError as _npy_rows does, and for arrays that have not as many rows as each other.
    """
    source = content.source
    with content.as_file() as path:
        try:
            with np.load(path, allow_pickle=False) as archive:
                columns = [(name, _loaded(partial(archive.get, name), f"{source}, array '{name}'")) for name in archive]
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError, zlib.error) as error:
            raise DataError(f"{source} is a damaged archive: {error}") from None
    counts = {name: len(array) for name, array in columns}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"'{name}' has {count}" for name, count in counts.items())
        raise DataError(f"the arrays of {source} have not the same number of rows: {listed}")
    yield from _rows(columns, source)


def _loaded(load: Callable[[], Any], source: str) -> Array:
    """An array of rows."""
    try:
        array = load()
    except MemoryError:
        raise DataError(f"{source} holds more numbers than there is memory") from None
    except (ValueError, TypeError, OverflowError, SyntaxError, RecursionError, tokenize.TokenError) as error:
        if "object" in str(error).lower():
            hint = "save it with a type of numbers"
            raise DataError(f"{source} holds pickled objects, which cg does not read", hint=hint) from None
        reason = "it ends too early" if "greater than file size" in str(error) else error
        raise DataError(f"{source} holds no numpy array, or a damaged one: {reason}") from None
    if not isinstance(array, np.ndarray):
        raise DataError(f"{source} holds no numpy array")
    if not array.ndim:
        raise DataError(f"{source} holds a single number, and no rows")
    return array


def _rows(columns: Sequence[tuple[str, Array]], source: str) -> Iterator[Batch]:
    import pyarrow as pa

    if not columns:
        raise DataError(f"{source} holds no columns")
    names = [name for name, _ in columns]
    count = len(columns[0][1])
    step = rows_of_size(sum(array.nbytes for _, array in columns) / max(count, 1))
    for start in range(0, max(count, 1), step):
        parts = [_column(array[start : start + step], f"{source}, column '{name}'") for name, array in columns]
        yield Batch(pa.RecordBatch.from_arrays(parts, names=names), source, row_place(start + 1))


def _column(array: Array, place: str) -> pa.Array:
    """A vector as a column; an array of more axes as one of lists."""
    import pyarrow as pa

    try:
        native = array.astype(array.dtype.newbyteorder("="))
        return pa.array(native) if native.ndim == 1 else lists_of(native)
    except (pa.ArrowException, ValueError, TypeError):
        raise DataError(f"{place}: its type is {array.dtype}, which a table does not hold") from None


# ---- writing --------------------------------------------------------------------------


class _ArrayWriter(Writer):
    """Numbers of all columns, which wait in temporary files until it is known how many rows there are."""

    def __init__(self, output: Output, at_once: bool) -> None:
        super().__init__(output, at_once)
        self._names: list[str] = []
        self._waiting: list[_Waiting] = []
        self._empty: Batch | None = None

    def _put(self, batch: Batch) -> None:
        """Take rows. Raises DataError for a column that holds other things than numbers."""
        if len(batch):
            self._take(batch)
        else:
            self._empty = batch

    def _finish(self) -> None:
        """Write the arrays; without rows, arrays of none."""
        if not self._waiting and self._empty is not None:
            self._take(self._empty)
        self._copy(self._waiting, OutputFile(self._output))

    def close(self) -> None:
        """Write all."""
        super().close()
        self._drop()

    def abort(self) -> None:
        """Write nothing."""
        super().abort()
        self._drop()

    def _take(self, batch: Batch) -> None:
        columns = arranged(typed(batch), self._names) if self._waiting else typed(batch)
        arrays = self._arrays(columns)
        if not self._waiting:
            self._names = columns.schema.names
            self._waiting = [_Waiting(name, array) for name, array in arrays]
        fitted = [waiting.fitted(array) for waiting, (_, array) in zip(self._waiting, arrays, strict=True)]
        for waiting, array in zip(self._waiting, fitted, strict=True):  # none before all of them fit
            waiting.add(array)

    def _drop(self) -> None:
        for waiting in self._waiting:
            waiting.drop()

    @abstractmethod
    def _arrays(self, columns: pa.RecordBatch) -> list[tuple[str, Array]]:
        """The arrays to write, and their names."""

    @abstractmethod
    def _copy(self, arrays: list[_Waiting], file: OutputFile) -> None:
        """Write the arrays."""


class _NpyWriter(_ArrayWriter):
    """One matrix of float64, with a column for each number of a row."""

    def _arrays(self, columns: pa.RecordBatch) -> list[tuple[str, Array]]:
        rows = columns.num_rows
        arrays = [_floats(*pair) for pair in zip(columns.columns, columns.schema.names, strict=True)]
        matrices = [array.reshape(rows, math.prod(array.shape[1:])) for array in arrays]
        return [("", np.hstack([np.empty((rows, 0)), *matrices]))]

    def _copy(self, arrays: list[_Waiting], file: OutputFile) -> None:
        (arrays or [_Waiting("", np.empty((0, 0)))])[0].copy(file)


class _NpzWriter(_ArrayWriter):
    """An array for each column, under its name and of its type; of float64 where there are nulls."""

    def _arrays(self, columns: pa.RecordBatch) -> list[tuple[str, Array]]:
        names = columns.schema.names
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise DataError(f"several columns are called '{twice}', and an array needs a name of its own")
        pairs = zip(columns.columns, names, strict=True)
        return [(name, _floats(column, name) if _needs_floats(column) else _exact(column)) for column, name in pairs]

    def _copy(self, arrays: list[_Waiting], file: OutputFile) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            for waiting in arrays:
                with archive.open(f"{waiting.name}.npy", "w", force_zip64=True) as member:
                    waiting.copy(member)


class _Waiting:
    """The rows of an array, in a temporary file: of one type while all have it, else of float64."""

    def __init__(self, name: str, like: Array) -> None:
        self.name = name
        self._shape = like.shape[1:]
        self._type = like.dtype.newbyteorder("<")
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._rows = 0

    def fitted(self, values: Array) -> Array:
        """Rows as those before. Raises DataError when they are of another shape, or float64 changes a number."""
        if values.shape[1:] != self._shape:
            raise DataError(
                f"rows of shape {shape_text(values.shape[1:])} follow some of shape {shape_text(self._shape)}"
            )
        if values.dtype == self._type:
            return values
        self._widen()
        return _widened(values, self.name)

    def add(self, values: Array) -> None:
        """Add rows that fit."""
        self._file.write(np.ascontiguousarray(values, self._type).tobytes())
        self._rows += len(values)

    def copy(self, file: Any) -> None:
        """Write them as numpy does."""
        kind = np.lib.format.dtype_to_descr(self._type)
        header = {"descr": kind, "fortran_order": False, "shape": (self._rows, *self._shape)}
        np.lib.format.write_array_header_1_0(file, header)
        self._file.seek(0)
        shutil.copyfileobj(self._file, file, _CHUNK)

    def drop(self) -> None:
        """Delete the file."""
        self._file.close()

    def _widen(self) -> None:
        """Make float64 of all rows."""
        if self._type == np.float64:
            return
        narrow, wide = self._file, tempfile.TemporaryFile()  # noqa: SIM115
        narrow.seek(0)
        while part := narrow.read(_CHUNK):
            wide.write(_widened(np.frombuffer(part, self._type), self.name).tobytes())
        narrow.close()
        self._file, self._type = wide, np.dtype("<f8")


def _widened(values: Array, name: str) -> NDArray[np.float64]:
    """Numbers as float64."""
    import pyarrow as pa

    native = values.astype(values.dtype.newbyteorder("="))
    return _floats(pa.array(native.reshape(-1)), name).reshape(values.shape)


def _needs_floats(column: pa.Array) -> bool:
    """Whether a column, or a list in it, holds nulls, or is of a type that numpy does not have."""
    import pyarrow.types as kinds

    levels = _levels(column)
    kind = levels[-1].type
    known = kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind)
    return not known or any(level.null_count for level in levels)


def _exact(column: pa.Array) -> Array:
    """The values of a column that needs no float64, in its own type."""
    *lists, numbers = _levels(column)
    values: Array = numbers.to_numpy(zero_copy_only=False)
    return values.reshape(len(column), *(level.type.list_size for level in lists))


def _floats(column: pa.Array, name: str) -> NDArray[np.float64]:
    """The values of a column as float64, nan for null. Raises DataError where that loses any."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    numbers = _levels(column)[-1]
    kind = numbers.type
    if kinds.is_primitive(kind) or kinds.is_decimal(kind) or kinds.is_null(kind):
        with contextlib.suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):  # an integer too long; a time
            pc.cast(numbers, pa.float64())
            values, missing = masked(column)
            return values if missing is None else np.where(missing, np.nan, values)
    what = f"values of type {column.type} that float64 cannot hold"
    if kinds.is_string(kind):
        what = "text, and numpy's files hold numbers"
    hint = "leave the input's columns out with --only, or write another format"
    raise DataError(f"column '{name}' holds {what}", hint=hint)


def _levels(column: pa.Array) -> list[pa.Array]:
    """A column; what the lists of fixed size in it hold; what those in these hold, and so on."""
    import pyarrow.types as kinds

    levels = [column]
    while kinds.is_fixed_size_list(levels[-1].type):
        levels.append(levels[-1].flatten())
    return levels


NPY = Codec(_npy_rows, _NpyWriter)
NPZ = Codec(_npz_rows, _NpzWriter)
