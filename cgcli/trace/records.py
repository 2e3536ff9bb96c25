"""A trace for other programs: one object, or one row of a CSV table, for each step; formulas and values in full."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from cgcli.printing import values as printed
from cgcli.trace.cells import Language
from cgcli.trace.formula import Formula, Mark
from cgcli.trace.sheet import BLANK, Sheet
from cgcli.trace.steps import Contribution, Step, Trace

_FORMULA = 10_000  # characters; what shares its parts may spell out to more than any memory holds

Record = dict[str, Any]


def records(trace: Trace, sheet: Sheet) -> list[Record]:
    """For each step its name, formula, shape and value; its tangent; its adjoint and what adds up to it, in order.

    None stands for a value that is left out or that there is not, and for the formula of an input.
    """
    language = Language(trace)
    to: dict[str, list[Record]] = {step.name: [] for step in trace.steps}
    for each in trace.contributions:
        to[each.to].append(_contribution(language, sheet, each))
    has_tangents = any(step.tangent for step in trace.steps)
    return [
        _step(language, sheet, step)
        | (_tangent(language, sheet, step) if has_tangents else {})
        | ({"contributions": to[step.name], "adjoint": _adjoint(sheet, step)} if trace.gradient else {})
        for step in trace.steps
    ]


def as_csv(trace: Trace, sheet: Sheet, precision: int | None) -> str:
    """The records as a table; contributions as their formulas added up, and as a list of their values."""
    rows = [_row(record, precision) for record in records(trace, sheet)]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().rstrip("\n")


def _step(language: Language, sheet: Sheet, step: Step) -> Record:
    value = sheet.number(Mark.VALUE, step.value, given=step.formula is None)
    return {
        "name": step.name, "formula": _formula(language, step.formula),
        "shape": list(step.value.shape), "value": _or_none(value),
    }  # fmt: skip


def _tangent(language: Language, sheet: Sheet, step: Step) -> Record:
    if step.tangent is None:
        return {"tangent_formula": None, "tangent": None}
    number = sheet.number(Mark.TANGENT, step.tangent.value, given=step.tangent.formula is None)
    return {"tangent_formula": _formula(language, step.tangent.formula), "tangent": _or_none(number)}


def _contribution(language: Language, sheet: Sheet, each: Contribution) -> Record:
    number = sheet.number(Mark.ADJOINT, each.value, given=each.source is None)
    return {"from": each.source, "formula": _formula(language, each.formula), "value": _or_none(number)}


def _adjoint(sheet: Sheet, step: Step) -> Any:
    return None if step.adjoint is None else _or_none(sheet.number(Mark.ADJOINT, step.adjoint))


def _formula(language: Language, formula: Formula | None) -> str | None:
    return formula and language.formula(formula, _FORMULA)


def _or_none(number: Any) -> Any:
    return None if number is BLANK else number


def _row(record: Record, precision: int | None) -> dict[str, str]:
    cells = dict(record)
    if "contributions" in record:
        contributions = cells.pop("contributions")
        cells.pop("adjoint")
        cells["adjoint_formula"] = _added([each["formula"] for each in contributions])
        cells["contributions"] = "; ".join(_cell(each["value"], precision) for each in contributions).strip("; ")
        cells["adjoint"] = record["adjoint"]
    cells["shape"] = printed.value(record["shape"])
    return {name: _cell(cell, precision) for name, cell in cells.items()}


def _cell(cell: Any, precision: int | None) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else printed.value(cell, precision)


def _added(formulas: Sequence[str]) -> str:
    return " + ".join(formulas).replace(" + -", " - ")
