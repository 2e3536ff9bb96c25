"""The way in for rows: files one after another, or standard input, of whatever format, as batches."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from cgcli.errors import DataError, UsageError, did_you_mean
from cgcli.tables.batch import Batch
from cgcli.tables.dialect import DIALECTS
from cgcli.tables.formats import FORMATS, MAGIC, Format, format_by_magic, format_of_text, split_name
from cgcli.tables.reading.arrays import read_npy, read_npz
from cgcli.tables.reading.columnar import read_arrow, read_parquet
from cgcli.tables.reading.delimited import read_delimited
from cgcli.tables.reading.json_rows import read_json
from cgcli.tables.reading.pieces import display_name, peeked, pieces
from cgcli.tables.reading.seekable import seekable
from cgcli.tables.reading.unicode import as_utf8

_LOOKED_AT = 1 << 16  # bytes of text whose first line tells the format
_READ_FILE = {"parquet": read_parquet, "npy": read_npy, "npz": read_npz}


def batches(
    names: Sequence[str], format_name: str | None = None, *, header: bool = True
) -> Generator[Batch, None, None]:
    """The rows of files in their order. A batch without rows stands for a file without rows.

    names: of files, '-' for standard input. format_name: of all of them; None takes it from the
    suffix of each, or else from how its data begin. header: whether the first row of CSV and TSV
    holds the names. Each file has the columns of the first in the same order, where rows are no
    JSON objects. Raises DataError for what cannot be read, UsageError for an unknown format.
    """
    if format_name is not None and format_name not in FORMATS:
        known = f"known: {', '.join(FORMATS)}"
        raise UsageError(f"unknown format '{format_name}'", hint=did_you_mean(format_name, FORMATS) or known)
    first: Batch | None = None
    for name in names:
        of_this_file: Batch | None = None
        for batch in _batches(name, format_name, header):
            if first is not None and of_this_file is None:
                _check_columns(batch, first)
            first = first or batch
            of_this_file = batch
            yield batch


def _batches(name: str, format_name: str | None, header: bool) -> Iterator[Batch]:
    source = "standard input" if name == "-" else name
    content, begin = peeked(pieces(name), MAGIC)
    found = format_by_magic(begin)
    kind = FORMATS[format_name] if format_name else (split_name(name)[0] if name != "-" else None) or found
    if found and kind is not found:
        raise DataError(f"{display_name(name)} holds {found.name} data", hint=f"-i {found.name}")
    if kind is None or kind.text:
        content = as_utf8(content, source)
        if kind is None:
            content, kind = _told_apart(content)
        found_batches = _from_text(content, source, kind, header)
    else:
        found_batches = _from_binary(name, content, begin, source, kind)
    nothing: Batch | None = None
    some = False
    for batch in found_batches:
        batch = replace(batch, format=kind.name)
        if len(batch):
            yield batch
            some = True
        nothing = batch
    if nothing is not None and not some:
        yield nothing


def _told_apart(content: Iterator[bytes]) -> tuple[Iterator[bytes], Format]:
    """The same text, and the format that it begins as."""
    begin = b""
    for piece in content:
        begin += piece
        text = begin.lstrip()
        if text.startswith((b"{", b"[")) or b"\n" in text or len(begin) > _LOOKED_AT:
            break
    return chain([begin] if begin else [], content), format_of_text(begin)


def _from_text(content: Iterator[bytes], source: str, kind: Format, header: bool) -> Iterator[Batch]:
    if kind.name in DIALECTS:
        return read_delimited(content, source, DIALECTS[kind.name], header=header)
    return read_json(content, source)


def _from_binary(name: str, content: Iterator[bytes], begin: bytes, source: str, kind: Format) -> Iterator[Batch]:
    if format_by_magic(begin) is not kind:
        raise DataError(
            f"{display_name(name)} is empty" if not begin else f"{display_name(name)} holds no {kind.name} data"
        )
    if kind.name == "arrow":
        yield from read_arrow(name, content, begin, source)
        return
    with seekable(name, content, begin) as path:
        yield from _READ_FILE[kind.name](path, source)


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
