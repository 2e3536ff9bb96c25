"""Many files, each with a file of results in a folder: by whom they are computed, and which are done already."""

from __future__ import annotations

import hashlib
import os
from functools import partial

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Sequence
from cgcli.cli.request import Request
from cgcli.cli.rows.flow import Counts, Tally, tell
from cgcli.cli.rows.prepared import Prepared
from cgcli.cli.rows.sources import sources_of
from cgcli.cli.rows.table import Rows, cores
from cgcli.cli.say import say
from cgcli.errors import DataError, UnknownNameError, UsageError
from cgcli.records import NamedTuple
from cgcli.tables.formats import format_named
from cgcli.tables.listing import Source
from cgcli.tables.parts import (
    Part,
    are_there,
    begin,
    check_apart,
    columns_of,
    done,
    end,
    finish,
    key_of,
    mark,
    open_again,
    parts_of,
)
from cgcli.tables.remote import is_remote, shown

if TYPE_CHECKING:
    Compute = Callable[[Request, Prepared, Any, Source, Callable[[Rows], None], Callable[[Counts], str]], Counts]
    Columns = tuple[tuple[str, str], ...] | None

_NEEDED = ("cgcli.cli.rows.parts", "cgcli.cli.rows.results", "cgcli.tables.columnar", "pyarrow.parquet", "pyarrow.fs")
_OF_THE_TASK = ("output", "output_format", "jobs", "shard", "on", "threads")  # options that change no result
_NOT_OTHERS = ("rows", "known", "operands", "quiet")  # which are looked at one by one, or change no result
_MOST_SHOWN = 8  # names of columns in a message


class Work(NamedTuple):
    """What is done with each file.

    request: of all that reads no more files than the one; prepared: its program. results_at: what is computed.
    compute: who does it.
    what: it is made of, as a text. columns: that each file has, and first: the name of that which says it.
    """

    request: Request
    prepared: Prepared
    results_at: Any
    compute: Compute
    what: str
    columns: Columns
    first: str


class Outcome(NamedTuple):
    """Of a part. kept: whether it was done before."""

    counts: Counts
    kept: bool


def run(request: Request, results_at: Any, begun: Callable[[Request, Any, Source], Rows], compute: Compute) -> None:
    """Compute the parts that are not done yet. Raises CgError, for the first file with what may not be.

    begun: opens one file, and tells of what is wrong with the command line.
    """
    from cgcli.api.workers import workers

    options = request.rows
    _check(request)
    is_near = not any(map(is_remote, (*request.operands.files, options.output or "")))
    with workers(options.jobs, options.on, [compute.__module__, *_NEEDED], copies=is_near) as crew:
        everything = _parts(request)
        folder = options.output or ""
        which, many = options.shard or (1, 1)
        mine = everything[which - 1 :: many]
        rows = begun(request, results_at, everything[0].source)
        work = _work(request, results_at, rows, compute, crew.count)
        open_again(folder)
        counts, kept = Counts(), 0
        for outcome in crew.run(partial(_done, work), mine):
            counts = counts.with_(outcome.counts)
            kept += outcome.kept
        if kept and not request.quiet:
            say(f"{kept} of {len(mine)} files were done before, and are kept")
        others = [part for part in everything if part not in mine]
        if not others or (are_there(others, folder) and all(crew.run(partial(_is_done, work.what), others))):
            finish(folder)
    tell(counts, rows.policy)


def _check(request: Request) -> None:
    """Raise UsageError for what does not go with parts."""
    if not request.operands.files or "-" in request.operands.files:
        raise UsageError(f"'{request.rows.output}' is a folder, which gets a file for each that is read",
                         hint="name a file in it: -o FOLDER/rows.csv")  # fmt: skip
    given = {"--skip": request.rows.skip, "--limit": request.rows.limit is not None, "--accuracy": request.accuracy}
    for name, is_given in given.items():
        if is_given:
            raise UsageError(f"{name} is of all rows together, and a folder gets a file for each that is read",
                             hint="write one file: -o rows.parquet")  # fmt: skip
    if request.rows.on and request.rows.jobs > 1:
        raise UsageError("--jobs is of this machine, and --on has a cluster work", hint="choose one")


