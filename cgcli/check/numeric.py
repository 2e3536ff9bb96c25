"""A program as a plain numeric function beside a point: it changes along lines, and its values are rounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cgcli.check.differences import Rounding
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.constants import as_constant
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.body import inlined
from cgcli.graph.node import Node, apply, name_of, rebuild, toposort, variables
from cgcli.ops.logic import STOP_GRADIENT
from cgcli.transform.differentiate import adjoints

if TYPE_CHECKING:
    from cgcli.evaluate.evaluate import Array

_ROUNDING = 2.0**-50  # of one operation, relative to its value: 4 units in the last place or more


class Function:
    """The weighted outputs of a program as a function of some inputs, at a point.

    values: each output's, weighted and added up. outputs: those that are computed here: functions of
    the user's own are inlined, and what stop_gradient holds is constant.
    """

    def __init__(
        self, outputs: Sequence[Node], weights: Sequence[Array], wrt: Sequence[Node], bindings: Mapping[str, Any]
    ) -> None:
        self.outputs = _held(inlined(outputs), bindings)
        self.sizes = [_sizes(bindings[name_of(node)]) for node in wrt]
        self._weights = weights
        self._wrt = wrt
        moving = set(wrt)
        others = [node for node in variables(toposort(self.outputs)) if node not in moving]
        self._rest = [bindings[name_of(node)] for node in others]
        self._point = [bindings[name_of(node)] for node in wrt]
        self._inputs = [*wrt, *others]
        self._compiled = Compiled(self.outputs, self._inputs)
        self._here = self._compiled([*self._point, *self._rest])
        self.values = [self.weigh(at, value) for at, value in enumerate(self._here)]

    def weigh(self, output: int, array: Any) -> float:
        """The weighted sum of an array of an output's shape; what weighs nothing is left out."""
        weight = self._weights[output]
        with np.errstate(all="ignore"):
            return float(np.sum(np.where(weight != 0, weight * array, 0.0)))

    def along(self, directions: Mapping[int, Any]) -> Callable[[float, float], Array]:
        """How the weighted outputs change between two places on a line through the point.

        directions: by the position of an input, an array of its shape.
        """

        def at(place: float) -> list[Array]:
            if not place:
                return self._here
            moved = list(self._point)
            for position, direction in directions.items():
                moved[position] = moved[position] + place * direction
            return self._compiled([*moved, *self._rest])

        def change(start: float, end: float) -> Array:
            with np.errstate(all="ignore"):
                pairs = zip(at(start), at(end), strict=True)
                return np.array([self.weigh(output, b - a) for output, (a, b) in enumerate(pairs)])

        return change

    def roundings(self, directions: Mapping[int, Any], aside: float) -> list[Rounding]:
        """How much rounding errors move each output, to first order, at the point and some way aside on a line.

        Each operation may err by a few units in its last place, which reaches the output times the
        operation's adjoint (Iri 1984). Inputs count too, for kernels that are only as good as that.
        """
        moved = list(self._point)
        for position, direction in directions.items():
            moved[position] = moved[position] + aside * direction
        return [
            Rounding(here, max(there - here, 0.0) / aside)
            for here, there in zip(self._errors_here, self._errors(moved), strict=True)
        ]

    @cached_property
    def _errors_here(self) -> list[float]:
        return self._errors(self._point)

    @cached_property
    def _contributions(self) -> list[Compiled]:
        """For each output, the nodes that move it, and then their adjoints."""
        found = []
        for output, weight in zip(self.outputs, self._weights, strict=True):
            moving = adjoints([output], [as_constant(weight)], self._wrt)
            found.append(Compiled([*moving, *moving.values()], self._inputs))
        return found

    def _errors(self, point: Sequence[Any]) -> list[float]:
        errors = []
        for compiled in self._contributions:
            numbers = compiled([*point, *self._rest])
            half = len(numbers) // 2
            with np.errstate(all="ignore"):
                terms = [np.abs(value * adjoint) for value, adjoint in zip(numbers[:half], numbers[half:], strict=True)]
            errors.append(_ROUNDING * float(sum(np.sum(np.where(np.isfinite(term), term, 0.0)) for term in terms)))
        return errors


def _held(outputs: Sequence[Node], bindings: Mapping[str, Any]) -> tuple[Node, ...]:
    """The outputs with what stop_gradient holds as constants, at its value here."""
    stops = [node for node in toposort(outputs) if node.op is STOP_GRADIENT]
    if not stops:
        return tuple(outputs)
    known = {node: as_constant(value) for node, value in zip(stops, evaluate(stops, bindings), strict=True)}
    become = rebuild(outputs, apply, known)
    return tuple(become[output] for output in outputs)


def _sizes(point: Any) -> Array:
    """How large each element is, to choose steps by; for a 0, how large the others are."""
    sizes = np.abs(np.where(np.isfinite(point), point, 1.0))
    some = sizes[sizes > 0]
    return np.where(sizes > 0, sizes, np.mean(some) if some.size else 1.0)
