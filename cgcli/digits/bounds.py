"""Bounds of values that hold for all numbers within ranges: graphs in intervals, made narrower by derivatives."""

from __future__ import annotations

import math
from itertools import pairwise

from cgcli.annotations import Any, Callable, Mapping, Sequence
from cgcli.digits.kernels import Many
from cgcli.errors import CgError, EvaluationError, UsageError
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.constants import as_constant
from cgcli.graph.body import function_of
from cgcli.graph.loops import Loop, LoopAdjoint
from cgcli.graph.node import Node, name_of, toposort, variables
from cgcli.graph.operation import ARRAYS, INCREASING, NON_NEGATIVE, Operation
from cgcli.graph.shapes import shape_of
from cgcli.ops import interval_kernels
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, SUBTRACT
from cgcli.ops.enclosures import Line, increasing
from cgcli.ops.indexing import ELEMENT
from cgcli.ops.intervals import NOUGHT, ONE, UNDECIDED, Interval, hull, outward, point
from cgcli.ops.lazily import np
from cgcli.ops.loops import LOOP
from cgcli.ops.reductions import MAX, MIN
from cgcli.ops.roots import ROOT, Root
from cgcli.records import EMPTY
from cgcli.transform.differentiate import pushforward

_MOST_MOVING = 12  # numbers that move, by each of which the results are differentiated
_MOST_NODES = 3000  # of these derivatives
_MOST_PARTS = 16  # of a box
_LINE = (-math.inf, math.inf)

_UNNAMED = {  # operations whose names are no words of the language
    LOOP: "a loop or a sum whose number of trips is not known",
    ROOT: "a root",
    ELEMENT: "an element at an index that is computed",
}

Box = Mapping[str, Any]
"""For each name an interval, or an array of them."""


class Enclosing(Many):
    """Kernels on intervals; these are `Kernels` for `Compiled`, in which floats stand for their decimal numbers.

    outside: nodes that have no value, or an infinite one, somewhere. jumps: those that jump somewhere, so that their
    derivative does not say how they change. refused: those that raised an error, what is in a body first.
    """

    def __init__(self, digits: int) -> None:
        super().__init__(digits)
        self.line = Line(digits)
        self.outside: dict[Node, None] = {}
        self.jumps: dict[Node, None] = {}
        self.refused: list[Node] = []

    def step(self, node: Node) -> Callable[..., Any]:
        """What computes a node from its arguments. Raises EvaluationError where there is no kernel for this."""
        try:
            return self._watched(node)
        except EvaluationError:
            self.refused.append(node)
            raise

    def _watched(self, node: Node) -> Callable[..., Any]:
        if isinstance(node.params, LoopAdjoint):
            raise EvaluationError("the gradient of a loop has no bounds: it cannot be computed with ranges",
                                  hint="its derivative along a direction has some: cg jvp")  # fmt: skip
        if isinstance(node.params, Root) or (isinstance(node.params, Loop) and node.params.trips is None):
            raise _without_kernel(node.op)
        run = self._special(node) or super().step(node)
        own_rule = function_of(node) is not None

        def watched(*args: Any) -> Any:
            self.line.outside = self.line.jumps = False
            try:
                value = run(*args)
            except EvaluationError:
                self.refused.append(node)
                raise
            if self.line.outside:
                self.outside[node] = None
            if self.line.jumps or own_rule or (node.op.why_no_derivative and not _is_point(value)):
                self.jumps[node] = None
            return value

        return watched

    def _special(self, node: Node) -> Callable[..., Any] | None:
        """The kernel of an operation whose arguments are not independent, as x - x and x/(x + y); None for others."""
        if node.shape or len(node.args) != 2:
            return None
        x, y = node.args
        if x is y and node.op in _OF_EQUALS:
            of_equals, line = _OF_EQUALS[node.op], self.line
            return lambda value, _: of_equals(line, value)
        if node.op is DIVIDE and _is_share(x, y):
            return lambda value, total: (UNDECIDED if total.holds(0) else value / total).within(UNDECIDED)
        return None

    def _number(self, value: Any) -> Any:
        if isinstance(value, Interval):
            return value
        return self.line.constant(float(value)) if isinstance(value, float | np.floating) else point(int(value))

    def _on_arrays(self, op: Operation, params: list[Any]) -> Callable[..., Any]:
        own = _EXTREMES.get(op) or interval_kernels.ON_ARRAYS.get(op.mp)
        if own is None and op.mp != ARRAYS:
            raise _without_kernel(op)

        def run(*args: Any) -> Any:
            arrays = [np.asarray(arg, object) for arg in args]
            try:
                return self._each(own(self.line, *arrays, *params) if own else op.kernel(*arrays, *params))
            except TypeError:  # it compares
                raise _without_kernel(op) from None

        return run

    def _on_numbers(self, op: Operation, params: list[Any]) -> Callable[..., Any]:
        named = op.mp or (op.python if isinstance(op.python, str) else op.name)
        known = interval_kernels.kernel(self.line, named)
        if known is None and op.facts & INCREASING and (op.mp or isinstance(op.python, str)):
            known = increasing(self.line, named, op.samples[0] if op.domain else _LINE)
        if known is None and (callable(op.python) and op.truth is None):
            return op.python
        if known is None:
            raise _without_kernel(op)
        kernel = known
        return lambda *args: kernel(*args, *params)


