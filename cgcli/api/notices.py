"""What is worth telling of a program at a point: no errors, but a nan and where it was born, kinks, unused names."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterable, Mapping, Sequence
from cgcli.errors import Span, TooLargeError, line_and_column, quoted
from cgcli.evaluate.constants import as_constant
from cgcli.evaluate.elements import is_all_finite, is_nan, is_small, somewhere
from cgcli.evaluate.evaluate import Events, evaluate, evaluate_all
from cgcli.graph.loops import Loop
from cgcli.graph.node import VARIABLE, Graph, Node, rebuild, toposort
from cgcli.graph.operation import Shape
from cgcli.ops.lazily import np
from cgcli.printing.values import number
from cgcli.records import EMPTY, NamedTuple

if TYPE_CHECKING:
    from cgcli.evaluate.notes import Note

_MOST = 20  # notices of one computation
_GOLDEN = (math.sqrt(5) - 1) / 2


class Notice(NamedTuple):
    """One thing to tell: a sentence, what to do, where in the program. details: the same for programs, `kind` first.

    topic: as in CgError, where the command line has a hint of its own.
    """

    message: str
    hint: str = ""
    span: Span | None = None
    details: Mapping[str, Any] = EMPTY
    topic: str = ""


class Watched:
    """Evaluates a graph at one point, and tells of every nan, infinity and kink on the way, once.

    It is an `Evaluate`, as the derivatives ask for it. bindings: an array for each input. tell: takes each notice.
    """

    def __init__(self, graph: Graph, bindings: Mapping[str, Any], tell: Callable[[Notice], None]) -> None:
        self._graph = graph
        self._bindings = bindings
        self._tell = tell
        self._told: set[tuple[str, Node]] = set()
        self._events: set[tuple[object, ...]] = set()

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
        events = Events()
        numbers = evaluate(outputs, bindings, events)
        if events.seen or not all(map(is_all_finite, numbers)):
            self._tell_births(outputs if results is None else results, bindings)
        elif events.small is not None or any(map(is_small, numbers)):
            self._tell_losses(outputs if results is None else results, bindings, events.small)
        return numbers

    def tell_kinks(self, wrt: Iterable[Node]) -> None:
        """Tell of the operations between some inputs and the outputs that stand at a kink."""
        outputs, wrt = self._graph.outputs, list(wrt)
        order = toposort(outputs)
        candidates = [node for node in order if node.op.kink is not None]
        if candidates and wrt:
            from cgcli.evaluate.notes import kinks
            from cgcli.transform.reverse import active_nodes

            active = active_nodes(order, set(wrt))
            values = self._every_value(outputs, self._bindings)
            found = kinks([node for node in candidates if node in active], outputs, values) if values else []
            idle = self._idle_ties([note.node for note in found if _is_tie(note.node)], wrt, values)
            self._tell_notes([note for note in found if note.node not in idle])

    def _idle_ties(self, nodes: Sequence[Node], wrt: Sequence[Node], values: Mapping[Node, Any]) -> set[Node]:
        """Those of the nodes whose elements that tie all have derivative 0, as those have that relu made 0.

        The inputs move unequally, so that derivatives of opposite sign do not cancel.
        """
        from cgcli.ops.fitting import ones_like
        from cgcli.transform.differentiate import pushforward
        from cgcli.transform.guarded import Guarded
        from cgcli.transform.reverse import pull_back

        args = list(dict.fromkeys(arg for node in nodes for arg in node.args))
        pushed = pushforward(args, {node: as_constant(_unequal(at, node.shape)) for at, node in enumerate(wrt)})
        moved = dict(zip(args, evaluate(pushed, self._bindings), strict=True))
        idle = set(nodes)
        for node in nodes:
            pulled = dict(pull_back(node, Guarded(ones_like(node)), node.args))
            known = {each: values[each] for each in (node, *node.args)}
            shares = evaluate([share.selected() for share in pulled.values()], {}, known=known)
            if any(somewhere((share != 0) & (moved[arg] != 0)) for arg, share in zip(pulled, shares, strict=True)):
                idle.discard(node)
        return idle

    def _every_value(self, outputs: Sequence[Node], bindings: Mapping[str, Any]) -> dict[Node, Any]:
        """The value of every node that the outputs need; none when they are too large to keep together."""
        try:
            return evaluate_all(outputs, bindings)
        except TooLargeError as error:
            message = f"where a nan, an infinity or a kink arises is not looked for: {error.message}"
            self._tell(Notice(message, details={"kind": "more"}))
            return {}

    def _tell_births(self, results: Sequence[Node], bindings: Mapping[str, Any]) -> None:
        """Where a nan or an infinity was born, or that it came with the inputs or constants."""
        from cgcli.evaluate.notes import births

        values = self._every_value(results, bindings)
        if not values:
            return
        found = births(results, values)
        if all(is_all_finite(values[node]) for node in results):
            # an overflow inside a derivative's formula that leaves no trace in it is nobody's concern
            found = [note for note in found if note.node in self._graph.origins]
        elif not found:
            for node in values:
                if not node.args and not is_all_finite(values[node]):
                    self._tell_leaf(node, values[node])
        self._tell_notes(found)

    def _tell_losses(
        self, results: Sequence[Node], bindings: Mapping[str, Any], values: Mapping[Node, Any] | None
    ) -> None:
        """What was lost that a result depends on. values: of every node, where they are known; not of large arrays."""
        from cgcli.evaluate.losses import MOST, losses

        if values is None and sum(math.prod(node.shape) for node in toposort(results)) <= MOST:
            values = evaluate_all(results, bindings)
        if values is not None:
            self._tell_notes([*losses(results, values)])

    def _tell_notes(self, notes: Sequence[Note]) -> None:
        new = [note for note in notes if self._is_new(note.kind, note.node) and self._is_another(note)]
        for note in new[:_MOST]:
            self._tell(_notice(note, self._graph))
        if len(new) > _MOST:
            self._tell(Notice(f"{len(new) - _MOST} more of the same kind are not shown", details={"kind": "more"}))

    def _is_another(self, note: Note) -> bool:
        """Whether a note of a derivative says what none before it says; each one of the program itself does."""
        event = (note.kind, note.node.op.name, note.operands)
        known = event in self._events and note.node not in self._graph.origins
        self._events.add(event)
        return not known

    def _tell_leaf(self, node: Node, value: Any) -> None:
        """That an input or a constant is itself nan or infinite."""
        if self._is_new("given", node):
            text = _text(node, self._graph)
            kind = "nan" if somewhere(is_nan(value)) else "infinity"
            what = "input" if node.op is VARIABLE else "constant"
            message = f"the {what} '{text}' is {'nan' if kind == 'nan' else 'infinite'}"
            details = {"kind": kind, "operation": node.op.name, "node": text}
            self._tell(Notice(message, span=self._graph.origins.get(node), details=details))

    def _is_new(self, kind: str, node: Node) -> bool:
        known = (kind, node) in self._told
        self._told.add((kind, node))
        return not known


def _notice(note: Note, graph: Graph) -> Notice:
    """A note on an evaluation, in words."""
    from cgcli.graph.body import name_of_operation

    span = graph.origins.get(note.node)
    details: dict[str, Any] = {
        "kind": note.kind,
        "operation": name_of_operation(note.node),
        "node": _text(note.node, graph),
        "operands": [item if math.isfinite(item) else None for item in note.operands],
        "index": list(note.element),
    }
    if span is not None:
        details["line"], details["column"] = line_and_column(graph.source.text, span.start)
    return Notice(sentence(note, in_derivative=span is None), advice(note), span, details)


def _is_tie(node: Node) -> bool:
    return node.op.kink is not None and node.op.kink.tie


def _unequal(seed: int, shape: Shape) -> Any:
    """Numbers from 1 to 2, all different: multiples of the golden ratio, less their whole parts."""
    if not shape:
        return 1 + (seed + 1) * _GOLDEN % 1
    return 1 + (np.arange(1.0, math.prod(shape) + 1) * _GOLDEN + seed * math.sqrt(2)).reshape(shape) % 1


def _text(node: Node, graph: Graph) -> str:
    from cgcli.printing.expression import formula

    span = graph.origins.get(node)
    return quoted(graph.source.text, span) if span is not None else formula(node)


def sentence(note: Note, *, in_derivative: bool) -> str:
    """What happened, where: `ln(-1) is nan`. in_derivative: whether the node belongs to a derivative's formula."""
    from cgcli.printing.expression import formula

    where = f" (element {list(note.element)})" if note.element else ""
    if note.kind == "kink" and isinstance(note.node.params, Loop):
        return f"the loop: {note.chosen}"
    if note.kind == "kink":
        return f"{_applied(note)} is at a kink{where}: {note.chosen}"
    place = f" in the derivative, at {formula(_unguarded(note.node))}" if in_derivative else ""
    if note.kind == "lost":
        return f"{_applied(note)} loses {note.chosen}{where}{place}, and a result depends on it"
    what = "nan" if note.kind == "nan" else "infinite"
    return f"{_applied(note)} is {what}{where}{place}"


def _unguarded(node: Node) -> Node:
    """A node of a derivative as its rule means it, inside the domain."""
    from cgcli.transform.formulas import unguarded

    return rebuild([node], unguarded)[node]


def _applied(note: Note) -> str:
    """The operation with its operands' values: `sqrt(-1)`, `1/0`."""
    from cgcli.graph.body import name_of_operation

    op = note.node.op
    if isinstance(note.node.params, Loop):
        return "the loop"
    operands = [number(item) for item in note.operands]
    if op.infix is not None and len(operands) == 2:
        left, right = (f"({text})" if text.startswith("-") else text for text in operands)
        return f"{left}{op.infix.symbol}{right}" if op.infix.symbol in "*/^" else f"{left} {op.infix.symbol} {right}"
    if op.prefix is not None and operands:
        return f"{op.prefix.symbol}{operands[0]}"
    return f"{name_of_operation(note.node)}({', '.join(operands) or '…'})"


def advice(note: Note) -> str:
    """A function that does what was probably meant."""
    found = note.node.op.advice
    sources = {arg.op.name for arg in note.node.args}
    if note.advice:
        return note.advice
    return found.text if found and found.kind == note.kind and found.applies(note.operands, sources) else ""
