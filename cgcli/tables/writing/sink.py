"""Where rows go: standard output or a file, in every format."""

from __future__ import annotations

import sys
from collections.abc import Callable

from cgcli.errors import UsageError
from cgcli.tables.dialect import CSV, TSV
from cgcli.tables.formats import Format, split_name
from cgcli.tables.writing.arrays import NpySink, NpzSink
from cgcli.tables.writing.base import Sink
from cgcli.tables.writing.columnar import ArrowFileSink, ArrowStreamSink, ParquetSink
from cgcli.tables.writing.outlet import Outlet, StandardLines, StandardOutput, open_outlet
from cgcli.tables.writing.readable import ReadableSink
from cgcli.tables.writing.text import DelimitedSink, JsonArraySink, JsonLinesSink

_SINKS: dict[str, Callable[[Outlet], Sink]] = {
    "csv": lambda outlet: DelimitedSink(outlet, CSV),
    "tsv": lambda outlet: DelimitedSink(outlet, TSV),
    "jsonl": JsonLinesSink,
    "json": JsonArraySink,
    "parquet": ParquetSink,
    "arrow": ArrowFileSink,
    "npy": NpySink,
    "npz": NpzSink,
}
_OF_LINES = {"csv", "tsv", "jsonl"}  # which can be read wherever a line ends; the others need an end


def open_sink(target: str | None, kind: Format) -> Sink:
    """A sink for a file, or for standard output when `target` is None.

    A file's suffix .gz or .zst compresses it; it may be the one that is being read, as it is
    replaced at the end. Raises UsageError for a binary format on a terminal, DataError when the
    file cannot be made.
    """
    if target is not None:
        return _SINKS[kind.name](open_outlet(target, split_name(target)[1]))
    if not kind.text and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError(f"{kind.name} is not for the terminal", hint=f"write a file: -o rows{kind.suffixes[0]}")
    if kind.name in _OF_LINES:
        return _SINKS[kind.name](StandardLines())
    sink = ArrowStreamSink if kind.name == "arrow" else _SINKS[kind.name]
    return ReadableSink(sink(StandardOutput()))
