"""Sliding windows over the last axes of an array: `unfold` and its transpose `fold`, and the kernels around them.

Convolutions and poolings are made of these; whatever is done here, is done over any number of axes.
"""

from __future__ import annotations

import itertools
import math

from cgcli.annotations import Any, Iterator, Sequence
from cgcli.errors import ArgumentError, ShapeError
from cgcli.graph.node import Node, apply
from cgcli.graph.operation import ARRAYS, CHOOSES, REPEATS, REQUIRED, Operation, Shape, Static
from cgcli.graph.rules import Transpose
from cgcli.graph.shapes import shape_text, shaped
from cgcli.ops.lazily import np
from cgcli.ops.statics import brief, integers
from cgcli.records import NamedTuple

Sizes = tuple[int, ...]

_CHUNK = 2**17  # elements of windows that are copied at once: what the cache next to a core holds


class Windows(NamedTuple):
    """The parameters of unfold, whose sizes are those of a window, and of fold, whose sizes are those of the result.

    stride: how far it is from a window to the next. dilation: how far from an element of a window to its next one; a
    single number where it is the same along all axes.
    """

    sizes: Sizes
    stride: Sizes
    dilation: Sizes


def windows_params(sizes: Sizes, stride: Sizes, dilation: Sizes) -> Windows:
    """The parameters in the one form that they have in the graph."""
    return Windows(sizes, stride, dilation[:1] if len(set(dilation)) == 1 else dilation)


def along_each(dilation: Sizes, rank: int) -> Sizes:
    """The dilation along each of the axes."""
    return dilation * rank if len(dilation) == 1 else dilation


def spans(kernel: Sizes, dilation: Sizes) -> Sizes:
    """How far a window reaches along each axis."""
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))


