"""cg check: analytic against numeric derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cgcli.cli import output
from cgcli.cli.operands import (
    COTANGENT_OPTION,
    OPERANDS,
    PROGRAM_OPTIONS,
    RESULT_OPTIONS,
    WARNING_OPTIONS,
    WRT_OPTION,
    ExpressionCommand,
)

if TYPE_CHECKING:
    from cgcli.check.check import Check

_DIFFERENT = 4  # the exit code


@click.command("check", cls=ExpressionCommand)
@OPERANDS
@WRT_OPTION
@COTANGENT_OPTION
@PROGRAM_OPTIONS
@RESULT_OPTIONS
@WARNING_OPTIONS
def command(
    operands: tuple[str, ...], wrt: tuple[str, ...], cotangent: str | None,
    program_file: str | None, vars_file: str | None,
    as_json: bool, precision: int | None, strict: bool, quiet: bool,
) -> int:  # fmt: skip
    """Check the derivatives of EXPR against numeric ones; exit 4 where one is wrong.

    \b
    cg check 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5
    cg check 'abs(x)' x=0
    cg check 'f(x) = x^3; jvp f(x; dx) = 3*x*dx; f(x)' x=2

    'central' is (f(x + h) - f(x - h))/(2h), with the longest step h at which truncation does
    not show, and '+/-' how far it can be trusted. The complex step is Im f(x + ih)/h, where all
    operations take complex numbers. Of an array, the worst element is shown; --json has all.
    """
    from cgcli.check.check import check
    from cgcli.cli.checked import members, text
    from cgcli.cli.seeds import cotangents
    from cgcli.cli.task import read_task

    task = read_task(operands, program_file, vars_file, wrt, quiet=quiet, strict=strict)
    weights = cotangents(task.graph, cotangent)
    read = set(task.point.inputs)
    inputs = [node for node in task.wrt if node in read]
    values = task.evaluate(task.graph.outputs)
    task.report_kinks()
    found: Check = check(task.graph, weights, inputs, task.point.bindings)
    if as_json:
        task.print_json({"value": output.named(task.graph, values), **members(found, task.graph.names)}, precision)
    else:
        click.echo("\n".join(text(found, task.graph.names, precision)))
    return _DIFFERENT if found.mismatches else 0
