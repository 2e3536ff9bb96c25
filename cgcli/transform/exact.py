"""Exact simplification: never changes a value, nan, infinities and signed zeros included.

`exact` builds one node and applies the rules to it; derivatives are built with it, so that
they come out without `1*` and with their constants folded. `simplified` does it to a graph.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from cgcli.evaluate.evaluate import computed, constant_of
from cgcli.graph.node import CONSTANT, Node, apply, constant, constant_value, rebuild
from cgcli.graph.operation import Operation, Params
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, POWER_OP, SUBTRACT
from cgcli.ops.logic import WHERE
from cgcli.ops.sums import broadcast

_MINUS_ZERO = struct.pack("<d", -0.0)


def exact(op: Operation, args: tuple[Node, ...], params: Params = ()) -> Node:
    """The node `op(*args)`, or a simpler one that has the same value for every input."""
    if op is NEG and args[0].op is NEG:  # --x -> x
        return args[0].args[0]
    if not op.elementwise or not any(arg.op is CONSTANT for arg in args):
        return apply(op, args, params)
    if len(args) == 2 and (simpler := _with_constant(op, args)) is not None:
        return simpler
    if all(arg.op is CONSTANT and not arg.shape for arg in args):
        return _folded(op, args, params)
    if op is WHERE and (condition := constant_value(args[0])) is not None:
        return broadcast(args[1] if condition != 0 else args[2], apply(op, args, params).shape)
    return apply(op, args, params)


def _folded(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """A scalar operation on constants as a constant.

    A nan stays an operation, so that whoever meets it can be told where it was born.
    """
    value = float(computed(op, [constant_of(arg) for arg in args], params))
    return constant(value) if value == value else apply(op, args, params)


def _with_constant(op: Operation, args: tuple[Node, ...]) -> Node | None:
    """A simpler node for an operation of which one side is a scalar constant, if there is one."""
    x, y = args
    left, right = constant_value(x), constant_value(y)
    if op is MULTIPLY and -1 in (left, right) and None in (left, right):  # -1*y, x*-1 -> -y, -x
        return exact(NEG, (y if left == -1 else x,))
    return _neutral(op, x, y, left, right)


def _neutral(op: Operation, x: Node, y: Node, left: float | None, right: float | None) -> Node | None:
    """The argument that an identity element leaves as it is."""
    if right == 1 and op in (MULTIPLY, DIVIDE, POWER_OP):  # x*1, x/1, x^1 -> x
        return x
    if left == 1 and op is MULTIPLY:  # 1*y -> y
        return y
    if right == 0:
        negative = y.params[0] == _MINUS_ZERO
        if (op is SUBTRACT and not negative) or (op is ADD and negative):  # x - 0, x + (-0) -> x
            return x
    if left == 0 and op is ADD and x.params[0] == _MINUS_ZERO:  # -0 + y -> y
        return y
    return None


def simplified(outputs: Sequence[Node]) -> tuple[Node, ...]:
    """The outputs with every node built by `exact`."""
    become = rebuild(outputs, exact)
    return tuple(become[output] for output in outputs)
