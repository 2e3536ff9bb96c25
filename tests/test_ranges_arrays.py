"""Operations on arrays at the edges of the range of floats: value, gradient and Hessian beside mpmath's numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement, product
from typing import Any, NamedTuple

import numpy as np
import pytest
from mpmath import mp, mpf

from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import Node, constant, variable
from cgcli.lowering.formula import lower_formula
from cgcli.transform.differentiate import jvp, vjp
from tests.ranges import FIRST, SECOND, held
from tests.support import literal

Numbers = Sequence[Any]
_STEP = mpf(10) ** -40


class Row(NamedTuple):
    """A program of an array x, the same by mpmath of its elements, and points. shape: of x, where no vector."""

    program: str
    exact: Callable[[Numbers], Any]
    points: Sequence[Sequence[float]]
    shape: tuple[int, ...] = ()


def _total(x: Numbers) -> Any:
    return mp.fsum(x)


def _shares(x: Numbers) -> list[Any]:
    powers = [mp.exp(u) for u in x]
    return [power / _total(powers) for power in powers]


def _spread(x: Numbers, ddof: int = 0) -> Any:
    mean = _total(x) / len(x)
    return _total([(u - mean) ** 2 for u in x]) / (len(x) - ddof)


def _matrix(x: Numbers) -> Any:
    size = int(len(x) ** 0.5)
    return mp.matrix([list(x[size * row : size * (row + 1)]) for row in range(size)])


def _norm(x: Numbers) -> Any:
    return mp.sqrt(_total([u * u for u in x]))


TAILS = [(40.0, 0.0, -3.0), (300.0, -300.0, 1.0), (0.0, -300.0, -600.0), (1e10, 1e10, 0.0), (5.0, 5.0, 5.0),
         (-1000.0, -1001.0, -1250.0), (1e-200, 0.5, 1e-300), (0.0, -36.5, 2.0)]  # fmt: skip
SIZES = [(1e150, 3e150, -2e150), (1e-150, 2e-150, 3e-150), (1e-160, 1e-161, 3e-160), (1e200, 1.0, 2.0),
         (1e100, 1e-100, 3e100), (1.0, 1e-9, 3.0), (3e-300, 4e-300, 1e-300), (1e300, 2e300, 1e299),
         (1e-20, 1.0, -3.0), (1e20, 1.0, -3.0)]  # fmt: skip
MATRICES = [(2.0, 1.0, 1.0, 3.0), (1e-100, 2e-101, -1e-101, 1e-100), (1e100, 0.0, 0.0, 1e-100),
            (1e150, 0.0, 0.0, 2e150), (1e-150, 1e-151, 0.0, 1e-150), (1e-100, 0.0, 0.0, 1e100), (1.0, 0.5, 0.5, 1e10),
            (3e-150, 0.0, 0.0, 4e-150)]  # fmt: skip

TABLE = [
    Row("softmax(x)[0]", lambda x: _shares(x)[0], TAILS),
    Row("softmax(x)[2]", lambda x: _shares(x)[2], TAILS),
    Row("log_softmax(x)[0]", lambda x: mp.ln(_shares(x)[0]), TAILS),
    Row("log_softmax(x)[2]", lambda x: mp.ln(_shares(x)[2]), TAILS),
    Row("logsumexp(x)", lambda x: mp.ln(_total([mp.exp(u) for u in x])), TAILS),
    Row("exp(logsumexp(x))", lambda x: _total([mp.exp(u) for u in x]), TAILS),
    Row("cross_entropy(x, 1)", lambda x: -mp.ln(_shares(x)[1]), TAILS),
    Row("norm(x)", _norm, SIZES),
    Row("1/norm(x)", lambda x: 1 / _norm(x), SIZES),
    Row("ln(norm(x))", lambda x: mp.ln(_norm(x)), SIZES),
    Row("norm(x)^2", lambda x: _norm(x) ** 2, SIZES),
    Row("prod(x)", mp.fprod, SIZES),
    Row("ln(abs(prod(x)))", lambda x: mp.ln(abs(mp.fprod(x))),
        [(1e-100, -1e-100, 1.0), (1e100, 1e100, 1e-50), (1e-300, 1.0, 2.0)]),
    Row("1/prod(x)", lambda x: 1 / mp.fprod(x), SIZES),
    Row("cumsum(x)[1]*cumsum(x)[2]", lambda x: (x[0] + x[1]) * _total(x), SIZES),
    Row("mean(x)/max(x)", lambda x: _total(x) / 3 / max(x), SIZES),
    Row("std(x)", lambda x: mp.sqrt(_spread(x)), SIZES[:-1]),
    Row("std(x, ddof=1)", lambda x: mp.sqrt(_spread(x, 1)), SIZES[:-1]),
    Row("ln(std(x))", lambda x: mp.ln(_spread(x)) / 2, SIZES),
    Row("var(x)", _spread, SIZES),
    Row("ln(var(x))", lambda x: mp.ln(_spread(x)), SIZES[2:]),
    Row("mse(x, [1, 2, 3])", lambda x: _total([(u - k) ** 2 for u, k in zip(x, (1, 2, 3), strict=True)]) / 3, SIZES),
    Row("sum(x*x)", lambda x: _total([u * u for u in x]), SIZES),
    Row("ln(x @ x)", lambda x: mp.ln(_total([u * u for u in x])), SIZES),
    Row("max(x) + min(x)", lambda x: max(x) + min(x), SIZES),
    Row("det(x)", lambda x: mp.det(_matrix(x)), MATRICES, (2, 2)),
    Row("ln(det(x))", lambda x: mp.ln(mp.det(_matrix(x))), MATRICES, (2, 2)),
    Row("1/det(x)", lambda x: 1 / mp.det(_matrix(x)), MATRICES, (2, 2)),
    Row("logdet(x)", lambda x: mp.ln(mp.det(_matrix(x))), MATRICES, (2, 2)),
    Row("inv(x)[0, 0]", lambda x: x[3] / (x[0] * x[3] - x[1] * x[2]), MATRICES, (2, 2)),
    Row("inv(x)[0, 1]", lambda x: -x[1] / (x[0] * x[3] - x[1] * x[2]), MATRICES, (2, 2)),
    Row("solve(x, [1, 2])[1]", lambda x: (2 * x[0] - x[2]) / (x[0] * x[3] - x[1] * x[2]), MATRICES, (2, 2)),
]  # fmt: skip


def exact(row: Row, point: Sequence[float]) -> tuple[Any, Any, Any]:
    """Value, gradient and Hessian with many digits, by central differences."""
    with mp.workdps(700):
        at = [mpf(x) for x in point]
        least = min(abs(x) for x in at if x)
        steps = [(abs(x) or least) * _STEP for x in at]

        known: dict[tuple[int, ...], Any] = {}

        def f(*moves: tuple[int, int]) -> Any:
            by = [0 for _ in at]
            for place, step in moves:
                by[place] += step
            if tuple(by) not in known:
                known[tuple(by)] = row.exact([x + k * h for x, k, h in zip(at, by, steps, strict=True)])
            return known[tuple(by)]

        places = range(len(at))
        first = [(f((i, 1)) - f((i, -1))) / (2 * steps[i]) for i in places]
        corners = {
            (i, j): sum(a * b * f((i, a), (j, b)) for a in (1, -1) for b in (1, -1)) / (4 * steps[i] * steps[j])
            for i, j in combinations_with_replacement(places, 2)
        }
        second = [corners[min(i, j), max(i, j)] for i, j in product(places, places)]
        return f(), first, second


def scales(row: Row, point: Sequence[float], order: int) -> list[Any]:
    """What an element of a derivative is multiplied by, to be that by the logarithms of the arguments."""
    logs = [mpf(1) if row.points is TAILS else abs(mpf(x)) or max(map(abs, point)) for x in point]
    return [mp.fprod(pair) for pair in product(logs, repeat=order)]


def ours(row: Row, point: Sequence[float]) -> dict[str, list[float]]:
    """Value, gradient in both modes, and the Hessian in two ways, of all elements."""
    shape = row.shape or (len(point),)
    x = variable("x", shape)
    out = lower_formula(row.program, {"x": x})
    units = [literal(np.eye(len(point))[at].reshape(shape)) for at in range(len(point))]
    reverse, one = vjp(out, constant(1.0), [x])[0], constant(1.0)
    forward = [jvp(out, {x: unit}) for unit in units]
    asked: dict[str, list[Node]] = {
        "value": [out], "reverse": [reverse], "forward": forward,
        "forward over reverse": [jvp(reverse, {x: unit}) for unit in units],
        "reverse over forward": [vjp(each, one, [x])[0] for each in forward],
    }  # fmt: skip
    with np.errstate(all="ignore"):
        found = iter(evaluate([node for nodes in asked.values() for node in nodes], {"x": np.reshape(point, shape)}))
        return {way: [float(y) for _ in nodes for y in np.ravel(next(found))] for way, nodes in asked.items()}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.program)
def test_arrays_keep_the_range_of_floats(row: Row) -> None:
    """Each element, by as much as a change of the arguments' last bits would move it."""
    wrong = []
    for point in row.points:
        value, first, second = exact(row, point)
        if not all(map(held, [value, *first, *second])):
            continue
        for way, numbers in ours(row, point).items():
            order = 0 if way == "value" else 1 if way in ("forward", "reverse") else 2
            right = ([value], first, second)[order]
            bound, sizes = SECOND if order == 2 else FIRST, scales(row, point, order)
            most = max(abs(number) * size for number, size in zip(right, sizes, strict=True))
            if order == 0:
                most += max(abs(number) * size for number, size in zip(first, scales(row, point, 1), strict=True))
            for at, (one, other, size) in enumerate(zip(numbers, map(float, right), sizes, strict=True)):
                if not abs(one - other) <= bound * abs(other) + 1e-13 * most / size + 1e-300:
                    wrong.append(f"{way} [{at}] at {point}: {one!r}, right {other!r}")
    assert not wrong, "\n".join(wrong[:8])
