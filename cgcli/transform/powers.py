"""Products in derivatives: powers of one base become one. x*x^-0.9 is x^0.1, which is 0 at 0, as the limit is.

The derivative of x^0.1 is infinite at 0, where what the program multiplies it by may be 0.
"""

from __future__ import annotations

import math

from cgcli.annotations import Iterator
from cgcli.graph.node import Node, constant
from cgcli.ops.arithmetic import ADD, CBRT, DIVIDE, EQUAL_TO, MULTIPLY, NEG, POWER_OP, SQRT
from cgcli.ops.logic import WHERE
from cgcli.records import NamedTuple
from cgcli.transform.exact import exact, number_of
from cgcli.transform.formulas import Slope

_MOST = 16  # factors looked at, so that a long chain of products takes no time beyond its length
_NEAR = 1e-9  # exponents as 1.1 - 1 are known up to rounding
_ONE = constant(1.0)


class _Factor(NamedTuple):
    """A factor within a product, as a power. way: the nodes above it in the product, each with its argument's place."""

    node: Node
    base: Node
    exponent: float
    way: tuple[tuple[Node, int], ...]
    in_divisor: bool


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


def joined(left: Slope, right: Slope, base: Node, known: Node | None = None) -> tuple[Slope, Slope]:
    """Two factors of a product, where a power of a base in `right` that is infinite at 0 has joined one in `left`.

    known: what `right` is the derivative of. A power in that is the program's own, and stays as it is.
    """
    zeros = [factor for factor in _factors(left) if _is_zero(factor, base)]
    if not zeros:
        return left, right
    zero = zeros[0]
    for infinite in _factors(right):
        if infinite.base is not base or infinite.exponent >= 0 or (base.op is not CBRT and _whole(infinite.exponent)):
            continue
        ours = [] if known is None else [(own.node, own.exponent) for own in _factors(Slope(known))]
        if (infinite.node, infinite.exponent) not in ours:
            return _replaced(left, zero, _one(zero, base, infinite)), _replaced(right, infinite, _ONE)
    return left, right


def _is_zero(factor: _Factor, base: Node) -> bool:
    """Whether a factor is 0 where a base is: a power of it, or of what it is the cube root of."""
    return factor.exponent > 0 and (factor.base is base or (base.op is CBRT and factor.base is base.args[0]))


def _factors(product: Slope) -> Iterator[_Factor]:
    """The factors of a product, those of its factors among them."""
    count = 0
    waiting: list[tuple[Node, bool, tuple[tuple[Node, int], ...], bool]] = []
    if product.divisor is not None:
        waiting.append((product.divisor, True, (), True))
    waiting.append((product.factor, False, (), False))
    while waiting:
        node, divides, way, within = waiting.pop()
        op = node.op
        if (op is MULTIPLY or op is DIVIDE or op is NEG) and count + len(waiting) < _MOST:
            waiting += [
                (arg, divides != (op is DIVIDE and at == 1), (*way, (node, at)), within)
                for at, arg in reversed([*enumerate(node.args)])
            ]
            continue
        count += 1
        base, number = _power(node)
        yield _Factor(node, base, -number if divides else number, way, within)


def _power(node: Node) -> tuple[Node, float]:
    """A node as a power: its base and its exponent."""
    if node.op is SQRT:
        return node.args[0], 0.5
    if node.op is POWER_OP and (exponent := number_of(node.args[1])) is not None:
        return node.args[0], exponent
    return node, 1.0


def _one(zero: _Factor, base: Node, infinite: _Factor) -> Node:
    """Two factors as one power of a base; nan where one of them is."""
    cubes = zero.base is not base
    together = (3 * zero.exponent if cubes else zero.exponent) + infinite.exponent
    if together == 0.5:
        return exact(SQRT, (base,))
    if not _whole(together):
        exponent = exact(MULTIPLY, (constant(3.0), _exponent(zero))) if cubes else _exponent(zero)
        return exact(POWER_OP, (base, exact(ADD, (exponent, _exponent(infinite)))))
    whole = float(round(together))
    power = _ONE if whole == 0 else exact(POWER_OP, (base, constant(whole)))
    root = infinite.node if _whole(zero.exponent) else zero.node  # what takes no number below 0
    return exact(WHERE, (exact(EQUAL_TO, (root, root)), power, root))


def _exponent(factor: _Factor) -> Node:
    """The exponent of a factor as a power, exact as it is written."""
    node = factor.node
    number = _power(node)[1]
    exponent = node.args[1] if node.op is POWER_OP and factor.base is not node else constant(number)
    return exact(NEG, (exponent,)) if number != factor.exponent else exponent


def _whole(number: float) -> bool:
    return not math.isfinite(number) or abs(number - round(number)) < _NEAR


def _replaced(product: Slope, factor: _Factor, other: Node) -> Slope:
    """A product with another factor in the place of one."""
    for node, at in reversed(factor.way):
        other = exact(node.op, (*node.args[:at], other, *node.args[at + 1 :]))
    if not factor.in_divisor:
        return product._replace(factor=other)
    return product._replace(divisor=None if other is _ONE else other)
