"""Loops as pictures draw them: opened, so that the operations of one trip stand among all others."""

from __future__ import annotations

from cgcli.annotations import Callable, Mapping, Sequence
from cgcli.graph.loops import Loop, LoopAdjoint, States
from cgcli.graph.node import CONSTANT, Graph, Node, apply, constant, name_of, toposort, variables
from cgcli.ops.indexing import ELEMENT
from cgcli.ops.loops import LOOP, has_index, unpacked, unpacked_states
from cgcli.ops.roots import Root
from cgcli.printing.equations import apart, is_equation, names_of_unknowns
from cgcli.printing.printer import Names
from cgcli.rendering.calling import Calling
from cgcli.rendering.loop_heads import (
    array_of_elements,
    carry_names,
    condition_of,
    head_of_loop,
    head_text,
    the_loop,
)
from cgcli.rendering.sketch import CARRY, RESULT, Cluster, Path, Sketch


def opened(graph: Graph, *, fold: bool) -> Sketch:
    """A graph with one trip of each loop drawn, and the calls of its functions. fold: as in `sketched`."""
    if graph.calls is None and not any(type(node.params) in _OPENED for node in toposort(graph.outputs)):
        return Sketch(graph)
    opener = _Opener(graph, fold)
    outputs = opener.level((), graph.outputs, {}, None)
    drawn = graph._replace(outputs=tuple(outputs), labels=opener.labels, origins=opener.origins)
    return Sketch(
        drawn, tuple(opener.clusters), opener.within, opener.loops, opener.nexts, opener.indices, opener.sources,
        opener.zeros, opener.notes,
    )  # fmt: skip


