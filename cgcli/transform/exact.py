"""Exact simplification: never changes a value, nan, infinities and signed zeros included.

`exact` builds one node and applies the rules to it; derivatives are built with it, so that
they come out without `1*` and with their constants folded. `rebuilt(graph, exact)` does it to a graph.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from cgcli.evaluate.constants import computed, constant_of
from cgcli.graph.node import CONSTANT, Node, apply, constant, constant_value
from cgcli.graph.operation import Operation, Params
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, POWER_OP, SUBTRACT
from cgcli.ops.functions import LN
from cgcli.ops.logic import AND_OP, WHERE
from cgcli.ops.sums import BROADCAST, broadcast


def _itself(x: Node) -> Node:
    return x


def _zero(x: Node) -> Node:
    return broadcast(constant(0.0), x.shape)


def _negative(x: Node) -> Node:
    return exact(NEG, (x,))


_Bits = bytes  # of a constant: 0 and -0 are different numbers here
_ZERO, _MINUS_ZERO, _ONE, _MINUS_ONE = (struct.pack("<d", number) for number in (0.0, -0.0, 1.0, -1.0))

# What an operation with a constant on its right makes of its left side x.
_ON_THE_RIGHT: Mapping[tuple[Operation, _Bits], Callable[[Node], Node]] = {
    (MULTIPLY, _ONE): _itself,  # x*1 = x
    (DIVIDE, _ONE): _itself,  # x/1 = x
    (POWER_OP, _ONE): _itself,  # x^1 = x
    (SUBTRACT, _ZERO): _itself,  # x - 0 = x; but -0 - (-0) = 0
    (ADD, _MINUS_ZERO): _itself,  # x + (-0) = x; but -0 + 0 = 0
    (MULTIPLY, _MINUS_ONE): _negative,  # x*(-1) = -x
}
# The same with the constant on its left, and x on its right.
_ON_THE_LEFT: Mapping[tuple[Operation, _Bits], Callable[[Node], Node]] = {
    (MULTIPLY, _ONE): _itself,  # 1*x = x
    (ADD, _MINUS_ZERO): _itself,  # -0 + x = x
    (AND_OP, _ZERO): _zero,  # 0 and x = 0
    (MULTIPLY, _MINUS_ONE): _negative,  # (-1)*x = -x
}


def exact(op: Operation, args: tuple[Node, ...], params: Params = ()) -> Node:
    """The node `op(*args)`, or a simpler one that has the same value for every input."""
    if op is NEG and args[0].op is NEG:  # --x = x
        return args[0].args[0]
    if not op.elementwise or CONSTANT not in [arg.op for arg in args]:
        return apply(op, args, params)
    if len(args) == 2 and (simpler := _with_constant(op, *args)) is not None:
        return simpler
    if all(arg.op is CONSTANT and not arg.shape for arg in args):
        return _folded(op, args, params)
    if op is WHERE and (condition := _everywhere(args[0])) is not None:  # where(1, x, y) = x, where(0, x, y) = y
        return broadcast(args[1] if condition != 0 else args[2], apply(op, args, params).shape)
    return apply(op, args, params)


def exact_symbolic(op: Operation, args: tuple[Node, ...], params: Params = ()) -> Node:
    """As `exact`, but ln(2) stays a logarithm: a formula that people read has no number of 16 digits for it."""
    return apply(op, args, params) if op is LN else exact(op, args, params)


def _everywhere(node: Node) -> float | None:
    """The number that all elements of a node are, where it is plain to see."""
    return constant_value(node.args[0] if node.op is BROADCAST else node)


def _with_constant(op: Operation, left: Node, right: Node) -> Node | None:
    """What the tables say of an operation with a scalar constant on one side."""
    rule = _ON_THE_RIGHT.get((op, _bits(right)))
    if rule is not None:
        return rule(left)
    rule = _ON_THE_LEFT.get((op, _bits(left)))
    return None if rule is None else rule(right)


def _bits(node: Node) -> _Bits:
    """The bits of a scalar constant, none for any other node."""
    if node.op is not CONSTANT or node.shape:
        return b""
    (data,) = node.params
    assert isinstance(data, bytes)
    return data


def _folded(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """A scalar operation on constants as a constant.

    A nan stays an operation, so that whoever meets it can be told where it was born.
    """
    value = float(computed(op, [constant_of(arg) for arg in args], params))
    return constant(value) if value == value else apply(op, args, params)
