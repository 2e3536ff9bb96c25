"""cg plan: how an expression is computed over many rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cgcli.cli import operands as given
from cgcli.cli import output
from cgcli.cli.operands import (
    COTANGENT_OPTION,
    OPERANDS,
    PROGRAM_OPTIONS,
    WARNING_OPTIONS,
    WRT_OPTION,
    ExpressionCommand,
)

if TYPE_CHECKING:
    from cgcli.graph.node import Graph, Node


@click.command("plan", cls=ExpressionCommand)
@OPERANDS
@click.option("--grad", is_flag=True, help="Plan the value with its derivatives.")
@WRT_OPTION
@COTANGENT_OPTION
@PROGRAM_OPTIONS
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@WARNING_OPTIONS
def command(
    operands: tuple[str, ...], grad: bool, wrt: tuple[str, ...], cotangent: str | None,
    program_file: str | None, vars_file: str | None, as_json: bool, strict: bool, quiet: bool,
) -> None:  # fmt: skip
    """Print how EXPR is computed over many rows.

    \b
    cg plan 'ln(x1) + x1*x2 - sin(x2)' --grad
    cg plan 'sum(softmax(w)*[x, y, 1])' w=[1,2,3]
    cg plan -f program.cg --wrt x --json

    Names with a value hold for all rows, and what depends on them alone is computed once; the
    others vary. Rows go in blocks that fit the cache; where several threads share them, each
    takes up to four times as many. Each step takes a buffer (b1, b2, …) that nobody else needs
    meanwhile, or writes a result straight away.
    """
    from cgcli.cli.point import chosen_inputs, read_point
    from cgcli.cli.report import Report
    from cgcli.cli.schedule import schedule, table
    from cgcli.evaluate.plan import bytes_of, plan
    from cgcli.graph.node import name_of

    point = read_point(given.split(operands, program_file), program_file, vars_file)
    report = Report(point.graph, quiet=quiet, strict=strict)
    report.reading(point.read_as)
    nodes, absent = chosen_inputs(point, ",".join(wrt) if wrt else None)
    report.unused(tuple(name for name in point.unused if name not in absent))
    names, outputs = zip(*_results(point.graph, nodes if grad or wrt else [], cotangent), strict=True)
    fixed = [node for node in point.inputs if name_of(node) in point.bindings]
    made = plan(outputs, [node for node in point.inputs if node not in fixed], fixed)
    found = schedule(made, names)
    if not as_json:
        click.echo("\n".join(table(made, found)))
        return
    content = {
        "once": [line._asdict() for line in found.once],
        "steps": [line._asdict() for line in found.steps],
        "flops": sum(line.flops for line in found.steps),
        "bytes": sum(line.bytes for line in found.steps),
        "buffers": {"before": len(made.without_reuse), "after": len(made.buffers)},
        "row_bytes": {"before": bytes_of(made.without_reuse), "after": made.row_bytes},
        "rows": made.rows,
        "peak": made.rows * made.row_bytes,
        "warnings": report.entries,
    }
    output.as_json(content, None)


def _results(graph: Graph, wrt: Sequence[Node], cotangent: str | None) -> list[tuple[str, Node]]:
    """What is computed, with its name: as the rows of `cg grad` are called."""
    from cgcli.cli.seeds import cotangents
    from cgcli.derivatives.gradient import gradient_columns

    return gradient_columns(graph, cotangents(graph, cotangent) if wrt else graph.outputs, wrt)
