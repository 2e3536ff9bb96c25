"""Products in derivatives: powers of one base become one. x*x^-0.9 is x^0.1, which is 0 at 0, as the limit is.

The derivative of x^0.1 is infinite at 0, where what the program multiplies it by may be 0.
"""

from __future__ import annotations

import math

from cgcli.annotations import Iterable, Sequence
from cgcli.graph.node import Node, constant
from cgcli.ops.arithmetic import ADD, CBRT, DIVIDE, MULTIPLY, NEG, POWER_OP, SQRT
from cgcli.transform.exact import exact, number_of

ROOTS = frozenset({POWER_OP, SQRT, CBRT})
"""What has a root among its nodes: see `base_of_root`."""

_MOST = 16  # factors looked at, so that a long chain of products takes no time beyond its length
_NEAR = 1e-9  # exponents as 1.1 - 1 are known up to rounding


Factor = tuple[Node, bool]
"""A node among the factors of a product, and whether it is among the divisors there."""


def base_of_root(node: Node) -> Node | None:
    """The base of a root, which is 0 at 0, where a derivative of it is infinite; None for another node.

    Of x^a for a number a > 0 that is not whole, x; of cbrt(x) itself, for it is a base of whole powers.
    """
    op = node.op
    if op is SQRT:
        return node.args[0]
    if op is POWER_OP:
        exponent = number_of(node.args[1])
        return node.args[0] if exponent is not None and exponent > 0 and not _whole(exponent) else None
    return node if op is CBRT else None


def quotient(factor: Node, divisor: Node | None) -> Sequence[Factor]:
    """The factors of factor/divisor, or of the factor alone."""
    return [(factor, False)] if divisor is None else [(factor, False), (divisor, True)]


def joined(left: Sequence[Factor], right: Sequence[Factor], base: Node, known: Node | None = None) -> Node | None:
    """left*right, where a power of a base in `right` that is infinite at 0 joins one in `left`; None without such.

    known: what `right` is the derivative of. A power in that is the program's own, and stays as it is. Joined is
    what is nan for the same numbers below 0: a root of x with x^2, and no two roots whose product is whole.
    """
    others, odd = _factors(left)
    zeros = [factor for factor in others if _is_zero(factor, base)]
    if not zeros:
        return None
    factors, negative = _factors(right)
    for infinite in factors:
        own, number = _power(infinite)
        if own is not base or number >= 0 or (base.op is not CBRT and _whole(number)):
            continue
        one = _one(zeros[0], base, infinite)
        if one is not None and (known is None or infinite not in _factors([(known, False)])[0]):
            rest = [factor for factor in (*others, *factors) if factor is not zeros[0] and factor is not infinite]
            return _written([(one, False), *rest], negative != odd)
    return None


def _is_zero(factor: Factor, base: Node) -> bool:
    """Whether a factor is 0 where a base is: a power of it, or of what it is the cube root of."""
    own, number = _power(factor)
    return number > 0 and (own is base or (base.op is CBRT and own is base.args[0]))


def _factors(product: Sequence[Factor]) -> tuple[list[Factor], bool]:
    """The factors of a product, those of its factors among them, and whether it is the negative of theirs."""
    factors: list[Factor] = []
    negative = False
    waiting = [*product]
    while waiting:
        factor = waiting.pop()
        node, divides = factor
        op = node.op
        if (op is not MULTIPLY and op is not DIVIDE and op is not NEG) or len(factors) + len(waiting) >= _MOST:
            factors.append(factor)
            continue
        if op is NEG:
            negative = not negative
        waiting.append((node.args[0], divides))
        if op is not NEG:
            waiting.append((node.args[1], divides != (op is DIVIDE)))
    return factors, negative


def _power(factor: Factor) -> tuple[Node, float]:
    """A factor as a power: its base and its exponent, which is negative for a divisor."""
    node, divides = factor
    base, number = node, 1.0
    if node.op is SQRT:
        base, number = node.args[0], 0.5
    elif node.op is POWER_OP and (exponent := number_of(node.args[1])) is not None:
        base, number = node.args[0], exponent
    return base, -number if divides else number


def _one(zero: Factor, base: Node, infinite: Factor) -> Node | None:
    """Two factors as one power of a base; None where that has another domain than they have."""
    (other, first), (_, second) = _power(zero), _power(infinite)
    cubes = other is not base
    together = (3 * first if cubes else first) + second
    if abs(together) < _NEAR if base.op is CBRT else _whole(together):
        return None
    if together == 0.5:
        return exact(SQRT, (base,))
    exponent = exact(MULTIPLY, (constant(3.0), _exponent(zero))) if cubes else _exponent(zero)
    return exact(POWER_OP, (base, exact(ADD, (exponent, _exponent(infinite)))))


def _exponent(factor: Factor) -> Node:
    """The exponent of a factor as a power, exact as it is written."""
    node, divides = factor
    base, number = _power((node, False))
    exponent = node.args[1] if node.op is POWER_OP and base is not node else constant(number)
    return exact(NEG, (exponent,)) if divides else exponent


def _whole(number: float) -> bool:
    return not math.isfinite(number) or abs(number - round(number)) < _NEAR


def _written(factors: Iterable[Factor], negative: bool) -> Node:
    """The product of factors, over that of the divisors among them."""
    above, below = constant(1.0), constant(1.0)
    for node, divides in factors:
        if divides:
            below = exact(MULTIPLY, (below, node))
        else:
            above = exact(MULTIPLY, (above, node))
    whole = exact(DIVIDE, (above, below))
    return exact(NEG, (whole,)) if negative else whole
