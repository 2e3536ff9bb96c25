"""What the folders of a file say of all its rows, `year=2024`, as columns behind its own."""

from __future__ import annotations

from dataclasses import replace

from cgcli.annotations import TYPE_CHECKING, Any, Sequence
from cgcli.tables.arrow import together
from cgcli.tables.batch import Batch
from cgcli.tables.cell_texts import line_of

if TYPE_CHECKING:
    import pyarrow as pa

    from cgcli.tables.dialect import Dialect

_END_OF_LINE = r"\r?\n$"
_END_OF_OBJECT, _FIRST_COMMA = r"\s*\}\s*$", r"^(\s*\{\s*),"


def with_keys(batch: Batch, keys: Sequence[tuple[str, Any]]) -> Batch:
    """The rows with these columns, but those that they have already, and with their cells in the text of each row."""
    import pyarrow as pa

    if not keys:
        return batch
    if batch.holds_objects:  # which were asked for members that they may not have
        known = batch.columns
        names = [name for name in known.schema.names
                 if name not in dict(keys) or known[name].null_count < len(known)]  # fmt: skip
        batch = replace(batch, given=known.select(names), unread=None)
    new = [(name, value) for name, value in keys if name not in batch.names]
    if not new:
        return batch
    columns = [pa.repeat(_scalar(value, batch.dialect), len(batch)) for _, value in new]
    given = together(batch.columns, pa.RecordBatch.from_arrays(columns, names=[name for name, _ in new]))
    if batch.dialect is None:
        return replace(batch, given=given, lines=None if batch.lines is None else _in_objects(batch.lines, dict(new)))
    names, cells = [name for name, _ in new], [_cell(value, batch.dialect) for _, value in new]
    first, line = (batch.dialect.separator + line_of(some, batch.dialect) for some in (names, cells))
    return replace(
        batch, given=given, unread=None, header=batch.header and batch.header.rstrip("\r\n") + first,
        lines=None if batch.lines is None else _replaced(batch.lines, _END_OF_LINE, f"{line}\n"),
    )  # fmt: skip


def _scalar(value: Any, dialect: Dialect | None) -> pa.Scalar:
    import pyarrow as pa

    if dialect is not None:
        return pa.scalar(_cell(value, dialect))
    return pa.scalar(value, {int: pa.int64(), float: pa.float64()}.get(type(value), pa.string()))


def _cell(value: Any, dialect: Dialect) -> str:
    text = "" if value is None else str(value)
    return text.replace(".", dialect.decimal) if isinstance(value, float) and dialect.decimal else text


def _in_objects(lines: pa.Array, members: dict[str, Any]) -> pa.Array:
    import orjson

    text = orjson.dumps(members).decode()
    return _replaced(_replaced(lines, _END_OF_OBJECT, f",{text[1:]}\n"), _FIRST_COMMA, r"\1", verbatim=False)


def _replaced(lines: pa.Array, pattern: str, text: str, *, verbatim: bool = True) -> pa.Array:
    import pyarrow.compute as pc

    text = text.replace("\\", r"\\") if verbatim else text
    return pc.replace_substring_regex(lines, pattern=pattern, replacement=text)
