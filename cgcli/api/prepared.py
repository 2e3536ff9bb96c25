"""A program at given shapes, made ready for calls: names checked, graphs compiled, results handed over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cgcli.errors import UnknownNameError, UsageError, did_you_mean
from cgcli.evaluate.compiled import Compiled
from cgcli.graph.node import Graph, Node, name_of, toposort, variable, variables
from cgcli.graph.operation import Shape
from cgcli.graph.shapes import shape_text
from cgcli.lowering.inputs import check_bound

if TYPE_CHECKING:
    from cgcli.api.program import Program
    from cgcli.derivatives.jacobian import Evaluate

_NOTHING: Mapping[Any, Any] = MappingProxyType({})

Arrays = Sequence[Any]


class Point(NamedTuple):
    """Where a program is evaluated, without the numbers.

    inputs: a variable for each value that a call gives. wrt: those to differentiate by.
    """

    graph: Graph
    inputs: list[Node]
    wrt: list[Node]

    def by_output(self, results: Sequence[Any]) -> Any:
        """The result of the only output, or those of several by name."""
        names = self.graph.names
        return dict(zip(names, results, strict=True)) if names else results[0]

    def by_wrt(self, results: Sequence[Any]) -> dict[str, Any]:
        """Results for each input that is differentiated by, by name."""
        return {name_of(node): result for node, result in zip(self.wrt, results, strict=True)}


def prepare(program: Program, shapes: Mapping[str, Shape], wrt: Sequence[str] | None) -> Point:
    """The program lowered for values of these shapes. wrt: None for all inputs.

    Raises UnknownNameError for names without a value, for values of names that do not
    occur, and for such in `wrt`; UsageError for a name in `wrt` that the program computes.
    """
    graph = program.graph(shapes)
    check_bound(graph, shapes)
    for name in shapes:
        if name not in program.open_names and name not in (wrt or ()):
            raise _unknown(name, f"'{name}' is bound, but the expression does not use it", program, graph)
    read = variables(toposort(graph.outputs))
    by = read if wrt is None else [chosen(name, program, graph, shapes) for name in wrt]
    return Point(graph, [variable(name, shape) for name, shape in shapes.items()], by)


def chosen(name: str, program: Program, graph: Graph, shapes: Mapping[str, Shape]) -> Node:
    """The variable of a name to differentiate by; the derivative by one that has no use is 0."""
    if name in graph.labels.values():
        raise UsageError(f"cannot differentiate by '{name}': it is computed by the program, not an input",
                         hint=f"the inputs are: {', '.join(program.inputs) or 'none'}")  # fmt: skip
    if name not in shapes and name not in program.open_names:
        raise _unknown(name, f"cannot differentiate by '{name}': the expression does not use it", program, graph)
    return variable(name, shapes.get(name, program.shapes.get(name, ())))


def _unknown(name: str, message: str, program: Program, graph: Graph) -> UnknownNameError:
    near = did_you_mean(name, program.inputs) or f"the inputs are: {', '.join(program.inputs) or 'none'}"
    return UnknownNameError(message, source=graph.source, hint=near)


class Run:
    """Outputs made ready to be computed again and again, their values the caller's own to keep and to change."""

    def __init__(self, outputs: Sequence[Node], inputs: Sequence[Node]) -> None:
        self._compiled = Compiled(outputs, inputs)
        self._finish = [_finish(output, outputs[:at]) for at, output in enumerate(outputs)]

    def __call__(self, arrays: Arrays) -> list[Any]:
        """A float or an array for each output."""
        return [finish(value) for finish, value in zip(self._finish, self._compiled(arrays), strict=True)]


def _finish(output: Node, before: Collection[Node]) -> Callable[[Any], Any]:
    """How the value of an output is handed over: its memory must be neither the caller's nor shared by two results."""
    if not output.shape:
        return float
    return np.array if not output.args or output in before else _unshared


def _unshared(array: Any) -> Any:
    return array if array.base is None else np.array(array)


class Evaluator:
    """Values of nodes at many points, as derivatives/jacobian.py asks for them; what is compiled is kept."""

    def __init__(self, inputs: Sequence[Node]) -> None:
        self._inputs = list(inputs)
        self._compiled: dict[tuple[object, ...], Compiled] = {}

    def at(self, arrays: Arrays) -> Evaluate:
        """The values at one point."""

        def evaluate(outputs: Sequence[Node], bindings: Mapping[str, Any] = _NOTHING, quiet: bool = True) -> list[Any]:
            key = (tuple(outputs), tuple(bindings))
            compiled = self._compiled.get(key)
            if compiled is None:
                more = [variable(name, np.shape(value)) for name, value in bindings.items()]
                compiled = self._compiled[key] = Compiled(outputs, [*self._inputs, *more])
            return compiled([*arrays, *bindings.values()])

        return evaluate


def scalar_outputs(graph: Graph) -> Sequence[Node]:
    """The outputs of a graph. Raises UsageError for one that is no scalar, so that it has no gradient."""
    for at, output in enumerate(graph.outputs):
        if output.shape:
            what = f"the output '{graph.names[at]}'" if graph.names else "the value"
            raise UsageError(
                f"{what} has shape {shape_text(output.shape)}, and a gradient needs a scalar",
                hint="jacobian gives all its derivatives, vjp those of its elements' weighted sum",
            )
    return graph.outputs