def _parts(request: Request) -> list[Part]:
    """All parts of all shares."""
    options = request.rows
    sources = sources_of(request, apart=True)
    folder = options.output or ""
    if options.on:  # whose workers have other working directories
        sources = [each if is_remote(each.name) else each._replace(name=os.path.abspath(each.name)) for each in sources]
        folder = folder if is_remote(folder) else os.path.abspath(folder)
    check_apart([name for name in request.operands.files if is_remote(name) or os.path.isdir(name)], sources, folder)
    name = "jsonl" if request.as_json and options.output_format is None else options.output_format
    given = None if options.input_format is None else format_named(options.input_format)
    return parts_of(sources, folder, None if name is None else format_named(name), given)


def _work(request: Request, results_at: Any, rows: Rows, compute: Compute, count: int) -> Work:
    """What each file is computed by. count: how many are computed at once."""
    bindings = {name: value for point in rows.points for name, value in point.bindings.items()}
    threads = request.rows.threads or (1 if request.rows.on else max(1, cores() // count))
    known = request.known_everywhere(rows.points[0].program, bindings).changed(
        {"threads": threads, "jobs": 1, "shard": None, "on": ""}, quiet=True
    )
    first = next(iter(rows.first), None)
    columns = None if first is None else columns_of(first)
    return Work(
        known, Prepared(known), results_at, compute, _what(known, results_at), columns, first.source if first else ""
    )


def _what(request: Request, results_at: Any) -> str:
    """All that decides about results, as a text in short."""
    from cgcli.version import __version__

    values = {name: (getattr(value, "shape", ()), _bits(value)) for name, value in (request.known or {}).items()}
    rows = {name: value for name, value in vars(request.rows).items() if name not in _OF_THE_TASK}
    others = {name: value for name, value in vars(request).items() if name not in _NOT_OTHERS}
    text = repr((__version__, results_at.__name__, request.operands.expression, sorted(values.items()),
                 sorted(rows.items()), sorted(others.items())))  # fmt: skip
    return hashlib.sha256(text.encode()).hexdigest()


def _done(work: Work, part: Part) -> Outcome:
    """Compute a part, unless it is done."""
    key = key_of(part, work.what)
    before = done(part)
    if before is not None and before.key == key:
        return Outcome(_counts(before.counts), kept=True)
    begin(part)
    request = work.request.changed({"output": part.target, "output_format": part.format})
    check = partial(_check_columns, work, part)
    try:
        counts = work.compute(request, work.prepared, work.results_at, part.source, check, partial(mark, key))
    except UnknownNameError as error:
        raise DataError(f"{shown(part.source.name)} has other columns than {work.first}: {error.message}", error.span,
                        source=error.source, hint=error.hint) from None  # fmt: skip
    end(part, key, counts)
    return Outcome(counts, kept=False)


def _is_done(what: str, part: Part) -> bool:
    before = done(part)
    return before is not None and before.key == key_of(part, what)


def _counts(items: Any) -> Counts:
    """What was counted, of lists."""
    rows, bad, kinds, infinite, beyond = items
    return Counts(rows, Tally(*bad), kinds, Tally(*infinite), Tally(*beyond))


def _check_columns(work: Work, part: Part, rows: Rows) -> None:
    """Raise DataError where a file has other columns than the first one."""
    columns = columns_of(rows.first[0]) if rows.first else None
    if columns is not None and work.columns is not None and columns != work.columns:
        raise DataError(
            f"{shown(part.source.name)} has the columns {_told(columns)}, and {work.first} has {_told(work.columns)}",
            hint="take those of one kind by a pattern in quotes, as in: 'data/a*.parquet'",
        )


def _told(columns: Sequence[tuple[str, str]]) -> str:
    shown = ", ".join(f"'{name}'" + f" ({kind})" * bool(kind) for name, kind in columns[:_MOST_SHOWN])
    return shown + ", …" * (len(columns) > _MOST_SHOWN)


def _bits(value: Any) -> str:
    return hashlib.sha256(memoryview(value).tobytes() if hasattr(value, "shape") else repr(value).encode()).hexdigest()
