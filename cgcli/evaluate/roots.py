"""Roots of equations, found by Newton's method: a loop, whose result is looked at before it is believed."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any
from cgcli.errors import EvaluationError
from cgcli.evaluate.budget import uncounted
from cgcli.evaluate.compiled import Floats
from cgcli.evaluate.elements import is_nan, somewhere
from cgcli.evaluate.loops import run as run_loop
from cgcli.evaluate.loops import run_rows as run_rows_of_loop
from cgcli.graph.body import Body
from cgcli.graph.loops import Loop, most_trips, pieces
from cgcli.graph.operation import imported
from cgcli.graph.shapes import as_lists
from cgcli.ops.lazily import np

if TYPE_CHECKING:
    from cgcli.evaluate.compiled import Kernels

MOST = 200  # trips of Newton's method, those with a part of its step included


def run(*args: Any, kernels: Kernels | None = None) -> Any:
    """The root. kernels: those of another arithmetic than that of floats.

    Raises EvaluationError where none is found.
    """
    x, *others, body = args
    loop = _newton(body)
    eps = Floats.eps if kernels is None else kernels.eps
    starts = _starts(loop, x, ())
    with uncounted():
        found = run_loop(*starts, *others, eps, _most(), *loop, kernels=kernels)
    x, step, distance, _, trips, ok = pieces(found, loop.shapes)
    if ok:
        return x
    if any(somewhere(is_nan(arg)) for arg in args[:-1]):
        return x * float("nan")
    raise _not_found(x, step, distance, trips)


def run_rows(*args: Any) -> Any:
    """As `run`, where all arguments have an axis of rows in front."""
    x, *others, body = args
    loop, rows = _newton(body), len(x)
    starts = _starts(loop, x, (rows,))
    limits = [np.full(rows, Floats.eps), np.full(rows, _most())]
    found = run_rows_of_loop(*starts, *others, *limits, *loop)
    x, step, distance, _, trips, ok = pieces(found, loop.shapes, (rows,))
    unknown = np.zeros(rows, bool)
    for arg in args[:-1]:
        unknown |= np.isnan(arg).reshape(rows, -1).any(axis=1)
    wrong = np.flatnonzero((ok == 0) & ~unknown)
    if len(wrong):
        raise _not_found(*(part[wrong[0]] for part in (x, step, distance, trips)))
    return np.where((ok == 0).reshape(rows, *(1,) * (x.ndim - 1)), np.nan, x)


def _newton(body: Body) -> Loop:
    loop: Loop = imported("cgcli.transform.roots:newton")(body)
    return loop


def _most() -> float:
    return float(min(MOST, most_trips()))


def _starts(loop: Loop, x: Any, rows: tuple[int, ...]) -> list[Any]:
    """The carries before the first trip, which goes nowhere: it takes the start."""

    def filled(number: float, at: int) -> Any:
        shape = rows + loop.shapes[at]
        return np.full(shape, number) if shape else number

    return [x, *(filled(number, at) for at, number in enumerate((0.0, float("inf"), 0.0, 0.0, 0.0), 1))]


def _not_found(x: Any, step: Any, distance: Any, trips: Any) -> EvaluationError:
    where = f"after {int(trips)} trips of Newton's method it is at {as_lists(x)}"
    reason = f"where the two sides differ by {as_lists(distance)}"
    if float(trips) <= 1 and not somewhere(step != 0):
        where, reason = f"it starts at {as_lists(x)}", "where an equation is no number"
    elif not somewhere(abs(step) < float("inf")):
        reason += ", and the derivative by the unknown is 0"
    return EvaluationError(f"solve finds no root: {where}, {reason}"[:400], hint="start nearer to a root")
