"""cg jacobian: all derivatives of a value that is no scalar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cgcli.cli import output
from cgcli.cli.operands import (
    OPERANDS,
    PROGRAM_OPTIONS,
    RESULT_OPTIONS,
    WARNING_OPTIONS,
    WRT_OPTION,
    ExpressionCommand,
)

if TYPE_CHECKING:
    from cgcli.derivatives.jacobian import Mode


@click.command("jacobian", cls=ExpressionCommand)
@OPERANDS
@WRT_OPTION
@click.option(
    "--mode", type=click.Choice(["auto", "forward", "reverse"]), default="auto",
    help="One pass for each input (forward) or for each element of the value (reverse); auto takes the fewer.",
)  # fmt: skip
@PROGRAM_OPTIONS
@RESULT_OPTIONS
@WARNING_OPTIONS
def command(
    operands: tuple[str, ...], wrt: tuple[str, ...], mode: Mode, program_file: str | None, vars_file: str | None,
    as_json: bool, precision: int | None, strict: bool, quiet: bool,
) -> None:  # fmt: skip
    """Print the Jacobian of EXPR: the derivative of each element by each input.

    \b
    cg jacobian '[x*y, sin(x)]' x=0 y=2
    cg jacobian '(r*cos(t), r*sin(t))' r=2 t=pi/6
    cg jacobian 'A @ x' A=[[1,2],[3,4]] x=[1,1] --wrt x --json

    The table has a row for each element of the value and a column for each element of the
    inputs. In JSON, the derivative of an array by an array has the axes of both, the value's first.
    """
    from cgcli.cli.task import read_task
    from cgcli.derivatives.jacobian import elements, jacobian
    from cgcli.evaluate.limits import check_result

    task = read_task(operands, program_file, vars_file, wrt, quiet=quiet, strict=strict)
    outputs = task.graph.outputs
    task.check_inputs()
    check_result(outputs, "the Jacobian", elements(outputs) * elements(task.wrt))
    blocks = jacobian(outputs, task.wrt, task.evaluate, mode)
    task.report_kinks()
    if as_json:
        value = output.named(task.graph, task.evaluate(outputs))
        task.print_json({"value": value, "jacobian": output.named(task.graph, map(task.by_input, blocks))}, precision)
    else:
        output.matrix(task.results, task.inputs, blocks, precision)
