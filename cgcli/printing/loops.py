"""Loops as statements: `s = 0; for i in 1..n { s = s + x^i }`, which are read back as the same nodes."""

from __future__ import annotations

from itertools import chain, count, zip_longest

from cgcli.annotations import Iterable, Iterator, Mapping, Sequence
from cgcli.graph.body import Body, instantiated
from cgcli.graph.loops import Loop, LoopAdjoint, States, fresh_leaves
from cgcli.graph.node import Node, apply, constant_value, rebuild, toposort
from cgcli.graph.operation import Callee
from cgcli.ops.fitting import zeros_like
from cgcli.ops.loops import LOOP, has_index, implied_guard, unpacked, unpacked_states
from cgcli.printing.expression import shared, text_of
from cgcli.printing.values import number
from cgcli.records import EMPTY

Named = dict[Node | Callee, str]

_LETTERS = "ijkmn"
_FUNCTIONS = "fgh"


def carried(node: Node) -> list[Node]:
    """What a loop's carries are after it, or after each trip, or what its adjoint packs, as nodes."""
    if isinstance(node.params, States):
        return unpacked_states(node, node.params.shapes)
    assert isinstance(node.params, Loop | LoopAdjoint)
    return unpacked(node, node.params.shapes)


def loops_in(order: Iterable[Node]) -> list[Node]:
    """The loops among some nodes, and the adjoints of loops."""
    return [node for node in order if isinstance(node.params, Loop | States | LoopAdjoint)]


def loop_statements(
    node: Node, named: Named, carries: Sequence[str], fresh: Fresh, wishes: Sequence[str] = ()
) -> list[str]:
    """The statements of a loop. named: what its arguments read, by name. carries: names for what it carries; '' for
    one that nobody reads after the loop. fresh: names that are still free. wishes: what the program calls the carries.
    """
    loop = node.params
    if isinstance(loop, States):
        return _of_each_trip(node, loop, named, carries, fresh)
    assert isinstance(loop, Loop)
    starts = [text_of(start, named) for start in node.args[: loop.carries]]
    names = [name or fresh.name(wish) for name, wish in zip_longest(carries, wishes, fillvalue="")]
    leaves, outside = fresh_leaves(loop.shapes), node.args[loop.carries :]
    fresh.carries.update(leaves)
    become = rebuild(loop.body.outputs, apply, dict(zip(loop.body.parameters, (*leaves, *outside), strict=True)))
    outputs = [become[output] for output in loop.body.outputs]
    going = outputs.pop() if loop.trips is None else None
    inside: Named = {**named, **dict(zip(leaves, names, strict=True))}
    shown = loop.carries - _has_index(node, loop, carries)
    if shown < loop.carries:
        end = _last(loop, node) if going is None else text_of(going.args[1], named)
        head = f"for {names[-1]} in {starts[-1]}..{end}"
    else:
        head = f"repeat {loop.trips}" if going is None else f"while {text_of(going, inside)}"
    lines = [f"{name} = {start}" for name, start in zip(names[:shown], starts, strict=False) if name != start]
    trip = _Trip(outputs[:shown], names[:shown], leaves, {*leaves, *outside}, inside, fresh)
    return [*lines, f"{head} {{ {'; '.join(trip.statements())} }}"]


def adjoint_statements(
    node: Node, named: Named, results: Sequence[str], fresh: Fresh, labels: Mapping[Node, str] = EMPTY
) -> Iterator[str]:
    """The statements of a loop's adjoint: a function of the arguments in question, then `(d_x, d_y) = vjp f(x, y; w)`.

    results: names for what it packs; '' for what nobody reads. labels: what the program calls its nodes. What is known
    within a trip only is an argument, too, for a function does not see it.
    """
    params = node.params
    assert isinstance(params, LoopAdjoint)
    loop = params.loop
    *args, cotangent, guard = node.args
    carries = len(loop.shapes)
    weights, marks = unpacked(cotangent, loop.shapes), unpacked(guard, loop.shapes)
    read = [at for at, pair in enumerate(zip(weights, marks, strict=True)) if not all(map(_is_zero, pair))]
    read = read or [*range(carries)]
    places = [at for at in range(len(args)) if at in params.wanted or fresh.is_local(args[at])]
    stand_ins = dict(zip(places, fresh_leaves([args[at].shape for at in places]), strict=True))
    inner = apply(LOOP, tuple(stand_ins.get(at, arg) for at, arg in enumerate(args)), loop)
    wishes = [labels.get(piece, "") for piece in carried(apply(LOOP, tuple(args), loop))]
    of_index = carries - 1 if has_index(loop) else carries
    kept = {*read, *(at for at in places if at < of_index)}
    names = [fresh.name(wish) if at in kept else "" for at, wish in enumerate(wishes)]
    parameters = {at: names[at] if at < carries and names[at] else fresh.name() for at in places}
    inside: Named = {**named, **{stand_ins[at]: name for at, name in parameters.items()}}
    body = loop_statements(inner, inside, names, fresh, wishes)
    function = fresh.function()
    body.append(_listed([names[at] for at in read]))
    yield f"{function}({', '.join(parameters.values())}) = {{ {'; '.join(body)} }}"
    plain = all(marks[at] is implied_guard(weights[at]) for at in read) and not any(results[len(params.wanted) :])
    lists = [[args[at] for at in places], [weights[at] for at in read], [marks[at] for at in read]]
    operands = "; ".join(", ".join(text_of(part, named) for part in part_list) for part_list in lists[: 3 - plain])
    given = dict(zip([*params.wanted, *(len(args) + at for at in params.wanted)], results, strict=False))
    wanted = [given.get(at, "") for at in places] + [given.get(len(args) + at, "") for at in places] * (not plain)
    yield f"{_listed([name or fresh.name() for name in wanted])} = vjp {function}({operands})"


