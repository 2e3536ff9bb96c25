"""What a graph is when it is drawn: the graph itself, or one whose loops are opened, with clusters of their trips."""

from __future__ import annotations

from cgcli.annotations import Any, Collection, Mapping, Sequence
from cgcli.graph.calls import Call
from cgcli.graph.node import Graph, Node, not_computed, toposort
from cgcli.graph.operation import Operation, Shape
from cgcli.records import EMPTY, NamedTuple


def _shape(shapes: Sequence[Shape], params: Any) -> Any:
    return params[1]


def _drawn(name: str, doc: str, *args: str) -> Operation:
    return Operation(name, doc, args, not_computed, _shape, (None,), why_no_derivative="it is drawn")


CARRY = _drawn("carry", "what goes from trip to trip", "first", "last")
RESULT = _drawn("result", "what a loop carries, after the last trip", "", "while")
FOLDED = _drawn("call", "a call as one box", "*args")
CUT = _drawn("cut", "what is not drawn of all that a node needs")
MORE = _drawn("more", "what is not drawn of all that needs a node", "")
DRAWN = (CARRY, RESULT, FOLDED, CUT, MORE)


class Folded(NamedTuple):
    """What a card of a call says. number: of the box. names: of the parameters; '' for what else goes in."""

    number: int
    shape: Shape
    title: str
    names: tuple[str, ...]


def again(node: Node, args: tuple[Node, ...]) -> Node:
    """A copy of a node, on other arguments, that is not interned: equal copies are drawn apart."""
    made = Node()
    made.op, made.args, made.params, made.shape = node.op, args, node.params, node.shape
    return made


Path = tuple[Any, ...]
"""Where a body stands: the loops around it, the outermost first; () for the program itself."""


class Cluster(NamedTuple):
    """A loop as it is drawn, or one of its trips, or the equations of a root, or a call of a function.

    head: what it says above. path: of its body. call: what it draws; None for all others. parent: the place of the
    cluster around it. whole: whether all trips of the loop are drawn, not one for all. way: what stands at the bold
    edge from its end to its beginning.
    """

    head: str
    path: Path
    parent: int | None = None
    whole: bool = False
    way: str = "next trip"
    call: Call | None = None


def enclosing(clusters: Sequence[Cluster], place: int | None) -> list[int]:
    """A cluster and all around it, the innermost first; none where there is none."""
    path = []
    while place is not None:
        path.append(place)
        place = clusters[place].parent
    return path


class Sketch(NamedTuple):
    """What is drawn of a graph.

    graph: with nodes of CARRY and RESULT in the place of loops. clusters: of their trips. within: the place of the
    innermost cluster of a node. loops: the place of the cluster that a node of RESULT comes from. nexts: the carries,
    each with what it is in the next trip. indices: those that an input decides on, used or not. sources: of each node,
    the path of its body, and the node there that it stands for. zeros: what is 0 at a root.
    notes: what is said of carries and results besides their names. ends: what is drawn though nothing drawn needs it.
    """

    graph: Graph
    clusters: tuple[Cluster, ...] = ()
    within: Mapping[Node, int] = EMPTY
    loops: Mapping[Node, int] = EMPTY
    nexts: Mapping[Node, Node] = EMPTY
    indices: Sequence[Node] = ()
    sources: Mapping[Node, tuple[Path, Node]] = EMPTY
    zeros: Collection[Node] = ()
    notes: Mapping[Node, tuple[str, ...]] = EMPTY
    ends: Sequence[Node] = ()

    @property
    def order(self) -> list[Node]:
        """All nodes, operands before users."""
        return toposort((*self.graph.outputs, *self.nexts.values(), *self.indices, *self.ends))
