"""The formulas of single steps: a value, its tangent, and what its adjoint adds to those of its arguments.

    v2 = x1*x2:    dv2 = dx1*x2 + dx2*x1,    bar_x1 += bar_v2*x2,    bar_x2 += bar_v2*x1

They are the rules of the table, applied to leaves in the place of the arguments, and simplified.
Steps that differ in nothing but names share them.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from cgcli.algebra.algebraic import simplify
from cgcli.derivatives.book import as_in_a_book, written_out
from cgcli.graph.node import CONSTANT, Graph, Node, apply, constant, constant_value, leaf, rebuild, toposort
from cgcli.graph.operation import Operation, Params
from cgcli.ops.arithmetic import POWER_OP
from cgcli.ops.logic import NOT_EQUAL, WHERE
from cgcli.ops.shaping import RESHAPE
from cgcli.ops.sums import SUM
from cgcli.ops.table import CONSTANTS
from cgcli.printing.values import number
from cgcli.trace.formula import Formula, Mark, Symbol
from cgcli.transform.differentiate import zeros
from cgcli.transform.exact import exact
from cgcli.transform.forward import push_through
from cgcli.transform.guarded import Guarded
from cgcli.transform.reverse import pull_back, sweep

_MOST_SIMPLIFIED = 100  # operations: nobody reads a longer rule to its end
_MOST_ARGUMENTS = 20  # likewise
_LARGEST_LITERAL = 12  # elements: a larger constant is a step with a name

_NUMBERS = {constant(CONSTANTS[name]): name for name in ("pi", "tau", "e", "deg")}

Moving = tuple[bool, ...]


def is_literal(node: Node) -> bool:
    """Whether a node stands in formulas as its numbers: a constant that is not large."""
    return node.op is CONSTANT and math.prod(node.shape) <= _LARGEST_LITERAL


class Local(NamedTuple):
    """A step by itself: its operation, applied to leaves in the place of the arguments.

    args: the leaves, one for equal arguments, or constants that are written out. tangents: a
    leaf for the tangent of each. out, adjoint: leaves for the step's own value and adjoint.
    symbols: what the leaves stand for. The names of leaves make the simplifier put numbers
    first, then tangents and adjoints, then arguments, then the value.
    """

    node: Node
    args: tuple[Node, ...]
    tangents: tuple[Node, ...]
    out: Node
    adjoint: Node
    symbols: Mapping[Node, Symbol]


def _local(node: Node, names: Mapping[Node, str], numbers: Mapping[Node, str]) -> Local:
    places = {arg: at for at, arg in reversed([*enumerate(node.args)])}
    args = tuple(_argument(node, at, places[arg]) for at, arg in enumerate(node.args))
    tangents = tuple(leaf(f"a{places[arg]:06}", arg.shape) for arg in node.args)
    out, adjoint = leaf("c", node.shape), leaf("a", node.shape)
    symbols = {out: Symbol(Mark.VALUE, names[node]), adjoint: Symbol(Mark.ADJOINT, names[node])}
    for arg, stands, moves in zip(node.args, args, tangents, strict=True):
        if not is_literal(arg):
            symbols[stands] = Symbol(Mark.VALUE, names[arg])
            symbols[moves] = Symbol(Mark.TANGENT, names[arg])
        elif stands is not arg:
            symbols[stands] = Symbol(Mark.NUMBER, numbers.get(arg) or number(constant_value(arg) or 0.0))
    return Local(apply(node.op, args, node.params), args, tangents, out, adjoint, symbols)


def _argument(node: Node, at: int, place: int) -> Node:
    """What stands for an argument.

    A number has a leaf, so that 1/16 is not folded and all numbers share one rule; but not an
    exponent, nor where 0, 1 or a sign would make the formula another.
    """
    arg = node.args[at]
    if not is_literal(arg):
        return leaf(f"b{place:06}", arg.shape)
    value = constant_value(arg)
    exponent = node.op is POWER_OP and at == 1
    plain = value is not None and 0 < value < math.inf and value != 1 and not exponent
    return leaf(f"0{place:06}", ()) if plain else arg


class Rules:
    """The formulas of a program's steps. names: what each step is called."""

    def __init__(self, names: Mapping[Node, str]) -> None:
        self._names = names
        taken = set(names.values())
        self._numbers = {node: name for node, name in _NUMBERS.items() if name not in taken}
        self._locals: dict[Node, Local] = {}
        self._tangents: dict[tuple[Node, Moving], Node] = {}
        self._contributions: dict[tuple[Node, Moving], list[tuple[int, Node]]] = {}

    def value(self, node: Node) -> Formula:
        """What an operation computes; a constant with a name is itself."""
        if not node.args:
            return Formula(node)
        symbols = {arg: Symbol(Mark.NUMBER, self._numbers[arg]) for arg in node.args if arg in self._numbers}
        symbols |= {arg: Symbol(Mark.VALUE, self._names[arg]) for arg in node.args if not is_literal(arg)}
        return Formula(node, symbols)

    def tangent(self, node: Node, active: Container[Node]) -> Formula:
        """The tangent of an operation in those of its active arguments."""
        own, moving = self._local(node), _moving(node, active)
        if (own.node, moving) not in self._tangents:
            self._tangents[own.node, moving] = _tangent(own, moving)
        return Formula(self._tangents[own.node, moving], own.symbols)

    def contributions(self, node: Node, active: Container[Node]) -> dict[Node, list[Formula]]:
        """What the adjoint of an operation adds to those of its active arguments, one by one."""
        own, moving = self._local(node), _moving(node, active)
        if (own.node, moving) not in self._contributions:
            self._contributions[own.node, moving] = _contributions(own, moving)
        found: dict[Node, list[Formula]] = {}
        for at, formula in self._contributions[own.node, moving]:
            found.setdefault(node.args[at], []).append(Formula(formula, own.symbols))
        return found

    def _local(self, node: Node) -> Local:
        if node not in self._locals:
            self._locals[node] = _local(node, self._names, self._numbers)
        return self._locals[node]