def _without_kernel(op: Operation) -> EvaluationError:
    what = _UNNAMED.get(op, f"'{op.name}'")
    return EvaluationError(f"{what} has no bounds: it cannot be computed with ranges",
                           hint="give each name one number, or write it with other operations")  # fmt: skip


def _is_point(value: Any) -> bool:
    return all(each.is_point for each in value.flat) if shape_of(value) else value.is_point


_OF_EQUALS: Mapping[Operation, Callable[[Line, Interval], Interval]] = {
    MULTIPLY: lambda line, x: interval_kernels.power(line, x, point(2)),
    SUBTRACT: lambda line, x: x if x.is_empty else NOUGHT,
    DIVIDE: lambda line, x: interval_kernels.truediv(line, x, x) if x.holds(0) else ONE,
}


def _is_share(part: Node, total: Node) -> bool:
    """Whether one of several terms, none of which is negative, is divided by their sum."""
    terms, waiting = [], [total]
    while waiting:
        term = waiting.pop()
        if term.op is ADD:
            waiting.extend(term.args)
        else:
            terms.append(term)
    return part in terms and all(term.op.facts & NON_NEGATIVE for term in terms)


def _extreme(kernel: Callable[..., Interval]) -> Callable[..., Any]:
    def run(line: Line, x: Any, along: tuple[int, ...], keep: bool) -> Any:
        if not along:
            return x
        moved = np.moveaxis(x, along, range(-len(along), 0))
        lead = moved.shape[: moved.ndim - len(along)]
        made = np.empty(lead, object)
        for at in np.ndindex(lead):
            made[at] = kernel(line, *moved[at].ravel())
        return np.expand_dims(made, along) if keep else made

    return run


_EXTREMES = {MAX: _extreme(interval_kernels.maximum), MIN: _extreme(interval_kernels.minimum)}


Place = tuple[Node, tuple[int, ...]]
"""A number of an input: the variable, and where in it."""


