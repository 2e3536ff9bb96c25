"""What happens in an evaluation, told: where a nan or an infinity was born, what was lost, what stands at a kink."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Mapping, Sequence
from cgcli.api.notices import Notice, has_no_formula, of_no_formula
from cgcli.errors import TooLargeError, line_and_column, quoted
from cgcli.evaluate.constants import as_constant, constant_of
from cgcli.evaluate.elements import is_all_finite, is_nan, somewhere
from cgcli.evaluate.evaluate import evaluate, evaluate_all
from cgcli.graph.loops import Loop
from cgcli.graph.node import (
    CONSTANT,
    VARIABLE,
    Differentiated,
    Graph,
    Node,
    count_of_numbers,
    name_of,
    rebuild,
    toposort,
)
from cgcli.graph.operation import Shape
from cgcli.ops.lazily import np
from cgcli.printing.values import number

if TYPE_CHECKING:
    from cgcli.evaluate.notes import Note

_MOST = 20  # notices of one computation
_GOLDEN = (math.sqrt(5) - 1) / 2


class Telling:
    """Tells of each event in the evaluations of a graph, once. tell: takes each notice."""

    def __init__(self, graph: Graph, tell: Callable[[Notice], None]) -> None:
        self._graph = graph
        self._tell = tell
        self._told: set[tuple[str, Node]] = set()
        self._events: set[tuple[object, ...]] = set()

    def kinks(
        self, outputs: Sequence[Node], wrt: Sequence[Node], bindings: Mapping[str, Any], slope: Node | None = None
    ) -> None:
        """Which of the operations between some nodes and outputs stand at a kink.

        slope: a part of the graph without which nobody wants to know.
        """
        from cgcli.evaluate.notes import kinks, matters
        from cgcli.transform.reverse import active_nodes

        order = toposort(outputs)
        candidates = [node for node in order if node.op.kink is not None]
        for node in candidates:
            self._tell_trips(node, wrt)
        active = active_nodes(order, set(wrt))
        values = self._every_value(outputs, bindings)
        found = kinks([node for node in candidates if node in active], outputs, values) if values else []
        if (
            slope
            and found
            and not matters(slope, self._graph.outputs, self._every_value(self._graph.outputs, bindings))
        ):
            return
        idle = _idle_ties([note.node for note in found if _is_tie(note.node)], wrt, values, bindings)
        self._tell_notes([note for note in found if note.node not in idle])

    def kinks_within(self, derivative: Differentiated, bindings: Mapping[str, Any]) -> None:
        """Which of the operations between the nodes of a derivative within a loop stand at a kink, in its first such
        trip.
        """
        from cgcli.evaluate.notes import kinks_within

        has_kinks = any(node.op.kink is not None for node in toposort([derivative.value]))
        values = self._every_value(derivative.read, bindings) if has_kinks else {}
        if values:
            self._tell_notes(kinks_within(derivative, [values[node] for node in derivative.read]))

    def _tell_trips(self, node: Node, wrt: Sequence[Node]) -> None:
        """That the number of a loop's trips counts as a constant, where an input decides on it."""
        from cgcli.ops.loops import last_index

        if not isinstance(node.params, Loop) or (end := last_index(node)) is None:
            return
        for name in map(name_of, set(wrt).intersection(toposort([end]))):
            if self._is_new("trips", node):
                details = {"kind": "trips", "operation": node.op.name, "node": _text(node, self._graph)}
                message = f"the number of trips counts as a constant: no derivative by '{name}' tells how it changes"
                self._tell(Notice(message, span=self._graph.origins.get(node), details=details))

    def births(self, results: Sequence[Node], bindings: Mapping[str, Any]) -> None:
        """Where a nan or an infinity was born, or that it came with the inputs or constants."""
        from cgcli.evaluate.notes import births

        values = self._every_value(results, bindings)
        if not values:
            return
        found = births(results, values)
        if all(is_all_finite(values[node]) for node in results):
            # an overflow inside a derivative's formula that leaves no trace in it is nobody's concern
            found = [note for note in found if note.node in self._graph.origins]
        elif not found and not self._tell_unknown(results):
            for node in values:
                if not node.args and not is_all_finite(values[node]):
                    self._tell_leaf(node, values[node])
        self._tell_notes(found)

    def losses(
        self, results: Sequence[Node], bindings: Mapping[str, Any], values: Mapping[Node, Any], is_near_0: bool
    ) -> None:
        """What was lost that a result depends on; not of large arrays.

        values: of every node, where they are known. is_near_0: whether one is 0, or next to it.
        """
        from cgcli.evaluate.losses import MOST, losses, roundings, roundings_in_trips

        if not values and count_of_numbers(toposort(results)) <= MOST:
            values = evaluate_all(results, bindings)
        if not values:
            return
        found = [*losses(results, values)] if is_near_0 else []
        if not found:
            found = [*roundings(results, values)] or [*roundings_in_trips(results, values)]
            if found and not self._are_inexact(found, results, bindings):
                return
        self._tell_notes([note._replace(advice=self._instead(note, bindings)) for note in found])

    def _are_inexact(self, found: Sequence[Note], results: Sequence[Node], bindings: Mapping[str, Any]) -> bool:
        """Whether what is said to be lost is wrong in results, too: by a form that keeps it, or else by many digits."""
        from cgcli.digits.better import differ, instead_of

        values = evaluate(results, bindings)
        if form := instead_of(found[0].node, self._graph.outputs, bindings):
            (kept,) = evaluate(form[1:], bindings)
            if any(map(differ, evaluate(results, bindings, known={form[0]: kept}), values)):
                return True
        from cgcli.digits.accuracy import is_inexact

        return is_inexact(results, dict(zip(results, values, strict=True)), bindings)

    def _instead(self, note: Note, bindings: Mapping[str, Any]) -> str:
        """A form that keeps what was lost, of the node or of one that is made of it; '' where none is known."""
        from cgcli.digits.better import instead_of
        from cgcli.printing.expression import formula

        found = instead_of(note.node, self._graph.outputs, bindings)
        return f"{formula(found[1])} keeps it, in the place of {_text(found[0], self._graph)}" if found else ""

    def _every_value(self, outputs: Sequence[Node], bindings: Mapping[str, Any]) -> dict[Node, Any]:
        """The value of every node that the outputs need; none when they are too large to keep together."""
        try:
            return evaluate_all(outputs, bindings)
        except TooLargeError as error:
            message = f"where a nan, an infinity or a kink arises is not looked for: {error.message}"
            self._tell(Notice(message, details={"kind": "more"}))
            return {}

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

    def _tell_unknown(self, results: Sequence[Node]) -> bool:
        """That derivatives by some arguments are nan because no formula of them is known; whether there are such."""
        given = self._graph.origins
        made = (node for node in toposort(results) if node.op is CONSTANT and node not in given)
        if not any(somewhere(is_nan(constant_of(node))) for node in made):
            return False
        order = toposort([*self._graph.outputs, *(node for each in self._graph.differentiated for node in each.read)])
        found = of_no_formula(order, [node for node in order if node.op is VARIABLE])
        for node, name in found:
            if self._is_new(f"by {name}", node):
                notice = has_no_formula(node, name)._replace(span=given.get(node))
                self._tell(notice._replace(details={**notice.details, "node": _text(node, self._graph)}))
        return bool(found)

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


