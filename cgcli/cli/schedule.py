"""The plan of an evaluation over rows, in words and numbers: what `cg plan` prints."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cgcli.evaluate.plan import Plan, bytes_of
from cgcli.graph.node import VARIABLE, Node, name_of
from cgcli.graph.operation import Operation
from cgcli.graph.work import work_of
from cgcli.printing.expression import formula

_LONGEST = 60  # characters of an operation


class Line(NamedTuple):
    """One operation: where its result goes, what it computes, how many bytes it reads and writes."""

    result: str
    operation: str
    flops: int
    bytes: int


class Schedule(NamedTuple):
    """What is computed once for all rows, and then for each row."""

    once: list[Line]
    steps: list[Line]


def schedule(plan: Plan, results: Sequence[str]) -> Schedule:
    """The operations of a plan, with names for its buffers, b1, b2, …, and for what is computed once, c1, c2, ….

    results: what the outputs are called. An output that lies in a buffer, or is no operation, is copied at the end.
    """
    inputs = [name_of(node) for node in (*plan.columns, *plan.fixed) if node.op is VARIABLE]
    buffer, fixed = (_unlike([*inputs, *results], letter) for letter in "bc")
    named: dict[Node | Operation, str] = {}
    once = []
    for at, node in enumerate(plan.once, 1):
        once.append(
            Line(f"{fixed}{at}", formula(node, _LONGEST, named), work_of(node), sum(map(_bytes, (node, *node.args))))
        )
        named[node] = f"{fixed}{at}"
    first = dict(zip(plan.outputs[::-1], results[::-1], strict=True))
    per_row = {node: _bytes(node) for node in plan.columns}
    steps = []
    for node, home, place, _ in plan.steps:
        per_row[node] = home.row_bytes
        moved = home.row_bytes + sum(per_row.get(arg, 0) for arg in node.args)
        name = first[node] if place is None else f"{buffer}{place + 1}"
        steps.append(Line(name, formula(node, _LONGEST, named), work_of(node), moved))
        named[node] = name
    for name, node in zip(results, plan.outputs, strict=True):
        if named.get(node) != name:
            steps.append(Line(name, formula(node, _LONGEST, named), 0, per_row.get(node, 0) + _bytes(node)))
    return Schedule(once, steps)


def table(plan: Plan, found: Schedule) -> Iterator[str]:
    """The lines of the table, and of what they add up to."""
    width = max((len(f"{line.result} = {line.operation}") for line in (*found.once, *found.steps)), default=0)
    for title, lines in (("once for all rows", found.once), ("for each row", found.steps)):
        if lines:
            yield f"{title:{width}}  {'flops':>8}  {'bytes':>8}"
            yield from (
                f"{f'{item.result} = {item.operation}':{width}}  {item.flops:>8}  {item.bytes:>8}" for item in lines
            )
            yield f"{'':{width}}  {sum(item.flops for item in lines):>8}  {sum(item.bytes for item in lines):>8}"
            yield ""
    before = plan.without_reuse
    yield f"buffers without reuse\t{len(before)}, {bytes_of(before)} bytes for a row"
    yield f"buffers\t{len(plan.buffers)}, {plan.row_bytes} bytes for a row"
    yield f"rows in a block\t{plan.rows}"
    yield f"peak memory\t{plan.rows * plan.row_bytes} bytes, for the buffers of a block in one thread"


def _bytes(node: Node) -> int:
    return 8 * math.prod(node.shape)


def _unlike(names: Sequence[str], letter: str) -> str:
    """A prefix, the letter and as many underscores as it takes, that no name begins with."""
    while any(name.startswith(letter) for name in names):
        letter += "_"
    return letter
