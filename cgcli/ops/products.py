"""Products of arrays, and the trace, that are written out as others. Names, arguments and defaults are numpy's."""

from __future__ import annotations

import math

from cgcli.errors import ShapeError
from cgcli.graph.node import Node, apply
from cgcli.graph.operation import Params, Shorthand
from cgcli.graph.shapes import shape_text, shaped
from cgcli.ops.arithmetic import MULTIPLY, SUBTRACT
from cgcli.ops.creation import EYE, OfSize
from cgcli.ops.indexing import take
from cgcli.ops.linalg import INV, MATMUL, square
from cgcli.ops.shaping import DIAG, STACK, diagonals, reshape, transpose
from cgcli.ops.statics import Along, Taken, axis, brief, whole
from cgcli.ops.sums import SUM, Reduce, broadcast
from cgcli.records import NamedTuple

_Args = tuple[Node, ...]


def _kron(args: _Args, params: Params) -> Node:
    x, y = args
    rank = max(len(x.shape), len(y.shape))
    xs, ys = ((1,) * (rank - len(each.shape)) + each.shape for each in args)
    left = reshape(x, tuple(each for size in xs for each in (size, 1)))
    right = reshape(y, tuple(each for size in ys for each in (1, size)))
    return reshape(apply(MULTIPLY, (left, right)), tuple(a * b for a, b in zip(xs, ys, strict=True)))


def _cross(args: _Args, params: Params) -> Node:
    for at, each in enumerate(args):
        if not each.shape or each.shape[-1] != 3:
            raise ShapeError(f"cross takes vectors of 3 elements, not {shaped(each.shape)}", clash=(at,))
    (x0, x1, x2), (y0, y1, y2) = ([_element(each, at) for at in range(3)] for each in args)

    def minor(a: Node, b: Node, c: Node, d: Node) -> Node:
        return apply(SUBTRACT, (apply(MULTIPLY, (a, d)), apply(MULTIPLY, (b, c))))

    return apply(STACK, (minor(x1, x2, y1, y2), minor(x2, x0, y2, y0), minor(x0, x1, y0, y1)), Along(-1))


def _element(x: Node, at: int) -> Node:
    return take(x, (*(Taken(0, size, 1) for size in x.shape[:-1]), at))


def _inner(args: _Args, params: Params) -> Node:
    x, y = args
    if not x.shape or not y.shape:
        return apply(MULTIPLY, args)
    if x.shape[-1] != y.shape[-1]:
        raise ShapeError(
            f"inner: the last axes of {shape_text(x.shape)} and {shape_text(y.shape)} differ", clash=(0, 1)
        )
    size = x.shape[-1]
    flat = [reshape(each, (math.prod(each.shape[:-1]), size)) for each in args]
    product = apply(MATMUL, (flat[0], transpose(flat[1], (-1, -2))))
    return reshape(product, (*x.shape[:-1], *y.shape[:-1]))


class Contracted(NamedTuple):
    """The parameter of tensordot."""

    axes: int


def _tensordot(args: _Args, params: Contracted) -> Node:
    (x, y), count = args, params.axes
    if count > min(len(x.shape), len(y.shape)) or x.shape[len(x.shape) - count :] != y.shape[:count]:
        raise ShapeError(f"tensordot: the last {brief(count)} axes of {shape_text(x.shape)} are not the first of "
                         f"{shape_text(y.shape)}", clash=(0, 1))  # fmt: skip
    kept, rest = x.shape[: len(x.shape) - count], y.shape[count:]
    inner = math.prod(y.shape[:count])
    product = apply(MATMUL, (reshape(x, (math.prod(kept), inner)), reshape(y, (inner, math.prod(rest)))))
    return reshape(product, (*kept, *rest))


class Power(NamedTuple):
    """The parameter of matrix_power."""

    n: int


def _matrix_power(args: _Args, params: Power) -> Node:
    """By repeated squares."""
    (a,), n = args, params.n
    square("matrix_power")((a.shape,), ())
    if n == 0:
        return broadcast(apply(EYE, (), OfSize(a.shape[-1])), a.shape)
    if n < 0:
        a, n = apply(INV, (a,)), -n
    power: Node | None = None
    while n:
        if n % 2:
            power = a if power is None else apply(MATMUL, (power, a))
        a, n = apply(MATMUL, (a, a)) if n > 1 else a, n // 2
    assert power is not None
    return power


