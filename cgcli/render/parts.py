"""What of a graph is drawn: calls as one box each, a node and what is near it, shared nodes again at each use."""

from __future__ import annotations

from cgcli.annotations import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from cgcli.errors import TooLargeError, UsageError, did_you_mean
from cgcli.graph.node import CONSTANT, VARIABLE, Node, apply, dependents, name_of
from cgcli.render.look import Look
from cgcli.render.scene import Event, Numbers
from cgcli.render.sketch import CARRY, CUT, DRAWN, FOLDED, MORE, RESULT, Cluster, Folded, Sketch, again
from cgcli.render.symbols import own_name, sign

RADIUS = 2  # steps around a node

MOST_CARDS = 2000  # of a tree that repeats what is shared
_SHOWN = 20  # names in a message
_FEW_INPUTS = 4  # besides the arguments of a call, which have edges to its box; more are told
_MOST_INPUTS, _IN_A_LINE = 18, 6  # of these


def chosen(sketch: Sketch, numbers: Numbers, look: Look) -> tuple[Sketch, Numbers]:
    """The part of a graph that a look asks for, and its numbers.

    Raises UsageError for a node that there is not, TooLargeError for a tree that nobody could look at.
    """
    whole = sketch
    if look.depth is not None:
        sketch, numbers = _folded(sketch, numbers, look.depth)
    if look.around:
        sketch, numbers = _near(
            sketch, numbers, _named(look.around, sketch, whole), RADIUS if look.radius is None else look.radius
        )
    return _tree(sketch, numbers) if look.tree else (sketch, numbers)


class _Rebuilt:
    """A graph that is drawn in place of another one. was: what its nodes stand for; within, places: new clusters."""

    def __init__(self, sketch: Sketch, numbers: Numbers) -> None:
        self.sketch, self.numbers = sketch, numbers
        self.was: dict[Node, Node] = {}
        self.within: dict[Node, int] = {}
        self.clusters: list[Cluster] = [*sketch.clusters]
        self.titles: dict[Node, str] = {}
        self.notes: dict[Node, tuple[str, ...]] = {}

    def add(self, made: Node, node: Node) -> Node:
        """What stands for a node, in the same cluster."""
        self.was[made] = node
        if node in self.sketch.within:
            self.within.setdefault(made, self.sketch.within[node])
        return made

    def result(
        self, outputs: Iterable[Node], become: Mapping[Node, Node], ends: Sequence[Node] = (),
        events: Sequence[Event] = (),
    ) -> tuple[Sketch, Numbers]:  # fmt: skip
        """What is drawn now. become: what nodes are now, if they are drawn."""
        old, was = self.sketch, self.was
        nexts = {new: become[old.nexts[node]] for new, node in was.items() if old.nexts.get(node) in become}
        labels = {new: old.graph.labels[node] for new, node in was.items() if node in old.graph.labels} | self.titles
        origins = {new: old.graph.origins[node] for new, node in was.items() if node in old.graph.origins}
        graph = old.graph._replace(outputs=tuple(outputs), labels=labels, origins=origins)
        drawn = Sketch(
            graph, tuple(self.clusters), self.within,
            {new: old.loops[node] for new, node in was.items() if node in old.loops}, nexts,
            [become[node] for node in old.indices if node in become], {},
            [become[node] for node in old.zeros if node in become],
            {new: old.notes[node] for new, node in was.items() if node in old.notes} | self.notes, ends,
        )  # fmt: skip
        known = self.numbers
        values, adjoints, tangents = (
            {new: numbers[node] for new, node in was.items() if node in numbers}
            for numbers in (known.values, known.adjoints, known.tangents)
        )
        partials = {
            new: known.partials[node] for new, node in was.items()
            if node in known.partials and len(new.args) == len(node.args) and new.op is node.op
        }  # fmt: skip
        seeds = {become[node] for node in known.seeds if node in become}
        return drawn, Numbers(values, adjoints, tangents, partials, known.trips, seeds, events)


# ---- calls as boxes -------------------------------------------------------------------


