"""What the tests of the table share: programs to numbers, derivatives as matrices, sample points, errors."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import Node, constant, constant_array, variable
from cgcli.graph.operation import Interval, Operation, Rule
from cgcli.lowering.lower import lower
from cgcli.ops.integrals import ENTRIES as INTEGRALS
from cgcli.ops.table import FUNCTIONS, operations
from cgcli.syntax.parser import parse
from cgcli.transform.differentiate import jvp, vjp

Array = NDArray[np.float64]
Bindings = Mapping[str, Any]

NAMES = [operation.name for operation in operations()]


def key(operation: Operation) -> str:
    """A name for an entry that no other has: `max` is a reduction, `max...` takes any number of arguments."""
    return operation.name + "..." * (operation.variadic and NAMES.count(operation.name) > 1)


# Their references take mpmath long: test_definitions.py tries them, at fewer points than others.
APART = {operation.name for operation in INTEGRALS if isinstance(operation, Operation)}
ELEMENTWISE = {
    key(operation): operation for operation in operations() if operation.elementwise and operation.name not in APART
}
OTHERS = {key(operation): operation for operation in operations() if not operation.elementwise}


def float64(value: Any) -> Any:
    """A value as the evaluator takes it: a numpy scalar, or an array of float64."""
    return np.asarray(value, dtype=np.float64)[()]


def node(program: str, bindings: Bindings) -> Node:
    """The node of a program whose inputs have the shapes of the bindings."""
    return lower(
        parse(program, functions=FUNCTIONS.__contains__), {name: np.shape(value) for name, value in bindings.items()}
    ).output


def value(output: Node, bindings: Bindings) -> Any:
    """The value of one node."""
    return evaluate([output], {name: float64(item) for name, item in bindings.items()})[0]


def inputs(bindings: Bindings) -> list[Node]:
    """The variables that the bindings fill."""
    return [variable(name, np.shape(item)) for name, item in bindings.items()]


def literal(array: Any) -> Node:
    """A constant node with the numbers of an array."""
    data = np.asarray(array, dtype="<f8")
    return constant_array(data.tobytes(), data.shape) if data.shape else constant(float(data))


def ones(output: Node) -> Node:
    """The cotangent that adds all elements up."""
    return literal(np.ones(output.shape))


def reverse(output: Node, cotangent: Any, bindings: Bindings) -> list[Any]:
    """The adjoint of each binding, by the reverse pass."""
    return [value(adjoint, bindings) for adjoint in vjp(output, literal(cotangent), inputs(bindings))]


def forward(output: Node, tangents: Mapping[str, Any], bindings: Bindings) -> Any:
    """The tangent of the output, by the forward pass."""
    moved = {variable(name, np.shape(bindings[name])): literal(item) for name, item in tangents.items()}
    return value(jvp(output, moved), bindings)


def both_modes(output: Node, cotangent: Any, bindings: Bindings) -> tuple[list[Array], list[Array]]:
    """The gradient of the weighted output: by one reverse pass, and by a forward pass for each element."""
    backward = reverse(output, cotangent, bindings)
    onward = []
    for name, item in bindings.items():
        one = variable(" tangent", np.shape(item))
        pushed = jvp(output, {variable(name, one.shape): one})
        columns = []
        for place in range(np.size(item)):
            unit = np.zeros(np.shape(item))
            unit.flat[place] = 1.0
            columns.append(np.sum(cotangent * value(pushed, {**bindings, " tangent": unit})))
        onward.append(np.reshape(np.array(columns), np.shape(item)))
    return backward, onward


def gap(ours: Any, truth: Any, floor: float = 1e-300) -> float:
    """The largest error, relative to the largest magnitude around it or to the floor.

    inf when a nan or an inf is out of place.
    """
    ours, truth = np.asarray(ours, float), np.asarray(truth, float)
    if ours.shape != truth.shape:
        return math.inf
    finite = np.isfinite(truth)
    same = (ours == truth) | (np.isnan(ours) & np.isnan(truth))
    if not np.all(same | finite):
        return math.inf
    scale = max(np.max(np.abs(truth[finite]), initial=0.0), floor)
    errors = np.abs(ours[finite] - truth[finite]) / scale
    return float(np.max(np.nan_to_num(errors, nan=math.inf), initial=0.0))


def worst_gap(ours: Any, truth: Any, floor: float) -> float:
    """The largest error of many numbers, each relative to its own size or to the floor."""
    return max(map(lambda a, b: gap(a, b, floor), np.ravel(ours), np.ravel(truth)), default=0.0)


# ---- sample points --------------------------------------------------------------------


def magnitudes(count: int, rng: np.random.Generator, low: float = -300.0, high: float = 300.0) -> Array:
    """Positive numbers of every size: half of them ordinary, half log-uniform over the whole range."""
    ordinary = 10.0 ** rng.uniform(max(low, -3), min(high, 3), count // 2)
    return np.concatenate([ordinary, 10.0 ** rng.uniform(low, high, count - count // 2)])


def samples(interval: Interval, count: int, rng: np.random.Generator) -> Array:
    """Points all over an interval: near its edges and 0, whole and half numbers, of every magnitude and sign."""
    low, high = interval
    sizes = magnitudes(count, rng)
    parts = [sizes, -sizes, np.arange(-20, 21) / 2.0, rng.uniform(-30, 30, count // 2)]
    for edge in (low, high):
        if math.isfinite(edge):
            near = magnitudes(count // 4, rng, -17, 0) * max(abs(edge), 1.0)
            parts += [edge + near, edge - near]
    if math.isfinite(low) and math.isfinite(high):
        parts.append(rng.uniform(low, high, count))
    points = np.concatenate(parts)
    points = points[(points > low) & (points < high)]
    return rng.choice(points, min(count, len(points)), replace=False)


def argument_names(operation: Operation, count: int = 3) -> list[str]:
    """Names for the arguments of an elementwise operation."""
    return [f"x{at}" for at in range(count)] if operation.variadic else list(operation.arrays)


def intervals(operation: Operation, count: int = 3) -> tuple[Interval, ...]:
    """Where each argument is sampled."""
    samples = operation.samples
    return tuple(samples[min(at, len(samples) - 1)] for at in range(count)) if operation.variadic else samples


def defaults(operation: Operation) -> tuple[Any, ...]:
    """The static parameters of an elementwise operation that nobody gave."""
    return tuple(static.convert(static.default, ((),)) for static in operation.statics)


def tame_points(operation: Operation, count: int, rng: np.random.Generator) -> list[Array]:
    """Ordinary points for each argument, inside the domain and away from every kink and edge."""
    columns = []
    for low, high in intervals(operation):
        low, high = max(low, -4.0), min(high, max(low, -4.0) + 8.0)
        columns.append(rng.uniform(low + 0.03 * (high - low), high - 0.03 * (high - low), count))
    return columns


def with_rules(operation: Operation, *rules: Rule | None) -> Operation:
    """The operation with other derivative rules."""
    other = copy.copy(operation)
    vars(other)["rules"] = rules
    return other


def differentiable(operation: Operation) -> list[int]:
    """The positions of the arguments that have a derivative."""
    count = len(argument_names(operation)) if operation.elementwise else len(operation.arrays)
    return [at for at in range(count) if operation.rule(at) is not None]
