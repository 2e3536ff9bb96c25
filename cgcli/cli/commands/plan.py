"""cg plan: how an expression is computed over many rows."""

from __future__ import annotations

from cgcli.cli import output
from cgcli.cli.expression import expression_command
from cgcli.cli.options import COTANGENT_OPTION, JSON_OPTION, WRT_OPTION, flag
from cgcli.cli.request import Request, Task
from cgcli.cli.say import echo


@expression_command(
    "plan",
    flag("--grad", help="Plan the value with its derivatives."),
    WRT_OPTION,
    COTANGENT_OPTION,
    JSON_OPTION,
)
def command(request: Request, grad: bool) -> None:
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
    from cgcli.api.columns import results
    from cgcli.api.schedule import planned
    from cgcli.api.seeds import cotangents

    task = Task.begun(request, request.point())
    wrt = task.wrt if grad or request.wrt else []
    weights = cotangents(task.point.graph, request.cotangents()) if wrt else None
    found = planned(task.point, results(task.point, wrt, weights))
    if request.as_json:
        output.as_json({**found.members(), "warnings": task.report.entries}, None)
    else:
        echo("\n".join(found.text()))