def _folded(sketch: Sketch, numbers: Numbers, depth: int) -> tuple[Sketch, Numbers]:
    """Calls that stand in more than `depth` others are one box each."""
    boxes = _boxes(sketch.clusters, depth)
    box_of = {node: boxes[place] for node, place in sketch.within.items() if place in boxes}
    if not box_of:
        return sketch, numbers
    order = sketch.order
    _close(order, box_of)
    members: dict[int, list[Node]] = {}
    for node in order:
        if node in box_of:
            members.setdefault(box_of[node], []).append(node)
    nexts = [after for carry, after in sketch.nexts.items() if box_of.get(after) != box_of.get(carry, -1)]
    read = {*sketch.graph.outputs, *nexts}.union(
        arg for node in order for arg in node.args if box_of.get(arg) != box_of.get(node, -1)
    )
    folder = _Folder(sketch, numbers, box_of, members, read)
    become = folder.built(order)
    events = [
        Event(become[event.node], folder.source(event.source), event.sum)
        for event in numbers.events if event.node in become and not folder.is_inner(event)
    ]  # fmt: skip
    kept = [at for at in range(len(sketch.clusters)) if at not in boxes]
    folder.clusters = [
        each._replace(parent=None if each.parent is None else kept.index(each.parent))
        for each in (sketch.clusters[at] for at in kept)
    ]
    folder.within = {node: kept.index(place) for node, place in folder.within.items() if place in kept}
    drawn, known = folder.result([become[output] for output in sketch.graph.outputs], become, events=events)
    loops = {node: kept.index(place) for node, place in drawn.loops.items() if place in kept}
    return drawn._replace(loops=loops), known


def _boxes(clusters: Sequence[Cluster], depth: int) -> dict[int, int]:
    """For each cluster in a box the place of the cluster that is drawn as the box."""
    boxes: dict[int, int] = {}
    depths: list[int] = []
    for place, cluster in enumerate(clusters):  # those around come first
        outer = cluster.parent
        depths.append((0 if outer is None else depths[outer]) + (cluster.call is not None))
        if outer in boxes:
            boxes[place] = boxes[outer]
        elif cluster.call is not None and depths[place] > depth:
            boxes[place] = place
    return boxes


def _close(order: Sequence[Node], box_of: dict[Node, int]) -> None:
    """What a box needs of itself on a way around stands in it, too: it is shared, but nothing could be drawn else."""
    ups: dict[Node, int] = {}
    for node in order:
        bits = 1 << box_of[node] if node in box_of else 0
        for arg in node.args:
            bits |= ups[arg]
        ups[node] = bits
    downs: dict[Node, int] = dict.fromkeys(order, 0)
    for node in reversed(order):
        own = 1 << box_of[node] if node in box_of else 0
        both = ups[node] & downs[node]
        if not own and both and node.args:
            box_of[node] = both.bit_length() - 1
        for arg in node.args:
            downs[arg] |= downs[node] | own


class _Folder(_Rebuilt):
    def __init__(
        self, sketch: Sketch, numbers: Numbers, box_of: Mapping[Node, int], members: Mapping[int, Sequence[Node]],
        read: set[Node],
    ) -> None:  # fmt: skip
        super().__init__(sketch, numbers)
        self.box_of, self.members, self.read = box_of, members, read
        self.drawn: dict[int, Node] = {}  # the card of each box
        self.known = set(map(self._source, sketch.order))
        self.moving = dependents([node for node in sketch.order if node.op in (VARIABLE, CARRY)], sketch.order)

    def built(self, order: Sequence[Node]) -> dict[Node, Node]:
        """What is drawn of each node: of those in boxes, the results alone."""
        become: dict[Node, Node] = {}
        for top in order:
            stack = [top]
            while stack:
                node = stack[-1]
                box = self.box_of.get(node)
                needed = self._inputs(box) if box is not None else node.args
                waiting = [arg for arg in needed if arg not in become] if node not in become else []
                if waiting:
                    stack += waiting
                    continue
                stack.pop()
                if box is not None and box not in self.drawn:
                    become |= self._box(box, become)
                elif box is None and node not in become:
                    args = tuple(become[arg] for arg in node.args)
                    become[node] = self.add(apply(node.op, args, node.params) if node.args else node, node)
        return become

    def _read(self, box: int) -> tuple[dict[Node, str], list[Node]]:
        """What a box reads: the arguments of the call, in their order and with their names, and all else.

        Many inputs besides the arguments have no edges, which nobody could follow from call to call.
        """
        call = self.sketch.clusters[box].call
        assert call is not None
        every = dict.fromkeys(
            arg for node in self.members[box] for arg in node.args if self.box_of.get(arg) != box and arg in self.moving
        )
        sources = {self._source(arg): arg for arg in every}
        pairs = [*zip(call.args, call.parameters, strict=True)]
        if any(arg and arg.op is not CONSTANT and arg not in self.known for arg in call.args):
            pairs = []  # in a loop, whose body has nodes of its own
        named = {sources.pop(arg): name for arg, name in pairs if arg in sources}
        inputs = [arg for arg in sources.values() if arg.op is VARIABLE]
        silent = inputs if len(inputs) > _FEW_INPUTS else []
        return named | {arg: "" for arg in sources.values() if arg not in silent}, silent

    def _source(self, node: Node) -> Node:
        """What a node stands for in the program."""
        return self.sketch.sources[node][1] if node in self.sketch.sources else node

    def _inputs(self, box: int) -> Collection[Node]:
        return self._read(box)[0]

    def _box(self, box: int, become: Mapping[Node, Node]) -> dict[Node, Node]:
        """The card of a box, and one for each of its results where there are several."""
        cluster, nodes = self.sketch.clusters[box], self.members[box]
        call = cluster.call
        assert call is not None
        inputs, silent = self._read(box)
        results = [node for node in nodes if node in self.read]
        one = results[0] if len(results) == 1 else None
        shape = one.shape if one is not None else ()
        about = Folded(len(self.drawn), shape, cluster.head, (*inputs.values(),))
        made = apply(FOLDED, tuple(become[arg] for arg in inputs), about)
        self.drawn[box] = made
        count = sum(node.op not in (CARRY, RESULT) for node in nodes)
        self.notes[made] = (f"{count} operation{'s' * (count != 1)}", *_listed([*map(name_of, silent)]))
        if cluster.parent is not None:
            self.within[made] = cluster.parent
        if one is not None:
            self.was[made] = one
            return {one: made}
        found = {}
        for node in results:
            found[node] = result = apply(RESULT, (made,), (-1 - len(self.was), node.shape))
            self.was[result] = node
            self.titles[result] = self.sketch.graph.labels.get(node) or sign(node)
            if cluster.parent is not None:
                self.within[result] = cluster.parent
        return found

    def source(self, node: Node | None) -> Node | None:
        """What is drawn of the user that adds to an adjoint."""
        if node is None:
            return None
        if node in self.box_of:
            return self.drawn[self.box_of[node]]
        return next((new for new, old in self.was.items() if old is node), None)

    def is_inner(self, event: Event) -> bool:
        """Whether a step goes on within a box."""
        box = self.box_of.get(event.node)
        return box is not None and event.source is not None and self.box_of.get(event.source) == box


