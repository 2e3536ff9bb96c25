"""A graph that is drawn in place of another one, with the numbers and the clusters of what its nodes stand for."""

from __future__ import annotations

from cgcli.annotations import Iterable, Mapping, Sequence, TypeVar
from cgcli.graph.node import Node
from cgcli.rendering.scene import Event, Numbers
from cgcli.rendering.sketch import Cluster, Sketch

_Found = TypeVar("_Found")


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
        old, known = self.sketch, self.numbers

        def of_new(table: Mapping[Node, _Found]) -> dict[Node, _Found]:
            return {new: table[node] for new, node in self.was.items() if node in table}

        def still_drawn(nodes: Iterable[Node]) -> list[Node]:
            return [become[node] for node in nodes if node in become]

        graph = old.graph._replace(
            outputs=tuple(outputs), labels=of_new(old.graph.labels) | self.titles, origins=of_new(old.graph.origins)
        )
        nexts = {new: become[after] for new, after in of_new(old.nexts).items() if after in become}
        drawn = Sketch(
            graph, tuple(self.clusters), self.within, of_new(old.loops), nexts, still_drawn(old.indices), {},
            still_drawn(old.zeros), of_new(old.notes) | self.notes, ends,
        )  # fmt: skip
        partials = {
            new: numbers for new, numbers in of_new(known.partials).items()
            if len(new.args) == len(self.was[new].args) and new.op is self.was[new].op
        }  # fmt: skip
        values, adjoints, tangents = map(of_new, (known.values, known.adjoints, known.tangents))
        return drawn, Numbers(values, adjoints, tangents, partials, known.trips, {*still_drawn(known.seeds)}, events)
