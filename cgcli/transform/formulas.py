"""The formulas of the table at one node: partials and tangents, as graphs."""

from __future__ import annotations

from itertools import count

from cgcli.annotations import Callable, Sequence
from cgcli.graph.node import CONSTANT, Node, rebuild, stand_in, toposort, variable
from cgcli.graph.operation import STEPWISE, Operation, Params
from cgcli.graph.rules import JointJvp, Jvp, Partial, Partials, Transpose, TransposeOf
from cgcli.lean import cache, lru_cache
from cgcli.lowering.formula import formula_at, lower_formula, names_of
from cgcli.ops.arithmetic import DIVIDE, EQUAL_TO
from cgcli.ops.fitting import repeated, zeros_like
from cgcli.ops.logic import WHERE
from cgcli.records import NamedTuple
from cgcli.transform.exact import exact


class Slope(NamedTuple):
    """A partial derivative as a quotient: factor/divisor, or the factor alone.

    The divisor is for what moves: the tangent is factor*(tangent/divisor). The partial itself may be out of the
    range of float64 where that is not, as 1/u^2 is for large u. chooses: the zeros of the factor are structural.
    """

    factor: Node
    divisor: Node | None = None
    chooses: bool = False


Slopes = Callable[[Node, int], Slope]
"""The partial of an elementwise node by the argument at a position."""


_new = tuple.__new__
_Step = tuple[Operation, list[int], Params]


class Template:
    """A formula over stand-ins for the arguments of an operation, and for its value, which is made for node after node.

    Its nodes stand in a row: the stand-ins, the constants, then what is computed, arguments first.
    """

    __slots__ = ("_chooses", "_constants", "_formula", "_is_choice", "_quotient", "_slope", "_steps")

    def __init__(self, formula: Node, stand_ins: Sequence[Node], out: Node, *, chooses: bool = False) -> None:
        """stand_ins: for the arguments. out: for the value. chooses: as of Partial."""
        given = [*stand_ins, out]
        parts = [part for part in toposort([formula], given) if part not in given]
        self._constants = [part for part in parts if not part.args]
        computed = [part for part in parts if part.args]
        place = dict(zip([*given, *self._constants, *computed], count())).__getitem__
        self._steps = [(part.op, [*map(place, part.args)], part.params) for part in computed]
        self._formula = place(formula)
        self._quotient = [*map(place, formula.args)] if formula.op is DIVIDE else None
        self._is_choice = formula.op is WHERE
        self._chooses = chooses
        self._slope = Slope(formula, None, chooses) if formula.op is CONSTANT else None  # as of a sum

    def at(self, node: Node) -> Node:
        """The formula for a node."""
        return self._row(node, self._steps)[self._formula]

    def slope_at(self, node: Node) -> Slope:
        """The formula for a node, taken apart where it is a quotient whose divisor is no number."""
        if self._slope is not None:
            return self._slope
        if self._quotient is not None:
            row = self._row(node, self._steps[:-1])
            factor, divisor = [row[at] for at in self._quotient]
        elif not self._steps:  # one of the arguments, as of a product
            args = node.args
            return _new(Slope, (args[self._formula] if self._formula < len(args) else node, None, self._chooses))
        else:
            found = self._row(node, self._steps)[self._formula]
            if not self._is_choice or found.op is not DIVIDE:
                return Slope(found, None, self._chooses)
            factor, divisor = found.args  # the case that constants have chosen
        number = repeated(divisor)
        if number.op is CONSTANT:
            return Slope(exact(DIVIDE, (factor, number)), None, self._chooses)
        return Slope(factor, divisor, self._chooses)

    def _row(self, node: Node, steps: Sequence[_Step]) -> list[Node]:
        row = [*node.args, node, *self._constants]
        part = row.__getitem__
        for op, places, params in steps:
            row.append(exact(op, tuple(map(part, places)), params))
        return row


