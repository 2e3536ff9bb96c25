"""What stands above the cluster of a loop, `for i in 1..n`, and what its carries are called in a picture."""

from __future__ import annotations

from itertools import chain, count

from cgcli.annotations import Mapping, Sequence
from cgcli.graph.body import instantiated
from cgcli.graph.loops import Loop, States
from cgcli.graph.node import Graph, Node, apply, toposort, variable
from cgcli.graph.operation import Callee
from cgcli.ops.arithmetic import ADD, MULTIPLY
from cgcli.ops.indexing import ELEMENT
from cgcli.ops.loops import LOOP, has_index, known_last, series_of, unpacked
from cgcli.printing.expression import formula, written_name

_LONGEST = 48  # characters of a condition
_LETTERS = "stuvw"  # for carries that have no name
_SIGNS = {ADD: "Σ", MULTIPLY: "Π"}


def the_loop(node: Node) -> Node:
    """A loop; of what it carries after each trip, the loop that does so."""
    return apply(LOOP, node.args, node.params.loop) if isinstance(node.params, States) else node


def carry_names(graph: Graph, node: Node) -> list[str]:
    """What the program calls the carries of a loop, or a sign for what it does not name."""
    loop = node.params
    assert isinstance(loop, Loop)
    given = graph.carried.get(loop.body) or ("",) * loop.carries
    pieces = unpacked(node, loop.shapes)
    names = [name or graph.labels.get(piece, "") for name, piece in zip(given, pieces, strict=True)]
    others = (name for name in chain(_LETTERS, (f"s{at}" for at in count(1))) if name not in names)
    for at, name in enumerate(names):
        series = None if name else series_of(node, at)
        names[at] = name or (next(others) if series is None else _SIGNS[series.combine])
    return names


def condition_of(loop: Loop, names: Sequence[str], args: Sequence[Node]) -> tuple[Node | None, Node]:
    """The bound of a loop's index, None where it has none, and its condition, in the names of its carries."""
    carries = [variable(name, shape) for name, shape in zip(names, loop.shapes, strict=True)]
    going = instantiated(loop.body, (*carries, *args[loop.carries : len(loop.body.parameters)]))[-1]
    return going.args[1] if loop.going and going.args else None, going


def head_of_loop(
    loop: Loop, names: Sequence[str], args: Sequence[Node], bound: Node | None, going: Node, labels: Mapping[Node, str]
) -> str:
    """What a cluster says of its loop: `for i in 1..n`.

    args: of the loop. bound: of its index. going: the condition.
    """
    array = array_of_elements(loop)
    if array is not None:
        return f"for {names[-1]} in {head_text(args[array], labels)}"
    if has_index(loop):
        start = args[loop.carries - 1]
        bound = known_last(loop, start) or bound
        if bound is not None:
            bounds = f"{head_text(start, labels)}..{head_text(bound, labels)}"
            is_series = names[0] in _SIGNS.values() and loop.carries == 2
            return f"{names[0]} {names[1]} = {bounds}" if is_series else f"for {names[-1]} in {bounds}"
    return f"repeat {loop.trips}" if loop.going is None else f"while {head_text(going, labels)}"


def array_of_elements(loop: Loop) -> int | None:
    """The place of the array whose elements a loop goes through, where that is all its index is for; None else."""
    if not has_index(loop):
        return None
    index = loop.body.parameters[loop.carries - 1]
    users = [node for node in toposort(loop.nexts[:-1]) if index in node.args]
    arrays = {node.args[0] for node in users if node.op is ELEMENT and node.args[0] in loop.body.parameters}
    if len(arrays) != 1 or any(node.op is not ELEMENT for node in users):
        return None
    return loop.body.parameters.index(arrays.pop())


def head_text(node: Node, labels: Mapping[Node, str]) -> str:
    """A formula that is short enough to stand above a cluster."""
    named: Mapping[Node | Callee, str] = {node: written_name(label) for node, label in labels.items()}
    return formula(node, _LONGEST, named)
