"""Short constructors for the table: what the entries of one family have in common."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable, Sequence
from cgcli.errors import ShapeError
from cgcli.graph.operation import REAL, Interval, Kernel, Operation, Params, Shape, Work
from cgcli.graph.rules import Partial, Partials
from cgcli.graph.shapes import shape_text
from cgcli.ops.lazily import np

# Binding powers of the operators: the ladder of grammar/cg.lark, with those that only a formula in LaTeX has.
# MODULO: a remainder, whose sign is as wide as that of a sum. SIGNED: a term with a minus sign in front.
# HADAMARD: a product of arrays, element by element. BIG: a sum sign with its body, open to the right.
# POWER: also a function with its argument. POSTFIX: what a power may stand on. ATOM: what may carry a subscript.
(
    CONDITIONAL, OR, AND, NOT, COMPARISON, MODULO, SUM, SIGNED, HADAMARD, BIG, PRODUCT, UNARY, POWER, POSTFIX, ATOM,
) = range(15)  # fmt: skip

# Why a step function has no derivative, in the words that the user reads.
STEP = "it is piecewise constant, so its derivative is 0 wherever it has one"


def broadcast_shapes(shapes: Sequence[Shape], _: Params = ()) -> Shape:
    """The shape that all the shapes broadcast to, by numpy's rule."""
    if not any(shapes):
        return ()
    result: Shape = ()
    for position, shape in enumerate(shapes):
        short, long = sorted((result, shape), key=len)
        joined = list(long)
        for back in range(1, len(short) + 1):
            one, other = short[-back], long[-back]
            if one != other and 1 not in (one, other):
                clash = _clash(shapes[:position], shape)
                raise ShapeError(
                    f"shapes {shape_text(shapes[clash])} and {shape_text(shape)} do not broadcast",
                    hint="sizes must be equal, or 1, counted from the last axis",
                    clash=(clash, position),
                )
            joined[-back] = one if other == 1 else other
        result = tuple(joined)
    return result


def _clash(before: Sequence[Shape], shape: Shape) -> int:
    """The position of the first shape that another one does not broadcast with."""

    def fits(other: Shape) -> bool:
        return all(one == two or 1 in (one, two) for one, two in zip(shape[::-1], other[::-1], strict=False))

    return next(at for at, other in enumerate(before) if not fits(other))


def same_shape(shapes: Sequence[Shape], _: Params = ()) -> Shape:
    """The shape of the first argument."""
    return shapes[0]


def scalar_truth(test: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel of a test on scalars: 1.0 and 0.0."""

    def kernel(*args: Any) -> Any:
        return 1.0 if test(*args) else 0.0

    return kernel


def truth_of(test: str) -> Callable[..., Any]:
    """The kernel of a test on arrays: 1.0 and 0.0 from the bools of the numpy function of that name."""

    def kernel(*args: Any) -> Any:
        return getattr(np, test)(*args) * 1.0

    return kernel


def same_rank(*arrays: Any) -> list[Any]:
    """Arrays with an axis of rows in front, all of one rank: new axes go behind that of the rows, not before it."""
    rank = max(array.ndim for array in arrays)
    return [array.reshape(len(array), *(1,) * (rank - array.ndim), *array.shape[1:]) for array in arrays]


def row_by_row(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel for rows that goes from one to the next, where numpy has no function that takes all."""

    def on_rows(*items: Any) -> Any:
        arrays = [item for item in items if isinstance(item, np.ndarray)]
        params = items[len(arrays) :]
        return np.stack([kernel(*row, *params) for row in zip(*arrays, strict=True)])

    return on_rows


def passes(count: int) -> Work:
    """The work of an operation that goes over the elements of its first argument so many times."""
    return lambda shapes, params: count * math.prod(shapes[0])


def elementwise(
    name: str,
    doc: str,
    numpy: Kernel,
    *partials: str | Partial | Partials | None,
    arrays: str = "x",
    aliases: str = "",
    samples: tuple[Interval, ...] | Interval = REAL,
    **fields: Any,
) -> Operation:
    """An operation on each element, with broadcasting.

    partials: one formula for each argument; None for an argument without a derivative.
    arrays, aliases: names apart by blanks. samples: one interval for each argument, or one for all.
    fields: the others of an Operation.
    """
    names = tuple(arrays.split())
    rules = tuple(Partial(rule) if isinstance(rule, str) else rule for rule in partials)
    return Operation(
        name, doc, names, numpy, broadcast_shapes, rules, aliases=tuple(aliases.split()), elementwise=True,
        samples=samples if isinstance(samples[0], tuple) else (samples,) * len(names), **fields,
    )  # fmt: skip
