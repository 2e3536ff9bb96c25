"""Roots: values of names that make equations hold, by Newton's method, and how they move with the other names."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence
from cgcli.api.notices import Notice
from cgcli.api.point import Point
from cgcli.errors import ShapeError, TooLargeError, UsageError
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.elements import is_all_finite, is_nan, somewhere
from cgcli.graph.loops import Loop
from cgcli.graph.node import Graph, Node, name_of, toposort
from cgcli.graph.shapes import shape_of, shape_text
from cgcli.lowering.equations import MAX_UNKNOWNS, root_of
from cgcli.ops.arithmetic import SUBTRACT
from cgcli.ops.lazily import np
from cgcli.ops.loops import packed, unpacked
from cgcli.ops.roots import Root as RootParams
from cgcli.records import EMPTY, NamedTuple
from cgcli.searches.parameters import Parameters, not_finite
from cgcli.searches.reached import Reached
from cgcli.transform.exact import exact
from cgcli.transform.roots import newton

if TYPE_CHECKING:
    from cgcli.graph.operation import Shape

_EPS = 2.0**-52
MOST = 200  # steps of Newton's method, those with a part of its step included
Log = Callable[[int, float, dict[str, Any]], None]


class Root(Reached):
    """A root: `solve` makes it.

    value: how far apart the sides of the equations are, at most. grad: of each unknown its derivative by each other
    name, of shape unknown.shape + name.shape, where asked for. events: what is worth telling of that.
    """

    grad: Mapping[str, Mapping[str, Any]] = EMPTY
    events: Sequence[Notice] = ()

    def content(self) -> dict[str, Any]:
        """All of it as an object of JSON."""
        return {**super().content(), **({"grad": self.grad} if self.grad else {})}

    def lines(self) -> Iterator[tuple[str, Any]]:
        """Names and values: of the point, of the derivatives, then of the figures."""
        found = [*super().lines()]
        yield from found[: len(self.point)]
        if self.grad:
            from cgcli.derivatives.gradient import derivative_name

            yield from (
                (derivative_name(name, by), item) for name, row in self.grad.items() for by, item in row.items()
            )
        yield from found[len(self.point) :]


class System(NamedTuple):
    """Equations at a point. unknowns: the variables that make them hold, of whose root `node` is. loop: its search."""

    point: Point
    unknowns: Sequence[Node]
    node: Node
    loop: Loop

    @property
    def names(self) -> list[str]:
        """What the unknowns are called."""
        return [name_of(node) for node in self.unknowns]

    @property
    def others(self) -> list[Node]:
        """The variables that stay as they are."""
        return [node for node in self.point.inputs if node not in self.unknowns]

    def named(self, values: Any) -> dict[str, Any]:
        """The unknowns by name, from their packed array."""
        found, begin = {}, 0
        for node in self.unknowns:
            size = math.prod(node.shape)
            part = values if len(self.unknowns) == 1 else values[begin : begin + size].reshape(node.shape)
            found[name_of(node)] = part if node.shape else float(part)
            begin += size
        return found

    @property
    def solved(self) -> Point:
        """A point whose graph gives the unknowns, from their starts and from the other names."""
        outputs = tuple(unpacked(self.node, [node.shape for node in self.unknowns]))
        graph = Graph(
            outputs, source=self.point.graph.source, origins=self.point.graph.origins, names=tuple(self.names)
        )
        return self.point._replace(graph=graph)


def system(point: Point, given: Sequence[str], chosen: Sequence[str] | None = None) -> System:
    """The equations of a point, whose graph has their sides for outputs, for as many of the names as there are.

    given: names whose values are starts, the first of which are the unknowns, unless some are chosen. Raises
    UnknownNameError for names without a value, UsageError for unknowns that are missing or in no equation, ShapeError
    where equations and unknowns do not fit each other.
    """
    rests = [exact(SUBTRACT, pair) for pair in zip(point.graph.outputs[::2], point.graph.outputs[1::2], strict=True)]
    count = sum(math.prod(node.shape) for node in rests)
    span, source = point.program.syntax.statements[-1].span, point.graph.source
    several = f"{count} equation{'s' * (count != 1)}"
    names = [*(_first(point, given, count) if chosen is None else chosen)]
    read = dict(zip(point.names, point.inputs, strict=True))
    for name in names:
        if name not in point.bindings:
            raise UsageError(f"'{name}' is solved for, and has no start", hint=f"give it one: {name}=1")
        if name not in read:
            hint = f"the names are: {', '.join(point.names) or 'none'}; --for says which to solve for"
            raise UsageError(f"'{name}' is in none of the equations", hint=hint, span=span, source=source)
    unknowns = [read[name] for name in names]
    found = sum(math.prod(node.shape) for node in unknowns)
    if found != count and not any(node.shape for node in (*rests, *unknowns)):
        hint = (
            "each equation takes an unknown with a start, as in: x=1 y=1"
            if chosen is None
            else "--for has a name for each equation"
        )
        raise UsageError(
            f"{several} and {found} unknown{'s' * (found != 1)} do not fit each other",
            hint=hint,
            span=span,
            source=source,
        )
    if found != count:
        listed = ", ".join(
            f"{name_of(node)} {shape_text(node.shape)}" if node.shape else name_of(node) for node in unknowns
        )
        error = ShapeError(f"there are {several} for {found} unknown{'s' * (found != 1)} ({listed or 'none'})",
                           hint="give an unknown a start of the shape of its equation, as in: x=[1,1]")  # fmt: skip
        raise error.at(span, source)
    if count > MAX_UNKNOWNS:
        raise TooLargeError(f"there are {count} unknowns, and at most {MAX_UNKNOWNS} are solved for together")
    alone = {*unknowns}.difference(toposort(rests))
    if alone:
        raise UsageError(f"the equations do not depend on '{name_of(alone.pop())}'", span=span, source=source)
    node = root_of(unknowns, rests)
    assert isinstance(node.params, RootParams)
    return System(point, unknowns, node, newton(node.params.body))


def _first(point: Point, given: Sequence[str], count: int) -> Iterator[str]:
    """The first names, until they have so many elements."""
    for name in given:
        if count <= 0:
            return
        yield name
        count -= math.prod(point.shapes.get(name, ()))


def root(
    found: System,
    starts: Sequence[Mapping[str, Any]],
    *,
    max_iter: int = MOST,
    grad: bool = False,
    log: Log | None = None,
) -> Root:
    """The root near the first start that leads to one, or where the search from the first one ends.

    Raises EvaluationError where an equation is not finite at the only start.
    """
    ends = []
    for start in starts:
        end = _searched(found, start, max_iter, log)
        if end is None:
            continue
        if end.converged:
            ends = [end]
            break
        ends.append(end)
    from cgcli.api.watched import Watched

    events: list[Notice] = []
    if not ends:
        Watched(found.point.graph, found.point.bindings, events.append)(found.point.graph.outputs)
        raise not_finite("an equation", found.point, events)
    best = ends[0]
    if not grad or not best.converged:
        return best
    from cgcli.api import calls

    solved = found.solved
    bindings = {**solved.bindings, **best.point}
    slopes = calls.jacobian(solved, found.others)(Watched(solved.graph, bindings, events.append))
    grads = {
        name: {by: item if shape_of(item) else float(item) for by, item in row.items()} for name, row in slopes.items()
    }
    return Root(**{**vars(best), "grad": grads, "events": events})


def _searched(found: System, start: Mapping[str, Any], max_iter: int, log: Log | None) -> Root | None:
    """Where Newton's method ends; None where an equation is not finite at the start."""
    bindings = {**found.point.bindings, **start}
    others = _values(found.node.args[1:], bindings, found.point.inputs)
    (x,) = _values([packed(found.unknowns)], bindings, found.point.inputs)
    loop = found.loop
    step = Compiled(loop.body.outputs, loop.body.parameters)

    def filled(number: float, shape: Shape) -> Any:
        return np.full(shape, number) if shape else number

    begin = zip((0.0, math.inf, 0.0, 0.0, 0.0), loop.shapes[1:], strict=True)
    carries = [x, *(filled(number, shape) for number, shape in begin)]
    while True:
        *nexts, going = step([*carries, *others, _EPS, float(max_iter)])
        if not going:
            break
        carries = nexts
        if not shape_of(carries[2]) and not somewhere(abs(carries[1]) < math.inf):
            break  # no step leads away
        if log:
            log(int(carries[4]), _most(carries[2]), found.named(carries[0]))
    x, moved, distance, _, trips, is_found = carries
    if not is_all_finite(distance):
        return None
    singular = "the Jacobian is singular" if shape_of(x) else "the derivative by the unknown is 0"
    reason = "the steps are small" if _most(distance) else "the sides are equal"
    if not is_found:
        reason = f"no root is found: after {int(trips)} steps the sides still differ by {_most(distance):.4g}"
        if somewhere(is_nan(moved)) or not is_all_finite(moved):
            reason = f"{singular} where the sides differ by {_most(distance):.4g}; start elsewhere"
    notes = []
    if is_found and not is_all_finite(moved):
        notes.append(f"{singular} at the root: it is a multiple one, or one of many")
    return Root(point=found.named(x), value=_most(distance), converged=bool(is_found), reason=reason,
                iterations=int(trips), notes=notes)  # fmt: skip


def _most(distance: Any) -> float:
    return float(np.max(distance)) if shape_of(distance) else float(distance)


def _values(nodes: Sequence[Node], bindings: Mapping[str, Any], inputs: Sequence[Node]) -> list[Any]:
    return Compiled(nodes, inputs)([bindings[name_of(node)] for node in inputs])


def random_starts(found: System, count: int, seed: int) -> list[Mapping[str, Any]]:
    """The given start, and random ones behind it."""
    if count == 1:
        return [EMPTY]
    parameters = Parameters(found.point, found.names)
    ends = parameters.bounds(EMPTY)
    return [parameters.named(each) for each in ends.starts(parameters.start, count, seed)]
