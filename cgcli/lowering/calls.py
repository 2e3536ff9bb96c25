"""Which calls a graph is made by: recorded while a program is lowered, in the place of its origins."""

from __future__ import annotations

from cgcli.annotations import Any, Sequence
from cgcli.errors import Span
from cgcli.graph.calls import MOST_NESTED, Call, Calls
from cgcli.graph.node import Node
from cgcli.syntax import tree


class _Placed(Span):
    """A span of a node, and the places of the calls that compute the node."""

    calls: dict[int, None]


class Recorder(dict[Node, Span]):
    """Where nodes were read, and by which calls, as what they become goes on to stand in the same calls.

    A call is evaluated as a whole before what comes after it, so those that are open stand on a stack.
    """

    def __init__(self) -> None:
        super().__init__()
        self._calls = [Call("", (), (), (), ())]
        self._callers: list[dict[int, tuple[Span, ...]]] = [{}]  # where each call is written in which others
        self._same = [0]  # for each call, an earlier one that it equals, or itself
        self._open = [0]
        self._given: list[set[Node]] = [set()]  # for each open one, what it has from others: it hands that on only
        self._known: dict[tuple[Any, ...], int] = {}

    def setdefault(self, node: Node, span: Span, /) -> Span:
        """Say where a node was read, or that it became of one whose span this is; the first span stays."""
        placed = self.get(node)
        if placed is None:
            placed = self[node] = _Placed(*span)
            placed.calls = {}
        assert isinstance(placed, _Placed)
        if isinstance(span, _Placed):
            placed.calls |= span.calls
        elif node not in self._given[-1]:
            placed.calls[self._open[-1]] = None
        return placed

    def enter(self, item: tree.Call, parameters: Sequence[str], args: Sequence[Any]) -> None:
        """A call begins."""
        nodes = tuple(arg if isinstance(arg, Node) else None for arg in args)
        self._callers.append({})
        self._same.append(len(self._calls))
        self._open.append(len(self._calls))
        self._given.append({node for node in nodes if node is not None})
        self._calls.append(Call(item.function, tuple(parameters), nodes, (), ()))

    def leave(self, item: tree.Call, args: tuple[Any, ...], values: tuple[Node, ...]) -> None:
        """The innermost call ends."""
        place = self._open.pop()
        self._given.pop()
        self._calls[place] = self._calls[place]._replace(values=values)
        self._same[place] = self._known.setdefault((item.function, args, values), place)
        self.again(item, args, values)

    def again(self, item: tree.Call, args: tuple[Any, ...], values: tuple[Node, ...]) -> None:
        """A call that has been made stands at another place, too.

        One that is differentiated is none of the graph: its nodes are those of a derivative.
        """
        is_derived = any(isinstance(arg, tree.Name) and arg.name.startswith("\0") for arg in item.args)
        is_written = item.span.start == item.where.start  # and not named, as in iterate(f, 1, 5)
        spans = (item.span, *(arg.span for arg in item.args)) if is_written else (item.where,)
        place = self._known[item.function, args, values]
        self._callers[place].setdefault(self._open[-1], () if is_derived else spans)
        self._given[-1].update(values)

    def calls(self) -> Calls:
        """The record. A call in the bodies of several others stands in the innermost one around all of them."""
        around, depths = {0: 0}, {0: 0}
        calls = [*self._calls]
        stack = list(range(len(self._calls)))[::-1]
        while stack:
            place = stack[-1]  # without callers where it equals an earlier one
            callers = [*dict.fromkeys(self._same[caller] for caller in self._callers[place])]
            waiting = [caller for caller in callers if caller not in around]
            if place in around or not waiting:
                stack.pop()
                if place not in around:
                    around[place] = _common(callers, around, depths)
                    depths[place] = depths[around[place]] + 1
                    written = self._callers[place]
                    spans = written.get(around[place]) or next(filter(None, written.values()), ())
                    path = (*calls[around[place]].path, *[place] * bool(spans))[:MOST_NESTED]
                    calls[place] = calls[place]._replace(spans=spans, path=path)
            stack += waiting
        made = {
            node: {self._same[place] for place in placed.calls}
            for node, placed in self.items()
            if isinstance(placed, _Placed)
        }
        return Calls(calls, made)


def _common(places: Sequence[int], around: dict[int, int], depths: dict[int, int]) -> int:
    """The innermost call around some calls, or one of them."""
    one, *others = places or (0,)
    for other in others:
        while one != other:
            if depths[one] >= depths[other]:
                one = around[one]
            else:
                other = around[other]
    return one
