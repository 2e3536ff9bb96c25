"""cg jvp: the derivative along a direction, in one forward pass; of higher order too."""

from __future__ import annotations

import click

from cgcli.cli import output
from cgcli.cli.operands import (
    OPERANDS,
    ORDER_OPTIONS,
    PROGRAM_OPTIONS,
    RESULT_OPTIONS,
    TANGENT_OPTION,
    WARNING_OPTIONS,
    ExpressionCommand,
)
from cgcli.printing.values import within


@click.command("jvp", cls=ExpressionCommand)
@OPERANDS
@TANGENT_OPTION
@ORDER_OPTIONS
@PROGRAM_OPTIONS
@RESULT_OPTIONS
@WARNING_OPTIONS
def command(
    operands: tuple[str, ...], tangents: tuple[str, ...], order: int, taylor: bool,
    program_file: str | None, vars_file: str | None,
    as_json: bool, precision: int | None, strict: bool, quiet: bool,
) -> None:  # fmt: skip
    """Print the value of EXPR and the product of its Jacobian with a tangent.

    \b
    cg jvp 'x^2*y' x=3 y=2 --tangent x=1,y=0
    cg jvp 'A @ x' A=[[1,2],[3,4]] x=[1,1] --tangent 'x=[1,-1]'
    cg jvp 'exp(x)*sin(y)' x=0 y=0 --tangent x=1,y=2 --order 3 --taylor

    This is the derivative of EXPR at t = 0 when each input moves as x + t*tangent. Names
    without a tangent stand still. --order N goes on to the N-th derivative by t.
    """
    from cgcli.cli import orders
    from cgcli.cli.seeds import tangents as read_tangents
    from cgcli.cli.task import read_task

    task = read_task(operands, program_file, vars_file, (), quiet=quiet, strict=strict)
    found = orders.series(task, read_tangents(task.point, tangents), order)
    if as_json:
        value, jvp = (output.named(task.graph, [numbers[k] for numbers in found]) for k in (0, 1))
        task.print_json({"value": value, "jvp": jvp, **orders.members(task, found, taylor=taylor)}, precision)
    else:
        output.plain(orders.rows(task, found, _called, taylor=taylor), precision)


def _called(name: str, order: str) -> str:
    return f"jvp{order}_{within(name)}" if name else f"jvp{order}"
