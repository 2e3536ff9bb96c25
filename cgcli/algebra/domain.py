"""Where a formula has a value over the real numbers: what it demands of its parts, and what is never negative.

A simpler form may be defined at more points than the first one, as x/x is 1 at 0 too, but on no more intervals:
sqrt(x)^2 is not x, and 0^x*0^y not 0^(x + y). Isolated points do not count here: ln(x) demands as much as sqrt(x) does.
"""

from __future__ import annotations

import math

from cgcli.algebra.branches import Choice
from cgcli.algebra.coefficient import Number, number_of
from cgcli.algebra.facts import is_non_negative, is_regular_somewhere, is_smooth
from cgcli.algebra.known import Patterns
from cgcli.annotations import Collection, Iterable
from cgcli.evaluate.constants import computed, constant_of
from cgcli.evaluate.elements import somewhere
from cgcli.graph.node import (
    CONSTANT,
    Node,
    apply,
    constant_value,
    missing,
)
from cgcli.lowering.formula import expand
from cgcli.ops.arithmetic import (
    ABS,
    ADD,
    CBRT,
    DIVIDE,
    EQUAL_TO,
    MAXIMUM,
    MINIMUM,
    MULTIPLY,
    NEG,
    POWER_OP,
    SQRT,
    SUBTRACT,
)
from cgcli.ops.functions import LN, LOG2, LOG10
from cgcli.ops.indexing import INDEX, Index
from cgcli.ops.lazily import np
from cgcli.ops.logic import GREATER_EQUAL, WHERE
from cgcli.ops.shaping import STACK
from cgcli.ops.sums import MEAN, SUM, Reduce
from cgcli.records import NamedTuple

_MOST = 32  # demands of one formula that are told apart
_IS_NOT_NEGATIVE, _IS_NOT_ZERO, _IS_REGULAR, _HAS_POSITIVE_DET = "x >= 0", "y != 0", "det(a) != 0", "det(a) > 0"
_OF_LOGARITHM = (LN, LOG2, LOG10)
_ZERO_AS_ITS_FIRST = (DIVIDE, NEG, ABS, SQRT, SUM, MEAN)  # operations that are 0 where their first argument is


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


_EVERYWHERE = Domain(_NONE, _NONE)


