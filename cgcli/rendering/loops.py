"""Loops as pictures draw them: opened, so that the operations of a trip stand among all others, or trip by trip."""

from __future__ import annotations

from itertools import chain, count

from cgcli.annotations import Mapping, Sequence
from cgcli.errors import Span
from cgcli.graph.body import instantiated
from cgcli.graph.loops import Loop, LoopAdjoint, States
from cgcli.graph.node import (
    CONSTANT,
    Graph,
    Node,
    apply,
    constant,
    constant_value,
    name_of,
    toposort,
    variable,
    variables,
)
from cgcli.graph.operation import Callee
from cgcli.ops.arithmetic import ADD, MULTIPLY
from cgcli.ops.indexing import ELEMENT
from cgcli.ops.loops import LOOP, has_index, series_of, unpacked, unpacked_states
from cgcli.ops.roots import Root
from cgcli.printing.equations import apart, is_equation, names_of_unknowns
from cgcli.printing.expression import formula, written_name
from cgcli.printing.printer import Names
from cgcli.rendering.calling import Calling
from cgcli.rendering.sketch import CARRY, RESULT, Cluster, Path, Sketch

_HEAD_LENGTH = 48  # characters of a condition
_LETTERS = "stuvw"  # for carries that have no name
SIGNS = {ADD: "Σ", MULTIPLY: "Π"}


def opened(graph: Graph, *, fold: bool) -> Sketch:
    """A graph with one trip of each loop drawn, and the calls of its functions. fold: as in `sketched`."""
    if graph.calls is None and not any(
        isinstance(node.params, Loop | LoopAdjoint | States | Root) for node in toposort(graph.outputs)
    ):
        return Sketch(graph)
    opener = _Opener(graph, fold)
    outputs = opener.level((), graph.outputs, {}, None)
    drawn = graph._replace(outputs=tuple(outputs), labels=opener.labels, origins=opener.origins)
    return Sketch(
        drawn, tuple(opener.clusters), opener.within, opener.loops, opener.nexts, opener.indices, opener.sources,
        opener.zeros, opener.notes,
    )  # fmt: skip


