"""Graphs of one structure, made for several sets of sizes, as graphs whose numbers are expressions in the sizes."""

from __future__ import annotations

import operator
from fractions import Fraction
from itertools import combinations
from math import prod

from cgcli.algebra.algebraic import simplify
from cgcli.algebra.coefficient import Number, UnwritableError, number_node, uniform_number
from cgcli.annotations import Iterator, Mapping, Sequence
from cgcli.errors import UsageError
from cgcli.graph.node import CONSTANT, Graph, Node, apply, constant, variable
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, POWER_OP, SUBTRACT
from cgcli.ops.fitting import broadcast
from cgcli.transform.substitute import replaced

Sizes = Mapping[str, int]

OTHER_PARTS = "it has other parts at other sizes"


def refusal(sizes: Sizes, why: str) -> UsageError:
    """The error where no formula holds for all sizes."""
    given = " ".join(f"{name}={at}" for at, name in enumerate(sizes, 3))
    return UsageError(f"no one formula holds for all sizes {', '.join(sizes)}: {why}", hint=f"give numbers: {given}")


def with_expressions(graphs: Sequence[Graph], sets: Sequence[Sizes]) -> list[Graph]:
    """The graphs, with expressions in the sizes for the numbers in which they differ.

    sets: the sizes of each; the first are primes. Raises UsageError.
    """
    become: dict[tuple[Node, ...], tuple[Node, ...]] = {}
    outputs = [*zip(*(graph.outputs for graph in graphs), strict=True)]
    stack = [*outputs]
    while stack:
        nodes = stack[-1]
        if nodes not in become:
            if len({(node.op, len(node.args)) for node in nodes}) > 1:
                raise refusal(sets[0], OTHER_PARTS)
            args = [*zip(*(node.args for node in nodes), strict=True)]
            if waiting := [arg for arg in args if arg not in become]:
                stack += waiting
                continue
            become[nodes] = _one(nodes, [become[arg] for arg in args], sets)
        stack.pop()
    of_each = [{nodes[at]: found[at] for nodes, found in become.items()} for at in range(len(graphs))]
    return [
        replaced(graph, each)._replace(outputs=tuple(become[nodes][at] for nodes in outputs))
        for at, (graph, each) in enumerate(zip(graphs, of_each, strict=True))
    ]


def _one(nodes: tuple[Node, ...], args: Sequence[tuple[Node, ...]], sets: Sequence[Sizes]) -> tuple[Node, ...]:
    """What the nodes of the graphs that correspond become, when their arguments have become others."""
    if args:
        return tuple(apply(node.op, of, node.params) for node, of in zip(nodes, zip(*args, strict=True), strict=True))
    if nodes[0].op is not CONSTANT or len(set(nodes)) == 1:
        return nodes
    numbers = [*map(uniform_number, nodes)]
    if None in numbers:
        raise refusal(sets[0], "an array in it would be listed number by number")
    found = expression([number for number in numbers if number is not None], sets)
    return tuple(broadcast(found, node.shape) for node in nodes)


def expression(values: Sequence[Number], sets: Sequence[Sizes]) -> Node:
    """The expression in the sizes that has these values for the sets; the first are primes.

    It is a product of their powers, times a number, or times what is linear in one of them, or in a product, a sum
    or a difference of two, or divided by it. Raises UsageError where none is found.
    """
    powers = {name: _power(values[0], prime) for name, prime in sets[0].items()}
    factors = [Fraction(prod(Fraction(sizes[name]) ** power for name, power in powers.items())) for sizes in sets]
    rest = [value / factor for value, factor in zip(values, factors, strict=True)]
    try:
        node = _linear(rest, sets)
        if node is None and all(rest) and (below := _linear([1 / value for value in rest], sets)):
            node = apply(DIVIDE, (constant(1.0), below))
    except UnwritableError:
        node = None
    if node is None:
        raise refusal(sets[0], f"{values[0]} in it is no expression in them")
    for name, power in powers.items():
        node = apply(MULTIPLY, (node, apply(POWER_OP, (variable(name), constant(float(power))))))
    return simplify(Graph((node,))).output


def _power(number: Number, prime: int) -> int:
    """The power of a prime in a number; below 0 where its denominator has it."""
    rest, sign = (number.denominator, -1) if number.denominator % prime == 0 else (number.numerator, 1)
    count = 0
    while rest and rest % prime == 0:
        rest //= prime
        count += sign
    return count


def _linear(values: Sequence[Fraction], sets: Sequence[Sizes]) -> Node | None:
    """A number, or a linear expression in a size, or in a product, sum or difference of two, with these values."""
    for unit, at in [(constant(1.0), [1] * len(sets)), *_units(sets)]:
        slope = (values[1] - values[0]) / ((at[1] - at[0]) or 1)
        offset = values[0] - slope * at[0]
        if all(value == slope * number + offset for value, number in zip(values, at, strict=True)):
            return apply(ADD, (apply(MULTIPLY, (number_node(slope), unit)), number_node(offset)))
    return None


def _units(sets: Sequence[Sizes]) -> Iterator[tuple[Node, list[int]]]:
    """What may stand in a linear expression, with its values."""
    for name in sets[0]:
        yield variable(name), [sizes[name] for sizes in sets]
    for op, compute in ((MULTIPLY, operator.mul), (ADD, operator.add), (SUBTRACT, operator.sub)):
        for one, other in combinations(sets[0], 2):
            yield apply(op, (variable(one), variable(other))), [compute(sizes[one], sizes[other]) for sizes in sets]
