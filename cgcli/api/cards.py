"""What `cg functions` says: the table of operations as lines, and its entries as cards."""

from __future__ import annotations

import re
import textwrap

from cgcli.annotations import Any
from cgcli.errors import UnknownNameError, did_you_mean
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import CONSTANT, Graph, Node, constant, toposort
from cgcli.graph.operation import Operation
from cgcli.lowering.arguments import signature
from cgcli.lowering.formula import expand
from cgcli.lowering.lower import lower
from cgcli.ops.table import CONSTANTS, FUNCTIONS, NAMED_NUMBERS, Constant, Entry, entries, families
from cgcli.printing import card, values
from cgcli.records import NamedTuple
from cgcli.syntax.parser import parse

_WIDTH = 80
_NAMES = 34  # the first column of the table
_LABELS = 14  # the first column of a card


class Card(NamedTuple):
    """What there is to say of one entry, or of a constant; None where there is nothing.

    written: how it is written when not called by its name. derivative: one line for each
    argument, and what their formulas need. accuracy: of the value of a number, where more than the last place may be
    wrong. value: the example's, or the constant's own.
    """

    name: str
    signature: str
    family: str
    aliases: list[str]
    written: list[str]
    meaning: str
    domain: str | None = None
    derivative: str | None = None
    kink: str | None = None
    accuracy: str | None = None
    example: str | None = None
    value: Any = None

    def text(self) -> str:
        """The card as it is printed, without a final newline."""
        shown = values.value(self.value)
        lines = {
            "family": self.family,
            "written": ", ".join(self.written),
            "aliases": ", ".join(self.aliases),
            "domain": self.domain,
            "derivative": self.derivative,
            "at a kink": self.kink,
            "accuracy": self.accuracy,
            "example": self.example and f"{self.example} = {shown}",
            "value": "" if self.example else shown,
        }
        blocks = [_labelled(label, content) for label, content in lines.items() if content]
        return "\n".join([self.signature, f"  {self.meaning}", "", *blocks])


def table() -> str:
    """All operations by family, and the constants: one line for each."""
    lines: list[str] = []
    for family, members in families().items():
        lines += [family, *(_row(_called(entry), entry.doc) for entry in members), ""]
    lines += ["constants", *(_row(", ".join((item.name, *item.aliases)), item.doc) for item in NAMED_NUMBERS)]
    return "\n".join(lines)


def cards(names: tuple[str, ...]) -> list[Card]:
    """The cards of what the names stand for, or of everything when there is none.

    A name is that of a function or a constant, or an operator's symbol. Raises
    UnknownNameError with what may have been meant.
    """
    found = [item for name in names for item in _called_by(name)] if names else [*entries(), *NAMED_NUMBERS]
    return [_card(item) for item in dict.fromkeys(found)]


def _called_by(name: str) -> list[Entry | Constant]:
    constants = [item for item in NAMED_NUMBERS if name in (item.name, *item.aliases)]
    operators = [entry for entry in entries() if name in card.symbols(entry)]
    found: list[Entry | Constant] = [*FUNCTIONS.get(name, ()), *operators, *constants]
    if not found:
        raise UnknownNameError(f"there is no function '{name}'", hint=_nearest(name))
    return found


def _nearest(name: str) -> str:
    """A function of nearly this name, or those whose meaning has a word that begins with it."""
    near = did_you_mean(name, [*FUNCTIONS, *CONSTANTS])
    word = re.compile(rf"\b{re.escape(name)}\w*\b(?!\()", re.IGNORECASE)  # a word, no formula's function
    about = dict.fromkeys(entry.name for entry in entries() if word.search(entry.doc)) if len(name) > 2 else {}
    if about:
        return f"these have to do with '{name}': {', '.join(about)}"
    return near or "'cg functions' lists them all"


def _card(item: Entry | Constant) -> Card:
    if isinstance(item, Constant):
        (value,) = evaluate([constant(item.value)], {})
        return Card(item.name, item.name, "constants", [*item.aliases], [], item.doc, value=value)
    graph = lower(parse(item.example, functions=FUNCTIONS.__contains__))
    (value,) = evaluate(graph.outputs, {})
    kink = item.kink if isinstance(item, Operation) else None
    ulps = item.ulps if isinstance(item, Operation) else 1.0
    called = _signature(item)
    return Card(
        name=item.name,
        signature=called,
        family=next(family for family, members in families().items() if item in members),
        aliases=[*item.aliases],
        written=[notation for notation in card.notations(item) if notation != called],
        meaning=item.doc,
        domain=card.domain(item),
        derivative="\n".join(card.derivative(item, _parts(item, graph))),
        kink=kink.chosen if kink is not None else None,
        accuracy=f"within {ulps:g} units of the last place" if ulps > 1 else None,
        example=item.example,
        value=value,
    )


def _signature(entry: Entry) -> str:
    """How the entry is called; a word that is an operator, as `and`, cannot be."""
    return card.operators(entry)[0] if entry.name in card.symbols(entry) else signature(entry)


def _called(entry: Entry) -> str:
    return ", ".join(dict.fromkeys([*card.operators(entry), _signature(entry)]))


def _parts(entry: Entry, graph: Graph) -> list[str]:
    """The names of the operations that a function writes the entry out as, in the graph of its example."""
    if not callable(entry.expansion):
        return []
    outputs: tuple[Node, ...] = graph.outputs
    args: tuple[Node, ...] = ()
    if isinstance(entry, Operation):
        use = next(node for node in toposort(outputs) if node.op is entry)
        outputs, args = (expand(entry, use.args, use.params),), use.args
    inner = [node.op.name for node in toposort(outputs, args) if node not in args and node.op is not CONSTANT]
    return list(dict.fromkeys(inner))


def _row(name: str, meaning: str) -> str:
    return f"  {name:<{_NAMES}}  {meaning}"


def _labelled(label: str, content: str) -> str:
    """The lines of one field, wrapped beside its label."""
    wrapped = [
        part
        for line in content.split("\n")
        for part in textwrap.wrap(line, _WIDTH - _LABELS, break_long_words=False, break_on_hyphens=False)
    ]
    return f"  {label:<{_LABELS - 2}}" + f"\n{'':<{_LABELS}}".join(wrapped)
