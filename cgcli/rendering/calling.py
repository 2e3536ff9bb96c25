"""Calls of the program's functions as clusters: which of them a node stands in, at the place where it is drawn."""

from __future__ import annotations

from cgcli.annotations import Iterable
from cgcli.errors import quoted
from cgcli.graph.calls import Call
from cgcli.graph.node import Graph, Node, toposort
from cgcli.rendering.scene import shorten
from cgcli.rendering.sketch import Cluster, Path

_LONGEST_HEAD = 32  # characters of a call as it is written
_LONGEST_ARGUMENT = 12  # of an argument in a longer one


class Calling:
    """Finds the clusters of calls of a graph, and adds them to `clusters` when they are needed first."""

    def __init__(self, graph: Graph, clusters: list[Cluster]) -> None:
        self._graph, self._calls, self._clusters = graph, graph.calls, clusters
        self._places: dict[tuple[Path, int], int] = {}
        self._at_top: frozenset[int] = frozenset()  # the calls that stand in no loop
        if self._calls is not None:
            nodes = set(toposort(graph.outputs))
            self._at_top = frozenset(
                at for at, call in enumerate(self._calls.calls) if not nodes.isdisjoint(call.values)
            )

    def around(self, path: Path, node: Node, cluster: int | None) -> int | None:
        """The innermost cluster of a node of a body, which stands in a cluster itself. path: of the body."""
        if self._calls is None:
            return cluster
        for call in self._path(path, node):
            key = (path, call)
            if key not in self._places:
                self._places[key] = len(self._clusters)
                made = self._calls.calls[call]
                self._clusters.append(Cluster(head_of(self._graph, made), (*path, call), cluster, call=made))
            cluster = self._places[key]
        return cluster

    def _path(self, path: Path, node: Node) -> Iterable[int]:
        """The calls that a node of a body stands in, within the body: what two calls share stands in neither."""
        if not path:
            return [call for call in self._whole(node, ()) if call in self._at_top]
        loop = path[-1][0] if isinstance(path[-1], tuple) else path[-1]
        outer = self._whole(loop, ())
        own = self._whole(node, outer)
        return [call for call in own if call not in outer and call not in self._at_top]

    def _whole(self, node: Node, outer: tuple[int, ...]) -> tuple[int, ...]:
        """The calls around all those that compute a node; of these, those in the outer ones, if there are such."""
        assert self._calls is not None
        every = [self._calls.calls[place].path for place in self._calls.made.get(node, (0,))]
        paths = [each for each in every if each[: len(outer)] == outer] or every
        least, most = min(paths), max(paths)
        same = next((at for at, pair in enumerate(zip(least, most, strict=False)) if pair[0] != pair[1]), None)
        return least[: min(len(least), len(most)) if same is None else same]


def head_of(graph: Graph, call: Call) -> str:
    """What stands above a call: its text, with dots for long arguments; else how the function is defined."""
    whole, *args = (quoted(graph.source.text, span) for span in call.spans)
    if args or whole.endswith(")"):
        args = [arg if len(arg) <= _LONGEST_ARGUMENT else "…" for arg in args]
        for text in (whole, f"{call.name}({', '.join(args)})"):
            if len(text) <= _LONGEST_HEAD:
                return text
    return shorten(f"{call.name}({', '.join(call.parameters)})")
