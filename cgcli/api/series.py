"""Derivatives of higher order at a point, along a direction: each right to 1e-10, or it is told that one is not."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterable, Mapping, Sequence
from cgcli.api.notices import Notice
from cgcli.api.point import Point
from cgcli.derivatives.series import Series, directional_derivatives, factorial
from cgcli.errors import EvaluationError
from cgcli.evaluate.compiled import Floats
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
    tangents: Mapping[Node, Node],
    order: int,
    tell: Callable[[Notice], None],
    *,
    coefficients: bool = False,
    kernels: Kernels | None = None,
) -> Call:
    """For each output its derivatives of order 0, 1, … along the tangents, a list; or the Taylor coefficients.

    tangents: for each input that moves a node of its shape. kernels: those that it will be computed with, where not
    those on floats. tell: of numbers that are not certain. A call raises TooLargeError when they take too much.
    """
    outputs = point.graph.outputs

    def call(evaluate: Evaluate) -> Any:
        if order == 1:
            results = evaluate((*outputs, *pushforward(outputs, tangents)))
            found = [[*pair] for pair in zip(results[: len(outputs)], results[len(outputs) :], strict=True)]
        elif kernels is not None:
            found = _computed(kernels, outputs, tangents, order, evaluate)
        else:
            evaluate(outputs)  # tells of a nan
            found = _certain(outputs, tangents, order, evaluate, tell)
        if not coefficients and order > 1:
            found = [[item * factorial(k, item) for k, item in enumerate(items)] for items in found]
        return point.by_output(found)

    return call


def _computed(
    kernels: Kernels, outputs: Sequence[Node], tangents: Mapping[Node, Node], order: int, evaluate: Evaluate
) -> list[list[Any]]:
    """The Taylor coefficients of each output."""
    inputs = variables(toposort(outputs))
    moved = [node for node in tangents if node in inputs]  # the others may have no value
    given = evaluate([*inputs, *(tangents[node] for node in moved)], quiet=True)
    values = dict(zip(inputs, given, strict=False))
    moving = dict(zip(moved, given[len(inputs) :], strict=True))
    found = Series(kernels, values, moving)
    return [found.coefficients(output, order) for output in outputs]


def _certain(
    outputs: Sequence[Node],
    tangents: Mapping[Node, Node],
    order: int,
    evaluate: Evaluate,
    tell: Callable[[Notice], None],
) -> list[list[Any]]:
    """The Taylor coefficients in floats, with many digits on the way where rounding tells in them."""
    nodes = toposort([*outputs, *tangents.values()])
    of_arrays = any(node.shape for node in nodes)

    def computed(kernels: Kernels) -> list[list[Any]]:
        if not of_arrays:
            return _computed(kernels, outputs, tangents, order, evaluate)
        with np.errstate(all="ignore"):
            return _computed(kernels, outputs, tangents, order, evaluate)

    found = computed(Floats())
    first = next((k for k in range(order + 1) if not all(is_all_finite(items[k]) for items in found)), None)
    if first is not None:
        if 0 < first <= _TOLD:
            evaluate(directional_derivatives(outputs, tangents, first)[first])
        return found
    if _agree(found, computed(_Disturbed())):
        return found
    inputs = {name_of(node): node for node in variables(nodes)}
    values = dict(zip(inputs, evaluate(list(inputs.values()), quiet=True), strict=True))
    again = None
    if sum(np.size(item) for items in found for item in items) <= _MOST:
        again = _again(outputs, tangents, order, values)
    if again is None:
        tell(Notice("derivatives of higher order are not certain to ten digits: rounding tells in them",
                    "see --digits, which computes with as many as it takes", details={"kind": "rounding"}))  # fmt: skip
    return again or found


def _again(
    outputs: Sequence[Node], tangents: Mapping[Node, Node], order: int, values: Mapping[str, Any]
) -> list[list[Any]] | None:
    """The coefficients with many digits, rounded to floats; None where these are not to be had."""
    from cgcli.digits.digits import to_digits
    from cgcli.digits.evaluation import mapped

    inputs = {name: as_constant(value) for name, value in values.items()}

    def make(kernels: Kernels | None) -> Call:
        assert kernels is not None
        return lambda evaluate: _computed(kernels, outputs, tangents, order, evaluate)

    try:
        found = to_digits(make, inputs, _DIGITS, as_floats=True)
    except EvaluationError:
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
