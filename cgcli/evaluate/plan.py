"""The plan of a graph over many rows: what is computed once, what for each row, in which order and in which memory."""

from __future__ import annotations

import math
from collections import defaultdict
from enum import Enum

from cgcli.annotations import Collection, Iterable, Mapping, Sequence
from cgcli.evaluate.lifetimes import last_reads, most_bytes, value_bytes
from cgcli.evaluate.limits import MAX_BYTES_WITHOUT_DATA, check_live, check_work
from cgcli.graph.body import inlined
from cgcli.graph.node import Node, count_of_numbers, dependents, is_given, toposort
from cgcli.ops.logic import AND_OP, NOT_OP, OR_OP, STOP_GRADIENT, WHERE
from cgcli.records import NamedTuple

_CACHE = 2**22  # bytes that the arrays of a block may take together: what a core has close by
_MOST_ROWS = 2**15  # in a block: with more, nothing is left of a step's fixed cost
_FEW_ROWS = 2**11  # in a block: with fewer, that cost is most of it, so that more memory is worth it
_MORE_MEMORY = 2**24
_LONGER = 4  # times a block of one thread: several give Python's lock to each other at each step, and wait for it


class Filled(Enum):
    """What a kernel fills a buffer with, if it fills one."""

    NUMBERS = "float64"
    TRUTH = "bool"
    NOTHING = "nothing"  # the kernel makes an array of its own, or shows that of an argument in another way


class Buffer(NamedTuple):
    """Memory for the value of one step, then of another. size: how many elements of each row it holds."""

    filled: Filled
    size: int

    @property
    def row_bytes(self) -> int:
        """The bytes that it takes for each row."""
        return self.size * (1 if self.filled is Filled.TRUTH else 8)


class Step(NamedTuple):
    """One operation on a block of rows.

    needs: the buffer that the result takes. buffer: which of the plan's it is; None where the result fills
    an output instead. dead: the nodes whose values nobody reads after this step.
    """

    node: Node
    needs: Buffer
    buffer: int | None
    dead: tuple[Node, ...]


