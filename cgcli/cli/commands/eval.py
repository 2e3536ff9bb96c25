"""cg eval: the value of an expression."""

from __future__ import annotations

from cgcli.annotations import Any
from cgcli.cli import output
from cgcli.cli.expression import expression_command
from cgcli.cli.options import ACCURACY_OPTION, RESULT_OPTIONS, SUM_OPTIONS, Whole, flag, option
from cgcli.cli.request import Request, Task
from cgcli.cli.say import echo
from cgcli.errors import UsageError
from cgcli.printing import values

_WHOLE = flag("--whole", help="Compute all rows at once, with columns as vectors: x - mean(x), cumsum(x).")
_UNCERTAINTY = (
    option("--u", name="errors", metavar="x=ux,y=5%", multiple=True,
           help="The uncertainty of names: a number, a column, an expression of such."),
    option("--corr", metavar="x,y=0.5", multiple=True, help="How two names with uncertainties are correlated."),
    flag("--budget", help="Print how much of the uncertainty comes from each name; of rows, each share."),
    flag("--second-order", help="Add the terms of second derivatives, and print how far they shift the mean."),
    option("--monte-carlo", kind=Whole(2, 10**7), metavar="N",
           help="Make N trials with random normal values, as a check."),
    option("--seed", kind=Whole(0, 10**9 - 1), default=0, metavar="N", help="Of random values."),
)  # fmt: skip


@expression_command("eval", *RESULT_OPTIONS, ACCURACY_OPTION, _WHOLE, *SUM_OPTIONS, *_UNCERTAINTY, takes_rows=True)
def command(request: Request, *, whole: bool, summed: bool, mean: bool, **uncertainty: Any) -> None:
    """Print the value of EXPR.

    \b
    cg eval 'sqrt(x^2 + y^2)' x=3 y=4          5
    cg eval 'X @ w' X=[[1,2],[3,4]] w=[1,1]    [3, 7]
    cg eval -x^2 x=3                           -9
    cg eval 'r = x/y; (r, r^2)' x=6 y=2        a line for each of several results

    EXPR may be '-' (read it from standard input), or come from -f FILE. A value is a number, a
    constant expression (pi/2), an array ([[1,2],[3,4]]), or a file: @x.npy, @x.json, @x.csv.

    \b
    cg eval 'sqrt(x^2 + y^2)' points.csv       each row, and its value behind it
    … | cg eval x/total total=7 -              rows from standard input
    cg eval 'exp(-x^2)' x=-3:3:601             601 points from -3 to 3, as CSV
    cg eval 'x*y' points.csv --mean            one number: the mean over all rows

    Columns give values to names; name=value holds for all rows. {what is read and written};
    --json writes JSON lines, an object for each row.

    \b
    cg eval 'x*y' x=2±0.1 y=3+/-0.2 --corr x,y=0.5    value and standard uncertainty
    cg eval 'x*y' points.csv --u x=ux,y=5%            columns value and std_error
    """
    if request.operands.uncertain or any(uncertainty.values()):
        if whole or summed or mean:
            option = "--whole" if whole else "--sum" if summed else "--mean"
            raise UsageError("uncertainties are of one point, or of rows one by one", hint=f"leave out {option}")
        from cgcli.cli import propagated

        propagated.run(request, uncertainty)
        return
    if summed or mean:
        if whole:
            raise UsageError("--whole has columns for vectors, whose sum is sum(x)", hint="leave out --sum and --mean")
        from cgcli.cli.rows import added, results

        added.run(request, results.value, summed=summed, mean=mean)
        return
    if whole:
        if request.accuracy:
            raise UsageError("--accuracy is for one point, or for rows one by one", hint="leave out --whole")
        from cgcli.cli.rows import whole as at_once

        at_once.run(request)
        return
    if request.operands.over_rows:
        from cgcli.cli.rows import each, results

        each.run(request, results.value)
        return
    _show_value(request.task())


def _show_value(task: Task) -> None:
    """Print the value, with its right digits where they were asked for."""
    from cgcli.evaluate.limits import check_result

    request = task.request
    check_result(task.point.graph.outputs, "the value")
    if request.accuracy:
        value, digits = task.measured(lambda _: task.point.value)
        lines = [(name or "value", item) for name, item in task.point.per_output(value)]
        rights = [right for _, right in task.point.per_output(digits)]
        task.show({"value": value, "digits": digits}, output.with_digits(lines, rights))
        return
    found = task.computed(lambda _: task.point.value)
    if request.as_json or task.point.graph.names:
        task.show({"value": found}, task.point.per_output(found))
    else:
        echo(values.value(found, request.precision))