@cache
def _template(op: Operation, position: int, params: Params) -> Template | None:
    """The partial of an elementwise operation, read once for all its uses; None where all are built at once."""
    rule = op.rule(position)
    if isinstance(rule, Partials):
        return None
    assert isinstance(rule, Partial)
    stand_ins = tuple(variable(f"\0{name}") for name in op.arrays)
    out = variable("\0out")
    formula = lower_formula(rule.formula, {**names_of(op, stand_ins, params), "out": out})
    return Template(formula, stand_ins, out, chooses=rule.chooses)


@lru_cache(maxsize=1)
def _all_partials(node: Node) -> tuple[Node, ...]:
    """All partials of a node, kept while its arguments are asked for one after the other."""
    rule = node.op.rule(0)
    assert isinstance(rule, Partials)
    return rule.build(node.args)


def partial(node: Node, position: int) -> Node:
    """The partial derivative of an elementwise node by one of its arguments."""
    factor, divisor, _ = slope(node, position)
    return factor if divisor is None else exact(DIVIDE, (factor, divisor))


def whole(node: Node, position: int) -> Slope:
    """The partial of an elementwise node as one factor, which can be found again in a derivative."""
    return Slope(partial(node, position))


def shown(node: Node, position: int) -> Slope:
    """As `slope`, for the adjoint of each node."""
    return slope(node, position)


def slope(node: Node, position: int) -> Slope:
    """The partial of an elementwise node, taken apart where its formula is a quotient."""
    template = _template(node.op, position, node.params)
    if template is not None:
        return template.slope_at(node)
    rule = node.op.rule(position)
    assert isinstance(rule, Partials)
    return Slope(_all_partials(node)[position], chooses=rule.chooses)


def moves_where_nan(op: Operation, slopes: Slopes) -> bool:
    """Whether an operation is a step, whose derivative is a structural zero, and nan where its value is.

    Only the derivatives of a program say so, no formula, and no adjoint on the way.
    """
    return bool(op.facts & STEPWISE) and slopes is slope


def unguarded(op: Operation, args: tuple[Node, ...], params: Params = ()) -> Node:
    """A node, without what makes a rule nan outside of a domain: where(out == out, x, out) is x."""
    if op is WHERE and args[0].op is EQUAL_TO and args[0].args == (args[2], args[2]):
        return args[1]
    return exact(op, args, params)


def joint_tangent(node: Node) -> tuple[Node, list[Node]]:
    """The tangent of a node with a JointJvp rule, and the stand-ins for its arguments' tangents in it."""
    rule = node.op.rule(0)
    assert isinstance(rule, JointJvp)
    moving = [stand_in(node, at) for at in range(len(node.args))]
    tangent = rule.build(node, tuple(moving))
    leaves = (node, *node.args, *moving)
    return rebuild([tangent], exact, dict(zip(leaves, leaves, strict=True)))[tangent], moving


def transposed(node: Node, position: int, adjoint: Node, args: tuple[Node, ...]) -> Node:
    """What the transpose rule of one argument makes of an adjoint, with `args` in the arguments' places."""
    rule = node.op.rule(position)
    if isinstance(rule, TransposeOf):
        return rule.build(adjoint, args, node.params, position)
    assert isinstance(rule, Transpose)
    return rule.build(adjoint, args, node.params)


def moves_alone(node: Node, position: int) -> bool:
    """Whether no other argument has a rule, as beside the place of an element, which is no factor."""
    return all(at == position or node.op.rule(at) is None for at in range(len(node.args)))


def tangent_formula(node: Node, position: int, tangent: Node, slopes: Slopes) -> Node:
    """The contribution of one argument's tangent by a Jvp rule: in its book form where no digits are to be kept."""
    rule = node.op.rule(position)
    assert isinstance(rule, Jvp)
    if 0 in node.args[position].shape:  # nothing moves, and there is no largest of no elements
        return zeros_like(node)
    op = node.op
    formula = rule.formula if slopes in (slope, shown) else rule.book or rule.formula
    nodes = {**dict(zip(op.arrays, node.args, strict=True)), "out": node, f"d{op.arrays[position]}": tangent}
    return formula_at(formula, op, node.params, nodes)
