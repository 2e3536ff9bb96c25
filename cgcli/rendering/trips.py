"""Loops as pictures draw them trip by trip: each trip as a cluster within that of its loop."""

from __future__ import annotations

from cgcli.annotations import Mapping, Sequence
from cgcli.errors import Span
from cgcli.graph.loops import Loop
from cgcli.graph.node import Graph, Node
from cgcli.rendering.calling import Calling
from cgcli.rendering.loop_heads import carry_names, condition_of, head_of_loop, the_loop
from cgcli.rendering.sketch import Cluster, Path, Sketch


def trip_by_trip(graph: Graph, outputs: Sequence[Node], become: Mapping[Path, Mapping[Node, Node]]) -> Sketch:
    """A graph whose loops are written out.

    outputs: its results. become: for each trip, what the nodes of the body are there; a path is made of pairs of a loop
    and the number of its trip.
    """
    trips = _Trips(graph)
    for path, nodes in become.items():
        trips.add(path, nodes)
    within: dict[Node, int] = {}
    for path in sorted(become, key=len, reverse=True):
        leaves = path[-1][0].params.body.parameters if path else ()
        for node, drawn in become[path].items():
            place = trips.around(path, node) if drawn.args and node not in leaves else None
            if place is not None:
                within.setdefault(drawn, place)
    whole = graph._replace(outputs=tuple(outputs), labels=trips.labels, origins=trips.origins)
    return Sketch(whole, tuple(trips.clusters), within)


class _Trips:
    """Finds the clusters of loops and of their trips, and what is said of the nodes of a trip."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.labels: dict[Node, str] = {}
        self.origins: dict[Node, Span] = {}
        self.clusters: list[Cluster] = []
        self.calls = Calling(graph, self.clusters)
        self.places: dict[Path, int] = {}  # of the clusters of loops and of trips

    def add(self, path: Path, nodes: Mapping[Node, Node]) -> None:
        """Add a trip, or what stands in no loop. nodes: what the nodes of the body are there."""
        for node, drawn in nodes.items():
            if node in self.graph.origins:
                self.origins.setdefault(drawn, self.graph.origins[node])
            if not path and node in self.graph.labels and drawn.args:
                self.labels.setdefault(drawn, self.graph.labels[node])
        if not path:
            return
        *outer, (node, trip) = path
        itself = the_loop(node)
        loop = itself.params
        assert isinstance(loop, Loop)
        names = carry_names(self.graph, itself)
        around = (*outer, node)
        if around not in self.places:
            args = [nodes[leaf] for leaf in loop.body.parameters]
            head = head_of_loop(loop, names, args, *condition_of(loop, names, args), self.labels)
            self._begin(Cluster(head, around, self.around(tuple(outer), node), whole=True))
        self._begin(Cluster(f"trip {trip}", path, self.places[around]))
        for name, after in zip(names, loop.nexts, strict=True):
            if nodes.get(after) and nodes[after].args and after not in loop.body.parameters:
                self.labels.setdefault(nodes[after], f"{name}_{trip}")

    def around(self, path: Path, node: Node) -> int | None:
        """The innermost cluster of a node of a trip, calls included."""
        return self.calls.around(path, node, self.places.get(path))

    def _begin(self, cluster: Cluster) -> None:
        self.places[cluster.path] = len(self.clusters)
        self.clusters.append(cluster)
