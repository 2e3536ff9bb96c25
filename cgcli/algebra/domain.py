"""Where a formula has a value over the real numbers: what it demands of its parts, and what is never negative.

A simpler form may be defined at more points than the first one, as x/x is 1 at 0 too, but on no more intervals:
sqrt(x)^2 is not x. Isolated points do not count here: ln(x) demands as much as sqrt(x) does.
"""

from __future__ import annotations

import math

from cgcli.algebra.coefficient import number_of
from cgcli.annotations import Collection, Iterable
from cgcli.evaluate.constants import computed, constant_of
from cgcli.evaluate.elements import somewhere
from cgcli.graph.node import CONSTANT, Node, constant_elements, constant_value, missing
from cgcli.graph.operation import NON_NEGATIVE
from cgcli.ops.arithmetic import ABS, ADD, DIVIDE, MAXIMUM, MINIMUM, MULTIPLY, NEG, POWER_OP, SQRT
from cgcli.ops.functions import LN, LOG2, LOG10
from cgcli.ops.indexing import INDEX
from cgcli.ops.logic import WHERE
from cgcli.ops.shaping import RESHAPE, TRANSPOSE
from cgcli.ops.sums import BROADCAST, MEAN, SUM
from cgcli.records import NamedTuple

_MOST = 32  # demands of one formula that are told apart
_IS_NOT_NEGATIVE = "x >= 0"
_OF_NON_NEGATIVE = (SQRT, LN, LOG2, LOG10)
_KEEPS_SIGN = (INDEX, RESHAPE, TRANSPOSE, BROADCAST, SUM, MEAN)


class Demand(NamedTuple):
    """A condition on parts of a formula: on their sign, or the domain of an operation, in the words of the table.

    loosely: of x^y, which demands x >= 0 but has a value for some negative x too.
    """

    condition: str
    parts: tuple[Node, ...]
    loosely: bool = False


Demands = frozenset[Demand] | None
"""None when there are too many to tell."""

_NONE: frozenset[Demand] = frozenset()


class Domain(NamedTuple):
    """surely: what a formula always demands; perhaps: with what it demands only in a branch or inside a condition."""

    surely: Demands
    perhaps: Demands


