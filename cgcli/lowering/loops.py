"""Nodes of loops, from carries, their next values and a condition."""

from __future__ import annotations

from cgcli.annotations import Any, Mapping, Sequence
from cgcli.errors import Span
from cgcli.graph.body import Body, leaves
from cgcli.graph.loops import Loop, LoopAdjoint, States, keep_names, leaves_of, most_trips, too_many
from cgcli.graph.node import CONSTANT, Node, apply, constant, dependents, rebuild, toposort
from cgcli.graph.operation import imported
from cgcli.graph.shapes import count_text
from cgcli.ops.arithmetic import ADD
from cgcli.ops.fitting import broadcast
from cgcli.ops.logic import LESS_EQUAL
from cgcli.ops.loops import LOOP, STATES, unpacked, unpacked_states

_ONE = constant(1.0)


def looped(
    carries: Sequence[Node],
    starts: Sequence[Node],
    nexts: Sequence[Node],
    going: Node | None,
    trips: int | None,
    kept: Sequence[int],
    origins: dict[Node, Span] | None = None,
    *,
    each_trip: bool = False,
) -> list[Node]:
    """The last values of the carries at the places `kept`; each_trip: those after each trip, along an axis in front.

    carries: leaves that stand for their values before a trip, of the shapes of the starts. nexts: their values after
    it; going: the condition for one more trip, where `trips` is None. What depends on no carry is computed once, before
    the loop. origins: the spans that nodes were read from, for those of the body too.
    Raises TooLargeError for too many trips.
    """
    constant = _constant_carries(carries, starts, nexts)
    if constant:
        become = moved([*nexts, *([going] if going else [])], constant, origins)
        nexts, going = [become[node] for node in nexts], going and become[going]
    while True:  # until no loop in it carries what only another loop has read
        read = _carries_read(carries, [*nexts, *([going] if going else [])])
        wanted = [nexts.index(nexts[at]) for at in kept if read[at]] if each_trip else kept
        live = [at for at in _needed(read, len(carries), wanted) if carries[at] not in constant]
        results = [*(nexts[at] for at in {*live, *kept}), *([going] if going else [])]
        inside = dependents(carries, order := toposort(results))
        become = narrowed(results, origins, in_trip=True, keep=[node for node in order if node not in inside])
        if not become:
            break
        become = moved(results, become, origins)
        nexts, going = [become.get(node, node) for node in nexts], going and become[going]
    live.sort(key=lambda at: is_index(carries[at], nexts[at], going, carries))
    rows = [[row[at] for at in live] for row in (carries, starts, nexts)]
    found: dict[int, Node] = dict(enumerate(starts))
    args, loop = _made(rows[0], rows[1], rows[2], going, trips, origins) if live else ((), None)
    if trips is not None and each_trip:
        found = {at: broadcast(nexts[at], (trips, *nexts[at].shape)) for at in kept if not read[at]}
        found |= {at: broadcast(starts[at], (trips, *starts[at].shape)) for at in kept if carries[at] in constant}
        wanted = [at for at in dict.fromkeys(wanted) if at in live]
        if loop and wanted:
            states = States(loop.body, trips, tuple(map(live.index, wanted)))
            found |= zip(wanted, unpacked_states(apply(STATES, args, states), states.shapes), strict=True)
        found |= {at: found[nexts.index(nexts[at])] for at in kept if at not in found}
    elif loop:
        found |= zip(live, unpacked(apply(LOOP, args, loop), loop.shapes), strict=True)
    return [found[at] for at in kept]


def is_index(carry: Node, after: Node, going: Node | None, carries: Sequence[Node]) -> bool:
    """Whether a carry counts the trips, up to a bound that no trip changes; the last such stands behind all others."""
    if after.op is not ADD or after is not apply(ADD, (carry, _ONE)):
        return False
    if going is None:
        return True
    return going.op is LESS_EQUAL and going.args[0] is carry and not _carries_read(carries, [going.args[1]])[0]


def narrowed(
    outputs: Sequence[Node],
    origins: dict[Node, Span] | None = None,
    *,
    in_trip: bool = False,
    keep: Sequence[Node] = (),
) -> dict[Node, Node]:
    """What is read of loops that carry more than anybody needs, as it is of loops without that.

    in_trip: of adjoints of loops too, in whose texts all that a function reads in a trip is an argument. keep: nodes
    that stay as they are.
    """
    order = toposort(outputs)
    kinds, stays = (Loop, LoopAdjoint)[: 1 + in_trip], {*keep}
    loops = [node for node in order if isinstance(node.params, kinds) and node not in stays]
    if not loops:
        return {}
    read = {arg for node in order for arg in node.args}.union(outputs)
    become: dict[Node, Node] = {}
    for node in loops:
        loop = node.params
        assert isinstance(loop, Loop | LoopAdjoint)
        pieces = unpacked(node, loop.shapes)
        kept = [at for at, piece in enumerate(pieces) if piece in read]
        if isinstance(loop, LoopAdjoint):
            become |= imported("cgcli.transform.loops:narrowed")(node, pieces, kept)
            continue
        masks = _carries_read(loop.body.parameters[: loop.carries], loop.body.outputs)
        needed = _needed(masks, loop.carries, kept)
        if len(needed) == loop.carries:
            continue
        leaves = loop.body.parameters
        carries = leaves_of(loop.body, loop.carries)
        inside = moved(
            loop.body.outputs, dict(zip(leaves, (*carries, *node.args[loop.carries :]), strict=True)), origins
        )
        after = [inside[output] for output in loop.body.outputs]
        going = after.pop() if loop.trips is None else None
        values = looped(carries, node.args[: loop.carries], after, going, loop.trips, needed, origins)
        become |= zip([pieces[at] for at in needed], values, strict=True)
    return become


