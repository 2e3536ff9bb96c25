"""Gradients at a point, in either mode, and the kinks that they meet."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from cgcli.cli import bindings
from cgcli.cli.compute import evaluated, every_value
from cgcli.cli.point import Point
from cgcli.cli.report import Report
from cgcli.errors import UsageError
from cgcli.evaluate.evaluate import evaluate
from cgcli.evaluate.notes import kinks
from cgcli.graph.node import Graph, Node, constant, constant_array, name_of, toposort, variable
from cgcli.ops.statics import shape_text
from cgcli.transform.differentiate import column, vjp
from cgcli.transform.reverse import active_nodes


def report_kinks(point: Point, wrt: Sequence[Node], report: Report) -> None:
    """Report the operations on the way of the derivative that stand at a kink."""
    outputs = point.graph.outputs
    order = toposort(outputs)
    candidates = [node for node in order if node.op.kink is not None]
    if candidates:
        active = active_nodes(order, set(wrt))
        values = every_value(outputs, point.bindings, report)
        report.notes(kinks([n for n in candidates if n in active], outputs, values) if values else [])


def seeds(graph: Graph, cotangent: str | None) -> list[Node]:
    """A cotangent for each output: 1 for a scalar, else what the user gave, `VALUE` or `(VALUE, VALUE)`.

    Raises UsageError when one is missing or has another shape, or when they are too many or too few.
    """
    names = graph.names or [""]
    if cotangent is None:
        return [_seed(output, None, name) for output, name in zip(graph.outputs, names, strict=True)]
    given = bindings.several(cotangent, "--cotangent")
    count = len(graph.outputs)
    if len(given) != count:
        raise UsageError(
            f"--cotangent has {len(given)} weight{'s' * (len(given) > 1)}, and the program {len(graph.outputs)} "
            f"output{'s' * (len(graph.outputs) > 1)}",
            hint=f"give one for each, as in: '({', '.join(('1', '0', '0', '…')[:count])})'" if count > 1 else "",
        )
    return [_seed(output, value, name) for output, value, name in zip(graph.outputs, given, names, strict=True)]


def _seed(output: Node, cotangent: Any, name: str) -> Node:
    what, example = (f"the output '{name}'", "(…, […])") if name else ("the value", "[…]")
    if cotangent is None:
        if not output.shape:
            return constant(1.0)
        raise UsageError(
            f"{what} has shape {shape_text(output.shape)}, and a gradient needs a scalar",
            hint=f"weigh its elements with --cotangent '{example}', or get all derivatives with cg jacobian",
        )
    if cotangent.shape != output.shape:
        raise UsageError(
            f"the cotangent has shape {shape_text(cotangent.shape)}, and {what} {shape_text(output.shape)}",
            hint="--cotangent needs one weight for each element of the value",
        )
    if not output.shape:
        return constant(float(cotangent))
    return constant_array(np.ascontiguousarray(cotangent, dtype="<f8").tobytes(), cotangent.shape)


class Gradient(NamedTuple):
    """An output's value, and its derivative by each input."""

    value: Any
    partials: list[Any]


def reverse_gradients(point: Point, wrt: Sequence[Node], cotangents: Sequence[Node], report: Report) -> list[Gradient]:
    """The gradient of each output, all in one evaluation, by the reverse pass."""
    outputs = point.graph.outputs
    adjoints = [node for pair in zip(outputs, cotangents, strict=True) for node in vjp(*pair, wrt)]
    numbers = iter(evaluated(point, [*outputs, *adjoints], report))
    values = list(islice(numbers, len(outputs)))
    return [Gradient(value, list(islice(numbers, len(wrt)))) for value in values]


def _unused(name: str, point: Point) -> str:
    """The name, with as many primes as make it differ from every input's."""
    taken = {name_of(node) for node in point.inputs} | set(point.bindings)
    while name in taken:
        name += "'"
    return name


def forward_gradients(point: Point, wrt: Sequence[Node], cotangents: Sequence[Node], report: Report) -> list[Gradient]:
    """The same by forward mode: one tangent for each element of each input."""
    weights = evaluate(cotangents, {})
    return [
        _forward(point, wrt, output, weight, report)
        for output, weight in zip(point.graph.outputs, weights, strict=True)
    ]


def _forward(point: Point, wrt: Sequence[Node], output: Node, weight: Any, report: Report) -> Gradient:
    (value,) = evaluated(point, [output], report)
    results = []
    for node in wrt:
        name = _unused(f"d{name_of(node)}", point)
        tangent = variable(name, node.shape)
        product = column(output, node, tangent)
        partials = np.zeros(node.shape)
        for index in np.ndindex(node.shape):
            basis = np.zeros(node.shape)
            basis[index] = 1.0
            (pushed,) = evaluated(point, [product], report, extra={name: basis if node.shape else np.float64(1.0)})
            partials[index] = np.sum(weight * pushed)
        results.append(partials if node.shape else partials[()])
    return Gradient(value, results)
