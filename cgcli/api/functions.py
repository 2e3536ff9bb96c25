"""Values and derivatives of programs as Python functions, compiled once and called many times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cgcli.api import calls
from cgcli.api.arguments import as_array, by_name
from cgcli.api.prepared import Point, prepare
from cgcli.api.program import Program, read
from cgcli.errors import UsageError

if TYPE_CHECKING:
    from cgcli.derivatives.jacobian import Mode

Wrt = str | Sequence[str] | None

_MOST_KEPT = 32  # compiled programs that one function keeps, for as many sets of shapes


class Function:
    """A function of the inputs of a program; `value`, `value_and_grad`, … make it.

    Call it with the inputs by name, `f(x=2, y=[1, 2])` or `f({"x": 2, "a b": 3})`: numbers,
    nested lists, numpy arrays. The first call for each set of shapes compiles the program, and
    the last 32 are kept. Results are floats and new arrays. Threads may call at the same time.

    As in numpy, nan and infinities are results like others, and nothing is said of kinks.
    A call raises UnknownNameError for names without a value and for values of names that
    the program does not have, ShapeError for shapes that do not fit, DataError for a value
    that is no array of numbers, TooLargeError beyond the bounds on memory; all are CgError.
    """

    def __init__(self, program: Program | str, wrt: Wrt, make: Callable[[Point], calls.Call]) -> None:
        self.program = read(program)
        self._wrt = (wrt,) if isinstance(wrt, str) else wrt if wrt is None else tuple(dict.fromkeys(wrt))
        self._make = make
        self._prepared = lru_cache(maxsize=_MOST_KEPT)(self._prepare)

    def __call__(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """The result at these values of the inputs."""
        return self.at(by_name(values, named))

    def at(self, values: Mapping[str, Any], direction: Sequence[Any] = ()) -> Any:
        """The result at these values. direction: the tangents, or the cotangent, that a product takes."""
        arrays = [as_array(value, f"the value of '{name}'") for name, value in values.items()]
        shapes = tuple([array.shape for array in arrays])
        return self._prepared(tuple(values), shapes)([*arrays, *direction])

    def _prepare(self, names: tuple[str, ...], shapes: tuple[tuple[int, ...], ...]) -> calls.Call:
        return self._make(prepare(self.program, dict(zip(names, shapes, strict=True)), self._wrt))

    def __repr__(self) -> str:
        return f"<function of the program {self.program.text!r}>"


def value(program: Program | str) -> Function:
    """The value of a program: a float or an array; of several outputs a dict by their names.

    >>> f = value("sqrt(x^2 + y^2)")
    >>> f(x=3, y=4)
    5.0
    >>> value("(x*y, x @ y)")(x=[1, 2], y=[3, 4])
    {'x*y': array([3., 8.]), 'x @ y': 11.0}
    """
    return Function(program, None, calls.value)


def value_and_grad(program: Program | str, wrt: Wrt = None) -> Function:
    """The value of a program, and its derivative by each input, of that input's shape: `(value, {"x": …})`.

    wrt: a name, or several; all inputs when left out. By the reverse mode: all derivatives
    together cost a few evaluations. Of several outputs, both are dicts by the outputs' names.

    >>> f = value_and_grad("ln(x1) + x1*x2 - sin(x2)")
    >>> f(x1=2, x2=5)
    (11.652071455223084, {'x1': 5.5, 'x2': 1.7163378145367738})

    A call also raises UsageError when an output is no scalar.
    """
    return Function(program, wrt, calls.value_and_grad)


def grad(program: Program | str, wrt: Wrt = None) -> Function:
    """The derivatives alone: `{"x": …}`, each of its input's shape; see `value_and_grad`.

    >>> grad("sum((X@w - y)^2)", "w")(X=[[1, 2], [3, 4]], w=[0, 0], y=[1, 1])
    {'w': array([ -8., -12.])}
    """
    return Function(program, wrt, calls.gradient)


def jacobian(program: Program | str, wrt: Wrt = None, mode: Mode = "auto") -> Function:
    """The derivatives of every element of the value: `{"x": J}`, J of the shape `value.shape + x.shape`.

    mode: "forward" takes a pass for each element of the inputs, "reverse" one for each of
    the outputs, "auto" the fewer. Of several outputs a dict by their names.

    >>> jacobian("[x*y, x + y]")(x=2, y=3)
    {'x': array([3., 1.]), 'y': array([2., 1.])}
    """
    if mode not in ("auto", "forward", "reverse"):
        raise UsageError(f"there is no mode '{mode}'", hint="known: auto, forward, reverse")
    return Function(program, wrt, calls.jacobian(mode))


def hessian(program: Program | str, wrt: Wrt = None) -> Function:
    """The second derivatives of a scalar: `{"x": {"y": H}}`, H of the shape `x.shape + y.shape`.

    By forward mode over reverse. Of several outputs a dict by their names.

    >>> hessian("x^2*y")(x=2, y=3)
    {'x': {'x': 6.0, 'y': 4.0}, 'y': {'x': 4.0, 'y': 0.0}}

    A call also raises UsageError when an output is no scalar.
    """
    return Function(program, wrt, calls.hessian)


def jvp(program: Program | str) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Any]:
    """The value, and its tangent when the inputs move: a function of the values and the tangents.

    The tangents are of their inputs' shapes; inputs without one stand still. The value's
    tangent is of its shape. Of several outputs, both are dicts by their names.

    >>> jvp("x @ y")({"x": [1, 2], "y": [3, 4]}, {"x": [1, 0]})
    (11.0, 3.0)

    A call also raises UsageError for a tangent of another shape.
    """
    parsed = read(program)

    @lru_cache(maxsize=_MOST_KEPT)
    def moving(names: tuple[str, ...]) -> Function:
        return Function(parsed, names, calls.jvp)

    def call(values: Mapping[str, Any], tangents: Mapping[str, Any]) -> Any:
        """The value and its tangent."""
        return moving(tuple(tangents)).at(values, list(tangents.values()))

    return call


def vjp(program: Program | str, wrt: Wrt = None) -> Callable[[Mapping[str, Any], Any], Any]:
    """The value, and the derivatives of its elements' weighted sum: a function of the values and the weights.

    The weights, or cotangent, are of the value's shape; of several outputs a dict by their names,
    and those left out weigh nothing. The derivatives, `{"x": …}`, are of their inputs' shapes.

    >>> vjp("x^2")({"x": [1, 2, 3]}, [1, 0, 1])
    (array([1., 4., 9.]), {'x': array([2., 0., 6.])})

    A call also raises UsageError for a cotangent of another shape.
    """
    function = Function(program, wrt, calls.vjp)

    def call(values: Mapping[str, Any], cotangent: Any) -> Any:
        """The value, and the derivatives by name."""
        return function.at(values, [cotangent])

    return call
