"""A trace as text, for a terminal, a pipe or a lecture: columns below headings, numbers at their decimal points."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from cgcli.graph.shapes import shape_text
from cgcli.trace.cells import Digits, Language, rounding, value_text
from cgcli.trace.sheet import BLANK, Column, Equation, Equations, Numbers, Shapes, Sheet, Table, Words
from cgcli.trace.steps import Trace

_FORMULA = 44  # characters; longer ones are cut
_NAME = 16  # characters; longer ones do not set the place of the equals signs
_NUMBER = re.compile(r"(-?\d+|-?inf|nan)((?:\.\d+)?(?:e[-+]?\d+)?)")


def as_text(trace: Trace, sheet: Sheet, precision: int | None) -> str:
    """The tables one below the other."""
    write = _Writer(Language(trace), rounding(precision))
    return "\n\n".join("\n".join(write.table(table)) for table in sheet.tables(trace))


class _Writer:
    """Tables to lines."""

    def __init__(self, language: Language, digits: Digits) -> None:
        self._language = language
        self._digits = digits

    def table(self, table: Table) -> Iterator[str]:
        """The lines of a table, without blanks at their ends."""
        columns = [_padded([column.heading, *self._cells(column)]) for column in table]
        return ("  ".join(row).rstrip() for row in zip(*columns, strict=True))

    def _cells(self, column: Column) -> list[str]:
        match column:
            case Equations(_, cells):
                return self._equations(cells)
            case Shapes(_, cells):
                return [shape_text(shape, "") for shape in cells]
            case Numbers(_, cells):
                return _at_points([self._number(cell) for cell in cells])
            case Words(_, cells):
                return [*cells]

    def _equations(self, cells: Sequence[Equation | None]) -> list[str]:
        """Equations with their signs below each other, but for those after a long name."""
        lefts = ["" if cell is None else self._language.symbol(cell.left) for cell in cells]
        shorter = [len(left) for left, cell in zip(lefts, cells, strict=True) if cell and cell.formula]
        width = max((length for length in shorter if length <= _NAME), default=0)
        wide = any(cell and cell.adds for cell in cells)
        return [self._equation(cell, left.ljust(width), wide) for cell, left in zip(cells, lefts, strict=True)]

    def _equation(self, cell: Equation | None, left: str, wide: bool) -> str:
        if cell is None or cell.formula is None:
            return left
        sign = "+=" if cell.adds else " =" if wide else "="
        return f"{left} {sign} {self._language.formula(cell.formula, _FORMULA)}"

    def _number(self, cell: Any) -> str:
        if cell is None:
            return ""
        return "_____" if cell is BLANK else value_text(cell, self._digits)


def _padded(texts: Sequence[str]) -> list[str]:
    width = max(map(len, texts))
    return [text.ljust(width) for text in texts]


def _at_points(texts: Sequence[str]) -> list[str]:
    """Those texts that are numbers moved so that their decimal points stand below each other."""
    numbers = [_NUMBER.fullmatch(text) for text in texts]
    width = max((len(number[1]) for number in numbers if number), default=0)
    return [number[1].rjust(width) + number[2] if number else text for number, text in zip(numbers, texts, strict=True)]
