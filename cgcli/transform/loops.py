"""Derivatives of loops, which are loops again.

The tangent of a loop is a loop that carries the tangents too. Its adjoint runs the loop, then the transposed body
back through its trips. What that adjoint moves by is found without a rule of its own: the derivative of J'w along v
is the gradient of w'(J v), and J v is a loop.
"""

from __future__ import annotations

from cgcli.annotations import Any, Callable, Mapping, Sequence
from cgcli.graph.body import Body
from cgcli.graph.loops import Loop, LoopAdjoint, fresh_leaves, leaves_of, tangent_leaf
from cgcli.graph.node import VARIABLE, Node, apply, leaf, rebuild, toposort
from cgcli.lowering.loops import are_apart, closed, looped
from cgcli.ops.arithmetic import ADD
from cgcli.ops.fitting import ones_like, zeros_like
from cgcli.ops.loops import LOOP_ADJOINT, packed, unpacked
from cgcli.transform.exact import exact
from cgcli.transform.formulas import Slopes, slope
from cgcli.transform.forward import push_all
from cgcli.transform.guarded import ZERO, Guarded, replaced
from cgcli.transform.packed import parts
from cgcli.transform.reverse import active_nodes, sweep


def tangent_of(node: Node, tangents: Mapping[int, Guarded], slopes: Slopes) -> Guarded:
    """The tangent of a loop, or of a loop's adjoint, from those of its arguments, by their places."""
    params = node.params
    if isinstance(params, Loop):
        return _product(params, node.args, tangents, slopes)
    assert isinstance(params, LoopAdjoint)
    last = len(params.body.parameters)  # where the cotangent stands
    moved = {at: tangent for at, tangent in tangents.items() if at < last}
    shapes = [node.args[at].shape for at in params.wanted]
    found = [zeros_like(node.args[at]) for at in params.wanted]
    if last in tangents:
        args = (*node.args[:last], tangents[last].selected(), *node.args[last + 1 :])
        found = unpacked(apply(LOOP_ADJOINT, args, params), params.shapes)[: len(shapes)]
    if moved:
        more = _second(node, moved, params.wanted, slopes)
        found = [
            exact(ADD, (one, more[at].selected())) if at in more else one
            for one, at in zip(found, params.wanted, strict=True)
        ]
    guards = [zeros_like(guard) for guard in found] * params.marked
    return Guarded(packed([*found, *guards]))


def adjoints_of(node: Node, adjoint: Guarded, wanted: Sequence[int], slopes: Slopes) -> dict[int, Guarded]:
    """The adjoints of the arguments at the places `wanted` of a loop, or of a loop's adjoint."""
    params = node.params
    if isinstance(params, Loop):
        return _pulled(node, params, adjoint, wanted)
    assert isinstance(params, LoopAdjoint)
    last = len(params.body.parameters)  # where the cotangent stands
    rows = (parts(each, params.shapes) for each in (adjoint.selected(), adjoint.elementwise_guard()))
    moved = {
        at: Guarded(value, None if guard is ones_like(guard) else guard, zeroed=True)
        for at, value, guard in zip(params.wanted, *rows, strict=False)
        if value is not zeros_like(value)
    }
    found: dict[int, Guarded] = {}
    if last in wanted and moved:
        found[last] = _product(params.loop, node.args[:last], moved, slopes)
    args = [at for at in wanted if at < last]
    if args and moved:
        found |= _second(node, moved, args, slopes)
    return found


def _moving(loop: Loop, start: set[int], slopes: Slopes) -> list[int]:
    """The places of the arguments that move when those of `start` do: carries whose next values depend on them, too."""
    leaves = loop.body.parameters
    order = toposort(loop.nexts)
    moving = set(start)
    while True:
        reached = active_nodes(order, {leaves[at] for at in moving}, slopes)
        more = {at for at, after in enumerate(loop.nexts) if after in reached} - moving
        if not more:
            return sorted(moving)
        moving |= more


def tangents_of(
    loop: Loop, args: Sequence[Node], tangents: Mapping[int, Guarded], slopes: Slopes, kept: Sequence[int],
    *, each_trip: bool = False,
) -> list[Guarded]:  # fmt: skip
    """The tangents of the carries at the places `kept`. each_trip: after each trip, along an axis in front."""
    rows, going, moving, marked = tangent_body(loop, args, tangents, slopes)
    places = {at: place for place, at in enumerate(moving, loop.carries)}
    marks = {at: place for place, at in enumerate(marked, loop.carries + len(moving))}
    read = [where[at] for where in (places, marks) for at in kept if at in where]
    found = dict(zip(read, looped(*rows, going, loop.trips, read, each_trip=each_trip), strict=True))
    axis = (loop.trips,) if each_trip and loop.trips is not None else ()
    return [
        Guarded(found[places[at]], found.get(marks.get(at, -1)), zeroed=at in marks) if at in places
        else Guarded(zeros_like(leaf("", axis + args[at].shape)), ZERO, zeroed=True)
        for at in kept
    ]  # fmt: skip


