"""Derivatives by the table's rules against numeric ones, element by element and along one random line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cgcli.check.complex_step import ComplexStep
from cgcli.check.differences import central, ladder, sample, slope_of_remainder
from cgcli.check.numeric import Function
from cgcli.check.verdict import Numbers, Place, Verdict, judge
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.constants import as_constant, constant_of
from cgcli.evaluate.evaluate import evaluate, evaluate_all
from cgcli.evaluate.notes import kinks
from cgcli.graph.body import function_of, inlined, name_of_operation
from cgcli.graph.node import Graph, Node, name_of, toposort, variable, variables
from cgcli.transform.differentiate import directional, weighted
from cgcli.transform.reverse import active_nodes

if TYPE_CHECKING:
    from cgcli.evaluate.evaluate import Array

_CALLS = 1_000_000  # of kernels, about: some seconds
_EVALUATIONS = 40  # of the program for one element
_SHAKE = 2.0**-50  # a few units in the last place
_SHAKEN_POINTS = 8
_ASIDE = 2.0**-10  # where it is looked at how rounding errors grow, relative to what moves

Index = tuple[int, ...]


class Row(NamedTuple):
    """One derivative, of output number `output` by one element of an input, by every method.

    name: of the input; '' for the derivative along the random line.
    """

    output: int
    name: str
    element: Index
    numbers: Numbers
    verdict: Verdict

    @property
    def error(self) -> float:
        """How far the analytic derivative is from the differences."""
        return abs(self.numbers.reverse - self.numbers.central.value)

    @property
    def relative_error(self) -> float:
        """The same, relative to the larger of the two."""
        larger = max(abs(self.numbers.reverse), abs(self.numbers.central.value))
        return self.error / larger if larger else self.error


class Check(NamedTuple):
    """What was found.

    values: each output's, weighted by its cotangent. rows: the derivatives that were checked.
    line: those along a random line, one for each output, which all elements take part in.
    slopes: the power of h with which the Taylor remainder falls along it, None where there is
    none. total: of all derivatives. own: the functions whose own rule made a difference.
    """

    values: list[float]
    rows: list[Row]
    line: list[Row]
    slopes: list[float | None]
    total: int
    own: list[str]

    @property
    def mismatches(self) -> list[Row]:
        """The derivatives that are wrong; the line counts where elements were left out."""
        rows = [*self.rows, *self.line] if self.left_out else self.rows
        return [row for row in rows if row.verdict.kind == "mismatch"]

    @property
    def left_out(self) -> int:
        """How many derivatives were not checked one by one."""
        return self.total - len(self.rows)


def check(graph: Graph, cotangents: Sequence[Node], wrt: Sequence[Node], bindings: Mapping[str, Any]) -> Check:
    """Check the derivatives of a program's outputs by some of its inputs.

    cotangents: a constant for each output, of its shape. bindings: an array for each input.
    Where there are very many elements, some of each input are chosen, always the same ones.
    Raises what evaluating raises.
    """
    checker = _Checker(graph.outputs, cotangents, wrt, bindings)
    chosen = _chosen(wrt, graph.outputs, np.random.default_rng(0))
    rows = [row for at, indices in chosen.items() for index in indices for row in checker.rows(at, index)]
    lines, slopes = checker.line()
    total = sum(math.prod(node.shape) for node in wrt) * len(graph.outputs)
    found = Check(checker.function.values, rows, lines, slopes, total, [])
    return found._replace(own=_different(graph, cotangents, wrt, bindings) if found.mismatches else [])


class _Checker:
    """What the checks of all elements have in common."""

    def __init__(
        self, outputs: Sequence[Node], cotangents: Sequence[Node], wrt: Sequence[Node], bindings: Mapping[str, Any]
    ) -> None:
        self.function = Function(outputs, [constant_of(node) for node in cotangents], wrt, bindings)
        self._outputs, self._wrt, self._bindings = outputs, wrt, bindings
        gradients = [weighted([output], [weight], wrt) for output, weight in zip(outputs, cotangents, strict=True)]
        self._gradients = [evaluate(gradient, bindings) for gradient in gradients]
        self._errors = [_errors(gradient, wrt, bindings) for gradient in gradients]
        self._complex = ComplexStep(self.function.outputs, evaluate_all(self.function.outputs, bindings))
        order = toposort(outputs)
        candidates = [node for node in order if node.op.kink is not None]
        notes = kinks(candidates, outputs, evaluate_all(outputs, bindings)) if candidates else []
        self._kinks = {note.node for note in notes}
        self._pushed: dict[int, tuple[Compiled, list[Array], bool]] = {}

    def rows(self, at: int, index: Index) -> Iterator[Row]:
        """The derivatives of all outputs by one element of input number `at`."""
        node = self._wrt[at]
        size = float(self.function.sizes[at][index])
        unit = np.zeros(node.shape)
        unit[index] = 1.0
        samples = sample(self.function.along({at: unit}), ladder(size))
        roundings = self.function.roundings({at: unit}, size * _ASIDE)
        columns, at_kink = self._column(at, unit)
        steps = self._complex.derivative(node, index, size)
        for output, rounding in enumerate(roundings):
            numbers = Numbers(
                float(self._gradients[output][at][index]),
                self.function.weigh(output, columns[output]),
                central(samples.column(output), rounding),
                None if steps is None else self.function.weigh(output, steps[output]),
            )
            error = float(self._errors[output][at][index])
            place = Place(self.function.values[output], size, error, at_kink, samples.column(output), rounding)
            yield Row(output, name_of(node), index, numbers, judge(numbers, place))

    def _column(self, at: int, unit: Array) -> tuple[list[Array], bool]:
        """The column of the Jacobian by forward mode, and whether there is a kink on the way."""
        if at not in self._pushed:
            node = self._wrt[at]
            moving = variable("\0tangent", node.shape)
            columns = directional(self._outputs, {node: moving})
            inputs = [item for item in variables(toposort(columns)) if item is not moving]
            at_kink = bool(self._kinks) and not self._kinks.isdisjoint(active_nodes(toposort(self._outputs), {node}))
            self._pushed[at] = (
                Compiled(columns, [moving, *inputs]),
                [self._bindings[name_of(x)] for x in inputs],
                at_kink,
            )
        column, arrays, at_kink = self._pushed[at]
        return column([unit[()], *arrays]), at_kink

    def line(self) -> tuple[list[Row], list[float | None]]:
        """The derivatives along a line on which every input moves, and the slopes of the Taylor remainders."""
        if not any(size.size for size in self.function.sizes):
            return [], []
        random = np.random.default_rng(0)
        ways = {
            at: random.choice([-1.0, 1.0], size.shape) * random.uniform(0.5, 1.0, size.shape) * size
            for at, size in enumerate(self.function.sizes)
        }
        samples = sample(self.function.along(ways), ladder(1.0))
        roundings = self.function.roundings(ways, _ASIDE)
        tangents = {node: as_constant(ways[at]) for at, node in enumerate(self._wrt)}
        pushed = evaluate(directional(self._outputs, tangents), self._bindings)
        rows, slopes = [], []
        for output, rounding in enumerate(roundings):
            numbers = Numbers(
                _product(self._gradients[output], ways.values()),
                self.function.weigh(output, pushed[output]),
                central(samples.column(output), rounding),
                None,
            )
            error = _product(self._errors[output], map(np.abs, ways.values()))
            place = Place(self.function.values[output], 1.0, error, bool(self._kinks), samples.column(output), rounding)
            rows.append(Row(output, "", (), numbers, judge(numbers, place)))
            slopes.append(slope_of_remainder(samples.column(output), numbers.reverse, rounding))
        return rows, slopes


def _product(gradient: Iterable[Array], direction: Iterable[Array]) -> float:
    with np.errstate(all="ignore"):
        return float(sum(np.sum(part * way) for part, way in zip(gradient, direction, strict=True)))


def _errors(gradient: Sequence[Node], wrt: Sequence[Node], bindings: Mapping[str, Any]) -> list[Array]:
    """The rounding errors of a gradient: how far it scatters over points that rounding could confuse.

    One other point would not do: where the truth is 0, as at a singular matrix, two results may be equal
    by chance. All lie on one side of the point itself, so that a kink or a jump there is no difference.
    """
    random = np.random.default_rng(1)
    signs = [random.choice([-1.0, 1.0], node.shape) for node in wrt]
    gradients = (
        evaluate(gradient, {**bindings, **_aside(wrt, bindings, [_SHAKE * places * sign for sign in signs])})
        for places in range(1, _SHAKEN_POINTS + 1)
    )
    with np.errstate(all="ignore"):
        ranges = [4 * np.ptp(parts, axis=0) for parts in zip(*gradients, strict=True)]
    return [np.where(np.isfinite(gap), gap, 0.0) for gap in ranges]


def _aside(wrt: Sequence[Node], bindings: Mapping[str, Any], by: Sequence[Any]) -> dict[str, Any]:
    """The inputs moved relative to their values."""
    return {name_of(node): bindings[name_of(node)] * (1 + part) for node, part in zip(wrt, by, strict=True)}


def _chosen(wrt: Sequence[Node], outputs: Sequence[Node], random: np.random.Generator) -> dict[int, list[Index]]:
    """Which elements of which inputs are checked: all, or so many that it takes some seconds."""
    calls = sum(1 + math.prod(node.shape) / 100 for node in toposort(outputs))
    budget = max(2, int(_CALLS / (_EVALUATIONS * calls)))
    some = list(range(len(wrt)))
    if len(wrt) > budget:
        some = sorted(random.choice(len(wrt), budget, replace=False).tolist())
    each = budget // max(len(some), 1)
    chosen = {}
    for at in some:
        size = math.prod(wrt[at].shape)
        flat = range(size) if size <= each else sorted(random.choice(size, each, replace=False).tolist())
        chosen[at] = [tuple(int(place) for place in np.unravel_index(place, wrt[at].shape)) for place in flat]
    return chosen


def _different(graph: Graph, cotangents: Sequence[Node], wrt: Sequence[Node], bindings: Mapping[str, Any]) -> list[str]:
    """The functions whose own derivative rule gives another gradient than their body would."""
    calls = {function: node for node in toposort(graph.outputs) if (function := function_of(node)) is not None}

    def gradient(outputs: Sequence[Node]) -> list[Array]:
        return evaluate(weighted(outputs, cotangents, wrt), bindings)

    given = gradient(graph.outputs)
    names = []
    for function, call in calls.items():
        derived = gradient(inlined(graph.outputs, calls.keys() - {function}))
        if not all(np.allclose(a, b, rtol=1e-9, atol=0.0, equal_nan=True) for a, b in zip(given, derived, strict=True)):
            names.append(name_of_operation(call, graph.functions))
    return names
