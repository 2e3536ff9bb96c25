"""Forms of operations that keep digits, of those that the table knows."""

from __future__ import annotations

from cgcli.annotations import Any, Iterator, Mapping, Sequence
from cgcli.errors import CgError
from cgcli.evaluate.elements import somewhere
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import CONSTANT, VARIABLE, Graph, Node, dependents, toposort, variable
from cgcli.lowering.formula import lower_formula

CHECKED = 8  # digits of a result that are to be right, or a warning says which node has lost them
_MOST_TRIED = 20  # nodes on the way from a loss, each of which a better form is sought of
_NAMES = ("x", "y")  # in the forms of the table


def better(node: Node) -> Iterator[Node]:
    """The forms of a node that the table says keep digits."""
    for form, instead in node.op.better:
        for shape in dict.fromkeys(((), node.shape)):
            names = {name: variable(f"\0{name}", shape) for name in _NAMES}
            try:
                found = _matched(lower_formula(form, names), node)
                known = {name: (found or {}).get(leaf, leaf) for name, leaf in names.items()}
                kept = None if found is None else lower_formula(instead, known)
            except CgError:  # a form of arrays, as softmax, where there is a number
                continue
            if kept is not None:
                yield kept
                break


def instead_of(lost: Node, outputs: Sequence[Node], bindings: Mapping[str, Any]) -> tuple[Node, Node] | None:
    """The last node on the way from one that loses digits to outputs of which the table knows a form that keeps them,
    and the shortest such form: one without the node, or of another value. None where there is none.
    """
    from cgcli.algebra.algebraic import Simplifier

    order = toposort(outputs)
    after = dependents([lost], order)
    for node in [each for each in reversed(order) if each in after and each.op.better][:_MOST_TRIED]:
        forms = [Simplifier()(Graph((found,))).output for found in better(node)]
        for form in sorted(forms, key=lambda form: len(toposort([form]))):
            if lost not in toposort([form]) or differ(*evaluate([form, node], bindings)):
                return node, form
    return None


def differ(value: Any, other: Any) -> bool:
    """Whether two values differ in digits that matter."""
    return somewhere(abs(value - other) > 10.0**-CHECKED * abs(value))


def _matched(form: Node, node: Node) -> dict[Node, Node] | None:
    """What the leaves of a form stand for in a node of that form; None where it is of another."""
    waiting: list[tuple[list[tuple[Node, Node]], dict[Node, Node]]] = [([(form, node)], {})]
    while waiting:
        pairs, bound = waiting.pop()
        if not pairs:
            return bound
        (part, other), *rest = pairs
        if part.op is VARIABLE:
            if bound.get(part, other) is other:
                waiting.append((rest, {**bound, part: other}))
        elif (
            part.op is other.op
            and part.op is not CONSTANT
            and len(part.args) == len(other.args)
            and (part.params == other.params or not other.shape)
        ):
            orders = [other.args, other.args[::-1]] if part.op.commutative and len(part.args) == 2 else [other.args]
            waiting.extend(([*zip(part.args, args, strict=True), *rest], bound) for args in reversed(orders))
        elif part is other:
            waiting.append((rest, bound))
    return None
