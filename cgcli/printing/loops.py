"""Loops as statements: `s = 0; for i in 1..n { s = s + x^i }`, which are read back as the same nodes."""

from __future__ import annotations

from itertools import chain, count

from cgcli.annotations import Iterator, Mapping, Sequence
from cgcli.graph.body import Body, instantiated
from cgcli.graph.loops import Loop, LoopAdjoint, States, fresh_leaves, loops_in
from cgcli.graph.node import Graph, Node, apply, constant_value, toposort
from cgcli.graph.operation import Callee, Shape
from cgcli.ops.fitting import zeros_like
from cgcli.ops.loops import LOOP, has_index, implied_guard, known_last, unpacked
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
    node: Node, named: Named, names: Sequence[str], fresh: Fresh, labels: Mapping[Node, str] = EMPTY
) -> list[str]:
    """The statements of a loop, or of a loop's adjoint; the functions that they call are left in `fresh`.

    named: what its arguments read, by name. names: for what it packs; '' for what nobody reads. fresh: names that are
    still free. labels: what the program calls its nodes.
    """
    if isinstance(node.params, States):
        return _of_each_trip(node, named, names, fresh)
    write = _of_adjoint if isinstance(node.params, LoopAdjoint) else _of_loop
    return write(node, named, names, fresh, labels)


def _of_loop(
    node: Node, named: Named, names: Sequence[str], fresh: Fresh, labels: Mapping[Node, str] = EMPTY
) -> list[str]:
    """The first values of what a loop carries, then a block."""
    loop, words = node.params, fresh.words
    assert isinstance(loop, Loop)
    starts = [words.text(start, named) for start in node.args[: loop.carries]]
    counts = _has_index(node, loop, names)
    shown = loop.carries - counts
    wishes = fresh.wishes(node, labels)
    called = [name or fresh.name(wish) for name, wish in zip(names[:shown], wishes, strict=False)]
    called += map(fresh.index, wishes[shown:])
    leaves, outside = fresh.leaves(loop.shapes), node.args[loop.carries :]
    nexts = [*instantiated(loop.body, (*leaves, *outside))]
    going = nexts.pop() if loop.trips is None else None
    inside: Named = {**named, **dict(zip(leaves, called, strict=True))}
    if counts:
        last = known_last(loop, node.args[loop.carries - 1]) if going is None else going.args[1]
        assert last is not None
        head = words.counted(called[-1], starts[-1], words.text(last, named))
    else:
        head = words.repeated(str(loop.trips)) if going is None else words.going(going, inside)
    pairs = zip(called[:shown], starts, strict=False)
    lines = [words.assigned([name], start) for name, start in pairs if name != start]
    trip = _Trip(nexts[:shown], called[:shown], leaves, outside, inside, fresh)
    block = words.block(head, [*trip.statements()])
    fresh.give_back(called[shown:])
    return [*lines, block]


def _of_each_trip(node: Node, named: Named, names: Sequence[str], fresh: Fresh) -> list[str]:
    """A loop whose value is what it carries after each trip."""
    states = node.params
    assert isinstance(states, States)
    inner = apply(LOOP, node.args, states.loop)
    count = states.loop.carries - has_index(states.loop)
    wishes = fresh.wishes(inner)
    within = [fresh.name(wish) if at < count or at in states.kept else "" for at, wish in enumerate(wishes)]
    *lines, block = _of_loop(inner, named, within, fresh)
    targets = [name or fresh.name() for name in names]
    return [*lines, fresh.words.collected(targets, block, listed([within[at] for at in states.kept]))]


