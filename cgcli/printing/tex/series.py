r"""Sums and products over an index, as \sum_{i=1}^{n}: those that loops make, and those that stand along an axis."""

from __future__ import annotations

import math

from cgcli.annotations import Collection, Mapping, Sequence
from cgcli.graph.loops import Loop, LoopAdjoint, fresh_leaves
from cgcli.graph.node import (
    CONSTANT,
    Node,
    apply,
    constant,
    constant_elements,
    constant_value,
    name_of,
    not_computed,
    rebuild,
    toposort,
    variables,
)
from cgcli.graph.operation import Operation
from cgcli.ops.arithmetic import ADD, MULTIPLY, SUBTRACT
from cgcli.ops.creation import Steps
from cgcli.ops.entry import BIG
from cgcli.ops.loops import has_index, series_of, unpacked
from cgcli.ops.reductions import PROD
from cgcli.ops.shaping import RESHAPE
from cgcli.ops.sums import SUM, Reduce
from cgcli.printing.printer import Layout, Part, View
from cgcli.printing.spelling import INDEX_LETTERS
from cgcli.records import EMPTY, NamedTuple

_SIGNS = {ADD: r"\sum", MULTIPLY: r"\prod", SUM: r"\sum", PROD: r"\prod"}
_NEUTRAL = {ADD: 0.0, MULTIPLY: 1.0}


class Index(NamedTuple):
    """The parameters of a series: how its terms are combined, and the leaf in its term that stands for its index."""

    combine: Operation
    leaf: Node


SERIES = Operation("series", "a sum or a product over an index", ("term", "first", "last"), not_computed,
                   lambda shapes, params: shapes[0], (None,), why_no_derivative="it is only written")  # fmt: skip


class Indexed(NamedTuple):
    """A graph with nodes of SERIES. become: what its nodes are there. letters: of the indices, by their leaves."""

    become: Mapping[Node, Node]
    letters: Mapping[Node, str]


def indexed(
    outputs: Sequence[Node], named: Collection[Node], labels: Mapping[Node, str],
    carried: Mapping[object, tuple[str, ...]] = EMPTY,
) -> Indexed:  # fmt: skip
    """The outputs, whose sums and products over an index are nodes of SERIES. Those over an axis with a name within
    stay as they are.

    named: what is written by a name. labels: what the program calls nodes. carried: and the carries of each loop, the
    index among them, by its body.
    """
    maker = _Maker(outputs, named, labels, carried)
    become = maker.rebuilt(outputs, {})
    return Indexed(become, maker.letters([become[output] for output in outputs]))


def series(view: View, letter: str) -> Layout:
    """The sign with its bounds, and the term behind it."""
    term, first, last = (view.of(arg) for arg in view.node.args)
    assert isinstance(view.node.params, Index)
    sign = _SIGNS[view.node.params.combine]
    inner = View(term.node, view.items, view.depth, view.small)
    pieces = (rf"{sign}_{{{letter}=", Part(first.smaller()), "}^{", Part(last.smaller()), "} ", Part(inner, BIG))
    return Layout(BIG, pieces, tall=True)


