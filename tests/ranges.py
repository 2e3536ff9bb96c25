"""Elementwise operations, and others on top of them, over the whole range of floats: ours beside mpmath's numbers.

A derivative counts where value, gradient and second derivative are numbers that float64 holds: 0, or of a normal
size. The exact ones are differences of mpmath's values, of steps so small and with so many digits that none of our
rules takes part; those of a composition follow by the chain rule, with the same digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import numpy as np
from mpmath import mp, mpf

from cgcli.evaluate.batched import Batched
from cgcli.graph.node import Node, apply, constant, variable
from cgcli.graph.operation import Operation
from cgcli.ops.arithmetic import DIVIDE, POWER_OP, SQRT
from cgcli.ops.functions import EXP, LN
from cgcli.transform.differentiate import jvp, vjp
from tests.reference_values import reference
from tests.support import argument_names, defaults, differentiable, intervals, samples

FIRST, SECOND = 1e-8, 1e-6  # how far a derivative of each order may be off, relative to its size
_EPSILON = 2.0**-52
_TINY, _HUGE = 2.0**-1022, 1.7976931348623157e308
_SIZES = [
    *(10.0 ** np.array([-300, -200, -150, -100, -50, -20, -10, -8, -5, -3, -2, -1])),
    0.25, 0.5, 0.75, 0.9, 0.99, 1 - 1e-8, 1 - 1e-12, 1.0, 1 + 1e-12, 1 + 1e-8, 1.1, 1.5, 2.0, 2.5, 3.0, 5.0, 7.5,
    *(10.0, 20.0, 26.0, 30.0, 36.0, 40.0, 100.0, 130.0, 170.0, 300.0, 345.0, 350.0, 400.0, 500.0, 700.0, 1020.0),
    *(10.0 ** np.array([4, 5, 8, 10, 16, 50, 100, 150, 200, 300])),
]  # fmt: skip


class Outer(NamedTuple):
    """An operation on top of another: its node, and its value and two derivatives at the other's exact value."""

    node: Callable[[Node], Node]
    exact: Callable[[Any], tuple[Any, Any, Any]]


def _exp(u: Any) -> tuple[Any, Any, Any]:
    value = mp.exp(u)
    return value, value, value


def _sqrt(u: Any) -> tuple[Any, Any, Any]:
    root = mp.sqrt(u)
    return root, 1 / (2 * root), -1 / (4 * u * root)


OUTER: Mapping[str, Outer] = {
    "f": Outer(lambda f: f, lambda u: (u, mpf(1), mpf(0))),
    "ln(f)": Outer(lambda f: apply(LN, (f,)), lambda u: (mp.ln(u), 1 / u, -1 / u**2)),
    "1/f": Outer(lambda f: apply(DIVIDE, (constant(1.0), f)), lambda u: (1 / u, -1 / u**2, 2 / u**3)),
    "f^2": Outer(lambda f: apply(POWER_OP, (f, constant(2.0))), lambda u: (u**2, 2 * u, mpf(2))),
    "exp(f)": Outer(lambda f: apply(EXP, (f,)), _exp),
    "sqrt(f)": Outer(lambda f: apply(SQRT, (f,)), _sqrt),
}  # fmt: skip


def points(operation: Operation, count: int, seed: int = 0) -> list[tuple[float, ...]]:
    """Points of every size and sign; those of a single argument are most of all the fixed ones."""
    rng = np.random.default_rng(seed)
    number = len(argument_names(operation))
    fixed = np.array([0.0, *_SIZES, *(-size for size in _SIZES)])
    if number == 1:
        fixed = rng.permutation(fixed)[:count]
        more = samples(intervals(operation)[0], max(count - len(fixed), 0), rng)
        return [(float(x),) for x in [*fixed, *more]]
    columns = [rng.choice(fixed, count) for _ in range(number)]
    near = rng.random(count) < 0.3  # numbers of one size, so that they meet
    for column in columns[1:]:
        column[near] = columns[0][near] * rng.choice([0.5, 1 - 1e-9, 1.0, 1.5, 2.0, -1.0], near.sum())
    return list(zip(*(column.tolist() for column in columns), strict=True))


