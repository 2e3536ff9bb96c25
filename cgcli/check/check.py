"""Derivatives by the table's rules against numeric ones, element by element and along one random line."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Iterator, Mapping, Sequence
from cgcli.check.complex_step import ComplexStep
from cgcli.check.function import Direction, Function, weighted_sum
from cgcli.check.verdict import Numbers, Verdict, judge
from cgcli.errors import EvaluationError, TooLargeError
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.constants import constant_of
from cgcli.evaluate.evaluate import evaluate, evaluate_all
from cgcli.evaluate.limits import has_data
from cgcli.evaluate.notes import kinks
from cgcli.graph.body import function_of, inlined, name_of_operation
from cgcli.graph.loops import Loop
from cgcli.graph.node import Graph, Node, count_of_numbers, name_of, toposort, variable, variables
from cgcli.graph.shapes import count_text
from cgcli.graph.work import work_of
from cgcli.lean import cached_property
from cgcli.records import NamedTuple
from cgcli.transform.differentiate import pullback, pushforward
from cgcli.transform.reverse import active_nodes

if TYPE_CHECKING:
    from cgcli.evaluate.evaluate import Array

_CALLS = 500_000  # calls of kernels in one check, about: a second or two
_MOST_CALLS = 2_000_000  # in the evaluations along one line, where numbers or data account for them
_MOST_GRADIENTS = 10_000  # of one output by one input each
_EVALUATIONS = 40  # how often the program is evaluated for one element, about
_GRADIENTS = 8  # and its gradient in all, about
_SHAKE = 2.0**-50  # by how much inputs are moved to see rounding errors: a few units in the last place
_SHAKEN_POINTS = 6

Index = tuple[int, ...]


class Row(NamedTuple):
    """One derivative, of output number `output` by one element of an input, by every method.

    name: of the input; '' for the derivative along the random line. slope: the power of h with which the
    Taylor remainder falls; None where that tells nothing. digits: how many of the analytic derivative are right; None
    where that is not known.
    """

    output: int
    name: str
    element: Index
    numbers: Numbers
    verdict: Verdict
    slope: float | None = None
    digits: float | None = None

    @property
    def error(self) -> float:
        """How far the analytic derivative is from the differences."""
        return abs(self.numbers.reverse - self.numbers.central.value)

    @property
    def relative_error(self) -> float:
        """How far they are apart, relative to the larger of the two."""
        larger = max(abs(self.numbers.reverse), abs(self.numbers.central.value))
        return self.error / larger if larger else self.error


class Check(NamedTuple):
    """What was found.

    rows: the derivatives that were checked. line: the derivative of each output along a random
    line on which all elements move. total: of all derivatives. own: the functions whose own rule is not the
    derivative of their body.
    """

    rows: list[Row]
    line: list[Row]
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
    Raises what evaluating raises, and TooLargeError where one evaluation takes too long for so many, or where there
    are very many outputs and inputs.
    """
    count = len(graph.outputs) * len(wrt)
    if count > _MOST_GRADIENTS:
        message = f"the check would take {count} gradients, of {len(graph.outputs)} outputs by {len(wrt)} names"
        raise TooLargeError(message, hint="check fewer of them: --wrt; or the sum of the outputs")
    gradients = [pullback([output], [weight], wrt) for output, weight in zip(graph.outputs, cotangents, strict=True)]
    chosen = _chosen(wrt, graph.outputs, gradients, np.random.default_rng(0))
    checker = _Checker(graph.outputs, cotangents, gradients, wrt, bindings)
    rows = [row for at, indices in chosen.items() for index in indices for row in checker.element(at, index)]
    total = count_of_numbers(wrt) * len(graph.outputs)
    line = rows if total == len(graph.outputs) else checker.line()  # one number is a line of its own
    found = Check(rows, [row._replace(name="", element=()) for row in line] if total else [], total, [])
    return found._replace(own=_whose_rule_differs(graph, cotangents, wrt, bindings)) if found.mismatches else found


