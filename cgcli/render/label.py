"""What is written inside a node of a picture: its name or symbol, shape, value and adjoint.

A label is one of Graphviz's HTML-like texts, and `escape` is the only way into it: names
may hold quotes, angle brackets, ampersands, backslashes, line ends, and any Unicode.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape as escape_html
from typing import Any

from cgcli.graph.node import CONSTANT, VARIABLE, Node, constant_elements, constant_value
from cgcli.graph.operation import Shape
from cgcli.graph.shapes import shape_text
from cgcli.printing.printer import given_statics
from cgcli.printing.values import number

GREY = "#5A6270"
RED = "#A83208"  # adjoints, told apart in black and white by their italics and their word

_DIGITS = 6  # a number is cut to this many significant digits ...
_SHORT = 8  # ... unless all of it takes no more characters than this
_NAME_LENGTH = 40
_ROWS, _ELEMENTS, _LINE = 6, 24, 44  # the most rows, numbers, and characters a row of an array written out
_CONSTANTS = {math.pi: "π", math.e: "e", math.tau: "τ", -math.pi: "−π"}


def escape(text: str) -> str:
    """Any text as the content of a label: on one line, without a character that XML forbids.

    Graphviz replaces `\\N` and its like even in HTML-like texts, so backslashes are doubled.
    """
    shown = "".join(character if character.isprintable() else " " if character.isspace() else "�" for character in text)
    return escape_html(shown).replace("\\", "\\\\")


def quote(text: str) -> str:
    """Any text as a quoted string of the DOT language, which reads entities and backslashes likewise."""
    return f'"{escape(text)}"'


def label(node: Node, name: str, symbol: str, value: Any, adjoint: Any, precision: int | None) -> str:
    """The HTML-like label of a node, in its angle brackets.

    name: what the program calls it, or ''. symbol: a variable's own name; what the program calls the operation, or ''.
    value, adjoint: None where there is none.
    """
    digits = _rounding(precision)
    head = "<BR/>".join(_head(node, name, symbol, digits))
    rows = []
    if value is not None and not (node.op is CONSTANT and _constant_lines(node, digits)):
        rows.append(("value" if adjoint is not None else "", _array_lines(value, digits), "{}"))
    if adjoint is not None:
        rows.append(("adjoint", _array_lines(adjoint, digits), f'<FONT COLOR="{RED}"><I>{{}}</I></FONT>'))
    if not rows:
        return f"<{head}>"
    return (
        '<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3">'
        f'<TR><TD COLSPAN="2">{head}</TD></TR>{"".join(_row(*row) for row in rows)}</TABLE>>'
    )


def sign_of(node: Node) -> str:
    """What a number that has a name is written with: `π`; '' for anything else."""
    value = constant_value(node)
    return "" if value is None else _CONSTANTS.get(value, "")


def shorten(text: str, limit: int = _NAME_LENGTH) -> str:
    """A text, cut in the middle when it is too long for a picture."""
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[-(limit // 2 - 1) :]}"


def _rounding(precision: int | None) -> Callable[[float], str]:
    """How a picture writes a number: all of it when that is short, else its leading digits."""

    def rounded(value: float) -> str:
        if precision is not None:
            return number(value, precision)
        exact = number(value)
        return exact if len(exact) <= _SHORT else number(value, _DIGITS)

    return rounded


def _head(node: Node, name: str, symbol: str, digits: Callable[[float], str]) -> Iterator[str]:
    """The lines above the values: the program's name, the node's own text, its shape."""
    named = f"<B>{escape(shorten(name))}</B>" if name else ""
    if node.op is CONSTANT:
        lines = _constant_lines(node, digits)
        yield f"{named} = " * bool(named) + "<BR/>".join(map(escape, lines))
    elif node.op is VARIABLE:
        yield f"{named} = " * bool(named) + f"<B>{escape(shorten(symbol))}</B>"
    else:
        if named:
            yield named
        symbol = symbol or node.op.label or node.op.name
        yield f'<FONT POINT-SIZE="18">{escape(symbol)}</FONT>' if len(symbol) == 1 else escape(symbol)
        yield from (_small(shorten(text)) for text in _parameters(node))
    if node.shape:
        yield _small(shape_text(node.shape, ""))


def _parameters(node: Node) -> Iterator[str]:
    """The static parameters that say more than their default: `axis=0`."""
    for static, text in given_statics(node):
        if text:
            yield text if static.variadic else f"{static.name}={text}"


def _constant_lines(node: Node, digits: Callable[[float], str]) -> list[str]:
    """A constant written out; [] when it is too large for that."""
    if math.prod(node.shape) > _ELEMENTS:
        return []
    sign = sign_of(node)
    return [sign] if sign else _lines(constant_elements(node), node.shape, digits)


def _array_lines(array: Any, digits: Callable[[float], str]) -> list[str]:
    """A value written out, or how many numbers it has."""
    shape = getattr(array, "shape", ())
    count = math.prod(shape)
    lines: list[str] = []
    if count <= _ELEMENTS:
        lines = _lines(array.ravel().tolist() if shape else [float(array)], shape, digits)
    return lines or [f"{count} numbers"]


def _lines(elements: Sequence[float], shape: Shape, digits: Callable[[float], str]) -> list[str]:
    """A number, a vector, or a matrix row by row; [] when it takes too much room."""
    if not shape:
        return [digits(elements[0])]
    width = shape[-1]
    rows = [elements[at : at + width] for at in range(0, len(elements), width)] if elements else [[]]
    lines = ["[" + ", ".join(map(digits, row)) + "]" for row in rows]
    fits = len(shape) <= 2 and len(lines) <= _ROWS and max(map(len, lines)) <= _LINE
    return lines if fits else []


def _row(word: str, lines: Sequence[str], style: str) -> str:
    text = style.format("<BR/>".join(map(escape, lines)))
    if not word:
        return f'<TR><TD COLSPAN="2">{text}</TD></TR>'
    return f'<TR><TD ALIGN="LEFT">{_small(word)}</TD><TD ALIGN="RIGHT">{text}</TD></TR>'


def _small(text: str) -> str:
    return f'<FONT POINT-SIZE="10" COLOR="{GREY}">{escape(text)}</FONT>'
