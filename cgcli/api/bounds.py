"""Bounds of results over ranges of the inputs, as they are printed, and as a function in Python."""

from __future__ import annotations

import math
from contextlib import contextmanager
from fractions import Fraction

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence
from cgcli.api import calls
from cgcli.api.arguments import holding_kinds
from cgcli.api.exact_values import exact_of
from cgcli.api.notices import Notice, warn
from cgcli.api.point import Point, at_values
from cgcli.api.program import Program, read
from cgcli.api.value_texts import ends_of_range, exact_of_text
from cgcli.api.values import by_position
from cgcli.digits.bounds import OverRanges
from cgcli.digits.evaluation import mapped
from cgcli.errors import EvaluationError, UsageError
from cgcli.evaluate.evaluate import evaluate
from cgcli.ops.intervals import End, Interval, text
from cgcli.ops.lazily import np
from cgcli.printing.expression import formula
from cgcli.printing.values import Range, number
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from cgcli.api.prepared import Wrt
    from cgcli.evaluate.compiled import Kernels
    from cgcli.graph.node import Graph, Node

    Make = Callable[[Kernels | None], calls.Call]
    Ends = tuple[Node, Node]

_DIGITS = 20  # that count in a computation whose results are floats
_MOST_SHOWN = 5


class Bounds(NamedTuple):
    """Two numbers, or arrays of them, between which a value is for all points in the ranges."""

    low: Any
    high: Any


def ranges(
    make: Make, inputs: Mapping[str, Ends], graph: Graph, digits: int | None, tell: Callable[[Notice], None]
) -> Any:
    """What `make` computes over ranges, as texts. inputs: the graphs of both ends of each name's range.

    digits: how many significant ones the ends have, rounded outward; as many as a float, unless given.
    """
    run = OverRanges(inputs, max(digits or 0, _DIGITS))
    with _placed(run, graph):
        result = make(run.kernels)(run)
    for notice in _notices(run, graph):
        tell(notice)

    def written(interval: Interval) -> Range:
        if digits is None:
            return Range.of_ends(*(number(end) for end in _floats(interval)))
        return Range.of_ends(text(interval.low, digits, up=False), text(interval.high, digits, up=True))

    return mapped(written, result)


@contextmanager
def _placed(run: OverRanges, graph: Graph) -> Iterator[None]:
    """Say of an error in it where in the text that stands which has no bounds."""
    try:
        yield
    except EvaluationError as error:
        spans = (graph.origins[node] for node in run.kernels.refused if node in graph.origins)
        raise error.at(next(spans, None), graph.source) from None


def _floats(interval: Interval) -> tuple[float, float]:
    """The ends as floats, as which they are printed: rounded outward."""
    return 0.0 - _float_above(-interval.low), _float_above(interval.high)


def _float_above(end: End) -> float:
    """The least float whose decimal form is not below an end."""
    if isinstance(end, float):
        return end
    try:
        found = float(end)
    except OverflowError:
        return math.inf if end > 0 else -float(np.finfo(float).max)
    while Fraction(repr(found)) < end:
        found = math.nextafter(found, math.inf)
    return found


def _notices(run: OverRanges, graph: Graph) -> Iterator[Notice]:
    for node in [node for node in run.kernels.outside if node in graph.origins][:_MOST_SHOWN]:
        message = f"{formula(node)} may have no finite value somewhere in the ranges"
        yield Notice(message, "the bounds hold where it has one", graph.origins.get(node),
                     {"kind": "range", "node": formula(node)})  # fmt: skip


@holding_kinds
def bounds(program: Program | str, wrt: Wrt = None) -> Callable[..., tuple[Any, dict[str, Any]]]:
    """Bounds of the value of a program and of its derivatives that hold for all points in ranges of the inputs.

    A range is a tuple of two numbers or arrays, or a text `0..1`; any other value is one point, as of `value` with
    digits. By interval arithmetic, rounded outward, over parts of the ranges, and by the mean value form; the bounds
    may be wider than the range of the value, and are never narrower. Of several outputs, both are dicts by their names.

    >>> bounds("x*(1 - x)")(x=(0, 1))
    (Bounds(low=0.0, high=0.25), {'x': Bounds(low=-1.0, high=1.0)})

    wrt: a name, or several; all inputs when left out. A call raises EvaluationError for an operation that has no
    bounds, UsageError for a range that ends before it begins, and where an output is no scalar.
    """
    from cgcli.api.prepared import names_of

    known = read(program, names_of(wrt)).exact()

    def call(*given: Any, **named: Any) -> tuple[Any, dict[str, Any]]:
        values = by_position(known.inputs, given, named)
        inputs = {name: _ends(value, f"the value of '{name}'") for name, value in values.items()}
        point = at_values(known, dict(zip(inputs, evaluate([low for low, _ in inputs.values()], {}), strict=True)))
        point.check_complete()
        chosen = point.chosen(names_of(wrt))
        warn(point.notices(chosen))
        run = OverRanges(inputs, _DIGITS)
        with _placed(run, point.graph):
            result = calls.value_and_grad(point, chosen)(run) if chosen else (point.value(run), {})
        warn(_notices(run, point.graph))
        value, grad = ({name: _as_bounds(item) for name, item in part.items()} if isinstance(part, dict)
                       else _as_bounds(part) for part in result)  # fmt: skip
        return value, grad

    return call


def _as_bounds(item: Any) -> Any:
    """Bounds in the place of intervals, and of arrays of them."""
    if isinstance(item, dict):
        return {name: _as_bounds(part) for name, part in item.items()}
    if isinstance(item, Interval):
        return Bounds(*_floats(item))
    return Bounds(*(np.array([_floats(each)[end] for each in item.flat]).reshape(item.shape) for end in (0, 1)))


def _ends(value: Any, what: str) -> Ends:
    """The graphs of both ends of a value."""
    if isinstance(value, tuple):
        if len(value) != 2:
            raise UsageError(f"{what} is a tuple of {len(value)}", hint="a range is (low, high), an array a list")
        low, high = value
        return exact_of(low, what), exact_of(high, what)
    if isinstance(value, str):
        return ends_of_text(value, what)
    return (exact_of(value, what),) * 2


def ends_of_text(value: str, what: str) -> Ends:
    """The graphs of both ends of what was typed: a range, or one value."""
    low, high = ends_of_range(value) or (value, value)
    return exact_of_text(low, what)[0], exact_of_text(high, what)[0]


def check_ranges(point: Point, names: Sequence[str]) -> None:
    """Raise UsageError for a range of a name that stands for a size."""
    for name in names:
        if name in point.program.sizes:
            raise UsageError(f"'{name}' is a size, and has no range", hint="give it one number")
