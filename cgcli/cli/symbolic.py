"""Formulas in, formulas out: the program and the names of `cg diff`, and how it writes what it found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import NamedTuple

from cgcli.cli.operands import Operands
from cgcli.cli.point import Point, chosen_inputs, read_point
from cgcli.cli.report import Report
from cgcli.cli.seeds import weights_together
from cgcli.cli.task import check_any
from cgcli.errors import TooLargeError, UsageError, did_you_mean
from cgcli.evaluate.constants import as_constant
from cgcli.graph.node import Graph, Node, apply, constant, constant_elements, name_of, toposort, variables
from cgcli.graph.rules import own_rule
from cgcli.graph.shapes import shape_text
from cgcli.ops.arithmetic import ADD, MULTIPLY
from cgcli.ops.sums import SUM
from cgcli.printing.latex import latex, latex_partials
from cgcli.printing.length import flat_length, worth_a_name
from cgcli.printing.program import names, statements
from cgcli.transform.substitute import rebuilt

_LONGEST_FLAT = 10**6  # characters


class Symbolic(NamedTuple):
    """A program with one result, and the names to differentiate it by."""

    graph: Graph
    wrt: list[Node]


def read_symbolic(
    operands: Operands, program_file: str | None, vars_file: str | None, wrt: Sequence[str], order: int,
    cotangent: str | None, *, quiet: bool, strict: bool,
) -> Symbolic:  # fmt: skip
    """Read a program, put the numbers that are given in their places, and choose the names to differentiate by.

    Raises UsageError for a name that is not there and for what has no formula; what `read_point` raises.
    """
    point = read_point(operands, program_file, vars_file)
    report = Report(point.graph, quiet=quiet, strict=strict)
    report.reading(point.read_as)
    report.unused(point.unused)
    given = {node: value for node in point.inputs if (value := point.bindings.get(name_of(node))) is not None}
    numbers = {node: value for node, value in given.items() if not node.shape}
    chosen = _chosen(point, wrt) if wrt else [node for node in point.inputs if node not in numbers] or [*point.inputs]
    check_any(chosen)
    for node in chosen:
        if node in numbers:
            report.warn(f"the value of '{name_of(node)}' is not used: the formula holds for all of them",
                        "for the number, use cg grad", kind="unused")  # fmt: skip
    known = {node: as_constant(value) for node, value in numbers.items() if node not in chosen}
    graph = _one_result(rebuilt(point.graph, known=known), cotangent)
    _check_shapes(graph.output, chosen, order)
    for node in _steps(graph.output, chosen):
        report.warn(f"{node.op.name} counts as a constant: {node.op.why_no_derivative}", kind="step")
    return Symbolic(graph, chosen)


def written(graph: Graph, *, flat: bool) -> str:
    """Formulas as a program, a statement on each line.

    flat: without names for shared parts; else those are named that are worth it. Raises
    TooLargeError when the text would be too long for anybody.
    """
    return "\n".join(statements(graph, _named(graph, flat)))


def written_in_latex(graph: Graph, wrt: Sequence[str], order: int, *, flat: bool) -> str:
    """The derivatives by some names as LaTeX: one formula, or lines with partial derivatives on the left.

    flat and the error are as in `written`.
    """
    named = _named(graph, flat)
    nodes = toposort(graph.outputs)
    if len(wrt) == 1 and not named and not any(own_rule(node.op) for node in nodes):
        return latex(graph, named)
    taken = {*wrt, *named.values(), *graph.functions.values(), *map(name_of, variables(nodes))}
    return latex(graph, named, latex_partials(wrt, order, taken))


def _named(graph: Graph, flat: bool) -> dict[Node, str]:
    """The parts that have names in the text."""
    if flat and (length := flat_length(graph)) > _LONGEST_FLAT:
        raise TooLargeError(f"written out, the formula would take {_characters(length)}",
                            hint="without --flat, its shared parts have names")  # fmt: skip
    return names(graph, [] if flat else worth_a_name(graph))


def each(graph: Graph) -> Iterator[Graph]:
    """The results of a graph, each as a graph of its own."""
    return (graph._replace(outputs=(output,), names=()) for output in graph.outputs)


def _chosen(point: Point, wrt: Sequence[str]) -> list[Node]:
    nodes, absent = chosen_inputs(point, ",".join(wrt))
    if absent:
        inputs = [name_of(node) for node in point.inputs]
        hint = did_you_mean(absent[0], inputs) or f"the inputs are: {', '.join(inputs[:20]) or 'none'}"
        raise UsageError(f"--wrt '{absent[0]}' is not in the expression", hint=hint)
    return nodes


def _one_result(graph: Graph, cotangent: str | None) -> Graph:
    """The graph, all elements of its results added up with the weights of the cotangent if there is one."""
    if cotangent is None and len(graph.outputs) == 1:
        return graph
    weights = weights_together(graph, cotangent)
    counted = [(weight, output) for weight, output in zip(weights, graph.outputs, strict=True) if _counts(weight)]
    parts = [_weighed(output, weight) for weight, output in counted] or [constant(0.0)]
    return graph._replace(outputs=(reduce(lambda total, part: apply(ADD, (total, part)), parts),), names=())


def _counts(weight: Node) -> bool:
    """Whether a weight leaves anything of a result: one that is left out may be infinite."""
    return any(constant_elements(weight))


def _weighed(output: Node, weight: Node) -> Node:
    axes = tuple(range(-len(weight.shape), 0))
    product = apply(MULTIPLY, (weight, output))
    return apply(SUM, (product,), (axes, False)) if axes else product


def _check_shapes(output: Node, wrt: Sequence[Node], order: int) -> None:
    arrays = [node for node in wrt if node.shape]
    if arrays and output.shape:
        raise UsageError(
            f"the value has shape {shape_text(output.shape)}, and a gradient by the array '{name_of(arrays[0])}' "
            "needs a scalar",
            hint="weigh its elements with --cotangent '[…]', or get all derivatives as numbers with cg jacobian",
        )
    if arrays and order > 1:
        raise UsageError(f"'{name_of(arrays[0])}' is an array, and --order {order} needs numbers to differentiate by",
                         hint="second derivatives by arrays come as numbers, from cg hessian")  # fmt: skip


def _steps(output: Node, wrt: Sequence[Node]) -> list[Node]:
    """The operations on the way from the names to the output that have no derivative, one of each kind.

    Conditions are not among them: only the branches of a choice have derivatives.
    """
    order = toposort([output])
    moving = set(wrt)
    for node in order:
        if any(arg in moving for arg in node.args):
            moving.add(node)
    found: dict[str, Node] = {}
    stack, seen = [output], {output}
    while stack:
        node = stack.pop()
        if node not in moving:
            continue
        if node.op.why_no_derivative:
            found.setdefault(node.op.name, node)
            continue
        smooth = [arg for at, arg in enumerate(node.args) if node.op.expansion or node.op.rule(at) is not None]
        stack += [arg for arg in smooth if arg not in seen]
        seen.update(smooth)
    return [node for node in found.values() if not node.op.evident]


def _characters(length: int) -> str:
    return f"about {length:.2g} characters" if length < 10**15 else "more characters than any disk holds"
