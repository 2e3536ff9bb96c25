"""The evaluation trace of a program: its steps, their tangents, and the reverse sweep contribution by contribution.

As in tables 2 and 3 of Baydin, Pearlmutter, Radul, Siskind (2018), "Automatic differentiation in
machine learning: a survey", JMLR 18(153). A trace is made of nodes and formulas; numbers are no part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from cgcli.graph.node import VARIABLE, Graph, Node, name_of
from cgcli.graph.operation import Operation
from cgcli.trace.formula import Formula
from cgcli.trace.names import step_names
from cgcli.trace.order import evaluation_order
from cgcli.trace.rules import Rules, is_literal
from cgcli.transform.differentiate import zeros
from cgcli.transform.forward import push_forward
from cgcli.transform.guarded import Guarded, total
from cgcli.transform.reverse import active_nodes, pull_back


class Tangent(NamedTuple):
    """The tangent of a step. formula: None where it is given, at an input. value: the node that computes it."""

    formula: Formula | None
    value: Node


class Step(NamedTuple):
    """A line of the trace: an input, or an operation.

    formula: None for an input. value: the node of the program. tangent: None where none was asked for.
    adjoint: the node that computes it; None where there is none.
    """

    name: str
    formula: Formula | None
    value: Node
    tangent: Tangent | None = None
    adjoint: Node | None = None


class Contribution(NamedTuple):
    """What one step's adjoint adds to the adjoint of an argument.

    to: the argument's step. source: the step that it comes from; None for the seed of an output.
    formula: what is added. value, total: the nodes that compute it, and the adjoint so far.
    first: nothing has been added before. taken: a node that is 0 where the contribution does
    not exist, as in a branch that was not taken; None where it always does.
    """

    to: str
    source: str | None
    formula: Formula
    value: Node
    total: Node
    first: bool
    taken: Node | None


class Trace(NamedTuple):
    """The steps, inputs first, and the contributions in the order of the reverse sweep.

    gradient: the adjoints of the chosen inputs, by name. functions: what the program calls its
    functions that have a derivative rule of their own.
    """

    steps: list[Step]
    contributions: list[Contribution]
    gradient: dict[str, Node]
    functions: Mapping[Node | Operation, str]

    def nodes(self) -> Iterator[Node]:
        """Every node whose value is part of the trace."""
        for step in self.steps:
            yield step.value
            if step.tangent is not None:
                yield step.tangent.value
            if step.adjoint is not None:
                yield step.adjoint
        for contribution in self.contributions:
            yield contribution.value
            yield contribution.total
            if contribution.taken is not None:
                yield contribution.taken
        yield from self.gradient.values()


def trace(
    graph: Graph, wrt: Sequence[Node], *,
    tangents: Mapping[Node, Node] | None = None, cotangents: Sequence[Node] | None = None,
) -> Trace:  # fmt: skip
    """The trace of a program.

    wrt: the inputs that have adjoints, and tangents, which are 0 unless given. tangents: for
    each input that moves a constant of its shape; None for a trace without tangents.
    cotangents: for each output a constant of its shape; None for a trace without adjoints.
    """
    order = evaluation_order(graph.outputs)
    inputs = [node for node in order if node.op is VARIABLE]
    outputs = set(graph.outputs)
    computed = [node for node in order if node.op is not VARIABLE and (node in outputs or not is_literal(node))]
    lines = [*inputs, *computed]
    names = step_names(lines, graph)
    rules = Rules(names)
    moved: dict[Node, Tangent] = {}
    if tangents is not None:
        moved = _tangents(order, active_nodes(order, {*wrt, *tangents}), tangents, rules)
    sweep = _Sweep(order, active_nodes(order, set(wrt)), names, rules)
    gradient: dict[Node, Node] = {}
    if cotangents is not None:
        sweep.run(graph.outputs, cotangents)
        gradient = {node: sweep.adjoints.get(node) or zeros(node) for node in wrt}
    adjoints = {**gradient, **sweep.adjoints}
    steps = [
        Step(names[node], None if node.op is VARIABLE else rules.value(node), node, moved.get(node), adjoints.get(node))
        for node in lines
    ]
    by_name = {name_of(node): adjoint for node, adjoint in gradient.items()}
    return Trace(steps, sweep.contributions, by_name, dict(graph.functions.items()))


def _tangents(
    order: Sequence[Node], active: set[Node], given: Mapping[Node, Node], rules: Rules
) -> dict[Node, Tangent]:
    """The tangent of every operation, and of every active input, by forward mode."""
    moved: dict[Node, Guarded | None] = {}
    found: dict[Node, Tangent] = {}
    for node in order:
        if node in given:
            moved[node] = Guarded.given(given[node])
        else:
            moved[node] = push_forward(node, [moved[arg] for arg in node.args]) if node.args else None
        tangent = moved[node]
        if node.args or node in active:
            formula = rules.tangent(node, active) if node.args else None
            found[node] = Tangent(formula, tangent.selected() if tangent else zeros(node))
    return found


class _Sweep:
    """The reverse sweep of `transform.reverse`, with every contribution recorded.

    adjoints: of all steps that have one, once it has run.
    """

    def __init__(self, order: Sequence[Node], active: set[Node], names: Mapping[Node, str], rules: Rules) -> None:
        self.contributions: list[Contribution] = []
        self.adjoints: dict[Node, Node] = {}
        self._order, self._active, self._names, self._rules = order, active, names, rules
        self._sums: dict[Node, Guarded] = {}

    def run(self, outputs: Sequence[Node], cotangents: Sequence[Node]) -> None:
        """Sweep from the outputs, each with its adjoint, to the inputs."""
        for output, cotangent in zip(outputs, cotangents, strict=True):
            seed = Guarded.given(cotangent)
            if seed is not None and output in self._active:
                self._add(output, None, seed, Formula(cotangent))
        for node in reversed(self._order):
            if node in self._sums:
                adjoint = self._sums[node]
                self.adjoints[node] = adjoint.selected()
                self._pull(node, adjoint)

    def _pull(self, node: Node, adjoint: Guarded) -> None:
        formulas = self._rules.contributions(node, self._active) if node.args else {}
        for arg, contribution in pull_back(node, adjoint, self._active):
            self._add(arg, node, contribution, formulas[arg].pop(0))

    def _add(self, to: Node, source: Node | None, contribution: Guarded, formula: Formula) -> None:
        before = self._sums.get(to)
        after = contribution if before is None else total([before, contribution])
        self._sums[to] = after
        self.contributions.append(
            Contribution(
                self._names[to], None if source is None else self._names[source], formula,
                contribution.selected(), after.selected(), before is None, contribution.guard,
            )
        )  # fmt: skip
