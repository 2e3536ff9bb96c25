"""cg simplify: the program again, in canonical form."""

from __future__ import annotations

from cgcli.cli import output
from cgcli.cli.expression import expression_command
from cgcli.cli.options import JSON_OPTION, flag
from cgcli.cli.request import Request
from cgcli.cli.say import echo


@expression_command(
    "simplify",
    flag("--exact", help="Only what changes no value anywhere, nan and inf included."),
    flag("--latex", name="as_latex", help="Print LaTeX instead of a program."),
    JSON_OPTION,
    needs_values=False,
)
def command(request: Request, exact: bool, as_latex: bool) -> None:
    """Print EXPR in a simpler form, as a program.

    \b
    cg simplify '2*x + x*3 + sin(y)^2 + cos(y)^2'    5*x + 1
    cg simplify 'a*x + a*x' a=3                      6*x
    cg simplify 'x/x^2' | cg grad - x=2

    Like terms are collected, powers merged, factors and terms put in order, so that equal
    formulas look the same. Numbers stay exact: sqrt(2), pi and 1/3 are kept, and 0.1*3 is 0.3.
    The value stays the same wherever there is one, up to rounding, and there is none besides
    but at isolated points: x/x is 1 even at 0, and sqrt(x)^2 is not x. Names with a value are
    replaced by it.
    """
    from cgcli.api.formulas import simpler

    point = request.point_of_any_size()
    report = request.report(point)
    report.tell_all(point.notices())
    text = simpler(point, only_exact=exact, as_latex=as_latex)
    if request.as_json:
        output.as_json({"latex" if as_latex else "program": text, "warnings": report.entries}, None)
    else:
        echo(text)
