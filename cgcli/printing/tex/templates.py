r"""An operation's form in LaTeX, `\sqrt{#1}` or `#1 < #2`, taken apart: where brackets are needed is read from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from cgcli.printing.tex.layout import (
    AND,
    ANY,
    COMPARISON,
    MODULO,
    NOT,
    OR,
    POSTFIX,
    POWER,
    PRODUCT,
    SUM,
    Layout,
    Part,
    Piece,
    View,
)

_TOKEN = re.compile(r"#\d|\\[A-Za-z]+|\s+|.", re.DOTALL)
_PAIRS = {r"\lfloor": r"\rfloor", r"\lceil": r"\rceil", r"\lVert": r"\rVert", "(": ")", "|": "|", "{": "}"}
_GROWING = {*_PAIRS, *_PAIRS.values()} - {"{", "}"}

# Operators: the level of the whole, and of what stands at their left and right.
_OPERATORS = {
    r"\lor": (OR, OR, OR), r"\land": (AND, AND, AND), r"\lnot": (NOT, NOT, MODULO),
    "=": (COMPARISON, SUM, SUM), r"\ne": (COMPARISON, SUM, SUM), "<": (COMPARISON, SUM, SUM),
    ">": (COMPARISON, SUM, SUM), r"\le": (COMPARISON, SUM, SUM), r"\ge": (COMPARISON, SUM, SUM),
    r"\bmod": (MODULO, PRODUCT, PRODUCT), "+": (SUM, SUM, SUM), "-": (SUM, SUM, SUM + 1),
}  # fmt: skip


class Slot(NamedTuple):
    """An argument's place, and how tightly it must bind to stand there without brackets."""

    position: int
    level: int


class Delimiter(NamedTuple):
    """One of a pair that grows with what it holds."""

    text: str
    opening: bool


class Template(NamedTuple):
    """A form: its pieces, and how tightly it binds as a whole."""

    pieces: tuple[str | Slot | Delimiter, ...]
    level: int
    tall: bool

    def filled(self, views: Sequence[View], layouts: Sequence[Layout]) -> Layout:
        """The form with arguments in its places."""
        tall = self.tall or any(layout.tall for layout in layouts)
        pieces = tuple(_piece(item, views, tall) for item in self.pieces)
        first = pieces[0]
        edge = layouts[self.pieces[0].position].first if isinstance(self.pieces[0], Slot) else ""
        if isinstance(first, str) and first[0].isdigit():
            edge = "digit"
        return Layout(self.level, pieces, tall, first=edge)


@lru_cache(maxsize=1024)
def template(text: str) -> Template:
    """The form that an entry of the table gives."""
    tokens = _TOKEN.findall(text)
    closing: list[str] = []
    pieces: list[str | Slot | Delimiter] = []
    level = POSTFIX
    for at, token in enumerate(tokens):
        closes = bool(closing) and token == closing[-1]
        if closes:
            closing.pop()
        elif token in _PAIRS:
            closing.append(_PAIRS[token])
        if not closing and not closes:
            level = min(level, _level(token))
        if token.startswith("#"):
            pieces.append(Slot(int(token[1:]) - 1, _needed(tokens, at)))
        elif token in _GROWING:
            pieces.append(Delimiter(token, not closes))
        else:
            pieces.append(token)
    if tokens[-1] == ")":  # a function with its argument
        level = min(level, POWER)
    return Template(_joined(pieces), level, r"\frac" in text)


def _level(token: str) -> int:
    """How tightly a form binds that has this token outside of all brackets."""
    if token in _OPERATORS:
        return _OPERATORS[token][0]
    return PRODUCT if token.isspace() else POWER if token == "^" else POSTFIX


def _needed(tokens: Sequence[str], at: int) -> int:
    """How tightly an argument must bind, by what stands on both sides of its place."""
    before = next((token for token in reversed(tokens[:at]) if not token.isspace()), "")
    after = next((token for token in tokens[at + 1 :] if not token.isspace()), "")
    if after == "^":
        return POSTFIX
    if before in _OPERATORS:
        return _OPERATORS[before][2]
    if after in _OPERATORS:
        return _OPERATORS[after][1]
    inside = before in (*_PAIRS, ",") and after in (*_PAIRS.values(), ",")
    return ANY if inside else PRODUCT


def _joined(pieces: Sequence[str | Slot | Delimiter]) -> tuple[str | Slot | Delimiter, ...]:
    """The pieces with neighbouring texts made one."""
    joined: list[str | Slot | Delimiter] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if isinstance(piece, str) and isinstance(last, str):
            joined[-1] = last + piece
        else:
            joined.append(piece)
    return tuple(joined)


def _piece(item: str | Slot | Delimiter, views: Sequence[View], tall: bool) -> Piece:
    if isinstance(item, Slot):
        return Part(views[item.position], item.level)
    if isinstance(item, Delimiter):
        return (r"\left" if item.opening else r"\right") * tall + item.text
    return item
