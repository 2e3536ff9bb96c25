"""Uncertainty: that of a program's results, from those of its inputs, by exact derivatives; and trials as a check."""

from __future__ import annotations

import math

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence
from cgcli.api.arguments import holding_kinds
from cgcli.api.notices import Notice, tell, warn
from cgcli.api.point import Point, at_values
from cgcli.api.program import Program, read
from cgcli.api.values import arrays_of
from cgcli.api.watched import Watched
from cgcli.derivatives.jacobian import Jacobian
from cgcli.errors import CgError, DataError, UsageError, quoted
from cgcli.evaluate.batched import Batched
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.constants import as_constant
from cgcli.evaluate.evaluate import evaluate, evaluate_all
from cgcli.graph.node import Node, name_of, toposort
from cgcli.graph.shapes import element_names
from cgcli.printing.expression import formula
from cgcli.records import EMPTY, NamedTuple
from cgcli.searches.parameters import flat
from cgcli.searches.reached import Result
from cgcli.transform.differentiate import pushforward
from cgcli.uncertainty.inputs import (
    DETAILS,
    MOST_SECOND,
    MUCH,
    Combined,
    Inputs,
    combined,
    negative,
    texts_of,
    unit_rows,
)
from cgcli.uncertainty.law import statistics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.uncertainty.inputs import Pairs

    Floats = NDArray[np.float64]

_FEW = 12  # elements of inputs, and of results, of which second derivatives are computed without being asked for
_MOST_STEPS = 200  # elements of inputs that are moved by their uncertainty, to see whether a tangent will do
_MOST_LINES = 10**5  # of a budget
_MOST_NUMBERS = 10**8  # in the results of all trials
_ROUNDING = 1e-12  # of a result, which is no departure
_FARTHEST = 1e300  # of departures that are finite
_NOISE = 4.0  # standard deviations of the trials' own standard deviation


class Share(NamedTuple):
    """A line of an uncertainty budget: an input, or an element of one.

    sensitivity: the derivative by it; contribution: the size of that times its uncertainty; share: of the square of
    the combined uncertainty, which with correlations may be negative.
    """

    name: str
    value: float
    std_error: float
    sensitivity: float
    contribution: float
    share: float


class Trials(NamedTuple):
    """What so many trials with random inputs gave: mean, standard deviation, ends of the middle 95 % of them."""

    trials: int
    mean: Any
    std_error: Any
    low: Any
    high: Any


class Propagated(Result):
    """A value and its standard uncertainty: `propagate` makes it. Of several outputs, each field is a dict by name.

    value, std_error: of the same shape. budget: what each input has in it, the greatest share first: a list of `Share`,
    of an array a dict of lists by its elements; None where that would be too long. first_order: the uncertainty
    without the terms of the second order; bias: how far the mean is from the value for these; both are None where
    they are not asked for. monte_carlo: the `Trials`, if any.
    """

    value: Any
    std_error: Any
    budget: Any
    first_order: Any = None
    bias: Any = None
    monte_carlo: Any = None

    def _repr_html_(self) -> str:
        """Value and uncertainty, for notebooks."""
        from html import escape

        from cgcli.printing.uncertain import uncertain

        values, errors = (each if isinstance(each, dict) else {"": each} for each in (self.value, self.std_error))
        lines = (f"{name} = " * bool(name) + uncertain(each, errors[name]) for name, each in values.items())
        return "<br>".join(map(escape, lines))


@holding_kinds
def propagate(
    program: Program | str, values: Mapping[str, Any], uncertainties: Mapping[str, Any], *,
    corr: Mapping[tuple[str, str], float] = EMPTY, second_order: bool = False, monte_carlo: int = 0, seed: int = 0,
) -> Propagated:  # fmt: skip
    """The value of a program and its standard uncertainty, from those of its inputs.

    uncertainties: standard uncertainties by name: numbers, arrays, or texts: `5%`, or an expression of the values.
    corr: coefficients of correlation by pairs of names, or of elements, `w[0]`. second_order: add the terms of the
    second derivatives, which hold for normal distributions. monte_carlo: how many trials with normal numbers are made.

    >>> found = propagate("x*y", {"x": 2, "y": 3}, {"x": 0.1, "y": 0.2})
    >>> found.value, found.std_error, found.budget[0].name
    (6.0, 0.5, 'y')

    Warns, as CgWarning, where the first order is not enough. Raises UnknownNameError for names without a value and
    for uncertainties of names that the program does not have, UsageError for uncertainties and correlations that
    cannot be.
    """
    known = arrays_of(values)
    point = at_values(read(program), known)
    point.check_complete()
    warn(point.notices())
    pairs = [(*pair, r) for pair, r in corr.items()]
    return propagated(point, uncertainties, known, pairs, tell,
                      second_order=second_order, trials=monte_carlo, seed=seed)  # fmt: skip


