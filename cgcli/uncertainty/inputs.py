"""What is uncertain of a program's inputs: standard uncertainties and correlations; what results inherit of them."""

from __future__ import annotations

import math

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Iterator, Mapping, Sequence
from cgcli.api.point import Point
from cgcli.api.program import Program, read_text
from cgcli.api.value_files import of_file
from cgcli.api.values import as_array
from cgcli.errors import UnknownNameError, UsageError
from cgcli.evaluate.constants import as_constant
from cgcli.graph.node import Node, constant, name_of
from cgcli.graph.shapes import shape_text
from cgcli.ops.arithmetic import ABS, DIVIDE, MULTIPLY
from cgcli.records import NamedTuple
from cgcli.searches.parameters import Parameters
from cgcli.transform.differentiate import pullback
from cgcli.transform.exact import exact
from cgcli.uncertainty.law import Correlations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Pairs = Sequence[tuple[str, str, float]]

MUCH = 0.1  # of the uncertainty: what is neglected by more is told
MOST_SECOND = 50  # elements of inputs, and of results, of which second derivatives are computed
DETAILS = {"kind": "uncertainty"}
_SHOWN = 12  # names in a message


class Inputs(Parameters):
    """The inputs that have an uncertainty. errors: a graph for each of the nodes. correlations: of their elements.

    uncertainties: texts or arrays by name. points: of those that are programs. pairs: names, or elements, and a
    coefficient. Raises UnknownNameError for a name that the program does not have, UsageError for shapes that do not
    fit, and for correlations that cannot be.
    """

    def __init__(
        self, point: Point, uncertainties: Mapping[str, Any], points: Mapping[str, Point], pairs: Pairs
    ) -> None:
        for name in uncertainties:
            if name not in point.names and name not in point.bindings:
                raise UnknownNameError(f"'{name}' has an uncertainty, and is no input of the program",
                                       hint=point.nearest(name))  # fmt: skip
        super().__init__(point, uncertainties)
        if not self.nodes:
            unused = f": the program does not use '{next(iter(uncertainties))}'" if uncertainties else ""
            raise UsageError(f"no input of the program has an uncertainty{unused}", hint="as in: x=2±0.1")
        self.errors = [_error(node, uncertainties[name], points.get(name))
                       for node, name in zip(self.nodes, self.names, strict=True)]  # fmt: skip
        places: dict[frozenset[int], float] = {}
        for *pair, r in pairs:
            place = frozenset(map(self._place, pair))
            if place in places:
                raise UsageError(f"'{pair[0]}' and '{pair[1]}' have two correlations", hint="give one for each pair")
            places[place] = r
        self.correlations = Correlations([(min(place), max(place), r) for place, r in places.items()])
        self.correlations.check(self.elements)

    def _place(self, name: str) -> int:
        """The position of an element."""
        if (known := name.replace(" ", "")) in self.elements:
            return self.elements.index(known)
        if name in self.names:
            first, *_, last = (each for each in self.elements if each.startswith(f"{name}["))
            raise UsageError(f"'{name}' is an array: which of its elements is correlated?",
                             hint=f"as in: {first},{last}=0.5")  # fmt: skip
        raise UsageError(f"'{name}' has a correlation, and no uncertainty",
                         hint=f"those that have one: {', '.join(self.elements[:_SHOWN])}")  # fmt: skip

    def sizes(self, errors: Sequence[Any], rows: tuple[int, ...] = ()) -> Floats:
        """The uncertainties of all elements, one behind the other along the last axis, from those of the nodes."""
        found = []
        for node, error in zip(self.nodes, errors, strict=True):
            axes = np.ndim(error) - len(rows)
            array = np.reshape(error, (*rows, *(1,) * (len(node.shape) - axes), *np.shape(error)[len(rows) :]))
            found.append(np.broadcast_to(array, (*rows, *node.shape)).reshape(*rows, math.prod(node.shape)))
        return np.concatenate(found, axis=-1)

    def moved(self, steps: Floats) -> dict[str, Any]:
        """The values of the inputs by name, each element moved by its step."""
        return self.named(self.start + steps)


def negative(name: str, size: float) -> str:
    """The message for a negative uncertainty, or one that is no number."""
    return f"the uncertainty of '{name}' is {size:g}, and must be 0 or more"


def texts_of(uncertainties: Mapping[str, Any]) -> dict[str, Program]:
    """The programs of those that are texts, but for names of files, `@u.npy`."""
    return {
        name: read_text(given.removesuffix("%"), f"the uncertainty of '{name}'")
        for name, given in uncertainties.items()
        if isinstance(given, str) and not given.startswith("@")
    }


def _error(node: Node, given: Any, point: Point | None) -> Node:
    """The uncertainty of an input as a graph; `5%` is relative to the size of the input."""
    what = f"the uncertainty of '{name_of(node)}'"
    if point is not None:
        error = point.graph.output
    else:
        error = as_constant(of_file(given[1:], what) if isinstance(given, str) else as_array(given, what))
    if error.shape != node.shape[len(node.shape) - len(error.shape) :]:
        raise UsageError(f"{what} has shape {shape_text(error.shape)}, and '{name_of(node)}' {shape_text(node.shape)}",
                         hint="one number is for all elements")  # fmt: skip
    if isinstance(given, str) and given.endswith("%"):
        return exact(MULTIPLY, (exact(ABS, (node,)), exact(DIVIDE, (error, constant(100.0)))))
    return error


class Combined(NamedTuple):
    """The uncertainties of all elements of the results, along the last axis, with axes of rows before it.

    total: with the terms of the second order, where there are any; shares: of the square of the first.
    """

    total: Floats
    first: Floats
    shares: Floats
    bias: Floats | None

    @property
    def is_bent(self) -> Any:
        """Where the terms of the second order are not small."""
        assert self.bias is not None
        return (self.total > (1 + MUCH) * self.first) | (np.abs(self.bias) > MUCH * self.first)


def combined(correlations: Correlations, sizes: Floats, slopes: Floats, curves: Floats | None) -> Combined:
    """From the inputs' uncertainties (…, n), the derivatives (…, m, n), and the second ones (…, m, n, n)."""
    with np.errstate(all="ignore"):
        across = sizes[..., None, :]
        first, shares = correlations.combined(np.where(across == 0, 0.0, slopes * across))
        if curves is None:
            return Combined(first, first, shares, None)
        parts = across[..., None] * curves * across[..., None, :]
        second, bias = correlations.second_order(np.where(parts == 0, 0.0, parts))
        return Combined(np.hypot(first, second), first, shares, bias)


def unit_rows(outputs: Sequence[Node], wrt: Sequence[Node]) -> Iterator[tuple[Node, ...]]:
    """The derivatives of each element of the outputs, as graphs."""
    for output in outputs:
        for unit in np.eye(math.prod(output.shape)):
            yield pullback([output], [as_constant(unit.reshape(output.shape)[()])], wrt)
