"""Convolutions over one, two and three axes, with PyTorch's axes: (N, C, L), (N, C, H, W), (N, C, D, H, W).

Each is the sum of x[window]*w*y over windows, channels and taps, without one of the three: `conv2d(x, w)` lacks y,
`conv_transpose2d(y, w)` lacks x, `conv2d_weights(x, y)` lacks w. So each is the derivative of the two others.
Their kernels copy windows, as many as the cache holds, and multiply matrices (Chellapilla et al. 2006).
"""

from __future__ import annotations

import math
from functools import partial

from cgcli.annotations import Any, Sequence
from cgcli.errors import ArgumentError, ShapeError
from cgcli.graph.node import Node, apply, check_size
from cgcli.graph.operation import ANALYTIC, REQUIRED, Operation, Params, Shape, Shorthand, Static
from cgcli.graph.rules import Transpose
from cgcli.graph.shapes import shape_text
from cgcli.lean import lru_cache
from cgcli.ops.arithmetic import ADD
from cgcli.ops.einsum import EINSUM, Einsum, Subscripts
from cgcli.ops.entry import row_by_row
from cgcli.ops.indexing import PAD, Pad, take
from cgcli.ops.lazily import np
from cgcli.ops.shaping import per_channel, reshape
from cgcli.ops.statics import Taken, brief, whole, wholes
from cgcli.ops.windows import FOLD, UNFOLD, Frame, Sizes, add_back, counts, frame, parts, spans, windows_params
from cgcli.records import NamedTuple

_PLANS = 256  # that are kept
_TAPS, _PLACES = "hij", "HIJ"  # letters of the axes of a window, and of the windows
_AXES = {1: "L", 2: "H, W", 3: "D, H, W"}


class Conv(NamedTuple):
    """The parameters of a convolution."""

    stride: Sizes
    padding: Sizes
    dilation: Sizes
    groups: int


class Same(tuple[int, ...]):
    """The sizes of a kernel, in the place of a padding that keeps the sizes of x."""

    __slots__ = ()


