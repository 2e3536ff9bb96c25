"""cg hessian: the second derivatives, or their product with a vector."""

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
from cgcli.errors import UsageError

if TYPE_CHECKING:
    from cgcli.cli.task import Task
    from cgcli.graph.node import Node


@click.command("hessian", cls=ExpressionCommand)
@OPERANDS
@WRT_OPTION
@click.option(
    "--tangent", "tangents", metavar="x=1,y=0", multiple=True,
    help="Print the product of the Hessian with this vector instead; names not given are 0 in it.",
)  # fmt: skip
@COTANGENT_OPTION
@PROGRAM_OPTIONS
@RESULT_OPTIONS
@WARNING_OPTIONS
def command(
    operands: tuple[str, ...], wrt: tuple[str, ...], tangents: tuple[str, ...], cotangent: str | None,
    program_file: str | None, vars_file: str | None,
    as_json: bool, precision: int | None, strict: bool, quiet: bool,
) -> None:  # fmt: skip
    """Print the Hessian of EXPR: its second derivatives by each pair of inputs.

    \b
    cg hessian 'x^2*y + sin(y)' x=3 y=2
    cg hessian 'sum(x^3) + x[0]*x[1]' x=[1,2] --json
    cg hessian 'sum(x^4)' x=[1,2,3] --tangent 'x=[1,0,0]'

    It is computed forward over reverse. A product with a vector costs a few evaluations,
    however many inputs there are.
    """
    from cgcli.cli.seeds import cotangents
    from cgcli.cli.task import read_task

    task = read_task(operands, program_file, vars_file, wrt, quiet=quiet, strict=strict)
    if len(task.graph.outputs) > 1:
        raise UsageError(
            f"the program has {len(task.graph.outputs)} results, and the Hessian of which is wanted?",
            hint="end it with one: a sum of them, or the one that is meant",
        )
    (weight,) = cotangents(task.graph, cotangent)
    if tangents:
        _print_product(task, weight, tangents, as_json, precision)
    else:
        _print_hessian(task, weight, as_json, precision)


def _print_hessian(task: Task, weight: Node, as_json: bool, precision: int | None) -> None:
    from cgcli.derivatives.hessian import hessian
    from cgcli.derivatives.jacobian import elements
    from cgcli.evaluate.limits import check_result

    check_result(task.wrt, "the Hessian", elements(task.wrt) ** 2)
    blocks = hessian(task.graph.output, weight, task.wrt, task.evaluate)
    task.report_kinks()
    if as_json:
        (value,) = task.evaluate(task.graph.outputs)
        rows = [dict(zip(task.names, row, strict=True)) for row in blocks]
        content = {"value": value, "hessian": dict(zip(task.names, rows, strict=True))}
        output.as_json({**content, "warnings": task.report.entries}, precision)
    else:
        output.matrix(task.inputs, task.inputs, blocks, precision)


def _print_product(task: Task, weight: Node, tangents: tuple[str, ...], as_json: bool, precision: int | None) -> None:
    from cgcli.cli.seeds import tangents as read_tangents
    from cgcli.derivatives.hessian import hessian_product

    product = hessian_product(task.graph.output, weight, task.wrt, read_tangents(task.point, tangents), task.evaluate)
    task.report_kinks()
    if as_json:
        (value,) = task.evaluate(task.graph.outputs)
        content = {"value": value, "hvp": dict(zip(task.names, product, strict=True))}
        output.as_json({**content, "warnings": task.report.entries}, precision)
    else:
        output.plain(zip((f"hvp_{name}" for name in task.names), product, strict=True), precision)
