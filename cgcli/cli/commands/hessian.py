"""cg hessian: the second derivatives, or their product with a vector."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any
from cgcli.cli import output
from cgcli.cli.expression import expression_command
from cgcli.cli.options import ACCURACY_OPTION, COTANGENT_OPTION, RESULT_OPTIONS, WRT_OPTION, option
from cgcli.cli.request import Request, Task

if TYPE_CHECKING:
    from cgcli.api import calls
    from cgcli.evaluate.compiled import Kernels

_VECTOR_OPTION = option(
    "--tangent", name="tangents", metavar="x=1,y=0", multiple=True,
    help="Print the product of the Hessian with this vector instead; names not given are 0 in it.",
)  # fmt: skip


@expression_command(
    "hessian", WRT_OPTION, _VECTOR_OPTION, COTANGENT_OPTION, *RESULT_OPTIONS, ACCURACY_OPTION, takes_rows=True
)
def command(request: Request) -> None:
    """Print the Hessian of EXPR: its second derivatives by each pair of inputs.

    \b
    cg hessian 'x^2*y + sin(y)' x=3 y=2
    cg hessian 'sum(x^3) + x[0]*x[1]' x=[1,2] --json
    cg hessian 'sum(x^4)' x=[1,2,3] --tangent 'x=[1,0,0]'

    It is computed forward over reverse. A product with a vector costs a few evaluations,
    however many inputs there are. Over the rows of a file, of standard input or of a sweep, each
    row gets the second derivative by each pair of numbers beside it: h_x_x, h_x_y, h_y_y.
    """
    if request.operands.over_rows:
        from cgcli.cli.rows import each, results

        each.run(request, results.hessian)
        return
    task = request.task()
    found, digits = _computed(task)
    task.evaluate.tell_kinks(task.wrt)
    if request.as_json:
        key = "hvp" if request.tangents else "hessian"
        rights = {} if digits is None else {"digits": {key: digits}}
        task.show({"value": task.computed(lambda _: task.point.value), key: found, **rights}, ())
    elif request.tangents:
        lines = [(f"hvp_{name}", item) for name, item in found.items()]
        task.show({}, lines if digits is None else output.with_digits(lines, digits.values()))
    else:
        _show_matrix(task, found, digits)


def _computed(task: Task) -> tuple[Any, Any]:
    """The Hessian, or its product with the tangents that were given; and how many digits are right, or None."""
    from cgcli.api import calls
    from cgcli.api.seeds import tangents, weights
    from cgcli.evaluate.limits import check_result
    from cgcli.graph.node import count_of_numbers

    request, point, wrt = task.request, task.point, task.wrt
    point.check_any(wrt)
    cotangents = weights(point.graph, request.cotangents())
    vector = tangents(point, request.directions()) if request.tangents else None
    if vector is None:
        check_result(wrt, "the Hessian", count_of_numbers(wrt) ** 2, "--tangent gives its product with a vector")

    def make(kernels: Kernels | None) -> calls.Call:
        if vector is None:
            return calls.hessian(point, wrt, cotangents, kernels)
        return calls.hessian_product(point, wrt, cotangents, vector)

    return task.measured(make) if request.accuracy else (task.computed(make), None)


def _show_matrix(task: Task, found: Any, digits: Any) -> None:
    columns, blocks = task.sides, [list(row.values()) for row in found.values()]
    if digits is not None:
        columns = [column for side in columns for column in (side, side._replace(name=f"digits_{side.name}"))]
        blocks = [[block for pair in zip(row, digits[name].values(), strict=True) for block in pair]
                  for name, row in zip(found, blocks, strict=True)]  # fmt: skip
    output.matrix(task.sides, columns, blocks, task.request.precision)
