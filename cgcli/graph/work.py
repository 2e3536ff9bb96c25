"""How much work it takes to compute a node, without computing it."""

from __future__ import annotations

import math

from cgcli.graph.node import Node


def work_of(node: Node) -> int:
    """How many floating-point operations a node takes; how many numbers it moves where it computes none.

    A function as sin counts as one. An elementwise operation takes one fewer than it has
    arguments for each element, and any other, unless its entry says more, one for each
    element of its arguments or of its result, whichever are more.
    """
    shapes = [arg.shape for arg in node.args]
    if node.op.work is not None:
        return node.op.work(shapes, node.params)
    elements = math.prod(node.shape)
    if node.op.elementwise:
        return elements * max(len(shapes) - 1, 1)
    return max(elements, sum(map(math.prod, shapes)))
