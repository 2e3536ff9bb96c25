"""cg grad: the value of an expression and its derivatives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from cgcli.cli import output
from cgcli.cli.operands import (
    COTANGENT_OPTION,
    OPERANDS,
    ORDER_OPTIONS,
    PROGRAM_OPTIONS,
    RESULT_OPTIONS,
    WARNING_OPTIONS,
    WRT_OPTION,
    ExpressionCommand,
)
from cgcli.errors import UsageError

if TYPE_CHECKING:
    from cgcli.cli.task import Task
    from cgcli.derivatives.gradient import Gradient


@click.command("grad", cls=ExpressionCommand)
@OPERANDS
@WRT_OPTION
@click.option("--mode", type=click.Choice(["reverse", "forward"]), help="Same numbers, another way (default: reverse).")
@COTANGENT_OPTION
@ORDER_OPTIONS
@PROGRAM_OPTIONS
@RESULT_OPTIONS
@WARNING_OPTIONS
def command(
    operands: tuple[str, ...], wrt: tuple[str, ...], mode: str | None, cotangent: str | None, order: int, taylor: bool,
    program_file: str | None, vars_file: str | None,
    as_json: bool, precision: int | None, strict: bool, quiet: bool,
) -> None:  # fmt: skip
    """Print the value of EXPR and its derivative by each name.

    \b
    cg grad 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5
    cg grad 'mean((X@w - y)^2)' --vars data.json --wrt w
    cg grad 'x^2 + 2*x + 1' x=[2,3] --cotangent '[1,1]'

    Derivatives are exact. The reverse mode computes all of them at the cost of a few
    evaluations, however many names there are. A program that ends with several results,
    '(a, b)', has a gradient for each. --order N goes on to the N-th derivative by one number.
    """
    from cgcli.cli.seeds import cotangents
    from cgcli.cli.task import read_task
    from cgcli.derivatives.gradient import forward_gradients, reverse_gradients

    task = read_task(operands, program_file, vars_file, wrt, quiet=quiet, strict=strict)
    if order > 1 or taylor:
        if mode == "reverse" or cotangent is not None:
            raise UsageError("derivatives of higher order are computed forward, and of each element of the value")
        _print_orders(task, order, taylor, as_json, precision)
        return
    compute = forward_gradients if mode == "forward" else reverse_gradients
    gradients = compute(task.graph.outputs, cotangents(task.graph, cotangent), task.wrt, task.evaluate)
    task.report_kinks()
    if as_json:
        value = output.named(task.graph, [gradient.value for gradient in gradients])
        grad = output.named(
            task.graph, [dict(zip(task.names, gradient.partials, strict=True)) for gradient in gradients]
        )
        output.as_json({"value": value, "grad": grad, "warnings": task.report.entries}, precision)
    else:
        output.plain(_rows(task.graph.names, task.names, gradients), precision)


def _rows(outputs: Sequence[str], names: Sequence[str], gradients: Sequence[Gradient]) -> Iterator[tuple[str, Any]]:
    """`value`, `d_x`, …; with several outputs a block for each: `a`, `d_a/d_x`, …."""
    for output_name, (value, partials) in zip(outputs or [""], gradients, strict=True):
        yield output_name or "value", value
        over = f"d_{output_name}/" if output_name else ""
        yield from ((f"{over}d_{name}", array) for name, array in zip(names, partials, strict=True))


def _print_orders(task: Task, order: int, taylor: bool, as_json: bool, precision: int | None) -> None:
    """The derivatives by one scalar, up to an order."""
    from cgcli.cli import orders
    from cgcli.graph.node import constant
    from cgcli.ops.statics import shape_text

    if len(task.wrt) != 1 or task.wrt[0].shape:
        inputs = ", ".join(f"{item.name} {shape_text(item.shape)}" if item.shape else item.name for item in task.inputs)
        raise UsageError(
            f"--order goes by one input that is a number, and the inputs are: {inputs or 'none'}",
            hint="choose it with --wrt x; or along a direction: cg jvp --tangent x=1,y=2 --order N; or cg hessian",
        )
    (name,) = task.names
    found = orders.series(task, {task.wrt[0]: constant(1.0)}, order)
    if as_json:
        value = output.named(task.graph, [numbers[0] for numbers in found])
        grad = output.named(task.graph, [{name: numbers[1]} for numbers in found])
        content = {"value": value, "grad": grad, **orders.members(task, found, taylor=taylor)}
        output.as_json({**content, "warnings": task.report.entries}, precision)
    else:
        rows = orders.rows(task, found, lambda of, k: f"d{k}_{of}/d_{name}" if of else f"d{k}_{name}", taylor=taylor)
        output.plain(rows, precision)
