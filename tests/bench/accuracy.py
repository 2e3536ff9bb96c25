"""First and second derivatives of random expressions, against mpmath at 50 digits and more.

    python tests/bench/accuracy.py [EXPRESSIONS [SEED]]

No program can do better than its arithmetic: where large contributions cancel, or where an intermediate
result is rounded that the derivative depends on steeply, digits are lost whatever the rule. So an error is
measured against the condition-aware bound

    |d| + sum over the nodes v of the derivative's graph of |value of v| * |derivative of d by v|,

what d changes, to first order, when each node is off by its own size: the running error bound of Linnainmaa
(1976) and Iri (1984) without its machine epsilon. Inputs and constants are exact, and do not count. The
goals are 1e-12 of it for a first derivative and 1e-10 for a second. Beside them stands the share of those
that are as near to the exact number itself, which needs no trust in a bound, and has no goal.

The exact numbers come from differences of mpmath's values with 600 digits, at the point's own floats, so
that none of our rules takes part. Points where a value is not finite or larger than 1e100 are drawn again.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from mpmath import mp, mpf

from cgcli.evaluate.constants import constant_of
from cgcli.evaluate.evaluate import evaluate, evaluate_all
from cgcli.graph.node import CONSTANT, VARIABLE, Node, constant, name_of, toposort, variables
from cgcli.lowering.lower import lower
from cgcli.ops.table import FUNCTIONS
from cgcli.syntax.parser import parse
from cgcli.transform.differentiate import adjoints, vjp

sys.path.insert(0, str(Path(__file__).parent.parent.parent))  # the tests' own modules

GOALS = {1: 1e-12, 2: 1e-10}
NAMES = ("x", "y", "z")
DEEP = 4
DIGITS, STEP = 600, 120  # differences are then exact to 200 digits behind the point
_NOTHING = 1e-200
_NAME = re.compile(rf"\b[{''.join(NAMES)}]\b")

# What expressions are made of, and how often. Steps have no derivative, and choices are tested elsewhere.
UNARY = [
    "exp", "expm1", "exp2", "ln", "log1p", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh",
    "cosh", "tanh", "asinh", "acosh", "atanh", "sqrt", "cbrt", "abs", "erf", "erfc", "gamma", "lgamma",
    "digamma", "sinc", "sigmoid", "softplus", "relu", "silu", "gelu", "elu", "leaky_relu", "sec", "csc", "cot",
]  # fmt: skip
BINARY = ["+", "-", "*", "/", "+", "-", "*", "/", "^", "hypot", "atan2", "logaddexp", "xlogy", "max", "min", "mod"]


class Error(NamedTuple):
    """One derivative's error, relative to the bound and to the exact number, and where it is."""

    of_bound: float
    of_exact: float
    text: str


def expression(random: Random, depth: int) -> str:
    """A random expression of the language, of the names and of numbers; what has no name in it is a number."""
    text = _composed(random, depth) if depth and random.random() > 0.08 else random.choice([*NAMES, *NAMES, "1"])
    return text if _NAME.search(text) else f"{random.uniform(0, 5):.{random.randint(0, 3)}f}"


def _composed(random: Random, depth: int) -> str:
    if random.random() < 0.4:
        return f"{random.choice(UNARY)}({expression(random, depth - 1)})"
    symbol = random.choice(BINARY)
    left, right = expression(random, depth - 1), expression(random, depth - 1)
    if symbol == "^":
        return f"({left})^{random.randint(-3, 4)}" if random.random() < 0.7 else f"(({left})^2 + 1)^({right})"
    return f"{symbol}({left}, {right})" if symbol.isalnum() else f"({left} {symbol} {right})"


class NotHereError(Exception):
    """The function has no finite derivative at this point, or none that numbers can hold."""


