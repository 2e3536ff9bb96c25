"""What every command that differentiates at a point begins with: program, values, names to differentiate by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from cgcli.cli import operands as given
from cgcli.cli import output
from cgcli.cli.compute import evaluator, report_kinks
from cgcli.cli.point import Point, check_complete, chosen_inputs, read_point
from cgcli.cli.report import Report
from cgcli.errors import UsageError, did_you_mean
from cgcli.graph.node import name_of

if TYPE_CHECKING:
    from cgcli.derivatives.jacobian import Evaluate
    from cgcli.graph.node import Graph, Node


class Task(NamedTuple):
    """A program at a point, and the inputs to differentiate it by."""

    point: Point
    wrt: list[Node]
    report: Report

    @property
    def graph(self) -> Graph:
        """The program."""
        return self.point.graph

    @property
    def names(self) -> list[str]:
        """What the inputs are called."""
        return [name_of(node) for node in self.wrt]

    @property
    def inputs(self) -> list[output.Labelled]:
        """The inputs, as they stand on a side of a table."""
        return [output.Labelled(name_of(node), node.shape) for node in self.wrt]

    @property
    def results(self) -> list[output.Labelled]:
        """The outputs, as they stand on a side of a table."""
        names = self.graph.names or ["value"]
        return [output.Labelled(name, node.shape) for name, node in zip(names, self.graph.outputs, strict=True)]

    @property
    def evaluate(self) -> Evaluate:
        """Values at the point; a nan or an infinity on the way is reported."""
        return evaluator(self.point, self.report)

    def by_input(self, derivatives: Iterable[Any]) -> dict[str, Any]:
        """What belongs to each input, under its name."""
        return dict(zip(self.names, derivatives, strict=True))

    def print_json(self, content: Mapping[str, Any], precision: int | None) -> None:
        """Print results as one JSON object, and the warnings with them."""
        output.as_json({**content, "warnings": self.report.entries}, precision)

    def check_inputs(self) -> None:
        """Raise UsageError where there is nothing to differentiate by."""
        check_any(self.wrt)

    def report_kinks(self, moving: Sequence[Node] | None = None) -> None:
        """Report the operations on the way of the derivative that stand at a kink. moving: by other inputs than wrt."""
        report_kinks(self.point, self.wrt if moving is None else moving, self.report)


def read_task(
    operands: Sequence[str], program_file: str | None, vars_file: str | None, wrt: Sequence[str],
    *, quiet: bool, strict: bool, formulas_alone: bool = False,
) -> Task:  # fmt: skip
    """Read the program, its values and --wrt, and report what is not used.

    formulas_alone: there may be no values at all. Raises what `read_point`, `check_complete`
    and `chosen_inputs` raise.
    """
    point = read_point(given.split(operands, program_file), program_file, vars_file)
    if point.bindings or not formulas_alone:
        check_complete(point)
    report = Report(point.graph, quiet=quiet, strict=strict)
    report.reading(point.read_as)
    nodes, absent = chosen_inputs(point, ",".join(wrt) if wrt else None)
    report_names(point, absent, report)
    return Task(point, nodes, report)


def check_any(wrt: Sequence[Node]) -> None:
    """Raise UsageError where there are no names to differentiate by."""
    if not wrt:
        raise UsageError("there is nothing to differentiate by", hint="the expression has no names, as in: x^2")


def report_names(point: Point, absent: Sequence[str], report: Report) -> None:
    """Report values that are not used, and names of --wrt that the program does not read."""
    report.unused(tuple(name for name in point.unused if name not in absent))
    for name in absent:
        near = did_you_mean(name, [name_of(node) for node in point.inputs])
        report.warn(f"'{name}' is not in the expression: its derivative is 0", near, kind="absent")
