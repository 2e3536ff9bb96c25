"""Derivatives of higher order along one direction, and the Taylor coefficients that they give."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Mapping, Sequence
from cgcli.errors import TooLargeError
from cgcli.graph.node import Node, toposort
from cgcli.transform.differentiate import pushforward

if TYPE_CHECKING:
    from cgcli.evaluate.evaluate import Array

_MAX_NODES = 50_000


def directional_derivatives(outputs: Sequence[Node], tangents: Mapping[Node, Node], order: int) -> list[list[Node]]:
    """For k from 0 to the order, the k-th derivative by t of each output at x + t*tangent, at t = 0.

    tangents: nodes that do not depend on the inputs; with 1 for one scalar input, the derivatives by it. Raises
    TooLargeError when the formulas grow beyond bounds, as they do with a power of the order.
    """
    found = [list(outputs)]
    for k in range(1, order + 1):
        found.append(list(pushforward(found[-1], tangents)))
        if len(toposort(found[-1])) > _MAX_NODES:
            raise TooLargeError(
                f"the derivative of order {k} takes more than {_MAX_NODES} operations",
                hint=f"ask for order {k - 1}",
                topic=f"order:{k - 1}",
            )
    return found


def taylor_coefficients(derivatives: Sequence[Any]) -> list[Array]:
    """The coefficients of t^0, t^1, …: the k-th derivative divided by k!."""
    return [
        value / (float(math.factorial(k)) if isinstance(value, float) or hasattr(value, "dtype") else math.factorial(k))
        for k, value in enumerate(derivatives)
    ]
