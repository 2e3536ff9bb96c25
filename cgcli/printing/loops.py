"""Loops as statements: `s = 0; for i in 1..n { s = s + x^i }`, which are read back as the same nodes."""

from __future__ import annotations

from itertools import chain, count

from cgcli.annotations import Iterator, Mapping, Sequence
from cgcli.graph.body import Body, instantiated
from cgcli.graph.loops import Loop, LoopAdjoint, States, fresh_leaves, loops_in
from cgcli.graph.node import Graph, Node, apply, constant, constant_value, rebuild, toposort
from cgcli.graph.operation import Callee
from cgcli.ops.fitting import zeros_like
from cgcli.ops.loops import LOOP, has_index, implied_guard, unpacked
from cgcli.printing.carries import carried, own_names, read_whole, replacing
from cgcli.printing.expression import shared, text_of, written_name
from cgcli.printing.names import free_names, is_helper, numbered
from cgcli.printing.printer import Names
from cgcli.records import EMPTY

Named = dict[Node | Callee, str]

_LETTERS = "ijkmn"
_FUNCTIONS = "fgh"


class Words:
    """How statements are written: here, as the language reads them. A name is written before it stands in them."""

    def name(self, name: str) -> str:
        """A name that was made up or taken over."""
        return written_name(name)

    def text(self, node: Node, named: Names, *, whole: bool = False) -> str:
        """An expression. whole: it is written out although it has a name."""
        return text_of(node, named, top=node if whole else None)

    def assigned(self, names: Sequence[str], text: str) -> str:
        """A name, or several, and what it has from here on."""
        return f"{listed(names)} = {text}"

    def counted(self, index: str, first: str, last: str) -> str:
        """The head of a loop with an index."""
        return f"for {index} in {first}..{last}"

    def repeated(self, trips: str) -> str:
        """The head of a loop of so many trips."""
        return f"repeat {trips}"

    def going(self, condition: Node, named: Names) -> str:
        """The head of a loop with a condition."""
        return f"while {self.text(condition, named)}"

    def block(self, head: str, statements: Sequence[str]) -> str:
        """A loop."""
        return f"{head} {{ {'; '.join(statements)} }}"

    def collected(self, names: Sequence[str], block: str, kept: str) -> str:
        """A loop whose value is what it carries after each trip."""
        return f"{listed(names)} = {block.removesuffix(' }')}; {kept} }}"

    def defined(self, function: str, parameters: Sequence[str], statements: Sequence[str], result: str) -> str:
        """A function with a block."""
        return f"{function}({', '.join(parameters)}) = {{ {'; '.join([*statements, result])} }}"

    def pulled(self, function: str, operands: Sequence[Sequence[str]]) -> str:
        """The adjoints of a function's arguments. operands: these, the cotangents, their guards if there are any."""
        return f"vjp {function}({'; '.join(map(', '.join, operands))})"


def loop_statements(
    node: Node, named: Named, carries: Sequence[str], fresh: Fresh, labels: Mapping[Node, str] = EMPTY
) -> list[str]:
    """The statements of a loop. named: what its arguments read, by name. carries: names for what it carries; '' for
    one that nobody reads after the loop. fresh: names that are still free. labels: what the program calls its nodes.
    """
    loop = node.params
    if isinstance(loop, States):
        return _of_each_trip(node, loop, named, carries, fresh)
    assert isinstance(loop, Loop)
    words = fresh.words
    starts = [words.text(start, named) for start in node.args[: loop.carries]]
    counts = _has_index(node, loop, carries)
    wishes = fresh.wishes(node, labels)
    names = [name or fresh.name(wish) for name, wish in [*zip(carries, wishes, strict=True)][: loop.carries - counts]]
    names += [fresh.index(wish) for wish in wishes[loop.carries - counts :]]
    leaves, outside = fresh_leaves(loop.shapes), node.args[loop.carries :]
    fresh.carries.update(leaves)
    become = rebuild(loop.body.outputs, apply, dict(zip(loop.body.parameters, (*leaves, *outside), strict=True)))
    outputs = [become[output] for output in loop.body.outputs]
    going = outputs.pop() if loop.trips is None else None
    inside: Named = {**named, **dict(zip(leaves, names, strict=True))}
    shown = loop.carries - counts
    if counts:
        end = words.text(_last(loop, node) if going is None else going.args[1], named)
        head = words.counted(names[-1], starts[-1], end)
    else:
        head = words.repeated(str(loop.trips)) if going is None else words.going(going, inside)
    pairs = zip(names[:shown], starts, strict=False)
    lines = [words.assigned([name], start) for name, start in pairs if name != start]
    trip = _Trip(outputs[:shown], names[:shown], leaves, {*leaves, *outside}, inside, fresh)
    block = words.block(head, [*trip.statements()])
    fresh.give_back(names[shown:])
    return [*lines, block]


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
    fresh.carries.update(stand_ins.values())
    inner = apply(LOOP, tuple(stand_ins.get(at, arg) for at, arg in enumerate(args)), loop)
    wishes = fresh.wishes(apply(LOOP, tuple(args), loop), labels)
    of_index = carries - 1 if has_index(loop) else carries
    kept = {*read, *(at for at in places if at < of_index)}
    names = [fresh.name(wish) if at in kept else "" for at, wish in enumerate(wishes)]
    parameters = {at: names[at] if at < carries and names[at] else fresh.name() for at in places}
    inside: Named = {**named, **{stand_ins[at]: name for at, name in parameters.items()}}
    body = loop_statements(inner, inside, names, fresh)
    function = fresh.function()
    yield fresh.words.defined(function, [*parameters.values()], body, listed([names[at] for at in read]))
    plain = all(marks[at] is implied_guard(weights[at]) for at in read) and not any(results[len(params.wanted) :])
    lists = [[args[at] for at in places], [weights[at] for at in read], [marks[at] for at in read]]
    operands = [[fresh.words.text(part, named) for part in part_list] for part_list in lists[: 3 - plain]]
    given = dict(zip([*params.wanted, *(len(args) + at for at in params.wanted)], results, strict=False))
    wanted = [given.get(at, "") for at in places] + [given.get(len(args) + at, "") for at in places] * (not plain)
    yield fresh.words.assigned([name or fresh.name() for name in wanted], fresh.words.pulled(function, operands))


