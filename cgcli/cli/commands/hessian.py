"""cg hessian: the second derivatives, or their product with a vector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    from cgcli.cli.seeds import weights_together
    from cgcli.cli.task import read_task

    task = read_task(operands, program_file, vars_file, wrt, quiet=quiet, strict=strict)
    task.check_inputs()
    weights = weights_together(task.graph, cotangent)
    if tangents:
        _print_product(task, weights, tangents, as_json, precision)
    else:
        _print_hessian(task, weights, as_json, precision)


def _print_hessian(task: Task, weights: list[Node], as_json: bool, precision: int | None) -> None:
    from cgcli.derivatives.hessian import hessian
    from cgcli.derivatives.jacobian import elements
    from cgcli.evaluate.limits import check_result

    check_result(task.wrt, "the Hessian", elements(task.wrt) ** 2)
    blocks = hessian(task.graph.outputs, weights, task.wrt, task.evaluate)
    task.report_kinks()
    if as_json:
        task.print_json({"value": _value(task), "hessian": task.by_input(map(task.by_input, blocks))}, precision)
    else:
        output.matrix(task.inputs, task.inputs, blocks, precision)


def _print_product(
    task: Task, weights: list[Node], tangents: tuple[str, ...], as_json: bool, precision: int | None
) -> None:
    from cgcli.cli.seeds import tangents as read_tangents
    from cgcli.derivatives.hessian import hessian_product

    moving = read_tangents(task.point, tangents)
    product = hessian_product(task.graph.outputs, weights, task.wrt, moving, task.evaluate)
    task.report_kinks()
    if as_json:
        task.print_json({"value": _value(task), "hvp": task.by_input(product)}, precision)
    else:
        output.plain(zip((f"hvp_{name}" for name in task.names), product, strict=True), precision)


def _value(task: Task) -> Any:
    return output.named(task.graph, task.evaluate(task.graph.outputs))
