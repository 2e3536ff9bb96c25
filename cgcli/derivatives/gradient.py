"""Gradients at a point, in either mode: the value of each output, and its derivative by each input."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from cgcli.derivatives.jacobian import jacobian
from cgcli.graph.node import Graph, Node, constant, name_of
from cgcli.ops.arithmetic import MULTIPLY
from cgcli.ops.logic import WHERE
from cgcli.ops.sums import SUM
from cgcli.printing.values import within
from cgcli.transform.differentiate import weighted
from cgcli.transform.exact import exact

if TYPE_CHECKING:
    from cgcli.derivatives.jacobian import Evaluate
    from cgcli.evaluate.evaluate import Array


class Gradient(NamedTuple):
    """An output's value, and its derivative by each input: arrays of the inputs' shapes."""

    value: Array
    partials: list[Array]


def reverse_gradients(
    outputs: Sequence[Node], cotangents: Sequence[Node], wrt: Sequence[Node], evaluate: Evaluate
) -> list[Gradient]:
    """The gradient of each output, weighted by its cotangent, all in one evaluation by the reverse pass."""
    adjoints = [
        node
        for output, cotangent in zip(outputs, cotangents, strict=True)
        for node in weighted([output], [cotangent], wrt)
    ]
    numbers = iter(evaluate([*outputs, *adjoints]))
    values = list(islice(numbers, len(outputs)))
    return [Gradient(value, list(islice(numbers, len(wrt)))) for value in values]


def derivative_name(output: str, name: str, prefix: str = "d_") -> str:
    """What the derivative by a name is called: `d_x`; that of one of several outputs `d_area/d_x`, `d_(x + y)/d_x`."""
    return f"{prefix}{within(output)}/{prefix}{name}" if output else f"{prefix}{name}"


def gradient_columns(
    graph: Graph, cotangents: Sequence[Node], wrt: Sequence[Node], called: str = "value", prefix: str = "d_"
) -> list[tuple[str, Node]]:
    """Each output and its derivatives as nodes, under the names of their columns.

    cotangents: a node for each output, of its shape. called: the name of an only output.
    """
    columns: list[tuple[str, Node]] = []
    for name, output, cotangent in zip(graph.names or [""], graph.outputs, cotangents, strict=True):
        columns.append((name or called, output))
        adjoints = weighted([output], [cotangent], wrt)
        columns += [
            (derivative_name(name, name_of(node), prefix), adjoint) for node, adjoint in zip(wrt, adjoints, strict=True)
        ]
    return columns


def forward_gradients(
    outputs: Sequence[Node], cotangents: Sequence[Node], wrt: Sequence[Node], evaluate: Evaluate
) -> list[Gradient]:
    """The same by forward mode: one pass for each element of each input."""
    sums = [_weighted_sum(*pair) for pair in zip(outputs, cotangents, strict=True)]
    values = evaluate(outputs)
    return [
        Gradient(value, partials)
        for value, partials in zip(values, jacobian(sums, wrt, evaluate, "forward"), strict=True)
    ]


def _weighted_sum(output: Node, cotangent: Node) -> Node:
    """The sum of an output's elements times their weights, without those that weigh nothing."""
    if not output.shape:
        return exact(MULTIPLY, (cotangent, output))
    weighed = exact(WHERE, (cotangent, exact(MULTIPLY, (cotangent, output)), constant(0.0)))
    return exact(SUM, (weighed,), (tuple(range(-len(output.shape), 0)), False))
