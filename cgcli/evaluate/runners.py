"""The parts of a loop's body as functions, each made when it is first needed, and kept as long as the body lives."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Sequence
from cgcli.evaluate import loop_code
from cgcli.evaluate.compiled import Compiled
from cgcli.graph.body import Body
from cgcli.graph.loops import Loop, LoopAdjoint, compared
from cgcli.graph.node import Node
from cgcli.lean import cache, cached_property

if TYPE_CHECKING:
    from weakref import WeakKeyDictionary

    from cgcli.evaluate.compiled import Kernels

_Function = Callable[..., Any]


class Runner:
    """The functions of a body, which take the values of its parameters.

    carries: how many of its outputs are next values; the others are conditions. rows: whether all values have their
    axis in front. kernels: those of another arithmetic than that of floats.
    """

    def __init__(self, body: Body, carries: int, *, rows: bool = False, kernels: Kernels | None = None) -> None:
        self._leaves = body.parameters  # and no body, which what is kept of it must not keep
        self._nexts, self._going = body.outputs[:carries], body.outputs[carries:]
        self._rows, self._kernels = rows, kernels

    @cached_property
    def step(self) -> Any:
        """The next values; of a point `repeated`, too."""
        return self._compiled(self._nexts)

    @cached_property
    def condition(self) -> _Function | None:
        """Whether there is one more trip; None where their number is known."""
        return self._compiled(self._going) if self._going else None

    @cached_property
    def compared(self) -> _Function:
        """What the condition compares."""
        return self._compiled(compared(self._going))

    @cached_property
    def generated(self) -> _Function | None:
        """Many trips in one call; None where there are arrays."""
        body = Body(self._leaves, (*self._nexts, *self._going))
        return None if self._kernels else loop_code.forward(Loop(body, None if self._going else 0))

    @property
    def is_generated(self) -> bool:
        """Whether there is a function for many trips already."""
        return vars(self).get("generated") is not None

    def _compiled(self, outputs: Sequence[Node]) -> _Function:
        if not self._rows:
            return Compiled(outputs, self._leaves, kernels=self._kernels)
        from cgcli.evaluate.batched import Batched

        return Batched(outputs, self._leaves)


@cache
def _kept() -> WeakKeyDictionary[Body, dict[Any, Any]]:
    from weakref import WeakKeyDictionary

    return WeakKeyDictionary()


def _once(body: Body, key: Any, make: Callable[[], Any]) -> Any:
    of_body = _kept().setdefault(body, {})
    if key not in of_body:
        of_body[key] = make()
    return of_body[key]


def runner(body: Body, carries: int, *, rows: bool = False, kernels: Kernels | None = None) -> Runner:
    """What runs a body; all as of `Runner`."""
    if kernels is not None:
        return Runner(body, carries, kernels=kernels)
    made: Runner = _once(body, (carries, rows), lambda: Runner(body, carries, rows=rows))
    return made


def generated_back(adjoint: LoopAdjoint, *, guarded: bool) -> _Function | None:
    """Many trips of the reverse pass in one call; None where there are arrays."""
    body = adjoint.careful if guarded else adjoint.back
    key = (adjoint.loop.carries, adjoint.moving)
    made: _Function | None = _once(body, key, lambda: loop_code.backward(adjoint, body))
    return made