class Domains:
    """The domains of formulas. assumed: what holds anyway."""

    def __init__(self, assumed: Collection[Demand] = ()) -> None:
        self._assumed = frozenset(assumed)
        self._known: dict[Node, Domain] = {}
        self._non_negative: dict[Node, bool] = {}
        self._smooth: set[Node] = set()

    def of(self, node: Node) -> Domain:
        """The domain of a formula."""
        self._learn(node)
        return self._known[node]

    def is_non_negative(self, node: Node) -> bool:
        """Whether a formula is at least 0 wherever it has a value; False where that is not plain to see."""
        self._learn(node)
        return self._non_negative[node]

    def is_total(self, node: Node) -> bool:
        """Whether a formula has a value wherever it is asked for, isolated points apart."""
        perhaps = self.of(node).perhaps
        return perhaps is not None and perhaps <= self._assumed

    def surely(self, node: Node) -> Collection[Demand]:
        """What holds wherever a formula has a value."""
        return [demand for demand in self.of(node).surely or () if not demand.loosely]

    def keeps(self, old: Node, new: Node) -> bool:
        """Whether a new form of a formula demands all that the old one does."""
        if old is new or self.is_total(old):
            return True
        before, after = self.of(old), self.of(new)
        return self._holds(before.surely, after.surely) and self._holds(before.perhaps, after.perhaps)

    def _holds(self, old: Demands, new: Demands) -> bool:
        if old is None or new is None:
            return new is None
        return all(
            demand in new or demand._replace(loosely=not demand.loosely) in new for demand in old - self._assumed
        )

    def _learn(self, root: Node) -> None:
        for node in missing(root, self._known):
            self._non_negative[node] = self._is_non_negative(node)
            smooth = is_smooth(node) and self._smooth.issuperset(node.args) and not _is_zero(node)
            if node.op is CONSTANT or smooth:
                self._smooth.add(node)
            self._known[node] = self._domain(node)

    def _domain(self, node: Node) -> Domain:
        parts = [self._known[arg] for arg in node.args]
        if node.op is WHERE:
            condition = constant_value(node.args[0])
            if condition is not None:
                return parts[1] if condition != 0 else parts[2]
            branches = [part.surely for part in parts[1:]]
            surely = None if None in branches else frozenset.intersection(*(part or _NONE for part in branches))
        elif node.op.truth is not None:  # a comparison with nan is a number
            surely = _NONE
        else:
            surely = _together(part.surely for part in parts)
        own = self._demand(node)
        perhaps = _together(part.perhaps for part in parts)
        if own is None:
            return Domain(surely, perhaps)
        return Domain(_together([surely, frozenset([own])]), _together([perhaps, frozenset([own])]))

    def _demand(self, node: Node) -> Demand | None:
        """What an operation itself demands of its arguments."""
        op = node.op
        numbers = [number_of(arg) for arg in node.args] if op.domain else []
        if numbers and None not in numbers:
            value = computed(op, [float(number or 0) for number in numbers], node.params)
            # ln(0) has no value at all, not only at an isolated point
            return None if math.isfinite(value) else Demand(op.domain, node.args)
        if op in _OF_NON_NEGATIVE:
            return self._not_negative(node.args[0])
        if op is POWER_OP:
            exponent = number_of(node.args[1])
            if exponent is not None and exponent < 0 and exponent.denominator == 1:
                return self._not_zero(node.args[0])
            if exponent is None:
                demand = self._not_negative(node.args[0])
                return demand and demand._replace(loosely=True)
            return None if exponent.denominator == 1 else self._not_negative(node.args[0])
        if op is DIVIDE:
            return self._not_zero(node.args[1])
        if not op.domain or "!=" in op.domain:  # isolated points
            return None
        return Demand(op.domain, node.args)

    def _not_zero(self, node: Node) -> Demand | None:
        """That a divisor is not 0, if it may be 0 on an interval, as relu(x) may; None for isolated zeros, as x has."""
        while node.op is ABS:
            (node,) = node.args
        return None if node in self._smooth or number_of(node) is not None else Demand("y != 0", (node,))

    def _not_negative(self, node: Node) -> Demand | None:
        """That a node is not negative: of 2*x^3, that x is not."""
        sign = 1.0
        while True:
            if self._non_negative[node] and sign > 0:
                return None
            number = 0.0
            if node.op is NEG:
                sign, node = -sign, node.args[0]
                continue
            if node.op is POWER_OP and (exponent := number_of(node.args[1])) is not None and exponent.numerator % 2:
                node = node.args[0]
                continue
            for factor, rest in (node.args, node.args[::-1]) if node.op is MULTIPLY else ():
                number = number or _value(factor)
                if number:
                    sign, node = sign * number, rest
                    break
            if not number and node.op is DIVIDE and (number := _value(node.args[1])):
                sign, node = sign * number, node.args[0]
            if not number:
                return Demand(_IS_NOT_NEGATIVE if sign > 0 else "x <= 0", (node,))

    def _is_non_negative(self, node: Node) -> bool:
        op, args = node.op, node.args
        known = [self._non_negative[arg] for arg in args]
        if op is CONSTANT:
            return all(number >= 0 for number in constant_elements(node))
        if op.facts & NON_NEGATIVE:
            return True
        if op in (ADD, DIVIDE, MINIMUM) or op in _KEEPS_SIGN:
            return all(known)
        if op is MULTIPLY:
            return all(known) or args[0] is args[1]
        if op is POWER_OP:
            exponent = number_of(args[1])
            return known[0] or (exponent is not None and (exponent.denominator != 1 or exponent % 2 == 0))
        if op is MAXIMUM:
            return any(known)
        if op is WHERE:
            return known[1] and known[2]
        return Demand(_IS_NOT_NEGATIVE, (node,)) in self._assumed


def _is_zero(node: Node) -> bool:
    """Whether an operation on numbers is 0: lgamma(2)."""
    if not node.args or not all(arg.op is CONSTANT for arg in node.args):
        return False
    return not somewhere(computed(node.op, [constant_of(arg) for arg in node.args], node.params))


def _value(node: Node) -> float:
    """A constant, or a quotient of two, as a float64; 0 for anything else."""
    number = number_of(node)
    return constant_value(node) or 0.0 if number is None else float(number)


def is_smooth(node: Node) -> bool:
    """Whether an operation is smooth, isolated points apart: its zeros then are isolated, or it is 0 everywhere."""
    op = node.op
    of_number = op is POWER_OP and node.args[0].op is CONSTANT  # 0^x has a corner
    return not (op is WHERE or op.why_no_derivative or (op.kink and not op.kink.isolated) or of_number)


def _together(parts: Iterable[Demands]) -> Demands:
    """All demands; None when there are too many."""
    found = _NONE
    for part in parts:
        if part is None:
            return None
        found |= part
    return found if len(found) <= _MOST else None
