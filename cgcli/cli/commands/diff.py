"""cg diff: the derivative as a formula."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from cgcli.graph.node import Graph


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

    A name that is given a number is replaced by it, and the derivative is taken by the other
    names. --wrt chooses among all of them; a number for one that is chosen is not used. An
    array that is given only tells its shape. Several names give several results, '(d_x, d_y)'.

    The formula is simplified as by cg simplify, and holds where the derivative exists: at a
    kink it follows one side of it, and prod(x)/x is nan where an element of x is 0. What cg
    grad computes is right there too, with its conventions at kinks.
    """
    from cgcli.cli.symbolic import each, read_symbolic, written, written_in_latex
    from cgcli.derivatives.formula import called, derivative
    from cgcli.graph.node import name_of

    program = given.split(operands, program_file)
    graph, nodes = read_symbolic(program, program_file, vars_file, wrt, order, cotangent, quiet=quiet, strict=strict)
    slopes = derivative(graph, nodes, order)
    names = [name_of(node) for node in nodes]

    def text(formulas: Graph, names: Sequence[str]) -> str:
        return written_in_latex(formulas, names, order, flat=flat) if as_latex else written(formulas, flat=flat)

    if as_json:
        parts = zip(called(nodes, order), each(slopes), names, strict=True)
        output.as_json({key: text(formula, [name]) for key, formula, name in parts}, None)
    else:
        click.echo(text(slopes, names))