class _Checker:
    """What the checks of all elements have in common."""

    def __init__(
        self, outputs: Sequence[Node], cotangents: Sequence[Node], gradients: Sequence[Sequence[Node]],
        wrt: Sequence[Node], bindings: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self._outputs, self._wrt, self._bindings = outputs, wrt, bindings
        self._function = Function(outputs, [constant_of(node) for node in cotangents], wrt, bindings)
        compiled = [_Gradient(gradient, wrt, bindings) for gradient in gradients]
        self._gradients = [list(map(np.asarray, gradient.at(0))) for gradient in compiled]
        self._roundings = [gradient.roundings() for gradient in compiled]
        self._complex = ComplexStep(self._function.outputs, evaluate_all(self._function.outputs, bindings))
        candidates = [node for node in toposort(outputs) if node.op.kink is not None]
        notes = kinks(candidates, outputs, evaluate_all(outputs, bindings)) if candidates else []
        self._kinks = {note.node for note in notes}
        self._moving = [variable(f"\0tangent{at}", node.shape) for at, node in enumerate(wrt)]

    def element(self, at: int, index: Index) -> Iterator[Row]:
        """The derivatives of all outputs by one element of input number `at`."""
        node, size = self._wrt[at], float(self._function.sizes[at][index])
        unit = np.zeros(node.shape)
        unit[index] = 1.0
        reverse = [float(gradient[at][index]) for gradient in self._gradients]
        steps = self._complex.derivative(node, index, size)
        by_complex = None if steps is None else self._function.weigh(steps)
        for row in self._along({at: unit[()]}, size, reverse, by_complex):
            yield row._replace(name=name_of(node), element=index)

    def line(self) -> Iterator[Row]:
        """The derivatives along a line on which every input moves."""
        random = np.random.default_rng(0)
        direction = {
            at: random.choice([-1.0, 1.0], size.shape) * random.uniform(0.5, 1.0, size.shape) * size
            for at, size in enumerate(self._function.sizes)
        }
        return self._along(direction, 1.0, [_product(gradient, direction) for gradient in self._gradients])

    def _along(
        self, direction: Direction, size: float, reverse: Sequence[float], by_complex: Sequence[float] | None = None
    ) -> Iterator[Row]:
        """The derivatives of all outputs along a line."""
        forward, at_kink = self._pushed(direction)
        lengths = {at: np.abs(along) for at, along in direction.items()}
        for output, samples in enumerate(self._function.samples(direction, size)):
            complex_step = by_complex[output] if by_complex else None
            numbers = Numbers(reverse[output], forward[output], samples.central(), complex_step)
            value, rounding = self._function.values[output], _product(self._roundings[output], lengths)
            verdict = judge(numbers, samples, value=value, size=size, rounding=rounding, at_kink=at_kink)
            yield Row(output, "", (), numbers, verdict, samples.slope_of_remainder(reverse[output]))

    @cached_property
    def _tangents(self) -> Compiled:
        """The tangents of the outputs from those of all inputs to derive by, and from the inputs."""
        tangents = pushforward(self._outputs, dict(zip(self._wrt, self._moving, strict=True)))
        return Compiled(tangents, [*self._moving, *self._inputs])

    @cached_property
    def _inputs(self) -> list[Node]:
        return variables(toposort(self._outputs))

    def _pushed(self, direction: Direction) -> tuple[list[float], bool]:
        """The derivatives by forward mode, and whether an operation that depends on these inputs is at a kink."""
        vectors = [direction[at] if at in direction else np.zeros(node.shape)[()] for at, node in enumerate(self._wrt)]
        arrays = [self._bindings[name_of(node)] for node in self._inputs]
        active = active_nodes(toposort(self._outputs), {self._wrt[at] for at in direction}) if self._kinks else set()
        return self._function.weigh(self._tangents([*vectors, *arrays])), not self._kinks.isdisjoint(active)


def _product(gradient: Sequence[Array], direction: Direction) -> float:
    return sum(weighted_sum(along, gradient[at]) for at, along in direction.items())


class _Gradient:
    """A gradient as a function of how far all inputs are moved, in units of their last places."""

    def __init__(self, gradient: Sequence[Node], wrt: Sequence[Node], bindings: Mapping[str, Any]) -> None:
        random = np.random.default_rng(1)
        self._shapes = [node.shape for node in wrt]
        self._signs = {node: random.choice([-1.0, 1.0], node.shape) for node in wrt}
        self._inputs = variables(toposort(gradient))
        self._arrays = [bindings[name_of(node)] for node in self._inputs]
        self._compiled = Compiled(gradient, self._inputs)

    def at(self, places: int) -> Sequence[Array]:
        """The gradient where the inputs are moved by so many places."""
        moved = zip(self._inputs, self._arrays, strict=True)
        return self._compiled([array * (1 + _SHAKE * places * self._signs.get(node, 0.0)) for node, array in moved])

    def roundings(self) -> list[Array]:
        """The rounding errors: how much the gradient varies over points a few units in the last place apart.

        Two points are too few: where the derivative is 0, as at a singular matrix, two results may be equal by
        chance. All points lie on one side of the given one, so that a kink or a jump there does not count as rounding.
        """
        found = []
        for places in range(1, _SHAKEN_POINTS + 1):
            with suppress(EvaluationError):  # as where an equation has no root
                found.append(self.at(places))
        if not found:
            return [np.zeros(shape) for shape in self._shapes]
        with np.errstate(all="ignore"):
            ranges = [4 * np.ptp(parts, axis=0) for parts in zip(*found, strict=True)]
        return [np.where(np.isfinite(gap), gap, 0.0) for gap in ranges]


def _chosen(
    wrt: Sequence[Node], outputs: Sequence[Node], gradients: Sequence[Sequence[Node]], random: np.random.Generator
) -> dict[int, list[Index]]:
    """Which elements of which inputs are checked: all, or so many that it takes some seconds."""
    order = toposort(outputs)
    calls = sum(map(_calls_of, order))
    once = sum(_calls_of(node) for gradient in gradients for node in toposort(gradient)) * _GRADIENTS / _EVALUATIONS
    most = _MOST_CALLS if has_data(order) or not any(node.shape for node in order) else _CALLS
    if _EVALUATIONS * (calls + once) > most:
        raise TooLargeError(
            f"to check this, the program is evaluated {2 * _EVALUATIONS} times, "
            f"in {count_text(int(calls + once))} steps",
            hint=f"the limit is {count_text(most // _EVALUATIONS)} steps: make arrays smaller, or loops shorter",
        )
    budget = max(1, int(_CALLS / (_EVALUATIONS * calls)))
    some = _some(len(wrt), budget, random)
    each = budget // max(len(some), 1)
    return {
        at: [
            (*map(int, np.unravel_index(place, wrt[at].shape)),)
            for place in _some(math.prod(wrt[at].shape), each, random)
        ]
        for at in some
    }


def _calls_of(node: Node) -> float:
    """How many calls of kernels a node takes as long as; each operation in a trip of a loop is one."""
    return 1 + math.prod(node.shape) / 100 + work_of(node) / (1 if isinstance(node.params, Loop) else 5000)


def _some(count: int, most: int, random: np.random.Generator) -> Sequence[int]:
    """The numbers below a count, or some of them."""
    return range(count) if count <= most else sorted(random.choice(count, most, replace=False).tolist())


def _whose_rule_differs(
    graph: Graph, cotangents: Sequence[Node], wrt: Sequence[Node], bindings: Mapping[str, Any]
) -> list[str]:
    """The functions whose own derivative rule gives another gradient than their body would."""
    calls = {function: node for node in toposort(graph.outputs) if (function := function_of(node)) is not None}

    def gradient(outputs: Sequence[Node]) -> list[Array]:
        return evaluate(pullback(outputs, cotangents, wrt), bindings)

    given = gradient(graph.outputs)
    names = []
    for function, call in calls.items():
        derived = gradient(inlined(graph.outputs, calls.keys() - {function}))
        if not all(np.allclose(a, b, rtol=1e-9, atol=0.0, equal_nan=True) for a, b in zip(given, derived, strict=True)):
            names.append(name_of_operation(call, graph.functions))
    return names
