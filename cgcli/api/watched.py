"""Evaluation at a point under watch: a nan, an infinity, a kink on the way is told."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterable, Mapping, Sequence
from cgcli.api.notices import Notice
from cgcli.evaluate.elements import is_all_finite, is_small, may_lose
from cgcli.evaluate.evaluate import Events, evaluate
from cgcli.graph.node import Graph, Node, name_of, toposort, variables
from cgcli.lean import cached_property
from cgcli.records import EMPTY

if TYPE_CHECKING:
    from cgcli.api.events import Telling


class Watched:
    """Evaluates a graph at one point, and tells of every nan, infinity and kink on the way, once.

    It is an `Evaluate`, as the derivatives ask for it. bindings: an array for each input. tell: takes each notice.
    """

    def __init__(self, graph: Graph, bindings: Mapping[str, Any], tell: Callable[[Notice], None]) -> None:
        self._graph = graph
        self._bindings = bindings
        self._tell = tell
        self._has_told = False

    @cached_property
    def _telling(self) -> Telling:
        from cgcli.api.events import Telling

        return Telling(self._graph, self._tell)

    def __call__(
        self,
        outputs: Sequence[Node],
        bindings: Mapping[str, Any] = EMPTY,
        quiet: bool = False,
        results: Sequence[Node] | None = None,
    ) -> list[Any]:
        """The outputs' values.

        bindings: of variables that are not the program's own. quiet: tell nothing. results: those of the
        outputs that count; what happens only on the way to the others is not told.
        """
        bindings = {**self._bindings, **bindings} if bindings else self._bindings
        if quiet:
            return evaluate(outputs, bindings)
        if self._graph.differentiated and not self._has_told:
            self._has_told = True
            self._tell_of_derivatives(bindings)
        events = Events()
        numbers = evaluate(outputs, bindings, events)
        if events.seen or not all(map(is_all_finite, numbers)):
            self._telling.births(outputs if results is None else results, bindings)
        elif (is_near_0 := events.small or any(map(is_small, numbers))) or may_lose(
            outputs, events.values if events.of_numbers else EMPTY
        ):
            self._telling.losses(outputs if results is None else results, bindings, events.values, is_near_0)
        return numbers

    def tell_kinks(self, wrt: Iterable[Node]) -> None:
        """Tell of the operations between some inputs and the outputs that stand at a kink."""
        self._tell_kinks(self._graph.outputs, list(wrt), self._bindings)

    def _tell_of_derivatives(self, bindings: Mapping[str, Any]) -> None:
        """The same for the derivatives that the program takes itself, where they are part of it."""
        parts = set(toposort(self._graph.outputs))
        for each in self._graph.differentiated:
            if not bindings.keys() >= set(map(name_of, variables(toposort(each.read)))):
                continue
            if each.within:
                self._telling.kinks_within(each, bindings)
            elif each.slope in parts:
                self._tell_kinks([each.value], [each.place], bindings, each.slope)

    def _tell_kinks(
        self, outputs: Sequence[Node], wrt: Sequence[Node], bindings: Mapping[str, Any], slope: Node | None = None
    ) -> None:
        if wrt and any(node.op.kink is not None for node in toposort(outputs)):
            self._telling.kinks(outputs, wrt, bindings, slope)
