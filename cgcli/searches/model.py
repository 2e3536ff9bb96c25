"""An equation as a model of rows: its residuals and their exact Jacobian by the parameters, a batch at a time."""

from __future__ import annotations

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, Sequence
from cgcli.api.columns import Bound, Computed
from cgcli.api.point import Point, at_values
from cgcli.errors import CgError, UsageError
from cgcli.evaluate.compiled import Compiled
from cgcli.fitting.summary import Summary, summary
from cgcli.graph.node import constant, constant_value
from cgcli.graph.shapes import element_names, shape_text
from cgcli.ops.arithmetic import SUBTRACT
from cgcli.searches.parameters import Parameters
from cgcli.searches.reading import Passes, Weights, check_apart
from cgcli.transform.differentiate import pullback
from cgcli.transform.exact import exact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.fitting.losses import Loss
    from cgcli.searches.parts import Rows
    from cgcli.tables.batch import Batch

    Floats = NDArray[np.float64]
    Blocks = Iterable[Sequence[Any]]

_DIGITS = 34  # of residuals that are next to rounding


class Model:
    """The equation at a point, where its parameters have their starts and its columns vary.

    points: of the equation, and of its weights if there is a second one; is_sigma: that is the standard deviation of
    the row and not its weight. names: of what is to be found. first: the first batches. Raises UsageError for sides
    that are no numbers, where there is nothing to find, and for a parameter that is a column, too.
    """

    def __init__(
        self, points: Sequence[Point], names: Sequence[str], first: Sequence[Batch], *, is_sigma: bool, threads: int = 1
    ) -> None:
        self.point, *weights = points
        check_apart(names, first)
        sides = dict(zip(("left", "right"), self.point.graph.outputs, strict=True))
        for side, node in sides.items():
            if node.shape:
                raise UsageError(f"the {side} side has shape {shape_text(node.shape)}, and a row gives one number",
                                 hint="as in: y = w @ x, with x a column of lists")  # fmt: skip
        self.parameters = Parameters(self.point, names)
        if not self.parameters.nodes:
            raise UsageError("there is nothing to fit: no name of the equation has a start",
                             hint="give its parameters a value to begin with, as in: a=1")  # fmt: skip
        self.residual = exact(SUBTRACT, (sides["right"], sides["left"]))
        self.slopes = pullback([self.residual], [constant(1.0)], self.parameters.nodes)
        self.left, self.right = sides.values()
        self._threads = threads
        self._passes = Passes(self.point, self.parameters, [self.residual, self.left, *self.slopes], threads)
        self._made = points, [*names], is_sigma, threads
        self.weights = Weights(weights[0], threads, is_sigma=is_sigma) if weights else None
        results = [("residual", self.residual), *(("slope", slope) for slope in self.slopes)]
        self.first = Bound(self.point, results, threads)

    def __reduce__(self) -> tuple[object, ...]:
        return _again, self._made

    @property
    def columns(self) -> list[str]:
        """The names whose values vary with the row, in the order in which they are kept."""
        return self._passes.columns

    @property
    def constant_elements(self) -> list[str]:
        """The elements of parameters that the equation does not change with, wherever they are."""
        return [
            name
            for called, node, slope in zip(self.parameters.names, self.parameters.nodes, self.slopes, strict=True)
            if not slope.args and (constant_value(slope) == 0 or slope.op.name == "zeros")
            for name in element_names(called, node.shape)
        ]

    def blocks(self, rows: Blocks, values: Floats) -> Iterator[tuple[Floats, Floats, Floats | None]]:
        """[J r] of each block of rows, times the roots of the weights; the left sides; the weights, None for 1."""
        for weights, (residual, left, *slopes) in self._passes.over(rows, values):
            block = np.column_stack([*(slope.reshape(len(residual), -1) for slope in slopes), residual])
            if weights:
                yield block * np.sqrt(weights[0])[:, None], left, weights[0]
            else:
                yield block, left, None

    def at(self, values: Floats, rows: Rows, loss: Loss | None) -> Summary | None:
        """The summary of all rows at some values of the parameters; None where a number of it is not finite."""
        return _merged(rows.each("summarised", values, loss))

    def summarised(self, rows: Blocks, values: Floats, loss: Loss | None) -> Summary | None:
        """That of a part of the rows."""
        return _merged(self._summaries(rows, values, loss))

    def _summaries(self, rows: Blocks, values: Floats, loss: Loss | None) -> Iterator[Summary | None]:
        """That of each block."""
        for block, left, weights in self.blocks(rows, values):
            with np.errstate(over="ignore", invalid="ignore"):
                scaled, cost = (block, None) if loss is None else loss.scaled(block)
                part = summary(scaled, left, weights, cost)
            yield part if np.isfinite(part.cost) and np.isfinite(part.triangle).all() else None

    def robust_sums(self, rows: Blocks, values: Floats, loss: Loss) -> Floats:
        """Of a part of the rows the sums of the squared slopes of the loss, of its curvatures, and of their squares."""
        found = np.zeros(3)
        for block, _, weights in self.blocks(rows, values):
            counted = block[:, -1] if weights is None else block[weights > 0, -1]
            _, slopes, curves = loss.parts(counted)
            found += [np.sum(slopes**2), np.sum(curves), np.sum(curves**2)]
        return found

    def exact_rss(self, rows: Blocks, values: Floats) -> Any:
        """The sum of squares of a part of the rows with more digits, cells being as typed.

        None where an operation has no kernel for so many digits.
        """
        from cgcli.digits.kernels import Many

        point, kernels = self.point, Many(_DIGITS)
        exact = at_values(point.program.exact(), point.bindings, {name: point.shapes[name] for name in point.columns})
        fixed = {**point.bindings, **self.parameters.named(values)}
        total: Any = 0
        try:
            residuals = Compiled(exact.graph.outputs, exact.inputs, kernels=kernels)
            for arrays in rows:
                weights = arrays[len(self.columns) :]
                for row in range(len(arrays[0])):
                    cells = dict(zip(self.columns, (array[row] for array in arrays), strict=False))
                    left, right = residuals([kernels.given({**fixed, **cells}[name]) for name in exact.names])
                    total += (right - left) ** 2 * (float(weights[0][row]) if weights else 1.0)
        except CgError:
            return None
        return total


