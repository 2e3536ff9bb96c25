"""Rows as the text of JSON objects: what was read stands as it stood, and the results are behind it."""

from __future__ import annotations

import re
from itertools import chain, groupby

import numpy as np

from cgcli.annotations import TYPE_CHECKING
from cgcli.tables.arrow import joined, masked, masked_together, offsets_of, plain, shape_of, side_by_side, together
from cgcli.tables.batch import Batch
from cgcli.tables.digits import json_texts, row_texts
from cgcli.tables.text import as_json, without_text

if TYPE_CHECKING:
    import pyarrow as pa

# What spells a number or a truth value in a text file, though not in JSON: 5. and .5, True and TRUE.
_RESPELLED = (
    (r"^(-?)(\.[0-9]+(?:[eE][-+]?[0-9]+)?)$", r"\10\2"),
    (r"^(-?(?:0|[1-9][0-9]*)\.)([eE][-+]?[0-9]+)?$", r"\10\2"),
    (r"^T(?:rue|RUE)$", "true"),
    (r"^F(?:alse|ALSE)$", "false"),
)
_SPELLED = "|".join(pattern for pattern, _ in _RESPELLED)
_JSON_WORD = r"^(-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?|true|false)$"  # a number, a truth value
_WORDS = re.compile(rb"(?:(?:-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?|true|false)\n)*+")
_JOINT = b',"'  # between what was read and the results, instead of the brace and the newline that end each row
_TO_ESCAPE = rb'[\x00-\x1f"\\\x7f]'


def object_texts(batch: Batch, end: str = "\n") -> pa.Array:
    """The object of each row as text, and `end` behind it. Raises DataError for a type that JSON cannot hold."""
    given = None if batch.holds_objects and not batch.types else batch.typed
    columns = together(given, batch.results)
    parts: list[pa.Array | str] = ["{"] if given is not None else [_opened(batch.lines)]
    given_count = 0 if given is None else given.num_columns
    names, kinds = columns.schema.names, columns.schema.types
    for is_plain, group in groupby(range(len(names)), lambda at: shape_of(kinds[at]) == ()):
        chosen = list(group)
        keys = [("," if at else "") + _key(names[at]) for at in chosen]
        if given is None and not chosen[0]:
            keys[0] = keys[0][1:]  # its quote is that of the joint
        if is_plain:
            texts = json_texts(*masked_together([masked(columns.column(at)) for at in chosen], np.stack))
        else:
            keys = [f"{key}:" for key in keys]
            texts = [
                _untyped(columns.column(at), batch.words(names[at]))
                if at < given_count and batch.is_cells(names[at])
                else _member(columns.column(at), names[at])
                for at in chosen
            ]
        parts += chain.from_iterable(zip(keys, texts, strict=True))
    found = side_by_side(*parts, "}" + end)
    return found if isinstance(parts[0], str) else _without_first_comma(found)


def _opened(objects: pa.Array) -> pa.Array:
    """The objects, each with the joint instead of its end `}\\n`: a first result must follow, without its quote."""
    import pyarrow as pa

    text = bytearray(joined(objects))
    ends = offsets_of(objects)
    marks = np.frombuffer(text, np.uint8)
    marks[ends[1:] - 2], marks[ends[1:] - 1] = _JOINT
    return pa.StringArray.from_buffers(len(objects), pa.py_buffer(ends), pa.py_buffer(text))


def _without_first_comma(lines: pa.Array) -> pa.Array:
    """The same objects, of which some may begin with a comma: those to which nothing was there before."""
    starts = offsets_of(lines)[:-1]
    if not np.isin(np.frombuffer(joined(lines), np.uint8)[starts + 1], np.frombuffer(b", \t\r", np.uint8)).any():
        return lines
    import pyarrow.compute as pc

    return pc.replace_substring_regex(lines, r"^\{\s*,", "{")


def _key(name: str) -> str:
    import orjson

    return orjson.dumps(name).decode()


def _member(column: pa.Array, name: str) -> pa.Array:
    """The text of each value of a column that does not hold numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = plain(column)
    shape = shape_of(column.type)
    if shape and 0 not in shape:
        texts = _arrays(column)
    elif pa.types.is_string(column.type):
        texts = _strings(column)
    else:
        texts = _others(column, name)
    return pc.fill_null(texts, "null")


def _arrays(column: pa.Array) -> pa.Array:
    """Nested lists of numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values, missing = masked(column)
    width = values.shape[-1]
    masks = None if missing is None else missing.reshape(-1, width)
    texts = row_texts(values.reshape(-1, width), masks, before="[", after="]", json=True)
    for size in reversed(values.shape[1:-1]):
        lists = pa.ListArray.from_arrays(np.arange(0, len(texts) + 1, size, dtype=np.int32), texts)
        texts = side_by_side("[", pc.binary_join(lists, ","), "]")
    return pc.if_else(column.is_valid(), texts, None) if column.null_count else texts


def _strings(column: pa.Array) -> pa.Array:
    return as_json(column) if re.search(_TO_ESCAPE, joined(column)) else side_by_side('"', column, '"')


def _untyped(column: pa.Array, words: pa.Array | None) -> pa.Array:
    """Cells of a text file: numbers in their own spelling, truth values, strings, null for an empty cell.

    words: which are no numbers, though they look so; None for none.
    """
    if words is None and not column.null_count and _WORDS.fullmatch(joined(side_by_side(column, "\n"))):
        return column
    import pyarrow.compute as pc

    is_plain = pc.match_substring_regex(column, _JSON_WORD)
    if not pc.all(is_plain).as_py() and pc.any(pc.match_substring_regex(column, _SPELLED)).as_py():
        respelled = column
        for pattern, text in _RESPELLED:
            respelled = pc.replace_substring_regex(respelled, pattern, text)
        column = respelled if words is None else pc.if_else(words, column, respelled)
        is_plain = pc.match_substring_regex(column, _JSON_WORD)
    if words is not None:
        is_plain = pc.and_not(is_plain, words)
    texts = column if pc.all(is_plain).as_py() else pc.if_else(is_plain, column, _strings(column))
    return pc.fill_null(pc.if_else(pc.equal(column, ""), None, texts), "null")


def _others(column: pa.Array, name: str) -> pa.Array:
    """Values of other types: integers, truth values, short floats, times as text, lists and objects."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    if kinds.is_integer(column.type) or kinds.is_boolean(column.type) or kinds.is_decimal(column.type):
        return pc.cast(column, pa.string())
    if kinds.is_floating(column.type):
        return pc.if_else(pc.is_finite(column), pc.cast(column, pa.string()), None)
    try:
        return as_json(column)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        raise without_text(column, name, "which JSON cannot hold") from None
