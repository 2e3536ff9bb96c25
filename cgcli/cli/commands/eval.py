"""cg eval: the value of an expression."""

from __future__ import annotations

from cgcli.cli import output
from cgcli.cli.options import ACCURACY_OPTION, RESULT_OPTIONS, flag
from cgcli.cli.request import Request, expression_command
from cgcli.cli.say import echo
from cgcli.errors import UsageError
from cgcli.printing import values

_WHOLE = flag("--whole", help="Compute all rows at once, with columns as vectors: x - mean(x), cumsum(x).")


@expression_command("eval", *RESULT_OPTIONS, ACCURACY_OPTION, _WHOLE, takes_rows=True)
def command(request: Request, *, whole: bool) -> None:
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

    Columns give values to names; name=value holds for all rows. {titles}, compressed with
    gzip or zstd, are read and written; --json writes JSON lines, an object for each row.
    """
    from cgcli.evaluate.limits import check_result

    if whole:
        if request.accuracy:
            raise UsageError("--accuracy is for one point, or for rows one by one", hint="leave out --whole")
        from cgcli.cli.rows import whole as at_once

        at_once.run(request)
        return
    if request.operands.over_rows:
        from cgcli.cli.rows import results, table

        table.run(request, results.value)
        return
    task = request.task()
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
