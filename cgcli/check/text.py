"""What a check has found, as a table and as JSON."""

from __future__ import annotations

from collections import Counter

import numpy as np

from cgcli.annotations import Any, Iterator, Sequence
from cgcli.check.check import Check, Row
from cgcli.check.verdict import KINDS
from cgcli.errors import cells_of, padded
from cgcli.graph.shapes import element_name
from cgcli.printing.values import in_longer_name, on_one_line, unsigned

_HEAD = ["", "analytic", "digits", "central", "+/-", "complex step", "abs error", "rel error", ""]
_DIGITS = 12  # of a difference there are no more


def as_text(found: Check, outputs: Sequence[str], precision: int | None) -> Iterator[str]:
    """A table with a line for each input, the slopes of the Taylor remainders, and what else there is to say.

    outputs: their names; () where there is one, which needs none.
    """
    groups: dict[tuple[int, str], list[Row]] = {}
    for row in [*found.rows, *(found.line if found.left_out else ())]:
        groups.setdefault((row.output, row.name), []).append(row)
    by_output = sorted(groups, key=lambda key: (not key[1], key[0]))  # the line along which all move comes last
    cells = [_HEAD, *(_cells(groups[key], outputs, precision or _DIGITS) for key in by_output)]
    if groups:
        widths = [max(map(cells_of, column)) for column in zip(*cells, strict=True)]
        for line in cells:
            yield "  ".join(padded(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip()
    for row in found.line:
        of = f"{on_one_line(outputs[row.output])}: " if outputs else ""
        remainder = f"{of}Taylor remainder |f(x + h*v) - f(x) - h*f'(x)*v|"
        if row.slope is not None:
            wrong = row.slope < 1.5 and row.verdict.kind == "mismatch"
            yield f"{remainder} falls as h^{row.slope:.2f}{', and should as h^2' * wrong}"
        elif row.verdict.kind == "ok":
            yield f"{remainder} is no more than rounding"
    yield from _notes(found)


def members(found: Check, outputs: Sequence[str]) -> dict[str, Any]:
    """A check as the members of a JSON object, with every element that was checked."""
    return {
        "agrees": not found.mismatches,
        "derivatives": [_record(row, outputs) for row in found.rows],
        "line": [_record(row, outputs) for row in found.line],
        "slope": [None if row.slope is None else np.float64(row.slope) for row in found.line],
        "count": found.total,
        "notes": list(_notes(found)),
    }


def _notes(found: Check) -> Iterator[str]:
    if not found.total:
        yield "there is nothing to differentiate by"
    if found.left_out:
        yield f"{len(found.rows)} of {found.total} derivatives were checked, and one along a line that all take part in"
    for name in found.own:
        yield f"'{name}' has a derivative rule of its own, which is not the derivative of its body"
    if found.own:
        yield "if that is on purpose, as in a straight-through estimator, nothing is wrong"
    elif found.mismatches:
        yield "no rule of the program's own explains this: is this point a case of its own, as in x == 0 ? 0 : y?"


def _cells(group: Sequence[Row], outputs: Sequence[str], precision: int) -> list[str]:
    """The cells for the worst of some derivatives."""
    worst = min(group, key=lambda row: (KINDS.index(row.verdict.kind), -row.error if row.error >= 0 else 0.0))
    numbers, (kind, why, _) = worst.numbers, worst.verdict
    if len(group) > 1:
        count = Counter(row.verdict.kind for row in group)[kind]
        kind += f" (worst of {count})" if count == len(group) else f" ({count} of {len(group)})"
    over = f"d_{in_longer_name(on_one_line(outputs[worst.output]))}/" if outputs else ""
    return [
        over + (f"d_{element_name(on_one_line(worst.name), worst.element)}" if worst.name else "along a line"),
        unsigned(numbers.reverse, precision),
        "-" if worst.digits is None else unsigned(round(worst.digits, 1)),
        unsigned(numbers.central.value, precision),
        unsigned(numbers.central.error, 1),
        "-" if numbers.complex_step is None else unsigned(numbers.complex_step, precision),
        unsigned(worst.error, 2),
        unsigned(worst.relative_error, 2),
        f"{kind}: {why}" if why else kind,
    ]


def _record(row: Row, outputs: Sequence[str]) -> dict[str, Any]:
    record: dict[str, Any] = {"output": outputs[row.output]} if outputs else {}
    if row.name:
        record |= {"name": row.name, "index": list(row.element)}
    numbers = {
        "analytic": row.numbers.reverse,
        "digits": None if row.digits is None else round(row.digits, 1),
        "forward": row.numbers.forward,
        "central": row.numbers.central.value,
        "central_error": row.numbers.central.error,
        "step": row.numbers.central.step,
        "complex_step": row.numbers.complex_step,
        "absolute_error": row.error,
        "relative_error": row.relative_error,
    }
    record |= {name: None if value is None else np.float64(value) for name, value in numbers.items()}
    left, right = row.verdict.sides or (None, None)
    beside = {} if left is None else {"left": np.float64(left), "right": np.float64(right)}
    return record | beside | {"verdict": row.verdict.kind, "why": row.verdict.why}
