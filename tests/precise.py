"""Programs a second time, by mpmath, over the real numbers: what has no real value is nan.

Numbers are read as they are written: 0.1 is one tenth, and `pi`, `e` are the constants themselves. Where a difference
cancels to nothing but rounding it is 0, and numbers so near are equal, so that a step or a condition takes the side
that it has with all digits, and ln(x) is 0, where x is so near to 1. All is computed with the digits that
`mp.workdps` sets, three quarters of which count.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from mpmath import mp, mpc, mpf

import cgcli
from cgcli.graph.node import CONSTANT, VARIABLE, Graph, Node, constant_elements, name_of, toposort
from cgcli.graph.operation import Operation, Params
from cgcli.ops.table import CONSTANTS
from tests.reference_values import VALUES

DIGITS = 80  # enough for most
_SMOOTH = mpf(10) ** -9  # how near differences from both sides are to each other where there is no kink
_LARGEST = mpf(10) ** 40  # of a sine's argument, an exponential's: beyond, digits or memory are gone
_NAN = mpf("nan")


class UndecidedError(ArithmeticError):
    """This evaluator has no value for an operation, or not enough digits."""


def graph_of(text: str) -> Graph:
    """A program as a graph in which the constants of the language are names, which `values` fills."""
    program = cgcli.parse(text)
    return program.graph({name: () for name in program.open_names if name in CONSTANTS and name not in program.shapes})


def values(graph: Graph, point: Mapping[str, Any]) -> list[Any]:
    """The outputs at a point: numbers of mpmath, and numpy's arrays of them. Raises UndecidedError."""
    found: dict[Node, Any] = {}
    for node in toposort(graph.outputs):
        if node.op is CONSTANT:
            found[node] = _shaped(node, [mpf(repr(number)) for number in constant_elements(node)])
        elif node.op is VARIABLE:
            name = name_of(node)
            found[node] = np.asarray(point[name], dtype=object)[()] if name in point else _named(name)
        else:
            found[node] = np.asarray(_applied(node.op, [found[arg] for arg in node.args], node.params))[()]
    return [found[output] for output in graph.outputs]


def is_whole(graph: Graph, point: Mapping[str, Any]) -> bool:
    """Whether every part of a program has a real value at a point, those of branches not taken included."""
    parts = Graph(tuple(toposort(graph.outputs)))
    return not any(mp.isnan(number) for value in values(parts, point) for number in np.ravel(value))


