"""Gradients at a point, in either mode, and the kinks that they meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cgcli.cli.compute import evaluated
from cgcli.cli.point import Point
from cgcli.cli.report import Report
from cgcli.errors import UsageError
from cgcli.evaluate.evaluate import evaluate, evaluate_all
from cgcli.evaluate.notes import kinks
from cgcli.graph.node import Node, constant, constant_array, name_of, toposort, variable
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
        report.notes(kinks([n for n in candidates if n in active], outputs, evaluate_all(outputs, point.bindings)))


def seed(output: Node, cotangent: Any) -> Node:
    """The cotangent as a node: 1 for a scalar output, else what the user gave.

    Raises UsageError when it is missing or has another shape.
    """
    if cotangent is None:
        if not output.shape:
            return constant(1.0)
        raise UsageError(
            f"the value has shape {shape_text(output.shape)}, and a gradient needs a scalar",
            hint="weigh its elements with --cotangent '[…]', or get all derivatives with cg jacobian",
        )
    if cotangent.shape != output.shape:
        raise UsageError(
            f"the cotangent has shape {shape_text(cotangent.shape)}, and the value {shape_text(output.shape)}",
            hint="--cotangent needs one weight for each element of the value",
        )
    if not output.shape:
        return constant(float(cotangent))
    return constant_array(np.ascontiguousarray(cotangent, dtype="<f8").tobytes(), cotangent.shape)


def reverse_gradient(point: Point, wrt: Sequence[Node], cotangent: Node, report: Report) -> list[Any]:
    """The value, then the adjoint of each of `wrt`, in one evaluation."""
    output = point.graph.output
    return evaluated(point, [output, *vjp(output, cotangent, wrt)], report)


def _unused(name: str, point: Point) -> str:
    """The name, with as many primes as make it differ from every input's."""
    taken = {name_of(node) for node in point.inputs} | set(point.bindings)
    while name in taken:
        name += "'"
    return name


def forward_gradient(point: Point, wrt: Sequence[Node], cotangent: Node, report: Report) -> list[Any]:
    """The same by forward mode: one tangent for each element of each input."""
    output = point.graph.output
    results = evaluated(point, [output], report)
    (weight,) = evaluate([cotangent], {})
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
    return results