def _constant_carries(carries: Sequence[Node], starts: Sequence[Node], nexts: Sequence[Node]) -> dict[Node, Node]:
    """The carries that no trip changes, with their value."""
    return {
        each: start
        for each, start, after in zip(carries, starts, nexts, strict=True)
        if after is each or (after is start and start.op is CONSTANT)
    }


def _carries_read(carries: Sequence[Node], results: Sequence[Node]) -> list[int]:
    """For each of the results a number whose bits are the places of the carries that it depends on."""
    masks = {each: 1 << at for at, each in enumerate(carries)}
    for node in toposort(results, masks):
        if node not in masks:
            mask = 0
            for arg in node.args:
                mask |= masks[arg]
            masks[node] = mask
    return [masks[result] for result in results]


def _needed(read: Sequence[int], carries: int, kept: Sequence[int]) -> list[int]:
    """The places of the carries that the kept ones and the condition depend on, in order."""
    needed = waiting = sum({1 << at for at in kept}) | (read[carries] if len(read) > carries else 0)
    while waiting:
        at = waiting.bit_length() - 1
        waiting ^= 1 << at
        waiting |= read[at] & ~needed
        needed |= read[at]
    return [at for at in range(carries) if needed >> at & 1]


def _made(
    carries: Sequence[Node],
    starts: Sequence[Node],
    nexts: Sequence[Node],
    going: Node | None,
    trips: int | None,
    origins: dict[Node, Span] | None,
) -> tuple[tuple[Node, ...], Loop]:
    """The arguments and the parameters of a loop, whose carries are all needed."""
    outside, body = closed(carries, [*nexts, *([going] if going else [])], origins)
    loop = Loop(body, trips)
    check_trips(loop)
    return (*starts, *outside), loop


def closed(
    own: Sequence[Node], results: Sequence[Node], origins: dict[Node, Span] | None = None
) -> tuple[list[Node], Body]:
    """What results read from outside, which depends on none of the leaves `own`; their body, of these and of that."""
    inside = dependents(own, order := toposort(results))
    read = [arg for node in order if node in inside for arg in node.args]
    outside = [node for node in dict.fromkeys([*read, *results]) if node not in inside and node.op is not CONSTANT]
    places = leaves(node.shape for node in (*own, *outside))
    become = moved(results, dict(zip((*own, *outside), places, strict=True)), origins)
    body = Body(places, [become[result] for result in results])
    keep_names(body, own)
    return outside, body


def are_apart(outside: Sequence[Node]) -> bool:
    """Whether what a body reads from outside is no constant, and all different."""
    return len({*outside}) == len(outside) and not any(node.op is CONSTANT for node in outside)


def canonical(args: tuple[Node, ...], loop: Any) -> tuple[tuple[Node, ...], Loop]:
    """The arguments and parameters of a loop that reads no constants from outside, and nothing twice."""
    args, body = with_canonical_body(args, loop.body, loop.carries)
    return args, Loop(body, loop.trips)


def canonical_states(args: tuple[Node, ...], states: Any) -> tuple[tuple[Node, ...], States]:
    """The same of what a loop carries after each trip."""
    args, body = with_canonical_body(args, states.body, states.loop.carries)
    return args, States(body, states.trips, states.kept)


def with_canonical_body(args: tuple[Node, ...], body: Body, count: int) -> tuple[tuple[Node, ...], Body]:
    """The arguments and the body that reads no constants from outside, and nothing twice.

    count: how many of the body's parameters, the first, stand for something else than the arguments.
    """
    outside: Sequence[Node] = args[count:]
    if are_apart(outside):
        return args, body
    own = leaves_of(body, count)
    become = moved(body.outputs, dict(zip(body.parameters, (*own, *outside), strict=True)), None)
    outside, body = closed(own, [become[output] for output in body.outputs])
    return (*args[:count], *outside), body


def moved(results: Sequence[Node], known: Mapping[Node, Node], origins: dict[Node, Span] | None) -> dict[Node, Node]:
    """What the nodes of the results become where some are replaced; read from the same places."""
    become = rebuild(results, apply, known)
    if origins is not None:
        for node, new in become.items():
            if node in origins:
                origins.setdefault(new, origins[node])
    return become


def check_trips(loop: Loop) -> None:
    """Raise TooLargeError where the loops that a text spells out make more trips than are allowed."""
    total = _trips(loop)
    if total > most_trips():
        raise too_many(count_text(total), most_trips())


def _trips(loop: Loop) -> int:
    """How many trips a loop makes, those of loops within it included, as far as they are known."""
    inner = sum(_trips(node.params) for node in toposort(loop.body.outputs) if isinstance(node.params, Loop))
    return (1 if loop.trips is None else loop.trips) * (1 + inner)
