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
    if not node.args or is_fraction(node):
        return 0
    if outer_of(node):
        return -1  # outer(x, y) is one operation, and its factors, a column and a row, are two more
    is_power = node.op is POWER_OP
    fractions = 0 if is_power else sum(map(is_fraction, node.args))
    below = (is_power or node.op is DIVIDE) and (number_of(node.args[1]) or ZERO) < 0
    sign = node.op is MULTIPLY and any((number_of(arg) or ZERO) < 0 for arg in node.args)
    return 1 + fractions + below + sign