class Jet(NamedTuple):
    """A value with its first derivatives and its second ones, by pairs of arguments."""

    value: Any
    first: Mapping[int, Any]
    second: Mapping[tuple[int, int], Any]


class NotHereError(Exception):
    """There is no real number, or no derivative, at this point."""


def exact_jet(operation: Operation, point: Sequence[float]) -> Jet:
    """The exact derivatives, by all arguments that have one, by central differences."""
    name = operation.name + "..." * operation.variadic
    meaning, params, at = reference(name), defaults(operation), differentiable(operation)
    if operation.kink and not operation.kink.isolated and operation.kink.holds(*point, *params):
        raise NotHereError
    if name == "elu" and point == (0.0,):
        raise NotHereError  # its second derivative jumps
    if name in ("mod", "fmod") and not (point[1] and abs(point[0] / point[1]) < 1e6):
        raise NotHereError  # the next step is as near as the steps of the differences
    sizes = [abs(math.log10(abs(x))) if x else 0.0 for x in point]
    steps = [min(abs(x), 1.0) if x else 1.0 for x in point]
    fewest = max(-math.log10(step) for step in steps) + 25
    with mp.workdps(int(2 * fewest + 400 + 2 * max(sizes))):
        exact = [mpf(x) for x in point]
        moved = [mpf(step) * mpf(10) ** -25 for step in steps]
        known: dict[tuple[int, ...], Any] = {}

        def f(*offsets: int) -> Any:
            if offsets not in known:
                try:
                    found = meaning(*(x + k * h for x, k, h in zip(exact, offsets, moved, strict=True)), *params)
                except (ValueError, ZeroDivisionError, OverflowError) as error:
                    raise NotHereError from error
                if mp.im(found) or not mp.isfinite(found):
                    raise NotHereError
                known[offsets] = mp.re(found)
            return known[offsets]

        def by(*along: tuple[int, int]) -> Any:
            offsets = [0] * len(point)
            for place, step in along:
                offsets[place] += step
            return f(*offsets)

        def bend(i: int, step: int) -> Any:
            return abs(by((i, step)) - 2 * by() + by((i, -step))) / step

        def slope(i: int, step: int) -> Any:
            return (by((i, step)) - by((i, -step))) / (2 * step * moved[i])

        first = {i: slope(i, 1) for i in at}
        for i, found in first.items():  # of a smooth function, the slopes on both sides meet with the steps
            if bend(i, 2) < 1.5 * bend(i, 1) and bend(i, 1) > 1e-8 * abs(found * moved[i]):
                raise NotHereError
            if abs(found - slope(i, 2)) > 1e-8 * abs(found) + mpf(10) ** -400:
                raise NotHereError
        second = {}
        for i, j in combinations_with_replacement(at, 2):
            if i == j:
                second[i, i] = (by((i, 1)) - 2 * by() + by((i, -1))) / moved[i] ** 2
            else:
                corners = by((i, 1), (j, 1)) - by((i, 1), (j, -1)) - by((i, -1), (j, 1)) + by((i, -1), (j, -1))
                second[i, j] = corners / (4 * moved[i] * moved[j])
        return Jet(by(), first, second)


class Wanted(NamedTuple):
    """An exact derivative.

    terms: the size of the terms that it is the sum of. beyond: a derivative of f itself is out of range.
    """

    number: float
    terms: float
    beyond: bool


def composed(outer: Outer, jet: Jet) -> tuple[float, dict[tuple[int, ...], Wanted]]:
    """Value and derivatives of an operation on top of another. Raises NotHereError where float64 holds not all."""
    with mp.workdps(60):
        if not held(jet.value):
            raise NotHereError
        try:
            value, slope, bend = outer.exact(jet.value)
        except (ValueError, ZeroDivisionError, OverflowError) as error:
            raise NotHereError from error
        if mp.im(value) or not all(map(held, [jet.value, value])):
            raise NotHereError
        beyond = not all(map(held, [*jet.first.values(), *jet.second.values()]))
        wanted: dict[tuple[int, ...], Wanted] = {}
        for i, d in jet.first.items():
            wanted[(i,)] = _wanted([slope * d], beyond)
        for (i, j), dd in jet.second.items():
            wanted[i, j] = _wanted([bend * jet.first[i] * jet.first[j], slope * dd], beyond)
        return float(value), wanted


