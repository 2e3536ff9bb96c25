"""The index of a loop or of a sum, its bounds, and the places where such things are read."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Sequence
from cgcli.errors import ArgumentError, ShapeError, Span
from cgcli.graph.loops import Loop, States
from cgcli.graph.node import CONSTANT, VARIABLE, Node, apply, constant_value, toposort
from cgcli.graph.shapes import shaped
from cgcli.lowering.arguments import Value, known
from cgcli.ops.indexing import ELEMENT
from cgcli.ops.logic import LESS_EQUAL
from cgcli.ops.loops import unpacked
from cgcli.records import NamedTuple
from cgcli.syntax import tree

if TYPE_CHECKING:
    from cgcli.lowering.standing import Moving


class Places(NamedTuple):
    """Where things were read. origins: the spans of nodes.

    names: what the program calls the indices of its loops. carried: and all that each loop carries, by its body.
    series: the sums and products that are being read, the outermost first. moving: the derivatives in the program.
    """

    origins: dict[Node, Span]
    names: dict[Node, str]
    carried: dict[object, tuple[str, ...]]
    series: list[tree.Series]
    moving: Moving

    def of_loop(self, pieces: Sequence[Node], span: Span, names: Sequence[str]) -> None:
        """Say where a loop was read, and what it carries. pieces: its carries after it."""
        of_program = ("" if name.endswith("(…)") else name for name in names)  # f(…) is what iterate(f, …) carries
        called = dict(zip(pieces, of_program, strict=False))
        for node in pieces:
            self.origins.setdefault(node, span)
            while node.args and not isinstance(node.params, Loop | States):
                node = node.args[0]
            self.origins.setdefault(node, span)
            if isinstance(node.params, Loop):
                every = unpacked(node, node.params.shapes)
                self.carried.setdefault(node.params.body, tuple(called.get(piece, "") for piece in every))


class Index(NamedTuple):
    """The index of a loop. start, end: its bounds. array: that whose elements it counts, if any."""

    name: str
    start: Node | None
    end: Node | None
    array: Node | None = None

    @property
    def trips(self) -> int | None:
        """How many trips the bounds make, where they are known."""
        if self.start is None or self.end is None:
            return None
        first, last = number_of(self.start), number_of(self.end)
        if first is None or last is None or not math.isfinite(last - first):
            return None
        return max(math.floor(last - first) + 1, 0)

    def going(self, leaf: Node) -> Node:
        """The condition for one more trip."""
        assert self.end is not None
        return apply(LESS_EQUAL, (leaf, self.end))

    def value(self, leaf: Node) -> Node:
        """What the index's name means."""
        return leaf if self.array is None else apply(ELEMENT, (self.array, leaf))


def number_of(node: Node) -> float | None:
    """A number that is known while the program is read."""
    if node.op is CONSTANT:
        return constant_value(node)
    if any(part.op is VARIABLE or isinstance(part.params, Loop) for part in toposort([node])):
        return None
    value: float = known(node, "a bound")
    return value


def bounds_of(item: tree.For | tree.Series, first: Value, last: Value) -> tuple[Node, Node]:
    """The bounds of an index, which are numbers."""
    assert item.last is not None
    what = "a bound of the index"
    return scalar(first, item.first.span, what), scalar(last, item.last.span, what)


def scalar(value: Value, span: Span, what: str) -> Node:
    """A value that is one number. Raises ShapeError."""
    node = value_of(value, span)
    if node.shape:
        raise ShapeError(f"{what} is a number, and this has {shaped(node.shape)}", span)
    return node


def value_of(value: Any, span: Span) -> Node:
    """A value that is a node. Raises ArgumentError."""
    if not isinstance(value, Node):
        raise ArgumentError("this is no value", span)
    return value
