"""Adding up along axes, and repeating along them: each other's transpose. All linear."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.errors import ShapeError
from cgcli.graph.node import Node, apply, constant
from cgcli.graph.operation import ARRAYS, CHOOSES, ILL_CONDITIONED, REPEATS, Operation, Shape
from cgcli.graph.rules import Transpose
from cgcli.graph.shapes import shape_text
from cgcli.ops.arithmetic import DIVIDE
from cgcli.ops.entry import broadcast_shapes, same_shape
from cgcli.ops.lazily import np
from cgcli.ops.shaping import DIAG, FLIP, diagonals, reshape
from cgcli.ops.statics import Along, Axes, Reshape, axes, axis, keepdims, own_rank, shape
from cgcli.records import NamedTuple


class Reduce(NamedTuple):
    """The parameters of a reduction."""

    axes: tuple[int, ...]
    keepdims: bool


def kept_shape(old: Shape, along: tuple[int, ...]) -> Shape:
    """The shape after a reduction that keeps the reduced axes with size 1."""
    return tuple(1 if at - len(old) in along else size for at, size in enumerate(old))


def reduced_shape(shapes: Sequence[Shape], params: Reduce) -> Shape:
    """The shape after a reduction."""
    along, keep = params
    (old,) = shapes
    return kept_shape(old, along) if keep else tuple(
        size for at, size in enumerate(old) if at - len(old) not in along
    )  # fmt: skip


def spread(ct: Node, old: Shape, along: tuple[int, ...]) -> Node:
    """The transpose of a sum: the adjoint of the reduced value, repeated over the reduced axes."""
    one = ct.args[0] if ct.op is BROADCAST else ct
    return broadcast(reshape(ct, kept_shape(old, along)) if one.shape else one, old)


def _sum(x: Any, along: tuple[int, ...], keep: bool) -> Any:
    reduce: Any = np.add.reduce  # np.sum asks what x is before it does the same
    return reduce(x, along, keepdims=keep)


SUM = Operation("sum", "the elements added up", ("x",), _sum, reduced_shape,
                (Transpose(lambda ct, args, params: spread(ct, args[0].shape, params.axes)),),
                statics=(axes(), keepdims()), params=Reduce, label="Σ", example="sum([[1, 2], [3, 4]], axis=0)",
                latex=r"\sum_{axis} #1", facts=ILL_CONDITIONED, mp=ARRAYS)  # fmt: skip


def traced(node: Node) -> Node | None:
    """The matrix that a node is the trace of; None for any other node."""
    if node.op is not SUM or node.shape or node.args[0].op is not DIAG:
        return None
    (x,) = node.args[0].args
    return x if node.args[0].params == diagonals(x) and len(x.shape) == 2 else None


def _mean(x: Any, along: tuple[int, ...], keep: bool) -> Any:
    count = math.prod(np.shape(x)[at] for at in along)
    return np.divide(_sum(x, along, keep), count)


def _mean_back(ct: Node, args: tuple[Node, ...], params: Reduce) -> Node:
    count = math.prod(args[0].shape[at] for at in params.axes)
    return spread(apply(DIVIDE, (ct, constant(count))), args[0].shape, params.axes)


MEAN = Operation("mean", "the mean of the elements", ("x",), _mean, reduced_shape, (Transpose(_mean_back),),
                 statics=(axes(), keepdims()), params=Reduce, aliases=("average",), example="mean([1, 2, 6])",
                 latex=r"\frac{1}{size} \sum_{axis} #1", facts=ILL_CONDITIONED, mp=ARRAYS,
                 simpler="sum(x, axis=axis, keepdims=keepdims)/size(x, axis=axis)")  # fmt: skip


def _cumsum_back(ct: Node, args: tuple[Node, ...], params: Along) -> Node:
    def flip(node: Node) -> Node:
        return apply(FLIP, (node,), Axes((params.axis,)))

    return flip(apply(CUMSUM, (flip(ct),), params))


CUMSUM = Operation("cumsum", "running sums along an axis (the last one)", ("x",), "cumsum", same_shape,
                   (Transpose(_cumsum_back),), statics=(axis(-1),), params=Along,
                   example="cumsum([1, 2, 3])", mp=ARRAYS)  # fmt: skip


def _broadcast(x: Any, new: Shape, rank: int) -> Any:
    cut = np.ndim(x) - rank
    if cut == 0:
        return np.broadcast_to(x, new)
    lead, own = np.shape(x)[:cut], np.shape(x)[cut:]
    return np.broadcast_to(np.reshape(x, (*lead, *(1,) * (len(new) - rank), *own)), (*lead, *new))


def _broadcast_shape(shapes: Sequence[Shape], params: Reshape) -> Shape:
    if broadcast_shapes((shapes[0], params.shape)) != params.shape:
        raise ShapeError(f"shape {shape_text(shapes[0])} does not broadcast to {shape_text(params.shape)}")
    return params.shape


BROADCAST = Operation("broadcast", "the elements repeated to a shape, by numpy's rule", ("x",), _broadcast,
                      _broadcast_shape, (Transpose(lambda ct, args, params: unbroadcast(ct, args[0].shape)),),
                      statics=(shape(), own_rank()), params=Reshape, aliases=("broadcast_to",),
                      facts=CHOOSES | REPEATS, example="broadcast([1, 2], [2, 2])", mp=ARRAYS)  # fmt: skip


def broadcast(x: Node, new: Shape) -> Node:
    """x repeated to shape `new`; x itself when it has that shape already."""
    return x if x.shape == new else apply(BROADCAST, (x,), Reshape(new, len(x.shape)))


def unbroadcast(x: Node, old: Shape) -> Node:
    """The transpose of broadcasting from `old` to x's shape: sums over what was repeated."""
    if x.shape == old:
        return x
    rank = len(x.shape)
    padded = (1,) * (rank - len(old)) + old
    repeated = tuple(at - rank for at in range(rank) if padded[at] == 1 and (x.shape[at] != 1 or at < rank - len(old)))
    return reshape(apply(SUM, (x,), Reduce(repeated, True)), old) if repeated else reshape(x, old)


ENTRIES: tuple[Operation, ...] = (SUM, MEAN, CUMSUM, BROADCAST)
