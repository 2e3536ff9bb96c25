"""Derivatives as a calculus book prints them: the table's rules without what serves numbers only.

The rules of the table keep their digits and hold at every edge: `where(n == 0, 0, n*x^(n - 1))`,
`1/sqrt((1 - x)*(1 + x))`. A formula that people read says n*x^(n - 1) and 1/sqrt(1 - x^2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from cgcli.graph.node import Node, apply, constant, constant_value, leaf, rebuild, toposort
from cgcli.graph.operation import Operation, Params
from cgcli.graph.rules import Partial, Partials
from cgcli.lowering.formula import expand, lower_formula, names_of
from cgcli.ops.arithmetic import ADD, DIVIDE, EQUAL_TO, HYPOT, MULTIPLY, POWER_OP, SQRT, SUBTRACT
from cgcli.ops.functions import LN
from cgcli.ops.logic import STOP_GRADIENT, WHERE
from cgcli.transform.exact import exact
from cgcli.transform.formulas import partial

_TWO = constant(2.0)


class WrittenOut(NamedTuple):
    """A graph without operations that are defined by others.

    back: for what each of them was written out as, the operation itself.
    """

    output: Node
    back: Mapping[Node, Node]


def written_out(output: Node) -> WrittenOut:
    """A graph in terms of operations that have a rule of their own."""
    back: dict[Node, Node] = {}
    become: dict[Node, Node] = {}
    for node in toposort([output]):
        if not node.args:
            become[node] = node
            continue
        args = tuple(become[arg] for arg in node.args)
        become[node] = written = _definition(node.op, args, node.params)
        if node.op.book:
            back |= {part: part.args[0] for part in toposort([written], args) if part.op is STOP_GRADIENT}
        if written.op is not node.op:
            back[written] = node
    return WrittenOut(become[output], back)


def _definition(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """A node by what it is defined as, all the way down."""
    if op.book and args[0].shape:
        return lower_formula(op.book, names_of(op, args, params))
    if not op.expansion:
        return exact(op, args, params)
    inner = expand(op, args, params)
    return rebuild([inner], _definition, dict(zip(args, args, strict=True)))[inner]


def as_in_a_book(written: WrittenOut, slopes: Sequence[Node]) -> tuple[Node, ...]:
    """Derivatives of a graph, with its rules as a book has them, and in terms of its own operations."""
    order = toposort([written.output])
    own = set(order)
    plain: dict[Node, Node] = {}
    for node in order:
        for position in range(len(node.args)):
            if isinstance(node.op.rule(position), Partial | Partials):
                careful = partial(node, position)
                if careful.args and careful not in own:
                    plain[careful] = _plain(node, position)
    for part in toposort(slopes):
        if part.op is WHERE and part not in own and (inside := _inside(part)) is part.args[1]:
            plain.setdefault(part, inside)
    for known in (plain, written.back):
        become = rebuild(slopes, _readable, known)
        slopes = [become[slope] for slope in slopes]
    return tuple(slopes)


def _plain(node: Node, position: int) -> Node:
    """The partial of an elementwise node as a book has it."""
    template = _template(node.op, len(node.args), position, node.params)
    become = dict(zip(template.leaves, node.args, strict=True)) | {template.out: node}
    return rebuild([template.partial], _readable, become)[template.partial]


def _readable(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """A node without `1*`; but ln(2) is not a number with 16 digits."""
    return apply(op, args, params) if op is LN else exact(op, args, params)


class _Template(NamedTuple):
    """A partial over leaves that stand for the arguments."""

    partial: Node
    leaves: tuple[Node, ...]
    out: Node


@cache
def _template(op: Operation, count: int, position: int, params: Params) -> _Template:
    leaves = tuple(leaf(f"{op.name}{at}", ()) for at in range(count))
    out = apply(op, leaves, params)
    rule = op.rule(position)
    if isinstance(rule, Partials):
        formula = rule.build(leaves)[position]
    else:
        assert isinstance(rule, Partial)
        formula = lower_formula(rule.formula, {**names_of(op, leaves, params), "out": out})
    formula = _unguarded(formula)
    return _Template(rebuild([formula], _familiar, {out: out})[formula], leaves, out)


def _unguarded(node: Node) -> Node:
    """A rule without what it says of edges only."""
    while True:
        inside = _inside(node)
        if inside is node:
            return node
        node = inside


def _inside(node: Node) -> Node:
    if node.op is DIVIDE and node.args[0].op is EQUAL_TO:  # an extreme's equal arguments share its derivative
        return node.args[0]
    if node.op is not WHERE:
        return node
    condition, yes, no = node.args
    if constant_value(yes) == 0:  # where(n == 0, 0, n*x^(n - 1))
        return no
    return yes if condition.op is EQUAL_TO and condition.args == (no, no) else node  # where(out == out, 1/x, out)


def _familiar(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """A node of a rule, in the form that is familiar where another is more accurate."""
    if op is HYPOT:  # hypot(x, y) = sqrt(x^2 + y^2)
        x, y = (exact(POWER_OP, (arg, _TWO)) for arg in args)
        return exact(SQRT, (exact(ADD, (x, y)),))
    if op is MULTIPLY and args[0].op is args[1].op is SQRT:  # sqrt(x)*sqrt(y) = sqrt(x*y)
        (x,), (y,) = (arg.args for arg in args)
        return exact(SQRT, (_familiar(MULTIPLY, (x, y), ()),))
    if op is MULTIPLY and {args[0].op, args[1].op} == {ADD, SUBTRACT}:
        difference, total = sorted(args, key=lambda arg: arg.op is ADD)
        if set(difference.args) == set(total.args):  # (x - y)*(x + y) = x^2 - y^2
            x, y = (exact(POWER_OP, (arg, _TWO)) for arg in difference.args)
            return exact(SUBTRACT, (x, y))
    return _readable(op, args, params)
