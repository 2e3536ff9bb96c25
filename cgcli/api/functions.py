"""Values and derivatives of programs as Python functions, compiled once and called many times."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import lru_cache, partial

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Collection, Mapping, Sequence, cast
from cgcli.api import calls
from cgcli.api.notices import warn
from cgcli.api.point import Point, at_shapes
from cgcli.api.program import Program, read
from cgcli.api.seeds import check_seed, moving, tangents, weights
from cgcli.api.series import series
from cgcli.api.values import as_array, by_position
from cgcli.errors import UsageError
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.constants import as_constant
from cgcli.graph.collector import collector_at_rest
from cgcli.graph.node import Graph, Node, leaf, variable
from cgcli.graph.shapes import shape_of
from cgcli.ops.lazily import np
from cgcli.records import EMPTY

if TYPE_CHECKING:
    from cgcli.api.notices import Notice
    from cgcli.derivatives.jacobian import Mode

    Arrays = Sequence[Any]
    Wrt = str | Sequence[str] | None
    Make = Callable[[Point, Sequence[Node]], calls.Call]
    _Moves = tuple[tuple[str, ...], ...]
    Directions = Mapping[str, Any] | Sequence[Mapping[str, Any]]
    _Seeded = tuple[Sequence[Node], calls.Call, Callable[[Any], list[Any]] | None]

_OFTEN = 16  # calls with numbers, after which a function in Python is generated
MAX_ORDER = 170  # the factorial of more is no float64
_MOST_KEPT = 32  # compiled programs that one function keeps, for as many sets of shapes


class _Prepared(ABC):
    """A program that is compiled for each set of shapes that its inputs come in; the last 32 are kept."""

    def __init__(self, program: Program | str, wrt: Wrt) -> None:
        self._wrt = names_of(wrt)
        self.program = read(program, self._wrt)
        self._ready = lru_cache(maxsize=_MOST_KEPT)(self._prepare)

    def _result(self, values: Mapping[str, Any], seed: Any = None, moves: _Moves = ()) -> Any:
        """The result at values of the inputs. seed: tangents, of the names `moves` by direction, or a cotangent."""
        arrays = [as_array(value, f"the value of '{name}'") for name, value in values.items()]
        compiled, call, seeds = self._ready(tuple(values), tuple(map(shape_of, arrays)), moves)
        return call(compiled.at([*arrays, *seeds(seed)] if seeds else arrays))

    def _prepare(self, names: tuple[str, ...], shapes: tuple[tuple[int, ...], ...], moves: _Moves) -> Any:
        with collector_at_rest:
            point = at_shapes(self.program, dict(zip(names, shapes, strict=True)))
            point.check_complete()
            wrt = point.chosen(self._wrt)
            warn(point.notices(wrt))
            leaves, call, seeds = self._seeded(point, wrt, moves)
        return _Compiled([*(variable(name, shape) for name, shape in point.shapes.items()), *leaves]), call, seeds

    @abstractmethod
    def _seeded(self, point: Point, wrt: Sequence[Node], moves: _Moves) -> _Seeded:
        """The leaves that stand for seeds, what computes the results, and what makes arrays of given seeds."""

    def __repr__(self) -> str:
        return f"<function of the program {self.program.text!r}>"


class Function(_Prepared):
    """A function of the inputs of a program; `value`, `value_and_grad`, … make it.

    Call it with the inputs by name, `f(x=2, y=[1, 2])` or `f({"x": 2, "a b": 3})`, or in the order of
    `program.inputs`, `f(2, [1, 2])`: numbers, nested lists, numpy arrays. The first call for each set of
    shapes compiles the program, and the last 32 are kept; after many calls with numbers alone, a Python function is
    generated for them. Results are floats and new arrays. Threads may call at the same time.

    As in numpy, nan and infinities are results like others, and nothing is said of kinks. A
    value that the program does not use, and a name to differentiate by that it does not have (the
    derivative is 0), are warned of, as CgWarning, when the program is compiled.
    A call raises UnknownNameError for names without a value, ShapeError for shapes that do not
    fit, DataError for a value that is no array of numbers, TooLargeError beyond the bounds on
    memory; all are CgError.
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
            except (TypeError, ValueError, ArithmeticError):
                pass  # no number, or where Python raises and IEEE 754 has a result: the tape knows
        values = by_position(self.program.inputs, given, named)
        result = self._result(values)
        if key not in self._direct:
            calls = self._calls[key] = self._calls.get(key, 0) + 1
            if calls % self._often == 0 and all(isinstance(item, float | int) for item in values.values()):
                self._generate(key, values)
        return result

    def _generate(self, key: tuple[object, ...], values: Mapping[str, Any]) -> None:
        """Make the function that computes the result from numbers given in this way."""
        from cgcli.evaluate.generated import generated

        _, call, _ = self._ready(tuple(values), ((),) * len(values), ())
        result = call(lambda outputs, *_: list(outputs))  # the nodes, in the place of their values
        self._direct[key] = generated(result, [variable(name) for name in values])

    def _seeded(self, point: Point, wrt: Sequence[Node], moves: _Moves) -> _Seeded:
        return (), self._make(point, wrt), None


