"""Tables of rows to numpy's files: one matrix (.npy), or an array for each column (.npz)."""

from __future__ import annotations

import contextlib
import math
import shutil
import tempfile
import zipfile
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from cgcli.errors import DataError
from cgcli.graph.shapes import shape_text
from cgcli.tables.table import Table, masked
from cgcli.tables.writing.alike import arranged, typed
from cgcli.tables.writing.base import FormatSink
from cgcli.tables.writing.outlet import Outlet, OutletFile

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_CHUNK = 1 << 20  # bytes copied at once; whole numbers of each type


class _ArraySink(FormatSink):
    """Numbers of all columns, which wait in temporary files until it is known how many rows there are."""

    def __init__(self, outlet: Outlet) -> None:
        super().__init__(outlet)
        self._names: list[str] = []
        self._waiting: list[_Waiting] = []
        self._empty: Table | None = None

    def write(self, table: Table) -> None:
        """Take rows. Raises DataError for a column that holds other things than numbers."""
        if len(table):
            self._take(table)
        else:
            self._empty = table

    def finish(self) -> None:
        """Write the arrays; without rows, arrays of none."""
        if not self._waiting and self._empty is not None:
            self._take(self._empty)
        self._copy(self._waiting, OutletFile(self._outlet))

    def close(self) -> None:
        """Write all."""
        super().close()
        self._drop()

    def abort(self) -> None:
        """Write nothing."""
        super().abort()
        self._drop()

    def _take(self, table: Table) -> None:
        columns = arranged(typed(table), self._names) if self._waiting else typed(table)
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
    def _arrays(self, columns: pa.RecordBatch) -> list[tuple[str, NDArray[Any]]]:
        """The arrays to write, and their names."""

    @abstractmethod
    def _copy(self, arrays: list[_Waiting], file: OutletFile) -> None:
        """Write the arrays."""


class NpySink(_ArraySink):
    """One matrix of float64, with a column for each number of a row."""

    def _arrays(self, columns: pa.RecordBatch) -> list[tuple[str, NDArray[Any]]]:
        rows = columns.num_rows
        arrays = [_floats(*pair) for pair in zip(columns.columns, columns.schema.names, strict=True)]
        matrices = [array.reshape(rows, math.prod(array.shape[1:])) for array in arrays]
        return [("", np.hstack([np.empty((rows, 0)), *matrices]))]

    def _copy(self, arrays: list[_Waiting], file: OutletFile) -> None:
        (arrays or [_Waiting("", np.empty((0, 0)))])[0].copy(file)


class NpzSink(_ArraySink):
    """An array for each column, under its name and of its type; of float64 where there are nulls."""

    def _arrays(self, columns: pa.RecordBatch) -> list[tuple[str, NDArray[Any]]]:
        names = columns.schema.names
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise DataError(f"several columns are called '{twice}', and an array needs a name of its own")
        pairs = zip(columns.columns, names, strict=True)
        return [(name, _floats(column, name) if _needs_floats(column) else _exact(column)) for column, name in pairs]

    def _copy(self, arrays: list[_Waiting], file: OutletFile) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            for waiting in arrays:
                with archive.open(f"{waiting.name}.npy", "w", force_zip64=True) as member:
                    waiting.copy(member)


class _Waiting:
    """The rows of an array, in a temporary file: of one type while all have it, else of float64."""

    def __init__(self, name: str, like: NDArray[Any]) -> None:
        self.name = name
        self._shape = like.shape[1:]
        self._type = like.dtype.newbyteorder("<")
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._rows = 0

    def fitted(self, values: NDArray[Any]) -> NDArray[Any]:
        """Rows as those before. Raises DataError when they are of another shape, or float64 changes a number."""
        if values.shape[1:] != self._shape:
            raise DataError(
                f"rows of shape {shape_text(values.shape[1:])} follow some of shape {shape_text(self._shape)}"
            )
        if values.dtype == self._type:
            return values
        self._widen()
        return _widened(values, self.name)

    def add(self, values: NDArray[Any]) -> None:
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


def _widened(values: NDArray[Any], name: str) -> NDArray[np.float64]:
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


def _exact(column: pa.Array) -> NDArray[Any]:
    """The values of a column that needs no float64, in its own type."""
    *lists, numbers = _levels(column)
    values: NDArray[Any] = numbers.to_numpy(zero_copy_only=False)
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
