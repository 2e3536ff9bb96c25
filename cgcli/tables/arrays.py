"""Files of numpy arrays: one matrix (.npy), or an array for each column (.npz); pickled objects are never read."""

from __future__ import annotations

import contextlib
import math
import tokenize
import zipfile
import zlib
from abc import abstractmethod
from functools import partial
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Sequence
from cgcli.errors import DataError
from cgcli.tables.arrow import lists_of, masked, shape_of, vector_of
from cgcli.tables.batch import Batch
from cgcli.tables.bounds import check_columns, check_unpacked
from cgcli.tables.columnar import row_place, rows_of_size
from cgcli.tables.content import Content
from cgcli.tables.dialect import Reading
from cgcli.tables.held import Held, TableWriter
from cgcli.tables.output import Codec, OutputFile

if TYPE_CHECKING:
    import pyarrow as pa

_SIZES = ("file_size", "compress_size")  # of a member of an archive
_HEADER = 1 << 18  # bytes, for the names of thousands of fields
_SHOWN = 200  # characters of what numpy says, or of a name
_LONGEST_NAME = 2**16 - 1  # bytes, in an archive
_ANOTHER = "leave the input's columns out with --only, or write another format"
Array = NDArray[Any]

# ---- reading --------------------------------------------------------------------------


def _npy_rows(content: Content, _: Reading) -> Iterator[Batch]:
    """Columns c1, c2, … of a matrix, c1 of a vector, its fields when it has fields.

    Raises DataError for damaged data, for objects and for a single number.
    """
    with content.as_file() as path:
        array = _loaded(
            lambda: np.load(path, mmap_mode="r", allow_pickle=False, max_header_size=_HEADER), content.source
        )
        if array.dtype.names:
            columns = [(name, array[name]) for name in array.dtype.names]
        elif array.ndim == 1:
            columns = [("c1", array)]
        else:
            check_columns(array.shape[1], content.source)
            columns = [(f"c{at + 1}", array[:, at]) for at in range(array.shape[1])]
        yield from _rows(columns, content.source)


def _npz_rows(content: Content, _: Reading) -> Iterator[Batch]:
    """A column for each array; that of a matrix holds lists. All of them are in memory at once.

    Raises DataError as _npy_rows does, and for arrays that have not as many rows as each other.
    """
    source = content.source
    with content.as_file() as path:
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
                strange = next((member.filename for member in members if not member.filename.endswith(".npy")), None)
                if strange is not None:
                    raise DataError(f"{source} is a zip archive, in which '{strange}' is no array",
                                    hint="unpack it: unzip -p FILE.zip | cg eval EXPR -")  # fmt: skip
                unpacked, packed = (sum(getattr(member, size) for member in members) for size in _SIZES)
                check_unpacked(unpacked, packed, source)
                columns = [_member(archive, member.filename, source) for member in members]
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError, zlib.error) as error:
            raise DataError(f"{source} is a damaged archive: {error}") from None
    counts = {name: len(array) for name, array in columns}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"'{name}' has {count}" for name, count in counts.items())
        raise DataError(f"the arrays of {source} have not the same number of rows: {listed}")
    yield from _rows(columns, source)


def _member(archive: zipfile.ZipFile, file: str, source: str) -> tuple[str, Array]:
    """The name and the array of a member of an archive."""
    name = file.removesuffix(".npy")
    with archive.open(file) as stream:
        read = partial(np.lib.format.read_array, stream, allow_pickle=False, max_header_size=_HEADER)
        return name, _loaded(read, f"{source}, array '{name}'")


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
        reason = (
            "it ends too early" if "greater than file size" in str(error) else str(error).partition("\n")[0][:_SHOWN]
        )
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
        native = np.char.decode(native) if native.dtype.kind == "S" else native
        return vector_of(native) if native.ndim == 1 else lists_of(native)
    except (pa.ArrowException, ValueError, TypeError):
        raise DataError(f"{place}: its type is {array.dtype}, which a table does not hold") from None


# ---- writing --------------------------------------------------------------------------


class _ArrayWriter(TableWriter):
    """Numbers of all columns, which wait until it is known how many rows there are."""

    def _may_change(self, _: Batch) -> bool:
        return True

    def _put_now(self, batch: Batch) -> None:
        raise AssertionError("all rows wait")

    def _finish(self) -> None:
        self._copy(self._held or Held(), OutputFile(self._output))

    @abstractmethod
    def _copy(self, rows: Held, file: OutputFile) -> None:
        """Write the arrays. Raises DataError for a column that holds other things than numbers."""


