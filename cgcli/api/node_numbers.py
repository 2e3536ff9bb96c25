"""The numbers that a picture shows of a program's nodes: values, adjoints, tangents, and the steps of the passes."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Collection, Mapping, Sequence
from cgcli.api.point import Point
from cgcli.api.seeds import ones_of, weights
from cgcli.api.watched import Watched
from cgcli.errors import UsageError
from cgcli.graph.node import CONSTANT, VARIABLE, Node, name_of, toposort
from cgcli.records import EMPTY
from cgcli.rendering.scene import Event, Numbers
from cgcli.transform.differentiate import adjoints, partials, pushforward
from cgcli.transform.passes import evaluation_order, reverse_order
from cgcli.transform.reverse import active_nodes

if TYPE_CHECKING:
    from cgcli.rendering.sketch import Path, Sketch
    from cgcli.transform.reverse import Flow
    from cgcli.transform.trips import Written


def numbers_of(
    point: Point, evaluate: Watched, wrt: Sequence[Node] = (), given: Sequence[Any] | None = None,
    moved: Mapping[Node, Node] = EMPTY, *, grad: bool = False, partial: bool = False, written: Written | None = None,
    stepwise: bool = False,
) -> Numbers:  # fmt: skip
    """What is known of the nodes of a program: those that names without a value have no part in.

    wrt: the inputs that adjoints and partial derivatives are for. given: the cotangents, or ones. moved: the tangents
    of inputs; none are computed without. grad: the adjoints, too. partial: the derivatives by each argument alone.
    written: the program with the last trips of its loops; the numbers are of its nodes. stepwise: the steps of the
    passes, too.
    """
    outputs = point.graph.outputs if written is None else written.outputs
    order = toposort(outputs)
    flows: list[Flow] = []
    adjoint_of: Mapping[Node, Node] = EMPTY
    tangent_of: Mapping[Node, Node] = EMPTY
    slopes_of: Mapping[Node, Sequence[Node | None]] = EMPTY
    count_of: Mapping[Path, Node] = EMPTY
    if grad:
        seeds = weights(point.graph, given) if given is not None else list(map(ones_of, outputs))
        adjoint_of = adjoints(outputs, seeds, wrt, flows.append if stepwise else None)
    if moved:
        moving = active_nodes(order, set(moved))
        tangent_of = {node: dot for node, dot in zip(order, pushforward(order, moved), strict=True) if node in moving}
    if partial:
        active = active_nodes(order, set(wrt))
        slopes_of = {node: partials(node, active) for node in order if node in active}
    within: list[Node] = []
    if written is not None:
        within = [node for become in written.become.values() for node in become.values()]
        count_of = {path: made for path, made in written.trips.items() if isinstance(made, Node)}
    steps = evaluation_order(outputs) if stepwise else []
    back = [(flow, flow.so_far.selected()) for flow in reverse_order(flows, steps)]
    every = [
        *order, *adjoint_of.values(), *tangent_of.values(), *count_of.values(),
        *(each for row in slopes_of.values() for each in row if each), *point.graph.outputs, *within,
        *(so_far for _, so_far in back),
    ]  # fmt: skip
    known = _computable(every, set(point.bindings))
    results = [*point.graph.outputs, *(adjoint_of[node] for node in wrt if node in adjoint_of)]
    wanted = [node for node in dict.fromkeys(every) if node in known]
    found = dict(zip(wanted, evaluate(wanted, results=[node for node in results if node in known]), strict=True))
    if grad or moved:
        evaluate.tell_kinks([*wrt, *moved] if known.issuperset(order) else ())

    def values_of(nodes: Mapping[Any, Node]) -> dict[Any, Any]:
        return {key: found[node] for key, node in nodes.items() if node in found}

    inputs_first = sorted(steps, key=lambda node: node.op is not VARIABLE)
    events = [Event(node) for node in inputs_first if node.op is not CONSTANT and node in found]
    events += [Event(flow.target, flow.source, found[so_far]) for flow, so_far in back if so_far in found]
    used = {arg for node in order for arg in node.args}
    return Numbers(
        values={node: found[node] for node in (*order, *within) if node in found},
        adjoints=values_of(adjoint_of),
        tangents=values_of(tangent_of),
        partials={node: [found.get(each) if each else None for each in row] for node, row in slopes_of.items()},
        trips={path: int(made) for path, made in values_of(count_of).items() if made == made},
        seeds={node for node in outputs if node not in used},
        events=events,
    )


def counter_of(point: Point, evaluate: Watched) -> Callable[[Node], float]:
    """What tells how many trips a loop makes."""

    def number(node: Node) -> float:
        if node not in _computable([node], set(point.bindings)):
            raise UsageError("how many trips the loop makes depends on names without values",
                             hint="give them, or draw the loop as it is, without --unroll")  # fmt: skip
        (found,) = evaluate([node], quiet=True)
        if found != found:
            raise UsageError("the condition of the loop is nan: nobody knows how many trips it makes")
        return float(found)

    return number


def numbers_of_sketch(known: Numbers, sketch: Sketch, written: Written) -> Numbers:
    """The numbers of what is drawn, from those of the program with its last trips; a loop without a trip has none."""
    trips = {path: made for path, made in written.trips.items() if isinstance(made, int)} | dict(known.trips)
    stands_for = {
        node: written.become[path][source]
        for node, (path, source) in sketch.sources.items()
        if source in written.become.get(path, ()) and all(trips.get(path[: at + 1], 1) for at in range(len(path)))
    }

    def moved(numbers: Mapping[Node, Any]) -> dict[Node, Any]:
        return {node: numbers[other] for node, other in stands_for.items() if other in numbers}

    unknowns = {carry for carry, after in sketch.nexts.items() if after in sketch.zeros}  # whose adjoints cancel out
    adjoints = {node: adjoint for node, adjoint in moved(known.adjoints).items() if node not in unknowns}
    return known._replace(
        values=moved(known.values), adjoints=adjoints, tangents=moved(known.tangents),
        partials=moved(known.partials), trips=trips,
    )  # fmt: skip


def _computable(nodes: Sequence[Node], bound: Collection[str]) -> set[Node]:
    """Those of some nodes, and of what they are made of, that no name without a value has a part in."""
    known: set[Node] = set()
    for node in toposort(nodes):
        if name_of(node) in bound if node.op is VARIABLE else known.issuperset(node.args):
            known.add(node)
    return known
