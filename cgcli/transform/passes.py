"""The order of the passes, as a person goes through them: values forwards, contributions to adjoints backwards."""

from __future__ import annotations

from cgcli.annotations import Sequence
from cgcli.graph.node import CONSTANT, Node, toposort
from cgcli.lean import Counter
from cgcli.ops.arithmetic import ADD, SUBTRACT
from cgcli.transform.reverse import Flow

_SUMS = (ADD, SUBTRACT)


def evaluation_order(outputs: Sequence[Node]) -> list[Node]:
    """Every node that the outputs need, in the order in which a person computes: the terms of a sum before the sum.

    ln(x1) + x1*x2 - sin(x2):    v1 = ln(x1), v2 = x1*x2, v3 = sin(x2), v4 = v1 + v2, v5 = v4 - v3

    For each node, its users stand in the order that `toposort` gives them: a reverse pass adds
    contributions in the same order along both, and finds the same sums to the last bit.
    """
    order = toposort(outputs)
    uses = Counter(outputs)
    for node in order:
        uses.update(node.args)
    late: set[Node] = set()  # partial sums that can wait for the next term: used nowhere else, nor are their terms
    for node in order:
        if node.op in _SUMS and node.args[0].op in _SUMS:
            partial = node.args[0]
            if all(uses[part] == 1 or part.op is CONSTANT for part in (partial, *partial.args)):
                late.add(partial)
    return [part for node in order if node not in late for part in _with_late(node, late)]


def _with_late(node: Node, late: set[Node]) -> list[Node]:
    """A node, after the partial sums that have waited for it."""
    chain = [node]
    while chain[-1].op in _SUMS and chain[-1].args[0] in late:
        chain.append(chain[-1].args[0])
    return chain[::-1]


def reverse_order(flows: Sequence[Flow], order: Sequence[Node]) -> list[Flow]:
    """Contributions in the order in which a pass along `order`, from its end, would add them."""
    place = {node: at for at, node in enumerate(order)}
    return sorted(flows, key=lambda flow: -place[flow.source] if flow.source else -len(order))
