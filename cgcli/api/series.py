"""Derivatives of higher order at a point, along a direction: each right to 1e-10, or it is told that one is not."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterable, Mapping, Sequence
from cgcli.api.notices import Notice
from cgcli.api.point import Point
from cgcli.derivatives.series import Series, directional_derivatives, factorial
from cgcli.errors import EvaluationError, TooLargeError
from cgcli.evaluate.compiled import Compiled, Floats
from cgcli.evaluate.constants import as_constant
from cgcli.evaluate.elements import is_all_finite, somewhere
from cgcli.graph.node import Node, name_of, toposort, variables
from cgcli.lean import reduce
from cgcli.ops.lazily import np
from cgcli.transform.differentiate import pushforward

if TYPE_CHECKING:
    from cgcli.api.calls import Call
    from cgcli.derivatives.jacobian import Evaluate
    from cgcli.evaluate.compiled import Kernels

_ENOUGH = 1e-11  # relative difference of two computations of one number, of which 1e-10 is right
_SMALL = 1e-290  # below, rounding is no longer relative
_DIGITS = 17
_MOST = 20_000  # numbers that are computed again with many digits
_TOLD = 3  # the highest order whose formula is looked at for where a nan arises
_GOLDEN = 0.6180339887498949
_EPSILON = 2.0**-52


def series(
    point: Point,
    directions: Sequence[Mapping[Node, Node]],
    tell: Callable[[Notice], None],
    *,
    coefficients: bool = False,
    kernels: Kernels | None = None,
) -> Call:
    """For each output its value, and its derivatives along the first direction, the first two, …; or coefficients.

    directions: for each the tangents, for each input that moves a node of its shape. Where all are the same, by Taylor
    arithmetic. coefficients: Taylor's, in the place of derivatives. kernels: those that it will be computed with, where
    not those on floats. tell: of numbers that are not certain. A call raises TooLargeError when they take too much.
    """
    outputs, order = point.graph.outputs, len(directions)
    by_taylor = order > 1 and all(tangents == directions[0] for tangents in directions)

    def call(evaluate: Evaluate) -> Any:
        if order == 1:
            results = evaluate((*outputs, *pushforward(outputs, directions[0])))
            found = [[*pair] for pair in zip(results[: len(outputs)], results[len(outputs) :], strict=True)]
        elif kernels is not None:
            found = _computed(kernels, outputs, directions, evaluate)
        else:
            evaluate(outputs)  # tells of a nan
            found = _certain(outputs, directions, evaluate, tell)
        if not coefficients and by_taylor:
            found = [[item * factorial(k, item) for k, item in enumerate(items)] for items in found]
        return point.by_output(found)

    return call


def _computed(
    kernels: Kernels, outputs: Sequence[Node], directions: Sequence[Mapping[Node, Node]], evaluate: Evaluate
) -> list[list[Any]]:
    """The Taylor coefficients of each output; along different directions the derivatives."""
    inputs = variables(toposort(outputs))
    tangents = directions[0]
    if any(other != tangents for other in directions):
        nodes = [node for some in directional_derivatives(outputs, directions) for node in some]
        needed = variables(toposort(nodes))
        found = Compiled(nodes, needed, kernels=kernels)(evaluate(needed, quiet=True))
        return [[*found[at :: len(outputs)]] for at in range(len(outputs))]
    moved = [node for node in tangents if node in inputs]  # the others may have no value
    given = evaluate([*inputs, *(tangents[node] for node in moved)], quiet=True)
    values = dict(zip(inputs, given, strict=False))
    moving = dict(zip(moved, given[len(inputs) :], strict=True))
    found_by = Series(kernels, values, moving)
    return [found_by.coefficients(output, len(directions)) for output in outputs]


def _certain(
    outputs: Sequence[Node],
    directions: Sequence[Mapping[Node, Node]],
    evaluate: Evaluate,
    tell: Callable[[Notice], None],
) -> list[list[Any]]:
    """What `_computed` finds in floats, with many digits on the way where rounding tells in it."""
    nodes = toposort([*outputs, *(node for tangents in directions for node in tangents.values())])
    of_arrays = any(node.shape for node in nodes)

    def computed(kernels: Kernels) -> list[list[Any]]:
        if not of_arrays:
            return _computed(kernels, outputs, directions, evaluate)
        with np.errstate(all="ignore"):
            return _computed(kernels, outputs, directions, evaluate)

    found = computed(Floats())
    orders = range(len(directions) + 1)
    first = next((k for k in orders if not all(is_all_finite(items[k]) for items in found)), None)
    if first is not None:
        if 0 < first <= _TOLD:
            evaluate(directional_derivatives(outputs, directions[:first])[first])
        return found
    if _agree(found, computed(_Disturbed())):
        return found
    inputs = {name_of(node): node for node in variables(nodes)}
    values = dict(zip(inputs, evaluate(list(inputs.values()), quiet=True), strict=True))
    again = None
    if sum(np.size(item) for items in found for item in items) <= _MOST:
        again = _again(outputs, directions, values)
    if again is None:
        tell(Notice("derivatives of higher order are not certain to ten digits: rounding tells in them",
                    "see --digits, which computes with as many as it takes", details={"kind": "rounding"}))  # fmt: skip
    return again or found


def _again(
    outputs: Sequence[Node], directions: Sequence[Mapping[Node, Node]], values: Mapping[str, Any]
) -> list[list[Any]] | None:
    """The same with many digits, rounded to floats; None where these are not to be had."""
    from cgcli.digits.digits import to_digits
    from cgcli.digits.evaluation import mapped

    inputs = {name: as_constant(value) for name, value in values.items()}

    def make(kernels: Kernels | None) -> Call:
        assert kernels is not None
        return lambda evaluate: _computed(kernels, outputs, directions, evaluate)

    try:
        found = to_digits(make, inputs, _DIGITS, as_floats=True)
    except (EvaluationError, TooLargeError):
        return None
    floats = mapped(float, found.result)
    return [[np.asarray(item, np.float64) if hasattr(item, "dtype") else item for item in items] for items in floats]


class _Disturbed(Floats):
    """Kernels on floats whose results are off by a bit, up or down: where that tells, rounding does."""

    def __init__(self) -> None:
        self._count = 0

    def step(self, node: Node) -> Callable[..., Any]:
        """What computes a node, not quite."""
        run = super().step(node)
        op = node.op
        if not op.elementwise or op.truth is not None or op.why_no_derivative or op.kink is not None or op.gaps:
            return run
        return (lambda *args: run(*args) * self._factors(node)) if node.op.name not in ("where", "neg") else run

    def _factors(self, node: Node) -> Any:
        """Numbers near 1, different for each element and each time."""
        size = reduce(lambda x, y: x * y, node.shape, 1)
        self._count += size
        if not node.shape:
            return 1.0 + _EPSILON * (2.0 * (self._count * _GOLDEN % 1.0) - 1.0) * 2.0
        places = np.arange(self._count - size, self._count) * _GOLDEN % 1.0
        return (1.0 + 2.0 * _EPSILON * (2.0 * places - 1.0)).reshape(node.shape)


def _agree(one: Iterable[Sequence[Any]], other: Iterable[Sequence[Any]]) -> bool:
    """Whether two computations found the same numbers, none of them close to the smallest float."""
    pairs = ((x, y) for items, others in zip(one, other, strict=True) for x, y in zip(items, others, strict=True))
    return not any(somewhere((abs(x - y) > _ENOUGH * abs(y)) | ((abs(x) < _SMALL) & (x != 0))) for x, y in pairs)
