r"""A trace as LaTeX: one `array` for math mode, in LaTeX and KaTeX; \dot{v}_1 is a tangent, \bar{v}_1 an adjoint."""

from __future__ import annotations

from itertools import zip_longest

from cgcli.annotations import Sequence
from cgcli.graph.node import toposort
from cgcli.printing.latex import latex_number, latex_of, latex_rows, spelling_of
from cgcli.printing.values import Numeral
from cgcli.trace.formulas import Formula, Mark, Symbol, of_a_loop
from cgcli.trace.sheet import Column, Equation, Notation, Sheet
from cgcli.trace.steps import Trace
from cgcli.trace.text import Language

_FORMULA = 120  # characters in the language; what is longer has no room in a table
_CONSTANTS = {"pi": r"\pi", "tau": r"\tau", "e": "e", "deg": r"\mathrm{deg}"}
_ACCENTS = {Mark.TANGENT: r"\dot", Mark.ADJOINT: r"\bar"}


def as_latex(trace: Trace, sheet: Sheet, precision: int | None, parts: Sequence[str] = ()) -> str:
    """The tables one below the other, as one formula; those that are asked for side by side, as one table.

    parts: as of `Notation.parts`.
    """
    tables = _Latex(trace, sheet, precision).parts(parts)
    if parts:
        return _array(
            [column for columns in tables for column in columns], "|".join("l" * len(each) for each in tables)
        )
    arrays = [_array(columns, "l" * len(columns)) for columns in tables]
    return "\\begin{array}{l}\n" + "\n\\\\[1em]\n".join(arrays) + "\n\\end{array}"


def _array(columns: Sequence[Column], kinds: str) -> str:
    """Columns with their headings; shorter ones end with empty cells. kinds: how LaTeX sets each."""
    head, *body = (" & ".join(row) for row in zip_longest(*columns, fillvalue=""))
    return f"\\begin{{array}}{{{kinds}}}\n{head} \\\\ \\hline\n{latex_rows(body)}\n\\end{{array}}"


class _Latex(Notation):
    """The tables of a trace in LaTeX."""

    blank, more = r"\underline{\hspace{4em}}", r"\ldots"

    def __init__(self, trace: Trace, sheet: Sheet, precision: int | None) -> None:
        super().__init__(trace, sheet, precision)
        self._language = Language(trace)
        formulas = [formula for step in trace.steps for formula in (step.formula, step.tangent_formula)]
        formulas += [each.formula for each in trace.contributions]
        self._spelling = spelling_of(
            toposort(formula.node for formula in formulas if formula is not None),
            {**dict.fromkeys(trace.functions.values(), ()), **{step.name: step.value.shape for step in trace.steps}},
            accents=_ACCENTS.values(),
        )
        self._functions = {op: self._spelling.text(name) for op, name in trace.functions.items()}

    def word(self, text: str) -> str:
        r"""Words as text within math mode: `\text{value}`."""
        return rf"\text{{{text}}}" if text else ""

    def partial(self, name: str) -> str:
        r"""The derivative by a name as an operator: `\partial / \partial x`."""
        return rf"\partial / \partial {self._spelling.text(name)}"

    def digits(self, value: float | Numeral) -> str:
        """A number with its power of ten."""
        return latex_number(super().digits(value))

    def equations(self, cells: Sequence[Equation | None]) -> list[str]:
        """Equations; `+=` is written out."""
        return ["" if cell is None else self._equation(cell) for cell in cells]

    def _equation(self, cell: Equation) -> str:
        left = self._symbol(cell.left)
        if cell.formula is None:
            return left
        return f"{left} = {left + ' + ' if cell.adds else ''}{self._formula(cell.formula)}"

    def _formula(self, formula: Formula) -> str:
        loop = of_a_loop(formula)
        if loop is not None:
            return self.word(loop)
        named = formula.names(self._symbol, self._functions)
        if formula.node in named:
            return named[formula.node]
        if len(self._language.formula(formula, _FORMULA)) > _FORMULA:
            return r"\cdots"
        return latex_of(formula.node, named, self._spelling)

    def _symbol(self, symbol: Symbol) -> str:
        r"""The value, the tangent or the adjoint of a step: `v_{1}`, `\dot{v}_{1}`, `\bar{v}_{1}`."""
        if symbol.mark is Mark.NUMBER:
            return _CONSTANTS.get(symbol.name) or latex_number(symbol.name)
        return self._spelling.text(symbol.name, accent=_ACCENTS.get(symbol.mark, ""))
