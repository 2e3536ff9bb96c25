"""Loops in formulas: their bodies in normal form."""

from __future__ import annotations

from cgcli.annotations import Callable, Sequence
from cgcli.graph.loops import Loop, leaves_of
from cgcli.graph.node import Node, apply, rebuild, toposort
from cgcli.lowering.loops import looped
from cgcli.ops.loops import unpacked

Simplify = Callable[[tuple[Node, ...]], tuple[Node, ...]]


def with_simpler_loops(outputs: Sequence[Node], simplify: Simplify) -> dict[Node, Node]:
    """What loops carry, as it is of loops whose next values are simplified; their conditions stay as they are.

    A condition decides by its last digit how many trips there are. Nothing where there is no loop.
    """
    become: dict[Node, Node] = {}
    for node in toposort(outputs):
        loop = node.params
        if not isinstance(loop, Loop):
            continue
        args = _replaced(node.args, become)
        carries = leaves_of(loop.body, loop.carries)
        inside = dict(zip(loop.body.parameters, (*carries, *args[loop.carries :]), strict=True))
        results = _replaced(loop.body.outputs, inside)
        nexts, going = results[: loop.carries], results[-1] if loop.trips is None else None
        nexts = simplify(_replaced(nexts, with_simpler_loops(nexts, simplify)))
        values = looped(carries, args[: loop.carries], nexts, going, loop.trips, range(loop.carries))
        become |= zip(unpacked(node, loop.shapes), values, strict=True)
    return become


def _replaced(nodes: Sequence[Node], known: dict[Node, Node]) -> tuple[Node, ...]:
    become = rebuild(nodes, apply, known)
    return tuple(become[node] for node in nodes)
