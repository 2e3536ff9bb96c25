"""Exact simplification: never changes a value, nan, infinities and signed zeros included.

`exact` builds one node and applies the rules to it; derivatives are built with it, so that
they come out without `1*` and with their constants folded. `simplified` does it to a graph.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import CONSTANT, Node, apply, constant, constant_value, rebuild
from cgcli.graph.operation import Operation, Params
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, POWER_OP, SUBTRACT
from cgcli.ops.logic import WHERE
from cgcli.ops.sums import broadcast

_MINUS_ZERO = struct.pack("<d", -0.0)


def exact(op: Operation, args: tuple[Node, ...], params: Params = ()) -> Node:
    """The node `op(*args)`, or a simpler one that has the same value for every input."""
    if not op.elementwise or not any(arg.op is CONSTANT for arg in args):
        return args[0].args[0] if op is NEG and args[0].op is NEG else apply(op, args, params)
    if all(arg.op is CONSTANT and not arg.shape for arg in args):
        (value,) = evaluate([apply(op, args, params)], {})
        # a nan stays an operation, so that whoever meets it can be told where it was born
        return constant(float(value)) if value == value else apply(op, args, params)
    if len(args) == 2:
        kept = _neutral(op, args)
        if kept is not None and kept.shape == apply(op, args, params).shape:
            return kept
        if op is MULTIPLY and constant_value(args[0]) == -1:
            return exact(NEG, (args[1],))
        if op is MULTIPLY and constant_value(args[1]) == -1:
            return exact(NEG, (args[0],))
    if op is WHERE and (condition := constant_value(args[0])) is not None:
        return broadcast(args[1] if condition != 0 else args[2], apply(op, args, params).shape)
    return apply(op, args, params)


def _neutral(op: Operation, args: tuple[Node, ...]) -> Node | None:
    """The argument that an identity element leaves as it is."""
    x, y = args
    left, right = constant_value(x), constant_value(y)
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
