"""As reference_cases.py: linear algebra and einsum; and all cases together."""

from __future__ import annotations

import itertools
from typing import Any

import torch
import torch.autograd.functional

from tests.reference_cases import CREATION, REDUCTIONS, SHAPING
from tests.reference_cases_networks import NETWORK
from tests.support_cases import Case, Shape, definite, singular


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


def einsum(subscripts: str, shapes: dict[str, Shape]) -> Case:
    names = ", ".join(shapes)
    return Case(f'einsum("{subscripts}", {names})', shapes, lambda *arrays: torch.einsum(subscripts, *arrays))


AB = {"a": definite}
MATRIX: dict[str, Shape] = {"a": (3, 3)}

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

CASES = {**REDUCTIONS, **SHAPING, **CREATION, **LINEAR_ALGEBRA, **NETWORK}


def cases(name: str) -> list[Case]:
    """The cases of an entry of the table."""
    assert name in CASES, f"give the operation '{name}' cases: an entry in {__file__} or reference_cases.py"
    return CASES[name]
