"""The static parameters of operations: how each kind is checked, normalised and written.

Axes are kept as negative numbers, so that they count from the trailing end and a leading
batch axis changes nothing. They are shown as numpy users write them, from 0.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.errors import ArgumentError, ShapeError
from cgcli.graph.operation import REQUIRED, Shape, Static
from cgcli.graph.shapes import all_axes, axes_text, shape_text
from cgcli.records import NamedTuple

_MOST = 1e16  # of the whole numbers that are written with all digits


class RawSlice(NamedTuple):
    """start:stop:step as written, before the length of the axis is known."""

    start: int | None
    stop: int | None
    step: int | None


class Taken(NamedTuple):
    """A slice of a known axis: `size` elements from `start`, `step` apart."""

    start: int
    size: int
    step: int


class Along(NamedTuple):
    """The parameter of what goes along one axis."""

    axis: int


class Axes(NamedTuple):
    """The parameter of what goes over several axes, or puts them in an order."""

    axes: tuple[int, ...]


class Reshape(NamedTuple):
    """The parameters of what gives an array another shape. rank: how many axes it had."""

    shape: Shape
    rank: int


def integer(value: Any, what: str) -> int:
    """A whole number, or ArgumentError."""
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise ArgumentError(f"{what} must be a whole number, not {brief(value)}")


def integers(value: Any, what: str) -> tuple[int, ...]:
    """One whole number or a list of them."""
    values = value if isinstance(value, tuple) else (value,)
    return tuple(integer(item, what) for item in values)


def brief(value: Any) -> str:
    """A raw value as text for a message."""
    if isinstance(value, tuple | list):
        return "[" + ", ".join(brief(item) for item in value) + "]"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _MOST else repr(value)
    if isinstance(value, int) and abs(value) >= _MOST:
        return f"{value:.4g}"
    return f"'{value}'" if isinstance(value, str) else str(value)


def normal_axis(axis: int, rank: int, what: str = "axis") -> int:
    """The axis counted from the end, or ShapeError when it is out of range."""
    if not rank:
        raise ShapeError(f"a scalar has no {what} {brief(axis)}", hint="several numbers are a list, as in: [1, 2]")
    if not -rank <= axis < rank:
        span = f"0 to {rank - 1}, or -{rank} to -1" if rank > 1 else "0 or -1"
        raise ShapeError(f"{what} {brief(axis)} is out of range for {axes_text(rank)}", hint=f"possible axes: {span}")
    return axis - rank if axis >= 0 else axis


def _axes(value: Any, shapes: Sequence[Shape]) -> tuple[int, ...]:
    if value is None:
        return all_axes(shapes[0])
    axes = tuple(normal_axis(axis, len(shapes[0])) for axis in integers(value, "axis"))
    if len(set(axes)) < len(axes):
        raise ArgumentError(f"the same axis is given twice in {brief(value)}")
    return tuple(sorted(axes))


def _show_axes(axes: tuple[int, ...], shapes: Sequence[Shape]) -> str:
    shown = tuple(axis + len(shapes[0]) for axis in axes)
    return str(shown[0]) if len(shown) == 1 else shape_text(shown)


def _axis(value: Any, shapes: Sequence[Shape]) -> int | None:
    if value is None:
        return None
    if isinstance(value, tuple) and len(value) == 1:
        (value,) = value
    return normal_axis(integer(value, "axis"), len(shapes[0]))


def _show_axis(axis: int, shapes: Sequence[Shape]) -> str:
    return str(axis + len(shapes[0]))


def _new_axis(value: Any, shapes: Sequence[Shape]) -> int:
    return normal_axis(integer(value, "axis"), len(shapes[0]) + 1)


def _show_new_axis(axis: int, shapes: Sequence[Shape]) -> str:
    return str(axis + len(shapes[0]) + 1)


def sizes_of(value: Any) -> Shape:
    """The sizes of a shape. Raises ArgumentError where they are none."""
    sizes = integers(value, "a shape")
    if any(size < 0 for size in sizes):
        raise ArgumentError(f"a shape has no negative sizes, but {brief(value)} has")
    return sizes


def _reshaped(value: Any, shapes: Sequence[Shape]) -> Shape:
    """A target shape in which one -1 stands for whatever is left."""
    sizes = list(integers(value, "a shape"))
    elements = math.prod(shapes[0])
    if sizes.count(-1) == 1 and all(size >= 0 for size in sizes if size != -1):
        known = math.prod(size for size in sizes if size != -1)
        if known and elements % known == 0:
            sizes[sizes.index(-1)] = elements // known
    if any(size < 0 for size in sizes) or math.prod(sizes) != elements:
        raise ArgumentError(f"{elements} numbers of shape {shape_text(shapes[0])} do not fill shape {brief(value)}")
    return tuple(sizes)


def _show_shape(value: Shape, shapes: Sequence[Shape]) -> str:
    return shape_text(value)


def axes(keyword_only: bool = False, default: Any = None) -> Static:
    """One axis or a list of axes; all of them where the default is None."""
    return Static("axis", _axes, _show_axes, default, keyword_only)


def axis(default: Any = -1) -> Static:
    """One axis of the first argument."""
    return Static("axis", _axis, _show_axis, default)


def new_axis(default: Any = REQUIRED) -> Static:
    """The place of an axis that does not exist yet."""
    return Static("axis", _new_axis, _show_new_axis, default)


def flag(name: str, default: int = 0, keyword_only: bool = False) -> Static:
    """1 or 0: whether something is so."""

    def convert(value: Any, shapes: Sequence[Shape]) -> bool:
        if value in (0, 1):
            return bool(value)
        raise ArgumentError(f"{name} must be 0 or 1, not {brief(value)}")

    return Static(name, convert, lambda value, shapes: str(int(value)), default, keyword_only)


def keepdims(keyword_only: bool = False) -> Static:
    """Whether reduced axes stay with size 1."""
    return flag("keepdims", 0, keyword_only)


def shape() -> Static:
    """The shape of something new."""
    return Static("shape", lambda value, shapes: sizes_of(value), _show_shape, REQUIRED)


def own_rank() -> Static:
    """How many axes the argument has, for a kernel to tell them from a leading batch axis; never written."""
    return Static("_rank", lambda value, shapes: len(shapes[0]), lambda rank, shapes: "", None, keyword_only=True)


def reshaped() -> Static:
    """The shape to give the same numbers."""
    return Static("shape", _reshaped, _show_shape, REQUIRED)


def whole(name: str, default: Any = REQUIRED, least: int | None = None, most: int | None = None) -> Static:
    """A whole number, from `least` to `most`."""

    def convert(value: Any, shapes: Sequence[Shape]) -> int:
        number = integer(value, name)
        if least is not None and number < least:
            raise ArgumentError(f"{name} must be at least {least}, not {number}")
        if most is not None and number > most:
            raise ArgumentError(f"{name} must be at most {most}, not {brief(value)}")
        return number

    return Static(name, convert, lambda value, shapes: str(value), default)


def wholes(name: str, count: int, default: Any, least: int, keyword_only: bool = False) -> Static:
    """`count` whole numbers, or one that stands for all."""

    def convert(value: Any, shapes: Sequence[Shape]) -> tuple[int, ...]:
        numbers = integers(value, name)
        numbers = numbers * count if len(numbers) == 1 else numbers
        if len(numbers) != count or min(numbers) < least:
            raise ArgumentError(f"{name} takes {count} whole numbers from {least}, not {brief(value)}")
        return numbers

    return Static(name, convert, _show_shape, default, keyword_only)


def number(name: str, default: Any = REQUIRED, keyword_only: bool = False) -> Static:
    """A number that is known before the evaluation; where the default is None, it may be left out."""

    def convert(value: Any, shapes: Sequence[Shape]) -> float | None:
        if value is None and default is None:
            return None
        if isinstance(value, int | float):
            return float(value)
        raise ArgumentError(f"{name} must be a number, not {brief(value)}")

    return Static(name, convert, lambda value, shapes: brief(value), default, keyword_only)
