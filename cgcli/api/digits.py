"""Results to many digits at a point: values as they are typed, and what is worth telling of the result."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence
from cgcli.api.exact_values import exact_of
from cgcli.api.notices import Notice, warn
from cgcli.api.point import Point, at_values
from cgcli.api.program import Program, read
from cgcli.api.remade import Remade
from cgcli.api.values import by_position, check_named
from cgcli.api.watched import Watched
from cgcli.digits.digits import MAX_DIGITS, Found, to_digits
from cgcli.digits.evaluation import mapped, numbers_in
from cgcli.errors import UsageError
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import Graph, Node
from cgcli.ops import many
from cgcli.printing.expression import formula
from cgcli.printing.values import Numeral, in_longer_name

if TYPE_CHECKING:
    from cgcli.api import calls
    from cgcli.digits.accuracy import Accuracy
    from cgcli.evaluate.compiled import Kernels

    Make = Callable[[Kernels | None], calls.Call]
    MakeOf = Callable[[Point, Sequence[Node], Any, Kernels | None], calls.Call]

_MOST_SHOWN = 5
_FLOAT64 = 17  # digits that tell any float64 from all others
_SMALLEST, _LARGEST = 2.2250738585072014e-308, 1.7976931348623157e308


def numerals(
    make: Make,
    inputs: Mapping[str, Node],
    digits: int,
    graph: Graph,
    tell: Callable[[Notice], None],
    as_floats: Watched,
) -> Any:
    """What `make` computes to so many digits, as numerals.

    inputs: the graph of each name's value. as_floats: the evaluation in float64, which knows where a nan arises.
    """
    found = to_digits(make, inputs, digits)
    for notice in notices(found, graph):
        tell(notice)
    if not all(number - number == 0 for number in numbers_in(found.result)):
        make(None)(as_floats)  # tells where it was born
    return mapped(lambda number: _numeral(number, digits), found.result)


def _numeral(number: Any, digits: int) -> Numeral:
    """A number in decimal: a text in JSON where its digits or its size are beyond those of float64."""
    text = many.text(number, digits)
    is_float = digits <= _FLOAT64 and (number == 0 or _SMALLEST <= abs(number) <= _LARGEST)
    return Numeral.of(text, quoted=not is_float)


def measured(
    make: Make,
    inputs: Mapping[str, Node],
    point: Point,
    tell: Callable[[Notice], None],
    as_floats: Watched,
) -> tuple[Any, Any]:
    """What `make` computes in float64, and how many digits of each number are right; where others were lost is told."""
    from cgcli.digits.accuracy import accuracy

    result = make(None)(as_floats)
    known = accuracy(make, result, inputs, point.bindings)
    for notice in notices(known.found, point.graph):
        tell(notice)
    for notice in losses(known, point.graph):
        tell(notice)
    return result, mapped(lambda number: round(number, 1), known.digits)


def name_of_digits(name: str) -> str:
    """What it is called how many digits of a result are right."""
    return "digits" if name == "value" else f"digits_{in_longer_name(name)}"


def losses(known: Accuracy, graph: Graph) -> Iterator[Notice]:
    """Where digits were lost, and which form would keep them."""
    for lost in known.lost[:_MOST_SHOWN]:
        text, span = formula(lost.node), graph.origins.get(lost.node)
        place = "at" if span is not None else "in the derivative, at"
        times = f"{lost.condition:.2g}" if lost.condition < math.inf else "infinite"
        hint = ""
        if lost.better is not None:
            instead = "" if lost.of is lost.node else f", in the place of {formula(lost.of)}"
            hint = f"{formula(lost.better)} keeps them{instead}"
        message = f"{lost.digits:.0f} digits are lost {place} {text}, whose condition number is {times}"
        yield Notice(message, hint, span, {"kind": "digits", "node": text, "lost": round(lost.digits, 1)})


def notices(found: Found, graph: Graph) -> Iterator[Notice]:
    """What rounding decides of a result, although it was computed with many digits."""
    for node in [node for node in found.close if node in graph.origins][:_MOST_SHOWN]:  # a rule's own branches agree
        span = graph.origins.get(node)
        what = "compares numbers that agree" if len(node.args) == 2 else "rounds a number that agrees with a step of it"
        message = f"{formula(node)} {what} to {found.digits} digits: they count as equal"
        yield Notice(message, "with inputs of which one is a little larger, it may be decided otherwise", span,
                     {"kind": "rounding", "node": formula(node)})  # fmt: skip
    for node in found.cancelled[:_MOST_SHOWN]:
        message = f"{formula(node)} is 0 to {found.digits} digits: whether it is 0, or only close to it, is not known"
        yield Notice(message, "", graph.origins.get(node), {"kind": "rounding", "node": formula(node)})
    if found.small:
        message = f"a result is given as 0: computed with {found.digits} digits, no digit of it is certain"
        yield Notice(message, "", None, {"kind": "rounding"})


def check_digits(digits: Any) -> None:
    """Raise UsageError for what is no number of digits."""
    if not isinstance(digits, int) or isinstance(digits, bool) or not 1 <= digits <= MAX_DIGITS:
        raise UsageError(f"the number of digits is a whole number from 1 to {MAX_DIGITS}, not {digits!r}")


class ManyDigits(Remade):
    """A function of the inputs of a program, whose results have so many digits, all of them right.

    It is called as a `Function` is. A float is the decimal number that Python prints for it, 0.1 one tenth; integers,
    Fractions, Decimals and numbers of mpmath are themselves, also in lists; a text is an expression, "1/3".
    Results are numbers of mpmath, or arrays of them as objects.
    """

    def __init__(self, program: Program | str, wrt: Sequence[str] | None, make: MakeOf, digits: int) -> None:
        check_digits(digits)
        self.program = read(program, wrt).exact()
        self.digits = digits
        self._wrt, self._make = wrt, make

    def __call__(self, /, *given: Any, **named: Any) -> Any:
        """The result at these values of the inputs."""
        return self.at(by_position(self.program.inputs, given, named), {})

    def at(self, values: Mapping[str, Any], seeds: Any) -> Any:
        """The result at these values. seeds: tangents or cotangents, by name, a list of such, or a cotangent alone."""
        check_named(values)
        nodes = {name: exact_of(value, f"the value of '{name}'") for name, value in values.items()}
        point = at_values(self.program, dict(zip(nodes, evaluate(tuple(nodes.values()), {}), strict=True)))
        point.check_complete()
        wrt = point.chosen(self._wrt)
        warn(point.notices(wrt))
        given = _seeds(seeds)
        found = to_digits(lambda kernels: self._make(point, wrt, given, kernels), nodes, self.digits)
        warn(notices(found, point.graph))
        return mapped(lambda number: many.rounded(number, self.digits), found.result)

    def __repr__(self) -> str:
        return f"<function of the program {self.program.text!r} with {self.digits} digits>"


def _seeds(given: Any) -> Any:
    """The graphs of tangents or cotangents by name, of a list of such, or of a cotangent alone."""
    if isinstance(given, Mapping):
        return {name: exact_of(value, f"the seed of '{name}'") for name, value in given.items()}
    if isinstance(given, list | tuple) and given and all(isinstance(each, Mapping) for each in given):
        return [_seeds(each) for each in given]
    return exact_of(given, "the cotangent")
