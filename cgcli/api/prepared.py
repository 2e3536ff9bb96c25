"""Programs that are compiled for the shapes of their values and called many times, with or without seeds."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import lru_cache

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Collection, Mapping, Sequence
from cgcli.api import calls
from cgcli.api.notices import warn
from cgcli.api.point import Point, at_shapes
from cgcli.api.program import Program, read
from cgcli.api.remade import Remade
from cgcli.api.seeds import check_seed, moving
from cgcli.api.values import as_array, by_position, check_named, is_plain
from cgcli.errors import UsageError
from cgcli.evaluate.compiled import Compiled
from cgcli.graph.collector import collector_at_rest
from cgcli.graph.node import Graph, Node, check_size, leaf, variable
from cgcli.graph.shapes import shape_of
from cgcli.ops.lazily import np
from cgcli.records import EMPTY

if TYPE_CHECKING:
    Arrays = Sequence[Any]
    Wrt = str | Sequence[str] | None
    Make = Callable[[Point, Sequence[Node]], calls.Call]
    Moves = tuple[tuple[str, ...], ...]
    Directions = Mapping[str, Any] | Sequence[Mapping[str, Any]]
    Seeded = tuple[Sequence[Node], calls.Call, Callable[[Any], list[Any]] | None]

_OFTEN = 16  # calls with numbers and arrays, after which a function in Python is generated
_MOST_KEPT = 32  # compiled programs that one function keeps, for as many sets of shapes


class Prepared(Remade, ABC):
    """A program that is compiled for each set of shapes that its inputs come in; the last 32 are kept."""

    def __init__(self, program: Program | str, wrt: Wrt) -> None:
        self._wrt = names_of(wrt)
        self.program = read(program, self._wrt)
        self._ready = lru_cache(maxsize=_MOST_KEPT)(self._prepare)

    def _result(self, values: Mapping[str, Any], seed: Any = None, moves: Moves = ()) -> Any:
        """The result at values of the inputs. seed: tangents, of the names `moves` by direction, or a cotangent."""
        arrays = [value if is_plain(value) else as_array(value, _what(name)) for name, value in values.items()]
        compiled, call, seeds = self._ready(tuple(values), tuple(map(shape_of, arrays)), moves)
        return call(compiled.at([*arrays, *seeds(seed)] if seeds else arrays))

    def _prepare(self, names: tuple[str, ...], shapes: tuple[tuple[int, ...], ...], moves: Moves) -> Any:
        with collector_at_rest:
            for name, shape in zip(names, shapes, strict=True):
                check_size(shape, _what(name))
            point = at_shapes(self.program, dict(zip(names, shapes, strict=True)))
            point.check_complete()
            wrt = point.chosen(self._wrt)
            warn(point.notices(wrt))
            leaves, call, seeds = self._seeded(point, wrt, moves)
        return _Compiled([*(variable(name, shape) for name, shape in point.shapes.items()), *leaves]), call, seeds

    @abstractmethod
    def _seeded(self, point: Point, wrt: Sequence[Node], moves: Moves) -> Seeded:
        """The leaves that stand for seeds, what computes the results, and what makes arrays of given seeds."""

    def __repr__(self) -> str:
        return f"<function of the program {self.program.text!r}>"


class Function(Prepared):
    """A function of the inputs of a program; `value`, `value_and_grad`, … make it.

    Call it with the inputs by name, `f(x=2, y=[1, 2])` or `f({"x": 2, "a b": 3})`, or in the order of
    `program.inputs`, `f(2, [1, 2])`: numbers, nested lists, numpy arrays. The first call for each set of
    shapes compiles the program, and the last 32 are kept; after many calls with numbers or with arrays of float64, a
    Python function is generated for them. Results are floats and new arrays. Threads may call at the same time.

    As in numpy, nan and infinities are results like others, and nothing is said of kinks. A
    value that the program does not use, and a name to differentiate by that it does not have (the
    derivative is 0), are warned of, as CgWarning, when the program is compiled.
    A call raises UnknownNameError for names without a value, ShapeError for shapes that do not
    fit, DataError for a value that is no array of numbers, TooLargeError beyond the bounds on
    memory; all are CgError. It can be pickled: what is pickled is the program's text and the options.
    """

    def __init__(self, program: Program | str, wrt: Wrt, make: Make, *, by_passes: bool = False) -> None:
        """by_passes: the results are put together from several evaluations."""
        super().__init__(program, wrt)
        self._make = make
        self._calls: dict[tuple[object, ...], int] = {}
        self._direct: dict[tuple[object, ...], Callable[..., Any] | None] = {}  # by how the values are given
        self._often = math.inf if by_passes else _OFTEN

    def __call__(self, /, *given: Any, **named: Any) -> Any:
        """The result at these values of the inputs."""
        key = (len(given), *named)
        direct = self._direct.get(key)
        if direct is not None:
            try:
                return direct(*given, *named.values())
            except (TypeError, ValueError, ArithmeticError, MemoryError):
                pass  # other values than it takes, or where Python raises and IEEE 754 has a result: the tape knows
        values = by_position(self.program.inputs, given, named)
        result = self._result(values)
        calls = self._calls[key] = self._calls.get(key, 0) + 1
        again = calls >= self._often and calls & (calls - 1) == 0  # ever more rarely: shapes may change
        if again and all(isinstance(value, float | int) or is_plain(value) for value in (*given, *named.values())):
            self._generate(key, values)
        return result

    def _generate(self, key: tuple[object, ...], values: Mapping[str, Any]) -> None:
        """Make the function that computes the result from values of these shapes that are given in this way."""
        from cgcli.evaluate.generated import generated

        shapes = tuple(map(shape_of, values.values()))
        _, call, _ = self._ready(tuple(values), shapes, ())
        result = call(lambda outputs, *_: list(outputs))  # the nodes, in the place of their values
        inputs = [variable(name, shape) for name, shape in zip(values, shapes, strict=True)]
        made = None if any(shapes) else generated(result, inputs)
        if made is None:
            from cgcli.evaluate.generated_arrays import generated_of_arrays

            made = generated_of_arrays(result, inputs, _finish)
        self._direct[key] = made

    def _seeded(self, point: Point, wrt: Sequence[Node], moves: Moves) -> Seeded:
        return (), self._make(point, wrt), None


class Pushed(Prepared):
    """A function of the inputs and of the tangents of some of them, in one direction or several.

    make: from a node for each of these tangents, a mapping for each direction.
    """

    def __init__(
        self,
        program: Program | str,
        make: Callable[[Point, Sequence[Node], Sequence[Mapping[Node, Node]]], calls.Call],
        wrt: Wrt = (),
    ) -> None:
        super().__init__(program, wrt)
        self._make = make

    def __call__(self, values: Mapping[str, Any], tangents: Directions) -> Any:
        """The result at these values of the inputs, which move along these tangents."""
        several = isinstance(tangents, list | tuple)
        directions: list[Mapping[str, Any]] = [*tangents] if several else [tangents]  # type: ignore[list-item]
        check_named(values)
        for each in directions:
            check_named(each, "tangents")
        return self._result(values, directions, tuple(map(tuple, directions)))

    def _seeded(self, point: Point, wrt: Sequence[Node], moves: Moves) -> Seeded:
        nodes = [moving(point, names) for names in moves]
        leaves = [[leaf(f"tangent {at} of {name}", node.shape) for name, node in zip(names, some, strict=True)]
                  for at, (names, some) in enumerate(zip(moves, nodes, strict=True))]  # fmt: skip
        call = self._make(point, wrt, [dict(zip(*pair, strict=True)) for pair in zip(nodes, leaves, strict=True)])
        return (
            [each for some in leaves for each in some],
            call,
            lambda directions: [
                _seed("tangent", tangents[name], node, name)
                for tangents, names, some in zip(directions, moves, nodes, strict=True)
                for name, node in zip(names, some, strict=True)
            ],
        )


class Pulled(Prepared):
    """A function of the inputs and of a cotangent."""

    def __call__(self, values: Mapping[str, Any], cotangent: Any) -> Any:
        """The result at these values of the inputs, its elements weighted by this cotangent."""
        check_named(values)
        return self._result(values, cotangent)

    def _seeded(self, point: Point, wrt: Sequence[Node], moves: Moves) -> Seeded:
        leaves = [leaf(f"cotangent {at}", output.shape) for at, output in enumerate(point.graph.outputs)]
        return leaves, calls.vjp(point, wrt, leaves), lambda given: _cotangents(given, point.graph)


def _what(name: str) -> str:
    return f"the value of '{name}'"


def _cotangents(given: Any, graph: Graph) -> list[Any]:
    """An array for each output: of the only one, or of several by name, 0 for those left out."""
    if not graph.names:
        return [_seed("cotangent", given, graph.output, "")]
    if not isinstance(given, Mapping) or not given.keys() <= set(graph.names):
        raise UsageError("a program of several outputs takes its cotangents by name",
                         hint=f"the outputs are: {', '.join(graph.names)}")  # fmt: skip
    return [
        _seed("cotangent", given[name], output, name)
        if name in given
        else np.zeros(output.shape)
        if output.shape
        else 0.0
        for name, output in zip(graph.names, graph.outputs, strict=True)
    ]


def _seed(kind: str, given: Any, node: Node, name: str) -> Any:
    """A tangent or cotangent as an array of the shape of what it belongs to."""
    array = as_array(given, f"the {kind} of '{name}'" if name else f"the {kind}")
    check_seed(kind, array, node, name)
    return array


def names_of(wrt: Wrt) -> tuple[str, ...] | None:
    """The names to differentiate by, each once; None for all. Raises UsageError for what are no names."""
    if wrt is None:
        return None
    names = (wrt,) if isinstance(wrt, str) else tuple(wrt) if hasattr(wrt, "__iter__") else None
    if names is None or not all(isinstance(name, str) for name in names):
        raise UsageError(f"wrt is a name or a list of names, and not {wrt!r}", hint="as in: wrt='x', or wrt=['x', 'y']")
    return tuple(dict.fromkeys(names))


class _Compiled:
    """Values of nodes at many points; what has been compiled is kept. inputs: variables, and leaves for seeds."""

    def __init__(self, inputs: Sequence[Node]) -> None:
        self._inputs = list(inputs)
        self._ready: dict[object, Callable[[Arrays], list[Any]]] = {}

    def at(self, arrays: Arrays) -> Callable[..., list[Any]]:
        """An `Evaluate` at one point."""

        def evaluate(outputs: Sequence[Node], bindings: Mapping[str, Any] = EMPTY, quiet: bool = False) -> list[Any]:
            key = (tuple(outputs), quiet, *bindings)
            run = self._ready.get(key)
            if run is None:
                more = [variable(name, shape_of(value)) for name, value in bindings.items()]
                run = self._ready[key] = _made(outputs, [*self._inputs, *more], parts=quiet)
            return run([*arrays, *bindings.values()] if bindings else arrays)

        return evaluate


def _made(outputs: Sequence[Node], inputs: Sequence[Node], *, parts: bool) -> Callable[[Arrays], list[Any]]:
    """The outputs as a function of arrays; unless they are parts of a computation, the caller's own to keep."""
    with collector_at_rest:
        compiled = Compiled(outputs, inputs)
    if parts:
        return compiled
    finish = [_finish(output, outputs[:at]) for at, output in enumerate(outputs)]
    return lambda arrays: [finished(value) for finished, value in zip(finish, compiled(arrays), strict=True)]


def _finish(output: Node, before: Collection[Node]) -> Callable[[Any], Any]:
    """How the value of an output is handed over: its memory must be neither the caller's nor shared by two results."""
    if not output.shape:
        return float
    return _copied if not output.args or output in before else _unshared


def _copied(array: Any) -> Any:
    return np.array(array)


def _unshared(array: Any) -> Any:
    return array if array.base is None else np.array(array)
