"""Calls of functions as one box each, with what goes in and what comes out."""

from __future__ import annotations

from cgcli.annotations import Collection, Iterator, Mapping, Sequence
from cgcli.graph.node import CONSTANT, VARIABLE, Node, apply, dependents, name_of
from cgcli.rendering.rebuilt import Rebuilt
from cgcli.rendering.scene import Event, Numbers
from cgcli.rendering.sketch import CARRY, FOLDED, RESULT, Cluster, Folded, Sketch
from cgcli.rendering.symbols import sign

_FEW_INPUTS = 4  # besides the arguments of a call, which have edges to its box; more are told
_MOST_INPUTS, _IN_A_LINE = 18, 6  # of these


def folded(sketch: Sketch, numbers: Numbers, depth: int) -> tuple[Sketch, Numbers]:
    """Calls that stand in more than `depth` others are one box each."""
    boxes = _boxes(sketch.clusters, depth)
    box_of = {node: boxes[place] for node, place in sketch.within.items() if place in boxes}
    if not box_of:
        return sketch, numbers
    order = sketch.order
    _take_in(order, box_of)
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
    kept = {old: new for new, old in enumerate(at for at in range(len(sketch.clusters)) if at not in boxes)}
    folder.clusters = [
        each._replace(parent=None if each.parent is None else kept[each.parent])
        for each in (sketch.clusters[at] for at in kept)
    ]
    folder.within = {node: kept[place] for node, place in folder.within.items() if place in kept}
    drawn, known = folder.result([become[output] for output in sketch.graph.outputs], become, events=events)
    loops = {node: kept[place] for node, place in drawn.loops.items() if place in kept}
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


def _take_in(order: Sequence[Node], box_of: dict[Node, int]) -> None:
    """Put into a box what lies outside between two of its nodes: the box would need its own result otherwise."""
    ups: dict[Node, int] = {}  # the boxes that a node needs, one bit each
    for node in order:
        bits = 1 << box_of[node] if node in box_of else 0
        for arg in node.args:
            bits |= ups[arg]
        ups[node] = bits
    downs: dict[Node, int] = dict.fromkeys(order, 0)  # and those that need it
    for node in reversed(order):
        own = 1 << box_of[node] if node in box_of else 0
        both = ups[node] & downs[node]
        if not own and both and node.args:
            box_of[node] = both.bit_length() - 1
        for arg in node.args:
            downs[arg] |= downs[node] | own


class _Folder(Rebuilt):
    """Puts one card in the place of each box.

    box_of: the box of each node that is in one. members: the nodes of each box, in order. read: nodes whose values are
    needed outside of their box.
    """

    def __init__(
        self, sketch: Sketch, numbers: Numbers, box_of: Mapping[Node, int], members: Mapping[int, Sequence[Node]],
        read: set[Node],
    ) -> None:  # fmt: skip
        super().__init__(sketch, numbers)
        self.box_of, self.members, self.read = box_of, members, read
        self.drawn: dict[int, Node] = {}  # the card of each box
        self.inputs: dict[int, Collection[Node]] = {}
        self.known = set(map(self._source, sketch.order))
        self.moving = dependents([node for node in sketch.order if node.op in (VARIABLE, CARRY)], sketch.order)

    def built(self, order: Sequence[Node]) -> dict[Node, Node]:
        """The node that stands for each one in the picture; of those in boxes, only the results have one."""
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
        if box not in self.inputs:
            self.inputs[box] = self._read(box)[0]
        return self.inputs[box]

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
        """The card of a user that adds to an adjoint: its own, or that of the box that it is in; None without one."""
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
