"""cg grad: the value of an expression and its derivatives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cgcli.cli import operands as given
from cgcli.cli import output
from cgcli.cli.operands import (
    COTANGENT_OPTION,
    ORDER_OPTIONS,
    PREFIX_OPTION,
    PROGRAM_OPTIONS,
    RESULT_OPTIONS,
    ROWS_OPERANDS,
    ROWS_OPTIONS,
    WARNING_OPTIONS,
    WRT_OPTION,
    ExpressionCommand,
)
from cgcli.errors import UsageError

if TYPE_CHECKING:
    from cgcli.cli.point import Point
    from cgcli.cli.report import Report
    from cgcli.cli.task import Task
    from cgcli.derivatives.gradient import Gradient
    from cgcli.graph.node import Node


@click.command("grad", cls=ExpressionCommand)
@ROWS_OPERANDS
@WRT_OPTION
@click.option("--mode", type=click.Choice(["reverse", "forward"]), help="Same numbers, another way (default: reverse).")
@COTANGENT_OPTION
@ORDER_OPTIONS
@PROGRAM_OPTIONS
@RESULT_OPTIONS
@WARNING_OPTIONS
@ROWS_OPTIONS
@PREFIX_OPTION
def command(
    operands: tuple[str, ...], wrt: tuple[str, ...], mode: str | None, cotangent: str | None, order: int, taylor: bool,
    program_file: str | None, vars_file: str | None,
    as_json: bool, precision: int | None, strict: bool, quiet: bool, prefix: str, **rows: Any,
) -> None:  # fmt: skip
    """Print the value of EXPR and its derivative by each name.

    \b
    cg grad 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5
    cg grad 'mean((X@w - y)^2)' --vars data.json --wrt w
    cg grad 'x^2 + 2*x + 1' x=[2,3] --cotangent '[1,1]'

    Derivatives are exact. The reverse mode computes all of them at the cost of a few
    evaluations, however many names there are. A program that ends with several results,
    '(a, b)', has a gradient for each. --order N goes on to the N-th derivative by one number.

    \b
    cg grad 'ln(x1) + x1*x2 - sin(x2)' points.csv    each row, then value, d_x1, d_x2
    … | cg grad 'x^k' k=3 --wrt x -                  rows from standard input
    cg grad 'sin(x)' x=0:2*pi:201                    201 points, as CSV

    Columns give values to names; name=value holds for all rows. CSV, TSV, JSON lines, JSON,
    Parquet, Arrow, npy and npz, compressed with gzip or zstd, are read and written; --json
    writes JSON lines, an object for each row.
    """
    from cgcli.cli.seeds import cotangents
    from cgcli.cli.task import read_task
    from cgcli.derivatives.gradient import forward_gradients, reverse_gradients

    split = given.split(operands, program_file)
    if split.over_rows:
        if order > 1 or taylor or mode == "forward":
            raise UsageError("over rows, cg grad computes first derivatives, in reverse mode",
                             hint="leave out --mode, --order and --taylor")  # fmt: skip
        from cgcli.cli.rows import table

        options = table.Options(as_json=as_json, precision=precision, strict=strict, quiet=quiet, **rows)
        columns = partial(_columns, wrt=wrt, cotangent=cotangent, prefix=prefix)
        table.run(split, program_file, vars_file, columns, options)
        return
    given.check_one_point({"prefix": prefix, **rows})
    task = read_task(operands, program_file, vars_file, wrt, quiet=quiet, strict=strict)
    if order > 1 or taylor:
        option = f"--order {order}" if order > 1 else "--taylor"
        if mode == "reverse":
            raise UsageError(f"{option} is computed in forward mode", hint="leave out --mode reverse")
        if cotangent is not None:
            raise UsageError(f"{option} is for each element of the value, and --cotangent {cotangent} adds them up",
                             hint="weigh the elements in the expression, as in: sum([1, 2]*v)")  # fmt: skip
        _print_orders(task, order, taylor, as_json, precision)
        return
    compute = forward_gradients if mode == "forward" else reverse_gradients
    gradients = compute(task.graph.outputs, cotangents(task.graph, cotangent), task.wrt, task.evaluate)
    task.report_kinks()
    if as_json:
        value = output.named(task.graph, [gradient.value for gradient in gradients])
        grad = output.named(task.graph, [task.by_input(gradient.partials) for gradient in gradients])
        task.print_json({"value": value, "grad": grad}, precision)
    else:
        output.plain(_rows(task.graph.names, task.names, gradients), precision)


def _columns(
    point: Point, report: Report, called: str, *, wrt: Sequence[str], cotangent: str | None, prefix: str
) -> list[tuple[str, Node]]:
    """What is computed for each row: a value and its derivatives, named as in the lines of one point."""
    from cgcli.cli.point import chosen_inputs
    from cgcli.cli.seeds import cotangents
    from cgcli.cli.task import report_names
    from cgcli.derivatives.gradient import gradient_columns

    nodes, absent = chosen_inputs(point, ",".join(wrt) if wrt else None)
    report_names(point, absent, report)
    return gradient_columns(point.graph, cotangents(point.graph, cotangent), nodes, called, prefix)


def _rows(outputs: Sequence[str], names: Sequence[str], gradients: Sequence[Gradient]) -> Iterator[tuple[str, Any]]:
    """`value`, `d_x`, …; with several outputs a block for each: `a`, `d_a/d_x`, …."""
    from cgcli.derivatives.gradient import derivative_name

    for output_name, (value, partials) in zip(outputs or [""], gradients, strict=True):
        yield output_name or "value", value
        yield from ((derivative_name(output_name, name), item) for name, item in zip(names, partials, strict=True))


def _instead(wrt: Sequence[Node]) -> str:
    """What gives derivatives of higher order where the inputs are not one number."""
    from cgcli.graph.node import name_of

    if not wrt:
        return "the expression has no names, as in: x^2"
    numbers = [name_of(node) for node in wrt if not node.shape]
    choice = f"choose it with --wrt {numbers[0]}; or " if numbers else ""
    tangent = ",".join(f"{name}=1" for name in numbers[:2]) or f"'{name_of(wrt[0])}=[1, 0, …]'"
    return f"{choice}go along a direction: cg jvp --tangent {tangent} --order 2; or see cg hessian"


def _print_orders(task: Task, order: int, taylor: bool, as_json: bool, precision: int | None) -> None:
    """The derivatives by one scalar, up to an order."""
    from cgcli.cli import orders
    from cgcli.graph.node import constant
    from cgcli.graph.shapes import shape_text
    from cgcli.printing.values import within

    if len(task.wrt) != 1 or task.wrt[0].shape:
        inputs = ", ".join(f"{item.name} {shape_text(item.shape, '')}".rstrip() for item in task.inputs)
        raise UsageError(
            f"--order goes by one input that is a number, and the inputs are: {inputs or 'none'}",
            hint=_instead(task.wrt),
        )
    (name,) = task.names
    found = orders.series(task, {task.wrt[0]: constant(1.0)}, order)
    if as_json:
        value = output.named(task.graph, [numbers[0] for numbers in found])
        grad = output.named(task.graph, [{name: numbers[1]} for numbers in found])
        task.print_json({"value": value, "grad": grad, **orders.members(task, found, taylor=taylor)}, precision)
    else:

        def called(of: str, k: str) -> str:
            return f"d{k}_{within(of)}/d_{name}" if of else f"d{k}_{name}"

        output.plain(orders.rows(task, found, called, taylor=taylor), precision)