def _of_adjoint(node: Node, named: Named, names: Sequence[str], fresh: Fresh, labels: Mapping[Node, str]) -> list[str]:
    """`(d_x, d_y) = vjp f(x, y; w)`, where f is a function of these arguments with the loop in it.

    What is known within a trip only is an argument, too, for a function does not see it.
    """
    adjoint, words = node.params, fresh.words
    assert isinstance(adjoint, LoopAdjoint)
    loop, wanted = adjoint.loop, adjoint.wanted
    *args, cotangent, guard = node.args
    weights, marks = unpacked(cotangent, loop.shapes), unpacked(guard, loop.shapes)
    results = [at for at, pair in enumerate(zip(weights, marks, strict=True)) if not all(map(_is_zero, pair))]
    results = results or [*range(loop.carries)]
    passed = [at for at, arg in enumerate(args) if at in wanted or fresh.is_local(arg)]
    wishes = fresh.wishes(apply(LOOP, tuple(args), loop), labels)
    function = _function_of_loop(loop, args, passed, results, named, fresh, wishes)
    of_adjoints = dict(zip(wanted, names, strict=False))
    of_guards = dict(zip(wanted, names[len(wanted) :], strict=False))
    targets = [of_adjoints.get(at, "") for at in passed]
    operands = [[args[at] for at in passed], [weights[at] for at in results]]
    if any(of_guards.values()) or any(marks[at] is not implied_guard(weights[at]) for at in results):
        targets += [of_guards.get(at, "") for at in passed]
        operands.append([marks[at] for at in results])
    texts = [[words.text(part, named) for part in parts] for parts in operands]
    return [words.assigned([name or fresh.name() for name in targets], words.pulled(function, texts))]


def _function_of_loop(
    loop: Loop, args: Sequence[Node], passed: Sequence[int], results: Sequence[int], named: Named, fresh: Fresh,
    wishes: Sequence[str],
) -> str:  # fmt: skip
    """A function of a loop's arguments at the places `passed`, which gives what it carries at the places `results`.

    wishes: for the names of what it carries.
    """
    stand_ins = dict(zip(passed, fresh.leaves([args[at].shape for at in passed]), strict=True))
    inner = apply(LOOP, tuple(stand_ins.get(at, arg) for at, arg in enumerate(args)), loop)
    count = loop.carries - has_index(loop)
    with_names = {*results, *(at for at in passed if at < count)}
    names = [fresh.name(wish) if at in with_names else "" for at, wish in enumerate(wishes)]
    parameters = {at: (names[at] if at < loop.carries else "") or fresh.name() for at in passed}
    inside: Named = {**named, **{stand_ins[at]: name for at, name in parameters.items()}}
    body = _of_loop(inner, inside, names, fresh)
    function = fresh.function()
    fresh.define(function, [*parameters.values()], body, listed([names[at] for at in results]))
    return function


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
            yield from fresh.behind_functions(loop_statements(node, dict(named), names, fresh, graph.labels))
        if node in parts and node not in pieces:
            yield fresh.words.assigned([parts[node]], fresh.words.text(node, named, whole=True))


def function_of(body: Body, named: Named, fresh: Fresh) -> tuple[str, list[str]]:
    """The name of a function that computes what a body does, whose loops are no expressions, and its definition."""
    function, value = fresh.function(), fresh.name()
    parameters = [fresh.name() for _ in body.parameters]
    leaves = fresh.leaves([parameter.shape for parameter in body.parameters])
    inside: Named = {**named, **dict(zip(leaves, parameters, strict=True))}
    trip = _Trip(instantiated(body, leaves), [value], leaves, (), inside, fresh)
    fresh.define(function, parameters, [*trip.statements()], value)
    return function, fresh.behind_functions(())


def listed(names: Sequence[str]) -> str:
    """Names as the results of a function."""
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def _is_zero(node: Node) -> bool:
    return node is zeros_like(node)


def _has_index(node: Node, loop: Loop, names: Sequence[str]) -> bool:
    """Whether the last carry is the index of a `for`, which nobody reads after the loop."""
    at = loop.carries - 1
    known = loop.going is not None or constant_value(node.args[at]) is not None
    return not names[-1] and at > 0 and known and has_index(loop)


