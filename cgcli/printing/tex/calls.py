"""Names and functions with their arguments, as LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

from cgcli.graph.operation import Operation, Static
from cgcli.graph.rules import own_rule
from cgcli.printing.expression import given_statics
from cgcli.printing.tex.layout import (
    ATOM,
    POSTFIX,
    POWER,
    Form,
    Layout,
    Part,
    Piece,
    Setting,
    View,
    comma_separated,
    delimiters,
)
from cgcli.printing.tex.symbols import name_with, word


def variable(name: str, index: Sequence[str] = ()) -> Layout:
    """An input, or an element of it."""
    return called(name_with(name, index))


def called(text: str) -> Layout:
    """What is written by a name in LaTeX."""
    edge = "word" if text.startswith(r"\mathrm") else ""
    marked = "^" in text or "_" in text.replace(r"\_", "")
    return Layout(POSTFIX if marked else ATOM, (text,), first=edge, last=edge)


def element(text: str, index: Sequence[str]) -> Layout:
    """An element of what is written by a name."""
    base = called(text)
    marked = f"({text})" if base.level < ATOM else text
    return base._replace(level=POSTFIX, pieces=(f"{marked}_{{{','.join(index)}}}",))


def function(view: View, setting: Setting) -> Form:
    """A function's name, its arguments, and what else it was given."""
    op = view.node.op
    head = _head(op, setting)
    before: list[Piece] = []
    after: list[Piece] = []
    for static, text in given_statics(view.node):
        if static.name == "order":  # of a derivative
            head += f"^{{({text})}}"
        elif text:
            (before if static.leading else after).append(_given(static, text))
    views = view.arguments() if op.elementwise else [View(arg, (), view.depth) for arg in view.node.args]
    pieces = [*before, *map(Part, views), *after]
    return Form(views, lambda given: applied(head, pieces, any(layout.tall for layout in given)))


def call(head: str, views: Sequence[View]) -> Form:
    """A function's name and its arguments."""
    return Form(views, lambda given: applied(head, [*map(Part, views)], any(layout.tall for layout in given)))


def applied(head: str, arguments: Sequence[Piece], tall: bool) -> Layout:
    """A function with its arguments: `f(x)^2` is the square of its value, but `\\sin(x)^2` might not be."""
    opening, closing = delimiters("(", ")", tall)
    level = POWER if head.startswith("\\") and not head.startswith(r"\operatorname") else POSTFIX
    return Layout(level, (head, opening, *comma_separated(arguments), closing), tall)


def _head(op: Operation, setting: Setting) -> str:
    """What a function is called."""
    name = setting.named.get(op)
    if name is not None:
        return name
    if own_rule(op) is not None:
        return name_with(op.name)
    return op.latex if op.latex and "#" not in op.latex else rf"\operatorname{{{_upright(op.name)}}}"


def _given(static: Static, text: str) -> str:
    if static.leading:
        return rf"\texttt{{{text.strip(chr(34))}}}"
    value = text.replace(":", "{:}")
    return value if static.variadic else f"{name_with(static.name)} = {value}"


def _upright(name: str) -> str:
    return word(name).removeprefix(r"\mathrm{").removesuffix("}")