def slopes(graph: Graph, point: Mapping[str, Any], name: str) -> list[Any]:
    """The derivatives by each element of an input, by differences; nan where those from both sides differ."""
    here = values(graph, point)[0]
    size = mpf(10) ** (-mp.dps // 3)
    found = []
    for place in np.ndindex(np.shape(point[name])):
        sides = []
        for step in (size, -size):
            moved = np.array(point[name], dtype=object)
            moved[place] = moved[place] + step
            sides.append((values(graph, {**point, name: moved[()]})[0] - here) / step)
        smooth = abs(sides[0] - sides[1]) <= _SMOOTH * max(1, abs(sides[0]))
        found.append((sides[0] + sides[1]) / 2 if smooth else _NAN)
    return found


def exactly(point: Mapping[str, Any]) -> dict[str, Any]:
    """Floats, and arrays of them, as numbers of mpmath, without rounding."""
    return {name: _each(mpf)(np.asarray(value, dtype=object)) for name, value in point.items()}


def is_near(x: Any, y: Any) -> bool:
    """Whether two numbers differ by rounding alone."""
    return bool(abs(x - y) <= _near() * max(abs(x), abs(y)))


def _near() -> Any:
    """The relative difference of numbers that are equal but for rounding."""
    return mpf(10) ** (-3 * mp.dps // 4)


def _named(name: str) -> Any:
    known = {"pi": mp.pi, "e": mp.e, "tau": 2 * mp.pi, "deg": mp.pi / 180, "inf": mp.inf, "nan": mp.nan}
    return +known[name]


def _shaped(node: Node, elements: list[Any]) -> Any:
    array = np.empty(len(elements), dtype=object)
    array[:] = elements
    return array.reshape(node.shape)[()] if node.shape else elements[0]


def _applied(op: Operation, args: list[Any], params: Params) -> Any:
    if op.elementwise:
        return np.frompyfunc(lambda *numbers: _number(op, numbers, params), len(args), 1)(*args)
    function = _OTHERS.get(op.name)
    try:
        return (function or op.kernel)(*(np.asarray(arg, dtype=object) for arg in args), *params)
    except (TypeError, AttributeError) as error:
        raise UndecidedError(op.name) from error


def _number(op: Operation, args: tuple[Any, ...], params: Params) -> Any:
    """An elementwise operation on numbers."""
    args = tuple(map(mpf, args))
    if op.name not in _OF_TRUTHS and any(map(mp.isnan, args)):
        return _NAN
    if op.name in _GROWING and any(abs(arg) > _LARGEST for arg in args):
        raise UndecidedError(op.name)
    try:
        result = _special(op, args, params)
    except (ValueError, ZeroDivisionError, OverflowError):
        return _NAN
    return _NAN if isinstance(result, mpc) or mp.isinf(result) else result


_OF_TRUTHS = {"where", "less", "greater", "less_equal", "greater_equal", "equal", "not_equal", "and", "or", "not"}
_GROWING = {"exp", "expm1", "exp2", "sinh", "cosh", "tanh", "sin", "cos", "tan", "sec", "csc", "cot", "gamma", "lgamma",
            "factorial", "sigmoid", "silu", "softplus", "logaddexp", "erf", "erfc", "gelu", "power", "sinc",
            "digamma"}  # fmt: skip

# Where these are 0, or their domain ends, their argument is 1 or another whole number: ln(1 + 1e-80) is 0.
_WHOLE_EDGES = {"ln", "log2", "log10", "asin", "acos", "acosh", "atanh", "gamma", "factorial", "lgamma", "digamma"}


def _special(op: Operation, args: tuple[Any, ...], params: Params) -> Any:
    """An operation on numbers, what is equal but for rounding taken as equal."""
    key = op.name + "..." * op.variadic
    if op.name in ("add", "subtract"):
        x, y = args[0], args[1] if op.name == "add" else -args[1]
        return mpf(0) if is_near(x, -y) else x + y
    if len(args) == 2 and op.name in _OF_TRUTHS and is_near(*args):
        return VALUES[key](mpf(1), mpf(1)) if op.name not in ("and", "or") else VALUES[key](*args)
    if op.name in ("floor", "ceil", "trunc", "round") and is_near(args[0], mp.nint(args[0])):
        return mp.nint(args[0])
    if op.name in ("mod", "fmod", "floor_divide") and args[1]:
        whole = mp.nint(args[0] / args[1])
        if is_near(args[0], whole * args[1]):
            return whole if op.name == "floor_divide" else mpf(0)
    if op.name == "power" and is_near(args[1], mp.nint(args[1])):
        return VALUES["power"](args[0], mp.nint(args[1]))
    if op.name in _WHOLE_EDGES and is_near(args[0], mp.nint(args[0])):
        args = (mp.nint(args[0]), *args[1:])
    result = VALUES[key](*args, *(mpf(repr(param)) if isinstance(param, float) else param for param in params))
    if op.name in ("sin", "cos", "tan", "cot") and abs(result) < _near() * max(1, abs(args[0])):
        return mpf(0)
    return result


# ---- operations on arrays whose kernels take floats alone -------------------------------


def _each(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    each: Callable[[Any], Any] = np.frompyfunc(function, 1, 1)
    return each


def _matrix(array: Any) -> Any:
    return mp.matrix(array.tolist())


def _array(matrix: Any, shape: tuple[int, ...]) -> Any:
    return np.array(matrix.tolist(), dtype=object).reshape(shape)


def _inv(a: Any) -> Any:
    if a.ndim != 2:
        raise UndecidedError("inv")
    matrix = _matrix(a)
    if not abs(mp.det(matrix)) > _near() * mp.mnorm(matrix, "f") ** len(a):  # singular, but for rounding
        return np.full(a.shape, _NAN)
    return _array(matrix**-1, a.shape)


def _det(a: Any) -> Any:
    if a.ndim != 2:
        raise UndecidedError("det")
    return mp.det(_matrix(a))


def _logdet(a: Any) -> Any:
    found = _det(a)
    return mp.ln(found) if found > 0 else _NAN


def _logsumexp(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    top = np.max(x, axis=axes, keepdims=True)
    total = _each(mp.ln)(np.sum(_each(mp.exp)(x - top), axis=axes, keepdims=True)) + top
    return total if keepdims else np.sum(total, axis=axes)


def _var(x: Any, axes: tuple[int, ...], keepdims: bool, ddof: Any) -> Any:
    count = math.prod(x.shape[axis] for axis in axes)
    away = x - np.sum(x, axis=axes, keepdims=True) / count
    return np.sum(away * away, axis=axes, keepdims=keepdims) / (count - mpf(ddof))


def _norm(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    return _each(mp.sqrt)(np.sum(x * x, axis=axes, keepdims=keepdims))


def _cofactor(a: Any) -> Any:
    if a.ndim != 2:
        raise UndecidedError("cofactor")
    minors = [_det(np.delete(np.delete(a, row, 0), column, 1)) * (-1) ** (row + column)
              for row, column in np.ndindex(a.shape)]  # fmt: skip
    return np.array(minors, dtype=object).reshape(a.shape)


_OTHERS: dict[str, Callable[..., Any]] = {
    "inv": _inv,
    "det": _det,
    "logdet": _logdet,
    "solve": lambda a, b: _inv(a) @ b,
    "cofactor": _cofactor,
    "logsumexp": _logsumexp,
    "norm": _norm,
    "var": _var,
    "std": lambda *args: _each(mp.sqrt)(_var(*args)),
    "softmax": lambda x, axis: _each(mp.exp)(x - _logsumexp(x, (axis,), True)),
    "log_softmax": lambda x, axis: x - _logsumexp(x, (axis,), True),
}
