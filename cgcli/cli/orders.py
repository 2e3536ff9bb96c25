"""Derivatives of several orders along a direction, as lines and as members of a JSON object."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence
from cgcli.printing.values import in_longer_name
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from cgcli.api.point import Point
    from cgcli.cli.request import Task
    from cgcli.graph.node import Node


class Orders(NamedTuple):
    """What `series` found at a point. taylor: whether it is Taylor coefficients."""

    point: Point
    found: Any
    taylor: bool

    def of_order(self, order: int) -> Any:
        """The derivatives of order 0 or 1, for each output."""
        return self.point.by_output([numbers[order] for _, numbers in self.point.per_output(self.found)])

    def lines(self, called: Callable[[str, str], str]) -> Iterator[tuple[str, Any]]:
        """A name and a value for each order.

        called: what a derivative is called, from the name of the output, '' for the only one, and
        the order, '' for 1. Coefficients, of t^0, t^1, …, are called c0, c1, ….
        """
        for name, numbers in self.point.per_output(self.found):
            if self.taylor:
                of = f"_{in_longer_name(name)}" if name else ""
                yield from ((f"c{k}{of}", item) for k, item in enumerate(numbers))
            else:
                yield name or "value", numbers[0]
                yield from ((called(name, "" if k == 1 else str(k)), item) for k, item in enumerate(numbers[1:], 1))

    def members(self) -> dict[str, Any]:
        """What the JSON says of orders above 1: `derivatives`, a list from order 1 on, or `taylor`, from order 0 on."""
        lists = [numbers if self.taylor else numbers[1:] for _, numbers in self.point.per_output(self.found)]
        if len(lists[0]) < 2 and not self.taylor:
            return {}
        return {"taylor" if self.taylor else "derivatives": self.point.by_output(lists)}


def orders(task: Task, directions: Sequence[Mapping[Node, Node]]) -> Orders:
    """The derivatives along the first direction, the first two, and so on; with --taylor the coefficients."""
    from cgcli.api.series import series

    request, point = task.request, task.point
    found = task.computed(
        lambda kernels: series(point, directions, task.report.tell, coefficients=request.taylor, kernels=kernels)
    )
    return Orders(point, found, request.taylor)
