"""Graph and arrays to arrays: run every node's kernel once, arguments first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cgcli.errors import EvaluationError, TooLargeError
from cgcli.evaluate.limits import MAX_BYTES_WITHOUT_DATA, check_live
from cgcli.graph.node import CONSTANT, VARIABLE, Node, name_of, toposort
from cgcli.graph.operation import Operation, Params

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_FLOAT = np.dtype("<f8")


class Events:
    """Whether a floating-point exception was signalled: the cheap sign of a possible nan or inf."""

    def __init__(self) -> None:
        self.seen = False

    def __call__(self, kind: str, flag: int) -> None:
        self.seen = True


def evaluate(outputs: Sequence[Node], bindings: Mapping[str, Any], events: Events | None = None) -> list[Array]:
    """The value of each output.

    bindings: an array of the variable's shape for every name that the outputs need.
    events: told when a division by zero, an overflow or an invalid operation happens.
    Raises KeyError for an unbound name, TooLargeError beyond the memory bound.
    """
    return _run(outputs, bindings, events, keep=False)[0]


def evaluate_all(
    outputs: Sequence[Node], bindings: Mapping[str, Any], events: Events | None = None
) -> dict[Node, Array]:
    """The value of every node that the outputs need."""
    return _run(outputs, bindings, events, keep=True)[1]


def constant_of(node: Node) -> Array:
    """The value of a constant node."""
    (data,) = node.params
    assert isinstance(data, bytes)
    value = np.frombuffer(data, _FLOAT).reshape(node.shape)
    return value if node.shape else value[()]


def computed(op: Operation, args: Sequence[Any], params: Params) -> Any:
    """One operation on arrays, quiet about nan and infinities."""
    with np.errstate(all="ignore"):
        return op.kernel(*args, *params)


def _run(
    outputs: Sequence[Node], bindings: Mapping[str, Any], events: Events | None, keep: bool
) -> tuple[list[Array], dict[Node, Array]]:
    order = toposort(outputs)
    values: dict[Node, Any] = {}
    uses = _uses(order, outputs)
    live = 0
    with np.errstate(all="call" if events else "ignore", under="ignore", call=events or _ignore):
        for node in order:
            if node.op is CONSTANT:
                values[node] = constant_of(node)
                continue
            if node.op is VARIABLE:
                values[node] = bindings[name_of(node)]
                continue
            live += _bytes(node)
            if live > MAX_BYTES_WITHOUT_DATA:
                check_live(live, order)
            try:
                values[node] = node.op.kernel(*[values[arg] for arg in node.args], *node.params)
            except MemoryError:
                raise TooLargeError(f"{node.op.name} needs more memory than there is") from None
            except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
                raise EvaluationError(f"{node.op.name} cannot be computed: {error}") from error
            if not keep:
                for arg in node.args:
                    uses[arg] -= 1
                    if not uses[arg]:
                        del values[arg]
                        live -= _bytes(arg)
    return [values[output] for output in outputs], values


def _ignore(kind: str, flag: int) -> None:
    pass


def _bytes(node: Node) -> int:
    """The memory of a computed value; inputs and constants are there anyway."""
    computed_array = node.shape and node.op is not CONSTANT and node.op is not VARIABLE
    return 8 * math.prod(node.shape) if computed_array else 0


def _uses(order: Sequence[Node], outputs: Sequence[Node]) -> dict[Node, int]:
    """How many times each node's value will be read."""
    uses = dict.fromkeys(order, 0)
    for node in order:
        for arg in node.args:
            uses[arg] += 1
    for output in outputs:
        uses[output] += 1
    return uses
