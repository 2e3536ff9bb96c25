"""Warnings and notes on standard error, and in the JSON: what happened, where, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cgcli.cli.say import say
from cgcli.errors import EvaluationError, Span, describe, line_and_column, quoted
from cgcli.graph.node import VARIABLE
from cgcli.printing.values import number

if TYPE_CHECKING:
    from cgcli.evaluate.notes import Note
    from cgcli.graph.node import Graph, Node


class Report:
    """The warnings of one call.

    quiet: print none. strict: raise the first one as an EvaluationError (exit 1).
    entries: the list for the JSON output.
    """

    def __init__(self, graph: Graph, *, quiet: bool, strict: bool) -> None:
        self._graph = graph
        self._quiet = quiet
        self._strict = strict
        self._told: set[tuple[str, Node]] = set()
        self.entries: list[dict[str, Any]] = []

    def warn(self, message: str, hint: str = "", span: Span | None = None, **details: Any) -> None:
        """Report one event; details go to the JSON entry."""
        warning = EvaluationError(message, span, source=self._graph.source, hint=hint)
        self.entries.append({"message": message, **details, **({"hint": hint} if hint else {})})
        if self._strict:
            raise warning
        if not self._quiet:
            say(describe(warning, "warning"))

    def reading(self, definitions: tuple[str, ...]) -> None:
        """Say how definitions in textbook form were read."""
        for definition in definitions if not self._quiet else ():
            say(f"read as: {definition}")

    def unused(self, names: tuple[str, ...]) -> None:
        """Report statements that have no effect, and bindings that the program does not read."""
        for span in self._graph.idle[:20]:
            self.warn("nothing uses the value of this statement",
                      "name it, as in: a = x^2; a + 1. A line goes on over the next one only inside brackets",
                      span, kind="unused")  # fmt: skip
        for name in names:
            self.warn(f"'{name}' is bound, but the expression does not use it", kind="unused")

    def notes(self, notes: list[Note]) -> None:
        """Report nan, infinities and kinks, each once."""
        notes = [note for note in notes if (note.kind, note.node) not in self._told]
        self._told.update((note.kind, note.node) for note in notes)
        for note in notes[:20]:
            node = note.node
            span = self._graph.origins.get(node)
            place: dict[str, Any] = {}
            if span is not None:
                line, column = line_and_column(self._graph.source.text, span.start)
                place = {"line": line, "column": column}
            self.warn(
                sentence(note, derived=span is None), advice(note), span,
                kind=note.kind, operation=node.op.name, node=self._text(node),
                operands=[item if item - item == 0 else None for item in note.operands],
                index=list(note.element), **place,
            )  # fmt: skip
        if len(notes) > 20:
            self.warn(f"{len(notes) - 20} more of the same kind are not shown", kind="more")

    def given(self, leaves: list[tuple[Node, Any]]) -> None:
        """Report inputs and constants that are themselves nan or infinite."""
        leaves = [(node, value) for node, value in leaves if ("given", node) not in self._told]
        self._told.update(("given", node) for node, _ in leaves)
        for node, value in leaves:
            text = self._text(node)
            elements = value.ravel().tolist() if node.shape else [float(value)]
            kind = "nan" if any(element != element for element in elements) else "infinity"
            what = "input" if node.op is VARIABLE else "constant"
            self.warn(
                f"the {what} '{text}' is {'nan' if kind == 'nan' else 'infinite'}",
                span=self._graph.origins.get(node), kind=kind, operation=node.op.name, node=text,
            )  # fmt: skip

    def _text(self, node: Node) -> str:
        from cgcli.printing.expression import formula

        span = self._graph.origins.get(node)
        return quoted(self._graph.source.text, span) if span is not None else formula(node)


def sentence(note: Note, derived: bool) -> str:
    """What happened, where: `ln(-1) is nan`. derived: whether the node is one of a derivative's formula."""
    from cgcli.printing.expression import formula

    where = f" (element {list(note.element)})" if note.element else ""
    if note.kind == "kink":
        return f"{_applied(note)} is at a kink{where}: {note.chosen}"
    what = "nan" if note.kind == "nan" else "infinite"
    of_derivative = f" in the derivative, at {formula(note.node)}" if derived else ""
    return f"{_applied(note)} is {what}{where}{of_derivative}"


def _applied(note: Note) -> str:
    """The operation with its operands' values: `sqrt(-1)`, `1/0`."""
    op = note.node.op
    operands = [number(item) for item in note.operands]
    if op.infix is not None and len(operands) == 2:
        left, right = (f"({text})" if text.startswith("-") else text for text in operands)
        return f"{left}{op.infix.symbol}{right}" if op.infix.symbol in "*/^" else f"{left} {op.infix.symbol} {right}"
    if op.prefix is not None and operands:
        return f"{op.prefix.symbol}{operands[0]}"
    return f"{op.name}({', '.join(operands) or '…'})"


def advice(note: Note) -> str:
    """A function that does what was probably meant."""
    found = note.node.op.advice
    sources = {arg.op.name for arg in note.node.args}
    return found.text if found and found.kind == note.kind and found.applies(note.operands, sources) else ""
