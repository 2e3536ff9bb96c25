"""Exact simplification: never changes a value, nan, infinities and signed zeros included.

`exact` builds one node and applies the rules to it; derivatives are built with it, so that
they come out without `1*` and with their constants folded. `rebuilt(graph, exact)` does it to a graph.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable, Mapping
from cgcli.evaluate.constants import OF_RULES, SYMBOLIC, computed, constant_of
from cgcli.graph.node import CONSTANT, Node, apply, constant, constant_value, interned
from cgcli.graph.operation import CHOOSES, COUNTS, Operation, Params
from cgcli.lean import struct
from cgcli.ops.arithmetic import (
    ADD,
    DIVIDE,
    EQUAL_TO,
    MULTIPLY,
    NEG,
    POWER_OP,
    SQRT,
    SUBTRACT,
)
from cgcli.ops.fitting import broadcast, repeated
from cgcli.ops.logic import AND_OP, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, NOT_EQUAL, WHERE


def _itself(x: Node) -> Node:
    return x


def _zero(x: Node) -> Node:
    return broadcast(constant(0.0), x.shape)


def _negative(x: Node) -> Node:
    return exact(NEG, (x,))


_PIECES = frozenset({"index", "reshape"})  # by name: their modules are imported when first used
_LARGEST_WHOLE = 2.0**53
_ARITHMETIC = frozenset({ADD, SUBTRACT, MULTIPLY, DIVIDE, NEG})
_LITTLE = 16
_COMPARISONS = frozenset({EQUAL_TO, NOT_EQUAL, LESS, GREATER, LESS_EQUAL, GREATER_EQUAL})
_ROUNDING = 1e-9

_Bits = bytes  # of a constant: 0 and -0 are different numbers here
_ZERO, _MINUS_ZERO, _ONE, _MINUS_ONE = (struct.pack("<d", number) for number in (0.0, -0.0, 1.0, -1.0))

# What an operation with a constant on its right makes of its left side x.
_ON_THE_RIGHT: Mapping[tuple[Operation, _Bits], Callable[[Node], Node]] = {
    (MULTIPLY, _ONE): _itself,  # x*1 = x
    (DIVIDE, _ONE): _itself,  # x/1 = x
    (POWER_OP, _ONE): _itself,  # x^1 = x
    (SUBTRACT, _ZERO): _itself,  # x - 0 = x; but -0 - (-0) = 0
    (ADD, _MINUS_ZERO): _itself,  # x + (-0) = x; but -0 + 0 = 0
    (MULTIPLY, _MINUS_ONE): _negative,  # x*(-1) = -x
}
# The same with the constant on its left, and x on its right.
_ON_THE_LEFT: Mapping[tuple[Operation, _Bits], Callable[[Node], Node]] = {
    (MULTIPLY, _ONE): _itself,  # 1*x = x
    (ADD, _MINUS_ZERO): _itself,  # -0 + x = x
    (AND_OP, _ZERO): _zero,  # 0 and x = 0
    (MULTIPLY, _MINUS_ONE): _negative,  # (-1)*x = -x
}


def exact(op: Operation, args: tuple[Node, ...], params: Params = ()) -> Node:
    """The node `op(*args)`, or a simpler one that has the same value for every input."""
    if op is NEG and args[0].op is NEG:  # --x = x
        return args[0].args[0]
    if op is WHERE and (condition := _everywhere(args[0])) is not None:  # where(1, x, y) = x, where(0, x, y) = y
        return broadcast(args[1] if condition != 0 else args[2], apply(op, args, params).shape)
    if not op.elementwise:
        return apply(op, args, params) if op.name not in _PIECES else _piece(op, args[0], params)
    for arg in args:
        if arg.shape or arg.op is CONSTANT:
            break
    else:
        return interned(op, args, params)
    if not any(repeated(arg).op is CONSTANT for arg in args):
        return apply(op, args, params)
    if len(args) == 2 and (simpler := _with_constant(op, *args)) is not None:
        return simpler
    if all(arg.op is CONSTANT and not arg.shape for arg in args):
        return _folded(op, args, params)
    if op.truth and op in _COMPARISONS and (holds := _decided(op, *args)) is not None:
        return constant(holds)
    return apply(op, args, params)


def _piece(op: Operation, x: Node, params: Params) -> Node:
    """An index or a reshape; what it takes of a list or of joined arrays, where that is just one of them."""
    node = apply(op, (x,), params)
    if op.name == "reshape":
        return x.args[0] if x.op is op and x.args[0].shape == node.shape else node
    is_list = x.op.name == "stack"
    if not (is_list or x.op.name == "concat") or not _is_of_last_axis(x, params[0]):
        return node
    key: Any = params[0]
    item = key[-1]
    begin, size = (item, 1) if isinstance(item, int) else item[:2]
    if (is_list and not isinstance(item, int)) or (size > 1 and item[2] != 1):
        return node
    at = 0
    for part in x.args:
        length = 1 if is_list else part.shape[-1]
        if (at, length) == (begin, size):
            laid_out = part.args[0] if part.op.name in ("reshape", "broadcast") else part  # a number in a row of one
            return next((found for found in (part, laid_out) if found.shape == node.shape), node)
        at += length
    return node


def _is_of_last_axis(x: Node, key: Any) -> bool:
    """Whether arrays are joined along the last axis, and an index takes all of the others."""
    axis = -1 if len(x.shape) == 1 else x.params[0]
    return axis == -1 and all(key[at] == (0, size, 1) for at, size in enumerate(x.shape[:-1]))


def number_of(node: Node) -> float | None:
    """The number that a little arithmetic makes of constants alone, as 1.1 - 1; None for any other node."""
    if node.op not in _ARITHMETIC:
        return constant_value(node)
    parts: list[Node] = []
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if part.shape or (part.op is not CONSTANT and part.op not in _ARITHMETIC) or len(parts) == _LITTLE:
            return None
        parts.append(part)
        waiting += part.args
    numbers: dict[Node, float] = {}
    for part in reversed(parts):
        number = constant_value(part)
        operands = [numbers[arg] for arg in part.args]
        numbers[part] = float(computed(part.op, operands, part.params)) if number is None else number
    return numbers[node]


def _decided(op: Operation, left: Node, right: Node) -> float | None:
    """Whether a comparison of two such numbers holds; None where it is not known, or rounding may have decided."""
    if (one := number_of(left)) is None or (other := number_of(right)) is None:
        return None
    if math.isclose(one, other, rel_tol=_ROUNDING, abs_tol=_ROUNDING):
        return None
    return float(computed(op, [one, other], ()))


def _everywhere(node: Node) -> float | None:
    """The number that all elements of a node are, where it is plain to see."""
    return constant_value(repeated(node))


def _with_constant(op: Operation, left: Node, right: Node) -> Node | None:
    """What the tables say of an operation with a scalar constant on one side, or one that is repeated."""
    rule, other = _ON_THE_RIGHT.get((op, _bits(repeated(right)))), left
    if rule is None:
        rule, other = _ON_THE_LEFT.get((op, _bits(repeated(left)))), right
    return None if rule is None else broadcast(rule(other), apply(op, (left, right)).shape)


def _bits(node: Node) -> _Bits:
    """The bits of a scalar constant, none for any other node."""
    if node.op is not CONSTANT or node.shape:
        return b""
    (data,) = node.params
    assert isinstance(data, bytes)
    return data


def _folded(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """A scalar operation on constants as a constant, where that loses nothing: 2*3 is 6, but 1/3 and sqrt(2) stay.

    So does what has no finite value: whoever meets it can be told where it was born.
    """
    numbers = [float(constant_of(arg)) for arg in args]
    value = float(computed(op, numbers, params))
    return constant(value) if _loses_nothing(op, numbers, value) else apply(op, args, params)


def _loses_nothing(op: Operation, numbers: list[float], value: float) -> bool:
    """Whether a value is that of the operation in exact arithmetic, where 0.1 is a tenth, and pi no decimal number."""
    if not math.isfinite(value):
        return False
    if op.why_no_derivative or op.truth or (op.facts & CHOOSES and value in numbers):
        return True
    if not (SYMBOLIC.isdisjoint(numbers) and OF_RULES.isdisjoint(numbers)):
        return False
    if op.facts & CHOOSES:
        return True
    if op in (ADD, SUBTRACT, MULTIPLY):
        return _decimal_arithmetic(op, numbers, value)
    if abs(value) >= _LARGEST_WHOLE or not all(map(float.is_integer, [value, *numbers])):
        return False
    if op is DIVIDE:
        return value * numbers[1] == numbers[0]
    if op is POWER_OP:
        return numbers[1] >= 0
    if op is SQRT:
        return value * value == numbers[0]
    return bool(op.facts & COUNTS) or all(abs(number) <= 2 for number in numbers)  # 5!, or sin(0), ln(1)


def _decimal_arithmetic(op: Operation, numbers: list[float], value: float) -> bool:
    """Whether a sum, a difference or a product is exact for numbers as they are written: 0.1 + 0.1, and not 0.1*3."""
    if all(map(float.is_integer, numbers)):
        return abs(value) < _LARGEST_WHOLE
    (a, down), (b, less) = map(_decimal, numbers)
    whole, below = _decimal(value)
    if op is MULTIPLY:
        return bool(a * b * 10**below == whole * 10 ** (down + less))
    most = max(down, less, below)
    second = b if op is ADD else -b
    return bool(a * 10 ** (most - down) + second * 10 ** (most - less) == whole * 10 ** (most - below))


def _decimal(number: float) -> tuple[int, int]:
    """A number as it is written: n/10^k as the pair n, k."""
    digits, _, exponent = repr(number).partition("e")
    whole, _, after = digits.partition(".")
    below = len(after) - int(exponent or 0)
    return (int(whole + after), below) if below >= 0 else (int(whole + after) * 10**-below, 0)
