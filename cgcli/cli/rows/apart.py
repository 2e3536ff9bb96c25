"""Files of a request that are computed each by itself, by processes or on a cluster: what all of them share."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial

from cgcli.annotations import TYPE_CHECKING, Callable, Collection, Iterator, Mapping, Sequence, TypeVar
from cgcli.api.apart import Crew, begun, columns_in
from cgcli.api.columns import check_columns
from cgcli.cli.request import Request
from cgcli.cli.rows.prepared import Prepared
from cgcli.cli.rows.progress import Progress
from cgcli.cli.rows.sources import sources_of
from cgcli.cli.rows.table import Rows, cores, opened
from cgcli.errors import DataError, ParseError, UnknownNameError, UsageError
from cgcli.records import NamedTuple
from cgcli.tables.formats import split_name
from cgcli.tables.listing import Source, escaped
from cgcli.tables.parts import columns_of
from cgcli.tables.remote import shown

if TYPE_CHECKING:
    from cgcli.api.point import Point
    from cgcli.api.pool import Workers
    from cgcli.graph.operation import Shape
    from cgcli.searches.parts import Parts
    from cgcli.tables.batch import Batch
    from cgcli.tables.formats import Format

    Check = Callable[[Point, list[str]], None]
    Columns = tuple[tuple[str, str], ...] | None

Result = TypeVar("Result")
_NEEDED = ("cgcli.cli.rows.apart", "cgcli.cli.rows.results")
_MOST_SHOWN = 8  # names of columns in a message


class Alike(NamedTuple):
    """What files share that are alike.

    request: of all that reads no more files than the one; prepared: its programs. check: as of `opened`. first: the
    file that says what they share. columns: that each has; None where each may have its own. others: columns that are
    looked at, and their shapes in a row, where a file need not have them.
    """

    request: Request
    prepared: Prepared
    check: Check
    first: Source
    columns: Columns
    others: Mapping[str, Shape]

    @contextmanager
    def opened(self, source: Source, request: Request | None = None, kind: Format | None = None) -> Iterator[Rows]:
        """The rows of a file. request: with other options for it. kind: as of `opened`.

        Raises DataError where it has other columns than the first one, and may not.
        """
        try:
            with opened(request or self.request, self.prepared, kind=kind, check=self.check, sources=[source],
                        others=self.others) as rows:  # fmt: skip
                self._check_columns(source, rows)
                yield rows
        except (UnknownNameError, ParseError) as error:
            first = shown(self.first.name)
            raise DataError(f"{shown(source.name)} has other columns than {first}: {error.message}", error.span,
                            source=error.source, hint=_pattern(self.first, source)) from None  # fmt: skip

    def _check_columns(self, source: Source, rows: Rows) -> None:
        columns = columns_of(rows.first[0]) if rows.first else None
        if columns is None or self.columns is None or _are_alike(dict(columns), dict(self.columns)):
            return
        names = [shown(source.name), shown(self.first.name)]
        kinds = [split_name(each.name)[0] for each in (source, self.first)]
        if kinds[0] is not kinds[1]:
            names = [f"{name} ({kind.title})" if kind else name for name, kind in zip(names, kinds, strict=True)]
        raise DataError(
            f"{names[0]} has the columns {_told(columns)}, and {names[1]} has {_told(self.columns)}",
            hint=_pattern(self.first, source),
        )


def _are_alike(some: Mapping[str, str], others: Mapping[str, str]) -> bool:
    """Whether there are the same columns, of the same types where both say them, in whatever order."""
    return some.keys() == others.keys() and all(kind in ("", others[name]) or not others[name]
                                                for name, kind in some.items())  # fmt: skip


def _pattern(first: Source, other: Source) -> str:
    """What to write so that files like the first are read, and not the other."""
    ends = [os.path.splitext(each.below)[1] for each in (first, other)]
    folders = [escaped(each.name.removesuffix(each.below)) for each in (first, other)]
    if ends[0] != ends[1] and folders[0] == folders[1]:
        found = f"{folders[0]}{'**/' * ('/' in first.below + other.below)}*{ends[0]}"
    elif os.path.dirname(first.name) != os.path.dirname(other.name):
        found = f"{escaped(first.name.removesuffix(os.path.basename(first.below)))}*{ends[0]}"
    else:
        return f"name the files without {shown(other.name)}, or by a pattern in quotes that it does not match"
    return f"take those of one kind by a pattern in quotes: '{shown(found)}'"


def alike(
    request: Request, rows: Rows, count: int, first: Source, check: Check = check_columns, *, same: bool = True
) -> Alike:
    """What all files share with the first one, of which the rows are.

    count: how many are computed at once. same: as of `begun`.
    """
    bindings = {name: value for point in rows.points for name, value in point.bindings.items()}
    threads = request.rows.threads or (1 if request.rows.on else max(1, cores() // max(1, count)))
    known = request.known_everywhere(rows.points[0].program, bindings).changed(
        {"threads": threads, "jobs": 1, "shard": None, "on": None}, quiet=True
    )
    columns = columns_in(rows) if same else None
    others = {} if columns else {name: point.shapes[name] for point in rows.points for name in point.columns}
    return Alike(known, rows.prepared.of(known), check, first, columns, others)


def crew(request: Request) -> Crew:
    """Those who are asked to compute the files of a request."""
    return Crew(request.rows.jobs, request.rows.on or "", "--")


def workers_of(request: Request, module: str, *, holding: bool = False) -> Workers:
    """Those who compute files. module: of the task. holding, and what it raises: as of `Crew.workers`."""
    files = [*request.operands.files, request.rows.output or ""]
    return crew(request).workers(files, [module, *_NEEDED], holding=holding)


def files_of(request: Request) -> list[Source]:
    """The files, by names that those who compute them understand."""
    return crew(request).named(sources_of(request, apart=True))


class Apart(NamedTuple):
    """Files whose results are put together. rows: those of the first one, which has been closed again."""

    rows: Rows
    files: Sequence[Source]
    alike: Alike
    workers: Workers
    quiet: bool

    def each(self, task: Callable[[Alike, Source], Result]) -> Iterator[Result]:
        """What a task gives for each file, in their order."""
        return Progress.of_files(self.workers.run(partial(task, self.alike), self.files), len(self.files), self.quiet)


@contextmanager
def opened_apart(
    request: Request, prepared: Prepared | None = None, *, module: str, columns: Collection[str] = (),
    check: Check = check_columns, holding: bool = False,
) -> Iterator[Apart]:  # fmt: skip
    """The files of a request, for processes or a cluster. module: of the task. Others: as of `opened` and `workers`.

    Raises UsageError for what does not go with files that are computed each by itself.
    """
    crew(request).check_files(request.operands.files)
    asked = crew(request).option
    for option, given in (("--skip", request.rows.skip), ("--limit", request.rows.limit is not None)):
        if given:
            raise UsageError(f"{option} is of all rows together, and with {asked} each file is computed by itself",
                             hint=f"leave out {asked}")  # fmt: skip
    with workers_of(request, module, holding=holding) as workers:
        files = files_of(request)
        reading = partial(opened, request, prepared, columns=columns, check=check)
        rows = begun(lambda some: reading(sources=some), files)
        shared = alike(request, rows, min(workers.count, len(files)), files[0], check, same=False)
        yield Apart(rows, files, shared, workers, request.quiet)


@contextmanager
def to_search(
    request: Request, prepared: Prepared | None = None, *, kind: Format | None = None, columns: Collection[str] = ()
) -> Iterator[tuple[Rows, Iterator[Batch] | Parts]]:
    """The rows of a request, and what a search reads: those that count, or files that others read. As of `opened`."""
    from cgcli.searches.parameters import check_starts

    if not crew(request).is_of_others:
        with opened(request, prepared, kind=kind, columns=columns, check=check_starts) as rows:
            yield rows, rows.selected
        return
    from cgcli.searches import parts

    with opened_apart(
        request, prepared, module=parts.__name__, columns=columns, check=check_starts, holding=True
    ) as apart:
        yield apart.rows, parts.Parts(partial(_batches, apart.alike), apart.files, apart.workers)


def _batches(shared: Alike, source: Source) -> Iterator[Batch]:
    with shared.opened(source) as rows:
        yield from rows.selected


def _told(columns: Sequence[tuple[str, str]]) -> str:
    shown = ", ".join(f"'{name}'" + f" ({kind})" * bool(kind) for name, kind in columns[:_MOST_SHOWN])
    return shown + ", …" * (len(columns) > _MOST_SHOWN)
