"""Functions of arrays that are written out as others, indices by lists and by computed numbers, einsum with `...`:
values against PyTorch and numpy, gradients in both modes and second derivatives against PyTorch.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

import numpy as np
import pytest
import torch

from cgcli.errors import CgError
from cgcli.ops import neighbours, products, rearranged
from tests.support import node, value
from tests.support_cases import Case, spread
from tests.support_torch import hold_against_torch

V, X, CUBE = {"x": (6,)}, {"x": (3, 4)}, {"x": (2, 3, 4)}
S = {"x": spread}
ROWS: Mapping[str, list[Case]] = {
    "sort": [
        Case("sort(x)^2", X, lambda x: x.sort().values ** 2, S),
        Case("sort(x, 1)^2", CUBE, lambda x: x.sort(1).values ** 2, S),
    ],
    "topk": [
        Case("topk(x, 3)^2", V, lambda x: x.topk(3).values ** 2, S),
        Case("topk(x, k=2, axis=0)^2", X, lambda x: x.topk(2, 0).values ** 2, S),
    ],
    "median": [
        Case("median(x, 1, keepdims=1)^2", CUBE, lambda x: x.quantile(0.5, 1, keepdim=True) ** 2, S),
        Case("median(x)^2", V, lambda x: x.quantile(0.5) ** 2, S),
        Case("median(x, 1)^2", CUBE, lambda x: x.quantile(0.5, 1) ** 2, S),
        Case("median(x)^2", {"x": (1,)}, lambda x: x[0] ** 2),
    ],
    "quantile": [
        Case("quantile(x, 0.3, keepdims=1)^2", X, lambda x: x.quantile(0.3).reshape(1, 1) ** 2, S),
        Case("quantile(x, 0.3)^2", V, lambda x: x.quantile(0.3) ** 2, S),
        Case("quantile(x, 1)^2", V, lambda x: x.amax() ** 2, S),
        Case("quantile(x, q=0.9, axis=0)^2", X, lambda x: x.quantile(0.9, 0) ** 2, S),
    ],
    "cumprod": [
        Case("cumprod(x)", X, lambda x: x.cumprod(-1)),
        Case("cumprod(x, 0)", CUBE, lambda x: x.cumprod(0)),
        Case("cumprod(x)", {"x": (7,)}, lambda x: torch.stack([x[: n + 1].prod() for n in range(7)]),
             {"x": lambda rng, shape: np.array([2.0, 0, 3, 1, 0, 4, 5])}),
    ],
    "cummax": [Case("cummax(x, 0)^2", CUBE, lambda x: x.cummax(0).values ** 2, S),
               Case("cummax(x)^2", X, lambda x: x.cummax(-1).values ** 2, S)],
    "cummin": [Case("cummin(x)^2", X, lambda x: x.cummin(-1).values ** 2, S)],
    "differences": [
        Case("differences(x)^2", X, lambda x: x.diff() ** 2),
        Case("differences(x, 2, axis=0)^2", X, lambda x: x.diff(n=2, dim=0) ** 2),
    ],
    "trapezoid": [
        Case("trapezoid(x, dx=0.5)^2", X, lambda x: torch.trapezoid(x, dx=0.5) ** 2),
        Case("trapezoid(x, axis=1)^2", CUBE, lambda x: torch.trapezoid(x, dim=1) ** 2),
        Case("trapezoid(x, y)^2", {"x": (3, 4), "y": (4,)}, lambda x, y: torch.trapezoid(x, y) ** 2),
        Case("trapezoid(x, y, axis=0)^2", {"x": (3, 4), "y": (3,)}, lambda x, y: torch.trapezoid(x, y, dim=0) ** 2),
        Case("trapezoid(x, y, 0)^2", {"x": (3, 2), "y": (3, 2)}, lambda x, y: torch.trapezoid(x, y, dim=0) ** 2),
    ],
    "vdot": [Case("vdot(x, y)", {"x": (2, 3), "y": (3, 2)}, lambda x, y: x.ravel() @ y.ravel())],
    "vecdot": [Case("vecdot(x, y, 0)", {"x": (2, 3), "y": (2, 1)}, lambda x, y: torch.linalg.vecdot(x, y, dim=0))],
    "cov": [
        Case("cov(x)", X, torch.cov),
        Case("cov(x, ddof=0)", V, lambda x: torch.cov(x, correction=0)),
    ],
    "corrcoef": [Case("corrcoef(x)", X, torch.corrcoef)],
    "repeat": [
        Case("repeat(x, 2)^2", X, lambda x: x.repeat_interleave(2) ** 2),
        Case("repeat(x, 3, axis=1)^2", CUBE, lambda x: x.repeat_interleave(3, 1) ** 2),
    ],
    "tile": [
        Case("tile(x, 2)^2", X, lambda x: x.tile(2) ** 2),
        Case("tile(x, [2, 1, 3])^2", X, lambda x: x.tile(2, 1, 3) ** 2),
        Case("tile(x, 2)^2", CUBE, lambda x: x.tile(2) ** 2),
    ],
    "roll": [
        Case("roll(x, 1)*x", X, lambda x: x.roll(1) * x),
        Case("roll(x, -2, axis=1)*x", CUBE, lambda x: x.roll(-2, 1) * x),
        Case("roll(x, 13)*x", V, lambda x: x.roll(13) * x),
    ],
    "split": [
        Case("a, b = split(x, 2); a*b", V, lambda x: torch.mul(*x.tensor_split(2))),
        Case("split(x, [1, -1], axis=1)[1]^2", X, lambda x: x.tensor_split([1, -1], 1)[1] ** 2),
        Case("a, b, c = split(x, [3, 1]); sum(a)*sum(c)", V,
             lambda x: torch.mul(*(part.sum() for part in x.tensor_split([3, 1])[::2]))),
    ],
    "swapaxes": [Case("swapaxes(x, 0, -1)^2", CUBE, lambda x: x.swapaxes(0, -1) ** 2)],
    "moveaxis": [
        Case("moveaxis(x, 0, -1)^2", CUBE, lambda x: x.moveaxis(0, -1) ** 2),
        Case("moveaxis(x, 2, 0)^2", CUBE, lambda x: x.moveaxis(2, 0) ** 2),
    ],
    "ravel": [Case("ravel(x)^2", X, lambda x: x.ravel() ** 2), Case("flatten(x)^2", CUBE, lambda x: x.ravel() ** 2)],
    "kron": [
        Case("kron(x, y)", {"x": (2, 3), "y": (3, 1)}, torch.kron),
        Case("kron(x, y)", {"x": (3,), "y": (2, 2)}, torch.kron),
    ],
    "cross": [
        Case("cross(x, y)", {"x": (3,), "y": (3,)}, torch.linalg.cross),
        Case("cross(x, y)", {"x": (2, 3), "y": (2, 3)}, torch.linalg.cross),
    ],
    "inner": [
        Case("inner(x, y)", {"x": (3,), "y": (3,)}, torch.inner),
        Case("inner(x, y)", {"x": (2, 3), "y": (4, 2, 3)}, torch.inner),
        Case("inner(x, y)", {"x": (), "y": (2, 3)}, torch.inner),
    ],
    "tensordot": [
        Case("tensordot(x, y)", {"x": (2, 3, 4), "y": (3, 4, 5)}, torch.tensordot),
        Case("tensordot(x, y, 1)", {"x": (2, 3), "y": (3, 4)}, lambda x, y: torch.tensordot(x, y, 1)),
        Case("tensordot(x, y, axes=0)", {"x": (2,), "y": (3,)}, lambda x, y: torch.tensordot(x, y, 0)),
    ],
    "matrix_power": [
        Case("matrix_power(x, 5)", {"x": (2, 2)}, lambda x: torch.linalg.matrix_power(x, 5)),
        Case("matrix_power(x, -2)", {"x": (2, 2)}, lambda x: torch.linalg.matrix_power(x, -2),
             {"x": lambda rng, shape: rng.normal(size=shape) * 0.3 + 2 * np.eye(2)}),
        Case("matrix_power(x, 0) + x", {"x": (2, 2)}, lambda x: torch.eye(2, dtype=x.dtype) + x),
    ],
    "an index": [
        Case("x[[0, 2, 0]]^2", X, lambda x: x[[0, 2, 0]] ** 2),
        Case("x[[-1, 1]]^2", V, lambda x: x[[-1, 1]] ** 2),
        Case("x[i]^2", {"x": (4, 2), "i": ()}, lambda x, i: x[i.long()] ** 2,
             {"i": lambda rng, shape: np.array(2.0)}, ("i",)),
        Case("x[:, i]^2", {"x": (4, 3), "i": ()}, lambda x, i: x[:, i.long()] ** 2,
             {"i": lambda rng, shape: np.array(2.0)}, ("i",)),
        Case("x[i + 1, 1:, i]^2", {"x": (4, 3, 2), "i": ()}, lambda x, i: x[i.long() + 1, 1:, i.long()] ** 2,
             {"i": lambda rng, shape: np.array(1.0)}, ("i",)),
        Case("x[i]^2", {"x": (4, 2), "i": (3,)}, lambda x, i: x[i.long()] ** 2,
             {"i": lambda rng, shape: np.array([3.0, 0, 3])}, ("i",)),
        Case("x[[0, 2], 1]^2", X, lambda x: x[[0, 2], 1] ** 2),
        Case("x[:, [0, 2, 0]]^2", X, lambda x: x[:, [0, 2, 0]] ** 2),
        Case("x[..., [[0, 1], [1, 3]], None]^2", CUBE, lambda x: x[..., [[0, 1], [1, 3]], None] ** 2),
        Case("x[[1, 0], ::2, [[3], [0]]]^2", CUBE, lambda x: x[[1, 0], ::2, [[3], [0]]] ** 2),
        Case("x[i, [0, 1]]^2", {"x": (4, 2), "i": (2,)}, lambda x, i: x[i.long(), [0, 1]] ** 2,
             {"i": lambda rng, shape: np.array([-1.0, 0])}, ("i",)),
        Case("x[:, i, [0, 1]]^2", {"x": (2, 4, 2), "i": ()}, lambda x, i: x[:, i.long(), [0, 1]] ** 2,
             {"i": lambda rng, shape: np.array(-3.0)}, ("i",)),
        Case("x[..., i, None]^2", {"x": (3, 4), "i": ()}, lambda x, i: x[..., i.long(), None] ** 2,
             {"i": lambda rng, shape: np.array(1.0)}, ("i",)),
    ],
    "dot": [
        Case("dot(x, y)", {"x": (3,), "y": (3, 2)}, torch.matmul),
        Case("dot(x, y)", {"x": (2, 3), "y": (4, 5, 3, 2)}, lambda x, y: torch.tensordot(x, y, ([1], [2]))),
        Case("dot(x, y)", {"x": (2, 2, 3), "y": (3,)}, torch.matmul),
        Case("dot(x, y)", {"x": (2, 2, 3), "y": (2, 3, 4)}, lambda x, y: torch.tensordot(x, y, ([2], [1]))),
    ],
    "trace": [
        Case("trace(x)^2", X, lambda x: x.diagonal().sum() ** 2),
        *(Case(f"trace(x, {k})^2", X, lambda x, k=k: x.diagonal(k).sum() ** 2) for k in (-2, 1, 3)),
    ],
    "linspace": [
        Case("linspace(x, y, 4)^2", {"x": (), "y": ()}, lambda x, y: (x + (y - x) * torch.arange(4).double() / 3) ** 2),
        Case("linspace(x, 2, 1)", {"x": ()}, lambda x: x.reshape(1)),
        Case("linspace(0, x, count=3)^2", V, lambda x: (x * torch.tensor([[0], [0.5], [1]])) ** 2),
    ],
    "einsum": [
        Case('einsum("ij,jk->ik", x, y)^2', {"x": (2, 1), "y": (3, 4)}, lambda x, y: (x * y.sum(0)) ** 2),
        Case('einsum("ij,ij->i", x, y)^2', {"x": (1, 3), "y": (4, 1)}, lambda x, y: (x * y).sum(1) ** 2),
        Case('einsum("...i,i...->...", x, y)^2', {"x": (2, 1, 3), "y": (1, 4)},
             lambda x, y: (x.sum(-1) * y[0]) ** 2),
        Case('einsum("...ij,...jk->...ik", x, y)', {"x": (5, 2, 3), "y": (5, 3, 4)}, torch.matmul),
        Case('einsum("...ij,jk->...ik", x, y)', {"x": (2, 5, 2, 3), "y": (3, 4)}, torch.matmul),
        Case('einsum("...i->...", x)', CUBE, lambda x: torch.einsum("...i->...", x)),
        Case('einsum("i...->...", x)', CUBE, lambda x: torch.einsum("i...->...", x)),
        Case('einsum("...ii->...i", x)', {"x": (2, 3, 3)}, lambda x: torch.einsum("...ii->...i", x)),
        Case('einsum("b...,b...", x, y)', {"x": (2, 3), "y": (2, 3)}, lambda x, y: (x * y).sum(0)),
        Case('einsum("...,...->...", x, y)', {"x": (2, 3), "y": (3,)}, lambda x, y: x * y),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_value_gradient_and_second_derivative_are_pytorchs(name: str) -> None:
    for case in ROWS[name]:
        hold_against_torch(case)


def test_every_function_is_tried() -> None:
    operations = {"argsort", "take_along", "put_along"}  # which reference_cases.py has
    names = {entry.name for entry in (*neighbours.ENTRIES, *products.ENTRIES, *rearranged.ENTRIES)}
    assert names == {*ROWS, *operations} - {"an index", "einsum"}


def _index(rng: random.Random, shape: tuple[int, ...]) -> str:
    """An index in numpy's words: numbers, slices, lists, new axes and one ellipsis."""
    items: list[str] = []
    axis = 0
    while axis < len(shape):
        size = shape[axis]
        places = [rng.randrange(-size, size) for _ in range(rng.choice([1, 2, 2]))]
        step = f"{rng.choice(['', 1, -1])}:{rng.choice(['', 2, -1])}:{rng.choice(['', 2, -1])}"
        item = rng.choice([":", str(places[0]), step, str(places), str([[place] for place in places]), "None", "..."])
        if item != "..." or "..." not in items:
            items.append(item)
            axis += rng.randrange(2) if item == "..." else item != "None"
    return f"x[{', '.join(items)}]"


