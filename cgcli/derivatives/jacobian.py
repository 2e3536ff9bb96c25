"""Jacobians at a point: one pass for each element of the smaller side, inputs or outputs."""

from __future__ import annotations

import math
from itertools import count, product

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Literal, Mapping, Protocol, Sequence
from cgcli.errors import TooLargeError
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.elements import is_all_finite
from cgcli.evaluate.limits import check_work
from cgcli.graph.node import (
    MAX_ELEMENTS,
    Node,
    constant,
    count_of_numbers,
    dependents,
    name_of,
    toposort,
    variable,
    variables,
)
from cgcli.graph.operation import Shape
from cgcli.graph.shapes import count_text, shape_of, size_text
from cgcli.lean import cached_property
from cgcli.ops.lazily import np
from cgcli.records import NamedTuple
from cgcli.transform.differentiate import pullback, pushforward

if TYPE_CHECKING:
    from cgcli.evaluate.compiled import Kernels
    from cgcli.evaluate.evaluate import Array

Mode = Literal["auto", "forward", "reverse"]

_MANY = 100_000  # operations in all passes: several passes at once are worth it
_BLOCK = 2**20  # numbers of the vectors and of the results of such passes


class Evaluate(Protocol):
    """The values of nodes at the point; it may report a nan or an infinity that it meets.

    bindings: values of variables that are not the program's own. quiet: report nothing, for these
    are parts of a computation, and whether it reads them is not known yet.
    """

    def __call__(self, outputs: Sequence[Node], bindings: Mapping[str, Any] = ..., quiet: bool = ...) -> list[Array]:
        """The value of each output, an array of its shape."""


class Jacobian:
    """The derivatives of each output by each input, made ready; call it at as many points as there are.

    mode: forward takes one pass for each element of the inputs, reverse one for each of the
    outputs; auto takes the fewer. kernels: those that the passes will be evaluated with, where not those on floats.
    Raises TooLargeError when the whole does not fit in memory.
    """

    def __init__(
        self, outputs: Sequence[Node], wrt: Sequence[Node], mode: Mode = "auto", kernels: Kernels | None = None
    ) -> None:
        _check_size(outputs, wrt)
        self._outputs, self._wrt = outputs, wrt
        self._forward = mode == "forward" or (mode == "auto" and count_of_numbers(wrt) <= count_of_numbers(outputs))
        sources, products = (wrt, self._columns) if self._forward else (outputs, self._rows)
        self._units = _UnitVectors(sources, outputs, products, by_evaluate=kernels is not None)
        self._zeros = _zeros if kernels is None else _zeros_of_any_kind

    def _columns(self, units: Sequence[Node], structural: bool) -> Sequence[Node]:
        return pushforward(self._outputs, dict(zip(self._wrt, units, strict=True)), structural=structural)

    def _rows(self, units: Sequence[Node], structural: bool) -> Sequence[Node]:
        return pullback(self._outputs, units, self._wrt, structural=structural)

    def __call__(self, evaluate: Evaluate) -> list[list[Array]]:
        """For each output and each input an array of shape `output.shape + input.shape`."""
        if self._wrt and not any(node.shape for node in (*self._outputs, *self._wrt)):
            passes = [results for *_, results in self._units.products(evaluate)]
            return [list(row) for row in zip(*passes, strict=True)] if self._forward else passes
        blocks = [[self._zeros((*output.shape, *node.shape)) for node in self._wrt] for output in self._outputs]
        for at, element, products in self._units.products(evaluate):
            for other, result in enumerate(products):
                row, column = (other, at) if self._forward else (at, other)
                if not shape_of(blocks[row][column]):
                    blocks[row][column] = result
                elif self._forward:
                    blocks[row][column][(..., *element)] = result
                else:
                    blocks[row][column][element] = result
        return blocks


_Place = tuple[int, tuple[int, ...]]
"""Of a unit vector: the position of its source, and its element there."""


class _Pass(NamedTuple):
    """The products with one unit vector: the position of its source, its element there, and the results."""

    at: int
    element: tuple[int, ...]
    results: list[Array]


