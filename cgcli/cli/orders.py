"""Derivatives of several orders along a direction: computed, and as rows or members of a JSON object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cgcli.cli import output
from cgcli.derivatives.series import directional_derivatives, taylor_coefficients
from cgcli.printing.values import within

if TYPE_CHECKING:
    from cgcli.cli.task import Task
    from cgcli.graph.node import Node

Series = list[list[Any]]
"""For each output, its value and its derivatives of order 1, 2, …"""


def series(task: Task, tangents: Mapping[Node, Node], order: int) -> Series:
    """The derivatives of each output along the tangents, up to an order."""
    outputs = task.graph.outputs
    nodes = directional_derivatives(outputs, tangents, order)
    numbers = iter(task.evaluate([node for same_order in nodes for node in same_order]))
    by_order = [[next(numbers) for _ in outputs] for _ in nodes]
    task.report_kinks(list(tangents))
    return [list(of_output) for of_output in zip(*by_order, strict=True)]


def rows(task: Task, found: Series, called: Callable[[str, str], str], *, taylor: bool) -> Iterator[tuple[str, Any]]:
    """One row for each order.

    called: what a derivative is called, from the name of the output, '' for the only one, and
    the order, '' for 1. taylor: the coefficients of t^0, t^1, … instead: `c0`, `c1`.
    """
    for name, values in zip(task.graph.names or [""], found, strict=True):
        if taylor:
            of = f"_{within(name)}" if name else ""
            yield from ((f"c{k}{of}", item) for k, item in enumerate(taylor_coefficients(values)))
            continue
        yield name or "value", values[0]
        yield from ((called(name, "" if k == 1 else str(k)), item) for k, item in enumerate(values[1:], 1))


def members(task: Task, found: Series, *, taylor: bool) -> dict[str, Any]:
    """What the JSON says of orders above 1: `derivatives`, a list from order 1 on, or `taylor`, from order 0 on."""
    lists = [taylor_coefficients(values) if taylor else values[1:] for values in found]
    if len(found[0]) <= 2 and not taylor:
        return {}
    return {"taylor" if taylor else "derivatives": output.named(task.graph, lists)}
