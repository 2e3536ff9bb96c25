"""cg render: the computation graph as a picture."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from cgcli.cli import operands as given
from cgcli.cli.operands import OPERANDS, PROGRAM_OPTIONS, WARNING_OPTIONS, ExpressionCommand, Whole
from cgcli.errors import UsageError

if TYPE_CHECKING:
    from cgcli.cli.point import Point
    from cgcli.cli.report import Report
    from cgcli.graph.node import Node

_BINARY = ("png", "pdf")


@click.command("render", cls=ExpressionCommand)
@OPERANDS
@click.option("-o", "--output", "target", metavar="FILE", help="The picture: .png, .svg, .pdf or .dot; '-' for stdout.")
@click.option("--format", "kind", type=click.Choice(["png", "svg", "pdf", "dot"]), help="Format, if not the suffix's.")
@click.option("--grad", is_flag=True, help="Show each node's adjoint beside its value.")
@click.option("--cotangent", metavar="VALUE", help="With --grad: weights for a value that is no scalar.")
@click.option("--rankdir", type=click.Choice(["LR", "TB", "RL", "BT"]), default="LR", help="Direction of the drawing.")
@click.option("--dpi", type=int, metavar="N", help="Resolution of a PNG, in dots per inch.")
@click.option("--precision", type=Whole(1, 17), metavar="N", help="Show N significant digits.")
@PROGRAM_OPTIONS
@WARNING_OPTIONS
def command(
    operands: tuple[str, ...], target: str | None, kind: str | None, grad: bool, cotangent: str | None,
    rankdir: str, dpi: int | None, precision: int | None, program_file: str | None, vars_file: str | None,
    strict: bool, quiet: bool,
) -> None:  # fmt: skip
    """Draw the computation graph of EXPR.

    \b
    cg render 'ln(x1) + x1*x2 - sin(x2)' -o graph.svg
    cg render 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5 --grad -o graph.png
    cg render 'x/y' -o - | dot -Tps

    With values for the names, each node shows its value; with --grad, its adjoint too. No
    Graphviz needs to be installed. '-o -' writes DOT text unless --format says otherwise.
    """
    from cgcli.cli.point import check_complete, read_point
    from cgcli.cli.report import Report
    from cgcli.render.dot import dot
    from cgcli.render.picture import kind_of

    if target is None:
        raise UsageError("where should the picture go?", hint="name a file: -o graph.png (or .svg, .pdf, .dot)")
    kind = kind or ("dot" if target == "-" else kind_of(target))
    if target == "-" and kind in _BINARY and sys.stdout.isatty():
        raise UsageError(f"a {kind} picture is not for the terminal", hint=f"write a file: -o graph.{kind}")
    point = read_point(given.split(operands, program_file), program_file, vars_file)
    if grad and point.inputs and not point.bindings:
        raise UsageError("--grad needs a value for every name", hint="as in: cg render 'x^2' x=3 --grad -o g.png")
    report = Report(point.graph, quiet=quiet, strict=strict)
    report.reading(point.read_as)
    values: dict[Node, Any] | None = None
    adjoints: dict[Node, Any] | None = None
    if point.bindings or grad:
        check_complete(point)
        report.unused(point.unused)
        values, adjoints = _numbers(point, report, grad, cotangent)
    text = dot(point.graph, values=values, adjoints=adjoints, rankdir=rankdir, precision=precision)
    _write(text, target, kind, dpi)


def _numbers(
    point: Point, report: Report, grad: bool, cotangent: str | None
) -> tuple[dict[Node, Any], dict[Node, Any] | None]:
    """Every node's value, and with `grad` the adjoint of every node that has one."""
    from cgcli.cli.compute import evaluated
    from cgcli.graph.node import toposort

    order = toposort(point.graph.outputs)
    if not grad:
        return dict(zip(order, evaluated(point, order, report, results=point.graph.outputs), strict=True)), None
    from cgcli.cli.compute import report_kinks
    from cgcli.cli.seeds import cotangents
    from cgcli.transform.differentiate import adjoints

    if cotangent is None and point.graph.names:
        weights = ", ".join("1" if at == 0 else "0" for at in range(len(point.graph.names)))
        raise UsageError(
            f"the program has {len(point.graph.names)} outputs, and the adjoints of which are to be drawn?",
            hint=f"weigh them, for the first: --cotangent '({weights})'",
        )
    by_node = adjoints(point.graph.outputs, cotangents(point.graph, cotangent), point.inputs)
    results = [*point.graph.outputs, *(by_node[node] for node in point.inputs if node in by_node)]
    numbers = evaluated(point, [*order, *by_node.values()], report, results=results)
    report_kinks(point, point.inputs, report)
    return (
        dict(zip(order, numbers[: len(order)], strict=True)),
        dict(zip(by_node, numbers[len(order) :], strict=True)),
    )


def _write(text: str, target: str, kind: str, dpi: int | None) -> None:
    from cgcli.render.picture import picture_bytes, write_picture

    if target == "-":
        sys.stdout.buffer.write(picture_bytes(text, kind, dpi=dpi))
        sys.stdout.buffer.flush()
    else:
        write_picture(text, target, kind=kind, dpi=dpi)
