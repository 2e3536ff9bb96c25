"""The slopes of an operation on both sides of a kink, beside the derivative that is chosen there."""

from __future__ import annotations

from cgcli.annotations import Any, Mapping, Sequence
from cgcli.digits.kernels import Many
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import Node, apply, name_of, variable
from cgcli.graph.shapes import shape_of
from cgcli.ops.lazily import np
from cgcli.records import NamedTuple
from cgcli.transform.differentiate import jvp

_DIGITS = 60
_STEP = 30  # digits behind the point of a step, on which an operation is straight


class Sides(NamedTuple):
    """One-sided derivatives, and the chosen one. element: where, in an array, () of a number."""

    left: float
    right: float
    chosen: float
    element: tuple[int, ...] = ()


def sides(node: Node, values: Mapping[Node, Any], direction: Sequence[Any]) -> Sides | None:
    """The derivatives of an elementwise operation along a direction, at its first kink; None where there is none.

    values: of its arguments. direction: how each of them moves, an array or a number.
    """
    kink = node.op.kink
    if kink is None or not node.op.elementwise:
        return None
    given = [values[arg] for arg in node.args]
    holds = kink.holds(*given, *node.params)
    element: tuple[int, ...] = ()
    if shape_of(holds):
        found = np.argwhere(holds)
        if not len(found):
            return None
        element = tuple(map(int, found[0]))
    elif not holds:
        return None
    at, moves = ([_element(item, node.shape, element) for item in some] for some in (given, direction))
    leaves = tuple(variable(f"x{place}") for place in range(len(at)))
    local = apply(node.op, leaves, node.params)
    tangents = {leaf: variable(f"dx{place}") for place, leaf in enumerate(leaves)}
    bindings = dict(zip(map(name_of, [*leaves, *tangents.values()]), [*at, *moves], strict=True))
    (chosen,) = evaluate([jvp(local, tangents)], bindings)
    left, right = _quotients(local, at, moves)
    return Sides(left, right, float(chosen), element)


def _element(item: Any, shape: tuple[int, ...], element: tuple[int, ...]) -> float:
    return float(np.broadcast_to(item, shape)[element]) if shape_of(item) or shape else float(item)


def _quotients(local: Node, at: Sequence[float], moves: Sequence[float]) -> tuple[float, float]:
    """The quotients of differences to the left and to the right, with a step that no float would show."""
    kernels = Many(_DIGITS, as_floats=True)
    step, kernel = kernels.mp.mpf(10) ** -_STEP, kernels.step(local)
    numbers, steps = ([kernels.given(item) for item in some] for some in (at, moves))
    here = kernel(*numbers)
    left, right = (
        (kernel(*(x + sign * step * dx for x, dx in zip(numbers, steps, strict=True))) - here) / (sign * step)
        for sign in (-1, 1)
    )
    return _rounded(left), _rounded(right)


def _rounded(slope: Any) -> float:
    """A quotient, which is right to so many digits."""
    return float(f"{float(slope):.12g}") + 0.0
