"""What is computed for each row: the value, its derivatives, those of higher order, along a direction, in pairs."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Callable, Mapping, Sequence
from cgcli.api import seeds
from cgcli.api.columns import Results, orders, results, second_derivatives
from cgcli.api.point import Point
from cgcli.errors import UsageError
from cgcli.printing.values import in_longer_name

if TYPE_CHECKING:
    from cgcli.cli.request import Request
    from cgcli.graph.node import Node


def value(request: Request, point: Point, _: Sequence[Node]) -> Results:
    """The outputs."""
    return results(point, (), called=_called(request))


def gradient(request: Request, point: Point, wrt: Sequence[Node]) -> Results:
    """The outputs, and the derivatives of each by each input."""
    weights = seeds.cotangents(point.graph, request.cotangents())
    return results(point, wrt, weights, called=_called(request), prefix=request.rows.prefix,
                   elasticity=request.elasticity)  # fmt: skip


def gradients_of_order(request: Request, point: Point, wrt: Sequence[Node]) -> Results:
    """The outputs, and their derivatives by one number up to an order."""
    if len(wrt) != 1 or wrt[0].shape:
        raise UsageError("--order goes by one input that is a number", hint="say which: --wrt x")
    if request.cotangent is not None:
        raise UsageError("--order is for each result, and --cotangent adds them up")
    from cgcli.graph.node import name_of

    stem, by = request.rows.prefix.rstrip("_"), name_of(wrt[0])

    def called(name: str, order: str) -> str:
        return f"{stem}{order}_{in_longer_name(name)}/{request.rows.prefix}{by}" if name else f"{stem}{order}_{by}"

    return _orders(request, point, [seeds.unit_tangent(wrt[0])] * request.order, called)


def directional(request: Request, point: Point, _: Sequence[Node]) -> Results:
    """The outputs, and their derivatives along the tangents up to an order."""

    def called(name: str, order: str) -> str:
        return f"jvp{order}_{in_longer_name(name)}" if name else f"jvp{order}"

    directions = [seeds.tangents(point, given) for given in request.several_directions()]
    return _orders(request, point, directions, called)


def hessian(request: Request, point: Point, wrt: Sequence[Node]) -> Results:
    """The outputs, and the second derivatives of their weighted sum."""
    if request.tangents:
        raise UsageError("over rows, cg hessian has no product with a vector", hint="leave out --tangent")
    point.check_any(wrt)
    return second_derivatives(point, wrt, seeds.weights(point.graph, request.cotangents()), _called(request))


def _orders(
    request: Request, point: Point, directions: Sequence[Mapping[Node, Node]], derivative: Callable[[str, str], str]
) -> Results:
    """derivative: what one is called, from the output's name, '' for the only one, and the order, '' for 1."""

    def called(name: str, order: int) -> str:
        if request.taylor:
            return f"c{order}_{in_longer_name(name)}" if name else f"c{order}"
        if order == 0:
            return name or _called(request)
        return derivative(name, "" if order == 1 else str(order))

    return orders(point, directions, called, taylor=request.taylor)


def _called(request: Request) -> str:
    return request.rows.called or "value"
