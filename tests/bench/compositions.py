"""Random compositions of elementwise operations, two or three deep, at points of every size: value, first and second
derivative in all modes, against mpmath with 1100 digits.

    python tests/bench/compositions.py [SECONDS [SEED]]

Judged is where float64 holds the value of each node, and the derivatives. What is not within 1e-8 (value, first) and
1e-6 (second) counts apart where the program's own terms cancel: where a change of some node's value by its rounding
changes the exact result as much. It counts as beyond where a derivative of some node by x is out of range.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mpmath import mp, mpf

sys.path.insert(0, str(Path(__file__).parent.parent.parent))  # the tests' own modules

from cgcli.graph.node import Node, apply, constant, variable
from cgcli.printing.expression import formula
from cgcli.transform.differentiate import jvp, vjp
from tests.ranges import FIRST, SECOND, held, numbers
from tests.reference_values import VALUES
from tests.support import ELEMENTWISE, defaults

UNARY = [
    "neg", "sqrt", "cbrt", "abs", "exp", "expm1", "exp2", "ln", "log1p", "log2", "log10", "sin", "cos", "tan", "asin",
    "acos", "atan", "sec", "csc", "cot", "sinh", "cosh", "tanh", "sech", "asinh", "acosh", "atanh", "erf", "erfc",
    "sigmoid", "softplus", "relu", "silu", "gelu", "elu",
]  # fmt: skip
BINARY = ["add", "subtract", "multiply", "divide", "power", "hypot", "atan2", "logaddexp", "xlogy", "max...", "min..."]
CONSTANTS = [1.0, 2.0, 0.5, -1.0, 3.0, -2.0, 1.5, 0.1, 10.0, 1e-10, 1e10]
POINTS = 24
_DIGITS, _STEP, _HUGE = 1100, mpf(10) ** -40, mpf(10) ** 400
_ROUNDING, _LARGEST = mpf(2) ** -53, mpf(2) ** 1024

Exact = Callable[[Any], Any]


class NotHereError(Exception):
    """There is no number at this point, or none that float64 holds."""


class Tree(NamedTuple):
    """An expression in x: an operation on others, a number, or x itself."""

    name: str
    parts: tuple[Tree, ...] = ()
    number: float = 0.0


X = Tree("x")


def tree(rng: random.Random, depth: int) -> Tree:
    """A random expression in x."""
    if depth == 0:
        return X
    if rng.random() < 0.6:
        return Tree(rng.choice(UNARY), (tree(rng, depth - 1),))
    other = Tree("number", (), rng.choice(CONSTANTS)) if rng.random() < 0.5 else tree(rng, rng.randrange(depth))
    pair = (tree(rng, depth - 1), other)
    return Tree(rng.choice(BINARY), pair if rng.random() < 0.5 else pair[::-1])


def below(whole: Tree) -> list[Tree]:
    """All different parts, arguments first."""
    found: dict[Tree, None] = {}
    for part in whole.parts:
        found |= dict.fromkeys(below(part))
    return [*found, whole]


def node_of(whole: Tree) -> Node:
    """The expression as a node."""
    if whole.name == "x":
        return variable("x")
    if whole.name == "number":
        return constant(whole.number)
    operation = ELEMENTWISE[whole.name]
    return apply(operation, tuple(map(node_of, whole.parts)), defaults(operation))


def value(whole: Tree, x: Any, wrong: Mapping[Tree, Any], within: bool = True) -> Any:
    """The exact value, with those of some nodes off by a factor. within: each must be a number that float64 holds."""
    values: dict[Tree, Any] = {}
    for part in below(whole):
        if part.name == "x":
            found = x
        elif part.name == "number":
            found = mpf(part.number)
        else:
            try:
                found = VALUES[part.name](*(values[each] for each in part.parts), *defaults(ELEMENTWISE[part.name]))
            except (ValueError, ZeroDivisionError, OverflowError) as error:
                raise NotHereError from error
            if mp.im(found) or not mp.isfinite(found) or abs(found) > _HUGE or (within and not held(mp.re(found))):
                raise NotHereError
            found = mp.re(found)
            if part.name in ("erfc", "gelu") and not found and values[part.parts[0]]:
                raise NotHereError  # too small for the reference
        values[part] = found * wrong.get(part, 1)
    return values[whole]


def slopes(whole: Tree, x: float, wrong: Mapping[Tree, Any]) -> tuple[Any, Any, Any]:
    """The exact value and two derivatives, by central differences; those at twice the step must agree."""
    step, at = abs(mpf(x)) * _STEP, mpf(x)
    left2, left, here, right, right2 = (value(whole, at + k * step, wrong, k == 0) for k in (-2, -1, 0, 1, 2))
    first, second = (right - left) / (2 * step), (right - 2 * here + left) / step**2
    wide, wide2 = (right2 - left2) / (4 * step), (right2 - 2 * here + left2) / (4 * step**2)
    least = mpf(10) ** -320
    if abs(first - wide) > 1e-12 * abs(first) + least or abs(second - wide2) > 1e-12 * abs(second) + least:
        raise NotHereError
    return here, first, second


def conditions(whole: Tree, x: float, exact: Sequence[Any]) -> list[float]:
    """How far rounding moves the exact results: that of each node's value, and of each term of the chain rule."""
    moved = [mpf(0)] * len(exact)
    for part in below(whole):
        if part.name != "number":
            try:
                found = [slopes(whole, x, {part: 1 + sign * _ROUNDING}) for sign in (1, -1)]
            except NotHereError:
                return [float("inf")] * len(exact)
            moved = [so_far + max(abs(a - c), abs(b - c)) for so_far, a, b, c in zip(moved, *found, exact, strict=True)]
    sizes = [each + _ROUNDING * size for each, size in zip(moved, terms(whole, x), strict=True)]
    known = [_LARGEST * _ROUNDING, *(abs(each) / 100 for each in exact)]  # by more, and no digit is known
    return [
        float("inf") if size > min(known[0], each or known[0]) else float(size)
        for size, each in zip(sizes, known[1:], strict=True)
    ]


