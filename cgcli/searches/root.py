"""Roots: values of names that make equations hold, by Newton's method, and how they move with the other names."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence
from cgcli.api.notices import Notice
from cgcli.api.point import Point
from cgcli.errors import CgError, ShapeError, TooLargeError, UsageError
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.elements import is_all_finite, somewhere
from cgcli.graph.loops import Loop
from cgcli.graph.node import Graph, Node, count_of_numbers, name_of, toposort
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
    from cgcli.errors import Source, Span
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
    count = count_of_numbers(rests)
    unknowns = _unknowns(point, [*(_first(point, given, count) if chosen is None else chosen)])
    if count_of_numbers(unknowns) != count:
        raise _misfit(rests, unknowns, are_chosen=chosen is not None).at(*_place(point))
    if count > MAX_UNKNOWNS:
        raise TooLargeError(f"there are {count} unknowns, and at most {MAX_UNKNOWNS} are solved for together")
    read = {*toposort(rests)}
    alone = next((name_of(node) for node in unknowns if node not in read), None)
    if alone is not None:
        raise UsageError(f"the equations do not depend on '{alone}'").at(*_place(point))
    node = root_of(unknowns, rests)
    assert isinstance(node.params, RootParams)
    return System(point, unknowns, node, newton(node.params.body))


def _place(point: Point) -> tuple[Span, Source | None]:
    """Where the last equation stands."""
    return point.program.syntax.statements[-1].span, point.graph.source


def _unknowns(point: Point, names: Sequence[str]) -> list[Node]:
    """The inputs of these names. Raises UsageError for one without a start, and for one that is in no equation."""
    read = dict(zip(point.names, point.inputs, strict=True))
    for name in names:
        if name not in point.bindings:
            raise UsageError(f"'{name}' is solved for, and has no start", hint=f"give it one: {name}=1")
        if name not in read:
            hint = f"the names are: {', '.join(point.names) or 'none'}; --for says which to solve for"
            raise UsageError(f"'{name}' is in none of the equations", hint=hint).at(*_place(point))
    return [read[name] for name in names]


def _misfit(rests: Sequence[Node], unknowns: Sequence[Node], *, are_chosen: bool) -> CgError:
    """The error for more equations than unknowns, or fewer. are_chosen: whether the unknowns are."""
    counts = [count_of_numbers(rests), count_of_numbers(unknowns)]
    equations, sought = (f"{n} {what}{'s' * (n != 1)}" for n, what in zip(counts, ("equation", "unknown"), strict=True))
    if not any(node.shape for node in (*rests, *unknowns)):
        hints = "each equation takes an unknown with a start, as in: x=1 y=1", "--for has a name for each equation"
        return UsageError(f"{equations} and {sought} do not fit each other", hint=hints[are_chosen])
    listed = (f"{name_of(node)} {shape_text(node.shape)}" if node.shape else name_of(node) for node in unknowns)
    return ShapeError(f"there are {equations} for {sought} ({', '.join(listed) or 'none'})",
                      hint="give an unknown a start of the shape of its equation, as in: x=[1,1]")  # fmt: skip


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


class _End(NamedTuple):
    """Where Newton's method has ended.

    moved: what the last step has moved the unknowns by. distance: how far apart the sides are. trips: the steps.
    """

    x: Any
    moved: Any
    distance: Any
    trips: int
    is_found: bool

    def said(self) -> tuple[str, list[str]]:
        """Why it ended, and what is to be noted."""
        most = _most(self.distance)
        singular = "the Jacobian is singular" if shape_of(self.x) else "the derivative by the unknown is 0"
        stands = not is_all_finite(self.moved)
        if self.is_found:
            notes = [f"{singular} at the root: it is a multiple one, or one of many"] if stands else []
            return "the steps are small" if most else "the sides are equal", notes
        if stands:
            return f"{singular} where the sides differ by {most:.4g}; start elsewhere", []
        return f"no root is found: after {self.trips} steps the sides still differ by {most:.4g}", []


def _searched(found: System, start: Mapping[str, Any], max_iter: int, log: Log | None) -> Root | None:
    """Where the search from a start ends; None where an equation is not finite there."""
    end = _stepped(found, {**found.point.bindings, **start}, max_iter, log)
    if not is_all_finite(end.distance):
        return None
    reason, notes = end.said()
    return Root(point=found.named(end.x), value=_most(end.distance), converged=end.is_found, reason=reason,
                iterations=end.trips, notes=notes)  # fmt: skip


def _stepped(found: System, bindings: Mapping[str, Any], max_iter: int, log: Log | None) -> _End:
    """Newton's method, step by step, as the loop of a root takes them."""
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
    return _End(x, moved, distance, int(trips), bool(is_found))


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
