"""The evaluation trace of a program: its steps, their tangents, and the reverse pass contribution by contribution.

As in tables 2 and 3 of Baydin, Pearlmutter, Radul, Siskind (2018), "Automatic differentiation in
machine learning: a survey", JMLR 18(153). Tangents and adjoints are those of the passes that all other
commands use, recorded. A trace is made of nodes and formulas; numbers are no part of it.
"""

from __future__ import annotations

from cgcli.annotations import Iterable, Iterator, Mapping, Sequence
from cgcli.graph.node import VARIABLE, Graph, Node, name_of
from cgcli.ops.fitting import zeros_like
from cgcli.printing.names import free_letter
from cgcli.printing.printer import Names
from cgcli.records import NamedTuple
from cgcli.trace.formulas import Formula, Formulas, is_literal
from cgcli.transform.differentiate import adjoints, pushforward
from cgcli.transform.passes import evaluation_order, reverse_order
from cgcli.transform.reverse import Flow, active_nodes

_LETTERS = ("v", "u", "w", "t", "s", "step")


class Step(NamedTuple):
    """A line of the trace: an input, or an operation.

    formula: None for an input. value: the node of the program. tangent, adjoint: the nodes that
    compute them, None where there is none. tangent_formula: None where the tangent is given, at an input.
    """

    name: str
    formula: Formula | None
    value: Node
    tangent_formula: Formula | None
    tangent: Node | None
    adjoint: Node | None


class Contribution(NamedTuple):
    """What one step's adjoint adds to the adjoint of an argument.

    to: the argument's step. source: the step that it comes from; None for the cotangent of an output.
    formula: what is added. value, total: the nodes that compute it, and the adjoint so far.
    first: nothing has been added before. flow: the operation that it comes from and the argument that it goes to;
    None at an output. taken: a node that is 0 where the contribution does
    not exist, as in a branch that was not taken; None where it always does.
    """

    to: str
    source: str | None
    formula: Formula
    value: Node
    total: Node
    first: bool
    taken: Node | None
    flow: tuple[Node, Node] | None = None


class Trace(NamedTuple):
    """The steps, inputs first, and the contributions in the order of the reverse pass.

    gradient: the adjoints of the chosen inputs, by name. functions: what the program calls its
    functions that have a derivative rule of their own.
    """

    steps: list[Step]
    contributions: list[Contribution]
    gradient: dict[str, Node]
    functions: Names

    def nodes(self) -> Iterator[Node]:
        """Every node whose value is part of the trace."""
        for step in self.steps:
            yield from (node for node in (step.value, step.tangent, step.adjoint) if node is not None)
        for each in self.contributions:
            yield from (node for node in (each.value, each.total, each.taken) if node is not None)
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
    operations = [node for node in order if node.op is not VARIABLE and (node in outputs or not is_literal(node))]
    names = step_names([*inputs, *operations], graph)
    formulas = Formulas(names)
    moving = active_nodes(order, {*wrt, *(tangents or ())})
    pushed = {} if tangents is None else dict(zip(order, pushforward(order, tangents), strict=True))
    flows: list[Flow] = []
    pulled: dict[Node, Node] = {}
    if cotangents is not None:
        pulled = {node: zeros_like(node) for node in wrt}
        pulled |= adjoints(graph.outputs, cotangents, wrt, flows.append)
    steps = [
        Step(names[node], None, node, None, pushed.get(node) if node in moving else None, pulled.get(node))
        for node in inputs
    ]
    for node in operations:
        tangent = formulas.tangent(node, moving) if pushed and node.args else None
        value = pushed.get(node) if node.args else None
        steps.append(Step(names[node], formulas.value(node), node, tangent, value, pulled.get(node)))
    contributions = [*_contributions(flows, order, names, formulas, active_nodes(order, set(wrt)))]
    gradient = {name_of(node): pulled[node] for node in wrt} if pulled else {}
    return Trace(steps, contributions, gradient, dict(graph.functions.items()))


def _contributions(
    flows: Sequence[Flow], order: Sequence[Node], names: Mapping[Node, str], formulas: Formulas, active: set[Node]
) -> Iterator[Contribution]:
    """What the reverse pass has added, in the order of the pass."""
    rules: dict[Node, dict[Node, Iterator[Formula]]] = {}
    for source, target, added, so_far in reverse_order(flows, order):
        if source and source not in rules:
            rules[source] = formulas.contributions(source, active)
        formula = Formula(added.value)
        if source:  # a loop of one trip may read what it does not depend on, as in a condition
            formula = next(rules[source].get(target, iter(())), Formula(zeros_like(target)))
        yield Contribution(
            names[target], names[source] if source else None, formula,
            added.selected(), so_far.selected(), so_far is added, added.guard,
            (source, target) if source else None,
        )  # fmt: skip


def step_names(order: Iterable[Node], graph: Graph) -> dict[Node, str]:
    """A name for each of the nodes: inputs and what the program names keep theirs, others are v1, v2, … in order."""
    names = {node: name_of(node) for node in order if node.op is VARIABLE}
    taken = set(names.values())
    for node in order:
        label = graph.labels.get(node)
        if label is not None and label not in taken:
            names[node] = label
            taken.add(label)
    letter = free_letter(taken, _LETTERS)
    others = (node for node in order if node not in names)
    return names | {node: f"{letter}{at}" for at, node in enumerate(others, start=1)}
