"""Many rows, each result with how many digits of it are right in a column beside it."""

from __future__ import annotations

import math

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Iterator
from cgcli.api.columns import Bound, Computed, Results
from cgcli.api.digits import losses, name_of_digits
from cgcli.api.point import Point
from cgcli.digits.accuracy import Accuracy, accuracy
from cgcli.digits.evaluation import AtPrecision, numbers_in
from cgcli.errors import CgError
from cgcli.evaluate.constants import as_constant

if TYPE_CHECKING:
    from cgcli.api.notices import Notice
    from cgcli.tables.batch import Batch


class Measured(Bound):
    """A `Bound` whose results alternate with how many digits of them are right, nan where that is not known.

    Each row is computed with more digits, one after the other.
    """

    def __init__(self, point: Point, results: Results, threads: int) -> None:
        super().__init__(point, results, threads)
        self.names = [name for known in self.names for name in (known, name_of_digits(known))]
        self._fewest = math.inf
        self._worst: tuple[str, list[Any], dict[str, Any]] | None = None  # where it stands, its results, its values

    def __call__(self, batch: Batch) -> Computed:
        """The results for the rows of a batch, and how many digits of each are right."""
        computed = super().__call__(batch)
        digits = [np.full(array.shape, np.nan) for array in computed.arrays]
        cells = {name: column.values for name, column in self.read(batch).items()}
        for row in range(len(batch)):
            if row in computed.unread:
                continue
            values = {**self._point.bindings, **{name: array[row] for name, array in cells.items()}}
            result = [array[row] for array in computed.arrays]
            try:
                known = self._measured(result, values, losses=False).digits
            except CgError:  # so many digits are not to be had
                continue
            for array, right in zip(digits, known, strict=True):
                array[row] = np.round(np.asarray(right, float), 1)
            fewest = min((number for number in numbers_in(known) if number == number), default=math.inf)
            if fewest < self._fewest:
                self._fewest, self._worst = fewest, (batch.at(row), result, values)
        arrays = [each for pair in zip(computed.arrays, digits, strict=True) for each in pair]
        return computed._replace(arrays=arrays)

    def _measured(self, result: list[Any], values: dict[str, Any], *, losses: bool) -> Accuracy:
        def make(_: object) -> Any:
            def call(run: AtPrecision) -> list[Any]:
                return run(self._nodes)

            return call

        inputs = {name: as_constant(value) for name, value in values.items()}
        return accuracy(make, result, inputs, values, losses=losses)

    def notices(self) -> Iterator[Notice]:
        """Where digits were lost, in the row with the fewest right ones."""
        if self._worst is not None:
            place, result, values = self._worst
            for notice in losses(self._measured(result, values, losses=True), self._point.graph):
                yield notice._replace(message=f"{place}: {notice.message}")
