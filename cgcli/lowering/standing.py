"""Leaves for the values of names by which a program differentiates, until all is read that depends on them."""

from __future__ import annotations

from cgcli.annotations import Any, Collection, Mapping, Sequence
from cgcli.errors import Span
from cgcli.graph.node import Differentiated, Node, Within, is_carry, toposort
from cgcli.records import EMPTY, NamedTuple


class Moving(NamedTuple):
    """The names by which a program differentiates, D(f(x), x), and the leaves that stand for their values so far.

    origins: where nodes were read. book: the derivatives are those of a book. made: the derivatives so far, in the
    words of the leaves. by: the variables among the names, and where each stands. read: the nodes that they read.
    """

    names: Collection[str]
    origins: dict[Node, Span]
    book: bool
    values: dict[Node, Node]
    made: list[Differentiated]
    by: dict[Node, Span]
    read: set[Node]

    @property
    def absent(self) -> dict[Node, Span]:
        """The variables that derivatives are by and none reads."""
        return {node: span for node, span in self.by.items() if node not in self.read}

    def settled(self) -> tuple[Differentiated, ...]:
        """The derivatives that were made, with the values in the places of the leaves."""
        self._replace_in_all({})
        return tuple(each for each in self.made if not any(map(is_carry, toposort(_open(each)))))

    def replace_leaf(self, leaf: Node, value: Node) -> None:
        """Put a value in the place of the index of a sum, in the derivatives in its terms."""
        if self.made:
            self._replace_in_all({leaf: value})

    def go_within(
        self, carries: Sequence[Node], starts: Sequence[Node], nexts: Sequence[Node], going: Node | None,
        trips: int | None,
    ) -> None:  # fmt: skip
        """Say of the derivatives that depend on carries that they are within that loop. All as `looped` has it."""
        from cgcli.graph.body import Body
        from cgcli.graph.loops import Loop
        from cgcli.lowering.loops import closed

        if not self.made:
            return
        self._replace_in_all({})
        for at, each in enumerate(self.made):
            if set(carries).isdisjoint(toposort(_open(each))):
                continue
            outside, body = closed(carries, [*nexts, *([going] if going else []), *_open(each)], self.origins)
            count = len(nexts) + (going is not None)
            loop, inside = Loop(Body(body.parameters, body.outputs[:count]), trips), body.outputs[count:]
            self.made[at] = _with_open(each, inside, (Within((*starts, *outside), loop),))

    def _replace_in_all(self, known: dict[Node, Node]) -> None:
        from cgcli.lowering.loops import moved

        for leaf, value in self.values.items():
            known[leaf] = moved([value], known, self.origins)[value]
        become = moved([node for each in self.made for node in _open(each)], known, self.origins)
        self.made[:] = [_with_open(each, [become[node] for node in _open(each)]) for each in self.made]

    def standing(self) -> Standing | None:
        """For the names of one scope; None where the program differentiates by none."""
        return Standing(self) if self.names else None


def _open(each: Differentiated) -> tuple[Node, ...]:
    """The nodes of a derivative that are in no loop yet: the arguments of the loop around it, or its own three."""
    return each.within[0].args if each.within else each[:3]


def _with_open(each: Differentiated, nodes: Sequence[Node], around: tuple[Within, ...] = ()) -> Differentiated:
    """The same with others in their places. around: a loop around it."""
    if not each.within:
        value, place, slope = nodes
        return Differentiated(value, place, slope, around)
    first, *inner = each.within
    return each._replace(within=(*around, first._replace(args=tuple(nodes)), *inner))


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
