"""cg simplify: the program again, in canonical form."""

from __future__ import annotations

import click

from cgcli.cli import operands as given
from cgcli.cli import output
from cgcli.cli.operands import OPERANDS, PROGRAM_OPTIONS, WARNING_OPTIONS, ExpressionCommand


@click.command("simplify", cls=ExpressionCommand)
@OPERANDS
@click.option("--exact", "only_exact", is_flag=True, help="Only what changes no value anywhere, nan and inf included.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@PROGRAM_OPTIONS
@WARNING_OPTIONS
def command(
    operands: tuple[str, ...], only_exact: bool, as_json: bool, program_file: str | None, vars_file: str | None,
    strict: bool, quiet: bool,
) -> None:  # fmt: skip
    """Print EXPR in a simpler form, as a program.

    \b
    cg simplify '2*x + x*3 + sin(y)^2 + cos(y)^2'    5*x + 1
    cg simplify 'a*x + a*x' a=3                      6*x
    cg simplify 'x/x^2' | cg grad - x=2

    Like terms are collected, powers merged, factors and terms put in order, so that equal
    formulas look the same. The value stays the same wherever it is finite, up to rounding;
    x/x is 1 even at 0. Names with a value are replaced by it.
    """
    from cgcli.algebra.algebraic import simplify
    from cgcli.cli.point import read_point
    from cgcli.cli.report import Report
    from cgcli.evaluate.constants import as_constant
    from cgcli.graph.node import apply, name_of
    from cgcli.printing.program import program
    from cgcli.transform.exact import exact
    from cgcli.transform.substitute import rebuilt

    point = read_point(given.split(operands, program_file), program_file, vars_file)
    report = Report(point.graph, quiet=quiet, strict=strict)
    report.reading(point.read_as)
    report.unused(point.unused)
    bound = [node for node in point.inputs if name_of(node) in point.bindings]
    known = {node: as_constant(point.bindings[name_of(node)]) for node in bound}
    graph = rebuilt(point.graph, exact if only_exact else apply, known)
    text = program(graph if only_exact else simplify(graph))
    if as_json:
        output.as_json({"program": text, "warnings": report.entries}, None)
    else:
        click.echo(text)
