"""Numbers and names that stand before a matrix product: they go with its first factor, 2*a*A.T @ B/c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cgcli.graph.node import Node
from cgcli.ops.arithmetic import DIVIDE
from cgcli.ops.linalg import MATMUL
from cgcli.simplify.coefficient import ONE, written
from cgcli.simplify.product import Product

if TYPE_CHECKING:
    from cgcli.simplify.canonical import Canonical


def only_matrix(product: Product) -> Node | None:
    """The matrix product among the factors, where it is the only array; else None."""
    found = [base for base, number in product.powers.items() if base.op is MATMUL and number == 1]
    others = [base for base in (*product.powers, *product.exponents) if base.shape and base not in found]
    return found[0] if len(found) == 1 and not others else None


def scaled(product: Product, matrix: Node, canonical: Canonical) -> Node:
    """The node of a product with one matrix product in it."""
    left, right = matrix.args
    below = {base: number for base, number in product.powers.items() if number < 0}
    above = {base: number for base, number in product.powers.items() if number > 0 and base is not matrix}
    times, over = written(product.coefficient, True)
    first = canonical.product(Product(times, {**above, left: ONE}, product.exponents))
    node = canonical.make(MATMUL, first, right)
    under = canonical.product(Product(over, {base: -number for base, number in below.items()}))
    return canonical.make(DIVIDE, node, under) if below or over != 1 else node
