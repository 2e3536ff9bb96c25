"""cg eval: the value of an expression."""

from __future__ import annotations

import click

from cgcli.cli import operands as given
from cgcli.cli import output
from cgcli.cli.operands import OPERANDS, PROGRAM_OPTIONS, RESULT_OPTIONS, WARNING_OPTIONS, ExpressionCommand
from cgcli.printing import values


@click.command("eval", cls=ExpressionCommand)
@OPERANDS
@PROGRAM_OPTIONS
@RESULT_OPTIONS
@WARNING_OPTIONS
def command(
    operands: tuple[str, ...], program_file: str | None, vars_file: str | None,
    as_json: bool, precision: int | None, strict: bool, quiet: bool,
) -> None:  # fmt: skip
    """Print the value of EXPR.

    \b
    cg eval 'sqrt(x^2 + y^2)' x=3 y=4          5
    cg eval 'X @ w' X=[[1,2],[3,4]] w=[1,1]    [3, 7]
    cg eval -x^2 x=3                           -9
    cg eval 'r = x/y; (r, r^2)' x=6 y=2        a line for each of several results

    EXPR may be '-' (read it from standard input), or come from -f FILE. A value is a number, a
    constant expression (pi/2), an array ([[1,2],[3,4]]), or a file: @x.npy, @x.json, @x.csv.
    """
    from cgcli.cli.compute import evaluated
    from cgcli.cli.point import check_complete, read_point
    from cgcli.cli.report import Report
    from cgcli.evaluate.limits import check_result

    point = read_point(given.split(operands, program_file), program_file, vars_file)
    check_complete(point)
    check_result(point.graph.outputs, "the value")
    report = Report(point.graph, quiet=quiet, strict=strict)
    report.reading(point.read_as)
    report.unused(point.unused)
    results = evaluated(point, point.graph.outputs, report)
    if as_json:
        output.as_json({"value": output.named(point.graph, results), "warnings": report.entries}, precision)
    elif point.graph.names:
        output.plain(zip(point.graph.names, results, strict=True), precision)
    else:
        click.echo(values.value(results[0], precision))
