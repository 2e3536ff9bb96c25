"""A trace laid out for people: what stands in which column of which table, whatever notation it is written in.

The tables are those of Baydin, Pearlmutter, Radul, Siskind (2018): the forward traces side by
side, and the reverse adjoint trace, whose lines stand in the order of the pass.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from cgcli.annotations import TYPE_CHECKING, Any, ClassVar, Collection, Mapping, Sequence
from cgcli.errors import UsageError, did_you_mean
from cgcli.evaluate.elements import somewhere
from cgcli.graph.node import CONSTANT, Node
from cgcli.graph.shapes import shape_of, shape_text
from cgcli.printing.values import Numeral, nested, unsigned
from cgcli.records import NamedTuple
from cgcli.trace.formulas import Formula, Mark, Symbol
from cgcli.trace.steps import Contribution, Step, Trace

if TYPE_CHECKING:
    from cgcli.digits.sides import Sides

PARTS = ("forward", "reverse", "gradient")  # the tables of a trace
BLANK = "blank"  # the value of a cell that a student fills in

_DIGITS = 6  # a number is cut to this many significant digits ...
_SHORT = 8  # ... unless all of it takes no more characters than this
_ELEMENTS = 12  # an array of so many is written in full ...
_ARRAY = 28  # ... if that takes no more characters

Column = list[str]  # its heading, and a cell for each line


class Sheet(NamedTuple):
    """What of a trace is filled in.

    values: of its nodes; None for a sheet of formulas alone. blank: whose values are left out,
    apart from those that are given. digits: how many of each number are right; None for a sheet without them.
    """

    values: Mapping[Node, Any] | None
    blank: Collection[Mark] = ()
    digits: Mapping[Node, Any] | None = None

    def number(self, mark: Mark, node: Node, *, given: bool = False) -> Any:
        """The value of a node, or BLANK. given: it is never left out."""
        if self.values is None or (mark in self.blank and not given):
            return BLANK
        return self.values[node]

    def kink(self, contribution: Contribution) -> Sides | None:
        """The slopes beside a kink that a contribution has passed, by its argument alone."""
        if self.values is None or contribution.flow is None or Mark.ADJOINT in self.blank:
            return None
        node, target = contribution.flow
        return self._sides(node, [float(arg is target) for arg in node.args])

    def kink_along(self, step: Step, trace: Trace) -> Sides | None:
        """The slopes beside a kink along the tangents of a step's arguments."""
        if self.values is None or step.tangent is None or Mark.TANGENT in self.blank:
            return None
        tangents = {each.value: each.tangent for each in trace.steps}
        moves = [tangents.get(arg) for arg in step.value.args]
        return self._sides(step.value, [0.0 if node is None else self.values[node] for node in moves])

    def _sides(self, node: Node, direction: Sequence[Any]) -> Sides | None:
        from cgcli.digits.sides import sides
        from cgcli.evaluate.constants import constant_of

        if node.op.kink is None or self.values is None:
            return None
        known = {arg: constant_of(arg) if arg.op is CONSTANT else self.values[arg] for arg in node.args}
        if not all(map(_is_of_floats, [*known.values(), *direction])):
            return None  # of many digits, or ranges
        return sides(node, known, direction)

    def shows(self, mark: Mark) -> bool:
        """Whether there is a column for the values of a kind."""
        return self.values is not None or mark in self.blank


def _is_of_floats(value: Any) -> bool:
    return isinstance(value, float) if not shape_of(value) else bool(value.dtype.kind == "f")


def _at_kink(kink: Sides | None) -> str:
    """The slopes on both sides of a kink: `kink: left -1, right 1, chosen 0`."""
    if kink is None:
        return ""
    where = f" at {list(kink.element)}" if kink.element else ""
    slopes = (f"{name} {unsigned(slope, _DIGITS)}" for name, slope in kink._asdict().items() if name != "element")
    return f"kink{where}: {', '.join(slopes)}"


def _remarks(cells: list[str]) -> list[Column]:
    """A column of remarks, if there are any."""
    return [["", *cells]] if any(cells) else []


class Equation(NamedTuple):
    """What is computed in a line, as `v1 = ln(x1)`; adds: `bar_x2 += bar_v2*x1`. formula: None for what is given."""

    left: Symbol
    formula: Formula | None
    adds: bool = False