def propagated(
    point: Point, uncertainties: Mapping[str, Any], values: Mapping[str, Any], pairs: Pairs,
    tell: Callable[[Notice], None], *, second_order: bool = False, trials: int = 0, seed: int = 0,
) -> Propagated:  # fmt: skip
    """As `propagate`, of a program at its point. values: of all names, those of uncertainties included."""
    points = {name: at_values(text, {each: values[each] for each in text.open_names if each in values})
              for name, text in texts_of(uncertainties).items()}  # fmt: skip
    for each in points.values():
        each.check_complete()
    inputs = Inputs(point, uncertainties, points, pairs)
    sizes = inputs.sizes(evaluate(inputs.errors, {**values, **point.bindings}))
    for name, size in zip(inputs.elements, sizes.tolist(), strict=True):
        if not 0 <= size < math.inf:
            raise UsageError(negative(name, size))
    outputs, watched = point.graph.outputs, Watched(point.graph, point.bindings, tell)
    slopes = _matrix(Jacobian(outputs, inputs.nodes)(watched), outputs, inputs.nodes)
    made = _At(point, inputs, sizes, flat(watched(outputs)), slopes)
    found = combined(inputs.correlations, sizes, slopes, made.curves(watched, asked=second_order))
    for notice in made.doubts(found, added=second_order):
        tell(notice)
    total = found.total if second_order else found.first
    fields = {"value": made.values, "std_error": total}
    if second_order and found.bias is not None:
        fields |= {"first_order": found.first, "bias": found.bias}
    tried = {}
    if trials:
        columns = zip(*map(made.shaped, made.trials(trials, seed, total, tell)), strict=True)
        tried = {"monte_carlo": point.by_output(Trials(trials, *each) for each in columns)}
    return Propagated(budget=made.budget(found), **tried,
                      **{name: point.by_output(made.shaped(flat)) for name, flat in fields.items()})  # fmt: skip


