"""Poolings over the last one, two or three axes: the largest or the mean element of each window, as PyTorch's."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable, Sequence
from cgcli.errors import ShapeError
from cgcli.graph.node import Node, apply, check_size, constant, constant_array
from cgcli.graph.operation import ANALYTIC, CHOOSES, REQUIRED, Kink, Operation, Shape, Static
from cgcli.graph.rules import JointJvp, Transpose
from cgcli.graph.shapes import shape_text, shaped
from cgcli.lean import lru_cache, struct
from cgcli.ops.arithmetic import DIVIDE, EQUAL_TO, MULTIPLY, SUBTRACT
from cgcli.ops.convolution import cropped, padded
from cgcli.ops.creation import ONES, OfShape
from cgcli.ops.fitting import broadcast
from cgcli.ops.lazily import np
from cgcli.ops.logic import LESS, WHERE
from cgcli.ops.masks import masked
from cgcli.ops.reductions import MAX
from cgcli.ops.shaping import reshape
from cgcli.ops.statics import flag, wholes
from cgcli.ops.sums import SUM, Reduce
from cgcli.ops.windows import FOLD, UNFOLD, Sizes, along_each, sizes_of, spans, surrounded, taps, windows_params
from cgcli.records import NamedTuple

_LAYOUTS = 256  # that are kept
_AXES = {1: "L", 2: "H, W", 3: "D, H, W"}


class MaxPool(NamedTuple):
    """The parameters of a pooling by the largest element; the stride is the kernel's size where it is None.

    ceil_mode: the last window may reach beyond the end, by as much as is needed to leave no element out.
    """

    kernel: Sizes
    stride: Sizes | None
    padding: Sizes
    dilation: Sizes
    ceil_mode: bool


class AvgPool(NamedTuple):
    """Those of a pooling by the mean. count_include_pad: the padding counts as elements, which are 0."""

    kernel: Sizes
    stride: Sizes | None
    padding: Sizes
    ceil_mode: bool
    count_include_pad: bool


class _Layout(NamedTuple):
    """Where the windows of a pooling stand: all that follows from its parameters and the sizes.

    behind: how many elements of padding stand at the end. numbers: how many windows there are.
    """

    kernel: Sizes
    stride: Sizes
    padding: Sizes
    behind: Sizes
    dilation: Sizes
    numbers: Sizes

    @property
    def pads(self) -> bool:
        """Whether there is padding anywhere."""
        return any(self.padding) or any(self.behind)

    @property
    def covered(self) -> Sizes:
        """How many elements the windows reach over, the padding in front included."""
        reach = spans(self.kernel, self.dilation)
        return tuple((n - 1) * s + span for n, s, span in zip(self.numbers, self.stride, reach, strict=True))


@lru_cache(maxsize=_LAYOUTS)
def _layout(spatial: Shape, params: MaxPool | AvgPool) -> _Layout:
    kernel, rank = params.kernel, len(params.kernel)
    stride, padding = along_each(params.stride or kernel, rank), along_each(params.padding, rank)
    dilation = along_each(params.dilation if isinstance(params, MaxPool) else (1,), rank)
    numbers, behind = [], []
    for size, span, s, p in zip(spatial, spans(kernel, dilation), stride, padding, strict=True):
        left = size + 2 * p - span
        number = left // s + 1
        if params.ceil_mode and left % s and number * s < size + p:  # none begins in the padding behind the end
            number += 1
        numbers.append(number)
        behind.append(max(p, (number - 1) * s + span - size - p))
    return _Layout(kernel, stride, padding, tuple(behind), dilation, tuple(numbers))


def _spatial(x: Any, params: MaxPool | AvgPool | _Layout) -> Shape:
    return tuple(x.shape[len(x.shape) - len(params.kernel) :])


# ---- kernels --------------------------------------------------------------------------


def _surrounded(x: Any, layout: _Layout, fill: float) -> Any:
    """x with its padding on all sides."""
    x = np.asarray(x)
    if not layout.pads:
        return x
    rank, spatial = len(layout.kernel), x.shape[x.ndim - len(layout.kernel) :]
    sizes = (n + p + b for n, p, b in zip(spatial, layout.padding, layout.behind, strict=True))
    inside = tuple(slice(p, p + n) for p, n in zip(layout.padding, spatial, strict=True))
    return surrounded(x, (*x.shape[: x.ndim - rank], *sizes), inside, fill)


def _slices(x: Any, layout: _Layout) -> Any:
    return taps(x, layout.kernel, layout.stride, layout.dilation, layout.numbers)


def _largest(x: Any, *params: Any) -> Any:
    x, own = np.asarray(x), MaxPool(*params)
    layout = _layout(_spatial(x, own), own)
    return _joined(np.maximum, _surrounded(x, layout, -np.inf), layout)


@lru_cache(maxsize=_LAYOUTS)
def _cuts(layout: _Layout) -> tuple[tuple[Any, ...], ...]:
    """For each axis, where the first, the second, … elements of the windows stand."""
    along = enumerate(zip(layout.kernel, layout.stride, layout.dilation, layout.numbers, strict=True))
    return tuple(
        tuple((..., slice(o, o + s * (number - 1) + 1, s), *(slice(None),) * (len(layout.kernel) - 1 - at))
              for o in range(0, k * d, d))
        for at, (k, s, d, number) in along
    )  # fmt: skip


def _joined(join: Any, x: Any, layout: _Layout) -> Any:
    """The elements of each window by a function of two, along one axis after the other."""
    for first, *others in _cuts(layout):
        whole, x = x, x[first]
        for at, other in enumerate(others):
            x = join(x, whole[other], out=x if at else None)
    return x


def _hits(x: Any, top: Any, layout: _Layout) -> tuple[list[Any], Any]:
    """For each place in a window, where the largest element of the window stands there; how many it has of them.

    Of a window with a nan, all are nan, and so are the numbers.
    """
    unknown = np.isnan(top)
    some = np.any(unknown)
    hits = [each == top for each in _slices(_surrounded(x, layout, -np.inf), layout)]
    if some:
        hits = [hit | unknown for hit in hits]
    count = sum((hit.view(np.uint8) for hit in hits[1:]), hits[0].astype(np.uint16 if len(hits) > 255 else np.uint8))
    return hits, np.where(unknown, np.nan, count) if some else count


def _tied(x: Any, *params: Any) -> Any:
    layout = _layout(_spatial(np.asarray(x), MaxPool(*params)), MaxPool(*params))
    return _hits(x, _largest(x, *params), layout)[1] > 1


def _along(dx: Any, x: Any, top: Any, *params: Any) -> Any:
    """The mean of dx over the largest elements of each window."""
    layout = _layout(_spatial(np.asarray(x), MaxPool(*params)), MaxPool(*params))
    hits, count = _hits(x, top, layout)
    result: Any = np.zeros(np.shape(top), np.result_type(dx))
    for hit, moved in zip(hits, _slices(_surrounded(dx, layout, 0.0), layout), strict=True):
        result += masked(hit, moved)
    return result / count


def _shared(y: Any, x: Any, top: Any, *params: Any) -> Any:
    """y in equal shares to the largest elements of each window."""
    x = np.asarray(x)
    spatial = _spatial(x, MaxPool(*params))
    layout = _layout(spatial, MaxPool(*params))
    hits, count = _hits(x, top, layout)
    share = np.asarray(y if np.all(count == 1) else y / count)
    sizes = (n + p + b for n, p, b in zip(spatial, layout.padding, layout.behind, strict=True))
    result: Any = np.zeros((*x.shape[: x.ndim - len(spatial)], *sizes), share.dtype)
    apart = all(s >= span for s, span in zip(layout.stride, spans(layout.kernel, layout.dilation), strict=True))
    for hit, elements in zip(hits, _slices(result, layout), strict=True):
        if apart:
            elements[...] = masked(hit, share)
        else:
            elements += masked(hit, share)
    return result[(..., *(slice(p, p + n) for p, n in zip(layout.padding, spatial, strict=True)))]


def _mean(x: Any, *params: Any) -> Any:
    spatial = _spatial(np.asarray(x), AvgPool(*params))
    layout = _layout(spatial, AvgPool(*params))
    counted = _counted(spatial, layout, AvgPool(*params).count_include_pad)
    result = _joined(np.add, _surrounded(x, layout, 0.0), layout)
    return result / (counted[0] if len(counted) == 1 else np.reshape(counted, layout.numbers))


@lru_cache(maxsize=_LAYOUTS)
def _counted(spatial: Shape, layout: _Layout, with_padding: bool) -> tuple[float, ...]:
    """How many elements the mean of each window is of, one number where all are equal. What ceil_mode adds behind the
    padding is none.
    """
    product = [1.0]
    along = zip(spatial, layout.kernel, layout.stride, layout.padding, layout.numbers, strict=True)
    for size, k, s, p, number in along:
        first, end = (-p, size + p) if with_padding else (0, size)
        each = [max(min(at * s - p + k, end) - max(at * s - p, first), 0) for at in range(number)]
        product = [so_far * count for so_far in product for count in each]
    return tuple(map(float, product if len(set(product)) > 1 else product[:1]))


# ---- shapes ---------------------------------------------------------------------------


def _pooled_shape(shapes: Sequence[Shape], params: MaxPool | AvgPool) -> Shape:
    rank, x = len(params.kernel), shapes[0]
    for each in params[1:4]:
        if isinstance(each, tuple) and len(each) not in (1, rank):
            raise ShapeError(f"{shape_text(each)} has no size for each axis of the kernel {shape_text(params.kernel)}")
    if rank not in _AXES:
        raise ShapeError(f"a kernel has 1, 2 or 3 axes, not {shape_text(params.kernel)}")
    if len(x) < rank:
        raise ShapeError(f"x has the axes (..., {_AXES[rank]}), not {shaped(x)}", clash=(0,))
    spatial = x[len(x) - rank :]
    layout = _layout(spatial, params)
    reach = spans(params.kernel, layout.dilation)
    sizes = (size + 2 * p for size, p in zip(spatial, layout.padding, strict=True))
    if any(size < span for size, span in zip(sizes, reach, strict=True)) or any(
        2 * p > k for p, k in zip(layout.padding, params.kernel, strict=True)
    ):
        raise ShapeError(f"a window of {shape_text(reach)} does not fit into x of {shape_text(x)} "
                         f"with padding {shape_text(layout.padding)}")  # fmt: skip
    check_size((*x[: len(x) - rank], *layout.numbers, *params.kernel), "pooling")  # all windows: the work, too
    return (*x[: len(x) - rank], *layout.numbers)


def _work(shapes: Sequence[Shape], params: MaxPool | AvgPool) -> int:
    """One for each element of each window."""
    return math.prod(params.kernel) * math.prod(_pooled_shape(shapes[:1], params))


# ---- what they are made of ------------------------------------------------------------


def _windows(x: Node, layout: _Layout) -> Node:
    """All windows, (..., kernel, windows)."""
    ends = tuple(c - p for c, p in zip(layout.covered, layout.padding, strict=True))  # of what is read of x
    kept = tuple(map(min, ends, _spatial(x, layout)))
    behind = tuple(end - size for end, size in zip(ends, kept, strict=True))
    wide = padded(cropped(x, (0,) * len(kept), kept), layout.padding, behind)
    return apply(UNFOLD, (wide,), windows_params(layout.kernel, layout.stride, layout.dilation))


def _within(x: Node, layout: _Layout) -> tuple[Node, Reduce]:
    """The windows, with -inf in place of the padding, and the axes of a window."""
    windows = _windows(x, layout)
    if any((*layout.padding, *layout.behind)):
        inside = _windows(apply(ONES, (), OfShape(x.shape)), layout)
        windows = apply(WHERE, (inside, windows, constant(-math.inf)))
    rank = len(layout.kernel)
    return windows, Reduce(tuple(range(-2 * rank, -rank)), False)


def _max_expansion(args: tuple[Node, ...], params: MaxPool) -> Node:
    windows, along = _within(args[0], _layout(_spatial(args[0], params), params))
    return apply(MAX, (windows,), along)


def _chosen(x: Node, top: Node, layout: _Layout) -> tuple[Node, Node]:
    """Where the elements of the windows are not the largest; how many others there are."""
    windows, along = _within(x, layout)
    less = apply(LESS, (windows, _to_windows(top, layout)))
    number = constant(float(math.prod(layout.kernel)))
    others = apply(SUBTRACT, (number, apply(SUM, (less,), along)))
    is_number = apply(EQUAL_TO, (top, top))
    return less, apply(MULTIPLY, (others, apply(WHERE, (is_number, constant(1.0), top))))


def _to_windows(top: Node, layout: _Layout) -> Node:
    """What belongs to the windows, for each element of theirs."""
    rank = len(layout.kernel)
    lead, numbers = top.shape[: len(top.shape) - rank], top.shape[len(top.shape) - rank :]
    return broadcast(reshape(top, (*lead, *(1,) * rank, *numbers)), (*lead, *layout.kernel, *numbers))


def _along_expansion(args: tuple[Node, ...], params: MaxPool) -> Node:
    dx, x, top = args
    layout = _layout(_spatial(x, params), params)
    less, count = _chosen(x, top, layout)
    moved = apply(WHERE, (less, constant(0.0), _windows(dx, layout)))
    return apply(DIVIDE, (apply(SUM, (moved,), _within(x, layout)[1]), count))


def _shared_expansion(args: tuple[Node, ...], params: MaxPool) -> Node:
    y, x, top = args
    spatial = _spatial(x, params)
    layout = _layout(spatial, params)
    less, count = _chosen(x, top, layout)
    shares = apply(WHERE, (less, constant(0.0), _to_windows(apply(DIVIDE, (y, count)), layout)))
    wide = tuple(n + p + b for n, p, b in zip(spatial, layout.padding, layout.behind, strict=True))
    more = tuple(n - c for n, c in zip(wide, layout.covered, strict=True))
    folded = apply(FOLD, (shares,), windows_params(layout.covered, layout.stride, layout.dilation))
    return cropped(padded(folded, (0,) * len(more), more), layout.padding, spatial)


def _mean_expansion(args: tuple[Node, ...], params: AvgPool) -> Node:
    (x,) = args
    spatial = _spatial(x, params)
    layout, rank = _layout(spatial, params), len(params.kernel)
    total = apply(SUM, (_windows(x, layout),), Reduce(tuple(range(-2 * rank, -rank)), False))
    counted = _counted(spatial, layout, params.count_include_pad)
    if len(counted) == 1:
        return apply(DIVIDE, (total, constant(counted[0])))
    return apply(DIVIDE, (total, constant_array(struct.pack(f"<{len(counted)}d", *counted), layout.numbers)))


# ---- the operations -------------------------------------------------------------------


def _one_for_all(params: MaxPool) -> MaxPool:
    """A single number where it is the same along all axes."""

    def shortened(each: Sizes) -> Sizes:
        return each[:1] if len(set(each)) == 1 else each

    kernel, stride, padding, dilation, ceil_mode = params
    if stride is not None:
        stride = None if along_each(stride, len(kernel)) == kernel else shortened(stride)
    return MaxPool(kernel, stride, shortened(padding), shortened(dilation), ceil_mode)


def _of_any_rank(*values: Any) -> MaxPool:
    return _one_for_all(MaxPool(*values))


def _stride(convert: Callable[[Any, Sequence[Shape]], Any]) -> Static:
    """That of the windows; the kernel's size where it is left out."""
    return Static("stride", lambda value, shapes: None if value is None else convert(value, shapes),
                  lambda value, shapes: shape_text(value))  # fmt: skip