class _NpyWriter(_ArrayWriter):
    """One matrix of float64, with a column for each number of a row."""

    def _copy(self, rows: Held, file: OutputFile) -> None:
        schema = rows.schema
        for at, field in enumerate(schema):
            if shape_of(field.type) is None:  # which column is refused is not to depend on where rows are cut
                for column in rows.column(at):
                    _floats(column, field.name)
        width = sum(_width(field.type) for field in schema)
        _write_header(file, np.dtype(np.float64), (rows.rows, width))
        for columns in rows.batches():
            arrays = [_floats(*pair) for pair in zip(columns.columns, schema.names, strict=True)]
            matrices = [array.reshape(len(columns), math.prod(array.shape[1:])) for array in arrays]
            file.write(np.hstack([np.empty((len(columns), 0)), *matrices]).tobytes())


class _NpzWriter(_ArrayWriter):
    """An array for each column, under its name and of its type; of float64 where there are nulls.

    No text is '', and no time is NaT.
    """

    def _copy(self, rows: Held, file: OutputFile) -> None:
        import pyarrow.types as kinds

        with zipfile.ZipFile(file, "w") as archive:
            for at, field in enumerate(rows.schema):
                convert: Callable[[pa.Array], Array] = partial(_floats, name=field.name)
                if kinds.is_string(field.type):
                    convert = partial(_characters, longest=max(map(_longest, rows.column(at))), name=field.name)
                elif not any(map(_needs_floats, rows.column(at))):
                    convert = _exact
                arrays = map(convert, rows.column(at))
                first = next(arrays)
                with archive.open(_file_of(field.name), "w", force_zip64=True) as member:
                    _write_header(member, first.dtype, (rows.rows, *first.shape[1:]))
                    for array in chain([first], arrays):
                        member.write(array.tobytes())


def _write_header(file: Any, kind: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """The begin of an array as numpy writes it."""
    header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _width(kind: pa.DataType) -> int:
    """How many numbers a column has in each row."""
    import pyarrow.types as kinds

    width = 1
    while kinds.is_fixed_size_list(kind):
        width *= kind.list_size
        kind = kind.value_type
    return width


def _needs_floats(column: pa.Array) -> bool:
    """Whether a column, or a list in it, holds nulls, or is of a type that numpy does not have."""
    import pyarrow.types as kinds

    levels = _levels(column)
    kind = levels[-1].type
    if kinds.is_timestamp(kind) or kinds.is_date(kind) or kinds.is_duration(kind):
        return len(levels) > 1
    known = kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind)
    return not known or any(level.null_count for level in levels)


def _longest(texts: pa.Array) -> int:
    """The characters of the longest text; numpy's arrays have one at least."""
    import pyarrow.compute as pc

    return max(pc.max(pc.utf8_length(texts)).as_py() or 0, 1)


def _characters(texts: pa.Array, longest: int, name: str) -> Array:
    """Text as numpy has it, of one length for all. Raises DataError where it ends with NULs, which fill it up."""
    found = [text or "" for text in texts.to_pylist()]
    if any(text.endswith("\0") for text in found):
        raise DataError(f"column '{name}' holds text that ends with a NUL, and numpy's arrays leave it out",
                        hint=_ANOTHER)  # fmt: skip
    return np.array(found, f"<U{longest}")


def _file_of(name: str) -> str:
    """The file of a column in an archive. Raises DataError for a name that archives cannot hold."""
    file = f"{name}.npy"
    if "\0" in name or len(file.encode()) > _LONGEST_NAME:
        why = "a NUL in it" if "\0" in name else f"more than {_LONGEST_NAME} bytes"
        raise DataError(
            f"the name of column '{name[:_SHOWN]}' has {why}, and archives have no such names", hint=_ANOTHER
        )
    return file


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
    raise DataError(f"column '{name}' holds {what}", hint=_ANOTHER)


def _levels(column: pa.Array) -> list[pa.Array]:
    """A column; what the lists of fixed size in it hold; what those in these hold, and so on."""
    import pyarrow.types as kinds

    levels = [column]
    while kinds.is_fixed_size_list(levels[-1].type):
        levels.append(levels[-1].flatten())
    return levels


NPY = Codec(_npy_rows, _NpyWriter)
NPZ = Codec(_npz_rows, _NpzWriter)
