"""Arrays written out in LaTeX: constants, and lists whose elements are formulas."""

from __future__ import annotations

import math

from cgcli.annotations import Sequence
from cgcli.graph.node import CONSTANT, Node, constant_elements
from cgcli.graph.operation import Shape
from cgcli.ops.entry import ATOM, POSTFIX
from cgcli.ops.shaping import STACK
from cgcli.printing.printer import Form, Layout, Part, Piece, View, Vocabulary
from cgcli.printing.tex.symbols import decimal

_COLUMNS = 10  # the most that amsmath's bmatrix takes
_SHOWN = 4  # of so many numbers, before the dots that stand for the rest

Cell = tuple[Piece, ...]


def constant_array(elements: Sequence[float], shape: Shape, latex: Vocabulary) -> Layout:
    """A vector as a column, a matrix, or a column of the arrays that an array is made of; dots for too much of it."""
    length, width = shape[0], shape[1] if len(shape) == 2 else 1
    part = math.prod(shape[1:])
    rows: list[list[Cell]] = []
    for at in _ends(length):
        inner = elements[at * part : (at + 1) * part]
        if len(shape) > 2:
            rows.append([constant_array(inner, shape[1:], latex).pieces])
        else:
            row: list[Cell] = [(decimal(inner[column]),) for column in _ends(width)]
            rows.append(row if width <= _COLUMNS else [*row[:-1], (r"\cdots",), row[-1]])
    if length > _COLUMNS:
        dots: list[Cell] = [(r"\ddots",) if cell == (r"\cdots",) else (r"\vdots",) for cell in rows[0]]
        rows.insert(-1, dots)
    return _matrix(rows, latex)


def is_list(node: Node) -> bool:
    """Whether a node joins its arguments along a new first axis, as a list does."""
    return node.op is STACK and node.params == (-len(node.shape),)


def listed(view: View, latex: Vocabulary) -> Form:
    """A list: scalars make a column, vectors the rows of a matrix, anything else a column of parts."""
    args = view.arguments()
    is_matrix = len(view.node.shape) == 2
    rows = [_elements(arg) for arg in args] if is_matrix and not any(arg.node in latex.named for arg in args) else [[]]
    if not all(rows):
        rows = [[(Part(arg, POSTFIX), r"^{\top}") if is_matrix else (Part(arg),)] for arg in args]
    cells = [piece for row in rows for cell in row for piece in cell]
    return Form([cell.view for cell in cells if isinstance(cell, Part)], lambda: _matrix(rows, latex))


def _elements(view: View) -> list[Cell]:
    """The elements of a vector that is written out, else none."""
    if view.node.op is CONSTANT:
        return [(decimal(value),) for value in constant_elements(view.node)]
    return [(Part(arg),) for arg in view.arguments()] if is_list(view.node) else []


def below_each_other(rows: Sequence[Sequence[Piece]], latex: Vocabulary) -> list[Piece]:
    """Rows of a matrix, or of cases, apart where they are tall."""
    are_tall = [any(_is_tall(piece, latex) for piece in row) for row in rows]
    pieces: list[Piece] = [*rows[0]] if rows else []
    for at, row in enumerate(rows[1:]):
        if are_tall[at] or are_tall[at + 1]:
            pieces.append(r" \\[4pt] ")
        else:  # a bracket behind the break alone would be read as a distance
            pieces.append(r" \\ {}" if latex.first(row[0]) == "[" else r" \\ ")
        pieces += row
    return pieces


def _is_tall(piece: Piece, latex: Vocabulary) -> bool:
    return r"\begin" in piece if isinstance(piece, str) else latex.layouts[piece.view].tall


def _ends(size: int) -> list[int]:
    """The places of what is shown of so many elements."""
    places = [*range(size)]
    return places if size <= _COLUMNS else [*places[:_SHOWN], places[-1]]


def _matrix(rows: Sequence[Sequence[Cell]], latex: Vocabulary) -> Layout:
    """Rows of cells in square brackets."""
    width = max(map(len, rows), default=0)
    before, after = r"\begin{bmatrix} ", r" \end{bmatrix}"
    if width > _COLUMNS:
        before, after = rf"\left[\begin{{array}}{{{'c' * width}}} ", r" \end{array}\right]"
    lines = [[piece for cell in row for piece in (" & ", *cell)][1:] for row in rows]
    return Layout(ATOM, (before, *below_each_other(lines, latex), after), tall=True)