def in_one(moved: Sequence[Guarded], packed_one: Callable[[Sequence[Node]], Node]) -> Guarded:
    """Tangents in one array, as their values are."""
    value = packed_one([each.value for each in moved])
    if all(each.guard is None for each in moved):
        return Guarded(value)
    return Guarded(value, packed_one([each.elementwise_guard() for each in moved]), zeroed=True)


def _product(loop: Loop, args: Sequence[Node], tangents: Mapping[int, Guarded], slopes: Slopes) -> Guarded:
    return in_one(tangents_of(loop, args, tangents, slopes, range(loop.carries)), packed)


def tangent_body(
    loop: Loop, args: Sequence[Node], tangents: Mapping[int, Guarded], slopes: Slopes
) -> tuple[tuple[list[Node], list[Node], list[Node]], Node | None, list[int], list[int]]:
    """The carries, starts and next values of the loop that carries the tangents too, its condition, and which move.

    Structural zeros go from trip to trip, those of the starts included, in carries behind the tangents: the last
    result tells of which. Slopes that are for reading leave them out.
    """
    guarded = slopes is slope
    count, leaves = loop.carries, loop.body.parameters
    moving = _moving(loop, set(tangents), slopes)
    given = {at: tangents[at] if at in tangents else Guarded(zeros_like(args[at]), ZERO, zeroed=True) for at in moving}
    primal = leaves_of(loop.body, count)
    dots = {at: tangent_leaf(leaf) for at, leaf in enumerate((*primal, *args[count:])) if at in moving}
    carried = [at for at in moving if at < count]
    late = [at for at, tangent in given.items() if tangent.guard is not None and not tangent.gaps] if guarded else []
    marks = dict(zip(late, fresh_leaves([args[at].shape for at in late]), strict=True))
    while True:  # until all guards go from trip to trip
        moved: dict[Node, Guarded | None] = dict.fromkeys(leaves)
        moved |= {leaves[at]: Guarded(dot, marks.get(at), zeroed=at in marks) for at, dot in dots.items()}
        pushed = push_all([loop.nexts[at] for at in carried], moved, slopes)
        pairs = [(at, tangent) for at, tangent in zip(carried, pushed, strict=True) if at not in marks and guarded]
        more = [at for at, tangent in pairs if tangent and tangent.guard is not None and not tangent.gaps]
        if not more:
            break
        marks |= zip(more, fresh_leaves([args[at].shape for at in more]), strict=True)
    marked = [at for at in marks if at < count]
    afters = {at: tangent or Guarded(zeros_like(args[at]), ZERO) for at, tangent in zip(carried, pushed, strict=True)}
    steps = [after.selected() for after in afters.values()] + [afters[at].elementwise_guard() for at in marked]
    inside = {leaves[at]: new for at, new in enumerate((*primal, *args[count:]))}
    inside |= {dots[at]: given[at].selected() for at in moving if at >= count}
    inside |= {mark: given[at].elementwise_guard() for at, mark in marks.items() if at >= count}
    results = [*loop.nexts, *steps, *([loop.going] if loop.going else [])]
    become = rebuild(results, exact, inside)
    nexts = [become[node] for node in (*loop.nexts, *steps)]
    begins = [given[at].elementwise_guard() for at in marked]
    starts = [*args[:count], *(given[at].selected() for at in carried), *begins]
    carries = [*primal, *(dots[at] for at in carried), *(marks[at] for at in marked)]
    return (carries, starts, nexts), loop.going and become[loop.going], carried, marked


def _pulled(node: Node, loop: Loop, adjoint: Guarded, wanted: Sequence[int]) -> dict[int, Guarded]:
    """The adjoints of a loop's arguments: a node of its own, which holds one trip of the reverse pass."""
    cotangent, guard = (packed(parts(each, loop.shapes)) for each in (adjoint.selected(), adjoint.elementwise_guard()))
    params = _adjoint(loop, wanted, marked=_is_marked(guard))
    found = unpacked(apply(LOOP_ADJOINT, (*node.args, cotangent, guard), params), params.shapes)
    marks = found[len(wanted) :] if params.marked else [None] * len(wanted)
    return {
        at: Guarded(value, mark, zeroed=mark is not None)
        for at, value, mark in zip(wanted, found[: len(wanted)], marks, strict=True)
    }


def _is_marked(guard: Node) -> bool:
    """Whether values decide which zeros of a cotangent are structural."""
    return any(part.op is VARIABLE for part in toposort([guard]))


