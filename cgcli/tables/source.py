"""The way in for rows: files one after another, or standard input, of whatever format, as batches."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain

from cgcli.annotations import Generator, Iterator, Sequence
from cgcli.errors import DataError, UsageError
from cgcli.tables.batch import Batch
from cgcli.tables.content import Content
from cgcli.tables.dialect import AS_EVERYWHERE, Reading
from cgcli.tables.formats import MAGIC, Format, format_by_magic, format_named, format_of_text, split_name
from cgcli.tables.text import as_utf8

_LOOKED_AT = 1 << 16  # bytes of text whose first line tells the format


def batches(
    names: Sequence[str], format_name: str | None = None, reading: Reading = AS_EVERYWHERE
) -> Generator[Batch, None, None]:
    """The rows of files in their order. A batch without rows stands for a file without rows.

    names: of files, '-' for standard input. format_name: of all of them; None takes it from the
    suffix of each, or else from how its data begin. reading: what is said of text. Each file has
    the columns of the first in the same order, where rows are no JSON objects. Raises DataError
    for what cannot be read, UsageError for an unknown format, and for what is said of no text.
    """
    given = None if format_name is None else format_named(format_name)
    first: Batch | None = None
    for name in names:
        of_this_file: Batch | None = None
        for batch in _batches(name, given, reading):
            if first is not None and of_this_file is None:
                _check_columns(batch, first)
            first = first or batch
            of_this_file = batch
            yield batch


def _batches(name: str, given: Format | None, reading: Reading) -> Iterator[Batch]:
    content = Content(name, MAGIC)
    found = format_by_magic(content.begin)
    kind = given or (split_name(name)[0] if name != "-" else None) or found
    if found and kind is not found:
        raise DataError(f"{content.quoted} holds {found.name} data", hint=f"-i {found.name}")
    if kind is None or kind.is_text:
        content.pieces = as_utf8(content.pieces, content.source)
        if kind is None:
            content.pieces, kind = _told_apart(content.pieces)
    elif not found:
        raise DataError(
            f"{content.quoted} holds no {kind.name} data" if content.begin else f"{content.quoted} is empty"
        )
    if reading.option and not kind.is_delimited:
        raise UsageError(f"{reading.option} is for CSV and TSV, and {content.source} is {kind.title}")
    nothing: Batch | None = None
    some = False
    for rows in kind.codec.read(content, reading):
        batch = replace(_with_one_name_each(rows), format=kind.name)
        if len(batch):
            yield batch
            some = True
        nothing = batch
    if nothing is not None and not some:
        yield nothing


def _with_one_name_each(rows: Batch) -> Batch:
    """The rows, of whose equal names the second is called a_2, the third a_3, as Miller has it."""
    names = rows.columns.schema.names
    if len(set(names)) == len(names):
        return rows
    taken, count = set(names), Counter[str]()
    found = []
    for name in names:
        count[name] += 1
        new = name
        while count[name] > 1 and (new := f"{name}_{count[name]}") in taken:
            count[name] += 1
        taken.add(new)
        found.append(new)
    spelled = rows.spelled and [
        new if new != name else old for new, name, old in zip(found, names, rows.spelled, strict=True)
    ]
    return replace(rows, columns=rows.columns.rename_columns(found), spelled=spelled)


def _told_apart(content: Iterator[bytes]) -> tuple[Iterator[bytes], Format]:
    """The same text, and the format that it begins as."""
    begin = b""
    for piece in content:
        begin += piece
        text = begin.lstrip()
        if text.startswith((b"{", b"[")) or b"\n" in text or len(begin) > _LOOKED_AT:
            break
    return chain([begin] if begin else [], content), format_of_text(begin)


def _check_columns(batch: Batch, first: Batch) -> None:
    """Raises DataError where a file has other columns than the first one."""
    if (batch.objects is None) != (first.objects is None):
        raise DataError(f"{batch.source} holds {batch.format} rows, and {first.source} {first.format} rows")
    if batch.objects is not None:
        return
    here, there = batch.columns.schema, first.columns.schema
    if len(here) != len(there):
        raise DataError(f"{batch.source} has {len(here)} columns, and {first.source} has {len(there)}")
    for at, (one, other) in enumerate(zip(here, there, strict=True), start=1):
        if one.name != other.name:
            raise DataError(
                f"column {at} of {batch.source} is '{one.name}', and of {first.source} it is '{other.name}'"
            )
        if one.type != other.type:
            raise DataError(
                f"column '{one.name}' of {batch.source} has type {one.type}, and of {first.source} {other.type}"
            )