class _Pushed(_Prepared):
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
        directions = [tangents] if isinstance(tangents, Mapping) else tangents
        return self._result(values, directions, tuple(map(tuple, directions)))

    def _seeded(self, point: Point, wrt: Sequence[Node], moves: _Moves) -> _Seeded:
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


class _Pulled(_Prepared):
    """A function of the inputs and of a cotangent."""

    def __call__(self, values: Mapping[str, Any], cotangent: Any) -> Any:
        """The result at these values of the inputs, its elements weighted by this cotangent."""
        return self._result(values, cotangent)

    def _seeded(self, point: Point, wrt: Sequence[Node], moves: _Moves) -> _Seeded:
        leaves = [leaf(f"cotangent {at}", output.shape) for at, output in enumerate(point.graph.outputs)]
        return leaves, calls.vjp(point, wrt, leaves), lambda given: _cotangents(given, point.graph)


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
    """The names to differentiate by, each once; None for all."""
    return (wrt,) if isinstance(wrt, str) else wrt if wrt is None else tuple(dict.fromkeys(wrt))


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


def _with_floats(make: Make) -> Make:
    """Results with floats in the place of numpy's scalars, for what is computed in arrays."""

    def floats(result: Any) -> Any:
        if isinstance(result, dict):
            return {name: floats(item) for name, item in result.items()}
        return result if shape_of(result) else float(result)

    def made(point: Point, wrt: Sequence[Node]) -> calls.Call:
        call = make(point, wrt)
        return lambda evaluate: floats(call(evaluate))

    return made


def value(program: Program | str, *, digits: int | None = None) -> Function:
    """The value of a program: a float or an array; of several outputs a dict by their names.

    >>> f = value("sqrt(x^2 + y^2)")
    >>> f(x=3, y=4)
    5.0
    >>> value("(x*y, x @ y)")(x=[1, 2], y=[3, 4])
    {'x*y': array([3., 8.]), 'x @ y': 11.0}

    digits: of this function and of those below: so many digits, from 1 to 1000, all of them right, as numbers of mpmath
    or arrays of such. A float is the decimal number that Python prints for it then, and a text an expression.

    >>> print(value("x/3 - 1/30", digits=20)(x=0.1))
    0.0

    A call then also raises EvaluationError where so many digits are not to be had.
    """
    if digits is not None:
        return _with_digits(digits, program, (), lambda point, wrt, seeds, kernels: point.value)
    return Function(program, (), lambda point, _: point.value)


def _with_digits(digits: int, program: Program | str, wrt: Wrt, make: Any) -> Function:
    """The function that computes so many digits, which is called as others are. make: as `MakeOf` in digits.py."""
    from cgcli.api.digits import ManyDigits

    return cast("Function", ManyDigits(program, names_of(wrt), make, digits))


def _with_seeds(digits: int, program: Program | str, wrt: Wrt, make: Any) -> Callable[[Mapping[str, Any], Any], Any]:
    """As `_with_digits`, of the values and of tangents or cotangents."""
    from cgcli.api.digits import ManyDigits

    return ManyDigits(program, names_of(wrt), make, digits).at


