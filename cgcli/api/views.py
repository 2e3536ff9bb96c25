"""A program as its evaluation trace, and its derivatives held against numbers."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Mapping, Sequence
from cgcli.api.arguments import holding_kinds
from cgcli.api.drawn import quietly
from cgcli.api.notices import warn
from cgcli.api.point import Point, at_values
from cgcli.api.program import Program, read
from cgcli.api.values import arrays_of, by_name, cotangent_arrays
from cgcli.api.watched import Watched
from cgcli.errors import CgError
from cgcli.graph.node import Node, toposort

if TYPE_CHECKING:
    from cgcli.api.prepared import Wrt
    from cgcli.check.check import Check
    from cgcli.trace.steps import Trace


@holding_kinds
def evaluation_trace(
    program: Program | str, values: Mapping[str, Any] | None = None, /, *,
    wrt: Wrt = None, direction: Mapping[str, Any] | None = None, grad: bool = False,
    cotangent: Sequence[Any] | None = None, precision: int | None = None, **named: Any,
) -> str:  # fmt: skip
    """The evaluation trace as a table: one line for each operation, and for each trip of a loop.

    direction: the tangents of inputs that move, by name. grad: the adjoints, contribution by contribution.
    wrt: the inputs that have them. cotangent: a weight for each output. precision: significant digits.

    >>> print(evaluation_trace("x*y", x=2, y=3))
    forward primal trace  value
    x                     2
    y                     3
    v1 = x*y              6

    Raises UnknownNameError for names without a value where others have one, UsageError for tangents and
    cotangents that do not fit.
    """
    from cgcli.api.prepared import names_of
    from cgcli.api.seeds import tangents
    from cgcli.trace.sheet import Sheet
    from cgcli.trace.text import as_text

    point = _point(program, by_name(values, named), names_of(wrt), needed=False)
    evaluate = quietly(point)
    point = with_trips(point, evaluate)
    moved = tangents(point, arrays_of(direction)) if direction else None
    traced = traced_at(point, point.chosen(names_of(wrt)), moved, cotangent_arrays(cotangent), grad=grad)
    numbers = values_of_trace(point, traced, evaluate) if has_values(point) else None
    return as_text(traced, Sheet(numbers), precision)


@holding_kinds
def check_grad(
    program: Program | str, values: Mapping[str, Any] | None = None, /, *,
    wrt: Wrt = None, cotangent: Sequence[Any] | None = None, **named: Any,
) -> Check:  # fmt: skip
    """The derivatives of a program held against numeric ones: `mismatches` lists those that are wrong.

    wrt: a name, or several; all inputs when left out. cotangent: a weight for each output.

    >>> check_grad("ln(x) + x*y", x=2, y=5).mismatches
    []

    Raises UnknownNameError for names without a value, UsageError for an output that is no scalar and has no weights.
    """
    from cgcli.api.prepared import names_of
    from cgcli.api.seeds import cotangents

    point = _point(program, by_name(values, named), names_of(wrt), needed=True)
    return checked(point, point.chosen(names_of(wrt)), cotangents(point.graph, cotangent_arrays(cotangent)))


def _point(
    program: Program | str, values: Mapping[str, Any], wrt: Sequence[str] | None = None, *, needed: bool
) -> Point:
    """The program at its values. needed: every name must have one; else, only where others have."""
    point = at_values(read(program, wrt), arrays_of(values))
    if needed or values:
        point.check_complete()
    warn(point.notices())
    return point


def with_trips(point: Point, evaluate: Watched) -> Point:
    """A program in which each trip of its loops is an operation, where their number is known."""
    from cgcli.graph.loops import Loop
    from cgcli.ops.loops import unpacked
    from cgcli.transform.trips import chained

    if not any(isinstance(node.params, Loop) for node in toposort(point.graph.outputs)):
        return point
    from cgcli.api.node_numbers import counter_of

    counter = counter_of(point, evaluate)

    def number(node: Node) -> int | None:
        try:
            return round(counter(node))
        except CgError:  # names without values, or a loop that is endless in floats
            return None

    outputs, become, after = chained(point.graph.outputs, number)
    labels = {become[node]: name for node, name in point.graph.labels.items() if node in become}
    labels = {node: name for node, name in labels.items() if name not in point.names}
    for carry, (node, at, trips) in after.items():
        loop = node.params
        assert isinstance(loop, Loop)
        given = point.graph.carried.get(loop.body) or ("",) * loop.carries
        name = given[at] or point.graph.labels.get(unpacked(node, loop.shapes)[at])
        if name and carry.args:
            labels.setdefault(carry, f"{name}_{trips}")
    return point._replace(graph=point.graph._replace(outputs=outputs, labels=labels))


def traced_at(
    point: Point, wrt: Sequence[Node], moved: Mapping[Node, Node] | None, given: Sequence[Any] | None, *, grad: bool
) -> Trace:
    """The trace of a program. moved: the tangents. given: the cotangents, which count with `grad` only."""
    from cgcli.api.seeds import weights
    from cgcli.trace.steps import trace

    return trace(point.graph, wrt, tangents=moved, cotangents=weights(point.graph, given) if grad else None)


def has_values(point: Point) -> bool:
    """Whether the names have values, if there are any."""
    return bool(point.bindings or not point.inputs)


def values_of_trace(point: Point, traced: Trace, evaluate: Any) -> dict[Node, Any]:
    """The value of every node of the trace. evaluate: an `Evaluate` that is told which results count."""
    nodes = list(dict.fromkeys(traced.nodes()))
    outputs = point.graph.outputs
    pushed = [step.tangent for step in traced.steps if step.tangent and step.value in outputs]
    results = [*outputs, *pushed, *traced.gradient.values()]
    return dict(zip(nodes, evaluate(nodes, results=results), strict=True))


def checked(
    point: Point, wrt: Sequence[Node], cotangents: Sequence[Node], inputs: Mapping[str, Node] | None = None
) -> Check:
    """The derivatives by those inputs that the program reads, against numeric ones, and how many digits are right.

    inputs: the graph of each name's value, where that has more digits than a float.
    """
    from cgcli.check.check import check
    from cgcli.check.digits import with_digits
    from cgcli.evaluate.constants import as_constant

    read = [node for node in wrt if node in set(point.inputs)]
    found = check(point.graph, cotangents, read, point.bindings)
    inputs = inputs or {name: as_constant(value) for name, value in point.bindings.items()}
    return with_digits(found, point.graph.outputs, cotangents, read, inputs, point.bindings)
