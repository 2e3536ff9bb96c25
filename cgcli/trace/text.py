"""A trace as text, for a terminal, a pipe or a lecture: columns below headings, numbers at their decimal points."""

from __future__ import annotations

import re
from itertools import chain, count

from cgcli.annotations import Iterable, Sequence
from cgcli.errors import cells_of, padded
from cgcli.printing.expression import formula as text_within
from cgcli.printing.expression import written_name
from cgcli.trace.formulas import Formula, Mark, Symbol, of_a_loop
from cgcli.trace.sheet import Equation, Notation, Sheet
from cgcli.trace.steps import Trace

_FORMULA = 44  # characters; longer ones are cut
_NAME = 16  # characters; longer ones do not set the place of the equals signs
_NUMBER = re.compile(r"(-?\d+|-?inf|nan)((?:\.\d+)?(?:e[-+]?\d+)?)")


class Language:
    """A trace's symbols and formulas as the language writes them: `v1`, its tangent `dv1`, its adjoint `bar_v1`."""

    def __init__(self, trace: Trace) -> None:
        names = {step.name for step in trace.steps}
        self._functions = trace.functions
        self._prefixes = {
            Mark.TANGENT: _free(chain("d", ("dot" + "_" * times for times in count(1))), names),
            Mark.ADJOINT: _free(("bar" + "_" * times for times in count(1)), names),
        }

    def symbol(self, symbol: Symbol) -> str:
        """A symbol, in backticks where its name is no plain one."""
        if symbol.mark is Mark.NUMBER:
            return symbol.name
        return written_name(self._prefixes.get(symbol.mark, "") + symbol.name)

    def formula(self, formula: Formula, limit: int) -> str:
        """A formula, cut when it is longer than `limit`; of a loop, how many trips it makes."""
        return of_a_loop(formula) or text_within(formula.node, limit, formula.names(self.symbol, self._functions))


def _free(prefixes: Iterable[str], names: set[str]) -> str:
    """The first prefix that does not turn one of the names into another of them."""
    return next(prefix for prefix in prefixes if not any(prefix + name in names for name in names))


def as_text(trace: Trace, sheet: Sheet, precision: int | None, parts: Sequence[str] = ()) -> str:
    """The tables one below the other, without blanks at the ends of lines. parts: as of `Notation.parts`."""
    return "\n\n".join(map(_lines, Text(trace, sheet, precision).parts(parts)))


def _lines(columns: Sequence[Sequence[str]]) -> str:
    return "\n".join("  ".join(row).rstrip() for row in zip(*map(_padded, columns), strict=True))


def _padded(column: Sequence[str]) -> list[str]:
    width = max(map(cells_of, column))
    return [padded(cell, width) for cell in column]


class Text(Notation):
    """The tables of a trace as text, with formulas in the language."""

    blank, more = "_____", "…"

    def __init__(self, trace: Trace, sheet: Sheet, precision: int | None) -> None:
        super().__init__(trace, sheet, precision)
        self._language = Language(trace)

    def word(self, text: str) -> str:
        """Words as they are."""
        return text

    def partial(self, name: str) -> str:
        """The derivative by a name, as `cg grad` prints it: `d_x`."""
        return f"d_{name}"

    def equations(self, cells: Sequence[Equation | None]) -> list[str]:
        """Equations with their equals signs below each other, except after long names."""
        lefts = ["" if cell is None else self._language.symbol(cell.left) for cell in cells]
        shorter = [cells_of(left) for left, cell in zip(lefts, cells, strict=True) if cell and cell.formula]
        width = max((length for length in shorter if length <= _NAME), default=0)
        equals = " =" if any(cell and cell.adds for cell in cells) else "="
        return [
            f"{padded(left, width)} {'+=' if cell.adds else equals} {self._language.formula(cell.formula, _FORMULA)}"
            if cell and cell.formula
            else left
            for cell, left in zip(cells, lefts, strict=True)
        ]

    def numbers(self, cells: list[str]) -> list[str]:
        """The cells, in which numbers are moved so that their decimal points stand below each other."""
        numbers = [_NUMBER.fullmatch(cell) for cell in cells]
        width = max((len(number[1]) for number in numbers if number), default=0)
        return [
            number[1].rjust(width) + number[2] if number else cell for number, cell in zip(numbers, cells, strict=True)
        ]
