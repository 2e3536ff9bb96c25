"""Values at a point, and the notes that they give rise to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from cgcli.cli.point import Point
from cgcli.cli.report import Report
from cgcli.errors import TooLargeError
from cgcli.evaluate.evaluate import Events, evaluate, evaluate_all
from cgcli.graph.node import Node, toposort

if TYPE_CHECKING:
    from cgcli.derivatives.jacobian import Evaluate

_NOTHING: Mapping[Any, Any] = MappingProxyType({})


def evaluated(
    point: Point,
    outputs: Sequence[Node],
    report: Report,
    *,
    extra: Mapping[str, Any] = _NOTHING,
    results: Sequence[Node] | None = None,
) -> list[Any]:
    """The outputs' values; a nan or an infinity on the way is reported.

    extra: values of variables that are not the program's own. results: those of the outputs
    whose way it is; the others are looked at by the way, as the nodes of a picture are.
    """
    bindings = {**point.bindings, **extra}
    events = Events()
    numbers = evaluate(outputs, bindings, events)
    if events.seen or not _finite(numbers):
        _report_births(point, outputs if results is None else results, bindings, report)
    return numbers


def evaluator(point: Point, report: Report) -> Evaluate:
    """`evaluated` at one point, as the derivatives ask for it."""

    def at_point(outputs: Sequence[Node], bindings: Mapping[str, Any] = _NOTHING, quiet: bool = False) -> list[Any]:
        if quiet:
            return evaluate(outputs, {**point.bindings, **bindings})
        return evaluated(point, outputs, report, extra=bindings)

    return at_point


def _finite(numbers: Sequence[Any]) -> bool:
    return all(math.isfinite(item) if isinstance(item, float) else np.all(np.isfinite(item)) for item in numbers)


def every_value(outputs: Sequence[Node], bindings: Mapping[str, Any], report: Report) -> dict[Node, Any]:
    """The value of every node that the outputs need; none, with a warning, when they are too large to keep together."""
    try:
        return evaluate_all(outputs, bindings)
    except TooLargeError as error:
        report.warn(f"where a nan, an infinity or a kink arises is not looked for: {error.message}", kind="more")
        return {}


def report_kinks(point: Point, wrt: Sequence[Node], report: Report) -> None:
    """Report the operations on the way of the derivative that stand at a kink."""
    from cgcli.evaluate.notes import kinks
    from cgcli.transform.reverse import active_nodes

    outputs = point.graph.outputs
    order = toposort(outputs)
    candidates = [node for node in order if node.op.kink is not None]
    if candidates:
        active = active_nodes(order, set(wrt))
        values = every_value(outputs, point.bindings, report)
        report.notes(kinks([n for n in candidates if n in active], outputs, values) if values else [])


def _report_births(point: Point, results: Sequence[Node], bindings: Mapping[str, Any], report: Report) -> None:
    """Say where a nan or an infinity was born, or that it came with the inputs or constants."""
    from cgcli.evaluate.notes import births

    values = every_value(results, bindings, report)
    if not values:
        return
    found = births(results, values)
    if _finite([values[node] for node in results]):
        # an overflow inside a derivative's formula that leaves no trace in it is nobody's concern
        found = [note for note in found if note.node in point.graph.origins]
    elif not found:
        report.given([(node, values[node]) for node in values if not node.args and not _finite([values[node]])])
    report.notes(found)
