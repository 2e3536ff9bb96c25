"""Loops of numbers as Python functions, which are generated from their graphs: many trips in one call.

Loops within loops are written into the same function.
"""

from __future__ import annotations

import ast
import math

from cgcli.annotations import Any, Callable, Sequence
from cgcli.evaluate.generated import Code, NotOfNumbersError, assigned, name_in_code
from cgcli.graph.body import Body
from cgcli.graph.loops import Loop, LoopAdjoint, compared
from cgcli.graph.node import Node
from cgcli.ops.loops import unpacked

Function = Callable[..., Any]

UNKNOWN = 2  # how a loop has ended whose condition compares a nan


class TooManyTripsError(Exception):
    """A loop within the loop makes more trips than are left."""


def forward(loop: Loop) -> Function | None:
    """run(*carries, *others, most, left, keep): the carries, the trips made, whether the loop has ended, and all trips
    with those of inner loops; None where something is no number.

    most: the trips after which it pauses. left: how many it may make with those of inner loops; beyond,
    TooManyTripsError. ended: UNKNOWN where the condition compares a nan.
    keep: told of the carries before each trip; None where nobody needs them.
    """
    code = _Code(loop.body.parameters)
    names = [code.names[leaf] for leaf in loop.body.parameters[: loop.carries]]
    keep = "if keep is not None:\n    keep((" + "".join(f"{name}, " for name in names) + "))"
    try:
        trip = [*code.condition(loop, names, "ended = True"), *ast.parse(keep).body, *code.trip(loop, names)]
    except NotOfNumbersError:
        return None
    lines = [*code.checks(), *ast.parse("n = inner = 0\nended = False").body]
    count = ast.parse("n += 1").body
    lines += [_while("n < most", [*trip, *count])]
    return code.function([*lines, _returned(names)], ("most", "left", "keep"))


def backward(adjoint: LoopAdjoint, back: Body) -> Function | None:
    """run(*others, *adjoints, *added, states): the adjoints of the carries, then what is added up for the others.

    back: one trip, with guards or without. states: the carries before each trip, the last one first.
    """
    loop, leaves = adjoint.loop, back.parameters
    code = _Code(leaves[loop.carries :])
    before = [f"c{at}" for at in range(loop.carries)]
    code.names |= zip(leaves, before, strict=False)
    adjoints = [code.names[leaf] for leaf in leaves[len(loop.body.parameters) :]]
    behind, more = adjoint.told_apart(back.outputs)
    added = [f"e{at}" for at in range(len(more))]
    try:
        trip = code.computed(back.outputs)
    except NotOfNumbersError:
        return None
    pairs = zip(added, map(code.value, more), strict=True)
    sums: list[ast.expr] = [ast.BinOp(name_in_code(name), ast.Add(), value) for name, value in pairs]
    trip += _together(adjoints + added, [*map(code.value, behind), *sums])
    target = ast.Tuple([ast.Name(name, ast.Store()) for name in before], ast.Store())
    trips: ast.stmt = ast.For(target, name_in_code("states"), trip, [])
    result = ast.Return(ast.List([*map(name_in_code, adjoints + added)], ast.Load()))
    return code.function([*code.checks(), trips, result], (*added, "states"))


class _Code(Code):
    """Lines with loops among them."""

    def special(self, node: Node) -> list[ast.stmt] | None:
        """The lines of a loop of numbers; its pieces are names from there on."""
        loop = node.params
        if not isinstance(loop, Loop):
            return None
        if any(arg.shape for arg in node.args):
            raise NotOfNumbersError
        leaves, outer = loop.body.parameters, self.names
        values = [*map(self.value, node.args)]
        names = [self.fresh() for _ in leaves]
        lines: list[ast.stmt] = [assigned(name, value) for name, value in zip(names, values, strict=True)]
        self.names = dict(zip(leaves, names, strict=True))
        carries = names[: loop.carries]
        trip = [*self.condition(loop, carries), *self.trip(loop, carries)]
        trip += ast.parse("inner += 1\nif inner > left: too_many()").body
        self.known["too_many"] = _too_many
        if loop.trips is None:
            lines.append(_while("True", trip))
        else:
            trips = ast.parse(f"range({loop.trips})", mode="eval").body
            lines.append(ast.For(ast.Name(self.fresh(), ast.Store()), trips, trip, []))
        self.names = outer
        outer |= zip(unpacked(node, loop.shapes), carries, strict=True)
        outer.setdefault(node, "")
        return lines

    def trip(self, loop: Loop, names: Sequence[str]) -> list[ast.stmt]:
        """The lines of one trip."""
        before = dict(self.names)
        lines = self.computed(loop.nexts)
        lines += _together(names, [*map(self.value, loop.nexts)])
        self.names = before
        return lines

    def condition(self, loop: Loop, names: Sequence[str], told: str = "") -> list[ast.stmt]:
        """The lines that end the loop where its condition does not hold. told: a statement for then."""
        if loop.going is None:
            return []
        before = dict(self.names)
        lines = self.computed([loop.going])
        test = ast.Compare(self.value(loop.going), [ast.Eq()], [ast.Constant(0.0)])
        ends = ast.parse(told).body
        for operand in compared([loop.going]):
            value = self.value(operand)
            unknown = ast.Compare(value, [ast.NotEq()], [value])
            result = _together(names, [self.called(math.nan) for _ in names])
            ends.append(ast.If(unknown, [*result, *ast.parse(told and f"ended = {UNKNOWN}").body], []))
        self.names = before
        return [*lines, ast.If(test, [*ends, ast.Break()], [])]


def _too_many() -> None:
    raise TooManyTripsError


def _returned(names: Sequence[str]) -> ast.stmt:
    """return [carries], n, ended, n + inner."""
    carries = ast.List([*map(name_in_code, names)], ast.Load())
    rest = [name_in_code("n"), name_in_code("ended"), ast.parse("n + inner", mode="eval").body]
    return ast.Return(ast.Tuple([carries, *rest], ast.Load()))


def _together(names: Sequence[str], values: Sequence[ast.expr]) -> list[ast.stmt]:
    """Several names that change at the same time."""
    if not names:
        return []
    target = ast.Tuple([ast.Name(name, ast.Store()) for name in names], ast.Store())
    return [ast.Assign([target], ast.Tuple([*values], ast.Load()))]


def _while(test: str, body: list[ast.stmt]) -> ast.stmt:
    return ast.While(ast.parse(test, mode="eval").body, body, [])
