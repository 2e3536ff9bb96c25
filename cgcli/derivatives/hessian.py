"""Second derivatives at a point, forward over reverse: Hessians, and their products with a vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cgcli.derivatives.jacobian import jacobian
from cgcli.transform.differentiate import directional, weighted

if TYPE_CHECKING:
    from cgcli.derivatives.jacobian import Evaluate
    from cgcli.evaluate.evaluate import Array
    from cgcli.graph.node import Node


def hessian(
    outputs: Sequence[Node], cotangents: Sequence[Node], wrt: Sequence[Node], evaluate: Evaluate
) -> list[list[Array]]:
    """The Hessian of the outputs' weighted sum: for each x and y a block of shape x.shape + y.shape.

    Raises TooLargeError when the whole does not fit in memory.
    """
    return jacobian(weighted(outputs, cotangents, wrt), wrt, evaluate, "forward")


def hessian_product(
    outputs: Sequence[Node],
    cotangents: Sequence[Node],
    wrt: Sequence[Node],
    tangents: Mapping[Node, Node],
    evaluate: Evaluate,
) -> list[Array]:
    """The product of the Hessian with a vector: for each input an array of its shape, at the cost of a few evaluations.

    tangents: the vector, a node of its shape for each input that moves.
    """
    return evaluate(directional(weighted(outputs, cotangents, wrt), tangents))
