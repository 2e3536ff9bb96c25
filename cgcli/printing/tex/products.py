"""Products, quotients and negatives as LaTeX: one fraction, one sign in front, no sign that a book would leave out."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from typing import NamedTuple

from cgcli.graph.node import Node, constant, constant_value
from cgcli.ops.arithmetic import DIVIDE, MULTIPLY, NEG
from cgcli.printing.tex.layout import (
    ATOM,
    BIG,
    HADAMARD,
    POSTFIX,
    POWER,
    PRODUCT,
    SIGNED,
    Form,
    Layout,
    Part,
    Piece,
    View,
    bracketed,
    check_size,
)
from cgcli.printing.tex.symbols import as_fraction, decimal


class Factors(NamedTuple):
    """A product's sign and its factors, above and below the line: views, or numbers in LaTeX."""

    negative: bool
    above: list[View | str]
    below: list[View | str]


class Factor(NamedTuple):
    """A factor as a piece of text, and how it is laid out."""

    piece: Piece
    layout: Layout
    is_array: bool = False


def product(view: View, named: Container[object]) -> Form:
    """The form of a product, a quotient or a negative, and of all those within it that have no name."""
    negative, above, below = _with_fractions(_factors(view, named))
    views = [factor for factor in (*above, *below) if isinstance(factor, View)]

    def build(given: Sequence[Layout]) -> Layout:
        found = dict(zip(views, given, strict=True))
        top = _juxtaposed([_factor(item, found) for item in above])
        under = [_factor(item, found) for item in below]
        arrays = [factor for factor in under if factor.is_array]
        if len(under) > len(arrays):
            bottom = _juxtaposed([factor for factor in under if not factor.is_array])
            pieces = (r"\frac{", *top.pieces, "}{", *bottom.pieces, "}")
            top = Layout(PRODUCT, pieces, tall=True, first=top.first)
        if arrays:
            top = _divided(top, _juxtaposed(arrays))
        return negated(top) if negative else top

    return Form(views, build)


def negated(layout: Layout) -> Layout:
    """A product, with a minus sign in front of it."""
    pieces = layout.pieces
    if layout.level < HADAMARD:  # a sum, which is one piece
        pieces = tuple(piece._replace(level=PRODUCT) if isinstance(piece, Part) else piece for piece in pieces)
    return Layout(SIGNED, ("-", *pieces), layout.tall, minus=True)


def numeral(value: float) -> Layout:
    """A number, as an exact fraction where it plainly is one."""
    if is_negative(value):
        size = numeral(-value)
        return Layout(SIGNED, ("-", *size.pieces), size.tall, minus=True)
    above, below = as_fraction(value) or (decimal(value), "1")
    if below == "1":
        return symbol(above)
    return Layout(PRODUCT, (rf"\frac{{{above}}}{{{below}}}",), tall=True, first="digit")


def is_negative(value: float) -> bool:
    """Whether a number is written with a minus sign, as -0 is."""
    return math.copysign(1, value) < 0 and value == value


def symbol(text: str) -> Layout:
    """A positive number that is written already."""
    first = "digit" if text[0].isdigit() else ""
    if " " in text:
        return Layout(PRODUCT, (text,), first=first)
    level = POWER if text.startswith((r"\ln", "10^")) else POSTFIX if "{" in text else ATOM
    return Layout(level, (text,), first=first)


def joint(left: Layout, right: Layout, same: bool) -> str:
    """What stands between two factors: as little as keeps them apart. same: they are one thing twice."""
    if same or right.first == "digit":
        return r" \cdot "
    return r" \, " if "word" in (left.last, right.first) else " "


def _factors(view: View, named: Container[object]) -> Factors:
    """A product taken apart, in order."""
    factors = Factors(False, [], [])
    negative = False
    stack = [(view, False)]
    while stack:
        item, below = stack.pop()
        node = item.node
        value = constant_value(node)
        if value is not None and is_negative(value):
            negative = not negative
            item = View(constant(-value))
        if (node in named and item is not view) or not _splits(node, below):
            (factors.below if below else factors.above).append(item)
            check_size(8 * (len(factors.above) + len(factors.below)))
            continue
        if node.op is NEG:
            negative = not negative
        places = (below, below != (node.op is DIVIDE))
        stack += reversed([*zip(item.arguments(), places, strict=False)])
    return factors._replace(negative=negative)


def _splits(node: Node, below: bool) -> bool:
    """Whether a factor is a product in its turn; 1/x below the line stays, for it is not x above it where x is 0."""
    if node.op is DIVIDE:
        return not below or constant_value(node.args[0]) != 1
    return node.op in (MULTIPLY, NEG)


def _with_fractions(factors: Factors) -> Factors:
    """The same where a number such as 1/2 has its own parts above and below the line, if there is one."""
    negative, above, below = factors
    whole: list[View | str] = []
    under: list[View | str] = []
    for item in above:
        parts = as_fraction(number) if below and (number := _number(item)) is not None else None
        if parts is None:
            whole.append(item)
            continue
        whole += [parts[0]] * (parts[0] != "1")
        under += [parts[1]] * (parts[1] != "1")
    others = [item for item in whole if _number(item) != 1] or whole[:1] or ["1"]
    return Factors(negative, others, [*under, *below])


def _number(item: View | str) -> float | None:
    return constant_value(item.node) if isinstance(item, View) else None


def _factor(item: View | str, found: dict[View, Layout]) -> Factor:
    if isinstance(item, str):
        return Factor(item, symbol(item))
    return Factor(Part(item), found[item], item.rank > 0)


def _juxtaposed(factors: Sequence[Factor]) -> Layout:
    """Factors side by side; of several arrays, scalars come first, and the sign of Hadamard's product is between."""
    if len(factors) == 1:
        (only,) = factors
        return only.layout._replace(pieces=(only.piece,))
    arrays = sum(factor.is_array for factor in factors)
    if arrays:
        factors = sorted(factors, key=lambda factor: factor.is_array)
    pieces: list[Piece] = []
    for at, factor in enumerate(factors):
        if at:
            pieces.append(_between(factors[at - 1], factor))
        level = POWER if factor.is_array and arrays > 1 else BIG if at == len(factors) - 1 else PRODUCT
        pieces.append(factor.piece._replace(level=level) if isinstance(factor.piece, Part) else factor.piece)
    tall = any(factor.layout.tall for factor in factors)
    return Layout(HADAMARD if arrays > 1 else PRODUCT, tuple(pieces), tall,
                  first=_edge(factors[0]), last=factors[-1].layout.last)  # fmt: skip


def _divided(top: Layout, bottom: Layout) -> Layout:
    """Element by element: no vector stands under a fraction's line."""
    left = top.pieces if top.level in (HADAMARD, PRODUCT) or top.level >= POWER else bracketed(top, PRODUCT)
    right = bottom.pieces if bottom.level >= POWER else bracketed(bottom, POWER)
    return Layout(HADAMARD, (*left, r" \oslash ", *right), top.tall or bottom.tall, first=top.first)


def _edge(factor: Factor) -> str:
    return factor.layout.first if factor.layout.level >= PRODUCT else ""


def _between(left: Factor, right: Factor) -> str:
    if left.is_array and right.is_array:
        return r" \odot "
    return joint(left.layout, right.layout, left.piece == right.piece)
