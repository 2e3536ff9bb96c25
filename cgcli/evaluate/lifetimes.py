"""When the value of a node is read for the last time, so that its memory can be given back."""

from __future__ import annotations

import math

from cgcli.annotations import Callable, Collection, Sequence
from cgcli.graph.node import Node
from cgcli.graph.operation import REPEATS
from cgcli.ops.sums import BROADCAST


def last_reads(
    nodes: Sequence[Node],
    outputs: Sequence[Node],
    shows: Callable[[Node], bool] = lambda node: False,
    left: Collection[Node] = (),
) -> list[tuple[Node, ...]]:
    """For each of the nodes, in order, those among them that are read for the last time when it is computed.

    shows: whether a node's value may be the memory of its arguments, seen in another way: they then live as long.
    left: arguments that are none of the nodes, for what they repeat is read in their place.
    """
    end = len(nodes)
    last = dict.fromkeys(outputs, end)
    for at in range(end - 1, -1, -1):
        node = nodes[at]
        until = last.get(node, at) if shows(node) else at
        for arg in node.args:
            read = arg.args[0] if arg in left else arg
            last[read] = max(last.get(read, -1), until)
    dead: list[list[Node]] = [[] for _ in range(end + 1)]
    for node in nodes:
        dead[last.get(node, end)].append(node)
    return [tuple(group) for group in dead[:end]]


def left_to_numpy(order: Sequence[Node], asked: Collection[Node]) -> set[Node]:
    """Broadcasts that need not be computed: elementwise operations alone read them, which repeat elements as they do.

    Each of those has another argument of its result's shape. asked: nodes whose own values are needed, or given.
    """
    left = {node for node in order if node.op is BROADCAST and node not in asked}
    for node in order if left else ():
        if not (node.op.elementwise and any(arg.shape == node.shape and arg not in left for arg in node.args)):
            left.difference_update(node.args)
    return left


def most_bytes(nodes: Sequence[Node], dead: Sequence[Collection[Node]]) -> int:
    """The most bytes that the values of the nodes take at once, when those that are dead after each are given back."""
    live = most = 0
    for node, dying in zip(nodes, dead, strict=True):
        live += value_bytes(node)
        most = max(most, live)
        live -= sum(map(value_bytes, dying))
    return most


def value_bytes(node: Node) -> int:
    """The bytes of a node's value; of one that repeats its argument's elements, those of the argument."""
    return 8 * math.prod(node.args[0].shape if node.op.facts & REPEATS else node.shape)
