"""Rows of a table, or points of a sweep, on their way to results: how they are opened, and how these are written."""

from __future__ import annotations

import contextlib
import math
import os
import re
import stat
import sys
from itertools import chain

from cgcli.annotations import (
    TYPE_CHECKING,
    Callable,
    Collection,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from cgcli.api.cells import first_shapes
from cgcli.api.columns import Bound, Computed, check_columns, column_notices
from cgcli.api.point import Point
from cgcli.cli.request import Request, mode_of_standard_input
from cgcli.cli.rows import sweeps
from cgcli.cli.rows.flow import Counts, Flow, Policy, Selection, selected
from cgcli.cli.rows.prepared import Prepared
from cgcli.cli.rows.progress import Progress
from cgcli.cli.rows.sources import sources_of
from cgcli.errors import CgError, DataError, ParseError, UsageError, did_you_mean
from cgcli.files import is_open_already
from cgcli.records import EMPTY, NamedTuple
from cgcli.tables.formats import FORMATS, Format, format_named, format_of, open_writer, split_name
from cgcli.tables.grid import Axis, grid
from cgcli.tables.remote import is_remote, split_uri
from cgcli.tables.source import batches
from cgcli.tables.startup import import_early, keep_memory

if TYPE_CHECKING:
    from cgcli.cli.report import Report
    from cgcli.graph.operation import Shape
    from cgcli.tables.batch import Batch
    from cgcli.tables.dialect import Reading
    from cgcli.tables.listing import Source
    from cgcli.tables.output import Writer

_MOST_THREADS = 8
_MOST_PATHS = 12  # in a message
_STANDARD_OUTPUT = ("-", "/dev/stdout", "/dev/fd/1")


class Rows(NamedTuple):
    """Rows that are being read. points: of the program, of others that go with it.

    first: the batches that say what the columns are. selected: those that count, one batch after the other.
    prepared: where what is made of the points is kept.
    """

    points: Sequence[Point]
    first: Sequence[Batch]
    selected: Iterator[Batch]
    policy: Policy
    progress: Progress
    threads: int
    prepared: Prepared

    def report(self, request: Request) -> Report:
        """Where warnings go; what the columns mean is told."""
        point = self.points[0]
        report = request.report(point)
        report.tell_all(column_notices(point, self.first))
        return report


@contextlib.contextmanager
def opened(
    request: Request, prepared: Prepared | None = None, *, kind: Format | None = None, columns: Collection[str] = (),
    check: Callable[[Point, list[str]], None] = check_columns, sources: Sequence[Source] | None = None,
    others: Mapping[str, Shape] = EMPTY,
) -> Iterator[Rows]:  # fmt: skip
    """The rows of a request, with its program and others at a point where their columns vary; in the end it is closed.

    prepared: the programs; the one of the request alone unless given. kind: the format that is written, None for that
    of the input. columns: others that are looked at. check: raises an error where a name has no value, and is none of
    the columns. others: columns that are looked at, and their shapes in a row, where other files say them.
    """
    prepared = prepared or Prepared(request)
    options = request.rows
    sources = sources_of(request) if sources is None else sources
    source = batches(sources, options.input_format, options.reading, [*others])
    known = [name for name in others if "." in name]
    begun, known = _programs(prepared, known, source if sources else iter(()), sources[1:], options.input_format)
    axes = _axes(request, prepared, known)
    if not begun:
        reading = _reading(request, prepared, known, kind, columns)
        source = grid(axes) if axes else batches(sources, options.input_format, reading, [*others])
    progress = _progress(request, sources, axes)
    keep_memory()
    import_early(waiting="-" in request.operands.files and not stat.S_ISREG(mode_of_standard_input()))
    with _closed(source):
        first, points = _begun(chain(begun, source), prepared, known, request, check, others)
        threads = options.threads or cores()
        selection, policy = Selection(prepared.where(points, threads), options.skip, options.limit), Policy.of(request)
        counted = selected(progress.of(chain(first, source)), selection, policy)
        yield Rows(points, first, counted, policy, progress, threads, prepared)


def _programs(
    prepared: Prepared, known: list[str], rows: Iterator[Batch], others: Sequence[Source], format_name: str | None
) -> tuple[list[Batch], list[str]]:
    """Read the programs; the first rows, where these had to say which names `p.x` are members, and all such names.

    known: those of columns that are known. others: files that follow. Raises ParseError.
    """
    try:
        prepared.read(known)
    except ParseError as error:
        begun, known = _paths(rows, error, others, format_name)
        if not known:
            raise
        try:
            prepared.read(known)
        except ParseError as other:
            if other.source and other.span and other.message == error.message:
                name = other.source.text[other.span.start : other.span.end]
                other.hint = did_you_mean(name, known) or f"what the input holds: {', '.join(known[:_MOST_PATHS])}"
            raise
        return begun, known
    return [], known


def _axes(request: Request, prepared: Prepared, known: Sequence[str]) -> list[Axis]:
    """The axes of a sweep, if there is one. Raises UsageError for a name with a value, too."""
    found = sweeps.axes(request.operands.sweeps)
    _, bindings = prepared.read(known)
    both = next((axis.name for axis in found if axis.name in bindings), None)
    if both:
        raise UsageError(f"'{both}' is bound twice", hint="give a value or a sweep")
    return found


def _reading(
    request: Request, prepared: Prepared, known: Sequence[str], kind: Format | None, columns: Collection[str]
) -> Reading:
    """What is said of text; where no more than columns by name are looked at, which these are."""
    reading = request.rows.reading
    if known or reading.types:
        return reading
    programs, _ = prepared.read()
    wanted = {*columns, *(name for program in programs for name in program.open_names)}
    return reading._replace(wanted=wanted, like=kind.module if kind and not request.rows.only else "")


def _progress(request: Request, sources: Sequence[Source], axes: Sequence[Axis]) -> Progress:
    total = math.prod(axis.size for axis in axes) if axes else None
    to_terminal = written_to(request) is None and sys.stdout is not None and sys.stdout.isatty()
    return Progress(quiet=request.quiet or to_terminal, rows=total, files=[source.name for source in sources])


def write(
    request: Request, rows: Rows, bound: Bound, found: Generator[tuple[Batch, Computed], None, None],
    kind: Format | None, mark: Callable[[Counts], str] | None = None,
) -> Flow:  # fmt: skip
    """Write batches with their results; what has been counted.

    kind: the format; None for that of the input. mark: the text that shall stand at the end, where there is room.
    """
    with written(request, kind, rows.first) as writer:
        flow = Flow(writer, bound.names, bound.error, rows.policy, rows.progress)
        with contextlib.closing(found):
            flow.take(found)
        if mark is not None:
            writer.mark(mark(flow.counts))
    return flow


def written(request: Request, kind: Format | None, first: Sequence[Batch]) -> Writer:
    """What writes the rows of a request. kind: as of `write`. first: the first rows of the input."""
    return open_writer(written_to(request), kind or FORMATS[first[0].format if first else "jsonl"])


def _paths(
    rows: Iterator[Batch], error: ParseError, others: Sequence[Source], format_name: str | None
) -> tuple[list[Batch], list[str]]:
    """The first rows, where a program was read without them, and the names with a point that columns have in them.

    others: files that follow, whose first rows may have more.
    """
    first: list[Batch] = []
    found: dict[str, None] = {}
    if re.search(r"\w\.[^\W\d]", error.source.text if error.source else ""):
        for each in (rows, *(batches([other], format_name) for other in others if other.name != "-")):
            with contextlib.suppress(CgError):
                for batch in each:
                    found |= dict.fromkeys(batch.paths)
                    if each is rows:
                        first.append(batch)
                    if len(batch):
                        break
    return first, [*found]


@contextlib.contextmanager
def _closed(source: Generator[Batch, None, None]) -> Iterator[None]:
    """In the end the source leaves no temporary file behind, unless a thread still waits for input there."""
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # it is running
            source.close()


def _begun(
    source: Iterator[Batch],
    prepared: Prepared,
    known: Sequence[str],
    request: Request,
    check: Callable[[Point, list[str]], None],
    others: Mapping[str, Shape],
) -> tuple[list[Batch], list[Point]]:
    """The first batches, which say what the columns are, and each program at a point where these vary."""
    programs, bindings = prepared.read(known)
    open_names = dict.fromkeys(name for program in programs for name in program.open_names)
    names = [name for name in open_names if name not in bindings]
    first, shapes = first_shapes(source, names, patient=request.rows.on_error != "fail", known=others)
    available = list(dict.fromkeys(name for batch in first for name in (*batch.names, *batch.others)))
    if not any(map(len, first)) and not available:  # nothing says which columns there would have been
        shapes = {name: () for program in programs for name in program.inputs if name in names}
    if not available and (bad := next(((batch, row) for batch in first for row in batch.bad), None)):
        batch, row = bad  # these are no rows at all
        raise DataError(f"{batch.at(row)}: {batch.bad[row]}")
    check_types(request.rows.reading, first, available)
    points = prepared.at(known, shapes)
    for point in points:
        check(point, available)
    return first, points


def check_types(reading: Reading, rows: Sequence[Batch], names: Sequence[str]) -> None:
    """Raise UsageError for a type of a column that is not there. names: of all columns; objects may get others."""
    absent = [name for name in reading.types if name not in names]
    if absent and not any(batch.holds_objects for batch in rows):
        raise UsageError(
            f"there is no column '{absent[0]}' that could have a type", hint=did_you_mean(absent[0], names)
        )


def written_to(request: Request) -> str | None:
    """The file to write; None for standard output."""
    return None if request.rows.output in _STANDARD_OUTPUT else request.rows.output


def into_folder(request: Request) -> bool:
    """Whether the results go into a folder."""
    target = written_to(request)
    if target is not None and is_remote(target):
        return split_uri(target)[1].endswith("/")
    return target is not None and (target.endswith(("/", os.sep)) or os.path.isdir(target))


def output_format(request: Request) -> Format | None:
    """The format to write; None for that of the first rows."""
    name, target = request.rows.output_format, written_to(request)
    if into_folder(request):
        raise UsageError(f"'{target}' is a folder, and these results are one file",
                         hint="name a file in it: -o FOLDER/rows.csv")  # fmt: skip
    if request.as_json:
        if name not in (None, "jsonl"):
            raise UsageError(f"--json means --to jsonl over rows, and there is --to {name}")
        name = "jsonl"
    if name is None:
        is_device = target is not None and os.path.exists(target) and is_open_already(target)
        try:
            return None if target is None or (is_device and split_name(target)[0] is None) else format_of(target)
        except UsageError as error:
            if target and not os.path.exists(target) and not os.path.splitext(target)[1]:
                error.hint += f"; a folder ends with a slash: -o {target}/"
            raise
    return format_named(name)


def cores() -> int:
    """As many as there are cores for this process, 8 at most."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_THREADS)
