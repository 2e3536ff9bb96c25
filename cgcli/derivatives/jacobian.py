"""Jacobians at a point: one pass for each element of the smaller side, inputs or outputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np

from cgcli.errors import TooLargeError
from cgcli.evaluate.compiled import Compiled
from cgcli.graph.node import (
    MAX_ELEMENTS,
    Node,
    constant,
    count_text,
    name_of,
    size_text,
    toposort,
    variable,
    variables,
)  # fmt: skip
from cgcli.transform.differentiate import directional, weighted

if TYPE_CHECKING:
    from cgcli.evaluate.evaluate import Array

Mode = Literal["auto", "forward", "reverse"]


class Evaluate(Protocol):
    """The values of nodes at the point; it may report a nan or an infinity that it meets.

    bindings: values of variables that are not the program's own.
    """

    def __call__(self, outputs: Sequence[Node], bindings: Mapping[str, Any] = ...) -> list[Array]:
        """The value of each output, an array of its shape."""


def jacobian(
    outputs: Sequence[Node], wrt: Sequence[Node], evaluate: Evaluate, mode: Mode = "auto"
) -> list[list[Array]]:
    """The derivatives of each output: for each input an array of shape `output.shape + input.shape`.

    mode: forward takes one pass for each element of the inputs, reverse one for each of the
    outputs; auto takes the fewer. Raises TooLargeError when the whole does not fit in memory.
    """
    _check_size(outputs, wrt)
    blocks = [[np.zeros((*output.shape, *node.shape)) for node in wrt] for output in outputs]
    if mode == "forward" or (mode == "auto" and elements(wrt) <= elements(outputs)):
        columns = _each(wrt, outputs, lambda units: directional(outputs, dict(zip(wrt, units, strict=True))), evaluate)
        for at, element, column in columns:
            place: tuple[Any, ...] = (..., *element)
            for row, pushed in zip(blocks, column, strict=True):
                row[at][place] = pushed
    else:
        rows = _each(outputs, outputs, lambda units: weighted(outputs, units, wrt), evaluate)
        for at, element, row in rows:
            for block, pulled in zip(blocks[at], row, strict=True):
                block[element] = pulled
    return [[block[()] for block in row] for row in blocks]


class _Pass(NamedTuple):
    """What came of one unit vector: the node whose element it is, by place, and the results."""

    at: int
    element: tuple[int, ...]
    results: list[Array]


def _each(
    sources: Sequence[Node],
    outputs: Sequence[Node],
    products: Callable[[Sequence[Node]], Sequence[Node]],
    evaluate: Evaluate,
) -> Iterator[_Pass]:
    """The products of the Jacobian with each unit vector of the sources.

    products: gives them as nodes, from one vector for each source. What does not depend on
    the vector is computed once.
    """
    if elements(sources) == 1 and not sources[0].shape:
        yield _Pass(0, (), evaluate(products([constant(1.0)])))
        return
    units = _fresh_variables(sources, outputs)
    results = products(units)
    fixed = _without(units, results)
    run = Compiled(results, [*fixed, *units])
    known = evaluate(fixed)
    vectors = [np.zeros(unit.shape)[()] for unit in units]
    all_finite = True
    for at, unit in enumerate(units):
        for element in np.ndindex(unit.shape):
            vector = np.zeros(unit.shape)
            vector[element] = 1.0
            moving = [*vectors[:at], vector[()], *vectors[at + 1 :]]
            numbers = run([*known, *moving])
            if all_finite and not all(np.all(np.isfinite(number)) for number in numbers):
                all_finite = False
                evaluate(results, {name_of(unit): value for unit, value in zip(units, moving, strict=True)})
            yield _Pass(at, element, numbers)


def _fresh_variables(sources: Sequence[Node], outputs: Sequence[Node]) -> list[Node]:
    """A variable for a vector of each source's shape, of a name that the outputs do not use."""
    taken = {name_of(node) for node in variables(toposort([*sources, *outputs]))}
    names = (name for name in (f"d{at}" for at in count(1)) if name not in taken)
    return [variable(name, source.shape) for source, name in zip(sources, names, strict=False)]


def _without(units: Sequence[Node], results: Sequence[Node]) -> list[Node]:
    """The nodes next to those that depend on the units, which themselves do not."""
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
