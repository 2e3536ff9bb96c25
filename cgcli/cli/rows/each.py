"""`cg eval` and `cg grad` over rows: each row of a table, or each point of a sweep, gets its results beside it."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Callable, Sequence
from cgcli.api.columns import Bound, Results
from cgcli.api.point import Point
from cgcli.cli.report import Report
from cgcli.cli.request import Request
from cgcli.cli.rows.ahead import ahead
from cgcli.cli.rows.flow import Counts, Flow, computed
from cgcli.cli.rows.table import Rows, into_folder, opened, output_format, write
from cgcli.errors import UsageError

if TYPE_CHECKING:
    from cgcli.cli.rows.apart import Alike
    from cgcli.graph.node import Node
    from cgcli.tables.listing import Source

    ResultsAt = Callable[[Request, Point, Sequence[Node]], Results]


def run(request: Request, results_at: ResultsAt) -> None:
    """Compute the results for all rows, and write them. Raises CgError, at the first bad row where none may be.

    results_at: what is computed of a program at its point, by the inputs to differentiate by.
    """
    if into_folder(request):
        from cgcli.cli.rows import parts

        parts.run(request, results_at, _bound, _part)
        return
    with opened(request, kind=output_format(request)) as rows:
        bound = _bound(request, rows, results_at)
        flow = _written(request, rows, bound)
    flow.summarise()
    if request.accuracy:
        report = Report(rows.points[0].graph.source, quiet=request.quiet, strict=request.strict)
        report.tell_all(bound.notices())


def _part(
    shared: Alike, request: Request, results_at: ResultsAt, source: Source, mark: Callable[[Counts], str]
) -> Counts:
    """The results for the rows of one file; what has been counted."""
    with shared.opened(source, request, output_format(request)) as rows:
        return _written(request, rows, _bound(request, rows, results_at), mark).counts


def _written(request: Request, rows: Rows, bound: Bound, mark: Callable[[Counts], str] | None = None) -> Flow:
    found = computed(rows.selected, bound)
    return write(request, rows, bound, ahead(found) if bound.threads > 1 else found, output_format(request), mark)


def _bound(request: Request, rows: Rows, results_at: ResultsAt) -> Bound:
    """What computes the results of a batch."""
    wrt = _noticed(rows.points[0], request, rows)
    return rows.prepared.made(_computing, rows.points[0], request, results_at, wrt, rows.threads)


def _computing(point: Point, request: Request, results_at: ResultsAt, wrt: Sequence[Node], threads: int) -> Bound:
    results = results_at(request, point, wrt)
    if not request.accuracy:
        return Bound(point, results, threads)
    from cgcli.api.measured import Measured

    return Measured(point, results, threads)


def _noticed(point: Point, request: Request, rows: Rows) -> list[Node]:
    """The inputs to differentiate by; what has no effect is reported."""
    report = rows.report(request)
    if request.rows.called is not None and point.graph.names:
        raise UsageError(f"--as '{request.rows.called}' names one value, and the program has {len(point.graph.names)}")
    wrt = point.chosen(request.names(point))
    report.tell_all(point.notices(wrt))
    return wrt
