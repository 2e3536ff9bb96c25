"""Products, quotients and negatives as LaTeX: one fraction, one sign in front, no sign that a book would leave out."""

from __future__ import annotations

import math
import re

from cgcli.annotations import Sequence
from cgcli.errors import TooLargeError
from cgcli.graph.node import Node, constant, constant_value
from cgcli.ops.arithmetic import DIVIDE, MULTIPLY, NEG
from cgcli.ops.entry import ATOM, BIG, HADAMARD, POSTFIX, POWER, PRODUCT, SIGNED
from cgcli.ops.linalg import MATMUL
from cgcli.ops.shaping import TRANSPOSE
from cgcli.printing.printer import SMALLEST, Closing, Form, Layout, Opening, Part, Piece, View, Vocabulary
from cgcli.printing.tex.symbols import as_fraction, decimal
from cgcli.records import NamedTuple

MAX_SYMBOLS = 2**24  # of one formula; a node that is shared and has no name is written more than once

_LEADING_DIGIT = re.compile(r"(\\frac\{)?\d")

Factor = View | str
"""A view, or a number in LaTeX."""


class Factors(NamedTuple):
    """A product's sign and its factors, above and below the line."""

    negative: bool
    above: list[Factor]
    below: list[Factor]


def product(view: View, latex: Vocabulary) -> Form:
    """The form of a product, a quotient or a negative, and of all those within it that have no name."""
    negative, above, below = _with_fractions(_factors(view, latex))
    scalars = [factor for factor in below if not _is_array(factor)]
    arrays = [factor for factor in below if _is_array(factor)]
    if scalars:
        above, scalars = ([_smaller(factor) for factor in factors] for factors in (above, scalars))

    def build() -> Layout:
        layout = _side_by_side(above, latex)
        if scalars:
            layout = _fraction(layout, _side_by_side(scalars, latex), is_flat=view.small == SMALLEST)
        if arrays:  # no vector stands under a fraction's line
            left = layout.pieces if layout.level == HADAMARD else _bound(layout, PRODUCT)
            right = _bound(_side_by_side(arrays, latex), POWER)
            layout = layout._replace(level=HADAMARD, pieces=(*left, r" \oslash ", *right))
        return _negated(layout) if negative else layout

    return Form([factor for factor in (*above, *scalars, *arrays) if isinstance(factor, View)], build)


def matrix_product(view: View, latex: Vocabulary) -> Form:
    """Side by side; a vector at the left is a row, but with matrices alone it is a column behind their transposes."""
    left, right = view.arguments()
    if _is_of_row(view.node):
        turned = is_transpose(right.node) and latex.name(right.node) is None
        right, left = left, right.of(right.node.args[0]) if turned else right
        return _in_a_row([left, right], not turned, latex)
    factors = [right]
    while left.node.op is MATMUL and _is_of_row(left.node) and latex.name(left.node) is None:
        left, right = left.arguments()
        factors.insert(0, right)
    return _in_a_row([left, *factors], left.rank == 1, latex)


def _in_a_row(factors: Sequence[View], turned: bool, latex: Vocabulary) -> Form:
    """Factors side by side; turned: the first is transposed."""

    def build() -> Layout:
        first, *others = factors
        pieces: list[Piece] = [Part(first, POSTFIX), r"^{\top}"] if turned else [Part(first, PRODUCT)]
        for factor in others:
            part = Part(factor, PRODUCT)
            pieces += [_sign(pieces[-1], part, latex), part]
        return Layout(PRODUCT, tuple(pieces))

    return Form(factors, build)


def _is_of_row(product: Node) -> bool:
    """Whether a matrix product is one of a vector and a matrix: x @ A."""
    left, right = product.args
    return len(left.shape) == 1 and len(right.shape) == 2


def is_transpose(node: Node) -> bool:
    """Whether a node turns rows to columns."""
    return node.op is TRANSPOSE and node.params == ((-1, -2),)


def numeral(value: float, small: int = 0) -> Layout:
    """A number, as an exact fraction where it plainly is one. small: as in View."""
    if is_negative(value):
        return _negated(numeral(-value, small))
    above, below = as_fraction(value) or (decimal(value), "1")
    whole = positive(above)
    return whole if below == "1" else _fraction(whole, positive(below), is_flat=small == SMALLEST)


def _fraction(above: Layout, below: Layout, is_flat: bool) -> Layout:
    """A quotient; flat: with a stroke instead of a line."""
    if is_flat:
        return Layout(HADAMARD, (*_bound(above, PRODUCT), "/", *_bound(below, POWER)), first=above.first)
    return Layout(PRODUCT, (r"\frac{", *above.pieces, "}{", *below.pieces, "}"), tall=True, first=above.first)


