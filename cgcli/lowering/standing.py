"""Leaves for the values of names by which a program differentiates, until all is read that depends on them."""

from __future__ import annotations

from cgcli.annotations import Any, Collection, Mapping, Sequence
from cgcli.errors import Span
from cgcli.graph.node import Node, is_carry, toposort
from cgcli.records import EMPTY, NamedTuple


class Moving(NamedTuple):
    """The names by which a program differentiates, D(f(x), x), and the leaves that stand for their values so far.

    origins: where nodes were read. book: the derivatives are those of a book. made: of each derivative that was made
    the nodes of the expression, of the name, and its own.
    """

    names: Collection[str]
    origins: dict[Node, Span]
    book: bool
    values: dict[Node, Node]
    made: list[tuple[Node, Node, Node]]

    def settled(self) -> tuple[tuple[Node, Node, Node], ...]:
        """The derivatives that were made, with the values in the places of the leaves; none of those within loops."""
        from cgcli.lowering.loops import moved

        known: dict[Node, Node] = {}
        for leaf, value in self.values.items():
            known[leaf] = moved([value], known, self.origins)[value]
        become = moved([node for each in self.made for node in each], known, self.origins)
        found = [(become[value], become[place], become[slope]) for value, place, slope in self.made]
        return tuple(each for each in found if not any(map(is_carry, toposort(each))))

    def standing(self) -> Standing | None:
        """For the names of one scope; None where the program differentiates by none."""
        return Standing(self) if self.names else None


class Standing:
    """The leaves for the values of names of one scope."""

    def __init__(self, moving: Moving) -> None:
        self._moving = moving
        self._leaves: list[Node] = []

    def of(self, name: str, value: Any) -> Any:
        """What a name is read as: its value, or the leaf for that."""
        if name not in self._moving.names or not isinstance(value, Node):
            return value
        from cgcli.graph.loops import fresh_leaves

        (leaf,) = fresh_leaves([value.shape])
        self._moving.values[leaf] = value
        self._leaves.append(leaf)
        return leaf

    def settled(self, nodes: Sequence[Node]) -> Mapping[Node, Node]:
        """What nodes become, and all that they need, with the values in the places of the leaves."""
        if not self._leaves:
            return EMPTY
        from cgcli.lowering.loops import moved

        known: dict[Node, Node] = {}
        for leaf in self._leaves:
            value = self._moving.values[leaf]
            known[leaf] = moved([value], known, self._moving.origins)[value]
        return moved(nodes, known, self._moving.origins)
