"""cg trace: the evaluation trace of an expression, forwards and in reverse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cgcli.cli.operands import (
    COTANGENT_OPTION,
    OPERANDS,
    PRECISION_OPTION,
    PROGRAM_OPTIONS,
    WARNING_OPTIONS,
    WRT_OPTION,
    ExpressionCommand,
    OptionalValue,
)
from cgcli.errors import UsageError

if TYPE_CHECKING:
    from cgcli.cli.task import Task
    from cgcli.graph.node import Node
    from cgcli.trace.formulas import Mark
    from cgcli.trace.sheet import Sheet
    from cgcli.trace.steps import Trace

_KINDS = ["all", "values", "tangents", "adjoints"]


@click.command("trace", cls=ExpressionCommand)
@OPERANDS
@click.option("--tangent", "tangents", metavar="x=1,y=0", multiple=True, help="Add the tangents, in this direction.")
@click.option("--grad", is_flag=True, help="Add the adjoints in reverse order, contribution by contribution.")
@COTANGENT_OPTION
@WRT_OPTION
@click.option(
    "--blank", cls=OptionalValue, alone="all", type=click.Choice(_KINDS), metavar="[values|tangents|adjoints]",
    help="Leave the numbers out for a work sheet: all, or those of one kind.",
)  # fmt: skip
@click.option("--answers", is_flag=True, help="Print the work sheet, then the same filled in.")
@click.option(
    "--json", "as_json", is_flag=True,
    help="Print a JSON list, one object for each step; warnings are not in it, but on standard error.",
)  # fmt: skip
@click.option("--csv", "as_csv", is_flag=True, help="Print a CSV table, one row for each step.")
@click.option("--latex", "as_latex", is_flag=True, help="Print a table for LaTeX or KaTeX, to stand in math mode.")
@PROGRAM_OPTIONS
@PRECISION_OPTION
@WARNING_OPTIONS
def command(
    operands: tuple[str, ...], tangents: tuple[str, ...], grad: bool, cotangent: str | None, wrt: tuple[str, ...],
    blank: str | None, answers: bool, as_csv: bool, as_latex: bool,
    program_file: str | None, vars_file: str | None,
    as_json: bool, precision: int | None, strict: bool, quiet: bool,
) -> None:  # fmt: skip
    """Print the evaluation trace of EXPR: one line for each operation.

    \b
    cg trace 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5 --grad
    cg trace 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5 --tangent x1=1
    cg trace 'sigmoid(w*x + b)' w=2 x=1 b=-1 --grad --blank adjoints --answers

    dv1 is the tangent of v1, bar_v1 its adjoint. Parts that the program names keep their
    names. Without values for the names, the formulas stand alone. Numbers are rounded to 6
    digits, unless --precision, --json or --csv asks for more.
    """
    from cgcli.cli import output
    from cgcli.cli.seeds import tangents as read_tangents
    from cgcli.cli.task import read_task
    from cgcli.graph.node import name_of
    from cgcli.trace.records import as_csv as table
    from cgcli.trace.records import records
    from cgcli.trace.sheet import Sheet
    from cgcli.trace.steps import trace

    _check_formats(answers, [("--json", as_json), ("--csv", as_csv), ("--latex", as_latex)])
    _check_blank(blank, moves=bool(tangents), grad=grad)
    task = read_task(operands, program_file, vars_file, wrt, quiet=quiet, strict=strict, formulas_alone=True)
    moving = read_tangents(task.point, tangents) if tangents else None
    traced = trace(task.graph, task.wrt, tangents=moving, cotangents=_cotangents(task, cotangent) if grad else None)
    values = _values(task, traced)
    if answers and values is None:
        raise UsageError("answers need values", hint=f"as in: {name_of(task.point.inputs[0])}=2")
    if values and (grad or moving):
        task.report_kinks(None if grad else list(moving or ()))
    sheets = [Sheet(values, _left_out(blank or ("all" if answers else "")))]
    if answers:
        sheets.append(Sheet(values))
    if as_json:
        output.as_json(records(traced, sheets[0]), precision)
    elif as_csv:
        click.echo(table(traced, sheets[0], precision))
    else:
        click.echo(_printed(traced, sheets, precision, as_latex))


def _check_formats(answers: bool, formats: Sequence[tuple[str, bool]]) -> None:
    chosen = [name for name, given in formats if given]
    if len(chosen) > 1:
        raise UsageError(f"{chosen[0]} and {chosen[1]} are two formats", hint="choose one")
    if answers and chosen and chosen != ["--latex"]:
        raise UsageError(f"{chosen[0]} prints one sheet, and --answers asks for two", hint="leave one of them out")


def _check_blank(blank: str | None, *, moves: bool, grad: bool) -> None:
    if blank == "tangents" and not moves:
        raise UsageError("there are no tangents to leave out", hint="add them, as in: --tangent x=1")
    if blank == "adjoints" and not grad:
        raise UsageError("there are no adjoints to leave out", hint="add them with --grad")


def _cotangents(task: Task, cotangent: str | None) -> list[Node]:
    from cgcli.cli.seeds import cotangents

    names = task.graph.names
    if cotangent is None and names:
        weights = ", ".join("1" if at == 0 else "0" for at in range(len(names)))
        raise UsageError(
            f"the program has {len(names)} outputs, and the adjoints of which are to be traced?",
            hint=f"weigh them, for the first: --cotangent '({weights})'",
        )
    return cotangents(task.graph, cotangent)


def _values(task: Task, traced: Trace) -> dict[Node, Any] | None:
    """The value of every node of the trace; None where the names have none."""
    from cgcli.cli.compute import evaluated

    point = task.point
    if point.inputs and not point.bindings:
        return None
    nodes = list(dict.fromkeys(traced.nodes()))
    outputs = task.graph.outputs
    pushed = [step.tangent for step in traced.steps if step.tangent and step.value in outputs]
    results = [*outputs, *pushed, *traced.gradient.values()]
    return dict(zip(nodes, evaluated(point, nodes, task.report, results=results), strict=True))


def _left_out(blank: str) -> list[Mark]:
    from cgcli.trace.formulas import Mark

    return [mark for mark in Mark if blank in ("all", mark.value)]


def _printed(traced: Trace, sheets: Sequence[Sheet], precision: int | None, in_latex: bool) -> str:
    """The sheets; a second one is the answers to the first."""
    from cgcli.trace.latex import as_latex
    from cgcli.trace.text import as_text

    write, between = (as_latex, "\n\n") if in_latex else (as_text, "\n\n\nanswers\n\n")
    return between.join(write(traced, sheet, precision) for sheet in sheets)
