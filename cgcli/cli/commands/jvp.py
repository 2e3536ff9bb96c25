"""cg jvp: the derivative along a direction, in one forward pass; of higher order too."""

from __future__ import annotations

from cgcli.annotations import Any
from cgcli.cli.expression import expression_command
from cgcli.cli.options import ORDER_OPTIONS, RESULT_OPTIONS, TANGENT_OPTION
from cgcli.cli.request import Request
from cgcli.printing.values import in_longer_name


@expression_command("jvp", TANGENT_OPTION, *ORDER_OPTIONS, *RESULT_OPTIONS, takes_rows=True)
def command(request: Request) -> None:
    """Print the value of EXPR and the product of its Jacobian with a tangent.

    \b
    cg jvp 'x^2*y' x=3 y=2 --tangent x=1,y=0
    cg jvp 'A @ x' A=[[1,2],[3,4]] x=[1,1] --tangent 'x=[1,-1]'
    cg jvp 'exp(x)*sin(y)' x=0 y=0 --tangent x=1,y=2 --order 3 --taylor
    cg jvp 'exp(x)*sin(y)' x=0 y=0 --tangent 'x=1; y=1'

    This is the derivative of EXPR at t = 0 when each input moves as x + t*tangent. Names
    without a tangent stand still. --order N goes on to the N-th derivative by t; with several
    directions, 'x=1; y=1', jvp2 is the mixed derivative along the first two, and so on. Over the
    rows of a file, of standard input or of a sweep, each row gets them beside it, as of cg grad.
    """
    if request.operands.over_rows:
        from cgcli.cli.rows import each, results

        each.run(request, results.directional)
        return
    from cgcli.api.seeds import tangents
    from cgcli.cli.orders import orders

    task = request.task()
    directions = [tangents(task.point, given) for given in request.several_directions()]
    found = orders(task, directions)
    task.evaluate.tell_kinks({node: None for moved in directions for node in moved})
    content: dict[str, Any] = {"value": found.of_order(0), "jvp": found.of_order(1), **found.members()}
    task.show(content, found.lines(lambda name, order: f"jvp{order}_{in_longer_name(name)}" if name else f"jvp{order}"))