def terms(whole: Tree, x: float) -> list[Any]:
    """The value, and the sums of the absolute values of all terms that the two derivatives are made of."""
    sizes: dict[Tree, tuple[Any, Any, Any]] = {}
    for part in below(whole):
        if not part.parts:
            sizes[part] = (mpf(x), mpf(1), mpf(0)) if part == X else (mpf(part.number), mpf(0), mpf(0))
            continue
        args = [sizes[each] for each in part.parts]
        at, places = [arg[0] for arg in args], range(len(args))

        def moved(*steps: int, part: Tree = part, at: Sequence[Any] = at) -> Any:
            by = [(abs(u) or 1) * _STEP for u in at]
            point = [u + k * h for u, k, h in zip(at, steps, by, strict=True)]
            try:
                found = VALUES[part.name](*point, *defaults(ELEMENTWISE[part.name]))
            except (ValueError, ZeroDivisionError, OverflowError) as error:
                raise NotHereError from error
            return mp.re(found)

        def step(*along: tuple[int, int], places: Sequence[int] = places) -> list[int]:
            found = [0 for _ in places]
            for place, by in along:
                found[place] += by
            return found

        try:
            here = moved(*step())
            width = [(abs(u) or 1) * _STEP for u in at]
            first = sum(abs(moved(*step((i, 1))) - moved(*step((i, -1)))) / (2 * width[i]) * args[i][1] for i in places)
            second = mpf(0)
            for i in places:
                second += abs(moved(*step((i, 1))) - moved(*step((i, -1)))) / (2 * width[i]) * args[i][2]
                for j in places:
                    corner = sum(a * b * moved(*step((i, a), (j, b))) for a in (1, -1) for b in (1, -1)) / (
                        4 * width[i] * width[j]
                    )
                    second += abs(corner) * args[i][1] * args[j][1]
        except NotHereError:
            return [mpf(0)] * 3
        sizes[part] = (here, first, second)
    return list(sizes[whole])