def statements_of(
    graph: Graph, loops: Sequence[Node], parts: Mapping[Node, str], named: Names, fresh: Fresh
) -> Iterator[str]:
    """The statements of parts and loops, each before what reads it. parts, named: with names as they are written."""
    pieces = {piece for node in loops for piece in carried(node)}
    known = {piece: fresh.words.name(name) for piece, name in replacing(graph, loops).items()}
    known |= {**parts}
    for node in toposort(graph.outputs):
        if node in loops:
            names = [known.get(piece, "") for piece in carried(node)]
            if isinstance(node.params, LoopAdjoint):
                lines = [*adjoint_statements(node, dict(named), names, fresh, graph.labels)]
            else:
                lines = loop_statements(node, dict(named), names, fresh, graph.labels)
            yield from (*fresh.functions, *lines)
            fresh.functions.clear()
        if node in parts and node not in pieces:
            yield fresh.words.assigned([parts[node]], fresh.words.text(node, named, whole=True))


def _is_zero(node: Node) -> bool:
    return node is zeros_like(node)


def _of_each_trip(node: Node, states: States, named: Named, results: Sequence[str], fresh: Fresh) -> list[str]:
    """The statements of a loop whose value is what it carries after each trip. results: names for that."""
    inner = apply(LOOP, node.args, states.loop)
    count = states.loop.carries - has_index(states.loop)
    wishes = fresh.wishes(inner)
    names = [fresh.name(wish) if at < count or at in states.kept else "" for at, wish in enumerate(wishes)]
    *lines, block = loop_statements(inner, named, names, fresh)
    targets = [name or fresh.name() for name in results]
    kept = [names[at] for at in states.kept]
    return [*lines, fresh.words.collected(targets, block, listed(kept))]


def listed(names: Sequence[str]) -> str:
    """Names as the results of a function."""
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def _has_index(node: Node, loop: Loop, carries: Sequence[str]) -> bool:
    """Whether the last carry is the index of a `for`, which nobody reads after the loop."""
    at = loop.carries - 1
    known = loop.going is not None or constant_value(node.args[at]) is not None
    return not carries[-1] and at > 0 and known and has_index(loop)


def _last(loop: Loop, node: Node) -> Node:
    """The upper bound of an index whose trips are known."""
    first = constant_value(node.args[loop.carries - 1])
    assert first is not None
    assert loop.trips is not None
    return constant(first + loop.trips - 1)


def function_of(body: Body, named: Named, fresh: Fresh) -> tuple[str, list[str]]:
    """The name of a function that computes what a body does, whose loops are no expressions, and its definition."""
    function, value = fresh.function(), fresh.name()
    parameters = [fresh.name() for _ in body.parameters]
    stand_ins = fresh_leaves([parameter.shape for parameter in body.parameters])
    fresh.carries.update(stand_ins)
    inside: Named = {**named, **dict(zip(stand_ins, parameters, strict=True))}
    trip = _Trip(instantiated(body, stand_ins), [value], stand_ins, set(stand_ins), inside, fresh)
    definition = fresh.words.defined(function, parameters, [*trip.statements()], value)
    lines = [*fresh.functions, definition]
    fresh.functions.clear()
    return function, lines


