"""How many digits of results in float64 are right, and at which operation the others were lost."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Iterator, Mapping, Sequence
from cgcli.digits.better import CHECKED, better
from cgcli.digits.digits import to_digits
from cgcli.digits.evaluation import MOST_STEPS, AtPrecision, mapped, numbers_in
from cgcli.errors import CgError
from cgcli.evaluate.constants import as_constant
from cgcli.evaluate.evaluate import evaluate, evaluate_all
from cgcli.graph.node import (
    CONSTANT,
    Graph,
    Node,
    constant,
    is_given,
    name_of,
    rebuild,
    toposort,
    variables,
)
from cgcli.ops.fitting import ones_like
from cgcli.ops.sums import SUM
from cgcli.records import NamedTuple
from cgcli.transform.exact import exact
from cgcli.transform.guarded import plain
from cgcli.transform.reverse import sweep

if TYPE_CHECKING:
    from cgcli.digits.digits import Found, Make

_ALL = 16  # digits of a float64
_ENOUGH = 13.0  # digits of a result, of which nothing is worth telling
_EPSILON = 2.0**-53
_GROWN = 10.0  # how many times larger than that of its arguments the error of a node is, where digits are lost
_TRUTH = 25  # digits of the results to compare with
_NOTHING = 1e-300  # a result of this size counts as 0
_LITTLE_WORK = 50_000  # steps, for which a warning may be held back: a tenth of a second


class Lost(NamedTuple):
    """Where digits were lost: at a node, how many, and its condition number.

    better: a form that keeps them, or None. of: the node that this is a form of, the same or one that is made of it.
    """

    node: Node
    digits: float
    condition: float
    better: Node | None
    of: Node


class Accuracy(NamedTuple):
    """How many digits of each number of a result are right, as the result is built; and where the others were lost."""

    digits: Any
    lost: Sequence[Lost]
    found: Found


def accuracy(
    make: Make, result: Any, inputs: Mapping[str, Node], bindings: Mapping[str, Any], *, losses: bool = True,
    most: int = MOST_STEPS,
) -> Accuracy:  # fmt: skip
    """The accuracy of a result in float64.

    make: what it is computed by, as of `to_digits`. inputs: the graph of each name's value. bindings: the floats.
    losses: whether to find where digits were lost. most: steps of one evaluation.
    Raises EvaluationError where the truth is not to be had.
    """
    found = to_digits(make, inputs, _TRUTH, most=most)
    truths = iter(list(numbers_in(found.result)))
    digits = mapped(lambda number: _right_digits(number, next(truths)), result)
    if not losses or min((number for number in numbers_in(digits) if number == number), default=_ALL) >= _ENOUGH:
        return Accuracy(digits, (), found)
    return Accuracy(digits, tuple(_losses(found.last, bindings)), found)


def is_inexact(results: Sequence[Node], values: Mapping[Node, Any], bindings: Mapping[str, Any]) -> bool:
    """Whether a result differs by more than 1e-8 from what its formula gives; not where that is 0, or not known.

    values: of the results, in float64. bindings: floats, each the number that its bits are.
    """
    inputs = {name: as_constant(value) for name, value in bindings.items()}
    try:
        found = to_digits(lambda _: lambda run: run(results), inputs, CHECKED, as_floats=True, most=_LITTLE_WORK)
    except CgError:
        return False
    pairs = zip(numbers_in([values[result] for result in results]), numbers_in(found.result), strict=True)
    return any(abs(exact) > _NOTHING and relative_error(number, exact) > 10**-CHECKED for number, exact in pairs)


def _right_digits(number: Any, exact: Any) -> float:
    """How many leading digits agree, with a fraction: -log10 of the relative error."""
    error = relative_error(number, exact)
    return math.nan if error != error else min(_ALL, max(0.0, -math.log10(error))) if error else float(_ALL)


def relative_error(number: Any, exact: Any) -> float:
    """The relative error of a float; nan where there is no finite number to compare with."""
    if exact - exact != 0:
        return 0.0 if number == exact else math.nan
    if not math.isfinite(number):
        return math.inf
    if exact == 0:
        return 0.0 if number == 0 else math.inf
    return float(abs((number - exact) / exact))


def _losses(run: AtPrecision, bindings: Mapping[str, Any]) -> Iterator[Lost]:
    """For each inaccurate node that was asked for, the operation on the way to it that lost the digits."""
    told: set[Node] = set()
    for asked, moving in run.passes:
        if moving:  # its values may be those of a later pass
            run(asked, moving, quiet=True)
        floats = evaluate_all(asked, {**bindings, **moving})
        errors = {node: _error(floats[node], run.values[node]) for node in toposort(asked) if node in run.values}
        for node in asked:
            path = _way_to_culprit(node, errors, run) if errors[node] > 10**-_ENOUGH else []
            if path and path[-1] not in told:
                culprit = path[-1]
                told.add(culprit)
                before = max([_EPSILON, *(errors[arg] for arg in culprit.args)])
                lost = math.log10(min(errors[culprit], 1.0) / before)
                of, form = _better_on(path[::-1], errors, run, {**bindings, **moving})
                yield Lost(_at_its_pass(culprit, moving), lost, _condition(culprit, run), form, of)


def _at_its_pass(node: Node, moving: Mapping[str, Any]) -> Node:
    """A node with what was bound for one pass alone put in, as a unit vector."""
    known = {leaf: as_constant(moving[name_of(leaf)]) for leaf in variables(toposort([node]))
             if name_of(leaf) in moving}  # fmt: skip
    return rebuild([node], exact, known)[node] if known else node


def _error(value: Any, exact: Any) -> float:
    """The largest relative error of the numbers of a value."""
    errors = [relative_error(*pair) for pair in zip(numbers_in(value), numbers_in(exact), strict=True)]
    return max((error for error in errors if error == error), default=0.0)


def _way_to_culprit(node: Node, errors: Mapping[Node, float], run: AtPrecision) -> list[Node]:
    """The nodes from an inaccurate one to that whose error is much larger than those of its arguments.

    None where the error is that of an input.
    """
    path = []
    while not is_given(node):
        path.append(node)
        known = [arg for arg in node.args if arg in errors]
        inexact = [arg for arg in dict.fromkeys(known) if errors[arg]] or known[:1]
        worst = (
            inexact[0]
            if len(inexact) == 1
            else max(inexact, key=lambda arg: errors[arg] * _weight(node, arg, run), default=None)
        )
        if worst is None or errors[node] > _GROWN * max(errors[worst], _EPSILON):
            return path
        node = worst
    return []


def _better_on(
    path: Sequence[Node], errors: Mapping[Node, float], run: AtPrecision, bindings: Mapping[str, Any]
) -> tuple[Node, Node | None]:
    """The first of some nodes of which the table knows a form that keeps digits, and does so here; and that form."""
    from cgcli.algebra.algebraic import Simplifier

    for node in path:
        for found in better(node):
            form = Simplifier()(Graph((found,))).output
            (number,) = evaluate([form], bindings)
            if _GROWN * _error(number, run.values[node]) < errors[node]:
                return node, form
    return path[0], None


def _weight(node: Node, arg: Node, run: AtPrecision) -> float:
    """By how much a node's relative error grows with that of an argument; 1 where that is not known."""
    if not node.op.elementwise or node.shape or node.op.rule(node.args.index(arg)) is None:
        return 1.0
    adjoint = sweep([node], [plain(ones_like(node))], {arg}, leaves=node.args).get(arg)
    slope, value = run([adjoint.selected() if adjoint else constant(0.0), node], quiet=True)
    if value == 0:
        return math.inf
    return float(abs(slope * run.values[arg] / value))


def _condition(node: Node, run: AtPrecision) -> float:
    """The condition number of an operation: by how much the relative errors of its arguments may grow in it."""
    if node.op is SUM:
        size, value = (sum(map(abs, numbers_in(run.values[part]))) for part in (node.args[0], node))
        return float(size / value) if value else math.inf
    return sum(_weight(node, arg, run) for arg in dict.fromkeys(node.args) if arg.op is not CONSTANT or not node.shape)
