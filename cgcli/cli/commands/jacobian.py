"""cg jacobian: all derivatives of a value that is no scalar."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING
from cgcli.cli import output
from cgcli.cli.expression import expression_command
from cgcli.cli.options import RESULT_OPTIONS, WRT_OPTION, option
from cgcli.cli.request import Request

if TYPE_CHECKING:
    from cgcli.derivatives.jacobian import Mode

_MODE_OPTION = option(
    "--mode", kind=("auto", "forward", "reverse"), default="auto",
    help="One pass for each input (forward) or for each element of the value (reverse); auto takes the fewer.",
)  # fmt: skip


@expression_command("jacobian", WRT_OPTION, _MODE_OPTION, *RESULT_OPTIONS)
def command(request: Request, mode: Mode) -> None:
    """Print the Jacobian of EXPR: the derivative of each element by each input.

    \b
    cg jacobian '[x*y, sin(x)]' x=0 y=2
    cg jacobian '(r*cos(t), r*sin(t))' r=2 t=pi/6
    cg jacobian 'A @ x' A=[[1,2],[3,4]] x=[1,1] --wrt x --json

    The table has a row for each element of the value and a column for each element of the
    inputs. In JSON, the derivative of an array by an array has the axes of both, the value's first.
    """
    from cgcli.api import calls
    from cgcli.evaluate.limits import check_result
    from cgcli.graph.node import count_of_numbers

    task = request.task()
    point, outputs = task.point, task.point.graph.outputs
    point.check_any(task.wrt)
    instead = "cg jvp gives its product with a tangent, cg vjp with a cotangent"
    check_result(outputs, "the Jacobian", count_of_numbers(outputs) * count_of_numbers(task.wrt), instead)
    found = task.computed(lambda kernels: calls.jacobian(point, task.wrt, mode, kernels))
    task.evaluate.tell_kinks(task.wrt)
    if request.as_json:
        task.show({"value": task.computed(lambda _: point.value), "jacobian": found}, ())
    else:
        blocks = [list(row.values()) for _, row in point.per_output(found)]
        names = point.graph.names or ("value",)
        rows = [output.Labelled(name, node.shape) for name, node in zip(names, outputs, strict=True)]
        output.matrix(rows, task.sides, blocks, request.precision)
