"""The derivative by a complex step: Im f(x + ih)/h, which subtracts nothing and so loses no digits.

Squire & Trapp (1998), Using complex variables to estimate derivatives of real functions;
Martins, Sturdza & Alonso (2003), The complex-step derivative approximation.
"""

from __future__ import annotations

import math

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Collection, Mapping, Sequence
from cgcli.graph.node import Node, toposort
from cgcli.graph.operation import ANALYTIC, Operation
from cgcli.graph.rules import Branch, Transpose, TransposeOf
from cgcli.ops.arithmetic import POWER_OP
from cgcli.transform.reverse import active_nodes

if TYPE_CHECKING:
    from cgcli.evaluate.evaluate import Array

_STEP = -60  # in powers of two, relative to the number that moves: its square is less than rounding
_LARGE = 2.0**20  # a number by which steps may be too long
_LEAST = 1e-290  # below, the imaginary part underflows


def takes_complex(op: Operation) -> bool:
    """Whether a complex step may go through an operation."""
    linear = bool(op.rules) and all(
        rule is None or isinstance(rule, Transpose | TransposeOf | Branch) for rule in op.rules
    )
    return linear or bool(op.facts & ANALYTIC)


class ComplexStep:
    """The derivatives of outputs at a point by complex steps, as far as the operations take complex numbers.

    values: of every node that the outputs need.
    """

    def __init__(self, outputs: Sequence[Node], values: Mapping[Node, Any]) -> None:
        self._values = values
        self._outputs = outputs
        self._order = toposort(outputs)
        self._moving: dict[Node, list[Node] | None] = {}

    def _operations(self, wrt: Node) -> list[Node] | None:
        """The operations between an input and the outputs; None where one takes no complex numbers here."""
        if wrt not in self._moving:
            active = active_nodes(self._order, {wrt})
            moving = [node for node in self._order if node in active and node.args]
            allowed = all(takes_complex(node.op) and _is_inside(node, active, self._values) for node in moving)
            self._moving[wrt] = moving if allowed else None
        return self._moving[wrt]

    def derivative(self, wrt: Node, index: tuple[int, ...], size: float) -> list[Array] | None:
        """The derivative of each output by one element of an input, of the output's shape; None where there is none.

        size: of the element.
        """
        moving = self._operations(wrt)
        if moving is None or wrt not in self._values or not math.isfinite(size):
            return None
        found = self._by_step(wrt, index, moving, math.ldexp(size, _STEP))
        if found is not None and size > _LARGE:
            other = self._by_step(wrt, index, moving, math.ldexp(_LARGE, _STEP))
            if other is None or not all(map(_is_close, found, other)):
                return None  # so long a step is too long for what changes within it, as sin(1e20)
        return found

    def _by_step(self, wrt: Node, index: tuple[int, ...], moving: Sequence[Node], step: float) -> list[Array] | None:
        start = np.array(self._values[wrt], dtype=complex)
        start[index] += 1j * step
        moved: dict[Node, Any] = {wrt: start[()]}
        with np.errstate(all="ignore"):
            for node in moving:
                args = [
                    moved[arg] if arg in moved and _has_derivative(node.op, at) else self._values[arg]
                    for at, arg in enumerate(node.args)
                ]
                image = np.imag(node.op.kernel(*args, *node.params))
                moved[node] = self._values[node] + 1j * image  # some kernels are less exact on complex numbers
            parts = [np.imag(moved[output]) if output in moved else np.zeros(output.shape) for output in self._outputs]
            lost = any(np.any((part != 0) & (np.abs(part) < _LEAST)) for part in parts) or step < _LEAST
            return None if lost else [part / step for part in parts]


def _is_close(one: Array, other: Array) -> bool:
    return bool(np.allclose(one, other, rtol=1e-9, atol=0, equal_nan=True))


def _has_derivative(op: Operation, position: int) -> bool:
    return bool(op.expansion) or op.rule(position) is not None


def _is_inside(node: Node, active: Collection[Node], values: Mapping[Node, Any]) -> bool:
    """Whether a node is away from its kinks, from the edges of its real domain, and from cuts on the real axis."""
    args = [values[arg] for arg in node.args]
    if not np.all(np.isfinite(values[node])):
        return False
    if node.op.kink is not None and np.any(node.op.kink.holds(*args, *node.params)):
        return False
    if node.op is POWER_OP and node.args[1] in active:
        return bool(np.all(args[0] > 0))
    return node.op.cut is None or not np.any(node.op.cut(*args))
