"""Derivatives of higher order along one direction: Taylor arithmetic, from the one rule that each operation has.

Each node's coefficients of t^0, t^1, … follow from those of its arguments: of a sum, a product, a quotient by the
arithmetic of power series; of any other operation y from its tangent, y' = Σ partial(x, y)*x', whose graph forward mode
gives: the k-th coefficient is the (k-1)-th of that graph, divided by k (Griewank and Walther 2008, "Evaluating
Derivatives", chapter 13). The cost grows with the square of the order.
"""

from __future__ import annotations

import itertools
import math

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence
from cgcli.errors import TooLargeError
from cgcli.evaluate.compiled import Floats
from cgcli.evaluate.limits import has_data, steps_of
from cgcli.graph.loops import Loop
from cgcli.graph.node import CONSTANT, STAND_IN, VARIABLE, Node, apply, constant_value, stand_in, stood_for, toposort
from cgcli.graph.rules import Transpose, TransposeOf
from cgcli.graph.work import work_of
from cgcli.lean import reduce
from cgcli.lowering.formula import expand
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, POWER_OP, SUBTRACT
from cgcli.ops.fitting import ones_like
from cgcli.ops.functions import LN
from cgcli.ops.lazily import np
from cgcli.ops.linalg import SOLVE
from cgcli.ops.logic import WHERE
from cgcli.records import NamedTuple
from cgcli.transform.differentiate import pushforward
from cgcli.transform.formulas import slope
from cgcli.transform.forward import push_forward
from cgcli.transform.guarded import Guarded

if TYPE_CHECKING:
    from cgcli.evaluate.compiled import Kernels

_MAX_NODES = 50_000
_MAX_STEPS = 1_000_000  # products of coefficients, and what takes as long as some: a second or two
_STEPS_OF_ONE = 8  # for a coefficient, besides its products
_OF_ARRAYS = 10_000  # steps in arrays that take as long as one
_TO_MAKE = 6  # steps, for each operation of a loop whose derivative is made
_CALLS = 12  # of operations on numbers in a loop, which take as long as a step
_SUMS = (ADD, SUBTRACT, NEG)
_QUOTIENTS = (DIVIDE, SOLVE)

Coefficient = Any
"""A number or an array; None for a structural zero, which no coefficient of t^0 is."""


def directional_derivatives(
    outputs: Sequence[Node], directions: Sequence[Mapping[Node, Node]], most: int = _MAX_NODES
) -> list[list[Node]]:
    """The graphs of the outputs, and of their derivatives along the first direction, the first two, and so on.

    directions: for each the tangents, nodes that do not depend on the inputs. The graphs grow fast: this is for a low
    order. Raises TooLargeError when those of one order have more operations than `most`.
    """
    found = [list(outputs)]
    for reached, tangents in enumerate(directions, 1):
        found.append(list(pushforward(found[-1], tangents)))
        if len(toposort(found[-1])) > most:
            raise _too_large(reached, most)
    return found


def _too_large(order: int, most: int, what: str = "operations") -> TooLargeError:
    """The error for a derivative that takes more operations, or steps, than are allowed."""
    return TooLargeError(
        f"the derivative of order {order} takes more than {most} {what}",
        hint=f"ask for order {order - 1}",
        topic=f"order:{order - 1}",
    )


def _tangent_of_power(node: Node, moving: Sequence[int]) -> Node:
    """x^y*(y*dx/x + ln(x)*dy), which has no further power, of y - 1, that would have a series of its own."""
    x, y = node.args
    terms = [apply(MULTIPLY, (apply(LN, (x,)), stand_in(node, 1)))]
    if 0 in moving:
        terms.append(apply(DIVIDE, (apply(MULTIPLY, (y, stand_in(node, 0))), x)))
    return apply(MULTIPLY, (node, terms[0] if len(terms) == 1 else apply(ADD, tuple(terms))))


def _is_positive(value: Any) -> bool:
    """Whether a number, or each element of an array, is above 0; of a range, its lower end."""
    if isinstance(value, float):
        return value > 0
    elements = np.asarray(value)
    if elements.dtype != object:
        return bool((elements > 0).all())
    return all(getattr(element, "low", element) > 0 for element in elements.flat)


class _Rule(NamedTuple):
    """How coefficients follow from others. needs: which that of t^at is made of; next: that of t^at."""

    needs: Callable[[int], Sequence[tuple[Node, int]]]
    next: Callable[[int], Coefficient]