class Domains:
    """The domains of formulas.

    assumed: demands that are known to hold. denials: how many questions had no yes for an answer, which other
    assumptions might have given.
    """

    def __init__(self, assumed: Collection[Demand] = ()) -> None:
        self.assumed = frozenset(assumed)
        self.denials = 0
        self._known: dict[Node, Domain] = {}
        self._non_negative: dict[Node, bool] = {}
        self._smooth: set[Node] = set()
        self._zero: set[Node] = set()  # what is 0 wherever it has a value, as 0*sqrt(x)
        self.patterns = Patterns()

    def assuming(self, demands: Collection[Demand]) -> Domains:
        """The domains under other assumptions, of which these are a part; with what is known already."""
        found = Domains(demands)
        found._known |= {node: domain for node, domain in self._known.items() if domain is _EVERYWHERE}
        found._non_negative |= {node: True for node, holds in self._non_negative.items() if holds}
        found._smooth, found._zero, found.patterns = self._smooth, self._zero, self.patterns
        return found

    def of(self, node: Node) -> Domain:
        """The domain of a formula."""
        self._learn(node)
        return self._known[node]

    def is_non_negative(self, node: Node) -> bool:
        """Whether a formula is at least 0 wherever it has a value; False where that is not plain to see."""
        for part in missing(node, self._non_negative):
            self._non_negative[part] = False  # unless it is plain to see, or assumed
            self._non_negative[part] = self._is_non_negative(part)
        return self._answer(self._non_negative[node])

    def holds(self, condition: Node) -> bool | None:
        """Whether a condition holds wherever it has a value, x^2 >= 0 as 1 does; None where that is not known."""
        value = constant_value(condition)
        if value is not None:
            return value != 0
        if condition.op is not GREATER_EQUAL or constant_value(condition.args[1]) != 0:
            return None
        return True if self.is_non_negative(condition.args[0]) and self.is_total(condition.args[0]) else None

    def is_total(self, node: Node) -> bool:
        """Whether a formula has a value wherever it is asked for, isolated points apart."""
        perhaps = self.of(node).perhaps
        return self._answer(perhaps is not None and perhaps <= self.assumed)

    def surely(self, node: Node) -> Collection[Demand]:
        """The demands that hold wherever a formula has a value; those of x^y hold loosely, see `Demand`."""
        return self.of(node).surely or ()

    def keeps(self, old: Node, new: Node) -> bool:
        """Whether a new form of a formula demands all that the old one does."""
        if old is new or self.is_total(old):
            return True
        before, after = self.of(old), self.of(new)
        return self._answer(self._holds(before.surely, after.surely) and self._holds(before.perhaps, after.perhaps))

    def _answer(self, yes: bool) -> bool:
        """An answer, counted where it may change with what is assumed."""
        self.denials += not yes
        return yes

    def _holds(self, old: Demands, new: Demands) -> bool:
        if old is None or new is None:
            return new is None
        return all(demand in new or demand._replace(loosely=not demand.loosely) in new for demand in old - self.assumed)

    def _learn(self, root: Node) -> None:
        for node in missing(root, self._known):
            if self._is_zero(node):
                self._zero.add(node)
            elif self._smooth.issuperset(node.args) and is_smooth(node):
                self._smooth.add(node)
            if node.op is CONSTANT:
                self._smooth.add(node)
            self._known[node] = self._domain(node)

    def _domain(self, node: Node) -> Domain:
        """The domain of a node, those of its arguments being known: what they demand, and what it demands of them."""
        parts = [self._known[arg] for arg in node.args]
        own = frozenset(self._demands(node) if node.op.domain else ())
        if not own and parts.count(_EVERYWHERE) == len(parts):
            return _EVERYWHERE
        if node.op is WHERE:
            found = self._of_choice(node)
        elif node.op is INDEX:
            found = self._of_index(node, parts[0])
        else:
            hides = node.op.truth is not None or node.op.gaps  # nan == 1 is a number, and not all elements are read
            surely = _NONE if hides else _together(part.surely for part in parts)
            found = Domain(surely, _together(part.perhaps for part in parts))
        return Domain(_together([found.surely, own]), _together([found.perhaps, own])) if own else found

    def _of_choice(self, node: Node) -> Domain:
        """The domain of where(c, a, b): that of the branch that is always taken, or what both demand."""
        choice = Choice(*node.args).plain().with_known_condition()
        condition, yes, no = map(self.of, choice)
        test = choice.condition
        if test.op is EQUAL_TO and constant_value(test.args[1]) == 0:  # where(x == 0, 0, y/x)
            known = self._not_zero(test.args[0])
            no = Domain(*(demands and demands.difference(known) for demands in no))
        holds = self.holds(test)
        if holds is not None:
            chosen = yes if holds else no
            return chosen._replace(perhaps=_together([condition.perhaps, chosen.perhaps]))
        surely = None if yes.surely is None or no.surely is None else yes.surely & no.surely
        return Domain(surely, _together(part.perhaps for part in (condition, yes, no)))

    def _of_index(self, node: Node, array: Domain) -> Domain:
        """The domain of an element or a part of an array: what is demanded of an array as a whole is not sure of it."""
        if not node.shape:
            array = Domain(*(self._of_element(node, demands) for demands in array))
        surely = array.surely and frozenset(
            demand for demand in array.surely if not any(part.shape for part in demand.parts)
        )
        return Domain(surely, _together([array.perhaps]))

    def _of_element(self, node: Node, demands: Demands) -> Demands:
        """What an element demands, where the array demands it of a list: of sqrt([x, y])[0], that x >= 0."""
        assert isinstance(node.params, Index)
        at, shape = node.params.key[0], node.args[0].shape
        found: set[Demand] = set()
        for demand in demands or ():
            part = demand.parts[0]
            if len(demand.parts) > 1 or part.op is not STACK or not part.shape == shape[:1] == shape:
                found.add(demand)
                continue
            assert isinstance(at, int)
            demands_of = {_IS_NOT_NEGATIVE: self._not_negative, _IS_NOT_ZERO: self._not_zero}.get(demand.condition)
            element = part.args[at]
            found.update(demands_of(element) if demands_of else [demand._replace(parts=(element,))])
        return None if demands is None else frozenset(found)

    def _demands(self, node: Node) -> list[Demand]:
        """What an operation with a domain demands of its arguments itself."""
        op, args = node.op, node.args
        numbers = [number_of(arg) for arg in args]
        if None not in numbers:
            value = computed(op, [float(number or 0) for number in numbers], node.params)
            # ln(0) has no value at all, not only at an isolated point
            return [] if math.isfinite(value) else [Demand(op.domain, args)]
        if op is SQRT:
            return self._not_negative(args[0])
        if op in _OF_LOGARITHM:
            return self._not_negative(args[0]) + self._not_zero(args[0])
        if op is POWER_OP:
            return self._of_power(*args)
        if op.domain == _IS_NOT_ZERO:
            return self._not_zero(args[1])
        if op.domain == _IS_REGULAR:  # of solve(a, b) too
            return self._regular(args[0])
        if op.domain == _HAS_POSITIVE_DET:
            return [Demand(op.domain, args), *self._regular(args[0])]
        return [] if "!=" in op.domain and self._has_isolated_zeros(*args) else [Demand(op.domain, args)]

    def _of_power(self, base: Node, exponent: Node) -> list[Demand]:
        number = number_of(exponent)
        if number is not None:
            not_zero = self._not_zero(base) if number < 0 else []
            return not_zero if number.denominator == 1 else not_zero + self._not_negative(base)
        if number_of(base) == 0:
            return self._not_negative(exponent)
        demands = [demand._replace(loosely=True) for demand in self._not_negative(base)]
        if demands and exponent not in self._smooth:  # it may be a whole number on an interval
            demands = [Demand("x >= 0 or y is whole", (base, exponent))]
        if not self.is_non_negative(exponent) and self._not_zero(base):  # relu(x)^y
            demands.append(Demand("x != 0 or y >= 0", (base, exponent)))
        return demands

    def has_isolated_zeros(self, node: Node) -> bool:
        """Whether a formula is smooth, isolated points apart, and not 0 everywhere; its zeros then are isolated."""
        self._learn(node)
        return self._has_isolated_zeros(node)

    def _has_isolated_zeros(self, *nodes: Node) -> bool:
        """Whether formulas are 0, or any other number, at isolated points only, as x is; relu(x) and 0*x are not."""
        return self._smooth.issuperset(nodes) and not any(self._is_zero_somewhere(node) for node in nodes)

    def _is_zero_somewhere(self, node: Node) -> bool:
        """Whether a smooth formula, or an element of it, is 0 everywhere."""
        if not node.shape:
            return node in self._zero
        pattern = self.patterns.of(node)
        once = tuple(slice(1) if step == 0 else slice(None) for step in pattern.strides)  # of what is repeated, one
        return not np.all(pattern[once])

    def _regular(self, matrix: Node) -> list[Demand]:
        """That a matrix is not singular; none for one that is smooth, and not singular at a random point."""
        return [] if matrix in self._smooth and is_regular_somewhere(matrix) else [Demand(_IS_REGULAR, (matrix,))]

    def _not_zero(self, node: Node) -> list[Demand]:
        """That a divisor is not 0, if it may be 0 on an interval, as relu(x) may; none for isolated zeros, as x has."""
        factors, seen, found = [node], set[Node](), []
        while factors:
            factor = factors.pop()
            if factor in seen:
                continue
            seen.add(factor)
            exponent: Number | None = number_of(factor.args[1]) if factor.op is POWER_OP else None
            if factor.op in (ABS, NEG, SQRT, CBRT) or (exponent or 0) > 0:
                factors.append(factor.args[0])
            elif factor.op is MULTIPLY and factor not in self._zero:
                factors += factor.args
            elif not self._is_rarely_zero(factor):
                found.append(Demand(_IS_NOT_ZERO, (_as_number(factor),)))
        return found

    def _is_rarely_zero(self, node: Node) -> bool:
        """Whether a formula is 0 at isolated points only, as max(x, abs(y)) is: where x or y is."""
        waiting, seen = [node], set[Node]()
        while waiting:
            part = waiting.pop()
            if part in seen or self._has_isolated_zeros(part) or number_of(part):
                continue
            seen.add(part)
            if part.op not in (MAXIMUM, MINIMUM, WHERE, ABS):
                return False
            waiting += part.args[1:] if part.op is WHERE else part.args
        return True

    def _not_negative(self, node: Node) -> list[Demand]:
        """The demand that a node is not negative: for 2*x^3, that x is not; none where it never is."""
        sign = 1.0
        while True:
            if sign > 0 and self.is_non_negative(node):
                return []
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
                return [Demand(_IS_NOT_NEGATIVE if sign > 0 else "x <= 0", (node,))]

    def _is_non_negative(self, node: Node) -> bool:
        return is_non_negative(node, [self._non_negative[arg] for arg in node.args]) or (
            bool(self.assumed) and self.assumed.issuperset(self._not_negative(node))
        )

    def _is_zero(self, node: Node) -> bool:
        """Whether a formula is 0 wherever it has a value, as far as that is plain to see: 0, 0*x, lgamma(2)."""
        op, args = node.op, node.args
        if not args:
            return constant_value(node) == 0
        if all(arg.op is CONSTANT for arg in args):
            return not somewhere(computed(op, [constant_of(arg) for arg in args], node.params))
        if op is MULTIPLY:
            return not self._zero.isdisjoint(args)
        if op is POWER_OP:
            return args[0] in self._zero and (number_of(args[1]) or 0) > 0
        if op in _ZERO_AS_ITS_FIRST:
            return args[0] in self._zero
        if op.expansion and len(set(args)) < len(args):  # mse(x, x)
            definition = expand(op, args, node.params)
            self._learn(definition)
            return definition in self._zero
        return op in (ADD, SUBTRACT) and (self._zero.issuperset(args) or (op is SUBTRACT and args[0] is args[1]))


def _as_number(node: Node) -> Node:
    """norm(x) for norm(x, keepdims=1), so that the demands of both are one."""
    params = node.params
    if not isinstance(params, Reduce) or not params.keepdims or len(params.axes) < len(node.shape):
        return node
    return apply(node.op, node.args, params._replace(keepdims=False))


def _value(node: Node) -> float:
    """A constant, or a quotient of two, as a float64; 0 for anything else."""
    number = number_of(node)
    return constant_value(node) or 0.0 if number is None else float(number)


def _together(parts: Iterable[Demands]) -> Demands:
    """All demands; None when there are too many."""
    found = _NONE
    for part in parts:
        if part is None:
            return None
        if part is not found:
            found = found | part if found else part
    return found if len(found) <= _MOST else None
