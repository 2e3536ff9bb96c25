"""Values at a point, and the notes that they give rise to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cgcli.cli.point import Point
from cgcli.cli.report import Report
from cgcli.evaluate.evaluate import Events, evaluate, evaluate_all
from cgcli.graph.node import Node, name_of


def evaluated(
    point: Point, outputs: Sequence[Node], report: Report, extra: Mapping[str, Any] | None = None
) -> list[Any]:
    """The outputs' values; a nan or an infinity on the way is reported.

    extra: values of variables that are not the program's own.
    """
    bindings = {**point.bindings, **(extra or {})}
    events = Events()
    results = evaluate(outputs, bindings, events)
    if events.seen or not all(np.all(np.isfinite(result)) for result in results):
        from cgcli.evaluate.notes import births

        found = births(outputs, evaluate_all(outputs, bindings))
        report.notes(found)
        if not found and not all(np.all(np.isfinite(result)) for result in results):
            report.inputs(_not_finite(point))
    return results


def _not_finite(point: Point) -> list[tuple[str, str]]:
    """The inputs that hold a nan or an infinity, and which."""
    bad = []
    for node in point.inputs:
        array = point.bindings[name_of(node)]
        if not np.all(np.isfinite(array)):
            bad.append((name_of(node), "nan" if np.any(np.isnan(array)) else "infinite"))
    return bad