def beyond(whole: Tree, x: float) -> bool:
    """Whether a derivative of a node by x is out of range."""
    for part in below(whole):
        if part.parts:
            try:
                if not all(map(held, slopes(part, x, {}))):
                    return True
            except NotHereError:
                return True
    return False


def point(rng: random.Random) -> float:
    """A number of any size."""
    kind = rng.random()
    if kind < 0.4:
        return float(rng.choice([1, -1]) * 10.0 ** rng.uniform(-300, 300))
    if kind < 0.7:
        return float(rng.choice([1, -1]) * 10.0 ** rng.uniform(-10, 4))
    return rng.choice([rng.gauss(0, 3), rng.uniform(-800, 800), float(rng.randint(-40, 40) or 1)])


def derivatives(out: Node) -> dict[str, tuple[int, Node]]:
    """The value and its derivatives in each mode, with their orders."""
    x, one = variable("x"), constant(1.0)

    def ahead(of: Node) -> Node:
        return jvp(of, {x: one})

    def back(of: Node) -> Node:
        return vjp(of, one, [x])[0]

    forward, reverse = ahead(out), back(out)
    return {
        "value": (0, out), "forward": (1, forward), "reverse": (1, reverse), "forward twice": (2, ahead(forward)),
        "reverse twice": (2, back(reverse)), "forward over reverse": (2, ahead(reverse)),
        "reverse over forward": (2, back(forward)),
    }  # fmt: skip


def main(seconds: float = 60, seed: int = 0) -> int:
    """Print the figures; 1 when something is not within its bound."""
    mp.dps = _DIGITS
    rng, counts, kinds = random.Random(seed), Counter[str](), Counter[str]()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        whole = tree(rng, rng.choice([2, 3]))
        asked = derivatives(node_of(whole))
        places = [point(rng) for _ in range(POINTS)]
        columns = numbers([each for _, each in asked.values()], [variable("x")], [places])
        for at, x in enumerate(places):
            try:
                exact = slopes(whole, x, {})
            except NotHereError:
                continue
            ours = {way: (order, float(np.broadcast_to(column, POINTS)[at]))
                    for (way, (order, _)), column in zip(asked.items(), columns, strict=True)}  # fmt: skip
            judge(whole, x, exact, ours, counts, kinds)
    print()
    for what, number in kinds.most_common(40):
        print(f"{number:6} {what}")
    print(", ".join(f"{number} {what}" for what, number in counts.items()))
    return 1 if counts["not"] else 0


def judge(
    whole: Tree, x: float, exact: Sequence[Any], ours: Mapping[str, tuple[int, float]],
    counts: Counter[str], kinds: Counter[str],
) -> None:  # fmt: skip
    """Count what is right, and show what is not."""
    rounding: list[float] | None = None
    for way, (order, number) in ours.items():
        if not all(map(held, exact[: order + 1])):
            continue
        counts["all"] += 1
        right = float(exact[order])
        off = abs(number - right) if np.isfinite(number) else float("inf")
        if off <= (SECOND if order == 2 else FIRST) * abs(right) + 2.0**-1022:
            counts["within"] += 1
            continue
        if rounding is None:
            rounding = conditions(whole, x, exact)
        if off <= 64 * rounding[order]:
            counts["of cancelling terms"] += 1
        elif beyond(whole, x):
            counts["beyond"] += 1
        else:
            counts["not"] += 1
            names = "∘".join(each.name for each in reversed(below(whole)) if each.parts)
            kinds[f"{names}, {way}"] += 1
            if kinds[f"{names}, {way}"] == 1:
                print(f"{formula(node_of(whole), 200)} at {x!r}, {way}: {number!r}, right {right!r}", flush=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(float(given[0]) if given else 60, int(given[1]) if given[1:] else 0))
