"""A graph over many rows: each step of its plan runs on a block of rows at a time, and threads share the blocks."""

from __future__ import annotations

import math
from collections import deque

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Mapping, Sequence
from cgcli.evaluate.compiled import Compiled, failure
from cgcli.evaluate.on_rows import on_rows
from cgcli.evaluate.plan import Buffer, Filled, plan
from cgcli.graph.body import name_of_operation
from cgcli.graph.node import Node
from cgcli.ops.lazily import np
from cgcli.records import EMPTY, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class _Call(NamedTuple):
    """A step made ready: its function, where the tape has its arguments and takes its result.

    buffer: which of a block's outputs and buffers its function fills; None where it makes an array. dead: the
    places of such arrays, which nobody reads any more.
    """

    function: Callable[..., Any]
    args: tuple[int, ...]
    place: int
    buffer: int | None
    dead: tuple[int, ...]


class _Job(NamedTuple):
    """What the threads of a call share. size: of the largest block. blocks: those that nobody has taken yet."""

    columns: Sequence[Any]
    outputs: Sequence[Array]
    size: int
    blocks: deque[slice]


class Batched:
    """The outputs as a function of columns; call it with the columns' arrays, as often as you like.

    The value for a row is the same, to the bit, whatever the other rows are, in any block, by any thread.
    A call keeps its arrays to itself, so threads may call at the same time.

    columns: different nodes, most of all variables. fixed: other nodes, with values that hold for all rows.
    block: how many rows go together, at most; what the cache holds unless given. plan: the plan.
    Raises KeyError when the outputs need any other variable, TooLargeError beyond the bounds of memory and
    work, EvaluationError where what is computed once cannot be computed.
    """

    def __init__(
        self, outputs: Sequence[Node], columns: Sequence[Node], fixed: Mapping[Node, Any] = EMPTY,
        *, block: int | None = None,
    ) -> None:  # fmt: skip
        made = plan(outputs, columns, fixed)
        self.plan = made if block is None else made._replace(rows=block)
        self._longest = made.shared_rows if block is None else block
        self._once = Compiled(made.fixed, tuple(fixed))
        self._fixed = self._known(fixed.values())
        results = [step.node for step in made.steps]
        places = {node: at for at, node in enumerate([*columns, *made.fixed, *results])}
        moving = {*columns, *results}
        filling = [step for step in made.steps if step.needs.filled is not Filled.NOTHING]
        self._buffered = [step for step in filling if step.buffer is not None]
        into_output = {step.node: made.outputs.index(step.node) for step in filling if step.buffer is None}
        filled = into_output | {step.node: at for at, step in enumerate(self._buffered, len(outputs))}
        self._calls = [
            _Call(
                on_rows(node, moving),
                tuple(places[arg] for arg in node.args),
                places[node],
                filled.get(node),
                tuple(places[arg] for arg in dead if arg not in filled),
            )
            for node, _, _, dead in made.steps
        ]
        self._copies = [(at, places[node]) for at, node in enumerate(made.outputs) if into_output.get(node) != at]

    def at(self, fixed: Mapping[Node, Any]) -> Batched:
        """The same at other values of the fixed nodes, given in their order; nothing is planned anew."""
        other = Batched.__new__(Batched)
        vars(other).update(vars(self))
        other._fixed = self._known(fixed.values())
        return other

    def _known(self, values: Iterable[Any]) -> list[Any]:
        """What holds for all rows, of the values of the fixed nodes."""
        given = [np.asarray(value, np.float64)[()] for value in values]
        return [np.asarray(value, np.float64)[()] for value in self._once(given)]

    def __call__(self, columns: Sequence[Any], rows: int | None = None, *, threads: int = 1) -> list[Array]:
        """The outputs' values, arrays of shape (rows, *shape).

        columns: for each column an array of shape (rows, *shape), of any real type. rows: how many there are,
        which must be said where there is no column. threads: how many compute at the same time, at the most.
        Raises ValueError for shapes that do not fit, EvaluationError where an operation cannot be computed.
        """
        arrays = [np.asarray(column) for column in columns]
        if rows is None:
            if not arrays:
                raise ValueError("where there are no columns, the number of rows must be given")
            rows = len(arrays[0])
        for node, array in zip(self.plan.columns, arrays, strict=True):
            if array.shape != (rows, *node.shape):
                raise ValueError(f"a column of {rows} rows takes shape {(rows, *node.shape)}, not {array.shape}")
        outputs = [np.empty((rows, *node.shape)) for node in self.plan.outputs]
        size = min(self._block(rows, threads), max(rows, 1))
        blocks = deque(slice(begin, min(begin + size, rows)) for begin in range(0, rows, size))
        job = _Job(arrays, outputs, size, blocks)
        count = min(threads, len(blocks))
        if count > 1:
            self._share(job, count)
        else:
            self._work(job)
        return outputs

    def _block(self, rows: int, threads: int) -> int:
        """How many rows go together; where several threads have something to do, equally many for each."""
        if threads <= 1 or rows <= self.plan.rows:
            return self.plan.rows
        return math.ceil(rows / (threads * math.ceil(rows / (threads * self._longest))))

    def _share(self, job: _Job, count: int) -> None:
        """Let so many threads work until no block is left; this one is among them."""
        from contextvars import copy_context
        from threading import Thread

        errors: list[BaseException] = []

        def work() -> None:
            try:
                self._work(job)
            except BaseException as error:
                job.blocks.clear()  # no thread begins another block
                errors.append(error)

        others = [Thread(target=copy_context().run, args=(work,)) for _ in range(count - 1)]
        for other in others:
            other.start()
        work()
        for other in others:
            other.join()
        if errors:
            raise errors[0]

    def _work(self, job: _Job) -> None:
        """Compute blocks until none is left, in buffers of this thread's own."""
        columns, outputs, size, blocks = job
        memory = [_empty(buffer, size) for buffer in self.plan.buffers]
        buffers = [memory[step.buffer or 0].reshape(size, *step.node.shape) for step in self._buffered]
        tape: list[Any] = [None] * len(columns) + self._fixed + [None] * len(self._calls)
        for block in _taken(blocks):
            count = block.stop - block.start
            tape[: len(columns)] = [np.ascontiguousarray(column[block], np.float64) for column in columns]
            ends = [output[block] for output in outputs]
            self._run(tape, [*ends, *(buffers if count == size else [buffer[:count] for buffer in buffers])])
            for output, place in self._copies:
                ends[output][...] = tape[place]

    def _run(self, tape: list[Any], buffers: Sequence[Any]) -> None:
        """Write the results of all steps on the tape. buffers: what they fill, as long as the columns there."""
        place = 0
        try:
            with np.errstate(all="ignore"):
                for function, args, place, buffer, dead in self._calls:
                    arrays = [tape[at] for at in args]
                    tape[place] = function(*arrays) if buffer is None else function(*arrays, out=buffers[buffer])
                    for at in dead:
                        tape[at] = None
        except (MemoryError, ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            raise failure(name_of_operation(self.plan.steps[place - len(tape)].node), error) from error


def _taken(blocks: deque[slice]) -> Iterator[slice]:
    """The blocks that no other thread has taken."""
    while True:
        try:
            yield blocks.popleft()
        except IndexError:
            return


def _empty(buffer: Buffer, rows: int) -> Any:
    """Memory for a buffer; none where kernels make their arrays themselves."""
    if buffer.filled is Filled.NOTHING:
        return None
    return np.empty(rows * buffer.size, np.bool_ if buffer.filled is Filled.TRUTH else np.float64)
