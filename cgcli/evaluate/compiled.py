"""A graph made ready to run many times: its operations in order, as a tape that is written from left to right."""

from __future__ import annotations

import math
from itertools import count

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Collection, Iterator, Sequence
from cgcli.errors import CgError, EvaluationError, TooLargeError
from cgcli.evaluate.constants import constant_of
from cgcli.evaluate.elements import LEAST
from cgcli.evaluate.kernels import Kernel, kernel_of, of_arrays
from cgcli.graph.node import VARIABLE, Node, is_given, name_of, toposort
from cgcli.lean import cache, operator
from cgcli.ops.lazily import np

if TYPE_CHECKING:
    from weakref import WeakKeyDictionary

    from numpy.typing import NDArray

    from cgcli.annotations import Protocol
    from cgcli.graph.body import Body

    Array = NDArray[np.float64]

    class Kernels(Protocol):
        """Another arithmetic for the operations of a graph than that of float64, in which values are of other types."""

        @property
        def eps(self) -> Any:
            """The relative distance of two neighbouring numbers."""

        def step(self, node: Node) -> Callable[..., Any]:
            """What computes a node's value from those of its arguments. It raises CgError alone."""

        def constant(self, leaf: Node) -> Any:
            """The value of a constant."""

        def given(self, value: Any) -> Any:
            """The value of an input: a float, an array of floats, or one of this arithmetic itself."""


_Reader = Callable[[Sequence[Any]], Sequence[Any]]
_Places = tuple[int, ...]

_shape = operator.attrgetter("shape")
_params = operator.attrgetter("params")

_LITTLE = 2**17  # bytes of an array, from which on C's allocator asks the system for them, unless told otherwise
_AT_HAND = 2**25 - 2**13  # the most that it can be told
_OFTEN = 100  # calls with numbers, after which a function in Python is generated


class Floats:
    """The kernels on floats, in numbers and in numpy's arrays."""

    eps = 2.0**-52

    def step(self, node: Node) -> Callable[..., Any]:
        """What computes a node's value from those of its arguments; numpy warns of nothing on the way."""
        run = _adapted(kernel := kernel_of(node), node)
        return run if kernel is node.op.scalar else np.errstate(all="ignore")(run)

    def constant(self, leaf: Node) -> Any:
        """The value of a constant."""
        return constant_of(leaf)

    def given(self, value: Any) -> Any:
        """The value of an input."""
        return value


