"""Graph and arrays to arrays: run every node's kernel once, arguments first."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Mapping, Sequence
from cgcli.evaluate.compiled import Compiled
from cgcli.graph.node import Node, name_of, toposort, variables
from cgcli.records import EMPTY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


_FEW = 10_000  # numbers, whose values are kept to be looked through


class Events:
    """Whether a floating-point exception was signalled: the cheap sign of a possible nan or inf.

    numbers: the values of all nodes, where they are numbers. small: whether one that was computed is 0 or next to it.
    """

    def __init__(self) -> None:
        self.seen = False
        self.numbers: Mapping[Node, float] = EMPTY
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
    events: told when a division by zero, an overflow or an invalid operation happens, and of values that are numbers.
    known: nodes whose values are there already, so that nothing below them is computed.
    Raises KeyError for an unbound name, TooLargeError beyond the memory bound.
    """
    order = toposort(outputs, known)
    inputs = [node for node in variables(order) if node not in known]
    arrays = [bindings[name_of(node)] for node in inputs]
    compiled = Compiled(outputs, [*inputs, *known], order=order)
    tape = compiled.tape([*arrays, *known.values()], events)
    if events is not None and compiled.of_numbers:
        events.small = compiled.meets_small(tape)
        if events.small or len(tape) <= _FEW:
            events.numbers = dict(zip(compiled.nodes, tape, strict=True))
    return compiled.outputs_on(tape)


def evaluate_all(
    outputs: Sequence[Node], bindings: Mapping[str, Any], events: Events | None = None
) -> dict[Node, Array]:
    """The value of every node that the outputs need."""
    order = toposort(outputs)
    inputs = variables(order)
    compiled = Compiled(outputs, inputs, keep=True, order=order)
    tape = compiled.tape([bindings[name_of(node)] for node in inputs], events)
    return dict(zip(compiled.nodes, tape, strict=True))