class _Maker:
    def __init__(
        self, outputs: Sequence[Node], named: Collection[Node], labels: Mapping[Node, str],
        carried: Mapping[object, tuple[str, ...]],
    ) -> None:  # fmt: skip
        self._named, self._labels, self._carried = named, labels, carried
        order = toposort(outputs)
        self._taken = {*map(name_of, variables(order)), *(labels[node] for node in order if node in labels)}
        self._wishes: dict[Node, str] = {}

    def rebuilt(self, outputs: Sequence[Node], known: Mapping[Node, Node]) -> dict[Node, Node]:
        """What the nodes become. known: leaves. Series stand in each other a few levels deep at most."""
        become = dict(known)
        for node in toposort(outputs, become):
            if node in become:
                continue
            args = tuple(become[arg] for arg in node.args)
            if isinstance(node.params, Loop):
                become |= self._of_loop(node, args)
            become.setdefault(node, apply(node.op, args, node.params) if args else node)
            if node.op in (SUM, PROD):
                become[node] = self._along_axis(become[node]) or become[node]
        return become

    def _of_loop(self, node: Node, args: Sequence[Node]) -> dict[Node, Node]:
        """For each value of a loop that is a sum or a product over its index, a node of SERIES."""
        loop = node.params
        assert isinstance(loop, Loop)
        if not has_index(loop):
            return {}
        pieces, leaves, at = unpacked(node, loop.shapes), loop.body.parameters, loop.carries - 1
        found: dict[Node, Node] = {}
        for place in range(at):
            one = series_of(node, place)
            if one is None:
                continue
            (index,) = fresh_leaves([()])
            inside = dict(zip(leaves[loop.carries :], args[loop.carries :], strict=True)) | {leaves[at]: index}
            bound = [] if loop.going is None else [loop.going.args[1]]
            within = self.rebuilt([one.term, *bound], inside)
            first = args[at]
            last = within[bound[0]] if bound else _sum(first, float((loop.trips or 0) - 1))
            term = within[one.term]
            loops = [each for each in toposort([term]) if isinstance(each.params, Loop | LoopAdjoint)]
            if index in toposort(loops):
                continue  # what a block computes in each trip has no place in a formula
            own = self._carried.get(loop.body, ())
            self._wishes[index] = self._labels.get(pieces[at], "") or (own[at] if own else "")
            value = apply(SERIES, (term, first, last), Index(one.combine, index))
            is_neutral = args[place].op is CONSTANT and set(constant_elements(args[place])) == {_NEUTRAL[one.combine]}
            found[pieces[place]] = value if is_neutral else apply(one.combine, (args[place], value))
        return found

    def _along_axis(self, node: Node) -> Node | None:
        """A reduction of what an index runs through; None for any other."""
        (arg,) = node.args
        rank = len(arg.shape)
        if node.params != Reduce((-rank,), False) or node in self._named:
            return None
        steps = self._indices(arg)
        if not steps:
            return None
        first, _ = next((each for each in steps.values() if each[1] == 1), (1.0, 0.0))
        (index,) = fresh_leaves([()])
        known = {each: _affine(index, step, start - step * first) for each, (start, step) in steps.items()}
        term = rebuild([arg], apply, known)[arg]
        last = constant(first + arg.shape[0] - 1)
        return apply(SERIES, (term, constant(first), last), Index(node.op, index)) if term.shape == node.shape else None

    def _indices(self, arg: Node) -> dict[Node, tuple[float, float]]:
        """What runs along the first axis of an array in equal steps, each with its first value and its step.

        None of it where anything else has that axis.
        """
        rank, found = len(arg.shape), dict[Node, tuple[float, float]]()
        stack, seen = [arg], set[Node]()
        while stack:
            node = stack.pop()
            if node in seen or len(node.shape) < rank:
                continue
            seen.add(node)
            if node in self._named:
                return {}
            steps = _steps(node)
            if steps is not None:
                found[node] = steps
            elif node.op.elementwise and node.args:
                stack.extend(reversed(node.args))
            else:
                return {}
        return found

    def letters(self, outputs: Sequence[Node]) -> dict[Node, str]:
        """The letters of indices: those of the program, else the first that no series around it has."""
        around: dict[Node, frozenset[str]] = dict.fromkeys(outputs, frozenset())
        found: dict[Node, str] = {}
        for node in reversed(toposort(outputs)):
            within = around[node]
            if isinstance(node.params, Index):
                leaf = node.params.leaf
                free = (letter for letter in INDEX_LETTERS if letter not in self._taken and letter not in within)
                found[leaf] = self._wishes.get(leaf) or next(free, "i")
                around[node.args[0]] = around.get(node.args[0], frozenset()) | {found[leaf]}
            for arg in node.args:
                around[arg] = around.get(arg, frozenset()) | within
        return found


def _steps(node: Node) -> tuple[float, float] | None:
    """The first value and the step of a column of numbers in equal steps, of two at least; None for anything else."""
    if not node.shape or math.prod(node.shape) != node.shape[0] or node.shape[0] < 2:
        return None
    inner = node.args[0] if node.op is RESHAPE else node
    if isinstance(inner.params, Steps):
        return inner.params.start, inner.params.step
    if node.op is not CONSTANT:
        return None
    values = constant_elements(node)
    step = values[1] - values[0]
    is_even = all(math.isfinite(value) and value == values[0] + at * step for at, value in enumerate(values))
    return (values[0], step) if is_even and values[0].is_integer() and step.is_integer() else None


def _affine(index: Node, step: float, start: float) -> Node:
    """step*index + start, as a book writes it."""
    if step == 0:
        return constant(start)
    scaled = index if step == 1 else apply(MULTIPLY, (constant(step), index))
    return _sum(scaled, start)


def _sum(node: Node, number: float) -> Node:
    """A node and a number; a number where it is one."""
    value = constant_value(node)
    if value is not None:
        return constant(value + number)
    if number == 0:
        return node
    return apply(SUBTRACT, (node, constant(-number))) if number < 0 else apply(ADD, (node, constant(number)))
