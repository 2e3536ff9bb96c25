"""What loops carry, as nodes of the graph around them, and what a program calls it."""

from __future__ import annotations

from cgcli.annotations import Container, Iterable, Mapping, cast
from cgcli.graph.loops import Loop, LoopAdjoint, States
from cgcli.graph.node import VARIABLE, Graph, Node, apply, name_of, toposort
from cgcli.ops.indexing import Index, take, unraveled
from cgcli.ops.loops import has_index, unpacked, unpacked_states
from cgcli.ops.shaping import RESHAPE, reshape
from cgcli.printing.expression import uses_of


def carried(node: Node) -> list[Node]:
    """What a loop's carries are after it, or after each trip, or what its adjoint packs, as nodes."""
    if isinstance(node.params, States):
        return unpacked_states(node, node.params.shapes)
    assert isinstance(node.params, Loop | LoopAdjoint)
    return unpacked(node, node.params.shapes)


def with_whole_carries(graph: Graph, named: Mapping[Node, str] | None) -> tuple[Graph, dict[Node, str] | None]:
    """The graph, and the names of some of its nodes, where what loops carry is read whole; see `read_whole`."""
    become = read_whole(graph.outputs)
    labels = {become.get(node, node): name for node, name in graph.labels.items()}
    names = None if named is None else {become.get(node, node): name for node, name in named.items()}
    return graph._replace(outputs=tuple(become[output] for output in graph.outputs), labels=labels), names


def read_whole(outputs: Iterable[Node], leaves: Container[object] = ()) -> dict[Node, Node]:
    """What nodes become so that no one reads the row that a loop packs a matrix as: `reshape(A, [4])`, not a slice.

    A text has a name for the matrix, none for that row. leaves: nodes below which nothing changes.
    """
    become: dict[Node, Node] = {}
    rows: dict[Node, Node] = {}  # with their matrices
    for node in toposort(outputs, leaves):
        new = node
        if node not in leaves:
            args = [become[arg] for arg in node.args]
            if node.op is RESHAPE and args[0] in rows:
                new = reshape(rows[args[0]], node.shape)
            elif isinstance(node.params, Index) and args[0] in rows and not node.shape:
                matrix, (*trip, at) = rows[args[0]], cast("tuple[int, ...]", node.params.key)
                new = take(matrix, (*trip, *unraveled(at, matrix.shape[len(trip) :])))
            elif node.args:
                args = [reshape(rows[arg], arg.shape) if arg in rows else arg for arg in args]
                new = apply(node.op, tuple(args), node.params)
        become[node] = new
        if isinstance(new.params, Loop | LoopAdjoint | States):
            rows |= {piece.args[0]: piece for piece in carried(new) if piece.op is RESHAPE}
    return {node: reshape(rows[new], new.shape) if new in rows else new for node, new in become.items()}


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
