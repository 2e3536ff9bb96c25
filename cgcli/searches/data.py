"""The data of a search, as Python has them: arrays, tables, or files, which others may read."""

from __future__ import annotations

from contextlib import closing, contextmanager
from functools import partial
from itertools import chain

from cgcli.annotations import TYPE_CHECKING, Any, Iterator, Mapping, Sequence
from cgcli.api.apart import begun, names_in
from cgcli.api.cells import first_shapes
from cgcli.api.point import Point, at_values
from cgcli.api.values import check_named
from cgcli.records import NamedTuple
from cgcli.searches import parts
from cgcli.searches.parameters import check_starts
from cgcli.tables.arrow import record_batches
from cgcli.tables.batch import Batch
from cgcli.tables.dialect import AS_EVERYWHERE
from cgcli.tables.listing import listed
from cgcli.tables.source import batches

if TYPE_CHECKING:
    from cgcli.api.apart import Crew
    from cgcli.api.program import Program
    from cgcli.tables.listing import Source


class Begun(NamedTuple):
    """Programs at values and at columns of data. first: the first batches. rows: all, or `Parts` of others."""

    points: Sequence[Point]
    first: Sequence[Batch]
    rows: Any


@contextmanager
def opened(
    programs: Sequence[Program], values: Mapping[str, Any], data: Any, crew: Crew, *, patient: bool
) -> Iterator[Begun]:
    """Data for programs; in the end they are closed.

    data: arrays by name, a table (of pyarrow, pandas, polars), the name of a file, a folder or a pattern, or several.
    crew: who reads them. patient: as of `first_shapes`. Raises UnknownNameError for names that are neither columns nor
    have a value, UsageError where there are no files for others to read, and as `Crew.workers`.
    """
    if isinstance(data, Mapping):
        check_named(data, "columns")
    names = names_in(data)
    if crew.is_of_others:
        crew.check_files(names)
        with crew.workers(names, [parts.__name__, __name__], holding=True) as workers:
            files = crew.named(listed(names))
            found = begun(partial(_read, programs, values, patient=patient), files)
            columns = frozenset(name for point in found.points for name in point.columns)
            yield found._replace(rows=parts.Parts(partial(_rows, columns), files, workers))
    elif names:
        with _read(programs, values, listed(names), patient=patient) as found:
            yield found
    else:
        tables = (Batch(each, "the table", lambda row: f"row {row + 1}") for each in record_batches(data))
        yield _begun(programs, values, tables, patient=patient)


@contextmanager
def _read(
    programs: Sequence[Program], values: Mapping[str, Any], files: Sequence[Source], *, patient: bool
) -> Iterator[Begun]:
    """The rows of files, for programs."""
    with closing(batches(files)) as source:
        yield _begun(programs, values, source, patient=patient)


def _rows(columns: frozenset[str], source: Source) -> Iterator[Batch]:
    """The rows of one file of many. columns: those that are looked at; it may lack some."""
    return batches([source], None, AS_EVERYWHERE._replace(wanted=columns), sorted(columns))


def _begun(programs: Sequence[Program], values: Mapping[str, Any], source: Iterator[Batch], *, patient: bool) -> Begun:
    names = dict.fromkeys(name for each in programs for name in each.open_names if name not in values)
    first, shapes = first_shapes(source, [*names], patient=patient)
    available = list(dict.fromkeys(name for batch in first for name in (*batch.names, *batch.others)))
    points = []
    for program in programs:
        read = program.open_names
        point = at_values(program, {name: item for name, item in values.items() if name in read},
                          {name: shape for name, shape in shapes.items() if name in read})  # fmt: skip
        check_starts(point, available)
        points.append(point)
    return Begun(points, first, chain(first, source))
