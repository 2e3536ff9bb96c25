"""A trace laid out for people: what stands in which column of which table, whatever it is written in.

The tables are those of Baydin, Pearlmutter, Radul, Siskind (2018): the forward traces side by
side, and the reverse adjoint trace, whose lines stand in the order of the sweep.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

import numpy as np

from cgcli.graph.node import Node
from cgcli.graph.operation import Shape
from cgcli.trace.formula import Formula, Mark, Symbol
from cgcli.trace.steps import Contribution, Step, Trace

Values = Mapping[Node, Any]


class Blank(Enum):
    """The cell of a work sheet that a student fills in."""

    BLANK = "blank"


BLANK = Blank.BLANK


class Equation(NamedTuple):
    """What is computed in a line, as `v1 = ln(x1)`; adds: `bar_x2 += bar_v2*x1`. formula: None for what is given."""

    left: Symbol
    formula: Formula | None
    adds: bool = False


class Equations(NamedTuple):
    """A column of equations; None where there is none."""

    heading: str
    cells: Sequence[Equation | None]


class Shapes(NamedTuple):
    """A column of shapes."""

    heading: str
    cells: Sequence[Shape]


class Numbers(NamedTuple):
    """A column of values: numbers, arrays, blanks; None where there is nothing to say."""

    heading: str
    cells: Sequence[Any]


class Words(NamedTuple):
    """A column of remarks."""

    heading: str
    cells: Sequence[str]


Column = Equations | Shapes | Numbers | Words
Table = list[Column]


class Sheet(NamedTuple):
    """What of a trace is filled in.

    values: of its nodes; None for a sheet of formulas alone. blank: whose values are left out,
    apart from those that are given.
    """

    values: Values | None
    blank: Collection[Mark] = ()

    def tables(self, trace: Trace) -> list[Table]:
        """The forward traces; where there are adjoints, the reverse trace and the gradient."""
        found = [self._forward(trace.steps)]
        if trace.contributions:
            found.append(self._reverse(trace.contributions))
        if trace.gradient and self._shows(Mark.ADJOINT):
            found.append(self._gradient(trace.gradient))
        return found

    def number(self, mark: Mark, node: Node, *, given: bool = False) -> Any:
        """The value of a node, or BLANK. given: it is never left out."""
        if self.values is None or (mark in self.blank and not given):
            return BLANK
        return self.values[node]

    def _shows(self, mark: Mark) -> bool:
        """Whether there is a column for the values of a kind."""
        return self.values is not None or mark in self.blank

    def _forward(self, steps: Sequence[Step]) -> Table:
        equations = [Equation(Symbol(Mark.VALUE, step.name), step.formula) for step in steps]
        found: Table = [Equations("forward primal trace", equations)]
        if any(step.value.shape for step in steps):
            found.append(Shapes("shape", [step.value.shape for step in steps]))
        if self._shows(Mark.VALUE):
            values = [self.number(Mark.VALUE, step.value, given=step.formula is None) for step in steps]
            found.append(Numbers("value", values))
        return found + self._tangents(steps)

    def _tangents(self, steps: Sequence[Step]) -> Table:
        tangents = [(step.name, step.tangent) for step in steps]
        if not any(tangent for _, tangent in tangents):
            return []
        found: Table = [
            Equations(
                "forward tangent trace",
                [tangent and Equation(Symbol(Mark.TANGENT, name), tangent.formula) for name, tangent in tangents],
            )
        ]
        if self._shows(Mark.TANGENT):
            numbers = [
                tangent and self.number(Mark.TANGENT, tangent.value, given=tangent.formula is None)
                for _, tangent in tangents
            ]
            found.append(Numbers("tangent", numbers))
        return found

    def _reverse(self, contributions: Sequence[Contribution]) -> Table:
        """The contributions in the order of the sweep; each with the adjoint so far, where adjoints are added up."""
        equations = [Equation(Symbol(Mark.ADJOINT, each.to), each.formula, not each.first) for each in contributions]
        found: Table = [Equations("reverse adjoint trace", equations)]
        if not self._shows(Mark.ADJOINT):
            return found
        totals = [self._adjoint(each, each.total) for each in contributions]
        several = {each.to for each in contributions if not each.first}
        if several:
            amounts = [self._adjoint(each, each.value) if each.to in several else None for each in contributions]
            found.append(Numbers("adds", amounts))
        found.append(Numbers("adjoint", totals))
        if any(self._left_out(each) for each in contributions):
            found.append(Words("", ["not taken" if self._left_out(each) else "" for each in contributions]))
        return found

    def _adjoint(self, contribution: Contribution, node: Node) -> Any:
        return self.number(Mark.ADJOINT, node, given=contribution.source is None)

    def _left_out(self, contribution: Contribution) -> bool:
        """Whether a contribution belongs to a branch that was not taken, for each of its elements."""
        if self.values is None or contribution.taken is None:
            return False
        return not np.any(self.values[contribution.taken])

    def _gradient(self, gradient: Mapping[str, Node]) -> Table:
        equations = [Equation(Symbol(Mark.PARTIAL, name), None) for name in gradient]
        return [
            Equations("gradient", equations),
            Numbers("", [self.number(Mark.ADJOINT, n) for n in gradient.values()]),
        ]
