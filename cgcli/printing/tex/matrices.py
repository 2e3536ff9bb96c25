"""Arrays written out in LaTeX: constants, and lists whose elements are formulas."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence

from cgcli.graph.node import CONSTANT, Node, constant_elements
from cgcli.graph.operation import Shape
from cgcli.ops.shaping import STACK
from cgcli.printing.tex.layout import ATOM, POSTFIX, Form, Layout, Part, Piece, View
from cgcli.printing.tex.symbols import decimal

_COLUMNS = 10  # the most that amsmath's bmatrix takes
_SHOWN = 4  # of so many numbers, before the dots that stand for the rest

Cell = tuple[Piece, ...]


def constant_array(elements: Sequence[float], shape: Shape) -> str:
    """A vector as a column, a matrix, or a column of the arrays that an array is made of; dots for too much of it."""
    rows = [*range(shape[0])]
    if len(shape) > 2:
        part = math.prod(shape[1:])
        inner = [[constant_array(elements[at * part : (at + 1) * part], shape[1:])] for at in _ends(rows)]
        return _text(_dotted(inner, shape[0]))
    width = shape[1] if len(shape) == 2 else 1
    columns = _ends([*range(width)])
    shown = [[decimal(elements[at * width + column]) for column in columns] for at in _ends(rows)]
    return _text(_dotted([_with_dots(row, width, r"\cdots") for row in shown], shape[0]))


def is_list(node: Node) -> bool:
    """Whether a node joins its arguments along a new first axis, as a list does."""
    return node.op is STACK and node.params == (-len(node.shape),)


def listed(view: View, named: Container[object]) -> Form:
    """A list: scalars make a column, vectors the rows of a matrix, anything else a column of parts."""
    args = view.node.args
    rank = len(view.node.shape)
    rows = [_elements(arg) for arg in args if arg not in named] if rank == 2 else []
    cells: list[list[View | Cell]] = [row for row in rows if row is not None]
    row_vectors = rank == 2 and len(cells) < len(args)
    if rank != 2 or row_vectors:
        cells = [[View(arg)] for arg in args]

    def cell(item: View | Cell) -> Cell:
        if not isinstance(item, View):
            return item
        return (Part(item, POSTFIX), r"^{\top}") if row_vectors else (Part(item),)

    def build(given: Sequence[Layout]) -> Layout:
        return Layout(ATOM, _matrix([[cell(item) for item in row] for row in cells]), tall=True)

    return Form([item for row in cells for item in row if isinstance(item, View)], build)


def _elements(node: Node) -> list[View | Cell] | None:
    """The elements of a vector that is written out, else None."""
    if node.op is CONSTANT:
        return [(decimal(value),) for value in constant_elements(node)]
    return [View(arg) for arg in node.args] if is_list(node) else None


def _ends(places: list[int]) -> list[int]:
    """The places of what is shown."""
    return places if len(places) <= _COLUMNS else [*places[:_SHOWN], places[-1]]


def _with_dots(row: list[str], size: int, dots: str) -> list[str]:
    return row if size <= _COLUMNS else [*row[:-1], dots, row[-1]]


def _dotted(rows: list[list[str]], size: int) -> list[list[str]]:
    if size <= _COLUMNS:
        return rows
    dots = [r"\ddots" if item == r"\cdots" else r"\vdots" for item in rows[0]]
    return [*rows[:-1], dots, rows[-1]]


def _text(rows: list[list[str]]) -> str:
    return "".join(map(str, _matrix([[(item,) for item in row] for row in rows])))


def _matrix(rows: Sequence[Sequence[Cell]]) -> tuple[Piece, ...]:
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
    return (*pieces, after)
