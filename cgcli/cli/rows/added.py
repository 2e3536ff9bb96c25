"""`cg eval` and `cg grad` with `--sum` or `--mean`: results added up over all rows, printed as those of one point."""

from __future__ import annotations

from functools import partial

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence
from cgcli.api.columns import Bound, Results
from cgcli.api.notices import Notice
from cgcli.api.sums import Sums
from cgcli.cli import output
from cgcli.cli.request import Request
from cgcli.cli.rows.ahead import ahead
from cgcli.cli.rows.apart import crew, opened_apart
from cgcli.cli.rows.flow import Counts, Flow, Policy, computed, tell
from cgcli.cli.rows.table import Rows, opened
from cgcli.cli.say import echo
from cgcli.derivatives.gradient import derivative_name
from cgcli.errors import DataError, UsageError
from cgcli.graph.node import name_of
from cgcli.printing import values
from cgcli.records import NamedTuple
from cgcli.tables.arrow import masked

if TYPE_CHECKING:
    from cgcli.api.point import Point
    from cgcli.cli.report import Report
    from cgcli.cli.rows.apart import Alike
    from cgcli.graph.node import Node
    from cgcli.tables.batch import Batch
    from cgcli.tables.listing import Source

    ResultsAt = Callable[[Request, Point, Sequence[Node]], Results]

_OF_WRITING = {"output": "-o", "output_format": "--to", "only": "--only", "called": "--as"}


def run(request: Request, results_at: ResultsAt, *, summed: bool, mean: bool, derivatives: bool = False) -> None:
    """Add up, and print. summed, mean: what was asked for. derivatives: whether there are some. Raises CgError."""
    if summed and mean:
        raise UsageError("--sum and --mean each say what is printed", hint="choose one")
    _check(request, "--mean" if mean else "--sum")
    if crew(request).is_of_others:
        with opened_apart(request, module=__name__) as apart:
            rows, (report, wrt) = apart.rows, _begun(request, apart.rows, derivatives=derivatives)
            found = Added(Sums(), Counts())
            for some in apart.each(partial(_part, results_at, derivatives)):
                found = found.with_(some)
    else:
        with opened(request) as rows:
            report, wrt = _begun(request, rows, derivatives=derivatives)
            found = _added(request, rows, results_at, wrt)
    tell(found.counts, _policy(rows))
    if mean and not found.sums.rows:
        raise DataError("there are no rows to take the mean of")
    by_name = found.sums.mean() if mean else found.sums.sum()
    report.tell_all(_not_finite(by_name, "mean" if mean else "sum"))
    _print(request, rows.points[0], by_name, wrt if derivatives else None, report)


def _print(
    request: Request, point: Point, by_name: Mapping[str, Any], wrt: Sequence[Node] | None, report: Report
) -> None:
    """Print results as those of one point. by_name: all of them. wrt: what there are derivatives by; None for none."""
    value = point.by_output(by_name[name or "value"] for name in point.graph.names or ("",))
    if request.as_json:
        content: dict[str, Any] = {"value": value}
        if wrt is not None:
            content["grad"] = point.by_output(
                {name_of(by): by_name[derivative_name(name, name_of(by))] for by in wrt}
                for name in point.graph.names or ("",)
            )
        output.as_json(content, request.precision, report.entries)
    elif wrt is None and not point.graph.names:
        echo(values.value(value, request.precision))
    else:
        output.plain(by_name.items(), request.precision)


class Added(NamedTuple):
    """Of some rows."""

    sums: Sums
    counts: Counts

    def with_(self, other: Added) -> Added:
        """These, and others."""
        return Added(self.sums + other.sums, self.counts.with_(other.counts))


def _begun(request: Request, rows: Rows, *, derivatives: bool) -> tuple[Report, list[Node]]:
    """Where warnings go, and the inputs to differentiate by; what has no effect is reported."""
    report, point = rows.report(request), rows.points[0]
    wrt = _wrt(request, point) if derivatives else []
    report.tell_all(point.notices(wrt))
    return report, wrt


def _wrt(request: Request, point: Point) -> list[Node]:
    return point.chosen(request.names(point))


def _computing(point: Point, request: Request, results_at: ResultsAt, wrt: Sequence[Node], threads: int) -> Bound:
    return Bound(point, results_at(request, point, wrt), threads)


def _policy(rows: Rows) -> Policy:
    """Rows that are left out have no results, whatever is said of results that are written."""
    return rows.policy._replace(on_error=rows.policy.for_all, writes=False)


def _added(request: Request, rows: Rows, results_at: ResultsAt, wrt: Sequence[Node]) -> Added:
    """The sums over some rows."""
    bound = rows.prepared.made(_computing, rows.points[0], request, results_at, wrt, rows.threads)
    taken = Taken()
    flow = Flow(taken, bound.names, bound.error, _policy(rows)._replace(only=True, precision=None), rows.progress)
    found = computed(rows.selected, bound)
    flow.take(ahead(found) if bound.threads > 1 else found)
    return Added(taken.sums, flow.counts)


def _part(results_at: ResultsAt, derivatives: bool, shared: Alike, source: Source) -> Added:
    """The sums over the rows of one file."""
    with shared.opened(source) as rows:
        wrt = _wrt(shared.request, rows.points[0]) if derivatives else []
        return _added(shared.request, rows, results_at, wrt)


def _not_finite(results: Mapping[str, Any], what: str) -> Iterator[Notice]:
    """What is to be told of sums that are no finite numbers: in JSON they are null."""
    for name, result in results.items():
        if not np.isfinite(result).all():
            kind = "nan" if np.isnan(result).any() else "infinity"
            is_what = "is nan" if kind == "nan" else "is infinite"
            yield Notice(f"the {what} of '{name}' {is_what}", details={"kind": kind, "node": name})


class Taken:
    """Takes rows in the place of a writer, and adds their results up."""

    def __init__(self) -> None:
        self.sums = Sums()

    def write(self, batch: Batch) -> None:
        """Add the results of rows that have some."""
        results = batch.results
        assert results is not None
        columns = zip(results.schema.names, results.columns, strict=True)
        self.sums.add({name: masked(column).values for name, column in columns})


def _check(request: Request, option: str) -> None:
    """Raise UsageError for what does not go with the option."""
    if not request.operands.over_rows:
        hint = "rows come from a file, from standard input as '-', or from a sweep: x=0:10:101"
        raise UsageError(f"{option} is over rows, and there are none", hint=hint)
    for name, spelling in _OF_WRITING.items():
        if getattr(request.rows, name):
            raise UsageError(f"{spelling} is for rows that are written, and {option} writes none", hint="leave it out")
    if request.rows.shard:
        raise UsageError(f"--shard is for files whose results go into a folder, and {option} is over all of them",
                         hint="several compute it with: --jobs N, --on dask://host:8786")  # fmt: skip
    others = {"--accuracy": request.accuracy, "--elasticity": request.elasticity, "--taylor": request.taylor,
              "--order": request.order > 1, "--prefix": request.rows.prefix != "d_"}  # fmt: skip
    given = next((name for name, is_given in others.items() if is_given), None)
    if given:
        raise UsageError(f"{given} does not go with {option}, which is of values and first derivatives",
                         hint="choose one")  # fmt: skip