class _Trip:
    """The statements of one trip.

    nexts, names: of what they assign. carries: the leaves of all carries. outside: nodes that are read as they are,
    these included.
    """

    def __init__(
        self, nexts: Sequence[Node], names: Sequence[str], carries: Sequence[Node], outside: set[Node], named: Named,
        fresh: Fresh,
    ) -> None:  # fmt: skip
        become = read_whole(nexts, outside)
        self._nexts, self._names, self._carries = [become[after] for after in nexts], names, carries
        self._outside, self._named, self._fresh = outside, named, fresh
        self._order = toposort(self._nexts, outside)

    def statements(self) -> Iterator[str]:
        """What is shared, then what would read what has changed already, then all the carries."""
        loops = [node for node in loops_in(self._order) if node not in self._outside]
        pieces = {piece for loop in loops for piece in carried(loop)}
        for node in self._order:
            if node in loops:
                yield from self._inner(node)
            elif node in self._shared() and node not in pieces:
                name = self._fresh.name()
                yield self._assigned(name, node)
                self._named[node] = name
        late: dict[int, str] = {}
        for at, after in enumerate(self._nexts):
            changed = set(self._carries[:at])
            reads = [after] if after in self._named else toposort([after], self._named)
            if not changed.isdisjoint(reads):
                late[at] = self._fresh.name()
                yield self._assigned(late[at], after)
        for at, after in enumerate(self._nexts):
            name, words = self._names[at], self._fresh.words
            yield words.assigned([name], late[at]) if at in late else self._assigned(name, after)

    def _assigned(self, name: str, node: Node) -> str:
        return self._fresh.words.assigned([name], self._fresh.words.text(node, self._named))

    def _shared(self) -> set[Node]:
        return {part for part in shared(self._order, self._nexts) if part not in self._outside and part.args}

    def _inner(self, node: Node) -> Iterator[str]:
        """The statements of a loop within the trip, with names for what is read of it."""
        read = {arg for part in self._order for arg in part.args}.union(self._nexts)
        pieces = carried(node)
        wishes = self._fresh.wishes(node)
        names = [self._fresh.name(wish) if piece in read else "" for piece, wish in zip(pieces, wishes, strict=True)]
        if isinstance(node.params, LoopAdjoint):
            function, call = adjoint_statements(node, self._named, names, self._fresh)
            self._fresh.functions.append(function)
            yield call
        else:
            yield from loop_statements(node, self._named, names, self._fresh)
        self._named.update((piece, name) for piece, name in zip(pieces, names, strict=True) if name)


class Fresh:
    """Names for what loops carry and compute: those that are wished for, else t1, t2, …, and i, j, … for an index.

    taken: names that something else has. carried: what the program calls the carries of each loop, by its body.
    """

    def __init__(
        self, taken: set[str], carried: Mapping[object, tuple[str, ...]] = EMPTY, words: Words | None = None
    ) -> None:
        self.words = words or Words()
        self._carried = carried
        self._begun: dict[str, Iterator[str]] = {}
        self.functions: list[str] = []  # definitions for before the statement that is being written
        self.carries: set[Node] = set()  # the leaves of all trips and functions that were written
        self._taken = taken
        self._functions = (f"{letter}{at}" for at in chain([""], count(1)) for letter in _FUNCTIONS)
        self._indices = (f"{letter}{at}" for at in chain([""], count(1)) for letter in _LETTERS)
        self._others = numbered(taken, [name for name in taken if not is_helper(name)])

    def name(self, wish: str = "") -> str:
        """The name that is wished for, or another."""
        return self._written(free_names(wish, self._taken, self._others, self._begun))

    def index(self, wish: str = "") -> str:
        """The name that is wished for an index, or another."""
        return self._written(free_names(wish, self._taken, self._indices, self._begun))

    def _written(self, names: Iterator[str]) -> str:
        found = next(name for name in names if name not in self._taken)
        self._taken.add(found)
        return self.words.name(found)

    def give_back(self, names: Sequence[str]) -> None:
        """Let names be used again: those of an index, which nobody reads after its loop."""
        self._taken.difference_update(names)

    def wishes(self, node: Node, labels: Mapping[Node, str] = EMPTY) -> list[str]:
        """What the program calls each carry of a loop, or ''. labels: what it calls its nodes."""
        pieces = carried(node)
        own = own_names(node, self._carried) or [""] * len(pieces)
        return [labels.get(piece, "") or name for piece, name in zip(pieces, own, strict=True)]

    def is_local(self, node: Node) -> bool:
        """Whether a node is known within a trip or a function only."""
        return not self.carries.isdisjoint(toposort([node]))

    def function(self) -> str:
        """A name for a function."""
        found = next(name for name in self._functions if name not in self._taken)
        self._taken.add(found)
        return self.words.name(found)
