"""Numbers and arrays on a card: an array as numbers in brackets, as heat maps, or by its shape alone."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable, Iterable, Sequence
from cgcli.graph.operation import Shape
from cgcli.graph.shapes import shape_of
from cgcli.records import NamedTuple
from cgcli.rendering.figures import figure
from cgcli.rendering.look import Look
from cgcli.rendering.pen import MATRIX, TINY, Pen
from cgcli.rendering.themes import Theme, mixed

_FEW, _COLUMNS = 6, 4  # an array of so many numbers, in so many columns, is written out
_LEAST = 4  # so many of an array of more axes
_MANY = 24  # so many where numbers were asked for
_CELLS, _SLICES = 16, 4  # of a heat map: rows and columns; of an array of more axes: maps side by side


class Elements(NamedTuple):
    """An array that was never evaluated: a constant's numbers in row-major order."""

    numbers: Sequence[float]
    shape: Shape


def elements_of(value: Any) -> Sequence[float]:
    return value.numbers if isinstance(value, Elements) else value.ravel().tolist()


def is_written_out(shape: Shape, look: Look) -> bool:
    """Whether an array stands as numbers."""
    if not shape or look.arrays not in ("auto", "numbers"):
        return False
    most, columns = (_MANY, _MANY // 2) if look.arrays == "numbers" else (_FEW, _COLUMNS)
    few = 0 < math.prod(shape) <= (most if len(shape) <= 2 else _LEAST)
    return few and columns_in(shape) <= columns


def columns_in(shape: Shape) -> int:
    """Into how many columns an array is written: one of more than two axes as if those of size 1 were not there."""
    return (shape if len(shape) <= 2 else ([size for size in shape if size > 1] or [1]))[-1]


def shows_shape(shape: Shape, look: Look) -> bool:
    """Whether an array that stands as numbers has the shape that it seems to have."""
    return len(shape) <= 2 and is_written_out(shape, look)


def has_heat(values: Iterable[Any], look: Look) -> bool:
    """Whether one of these is drawn as a heat map."""
    shapes = (shape_of(value) for value in values)
    return look.arrays != "shape" and any(
        math.prod(each) and each and not is_written_out(each, look) for each in shapes
    )


def is_tall(shape: Shape, look: Look) -> bool:
    return len(shape) == 2 and shape[0] > shape[1] and not is_written_out(shape, look)


def number(value: Any, look: Look, theme: Theme, pen: Pen) -> str:
    """A value in a cell of its own."""
    return number_in(
        value, look, theme, pen, columns_of([(value, pen)], look) if is_written_out(shape_of(value), look) else []
    )


def number_in(value: Any, look: Look, theme: Theme, pen: Pen, columns: Sequence[int]) -> str:
    """A value in its cell. columns: how wide those of an array are that stands as numbers."""
    shape = shape_of(value)
    if not shape:
        return pen.write(figure(float(value), look.precision), "RIGHT")
    if is_written_out(shape, look):
        return _matrix(elements_of(value), columns, look, theme, pen)
    if look.arrays == "shape" or math.prod(shape) == 0:
        return pen._replace(size=MATRIX).write("×".join(map(str, shape)), "RIGHT")
    return _heat(elements_of(value), shape, look, theme, pen)


def _element(number: float, look: Look) -> str:
    return figure(number, look.precision, 3)


def columns_of(arrays: Sequence[tuple[Any, Pen]], look: Look) -> list[int]:
    """How wide the columns of a card's arrays are, all of one shape, so that they stand below each other."""
    widths = [0] * (columns_in(shape_of(arrays[0][0])) if arrays else 0)
    for value, pen in arrays:
        pen = pen._replace(size=MATRIX)
        for at, number in enumerate(elements_of(value)):
            column = at % len(widths)
            widths[column] = max(widths[column], pen.width(_element(number, look)))
    return widths


def _matrix(numbers: Sequence[float], columns: Sequence[int], look: Look, theme: Theme, pen: Pen) -> str:
    """An array in brackets."""
    pen = pen._replace(size=MATRIX)
    cells = [
        f'<TD ALIGN="RIGHT" WIDTH="{columns[at % len(columns)] + 6}">{pen.write(_element(number, look), "RIGHT")}</TD>'
        for at, number in enumerate(numbers)
    ]
    rows = ["".join(cells[at : at + len(columns)]) for at in range(0, len(cells), len(columns))]
    left, right = (
        f'<TD ROWSPAN="{len(rows)}" BORDER="1" SIDES="{sides}" COLOR="{theme.edge}" WIDTH="3" CELLPADDING="0"></TD>'
        for sides in ("LTB", "RTB")
    )
    rows[0] = left + rows[0] + right
    table = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3">'
    return f"{table}{''.join(f'<TR>{row}</TR>' for row in rows)}</TABLE>"


def _heat(numbers: Sequence[float], shape: Shape, look: Look, theme: Theme, pen: Pen) -> str:
    """An array as a heat map that diverges about 0, its slices side by side, its range below."""
    finite = [number for number in numbers if math.isfinite(number)]
    low, high = (min(finite), max(finite)) if finite else (math.nan, math.nan)
    if low == high and len(finite) == len(numbers) and not pen.empty:
        return pen._replace(size=MATRIX).write(f"all {figure(low, look.precision, 3)}", "RIGHT")
    top = max(abs(low), abs(high)) if finite else 1.0

    def colour(number: float) -> str:
        if pen.empty:
            return theme.middle
        if not math.isfinite(number):
            return theme.ink
        return mixed(theme.middle, theme.high if number > 0 else theme.low, abs(number) / top if top else 0)

    rows, columns = shape[-2:] if len(shape) > 1 else (1, shape[0])
    count = math.prod(shape[:-2])
    maps = [_map(numbers, at * rows * columns, rows, columns, colour, theme) for at in range(min(count, _SLICES))]
    small = pen._replace(size=TINY)
    more = f"<TD>{small.write('…')}</TD>" if count > _SLICES else ""
    span = len(maps) + bool(more)
    ends = ([figure(end, look.precision, digits) for end in (low, high)] for digits in (3, 4))
    bounds = next((" … ".join(pair) for pair in ends if pair[0] != pair[1]), f"≈ {figure(low, look.precision)}")
    return (
        f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="0">'
        f"<TR>{''.join(f'<TD>{one}</TD>' for one in maps)}{more}</TR>"
        f'<TR><TD COLSPAN="{span}">{small.write(bounds)}</TD></TR></TABLE>'
    )


def _map(
    numbers: Sequence[float], first: int, rows: int, columns: int, colour: Callable[[float], str], theme: Theme
) -> str:
    """One heat map; of a large array, every so many rows and columns."""
    down, across = range(0, rows, -(-rows // _CELLS)), range(0, columns, -(-columns // _CELLS))
    side = 9 if max(len(down), len(across)) <= _CELLS // 2 else 6
    cell = f'<TD FIXEDSIZE="TRUE" WIDTH="{side}" HEIGHT="{side}" BGCOLOR='
    lines = (
        "<TR>"
        + "".join(f'{cell}"{colour(numbers[first + row * columns + column])}"></TD>' for column in across)
        + "</TR>"
        for row in down
    )
    return (
        f'<TABLE FIXEDSIZE="TRUE" WIDTH="{side * len(across) + 2}" HEIGHT="{side * len(down) + 2}" BORDER="1" '
        f'COLOR="{theme.edge}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{"".join(lines)}</TABLE>'
    )
