"""As reference_cases.py: linear algebra, einsum and the layers of networks; and all cases together."""

from __future__ import annotations

import itertools
from typing import Any

import torch
import torch.autograd.functional
from torch.nn import functional

from tests.reference_cases import CREATION, REDUCTIONS, SHAPING, set_in
from tests.support_cases import Case, Shape, classes, definite, shares, singular, spread


def leibniz(x: Any) -> Any:
    """The determinant as a polynomial: exact derivatives for singular matrices too."""
    size = x.shape[-1]
    total = torch.zeros(x.shape[:-2], dtype=x.dtype)
    for order in itertools.permutations(range(size)):
        odd = sum(order[i] > order[j] for i in range(size) for j in range(i, size)) % 2
        product = torch.ones_like(total)
        for row, column in enumerate(order):
            product = product * x[..., row, column]
        total = total - product if odd else total + product
    return total


def minors(x: Any) -> Any:
    """The cofactor matrix, minor by minor."""
    size = range(x.shape[-1])
    rows = [
        [
            (-1) ** (i + j) * leibniz(x[..., [k for k in size if k != i], :][..., [k for k in size if k != j]])
            for j in size
        ]
        for i in size
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def minors_along(a: Any, b: Any) -> Any:
    """The derivative of the cofactor matrix along b."""
    differentiate: Any = torch.autograd.functional.jvp
    return differentiate(minors, a, b, create_graph=True)[1]


def padded_windows(x: Any, kernel: int, stride: int) -> Any:
    return x.unfold(-1, kernel, stride).transpose(-1, -2)


def folded(x: Any, size: int, stride: int) -> Any:
    result = torch.zeros((*x.shape[:-2], size), dtype=x.dtype)
    for tap in range(x.shape[-2]):
        for place in range(x.shape[-1]):
            piece = torch.zeros_like(result)
            piece[..., tap + stride * place] = x[..., tap, place]
            result = result + piece
    return result


def windows_2d(x: Any) -> Any:
    return x.unfold(-2, 2, 2).unfold(-2, 3, 1).permute(0, 3, 4, 1, 2)


def einsum(subscripts: str, shapes: dict[str, Shape]) -> Case:
    names = ", ".join(shapes)
    return Case(f'einsum("{subscripts}", {names})', shapes, lambda *arrays: torch.einsum(subscripts, *arrays))


AB = {"a": definite}
MATRIX: dict[str, Shape] = {"a": (3, 3)}
IMAGE: dict[str, Shape] = {"x": (2, 3, 5, 6)}
SIGNAL: dict[str, Shape] = {"x": (2, 3, 9)}

LINEAR_ALGEBRA: dict[str, list[Case]] = {
    "matmul": [
        Case("a @ b", {"a": (3,), "b": (3,)}, torch.matmul),
        Case("a @ b", {"a": (2, 3), "b": (3,)}, torch.matmul),
        Case("a @ b", {"a": (3,), "b": (3, 2)}, torch.matmul),
        Case("a @ b", {"a": (2, 3), "b": (3, 4)}, torch.matmul),
        Case("a @ b", {"a": (5, 2, 3), "b": (3, 4)}, torch.matmul),
        Case("a @ b", {"a": (2, 3), "b": (5, 3, 4)}, torch.matmul),
        Case("a @ b", {"a": (5, 2, 3), "b": (3,)}, torch.matmul),
        Case("a @ b", {"a": (3,), "b": (5, 3, 2)}, torch.matmul),
        Case("a @ b", {"a": (5, 1, 2, 3), "b": (4, 3, 2)}, torch.matmul),
        Case("a @ b", {"a": (2, 1), "b": (1, 3)}, torch.matmul),
        Case("a @ b", {"a": (2, 0), "b": (0, 3)}, torch.matmul),
    ],
    "solve": [
        Case("solve(a, b)", {**MATRIX, "b": (3,)}, torch.linalg.solve, AB),
        Case("solve(a, b)", {**MATRIX, "b": (3, 2)}, torch.linalg.solve, AB),
        Case("solve(a, b)", {"a": (4, 3, 3), "b": (4, 3, 2)}, torch.linalg.solve, AB),
        Case("solve(a, b)", {"a": (4, 3, 3), "b": (3, 2)}, torch.linalg.solve, AB),
        Case("solve(a, b)", {"a": (3, 3), "b": (4, 3, 2)}, torch.linalg.solve, AB),
    ],
    "inv": [
        Case("inv(a)", MATRIX, torch.linalg.inv, AB),
        Case("inv(a)", {"a": (2, 3, 3)}, torch.linalg.inv, AB),
        Case("inv(a)", {"a": (1, 1)}, torch.linalg.inv, AB),
    ],
    "det": [
        Case("det(a)", MATRIX, torch.linalg.det),
        Case("det(a)", {"a": (2, 3, 3)}, torch.linalg.det),
        Case("det(a)", {"a": (4, 4)}, leibniz, {"a": singular(3)}),
        Case("det(a)", {"a": (4, 4)}, leibniz, {"a": singular(2)}),
        Case("det(a)", {"a": (1, 1)}, torch.linalg.det),
    ],
    "logdet": [
        Case("logdet(a)", MATRIX, torch.logdet, AB),
        Case("logdet(a)", {"a": (2, 3, 3)}, torch.logdet, AB),
    ],
    "cofactor": [
        Case("cofactor(a)", MATRIX, minors),
        Case("cofactor(a)", {"a": (4, 4)}, minors),
        Case("cofactor(a)", {"a": (4, 4)}, minors, {"a": singular(3)}, orders=1),
        Case("cofactor(a)", {"a": (4, 4)}, minors, {"a": singular(2)}, orders=1),
        Case("cofactor(a)", {"a": (2, 2)}, minors),
    ],
    "cofactor_along": [
        Case("cofactor_along(a, b)", {**MATRIX, "b": (3, 3)}, minors_along),
        Case("cofactor_along(a, b)", {"a": (4, 4), "b": (4, 4)}, minors_along, {"a": singular(2)}, ("a",)),
        Case("cofactor_along(a, b)", {"a": (2, 4, 4), "b": (2, 4, 4)}, minors_along),
        Case("cofactor_along(a, b)", {"a": (2, 2), "b": (2, 2)}, minors_along, AB),
    ],
    "einsum": [
        einsum("ij,jk->ik", {"a": (2, 3), "b": (3, 4)}),
        einsum("ij->ji", {"a": (2, 3)}),
        einsum("ij->", {"a": (2, 3)}),
        einsum("ii->i", {"a": (3, 3)}),
        einsum("ii", {"a": (3, 3)}),
        einsum("ij,kl->ik", {"a": (2, 3), "b": (4, 5)}),
        einsum("ii,ij->j", {"a": (3, 3), "b": (3, 2)}),
        einsum("bij,bjk,k->bi", {"a": (2, 3, 4), "b": (2, 4, 5), "c": (5,)}),
        einsum("iij->j", {"a": (2, 2, 3)}),
        einsum("i,j->ij", {"a": (2,), "b": (3,)}),
    ],
}  # fmt: skip

NETWORK: dict[str, list[Case]] = {
    "unfold": [
        Case("unfold(x, 3, 2)", {"x": (2, 8)}, lambda x: padded_windows(x, 3, 2)),
        Case("unfold(x, 3, 1)", {"x": (5,)}, lambda x: padded_windows(x, 3, 1)),
        Case("unfold(x, [2, 3], [2, 1])", {"x": (2, 5, 6)}, windows_2d),
    ],
    "fold": [
        Case("fold(x, 8, 2)", {"x": (2, 3, 3)}, lambda x: folded(x, 8, 2)),
        Case("fold(x, 5, 1)", {"x": (3, 3)}, lambda x: folded(x, 5, 1)),
        Case("fold(x, 7, 4)", {"x": (2, 2)}, lambda x: folded(x, 7, 4)),
    ],
    "element": [
        Case("element(x, i)", {"x": (4, 2), "i": ()}, lambda x, i: x[i.long()], {"i": classes(4)}),
        Case("element(x, -1)", {"x": (4,)}, lambda x: x[-1]),
    ],
    "put_element": [
        Case("put_element(x, 2, 3)", {"x": (2,)}, set_in((3, 2), 2)),
        Case("put_element(x, i, 3)", {"x": (), "i": ()},
             lambda x, i: functional.one_hot(i.long(), 3) * x, {"i": classes(3)}),
    ],
    "onehot": [
        Case("onehot(x, 4)", {"x": (3,)}, lambda x: functional.one_hot(x.long(), 4), {"x": classes(4)}),
        Case("onehot(x, 2)", {"x": ()}, lambda x: functional.one_hot(x.long(), 2), {"x": classes(2)}),
    ],
    "conv1d": [
        Case("conv1d(x, w)", {**SIGNAL, "w": (4, 3, 2)}, functional.conv1d),
        Case("conv1d(x, w, stride=2, padding=1)", {**SIGNAL, "w": (4, 3, 4)},
             lambda x, w: functional.conv1d(x, w, stride=2, padding=1)),
        Case("conv1d(x, w, stride=3)", {**SIGNAL, "w": (1, 3, 2)}, lambda x, w: functional.conv1d(x, w, stride=3)),
    ],
    "conv2d": [
        Case("conv2d(x, w)", {**IMAGE, "w": (4, 3, 2, 3)}, functional.conv2d),
        Case("conv2d(x, w, stride=2, padding=1)", {**IMAGE, "w": (2, 3, 3, 3)},
             lambda x, w: functional.conv2d(x, w, stride=2, padding=1)),
        Case("conv2d(x, w, stride=[1, 3], padding=[0, 2])", {**IMAGE, "w": (2, 3, 1, 2)},
             lambda x, w: functional.conv2d(x, w, stride=(1, 3), padding=(0, 2))),
    ],
    "max_pool2d": [
        Case("max_pool2d(x, 2)", IMAGE, lambda x: functional.max_pool2d(x, 2), {"x": spread}),
        Case("max_pool2d(x, 3, 2, 1)", IMAGE, lambda x: functional.max_pool2d(x, 3, 2, 1), {"x": spread}),
        Case("max_pool2d(x, [2, 3], [1, 2], [1, 0])", IMAGE,
             lambda x: functional.max_pool2d(x, (2, 3), (1, 2), (1, 0)), {"x": spread}),
    ],
    "avg_pool2d": [
        Case("avg_pool2d(x, 2)", IMAGE, lambda x: functional.avg_pool2d(x, 2)),
        Case("avg_pool2d(x, 3, 2, 1)", IMAGE, lambda x: functional.avg_pool2d(x, 3, 2, 1)),
    ],
    "mse": [
        Case("mse(x, y)", {"x": (3, 4), "y": (3, 4)}, functional.mse_loss),
        Case("mse(x, y)", {"x": (3, 4), "y": (4,)}, lambda x, y: functional.mse_loss(x, y.expand(3, 4))),
        Case("mse(x, y)", {"x": (), "y": ()}, functional.mse_loss),
    ],
    "cross_entropy": [
        Case("cross_entropy(x, y)", {"x": (3, 4), "y": (3,)}, lambda x, y: functional.cross_entropy(x, y.long()),
             {"y": classes(4)}, ("y",)),
        Case("cross_entropy(x, y)", {"x": (3, 4), "y": (3, 4)}, functional.cross_entropy, {"y": shares}),
        Case("cross_entropy(x, y)", {"x": (4,), "y": ()}, lambda x, y: functional.cross_entropy(x, y.long()),
             {"y": classes(4)}, ("y",)),
        Case("cross_entropy(x, y)", {"x": (2, 3, 4), "y": (2, 3)},
             lambda x, y: functional.cross_entropy(x.permute(0, 2, 1), y.long()), {"y": classes(4)}, ("y",)),
    ],
}  # fmt: skip

CASES = {**REDUCTIONS, **SHAPING, **CREATION, **LINEAR_ALGEBRA, **NETWORK}


def cases(name: str) -> list[Case]:
    """The cases of an entry of the table."""
    assert name in CASES, f"give the operation '{name}' cases: an entry in {__file__} or reference_cases.py"
    return CASES[name]