_CEIL = flag("ceil_mode", 0)
_ANY_RANK = (sizes_of("kernel"), _stride(sizes_of("stride").convert), sizes_of("padding", 0, 0),
             sizes_of("dilation", 1), _CEIL)  # fmt: skip


def _moves_to(shared: bool) -> Callable[[Sequence[Shape], MaxPool], Shape]:
    """The shape of a derivative of a pooling. shared: backwards, from the value to the argument."""

    def check(shapes: Sequence[Shape], params: MaxPool) -> Shape:
        moved, x, top = shapes
        pooled = _pooled_shape((x,), params)
        for found, wanted in ((top, pooled), (moved, pooled if shared else x)):
            if found != wanted:
                raise ShapeError(f"shape {shape_text(found)} stands where {shape_text(wanted)} belongs")
        return x if shared else pooled

    return check


ALONG: Operation = Operation(
    "max_pool_along", "the derivative of a max_pool of x along dx; top: its value", ("dx", "x", "top"), _along,
    _moves_to(False), (Transpose(lambda ct, args, params: apply(SHARES, (ct, *args[1:]), params)), None, None),
    expansion=_along_expansion, statics=_ANY_RANK, params=_of_any_rank,
    work=lambda shapes, params: 2 * _work(shapes[1:2], params),
    example="max_pool_along([1, 2, 3, 4], [7, 5, 6, 8], [7, 8], 2)",
)  # fmt: skip
SHARES: Operation = Operation(
    "max_pool_shares", "y shared by the largest elements of the windows of x; top: what these are", ("y", "x", "top"),
    _shared, _moves_to(True), (Transpose(lambda ct, args, params: apply(ALONG, (ct, *args[1:]), params)), None, None),
    expansion=_shared_expansion, statics=_ANY_RANK, params=_of_any_rank, gaps=True,
    work=lambda shapes, params: 2 * _work(shapes[1:2], params),
    example="max_pool_shares([1, 2], [7, 5, 6, 8], [7, 8], 2)",
)  # fmt: skip


