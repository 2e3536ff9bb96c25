"""cg diff: the derivative as a formula."""

from __future__ import annotations

from cgcli.cli import output
from cgcli.cli.expression import expression_command
from cgcli.cli.options import COTANGENT_OPTION, ORDER, WRT_OPTION, flag, option
from cgcli.cli.request import Request
from cgcli.cli.say import echo


@expression_command(
    "diff",
    WRT_OPTION,
    option("--order", kind=ORDER, default=1, metavar="N", help="Differentiate N times by each name."),
    COTANGENT_OPTION,
    flag("--latex", name="as_latex", help="Print LaTeX instead of a program."),
    flag("--flat", help="Write everything out: no names for shared parts."),
    flag("--json", name="as_json", help="Print one JSON object: a program for each name."),
    needs_values=False,
)
def command(request: Request, as_latex: bool, flat: bool) -> None:
    """Print the derivative of EXPR by each name, as a formula.

    \b
    cg diff 'x^2*sin(x)' --wrt x                     x^2*cos(x) + 2*x*sin(x)
    cg diff 'a*x^2' a=3 --order 2                    6
    cg diff 'X: [m, n]; w: [n]; y: [m]; sum((X@w - y)^2)' --wrt w
    cg diff 'x^2*sin(x)' | cg eval - x=2

    A name that is given a number is replaced by it, and the derivative is taken by the other
    names. --wrt chooses among all of them; a number for one that is chosen is not used. An
    array that is given only tells its shape. Several names give several results, '(d_x, d_y)'.

    Shapes are declared with numbers, X: [10, 2], or with names, X: [m, n]: the formula then
    holds for all m and n, and sum(x)/n is divided by that n. n=3 gives it a number.

    The formula is simplified as by cg simplify, with exact numbers, 1/sqrt(2*pi) and not
    0.3989422804014327, and holds where the derivative exists: at a
    kink it follows one side of it, and prod(x)/x is nan where an element of x is 0. What cg
    grad computes is right there too, with its conventions at kinks.
    """
    from cgcli.api.formulas import Formulas, derivatives

    point = request.point_of_any_size()
    report = request.report(point)
    found = derivatives(point, request.names(point), request.order, request.cotangents())
    report.tell_all(found.notices)

    def text(formulas: Formulas) -> str:
        return formulas.latex(flat=flat) if as_latex else "\n".join(formulas.program(flat=flat))

    if request.as_json:
        output.as_json({name: text(formula) for name, formula in found.each()}, None)
    else:
        echo(text(found))