def value_and_grad(program: Program | str, wrt: Wrt = None, *, digits: int | None = None) -> Function:
    """The value of a program, and its derivative by each input, of that input's shape: `(value, {"x": …})`.

    wrt: a name, or several; all inputs when left out. By the reverse mode: all derivatives
    together cost a few evaluations. Of several outputs, both are dicts by the outputs' names.

    >>> f = value_and_grad("ln(x1) + x1*x2 - sin(x2)")
    >>> f(x1=2, x2=5)
    (11.652071455223084, {'x1': 5.5, 'x2': 1.7163378145367738})

    A call also raises UsageError when an output is no scalar.
    """
    if digits is not None:
        return _with_digits(digits, program, wrt, lambda point, wrt, seeds, kernels: calls.value_and_grad(point, wrt))
    return Function(program, wrt, calls.value_and_grad)


def grad(program: Program | str, wrt: Wrt = None, *, digits: int | None = None) -> Function:
    """The derivatives alone: `{"x": …}`, each of its input's shape; see `value_and_grad`.

    >>> grad("sum((X@w - y)^2)", "w")(X=[[1, 2], [3, 4]], w=[0, 0], y=[1, 1])
    {'w': array([ -8., -12.])}
    """
    if digits is not None:
        return _with_digits(digits, program, wrt, lambda point, wrt, seeds, kernels: calls.grad(point, wrt))
    return Function(program, wrt, calls.grad)


def jacobian(program: Program | str, wrt: Wrt = None, mode: Mode = "auto", *, digits: int | None = None) -> Function:
    """The derivatives of every element of the value: `{"x": J}`, J of the shape `value.shape + x.shape`.

    mode: "forward" takes a pass for each element of the inputs, "reverse" one for each of
    the outputs, "auto" the fewer. Of several outputs a dict by their names.

    >>> jacobian("[x*y, x + y]")(x=2, y=3)
    {'x': array([3., 1.]), 'y': array([2., 1.])}
    """
    if mode not in ("auto", "forward", "reverse"):
        raise UsageError(f"there is no mode '{mode}'", hint="known: auto, forward, reverse")
    if digits is not None:
        return _with_digits(
            digits, program, wrt, lambda point, wrt, seeds, kernels: calls.jacobian(point, wrt, mode, kernels)
        )
    return Function(program, wrt, _with_floats(partial(calls.jacobian, mode=mode)), by_passes=True)


def hessian(program: Program | str, wrt: Wrt = None, *, digits: int | None = None) -> Function:
    """The second derivatives of a scalar: `{"x": {"y": H}}`, H of the shape `x.shape + y.shape`.

    By forward mode over reverse. Of several outputs a dict by their names.

    >>> hessian("x^2*y")(x=2, y=3)
    {'x': {'x': 6.0, 'y': 4.0}, 'y': {'x': 4.0, 'y': 0.0}}

    A call also raises UsageError when an output is no scalar.
    """
    if digits is not None:
        return _with_digits(
            digits, program, wrt, lambda point, wrt, seeds, kernels: calls.hessian(point, wrt, kernels=kernels)
        )
    return Function(program, wrt, _with_floats(calls.hessian), by_passes=True)


def jvp(program: Program | str, *, digits: int | None = None) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Any]:
    """The value, and its tangent when the inputs move: a function of the values and the tangents.

    The tangents are of their inputs' shapes; inputs without one stand still. The value's
    tangent is of its shape. Of several outputs, both are dicts by their names.

    >>> jvp("x @ y")({"x": [1, 2], "y": [3, 4]}, {"x": [1, 0]})
    (11.0, 3.0)

    A call also raises UnknownNameError for a tangent of what is no input, UsageError for one of another shape.
    """
    if digits is not None:
        return _with_seeds(
            digits, program, (), lambda point, wrt, seeds, kernels: calls.jvp(point, tangents(point, seeds))
        )
    return _Pushed(program, lambda point, _, directions: calls.jvp(point, *directions))


