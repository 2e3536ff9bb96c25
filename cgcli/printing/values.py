"""Values to text: numbers in their shortest form that reads back the same, arrays as nested lists."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable
from cgcli.errors import Span, quoted
from cgcli.graph.shapes import as_lists
from cgcli.syntax.scanner import is_word


class Numeral(str):
    """A number in decimal, with digits or of a size that no float has. quoted: whether it is a text in JSON."""

    quoted = True

    def __bool__(self) -> bool:
        return self != "0"

    @classmethod
    def of(cls, text: str, *, quoted: bool) -> Numeral:
        """The numeral of a text."""
        made = cls(text)
        made.quoted = quoted
        return made


class Range(Numeral):
    """All numbers from one to another, which are texts: `0..0.25`, or the only one."""

    low: str
    high: str

    @classmethod
    def of_ends(cls, low: str, high: str) -> Range:
        """The range of two ends."""
        made = cls(low if low == high else f"{low}..{high}")
        made.low, made.high = low, high
        return made


def on_one_line(name: str) -> str:
    """A name in a line of output, whatever the user put into it."""
    return quoted(name, Span(0, len(name)))


def number(value: float | Numeral, precision: int | None = None) -> str:
    """A number as cg prints it: `2` when it is whole, else Python's repr.

    precision: significant digits, instead of as many as it takes; a numeral has as many as it has.
    """
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "nan" if value != value else "inf" if value > 0 else "-inf"
    if precision is not None:
        return f"{value:.{precision}g}"
    if value == int(value) and abs(value) < 1e16:
        return "-0" if value == 0 and math.copysign(1, value) < 0 else str(int(value))
    return repr(float(value))


def unsigned(value: float | Numeral, precision: int | None = None) -> str:
    """A number of a result, as people read it: as `number`, but 0 has no sign."""
    return number(value if isinstance(value, str) else value + 0.0, precision)


def in_longer_name(name: str) -> str:
    """The name of a result as a part of a longer one: `x + y` in brackets, for d_x + y would read as a sum."""
    return name if is_word(name) else f"({name})"


def value(array: Any, precision: int | None = None) -> str:
    """A result, a number or an array, on one line, as people read it: `[[1, 2], [3, 4]]`, and 0 without a sign."""
    return nested(as_lists(array), precision, unsigned)


def nested(item: Any, precision: int | None = None, written: Callable[..., str] = number) -> str:
    """Nested lists of numbers on one line. The nesting is at most an array's number of axes."""
    if isinstance(item, list):
        return "[" + ", ".join(nested(part, precision, written) for part in item) + "]"
    return written(item, precision)
