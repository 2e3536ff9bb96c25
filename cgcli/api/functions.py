"""Values and derivatives of programs as Python functions, compiled once and called many times."""

from __future__ import annotations

from functools import partial

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Mapping, Sequence, cast
from cgcli.api import calls
from cgcli.api.arguments import holding_kinds
from cgcli.api.notices import tell
from cgcli.api.point import Point
from cgcli.api.prepared import Function, Pulled, Pushed, names_of
from cgcli.api.program import Program
from cgcli.api.remade import remade
from cgcli.api.seeds import tangents, weights
from cgcli.api.series import series
from cgcli.errors import UsageError
from cgcli.evaluate.constants import as_constant
from cgcli.graph.node import Graph, Node
from cgcli.graph.shapes import shape_of
from cgcli.ops.lazily import np

if TYPE_CHECKING:
    from cgcli.api.prepared import Directions, Make, Wrt
    from cgcli.derivatives.jacobian import Mode

MAX_ORDER = 170  # the factorial of more is no float64


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


@remade
@holding_kinds
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


@remade
@holding_kinds
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


@remade
@holding_kinds
def grad(program: Program | str, wrt: Wrt = None, *, digits: int | None = None) -> Function:
    """The derivatives alone: `{"x": …}`, each of its input's shape; see `value_and_grad`.

    >>> grad("sum((X@w - y)^2)", "w")(X=[[1, 2], [3, 4]], w=[0, 0], y=[1, 1])
    {'w': array([ -8., -12.])}
    """
    if digits is not None:
        return _with_digits(digits, program, wrt, lambda point, wrt, seeds, kernels: calls.grad(point, wrt))
    return Function(program, wrt, calls.grad)


@remade
@holding_kinds
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


@remade
@holding_kinds
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


@remade
@holding_kinds
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
    return Pushed(program, lambda point, _, directions: calls.jvp(point, *directions))


@remade
@holding_kinds
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
                point, [tangents(point, each) for each in _as_many(seeds, order)], tell, kernels=kernels
            ),
        )  # fmt: skip
    return Pushed(program, lambda point, _, directions: series(point, _as_many(directions, order), tell))


def _as_many(directions: Any, order: int) -> Sequence[Any]:
    """A direction for each order: the only one again, or those that are given."""
    several = [directions] if isinstance(directions, Mapping) else list(directions)
    if len(several) not in (1, order):
        raise UsageError(f"there are {len(several)} directions for derivatives of order {order}",
                         hint="give one, or as many as the order")  # fmt: skip
    return several * order if len(several) == 1 else several


@remade
@holding_kinds
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
    return Pushed(program, lambda point, wrt, directions: make(point, wrt, *directions), wrt)


def check_order(order: Any) -> None:
    """Raise UsageError for an order of derivatives that is no whole number from 1 to 170."""
    if not isinstance(order, int) or not 1 <= order <= MAX_ORDER:
        raise UsageError(f"the order of a derivative is a whole number from 1 to {MAX_ORDER}, not {order!r}")


@remade
@holding_kinds
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
    return Pulled(program, wrt)


def _each(given: Any, graph: Graph) -> list[Node]:
    """The graph of a cotangent for each output, 0 for those left out."""
    by_name = given if graph.names else {"": given}
    unknown = [name for name in by_name if name not in (graph.names or ("",))]
    if unknown:
        raise UsageError(f"there is no output '{unknown[0]}'", hint=f"the outputs are: {', '.join(graph.names)}")
    zeros = [as_constant(np.zeros(output.shape)) for output in graph.outputs]
    return weights(graph, [by_name.get(name, zero) for name, zero in zip(graph.names or ("",), zeros, strict=True)])