def _is_zero(node: Node) -> bool:
    return node is zeros_like(node)


def _of_each_trip(node: Node, states: States, named: Named, results: Sequence[str], fresh: Fresh) -> list[str]:
    """The statements of a loop whose value is what it carries after each trip. results: names for that."""
    inner = apply(LOOP, node.args, states.loop)
    count = states.loop.carries - has_index(states.loop)
    names = [fresh.name() if at < count or at in states.kept else "" for at in range(states.loop.carries)]
    *lines, block = loop_statements(inner, named, names, fresh)
    targets = [name or fresh.name() for name in results]
    kept = [names[at] for at in states.kept]
    return [*lines, f"{_listed(targets)} = {block.removesuffix(' }')}; {_listed(kept)} }}"]


def _listed(names: Sequence[str]) -> str:
    """Names as the results of a function."""
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def _has_index(node: Node, loop: Loop, carries: Sequence[str]) -> bool:
    """Whether the last carry is the index of a `for`, which nobody reads after the loop."""
    at = loop.carries - 1
    known = loop.going is not None or constant_value(node.args[at]) is not None
    return not carries[-1] and at > 0 and known and has_index(loop)


def _last(loop: Loop, node: Node) -> str:
    """The upper bound of an index whose trips are known."""
    first = constant_value(node.args[loop.carries - 1])
    assert first is not None
    assert loop.trips is not None
    return number(first + loop.trips - 1)


def function_of(body: Body, named: Named, fresh: Fresh) -> tuple[str, str]:
    """The name and the definition of a function that computes what a body does, whose loops are no expressions."""
    function, value = fresh.function(), fresh.name()
    parameters = [fresh.name() for _ in body.parameters]
    stand_ins = fresh_leaves([parameter.shape for parameter in body.parameters])
    inside: Named = {**named, **dict(zip(stand_ins, parameters, strict=True))}
    trip = _Trip(instantiated(body, stand_ins), [value], stand_ins, set(stand_ins), inside, fresh)
    return function, f"{function}({', '.join(parameters)}) = {{ {'; '.join(trip.statements())}; {value} }}"


class _Trip:
    """The statements of one trip.

    nexts, names: of what they assign. carries: the leaves of all carries. outside: nodes that are read as they are,
    these included.
    """

    def __init__(
        self, nexts: Sequence[Node], names: Sequence[str], carries: Sequence[Node], outside: set[Node], named: Named,
        fresh: Fresh,
    ) -> None:  # fmt: skip
        self._nexts, self._names, self._carries = nexts, names, carries
        self._outside, self._named, self._fresh = outside, named, fresh
        self._order = toposort(nexts, outside)

    def statements(self) -> Iterator[str]:
        """What is shared, then what would read what has changed already, then all the carries."""
        loops = [node for node in loops_in(self._order) if node not in self._outside]
        pieces = {piece for loop in loops for piece in carried(loop)}
        for node in self._order:
            if node in loops:
                yield from self._inner(node)
            elif node in self._shared() and node not in pieces:
                name = self._fresh.name()
                yield f"{name} = {text_of(node, self._named)}"
                self._named[node] = name
        late: dict[int, str] = {}
        for at, after in enumerate(self._nexts):
            changed = set(self._carries[:at])
            reads = [after] if after in self._named else toposort([after], self._named)
            if not changed.isdisjoint(reads):
                late[at] = self._fresh.name()
                yield f"{late[at]} = {text_of(after, self._named)}"
        for at, after in enumerate(self._nexts):
            yield f"{self._names[at]} = {late[at] if at in late else text_of(after, self._named)}"

    def _shared(self) -> set[Node]:
        return {part for part in shared(self._order, self._nexts) if part not in self._outside and part.args}

    def _inner(self, node: Node) -> Iterator[str]:
        """The statements of a loop within the trip, with names for what is read of it."""
        read = {arg for part in self._order for arg in part.args}.union(self._nexts)
        pieces = carried(node)
        names = [self._fresh.name() if piece in read else "" for piece in pieces]
        if isinstance(node.params, LoopAdjoint):
            function, call = adjoint_statements(node, self._named, names, self._fresh)
            self._fresh.functions.append(function)
            yield call
        else:
            yield from loop_statements(node, self._named, names, self._fresh)
        self._named.update((piece, name) for piece, name in zip(pieces, names, strict=True) if name)


class Fresh:
    """Names for what loops carry and compute: those that are wished for, else i, j, …, then i1, j1, …"""

    def __init__(self, taken: set[str]) -> None:
        self.functions: list[str] = []  # definitions for before the statement that is being written
        self.carries: set[Node] = set()  # the leaves of all trips that were written
        self._taken = taken
        self._functions = (f"{letter}{at}" for at in chain([""], count(1)) for letter in _FUNCTIONS)
        self._others = (f"{letter}{at}" for at in chain([""], count(1)) for letter in _LETTERS)

    def name(self, wish: str = "") -> str:
        """The name that is wished for, or another."""
        free = chain([wish] if wish else [], self._others)
        found = next(name for name in free if name not in self._taken)
        self._taken.add(found)
        return found

    def is_local(self, node: Node) -> bool:
        """Whether a node is known within a trip only."""
        return not self.carries.isdisjoint(toposort([node]))

    def function(self) -> str:
        """A name for a function."""
        found = next(name for name in self._functions if name not in self._taken)
        self._taken.add(found)
        return found