def conv_params(stride: Sizes, padding: Sizes, dilation: Sizes, groups: int) -> Conv:
    """The parameters of a convolution. Raises ArgumentError for a padding that would not be the same on both sides."""
    if isinstance(padding, Same):
        reach = spans(padding, dilation)
        if set(stride) != {1}:
            raise ArgumentError(f"padding='same' takes a stride of 1, not {shape_text(stride)}")
        if not all(span % 2 for span in reach):
            ends = [[0, 0], [0, 0], *([(span - 1) // 2, span // 2] for span in reach)]
            raise ArgumentError(f"padding='same' takes windows of odd sizes, not {shape_text(reach)}",
                                hint=f"give pad(x, {ends}) in the place of x, without padding")  # fmt: skip
        padding = tuple(span // 2 for span in reach)
    return Conv(stride, padding, dilation, groups)


class Transposed(NamedTuple):
    """Those of a transposed one. output_padding: how much larger the result is, at its end, than it has to be."""

    stride: Sizes
    padding: Sizes
    output_padding: Sizes
    groups: int
    dilation: Sizes


class Weights(NamedTuple):
    """Those of the derivative by the weights. kernel: the sizes of a window."""

    kernel: Sizes
    stride: Sizes
    padding: Sizes
    dilation: Sizes
    groups: int


# ---- kernels --------------------------------------------------------------------------


class _Plan(NamedTuple):
    """How windows are copied: all that follows from the shapes. columns: the shape of all as the columns of matrices.

    parts: which of the items and of the rows of windows are copied at once. row: of how many windows a row is.
    """

    frame: Frame
    columns: Shape
    parts: tuple[tuple[slice, slice], ...]
    row: int


@lru_cache(maxsize=_PLANS)
def _plan(
    shape: Shape, itemsize: int, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int,
    places: Sizes | None = None,
) -> _Plan:  # fmt: skip
    """The plan for an array of a shape. places: how many windows are used along each axis; None for all."""
    made = frame(shape, itemsize, kernel, stride, padding, dilation)
    items, taken = shape[0], shape[1] * math.prod(kernel)
    if places is not None:
        made = made._replace(shape=(*made.shape[: 2 + len(kernel)], *places))
    places = made.shape[2 + len(kernel) :]
    row = math.prod(places[1:])
    some = tuple(parts(items, taken, places[0], row))
    return _Plan(made, (items, groups, taken // groups, row * places[0]), some, row)


def _within(padding: Sizes, spatial: Shape) -> tuple[Any, ...]:
    return (..., *(slice(p, p + n) for p, n in zip(padding, spatial, strict=True)))


def _columns(windows: Any, plan: _Plan, items: slice, rows: slice) -> Any:
    """Some windows as the columns of a matrix for each group: a copy, (items, groups, taps, windows)."""
    if len(plan.parts) == 1:
        return windows.reshape(plan.columns)
    some = windows[items, ..., rows, *(slice(None),) * (len(windows.shape) // 2 - 2)]
    return some.reshape(some.shape[0], *plan.columns[1:3], (rows.stop - rows.start) * plan.row)


def _conv(x: Any, w: Any, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int) -> Any:
    plan = _plan(x.shape, x.itemsize, w.shape[2:], stride, padding, dilation, groups)
    windows, row = plan.frame.windows(x), plan.row
    outputs = len(w)
    weights = w.reshape(groups, outputs // groups, plan.columns[2])
    if len(plan.parts) == 1:
        result = np.matmul(weights, windows.reshape(plan.columns))
    else:
        result = np.empty((len(x), groups, outputs // groups, plan.columns[3]), np.result_type(x, w))
        for some, rows in plan.parts:
            columns = _columns(windows, plan, some, rows)
            np.matmul(weights, columns, out=result[some, ..., rows.start * row : rows.stop * row])
    return result.reshape(len(x), outputs, *plan.frame.shape[2 + len(stride) :])


def _conv_transpose(
    y: Any, w: Any, stride: Sizes, padding: Sizes, output_padding: Sizes, groups: int, dilation: Sizes
) -> Any:
    places, items = y.shape[2:], len(y)
    kernel, row = w.shape[2:], math.prod(places[1:])
    channels = w.shape[1] * groups
    around = tuple(span - 1 - p for span, p in zip(spans(kernel, dilation), padding, strict=True))
    if set(stride) == {1} and not any(output_padding) and min(around) >= 0 and len(w) <= 2 * channels:
        turned = np.swapaxes(w.reshape(groups, len(w) // groups, *w.shape[1:]), 1, 2).reshape(channels, -1, *kernel)
        return _conv(y, np.flip(turned, tuple(range(2, w.ndim))), stride, around, dilation, groups)
    weights = np.swapaxes(w.reshape(groups, len(w) // groups, math.prod(w.shape[1:])), 1, 2)
    flat = y.reshape(items, groups, len(w) // groups, math.prod(places))
    sizes = _wide(places, kernel, stride, output_padding, dilation)
    result: Any = np.zeros((items, channels, *sizes), np.result_type(y, w))
    for some, rows in parts(items, channels * math.prod(kernel), places[0], row):
        columns = np.matmul(weights, flat[some, ..., rows.start * row : rows.stop * row])
        windows = columns.reshape(len(columns), channels, *kernel, rows.stop - rows.start, *places[1:])
        add_back(result[some, :, rows.start * stride[0] :], windows, kernel, stride, dilation)
    return result[_within(padding, tuple(n - 2 * p for n, p in zip(sizes, padding, strict=True)))]


def _conv_weights(
    x: Any, y: Any, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Any:  # fmt: skip
    plan = _plan(x.shape, x.itemsize, kernel, stride, padding, dilation, groups, y.shape[2:])
    windows, row, channels = plan.frame.windows(x), plan.row, y.shape[1] // groups
    flat = y.reshape(len(x), groups, channels, plan.columns[3])
    result: Any = np.zeros((groups, channels, plan.columns[2]), np.result_type(x, y))
    for some, rows in plan.parts:
        columns = _columns(windows, plan, some, rows)
        products = np.matmul(flat[some, ..., rows.start * row : rows.stop * row], np.swapaxes(columns, 2, 3))
        result += products[0] if len(products) == 1 else np.add.reduce(products, 0)
    return result.reshape(y.shape[1], x.shape[1] // groups, *kernel)


# ---- shapes ---------------------------------------------------------------------------


def _wide(places: Shape, kernel: Sizes, stride: Sizes, output_padding: Sizes, dilation: Sizes) -> Sizes:
    """The sizes that windows come from, the padding included."""
    reach = spans(kernel, dilation)
    return tuple((n - 1) * s + span + more
                 for n, s, span, more in zip(places, stride, reach, output_padding, strict=True))  # fmt: skip


def _check_axes(name: str, rank: int, shapes: Sequence[Shape], names: str, axes: str) -> None:
    """Raise ShapeError where the arrays have not the axes that they are to have."""
    first, second = names.split()
    taken = [f"({one}, {_AXES[rank]})" for one in axes.split("; ")]
    if any(len(shape) != rank + 2 for shape in shapes):
        raise ShapeError(
            f"{name} takes {first} as {taken[0]} and {second} as {taken[1]}, "
            f"not {shape_text(shapes[0])} and {shape_text(shapes[1])}",
            hint=f"give {first} its axes with reshape({first}, [1, 1, {_AXES[rank].lower()}])",
        )


def _check_groups(name: str, called: str, channels: int, groups: int) -> None:
    if channels % groups:
        raise ShapeError(f"{name}: groups={brief(groups)} does not divide {called}, which is {channels}")


def _windows_in(name: str, x: Shape, kernel: Sizes, params: Conv) -> Sizes:
    """How many windows there are along each axis."""
    reach = spans(kernel, params.dilation)
    spatial = tuple(size + 2 * p for size, p in zip(x[2:], params.padding, strict=True))
    if any(size < span for size, span in zip(spatial, reach, strict=True)) or 0 in kernel:
        raise ShapeError(f"{name}: a window of {shape_text(reach)} does not fit into x of {shape_text(x)} "
                         f"with padding {shape_text(params.padding)}")  # fmt: skip
    return counts(spatial, kernel, params.stride, params.dilation)


def _conv_shape(name: str, rank: int, shapes: Sequence[Shape], params: Conv) -> Shape:
    x, w = shapes
    _check_axes(name, rank, shapes, "x w", "N, C; O, C")
    _check_groups(name, "the first axis of w", w[0], params.groups)
    if x[1] != w[1] * params.groups:
        each = f" for each of {params.groups} groups" if params.groups > 1 else ""
        raise ShapeError(
            f"{name}: x of {shape_text(x)} has C = {x[1]}, and w of {shape_text(w)} takes C = {w[1]}{each}"
        )
    return (x[0], w[0], *_windows_in(name, x, w[2:], params))


def _transposed_shape(name: str, rank: int, shapes: Sequence[Shape], params: Transposed) -> Shape:
    stride, padding, output_padding, groups, dilation = params
    y, w = shapes
    _check_axes(name, rank, shapes, "x w", "N, O; O, C")
    _check_groups(name, "the first axis of w", w[0], groups)
    if y[1] != w[0]:
        raise ShapeError(f"{name}: x of {shape_text(y)} has C = {y[1]}, and w of {shape_text(w)} takes C = {w[0]}")
    wide = _wide(y[2:], w[2:], stride, output_padding, dilation)
    sizes = tuple(size - 2 * p for size, p in zip(wide, padding, strict=True))
    if min(sizes) < 1 or 0 in (*y[2:], *w[2:]):
        raise ShapeError(f"{name}: a padding of {shape_text(padding)} leaves nothing of {shape_text(wide)}")
    check_size((y[0], w[1] * groups, *wide), name)
    return (y[0], w[1] * groups, *sizes)


def _weights_shape(name: str, rank: int, shapes: Sequence[Shape], params: Weights) -> Shape:
    x, y = shapes
    _check_axes(name, rank, shapes, "x y", "N, C; N, O")
    for called, shape in (("x", x), ("y", y)):
        _check_groups(name, f"the second axis of {called}", shape[1], params.groups)
    most = _windows_in(name, x, params.kernel, Conv(*params[1:]))
    if x[0] != y[0] or any(size > n for size, n in zip(y[2:], most, strict=True)):
        raise ShapeError(f"{name}: x of {shape_text(x)} has windows of {shape_text((x[0], y[1], *most))}, "
                         f"and y is of {shape_text(y)}")  # fmt: skip
    return (y[1], x[1] // params.groups, *params.kernel)


# ---- what they are made of ------------------------------------------------------------


def padded(x: Node, padding: Sizes, more: Sizes | None = None) -> Node:
    """x with zeros around, along its last axes. more: how many stand behind, where not as many as before."""
    behind = padding if more is None else more
    if not any((*padding, *behind)):
        return x
    lead = ((0, 0),) * (len(x.shape) - len(padding))
    return apply(PAD, (x,), Pad((*lead, *zip(padding, behind, strict=True))))


def _grouped(x: Node, axis: int, groups: int) -> Node:
    """An axis of channels as two: that of the groups and that of the channels of each."""
    return reshape(x, (*x.shape[:axis], groups, x.shape[axis] // groups, *x.shape[axis + 1 :]))


def _windows_of(x: Node, kernel: Sizes, params: Conv) -> Node:
    windows = apply(UNFOLD, (padded(x, params.padding),), windows_params(kernel, params.stride, params.dilation))
    return _grouped(windows, 1, params.groups)


def _contracted(one: tuple[Node, str], other: tuple[Node, str], result: str) -> Node:
    return apply(EINSUM, (one[0], other[0]), Einsum(Subscripts((one[1], other[1]), result)))


def _conv_expansion(args: tuple[Node, ...], params: Conv) -> Node:
    x, w = args
    rank = len(params.stride)
    taps, places = _TAPS[:rank], _PLACES[:rank]
    windows = (_windows_of(x, w.shape[2:], params), f"ngc{taps}{places}")
    found = _contracted(windows, (_grouped(w, 0, params.groups), f"goc{taps}"), f"ngo{places}")
    return reshape(found, (x.shape[0], w.shape[0], *found.shape[3:]))


def _transposed_expansion(args: tuple[Node, ...], params: Transposed) -> Node:
    stride, padding, output_padding, groups, dilation = params
    y, w = args
    rank = len(stride)
    taps, places = _TAPS[:rank], _PLACES[:rank]
    windows = _contracted((_grouped(y, 1, groups), f"ngo{places}"), (_grouped(w, 0, groups), f"goc{taps}"),
                          f"ngc{taps}{places}")  # fmt: skip
    # what no window covers is left out of the sum, and put around it afterwards
    covered = _wide(y.shape[2:], w.shape[2:], stride, (0,) * rank, dilation)
    windows = reshape(windows, (y.shape[0], w.shape[1] * groups, *windows.shape[3:]))
    folded = padded(apply(FOLD, (windows,), windows_params(covered, stride, dilation)), (0,) * rank, output_padding)
    return cropped(folded, padding, tuple(n - 2 * p for n, p in zip(folded.shape[2:], padding, strict=True)))


def _weights_expansion(args: tuple[Node, ...], params: Weights) -> Node:
    x, y = args
    rank = len(params.stride)
    taps, places = _TAPS[:rank], _PLACES[:rank]
    windows = _windows_of(x, params.kernel, Conv(*params[1:]))
    windows = cropped(windows, (0,) * rank, y.shape[2:])
    found = _contracted((windows, f"ngc{taps}{places}"), (_grouped(y, 1, params.groups), f"ngo{places}"), f"goc{taps}")
    return reshape(found, (y.shape[1], *found.shape[2:]))


def cropped(x: Node, starts: Sizes, sizes: Shape) -> Node:
    """Some elements along the last axes."""
    lead = (Taken(0, size, 1) for size in x.shape[: len(x.shape) - len(sizes)])
    return take(x, (*lead, *(Taken(start, size, 1) for start, size in zip(starts, sizes, strict=True))))


# ---- the operations -------------------------------------------------------------------


def _whole_array(name: str, rank: int, default: Any, least: int) -> Static:
    return wholes(name, rank, default, least, True)


def _padding(numbers: Static, rank: int) -> Static:
    """Numbers, or 'same' or 'valid' in their place."""

    def convert(value: Any, shapes: Sequence[Shape]) -> Sizes:
        if value == "same" and len(shapes[1]) == rank + 2:
            return Same(shapes[1][2:])
        found: Any = numbers.convert(0 if value in ("same", "valid") else value, shapes)
        return tuple(found)

    return numbers._replace(convert=convert)


def _operations(rank: int) -> tuple[Operation, Operation, Operation]:
    """The three operations over so many axes."""
    name, transposed_name, weights_name = f"conv{rank}d", f"conv_transpose{rank}d", f"conv{rank}d_weights"

    def conv(x: Node, w: Node, params: Conv, places: Shape) -> Node:
        return cropped(apply(operation, (x, w), params), (0,) * rank, places)

    def transposed(y: Node, w: Node, params: Conv, spatial: Shape) -> Node:
        """With as much padding at the end as gives so many elements."""
        stride, padding, dilation, groups = params
        least = _wide(y.shape[2:], w.shape[2:], stride, (0,) * rank, dilation)
        more = tuple(size + 2 * p - n for size, p, n in zip(spatial, padding, least, strict=True))
        return apply(transpose, (y, w), Transposed(stride, padding, more, groups, dilation))

    def by_weights(x: Node, y: Node, params: Conv, kernel: Shape) -> Node:
        return apply(weights, (x, y), Weights(kernel, *params))

    def of_transposed(params: Transposed) -> Conv:
        return Conv(params.stride, params.padding, params.dilation, params.groups)

    common = {"stride": _whole_array("stride", rank, 1, 1), "padding": _whole_array("padding", rank, 0, 0),
              "dilation": _whole_array("dilation", rank, 1, 1), "groups": whole("groups", 1, 1)}  # fmt: skip
    groups = common["groups"]._replace(keyword_only=True)
    stride, padding, dilation = (common[each] for each in ("stride", "padding", "dilation"))
    ones, deep = "[" * (rank + 2), "]" * (rank + 2)
    axes, taps = _AXES[rank], ", ".join("k" + axis for axis in _AXES[rank].split(", "))
    operation = Operation(
        name, f"{rank}-D convolution (cross-correlation) of x (N, C, {axes}) with w (O, C/groups, {taps})", ("x", "w"),
        _conv,
        partial(_conv_shape, name, rank),
        (Transpose(lambda ct, args, params: transposed(ct, args[1], params, args[0].shape[2:])),
         Transpose(lambda ct, args, params: by_weights(args[0], ct, params, args[1].shape[2:]))),
        expansion=_conv_expansion, statics=(stride, _padding(padding, rank), dilation, groups), params=conv_params,
        facts=ANALYTIC,
        work=lambda shapes, params: 2 * math.prod(shapes[1][1:]) * math.prod(_conv_shape(name, rank, shapes, params)),
        example=f"{name}({ones}1, 2{deep}, {ones}3{deep})", rows=row_by_row(_conv),
    )  # fmt: skip
    transpose = Operation(
        transposed_name,
        f"{rank}-D transposed convolution of x (N, C, {axes}) with w (C, O/groups, {taps}): {name}'s derivative by x",
        ("x", "w"), _conv_transpose, partial(_transposed_shape, transposed_name, rank),
        (Transpose(lambda ct, args, params: conv(ct, args[1], of_transposed(params), args[0].shape[2:])),
         Transpose(lambda ct, args, params: by_weights(ct, args[0], of_transposed(params), args[1].shape[2:]))),
        expansion=_transposed_expansion,
        statics=(stride, padding, _whole_array("output_padding", rank, 0, 0), groups, dilation), params=Transposed,
        facts=ANALYTIC, work=lambda shapes, params: 2 * math.prod(shapes[0]) * math.prod(shapes[1][1:]),
        example=f"{transposed_name}({ones}1, 2{deep}, {ones}3{deep})", rows=row_by_row(_conv_transpose),
    )  # fmt: skip
    weights = Operation(
        weights_name, f"the derivative of {name} by w, from that by its value", ("x", "y"), _conv_weights,
        partial(_weights_shape, weights_name, rank),
        (Transpose(lambda ct, args, params: transposed(args[1], ct, Conv(*params[1:]), args[0].shape[2:])),
         Transpose(lambda ct, args, params: conv(args[0], ct, Conv(*params[1:]), args[1].shape[2:]))),
        expansion=_weights_expansion,
        statics=(wholes("kernel", rank, REQUIRED, 1), stride, padding, dilation, groups), params=Weights,
        facts=ANALYTIC, work=lambda shapes, params: 2 * math.prod(shapes[1]) * math.prod(params.kernel)
        * (shapes[0][1] // params.groups),
        example=f"{weights_name}({ones}1, 2{deep}, {ones}3{deep}, [{'1, ' * (rank - 1)}2])",
        rows=row_by_row(_conv_weights),
    )  # fmt: skip
    return operation, transpose, weights


def _with_bias(op: Operation) -> Shorthand:
    """The same, plus a number for each channel of the result."""
    behind = int(op.name[-2])

    def build(args: tuple[Node, ...], params: Params) -> Node:
        result = apply(op, args[:2], params)
        return apply(ADD, (result, per_channel(args[2], (result.shape[-behind - 1], *(1,) * behind), "b")))

    return Shorthand(
        op.name, f"{op.name}(x, w), plus b for each channel", ("x", "w", "b"), build, statics=op.statics,
        params=op.params, example=f"{op.example[: op.example.rindex(')')]}, [10])",
    )  # fmt: skip


_ALL = tuple(_operations(rank) for rank in (1, 2, 3))
ENTRIES: tuple[Operation | Shorthand, ...] = (
    *(op for row in _ALL for op in row), *(_with_bias(op) for row in _ALL for op in row[:2]),
)  # fmt: skip
