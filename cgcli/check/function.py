"""A program as a plain numeric function around a point: how it changes along lines, and how its values are rounded."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Mapping, Sequence
from cgcli.check.differences import Samples, ladder
from cgcli.errors import EvaluationError
from cgcli.evaluate.budget import trips_made
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.constants import as_constant
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.body import inlined
from cgcli.graph.node import Node, apply, name_of, rebuild, toposort, variables
from cgcli.ops.logic import STOP_GRADIENT
from cgcli.transform.differentiate import adjoints

if TYPE_CHECKING:
    from cgcli.evaluate.evaluate import Array

Direction = Mapping[int, Any]
"""A line through the point: for each input that moves, by its position, an array of its shape."""

_ROUNDING = 2.0**-50  # of one operation, relative to its value: 4 units in the last place or more
_ASIDE = 2.0**-10  # how far from the point the growth of rounding errors is measured, relative to the size
_LEAST = 2.0**-1000  # a size


class Function:
    """The weighted outputs of a program as a function of some inputs, at a point.

    values: each output's, weighted and added up. outputs: those that are computed here: functions of the
    user's own are inlined, and each stop_gradient(x) is a constant. sizes: of each input's elements.
    """

    def __init__(
        self, outputs: Sequence[Node], weights: Sequence[Array], wrt: Sequence[Node], bindings: Mapping[str, Any]
    ) -> None:
        self.outputs = _with_stops_as_constants(inlined(outputs), bindings)
        self.sizes = [_sizes(bindings[name_of(node)]) for node in wrt]
        self._weights, self._wrt = weights, wrt
        others = [node for node in variables(toposort(self.outputs)) if node not in set(wrt)]
        self._inputs = [*wrt, *others]
        self._point = [bindings[name_of(node)] for node in self._inputs]
        self._compiled = Compiled(self.outputs, self._inputs)
        self._here = self._counted(self._point)
        self.values = self.weigh(self._here[0])

    def weigh(self, arrays: Sequence[Any]) -> list[float]:
        """For each output, the weighted sum of an array of its shape."""
        return [weighted_sum(weight, array) for weight, array in zip(self._weights, arrays, strict=True)]

    def samples(self, direction: Direction, size: float) -> list[Samples]:
        """How each weighted output changes along a line, in steps for a number of a size."""
        steps = ladder(size)
        right = [self._at(self._moved(direction, step)) for step in steps]
        left = [self._at(self._moved(direction, -step)) for step in steps]
        after = [self._change(self._here[0], there) for there, _ in right]
        before = [self._change(there, self._here[0]) for there, _ in left]
        same_trips = [np.array([trips == self._here[1] for _, trips in side]) for side in (left, right)]
        aside = size * _ASIDE
        beside = self._roundings(self._moved(direction, aside))
        return [
            Samples(np.array(steps), left, right, fixed, max(there - fixed, 0.0) / aside, *same_trips)
            for left, right, fixed, there in zip(
                np.transpose(before), np.transpose(after), self._roundings_here, beside, strict=True
            )
        ]

    def _counted(self, point: Sequence[Any]) -> tuple[Sequence[Array], int]:
        """The outputs at a point, and how many trips their loops make there."""
        begin = trips_made()
        return self._compiled(point), trips_made() - begin

    def _at(self, point: Sequence[Any]) -> tuple[Sequence[Array], int]:
        """The same beside the point: nan where nothing can be computed, as where an equation has no root."""
        try:
            return self._counted(point)
        except EvaluationError:
            return [np.full(node.shape, np.nan) for node in self.outputs], self._here[1]

    def _moved(self, direction: Direction, by: float) -> list[Any]:
        """The inputs' arrays at a place on a line."""
        arrays = list(self._point)
        with np.errstate(over="ignore"):
            for position, along in direction.items():
                arrays[position] = arrays[position] + by * along
        return arrays

    def _change(self, start: Sequence[Array], end: Sequence[Array]) -> list[float]:
        with np.errstate(all="ignore"):
            return self.weigh([b - a for a, b in zip(start, end, strict=True)])

    @cached_property
    def _roundings_here(self) -> list[float]:
        return self._roundings(self._point)

    @cached_property
    def _adjoints(self) -> list[Compiled]:
        """For each output, the nodes that move it, and then their adjoints."""
        found = (
            adjoints([output], [as_constant(weight)], self._wrt)
            for output, weight in zip(self.outputs, self._weights, strict=True)
        )
        return [Compiled([*moving, *moving.values()], self._inputs) for moving in found]

    def _roundings(self, point: Sequence[Any]) -> list[float]:
        """How much rounding errors move each output, to first order.

        Each operation may err by a few units in its last place, which reaches the output times the
        operation's adjoint (Iri 1984). Inputs count too, for kernels that are only as good as that.
        """
        errors = []
        for compiled in self._adjoints:
            try:
                numbers = compiled(point)
            except EvaluationError:
                numbers = []
            half = len(numbers) // 2
            with np.errstate(all="ignore"):
                terms = [np.abs(_ROUNDING * value * adjoint)
                         for value, adjoint in zip(numbers[:half], numbers[half:], strict=True)]  # fmt: skip
            errors.append(float(sum(np.sum(np.where(np.isfinite(term), term, 0.0)) for term in terms)))
        return errors


def weighted_sum(weight: Any, array: Any) -> float:
    """The weighted sum of an array's elements; an element with weight 0 is left out, even an infinite one."""
    with np.errstate(all="ignore"):
        return float(np.sum(np.where(weight != 0, weight * array, 0.0)))


def _with_stops_as_constants(outputs: Sequence[Node], bindings: Mapping[str, Any]) -> tuple[Node, ...]:
    """The outputs with each stop_gradient(x) as a constant, its value at the point."""
    stops = [node for node in toposort(outputs) if node.op is STOP_GRADIENT]
    known = {node: as_constant(value) for node, value in zip(stops, evaluate(stops, bindings), strict=True)}
    become = rebuild(outputs, apply, known)
    return tuple(become[output] for output in outputs)


def _sizes(point: Any) -> Array:
    """The absolute value of each element, by which steps are chosen; for a 0, the mean of the others.

    A number that is smaller than all of its steps have digits for counts as larger.
    """
    sizes = np.abs(np.where(np.isfinite(point), point, 1.0))
    some = sizes[sizes > 0]
    return np.where(sizes > 0, np.maximum(sizes, _LEAST), np.mean(some) if some.size else 1.0)
