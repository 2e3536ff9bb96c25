"""The formulas of the table at one node: partials and tangents, as graphs."""

from __future__ import annotations

from cgcli.annotations import Callable, Sequence
from cgcli.graph.node import CONSTANT, Node, rebuild, stand_in, toposort, variable
from cgcli.graph.operation import STEPWISE, Operation, Params
from cgcli.graph.rules import JointJvp, Jvp, Partial, Partials, Transpose, TransposeOf
from cgcli.lean import cache, lru_cache
from cgcli.lowering.formula import lower_formula, names_of
from cgcli.ops.arithmetic import DIVIDE, EQUAL_TO
from cgcli.ops.creation import zeros_like
from cgcli.ops.logic import WHERE
from cgcli.ops.sums import BROADCAST
from cgcli.records import NamedTuple
from cgcli.transform.exact import exact


class Slope(NamedTuple):
    """A partial derivative as a quotient: factor/divisor, or the factor alone.

    The divisor is for what moves: the tangent is factor*(tangent/divisor). The partial itself may be out of the
    range of float64 where that is not, as 1/u^2 is for large u.
    """

    factor: Node
    divisor: Node | None = None


Slopes = Callable[[Node, int], Slope]
"""The partial of an elementwise node by the argument at a position."""


class Template(NamedTuple):
    """A formula over stand-ins for the arguments of an operation, and for its value: its nodes, arguments first."""

    order: list[Node]
    stand_ins: tuple[Node, ...]
    out: Node

    @property
    def formula(self) -> Node:
        """The formula itself."""
        return self.order[-1]

    def at(self, node: Node) -> Node:
        """The formula for a node."""
        (found,) = self.parts_at(node, (self.formula,))
        return found

    def parts_at(self, node: Node, parts: Sequence[Node]) -> list[Node]:
        """The formula, or its arguments, for a node."""
        become = dict(zip(self.stand_ins, node.args, strict=True))
        become[self.out] = node
        for part in self.order if self.formula in parts else self.order[:-1]:
            if part not in become:
                args = tuple([become[arg] for arg in part.args])
                become[part] = exact(part.op, args, part.params) if args else part
        return [become[part] for part in parts]


@cache
def _template(op: Operation, position: int, params: Params) -> Template:
    """The partial of an elementwise operation, read once for all its uses."""
    rule = op.rule(position)
    assert isinstance(rule, Partial)
    stand_ins = tuple(variable(f"\0{name}") for name in op.arrays)
    out = variable("\0out")
    formula = lower_formula(rule.formula, {**names_of(op, stand_ins, params), "out": out})
    return Template(toposort([formula]), stand_ins, out)


@lru_cache(maxsize=1)
def _all_partials(node: Node) -> tuple[Node, ...]:
    """All partials of a node, kept while its arguments are asked for one after the other."""
    rule = node.op.rule(0)
    assert isinstance(rule, Partials)
    return rule.build(node.args)


def partial(node: Node, position: int) -> Node:
    """The partial derivative of an elementwise node by one of its arguments."""
    factor, divisor = slope(node, position)
    return factor if divisor is None else exact(DIVIDE, (factor, divisor))


def whole(node: Node, position: int) -> Slope:
    """The partial of an elementwise node as one factor, which can be found again in a derivative."""
    return Slope(partial(node, position))


def shown(node: Node, position: int) -> Slope:
    """As `slope`, for the adjoint of each node."""
    return slope(node, position)


def slope(node: Node, position: int) -> Slope:
    """The partial of an elementwise node, taken apart where its formula is a quotient."""
    rule = node.op.rule(position)
    if isinstance(rule, Partials):
        return Slope(_all_partials(node)[position])
    template = _template(node.op, position, node.params)
    if template.formula.op is CONSTANT:  # as those of a sum
        return Slope(template.formula)
    if template.formula.op is DIVIDE:
        factor, divisor = template.parts_at(node, template.formula.args)
    else:
        found = template.at(node)
        if template.formula.op is not WHERE or found.op is not DIVIDE:
            return Slope(found)
        factor, divisor = found.args  # the case that constants have chosen
    number = divisor.args[0] if divisor.op is BROADCAST else divisor
    return Slope(exact(DIVIDE, (factor, number))) if number.op is CONSTANT else Slope(factor, divisor)


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


def tangent_formula(node: Node, position: int, tangent: Node, slopes: Slopes) -> Node:
    """The contribution of one argument's tangent by a Jvp rule: in its book form beside whole partials."""
    rule = node.op.rule(position)
    assert isinstance(rule, Jvp)
    if 0 in node.args[position].shape:  # nothing moves, and there is no largest of no elements
        return zeros_like(node)
    names = names_of(node.op, node.args, node.params)
    formula = rule.book if rule.book and slopes is whole else rule.formula
    return lower_formula(formula, {**names, "out": node, f"d{node.op.arrays[position]}": tangent})
