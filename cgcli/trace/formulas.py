"""The formulas of single steps: a value, its tangent, and what its adjoint adds to those of its arguments.

    v2 = x1*x2:    dv2 = dx1*x2 + dx2*x1,    bar_x1 += bar_v2*x2,    bar_x2 += bar_v2*x1

They are the rules of the table, applied to leaves in the place of the arguments, and simplified.
Steps that differ only in names share their formulas.
"""

from __future__ import annotations

import math
from enum import Enum
from functools import lru_cache

from cgcli.algebra.algebraic import simplify
from cgcli.annotations import Callable, Container, Iterator, Mapping, Sequence
from cgcli.derivatives.book import expanded
from cgcli.graph.body import instantiated
from cgcli.graph.loops import Loop, LoopAdjoint
from cgcli.graph.node import CONSTANT, Graph, Node, apply, constant, constant_value, leaf, rebuild, toposort
from cgcli.graph.operation import Operation, Params
from cgcli.ops.arithmetic import POWER_OP
from cgcli.ops.fitting import zeros_like
from cgcli.ops.indexing import INDEX
from cgcli.ops.logic import NOT_EQUAL, WHERE
from cgcli.ops.shaping import RESHAPE
from cgcli.ops.sums import SUM, Reduce
from cgcli.ops.table import CONSTANTS
from cgcli.printing.printer import Names
from cgcli.printing.values import number
from cgcli.records import EMPTY, NamedTuple
from cgcli.transform.exact import exact
from cgcli.transform.formulas import Slopes, whole
from cgcli.transform.forward import push_through
from cgcli.transform.guarded import Guarded
from cgcli.transform.reverse import pull_back, sweep

_MOST_SIMPLIFIED = 100  # operations: nobody reads a longer rule to its end
_MOST_ARGUMENTS = 20  # likewise
_LARGEST_LITERAL = 12  # elements: a larger constant is a step with a name
_MOST_SHARED = 1000  # rules that are kept for other steps

_NUMBERS = {constant(CONSTANTS[name]): name for name in ("pi", "tau", "e", "deg")}

Active = tuple[bool, ...]  # for each argument, whether it is active


class Mark(Enum):
    """What a symbol stands for."""

    VALUE = "values"
    TANGENT = "tangents"
    ADJOINT = "adjoints"
    NUMBER = "number"  # no step: the symbol's name is its text


class Symbol(NamedTuple):
    """The value, the tangent or the adjoint of a step, which is given by its name; or a number."""

    mark: Mark
    name: str


class Formula(NamedTuple):
    """A graph, and what its leaves stand for."""

    node: Node
    symbols: Mapping[Node, Symbol] = EMPTY

    def names(self, spell: Callable[[Symbol], str], functions: Names) -> Names:
        """How its leaves, and functions of the user's own, are written."""
        leaves = (node for node in toposort([self.node], self.symbols) if node in self.symbols)
        return {**functions, **{node: spell(self.symbols[node]) for node in leaves}}


def of_a_loop(formula: Formula) -> str | None:
    """What is said of a formula that is a loop, run to its end or back, or a piece of what it gives; else None."""
    node = formula.node
    while node.op in (INDEX, RESHAPE) and node not in formula.symbols:
        (node,) = node.args
    loop = node.params
    if node in formula.symbols or not isinstance(loop, Loop | LoopAdjoint):
        return None
    trips = "" if loop.trips is None else f" × {loop.trips} trips"
    return f"{'loop, run back' if isinstance(loop, LoopAdjoint) else 'loop'}{trips}"


def is_literal(node: Node) -> bool:
    """Whether a node stands in formulas as its numbers: a constant that is not large."""
    return node.op is CONSTANT and math.prod(node.shape) <= _LARGEST_LITERAL


class Formulas:
    """The formulas of a program's steps. names: what each step is called."""

    def __init__(self, names: Mapping[Node, str]) -> None:
        self._names = names
        taken = set(names.values())
        self._numbers = {node: name for node, name in _NUMBERS.items() if name not in taken}
        self._locals: dict[Node, tuple[Node, Mapping[Node, Symbol]]] = {}

    def value(self, node: Node) -> Formula:
        """What an operation computes; a constant with a name is itself."""
        if not node.args:
            return Formula(node)
        symbols = {arg: Symbol(Mark.NUMBER, self._numbers[arg]) for arg in node.args if arg in self._numbers}
        symbols |= {arg: Symbol(Mark.VALUE, self._names[arg]) for arg in node.args if not is_literal(arg)}
        return Formula(_opened(node), symbols)

    def tangent(self, node: Node, active: Container[Node]) -> Formula:
        """The tangent of an operation, in terms of the tangents of its active arguments."""
        local, symbols = self._local(node)
        return Formula(_tangent(local, _active_arguments(node, active)), symbols)

    def contributions(self, node: Node, active: Container[Node]) -> dict[Node, Iterator[Formula]]:
        """For each active argument, the formulas of what an operation adds to the argument's adjoint, in order."""
        local, symbols = self._local(node)
        found: dict[Node, list[Formula]] = {}
        for at, formula in _contributions(local, _active_arguments(node, active)):
            found.setdefault(node.args[at], []).append(Formula(formula, symbols))
        return {arg: iter(formulas) for arg, formulas in found.items()}

    def _local(self, node: Node) -> tuple[Node, Mapping[Node, Symbol]]:
        """A step by itself, and what the leaves in its formulas stand for."""
        if node not in self._locals:
            local = _by_itself(node)
            self._locals[node] = local, self._symbols(node, local)
        return self._locals[node]

    def _symbols(self, node: Node, local: Node) -> dict[Node, Symbol]:
        name = self._names[node]
        symbols = {_value(local): Symbol(Mark.VALUE, name), _adjoint(local): Symbol(Mark.ADJOINT, name)}
        for arg, value, tangent in zip(node.args, local.args, _tangents(local), strict=True):
            if not is_literal(arg):
                symbols[value] = Symbol(Mark.VALUE, self._names[arg])
                symbols[tangent] = Symbol(Mark.TANGENT, self._names[arg])
            elif value is not arg:
                text = self._numbers.get(arg) or number(constant_value(arg) or 0.0)
                symbols[value] = Symbol(Mark.NUMBER, text)
        return symbols


