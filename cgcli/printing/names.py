"""What a program calls the things in it: its inputs, its functions with a derivative rule, its parts."""

from __future__ import annotations

import re
from itertools import chain, count

from cgcli.annotations import Collection, Iterable, Iterator, Mapping, Sequence
from cgcli.graph.body import Body, OwnFunction, function_of, functions_in, with_bodies
from cgcli.graph.loops import loops_in
from cgcli.graph.node import Graph, Node, constant, name_of, toposort, variables
from cgcli.graph.operation import Callee
from cgcli.ops.roots import Root
from cgcli.ops.table import CONSTANTS, FUNCTIONS
from cgcli.printing.expression import shared, written_name
from cgcli.records import NamedTuple

_NUMBERS = {name: constant(CONSTANTS[name]) for name in ("pi", "e")}
_LETTERS = "tuswrqp"
_NUMBERED = re.compile(r"(.+?)_?[\d₀-₉]*", re.DOTALL)
_HELPER = re.compile(r"[a-z]+[1-9][0-9]*")  # t1, as a program has it that cg has printed


class Contents(NamedTuple):
    """What a text of a graph is made of besides its results; names are written as in the language.

    graph: it, but for matrices in loops, which are read whole. inputs: the variables, in order. functions: those with
    a derivative rule, inner ones first, and parts: the nodes that have a statement of their own, in order; both with
    their names. called: what its functions and operations are called. loops: the loops; what is read of their carries
    are parts. equations: those that are solved and have loops in them, inner ones first. has_blocks: whether there are
    loops anywhere, in functions and equations too.
    """

    graph: Graph
    inputs: list[Node]
    functions: dict[OwnFunction, str]
    parts: dict[Node, str]
    called: set[str]
    loops: tuple[Node, ...] = ()
    equations: tuple[Body, ...] = ()
    has_blocks: bool = False

    @property
    def names(self) -> dict[Node | Callee, str]:
        """The names of functions and parts, and of pi and e where the program has no input of that name."""
        taken = set(map(name_of, self.inputs))
        named: dict[Node | Callee, str] = {number: name for name, number in _NUMBERS.items() if name not in taken}
        named |= self.functions.items()
        named |= self.parts.items()
        return named

    @property
    def reserved(self) -> set[str]:
        """The names that no further function may have; all operations are imported for theirs."""
        return {*self.called, *FUNCTIONS}


def contents(graph: Graph, parts: Mapping[Node, str] | None = None) -> Contents:
    """What a graph's text is made of. parts: see `names`; every shared part when it is None."""
    order = toposort(graph.outputs)
    loops = loops_in(order)
    if loops:
        from cgcli.printing.carries import with_whole_carries

        graph, parts = with_whole_carries(graph, parts)
        order = toposort(graph.outputs)
        loops = loops_in(order)
    if parts is None or loops:
        wanted = shared(order, graph.outputs) if parts is None else [*parts]
        parts = names(graph, _with_pieces(wanted, loops, order, graph.outputs), loops)
    functions = functions_in(order)
    whole = [*with_bodies(order)]
    operations = {node.op for node in whole if function_of(node) is None}
    used = {name for op in operations for name in (op.name, *op.aliases)}
    called: dict[OwnFunction, str] = {}
    for own in functions:
        wish = graph.functions.get(own, own.name)
        wishes = chain([wish], (f"{wish}_{at}" for at in count(2)))
        called[own] = next(name for name in wishes if name not in used and name not in called.values())
    all_called = {*graph.functions.values(), *used, *called.values()}
    written = {own: written_name(name) for own, name in called.items()}
    has_blocks = bool(loops_in(whole))
    return Contents(
        graph, variables(order), written, dict(parts), all_called, tuple(loops), _equations(whole), has_blocks
    )


def _equations(whole: Sequence[Node]) -> tuple[Body, ...]:
    roots = [node.params.body for node in whole if isinstance(node.params, Root)]
    found = [body for body in roots if loops_in(toposort(body.outputs))]
    return tuple(dict.fromkeys(reversed(found)))


def _with_pieces(
    parts: Sequence[Node], loops: Sequence[Node], order: Sequence[Node], outputs: Iterable[Node]
) -> list[Node]:
    """The parts, with what is read of the loops' carries, in their order."""
    if not loops:
        return [*parts]
    from cgcli.printing.carries import carried

    read = {arg for node in order for arg in node.args}.union(outputs)
    pieces = {piece for node in loops for piece in carried(node) if piece in read}
    named = pieces.union(parts).difference(node for node in loops if node not in pieces)
    return [node for node in order if node in named]


def names(graph: Graph, parts: Iterable[Node], loops: Sequence[Node] = ()) -> dict[Node, str]:
    """Names for some nodes of a graph, in their order: what the program calls them, else t1, t2, …

    A name that something else has gets a number. loops: those whose carries are among the nodes.
    """
    inputs = variables(toposort(graph.outputs))
    parts = [*parts]
    results = {node: name for node, name in zip(graph.outputs, graph.names, strict=False) if written_name(name) == name}
    labels, replaced = {**results, **graph.labels}, dict[Node, str]()
    if loops:
        from cgcli.printing.carries import called, replacing

        free = {piece: name for piece, name in called(graph, loops).items() if name not in results.values()}
        labels, replaced = {**free, **labels}, replacing(graph, loops)
    taken = not_for_parts(inputs)
    own = {labels[node] for node in parts if node in labels}
    fresh = numbered(taken, [*map(name_of, inputs), *(label for label in own if not is_helper(label))])
    named, begun = dict[Node, str](), dict[str, Iterator[str]]()
    for node in parts:
        name = replaced.get(node) or next(free_names(labels.get(node, ""), taken, fresh, begun))
        named[node] = written_name(name)
        taken.add(name)
    return named


def is_helper(name: str) -> bool:
    """Whether a name is such as cg makes up: t1."""
    return bool(_HELPER.fullmatch(name))


def free_names(
    wish: str, taken: Collection[str], others: Iterator[str], begun: dict[str, Iterator[str]]
) -> Iterator[str]:
    """Names that are free: the one that is wished for, or that with a number. others: where none is, or it has one.

    begun: for each name that was taken, those with numbers that were not yet tried.
    """
    if not wish or (wish in taken and wish[-1].isdigit()):
        return others
    if wish not in taken:
        return iter((wish,))
    numbers = begun.setdefault(wish, (f"{wish}{at}" for at in count(1)))
    return (name for name in numbers if name not in taken)


def not_for_parts(inputs: Iterable[Node]) -> set[str]:
    """The names that no part of a program can have."""
    return {*map(name_of, inputs), *CONSTANTS}


def numbered(taken: set[str], others: Iterable[str] = ()) -> Iterator[str]:
    """t1, t2, … but for those that are taken when it is their turn. others: names that have their letter alone."""
    letter = free_letter(others, _LETTERS)
    return (name for name in (f"{letter}{at}" for at in count(1)) if name not in taken)


def free_letter(names: Iterable[str], letters: Sequence[str]) -> str:
    """The first of some letters that is not a name, with a number or without; the first again and again if need be."""
    used = {match[1] for match in map(_NUMBERED.fullmatch, names) if match}
    return next(letter for letter in chain(letters, (letters[0] * at for at in count(2))) if letter not in used)