class _At(NamedTuple):
    """The results at a point: values (m,), and derivatives by the inputs' elements (m, n); sizes: u of these (n,)."""

    point: Point
    inputs: Inputs
    sizes: Floats
    values: Floats
    slopes: Floats

    def shaped(self, flat: Floats) -> Iterator[Any]:
        """An array of each output's shape, or a float, from the numbers of all outputs."""
        outputs = self.point.graph.outputs
        ends = np.cumsum([math.prod(output.shape) for output in outputs])
        for output, part in zip(outputs, np.split(flat, ends[:-1]), strict=True):
            yield part.reshape(output.shape) if output.shape else float(part[0])

    def curves(self, watched: Watched, *, asked: bool) -> Floats | None:
        """The second derivatives (m, n, n); None where they were not asked for and are many, or cannot be had."""
        most = max(self.slopes.shape)
        if most > (MOST_SECOND if asked else _FEW):
            if not asked:
                return None
            raise UsageError(f"the second order is for up to {MOST_SECOND} inputs and results, not {most}",
                             hint="make trials", topic="trials")  # fmt: skip
        nodes = self.inputs.nodes
        known = watched if asked else Watched(self.point.graph, self.point.bindings, lambda notice: None)
        try:
            rows = [Jacobian(row, nodes, "forward")(known) for row in unit_rows(self.point.graph.outputs, nodes)]
        except CgError:
            if asked:
                raise
            return None
        return np.stack([_matrix(row, nodes, nodes) for row in rows])

    def budget(self, found: Combined) -> Any:
        """The lines of each result, the greatest share first."""
        if self.slopes.size > _MOST_LINES:
            return None
        lists = []
        inputs = [self.inputs.elements, self.inputs.start.tolist(), self.sizes.tolist()]
        for slopes, shares in zip(self.slopes.tolist(), found.shares.tolist(), strict=True):
            lines = (Share(name, value, size, slope, abs(slope) * size if size else 0.0, share)
                     for name, value, size, slope, share in zip(*inputs, slopes, shares, strict=True))  # fmt: skip
            lists.append(sorted(lines, key=lambda line: -line.share))
        left = iter(lists)
        names = self.point.graph.names or ("value",)
        return self.point.by_output(
            {each: next(left) for each in element_names(name, output.shape)} if output.shape else next(left)
            for name, output in zip(names, self.point.graph.outputs, strict=True)
        )

    # ---- whether a tangent will do ----------------------------------------------------

    def doubts(self, found: Combined, *, added: bool) -> Iterator[Notice]:
        """What makes the first order a poor guide. added: the terms of the second order are in the result."""
        few = len(self.sizes) <= _MOST_STEPS
        ratio, steps = max(self._steps(found.first), key=lambda each: each[0]) if few else (0.0, self.sizes)
        if ratio < math.inf and found.bias is not None and np.any(found.is_bent):
            worst = int(np.argmax(np.where(found.is_bent, found.total - found.first + np.abs(found.bias), -1.0)))
            shift = f", and the mean is {abs(found.bias[worst]):.2g} away from the value" if found.bias[worst] else ""
            yield Notice(
                f"second derivatives matter here: with them the std_error is {found.total[worst]:.2g} instead of "
                f"{found.first[worst]:.2g}{shift}",
                "make trials, to check" if added else "add their terms, or make trials",
                details=DETAILS, topic="check" if added else "bent",
            )  # fmt: skip
        elif ratio > MUCH:
            yield self._bent(steps)

    def _steps(self, total: Floats) -> Iterator[tuple[float, Floats]]:
        """How far the results depart from their tangents where one element is moved, to their std_error; and the steps.

        Infinitely far where they are no numbers.
        """
        run = Compiled(self.point.graph.outputs, self.point.inputs)
        for steps in [*np.diag(self.sizes), *np.diag(-self.sizes)]:
            moved = {**self.point.bindings, **self.inputs.moved(steps)}
            with np.errstate(all="ignore"):
                then = flat(run([moved[name] for name in self.point.names]))
                along = self.slopes @ steps
                apart = np.abs(then - self.values - along)
                ratios = np.minimum(apart / np.maximum(total, np.abs(along)), _FARTHEST)
                ratios[apart <= _ROUNDING * np.maximum(np.abs(then), np.abs(self.values))] = 0.0
            ratios[~np.isfinite(then) & np.isfinite(self.values)] = math.inf
            yield float(np.max(ratios, initial=0.0)), steps

    def _bent(self, steps: Floats) -> Notice:
        """The operation at which the results leave their tangents first."""
        outputs, bindings = self.point.graph.outputs, self.point.bindings
        order = toposort(outputs)
        tangents = dict(zip(self.inputs.nodes, map(as_constant, self.inputs.arrays(steps)), strict=True))
        here, there = evaluate_all(outputs, bindings), evaluate_all(outputs, {**bindings, **self.inputs.moved(steps)})
        pushed = evaluate(pushforward(order, tangents), bindings)
        for node, along in zip(order, pushed, strict=True):
            change = np.asarray(there[node]) - here[node]
            if not np.all(np.abs(change - along) <= MUCH / 2 * np.maximum(np.abs(change), np.abs(along))):
                break
        kink = node.op.kink is not None and not node.op.kink.isolated
        what = "jumps" if node.op.why_no_derivative else "has a kink" if kink else "is far from linear"
        if not np.isfinite(there[node]).all():
            what = "is not finite everywhere"
        span = self.point.graph.origins.get(node)
        text = formula(node) if span is None else quoted(self.point.graph.source.text, span)
        name = self.inputs.elements[int(np.argmax(np.abs(steps)))]
        return Notice(f"{text} {what} within the uncertainty of '{name}'",
                      "the std_error holds for small changes; make trials", span, DETAILS, "small")  # fmt: skip

    def trials(self, count: int, seed: int, total: Floats, tell: Callable[[Notice], None]) -> list[Floats]:
        """Mean, standard deviation and ends of the middle of the results of so many trials; what is odd is told."""
        if count * len(self.values) > _MOST_NUMBERS:
            raise UsageError(f"{count} trials have more than {_MOST_NUMBERS:.0e} results", hint="make fewer")
        outputs, nodes = self.point.graph.outputs, self.inputs.nodes
        fixed = {node: self.point.bindings[name_of(node)] for node in self.point.inputs if node not in nodes}
        run = Batched(outputs, nodes, fixed)
        cuts = np.cumsum([math.prod(node.shape) for node in nodes])[:-1]
        blocks = []
        for normal in self.inputs.correlations.trials(len(self.sizes), count, seed):
            parts = np.split(self.inputs.start + normal * self.sizes, cuts, axis=1)
            columns = [part.reshape(-1, *node.shape) for node, part in zip(nodes, parts, strict=True)]
            blocks.append(np.column_stack([array.reshape(len(normal), -1) for array in run(columns, len(normal))]))
        every = np.concatenate(blocks)
        good = np.isfinite(every).all(axis=1)
        if good.sum() < 2:
            raise DataError(f"none of {count} trials gives numbers")
        if not good.all():
            tell(Notice(f"{count - good.sum()} of {count} trials give no number, and are left out", details=DETAILS))
        found = statistics(every[good])
        apart = np.abs(found[1] - total) > (MUCH + _NOISE / math.sqrt(2 * count)) * total
        if np.any(apart):
            at = int(np.argmax(apart))
            message = f"the std_error of the trials is {found[1][at]:.3g}, and that by derivatives {total[at]:.3g}"
            tell(Notice(message, details=DETAILS))
        return found


def _matrix(blocks: Sequence[Sequence[Any]], outputs: Sequence[Node], wrt: Sequence[Node]) -> Floats:
    """A matrix from the blocks of a Jacobian, which have the shapes of an output and of an input together."""
    return np.block([
        [np.reshape(block, (math.prod(output.shape), math.prod(node.shape)))
         for block, node in zip(row, wrt, strict=True)]
        for row, output in zip(blocks, outputs, strict=True)
    ])  # fmt: skip