class _Opener:
    """Opens the loops of a graph, from the outside in; what it has found are the fields of a `Sketch`."""

    def __init__(self, graph: Graph, fold: bool) -> None:
        self.graph, self.fold = graph, fold
        self.labels, self.origins = dict(graph.labels), dict(graph.origins)
        self.clusters: list[Cluster] = []
        self.calls = Calling(graph, self.clusters)
        self.within: dict[Node, int] = {}
        self.loops: dict[Node, int] = {}
        self.indices: list[Node] = []
        self.nexts: dict[Node, Node] = {}
        self.sources: dict[Node, tuple[Path, Node]] = {}
        self.zeros: list[Node] = []
        self.notes: dict[Node, tuple[str, ...]] = {}

    def level(self, path: Path, outputs: Sequence[Node], known: Mapping[Node, Node], cluster: int | None) -> list[Node]:
        """Draw the outputs of a body. known: what its leaves are. Loops stand in each other a few levels deep at most.

        A loop's node itself is not drawn, nor what takes its values apart: these values are in `become` at once.
        """
        become = dict(known)
        for node in toposort(outputs, become):
            place = self.calls.around(path, node, cluster) if node.args else cluster
            draw = _OPENED.get(type(node.params))
            if draw is not None:
                become |= draw(self, path, node, [become[arg] for arg in node.args], place)
            elif node not in become and become.keys() >= set(node.args):
                args = tuple(become[arg] for arg in node.args)
                become[node] = apply(node.op, args, node.params) if args else node
                self.place(become[node], path, node, place)
        return [become[output] for output in outputs]

    def place(self, drawn: Node, path: Path, node: Node, cluster: int | None) -> None:
        """Say what a node stands for, and in which cluster."""
        self.sources.setdefault(drawn, (path, node))
        if node in self.graph.origins:
            self.origins.setdefault(drawn, self.graph.origins[node])
        if not path and node in self.graph.labels:
            self.labels[drawn] = self.graph.labels[node]
        if cluster is not None and drawn.args:
            self.within.setdefault(drawn, cluster)

    def begin(self, path: Path, cluster: int | None, head: str = "", way: str = "next trip") -> int:
        """Begin the cluster of a body, within another; its place."""
        self.clusters.append(Cluster(head, path, cluster, way=way))
        return len(self.clusters) - 1

    def carry(self, args: tuple[Node, ...], name: str, source: tuple[Path, Node], inside: int) -> Node:
        """A card of a carry. args: its start, and the last value of an index that has one. source: of what body, and
        the leaf there. inside: its cluster.
        """
        made = apply(CARRY, args, (len(self.sources), args[0].shape))
        self.labels[made] = name
        self.place(made, *source, inside)
        return made

    def result(self, args: tuple[Node, ...], name: str, source: tuple[Path, Node], inside: int) -> Node:
        """A card of what comes out of a cluster. args: a carry, and the condition. source: what it stands for."""
        made = apply(RESULT, args, (len(self.sources), source[1].shape))
        self.labels[made], self.loops[made] = name, inside
        self.place(made, *source, self.clusters[inside].parent)
        return made

    def loop(self, path: Path, node: Node, args: Sequence[Node], cluster: int | None) -> dict[Node, Node]:
        """Draw one trip of a loop; for each value that is read of the loop, the card of a result."""
        itself = the_loop(node)
        loop = itself.params
        assert isinstance(loop, Loop)
        leaves, pieces = loop.body.parameters, [*enumerate(unpacked(node, loop.shapes))]
        if isinstance(node.params, States):
            pieces = [*zip(node.params.kept, unpacked_states(node, node.params.shapes), strict=True)]
        names = carry_names(self.graph, itself)
        counts = has_index(loop)
        become = dict(zip(leaves[loop.carries :], args[loop.carries :], strict=True))
        bound = loop.going.args[1] if counts and loop.going else None
        bound = None if bound is None else become.get(bound, bound)
        inner = (*path, node)
        inside = self.begin(inner, cluster)
        shown = loop.carries - (counts and self.fold)
        for at, (leaf, start) in enumerate(zip(leaves, args[: loop.carries], strict=False)):
            last = () if at < shown or bound is None else (bound,)
            become[leaf] = self.carry((start, *last), names[at], (inner, leaf), inside)
            if at == shown and any(arg.op is not CONSTANT for arg in become[leaf].args):
                self.indices.append(become[leaf])
        conditions = loop.body.outputs[loop.carries :] if shown == loop.carries else ()
        nexts = self.level(inner, [*loop.nexts[:shown], *conditions], become, inside)
        head = head_of_loop(loop, names, args, bound, nexts[-1], self.labels)
        array = array_of_elements(loop)
        if array is not None:
            element = apply(ELEMENT, (become[leaves[array]], become[leaves[loop.carries - 1]]))
            self.labels[element], self.labels[element.args[1]] = names[-1], "#"
        self.clusters[inside] = self.clusters[inside]._replace(head=head)
        after = [*nexts[:shown], *(become[leaf] for leaf in leaves[shown : loop.carries])]
        self.nexts |= zip((become[leaf] for leaf in leaves[:shown]), nexts, strict=False)
        found = {}
        for at, piece in pieces:
            name = self.graph.labels.get(piece) or names[at]
            found[piece] = self.result((after[at], *nexts[shown:]), name, (path, piece), inside)
            if isinstance(node.params, States):
                self.notes[found[piece]] = ("of each trip",)
        return found

    def adjoint(self, path: Path, node: Node, args: Sequence[Node], cluster: int | None) -> dict[Node, Node]:
        """Draw one trip of the reverse pass of a loop; for each adjoint that is read of it, the card of a result."""
        params, inner = node.params, (*path, node)
        assert isinstance(params, LoopAdjoint)
        loop, leaves = params.loop, params.back.parameters
        count, reads = loop.carries, len(loop.body.parameters)
        names = carry_names(self.graph, apply(LOOP, node.args[:reads], loop))
        head = head_of_loop(loop, names, args, *condition_of(loop, names, args), self.labels)
        inside = self.begin(inner, cluster, f"backwards {head}", "trip before")
        become = dict(zip(leaves[count:reads], args[count:reads], strict=True))
        for leaf, start, name in zip(leaves[:count], args, names, strict=False):
            become[leaf] = self.carry((start,), name, (inner, leaf), inside)
            self.notes[become[leaf]] = ("of the trip",)
        cotangents = unpacked(args[-2], loop.shapes)
        behind = dict(zip(params.moving, leaves[reads:], strict=True))  # the adjoints after the trip
        for at, leaf in behind.items():
            become[leaf] = self.carry((cotangents[at],), f"∂{names[at]}", (inner, leaf), inside)
        outputs = self.level(inner, params.back.outputs, become, inside)
        before, added = dict(zip(behind, outputs, strict=False)), iter(outputs[len(behind) :])
        self.nexts |= {become[leaf]: before[at] for at, leaf in behind.items()}
        found = {}
        for at, piece in zip(params.wanted, unpacked(node, params.shapes), strict=False):
            last, name = (before[at], f"∂{names[at]}") if at < count else (next(added), "Σ")
            found[piece] = self.result((last,), self.graph.labels.get(piece) or name, (path, piece), inside)
            if at >= count:
                self.notes[found[piece]] = ("sum over the trips",)
        return found

    def root(self, path: Path, node: Node, args: Sequence[Node], cluster: int | None) -> dict[Node, Node]:
        """Draw the equations of a root in a cluster; for each unknown, the card of a result."""
        inner = (*path, node)
        assert isinstance(node.params, Root)
        body = node.params.body
        leaf, *others = body.parameters
        unknowns, rests = apart(leaf, body.outputs[0])
        shapes = [unknown.shape for unknown in unknowns]
        pieces, starts = unpacked(node, shapes), unpacked(args[0], shapes)
        become = dict(zip(others, args[1:], strict=True))
        inside = self.begin(inner, cluster, way="Newton's step")
        taken = {*self.labels.values(), *map(name_of, variables(self.graph.outputs))}
        free = (name for name in names_of_unknowns() if name not in taken)
        for unknown, start, piece in zip(unknowns, starts, pieces, strict=True):
            name = self.graph.labels.get(piece) or next(free)
            become[unknown] = self.carry((start,), name, (inner, unknown), inside)
        carries = [become[unknown] for unknown in unknowns]
        zero, *drawn = self.level(inner, [body.outputs[0], *rests], become, inside)
        named: Names = dict(self.labels.items())
        sides = [rest.args if is_equation(rest, named) else (rest, constant(0.0)) for rest in drawn]
        texts = [" = ".join(head_text(side, self.labels) for side in pair) for pair in sides]
        self.clusters[inside] = self.clusters[inside]._replace(head=f"solve {', '.join(texts)}")
        self.zeros.append(zero)
        self.nexts |= dict.fromkeys(carries, zero)
        return {
            piece: self.result((carry, zero), self.labels[carry], (path, piece), inside)
            for piece, carry in zip(pieces, carries, strict=True)
        }


_OPENED: Mapping[type, Callable[..., dict[Node, Node]]] = {
    Loop: _Opener.loop, States: _Opener.loop, LoopAdjoint: _Opener.adjoint, Root: _Opener.root,
}  # fmt: skip
