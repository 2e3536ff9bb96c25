"""solve(g(x) = 0, x=x0): equations to a node that holds them."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.errors import ArgumentError, ShapeError, TooLargeError
from cgcli.graph.loops import fresh_leaves
from cgcli.graph.node import Node, apply, constant_value, rebuild, toposort
from cgcli.graph.shapes import shaped
from cgcli.lowering.indices import Places, value_of
from cgcli.lowering.invoke import TAKEN, Scope, Several
from cgcli.lowering.invoke import Steps as Lowered
from cgcli.lowering.loops import closed, with_canonical_body
from cgcli.lowering.series import is_elementwise
from cgcli.ops.arithmetic import SUBTRACT
from cgcli.ops.fitting import broadcast
from cgcli.ops.loops import packed, unpacked
from cgcli.ops.roots import ROOT, Root
from cgcli.ops.shaping import reshape
from cgcli.syntax import tree

MAX_UNKNOWNS = 256  # in equations that are solved together


def solve(item: tree.Solve, scope: Scope, places: Places) -> Lowered:
    """The unknowns, from equations in them; several have the order in which they stand."""
    found = yield item.starts, scope
    starts = [value_of(start, part.span) for start, part in zip(found, item.starts, strict=True)]
    while True:
        shapes = [start.shape for start in starts]
        (leaf,) = fresh_leaves([packed(starts).shape])
        names = {key: value for key, value in scope.names.items() if key != TAKEN}
        names |= zip((name.name for name in item.names), unpacked(leaf, shapes), strict=True)
        parts = tuple(side for pair in item.sides for side in pair)
        sides = yield parts, Scope(names, scope.inside)
        values = [value_of(side, part.span) for side, part in zip(sides, parts, strict=True)]
        rests = [_difference(left, right) for left, right in zip(values[::2], values[1::2], strict=True)]
        if len(starts) > 1 or shapes[0] or not rests[0].shape:
            break
        starts = [broadcast(starts[0], rests[0].shape)]  # a number is the start of each
    rest, start = packed(rests), packed(starts)
    if leaf not in toposort([rest]):
        called = " and ".join(f"'{name.name}'" for name in item.names)
        raise ArgumentError(f"the equation does not depend on {called}", item.span,
                            hint="the name behind it is the unknown: solve(x^2 = 2, x=1)")  # fmt: skip
    if rest.shape != start.shape:
        counts = [math.prod(shape) for shape in (rest.shape, start.shape)]
        equations, unknowns = (
            f"{count} {word}{'s' * (count != 1)}" for count, word in zip(counts, ("equation", "unknown"), strict=True)
        )
        shapes_apart = f" (shapes {shaped(rest.shape)} and {shaped(start.shape)})" * (counts[0] == counts[1])
        raise ShapeError(f"solve takes as many equations as unknowns, and there are {equations} for {unknowns}"
                         f"{shapes_apart}", item.span)  # fmt: skip
    if math.prod(start.shape) > MAX_UNKNOWNS and not is_elementwise(rest, leaf):
        raise TooLargeError(f"solve takes at most {MAX_UNKNOWNS} unknowns together", item.span)
    outside, body = closed([leaf], [rest], places.origins)
    node = apply(ROOT, (start, *outside), Root(body))
    places.origins.setdefault(node, item.span)
    if len(starts) == 1:
        places.names[node] = item.names[0].name
        return node
    return Several(tuple(unpacked(node, shapes)))


def root_of(unknowns: Sequence[Node], rests: Sequence[Node]) -> Node:
    """The node of the unknowns, packed, where some nodes are 0, as many as these; their own values are the start."""
    (place,) = fresh_leaves([packed(unknowns).shape])
    pieces = unpacked(place, [node.shape for node in unknowns])
    become = rebuild(rests, apply, dict(zip(unknowns, pieces, strict=True)))
    rest, start = packed([become[node] for node in rests]), packed(unknowns)
    outside, body = closed([place], [reshape(rest, start.shape)])
    return apply(ROOT, (start, *outside), Root(body))


def canonical(args: tuple[Node, ...], root: Any) -> tuple[tuple[Node, ...], Root]:
    """The arguments and parameters of a root whose equations read no constants from outside, and nothing twice."""
    args, body = with_canonical_body(args, root.body, 1)
    return args, Root(body)


def _difference(left: Node, right: Node) -> Node:
    """What is 0 where two sides are equal."""
    return left if constant_value(right) == 0 else apply(SUBTRACT, (left, right))


def check_equation(item: tree.Call, texts: Sequence[str], start: str) -> None:
    """Raise ArgumentError for solve(x^2 - 2, x=1), which gives an unknown a start, but has no equation in it.

    texts, start: the arguments and the start as they are written.
    """
    if {name for name, _, _ in item.keywords} <= {"a", "b"}:
        return
    first, name = item.args[:1], item.keywords[0][0]
    if first and isinstance(first[0], tree.Compare) and first[0].functions != ("equal",):
        raise ArgumentError("solve takes equations, no inequalities", first[0].span, hint="as in: solve(x^2 = 2, x=1)")
    left, _, right = texts[0].partition("==") if texts else (name, "", "")
    is_comparison = bool(first) and isinstance(first[0], tree.Compare)
    written = f"{left.strip()} = {right.strip() if is_comparison else 0}" if first else "x^2 = 2"
    raise ArgumentError("solve takes an equation, with one '='", item.span,
                        hint=f"write solve({written}, {name}={start})")  # fmt: skip
