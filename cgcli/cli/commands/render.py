"""cg render: the computation graph as a picture."""

from __future__ import annotations

import sys

import click

from cgcli.cli.options import PRECISION_OPTION
from cgcli.cli.request import Request, expression_command
from cgcli.errors import UsageError

_BINARY = ("png", "pdf")


@expression_command(
    "render",
    click.option("-o", "--output", "target", metavar="FILE",
                 help="The picture: .png, .svg, .pdf or .dot; '-' for stdout."),
    click.option("--format", "kind", type=click.Choice(["png", "svg", "pdf", "dot"]),
                 help="Format, if not the suffix's."),
    click.option("--grad", is_flag=True, help="Show each node's adjoint beside its value."),
    click.option("--cotangent", metavar="VALUE", help="With --grad: weights for a value that is no scalar."),
    click.option("--rankdir", type=click.Choice(["LR", "TB", "RL", "BT"]), default="LR",
                 help="Direction of the drawing."),
    click.option("--dpi", type=int, metavar="N", help="Resolution of a PNG, in dots per inch."),
    PRECISION_OPTION,
    needs_values=False,
)  # fmt: skip
def command(request: Request, target: str | None, kind: str | None, grad: bool, rankdir: str, dpi: int | None) -> None:
    """Draw the computation graph of EXPR.

    \b
    cg render 'ln(x1) + x1*x2 - sin(x2)' -o graph.svg
    cg render 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5 --grad -o graph.png
    cg render 'x/y' -o - | dot -Tps

    With values for the names, each node shows its value; with --grad, its adjoint too. No
    Graphviz needs to be installed. '-o -' writes DOT text unless --format says otherwise.
    """
    from cgcli.api.views import values_and_adjoints
    from cgcli.render.dot import dot
    from cgcli.render.picture import kind_of, picture_bytes, write_picture

    if target is None:
        raise UsageError("where should the picture go?", hint="name a file: -o graph.png (or .svg, .pdf, .dot)")
    kind = kind or ("dot" if target == "-" else kind_of(target))
    if target == "-" and kind in _BINARY and sys.stdout.isatty():
        raise UsageError(f"a {kind} picture is not for the terminal", hint=f"write a file: -o graph.{kind}")
    task = request.task(without_values=True)
    point = task.point
    if grad and point.inputs and not point.bindings:
        raise UsageError("--grad needs a value for every name", hint="as in: cg render 'x^2' x=3 --grad -o g.png")
    values, adjoints = None, None
    if point.bindings or grad:
        values, adjoints = values_and_adjoints(point, task.evaluate, request.cotangents() if grad else None, grad=grad)
    text = dot(point.graph, values=values, adjoints=adjoints, rankdir=rankdir, precision=request.precision)
    if target == "-":
        sys.stdout.buffer.write(picture_bytes(text, kind, dpi=dpi))
        sys.stdout.buffer.flush()
    else:
        write_picture(text, target, kind=kind, dpi=dpi)