def exact_value(order: Sequence[Node], point: Mapping[str, Any]) -> Any:
    """The value of the last node in mpmath's numbers."""
    from tests.reference_values import reference

    values: dict[Node, Any] = {}
    for node in order:
        if node.op is CONSTANT:
            values[node] = mpf(float(constant_of(node)))
        elif node.op is VARIABLE:
            values[node] = point[name_of(node)]
        else:
            name = node.op.name + "..." * node.op.variadic
            try:
                value = reference(name)(*(values[arg] for arg in node.args), *node.params)
            except (ValueError, ZeroDivisionError, OverflowError) as error:
                raise NotHereError from error
            if not mp.isfinite(value) or mp.im(value):
                raise NotHereError
            values[node] = mp.re(value)
    return values[order[-1]]


def exact_derivative(order: Sequence[Node], point: Mapping[str, Any], names: Sequence[str]) -> Any:
    """The derivative by some names, one after the other, by central differences of very many digits."""
    step = mpf(10) ** -STEP
    total = mpf(0)
    for signs in np.ndindex((2,) * len(names)):
        moved = dict(point)
        for name, sign in zip(names, signs, strict=True):
            moved[name] = moved[name] + (step if sign else -step)
        total += (-1) ** (len(names) - sum(signs)) * exact_value(order, moved)
    return total / (2 * step) ** len(names)


def bound(derivative: Node, point: Mapping[str, Any]) -> float:
    """The condition-aware bound of a derivative's error, without the machine epsilon."""
    inputs = variables(toposort([derivative]))
    moving = adjoints([derivative], [constant(1.0)], inputs)
    nodes = [node for node in moving if node.args]
    (value,) = evaluate([derivative], point)
    terms = zip(evaluate(nodes, point), evaluate([moving[node] for node in nodes], point), strict=True)
    with np.errstate(all="ignore"):
        sizes = [abs(float(one * other)) for one, other in terms]
    return abs(float(value)) + sum(size for size in sizes if math.isfinite(size))


def errors(text: str, random: Random) -> dict[int, Error]:
    """The error of a first and of a second derivative, by random names at a random point. Raises NotHereError."""
    output = lower(parse(text, functions=FUNCTIONS.__contains__), {}).output
    order = toposort([output])
    inputs = variables(order)
    if not inputs:
        raise NotHereError
    point = {name_of(node): np.float64(random.uniform(-3, 3)) for node in inputs}
    if not all(abs(value) < 1e100 for value in evaluate_all([output], point).values()):
        raise NotHereError
    exactly = {name: mpf(float(value)) for name, value in point.items()}
    derivative, names = output, []
    found = {}
    for times in GOALS:
        node = random.choice(inputs)
        names.append(name_of(node))
        (derivative,) = vjp(derivative, constant(1.0), [node])
        (ours,) = evaluate([derivative], point)
        truth = exact_derivative(order, exactly, names)
        allowed = bound(derivative, point)
        if not (math.isfinite(ours) and allowed < 1e100 and abs(truth) < 1e100):
            raise NotHereError
        wrong = abs(mpf(float(ours)) - truth)
        place = f"by {' and '.join(names)} of {text} at {', '.join(f'{k}={float(v)!r}' for k, v in point.items())}"
        found[times] = Error(_ratio(wrong, allowed), _ratio(wrong, abs(truth)), place)
    return found


def _ratio(error: Any, size: Any) -> float:
    """An error relative to a size; what the exact differences do not show is none."""
    if error < _NOTHING:
        return 0.0
    return float(error / mpf(size)) if size else math.inf


def main() -> int:
    """Print the shares and the worst; 1 when one is over its goal."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    random = Random(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    mp.dps = DIGITS
    results: list[dict[int, Error]] = []
    while len(results) < count:
        try:
            results.append(errors(expression(random, DEEP), random))
        except NotHereError:
            continue
    missed = 0
    for times, goal in GOALS.items():
        column = [result[times] for result in results]
        over = [error for error in column if error.of_bound > goal]
        near = sum(error.of_exact <= goal for error in column)
        worst = max(column)
        print(f"order {times}: {count - len(over)} of {count} within {goal} of the bound, {near} of the number itself")
        print(f"  worst {worst.of_bound:.2g} of the bound, {worst.of_exact:.2g} of the number, {worst.text}")
        for error in sorted(over)[::-1][:10]:
            print(f"  over  {error.of_bound:.2g}, {error.of_exact:.2g}, {error.text}")
        missed += len(over)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