class Series:
    """Power series in t of nodes, at x + t*tangent.

    kernels: those to compute with. values: of variables. tangents: the values of those of the inputs that move.
    """

    def __init__(self, kernels: Kernels, values: Mapping[Node, Any], tangents: Mapping[Node, Any]) -> None:
        self._kernels = kernels
        self._values, self._tangents = values, tangents
        self._found: dict[Node, list[Coefficient]] = {}
        self._active: dict[Node, bool] = dict.fromkeys(tangents, True)
        self._rules: dict[Node, _Rule] = {}
        self._steps, self._on_floats, self._has_data = 0, isinstance(kernels, Floats), has_data([*values])

    def coefficients(self, output: Node, order: int) -> list[Any]:
        """The coefficients of t^0 to t^order. Raises TooLargeError when too many graphs are needed for them."""
        waiting = [(output, order)]
        while waiting:
            node, last = waiting[-1]
            found = self._found.setdefault(node, [])
            if len(found) > last:
                waiting.pop()
                continue
            at = len(found)
            missing = [(other, k) for other, k in self._needs(node, at) if len(self._found.get(other, ())) <= k]
            if missing:
                waiting.extend(missing)
            else:
                self._steps += _STEPS_OF_ONE + at + (1 + at) * self._work(node)
                self._check_size(output)
                found.append(self._next(node, at))
        return [self._zero(output) if item is None else item for item in self._found[output][: order + 1]]

    def _check_size(self, output: Node) -> None:
        order = max(len(self._found[output]), 2)
        if len(self._found) > _MAX_NODES:
            raise _too_large(order, _MAX_NODES)
        if self._steps > _MAX_STEPS:
            raise _too_large(order, _MAX_STEPS, "steps")

    def _work(self, node: Node) -> int:
        """How many steps more a product of arrays takes; of floats none where data account for that. A loop takes those
        of its trips, and some to make what it runs.
        """
        if isinstance(node.params, Loop):
            size = len(toposort(node.params.nexts))
            return size * (_TO_MAKE + (node.params.trips or 1) // _CALLS)
        if not node.shape and not any(arg.shape for arg in node.args):
            return 0
        if not self._on_floats:
            return 2 * work_of(node)
        return 0 if self._has_data else steps_of(node) // _OF_ARRAYS

    # ---- one coefficient --------------------------------------------------------------

    def _needs(self, node: Node, at: int) -> Iterator[tuple[Node, int]]:
        """The coefficients that the one of t^at is made of, besides those of the node itself."""
        if node.op is STAND_IN:
            yield stood_for(node), at + 1
        elif at == 0:
            yield from ((arg, 0) for arg in node.args)
        elif self._is_active(node):
            yield from self._rule(node).needs(at)

    def _next(self, node: Node, at: int) -> Coefficient:
        if node.op is STAND_IN:
            moved = self._found[stood_for(node)][at + 1]
            return moved * (at + 1) if moved is not None else self._zero(node) if at == 0 else None
        if at == 0:
            return self._value(node)
        if node in self._tangents:
            return self._tangents[node] if at == 1 else None
        return self._rule(node).next(at) if self._is_active(node) else None

    def _value(self, node: Node) -> Any:
        if node.op is VARIABLE:
            return self._values[node]
        if node.op is CONSTANT:
            return self._kernels.constant(node)
        return self._kernels.step(node)(*(self._found[arg][0] for arg in node.args))

    def _zero(self, node: Node) -> Any:
        return self._kernels.given(np.zeros(node.shape) if node.shape else 0.0)

    def _filled(self, nodes: Sequence[Node], moved: Sequence[Coefficient]) -> list[Any]:
        """Coefficients of nodes, with zeros for the structural ones."""
        return [self._zero(node) if item is None else item for node, item in zip(nodes, moved, strict=True)]

    def _is_active(self, node: Node) -> bool:
        """Whether a node moves with t."""
        if node not in self._active:
            for part in toposort([node], self._active):
                if part not in self._active:
                    moving = [self._active[arg] for arg in part.args]
                    has_rules = part.op.is_formula or any(
                        part.op.rule(at) is not None for at, moves in enumerate(moving) if moves
                    )
                    self._active[part] = part.op is STAND_IN or (bool(has_rules) and any(moving))
        return self._active[node]

    # ---- how the coefficients of a node follow from those of others ---------------------

    def _rule(self, node: Node) -> _Rule:
        if node not in self._rules:
            self._rules[node] = self._made(node)
        return self._rules[node]

    def _made(self, node: Node) -> _Rule:
        if node in self._tangents:
            return _Rule(lambda at: (), lambda at: None)
        moving = [at for at, arg in enumerate(node.args) if self._is_active(arg) and node.op.rule(at) is not None]
        rules = [node.op.rule(at) for at in moving]
        together = node.op in _SUMS or any(isinstance(rule, TransposeOf) and rule.jointly for rule in rules)
        if node.op is WHERE:
            return self._of_choice(node)
        if node.op.is_formula:
            return self._of_other(expand(node.op, node.args, node.params), 0)
        if node.op in _QUOTIENTS:
            return self._of_quotient(node, node, node.args[::-1] if node.op is DIVIDE else node.args)
        if node.op is POWER_OP and constant_value(node.args[1]) == -1:
            number = ones_like(node)
            return self._of_quotient(node, apply(DIVIDE, (number, node.args[0])), (node.args[0], number))
        if node.op is POWER_OP and 1 in moving and _is_positive(self._found[node.args[0]][0]):
            return self._of_other(_tangent_of_power(node, moving), 1)
        if together:
            return self._of_sum(node)
        if node.op is MULTIPLY or all(isinstance(rule, Transpose | TransposeOf) for rule in rules):
            return self._of_product(node, moving)
        pushed = push_forward(node, [Guarded(stand_in(node, at)) if at in moving else None
                                     for at in range(len(node.args))], slope)  # fmt: skip
        return self._of_other(pushed.selected(), 1) if pushed else _Rule(lambda at: (), lambda at: None)

    def _of_other(self, other: Node, behind: int) -> _Rule:
        """The series of another node, or with behind=1 the integral of that."""

        def coefficient(at: int) -> Coefficient:
            found = self._found[other][at - behind]
            return found if found is None or not behind else found / at

        return _Rule(lambda at: [(other, at - behind)], coefficient)

    def _of_choice(self, node: Node) -> _Rule:
        step, (condition, *branches) = self._kernels.step(node), node.args

        def coefficient(at: int) -> Coefficient:
            moved = [self._found[branch][at] for branch in branches]
            if all(item is None for item in moved):
                return None
            return step(self._found[condition][0], *self._filled(branches, moved))

        return _Rule(lambda at: [(condition, 0), *((branch, at) for branch in branches)], coefficient)

    def _of_sum(self, node: Node) -> _Rule:
        """The rule of an operation that is linear in all its arguments together."""
        step = self._kernels.step(node)

        def coefficient(at: int) -> Coefficient:
            moved = [self._found[arg][at] for arg in node.args]
            if all(item is None for item in moved):
                return None
            return step(*self._filled(node.args, moved))

        return _Rule(lambda at: [(arg, at) for arg in node.args], coefficient)

    def _of_product(self, node: Node, moving: Sequence[int]) -> _Rule:
        """The rule of what is linear in each of its moving arguments alone: all products whose orders add up."""
        step = self._kernels.step(node)

        def coefficient(at: int) -> Coefficient:
            terms = []
            for orders in _compositions(at, len(moving)):
                by_place = dict(zip(moving, orders, strict=True))
                factors = [self._found[arg][by_place.get(place, 0)] for place, arg in enumerate(node.args)]
                if all(factor is not None for factor in factors):
                    terms.append(step(*factors))
            return reduce(_plus, terms) if terms else None

        return _Rule(lambda at: [(node.args[place], at) for place in moving], coefficient)

    def _of_quotient(self, node: Node, quotient: Node, parts: Sequence[Node]) -> _Rule:
        """The z with y*z = x, or y @ z = x: what the other coefficients leave of x, divided by y.

        node: z. quotient: what computes it from x and y. parts: y and x.
        """
        step, swapped = self._kernels.step(quotient), node.op is SOLVE
        divisor, number = parts

        def coefficient(at: int) -> Coefficient:
            own, by = self._found[node], self._found[divisor]
            left = self._found[number][at]
            for k in range(at):
                if own[k] is not None and by[at - k] is not None:
                    part = by[at - k] @ own[k] if swapped else by[at - k] * own[k]
                    left = -part if left is None else left - part
            return None if left is None else step(by[0], left) if swapped else step(left, by[0])

        return _Rule(lambda at: [(number, at), (divisor, at)], coefficient)


def _plus(x: Any, y: Any) -> Any:
    return x + y


def _compositions(total: int, count: int) -> Iterator[tuple[int, ...]]:
    """All tuples of so many whole numbers from 0 that add up to the total."""
    if count == 2:
        yield from ((at, total - at) for at in range(total + 1))
        return
    for bars in itertools.combinations(range(total + count - 1), count - 1):
        edges = (-1, *bars, total + count - 1)
        yield tuple(after - before - 1 for before, after in itertools.pairwise(edges))


def factorial(order: int, like: Any) -> Any:
    """order!, as a factor of a coefficient: a float for floats, a whole number for numbers of many digits."""
    of_floats = isinstance(like, float) or (hasattr(like, "dtype") and like.dtype == np.float64)
    return float(math.factorial(order)) if of_floats else math.factorial(order)
