"""Uncertainties over rows: each row's results with their standard uncertainties beside them."""

from __future__ import annotations

import math

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Iterable, Iterator, Sequence
from cgcli.api.columns import Bound, Computed
from cgcli.api.notices import Notice
from cgcli.api.point import Point
from cgcli.derivatives.gradient import derivative_name
from cgcli.errors import UsageError
from cgcli.graph.node import count_of_numbers
from cgcli.uncertainty.inputs import DETAILS, MOST_SECOND, Inputs, combined, negative, unit_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.tables.batch import Batch

    Floats = NDArray[np.float64]


class BoundUncertain(Bound):
    """A `Bound` whose results are values with their standard uncertainties beside them.

    inputs: those with uncertainties. second_order: add the terms of second derivatives, and the shift of the mean.
    shares: those of the inputs in the first order, too. called: the name of an only output. Raises UsageError for
    more derivatives than are computed over rows.
    """

    def __init__(
        self, point: Point, inputs: Inputs, others: Iterable[Point], threads: int, *,
        second_order: bool = False, shares: bool = False, called: str = "value",
    ) -> None:  # fmt: skip
        outputs = point.graph.outputs
        count, size = count_of_numbers(outputs), len(inputs.elements)
        if count > MOST_SECOND or (second_order and size > MOST_SECOND):
            raise UsageError(
                f"over rows, uncertainties are of up to {MOST_SECOND} numbers, and here are {max(count, size)}"
            )
        rows = list(unit_rows(outputs, inputs.nodes))
        second = [each for row in rows for each in unit_rows(row, inputs.nodes)] if second_order else []
        parts = {"value": outputs, "slope": [node for row in rows for node in row],
                 "curve": [node for row in second for node in row], "error": inputs.errors}  # fmt: skip
        for other in others:
            point = point._replace(
                inputs=tuple(dict.fromkeys((*point.inputs, *other.inputs))),
                bindings={**other.bindings, **point.bindings}, columns=[*point.columns, *other.columns],
            )  # fmt: skip
        super().__init__(point, [(name, node) for name, nodes in parts.items() for node in nodes], threads)
        self._ends = np.cumsum([len(nodes) for nodes in parts.values()])[:-1]
        self._inputs, self._shapes, self._shares = inputs, [output.shape for output in outputs], shares
        self._bent = self._rows = 0
        self.names = []
        for name in point.graph.names or (called,):
            told = f"{name}_" if point.graph.names or called != "value" else ""
            self.names += [name, f"{told}std_error", *[f"{told}bias"] * second_order]
            if shares:
                self.names += [derivative_name(told and name, each, "share_") for each in inputs.elements]

    def __call__(self, batch: Batch) -> Computed:
        """The results for the rows of a batch; a row with an uncertainty that is none cannot be read."""
        computed = super().__call__(batch)
        values, slopes, curves, errors = (
            computed.arrays[begin:end]
            for begin, end in zip([0, *self._ends], [*self._ends, len(computed.arrays)], strict=True)
        )
        rows, size = (len(batch),), len(self._inputs.elements)
        sizes = self._inputs.sizes(errors, rows)
        bad = ~((sizes >= 0) & np.isfinite(sizes))
        unread = {row: negative(self._inputs.elements[int(np.argmax(bad[row]))], sizes[row, np.argmax(bad[row])])
                  for row in np.flatnonzero(bad.any(axis=1)).tolist() if row not in computed.unread}  # fmt: skip
        count = sum(map(math.prod, self._shapes))
        found = combined(self._inputs.correlations, sizes, _wide(slopes, (*rows, count, size)),
                         _wide(curves, (*rows, count, size, size)) if curves else None)  # fmt: skip
        self._rows += len(batch)
        arrays, at = [], 0
        if curves:
            self._bent += int(np.sum(np.any(found.is_bent, axis=1)))
        for value, shape in zip(values, self._shapes, strict=True):
            end = at + math.prod(shape)
            told = [found.total, *([] if found.bias is None else [found.bias])]
            arrays += [value, *(each[:, at:end].reshape(*rows, *shape) for each in told)]
            if self._shares:
                arrays += [found.shares[:, at:end, place].reshape(*rows, *shape) for place in range(size)]
            at = end
        return computed._replace(arrays=arrays, unread={**computed.unread, **unread})

    def notices(self) -> Iterator[Notice]:
        """In how many rows second derivatives matter."""
        if self._bent:
            yield Notice(f"in {self._bent} of {self._rows} rows second derivatives matter", details=DETAILS)


def _wide(arrays: Sequence[Floats], shape: tuple[int, ...]) -> Floats:
    """Arrays of rows beside each other, in a shape."""
    return np.concatenate([array.reshape(shape[0], -1) for array in arrays], axis=1).reshape(shape)