def _moving(node: Node, active: Container[Node]) -> Moving:
    return tuple(arg in active for arg in node.args)


def _tangent(own: Local, moving: Moving) -> Node:
    tangents = [Guarded(tangent) if moves else None for tangent, moves in zip(own.tangents, moving, strict=True)]
    pushed = push_through(written_out(own.node).output, dict(zip(own.args, tangents, strict=True)))
    return _readable(own, [pushed.selected() if pushed else zeros(own.node)])[0]


def _contributions(own: Local, moving: Moving) -> list[tuple[int, Node]]:
    """For each contribution the place of the argument that it goes to, and its formula."""
    active = {arg for arg, moves in zip(own.args, moving, strict=True) if moves}
    adjoint, definition = Guarded(own.adjoint), written_out(own.node).output
    pulled = (
        [*pull_back(own.node, adjoint, active)]
        if definition is own.node
        else [*sweep([definition], [adjoint], active, leaves=own.args).items()]
    )
    formulas = _readable(own, [contribution.selected() for _, contribution in pulled])
    places = {arg: at for at, arg in enumerate(own.args)}
    return [(places[arg], formula) for (arg, _), formula in zip(pulled, formulas, strict=True)]


def _readable(own: Local, formulas: Sequence[Node]) -> list[Node]:
    """Formulas as a book has them, in terms of the node's own value; simplified unless they are large."""
    if len(own.args) <= _MOST_ARGUMENTS:
        formulas = as_in_a_book(written_out(own.node), formulas)
    become = rebuild(formulas, _shorter, {own.node: own.out})
    formulas = [become[formula] for formula in formulas]
    if len(toposort(formulas)) > _MOST_SIMPLIFIED:
        return formulas
    return [simplify(Graph((formula,))).output for formula in formulas]


def _shorter(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """A node as a person writes it: a choice by c, not by `c != 0`; a sum without its axis, not reshaped to be so."""
    first, *others = args or (None,)
    if first is not None and op is WHERE and first.op is NOT_EQUAL and constant_value(first.args[1]) == 0:
        return exact(WHERE, (first.args[0], *others))
    if first is not None and op is RESHAPE and first.op is SUM:
        axes, _ = first.params
        total = exact(SUM, first.args, (axes, False))
        if params[0] == total.shape:
            return total
    return exact(op, args, params)
