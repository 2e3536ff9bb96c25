"""Files of numpy arrays, .npy and .npz, to batches of rows; pickled objects are never read."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Sequence
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cgcli.errors import DataError
from cgcli.tables.batch import Batch
from cgcli.tables.reading.columnar import row_place, rows_of_size
from cgcli.tables.reading.seekable import copied

if TYPE_CHECKING:
    import pyarrow as pa

Array = NDArray[Any]
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    (3, 0): np.lib.format.read_array_header_2_0,  # the same, and its text is UTF-8
}


def read_npy(path: str, source: str) -> Iterator[Batch]:
    """The rows of one array: columns c1, c2, … of a matrix, c1 of a vector, its fields when it has fields.

    Raises DataError for damaged data, for objects and for a single number.
    """
    array = _mapped(path, source)
    if array.dtype.names:
        columns = [(name, array[name]) for name in array.dtype.names]
    elif array.ndim == 1:
        columns = [("c1", array)]
    else:
        columns = [(f"c{at + 1}", array[:, at]) for at in range(array.shape[1])]
    return _rows(columns, source)


def read_npz(path: str, source: str) -> Iterator[Batch]:
    """The rows of several arrays, a column for each; that of a matrix holds lists.

    Raises DataError as read_npy does, and for arrays that have not as many rows as each other.
    """
    with TemporaryDirectory(prefix="cg-") as folder:
        columns = [
            (name.removesuffix(".npy"), _mapped(part, f"{source}, array '{name.removesuffix('.npy')}'"))
            for name, part in _unpacked(path, folder, source)
        ]
        counts = {name: len(array) for name, array in columns}
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"'{name}' has {count}" for name, count in counts.items())
            raise DataError(f"the arrays of {source} have not the same number of rows: {listed}")
        yield from _rows(columns, source)


def _unpacked(path: str, folder: str, source: str) -> list[tuple[str, str]]:
    """The names of the arrays, and where they lie now."""
    found = []
    try:
        with zipfile.ZipFile(path) as archive:
            for at, member in enumerate(archive.infolist()):
                target = os.path.join(folder, str(at))
                with archive.open(member) as file:
                    copied(iter(lambda: file.read(1 << 20), b""), target, source)
                found.append((member.filename, target))
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise DataError(f"{source} is a damaged archive: {error}") from None
    return found


def _mapped(path: str, source: str) -> Array:
    """The array in a file, of which only what is used comes into memory."""
    with open(path, "rb") as file:
        try:
            shape, by_columns, dtype = _header(file)
        except (ValueError, KeyError) as error:
            raise DataError(f"{source} holds no numpy array, or a damaged one: {error}") from None
        offset = file.tell()
    if dtype.hasobject:
        raise DataError(
            f"{source} holds pickled objects, which cg does not read", hint="save it with a type of numbers"
        )
    if not shape:
        raise DataError(f"{source} holds a single number, and no rows")
    size = dtype.itemsize * int(np.prod(shape, dtype=object))
    there = os.path.getsize(path) - offset
    if size > there:
        raise DataError(f"{source} ends too early: {there} bytes of data instead of {size}")
    if not size:
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", offset, shape, "F" if by_columns else "C")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"version {version[0]}.{version[1]} of the format is unknown")
    return _HEADERS[version](file)


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

    flat = np.ascontiguousarray(array).reshape(-1)
    try:
        column = pa.array(flat.astype(flat.dtype.newbyteorder("=")))
    except (pa.ArrowException, ValueError, TypeError):
        raise DataError(f"{place}: its type is {array.dtype}, which a table does not hold") from None
    if 0 in array.shape[1:]:  # whose elements do not tell the number of rows
        kind = column.type
        for length in reversed(array.shape[1:]):
            kind = pa.list_(kind, length)
        return pa.array(array.tolist(), kind)
    for length in reversed(array.shape[1:]):
        column = pa.FixedSizeListArray.from_arrays(column, length)
    return column
