"""Operations on numbers: which become one number, and which stand as they are, ln(2) and 1/3."""

from __future__ import annotations

import math

from cgcli.evaluate.constants import as_constant, computed, constant_of
from cgcli.graph.node import Node
from cgcli.graph.operation import Operation
from cgcli.ops.arithmetic import DIVIDE
from cgcli.ops.functions import LN
from cgcli.simplify.coefficient import fraction_of, is_repeating


def is_kept(op: Operation, args: tuple[Node, ...]) -> bool:
    """Whether an operation stays as it stands, even if its operands are numbers: ln(2), 1/3."""
    if op is DIVIDE:
        top, bottom = map(fraction_of, args)
        return top is not None and bottom is not None and bottom != 0 and is_repeating(top / bottom)
    return op is LN


def _is_whole(node: Node) -> bool:
    number = fraction_of(node)
    return number is not None and number > 1 and number.denominator == 1


def folded(node: Node, args: tuple[Node, ...]) -> Node | None:
    """An operation on constants as a constant, unless it is nan or infinite, or larger than they are; ln(2) stays."""
    if node.op is LN and _is_whole(args[0]):
        return None
    if math.prod(node.shape) > max(math.prod(arg.shape) for arg in args):
        return None
    value = computed(node.op, [constant_of(arg) for arg in args], node.params)
    return as_constant(value) if all(map(math.isfinite, value.ravel().tolist())) else None
