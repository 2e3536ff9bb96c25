"""A trace for other programs: one object, or one row of a CSV table, for each step; formulas and values in full."""

from __future__ import annotations

import csv
import io

from cgcli.annotations import Any
from cgcli.graph.node import Node
from cgcli.printing import values as printed
from cgcli.trace.formulas import Formula, Mark
from cgcli.trace.sheet import BLANK, Sheet
from cgcli.trace.steps import Trace
from cgcli.trace.text import Language

_FORMULA = 10_000  # characters; a formula with shared parts, written in full, may be longer than any memory holds

Record = dict[str, Any]


def records(trace: Trace, sheet: Sheet) -> list[Record]:
    """For each step its name, formula, shape and value; its tangent; its adjoint and the contributions to it, in order.

    None stands for a value that is left out or does not exist, and for the formula of an input.
    """
    language = Language(trace)

    def text(formula: Formula | None) -> str | None:
        return formula and language.formula(formula, _FORMULA)

    def number(mark: Mark, node: Node | None, *, given: bool = False) -> Any:
        found = BLANK if node is None else sheet.number(mark, node, given=given)
        return None if found is BLANK else found

    def rights(of: str, node: Node | None) -> Record:
        return {} if sheet.digits is None else {f"{of}digits": None if node is None else sheet.digits[node]}

    found: dict[str, Record] = {}
    has_tangents = any(step.tangent for step in trace.steps)
    for step in trace.steps:
        value = number(Mark.VALUE, step.value, given=step.formula is None)
        shape = list(step.value.shape)
        record = {"name": step.name, "formula": text(step.formula), "shape": shape, "value": value}
        record |= rights("", step.value)
        if has_tangents:
            tangent = number(Mark.TANGENT, step.tangent, given=step.tangent_formula is None)
            record |= {"tangent_formula": text(step.tangent_formula), "tangent": tangent}
            record |= rights("tangent_", step.tangent)
        if trace.gradient:
            record |= {"contributions": [], "adjoint": number(Mark.ADJOINT, step.adjoint)}
            record |= rights("adjoint_", step.adjoint)
        found[step.name] = record
    for each in trace.contributions:
        value = number(Mark.ADJOINT, each.value, given=each.source is None)
        contribution = {"from": each.source, "formula": text(each.formula), "value": value}
        kink = sheet.kink(each)
        if kink is not None:
            contribution["kink"] = {"left": kink.left, "right": kink.right, "chosen": kink.chosen}
        found[each.to]["contributions"].append(contribution)
    return list(found.values())


def as_csv(trace: Trace, sheet: Sheet, precision: int | None) -> str:
    """The records as a table; contributions as their formulas added up, and as a list of their values."""

    def cell(item: Any) -> str:
        return "" if item is None else item if isinstance(item, str) else printed.value(item, precision)

    rows = []
    for record in records(trace, sheet):
        contributions = record.pop("contributions", None)
        if contributions is not None:
            adjoint = record.pop("adjoint")
            record["adjoint_formula"] = " + ".join(each["formula"] for each in contributions).replace(" + -", " - ")
            record["contributions"] = "; ".join(cell(each["value"]) for each in contributions).strip("; ")
            record["adjoint"] = adjoint
        rows.append({name: cell(item) for name, item in record.items()})
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().rstrip("\n")
