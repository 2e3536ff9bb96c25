"""cg check: analytic against numeric derivatives."""

from __future__ import annotations

from cgcli.cli.expression import expression_command
from cgcli.cli.options import COTANGENT_OPTION, JSON_OPTION, PRECISION_OPTION, WRT_OPTION
from cgcli.cli.request import Request
from cgcli.cli.say import echo

_DIFFERENT = 4  # the exit code


@expression_command("check", WRT_OPTION, COTANGENT_OPTION, JSON_OPTION, PRECISION_OPTION)
def command(request: Request) -> int:
    """Check the derivatives of EXPR against numeric ones; exit 4 where one is wrong.

    \b
    cg check 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5
    cg check 'abs(x)' x=0
    cg check 'f(x) = x^3; jvp f(x; dx) = 3*x*dx; f(x)' x=2

    'central' is (f(x + h) - f(x - h))/(2h), with the longest step h at which truncation does
    not show, and '+/-' how far it can be trusted; 'digits' is how many digits of the derivative are
    right, by a computation with more. The complex step is Im f(x + ih)/h, where all
    operations take complex numbers. Of an array, the worst element is shown; --json has all.
    """
    from cgcli.api.seeds import cotangents
    from cgcli.api.views import checked
    from cgcli.check.text import as_text, members

    task = request.task()
    point = task.point
    weights = cotangents(point.graph, request.cotangents())
    value = point.value(task.evaluate)
    task.evaluate.tell_kinks(task.wrt)
    found = checked(point, task.wrt, weights, request.exact_inputs(point))
    if request.as_json:
        task.show({"value": value, **members(found, point.graph.names)}, ())
    else:
        echo("\n".join(as_text(found, point.graph.names, request.precision)))
    return _DIFFERENT if found.mismatches else 0
