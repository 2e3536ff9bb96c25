"""Results to so many digits, all of them right: computed with ever more, until two runs agree."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence
from cgcli.digits.evaluation import MOST_STEPS, AtPrecision, mapped, numbers_in
from cgcli.errors import EvaluationError
from cgcli.graph.node import Node
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from cgcli.evaluate.compiled import Kernels

    Make = Callable[[Kernels | None], Callable[[AtPrecision], Any]]

MAX_DIGITS = 1000
_MORE = 15  # digits that the first run has more than are asked for
_AGREE = 3  # digits more than are asked for, to which two runs agree


class Found(NamedTuple):
    """A result to so many digits.

    result: of mpmath's numbers. last: the run with the most digits. digits: how many it had. close: comparisons and
    steps that rounding would decide. cancelled: nodes that are 0 to all these digits, and perhaps only close to it.
    small: whether a number of the result is given as 0 because no digit of it is known.
    """

    result: Any
    last: AtPrecision
    digits: int
    close: Sequence[Node]
    cancelled: Sequence[Node] = ()
    small: bool = False


def most_digits(digits: int) -> int:
    """How many digits a computation may take for so many that are right."""
    return 4 * digits + 1000


def to_digits(
    make: Make, inputs: Mapping[str, Node], digits: int, *, as_floats: bool = False, most: int = MOST_STEPS
) -> Found:
    """What `make` computes, to so many digits. inputs: for each name the graph of its value.

    as_floats: constants are the numbers that their bits are, and not the decimal ones that they are written as.
    make: gives from kernels what computes the result of an `Evaluate`. most: steps of one evaluation.
    Raises EvaluationError where so many digits are not to be had.
    """
    before: Any = None
    for count in _counts(digits):
        run = AtPrecision(inputs, count, as_floats=as_floats, most=most)
        result = make(run.kernels)(run)
        if before is not None and _agree(before, result, digits) and not run.cancelled() and not run.close_calls():
            return Found(result, run, count, ())
        if count < most_digits(digits):
            before = result
    small = not _agree(before, result, digits)
    before, result = _without_noise(before, count), _without_noise(result, count)
    if not _agree(before, result, digits):
        raise EvaluationError(
            f"{digits} digits of the result are not to be had: computed with {count} digits, it still changes",
            hint="rounding decides something on its way, or a number is too close to a pole",
        )
    return Found(result, run, count, run.close_calls(), run.cancelled(), small)


def _counts(digits: int) -> Iterator[int]:
    """With how many digits to compute, one run after the other."""
    count, most = digits + _MORE, most_digits(digits)
    while count < most:
        yield count
        count = 2 * count + _MORE
    yield most


def _agree(one: Any, other: Any, digits: int) -> bool:
    """Whether two results are the same to so many digits, and some more."""
    return all(_is_same(x, y, digits + _AGREE) for x, y in zip(numbers_in(one), numbers_in(other), strict=True))


def _is_same(x: Any, y: Any, digits: int) -> bool:
    if x != x or y - y != 0:
        return bool(x == y or (x != x and y != y))
    return bool(abs(x - y) * 10**digits <= abs(y))


def _without_noise(result: Any, digits: int) -> Any:
    """A result with 0 for what is so small that nothing else was computed than the rounding of larger numbers."""
    return mapped(lambda number: number * 0 if abs(number) * 10 ** (digits // 3) < 1 else number, result)
