"""A graph evaluated with many digits at one point, and what of it rounding may have decided."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable, Iterable, Mapping, Sequence
from cgcli.digits.kernels import Many
from cgcli.digits.ratios import COMPARISONS, Ratio, combined, of_float, of_text
from cgcli.errors import TooLargeError
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.elements import somewhere
from cgcli.graph.loops import Loop
from cgcli.graph.node import (
    CONSTANT,
    VARIABLE,
    Node,
    constant_elements,
    constant_value,
    count_of_numbers,
    dependents,
    name_of,
    toposort,
    variables,
)
from cgcli.graph.operation import ARRAYS, CHOOSES, STEPWISE
from cgcli.graph.rules import Transpose, TransposeOf
from cgcli.graph.shapes import count_text, shape_of, size_text
from cgcli.graph.work import work_of
from cgcli.lean import MappingProxyType
from cgcli.ops import many
from cgcli.ops.arithmetic import ADD, DIVIDE, MAXIMUM, MINIMUM, MULTIPLY, NEG, SUBTRACT
from cgcli.ops.lazily import np
from cgcli.ops.reductions import MAX, MIN
from cgcli.ops.sums import Reduce

_NOTHING: Mapping[Any, Any] = MappingProxyType({})
_BYTES = 200  # of a number of mpmath's, besides its digits
_MOST_BYTES = 2**31
MOST_STEPS = 1_500_000  # additions of numbers of 50 digits, or what takes as long: two seconds or so
_AS_FAST_AS_SUMS = (ADD, SUBTRACT, NEG, MULTIPLY, DIVIDE, MAXIMUM, MINIMUM)


class AtPrecision:
    """Values of nodes in mpmath's numbers, at one point; an `Evaluate`.

    inputs: for each name the graph of its value. digits: how many to compute with. values: of every node so far.
    most: steps of one call.
    passes: the nodes whose values were asked for, as results, each time, and what was bound for that time.
    """

    def __init__(
        self, inputs: Mapping[str, Node], digits: int, *, as_floats: bool = False, most: int = MOST_STEPS
    ) -> None:
        self.kernels = Many(digits, as_floats=as_floats)
        self._as_floats, self._most = as_floats, most
        self.values: dict[Node, Any] = {}
        self.passes: list[tuple[Sequence[Node], Mapping[str, Any]]] = []
        self._fractions: dict[Node, Ratio] = {}
        self._inputs = inputs
        self._bound = dict(zip(inputs, self(tuple(inputs.values()), quiet=True), strict=True))

    def __call__(
        self,
        outputs: Sequence[Node],
        bindings: Mapping[str, Any] = _NOTHING,
        quiet: bool = False,
        results: object = None,
    ) -> list[Any]:
        """The outputs' values. bindings: of variables that are not the program's own.

        Raises TooLargeError where all values together do not fit in the memory that they may take.
        """
        if not quiet:
            self.passes.append((outputs, bindings))
        order = toposort(outputs, () if bindings else self.values)
        self._compute_fractions(order)
        needed = variables(order)
        bound = {node for node in needed if name_of(node) in bindings}
        moving = dependents(bound, order) if bound else bound
        known = {node: self.values[node] for node in order if node in self.values and node not in moving}
        order = toposort(outputs, known)
        self._check_size(order)
        given = {node: (bindings if node in moving else self._bound)[name_of(node)]
                 for node in variables(order) if node not in known}  # fmt: skip
        compiled = Compiled(outputs, [*given, *known], keep=True, order=order, kernels=self.kernels)
        tape = compiled.tape([*given.values(), *known.values()])
        found = dict(zip(compiled.nodes, tape, strict=True))
        self.values.update(found)
        return [found[output] for output in outputs]

    def _compute_fractions(self, order: Sequence[Node]) -> None:
        """The values of numbers that are fractions, made of such by arithmetic: exact ones, rounded once."""
        for node in order:
            if node in self._fractions or node.shape:
                continue
            value = constant_value(node)
            if value is not None:
                found = self._meant(value)
            elif node.op is VARIABLE:
                found = self._fractions.get(self._input(node))
            else:
                found = combined(node.op, [self._fractions.get(arg) for arg in node.args])
            if found is not None:
                self._fractions[node] = found
                self.values[node] = self.kernels.mp.mpf(found.numerator) / found.denominator

    def _meant(self, number: float) -> Ratio | None:
        """The fraction that a constant stands for; None for pi, and what is not finite."""
        if not math.isfinite(number) or (abs(number) in many.IRRATIONAL and not self._as_floats):
            return None
        return of_float(number) if self._as_floats else of_text(repr(number))

    def _check_size(self, order: Sequence[Node]) -> None:
        count = count_of_numbers(order)
        if count * (_BYTES + self.kernels.digits // 2) > _MOST_BYTES:
            raise TooLargeError(
                f"{count_text(count)} numbers of {self.kernels.digits} digits take more than {size_text(_MOST_BYTES)}",
                hint="ask for fewer digits, or for the value of a smaller part",
            )
        steps = sum(work_of(node) * self._steps_of_one(node) for node in order)
        if steps > self._most:
            raise TooLargeError(
                f"to compute this with {self.kernels.digits} digits takes {count_text(int(steps))} steps",
                hint=f"the limit is {self._most}: ask for fewer digits, or for the value of a smaller part",
            )

    def _steps_of_one(self, node: Node) -> float:
        """How long one application takes, measured with mpmath's own arithmetic; a function as sin is a series."""
        digits, op = self.kernels.digits, node.op
        if not (op.elementwise or isinstance(node.params, Loop)) or op in _AS_FAST_AS_SUMS or op.why_no_derivative:
            return 2 + digits / 500
        if op.mp in many.GAMMAS and digits > many.MANY_DIGITS:
            return float(digits**2.6) / 600 * many.GAMMAS[op.mp]
        return 10 + digits * math.sqrt(digits) / 120

    # ---- what rounding decides ----------------------------------------------------------

    def close_calls(self) -> list[Node]:
        """Comparisons of numbers that are equal but for rounding, and steps of numbers that are next to one.

        They count as equal, and as on the step. None of them is certain; what is exact is.
        """
        mp = self.kernels.mp

        def is_next_to_step(x: Any) -> bool:
            return self._is_near(x, mp.nint(2 * x) / 2)

        def is_close(node: Node) -> bool:
            test = self._is_near if len(node.args) == 2 else is_next_to_step
            return somewhere(_each(test)(*map(self.values.__getitem__, node.args)) & self._may_be_another(node))

        close = [node for node in self.values if self._is_decided(node) and is_close(node)]
        exact = self._exact() if close else {}
        return [node for node in close if not all(exact[arg] and self._is_represented(arg) for arg in node.args)]

    def _is_near(self, x: Any, y: Any) -> bool:
        mp = self.kernels.mp
        return bool(mp.isfinite(x) and mp.isfinite(y) and many.is_near(mp, x, y))

    def _may_be_another(self, node: Node) -> Any:
        """Where the numbers that a node takes may differ.

        They are one in x == max(x, y), as derivatives ask, where x alone is near to the larger of the two.
        """
        for one, extreme in (node.args, node.args[::-1]) if len(node.args) == 2 else ():
            near = self._count_near(extreme) if one in extreme.args else None
            if near is not None:
                return near != 1
        return True

    def _count_near(self, extreme: Node) -> Any:
        """How many of its arguments, or of their elements, are near to a maximum or minimum; None for what is none."""
        along = extreme.params
        axes = along.axes if isinstance(along, Reduce) and along.keepdims and extreme.op in (MAX, MIN) else None
        if axes is None and extreme.op not in (MAXIMUM, MINIMUM):
            return None
        near = [_each(self._is_near)(self.values[arg], self.values[extreme]) for arg in extreme.args]
        return sum(near) if axes is None else np.sum(near[0], axis=axes, keepdims=True)

    def _is_represented(self, node: Node) -> bool:
        """Whether a number that is exact has not been rounded for its value."""
        found = self._fractions.get(node)
        if found is None:
            return True
        is_binary = found.denominator & (found.denominator - 1) == 0
        return is_binary and found.numerator.bit_length() <= self.kernels.mp.prec

    def _is_decided(self, node: Node) -> bool:
        """Whether a node compares two numbers, or rounds one, and its value is not known as a fraction."""
        if node in self._fractions or not all(arg in self.values for arg in node.args):
            return False
        if len(node.args) == 2 and node.args[0] is node.args[1]:
            return False  # a number is equal to itself; this is how derivatives ask whether it is nan
        return node.op in COMPARISONS or bool(node.op.facts & STEPWISE)

    def cancelled(self) -> list[Node]:
        """Nodes that are 0 somewhere, which with more digits may turn out to be only close to it."""
        if not any(somewhere(value == 0) for node, value in self.values.items() if node.args):
            return []
        return [node for node, exact in self._exact().items()
                if node.args and not exact and self._is_doubtful_zero(node)]  # fmt: skip

    def _exact(self) -> dict[Node, bool]:
        """For each node whether its value is certainly exact."""
        exact: dict[Node, bool] = {}
        for node in toposort([*self._inputs.values(), *self.values]):
            if not node.args:
                exact[node] = self._is_exact_leaf(node, exact)
                continue
            same = node.op is SUBTRACT and len(set(map(self._input, node.args))) == 1
            exact[node] = (
                same
                or node in self._fractions
                or (all(exact[arg] for arg in node.args) and self._adds_no_rounding(node))
            )
        return exact

    def _is_exact_leaf(self, leaf: Node, exact: Mapping[Node, bool]) -> bool:
        if leaf.op is CONSTANT:
            known = [(self._meant(number), number) for number in constant_elements(leaf)]
            return all(meant is not None and meant == of_float(number) for meant, number in known)
        return leaf.op is not VARIABLE or exact.get(self._input(leaf), True)

    def _input(self, node: Node) -> Node:
        """The graph of an input's value; any other node itself."""
        return self._inputs.get(name_of(node), node) if node.op is VARIABLE else node

    def _adds_no_rounding(self, node: Node) -> bool:
        """Whether the value of a node with exact arguments is certainly exact, too."""
        if node.op.truth is not None or node.op.why_no_derivative or node.op.facts & CHOOSES:
            return True
        if node not in self.values:
            return False
        value, given = self.values[node], [self.values[arg] for arg in node.args]
        if node.op in (ADD, SUBTRACT):
            x, y = given
            y = y if node.op is ADD else -y
            return not somewhere((value - x != y) | (value - y != x))
        if node.op in (MULTIPLY, DIVIDE):
            x, y = given if node.op is MULTIPLY else (value, given[1])
            return bool(self._bits(x) + self._bits(y) <= self.kernels.mp.prec)
        if 2 * self._bits(value) > self.kernels.mp.prec:
            return False
        is_linear = node.op is NEG or isinstance(node.op.rule(0), Transpose | TransposeOf)
        doubles = (2 * number for number in numbers_in([value, *given]))  # logit(1/2) is 0, as ln(1) is
        return is_linear or all(number == self.kernels.mp.nint(number) for number in doubles)

    def _bits(self, value: Any) -> int:
        """How many bits the longest of the numbers takes."""
        return max((number.bc for number in numbers_in(value)), default=0)

    def _is_doubtful_zero(self, node: Node) -> bool:
        value, given = self.values[node], [self.values[arg] for arg in node.args]
        zero = value == 0
        if not somewhere(zero) or node.op.truth is not None or node.op.why_no_derivative:
            return False
        if node.op.elementwise:
            if node.op.facts & CHOOSES:
                return False
            zero = zero & self._may_be_another(node)
            for each in given:
                zero = zero & (each != 0)
            return somewhere(zero)
        if node.op.mp == ARRAYS and isinstance(node.op.rule(0), Transpose | TransposeOf):
            size = self.kernels.step(node)(*map(abs, given))
            return somewhere(zero & (size != 0))
        return False


def _each(test: Callable[..., bool]) -> Callable[..., Any]:
    """A test of numbers, on arrays element by element."""

    def run(*values: Any) -> Any:
        return np.frompyfunc(test, len(values), 1)(*values) if any(map(shape_of, values)) else test(*values)

    return run


def numbers_in(result: Any) -> Iterable[Any]:
    """The numbers of a result: of a number, an array, lists and dicts of them."""
    if isinstance(result, dict | list | tuple):
        for part in result.values() if isinstance(result, dict) else result:
            yield from numbers_in(part)
    elif hasattr(result, "flat"):
        yield from result.flat
    else:
        yield result


def mapped(function: Any, result: Any) -> Any:
    """A result with a function applied to each of its numbers."""
    if isinstance(result, dict):
        return {name: mapped(function, part) for name, part in result.items()}
    if isinstance(result, list | tuple):
        return type(result)(mapped(function, part) for part in result)
    if not hasattr(result, "flat"):
        return function(result)
    with np.errstate(invalid="ignore"):  # numpy would warn of a nan
        return np.frompyfunc(function, 1, 1)(result)