def _smaller(factor: Factor) -> Factor:
    return factor if isinstance(factor, str) else factor.smaller()


def is_negative(value: float) -> bool:
    """Whether a number is written with a minus sign, as -0 is."""
    return math.copysign(1, value) < 0 and value == value


def positive(text: str) -> Layout:
    """A positive number that is in LaTeX already."""
    if " " in text:
        return Layout(PRODUCT, (text,), first=text)
    level = POWER if text.startswith((r"\ln", "10^")) else POSTFIX if "{" in text else ATOM
    return Layout(level, (text,), first=text)


def check_size(symbols: int) -> None:
    """Raise TooLargeError for a formula of more symbols than MAX_SYMBOLS."""
    if symbols > MAX_SYMBOLS:
        raise TooLargeError(
            f"the formula would be written with more than {MAX_SYMBOLS} symbols", hint="give its shared parts names"
        )


def _factors(view: View, latex: Vocabulary) -> Factors:
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
            item = item.of(constant(-value))
        if (item is not view and node in latex.named) or not _splits(node, below):
            (factors.below if below else factors.above).append(item)
            check_size(16 * (len(factors.above) + len(factors.below)))
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
    whole: list[Factor] = []
    under: list[Factor] = []
    for item in above:
        parts = as_fraction(number) if below and (number := _number(item)) is not None else None
        if parts is None:
            whole.append(item)
            continue
        whole += [parts[0]] * (parts[0] != "1")
        under += [parts[1]] * (parts[1] != "1")
    others = [item for item in whole if _number(item) != 1] or whole[:1] or ["1"]
    return Factors(negative, others, [*under, *below])


def _number(item: Factor) -> float | None:
    return constant_value(item.node) if isinstance(item, View) else None


def _is_array(factor: Factor) -> bool:
    return isinstance(factor, View) and factor.rank > 0


def _side_by_side(factors: Sequence[Factor], latex: Vocabulary) -> Layout:
    """Factors in a row; numbers come first, arrays last, with the sign of Hadamard's product between them."""
    if len(factors) == 1:
        (only,) = factors
        return positive(only) if isinstance(only, str) else latex.layouts[only]._replace(pieces=(Part(only),))
    arrays = sum(map(_is_array, factors))
    factors = sorted(factors, key=_rank)
    pieces: list[Piece] = []
    for at, factor in enumerate(factors):
        level = POWER if arrays > 1 and _is_array(factor) else BIG if at == len(factors) - 1 else PRODUCT
        piece = factor if isinstance(factor, str) else Part(factor, level)
        if at and _is_array(factors[at - 1]):
            pieces.append(r" \odot ")
        elif at:
            pieces.append(_sign(pieces[-1], piece, latex, same=factor == factors[at - 1]))
        pieces.append(piece)
    return Layout(HADAMARD if arrays > 1 else PRODUCT, tuple(pieces), first=latex.first(pieces[0]))


def _rank(factor: Factor) -> tuple[bool, bool, bool]:
    """By what factors are in order: arrays come last, and numbers first, those in digits before π."""
    number = factor if isinstance(factor, str) else constant_value(factor.node)
    text = numeral(number).first if isinstance(number, float) else number
    return _is_array(factor), text is None, text is not None and not _LEADING_DIGIT.match(text)


def _sign(left: Piece, right: Piece, latex: Vocabulary, same: bool = False) -> str:
    """What stands between two factors: as little as keeps them apart. same: they are one thing twice."""
    first = latex.first(right)
    if same or _LEADING_DIGIT.match(first):
        return r" \cdot "
    is_root = latex.first(left).startswith(r"\sqrt") and not first.startswith((r"\sqrt", "("))
    return r" \, " if is_root or r"\mathrm" in (latex.last(left)[:7], first[:7]) else " "


def _negated(layout: Layout) -> Layout:
    """A product, with a minus sign in front of it."""
    return layout._replace(level=SIGNED, pieces=("-", *_bound(layout, HADAMARD)), first="-")


def _bound(layout: Layout, level: int) -> tuple[Piece, ...]:
    """The pieces of a product, in brackets unless it binds at least as tightly as `level`."""
    if layout.level >= level:
        return layout.pieces
    (piece, *others) = layout.pieces
    if isinstance(piece, Part) and not others:
        return (piece._replace(level=PRODUCT if level == HADAMARD else level),)
    return (Opening("("), *layout.pieces, Closing(")"))
