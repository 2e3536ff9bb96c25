"""cg grad: the value of an expression and its derivatives."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Iterator, Sequence
from cgcli.cli import output
from cgcli.cli.expression import expression_command
from cgcli.cli.options import (
    ACCURACY_OPTION,
    COTANGENT_OPTION,
    ORDER_OPTIONS,
    PREFIX_OPTION,
    RESULT_OPTIONS,
    SUM_OPTIONS,
    WRT_OPTION,
    flag,
    option,
)
from cgcli.cli.request import Request, Task
from cgcli.errors import UsageError
from cgcli.printing.values import in_longer_name

if TYPE_CHECKING:
    from cgcli.api.point import Point
    from cgcli.derivatives.jacobian import Mode
    from cgcli.evaluate.compiled import Kernels

_MODE_OPTION = option("--mode", kind=("reverse", "forward"), help="Same numbers, another way (default: reverse).")
_ELASTICITY_OPTION = flag("--elasticity", help="Print x/f * df/dx beside each derivative, too: percent per percent.")


@expression_command(
    "grad", WRT_OPTION, _MODE_OPTION, COTANGENT_OPTION, _ELASTICITY_OPTION, *ORDER_OPTIONS, *RESULT_OPTIONS,
    ACCURACY_OPTION, PREFIX_OPTION, *SUM_OPTIONS, takes_rows=True,
)  # fmt: skip
def command(request: Request, mode: Mode | None, *, summed: bool, mean: bool) -> None:
    """Print the value of EXPR and its derivative by each name.

    \b
    cg grad 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5
    cg grad 'mean((X@w - y)^2)' --vars data.json --wrt w
    cg grad 'x^2 + 2*x + 1' x=[2,3] --cotangent '[1,1]'

    Derivatives are exact. The reverse mode computes all of them at the cost of a few
    evaluations, however many names there are. A program that ends with several results,
    '(a, b)', has a gradient for each. --order N goes on to the N-th derivative by one number.

    \b
    cg grad 'ln(x1) + x1*x2 - sin(x2)' points.csv    each row, then value, d_x1, d_x2
    … | cg grad 'x^k' k=3 --wrt x -                  rows from standard input
    cg grad 'sin(x)' x=0:2*pi:201                    201 points, as CSV
    cg grad '(a*x - y)^2' a=2 d.csv --wrt a --mean   a loss over all rows, and its gradient

    Columns give values to names; name=value holds for all rows. {what is read and written};
    --json writes JSON lines, an object for each row.
    """
    higher = request.order > 1 or request.taylor
    _check(request, mode, higher=higher)
    if summed or mean:
        from cgcli.cli.rows import added, results

        added.run(request, results.gradient, summed=summed, mean=mean, derivatives=True)
        return
    if request.operands.over_rows:
        from cgcli.cli.rows import each, results

        each.run(request, results.gradients_of_order if higher else results.gradient)
        return
    show = _show_orders if higher else _show_gradient
    show(request.task(), mode)


def _check(request: Request, mode: Mode | None, *, higher: bool) -> None:
    """Raise UsageError for what does not go together."""
    if higher and request.accuracy:
        raise UsageError("--accuracy is for the value and its gradient", hint="those of higher order are right anyway")
    if request.elasticity and (higher or request.accuracy or mode == "forward"):
        other = "--accuracy" if request.accuracy else "--mode forward" if mode else "derivatives of higher order"
        raise UsageError(f"--elasticity is beside first derivatives in reverse mode, and not with {other}",
                         hint="choose one")  # fmt: skip
    if request.operands.over_rows and mode not in (None, "forward" if higher else "reverse"):
        way = "higher derivatives in forward" if higher else "first derivatives in reverse"
        raise UsageError(f"over rows, cg grad computes {way} mode", hint="leave out --mode")


def _show_gradient(task: Task, mode: Mode | None) -> None:
    """Print the value and its derivatives, each with what stands beside it: its elasticity, or its right digits."""
    from cgcli.api import calls
    from cgcli.api.seeds import cotangents
    from cgcli.evaluate.limits import check_result
    from cgcli.graph.node import count_of_numbers

    request, point = task.request, task.point
    weights = cotangents(point.graph, request.cotangents())
    outputs, count = point.graph.outputs, count_of_numbers(task.wrt)
    instead = "--wrt chooses names, and cg vjp adds up the outputs"
    check_result([*outputs, *task.wrt], "the gradients", len(outputs) * count, instead)

    def make(kernels: Kernels | None) -> calls.Call:
        if request.elasticity:
            return calls.value_grad_and_elasticity(point, task.wrt, weights)
        return calls.value_and_grad(point, task.wrt, weights, mode or "reverse", kernels)

    found, digits = task.measured(make) if request.accuracy else (task.computed(make), None)
    value, grad = found
    grad, elasticity = grad if request.elasticity else (grad, None)
    task.evaluate.tell_kinks(task.wrt)
    lines = [*_lines(point, value, grad, elasticity)]
    content = {"value": value, "grad": grad}
    if elasticity is not None:
        content["elasticity"] = elasticity
    if digits is not None:
        content["digits"] = dict(zip(("value", "grad"), digits, strict=True))
        pairs = zip(*map(point.per_output, digits), strict=True)
        lines = [*output.with_digits(lines, [item for (_, own), (_, each) in pairs for item in (own, *each.values())])]
    task.show(content, lines)


def _lines(point: Point, value: Any, grad: Any, elasticity: Any) -> Iterator[tuple[str, Any]]:
    """Each value, then its derivatives, each before its elasticity where there are some."""
    from cgcli.derivatives.gradient import derivative_name

    for (name, item), (_, partials) in zip(point.per_output(value), point.per_output(grad), strict=True):
        yield name or "value", item
        for by, partial in partials.items():
            yield derivative_name(name, by), partial
            if elasticity is not None:
                yield derivative_name(name, by, "e_"), dict(point.per_output(elasticity))[name][by]


def _show_orders(task: Task, mode: Mode | None) -> None:
    """Print the derivatives by one scalar, up to an order."""
    from cgcli.api.seeds import unit_tangent
    from cgcli.cli.orders import orders
    from cgcli.graph.shapes import shape_text

    request, point = task.request, task.point
    option = f"--order {request.order}" if request.order > 1 else "--taylor"
    if mode == "reverse":
        raise UsageError(f"{option} is computed in forward mode", hint="leave out --mode reverse")
    if request.cotangent is not None:
        raise UsageError(
            f"{option} is for each element of the value, and --cotangent {request.cotangent} adds them up",
            hint="weigh the elements in the expression, as in: sum([1, 2]*v)",
        )
    point.check_any(task.wrt)
    if len(task.wrt) != 1 or task.wrt[0].shape:
        inputs = ", ".join(f"{side.name} {shape_text(side.shape)}" if side.shape else side.name for side in task.sides)
        raise UsageError(
            f"--order goes by one input that is a number, and the inputs are: {inputs}",
            hint=_instead(task.sides),
        )
    ((name, _),) = task.sides
    found = orders(task, [unit_tangent(task.wrt[0])] * request.order)
    task.evaluate.tell_kinks(task.wrt)
    grad = point.by_output({name: item} for _, item in point.per_output(found.of_order(1)))
    content = {"value": found.of_order(0), "grad": grad, **found.members()}
    task.show(content, found.lines(lambda of, k: f"d{k}_{in_longer_name(of)}/d_{name}" if of else f"d{k}_{name}"))


def _instead(sides: Sequence[output.Labelled]) -> str:
    """What gives derivatives of higher order where the inputs are not one number."""
    numbers = [side.name for side in sides if not side.shape]
    choice = f"choose it with --wrt {numbers[0]}; or " if numbers else ""
    tangent = ",".join(f"{name}=1" for name in numbers[:2]) or f"'{sides[0].name}=[1, 0, …]'"
    return f"{choice}go along a direction: cg jvp --tangent {tangent} --order 2; or see cg hessian"