class _Trip:
    """One trip as statements: what several of them read, then what the carries become.

    nexts, names: what each carry becomes, and its name. leaves: what stands for all carries, as they are before the
    trip. outside: what is read from outside. named: the nodes that have names; those of the trip are added.
    """

    def __init__(
        self, nexts: Sequence[Node], names: Sequence[str], leaves: Sequence[Node], outside: Sequence[Node],
        named: Named, fresh: Fresh,
    ) -> None:  # fmt: skip
        self._given = {*leaves, *outside}
        become = read_whole(nexts, self._given)
        self._nexts = [become[after] for after in nexts]
        self._names, self._leaves, self._named, self._fresh = names, leaves, named, fresh
        self._order = toposort(self._nexts, self._given)

    def statements(self) -> Iterator[str]:
        """A carry that others read is assigned when these have been computed: t1 = y; y = x + y; x = t1."""
        yield from self._parts()
        late = {at: self._fresh.name() for at in range(len(self._nexts)) if self._reads_what_has_changed(at)}
        for at, name in late.items():
            yield self._assigned(name, self._nexts[at])
        for at, (name, after) in enumerate(zip(self._names, self._nexts, strict=True)):
            yield self._fresh.words.assigned([name], late[at]) if at in late else self._assigned(name, after)

    def _parts(self) -> Iterator[str]:
        """The inner loops, and what is read more than once."""
        loops = [node for node in loops_in(self._order) if node not in self._given]
        pieces = {piece for loop in loops for piece in carried(loop)}
        parts = {part for part in shared(self._order, self._nexts) if part.args} - self._given - pieces
        for node in self._order:
            if node in loops:
                yield from self._inner(node)
            elif node in parts:
                name = self._fresh.name()
                yield self._assigned(name, node)
                self._named[node] = name

    def _reads_what_has_changed(self, at: int) -> bool:
        """Whether the next value at a place is of a carry that is assigned before it."""
        changed = set(self._leaves[:at])
        return not changed.isdisjoint(toposort([self._nexts[at]], self._named))

    def _assigned(self, name: str, node: Node) -> str:
        return self._fresh.words.assigned([name], self._fresh.words.text(node, self._named))

    def _inner(self, node: Node) -> Iterator[str]:
        """The statements of a loop within the trip, with names for what is read of it."""
        read = {arg for part in self._order for arg in part.args}.union(self._nexts)
        pieces, wishes = carried(node), self._fresh.wishes(node)
        names = [self._fresh.name(wish) if piece in read else "" for piece, wish in zip(pieces, wishes, strict=True)]
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
        self._definitions: list[str] = []  # of functions, for before the statement that is being written
        self._leaves: set[Node] = set()  # of all trips and functions that were written
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

    def function(self) -> str:
        """A name for a function."""
        return self._written(self._functions)

    def give_back(self, names: Sequence[str]) -> None:
        """Let names be used again: those of an index, which nobody reads after its loop."""
        self._taken.difference_update(names)

    def wishes(self, node: Node, labels: Mapping[Node, str] = EMPTY) -> list[str]:
        """What the program calls each carry of a loop, or ''. labels: what it calls its nodes."""
        pieces = carried(node)
        own = own_names(node, self._carried) or [""] * len(pieces)
        return [labels.get(piece, "") or name for piece, name in zip(pieces, own, strict=True)]

    def leaves(self, shapes: Sequence[Shape]) -> list[Node]:
        """Leaves for what a trip carries, or for the parameters of a function."""
        found = fresh_leaves(shapes)
        self._leaves.update(found)
        return found

    def is_local(self, node: Node) -> bool:
        """Whether a node is known within a trip or a function only."""
        return not self._leaves.isdisjoint(toposort([node]))

    def define(self, function: str, parameters: Sequence[str], statements: Sequence[str], result: str) -> None:
        """Have a function defined before the statement that is being written."""
        self._definitions.append(self.words.defined(function, parameters, statements, result))

    def behind_functions(self, statements: Sequence[str]) -> list[str]:
        """Statements behind the definitions of the functions that they call."""
        found = [*self._definitions, *statements]
        self._definitions.clear()
        return found
