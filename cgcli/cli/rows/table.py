"""`cg eval` and `cg grad` over rows: each row of a table, or each point of a sweep, gets its results beside it."""

from __future__ import annotations

import contextlib
import math
import os
import stat
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from cgcli.cli.operands import Operands
from cgcli.cli.point import Point, Program, mode_of_standard_input, no_data, read_program
from cgcli.cli.report import Report
from cgcli.cli.rows import sweeps
from cgcli.cli.rows.ahead import ahead
from cgcli.cli.rows.bound import Bound, check_names, first_shapes
from cgcli.cli.rows.flow import Flow, Policy, computed
from cgcli.cli.rows.progress import Progress
from cgcli.errors import DataError, UsageError, did_you_mean
from cgcli.graph.node import Node
from cgcli.lowering.inputs import free_names
from cgcli.ops.table import CONSTANTS
from cgcli.tables.formats import FORMATS, Format, format_of, split_name
from cgcli.tables.grid import grid
from cgcli.tables.reading.source import batches
from cgcli.tables.ready import keep_memory, load
from cgcli.tables.writing.sink import open_sink

if TYPE_CHECKING:
    from cgcli.cli.bindings import Bindings
    from cgcli.tables.batch import Batch

_MOST_THREADS = 8


class Options(NamedTuple):
    """What the command line says of rows, and of results and warnings."""

    input_format: str | None
    no_header: bool
    output: str | None
    output_format: str | None
    only: bool
    called: str | None
    on_error: str
    threads: int | None
    as_json: bool
    precision: int | None
    strict: bool
    quiet: bool


# What is computed for each row, under the names of its columns; the text is what an only value is called.
Results = Callable[[Point, Report, str], Sequence[tuple[str, Node]]]


def run(
    operands: Operands, program_file: str | None, vars_file: str | None, results: Results, options: Options
) -> None:
    """Compute the results for all rows, and write them. Raises CgError, at the first bad row where none may be."""
    _check_operands(operands, program_file, options)
    options = options._replace(output=None if options.output == "-" else options.output)
    program, bindings = read_program(operands, program_file, vars_file)
    axes = sweeps.axes(operands.sweeps)
    both = next((axis.name for axis in axes if axis.name in bindings), None)
    if both:
        raise UsageError(f"'{both}' is bound twice", hint="give a value or a sweep")
    kind = _output_format(options)
    total = math.prod(axis.size for axis in axes) if axes else None
    progress = Progress(quiet=options.quiet, rows=total, files=operands.files)
    policy = Policy(options.on_error, options.strict, options.quiet, options.only, options.precision)
    source = grid(axes) if axes else batches(operands.files, options.input_format, header=not options.no_header)
    keep_memory()
    load(waiting="-" in operands.files and not stat.S_ISREG(mode_of_standard_input()))
    with _closed(source):
        held, bound = _begun(source, program, bindings, results, options)
        rows = computed(chain(held, source), bound)
        with open_sink(options.output, kind or FORMATS[held[0].format if held else "jsonl"]) as sink:
            flow = Flow(sink, bound, policy, progress)
            with contextlib.closing(ahead(rows) if bound.threads > 1 else rows) as found:
                flow.take(found)
    flow.summarise()


@contextlib.contextmanager
def _closed(source: Generator[Batch, None, None]) -> Iterator[None]:
    """In the end the source leaves no temporary file behind, unless a thread still waits for input there."""
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # it is running
            source.close()


def _begun(
    source: Iterator[Batch], program: Program, bindings: Bindings, results: Results, options: Options
) -> tuple[list[Batch], Bound]:
    """The first batches, which say what the columns are, and the program bound to these."""
    names = [name for name in free_names(program.syntax) if name not in bindings]
    held, shapes = first_shapes(source, names, patient=options.on_error != "fail", constants=CONSTANTS)
    available = list(dict.fromkeys(name for batch in held for name in batch.columns.schema.names))
    if not any(map(len, held)) and not available:  # nothing says which columns there would have been
        shapes = {name: () for name in names if name not in CONSTANTS}
    if not available and (first := next(((batch, row) for batch in held for row in batch.bad), None)):
        batch, row = first  # these are no rows at all
        raise DataError(f"{batch.at(row)}: {batch.bad[row]}")
    point = program.point(bindings, shapes)
    check_names(point, shapes, available)
    report = Report(point.graph, quiet=options.quiet, strict=options.strict)
    report.reading(point.read_as)
    for name in bindings:
        if name not in point.unused and any(batch.has(name) for batch in held):
            report.warn(f"'{name}' has a value for all rows, so its column is not read", kind="column")
    for name in shapes:
        if name in CONSTANTS:
            report.warn(f"'{name}' is the column here, and not the constant", kind="column")
    columns = _results(point, report, results, options)
    return held, Bound(point, columns, shapes, options.threads or _threads())


def _check_operands(operands: Operands, program_file: str | None, options: Options) -> None:
    """Raise UsageError for operands that are no files, and for what does not go together."""
    files = operands.files
    if files and operands.sweeps:
        name, text = operands.sweeps[0]
        raise UsageError(f"'{name}={text}' makes rows, and so does '{files[0]}'", hint="give either a sweep or files")
    if operands.sweeps and (options.input_format or options.no_header):
        option = "--input-format" if options.input_format else "--no-header"
        raise UsageError(f"{option} is for rows that are read, and a sweep makes its own")
    if files.count("-") > 1:
        raise UsageError("standard input can be read only once")
    if "-" in files and "-" in (operands.expression, program_file):
        raise UsageError("standard input cannot be both the program and the rows",
                         hint="put the program into a file: -f program.cg")  # fmt: skip
    absent = [name for name in files if name != "-" and not os.path.exists(name)]
    if absent and not any(split_name(name)[0] or os.path.dirname(name) for name in absent):
        raise no_data([*absent, *(name for name in files if name not in absent)], "there is no such file")
    if absent:
        raise DataError(f"cannot read '{absent[0]}': no such file or directory")
    strange = [name for name in files if os.path.isfile(name) and split_name(name)[0] is None]
    if strange and len(files) > 1 and options.input_format is None:
        others = list(files)
        others.remove(strange[0])
        raise no_data([strange[0], *others], "it has no suffix of a format that cg reads; -i FORMAT says which it is")


def _output_format(options: Options) -> Format | None:
    """The format to write; None for that of the first rows."""
    if options.as_json and options.output_format not in (None, "jsonl"):
        raise UsageError(f"--json means --to jsonl over rows, and there is --to {options.output_format}")
    name = "jsonl" if options.as_json else options.output_format
    if name is None:
        return format_of(options.output) if options.output is not None else None
    if name not in FORMATS:
        raise UsageError(f"unknown format '{name}'", hint=did_you_mean(name, FORMATS) or f"known: {', '.join(FORMATS)}")
    return FORMATS[name]


def _results(point: Point, report: Report, results: Results, options: Options) -> Sequence[tuple[str, Node]]:
    """What is computed, under different names."""
    if options.called is not None and point.graph.names:
        raise UsageError(f"--as '{options.called}' names one value, and the program has {len(point.graph.names)}")
    found = results(point, report, options.called or "value")
    names = [name for name, _ in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"two results are called '{twice}'", hint="name them in the program, as in: a = x; (a, x^2)")
    return found


def _threads() -> int:
    """As many as there are cores for this process, 8 at most."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_THREADS)