def narrowed(node: Node, pieces: Sequence[Node], kept: Sequence[int]) -> dict[Node, Node]:
    """What is read of a loop's adjoint, as that of the adjoint by fewer arguments. kept: the places of these pieces."""
    params = node.params
    assert isinstance(params, LoopAdjoint)
    count = len(params.wanted)
    wanted = [at for place, at in enumerate(params.wanted) if place in kept or place + count in kept]
    fewer = _adjoint(params.loop, wanted, marked=_is_marked(node.args[-1]))
    if len(wanted) == count or not wanted or (max(kept) >= count and not fewer.marked):
        return {}
    found = unpacked(apply(LOOP_ADJOINT, node.args, fewer), fewer.shapes)
    return {pieces[at]: found[wanted.index(params.wanted[at % count]) + at // count * len(wanted)] for at in kept}


def _adjoint(loop: Loop, wanted: Sequence[int], *, marked: bool) -> LoopAdjoint:
    """The reverse pass of a loop, for its arguments at some places. marked: its cotangent has zeros that values decide.

    It is a function of the loop and of these places alone, so that a text need not say more.
    """
    leaves = loop.body.parameters
    moving = [at for at in _moving(loop, set(wanted), slope) if at < loop.carries]
    targets = [leaves[at] for at in (*moving, *(at for at in wanted if at >= loop.carries))]
    behind = [leaf(f"w{at}", leaves[at].shape) for at in moving]
    guards = [leaf(f"g{at}", leaves[at].shape) for at in moving]
    ends = [loop.nexts[at] for at in moving]
    found = sweep(ends, list(map(Guarded, behind)), set(targets))
    seeds = [Guarded(value, guard, zeroed=True) for value, guard in zip(behind, guards, strict=True)]
    guarded = sweep(ends, seeds, set(targets))
    marked = marked or any(one.guard is not None for one in found.values())
    back = Body([*leaves, *behind], _selected(found, targets))
    marks = [guarded[to].elementwise_guard() if to in guarded else zeros_like(to) for to in targets]
    careful = Body([*leaves, *behind, *guards], [*_selected(guarded, targets), *marks])
    return LoopAdjoint(*loop, back, careful, tuple(moving), tuple(wanted), marked)


def canonical(args: tuple[Node, ...], params: Any) -> tuple[tuple[Node, ...], LoopAdjoint]:
    """The arguments and parameters of a loop's adjoint whose loop reads no constants from outside, and nothing twice.

    The arguments that it gives the adjoints of are left as they are.
    """
    loop = params.loop
    *given, cotangent, guard = args
    ends = tuple(packed(unpacked(each, loop.shapes)) for each in (cotangent, guard))
    places = range(loop.carries, len(given))
    if are_apart([given[at] for at in places if at not in params.wanted]):
        return (*given, *ends), params
    own = leaves_of(loop.body, loop.carries)
    stand_ins = dict(zip(params.wanted, fresh_leaves([given[at].shape for at in params.wanted]), strict=True))
    inside = [*own, *(stand_ins.get(at, given[at]) for at in places)]
    become = rebuild(loop.body.outputs, apply, dict(zip(loop.body.parameters, inside, strict=True)))
    outside, body = closed(own, [become[output] for output in loop.body.outputs])
    at_place = {stand_in: at for at, stand_in in stand_ins.items()}
    wanted = [at if at < loop.carries else loop.carries + outside.index(stand_ins[at]) for at in params.wanted]
    outside = [given[at_place[node]] if node in at_place else node for node in outside]
    return (*given[: loop.carries], *outside, *ends), _adjoint(Loop(body, loop.trips), wanted, marked=params.marked)


def _selected(found: Mapping[Node, Guarded], targets: Sequence[Node]) -> list[Node]:
    return [found[target].selected() if target in found else zeros_like(target) for target in targets]


def _second(node: Node, moved: Mapping[int, Guarded], wanted: Sequence[int], slopes: Slopes) -> dict[int, Guarded]:
    """The gradient of w'(J v) by the loop's arguments at the places `wanted`, where it depends on them.

    node: the loop's adjoint J'w, whose guard holds for w here too. moved: v, by the places of the arguments.
    """
    params = node.params
    assert isinstance(params, LoopAdjoint)
    args = node.args[: len(params.body.parameters) + 1]
    *stand_ins, cotangent = fresh_leaves([arg.shape for arg in args])
    stand_for = dict(zip(moved, fresh_leaves([tangent.value.shape for tangent in moved.values()]), strict=True))
    along = {at: Guarded(stand_for[at], tangent.guard, zeroed=True) for at, tangent in moved.items()}
    product = _product(params.loop, stand_ins, along, slopes).value
    seed = Guarded(cotangent, node.args[-1], zeroed=True)
    found = sweep([product], [seed], {stand_ins[at] for at in wanted}, slopes=slopes)
    known = dict(zip((*stand_ins, cotangent), args, strict=True)) | {
        stand_for[at]: tangent.selected() for at, tangent in moved.items()
    }
    return replaced({at: found[stand_ins[at]] for at in wanted if stand_ins[at] in found}, known)
