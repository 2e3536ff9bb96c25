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


def oriented(vectors: Any, like: Any = None) -> Any:
    """Columns with the signs that make the first of their largest elements positive, or that do so for others."""
    like = vectors if like is None else like
    sizes = like.abs()
    place = (sizes >= sizes.amax(-2, keepdim=True) * (1 - 2**-20)).int().argmax(-2, keepdim=True)
    return vectors * like.gather(-2, place).sign().detach()


def symmetric(a: Any) -> Any:
    return (a + a.mT) / 2


def singular_vectors(a: Any, side: int) -> Any:
    u, _, vh = torch.linalg.svd(a, full_matrices=False)
    return oriented((u, vh.mT)[side], u)


def over_gaps(x: Any, w: Any, v: Any) -> Any:
    apart = torch.eye(x.shape[-1]) == 0
    return torch.where(apart, x / torch.where(apart, w[..., None, :] - v[..., :, None], 1), 0)


def exponential_along(a: Any, b: Any) -> Any:
    """The derivative of the exponential along b, as the definition of the exponential of a block matrix has it."""
    size = a.shape[-1]
    both = torch.cat([torch.cat([a, b], -1), torch.cat([torch.zeros_like(a), a], -1)], -2)
    return torch.linalg.matrix_exp(both)[..., :size, size:]


AB = {"a": definite}
TALL: dict[str, Shape] = {"a": (4, 3)}
WIDE: dict[str, Shape] = {"a": (2, 4)}
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
        einsum("ijjk,j->j", {"a": (2, 3, 3, 4), "b": (3,)}),
    ],
    "eigvalsh": [
        Case("eigvalsh(a)", MATRIX, lambda a: torch.linalg.eigvalsh(symmetric(a))),
        Case("eigvalsh(a)", {"a": (2, 4, 4)}, lambda a: torch.linalg.eigvalsh(symmetric(a))),
        Case("eigvalsh(a)", {"a": (1, 1)}, lambda a: torch.linalg.eigvalsh(symmetric(a))),
    ],
    "eigvecsh": [
        Case("eigvecsh(a)", MATRIX, lambda a: oriented(torch.linalg.eigh(symmetric(a)).eigenvectors)),
        Case("eigvecsh(a)", {"a": (2, 3, 3)}, lambda a: oriented(torch.linalg.eigh(symmetric(a)).eigenvectors)),
    ],
    "over_gaps": [
        Case("over_gaps(x, w, v)", {"x": (3, 3), "w": (3,), "v": (3,)}, over_gaps),
        Case("over_gaps(x, w, v, 1)", {"x": (2, 3, 3), "w": (2, 3), "v": (2, 3)}, over_gaps),
    ],
    "svdvals": [
        Case("svdvals(a)", MATRIX, torch.linalg.svdvals),
        Case("svdvals(a)", TALL, torch.linalg.svdvals),
        Case("svdvals(a)", {"a": (2, 2, 4)}, torch.linalg.svdvals),
    ],
    "svd_left": [
        Case("svd_left(a)", MATRIX, lambda a: singular_vectors(a, 0)),
        Case("svd_left(a)", TALL, lambda a: singular_vectors(a, 0)),
        Case("svd_left(a)", WIDE, lambda a: singular_vectors(a, 0)),
    ],
    "svd_right": [
        Case("svd_right(a)", MATRIX, lambda a: singular_vectors(a, 1)),
        Case("svd_right(a)", TALL, lambda a: singular_vectors(a, 1)),
        Case("svd_right(a)", {"a": (2, 2, 4)}, lambda a: singular_vectors(a, 1)),
    ],
    "cholesky": [
        Case("cholesky(a)", MATRIX, lambda a: torch.linalg.cholesky(symmetric(a)), AB),
        Case("cholesky(a)", {"a": (2, 4, 4)}, lambda a: torch.linalg.cholesky(symmetric(a)), AB),
    ],
    "orthonormal": [
        Case("orthonormal(a)", MATRIX, lambda a: torch.linalg.qr(a).Q, AB),
        Case("orthonormal(a)", {"a": (2, 4, 3)}, lambda a: torch.linalg.qr(a).Q),
    ],
    "logabsdet": [
        Case("logabsdet(a)", MATRIX, lambda a: torch.linalg.slogdet(a).logabsdet),
        Case("logabsdet(a)", {"a": (2, 4, 4)}, lambda a: torch.linalg.slogdet(a).logabsdet),
    ],
    "signdet": [
        Case("signdet(a)", {"a": (3, 2, 2)}, lambda a: torch.linalg.slogdet(a).sign),
    ],
    "pinv": [
        Case("pinv(a)", MATRIX, torch.linalg.pinv, AB),
        Case("pinv(a)", TALL, torch.linalg.pinv),
        Case("pinv(a)", {"a": (2, 2, 4)}, torch.linalg.pinv),
    ],
    "expm": [
        Case("expm(a)", MATRIX, torch.linalg.matrix_exp),
        Case("expm(a)", {"a": (2, 4, 4)}, torch.linalg.matrix_exp),
    ],
    "expm_along": [
        Case("expm_along(a, b)", {**MATRIX, "b": (3, 3)}, exponential_along),
        Case("expm_along(a, b)", {"a": (2, 2, 2), "b": (2, 2, 2)}, exponential_along),
    ],
}  # fmt: skip

CASES = {**REDUCTIONS, **SHAPING, **CREATION, **LINEAR_ALGEBRA, **NETWORK}


def cases(name: str) -> list[Case]:
    """The cases of an entry of the table."""
    assert name in CASES, f"give the operation '{name}' cases: an entry in {__file__} or reference_cases.py"
    return CASES[name]
