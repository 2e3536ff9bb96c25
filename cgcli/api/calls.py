"""What each kind of call computes: from a program at given shapes to a function of arrays, compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from cgcli.api.arguments import as_array
from cgcli.api.prepared import Arrays, Evaluator, Point, Run, scalar_outputs
from cgcli.derivatives.jacobian import Mode, Passes
from cgcli.errors import UsageError
from cgcli.graph.node import Graph, Node, constant, leaf, name_of
from cgcli.graph.shapes import shape_text
from cgcli.transform.differentiate import directional, weighted

Call = Callable[[Arrays], Any]


def value(point: Point) -> Call:
    """The values of the outputs."""
    run = Run(point.graph.outputs, point.inputs)
    return lambda arrays: point.by_output(run(arrays))


def value_and_grad(point: Point) -> Call:
    """The values of the outputs, and the gradient of each."""
    outputs = scalar_outputs(point.graph)
    run = Run([*outputs, *_rows(outputs, point.wrt)], point.inputs)

    def call(arrays: Arrays) -> Any:
        results = iter(run(arrays))
        values = list(islice(results, len(outputs)))
        return point.by_output(values), point.by_output([point.by_wrt(row) for row in _parted(results, point)])

    return call


def gradient(point: Point) -> Call:
    """The gradient of each output."""
    run = Run(_rows(scalar_outputs(point.graph), point.wrt), point.inputs)
    return lambda arrays: point.by_output([point.by_wrt(row) for row in _parted(iter(run(arrays)), point)])


def _rows(outputs: Sequence[Node], wrt: Sequence[Node]) -> list[Node]:
    """The derivatives of scalars: those of the first output, then those of the next."""
    return [node for output in outputs for node in weighted([output], [constant(1.0)], wrt)]


def _parted(results: Iterator[Any], point: Point) -> list[list[Any]]:
    """For each output, as many results as there are inputs to differentiate by."""
    return [list(islice(results, len(point.wrt))) for _ in point.graph.outputs]


def jacobian(mode: Mode) -> Callable[[Point], Call]:
    """The Jacobian of each output by each input."""

    def prepare(point: Point) -> Call:
        passes = Passes(point.graph.outputs, point.wrt, mode)
        evaluator = Evaluator(point.inputs)
        return lambda arrays: point.by_output([point.by_wrt(_plain(row)) for row in passes(evaluator.at(arrays))])

    return prepare


def hessian(point: Point) -> Call:
    """The Hessian of each output by each pair of inputs."""
    passes = [Passes(_rows([output], point.wrt), point.wrt, "forward") for output in scalar_outputs(point.graph)]
    evaluator = Evaluator(point.inputs)

    def call(arrays: Arrays) -> Any:
        evaluate = evaluator.at(arrays)
        return point.by_output([point.by_wrt([point.by_wrt(_plain(row)) for row in each(evaluate)]) for each in passes])

    return call


def _plain(blocks: Sequence[Any]) -> list[Any]:
    """Scalars as floats."""
    return [block if block.shape else float(block) for block in blocks]


def jvp(point: Point) -> Call:
    """The values of the outputs and their tangents; after the inputs, a call takes a tangent for each of `wrt`."""
    outputs = point.graph.outputs
    tangents = [leaf(f"tangent of {name_of(node)}", node.shape) for node in point.wrt]
    moved = directional(outputs, dict(zip(point.wrt, tangents, strict=True)))
    run = Run([*outputs, *moved], [*point.inputs, *tangents])

    def call(arrays: Arrays) -> Any:
        given = [_direction(item, "tangent", name_of(node), node)
                 for item, node in zip(arrays[len(point.inputs) :], point.wrt, strict=True)]  # fmt: skip
        results = run([*arrays[: len(point.inputs)], *given])
        return point.by_output(results[: len(outputs)]), point.by_output(results[len(outputs) :])

    return call


def vjp(point: Point) -> Call:
    """The values of the outputs and the adjoints of `wrt`; after the inputs, a call takes the cotangent."""
    outputs = point.graph.outputs
    cotangents = [leaf(f"cotangent {at}", output.shape) for at, output in enumerate(outputs)]
    run = Run([*outputs, *weighted(outputs, cotangents, point.wrt)], [*point.inputs, *cotangents])

    def call(arrays: Arrays) -> Any:
        *given, cotangent = arrays
        results = run([*given, *_cotangents(cotangent, point.graph)])
        return point.by_output(results[: len(outputs)]), point.by_wrt(results[len(outputs) :])

    return call


def _cotangents(given: Any, graph: Graph) -> list[Any]:
    """An array for each output: of the only one, or of several by name, 0 for those left out."""
    if not graph.names:
        return [_direction(given, "cotangent", "", graph.output)]
    if not isinstance(given, Mapping) or not given.keys() <= set(graph.names):
        raise UsageError("a program of several outputs takes its cotangents by name",
                         hint=f"the outputs are: {', '.join(graph.names)}")  # fmt: skip
    return [
        _direction(given[name], "cotangent", name, output) if name in given else np.zeros(output.shape)[()]
        for name, output in zip(graph.names, graph.outputs, strict=True)
    ]


def _direction(given: Any, kind: str, name: str, node: Node) -> Any:
    """A tangent or cotangent as an array. Raises UsageError when it has not the shape of what it belongs to."""
    what, whose = (f"the {kind} of '{name}'", f"'{name}'") if name else (f"the {kind}", "the value")
    array = as_array(given, what)
    if array.shape != node.shape:
        raise UsageError(
            f"{what} has shape {shape_text(array.shape)}, and {whose} {shape_text(node.shape)}",
            hint=f"a {kind} has one number for each element",
        )
    return array
