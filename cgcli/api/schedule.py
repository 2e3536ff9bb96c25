"""The plan of an evaluation over rows, in words and numbers: what `cg plan` prints."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Iterator, Mapping, Sequence
from cgcli.evaluate.plan import Plan, bytes_of, plan
from cgcli.graph.loops import Loop, LoopAdjoint, States
from cgcli.graph.node import VARIABLE, Node, name_of
from cgcli.graph.operation import Callee
from cgcli.graph.work import work_of
from cgcli.printing.expression import formula
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from cgcli.api.columns import Results
    from cgcli.api.point import Point

_LONGEST = 60  # characters of an operation


class Line(NamedTuple):
    """One operation: where its result goes, what it computes, how many bytes it reads and writes."""

    result: str
    operation: str
    flops: int
    bytes: int


class Schedule(NamedTuple):
    """The plan: what is computed once for all rows, and then for each row."""

    plan: Plan
    once: list[Line]
    steps: list[Line]

    def text(self) -> Iterator[str]:
        """The lines of a table, and of what they add up to."""
        width = max((len(f"{line.result} = {line.operation}") for line in (*self.once, *self.steps)), default=0)
        for title, lines in (("once for all rows", self.once), ("for each row", self.steps)):
            if lines:
                yield f"{title:{width}}  {'flops':>8}  {'bytes':>8}"
                yield from (
                    f"{f'{item.result} = {item.operation}':{width}}  {item.flops:>8}  {item.bytes:>8}" for item in lines
                )
                yield f"{'':{width}}  {sum(item.flops for item in lines):>8}  {sum(item.bytes for item in lines):>8}"
                yield ""
        plan = self.plan
        if self.once:
            yield f"memory once\t{plan.once_bytes} bytes, for what is computed once and what it reads"
        yield f"buffers without reuse\t{len(plan.without_reuse)}, {bytes_of(plan.without_reuse)} bytes for a row"
        yield f"buffers\t{len(plan.buffers)}, {plan.row_bytes} bytes for a row"
        yield f"rows in a block\t{plan.rows}"
        yield f"peak memory\t{plan.rows * plan.row_bytes} bytes, for the buffers of a block in one thread"

    def members(self) -> dict[str, Any]:
        """The same for JSON."""
        plan = self.plan
        return {
            "once": [line._asdict() for line in self.once],
            "steps": [line._asdict() for line in self.steps],
            "flops": sum(line.flops for line in self.steps),
            "bytes": sum(line.bytes for line in self.steps),
            "buffers": {"before": len(plan.without_reuse), "after": len(plan.buffers)},
            "row_bytes": {"before": bytes_of(plan.without_reuse), "after": plan.row_bytes},
            "once_bytes": plan.once_bytes,
            "rows": plan.rows,
            "peak": plan.rows * plan.row_bytes,
        }


def planned(point: Point, results: Results) -> Schedule:
    """How results are computed over many rows; inputs with values hold for all rows, the others vary.

    The buffers are called b1, b2, …, and what is computed once c1, c2, …. An output that lies in a buffer, or
    is no operation, is copied at the end.
    """
    names, outputs = zip(*results, strict=True)
    held = [node for node in point.inputs if name_of(node) in point.bindings]
    plan_ = plan(outputs, [node for node in point.inputs if node not in held], held)
    inputs = [name_of(node) for node in (*plan_.columns, *plan_.fixed) if node.op is VARIABLE]
    buffer, fixed = (_unlike([*inputs, *names], letter) for letter in "bc")
    named: dict[Node | Callee, str] = {}
    once = []
    for at, node in enumerate(plan_.once, 1):
        once.append(
            Line(
                f"{fixed}{at}",
                _operation(node, named, "the point"),
                work_of(node),
                sum(map(_bytes, (node, *node.args))),
            )
        )
        named[node] = f"{fixed}{at}"
    first = dict(zip(plan_.outputs[::-1], names[::-1], strict=True))
    per_row = {node: _bytes(node) for node in plan_.columns}
    steps = []
    for node, needs, chosen, _ in plan_.steps:
        per_row[node] = needs.row_bytes
        moved = needs.row_bytes + sum(per_row.get(arg, 0) for arg in node.args)
        name = first[node] if chosen is None else f"{buffer}{chosen + 1}"
        steps.append(Line(name, _operation(node, named, "each row"), work_of(node), moved))
        named[node] = name
    for name, node in zip(names, plan_.outputs, strict=True):
        if named.get(node) != name:
            steps.append(Line(name, formula(node, _LONGEST, named), 0, per_row.get(node, 0) + _bytes(node)))
    return Schedule(plan_, once, steps)


def _operation(node: Node, named: Mapping[Node | Callee, str], who: str) -> str:
    """A node as text; of a loop, how many trips it makes, and what its reverse pass keeps of each. who: makes them."""
    params = node.params
    if not isinstance(params, Loop | States | LoopAdjoint):
        return formula(node, _LONGEST, named)
    many = f"the trips of {who}" if params.trips is None else f"{params.trips} trips"
    if isinstance(params, LoopAdjoint):
        kept = sum(map(_bytes, params.body.parameters[: params.loop.carries]))
        return f"loop, run back × {many}, {kept} bytes kept of each"
    return f"loop × {many}{', and their values' * isinstance(params, States)}"


def _bytes(node: Node) -> int:
    return 8 * math.prod(node.shape)


def _unlike(names: Sequence[str], letter: str) -> str:
    """A prefix, the letter and as many underscores as it takes, that no name begins with."""
    while any(name.startswith(letter) for name in names):
        letter += "_"
    return letter
