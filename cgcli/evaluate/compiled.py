"""A graph made ready to run many times: its operations in order, as a tape that is written from left to right."""

from __future__ import annotations

import math
from functools import cache
from operator import itemgetter
from weakref import WeakKeyDictionary

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Collection, Sequence
from cgcli.errors import CgError, EvaluationError, TooLargeError
from cgcli.evaluate.constants import constant_of
from cgcli.evaluate.lifetimes import last_reads, most_bytes
from cgcli.evaluate.limits import check_live, check_work
from cgcli.graph.body import Body, name_of_operation
from cgcli.graph.node import VARIABLE, Node, is_given, name_of, toposort
from cgcli.graph.operation import Params
from cgcli.ops.lazily import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


# What writes one value on the tape: the kernel, what takes its arguments from the tape, and where
# arrays stand that no later step reads. A plain tuple, which is the fastest to take apart.
_Step = tuple[Callable[..., Any], Callable[[list[Any]], Sequence[Any]], tuple[int, ...]]


class Compiled:
    """The outputs as a function of the inputs; call it with the inputs' arrays, as often as you like.

    A call keeps its tape to itself, so threads may call at the same time. Raises KeyError
    when the outputs need a variable that is no input, TooLargeError beyond the bounds of memory and work.

    inputs: different nodes; most of all variables, but nothing below any other is computed.
    A node that is a number, made of numbers, is computed in Python's floats where its operation has a kernel for
    them; where all nodes are, without numpy.

    places: where on the tape each node's value stands. keep: none of them is dropped.
    order: what the outputs need, down to the inputs, for whom has it at hand.
    """

    def __init__(
        self,
        outputs: Sequence[Node],
        inputs: Sequence[Node],
        *,
        keep: bool = False,
        order: Sequence[Node] | None = None,
    ) -> None:
        given = set(inputs)
        order = toposort(outputs, given) if order is None else order
        leaves = [node for node in order if is_given(node) and node not in given]
        self._nodes = [node for node in order if not is_given(node) and node not in given]
        self._constants = [_known(node) for node in leaves]
        self.places = {node: at for at, node in enumerate([*inputs, *leaves, *self._nodes])}
        dead = [()] * len(self._nodes) if keep else _dead_arrays(self._nodes, outputs)
        check_work(self._nodes, order)
        check_live(most_bytes(self._nodes, dead), order)
        kernels = [kernel_of(node) for node in self._nodes]
        self._of_numbers = all(kernel is node.op.scalar for kernel, node in zip(kernels, self._nodes, strict=True))
        self._steps = [self._step(*each) for each in zip(self._nodes, kernels, dead, strict=True)]
        self._scalars = [at for at, node in enumerate(inputs) if not node.shape]
        self._outputs = [self.places[output] for output in outputs]

    def _step(self, node: Node, kernel: Callable[..., Any], dead: Collection[Node]) -> _Step:
        read = _reader([self.places[arg] for arg in node.args])
        run = of_arrays(kernel, node.params)
        if not node.shape and kernel is not node.op.scalar:
            run = _as_number(run)
        return run, read, tuple([self.places[arg] for arg in dead]) if dead else ()

    def __call__(self, arrays: Sequence[Any], events: Callable[[str, int], None] | None = None) -> list[Array]:
        """The outputs' values, floats or numpy scalars where they are numbers.

        arrays: for each input a float64 array of its shape, or a float. events: called when in arrays a
        division by zero, an overflow or an invalid operation happens, or where a number that is
        computed is not finite.
        """
        tape = self.tape(arrays, events)
        return [tape[at] for at in self._outputs]

    def tape(self, arrays: Sequence[Any], events: Callable[[str, int], None] | None = None) -> list[Any]:
        """The values of all nodes, where `places` says; None for those that were dropped."""
        tape = [*arrays, *self._constants]
        begin = len(tape)
        for at in self._scalars:
            if type(tape[at]) is not float:
                tape[at] = float(tape[at])
        try:
            if self._of_numbers:
                _write(tape, self._steps)
            elif events is None:
                _quiet_writer()(tape, self._steps)
            else:
                with np.errstate(all="call", under="ignore", call=events):
                    _write(tape, self._steps)
        except (MemoryError, ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            raise failure(name_of_operation(self._nodes[len(tape) - begin]), error) from error
        if events is not None and not all(math.isfinite(item) for item in tape[begin:] if isinstance(item, float)):
            events("number", 0)
        return tape


_bodies: WeakKeyDictionary[Body, Compiled] = WeakKeyDictionary()


def compiled_body(body: Body) -> Compiled:
    """A body as a function of its parameters: made when it is first asked for, and kept as long as the body lives."""
    compiled = _bodies.get(body)
    if compiled is None:
        compiled = _bodies[body] = Compiled(body.outputs, body.parameters)
    return compiled


def _write(tape: list[Any], steps: Sequence[_Step]) -> None:
    append = tape.append
    for kernel, read, dead in steps:
        append(kernel(*read(tape)))
        if dead:
            for at in dead:
                tape[at] = None


def failure(name: str, error: Exception) -> CgError:
    """What is said when the kernel of an operation raises."""
    if isinstance(error, MemoryError):
        return TooLargeError(f"{name} needs more memory than there is")
    return EvaluationError(f"{name} cannot be computed: {error}")


@cache
def _quiet_writer() -> Callable[[list[Any], Sequence[_Step]], None]:
    return np.errstate(all="ignore")(_write)  # as a decorator, at half the price of a with statement


def kernel_of(node: Node) -> Callable[..., Any]:
    """The kernel of a node: that on numbers, where there is one and all are numbers, else that on arrays."""
    is_number = not node.shape and not any(arg.shape for arg in node.args)
    return (is_number and node.op.scalar) or node.op.kernel


def of_arrays(kernel: Callable[..., Any], params: Params) -> Callable[..., Any]:
    """A kernel of arrays alone."""
    return (lambda *arrays: kernel(*arrays, *params)) if params else kernel


def _as_number(run: Callable[..., Any]) -> Callable[..., float]:
    """A kernel whose result is a number, as a float: kernels on numbers take no array without axes, as x[0] is one."""
    return lambda *arrays: float(run(*arrays))


def _reader(places: Sequence[int]) -> Callable[[list[Any]], Sequence[Any]]:
    """Takes the values at some places, as one call of a function in C."""
    if len(places) > 1:
        return itemgetter(*places)
    begin = places[0] if places else 0
    return itemgetter(slice(begin, begin + len(places)))


def _known(leaf: Node) -> Any:
    """The value of a leaf that is no input."""
    if leaf.op is VARIABLE:
        raise KeyError(name_of(leaf))
    return constant_of(leaf)


def _dead_arrays(nodes: Sequence[Node], outputs: Sequence[Node]) -> list[tuple[Node, ...]]:
    """For each node, the arrays computed that nobody reads after it."""
    if not any(node.shape for node in nodes):
        return [()] * len(nodes)
    return [tuple([arg for arg in dead if arg.shape]) for dead in last_reads(nodes, outputs)]
