"""Jacobians at a point: one pass for each element of the smaller side, inputs or outputs."""

from __future__ import annotations

import math
from itertools import count, product

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Literal, Mapping, Protocol, Sequence
from cgcli.errors import TooLargeError
from cgcli.evaluate.compiled import Compiled, Kernels
from cgcli.evaluate.elements import is_all_finite
from cgcli.graph.node import MAX_ELEMENTS, Node, constant, name_of, toposort, variable, variables
from cgcli.graph.operation import Shape
from cgcli.graph.shapes import count_text, shape_of, size_text
from cgcli.ops.lazily import np
from cgcli.records import NamedTuple
from cgcli.transform.differentiate import pullback, pushforward

if TYPE_CHECKING:
    from cgcli.evaluate.evaluate import Array

Mode = Literal["auto", "forward", "reverse"]


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
        self._forward = mode == "forward" or (mode == "auto" and elements(wrt) <= elements(outputs))
        sources, products = (wrt, self._columns) if self._forward else (outputs, self._rows)
        self._units = _UnitVectors(sources, outputs, products, by_evaluate=kernels is not None)
        self._zeros = _zeros if kernels is None else _zeros_of_any_kind

    def _columns(self, units: Sequence[Node]) -> Sequence[Node]:
        return pushforward(self._outputs, dict(zip(self._wrt, units, strict=True)))

    def _rows(self, units: Sequence[Node]) -> Sequence[Node]:
        return pullback(self._outputs, units, self._wrt)

    def __call__(self, evaluate: Evaluate) -> list[list[Array]]:
        """For each output and each input an array of shape `output.shape + input.shape`."""
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


class _Pass(NamedTuple):
    """The products with one unit vector: the position of its source, its element there, and the results."""

    at: int
    element: tuple[int, ...]
    results: list[Array]


class _UnitVectors:
    """The products of the Jacobian with each unit vector of the sources.

    products: gives them as nodes, from one vector for each source. What does not depend on
    the vector is computed once for all of them. by_evaluate: they are computed by whom they are asked for, too.
    """

    def __init__(
        self,
        sources: Sequence[Node],
        outputs: Sequence[Node],
        products: Callable[[Sequence[Node]], Sequence[Node]],
        *,
        by_evaluate: bool,
    ) -> None:
        self._only = elements(sources) == 1 and not sources[0].shape
        self._units = [constant(1.0)] if self._only else _fresh_variables(sources, outputs)
        self._results = tuple(products(self._units))
        if not self._only:
            self._fixed = _without(self._units, self._results)
            self._run = None if by_evaluate else Compiled(self._results, [*self._fixed, *self._units])

    def products(self, evaluate: Evaluate) -> Iterator[_Pass]:
        """The products at one point, one after the other."""
        if self._only:
            yield _Pass(0, (), evaluate(self._results))
            return
        known = evaluate(self._fixed, quiet=True)
        vectors = [_zeros(unit.shape) for unit in self._units]
        names = [name_of(unit) for unit in self._units]
        all_finite = True
        for at, unit in enumerate(self._units):
            for element in product(*map(range, unit.shape)):
                moving = [*vectors[:at], _unit_vector(unit.shape, element), *vectors[at + 1 :]]
                if self._run is None:
                    yield _Pass(at, element, evaluate(self._results, dict(zip(names, moving, strict=True))))
                    continue
                numbers = self._run([*known, *moving])
                if all_finite and not all(map(is_all_finite, numbers)):
                    all_finite = False
                    evaluate(self._results, dict(zip(names, moving, strict=True)))
                yield _Pass(at, element, numbers)


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


def _without(units: Sequence[Node], results: Sequence[Node]) -> list[Node]:
    """The arguments of nodes that depend on the units, and the results, which do not depend on them themselves."""
    moving = set(units)
    for node in toposort(results):
        if not moving.isdisjoint(node.args):
            moving.add(node)
    parts = [arg for node in toposort(results) if node in moving for arg in node.args]
    return [node for node in dict.fromkeys([*parts, *results]) if node not in moving]


def elements(nodes: Sequence[Node]) -> int:
    """How many numbers the nodes' values hold."""
    return sum(math.prod(node.shape) for node in nodes)


def _check_size(outputs: Sequence[Node], wrt: Sequence[Node]) -> None:
    rows, columns = elements(outputs), elements(wrt)
    if rows * columns > MAX_ELEMENTS:
        raise TooLargeError(
            f"the Jacobian would be {count_text(rows)} by {count_text(columns)} numbers "
            f"({size_text(8 * rows * columns)})",
            hint="jvp gives its product with a tangent, vjp with a cotangent, at the cost of one pass",
        )
