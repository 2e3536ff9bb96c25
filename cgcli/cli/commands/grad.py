"""cg grad: the value of an expression and its derivatives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from cgcli.cli import operands as given
from cgcli.cli import output
from cgcli.cli.operands import OPERANDS, PROGRAM_OPTIONS, RESULT_OPTIONS, WARNING_OPTIONS, ExpressionCommand

if TYPE_CHECKING:
    from cgcli.cli.gradient import Gradient


@click.command("grad", cls=ExpressionCommand)
@OPERANDS
@click.option("--wrt", metavar="x,y", multiple=True, help="Differentiate by these names (default: all of them).")
@click.option("--mode", type=click.Choice(["reverse", "forward"]), default="reverse", help="Same numbers, another way.")
@click.option(
    "--cotangent",
    metavar="VALUE",
    help="Weights for the elements of a value that is no scalar; for several results '(V, V)'.",
)
@PROGRAM_OPTIONS
@RESULT_OPTIONS
@WARNING_OPTIONS
def command(
    operands: tuple[str, ...], wrt: tuple[str, ...], mode: str, cotangent: str | None,
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
    '(a, b)', has a gradient for each.
    """
    from cgcli.cli.gradient import forward_gradients, report_kinks, reverse_gradients, seeds
    from cgcli.cli.point import check_complete, chosen_inputs, read_point
    from cgcli.cli.report import Report
    from cgcli.errors import did_you_mean
    from cgcli.graph.node import name_of

    point = read_point(given.split(operands, program_file), program_file, vars_file)
    check_complete(point)
    report = Report(point.graph, quiet=quiet, strict=strict)
    report.reading(point.read_as)
    nodes, absent = chosen_inputs(point, ",".join(wrt) if wrt else None)
    report.unused(tuple(name for name in point.unused if name not in absent))
    for name in absent:
        near = did_you_mean(name, [name_of(node) for node in point.inputs])
        report.warn(f"'{name}' is not in the expression: its derivative is 0", near, kind="absent")
    cotangents = seeds(point.graph, cotangent)
    compute = reverse_gradients if mode == "reverse" else forward_gradients
    gradients = compute(point, nodes, cotangents, report)
    report_kinks(point, nodes, report)
    names = [name_of(node) for node in nodes]
    if as_json:
        value = output.named(point.graph, [gradient.value for gradient in gradients])
        grad = output.named(point.graph, [dict(zip(names, gradient.partials, strict=True)) for gradient in gradients])
        output.as_json({"value": value, "grad": grad, "warnings": report.entries}, precision)
    else:
        output.plain(_rows(point.graph.names, names, gradients), precision)


def _rows(outputs: Sequence[str], names: Sequence[str], gradients: Sequence[Gradient]) -> Iterator[tuple[str, Any]]:
    """`value`, `d_x`, …; with several outputs a block for each: `a`, `d_a/d_x`, …."""
    for output_name, (value, partials) in zip(outputs or [""], gradients, strict=True):
        yield output_name or "value", value
        over = f"d_{output_name}/" if output_name else ""
        yield from ((f"{over}d_{name}", array) for name, array in zip(names, partials, strict=True))
