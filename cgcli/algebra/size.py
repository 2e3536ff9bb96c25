"""How large a formula is: its number of operations, as a reader counts them."""

from __future__ import annotations

from cgcli.algebra.coefficient import ZERO, is_fraction, number_of, uniform_number
from cgcli.graph.node import CONSTANT, Node, missing
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, POWER_OP, SUBTRACT
from cgcli.ops.functions import EXP
from cgcli.ops.shaping import outer_of

LARGEST_SIZE = 10**15  # operations
_MOST_PARTS = 16  # of a sum, in which an exponential is looked for


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
    if op is SUBTRACT:
        return 1 + fractions + _is_negative(args[0])  # -1 - n
    if op is not MULTIPLY:
        return 1 + fractions
    if outer_of(node):
        return -1  # outer(x, y) is one operation, and its factors, a column and a row, are two more
    return 1 + fractions + any(map(_is_negative, args))


def has_square_of_exponentials(divisor: Node) -> bool:
    """Whether a factor of a divisor is a square, or a higher power, of a sum with an exponential: (exp(x) + 1)^2."""
    while divisor.op is MULTIPLY:  # a chain to the left
        divisor, last = divisor.args
        if _is_square_of_exponentials(last):
            return True
    return _is_square_of_exponentials(divisor)


def _is_square_of_exponentials(node: Node) -> bool:
    if node.op is not POWER_OP or node.args[0].op not in (ADD, SUBTRACT) or (number_of(node.args[1]) or ZERO) < 2:
        return False
    waiting = [node.args[0]]
    for _ in range(_MOST_PARTS):
        part = waiting.pop()
        if part.op is EXP or (part.op is POWER_OP and part.args[0].op is CONSTANT):
            return True
        waiting += part.args if part.op in (ADD, SUBTRACT, MULTIPLY) else ()
        if not waiting:
            break
    return False


def _is_negative(node: Node) -> bool:
    return (number_of(node) or uniform_number(node) or ZERO) < 0  # [[-0.5]] too


def cost(root: Node) -> int:
    """How many operations the text of a node has, written out."""
    return Sizes({}).of(root)


class Sizes:
    """How many operations the texts of nodes have, up to a bound; what is in `known` counts as it says there.

    weights: those of single nodes, which others may share.
    """

    def __init__(self, weights: dict[Node, int]) -> None:
        self.known: dict[Node, int] = {}
        self._weights = weights

    def of(self, node: Node) -> int:
        """The size of a node."""
        known = self.known
        if node not in known:
            for part in missing(node, known):
                own = self._weights.get(part)
                if own is None:
                    own = self._weights[part] = weight(part)
                for arg in part.args:
                    own += known[arg]
                known[part] = min(own, LARGEST_SIZE)
        return known[node]
