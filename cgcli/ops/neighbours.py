"""What neighbours along an axis make: differences, areas below a line. Names, arguments and defaults are numpy's."""

from __future__ import annotations

from cgcli.errors import ShapeError
from cgcli.graph.node import Node, apply, constant
from cgcli.graph.operation import Shorthand
from cgcli.graph.shapes import shape_text
from cgcli.ops.arithmetic import ADD, MULTIPLY, SUBTRACT
from cgcli.ops.rearranged import part
from cgcli.ops.shaping import reshape
from cgcli.ops.statics import Along, axis, number, whole
from cgcli.ops.sums import SUM, Reduce
from cgcli.records import NamedTuple

_Args = tuple[Node, ...]


class Order(NamedTuple):
    """The parameters of differences."""

    n: int
    axis: int


def _diff(args: _Args, params: Order) -> Node:
    x, along = args[0], params.axis
    for _ in range(params.n):
        size = x.shape[along]
        if size < 1:
            return x
        x = apply(SUBTRACT, (part(x, along, 1, size - 1), part(x, along, 0, size - 1)))
    return x


class Spaced(NamedTuple):
    """The parameters of trapezoid: how far the points are apart, and the axis."""

    dx: float
    axis: int


def _trapezoid(args: _Args, params: Spaced) -> Node:
    return _area(args[0], constant(params.dx), params.axis)


def _trapezoid_between(args: _Args, params: Along) -> Node:
    """x: a vector along the axis, or a place for each element of y."""
    (y, x), along = args, params.axis
    size = y.shape[along]
    if len(x.shape) == 1 and x.shape[0] == size:
        x = reshape(x, (size, *(1,) * (-along - 1)))
    elif x.shape != y.shape:
        raise ShapeError(f"trapezoid: {shape_text(x.shape)} are no places for {shape_text(y.shape)}", clash=(0, 1))
    return _area(y, _diff((x,), Order(1, along)), along)


def _area(y: Node, widths: Node, along: int) -> Node:
    size = y.shape[along]
    if not size:
        return apply(SUM, (y,), Reduce((along,), False))
    both = apply(ADD, (part(y, along, 1, size - 1), part(y, along, 0, size - 1)))
    total = apply(SUM, (apply(MULTIPLY, (widths, both)),), Reduce((along,), False))
    return apply(MULTIPLY, (constant(0.5), total))


ENTRIES: tuple[Shorthand, ...] = (
    Shorthand("differences", "each element less the one before, along an axis (the last one), n times", ("x",), _diff,
              (whole("n", 1, least=0, most=64), axis(-1)), Order, aliases=("ediff",), example="differences([1, 4, 9])"),
    Shorthand("trapezoid", "the area below a line through points dx apart, along an axis (the last one)", ("y",),
              _trapezoid, (number("dx", 1.0, keyword_only=True), axis(-1)._replace(keyword_only=True)), Spaced,
              aliases=("trapz",), example="trapezoid([1, 2, 4])"),
    Shorthand("trapezoid", "the area below a line through points at x", ("y", "x"), _trapezoid_between, (axis(-1),),
              Along, aliases=("trapz",), example="trapezoid([1, 2, 4], [0, 1, 3])"),
)  # fmt: skip
