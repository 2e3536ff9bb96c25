"""A graph that is drawn in place of another one, with the numbers and the clusters of what its nodes stand for."""

from __future__ import annotations

from cgcli.annotations import Iterable, Mapping, Sequence
from cgcli.graph.node import Node
from cgcli.rendering.scene import Event, Numbers
from cgcli.rendering.sketch import Cluster, Sketch


class Rebuilt:
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
        """The new graph with its numbers. become: the new node for each old one that is still drawn."""
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