def test_indices_are_numpys() -> None:
    rng = random.Random(1)
    for _ in range(500):
        shape = tuple(rng.choice([1, 2, 3]) for _ in range(rng.randrange(1, 5)))
        text, sample = _index(rng, shape), {"x": np.arange(math.prod(shape), dtype=float).reshape(shape)}
        try:
            right = eval(text, {}, sample)
        except IndexError:
            with pytest.raises(CgError):
                node(text, sample)
        else:
            np.testing.assert_array_equal(value(node(text, sample), sample), right, err_msg=f"{text}, {shape}")


def test_a_computed_place_that_does_not_exist_is_nan() -> None:
    sample = {"x": np.array([[1.0, 2], [3, 4]]), "i": np.array([1.5, 2, -2, np.nan])}
    for text, there in (("x[i, [1, 1, 1, 1]]", 2), ("x[[0, 0, 0, 0], i]", 1), ("x[i][:, 1]", 2), ("x[i, 1]", 2)):
        found = value(node(text, sample), sample)
        np.testing.assert_array_equal(found, [np.nan, np.nan, there, np.nan], err_msg=text)


EDGES = [
    ("3[None]", [3]), ("[1, 2][...]", [1, 2]), ("[5, 6][[]]", []), ("[[1, 2]][0, newaxis]", [[1, 2]]),
    ("trapezoid([3])", 0), ("trapezoid([])", 0),
    ("sort([2, nan, 1])", [1, 2, np.nan]), ("median([1, nan])", np.nan), ("sort([])", []), ("cumprod([])", []),
    ("repeat([1, 2], 0)", []), ("roll([], 3)", []), ("differences([1])", []), ("quantile([4], 0.3)", 4),
    ("sort([[3, 1], [2, 0]], axis=0)", [[2, 0], [3, 1]]), ("take_along([5, 6], [0, 7])", [5, np.nan]),
    ("topk([1, 3, 2], 0)", []), ("[5, 6, 7][argsort([3, 1, 2])]", [6, 7, 5]), ("median([3, 1, 2])", 2),
]  # fmt: skip


