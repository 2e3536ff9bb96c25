"""Norms of vectors and matrices by their order, written out as others: numpy's `norm` with `ord`, and its parts.

The Euclidean norm is an operation of its own, in reductions.py.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.errors import ArgumentError, ShapeError
from cgcli.graph.node import Node, apply, constant
from cgcli.graph.operation import REQUIRED, Shape, Shorthand, Static
from cgcli.graph.shapes import shaped
from cgcli.ops.arithmetic import ABS, DIVIDE, MULTIPLY, POWER_OP
from cgcli.ops.logic import AND_OP, LESS_EQUAL, NOT_EQUAL, STOP_GRADIENT, WHERE
from cgcli.ops.reductions import MAX, MIN, NORM
from cgcli.ops.shaping import reshape, transpose
from cgcli.ops.spectra import SVDVALS
from cgcli.ops.statics import axes, brief, flag, integers, normal_axis
from cgcli.ops.sums import SUM, Reduce, kept_shape, reduced_shape
from cgcli.records import NamedTuple

_Args = tuple[Node, ...]
_LARGEST = 1.7976931348623157e308
_MATRIX = ("fro", "nuc", 1.0, -1.0, 2.0, -2.0, math.inf, -math.inf)


class Ordered(NamedTuple):
    """The parameters of a norm. axes: one of a vector, or two of a matrix, that of its rows first."""

    order: float | str
    axes: tuple[int, ...]
    keepdims: bool


class OfMatrix(NamedTuple):
    """The parameter of matrix_norm."""

    order: float | str


def _order(name: str, default: Any) -> Static:
    def convert(value: Any, shapes: Sequence[Shape]) -> float | str:
        if value in ("fro", "nuc"):
            return str(value)
        if isinstance(value, int | float) and value == value:
            return float(value)
        raise ArgumentError(f"{name} must be a number, inf, -inf, 'fro' or 'nuc', not {brief(value)}")

    return Static(name, convert, lambda value, shapes: brief(value), default)


def _along() -> Static:
    """One axis or several; of a matrix that of its rows first."""
    static = axes()

    def convert(value: Any, shapes: Sequence[Shape]) -> tuple[int, ...]:
        checked: Any = static.convert(value, shapes)
        return checked if value is None else tuple(normal_axis(at, len(shapes[0])) for at in integers(value, "axis"))

    return static._replace(convert=convert)


def _power(x: Node, exponent: float) -> Node:
    return x if exponent == 1 else apply(POWER_OP, (x, constant(exponent)))


def _vector_norm(x: Node, params: Ordered) -> Node:
    order, along, keep = params
    reduce = Reduce(along, keep)
    if order == 2:
        return apply(NORM, (x,), reduce)
    if isinstance(order, str):
        raise ArgumentError(f"the order '{order}' is that of a matrix: give two axes, as in axis=[0, 1]")
    if order == 0:
        return apply(SUM, (apply(NOT_EQUAL, (x, constant(0.0))),), reduce)
    size = apply(ABS, (x,))
    if math.isinf(order):
        return apply(MAX if order > 0 else MIN, (size,), reduce)
    if order == 1:
        return apply(SUM, (size,), reduce)
    # In units of the largest element, or for negative orders of the smallest: no power overflows, and none vanishes.
    if any(x.shape[at] == 0 for at in along):
        return apply(SUM, (x,), reduce)
    unit = apply(STOP_GRADIENT, (apply(MAX if order > 0 else MIN, (size,), Reduce(along, True)),))
    usable = apply(AND_OP, (apply(NOT_EQUAL, (unit, constant(0.0))), apply(LESS_EQUAL, (unit, constant(_LARGEST)))))
    unit = apply(WHERE, (usable, unit, constant(1.0)))
    total = apply(SUM, (_power(apply(DIVIDE, (size, unit)), order),), reduce)
    final = reduced_shape((x.shape,), reduce)
    whole = apply(NOT_EQUAL, (total, constant(0.0 if order > 0 else math.inf)))
    root = apply(MULTIPLY, (reshape(unit, final), _power(total, 1 / order)))
    return apply(WHERE, (whole, root, constant(0.0)))


def _matrix_norm(x: Node, params: Ordered) -> Node:
    order, (rows, columns), keep = params
    both = Reduce((min(rows, columns), max(rows, columns)), keep)
    if order == "fro":
        return apply(NORM, (x,), both)
    if order not in _MATRIX:
        raise ArgumentError(f"a norm of matrices has the order 1, 2, inf, their negatives, 'fro' or 'nuc', "
                            f"not {brief(order)}", hint="vector_norm takes all elements as one vector")  # fmt: skip
    last = (rows, columns) == (-2, -1)
    if order in ("nuc", 2.0, -2.0):
        rest = tuple(at for at in range(-len(x.shape), 0) if at not in (rows, columns))
        values = apply(SVDVALS, (x if last else transpose(x, (*rest, rows, columns)),))
        found = apply(SUM if order == "nuc" else MAX if order == 2 else MIN, (values,), Reduce((-1,), False))
    else:
        within, across = (rows, columns) if abs(float(order)) == 1 else (columns, rows)
        sums = apply(SUM, (apply(ABS, (x,)),), Reduce((within,), True))
        found = apply(MAX if float(order) > 0 else MIN, (sums,), Reduce((across,), True))
        found = reshape(found, reduced_shape((x.shape,), both._replace(keepdims=False)))
    return reshape(found, kept_shape(x.shape, (rows, columns))) if keep else found


def _norm(args: _Args, params: Ordered) -> Node:
    """As numpy's: of a vector or a matrix where one or two axes are given, or where there are no others."""
    (x,), along = args, params.axes
    if len(along) == 1:
        return _vector_norm(x, params)
    if len(along) == 2:
        return _matrix_norm(x, params)
    raise ShapeError(f"norm with an order takes a vector or a matrix, not {shaped(x.shape)}", clash=(0,),
                     hint="give one axis or two; vector_norm takes all elements as one vector")  # fmt: skip


def _vector(args: _Args, params: Ordered) -> Node:
    return _vector_norm(args[0], params)


def _matrix(args: _Args, params: OfMatrix) -> Node:
    (x,) = args
    if len(x.shape) < 2:
        raise ShapeError(f"matrix_norm takes a matrix, not {shaped(x.shape)}", clash=(0,))
    return _matrix_norm(x, Ordered(params.order, (-2, -1), False))


ENTRIES: tuple[Shorthand, ...] = (
    Shorthand("norm", "the norm of an order: 1, 2, inf, any p; of a matrix also 'fro' and 'nuc'", ("x",), _norm,
              (_order("ord", REQUIRED), _along(), flag("keepdims")), Ordered,
              example="norm([3, 4], 1)"),
    Shorthand("vector_norm", "the norm of an order of all elements, or along axes", ("x",), _vector,
              (_order("ord", 2), axes(), flag("keepdims")), Ordered, example="vector_norm([3, 4], inf)"),
    Shorthand("matrix_norm", "of matrices the norm 'fro', 'nuc', 1, 2, inf, -1, -2 or -inf", ("x",), _matrix,
              (_order("ord", "fro"),), OfMatrix, example="matrix_norm([[3, 0], [4, 5]], 'nuc')"),
)  # fmt: skip
