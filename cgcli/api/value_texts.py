"""Values of names from texts: numbers, constant expressions, files."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any
from cgcli.errors import CgError, ParseError, Source, UsageError
from cgcli.graph.node import Node, name_of, toposort, variables

if TYPE_CHECKING:
    from cgcli.api.value_files import Column

_DIGITS = tuple("0123456789.")
_NUMBERS = r"\s*[-+.\d]+(\s*,\s*[-+.\d]+)+\s*"
_NO_RANGE = {*"{}@;?\n"}  # signs that stand in programs and names of files


def of_text(text: str, what: str, column: Column | None = None) -> Any:
    """The array, or float, that a text stands for: a number, a constant expression, or @file.

    what: what messages call it. column: as of `of_file`. Raises UsageError or DataError.
    """
    if text.isascii() and text.strip().lstrip("+-")[:1] in _DIGITS and "_" not in text:
        try:
            return float(text)
        except ValueError:
            pass  # an expression
    if text.lstrip().startswith("@"):
        from cgcli.api.value_files import of_file

        return of_file(text.strip()[1:], what, column)
    values = _constants(text, what)
    if len(values) > 1:
        raise UsageError(f"{what} is {len(values)} values", hint="an array is written in brackets: [1, 2]")
    return values[0]


def ends_of_range(text: str) -> tuple[str, str] | None:
    """The ends of a range `0..1`, as texts; None for any other value, as a program with loops."""
    if ".." not in text or not _NO_RANGE.isdisjoint(text):
        return None
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and text.startswith("..", at):
            low, high = text[:at].strip(), text[at + 2 :].strip()
            return (low, high) if low and high else None
    return None


def several(text: str, what: str, column: Column | None = None) -> list[Any]:
    """The values of a text that may hold several, `(1, [1, 0])`. Raises as `of_text` does."""
    if text.lstrip().startswith("("):
        return _constants(text, what)
    try:
        return [of_text(text, what, column)]
    except ParseError as error:
        if "[" in text and _is_constants(f"({text})"):
            error.hint = f"several are in round brackets: '({text.strip()})'"
        raise


def _is_constants(text: str) -> bool:
    """Whether a text stands for values."""
    try:
        return bool(_constants(text, ""))
    except CgError:
        return False


def exact_of_text(text: str, what: str, column: Column | None = None) -> tuple[Node, ...]:
    """The graphs of the values that a text stands for, of a number with all its digits; raises as `of_text` does."""
    if text.lstrip().startswith("@"):
        from cgcli.api.value_files import of_file
        from cgcli.evaluate.constants import as_constant

        return (as_constant(of_file(text.strip()[1:], what, column)),)
    return _graphs(text, what, exactly=True)


def _constants(text: str, what: str) -> list[Any]:
    """The values of a constant expression, `pi/2` or `[[1, 2], [3, 4]]`."""
    from cgcli.evaluate.evaluate import evaluate

    return evaluate(_graphs(text, what), {})


def _graphs(text: str, what: str, *, exactly: bool = False) -> tuple[Node, ...]:
    """The graphs of a constant expression."""
    from cgcli.evaluate.limits import check_result
    from cgcli.lowering.lower import lower
    from cgcli.syntax.parser import parse

    if not text.strip():
        raise UsageError(f"{what} is missing", hint="a value is as in: 3, pi/2, [1,2], @x.npy")
    try:
        graph = lower(parse(text), exactly=exactly)
    except CgError as error:
        import re

        error.message = f"{what}: {error.message}"
        if re.fullmatch(_NUMBERS, text):
            error.hint = f"an array is written in brackets: [{text.strip()}]"
        raise
    free = variables(toposort(graph.outputs))
    if free:
        raise UsageError(
            f"{what} is not a number: '{name_of(free[0])}' is not known",
            graph.origins.get(free[0]), source=Source(text),
            hint="a value is a number, a constant expression, an array [1, 2], or @file.npy",
        )  # fmt: skip
    check_result(graph.outputs, what)
    return graph.outputs
