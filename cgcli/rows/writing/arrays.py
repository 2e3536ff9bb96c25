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
from cgcli.rows.table import Table, numbers_of, shape_of
from cgcli.rows.writing.alike import arranged, typed
from cgcli.rows.writing.base import Sink
from cgcli.rows.writing.outlet import Outlet, OutletFile

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_CHUNK = 1 << 20  # bytes copied at once


class _ArraySink(Sink):
    """Numbers of all columns, which wait in temporary files until it is known how many rows there are."""

    def __init__(self, outlet: Outlet) -> None:
        super().__init__(outlet)
        self._names: list[str] | None = None
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
        if self._names is None and self._empty is not None:
            self._take(self._empty)
        self._copy(OutletFile(self._outlet))

    def close(self) -> None:
        """Write all."""
        super().close()
        self._drop()

    def abort(self) -> None:
        """Write nothing."""
        super().abort()
        self._drop()

    def _take(self, table: Table) -> None:
        if self._names is None:
            self._names = table.columns.schema.names
        columns = arranged(typed(table), self._names)
        arrays = self._arrays([_numbers(*pair) for pair in zip(columns.columns, self._names, strict=True)], len(table))
        if not self._waiting:
            self._waiting = [_Waiting(array.shape[1:]) for array in arrays]
        for waiting, array in zip(self._waiting, arrays, strict=True):
            waiting.add(array)

    def _drop(self) -> None:
        for waiting in self._waiting:
            waiting.drop()

    @abstractmethod
    def _arrays(self, columns: list[NDArray[np.float64]], rows: int) -> list[NDArray[np.float64]]:
        """The arrays to write."""

    @abstractmethod
    def _copy(self, file: OutletFile) -> None:
        """Write the arrays."""


class NpySink(_ArraySink):
    """One matrix, with a column for each number of a row."""

    def _arrays(self, columns: list[NDArray[np.float64]], rows: int) -> list[NDArray[np.float64]]:
        matrices = [column.reshape(rows, math.prod(column.shape[1:])) for column in columns]
        return [np.hstack([np.empty((rows, 0)), *matrices])]

    def _copy(self, file: OutletFile) -> None:
        (self._waiting or [_Waiting((0,))])[0].copy(file)


class NpzSink(_ArraySink):
    """An array for each column, under its name."""

    def _arrays(self, columns: list[NDArray[np.float64]], rows: int) -> list[NDArray[np.float64]]:
        return columns

    def _copy(self, file: OutletFile) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            for name, waiting in zip(self._names or [], self._waiting, strict=True):
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    waiting.copy(member)


class _Waiting:
    """Rows of numbers in a temporary file."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._rows = 0

    def add(self, values: NDArray[np.float64]) -> None:
        """Add rows. Raises DataError when they are of another shape."""
        if values.shape[1:] != self._shape:
            raise DataError(f"rows of shape {list(values.shape[1:])} follow some of shape {list(self._shape)}")
        self._file.write(np.ascontiguousarray(values, "<f8").tobytes())
        self._rows += len(values)

    def copy(self, file: Any) -> None:
        """Write them as numpy does."""
        header = {"descr": "<f8", "fortran_order": False, "shape": (self._rows, *self._shape)}
        np.lib.format.write_array_header_1_0(file, header)
        self._file.seek(0)
        shutil.copyfileobj(self._file, file, _CHUNK)

    def drop(self) -> None:
        """Delete the file."""
        self._file.close()


def _numbers(column: pa.Array, name: str) -> NDArray[np.float64]:
    """The values of a column, nan for null."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    kind = column.type
    if shape_of(kind) is None and (kinds.is_primitive(kind) or kinds.is_decimal(kind) or kinds.is_null(kind)):
        with contextlib.suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):  # a time; an integer too long
            column = pc.cast(column, pa.float64())
    if shape_of(column.type) is None:
        what = "text" if kinds.is_string(kind) else f"values of type {kind}"
        raise DataError(
            f"column '{name}' holds {what}, and the files of numpy hold only float64 numbers",
            hint="leave the input's columns out with --only, or write another format",
        )
    values, missing = numbers_of(column)
    return values if missing is None else np.where(missing, np.nan, values)
