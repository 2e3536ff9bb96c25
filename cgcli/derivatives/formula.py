"""The derivative as a formula that a person would write: by the rules of the table in their book form, simplified."""

from __future__ import annotations

from itertools import chain

from cgcli.algebra.algebraic import Simplifier
from cgcli.algebra.budget import Budget
from cgcli.annotations import Sequence
from cgcli.derivatives.book import Expanded, expanded
from cgcli.derivatives.gradient import derivative_name
from cgcli.errors import TooLargeError
from cgcli.graph.loops import Loop
from cgcli.graph.node import Graph, Node, constant, name_of, toposort
from cgcli.transform.differentiate import jvp, vjp
from cgcli.transform.formulas import Slopes

# Forward mode gives the chain rule as a book writes it, one name after the other; beyond so many
# operations for all names together, reverse mode gives all of them at once, and they share their parts.
_MOST_FORWARD = 6_000
_HIGHER_STEPS = 5  # to simplify a node of a formula of higher order, where it is large


def derivative(graph: Graph, wrt: Sequence[Node], order: int = 1) -> Graph:
    """The derivatives of a graph's only output by each of some inputs, as formulas.

    wrt: variables; the output is a scalar, or all of them are. order: how often to differentiate by each
    of them; more than once only by scalars. One output for each of them, of the shape of the output or of
    the variable, called d_x, or d2_x for the second order. At a kink or an edge of its domain a formula
    has the value that it has there as it stands, not the one that the tables of conventions choose.
    Raises TooLargeError when formulas of higher order grow beyond bounds.
    """
    simplifier = Simplifier()
    budget = Budget(graph.outputs)
    graph = simplifier.where_defined(graph, budget)
    apart = _can_be_read(graph.output, wrt)
    slopes = _slopes(graph.output, wrt)
    first = Budget(slopes, before=budget)
    outputs = _simplified(graph, slopes, simplifier, first, apart)
    if order > 1:  # one for all higher orders
        budget = Budget(outputs, each=_HIGHER_STEPS, before=first if first.is_spent else None)
    for reached in range(1, order):
        for output in outputs:
            budget.spend(_size(output))
            if budget.is_spent:
                break
        else:
            slopes = _each_slope(outputs, wrt)
            budget.spend(_size(*slopes))
            outputs = _simplified(graph, slopes, simplifier, budget, apart)
        if budget.is_spent:
            raise TooLargeError(
                f"the derivative of order {reached + 1} takes more than {budget.most} steps to simplify",
                hint=f"ask for order {reached}, or for numbers at a point, which cost less: jvp, with an order",
                topic=f"formula:{reached}",
            )
    found = _with(graph, simplifier.for_readers(outputs))
    return found._replace(names=derivative_names([name_of(node) for node in wrt], order)) if len(wrt) > 1 else found


def _size(*outputs: Node) -> int:
    """How many nodes formulas have, those in the bodies of loops included."""
    size, waiting = 0, [toposort(outputs)]
    while waiting:
        nodes = waiting.pop()
        size += len(nodes)
        waiting.extend(toposort(node.params.nexts) for node in nodes if isinstance(node.params, Loop))
    return size


def in_book_form(output: Node, by: Node) -> Node:
    """The derivative of a node by a leaf, by the rules in their book form; not simplified."""
    return _slopes(output, (by,))[0]


def derivative_names(wrt: Sequence[str], order: int = 1) -> tuple[str, ...]:
    """What the derivatives by some names are called: d_x, or d2_x for the second order."""
    prefix = f"d{order}_" if order > 1 else "d_"
    return tuple(derivative_name("", name, prefix) for name in wrt)


def _simplified(
    graph: Graph, slopes: tuple[Node, ...], simplifier: Simplifier, budget: Budget, apart: bool
) -> tuple[Node, ...]:
    """Derivatives in their simplest form: each as it is alone, apart from the others, or all together."""
    groups = [(slope,) for slope in slopes] if apart else [slopes]
    return tuple(chain.from_iterable(simplifier(_with(graph, group), budget).outputs for group in groups))


def _with(graph: Graph, outputs: tuple[Node, ...]) -> Graph:
    return graph._replace(outputs=outputs, origins={}, idle=(), names=())


def _slopes(output: Node, wrt: Sequence[Node]) -> tuple[Node, ...]:
    """The derivative by each variable, not yet simplified."""
    primal = expanded(output)
    found = _by_rules(primal, wrt, primal.slopes(wrt))
    if primal.chooses and not all(primal.domains.keeps(slope, output) for slope in found):
        # a slope has no value where the program has one
        return _by_rules(primal, wrt, primal.slopes(wrt, select=True))
    return found


def _by_rules(primal: Expanded, wrt: Sequence[Node], slopes: Slopes) -> tuple[Node, ...]:
    """The derivatives by the partials given, by each variable."""
    output = primal.output
    few = _can_be_read(output, wrt)
    forward = [node for node in wrt if not node.shape and (output.shape or few)]
    backward = [node for node in wrt if node not in forward]
    found = {node: jvp(output, {node: constant(1.0)}, slopes) for node in forward}
    if backward:
        found |= zip(backward, vjp(output, constant(1.0), backward, slopes), strict=True)
    return primal.as_written([found[node] for node in wrt])


def _each_slope(outputs: Sequence[Node], wrt: Sequence[Node]) -> tuple[Node, ...]:
    """The derivative of each output by its variable."""
    return tuple(_slopes(output, [node])[0] for output, node in zip(outputs, wrt, strict=True))


def _can_be_read(output: Node, wrt: Sequence[Node]) -> bool:
    """Whether a formula is small enough, for so many names, for each derivative to be found for itself."""
    return len(wrt) * len(toposort([output])) <= _MOST_FORWARD