def trip_by_trip(graph: Graph, outputs: Sequence[Node], become: Mapping[Path, Mapping[Node, Node]]) -> Sketch:
    """A graph whose loops are written out, each trip as a cluster within that of its loop.

    outputs: its results. become: for each trip, what the nodes of the body are there; a path is made of pairs of a loop
    and the number of its trip.
    """
    labels, origins = dict[Node, str](), dict[Node, Span]()
    clusters: list[Cluster] = []
    calls = Calling(graph, clusters)
    places: dict[Path, int] = {}
    for path, nodes in become.items():
        for node, drawn in nodes.items():
            if node in graph.origins:
                origins.setdefault(drawn, graph.origins[node])
            if not path and node in graph.labels and drawn.args:
                labels.setdefault(drawn, graph.labels[node])
        if not path:
            continue
        *outer, (node, trip) = path
        itself = _itself(node)
        loop = itself.params
        assert isinstance(loop, Loop)
        names = carry_names(graph, itself)
        around = (*outer, node)
        if around not in places:
            args = [nodes[leaf] for leaf in loop.body.parameters]
            head = _head(loop, names, args, *_going(loop, names, args), labels)
            inside = calls.around(tuple(outer), node, places.get(tuple(outer)))
            places[around] = len(clusters)
            clusters.append(Cluster(head, around, inside, whole=True))
        places[path] = len(clusters)
        clusters.append(Cluster(f"trip {trip}", path, places[around]))
        for name, after in zip(names, loop.nexts, strict=True):
            if nodes.get(after) and nodes[after].args and after not in loop.body.parameters:
                labels.setdefault(nodes[after], f"{name}_{trip}")
    within: dict[Node, int] = {}
    for path in sorted(become, key=len, reverse=True):
        leaves = path[-1][0].params.body.parameters if path else ()
        for node, drawn in become[path].items():
            if drawn.args and node not in leaves:
                place = calls.around(path, node, places.get(path))
                if place is not None:
                    within.setdefault(drawn, place)
    whole = graph._replace(outputs=tuple(outputs), labels=labels, origins=origins)
    return Sketch(whole, tuple(clusters), within)


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
        """The outputs of a body. known: what its leaves are. Loops stand in each other a few levels deep at most."""
        become = dict(known)
        for node in toposort(outputs, become):
            place = self.calls.around(path, node, cluster) if node.args else cluster
            if isinstance(node.params, Loop | States):
                become |= self.loop(path, node, [become[arg] for arg in node.args], place)
            elif isinstance(node.params, LoopAdjoint):
                become |= self.adjoint(path, node, [become[arg] for arg in node.args], place)
            elif isinstance(node.params, Root):
                become |= self.root(path, node, [become[arg] for arg in node.args], place)
            elif node not in become and become.keys() >= set(node.args):  # no way to what is read of a loop
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

    def loop(self, path: Path, node: Node, args: Sequence[Node], cluster: int | None) -> dict[Node, Node]:
        """Draw one trip of a loop; for each value that is read of the loop, the card of a result."""
        itself = _itself(node)
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
        inside, inner = len(self.clusters), (*path, node)
        self.clusters.append(Cluster("", inner, cluster))
        shown = loop.carries - (counts and self.fold)
        for at, (leaf, start) in enumerate(zip(leaves, args[: loop.carries], strict=False)):
            last = () if at < shown or bound is None else (bound,)
            become[leaf] = self.carry((start, *last), names[at])
            if at == shown and any(arg.op is not CONSTANT for arg in become[leaf].args):
                self.indices.append(become[leaf])
            self.place(become[leaf], inner, leaf, inside)
        conditions = loop.body.outputs[loop.carries :] if shown == loop.carries else ()
        nexts = self.level(inner, [*loop.nexts[:shown], *conditions], become, inside)
        head = _head(loop, names, args, bound, nexts[-1], self.labels)
        array = _elements(loop)
        if array is not None:
            element = apply(ELEMENT, (become[leaves[array]], become[leaves[loop.carries - 1]]))
            self.labels[element], self.labels[element.args[1]] = names[-1], "#"
        self.clusters[inside] = Cluster(head, inner, cluster)
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
        params, inside, inner = node.params, len(self.clusters), (*path, node)
        assert isinstance(params, LoopAdjoint)
        loop, leaves = params.loop, params.back.parameters
        reads = len(loop.body.parameters)
        itself = apply(LOOP, node.args[:reads], loop)
        names = carry_names(self.graph, itself)
        head = _head(loop, names, args, *_going(loop, names, args), self.labels)
        self.clusters.append(Cluster(f"backwards {head}", inner, cluster, way="trip before"))
        become = dict(zip(leaves[loop.carries :], args[loop.carries :], strict=False))
        for at, leaf in enumerate(leaves[: loop.carries]):
            become[leaf] = self.carry((args[at],), names[at])
            self.notes[become[leaf]] = ("of the trip",)
            self.place(become[leaf], inner, leaf, inside)
        weights = unpacked(args[-2], loop.shapes)
        moving = dict(zip(params.moving, leaves[reads:], strict=True))
        for at, leaf in moving.items():
            become[leaf] = self.carry((weights[at],), f"∂{names[at]}")
            self.place(become[leaf], inner, leaf, inside)
        outputs = self.level(inner, params.back.outputs, become, inside)
        before = dict(zip(moving, outputs, strict=False))
        self.nexts |= {become[leaf]: before[at] for at, leaf in moving.items()}
        added, found = iter(outputs[len(moving) :]), {}
        for at, piece in zip(params.wanted, unpacked(node, params.shapes), strict=False):
            name = self.graph.labels.get(piece) or (f"∂{names[at]}" if at < loop.carries else "Σ")
            last = before.get(at) or (args[at] if at < loop.carries else next(added))
            found[piece] = self.result((last,), name, (path, piece), inside)
            if at >= loop.carries:
                self.notes[found[piece]] = ("sum over the trips",)
        return found

    def root(self, path: Path, node: Node, args: Sequence[Node], cluster: int | None) -> dict[Node, Node]:
        """Draw the equations of a root in a cluster; for each unknown, the card of a result."""
        inside, inner = len(self.clusters), (*path, node)
        assert isinstance(node.params, Root)
        body = node.params.body
        leaf, *others = body.parameters
        unknowns, rests = apart(leaf, body.outputs[0])
        shapes = [unknown.shape for unknown in unknowns]
        pieces, starts = unpacked(node, shapes), unpacked(args[0], shapes)
        become = dict(zip(others, args[1:], strict=True))
        self.clusters.append(Cluster("", inner, cluster))
        taken = {*self.labels.values(), *map(name_of, variables(self.graph.outputs))}
        free = (name for name in names_of_unknowns() if name not in taken)
        for unknown, start, piece in zip(unknowns, starts, pieces, strict=True):
            become[unknown] = self.carry((start,), self.graph.labels.get(piece) or next(free))
            self.place(become[unknown], inner, unknown, inside)
        carries = [become[unknown] for unknown in unknowns]
        drawn = self.level(inner, [body.outputs[0], *rests], become, inside)
        named: Names = dict(self.labels.items())
        zero, sides = drawn[0], [
            rest.args if is_equation(rest, named) else (rest, constant(0.0)) for rest in drawn[1:]
        ]  # fmt: skip
        texts = [" = ".join(_text(side, self.labels) for side in pair) for pair in sides]
        self.clusters[inside] = Cluster(f"solve {', '.join(texts)}", inner, cluster, way="Newton's step")
        self.zeros.append(zero)
        self.nexts |= dict.fromkeys(carries, zero)
        return {
            piece: self.result((carry, zero), self.labels[carry], (path, piece), inside)
            for piece, carry in zip(pieces, carries, strict=True)
        }

    def carry(self, args: tuple[Node, ...], name: str) -> Node:
        """A carry within a loop. args: its start, and the last value of an index that has one."""
        made = apply(CARRY, args, (len(self.sources), args[0].shape))
        self.labels[made] = name
        return made

    def result(self, args: tuple[Node, ...], name: str, source: tuple[Path, Node], inside: int) -> Node:
        """What comes out of a cluster. args: a carry, and the condition. source: what it stands for."""
        path, piece = source
        made = apply(RESULT, args, (len(self.sources), piece.shape))
        self.labels[made], self.loops[made] = name, inside
        self.place(made, path, piece, self.clusters[inside].parent)
        return made


