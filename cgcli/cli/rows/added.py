"""`cg eval` and `cg grad` with `--sum` or `--mean`: results added up over all rows, printed as those of one point."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Sequence
from cgcli.api.columns import Bound, Results, column_notices
from cgcli.api.sums import Sums
from cgcli.cli import output
from cgcli.cli.request import Request
from cgcli.cli.rows.ahead import ahead
from cgcli.cli.rows.flow import Flow, computed
from cgcli.cli.rows.table import opened
from cgcli.cli.say import echo
from cgcli.derivatives.gradient import derivative_name
from cgcli.errors import DataError, UsageError
from cgcli.graph.node import name_of
from cgcli.printing import values
from cgcli.tables.arrow import masked

if TYPE_CHECKING:
    from cgcli.api.point import Point
    from cgcli.graph.node import Node
    from cgcli.tables.batch import Batch

_OF_WRITING = {"output": "-o", "output_format": "--to", "only": "--only", "called": "--as"}


def run(
    request: Request, results_at: Callable[[Request, Point, Sequence[Node]], Results], *, summed: bool, mean: bool,
    derivatives: bool = False,
) -> None:  # fmt: skip
    """Add up, and print. summed, mean: what was asked for. derivatives: whether there are some. Raises CgError."""
    if summed and mean:
        raise UsageError("--sum and --mean each say what is printed", hint="choose one")
    _check(request, "--mean" if mean else "--sum")
    with opened(request) as rows:
        point = rows.points[0]
        report = request.report(point)
        report.tell_all(column_notices(point, rows.first))
        wrt = point.chosen(request.names(point)) if derivatives else []
        report.tell_all(point.notices(wrt))
        bound = Bound(point, results_at(request, point, wrt), rows.threads)
        policy = rows.policy if rows.policy.on_error == "fail" else rows.policy._replace(on_error="skip")
        taken = Taken()
        flow = Flow(taken, bound.names, bound.error, policy._replace(only=True, precision=None), rows.progress)
        found = computed(rows.selected, bound)
        flow.take(ahead(found) if bound.threads > 1 else found)
    flow.summarise()
    if mean and not taken.sums.rows:
        raise DataError("there are no rows to take the mean of")
    by_name = taken.sums.mean() if mean else taken.sums.sum()
    value = point.by_output(by_name[name or "value"] for name in point.graph.names or ("",))
    if not derivatives and not request.as_json and not point.graph.names:
        echo(values.value(value, request.precision))
        return
    if not request.as_json:
        output.plain(by_name.items(), request.precision)
        return
    content: dict[str, Any] = {"value": value}
    if derivatives:
        content["grad"] = point.by_output(
            {name_of(by): by_name[derivative_name(name, name_of(by))] for by in wrt}
            for name in point.graph.names or ("",)
        )
    output.as_json(content, request.precision, report.entries)


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
    others = {"--accuracy": request.accuracy, "--elasticity": request.elasticity, "--taylor": request.taylor,
              "--order": request.order > 1, "--prefix": request.rows.prefix != "d_"}  # fmt: skip
    given = next((name for name, is_given in others.items() if is_given), None)
    if given:
        raise UsageError(f"{given} does not go with {option}, which is of values and first derivatives",
                         hint="choose one")  # fmt: skip
