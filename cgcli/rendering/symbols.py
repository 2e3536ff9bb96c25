"""What stands for a node on its card: a sign, a name, the number beside an operator."""

from __future__ import annotations

from cgcli.errors import quoted
from cgcli.graph.node import VARIABLE, Graph, Node, constant_value, name_of
from cgcli.lean import re
from cgcli.rendering.figures import sign_of, typed
from cgcli.rendering.sketch import CARRY, CUT, MORE, RESULT, Folded

_SHORT = 6  # characters of numbers that are written as the program has them: `1/3`
_SIGNS = {"neg": "−( )", "power": "^"}  # where the entry's label is not what stands on a card
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_WRITTEN = str.maketrans({"*": "·", " ": None})
_NUMBER = r"\w+|√\w+|√\([^()]*\)|[\d.]+(e-?\d+)?"  # what needs no brackets anywhere
_TIMES_PI = r"\d+π"  # nor this, but below an exponent
_TYPESET = ((r"\bpi\b", "π"), (r"(?<=\d)·π", "π"), (r"\bsqrt\((\d+|\w)\)", r"√\1"), (r"\bsqrt\(", "√("))
_NEGATIVE = r"-[\d.]+(e-?\d+)?"  # nor this on the left
_PRODUCT = r"([\w.√·/]|√\([^()]*\))+"  # nor this where a product may stand
_LOOSE = ("add", "subtract", "multiply")


def source_text(graph: Graph, node: Node) -> str:
    """The text of a node that is made of numbers, where it is short."""
    if node not in graph.origins:
        return ""
    text = quoted(graph.source.text, graph.origins[node]).translate(_WRITTEN)
    for pattern, written in _TYPESET:
        text = re.sub(pattern, written, text)
    bracketed = re.fullmatch(r"\(([^()]*)\)", text)
    text = bracketed[1] if bracketed else text
    return text if len(text) <= _SHORT else ""


def own_name(graph: Graph, node: Node) -> str:
    """What the program calls a variable, or the operation of a node if that is a function of its own, else ''."""
    if node.op is VARIABLE:
        return name_of(node)
    if node.op in (CARRY, RESULT):
        return graph.labels[node]
    if isinstance(node.params, Folded):
        return node.params.title
    if node.op in (CUT, MORE):
        return "…"
    if not (node.args and node.params):
        return ""
    from cgcli.graph.body import function_of, name_of_operation

    return name_of_operation(node, graph.functions) if function_of(node) else ""


def symbol_of_constant(node: Node, precision: int | None) -> str:
    """A number; '' for an array."""
    value = constant_value(node)
    return "" if value is None else sign_of(node) or typed(value, precision)


def is_sign(node: Node) -> bool:
    """Whether an operation is a transpose that is written as ( )ᵀ: it turns all axes around."""
    if node.op.name != "transpose":
        return False
    from cgcli.printing.printer import given_statics

    return not any(text for _, text in given_statics(node))


def sign(node: Node) -> str:
    """What an operation is written with."""
    if is_sign(node):
        return "( )ᵀ"
    return _SIGNS.get(node.op.name) or node.op.label or node.op.name


def with_number(operation: str, symbol: str, text: str, position: int) -> str:
    """An operator and the number beside it: `÷ 2`, `1 +`, `( )²`."""
    if operation == "power":
        if position == 1 and re.fullmatch(r"-?\d+", text):
            return f"( ){text.translate(_RAISED)}"
        text = text if re.fullmatch(_NUMBER, text) and not re.fullmatch(_TIMES_PI, text) else f"({text})"
        return f"( )^{text}" if position == 1 else f"{text}^( )"
    alone = _PRODUCT if operation in _LOOSE else _NUMBER
    if not (re.fullmatch(alone, text) or (position == 0 and re.fullmatch(_NEGATIVE, text))):
        text = f"({text})"
    return f"{symbol} {text}" if position == 1 else f"{text} {symbol}"
