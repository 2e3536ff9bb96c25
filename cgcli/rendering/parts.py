"""What of a graph is drawn: calls as one box each, a node and what is near it, shared nodes again at each use."""

from __future__ import annotations

from cgcli.annotations import Callable, Iterable, Iterator, Sequence
from cgcli.errors import TooLargeError, UsageError, did_you_mean
from cgcli.graph.node import CONSTANT, VARIABLE, Node, apply, dependents, name_of
from cgcli.rendering.boxes import folded
from cgcli.rendering.look import Look
from cgcli.rendering.rebuilt import Rebuilt
from cgcli.rendering.scene import Event, Numbers
from cgcli.rendering.sketch import CARRY, CUT, DRAWN, MORE, Cluster, Folded, Sketch, again, enclosing
from cgcli.rendering.symbols import own_name

RADIUS = 2  # steps around a node
MOST_CARDS = 2000  # of a tree that repeats what is shared
_SHOWN = 20  # names in a message


def chosen(sketch: Sketch, numbers: Numbers, look: Look) -> tuple[Sketch, Numbers]:
    """The part of a graph that a look asks for, and its numbers.

    Raises UsageError for a node that there is not, TooLargeError for a tree that nobody could look at.
    """
    whole = sketch
    if look.depth is not None:
        sketch, numbers = folded(sketch, numbers, look.depth)
    if look.around:
        sketch, numbers = _near(
            sketch, numbers, _named(look.around, sketch, whole), RADIUS if look.radius is None else look.radius
        )
    return _tree(sketch, numbers) if look.tree else (sketch, numbers)


# ---- a neighbourhood ------------------------------------------------------------------


def _named(name: str, sketch: Sketch, whole: Sketch) -> list[Node]:
    """The nodes that a program calls so, or the calls of a function. whole: what is drawn without boxes."""
    found = _by_name(sketch)
    if name in found:
        return found[name]
    if name in (inside := _by_name(whole)):
        call = next(_calls(whole, inside[name][0]))
        raise UsageError(f"'{name}' stands within the call {call.head}, which is one box",
                         hint="a larger --depth draws what is in it")  # fmt: skip
    near = did_you_mean(name, found)
    listed = ", ".join([*found][:_SHOWN])
    raise UsageError(f"nothing in the picture is called '{name}'", hint=f"{near} possible: {listed}".lstrip())


def _calls(sketch: Sketch, node: Node) -> Iterator[Cluster]:
    """The calls around a node, the outermost first."""
    around = (sketch.clusters[place] for place in reversed(enclosing(sketch.clusters, sketch.within.get(node))))
    return (cluster for cluster in around if cluster.call)


def _by_name(sketch: Sketch) -> dict[str, list[Node]]:
    """What each name of a program stands for in a picture, first those of nodes, then those of functions."""
    found: dict[str, list[Node]] = {}
    functions: dict[str, list[Node]] = {}
    for node in sketch.order:
        name = name_of(node) if node.op is VARIABLE else sketch.graph.labels.get(node)
        if name:
            found.setdefault(name, []).append(node)
        if isinstance(node.params, Folded):
            functions.setdefault(node.params.title.partition("(")[0], []).append(node)
        elif node.op not in DRAWN and node.op is not VARIABLE and (function := own_name(sketch.graph, node)):
            functions.setdefault(function, []).append(node)
        for cluster in _calls(sketch, node):
            assert cluster.call is not None
            functions.setdefault(cluster.call.name, []).append(node)
    return functions | found


def _near(sketch: Sketch, numbers: Numbers, middle: Sequence[Node], radius: int) -> tuple[Sketch, Numbers]:
    """Some nodes, and what lies so many steps before and behind them; what is cut off is told by dots."""
    order = sketch.order
    users: dict[Node, list[Node]] = {}
    for node in order:
        for arg in node.args:
            users.setdefault(arg, []).append(node)
    before = _reached(middle, lambda node: node.args, radius)
    kept = before | _reached(middle, lambda node: users.get(node, ()), radius)
    moving = dependents([node for node in order if node.op in (VARIABLE, CARRY)], order)
    for node in reversed(order):
        if node not in moving and not kept.isdisjoint(users.get(node, ())):
            kept.add(node)  # numbers are short
    kept |= {arg for node in kept for arg in node.args if arg.op is VARIABLE}
    maker, become = Rebuilt(sketch, numbers), dict[Node, Node]()
    ends: list[Node] = []
    for node in order:
        if node not in kept:
            continue
        args = []
        for arg in node.args:
            if arg not in become:
                become[arg] = maker.add(apply(CUT, (), (len(become), arg.shape)), arg)
            args.append(become[arg])
        become[node] = maker.add(apply(node.op, tuple(args), node.params) if args else node, node)
    outputs = [become[output] for output in sketch.graph.outputs if output in kept]
    for node in order:
        others = [user for user in users.get(node, ()) if user not in kept]
        if node in kept and node in moving and node.args and others:
            more = apply(MORE, (become[node],), (len(ends), ()))
            if others[0] in sketch.within:
                maker.within[more] = sketch.within[others[0]]
            ends.append(more)
        elif node in kept and become[node] not in outputs and not any(user in kept for user in users.get(node, ())):
            ends.append(become[node])
    events = [
        Event(become[event.node], become.get(event.source) if event.source else None, event.sum)
        for event in numbers.events if event.node in kept
    ]  # fmt: skip
    inside = {node: new for node, new in become.items() if node in kept}
    return maker.result(outputs, inside, ends, events)