def test_edges() -> None:
    for call, right in EDGES:
        np.testing.assert_array_equal(value(node(call, {}), {}), right, err_msg=call)


REFUSED = [
    ("trapezoid([1, 2], [1, 2, 3])", "no places for"),
    ("topk([1, 2], 3)", "there are 2 elements, not 3"), ("quantile([1], 2)", "from 0 to 1"),
    ("median([])", "no elements"),
    ("cross([1, 2], [3, 4])", "3 elements"), ("tensordot([1, 2], [1, 2, 3], 1)", "are not the first"),
    ("matrix_power([1, 2], 2)", "square matrix"), ("inner([1, 2], [1, 2, 3])", "differ"),
    ("tile([1], -1)", "at least 0"),
    ('einsum("...ij", [1])', "more letters"), ("[1, 2][[0, 2]]", "index 2 is out of range"),
    ("split([1, 2, 3], 2)", "do not make 2 equal parts"), ("split([1, 2], 0)", "at least 1 part"),
    ("dot(ones([2, 2]), ones([2, 3, 2]))", "differ"), ("trace([1, 2])", "a matrix"),
    ("sum(split([1, 2], 2))", "several results"), ("split([1, 2], 2)[2]", "index 2 is out of range"),
    ("split([1, 2], 2)[0:1]", "one whole number"), ('einsum("i,i->", [1, 2], [1, 2, 3])', "2 in one place"),
    ("[[1, 2]][[0, 0], [0, 1, 1]]", "do not broadcast"), ("[1, 2][..., ...]", "one '...'"),
    ("[1][0, ..., 0]", "2 indices"), ("[[1, 2]][0, [1, 2] > 1]", "not a condition"),
    ("take_along([[1, 2]], [0])", "differ beside the axis"), ("swapaxes([1], 0, 1)", "out of range"),
]  # fmt: skip


def test_what_does_not_fit_is_refused() -> None:
    for call, message in REFUSED:
        with pytest.raises(CgError, match=message):
            node(call, {})