class Plan(NamedTuple):
    """How outputs are computed for many rows.

    columns: the nodes that have a value for each row. fixed: the nodes with one value for all rows that the
    steps or the outputs read. once: the operations that compute those. rows: how many make a block.
    """

    outputs: tuple[Node, ...]
    columns: tuple[Node, ...]
    fixed: tuple[Node, ...]
    once: tuple[Node, ...]
    steps: tuple[Step, ...]
    buffers: tuple[Buffer, ...]
    rows: int

    @property
    def row_bytes(self) -> int:
        """The bytes that all buffers take for each row."""
        return bytes_of(self.buffers)

    @property
    def once_bytes(self) -> int:
        """The most bytes that what is computed once takes together, the given values that it reads included."""
        given = {arg for node in self.once for arg in node.args}.difference(self.once)
        read = {arg for step in self.steps for arg in step.node.args}.union(self.outputs)
        kept = [node for node in self.once if node in read]
        return sum(map(value_bytes, given)) + most_bytes(self.once, last_reads(self.once, kept))

    @property
    def shared_rows(self) -> int:
        """How many make a block of one of several threads, at most: more, where so many still take little memory."""
        return max(self.rows, min(_LONGER * self.rows, _MORE_MEMORY // max(self.row_bytes, 1)))

    @property
    def without_reuse(self) -> tuple[Buffer, ...]:
        """The buffers that there would be if each step that needs one had its own."""
        return tuple(step.needs for step in self.steps if step.buffer is not None)


def bytes_of(buffers: Iterable[Buffer]) -> int:
    """The bytes that buffers take for each row."""
    return sum(buffer.row_bytes for buffer in buffers)


def plan(outputs: Sequence[Node], columns: Sequence[Node], given: Collection[Node] = ()) -> Plan:
    """The plan for outputs that depend on columns: different nodes, most of all variables.

    given: nodes whose values are known, the same for all rows. Raises TooLargeError when not even one row
    fits the memory bound.
    """
    leaves = {*columns, *given}
    outputs = inlined(outputs, leaves)  # a function's kernel computes one row, what it is made of any number
    order = toposort(outputs, leaves)
    moving = dependents(columns, order)
    nodes = [node for node in order if node in moving and node not in leaves]
    read = {arg for node in nodes for arg in node.args}.union(outputs)
    fixed = tuple(node for node in order if node in read and node not in moving)
    once = tuple(node for node in order if node not in moving and node not in leaves and not is_given(node))
    check_work(nodes, order)
    steps, buffers = _allocated(nodes, outputs)
    made = Plan(outputs, tuple(columns), fixed, once, steps, buffers, 0)
    if made.row_bytes > MAX_BYTES_WITHOUT_DATA:
        check_live(made.row_bytes, order)
    return made._replace(rows=_rows_of_block(made))


# ---- memory ---------------------------------------------------------------------------


def _allocated(nodes: Sequence[Node], outputs: Sequence[Node]) -> tuple[tuple[Step, ...], tuple[Buffer, ...]]:
    """A step for each node, with a buffer that nobody else needs meanwhile."""
    numbers = _read_as_numbers(nodes).union(outputs)
    needed = {node: Buffer(_filled(node, numbers), math.prod(node.shape)) for node in nodes}
    into_output = {node for node in outputs if node in needed and needed[node].filled is Filled.NUMBERS}
    dying = last_reads(nodes, outputs, shows=_may_show)
    buffers: list[Buffer] = []
    free: Mapping[Buffer, list[int]] = defaultdict(list)
    buffer_of: dict[Node, int] = {}
    steps = []
    for at, node in enumerate(nodes):
        needs, dead = needed[node], dying[at]
        released = [arg for arg in dead if arg in buffer_of]
        early = needs.filled is not Filled.NOTHING  # numpy may fill the memory of what it reads: in place
        if early:
            _release(released, buffer_of, needed, free)
        if node not in into_output:
            if not free[needs]:
                free[needs].append(len(buffers))
                buffers.append(needs)
            buffer_of[node] = free[needs].pop()
        steps.append(Step(node, needs, buffer_of.get(node), dead))
        if not early:
            _release(released, buffer_of, needed, free)
    return tuple(steps), tuple(buffers)


def _release(
    nodes: Iterable[Node], buffer_of: dict[Node, int], needed: Mapping[Node, Buffer], free: Mapping[Buffer, list[int]]
) -> None:
    for node in nodes:
        free[needed[node]].append(buffer_of.pop(node))


def _filled(node: Node, numbers: Collection[Node]) -> Filled:
    if node.op.truth is not None:
        return Filled.NUMBERS if node in numbers else Filled.TRUTH
    kernel = node.op.numpy  # its name is that of a ufunc; numpy itself is not needed
    takes_buffer = isinstance(kernel, str) or "out" in (getattr(kernel, "__kwdefaults__", None) or ())
    return Filled.NUMBERS if node.op.elementwise and takes_buffer else Filled.NOTHING


def _read_as_numbers(nodes: Iterable[Node]) -> set[Node]:
    """The nodes that somebody reads as numbers, not only as true or false."""
    return {
        arg
        for node in nodes
        if node.op not in (AND_OP, OR_OP, NOT_OP)
        for at, arg in enumerate(node.args)
        if node.op is not WHERE or at > 0
    }


def _may_show(node: Node) -> bool:
    """Whether what a kernel makes by itself may be the memory of its arguments, seen in another way."""
    return node.op in (WHERE, STOP_GRADIENT) or not node.op.elementwise


def _rows_of_block(made: Plan) -> int:
    """So many that the arrays of a block stay in the cache, but no fewer than make a step worth its call."""
    ends = 8 * count_of_numbers({*made.columns, *made.outputs})
    row = max(made.row_bytes + ends, 1)
    return max(min(max(_CACHE // row, min(_FEW_ROWS, _MORE_MEMORY // row)), _MOST_ROWS), 1)
