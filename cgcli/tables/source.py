"""The way in for rows: files one after another, or standard input, of whatever format, as batches."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from itertools import chain

from cgcli.annotations import Any, Generator, Iterator, Sequence
from cgcli.errors import CgError, DataError, UsageError
from cgcli.tables.batch import Batch
from cgcli.tables.content import Content
from cgcli.tables.dialect import AS_EVERYWHERE, Reading
from cgcli.tables.formats import MAGIC, Format, format_by_magic, format_named, format_of_text, split_name
from cgcli.tables.keys import with_keys
from cgcli.tables.listing import Source
from cgcli.tables.text import as_utf8

_LOOKED_AT = 1 << 16  # bytes of text whose first line tells the format


def batches(
    names: Sequence[str | Source], format_name: str | None = None, reading: Reading = AS_EVERYWHERE,
    others: Sequence[str] = (),
) -> Generator[Batch, None, None]:  # fmt: skip
    """The rows of files in their order. A batch without rows stands for a file without rows.

    names: of files, '-' for standard input. format_name: of all of them; None takes it from the
    suffix of each, or else from how its data begin. reading: what is said of text. others: columns that files have
    which others read. Where files have other columns than each other, each batch says what the others have. Raises
    DataError for what cannot be read, UsageError for an unknown format, and for what is said of no text.
    """
    given = None if format_name is None else format_named(format_name)
    sources = [each if isinstance(each, Source) else Source(each) for each in names]
    rows: dict[str, Iterator[Batch]] = {}
    others = _of_others(sources, given, reading, rows) if len(sources) > 1 else others
    for source in sources:
        for batch in rows.pop(source.name, None) or _batches(source, given, reading):
            found = replace(batch, others=others) if others else batch
            yield found.checked(reading.types) if reading.types else found


def _of_others(
    sources: Sequence[Source], given: Format | None, reading: Reading, begun: dict[str, Iterator[Batch]]
) -> list[str]:
    """The names of all columns of files, where these are not the same, of the same types, in all.

    What counts of objects are the members of the first ones. begun: takes the rows of standard input, which are read
    once. A file that cannot be read says so in its turn.
    """
    found: list[Batch] = []
    for source in sources:
        rows = _batches(source, given, reading._replace(wanted=None))
        with contextlib.suppress(CgError):
            found.append(next(rows))
            if source.name == "-":
                begun[source.name] = chain(found[-1:], rows)
    kinds = [kinds_of(batch) or {*batch.names, *batch.paths} for batch in found]
    if all(kind == kinds[0] for kind in kinds):
        return []
    return list(dict.fromkeys(name for batch in found for name in batch.names))


def kinds_of(batch: Batch) -> dict[str, Any] | None:
    """The types of the columns by name; None where rows are objects, of which each has its own."""
    return None if batch.holds_objects else dict(zip(batch.names, batch.given.schema.types, strict=True))


def _batches(source: Source, given: Format | None, reading: Reading) -> Iterator[Batch]:
    name = source.name
    content = source.content or Content(name, MAGIC)
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
    if reading.like not in ("", kind.module):
        reading = reading._replace(wanted=None)
    nothing: Batch | None = None
    some = False
    for rows in kind.codec.read(content, reading):
        batch = with_keys(replace(rows, format=kind.name), source.keys)
        if len(batch) or source.begins:
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