class Compiled:
    """The outputs as a function of the inputs; call it with the inputs' arrays, as often as you like.

    A call keeps its tape to itself, so threads may call at the same time. Raises KeyError
    when the outputs need a variable that is no input, TooLargeError beyond the bounds of memory and work.

    inputs: different nodes; most of all variables, but nothing below any other is computed.
    A node that is a number, made of numbers, is computed in Python's floats where its operation has a kernel for
    them; where all nodes are, without numpy, and after many calls by a function in Python that is generated for them.

    of_numbers: whether all values are numbers.
    nodes: those whose values a tape has, in their order: the inputs, those of `constants`, what is computed. places: of
    the outputs, there. keep: none of them is dropped.
    order: what the outputs need, down to the inputs, for whom has it at hand.
    kernels: those to compute with, where not those on floats.
    """

    def __init__(
        self,
        outputs: Sequence[Node],
        inputs: Sequence[Node],
        *,
        keep: bool = False,
        order: Sequence[Node] | None = None,
        kernels: Kernels | None = None,
    ) -> None:
        self._other = kernels
        given = set(inputs)
        order = toposort(outputs, given) if order is None else order
        leaves = [node for node in order if not node.args and node not in given and is_given(node)]
        places = dict(zip([*inputs, *leaves], count()))
        of_arrays_too = any(map(_shape, order))
        left: Collection[Node] = ()
        if of_arrays_too and not keep and kernels is None:
            from cgcli.evaluate.lifetimes import left_to_numpy

            left = left_to_numpy(order, {*outputs, *inputs})
        made, readers, scalars = _read_and_computed(order, places, left)
        self.nodes = [*inputs, *leaves, *made]
        self.constants = [_known(node, kernels) for node in leaves]
        dead: Sequence[tuple[Node, ...]] = ()
        if of_arrays_too:
            from cgcli.evaluate.lifetimes import most_bytes
            from cgcli.evaluate.limits import check_live, check_work

            dead = [()] * len(made) if keep else _dead_arrays(made, outputs, left)
            check_work(made, order)
            check_live(most := most_bytes(made, dead), order)
            if most > _LITTLE:
                _keep_memory_at_hand()
        self._readers = readers
        self._dead = [tuple([places[node] for node in arrays]) for arrays in dead] if any(dead) else ()
        self.of_numbers = kernels is not None or (not of_arrays_too and None not in scalars)
        if kernels is not None:
            self._kernels = [kernels.step(node) for node in made]
        elif self.of_numbers and not any(map(_params, made)):
            self._kernels = scalars
        else:
            self._kernels = [
                scalar
                if scalar is not None and not node.params and (self.of_numbers or kernel_of(node) is scalar)
                else _adapted(kernel_of(node), node)
                for node, scalar in zip(made, scalars, strict=True)
            ]
        self._scalars = [at for at, node in enumerate(inputs) if not node.shape and kernels is None]
        self.places = [places[output] for output in outputs]
        self._inputs, self._calls = len(inputs), 0
        self._direct: Callable[..., list[Any]] | None = None

    def __call__(self, arrays: Sequence[Any], events: Callable[[str, int], None] | None = None) -> list[Array]:
        """The outputs' values, floats or numpy scalars where they are numbers.

        arrays: for each input a float64 array of its shape, or a float. events: called when in arrays a
        division by zero, an overflow or an invalid operation happens, or where a number that is
        computed is not finite.
        """
        if events is None and not self.of_numbers:
            tape = self._begun(arrays)
            self._go_on(tape, _quiet_writer())
            return self.outputs_on(tape)
        if events is None:
            if self._direct is not None:
                try:
                    return self._direct(*arrays)
                except (TypeError, ValueError, ArithmeticError):
                    pass  # where Python raises and IEEE 754 has a result: the tape knows
            self._calls += 1
            if self._calls == _OFTEN and self._other is None:
                from cgcli.evaluate.generated import generated

                self._direct = generated([self.nodes[at] for at in self.places], self.nodes[: self._inputs])
        return self.outputs_on(self.tape(arrays, events))

    def repeated(self, arrays: Sequence[Any] | None, following: Callable[[list[Any]], Sequence[Any] | None]) -> None:
        """Call after call, with less to do around each. following: gives the next arrays, from outputs; None to end."""
        with np.errstate(all="ignore"):
            while arrays is not None:
                tape = self._begun(arrays)
                self._go_on(tape, _write)
                arrays = following([tape[at] for at in self.places])

    def steps(self) -> Iterator[tuple[Kernel, Sequence[int], _Places]]:
        """Of each node computed: the kernel, the places on a tape of its arguments, and of what is dropped after it."""
        places = range(len(self.nodes))
        dead = self._dead or ((),) * len(self._kernels)
        for kernel, read, dropped in zip(self._kernels, self._readers, dead, strict=True):
            yield kernel, read(places), dropped

    def outputs_on(self, tape: Sequence[Any]) -> list[Array]:
        """The outputs' values on a tape."""
        return [tape[at] for at in self.places]

    def meets_small(self, tape: Sequence[Any]) -> bool:
        """Whether one of the numbers on a tape that were computed is 0 or next to it."""
        computed = tape[len(tape) - len(self._kernels) :]
        return bool(computed) and min(map(abs, computed)) < LEAST

    def tape(self, arrays: Sequence[Any], events: Callable[[str, int], None] | None = None) -> list[Any]:
        """The values of all `nodes`; None for those that were dropped."""
        if self._other is not None:
            arrays = [self._other.given(array) for array in arrays]
        tape = self._begun(arrays)
        begin = len(tape)
        if self.of_numbers:
            self._go_on(tape, _write)
        elif events is None:
            self._go_on(tape, _quiet_writer())
        else:
            with np.errstate(all="call", under="ignore", call=events):
                self._go_on(tape, _write)
        if events is not None and not all(map(math.isfinite, [x for x in tape[begin:] if isinstance(x, float)])):
            events("number", 0)
        return tape

    def _begun(self, arrays: Sequence[Any]) -> list[Any]:
        """A tape with what is given."""
        tape = [*arrays, *self.constants]
        for at in self._scalars:
            if type(tape[at]) is not float:
                tape[at] = float(tape[at])
        return tape

    def _go_on(self, tape: list[Any], write: Callable[..., None]) -> None:
        """Write what is computed on a tape."""
        try:
            write(tape, self._kernels, self._readers, self._dead)
        except (MemoryError, ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            from cgcli.graph.body import name_of_operation

            raise failure(name_of_operation(self.nodes[len(tape)]), error) from error


@cache
def _keep_memory_at_hand() -> None:
    """Have the allocator keep what arrays give back, for the next ones: the system fills every page that it hands out.

    glibc keeps blocks as large as the largest that was given back (mallopt(3), M_MMAP_THRESHOLD), so one is; its pages
    are never touched. Others have their own rules, and lose nothing by it.
    """
    np.empty(_AT_HAND, np.uint8)


@cache
def _bodies() -> WeakKeyDictionary[Body, Compiled]:
    from weakref import WeakKeyDictionary

    return WeakKeyDictionary()


def compiled_body(body: Body) -> Compiled:
    """A body as a function of its parameters: made when it is first asked for, and kept as long as the body lives."""
    compiled = _bodies().get(body)
    if compiled is None:
        compiled = _bodies()[body] = Compiled(body.outputs, body.parameters)
    return compiled


def _write(tape: list[Any], kernels: Sequence[Kernel], readers: Sequence[_Reader], dead: Sequence[_Places]) -> None:
    """Write one value after the other. readers: take a kernel's arguments. dead: where arrays are to be dropped."""
    append = tape.append
    if dead:
        for kernel, read, places in zip(kernels, readers, dead, strict=True):
            append(kernel(*read(tape)))
            for at in places:
                tape[at] = None
    else:
        for kernel, read in zip(kernels, readers, strict=True):
            append(kernel(*read(tape)))


def failure(name: str, error: Exception) -> CgError:
    """What is said when the kernel of an operation raises."""
    if isinstance(error, MemoryError):
        return TooLargeError(f"{name} needs more memory than there is")
    return EvaluationError(f"{name} cannot be computed: {error}")


@cache
def _quiet_writer() -> Callable[..., None]:
    return np.errstate(all="ignore")(_write)  # as a decorator, at half the price of a with statement


def _adapted(kernel: Kernel, node: Node) -> Kernel:
    """A kernel of arrays alone, whose result is a float where it is a number: kernels on numbers take nothing else."""
    params = node.params
    if node.shape or kernel is node.op.scalar:
        return of_arrays(kernel, params)
    return lambda *arrays: float(kernel(*arrays, *params))


def _read_and_computed(
    order: Sequence[Node], places: dict[Node, int], left: Collection[Node] = ()
) -> tuple[list[Node], list[_Reader], list[Any]]:
    """The nodes of an order that have no place yet; what takes each one's arguments from a tape; its kernel on numbers.

    places: they get theirs. left: those whose argument is read in their place. A reader is one call of a function in C.
    All is done at once, for a large graph is no longer in the processor's cache when it is gone through again.
    """
    made: list[Node] = []
    readers: list[_Reader] = []
    scalars: list[Any] = []
    first = len(places)
    take, place = operator.itemgetter, places.__getitem__
    for node in order:
        if node in places:
            continue
        args = node.args
        if node in left:
            places[node] = places[args[0]]
            continue
        if len(args) == 2:
            one, other = args
            readers.append(take(places[one], places[other]))
        elif len(args) == 1:
            readers.append(take(slice(at := places[args[0]], at + 1)))
        else:
            readers.append(take(*map(place, args)) if args else take(slice(0)))
        places[node] = first + len(made)
        made.append(node)
        scalars.append(node.op.scalar)
    return made, readers, scalars


def _known(leaf: Node, kernels: Kernels | None) -> Any:
    """The value of a leaf that is no input."""
    if leaf.op is VARIABLE:
        raise KeyError(name_of(leaf))
    return constant_of(leaf) if kernels is None else kernels.constant(leaf)


def _dead_arrays(nodes: Sequence[Node], outputs: Sequence[Node], left: Collection[Node]) -> list[tuple[Node, ...]]:
    """For each node, the arrays computed that nobody reads after it."""
    from cgcli.evaluate.lifetimes import last_reads

    return [tuple([arg for arg in dead if arg.shape]) for dead in last_reads(nodes, outputs, left=left)]
