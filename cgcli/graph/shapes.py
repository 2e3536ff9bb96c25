"""Shapes, elements and sizes in words, as messages, pictures and tables say them."""

from __future__ import annotations

from itertools import product

from cgcli.annotations import Any, Iterator, Sequence
from cgcli.graph.operation import Shape


def shape_of(value: Any) -> Shape:
    """The shape of a value: an array's own, () of a number."""
    shape: Shape = getattr(value, "shape", ())
    return shape


def as_lists(value: Any) -> Any:
    """An array as nested lists of numbers, a number as itself."""
    return value.tolist() if hasattr(value, "tolist") else value


def shape_text(shape: Shape, scalar: str = "[]") -> str:
    """A shape as it is written in the language. scalar: what is written for a scalar."""
    return f"[{', '.join(map(str, shape))}]" if shape else scalar


def shaped(shape: Shape) -> str:
    """A shape in a sentence: 'shape [2, 3]', or 'a scalar'."""
    return f"shape {shape_text(shape)}" if shape else "a scalar"


def two_shapes(one: Shape, other: Shape) -> str:
    """Two shapes in a sentence: 'shapes [2] and [3]', or 'a scalar and shape [3]'."""
    if one and other:
        return f"shapes {shape_text(one)} and {shape_text(other)}"
    return f"{shaped(one)} and {shaped(other)}"


def axes_text(count: int) -> str:
    """A number of axes, in words."""
    return "1 axis" if count == 1 else f"{count} axes"


def all_axes(shape: Shape) -> tuple[int, ...]:
    """The axes of a shape, counted from the last, which is -1."""
    return tuple(range(-len(shape), 0))


def element_name(name: str, index: Sequence[int]) -> str:
    """The name of an element of an array: `x[0,1]`; the name alone for a number, which has no index."""
    return f"{name}[{','.join(map(str, index))}]" if index else name


def element_names(name: str, shape: Shape) -> Iterator[str]:
    """The name of each element of an array, in row-major order; the name alone for a number."""
    return (element_name(name, index) for index in product(*map(range, shape)))


def count_text(number: int) -> str:
    """A number of elements in words."""
    return str(number) if number < 10**9 else f"{float(number):.3g}" if number < 10**300 else "far too many"


def size_text(size: int) -> str:
    """A number of bytes in the unit that suits it."""
    units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"]
    step = min(max(len(str(size)) - 1, 0) // 3, len(units) - 1)
    return f"{size / 1000**step:.4g} {units[step]}" if size < 10**300 else "no memory holds it"
