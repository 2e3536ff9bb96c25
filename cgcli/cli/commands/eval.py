"""cg eval: the value of an expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cgcli.cli import operands as given
from cgcli.cli import output
from cgcli.cli.operands import (
    PROGRAM_OPTIONS,
    RESULT_OPTIONS,
    ROWS_OPERANDS,
    ROWS_OPTIONS,
    WARNING_OPTIONS,
    ExpressionCommand,
)
from cgcli.printing import values

if TYPE_CHECKING:
    from cgcli.cli.point import Point
    from cgcli.cli.report import Report
    from cgcli.graph.node import Node


@click.command("eval", cls=ExpressionCommand)
@ROWS_OPERANDS
@PROGRAM_OPTIONS
@RESULT_OPTIONS
@WARNING_OPTIONS
@ROWS_OPTIONS
def command(
    operands: tuple[str, ...], program_file: str | None, vars_file: str | None,
    as_json: bool, precision: int | None, strict: bool, quiet: bool, **rows: Any,
) -> None:  # fmt: skip
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

    Columns give values to names; name=value holds for all rows. CSV, TSV, JSON lines, JSON,
    Parquet, Arrow, npy and npz, compressed with gzip or zstd, are read and written; --json
    writes JSON lines, an object for each row.
    """
    from cgcli.cli.compute import evaluated
    from cgcli.cli.point import check_complete, read_point
    from cgcli.cli.report import Report
    from cgcli.evaluate.limits import check_result

    split = given.split(operands, program_file)
    if split.over_rows:
        from cgcli.cli.rows import table

        options = table.Options(as_json=as_json, precision=precision, strict=strict, quiet=quiet, **rows)
        table.run(split, program_file, vars_file, _columns, options)
        return
    given.check_one_point(rows)
    point = read_point(split, program_file, vars_file)
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


def _columns(point: Point, report: Report, called: str) -> list[tuple[str, Node]]:
    """What is computed for each row."""
    report.unused(point.unused)
    return list(zip(point.graph.names or [called], point.graph.outputs, strict=True))
