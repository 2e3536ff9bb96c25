"""Layers of neural networks, all made of one linear operation: `unfold`, sliding windows.

A convolution is an einsum over the windows, a pooling their maximum or mean; so every
derivative comes from the parts. Axes as PyTorch's: (N, C, L) and (N, C, H, W).
"""

from __future__ import annotations

import itertools
import math

from cgcli.annotations import Any, Callable, Sequence
from cgcli.errors import ArgumentError, ShapeError
from cgcli.graph.node import Node, apply, check_size, constant
from cgcli.graph.operation import ANALYTIC, ARRAYS, REQUIRED, Kink, Operation, Shape, Static
from cgcli.graph.rules import Transpose
from cgcli.graph.shapes import shape_text, shaped
from cgcli.ops.creation import ONES, OfShape
from cgcli.ops.einsum import EINSUM, Einsum, Subscripts
from cgcli.ops.entry import row_by_row
from cgcli.ops.indexing import PAD, Pad
from cgcli.ops.lazily import np
from cgcli.ops.logic import WHERE
from cgcli.ops.reductions import MAX
from cgcli.ops.statics import brief, integers, wholes
from cgcli.ops.sums import MEAN, Reduce
from cgcli.records import NamedTuple

Sizes = tuple[int, ...]


class Windows(NamedTuple):
    """The parameters of unfold, whose sizes are those of a window, and of fold, whose sizes are those of the result."""

    sizes: Sizes
    stride: Sizes


class Conv(NamedTuple):
    """The parameters of a convolution."""

    stride: Sizes
    padding: Sizes


class Pool(NamedTuple):
    """The parameters of a pooling; the stride is the kernel's size where it is None."""

    kernel: Sizes
    stride: Sizes | None
    padding: Sizes


def _counts(spatial: Shape, kernel: Sizes, stride: Sizes) -> Sizes:
    """How many windows fit along each axis."""
    return tuple((size - k) // s + 1 for size, k, s in zip(spatial, kernel, stride, strict=True))


def _windows(x: Any, kernel: Sizes, stride: Sizes) -> Any:
    rank = len(kernel)
    view: Any = np.lib.stride_tricks.sliding_window_view(x, kernel, tuple(range(-rank, 0)))
    view = view[(..., *(slice(None, None, s) for s in stride), *(slice(None),) * rank)]
    lead = view.ndim - 2 * rank
    return np.transpose(view, (*range(lead), *range(lead + rank, lead + 2 * rank), *range(lead, lead + rank)))


def _unfold_shape(shapes: Sequence[Shape], params: Windows) -> Shape:
    kernel, stride = params
    _check_ranks(kernel, stride)
    (x,) = shapes
    rank = len(kernel)
    if len(x) < rank or any(size < k for size, k in zip(x[len(x) - rank :], kernel, strict=True)):
        raise ShapeError(f"windows of {shape_text(kernel)} do not fit into {shaped(x)}")
    return (*x[: len(x) - rank], *kernel, *_counts(x[len(x) - rank :], kernel, stride))


def _fold(x: Any, sizes: Sizes, stride: Sizes) -> Any:
    rank = len(sizes)
    kernel = np.shape(x)[-2 * rank : -rank]
    lead = np.shape(x)[: -2 * rank]
    result: Any = np.zeros((*lead, *sizes), np.result_type(x))
    counts = _counts(sizes, kernel, stride)
    for offset in itertools.product(*map(range, kernel)):
        places = tuple(slice(o, o + s * (n - 1) + 1, s) for o, s, n in zip(offset, stride, counts, strict=True))
        result[(..., *places)] += x[(..., *offset, *(slice(None),) * rank)]
    return result


def _fold_shape(shapes: Sequence[Shape], params: Windows) -> Shape:
    sizes, stride = params
    _check_ranks(sizes, stride)
    (x,) = shapes
    rank = len(sizes)
    if len(x) < 2 * rank or x[len(x) - rank :] != _counts(sizes, x[-2 * rank : -rank], stride):
        raise ShapeError(f"windows of shape {shape_text(x)} do not fold to {shape_text(sizes)}")
    return (*x[: -2 * rank], *sizes)


def _unfold_back(ct: Node, args: tuple[Node, ...], params: Windows) -> Node:
    return apply(FOLD, (ct,), Windows(args[0].shape[-len(params.sizes) :], params.stride))


def _fold_back(ct: Node, args: tuple[Node, ...], params: Windows) -> Node:
    rank = len(params.sizes)
    return apply(UNFOLD, (ct,), Windows(args[0].shape[-2 * rank : -rank], params.stride))


def _sizes(name: str) -> Static:
    """One size, at least 1, for each of the axes that the windows slide over."""

    def convert(value: Any, shapes: Sequence[Shape]) -> Sizes:
        sizes = integers(value, name)
        if not sizes or min(sizes) < 1:
            raise ArgumentError(f"{name} takes whole numbers from 1, not {brief(value)}")
        return sizes

    return Static(name, convert, lambda value, shapes: shape_text(value), REQUIRED)


def _check_ranks(sizes: Sizes, stride: Sizes) -> None:
    if len(sizes) != len(stride):
        raise ShapeError(f"{shape_text(sizes)} and stride {shape_text(stride)} differ in their number of axes")


UNFOLD = Operation("unfold", "sliding windows over the last axes: (..., kernel, windows)", ("x",), _windows,
                   _unfold_shape, (Transpose(_unfold_back),), statics=(_sizes("kernel"), _sizes("stride")),
                   params=Windows, example="unfold([1, 2, 3, 4], 2, 1)", mp=ARRAYS)  # fmt: skip
FOLD = Operation("fold", "sliding windows added back into place, the transpose of unfold", ("x",), _fold,
                 _fold_shape, (Transpose(_fold_back),), statics=(_sizes("sizes"), _sizes("stride")), params=Windows,
                 gaps=True, example="fold([[1, 2, 3], [2, 3, 4]], 4, 1)", mp=ARRAYS)  # fmt: skip

# ---- convolution ----------------------------------------------------------------------


def _padded(x: Node, padding: Sizes) -> Node:
    if not any(padding):
        return x
    lead = ((0, 0),) * (len(x.shape) - len(padding))
    return apply(PAD, (x,), Pad((*lead, *((p, p) for p in padding))))


def _conv_expansion(args: tuple[Node, ...], params: Conv) -> Node:
    stride, padding = params
    x, w = args
    rank = len(stride)
    windows = apply(UNFOLD, (_padded(x, padding),), Windows(w.shape[-rank:], stride))
    taps, places = "abcdefghijklmnopqrstuvw"[:rank], "ABCDEFGHIJKLMNOPQRSTUVW"[:rank]
    return apply(EINSUM, (windows, w), Einsum(Subscripts((f"xy{taps}{places}", f"zy{taps}"), f"xz{places}")))


def _conv(x: Any, w: Any, stride: Sizes, padding: Sizes) -> Any:
    rank = len(stride)
    if any(padding):
        x = np.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))
    taps, places = "ij"[:rank], "pq"[:rank]
    many = len(w) >= 8  # channels, from where a product of matrices is worth a copy of all windows
    return np.einsum(f"nc{taps}{places},oc{taps}->no{places}", _windows(x, w.shape[-rank:], stride), w, optimize=many)


