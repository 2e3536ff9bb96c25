"""Where the elements of an array go, for operations that only move them; and such places as formulas in an index."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Sequence
from cgcli.evaluate.kernels import kernel_of
from cgcli.graph.node import Node, apply
from cgcli.ops.indexing import INDEX, Index
from cgcli.ops.lazily import np
from cgcli.ops.windows import UNFOLD

if TYPE_CHECKING:
    from numpy.typing import NDArray

Indices = Sequence[tuple[str, tuple[int, ...]]]


def places_of(node: Node) -> NDArray[Any]:
    """For each place of what an operation makes that moves elements, the place where it takes the element from."""
    (arg,) = node.args
    numbers = np.arange(math.prod(arg.shape), dtype=float).reshape(arg.shape)
    return np.asarray(kernel_of(node)(numbers, *node.params)).astype(int)


def along(node: Node) -> list[NDArray[Any]]:
    """For each argument, the places where its elements go, by the argument's shape."""
    if node.op.name in ("put", "fold"):
        return [_back(node)]
    sizes = [math.prod(arg.shape) for arg in node.args]
    whole = [np.arange(begin, begin + size, dtype=float).reshape(arg.shape)
             for arg, size, begin in zip(node.args, sizes, np.cumsum([1, *sizes]), strict=False)]  # fmt: skip
    moved = np.asarray(kernel_of(node)(*whole, *node.params)).astype(int).ravel()
    order = np.argsort(moved, kind="stable")[np.count_nonzero(moved == 0) :]
    found, first = [], 0
    for arg, size in zip(node.args, sizes, strict=True):
        found.append(order[first : first + size].reshape(arg.shape))
        first += size
    return found


def _back(node: Node) -> NDArray[Any]:
    """The places of `put` and `fold`, by what takes the elements from there."""
    numbers = np.arange(math.prod(node.shape), dtype=float).reshape(node.shape)
    (arg,) = node.args
    if node.op.name == "put":
        place: Any = node.params[0]
        taken = kernel_of(apply(INDEX, (node,), Index(place.key)))(numbers, place.key)
    else:
        folded: Any = node.params
        count = len(folded.sizes)
        params = folded._replace(sizes=tuple(arg.shape[-2 * count : -count]))
        taken = kernel_of(apply(UNFOLD, (node,), params))(numbers, *params)
    return np.asarray(taken).astype(int).reshape(arg.shape)


def text_of_places(places: NDArray[Any], indices: Indices, quotient: str) -> str | None:
    """Places as a sum of multiples of indices; None where they are no such sum, and there is but one index.

    indices: each counts through its axes of `places`, one after the other. quotient: of whole numbers, as a template.
    """
    shape = places.shape
    base = int(places.ravel()[0]) if places.size else 0
    steps = [_step(places, at) for at in range(len(shape))]
    whole = np.full((1,) * len(shape), base)
    for at, (size, step) in enumerate(zip(shape, steps, strict=True)):
        line = np.arange(size) * step
        whole = whole + line.reshape([-1 if other == at else 1 for other in range(len(shape))])
    if places.size and not np.array_equal(np.broadcast_to(whole, shape), places):
        return None
    terms, at = [], 0
    for index, sizes in indices:
        terms += _terms(index, sizes, steps[at : at + len(sizes)], quotient)
        at += len(sizes)
    if base or not terms:
        terms.insert(0, str(base))
    return " + ".join(terms).replace("+ -", "- ")


def _step(places: NDArray[Any], axis: int) -> int:
    """How far the places of neighbours along an axis are apart."""
    if not places.size or places.shape[axis] < 2:
        return 0
    corner = places[tuple(slice(0, 2) if at == axis else 0 for at in range(places.ndim))]
    return int(corner[1] - corner[0])


def _terms(index: str, sizes: Sequence[int], steps: Sequence[int], quotient: str) -> list[str]:
    """What an index adds, which counts through axes of these sizes: (index / after % size)*step for each."""
    merged: list[list[int]] = []  # [size, step] of neighbouring axes that are one
    for size, step in zip(sizes, steps, strict=True):
        if size == 1:
            continue
        if merged and merged[-1][1] == step * size:
            merged[-1] = [merged[-1][0] * size, step]
        else:
            merged.append([size, step])
    terms, after = [], 1
    for at in reversed(range(len(merged))):
        size, step = merged[at]
        if step:
            digit = index if after == 1 else quotient.format(index, after)
            if at:
                digit = f"{digit} % {size}"
            simple = digit == index
            terms.append(digit if step == 1 and simple else f"({digit})" if step == 1 else
                         f"{step}*{digit if simple else f'({digit})'}")  # fmt: skip
        after *= size
    return terms[::-1]
