"""Rows to JSON objects, one a line: what was read stands as it was, the results are its last members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cgcli.errors import DataError
from cgcli.rows.table import Table, numbers_of, shape_of
from cgcli.rows.writing.digits import joined, row_texts

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$"  # as JSON has it
_TO_ESCAPE = rb'[\x00-\x1f"\\\x7f]'


def object_lines(table: Table, end: str = "\n") -> pa.Array:
    """The object of each row as text, and `end` behind it. Raises DataError for a type that JSON cannot hold."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = table.columns
    first = columns.num_columns - table.results if table.objects is not None else 0
    parts: list[pa.Array] = []
    if table.objects is not None:
        parts.append(_opened(table.objects))
    for at in range(first, columns.num_columns):
        name = columns.schema.names[at]
        before = f"{',' if parts else '{'}{_key(name)}:"
        after = "}" + end if at == columns.num_columns - 1 else ""
        untyped = table.untyped and at < columns.num_columns - table.results
        parts.append(_member(columns.column(at), name, before, after, untyped=untyped))
    if first == columns.num_columns:
        parts.append(pa.array([("}" if parts else "{}") + end] * len(table), pa.string()))
    nothing = pa.scalar("", pa.string())  # without the type, pyarrow looks for pandas each time
    found = pc.binary_join_element_wise(*parts, nothing)
    if table.objects is not None:
        empty = pc.invert(pc.match_substring(table.objects, '"'))
        if pc.any(empty).as_py():
            found = pc.if_else(empty, pc.replace_substring_regex(found, r"^\{\s*,", "{"), found)
    return found


def _opened(objects: pa.Array) -> pa.Array:
    """The objects without their closing braces."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.binary_slice(objects.view(pa.binary()), 0, -1).view(pa.string())


def _key(name: str) -> str:
    import orjson

    return orjson.dumps(name).decode()


def _member(column: pa.Array, name: str, before: str, after: str, *, untyped: bool) -> pa.Array:
    """The text of each value, between two others; null for none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    shape = shape_of(column.type)
    if shape == ():
        values, missing = numbers_of(column)
        masks = None if missing is None else missing[:, np.newaxis]
        return row_texts(values[:, np.newaxis], masks, before=before, after=after, json=True)
    if shape is not None and 0 not in shape:
        texts = _arrays(column)
    elif pa.types.is_string(column.type):
        texts = _untyped(column) if untyped else _strings(column)
    else:
        texts = _others(column, name)
    return pc.binary_join_element_wise(before, pc.fill_null(texts, "null"), after, "")


def _arrays(column: pa.Array) -> pa.Array:
    """Nested lists of numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values, missing = numbers_of(column)
    width = values.shape[-1]
    masks = None if missing is None else missing.reshape(-1, width)
    texts = row_texts(values.reshape(-1, width), masks, before="[", after="]", json=True)
    for size in reversed(values.shape[1:-1]):
        lists = pa.ListArray.from_arrays(np.arange(0, len(texts) + 1, size, dtype=np.int32), texts)
        texts = pc.binary_join_element_wise("[", pc.binary_join(lists, ","), "]", "")
    return pc.if_else(column.is_valid(), texts, None) if column.null_count else texts


def _strings(column: pa.Array) -> pa.Array:
    import re

    import orjson
    import pyarrow as pa
    import pyarrow.compute as pc

    if re.search(_TO_ESCAPE, joined(column)) is None:
        return pc.binary_join_element_wise('"', column, '"', "")
    return pa.array(
        [None if item is None else orjson.dumps(item).decode() for item in column.to_pylist()],
        pa.string(),
    )


def _untyped(column: pa.Array) -> pa.Array:
    """Cells of a text file: numbers in their own spelling, strings, null for an empty cell."""
    import pyarrow.compute as pc

    is_number = pc.match_substring_regex(column, _NUMBER)
    texts = column if pc.all(is_number).as_py() else pc.if_else(is_number, column, _strings(column))
    return pc.if_else(pc.equal(column, ""), None, texts)


def _others(column: pa.Array, name: str) -> pa.Array:
    """Values of other types: integers, truth values, short floats, times as text, lists and objects."""
    import orjson
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    if kinds.is_integer(column.type) or kinds.is_boolean(column.type) or kinds.is_decimal(column.type):
        return pc.cast(column, pa.string())
    if kinds.is_floating(column.type):
        return pc.if_else(pc.is_finite(column), pc.cast(column, pa.string()), None)
    if kinds.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        texts = [orjson.dumps(item).decode() for item in column.to_pylist()]
    except (TypeError, ValueError, UnicodeError):
        raise DataError(
            f"column '{name}' is of type {column.type}, which JSON cannot hold",
            hint="write Parquet or Arrow, or leave the input's columns out with --only",
        ) from None
    return pa.array(texts, pa.string())
