"""cg vjp: the product of a cotangent with the Jacobian, in one reverse pass."""

from __future__ import annotations

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


@click.command("vjp", cls=ExpressionCommand)
@OPERANDS
@COTANGENT_OPTION
@WRT_OPTION
@PROGRAM_OPTIONS
@RESULT_OPTIONS
@WARNING_OPTIONS
def command(
    operands: tuple[str, ...], cotangent: str | None, wrt: tuple[str, ...],
    program_file: str | None, vars_file: str | None,
    as_json: bool, precision: int | None, strict: bool, quiet: bool,
) -> None:  # fmt: skip
    """Print the value of EXPR and the product of a cotangent with its Jacobian.

    \b
    cg vjp 'A @ x' A=[[1,2],[3,4]] x=[1,1] --cotangent '[1,0]'
    cg vjp '(x*y, x + y)' x=3 y=2 --cotangent '(1, 10)'

    The cotangent weighs the elements of the value; with several results there is a weight
    for each, and their products are added. One reverse pass gives the adjoint of every input.
    """
    from cgcli.cli.seeds import weights_together
    from cgcli.cli.task import read_task
    from cgcli.transform.differentiate import weighted

    task = read_task(operands, program_file, vars_file, wrt, quiet=quiet, strict=strict)
    outputs = task.graph.outputs
    adjoints = weighted(outputs, weights_together(task.graph, cotangent), task.wrt)
    numbers = task.evaluate([*outputs, *adjoints])
    values, products = numbers[: len(outputs)], numbers[len(outputs) :]
    task.report_kinks()
    if as_json:
        task.print_json({"value": output.named(task.graph, values), "vjp": task.by_input(products)}, precision)
    else:
        names = [*(task.graph.names or ["value"]), *(f"vjp_{name}" for name in task.names)]
        output.plain(zip(names, numbers, strict=True), precision)