def _tangent(node: Node, tangents: tuple[Node, ...]) -> Node:
    params = node.params
    assert isinstance(params, MaxPool)
    return apply(ALONG, (*tangents, *node.args, node), _one_for_all(params))


def _operations(rank: int) -> tuple[Operation, Operation]:
    """The poolings over so many axes."""
    common = (wholes("kernel", rank, REQUIRED, 1), _stride(wholes("stride", rank, None, 1).convert),
              wholes("padding", rank, 0, 0))  # fmt: skip
    last = "the last axis" if rank == 1 else f"the last {rank} axes"
    x = "[" * (rank - 1) + "[1, 2], [3, 4]" + "]" * (rank - 1) if rank > 1 else "[1, 2, 3, 4]"
    kernel = f"[{', '.join(['1'] * (rank - 2) + ['2'] * min(rank, 2))}]" if rank > 2 else "2"
    largest = Operation(
        f"max_pool{rank}d", f"the maximum of each window of {last}, (..., {_AXES[rank]})", ("x",), _largest,
        _pooled_shape, (JointJvp(_tangent),), expansion=_max_expansion,
        statics=(*common, wholes("dilation", rank, 1, 1), _CEIL), params=MaxPool, facts=CHOOSES, work=_work,
        kink=Kink(_tied, "equal elements of a window share its derivative equally", tie=True),
        example=f"max_pool{rank}d({x}, {kernel})",
    )  # fmt: skip
    mean = Operation(
        f"avg_pool{rank}d", f"the mean of each window of {last}, (..., {_AXES[rank]})", ("x",), _mean, _pooled_shape,
        expansion=_mean_expansion, statics=(*common, _CEIL, flag("count_include_pad", 1)), params=AvgPool,
        facts=ANALYTIC, work=_work, example=f"avg_pool{rank}d({x}, {kernel})",
    )  # fmt: skip
    return largest, mean


ENTRIES: tuple[Operation, ...] = (*(op for rank in (1, 2, 3) for op in _operations(rank)), ALONG, SHARES)
