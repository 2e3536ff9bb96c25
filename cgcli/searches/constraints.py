"""Constraints: relations of names, `x + y <= 1`, `x*y = 2`, as numbers that are 0, or not below 0, where they hold."""

from __future__ import annotations

import math

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Iterator, Sequence
from cgcli.api.point import Point, at_values
from cgcli.api.program import read_text
from cgcli.errors import UsageError
from cgcli.evaluate.compiled import Compiled
from cgcli.graph.node import VARIABLE, Node, leaf, name_of, toposort
from cgcli.ops.arithmetic import SUBTRACT
from cgcli.searches.parameters import Parameters, check_starts, flat
from cgcli.transform.differentiate import pullback, pushforward
from cgcli.transform.exact import exact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_MORE = {"less": 1, "less_equal": 1, "greater": 0, "greater_equal": 0, "equal": 0}  # which side is more


class Constraints:
    """Relations at a point, by the elements of parameters.

    equal: of each element of each relation, whether it is an equation. texts: the relation that each belongs to.
    Raises ParseError, UsageError for what is no relation, and for one that no parameter changes.
    """

    def __init__(self, relations: Sequence[str], point: Point, parameters: Parameters) -> None:
        found = [each for text in relations for each in _relations(text, point, parameters)]
        nodes = [node for _, _, node in found]
        sizes = [math.prod(node.shape) for node in nodes]
        self.texts = [text for (text, _, _), size in zip(found, sizes, strict=True) for _ in range(size)]
        self.equal = np.repeat([is_equal for _, is_equal, _ in found], sizes)
        self._parameters, self._shapes = parameters, [node.shape for node in nodes]
        inputs = [node for node in dict.fromkeys([*parameters.nodes, *toposort(nodes)]) if node.op is VARIABLE]
        units = parameters.directions()
        weights = [leaf(f"weight {at}", node.shape) for at, node in enumerate(nodes)]
        moved = dict(zip(parameters.nodes, units, strict=True))
        self._held = [point.bindings[name_of(node)] for node in inputs if node not in parameters.nodes]
        self._values = Compiled(nodes, inputs)
        self._products = Compiled(pushforward(nodes, moved), [*units, *inputs])
        second = pushforward(pullback(nodes, weights, parameters.nodes), moved)
        self._second = Compiled(second, [*units, *weights, *inputs])

    def values(self, values: Floats) -> Floats:
        """What is 0, or 0 or more, where the relations hold."""
        return flat(self._values(self._inputs(values)))

    def jacobian(self, values: Floats) -> Floats:
        """Its derivatives, of shape (relations, parameters)."""
        inputs, arrays = self._inputs(values), self._parameters.arrays
        return np.stack([flat(self._products([*arrays(unit), *inputs])) for unit in np.eye(len(values))], axis=1)

    def hessian(self, values: Floats, weights: Floats) -> Floats:
        """The second derivatives of its weighted sum."""
        ends = np.cumsum([math.prod(shape) for shape in self._shapes])[:-1]
        parts = [part.reshape(shape) if shape else float(part[0])
                 for part, shape in zip(np.split(weights, ends), self._shapes, strict=True)]  # fmt: skip
        inputs, arrays = self._inputs(values), self._parameters.arrays
        return np.stack([flat(self._second([*arrays(unit), *parts, *inputs])) for unit in np.eye(len(values))])

    def _inputs(self, values: Floats) -> list[Any]:
        return [*self._parameters.arrays(values), *self._held]


def _relations(text: str, point: Point, parameters: Parameters) -> Iterator[tuple[str, bool, Node]]:
    """The relations of a text: each with whether it is an equation, and what is 0, or 0 or more, where it holds."""
    program = read_text(text, "", {*point.bindings}, equations="relation")
    values = {name: value for name, value in point.bindings.items() if name in program.open_names}
    own = at_values(program, values)
    check_starts(own)
    span, source = program.syntax.statements[-1].span, own.graph.source
    outputs = own.graph.outputs
    if len(outputs) > 1:
        pairs = [(True, right, left) for left, right in zip(outputs[::2], outputs[1::2], strict=True)]
    else:
        pairs, waiting = [], [outputs[0]]
        while waiting:
            node = waiting.pop(0)
            more = _MORE.get(node.op.name)
            if node.op.name == "and":
                waiting = [*node.args, *waiting]
            elif more is not None:
                pairs.append((node.op.name == "equal", node.args[more], node.args[1 - more]))
            else:
                raise UsageError("this is no relation that can hold", span, source=source,
                                 hint="as in: x + y <= 1, x*y = 2, 0 <= x <= 1")  # fmt: skip
    moving = set(parameters.nodes)
    for is_equal, more_, less in pairs:
        node = exact(SUBTRACT, (more_, less))
        if moving.isdisjoint(toposort([node])):
            raise UsageError("no name that may change is in this relation", span, source=source,
                             hint=f"those are: {', '.join(parameters.names)}")  # fmt: skip
        yield text, is_equal, node