class Notation(ABC):
    """The tables of a trace; each notation says how symbols, formulas and numbers are written.

    blank: what stands for a value that is left out; more: for elements that are not shown.
    """

    blank: ClassVar[str]
    more: ClassVar[str]

    def __init__(self, trace: Trace, sheet: Sheet, precision: int | None) -> None:
        self._trace, self._sheet, self._precision = trace, sheet, precision

    @abstractmethod
    def word(self, text: str) -> str:
        """A heading or a remark."""

    @abstractmethod
    def partial(self, name: str) -> str:
        """The derivative of the result by an input."""

    @abstractmethod
    def equations(self, cells: Sequence[Equation | None]) -> list[str]:
        """The cells of a column of equations."""

    def numbers(self, cells: list[str]) -> list[str]:
        """The cells of a column of numbers, one below the other."""
        return cells

    def digits(self, value: float | Numeral) -> str:
        """A number: all of it when that is short, else its leading digits."""
        exact = unsigned(value, self._precision)
        return exact if self._precision is not None or len(exact) <= _SHORT else unsigned(value, _DIGITS)

    def parts(self, names: Sequence[str]) -> list[list[Column]]:
        """Those tables that are named, of PARTS, in this order; all of them where none is.

        Raises UsageError for one that there is not.
        """
        tables = self._tables()
        for name in names:
            if name not in PARTS:
                near = did_you_mean(name, PARTS)
                raise UsageError(f"unknown part '{name}'", hint=f"{near} possible: {', '.join(PARTS)}".lstrip())
            if name not in tables:
                raise UsageError(f"the trace has no part '{name}'", hint="add the adjoints with --grad")
        return [tables[name] for name in names or tables]

    def _tables(self) -> dict[str, list[Column]]:
        """The forward traces; where there are adjoints, the reverse trace and the gradient."""
        steps, contributions, gradient, _ = self._trace
        forward = self._pass("primal", "value", Mark.VALUE, [(step.name, step.formula, step.value) for step in steps])
        if any(step.value.shape for step in steps):
            forward.insert(1, [self.word("shape"), *(shape_text(step.value.shape, "") for step in steps)])
        if any(step.tangent for step in steps):
            tangents = [(step.name, step.tangent_formula, step.tangent) for step in steps]
            forward += self._pass("tangent", "tangent", Mark.TANGENT, tangents)
        tables = {"forward": forward}
        if contributions:
            tables["reverse"] = self._reverse(contributions)
        if gradient and self._sheet.shows(Mark.ADJOINT):
            adjoints = self._numbers("", Mark.ADJOINT, [(node, False) for node in gradient.values()])
            head = [self.word("gradient"), *map(self.partial, gradient)]
            tables["gradient"] = [head, adjoints, *self._digits([*gradient.values()], "")]
        return tables

    def _pass(
        self, kind: str, heading: str, mark: Mark, lines: Sequence[tuple[str, Formula | None, Node | None]]
    ) -> list[Column]:
        """A forward trace. lines: for each step its name, the formula, and the node that computes it, if any."""
        equations = [None if node is None else Equation(Symbol(mark, name), formula) for name, formula, node in lines]
        columns = [self._equations(f"forward {kind} trace", equations)]
        if self._sheet.shows(mark):
            columns.append(self._numbers(heading, mark, [(node, formula is None) for _, formula, node in lines]))
        columns += self._digits([node for _, _, node in lines])
        if mark is not Mark.TANGENT:
            return columns
        kinks = [self._sheet.kink_along(step, self._trace) for step in self._trace.steps]
        return columns + _remarks([self.word(_at_kink(kink)) for kink in kinks])

    def _reverse(self, lines: Sequence[Contribution]) -> list[Column]:
        """The contributions in the order of the pass; each with the adjoint so far, where several are added up."""
        equations = [Equation(Symbol(Mark.ADJOINT, each.to), each.formula, not each.first) for each in lines]
        columns = [self._equations("reverse adjoint trace", equations)]
        if not self._sheet.shows(Mark.ADJOINT):
            return columns
        several = {each.to for each in lines if not each.first}
        if several:
            amounts = [(each.value if each.to in several else None, each.source is None) for each in lines]
            columns.append(self._numbers("adds", Mark.ADJOINT, amounts))
        columns.append(self._numbers("adjoint", Mark.ADJOINT, [(each.total, each.source is None) for each in lines]))
        columns += self._digits([each.total for each in lines])
        return columns + _remarks([self.word(self._remark(each)) for each in lines])

    def _remark(self, contribution: Contribution) -> str:
        """What is to be said of a contribution: that it is none, or at a kink, which slopes are beside the chosen."""
        if self._not_taken(contribution):
            return "not taken"
        return _at_kink(self._sheet.kink(contribution))

    def _not_taken(self, contribution: Contribution) -> bool:
        """Whether a contribution belongs to a branch that was not taken, for each of its elements."""
        values, taken = self._sheet.values, contribution.taken
        return values is not None and taken is not None and not somewhere(values[taken])

    def _equations(self, heading: str, cells: Sequence[Equation | None]) -> Column:
        return [self.word(heading), *self.equations(cells)]

    def _numbers(self, heading: str, mark: Mark, cells: Sequence[tuple[Node | None, bool]]) -> Column:
        """A column of values. cells: for each line a node, if there is one, and whether it is given."""
        values = [None if node is None else self._sheet.number(mark, node, given=given) for node, given in cells]
        return [self.word(heading), *self.numbers(["" if value is None else self._text(value) for value in values])]

    def _digits(self, nodes: Sequence[Node | None], heading: str = "digits") -> list[Column]:
        """The column of how many digits of values are right, where the sheet has them."""
        known = self._sheet.digits
        if known is None:
            return []
        cells = ["" if node is None else self._text(known[node]) for node in nodes]
        return [[self.word(heading), *self.numbers(cells)]]

    def _text(self, value: Any) -> str:
        """A number, or an array on one line: all of it when that is short, else the beginning of each axis."""
        if value is BLANK:
            return self.blank
        if not shape_of(value):
            return self.digits(value if isinstance(value, Numeral) else float(value))
        if not value.size:
            return "[]"
        texts = [self._beginning(value, count) for count in (3, 2, 1)]
        if value.size <= _ELEMENTS:
            texts.insert(0, nested(value.tolist(), None, lambda item, _: self.digits(item)))
        return next((text for text in texts if len(text) <= _ARRAY), texts[-1])

    def _beginning(self, array: Any, count: int) -> str:
        """The first elements of the first row: `[[1, 2, …], …]`."""
        text = ", ".join(map(self.digits, array[(0,) * (array.ndim - 1)][:count].tolist()))
        shown = count
        for size in reversed(array.shape):
            text = f"[{text}{', ' + self.more if size > shown else ''}]"
            shown = 1
        return text
