"""The cells of a trace as text: symbols, formulas and values, each of a bounded length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, count
from typing import Any

from cgcli.printing.expression import formula as text_within
from cgcli.printing.expression import written_name
from cgcli.printing.values import number
from cgcli.trace.formula import Formula, Mark, Spelling, Symbol
from cgcli.trace.steps import Trace

_DIGITS = 6  # a number is cut to this many significant digits ...
_SHORT = 8  # ... unless all of it takes no more characters than this
_WRITTEN_OUT = 12  # elements of an array of which all are written ...
_ARRAY = 28  # ... if that takes no more characters

Digits = Callable[[float], str]


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
        if symbol.mark is Mark.PARTIAL:
            return f"d_{symbol.name}"
        return written_name(self._prefixes.get(symbol.mark, "") + symbol.name)

    def formula(self, formula: Formula, limit: int) -> str:
        """A formula, cut when it is longer than `limit`."""
        return text_within(formula.node, limit, Spelling(formula, self._functions, self.symbol))


def _free(prefixes: Iterable[str], names: set[str]) -> str:
    """The first prefix that makes none of the names another one."""
    return next(prefix for prefix in prefixes if not any(prefix + name in names for name in names))


def rounding(precision: int | None) -> Digits:
    """How a number is written for people: all of it when that is short, else its leading digits."""

    def rounded(value: float) -> str:
        if precision is not None:
            return number(value, precision)
        exact = number(value)
        return exact if len(exact) <= _SHORT else number(value, _DIGITS)

    return rounded


def value_text(value: Any, digits: Digits, more: str = "…") -> str:
    """A number, or an array on one line: all of it when that is short, else the beginning of each axis."""
    shape = getattr(value, "shape", ())
    if not shape:
        return digits(float(value))
    if not value.size:
        return "[]"
    if value.size <= _WRITTEN_OUT and len(text := _nested(value.tolist(), digits)) <= _ARRAY:
        return text
    beginnings = [_beginning(value, digits, count, more) for count in (3, 2, 1)]
    return next((text for text in beginnings if len(text) <= _ARRAY), beginnings[-1])


def _nested(item: Any, digits: Digits) -> str:
    """Nested lists of numbers. The nesting is at most an array's number of axes."""
    if isinstance(item, list):
        return "[" + ", ".join(_nested(part, digits) for part in item) + "]"
    return digits(item)


def _beginning(array: Any, digits: Digits, count: int, more: str) -> str:
    """The first elements of the first row: `[[1, 2, …], …]`."""
    row = array[(0,) * (array.ndim - 1)]
    text = _listed([digits(element) for element in row[:count].tolist()], len(row), more)
    for size in reversed(array.shape[:-1]):
        text = _listed([text], size, more)
    return text


def _listed(first: Sequence[str], size: int, more: str) -> str:
    """The first items of a list, and whether there are others."""
    return "[" + ", ".join([*first, *[more] * (size > len(first))]) + "]"