class _UnitVectors:
    """The products of the Jacobian with each unit vector of the sources.

    products: gives them as nodes, from one vector for each source, and whether its zeros are structural. What does
    not depend on the vector is computed once for all of them. by_evaluate: they are computed by whom they are asked
    for, too.
    structural: the zeros of unit vectors are, so that none meets an infinity. Without it the graph is a fraction as
    large, and right where all its results are finite; the first that is not, and those after it, are computed with it.
    """

    def __init__(
        self,
        sources: Sequence[Node],
        outputs: Sequence[Node],
        products: Callable[[Sequence[Node], bool], Sequence[Node]],
        *,
        by_evaluate: bool,
        structural: bool = False,
    ) -> None:
        self._given = sources, outputs, products
        self._structural = structural or by_evaluate
        self._only = count_of_numbers(sources) == 1 and not sources[0].shape
        self._units = [constant(1.0)] if self._only else _fresh_variables(sources, outputs)
        self._results = tuple(products(self._units, self._structural))
        if not self._only:
            order = toposort(self._results)
            self._fixed, moving = _divided(self._units, order, self._results)
            check_work(moving, [node for node in order if node not in self._units], count_of_numbers(sources))
            self._by_evaluate = by_evaluate
            one_by_one = not by_evaluate and count_of_numbers(sources) * len(moving) <= _MANY
            self._run = Compiled(self._results, [*self._fixed, *self._units]) if one_by_one else None

    def products(self, evaluate: Evaluate) -> Iterator[_Pass]:
        """The products at one point, one after the other."""
        if self._only:
            yield _Pass(0, (), evaluate(self._results))
            return
        places = [(at, element) for at, unit in enumerate(self._units) for element in product(*map(range, unit.shape))]
        for place, numbers in zip(places, self._numbers(places, evaluate), strict=True):
            yield _Pass(*place, numbers)

    @cached_property
    def _with_structural_zeros(self) -> _UnitVectors:
        return _UnitVectors(*self._given, by_evaluate=False, structural=True)

    def _numbers(self, places: Sequence[_Place], evaluate: Evaluate) -> Iterator[list[Array]]:
        """The results for the unit vector at each place; evaluate is asked again for the first that is not finite."""
        known = evaluate(self._fixed, quiet=True)
        if self._by_evaluate:
            yield from (evaluate(self._results, self._bindings(place)) for place in places)
            return
        run = self._run
        found = (
            self._blocks(known, places) if run is None else (run([*known, *self._vectors(place)]) for place in places)
        )
        all_finite, scalars = True, not any(node.shape for node in self._results)
        for at, (place, numbers) in enumerate(zip(places, found, strict=True)):
            if all_finite and not ((scalars and math.isfinite(sum(numbers))) or all(map(is_all_finite, numbers))):
                if not self._structural:
                    yield from self._with_structural_zeros._numbers(places[at:], evaluate)
                    return
                all_finite = False
                evaluate(self._results, self._bindings(place))
            yield numbers

    def _blocks(self, known: Sequence[Any], places: Sequence[_Place]) -> Iterator[list[Array]]:
        """The derivatives along unit vectors, for as many of them at once as fit into memory well."""
        from cgcli.evaluate.batched import Batched

        run = Batched(self._results, self._units, dict(zip(self._fixed, known, strict=True)))
        rows = max(_BLOCK // (count_of_numbers(self._units) + count_of_numbers(self._results)), 1)
        for begin in range(0, len(places), rows):
            block = places[begin : begin + rows]
            vectors = [np.zeros((len(block), *unit.shape)) for unit in self._units]
            for row, (at, element) in enumerate(block):
                vectors[at][row, *element] = 1.0
            results = run(vectors)
            numbers = [result if result.ndim > 1 else result.tolist() for result in results]
            yield from map(list, zip(*numbers, strict=True))

    def _vectors(self, place: _Place) -> list[Any]:
        """The unit vector at a place, as one vector for each source."""
        at, element = place
        vectors = [_zeros(unit.shape) for unit in self._units]
        vectors[at] = _unit_vector(self._units[at].shape, element)
        return vectors

    def _bindings(self, place: _Place) -> dict[str, Any]:
        return dict(zip(map(name_of, self._units), self._vectors(place), strict=True))


def _zeros(shape: Shape) -> Any:
    return np.zeros(shape) if shape else 0.0


def _zeros_of_any_kind(shape: Shape) -> Any:
    """An array of objects, zeros until others are put in."""
    return np.zeros(shape, object) if shape else 0


def _unit_vector(shape: Shape, element: tuple[int, ...]) -> Any:
    """1 at an element, 0 elsewhere; 1 for a number."""
    if not shape:
        return 1.0
    vector = np.zeros(shape)
    vector[element] = 1.0
    return vector


def _fresh_variables(sources: Sequence[Node], outputs: Sequence[Node]) -> list[Node]:
    """A variable for a vector of each source's shape, of a name that the outputs do not use."""
    taken = {name_of(node) for node in variables(toposort([*sources, *outputs]))}
    names = (name for name in (f"d{at}" for at in count(1)) if name not in taken)
    return [variable(name, source.shape) for source, name in zip(sources, names, strict=False)]


def _divided(units: Sequence[Node], order: Sequence[Node], results: Sequence[Node]) -> tuple[list[Node], list[Node]]:
    """What the units have no part in, among the results and the arguments of others; and these others, computed."""
    moving = dependents(units, order)
    parts = [arg for node in order if node in moving for arg in node.args]
    fixed = [node for node in dict.fromkeys([*parts, *results]) if node not in moving]
    return fixed, [node for node in order if node in moving and node.args]


def _check_size(outputs: Sequence[Node], wrt: Sequence[Node]) -> None:
    rows, columns = count_of_numbers(outputs), count_of_numbers(wrt)
    if rows * columns > MAX_ELEMENTS:
        raise TooLargeError(
            f"the Jacobian would be {count_text(rows)} by {count_text(columns)} numbers "
            f"({size_text(8 * rows * columns)})",
            hint="jvp gives its product with a tangent, vjp with a cotangent, at the cost of one pass",
        )
