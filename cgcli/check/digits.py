"""How many digits of the derivatives that are checked are right in float64, by a computation with more digits."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Mapping, Sequence
from cgcli.check.check import Check
from cgcli.digits.accuracy import accuracy
from cgcli.errors import CgError
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import Node, count_of_numbers, name_of, toposort
from cgcli.graph.shapes import shape_of
from cgcli.transform.differentiate import pullback

if TYPE_CHECKING:
    from cgcli.digits.evaluation import AtPrecision

_MOST = 5000  # numbers on the way to the derivatives, which are computed twice with many digits
_MOST_STEPS = 150_000  # of one of these computations: some tenths of a second


def with_digits(
    found: Check,
    outputs: Sequence[Node],
    cotangents: Sequence[Node],
    wrt: Sequence[Node],
    inputs: Mapping[str, Node],
    bindings: Mapping[str, Any],
) -> Check:
    """A check that knows of each derivative how many digits are right; of none where that would take long.

    inputs: the graph of each name's value. bindings: their floats.
    """
    gradients = [node for output, weight in zip(outputs, cotangents, strict=True)
                 for node in pullback([output], [weight], wrt)]  # fmt: skip
    if not gradients or count_of_numbers(toposort(gradients)) > _MOST:
        return found

    def make(_: object) -> Any:
        def call(run: AtPrecision) -> list[Any]:
            return run(gradients)

        return call

    try:
        known = accuracy(make, evaluate(gradients, bindings), inputs, bindings, losses=False, most=_MOST_STEPS).digits
    except CgError:  # so many digits are not to be had
        return found
    places = {(output, name_of(node)): output * len(wrt) + at
              for output in range(len(outputs)) for at, node in enumerate(wrt)}  # fmt: skip

    def of(output: int, name: str, element: tuple[int, ...]) -> float:
        digits = known[places[output, name]]
        return float(digits[element] if shape_of(digits) else digits)

    return found._replace(rows=[row._replace(digits=of(row.output, row.name, row.element)) for row in found.rows])