def _opened(node: Node) -> Node:
    """A loop of one trip as what it computes; another node itself."""
    loop = node.params
    return instantiated(loop.body, node.args)[0] if isinstance(loop, Loop) and loop.trips == 1 else node


def _active_arguments(node: Node, active: Container[Node]) -> Active:
    return tuple(arg in active for arg in node.args)


def _by_itself(node: Node) -> Node:
    """A local node: the operation of a step, applied to leaves.

    The names of leaves make the simplifier put numbers first (0…), then tangents and adjoints (a…), then
    arguments (b…), then the step's own value (c).
    """
    places = _places(node)
    return apply(node.op, tuple(_argument(node, at, places[arg]) for at, arg in enumerate(node.args)), node.params)


def _argument(node: Node, at: int, place: int) -> Node:
    """What stands for an argument.

    A number has a leaf, so that 1/16 is not folded and all numbers share one formula. Exponents, 0, 1 and
    negative numbers stay as they are, for the simplified formula depends on them.
    """
    arg = node.args[at]
    if not is_literal(arg):
        return leaf(f"b{place:06}", arg.shape)
    value = constant_value(arg)
    exponent = node.op is POWER_OP and at == 1
    plain = value is not None and 0 < value < math.inf and value != 1 and not exponent
    return leaf(f"0{place:06}", ()) if plain else arg


def _places(node: Node) -> dict[Node, int]:
    """Where each argument stands first."""
    return {arg: at for at, arg in reversed([*enumerate(node.args)])}


def _tangents(local: Node) -> tuple[Node, ...]:
    """A leaf for the tangent of each argument, one for equal ones."""
    places = _places(local)
    return tuple(leaf(f"a{places[arg]:06}", arg.shape) for arg in local.args)


def _adjoint(local: Node) -> Node:
    return leaf("a", local.shape)


def _value(local: Node) -> Node:
    return leaf("c", local.shape)


@lru_cache(_MOST_SHARED)
def _tangent(local: Node, which: Active) -> Node:
    tangents = [
        Guarded(tangent) if is_active else None for tangent, is_active in zip(_tangents(local), which, strict=True)
    ]
    pushed = push_through(expanded(_opened(local)).output, dict(zip(local.args, tangents, strict=True)), _slopes(local))
    return _readable(local, [pushed.selected() if pushed else zeros_like(local)])[0]


@lru_cache(_MOST_SHARED)
def _contributions(local: Node, which: Active) -> list[tuple[int, Node]]:
    """For each contribution the place of the argument that it goes to, and its formula."""
    active = {arg for arg, is_active in zip(local.args, which, strict=True) if is_active}
    adjoint, definition, slopes = Guarded(_adjoint(local)), expanded(_opened(local)).output, _slopes(local)
    pulled = (
        [*pull_back(local, adjoint, active, slopes)]
        if definition is local
        else [*sweep([definition], [adjoint], active, leaves=local.args, slopes=slopes).items()]
    )
    formulas = _readable(local, [contribution.selected() for _, contribution in pulled])
    places = _places(local)
    return [(places[arg], formula) for (arg, _), formula in zip(pulled, formulas, strict=True)]


def _slopes(local: Node) -> Slopes:
    """The partials of a node in their book form, unless it has many arguments."""
    return expanded(_opened(local)).slopes(local.args) if len(local.args) <= _MOST_ARGUMENTS else whole


def _readable(local: Node, formulas: Sequence[Node]) -> list[Node]:
    """Formulas as a book has them, in terms of the node's own value; simplified unless they are large."""
    if len(local.args) <= _MOST_ARGUMENTS:
        formulas = [*expanded(_opened(local)).as_written(formulas)]
    become = rebuild(formulas, _shorter, {_opened(local): _value(local)})
    formulas = [become[formula] for formula in formulas]
    if len(toposort(formulas)) > _MOST_SIMPLIFIED:
        return formulas
    return [simplify(Graph((formula,))).output for formula in formulas]


def _shorter(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """A node as a person writes it: where(c, …) for where(c != 0, …), a plain sum for a reshaped one with keepdims."""
    first, *others = args or (None,)
    if first is not None and op is WHERE and first.op is NOT_EQUAL and constant_value(first.args[1]) == 0:
        return exact(WHERE, (first.args[0], *others))
    if first is not None and op is RESHAPE and first.op is SUM:
        assert isinstance(first.params, Reduce)
        total = exact(SUM, first.args, first.params._replace(keepdims=False))
        if params[0] == total.shape:
            return total
    return exact(op, args, params)
