"""How large a graph is: its number of operations, as a reader counts them."""

from __future__ import annotations

from collections.abc import Sequence

from cgcli.algebra.coefficient import ZERO, fraction_of, is_repeating, is_short_fraction, uniform_number
from cgcli.graph.node import CONSTANT, Node, constant_value, toposort
from cgcli.ops.arithmetic import DIVIDE, POWER_OP


def operation_count(outputs: Sequence[Node]) -> int:
    """How many operations a graph has; x^-2 counts as what it stands for, 1/x^2, and 0.5*x as 1/2*x.

    So does 1/3, but an exponent is one number: x^(2/3) is as long as x^0.7.
    """
    return sum(map(weight, toposort(outputs)))


def weight(node: Node) -> int:
    """How many operations one node counts as."""
    if not node.args or _repeating(node):
        return 0
    weight = 1
    for arg in node.args:
        is_divided = is_short_fraction(fraction_of(arg) or ZERO) or (node.op is not POWER_OP and _repeating(arg))
        weight += is_divided
    if (node.op is POWER_OP or node.op is DIVIDE) and _is_negative(node.args[1]):
        weight += 1
    return weight


def _is_negative(node: Node) -> bool:
    """Whether a node is a negative number, or a division of numbers with a negative one above: -2/3."""
    return (constant_value(node.args[0] if node.op is DIVIDE else node) or 0.0) < 0


def _repeating(node: Node) -> bool:
    """Whether a node is a third or the like: a constant, an array of it alone, or a division of two numbers."""
    if node.op is DIVIDE:
        top, bottom = map(fraction_of, node.args)
        return top is not None and bottom is not None and bottom != 0 and is_repeating(top / bottom)
    return node.op is CONSTANT and is_repeating(uniform_number(node) or ZERO)
