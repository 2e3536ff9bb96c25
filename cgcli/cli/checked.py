"""What `cg check` found, as a table and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from cgcli.check.check import Check, Row
from cgcli.check.verdict import KINDS
from cgcli.cli.output import on_one_line
from cgcli.graph.shapes import element_name
from cgcli.printing.values import in_longer_name, number

_HEAD = ["", "analytic", "central", "+/-", "complex step", "abs error", "rel error", ""]
_DIGITS = 12  # of a difference there are no more


def text(found: Check, outputs: Sequence[str], precision: int | None) -> Iterator[str]:
    """A table with a line for each input, the slopes of the Taylor remainders, and what else there is to say."""
    lines = [_HEAD, *(_line(group, outputs, precision or _DIGITS) for group in _by_input(found.rows))]
    if found.left_out:
        lines += [_line([row], outputs, precision or _DIGITS) for row in found.line]
    if len(lines) > 1:
        yield from _aligned(lines)
    for row, slope in zip(found.line, found.slopes, strict=True):
        of = f"{on_one_line(outputs[row.output])}: " if outputs else ""
        remainder = f"{of}Taylor remainder |f(x + h*v) - f(x) - h*f'(x)*v|"
        if slope is not None:
            wrong = slope < 1.5 and row.verdict.kind == "mismatch"
            yield f"{remainder} falls as h^{slope:.2f}{', and should as h^2' * wrong}"
        elif row.verdict.kind == "ok":
            yield f"{remainder} is no more than rounding"
    yield from _notes(found)


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


def _by_input(rows: Sequence[Row]) -> list[list[Row]]:
    groups: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.output, row.name), []).append(row)
    return [groups[key] for key in sorted(groups, key=lambda key: key[0])]


def _line(group: Sequence[Row], outputs: Sequence[str], precision: int) -> list[str]:
    """The cells for the worst of some derivatives."""
    worst = min(group, key=lambda row: (KINDS.index(row.verdict.kind), -row.error if row.error >= 0 else 0.0))
    numbers, (kind, why) = worst.numbers, worst.verdict
    if len(group) > 1:
        count = Counter(row.verdict.kind for row in group)[kind]
        kind += f" (worst of {count})" if count == len(group) else f" ({count} of {len(group)})"
    return [
        _name(worst, outputs),
        number(numbers.reverse, precision),
        number(numbers.central.value, precision),
        number(numbers.central.error, 1),
        "-" if numbers.complex_step is None else number(numbers.complex_step, precision),
        number(worst.error, 2),
        number(worst.relative_error, 2),
        f"{kind}: {why}" if why else kind,
    ]


def _name(row: Row, outputs: Sequence[str]) -> str:
    over = f"d_{in_longer_name(on_one_line(outputs[row.output]))}/" if outputs else ""
    return f"{over}d_{element_name(on_one_line(row.name), row.element)}" if row.name else f"{over}along a line"


def _aligned(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def members(found: Check, outputs: Sequence[str]) -> dict[str, Any]:
    """The same for JSON, with every element that was checked."""
    return {
        "agrees": not found.mismatches,
        "derivatives": [_record(row, outputs) for row in found.rows],
        "line": [_record(row, outputs) for row in found.line],
        "slope": [None if slope is None else np.float64(slope) for slope in found.slopes],
        "count": found.total,
        "notes": list(_notes(found)),
    }


def _record(row: Row, outputs: Sequence[str]) -> dict[str, Any]:
    numbers = row.numbers
    return {
        **({"output": outputs[row.output]} if outputs else {}),
        **({"name": row.name, "index": list(row.element)} if row.name else {}),
        "analytic": np.float64(numbers.reverse),
        "forward": np.float64(numbers.forward),
        "central": np.float64(numbers.central.value),
        "central_error": np.float64(numbers.central.error),
        "step": np.float64(numbers.central.step),
        "complex_step": None if numbers.complex_step is None else np.float64(numbers.complex_step),
        "absolute_error": np.float64(row.error),
        "relative_error": np.float64(row.relative_error),
        "verdict": row.verdict.kind,
        "why": row.verdict.why,
    }