class Offset(NamedTuple):
    """The parameter of trace: which diagonal."""

    offset: int


def _trace(args: _Args, params: Offset) -> Node:
    (x,) = args
    if len(x.shape) != 2:
        raise ShapeError(f"trace takes a matrix, not {shaped(x.shape)}", clash=(0,))
    return apply(SUM, (apply(DIAG, (x,), diagonals(x, params.offset)),), Reduce((-1,), False))


def _dot(args: _Args, params: Params) -> Node:
    """The last axis of x meets the last but one of y, which a vector has not, as numpy's."""
    x, y = args
    if not x.shape or not y.shape:
        return apply(MULTIPLY, args)
    if len(y.shape) < 3:
        return apply(MATMUL, args)
    if x.shape[-1] != y.shape[-2]:
        raise ShapeError(f"dot: the last axis of {shape_text(x.shape)} and the last but one of {shape_text(y.shape)} "
                         "differ", clash=(0, 1))  # fmt: skip
    rank = len(y.shape)
    columns = reshape(transpose(y, (-2, *range(-rank, -2), -1)), (y.shape[-2], math.prod(y.shape) // y.shape[-2]))
    return reshape(apply(MATMUL, (x, columns)), (*x.shape[:-1], *y.shape[:-2], y.shape[-1]))


class Spread(NamedTuple):
    """The parameter of cov: by how much the divisor is less than the number of elements."""

    ddof: int


_CENTRED = "d = x - mean(x, axis=-1, keepdims=1)\n"

ENTRIES: tuple[Shorthand, ...] = (
    Shorthand("dot", "product of two vectors, or of matrices: the last axis of x meets the last but one of y",
              ("x", "y"), _dot, example="dot([1, 2], [3, 4])"),
    Shorthand("trace", "the sum of a matrix's diagonal, or of the k-th one above it", ("x",), _trace,
              (whole("offset", 0),), Offset, example="trace([[1, 2], [3, 4]])"),
    Shorthand("kron", "Kronecker's product: every element of x times all of y", ("x", "y"), _kron,
              example="kron([1, 10], [1, 2])"),
    Shorthand("cross", "the cross product of vectors in space", ("x", "y"), _cross,
              example="cross([1, 0, 0], [0, 1, 0])"),
    Shorthand("inner", "sums of products over the last axis of both", ("x", "y"), _inner,
              example="inner([1, 2], [3, 4])"),
    Shorthand("vdot", "the sum of all products of two arrays' elements", ("x", "y"), "ravel(x) @ ravel(y)",
              example="vdot([[1, 2]], [[3, 4]])"),
    Shorthand("vecdot", "sums of products along an axis (the last one)", ("x", "y"), "sum(x*y, axis=axis)", (axis(-1),),
              Along, example="vecdot([[1, 2], [3, 4]], [5, 6])"),
    Shorthand("cov", "the covariances of variables, a row for each; of one row, too, their shape is [1, 1]", ("x",),
              _CENTRED + "inner(d, d)/(size(x, axis=-1) - ddof)", (whole("ddof", 1, least=0),), Spread,
              example="cov([[1, 2, 3], [1, 0, 4]])"),
    Shorthand("corrcoef", "the correlations of variables, a row for each", ("x",),
              _CENTRED + "u = d/norm(d, axis=-1, keepdims=1); inner(u, u)", example="corrcoef([[1, 2, 3], [1, 0, 4]])"),
    Shorthand("tensordot", "sums of products over the last axes of x and the first of y", ("x", "y"), _tensordot,
              (whole("axes", 2, least=0),), Contracted, example="tensordot([1, 2], [3, 4], 1)"),
    Shorthand("matrix_power", "a matrix multiplied by itself n times, or its inverse -n times", ("a",), _matrix_power,
              (whole("n", least=-1000, most=1000),), Power, example="matrix_power([[1, 1], [0, 1]], 3)"),
)  # fmt: skip