def _reached(start: Iterable[Node], following: Callable[[Node], Iterable[Node]], steps: int) -> set[Node]:
    """The nodes that so many steps reach."""
    found = layer = set(start)
    for _ in range(steps):
        layer = {other for node in layer for other in following(node)} - found
        if not layer:
            break
        found = found | layer
    return found


# ---- a tree ---------------------------------------------------------------------------


def _tree(sketch: Sketch, numbers: Numbers) -> tuple[Sketch, Numbers]:
    """Each use of a node with a node of its own, each use of a call in a cluster of its own; a loop is drawn once."""
    maker = _Tree(sketch, numbers)
    outputs = [maker.copied(output) for output in sketch.graph.outputs]
    ends = [maker.copied(end) for end in sketch.ends]
    for node in sketch.nexts.values():
        if node not in maker.once:
            maker.once[node] = maker.copied(node)
    drawn, known = maker.result(outputs, maker.once, ends)
    loops = {node: maker.loops[place] for node, place in drawn.loops.items()}
    return drawn._replace(loops=loops), known


class _Tree(Rebuilt):
    """Copies nodes for each of their uses.

    once: what is drawn once, and the outputs. loops: the new places of the clusters of loops.
    """

    def __init__(self, sketch: Sketch, numbers: Numbers) -> None:
        super().__init__(sketch, numbers)
        if numbers.events:
            raise UsageError("the steps of the passes are not drawn in a tree", hint="leave --tree out")
        self.clusters = []
        self.was_cluster: list[int] = []
        self.once: dict[Node, Node] = {}
        self.loops: dict[int, int] = {}
        self.count = 0
        self.single = {*sketch.nexts, *sketch.loops, *sketch.graph.outputs}
        self.single |= {
            node for node, place in sketch.within.items()
            if any(sketch.clusters[each].call is None for each in enclosing(sketch.clusters, place))
        }  # fmt: skip

    def copied(self, root: Node) -> Node:
        """The copy of a node for one of its uses, after copies of all that it needs."""
        if root in self.once:
            return self.once[root]
        frames: list[tuple[Node, int | None, list[Node]]] = [(root, self._cluster(root, None), [])]
        while True:
            node, place, args = frames[-1]
            if len(args) < len(node.args):
                arg = node.args[len(args)]
                if arg in self.once:
                    args.append(self.once[arg])
                else:
                    frames.append((arg, self._cluster(arg, place), []))
                continue
            frames.pop()
            made = self._made(node, place, args)
            if not frames:
                return made
            frames[-1][2].append(made)

    def _made(self, node: Node, place: int | None, args: Sequence[Node]) -> Node:
        self.count += 1
        if self.count > MOST_CARDS:
            raise TooLargeError(f"a tree that repeats what is shared has more than {MOST_CARDS} nodes here",
                                hint="leave --tree out, or draw a part: --around NAME, --depth 0")  # fmt: skip
        made = again(node, tuple(args)) if node.op is not CONSTANT else node
        self.was[made] = node
        if place is not None and node.args:
            self.within[made] = place
        if node in self.single:
            self.once[node] = made
        return made

    def _cluster(self, node: Node, of_user: int | None) -> int | None:
        """The new cluster of a node. of_user: that of what uses it.

        From the outside in, the clusters that the user stands in too are the node's as well; a loop has one cluster for
        all uses; any other gets a copy.
        """
        if node not in self.sketch.within:
            return None
        shared = enclosing(self.clusters, of_user)  # the user's clusters that may be the node's, the outermost last
        place = None
        for old in reversed(enclosing(self.sketch.clusters, self.sketch.within[node])):
            if shared and self.was_cluster[shared[-1]] == old:
                place = shared.pop()
                continue
            shared = []
            if old not in self.loops:
                self.was_cluster.append(old)
                self.clusters.append(self.sketch.clusters[old]._replace(parent=place))
                place = len(self.clusters) - 1
                if self.sketch.clusters[old].call is None:
                    self.loops[old] = place
            place = self.loops.get(old, place)
        return place