def _idle_ties(
    nodes: Sequence[Node], wrt: Sequence[Node], values: Mapping[Node, Any], bindings: Mapping[str, Any]
) -> set[Node]:
    """Those of the nodes whose elements that tie all have derivative 0, as those have that relu made 0.

    The inputs move unequally, so that derivatives of opposite sign do not cancel.
    """
    from cgcli.ops.fitting import ones_like
    from cgcli.transform.differentiate import pushforward
    from cgcli.transform.guarded import Guarded
    from cgcli.transform.reverse import pull_back

    args = list(dict.fromkeys(arg for node in nodes for arg in node.args))
    pushed = pushforward(args, {node: as_constant(_unequal(at, node.shape)) for at, node in enumerate(wrt)})
    moved = dict(zip(args, evaluate(pushed, bindings), strict=True))
    idle = set(nodes)
    for node in nodes:
        pulled = dict(pull_back(node, Guarded(ones_like(node)), node.args))
        known = {each: values[each] for each in (node, *node.args)}
        shares = evaluate([share.selected() for share in pulled.values()], {}, known=known)
        if any(somewhere((share != 0) & (moved[arg] != 0)) for arg, share in zip(pulled, shares, strict=True)):
            idle.discard(node)
    return idle


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
    if op.postfix is not None and operands:
        (text,) = (f"({text})" if text.startswith("-") else text for text in operands)
        return f"{text}{op.postfix.symbol}"
    return f"{name_of_operation(note.node)}({', '.join(operands) or '…'})"


def advice(note: Note) -> str:
    """A function that does what was probably meant."""
    found = note.node.op.advice
    if note.kind == "kink" and isinstance(note.node.params, Loop):
        return "a root has its derivative from solve, as in: solve(x^2 = a, x=1)"
    sources = {arg.op.name for arg in note.node.args}
    if note.advice:
        return note.advice
    return found.text if found and found.kind == note.kind and found.applies(note.operands, sources) else ""
