"""What loops carry, as nodes of the graph around them, and what a program calls it."""

from __future__ import annotations

from cgcli.annotations import Iterable, Mapping
from cgcli.graph.loops import Loop, LoopAdjoint, States
from cgcli.graph.node import VARIABLE, Graph, Node, name_of, toposort
from cgcli.ops.loops import has_index, unpacked, unpacked_states
from cgcli.printing.expression import uses_of


def carried(node: Node) -> list[Node]:
    """What a loop's carries are after it, or after each trip, or what its adjoint packs, as nodes."""
    if isinstance(node.params, States):
        return unpacked_states(node, node.params.shapes)
    assert isinstance(node.params, Loop | LoopAdjoint)
    return unpacked(node, node.params.shapes)


def called(graph: Graph, loops: Iterable[Node]) -> dict[Node, str]:
    """What the program calls that which loops carry, after them."""
    rows = ((carried(node), own_names(node, graph.carried)) for node in loops)
    return {piece: name for pieces, own in rows for piece, name in zip(pieces, own, strict=False) if name}


def replacing(graph: Graph, loops: Iterable[Node]) -> dict[Node, str]:
    """The carries that take the name of the input that they start from, for nothing else reads it."""
    uses = uses_of(toposort(graph.outputs), graph.outputs)
    found: dict[Node, str] = {}
    for node in loops:
        own, params = own_names(node, graph.carried), node.params
        if isinstance(params, Loop):
            read = {*toposort(params.body.outputs)}
            rows = [*zip(carried(node), own, node.args, params.body.parameters, strict=False)]
            found |= {
                piece: name for piece, name, start, leaf in rows[: params.carries - has_index(params)]
                if leaf in read and start.op is VARIABLE and name_of(start) == name and uses[start] == 1
            }  # fmt: skip
    return found


def own_names(node: Node, names: Mapping[object, tuple[str, ...]]) -> list[str]:
    """What the program calls that which a loop packs, where it is known."""
    params = node.params
    if isinstance(params, LoopAdjoint):
        return []
    assert isinstance(params, Loop | States)
    own = names.get(params.body, ())
    return [own[at] for at in params.kept] if own and isinstance(params, States) else [*own]