class OverRanges:
    """Bounds of nodes for all points in a box; an `Evaluate`.

    inputs: for each name the graphs of the ends of its range, the same for one number. digits: how many count.
    Raises UsageError for a range that ends before it begins.
    """

    def __init__(self, inputs: Mapping[str, tuple[Node, Node]], digits: int) -> None:
        self.kernels = Enclosing(digits)
        self._ready: dict[tuple[Node, ...], tuple[Sequence[Node], Compiled]] = {}
        self._outside: dict[Node, None] = {}  # as of the kernels, in all parts of the box
        self._box = {name: _joined(name, *self._on(ends, EMPTY, EMPTY)) for name, ends in inputs.items()}

    def __call__(
        self,
        outputs: Sequence[Node],
        bindings: Mapping[str, Any] = EMPTY,
        quiet: bool = False,
        results: object = None,
    ) -> list[Any]:
        """The bounds of the outputs: those in intervals, and the hull of those over parts of the box."""
        before = dict(self.kernels.outside)
        found = self._on(outputs, bindings, self._box)
        moving = self._moving(outputs)
        if quiet or not moving or len(moving) > _MOST_MOVING:
            return found
        self._outside = {}
        outside = self.kernels.outside
        try:
            slopes = [pushforward(outputs, {node: _unit(node, at)}) for node, at in moving]
            smooth = len(toposort([each for some in slopes for each in some])) <= _MOST_NODES
            parts = [
                self._narrowed(outputs, bindings, box, moving, slopes if smooth else None)
                for box in self._parts(moving)
            ]
            outside = before | self._outside
        except CgError:  # of a derivative, which nobody has asked for
            return found
        finally:
            self.kernels.outside = outside
        return [_each(Interval.within, whole, _each(_hull, *some)) for whole, *some in zip(found, *parts, strict=True)]

    def _on(self, outputs: Sequence[Node], bindings: Box, box: Box) -> list[Any]:
        """The bounds of nodes over a box, operation by operation."""
        values = {**box, **bindings}
        key = tuple(outputs)
        if key not in self._ready:
            order = toposort(outputs)
            needed = variables(order)
            self._ready[key] = needed, Compiled(outputs, needed, order=order, kernels=self.kernels)
        inputs, compiled = self._ready[key]
        return [*compiled([values[name_of(node)] for node in inputs])]

    def _narrowed(
        self, outputs: Sequence[Node], bindings: Box, box: Box, moving: Sequence[Place],
        slopes: Sequence[Sequence[Node]] | None,
    ) -> list[Any]:  # fmt: skip
        """The bounds over a box, and where all is smooth there, what the derivatives say, too.

        That is the mean value form f(c) + f'(X)*(X - c), and the values at corners where f' has one sign (Moore,
        Kearfott and Cloud 2009, chapters 6 and 10).
        """
        self.kernels.outside, self.kernels.jumps = {}, {}
        found = self._on(outputs, bindings, box)
        self._outside |= self.kernels.outside
        if slopes is None or self.kernels.outside or self.kernels.jumps:
            return found
        centre = {name: _each(_middle, value) for name, value in box.items()}
        over = self._on([each for some in slopes for each in some], bindings, box)
        made = []
        for at, middle in enumerate(self._on(outputs, bindings, centre)):
            partials = over[at :: len(outputs)]
            for place, partial in zip(moving, partials, strict=True):
                middle = middle + partial * (_at(box, place) - _at(centre, place))
            narrow = _each(Interval.within, found[at], middle)
            if not outputs[at].shape:
                narrow = self._at_corners(outputs[at], narrow, bindings, box, [*zip(moving, partials, strict=True)])
            made.append(narrow)
        return made

    def _at_corners(
        self, output: Node, found: Interval, bindings: Box, box: Box, partials: Sequence[tuple[Place, Interval]]
    ) -> Interval:
        """Bounds of a number from those where each name that it rises or falls with is at an end of its range."""
        signed = [(place, partial.low >= 0) for place, partial in partials if partial.low >= 0 or partial.high <= 0]
        if not signed:
            return found
        ends = []
        for up in (False, True):
            corner = box
            for place, rises in signed:
                value = _at(box, place)
                corner = _with(corner, place, point(value.high if up == rises else value.low))
            ends.append(self._on([output], bindings, corner)[0])
        low, high = ends
        return found if low.is_empty or high.is_empty else found.within(Interval(low.low, high.high))

    def _moving(self, outputs: Sequence[Node]) -> list[Place]:
        """The numbers that have a range; no more than count."""
        found: list[Place] = []
        for node in variables(toposort(outputs)):
            for at in np.ndindex(node.shape) if node.shape and name_of(node) in self._box else [()]:
                if name_of(node) in self._box and not _at(self._box, (node, at)).is_point:
                    found.append((node, at))
                if len(found) > _MOST_MOVING:
                    return found
        return found

    def _parts(self, moving: Sequence[Place]) -> list[Box]:
        """The box in parts, each number's range in as many equal ones."""
        parts: list[Box] = [self._box]
        count = int(_MOST_PARTS ** (1 / len(moving)) + 1e-9)
        for place in moving:
            value = _at(self._box, place)
            if count > 1 and not value.is_unbounded:
                ends = [value.low + (value.high - value.low) * at / count for at in range(count + 1)]
                cuts = [value.low, *(outward(end, end).low for end in ends[1:-1]), value.high]
                parts = [_with(box, place, Interval(low, high)) for box in parts for low, high in pairwise(cuts)]
        return parts


def _at(box: Box, place: Place) -> Interval:
    node, at = place
    value = box[name_of(node)]
    found: Interval = value[at] if node.shape else value
    return found


def _with(box: Box, place: Place, value: Interval) -> Box:
    """The box with another range for one number."""
    node, at = place
    changed: Any = value
    if node.shape:
        changed = np.array(box[name_of(node)])
        changed[at] = value
    return {**box, name_of(node): changed}


def _each(function: Callable[..., Interval], *values: Any) -> Any:
    """A function of intervals, on those of arrays one by one."""
    if not any(map(shape_of, values)):
        return function(*values)
    return np.frompyfunc(function, len(values), 1)(*values)


def _hull(*parts: Interval) -> Interval:
    return hull(parts)


def _joined(name: str, low: Any, high: Any) -> Any:
    """The range between two ends, or an array of such."""
    if shape_of(low) != shape_of(high):
        raise UsageError(f"the ends of the range of '{name}' differ in shape", hint="as in: x=[0,1]..[2,3]")

    def join(one: Interval, other: Interval) -> Interval:
        if not one.low <= other.high:
            raise UsageError(f"the range of '{name}' ends before it begins", hint="as in: x=0..1")
        return Interval(one.low, other.high)

    return _each(join, low, high)


def _middle(x: Interval) -> Interval:
    """The number in the middle; of an infinite range one in it."""
    if x.is_unbounded:
        return point(next((end for end in (x.low, x.high) if abs(end) != math.inf), 0))
    middle = (x.low + x.high) / 2
    return point(outward(middle, middle).low) if not x.is_point else x


def _unit(node: Node, at: tuple[int, ...]) -> Node:
    if not node.shape:
        return as_constant(1.0)
    vector = np.zeros(node.shape)
    vector[at] = 1.0
    return as_constant(vector)