def _again(points: Sequence[Point], names: Sequence[str], is_sigma: bool, threads: int) -> Model:
    """The model that was pickled."""
    return Model(points, names, (), is_sigma=is_sigma, threads=threads)


def _merged(parts: Iterable[Summary | None]) -> Summary | None:
    """The summary of all parts; None where one of them is none."""
    found: Summary | None = None
    for part in parts:
        if part is None:
            return None
        found = part if found is None else found.merged(part)
    return found


class Predictions(Bound):
    """What a fit says of each row: the right side, the residual, the standard error and an interval of the former.

    root: of the covariance of the parameters, C with C C' the covariance. times: how many standard errors the interval
    takes to each side.
    """

    def __init__(self, model: Model, values: Floats, root: Floats, times: float, threads: int) -> None:
        results = [("fit", model.right), ("residual", model.residual), *(("slope", slope) for slope in model.slopes)]
        point = model.point
        super().__init__(
            point._replace(bindings={**point.bindings, **model.parameters.named(values)}), results, threads
        )
        self.names = ["fit", "residual", "std_error", "low", "high"]
        self._root, self._times = root, times

    def __call__(self, batch: Batch) -> Computed:
        """The results for the rows of a batch."""
        computed = super().__call__(batch)
        return computed._replace(arrays=self._told(computed.arrays))

    def of_arrays(self, columns: Mapping[str, Any], rows: int) -> list[Floats]:
        """The results for arrays of shape (rows, *shape), by name."""
        return self._told(super().of_arrays(columns, rows))

    def _told(self, arrays: Sequence[Floats]) -> list[Floats]:
        fit, residual, *slopes = arrays
        slope = np.column_stack([each.reshape(len(fit), -1) for each in slopes])
        error = np.linalg.norm(slope @ self._root, axis=1)
        return [fit, residual, error, fit - self._times * error, fit + self._times * error]
