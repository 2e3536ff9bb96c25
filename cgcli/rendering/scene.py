"""What a picture shows: cards, edges between them, clusters around them, and the numbers that are known of nodes."""

from __future__ import annotations

from cgcli.annotations import Any, Collection, Mapping, Sequence
from cgcli.graph.node import CONSTANT, VARIABLE, Graph, Node
from cgcli.lean import MappingProxyType
from cgcli.records import EMPTY, NamedTuple
from cgcli.rendering.sketch import CARRY, CUT, FOLDED, MORE, RESULT, Cluster, Path

_NAME_LENGTH = 40
_NOTHING: Mapping[Node, Any] = MappingProxyType({})


class Event(NamedTuple):
    """One step of the passes: the value of a node; or what one of its users adds to its adjoint.

    source: the user; None for the value, and for the cotangent of a result. sum: the adjoint so far; None for a value.
    """

    node: Node
    source: Node | None = None
    sum: Any = None


class Numbers(NamedTuple):
    """The numbers of nodes at a point, as far as they are known, for a picture.

    partials: of what depends on the chosen inputs: for each argument of a node, the derivative by it alone, None where
    there is none to show. trips: how many each loop has made, by the path of its body; the other numbers within a loop
    are those of its last trip. seeds: the results whose adjoints are given: nothing else goes on from them.
    events: the steps of the passes, in order.
    """

    values: Mapping[Node, Any] = _NOTHING
    adjoints: Mapping[Node, Any] = _NOTHING
    tangents: Mapping[Node, Any] = _NOTHING
    partials: Mapping[Node, Sequence[Any]] = _NOTHING
    trips: Mapping[Path, int] = EMPTY
    seeds: Collection[Node] = ()
    events: Sequence[Event] = ()

    @property
    def kinds(self) -> Mapping[str, Mapping[Node, Any]]:
        """Values, adjoints and tangents, by the words of `show` for them."""
        return {"value": self.values, "grad": self.adjoints, "tangent": self.tangents}

    def is_data(self, node: Node) -> bool:
        """Whether a node with a value has no adjoint where others have one."""
        return bool(self.adjoints) and node in self.values and node not in self.adjoints

    def is_given(self, node: Node, kind: str) -> bool:
        """Whether nobody computes a number of a node: it stands on a work sheet, too. kind: one of BLANKS."""
        return node in self.seeds if kind == "grad" else node.op in (CONSTANT, VARIABLE)


NO_NUMBERS = Numbers()


class Card(NamedTuple):
    """One thing that is drawn.

    id: `n3`, from the node's place in the topological order; `n3_1` for a constant or an input that is drawn again.
    symbol: its operation, name or number. name: what the program calls it. notes: small lines below the symbol.
    operands: the cards that go in, in order. places: what each operand is called; '' where that goes without saying.
    partials: the derivative by each operand alone; None where none is shown.
    again: the card of an input with many users, which shows its numbers elsewhere.
    gate: the position of the operand that is a condition. is_condition: whether the card is one.
    cluster: the place of the innermost cluster that it stands in. loop: of the one whose result it is.
    """

    id: str
    node: Node
    symbol: str
    name: str = ""
    notes: tuple[str, ...] = ()
    operands: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    ordered: bool = False
    is_output: bool = False
    partials: tuple[Any, ...] = ()
    again: bool = False
    gate: int | None = None
    is_condition: bool = False
    cluster: int | None = None
    loop: int | None = None

    @property
    def kind(self) -> str:
        """What it stands for: input, carry, condition, call, constant, result (of a loop), or operation."""
        op = self.node.op
        if op is VARIABLE or self.again:
            return "input"
        if op is CARRY or self.is_condition:
            return "carry" if op is CARRY else "condition"
        if op is FOLDED:
            return "call"
        is_constant = op in (CONSTANT, CUT, MORE) or not self.operands
        return "constant" if is_constant else "result" if op is RESULT else "operation"

    @property
    def flowing(self) -> list[int]:
        """The positions of the operands that are no conditions."""
        return [at for at in range(len(self.operands)) if at != self.gate]


class Link(NamedTuple):
    """An edge that carries no operand: to the next trip, or from a condition to what it decides on.

    kind: NEXT, the answer YES or NO, or ZERO. within: whether it belongs to a loop. said: what stands at it.
    port: the position of the operand where it ends.
    """

    tail: str
    head: str
    kind: str
    said: str
    within: bool = False
    port: int | None = None


NEXT, YES, NO, ZERO = "next trip", "yes", "no", "= 0"


class Scene(NamedTuple):
    """What is drawn: cards, operands before users, links between them, and clusters around them.

    graph: the one whose nodes they show. roots: the cards that are drawn for their own sake, not for another.
    """

    graph: Graph
    cards: Sequence[Card]
    links: Sequence[Link]
    clusters: Sequence[Cluster]
    roots: Sequence[str]


def shorten(text: str, limit: int = _NAME_LENGTH) -> str:
    """A text, cut in the middle when it is too long for a picture."""
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[-(limit // 2 - 1) :]}"


def trips_text(cluster: Cluster, made: int | None) -> str:
    """How many trips a loop has made; '' where that is not known, or where the loop says it."""
    if made is None or cluster.head == f"repeat {made}":
        return ""
    return "1 trip" if made == 1 else f"{made} trips"
