r"""A trace as LaTeX: one `array` for math mode, in LaTeX and KaTeX; \dot{v}_1 is a tangent, \bar{v}_1 an adjoint."""

from __future__ import annotations

from typing import Any

from cgcli.graph.shapes import shape_text
from cgcli.printing.latex import latex_name, latex_number, latex_of
from cgcli.trace.cells import Language, rounding, value_text
from cgcli.trace.formula import Formula, Mark, Spelling, Symbol
from cgcli.trace.sheet import BLANK, Column, Equation, Equations, Numbers, Shapes, Sheet, Table, Words
from cgcli.trace.steps import Trace

_FORMULA = 120  # characters in the language; what is longer has no room in a table
_ACCENTS = {Mark.TANGENT: r"\dot", Mark.ADJOINT: r"\bar"}
_BLANK = r"\underline{\hspace{4em}}"


def as_latex(trace: Trace, sheet: Sheet, precision: int | None) -> str:
    """The tables one below the other, as one formula."""
    write = _Writer(trace, precision)
    arrays = [write.table(table) for table in sheet.tables(trace)]
    return "\\begin{array}{l}\n" + "\n\\\\[1em]\n".join(arrays) + "\n\\end{array}"


class _Writer:
    """Tables to arrays."""

    def __init__(self, trace: Trace, precision: int | None) -> None:
        self._language = Language(trace)
        self._named = {op: latex_name(name) for op, name in trace.functions.items()}
        self._rounded = rounding(precision)

    def table(self, table: Table) -> str:
        """One table: headings, a line, rows."""
        columns = [self._column(column) for column in table]
        rows = [" & ".join(row) for row in zip(*(cells for _, cells in columns), strict=True)]
        head, *body = rows
        layout = "".join(layout for layout, _ in columns)
        return f"\\begin{{array}}{{{layout}}}\n{head} \\\\ \\hline\n" + " \\\\\n".join(body) + "\n\\end{array}"

    def _column(self, column: Column) -> tuple[str, list[str]]:
        """The layout and the cells of a column, its heading first."""
        heading = rf"\text{{{column.heading}}}" if column.heading else ""
        match column:
            case Equations(_, cells):
                return "l", [heading, *map(self._equation, cells)]
            case Shapes(_, cells):
                return "l", [heading, *(shape_text(shape, "") for shape in cells)]
            case Numbers(_, cells):
                return "l", [heading, *map(self._number, cells)]
            case Words(_, cells):
                return "l", [heading, *(rf"\text{{{cell}}}" if cell else "" for cell in cells)]

    def _equation(self, cell: Equation | None) -> str:
        if cell is None:
            return ""
        left = _symbol(cell.left)
        if cell.formula is None:
            return left
        return f"{left} = {left + ' + ' if cell.adds else ''}{self._formula(cell.formula)}"

    def _formula(self, formula: Formula) -> str:
        named = Spelling(formula, self._named, _symbol)
        if formula.node in named:
            return named[formula.node]
        if len(self._language.formula(formula, _FORMULA)) > _FORMULA:
            return r"\cdots"
        return latex_of(formula.node, named)

    def _number(self, cell: Any) -> str:
        if cell is None:
            return ""
        return _BLANK if cell is BLANK else value_text(cell, self._decimal, r"\ldots")

    def _decimal(self, value: float) -> str:
        return latex_number(self._rounded(value))


def _symbol(symbol: Symbol) -> str:
    r"""The value, the tangent or the adjoint of a step: `v_{1}`, `\dot{v}_{1}`, `\bar{v}_{1}`."""
    if symbol.mark is Mark.NUMBER:
        return latex_name(symbol.name) if symbol.name.isalpha() else latex_number(symbol.name)
    if symbol.mark is Mark.PARTIAL:
        return rf"\partial / \partial {latex_name(symbol.name)}"
    return latex_name(symbol.name, _ACCENTS.get(symbol.mark, ""))