def _wanted(terms: Sequence[Any], beyond: bool) -> Wanted:
    total = mp.fsum(terms)
    if not held(total):
        raise NotHereError
    return Wanted(float(total), float(min(mp.fsum(map(abs, terms)), mpf(1e308))), beyond)


def held(number: Any) -> bool:
    """Whether float64 has a number with all its digits."""
    return bool(number == 0 or _TINY <= abs(number) <= _HUGE)


class Found(NamedTuple):
    """One derivative of ours beside the exact one. way: by which modes."""

    outer: str
    point: tuple[float, ...]
    by: tuple[int, ...]
    way: str
    ours: float
    wanted: Wanted

    @property
    def right(self) -> bool:
        """Whether it is within the bound of its order."""
        return self._within(0.0)

    @property
    def apart(self) -> bool:
        """Whether it is wrong by no more than the rounding of terms that cancel."""
        return self._within(64 * _EPSILON * self.wanted.terms)

    def _within(self, more: float) -> bool:
        bound = FIRST if len(self.by) == 1 else SECOND
        with np.errstate(all="ignore"):
            return bool(abs(self.ours - self.wanted.number) <= bound * abs(self.wanted.number) + more + _TINY)

    def __str__(self) -> str:
        place = ", ".join(map(repr, self.point))
        return f"{self.outer} d{self.by} at ({place}) {self.way}: {self.ours!r}, right {self.wanted.number!r}"


WAYS = {
    1: ("forward", "reverse"),
    2: ("forward twice", "reverse twice", "forward over reverse", "reverse over forward"),
}


def derivatives(operation: Operation, outer: Outer) -> dict[tuple[tuple[int, ...], str], Node]:
    """Each derivative in each mode, as a graph of scalar variables."""
    args = inputs(operation)
    f = outer.node(apply(operation, tuple(args), defaults(operation)))
    one = constant(1.0)

    def forward(output: Node, at: int) -> Node:
        return jvp(output, {args[at]: one})

    def reverse(output: Node, at: int) -> Node:
        return vjp(output, one, args)[at]

    found: dict[tuple[tuple[int, ...], str], Node] = {}
    at = differentiable(operation)
    for i in at:
        found[(i,), "forward"], found[(i,), "reverse"] = forward(f, i), reverse(f, i)
    for i, j in combinations_with_replacement(at, 2):
        ahead, back = found[(i,), "forward"], found[(i,), "reverse"]
        ways = (forward(ahead, j), reverse(back, j), forward(back, j), reverse(ahead, j))
        found |= {((i, j), way): node for way, node in zip(WAYS[2], ways, strict=True)}
    return found


def inputs(operation: Operation) -> list[Node]:
    return [variable(f"arg {name}") for name in argument_names(operation)]


def numbers(nodes: Sequence[Node], args: Sequence[Node], columns: Sequence[Any]) -> list[Any]:
    """The values of scalar nodes at many points."""
    with np.errstate(all="ignore"):
        return Batched(nodes, args)([np.array(column) for column in columns])


def compared(
    operation: Operation,
    places: Sequence[tuple[float, ...]],
    jets: Sequence[Jet | None],
    outers: Sequence[str] = tuple(OUTER),
) -> Iterator[Found]:
    """Each derivative of the operation, and of others on top of it, that float64 holds, beside the exact one."""
    columns = list(zip(*places, strict=True))
    for name in outers:
        found = derivatives(operation, OUTER[name])
        values = dict(zip(found, numbers(list(found.values()), inputs(operation), columns), strict=True))
        for at, (place, jet) in enumerate(zip(places, jets, strict=True)):
            if jet is None:
                continue
            try:
                _, wanted = composed(OUTER[name], jet)
            except NotHereError:
                continue
            for (by, way), column in values.items():
                yield Found(name, place, by, way, float(column[at]), wanted[by])


def jets(operation: Operation, places: Sequence[tuple[float, ...]]) -> list[Jet | None]:
    """The exact derivatives at each point; None where there are none."""
    found: list[Jet | None] = []
    for place in places:
        try:
            found.append(exact_jet(operation, place))
        except NotHereError:
            found.append(None)
    return found
