"""How large a formula is: its number of operations, as a reader counts them."""

from __future__ import annotations

from cgcli.algebra.coefficient import ZERO, is_fraction, number_of
from cgcli.graph.node import Node
from cgcli.ops.arithmetic import DIVIDE, MULTIPLY, POWER_OP
from cgcli.ops.shaping import outer_of


def weight(node: Node) -> int:
    """How many operations one node counts as; x^-2 counts as what it stands for, 1/x^2, and -2*x has a sign.

    1/3 counts as one wherever it stands, but an exponent is one number: x^(2/3) is as long as x^0.7.
    """
    op, args = node.op, node.args
    if not args or is_fraction(node):
        return 0
    if op is POWER_OP:
        return 1 + _is_negative(args[1])
    fractions = sum(map(is_fraction, args))
    if op is DIVIDE:
        return 1 + fractions + _is_negative(args[1])
    if op is not MULTIPLY:
        return 1 + fractions
    if outer_of(node):
        return -1  # outer(x, y) is one operation, and its factors, a column and a row, are two more
    return 1 + fractions + any(map(_is_negative, args))


def _is_negative(node: Node) -> bool:
    return (number_of(node) or ZERO) < 0
