"""Names in declared shapes, `A: [m, n]`: which are sizes, and what the shapes of given values say of them."""

from __future__ import annotations

from cgcli.annotations import Any, Iterable, Mapping, Sequence
from cgcli.errors import ArgumentError, ShapeError, Span, UnknownNameError
from cgcli.graph.operation import Shape
from cgcli.graph.shapes import axes_text, shaped
from cgcli.ops.table import CONSTANTS
from cgcli.records import NamedTuple
from cgcli.syntax import tree


class Sized(NamedTuple):
    """A declaration in whose shape names stand. axes: the name of the size of each axis; None for a number."""

    name: str
    axes: tuple[tree.Name | None, ...]
    span: Span

    @property
    def sizes(self) -> list[tree.Name]:
        """The names."""
        return [axis for axis in self.axes if axis is not None]


def sized(statements: Iterable[tree.Statement]) -> list[Sized]:
    """The declarations in whose shapes names stand. Raises ArgumentError for a name in an expression there."""
    found = []
    for item in statements:
        if isinstance(item, tree.Declare):
            axes = item.shape.items if isinstance(item.shape, tree.Array) else (item.shape,)
            one = Sized(item.name, tuple(map(_size, axes)), item.span)
            found += [one] * bool(one.sizes)
    return found


def _size(axis: tree.Expression) -> tree.Name | None:
    """The name that stands for an axis."""
    waiting: list[Any] = [axis]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tree.Name) and part.name not in CONSTANTS:
            if part is axis:
                return part
            raise ArgumentError("the size of an axis is a number, or a name alone", axis.span,
                                hint="as in: A: [m, n]")  # fmt: skip
        waiting += part if isinstance(part, tuple) else ()
    return None


def names_of_sizes(declarations: Iterable[Sized]) -> list[str]:
    """The names of sizes, in order of appearance."""
    return [*dict.fromkeys(size.name for item in declarations for size in item.sizes)]


def check_sizes(declarations: Sequence[Sized], statements: Sequence[tree.Statement], parameters: Iterable[str]) -> None:
    """Raise ArgumentError for the name of a size that means something else, too. parameters: those that are inputs."""
    others = dict.fromkeys(parameters, "a parameter") if declarations else {}
    for item in statements if declarations else ():
        if isinstance(item, tree.Declare | tree.Assign):
            others[item.name] = "an input" if isinstance(item, tree.Declare) else "computed by the program"
    for size in (size for item in declarations for size in item.sizes if size.name in others):
        raise ArgumentError(f"'{size.name}' is a size here, and {others[size.name]}, too", size.span,
                            hint="give one of them another name")  # fmt: skip


def sizes_by_shape(
    declarations: Iterable[Sized], shapes: Mapping[str, Shape], known: Mapping[str, int]
) -> dict[str, int]:
    """The sizes that are known, and those that the shapes of inputs tell. Raises ShapeError where they disagree."""
    sizes = dict(known)
    tellers = {name: f"{name}={size}" for name, size in known.items()}
    for item in declarations:
        given = shapes.get(item.name)
        if given is None:
            continue
        if len(given) != len(item.axes):
            raise ShapeError(f"'{item.name}' is declared with {axes_text(len(item.axes))}, but given with "
                             f"{shaped(given)}", item.span)  # fmt: skip
        teller = f"'{item.name}' with {shaped(given)}"
        for axis, size in zip(item.axes, given, strict=True):
            if axis is not None and sizes.setdefault(axis.name, size) != size:
                raise ShapeError(f"the size '{axis.name}' cannot be {sizes[axis.name]}, as {tellers[axis.name]} says, "
                                 f"and {size}, as {teller} says", axis.span)  # fmt: skip
            if axis is not None:
                tellers.setdefault(axis.name, teller)
    return sizes


def without_sizes(declarations: Iterable[Sized], missing: Sequence[str]) -> UnknownNameError:
    """The error for a program that needs sizes that nothing tells."""
    arrays = [item for item in declarations if any(size.name in missing for size in item.sizes)]
    listed = ", ".join(f"'{item.name}'" for item in arrays)
    sizes = f"size{'s' * (len(missing) > 1)} {', '.join(missing)}"
    first, *others = (item.span for item in arrays)
    return UnknownNameError(
        f"no value for {listed}, which would tell the {sizes}", first, also=tuple(others),
        hint=f"give a value, or a number for the size, as in: {missing[0]}=3",
    )  # fmt: skip
