"""Many files, each with a file of results in a folder: by whom they are computed, and which are done already."""

from __future__ import annotations

import os
from functools import partial

from cgcli.annotations import TYPE_CHECKING, Any, Callable
from cgcli.api.apart import begun
from cgcli.cli.request import Request
from cgcli.cli.rows.apart import Alike, alike, files_of, workers_of
from cgcli.cli.rows.flow import Counts, Tally, tell
from cgcli.cli.rows.progress import Progress
from cgcli.cli.rows.table import Rows, opened
from cgcli.cli.say import say
from cgcli.errors import UsageError
from cgcli.records import NamedTuple
from cgcli.tables.formats import format_named
from cgcli.tables.listing import Source
from cgcli.tables.parts import (
    Part,
    are_there,
    begin,
    check_apart,
    digest_of,
    done,
    end,
    finish,
    key_of,
    mark,
    nothing_left,
    open_again,
    parts_of,
)
from cgcli.tables.remote import is_remote

if TYPE_CHECKING:
    Compute = Callable[[Alike, Request, Any, Source, Callable[[Counts], str]], Counts]

_OF_THE_TASK = ("output", "output_format", "jobs", "shard", "on", "threads")  # options that change no result
_NOT_OTHERS = ("rows", "known", "operands", "quiet")  # which are looked at one by one, or change no result


class Work(NamedTuple):
    """What is done with each file.

    shared: by all files. results_at: what is computed; compute: who does it. what: all that decides about the results.
    """

    shared: Alike
    results_at: Any
    compute: Compute
    what: str


class Outcome(NamedTuple):
    """Of a part. kept: whether an earlier run has done it, and no worker of this one, who died before he said so."""

    counts: Counts
    kept: bool


def run(request: Request, results_at: Any, bound: Callable[[Request, Rows, Any], object], compute: Compute) -> None:
    """Compute the parts that are not done yet. Raises CgError, for the first file with what may not be.

    bound: tells of what is wrong with the command line, at the first rows.
    """
    options = request.rows
    _check(request)
    with workers_of(request, compute.__module__) as workers:
        everything = _parts(request)
        folder = options.output or ""
        which, many = options.shard or (1, 1)
        mine = everything[which - 1 :: many]
        rows = begun(lambda some: opened(request, sources=some), [part.source for part in everything], same=True)
        shared = alike(request, rows, min(workers.count, len(mine)), everything[0].source)
        bound(request, rows._replace(threads=shared.request.rows.threads or 1), results_at)
        work = Work(shared, results_at, compute, _what(shared.request, results_at))
        open_again(folder)
        counts, kept = Counts(), 0
        with nothing_left(
            [] if options.shard else mine
        ):  # in a folder that others write into, too, what is empty stays
            for outcome in Progress.of_files(workers.run(partial(_done, work), mine), len(mine), request.quiet):
                counts = counts.with_(outcome.counts)
                kept += outcome.kept
        if kept and not request.quiet:
            say(f"{kept} of {len(mine)} files were done before, and are kept")
        others = [part for part in everything if part not in mine]
        if not others or (are_there(others, folder) and all(workers.run(partial(_is_done, work.what), others))):
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


def _parts(request: Request) -> list[Part]:
    """All parts of all shares."""
    options = request.rows
    sources = files_of(request)
    folder = options.output or ""
    if options.on and not is_remote(folder):
        folder = os.path.abspath(folder)
    check_apart([name for name in request.operands.files if is_remote(name) or os.path.isdir(name)], sources, folder)
    name = "jsonl" if request.as_json and options.output_format is None else options.output_format
    given = None if options.input_format is None else format_named(options.input_format)
    return parts_of(sources, folder, None if name is None else format_named(name), given)


def _what(request: Request, results_at: Any) -> str:
    """All that decides about results, as a text in short."""
    from cgcli.version import __version__

    values = {name: (getattr(value, "shape", ()), _bits(value)) for name, value in (request.known or {}).items()}
    rows = {name: value for name, value in vars(request.rows).items() if name not in _OF_THE_TASK}
    others = {name: value for name, value in vars(request).items() if name not in _NOT_OTHERS}
    text = repr((__version__, results_at.__name__, request.operands.expression, sorted(values.items()),
                 sorted(rows.items()), sorted(others.items())))  # fmt: skip
    return digest_of(text.encode())


def _done(work: Work, part: Part) -> Outcome:
    """Compute a part, unless it is done."""
    key = key_of(part, work.what)
    before = done(part)
    if before is not None and before.key == key:
        return Outcome(_counts(before.counts), kept=part.was_there)
    begin(part)
    request = work.shared.request.changed({"output": part.target, "output_format": part.format})
    counts = work.compute(work.shared, request, work.results_at, part.source, partial(mark, key))
    end(part, key, counts)
    return Outcome(counts, kept=False)


def _is_done(what: str, part: Part) -> bool:
    before = done(part)
    return before is not None and before.key == key_of(part, what)


def _counts(items: Any) -> Counts:
    """What was counted, of lists."""
    rows, bad, kinds, infinite, beyond = items
    return Counts(rows, Tally(*bad), kinds, Tally(*infinite), Tally(*beyond))


def _bits(value: Any) -> str:
    return digest_of(memoryview(value).tobytes() if hasattr(value, "shape") else repr(value).encode())