def counts(spatial: Shape, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Sizes:
    """How many windows fit along each axis."""
    reach = spans(kernel, dilation)
    return tuple((size - span) // s + 1 for size, span, s in zip(spatial, reach, stride, strict=True))


def view(x: Any, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """All windows, (..., kernel, windows): the memory of x, seen in another way."""
    rank = len(kernel)
    lead, spatial, steps = x.shape[:-rank], x.shape[-rank:], x.strides[-rank:]
    shape = (*lead, *kernel, *counts(spatial, kernel, stride, dilation))
    inside = (step * d for step, d in zip(steps, dilation, strict=True))
    across = (step * s for step, s in zip(steps, stride, strict=True))
    return np.lib.stride_tricks.as_strided(x, shape, (*x.strides[:-rank], *inside, *across), writeable=False)


def surrounded(x: Any, wide: Shape, inside: tuple[slice, ...], fill: float) -> Any:
    """x within an array of a shape, and a number around it. inside: where it stands along the last axes."""
    result: Any = np.empty(wide, x.dtype)
    result[(..., *inside)] = x
    for at, place in enumerate(inside):
        rest = (slice(None),) * (len(inside) - 1 - at)
        result[(..., slice(place.start), *rest)] = fill
        result[(..., slice(place.stop, None), *rest)] = fill
    return result


class Frame(NamedTuple):
    """Where the windows of an array stand in memory: all that follows from its shape, and is the same at each call.

    wide: the shape with its padding. inside: where the array stands in that; None where there is no padding. shape,
    strides: of all windows, (..., kernel, windows).
    """

    wide: Shape
    inside: tuple[slice, ...] | None
    shape: Shape
    strides: Shape

    def windows(self, x: Any) -> Any:
        """All windows of x, (..., kernel, windows): its memory, or that of a copy with zeros around, in another way."""
        whole = np.ascontiguousarray(x) if self.inside is None else surrounded(x, self.wide, self.inside, 0.0)
        return np.ndarray(self.shape, whole.dtype, whole, 0, self.strides)


def frame(shape: Shape, itemsize: int, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes) -> Frame:
    """The frame of an array. itemsize: how many bytes an element takes."""
    rank = len(kernel)
    lead, spatial = shape[: len(shape) - rank], shape[len(shape) - rank :]
    wide = (*lead, *(n + 2 * p for n, p in zip(spatial, padding, strict=True)))
    steps = tuple(itemsize * math.prod(wide[at + 1 :]) for at in range(len(wide)))
    inside = (step * d for step, d in zip(steps[-rank:], dilation, strict=True))
    across = (step * s for step, s in zip(steps[-rank:], stride, strict=True))
    return Frame(
        wide, tuple(slice(p, p + n) for p, n in zip(padding, spatial, strict=True)) if any(padding) else None,
        (*lead, *kernel, *counts(wide[-rank:], kernel, stride, dilation)), (*steps[:-rank], *inside, *across),
    )  # fmt: skip


def taps(x: Any, kernel: Sizes, stride: Sizes, dilation: Sizes, numbers: Sizes) -> Iterator[Any]:
    """For each place in a window, the elements that stand there, of all windows: slices of x, of shape (..., numbers).

    numbers: how many windows there are along each axis.
    """
    for offset in itertools.product(*map(range, kernel)):
        starts = (o * d for o, d in zip(offset, dilation, strict=True))
        places = (slice(o, o + s * (n - 1) + 1, s) for o, s, n in zip(starts, stride, numbers, strict=True))
        yield x[(..., *places)]


def add_back(into: Any, windows: Any, kernel: Sizes, stride: Sizes, dilation: Sizes) -> None:
    """Add windows, (..., kernel, windows), to the elements that they are made of."""
    rank = len(kernel)
    numbers = windows.shape[windows.ndim - rank :]
    if not any(windows.strides[-2 * rank : -rank]):  # in a window all elements are the same
        _add_everywhere(into, windows[(..., *(0,) * rank, *(slice(None),) * rank)], kernel, stride, dilation)
        return
    offsets = itertools.product(*map(range, kernel))
    rest = (slice(None),) * len(kernel)
    for offset, elements in zip(offsets, taps(into, kernel, stride, dilation, numbers), strict=True):
        elements += windows[(..., *offset, *rest)]


def _add_everywhere(into: Any, x: Any, kernel: Sizes, stride: Sizes, dilation: Sizes) -> None:
    """Add an element for each window to all that the window is made of, along one axis after the other."""
    rank = len(kernel)
    for at in range(rank - 1, -1, -1):
        size = into.shape[at - rank]
        wide: Any = (
            into if at == 0 else np.zeros((*x.shape[: at - rank], size, *x.shape[x.ndim + at - rank + 1 :]), x.dtype)
        )
        rest, last = (slice(None),) * (rank - 1 - at), stride[at] * (x.shape[at - rank] - 1) + 1
        for first in range(0, kernel[at] * dilation[at], dilation[at]):
            elements = wide[(..., slice(first, first + last, stride[at]), *rest)]
            elements += x
        x = wide


def parts(items: int, taken: int, rows: int, row: int) -> Iterator[tuple[slice, slice]]:
    """Windows in parts that are no larger than the cache: some of the items, and some rows of the windows of each.

    taken: elements that each window takes. rows, row: of how many rows the windows of an item are, of how many each.
    """
    size = taken * rows * row
    together = max(1, _CHUNK // max(size, 1))
    at_once = rows if size <= _CHUNK else max(1, _CHUNK // max(taken * row, 1))
    for first in range(0, items, together):
        for top in range(0, rows, at_once):
            yield slice(first, min(first + together, items)), slice(top, min(top + at_once, rows))


def _unfold(x: Any, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    return view(np.asarray(x), kernel, stride, along_each(dilation, len(kernel)))


def _unfold_shape(shapes: Sequence[Shape], params: Windows) -> Shape:
    kernel, stride, _ = params
    dilation = _checked(params)
    (x,) = shapes
    rank = len(kernel)
    spatial = x[len(x) - rank :]
    if len(x) < rank or any(size < span for size, span in zip(spatial, spans(kernel, dilation), strict=True)):
        raise ShapeError(f"windows of {shape_text(spans(kernel, dilation))} do not fit into {shaped(x)}")
    return (*x[: len(x) - rank], *kernel, *counts(spatial, kernel, stride, dilation))


def _fold(x: Any, sizes: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    x = np.asarray(x)
    rank = len(sizes)
    lead, kernel = x.shape[: -2 * rank], x.shape[-2 * rank : -rank]
    flat = x.reshape(math.prod(lead), *x.shape[-2 * rank :])
    result: Any = np.zeros((len(flat), *sizes), np.result_type(x))
    together = max(1, _CHUNK // max(math.prod(kernel) * math.prod(x.shape[-rank:]), 1))
    for first in range(0, len(flat), together):
        some = slice(first, first + together)
        add_back(result[some], flat[some], kernel, stride, along_each(dilation, rank))
    return result.reshape(*lead, *sizes)


def _fold_shape(shapes: Sequence[Shape], params: Windows) -> Shape:
    sizes, stride, _ = params
    dilation = _checked(params)
    (x,) = shapes
    rank = len(sizes)
    if len(x) < 2 * rank or x[len(x) - rank :] != counts(sizes, x[-2 * rank : -rank], stride, dilation):
        raise ShapeError(f"windows of shape {shape_text(x)} do not fold to {shape_text(sizes)}")
    return (*x[: -2 * rank], *sizes)


def _unfold_back(ct: Node, args: tuple[Node, ...], params: Windows) -> Node:
    return apply(FOLD, (ct,), params._replace(sizes=args[0].shape[-len(params.sizes) :]))


def _fold_back(ct: Node, args: tuple[Node, ...], params: Windows) -> Node:
    rank = len(params.sizes)
    return apply(UNFOLD, (ct,), params._replace(sizes=args[0].shape[-2 * rank : -rank]))


def sizes_of(name: str, default: Any = REQUIRED, least: int = 1) -> Static:
    """One size for each of the axes that the windows slide over."""

    def convert(value: Any, shapes: Sequence[Shape]) -> Sizes:
        sizes = integers(value, name)
        if not sizes or min(sizes) < least:
            raise ArgumentError(f"{name} takes whole numbers from {least}, not {brief(value)}")
        return sizes

    return Static(name, convert, lambda value, shapes: shape_text(value), default)


def _checked(params: Windows) -> Sizes:
    """The dilation along each axis."""
    sizes, stride, dilation = params
    for name, each in ("stride", stride), ("dilation", along_each(dilation, len(sizes))):
        if len(sizes) != len(each):
            raise ShapeError(f"{shape_text(sizes)} and {name} {shape_text(each)} differ in their number of axes")
    return along_each(dilation, len(sizes))


UNFOLD = Operation("unfold", "sliding windows over the last axes: (..., kernel, windows)", ("x",), _unfold,
                   _unfold_shape, (Transpose(_unfold_back),),
                   statics=(sizes_of("kernel"), sizes_of("stride"), sizes_of("dilation", 1)), params=windows_params,
                   facts=CHOOSES | REPEATS, example="unfold([1, 2, 3, 4], 2, 1)", mp=ARRAYS)  # fmt: skip
FOLD = Operation("fold", "sliding windows added back into place, the transpose of unfold", ("x",), _fold,
                 _fold_shape, (Transpose(_fold_back),),
                 statics=(sizes_of("sizes"), sizes_of("stride"), sizes_of("dilation", 1)), params=windows_params,
                 gaps=True, example="fold([[1, 2, 3], [2, 3, 4]], 4, 1)", mp=ARRAYS)  # fmt: skip

ENTRIES: tuple[Operation, ...] = (UNFOLD, FOLD)
