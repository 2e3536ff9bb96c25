"""Graph and arrays to arrays: run every node's kernel once, arguments first."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Mapping, Sequence
from cgcli.evaluate.compiled import Compiled
from cgcli.graph.node import Node, name_of, toposort, variables
from cgcli.records import EMPTY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


_FEW = 10_000  # numbers, whose values are kept to be looked through
MOST_IN_ARRAYS = 1000


class Events:
    """Whether a floating-point exception was signalled: the cheap sign of a possible nan or inf.

    values: of all nodes, where they are few. of_numbers: whether all are numbers. small: whether one of them that was
    computed is 0 or next to it.
    """

    def __init__(self) -> None:
        self.seen = False
        self.values: Mapping[Node, Any] = EMPTY
        self.of_numbers = False
        self.small = False

    def __call__(self, kind: str, flag: int) -> None:
        self.seen = True


def evaluate(
    outputs: Sequence[Node],
    bindings: Mapping[str, Any],
    events: Events | None = None,
    known: Mapping[Node, Any] = EMPTY,
) -> list[Array]:
    """The value of each output.

    bindings: an array of the variable's shape for every name that the outputs need.
    events: told when a division by zero, an overflow or an invalid operation happens, and of the values, where few.
    known: nodes whose values are there already, so that nothing below them is computed.
    Raises KeyError for an unbound name, TooLargeError beyond the memory bound.
    """
    order = toposort(outputs, known)
    inputs = [node for node in variables(order) if node not in known]
    arrays = [bindings[name_of(node)] for node in inputs]
    keep = events is not None and len(order) <= MOST_IN_ARRAYS and sum(map(_size, order)) <= MOST_IN_ARRAYS
    compiled = Compiled(outputs, [*inputs, *known], keep=keep, order=order)
    tape = compiled.tape([*arrays, *known.values()], events)
    if events is not None:
        events.of_numbers = compiled.of_numbers
        events.small = compiled.of_numbers and compiled.meets_small(tape)
        if keep or events.small or (compiled.of_numbers and len(tape) <= _FEW):
            events.values = dict(zip(compiled.nodes, tape, strict=True))
    return compiled.outputs_on(tape)


def _size(node: Node) -> int:
    return math.prod(node.shape)


def evaluate_all(
    outputs: Sequence[Node], bindings: Mapping[str, Any], events: Events | None = None
) -> dict[Node, Array]:
    """The value of every node that the outputs need."""
    order = toposort(outputs)
    inputs = variables(order)
    compiled = Compiled(outputs, inputs, keep=True, order=order)
    tape = compiled.tape([bindings[name_of(node)] for node in inputs], events)
    return dict(zip(compiled.nodes, tape, strict=True))
