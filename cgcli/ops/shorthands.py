"""Functions that are written out as others as soon as they are read, so that they are no
node of their own. A body is a program in the language, or builds the graph itself.
"""

from __future__ import annotations

from cgcli.errors import ShapeError
from cgcli.graph.node import Node, apply, constant_value
from cgcli.graph.operation import Params, Shorthand
from cgcli.graph.shapes import shaped
from cgcli.ops.arithmetic import DIVIDE
from cgcli.ops.functions import LN, LOG2, LOG10
from cgcli.ops.linalg import mt
from cgcli.ops.shaping import reshape
from cgcli.ops.statics import Along, axis, new_axis, number, whole
from cgcli.records import NamedTuple


def _log(args: tuple[Node, ...], params: Params) -> Node:
    """By the dedicated kernel for bases 2 and 10: log(8, 2) is 3, not 2.0794.../0.6931..."""
    x, base = args
    dedicated = {2.0: LOG2, 10.0: LOG10}.get(constant_value(base) or 0.0)
    return apply(dedicated, (x,)) if dedicated else apply(DIVIDE, (apply(LN, (x,)), apply(LN, (base,))))


def _matrix_transpose(args: tuple[Node, ...], params: Params) -> Node:
    (x,) = args
    if len(x.shape) < 2:
        raise ShapeError(f"matrix_transpose takes a matrix, not {shaped(x.shape)}")
    return mt(x)


def _expand(args: tuple[Node, ...], params: Along) -> Node:
    (x,) = args
    place = params.axis + len(x.shape) + 1
    return reshape(x, (*x.shape[:place], 1, *x.shape[place:]))


class Squeeze(NamedTuple):
    """The parameter of squeeze; all axes of size 1 where it is None."""

    axis: int | None


def _squeeze(args: tuple[Node, ...], params: Squeeze) -> Node:
    (x,), at = args, params.axis
    if at is not None and x.shape[at] != 1:
        raise ShapeError(f"squeeze: axis {at + len(x.shape)} has size {x.shape[at]}, not 1")
    sizes = enumerate(x.shape, -len(x.shape))
    return reshape(x, tuple(size for place, size in sizes if (place != at if at is not None else size != 1)))


ENTRIES: tuple[Shorthand, ...] = (
    Shorthand("square", "x^2", ("x",), "x^2", example="square(3)"),
    Shorthand("log", "logarithm of x to a base", ("x", "base"), _log,
              domain="x > 0 and base > 0 and base != 1", example="log(81, 3)"),
    Shorthand("outer", "all products of two vectors' elements", ("x", "y"),
              "reshape(x, [-1, 1])*reshape(y, [1, -1])", example="outer([1, 2], [3, 4])"),
    Shorthand("matrix_transpose", "the last two axes swapped", ("x",), _matrix_transpose,
              example="matrix_transpose([[1, 2], [3, 4]])"),
    Shorthand("arange", "0, 1, ... below stop", (), "arange(0, stop)", (number("stop"),), example="arange(3)"),
    Shorthand("identity", "the identity matrix of n rows", (), "eye(n)", (whole("n", least=0),), example="identity(2)"),
    Shorthand("expand", "a new axis of size 1", ("x",), _expand, (new_axis(),), Along, aliases=("expand_dims",),
              example="expand([1, 2], 0)"),
    Shorthand("squeeze", "an axis of size 1 taken away, or all of them", ("x",), _squeeze, (axis(None),), Squeeze,
              example="squeeze([[1, 2]])"),
)  # fmt: skip