def _conv_shape(rank: int) -> Callable[[Sequence[Shape], Conv], Shape]:
    axes = "(N, C, H, W)" if rank == 2 else "(N, C, L)"

    def check(shapes: Sequence[Shape], params: Conv) -> Shape:
        stride, padding = params
        x, w = shapes
        if len(x) != rank + 2 or len(w) != rank + 2:
            raise ShapeError(
                f"conv{rank}d takes x as {axes} and w as {axes.replace('N, C', 'O, C')}, "
                f"not {shape_text(x)} and {shape_text(w)}",
                hint=f"give x its axes with reshape(x, [1, 1, {'h, w' if rank == 2 else 'l'}])",
            )
        if x[1] != w[1]:
            raise ShapeError(f"conv{rank}d: x has {x[1]} channels and w takes {w[1]}")
        spatial = tuple(size + 2 * p for size, p in zip(x[2:], padding, strict=True))
        if any(size < k for size, k in zip(spatial, w[2:], strict=True)):
            raise ShapeError(f"conv{rank}d: a window of {shape_text(w[2:])} does not fit into {shape_text(spatial)}")
        return (x[0], w[0], *_counts(spatial, w[2:], stride))

    return check


def _conv_work(shapes: Sequence[Shape], params: Conv) -> int:
    """A multiplication and an addition for each element of the result and each weight that it is made with."""
    x, w = shapes
    return 2 * math.prod(w[1:]) * math.prod(_conv_shape(len(x) - 2)(shapes, params))


