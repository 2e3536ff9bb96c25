"""Arrays written out in LaTeX: constants, and lists whose elements are formulas."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cgcli.graph.node import CONSTANT, Node, constant_elements
from cgcli.graph.operation import Shape
from cgcli.ops.entry import ATOM, POSTFIX
from cgcli.ops.shaping import STACK
from cgcli.printing.printer import Layout, Part, Piece, View, Vocabulary
from cgcli.printing.tex.symbols import decimal

_COLUMNS = 10  # the most that amsmath's bmatrix takes
_SHOWN = 4  # of so many numbers, before the dots that stand for the rest

Cell = tuple[Piece, ...]


def constant_array(elements: Sequence[float], shape: Shape) -> Layout:
    """A vector as a column, a matrix, or a column of the arrays that an array is made of; dots for too much of it."""
    length, width = shape[0], shape[1] if len(shape) == 2 else 1
    part = math.prod(shape[1:])
    rows: list[list[Cell]] = []
    for at in _ends(length):
        inner = elements[at * part : (at + 1) * part]
        if len(shape) > 2:
            rows.append([constant_array(inner, shape[1:]).pieces])
        else:
            row: list[Cell] = [(decimal(inner[column]),) for column in _ends(width)]
            rows.append(row if width <= _COLUMNS else [*row[:-1], (r"\cdots",), row[-1]])
    if length > _COLUMNS:
        dots: list[Cell] = [(r"\ddots",) if cell == (r"\cdots",) else (r"\vdots",) for cell in rows[0]]
        rows.insert(-1, dots)
    return _matrix(rows)


def is_list(node: Node) -> bool:
    """Whether a node joins its arguments along a new first axis, as a list does."""
    return node.op is STACK and node.params == (-len(node.shape),)


def listed(node: Node, latex: Vocabulary) -> Layout:
    """A list: scalars make a column, vectors the rows of a matrix, anything else a column of parts."""
    if len(node.shape) == 2:
        rows = [_elements(arg) for arg in node.args if arg not in latex.named]
        if None not in rows and len(rows) == len(node.args):
            return _matrix([row for row in rows if row is not None])
        return _matrix([[(Part(View(arg), POSTFIX), r"^{\top}")] for arg in node.args])
    return _matrix([[(Part(View(arg)),)] for arg in node.args])


def _elements(node: Node) -> list[Cell] | None:
    """The elements of a vector that is written out, else None."""
    if node.op is CONSTANT:
        return [(decimal(value),) for value in constant_elements(node)]
    return [(Part(View(arg)),) for arg in node.args] if is_list(node) else None


def _ends(size: int) -> list[int]:
    """The places of what is shown of so many elements."""
    places = [*range(size)]
    return places if size <= _COLUMNS else [*places[:_SHOWN], places[-1]]


def _matrix(rows: Sequence[Sequence[Cell]]) -> Layout:
    """Rows of cells in square brackets."""
    width = max(map(len, rows), default=0)
    before, after = r"\begin{bmatrix} ", r" \end{bmatrix}"
    if width > _COLUMNS:
        before, after = rf"\left[\begin{{array}}{{{'c' * width}}} ", r" \end{array}\right]"
    pieces: list[Piece] = [before]
    for at, row in enumerate(rows):
        pieces += [r" \\ "] * (at > 0)
        for place, cell in enumerate(row):
            pieces += [*[" & "] * (place > 0), *cell]
    return Layout(ATOM, (*pieces, after), tall=True)