def _itself(node: Node) -> Node:
    """A loop; of what it carries after each trip, the loop that does so."""
    return apply(LOOP, node.args, node.params.loop) if isinstance(node.params, States) else node


def carry_names(graph: Graph, node: Node) -> list[str]:
    """What the program calls the carries of a loop, or a sign for what it does not name."""
    loop = node.params
    assert isinstance(loop, Loop)
    given = graph.carried.get(loop.body) or ("",) * loop.carries
    pieces = unpacked(node, loop.shapes)
    names = [name or graph.labels.get(piece, "") for name, piece in zip(given, pieces, strict=True)]
    others = (name for name in chain(_LETTERS, (f"s{at}" for at in count(1))) if name not in names)
    for at, name in enumerate(names):
        series = None if name else series_of(node, at)
        names[at] = name or (next(others) if series is None else SIGNS[series.combine])
    return names


def _going(loop: Loop, names: Sequence[str], args: Sequence[Node]) -> tuple[Node | None, Node]:
    """The bound of a loop's index, and its condition, by the names of its carries."""
    stands = [variable(name, shape) for name, shape in zip(names, loop.shapes, strict=True)]
    going = instantiated(loop.body, (*stands, *args[loop.carries : len(loop.body.parameters)]))[-1]
    return going.args[1] if loop.going and going.args else None, going


def _head(
    loop: Loop, names: Sequence[str], args: Sequence[Node], bound: Node | None, going: Node, labels: Mapping[Node, str]
) -> str:
    """What a cluster says of its loop: `for i in 1..n`.

    args: of the loop. bound: of its index. going: the condition.
    """
    array = _elements(loop)
    if array is not None:
        return f"for {names[-1]} in {_text(args[array], labels)}"
    if has_index(loop):
        start = args[loop.carries - 1]
        first = constant_value(start)
        if loop.trips is not None and first is not None:
            bound = constant(first + loop.trips - 1)
        if bound is not None:
            bounds = f"{_text(start, labels)}..{_text(bound, labels)}"
            is_series = names[0] in SIGNS.values() and loop.carries == 2
            return f"{names[0]} {names[1]} = {bounds}" if is_series else f"for {names[-1]} in {bounds}"
    return f"repeat {loop.trips}" if loop.going is None else f"while {_text(going, labels)}"


def _elements(loop: Loop) -> int | None:
    """The place of the array whose elements a loop goes through, and its index is for nothing else."""
    if not has_index(loop):
        return None
    index = loop.body.parameters[loop.carries - 1]
    users = [node for node in toposort(loop.nexts[:-1]) if index in node.args]
    arrays = {node.args[0] for node in users if node.op is ELEMENT and node.args[0] in loop.body.parameters}
    if len(arrays) != 1 or any(node.op is not ELEMENT for node in users):
        return None
    return loop.body.parameters.index(arrays.pop())


def _text(node: Node, labels: Mapping[Node, str]) -> str:
    named: Mapping[Node | Callee, str] = {node: written_name(label) for node, label in labels.items()}
    return formula(node, _HEAD_LENGTH, named)