def directional(
    program: Program | str, order: int, *, digits: int | None = None
) -> Callable[[Mapping[str, Any], Directions], Any]:
    """The value and its derivatives along a direction, as `jvp`, of order 0, 1, … up to `order`: a list.

    Of several outputs a dict of lists. The Taylor coefficients are these derivatives divided by k!. With a list of
    directions, as many as the order, the mixed derivatives: along the first, along the first two, and so on.

    >>> directional("x^3", 3)({"x": 2}, {"x": 1})
    [8.0, 12.0, 12.0, 6.0]
    >>> directional("x^2*y", 2)({"x": 2, "y": 3}, [{"x": 1}, {"y": 1}])
    [12.0, 12.0, 4.0]

    By Taylor arithmetic, whose cost grows with the square of the order, along one direction; each number is right to
    1e-10, with many digits on the way where that takes them. digits: as of `value`. Raises UsageError for an order that
    is no whole number from 1 to 170; a call also for directions that are more or fewer, and TooLargeError where the
    formulas grow beyond bounds.
    """
    check_order(order)
    if digits is not None:
        return _with_seeds(
            digits, program, (),
            lambda point, wrt, seeds, kernels: series(
                point, [tangents(point, each) for each in _as_many(seeds, order)], _warn, kernels=kernels
            ),
        )  # fmt: skip
    return _Pushed(program, lambda point, _, directions: series(point, _as_many(directions, order), _warn))


def _warn(notice: Notice) -> None:
    warn([notice])


def _as_many(directions: Any, order: int) -> Sequence[Any]:
    """A direction for each order: the only one again, or those that are given."""
    several = [directions] if isinstance(directions, Mapping) else list(directions)
    if len(several) not in (1, order):
        raise UsageError(f"there are {len(several)} directions for derivatives of order {order}",
                         hint="give one, or as many as the order")  # fmt: skip
    return several * order if len(several) == 1 else several


def hessian_product(
    program: Program | str, wrt: Wrt = None, *, digits: int | None = None
) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Any]:
    """The product of the Hessian of a scalar with a vector: a function of the values and the vector, `{"x": …}`.

    The vector is given by the names of inputs; those left out are 0 in it. It costs a few evaluations,
    however many inputs there are. wrt: the inputs that the product has an entry for; all when left out. digits: as of
    `value`.

    >>> hessian_product("sum(x^4)")({"x": [1, 2, 3]}, {"x": [1, 0, 0]})
    {'x': array([12.,  0.,  0.])}

    A call also raises UsageError for outputs that are no scalar or several.
    """

    def make(point: Point, wrt: Sequence[Node], vector: Mapping[Node, Node]) -> calls.Call:
        return calls.hessian_product(point, wrt, weights(point.graph), vector)

    if digits is not None:
        return _with_seeds(
            digits, program, wrt, lambda point, wrt, seeds, kernels: make(point, wrt, tangents(point, seeds))
        )
    return _Pushed(program, lambda point, wrt, directions: make(point, wrt, *directions), wrt)


def check_order(order: Any) -> None:
    """Raise UsageError for an order of derivatives that is no whole number from 1 to 170."""
    if not isinstance(order, int) or not 1 <= order <= MAX_ORDER:
        raise UsageError(f"the order of a derivative is a whole number from 1 to {MAX_ORDER}, not {order!r}")


def vjp(
    program: Program | str, wrt: Wrt = None, *, digits: int | None = None
) -> Callable[[Mapping[str, Any], Any], Any]:
    """The value, and the derivatives of its elements' weighted sum: a function of the values and the weights.

    The weights, or cotangent, are of the value's shape; of several outputs a dict by their names,
    and those left out weigh nothing. The derivatives, `{"x": …}`, are of their inputs' shapes.

    >>> vjp("x^2")({"x": [1, 2, 3]}, [1, 0, 1])
    (array([1., 4., 9.]), {'x': array([2., 0., 6.])})

    A call also raises UsageError for a cotangent of another shape.
    """
    if digits is not None:
        return _with_seeds(
            digits, program, wrt, lambda point, wrt, seeds, kernels: calls.vjp(point, wrt, _each(seeds, point.graph))
        )
    return _Pulled(program, wrt)


def _each(given: Any, graph: Graph) -> list[Node]:
    """The graph of a cotangent for each output, 0 for those left out."""
    by_name = given if graph.names else {"": given}
    unknown = [name for name in by_name if name not in (graph.names or ("",))]
    if unknown:
        raise UsageError(f"there is no output '{unknown[0]}'", hint=f"the outputs are: {', '.join(graph.names)}")
    zeros = [as_constant(np.zeros(output.shape)) for output in graph.outputs]
    return weights(graph, [by_name.get(name, zero) for name, zero in zip(graph.names or ("",), zeros, strict=True)])
