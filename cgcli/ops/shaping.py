"""Shape: the same numbers in another arrangement, joined, or on a diagonal. All linear.

Each entry's rule is its transpose: where it moves a number, the transpose moves the
adjoint back; where it repeats one, the transpose adds up.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.errors import ArgumentError, ShapeError
from cgcli.graph.node import MAX_ELEMENTS, Node, apply
from cgcli.graph.operation import ARRAYS, CHOOSES, Operation, Params, Shape, Static
from cgcli.graph.rules import Transpose, TransposeOf
from cgcli.graph.shapes import shape_text, shaped, two_shapes
from cgcli.ops.arithmetic import MULTIPLY
from cgcli.ops.entry import same_shape
from cgcli.ops.indexing import PAD, Pad, take
from cgcli.ops.lazily import np
from cgcli.ops.statics import (
    Along,
    Axes,
    Reshape,
    Taken,
    axes,
    axis,
    brief,
    integers,
    new_axis,
    normal_axis,
    own_rank,
    reshaped,
    whole,
)
from cgcli.records import NamedTuple

# ---- one to one -----------------------------------------------------------------------


def _reshape(x: Any, new: Shape, rank: int) -> Any:
    return np.reshape(x, (*np.shape(x)[: np.ndim(x) - rank], *new))


def _reshape_shape(shapes: Sequence[Shape], params: Reshape) -> Shape:
    if math.prod(params.shape) != math.prod(shapes[0]):
        raise ShapeError(f"shape {shape_text(shapes[0])} does not fill shape {shape_text(params.shape)}")
    return params.shape


RESHAPE = Operation("reshape", "the same numbers in another shape; one size may be -1", ("x",), _reshape,
                    _reshape_shape, (Transpose(lambda ct, args, params: reshape(ct, args[0].shape)),),
                    statics=(reshaped(), own_rank()), params=Reshape,
                    facts=CHOOSES, example="reshape([1, 2, 3, 4], [2, -1])", mp=ARRAYS)  # fmt: skip


def reshape(x: Node, new: Shape) -> Node:
    """x in shape `new`; x itself when it has that shape already."""
    return x if x.shape == new else apply(RESHAPE, (x,), Reshape(new, len(x.shape)))


def per_channel(numbers: Node, shape: tuple[int, ...], called: str, each: str = "channel") -> Node:
    """A number for each channel, in the shape that goes with an array. Raises ShapeError for another count."""
    if numbers.shape != (math.prod(shape),):
        raise ShapeError(f"{called} has one number for each {each}, [{math.prod(shape)}], not {shaped(numbers.shape)}")
    return reshape(numbers, shape)


def column_of(node: Node) -> Node | None:
    """The vector that a node is as a matrix of one column; None for any other node."""
    return (
        node.args[0] if node.op is RESHAPE and len(node.shape) == 2 and node.shape == (*node.args[0].shape, 1) else None
    )


def row_of(node: Node) -> Node | None:
    """The vector that a node is as a matrix of one row; None for any other node."""
    is_row = node.op is RESHAPE and len(node.args[0].shape) == 1 and node.shape == (1, *node.args[0].shape)
    return node.args[0] if is_row else None


def outer_of(node: Node) -> tuple[Node, Node] | None:
    """The two vectors that a node is the outer product of; None for any other node."""
    if node.op is not MULTIPLY or len(node.shape) != 2:
        return None
    x, y = column_of(node.args[0]), row_of(node.args[1])
    return None if x is None or y is None else (x, y)


def outer(x: Node, y: Node) -> Node:
    """The outer product of two vectors."""
    return apply(MULTIPLY, (reshape(x, (*x.shape, 1)), reshape(y, (1, *y.shape))))


def _permutation(value: Any, shapes: Sequence[Shape]) -> tuple[int, ...]:
    rank = len(shapes[0])
    if value is None:
        return tuple(range(-1, -rank - 1, -1))
    order = tuple(normal_axis(item, rank) for item in integers(value, "axes"))
    if sorted(order) != list(range(-rank, 0)):
        raise ArgumentError(f"axes {brief(value)} must name each of the {rank} axes once")
    return order


def _show_permutation(order: tuple[int, ...], shapes: Sequence[Shape]) -> str:
    return shape_text(tuple(item + len(order) for item in order))


def _transpose(x: Any, order: tuple[int, ...]) -> Any:
    lead = np.ndim(x) - len(order)
    return np.transpose(x, (*range(lead), *(item + len(order) + lead for item in order)))


def _transpose_shape(shapes: Sequence[Shape], params: Axes) -> Shape:
    return tuple(shapes[0][item] for item in params.axes)


def _transpose_back(ct: Node, args: tuple[Node, ...], params: Axes) -> Node:
    order, rank = params.axes, len(params.axes)
    return transpose(ct, tuple(order.index(item) - rank for item in range(-rank, 0)))


TRANSPOSE = Operation("transpose", "axes in another order; reversed when none is given", ("x",), _transpose,
                      _transpose_shape, (Transpose(_transpose_back),),
                      statics=(Static("axes", _permutation, _show_permutation),), params=Axes, label="transpose",
                      written=("x.T",), facts=CHOOSES, example="transpose([[1, 2], [3, 4]])", mp=ARRAYS)  # fmt: skip


def transpose(x: Node, order: tuple[int, ...]) -> Node:
    """x with its axes in `order`, negative numbers."""
    return apply(TRANSPOSE, (x,), Axes(order))


def _flip(x: Any, axes: tuple[int, ...]) -> Any:
    return np.flip(x, axes)


FLIP: Operation = Operation("flip", "the elements in reverse along axes", ("x",), _flip, same_shape,
                 (Transpose(lambda ct, args, params: apply(FLIP, (ct,), params)),), statics=(axes(),), params=Axes,
                 facts=CHOOSES, example="flip([1, 2, 3])", mp=ARRAYS)  # fmt: skip

# ---- join -----------------------------------------------------------------------------


def _concat(*items: Any) -> Any:
    *arrays, axis = items
    return np.concatenate(arrays, axis)


def _concat_shape(shapes: Sequence[Shape], params: Along) -> Shape:
    first = shapes[0]
    at = params.axis + len(first)
    for position, other in enumerate(shapes):
        if len(other) != len(first) or any(
            a != b for i, (a, b) in enumerate(zip(first, other, strict=True)) if i != at
        ):
            raise ShapeError(
                f"{two_shapes(first, other)} cannot be joined along axis {at}",
                hint="all other sizes must be equal",
                clash=(0, position),
            )
    return (*first[:at], sum(other[at] for other in shapes), *first[at + 1 :])


def _concat_back(ct: Node, args: tuple[Node, ...], params: Along, position: int) -> Node:
    along = params.axis
    start = sum(arg.shape[along] for arg in args[:position])
    key: list[Taken | int] = [Taken(0, size, 1) for size in ct.shape]
    key[along] = Taken(start, args[position].shape[along], 1)
    return take(ct, tuple(key))


CONCAT = Operation("concat", "arrays joined along an axis that they have", ("*x",), _concat, _concat_shape,
                   (TransposeOf(_concat_back, jointly=True),), statics=(axis(0),), params=Along,
                   aliases=("concatenate",), facts=CHOOSES, example="concat([1, 2], [3])", mp=ARRAYS)  # fmt: skip


def _stack(*items: Any) -> Any:
    *arrays, axis = items
    return np.stack(arrays, axis)


def _stack_shape(shapes: Sequence[Shape], params: Along) -> Shape:
    if any(other != shapes[0] for other in shapes):
        position, odd = next((at, other) for at, other in enumerate(shapes) if other != shapes[0])
        raise ShapeError(
            f"{two_shapes(shapes[0], odd)} do not make an array",
            hint="all elements must have one shape",
            clash=(0, position),
        )
    at = params.axis + len(shapes[0]) + 1
    return (*shapes[0][:at], len(shapes), *shapes[0][at:])


def _stack_back(ct: Node, args: tuple[Node, ...], params: Along, position: int) -> Node:
    key: list[Taken | int] = [Taken(0, size, 1) for size in ct.shape]
    key[params.axis] = position
    return take(ct, tuple(key))


STACK = Operation("stack", "arrays of one shape joined along a new axis", ("*x",), _stack, _stack_shape,
                  (TransposeOf(_stack_back, jointly=True),), statics=(new_axis(0),), params=Along,
                  written=("[x1, x2]",), facts=CHOOSES, example="stack([1, 2], [3, 4])", mp=ARRAYS)  # fmt: skip

# ---- diagonals and triangles ----------------------------------------------------------


class Diagonal(NamedTuple):
    """The parameters of diag. k: which diagonal, above the main one. rank: how many axes the argument has."""

    k: int
    rank: int


def diagonals(x: Node, k: int = 0) -> Diagonal:
    """The parameters of diag for an argument."""
    return Diagonal(k, len(x.shape))


def _diag(x: Any, k: int, rank: int) -> Any:
    if rank == 2:
        return np.diagonal(x, k, -2, -1)
    size = np.shape(x)[-1]
    result = np.zeros((*np.shape(x)[:-1], size + abs(k), size + abs(k)), np.result_type(x))
    result[..., range(max(-k, 0), max(-k, 0) + size), range(max(k, 0), max(k, 0) + size)] = x
    return result


def _diag_shape(shapes: Sequence[Shape], params: Diagonal) -> Shape:
    (x,), k = shapes, params.k
    if len(x) not in (1, 2):
        raise ShapeError(f"diag takes a vector or a matrix, not {shaped(x)}")
    if len(x) == 1:
        return (x[0] + abs(k),) * 2
    return (max(min(x[0] + min(k, 0), x[1] - max(k, 0)), 0),)


def _diag_back(ct: Node, args: tuple[Node, ...], params: Diagonal) -> Node:
    """The diagonal of a matrix; or a matrix with this one, cut or filled up with zeros to the shape of the argument."""
    (x,), k = args, params.k
    if len(x.shape) == 2 and not ct.shape[0]:
        return apply(PAD, (reshape(ct, (0, 0)),), Pad(tuple((0, size) for size in x.shape)))
    back = apply(DIAG, (ct,), diagonals(ct, k))
    if len(x.shape) == 1 or back.shape == x.shape:
        return back
    back = take(back, tuple(Taken(0, min(pair), 1) for pair in zip(x.shape, back.shape, strict=True)))
    extra = tuple((0, want - have) for want, have in zip(x.shape, back.shape, strict=True))
    return apply(PAD, (back,), Pad(extra)) if any(map(any, extra)) else back


DIAG = Operation("diag", "the k-th diagonal of a matrix, or the matrix with a vector on it", ("x",), _diag,
                 _diag_shape, (Transpose(_diag_back),),
                 statics=(whole("k", 0, least=-MAX_ELEMENTS, most=MAX_ELEMENTS), own_rank()), params=Diagonal,
                 gaps=True, facts=CHOOSES, example="diag([1, 2])", mp=ARRAYS)  # fmt: skip


def _triangle(name: str, doc: str, example: str) -> Operation:
    def matrix(shapes: Sequence[Shape], params: Params) -> Shape:
        if len(shapes[0]) < 2:
            raise ShapeError(f"{name} takes a matrix, not {shaped(shapes[0])}")
        return shapes[0]

    def back(ct: Node, args: tuple[Node, ...], params: Params) -> Node:
        return apply(operation, (ct,), params)

    operation = Operation(
        name, doc, ("x",), name, matrix, (Transpose(back),),
        statics=(whole("k", 0, least=-MAX_ELEMENTS, most=MAX_ELEMENTS),), gaps=True,
        facts=CHOOSES, example=example, mp=ARRAYS,
    )  # fmt: skip
    return operation


TRIL = _triangle("tril", "the lower triangle, up to the k-th diagonal", example="tril([[1, 2], [3, 4]])")
TRIU = _triangle("triu", "the upper triangle, from the k-th diagonal", example="triu([[1, 2], [3, 4]])")

ENTRIES: tuple[Operation, ...] = (
    RESHAPE, TRANSPOSE, FLIP, CONCAT, STACK, DIAG, TRIL, TRIU,
)  # fmt: skip
