"""cg diff: the derivative as a formula."""

from __future__ import annotations

import click

from cgcli.cli import operands as given
from cgcli.cli import output
from cgcli.cli.operands import (
    COTANGENT_OPTION,
    OPERANDS,
    ORDER,
    PROGRAM_OPTIONS,
    WARNING_OPTIONS,
    WRT_OPTION,
    ExpressionCommand,
)


@click.command("diff", cls=ExpressionCommand)
@OPERANDS
@WRT_OPTION
@click.option("--order", type=ORDER, default=1, metavar="N", help="Differentiate N times by each name.")
@COTANGENT_OPTION
@click.option("--latex", "as_latex", is_flag=True, help="Print LaTeX instead of a program.")
@click.option("--flat", is_flag=True, help="Write everything out: no names for shared parts.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: a program for each name.")
@PROGRAM_OPTIONS
@WARNING_OPTIONS
def command(
    operands: tuple[str, ...], wrt: tuple[str, ...], order: int, cotangent: str | None, as_latex: bool, flat: bool,
    as_json: bool, program_file: str | None, vars_file: str | None, strict: bool, quiet: bool,
) -> None:  # fmt: skip
    """Print the derivative of EXPR by each name, as a formula.

    \b
    cg diff 'x^2*sin(x)' --wrt x                     x^2*cos(x) + 2*x*sin(x)
    cg diff 'a*x^2' a=3 --order 2                    6
    cg diff 'X: [10, 2]; w: [2]; y: [10]; sum((X@w - y)^2)' --wrt w
    cg diff 'x^2*sin(x)' | cg eval - x=2

    A number that is given for a name is put in its place; an array only tells its shape. So is
    the number of a name to differentiate by: the formula holds for all of them. Several names
    give several results, '(d_x, d_y)'. The formula is simplified as by cg simplify.
    """
    from cgcli.cli.symbolic import each, read_symbolic, written
    from cgcli.derivatives.formula import called, derivative

    program = given.split(operands, program_file)
    graph, nodes = read_symbolic(program, program_file, vars_file, wrt, order, cotangent, quiet=quiet, strict=strict)
    slopes = derivative(graph, nodes, order)
    if as_json:
        found = each(slopes, called(nodes, order))
        output.as_json({name: written(one, as_latex=as_latex, flat=flat) for name, one in found}, None)
    else:
        click.echo(written(slopes, as_latex=as_latex, flat=flat))
