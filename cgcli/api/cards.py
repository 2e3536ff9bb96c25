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
        meaning = textwrap.fill(self.meaning, _WIDTH, initial_indent="  ", subsequent_indent="  ")
        called = textwrap.fill(self.signature, _WIDTH, subsequent_indent="  ")
        return "\n".join([called, meaning, "", *blocks])


class Form(NamedTuple):
    """What the language has besides functions: loops, branches, roots."""

    names: tuple[str, ...]
    signature: str
    doc: str
    derivative: str
    example: str
    more: str = ""
    kink: str = ""

    @property
    def name(self) -> str:
        """The first of its names."""
        return self.names[0]


_OF_LOOP = "tangent: the loop carries the tangents, too; adjoint: its trips, run back"
_OF_TRIPS = "where an input decides on the number of trips, that counts as a constant"
FORMS = (
    Form(("sum",), "sum(i=a..b, f)", "f added up for i = a, a + 1, …, b; 0 where b < a", "sum(i=a..b, df)",
         "sum(i=1..4, i^2)", kink=_OF_TRIPS),
    Form(("prod",), "prod(i=a..b, f)", "f multiplied for i = a, a + 1, …, b; 1 where b < a", _OF_LOOP,
         "prod(i=1..4, i + 1)", kink=_OF_TRIPS),
    Form(("for",), "for i in a..b { … }", "statements that run for each i", _OF_LOOP,
         "s = 0; for i in 1..4 { s = s + i }; s",
         "for v in X { … } for each element v; names that were there before are carried from trip to trip", _OF_TRIPS),
    Form(("repeat", "loop", "trips"), "repeat n { … }", "statements that run n times", _OF_LOOP,
         "x = 1; y = repeat 4 { x = 2*x; x }; y",
         "where they end with an expression, an array of its values, as in any loop of a known number of trips",
         _OF_TRIPS),
    Form(("while",), "while c { … }", "statements that run as long as c holds", _OF_LOOP,
         "x = 2; while abs(x^2 - 2) > 1e-12 { x = (x + 2/x)/2 }; x", kink="the derivative is that of the trips made"),
    Form(("if", "else"), "if c { … } else { … }", "the statements of one side", "that of the side that is taken",
         "x = 3; if x > 2 { x^2 } else { 0 }", "where they end with an expression, its value"),
    Form(("iterate",), "iterate(f, x0, n)", "f applied n times: f(f(…f(x0)))", _OF_LOOP, "iterate(cos, 1, 20)",
         kink=_OF_TRIPS),
    Form(("solve",), "solve(g = h, x=x0)", "the root x of an equation, by Newton's method from x0",
         "the tangent of x is -d(g - h)/(g - h)', by the implicit function theorem; that of x0 is 0",
         "solve(x^2 = 2, x=1)", "several: (x, y) = solve(g = h, k = l, x=x0, y=y0)"),
    Form(("D", "derivative"), "D(f, x)", "the derivative of f by the name x",
         "that of the derivative, which stands written out", "f(x) = x^2*sin(x); x = 2; D(f(x), x)",
         "D(f, x, y): by x, then by y; by an array: the gradient. x - f(x)/D(f(x), x) is a step of Newton's method"),
)  # fmt: skip


def table() -> str:
    """All operations by family, and the constants: one line for each."""
    lines: list[str] = []
    for family, members in families().items():
        lines += [family, *(_row(_called(entry), entry.doc) for entry in members), ""]
    lines += ["loops, branches, roots", *(_row(form.signature, form.doc) for form in FORMS), ""]
    lines += ["constants", *(_row(", ".join((item.name, *item.aliases)), item.doc) for item in NAMED_NUMBERS)]
    return "\n".join(lines)


def cards(names: tuple[str, ...]) -> list[Card]:
    """The cards of what the names stand for, or of everything when there is none.

    A name is that of a function or a constant, or an operator's symbol. Raises
    UnknownNameError with what may have been meant.
    """
    found = [item for name in names for item in _called_by(name)] if names else [*entries(), *FORMS, *NAMED_NUMBERS]
    return [_card(item) for item in dict.fromkeys(found)]


def _called_by(name: str) -> list[Entry | Form | Constant]:
    constants = [item for item in NAMED_NUMBERS if name in (item.name, *item.aliases)]
    operators = [entry for entry in entries() if name in card.symbols(entry)]
    forms = [form for form in FORMS if name in form.names]
    found: list[Entry | Form | Constant] = [*FUNCTIONS.get(name, ()), *operators, *forms, *constants]
    if not found:
        raise UnknownNameError(f"there is no function '{name}'", hint=_nearest(name))
    return found


def _nearest(name: str) -> str:
    """Functions whose meaning has a word that begins so, what stands for another tool's, or one of nearly this name."""
    from cgcli.syntax.elsewhere import instead_of

    near = did_you_mean(name, [*FUNCTIONS, *CONSTANTS, *(name for form in FORMS for name in form.names)])
    word = re.compile(rf"\b{re.escape(name)}\w*\b(?!\()", re.IGNORECASE)  # a word, no formula's function
    about = dict.fromkeys(entry.name for entry in entries() if word.search(entry.doc)) if len(name) > 2 else {}
    if about:
        return f"these have to do with '{name}': {', '.join(about)}"
    return instead_of(name, ("x", "y", "z")) or near or "'cg functions' lists them all"


def _card(item: Entry | Form | Constant) -> Card:
    if isinstance(item, Constant):
        (value,) = evaluate([constant(item.value)], {})
        return Card(item.name, item.name, "constants", [*item.aliases], [], item.doc, value=value)
    if isinstance(item, Form):
        (value,) = evaluate(lower(parse(item.example)).outputs, {})
        return Card(item.name, item.signature, "loops, branches, roots", [], [],
                    "; ".join(filter(None, (item.doc, item.more))), derivative=item.derivative,
                    kink=item.kink or None, example=item.example, value=value)  # fmt: skip
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