def _conv_operation(rank: int, example: str) -> Operation:
    return Operation(
        f"conv{rank}d", f"{rank}-D convolution (cross-correlation) with PyTorch's axes", ("x", "w"), _conv,
        _conv_shape(rank), expansion=_conv_expansion,
        statics=(wholes("stride", rank, 1, 1, True), wholes("padding", rank, 0, 0, True)), params=Conv, facts=ANALYTIC,
        work=_conv_work, example=example, rows=row_by_row(_conv),
    )  # fmt: skip


# ---- pooling --------------------------------------------------------------------------


def _pool_parameters(value: Any, shapes: Sequence[Shape]) -> Any:
    return None if value is None else wholes("stride", 2, None, 1).convert(value, shapes)


_POOL_STATICS = (
    wholes("kernel", 2, REQUIRED, 1),
    Static("stride", _pool_parameters, lambda value, shapes: shape_text(value)),
    wholes("padding", 2, 0, 0),
)


def _pool_shape(shapes: Sequence[Shape], params: Pool) -> Shape:
    kernel, stride, padding = params
    (x,) = shapes
    if len(x) < 2:
        raise ShapeError(f"pooling takes (..., H, W), not {shaped(x)}")
    spatial = tuple(size + 2 * p for size, p in zip(x[-2:], padding, strict=True))
    if any(size < k for size, k in zip(spatial, kernel, strict=True)) or any(
        2 * p > k for p, k in zip(padding, kernel, strict=True)
    ):
        raise ShapeError(f"pooling: a window of {shape_text(kernel)} does not fit into {shape_text(x)} "
                         f"with padding {shape_text(padding)}")  # fmt: skip
    counts = _counts(spatial, kernel, stride or kernel)
    check_size((*x[:-2], *counts, *kernel), "pooling")  # all windows together: the work, too
    return (*x[:-2], *counts)


def _pool_work(shapes: Sequence[Shape], params: Pool) -> int:
    """One for each element of each window."""
    return math.prod(params.kernel) * math.prod(_pool_shape(shapes, params))


def _pool_windows(x: Any, params: Pool, fill: float) -> Any:
    kernel, stride, padding = params
    lead = ((0, 0),) * (np.ndim(x) - 2)
    if any(padding):
        x = np.pad(x, (*lead, *((p, p) for p in padding)), constant_values=fill)
    return _windows(x, kernel, stride or kernel)


def _max_pool(x: Any, *params: Any) -> Any:
    return np.max(_pool_windows(x, Pool(*params), -np.inf), axis=(-4, -3))


def _pool_tied(x: Any, *params: Any) -> Any:
    windows = _pool_windows(x, Pool(*params), -np.inf)
    return np.sum(windows == np.max(windows, axis=(-4, -3), keepdims=True), axis=(-4, -3)) > 1


def _avg_pool(x: Any, *params: Any) -> Any:
    return np.mean(_pool_windows(x, Pool(*params), 0.0), axis=(-4, -3))


def _max_pool_expansion(args: tuple[Node, ...], params: Pool) -> Node:
    kernel, stride, padding = params
    (x,) = args
    if any(padding):
        inside = _padded(apply(ONES, (), OfShape(x.shape)), padding)
        x = apply(WHERE, (inside, _padded(x, padding), constant(-np.inf)))
    return apply(MAX, (apply(UNFOLD, (x,), Windows(kernel, stride or kernel)),), Reduce((-4, -3), False))


def _avg_pool_expansion(args: tuple[Node, ...], params: Pool) -> Node:
    kernel, stride, padding = params
    windows = apply(UNFOLD, (_padded(args[0], padding),), Windows(kernel, stride or kernel))
    return apply(MEAN, (windows,), Reduce((-4, -3), False))


ENTRIES: tuple[Operation, ...] = (
    UNFOLD,
    FOLD,
    _conv_operation(1, "conv1d([[[1, 2, 3]]], [[[1, 1]]])"),
    _conv_operation(2, "conv2d([[[[1, 2], [3, 4]]]], [[[[1, 1], [1, 1]]]])"),
    Operation("max_pool2d", "the maximum of each window of the last two axes", ("x",), _max_pool, _pool_shape,
              expansion=_max_pool_expansion, statics=_POOL_STATICS, params=Pool,
              kink=Kink(_pool_tied, "equal elements of a window share its derivative equally", tie=True),
              work=_pool_work, example="max_pool2d([[1, 2], [3, 4]], 2)"),
    Operation("avg_pool2d", "the mean of each window of the last two axes", ("x",), _avg_pool, _pool_shape,
              expansion=_avg_pool_expansion, statics=_POOL_STATICS, params=Pool, facts=ANALYTIC, work=_pool_work,
              example="avg_pool2d([[1, 2], [3, 4]], 2)"),
)  # fmt: skip
