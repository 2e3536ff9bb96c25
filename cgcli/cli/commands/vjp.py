"""cg vjp: the product of a cotangent with the Jacobian, in one reverse pass."""

from __future__ import annotations

from cgcli.cli.expression import expression_command
from cgcli.cli.options import COTANGENT_OPTION, RESULT_OPTIONS, WRT_OPTION
from cgcli.cli.request import Request


@expression_command("vjp", COTANGENT_OPTION, WRT_OPTION, *RESULT_OPTIONS)
def command(request: Request) -> None:
    """Print the value of EXPR and the product of a cotangent with its Jacobian.

    \b
    cg vjp 'A @ x' A=[[1,2],[3,4]] x=[1,1] --cotangent '[1,0]'
    cg vjp '(x*y, x + y)' x=3 y=2 --cotangent '(1, 10)'

    The cotangent weighs the elements of the value; with several results there is a weight
    for each, and their products are added. One reverse pass gives the adjoint of every input.
    """
    from cgcli.api import calls
    from cgcli.api.seeds import weights

    task = request.task()
    point = task.point
    cotangents = weights(point.graph, request.cotangents())
    value, products = task.computed(lambda _: calls.vjp(point, task.wrt, cotangents))
    task.evaluate.tell_kinks(task.wrt)
    lines = [(name or "value", item) for name, item in point.per_output(value)]
    lines += [(f"vjp_{name}", item) for name, item in products.items()]
    task.show({"value": value, "vjp": products}, lines)