def _listed(names: Sequence[str]) -> Iterator[str]:
    """Names, a few in a line."""
    for at in range(0, min(len(names), _MOST_INPUTS), _IN_A_LINE):
        more = ", …" if at + _IN_A_LINE >= _MOST_INPUTS < len(names) else "," * (at + _IN_A_LINE < len(names))
        yield ("with " if not at else "") + ", ".join(names[at : at + _IN_A_LINE]) + more


# ---- a neighbourhood ------------------------------------------------------------------


def _named(name: str, sketch: Sketch, whole: Sketch) -> list[Node]:
    """The nodes that a program calls so, or the calls of a function. whole: what is drawn without boxes."""
    found = _by_name(sketch)
    if name in found:
        return found[name]
    if name in (inside := _by_name(whole)):
        heads = (whole.clusters[place].head for place in _outermost(whole, inside[name][0]))
        raise UsageError(f"'{name}' stands within the call {next(heads)}, which is one box",
                         hint="a larger --depth draws what is in it")  # fmt: skip
    near = did_you_mean(name, found)
    listed = ", ".join([*found][:_SHOWN])
    raise UsageError(f"nothing in the picture is called '{name}'", hint=f"{near} possible: {listed}".lstrip())


def _outermost(sketch: Sketch, node: Node) -> Iterator[int]:
    """The calls around a node, the outermost first."""
    path: list[int] = []
    place = sketch.within.get(node)
    while place is not None:
        path += [place] if sketch.clusters[place].call else []
        place = sketch.clusters[place].parent
    return reversed(path)


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
        for place in _outermost(sketch, node):
            call = sketch.clusters[place].call
            assert call is not None
            functions.setdefault(call.name, []).append(node)
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
    maker, become = _Rebuilt(sketch, numbers), dict[Node, Node]()
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


class _Tree(_Rebuilt):
    """once: what is drawn once, and the outputs. loops: the new places of the clusters of loops."""

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
            if any(self.sketch.clusters[each].call is None for each in self._path(place))
        }  # fmt: skip

    def _path(self, place: int | None) -> list[int]:
        """A cluster and all around it, the outermost first."""
        path = []
        while place is not None:
            path.append(place)
            place = self.sketch.clusters[place].parent
        return path[::-1]

    def copied(self, root: Node) -> Node:
        """What is drawn of a node, with all that it needs."""
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

    def _cluster(self, node: Node, place: int | None) -> int | None:
        """The new cluster of a node. place: that of what uses it."""
        if node not in self.sketch.within:
            return None
        around: list[int] = []  # the clusters of the user, new ones
        while place is not None:
            around.append(place)
            place = self.clusters[place].parent
        for old in self._path(self.sketch.within[node]):
            if around and self.was_cluster[around[-1]] == old:
                place = around.pop()
                continue
            around = []
            if old in self.loops:
                place = self.loops[old]
                continue
            self.clusters.append(self.sketch.clusters[old]._replace(parent=place))
            self.was_cluster.append(old)
            place = len(self.clusters) - 1
            if self.sketch.clusters[old].call is None:
                self.loops[old] = place
        return place
