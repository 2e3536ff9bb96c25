"""Norms by their order and the parts of decompositions: against PyTorch in value, gradient and second derivative; along
a line against mpmath to the third; and what holds where eigenvalues are equal or a matrix is not what it must be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from mpmath import mp

import cgcli
from cgcli.errors import CgError
from cgcli.ops import factors, norms, spectra
from cgcli.transform.differentiate import jvp, vjp
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.support import both_modes, gap, inputs, literal, node, value
from tests.support_cases import Case, definite, spread
from tests.support_torch import hold_against_torch

V, X, CUBE, SQUARE = {"x": (4,)}, {"x": (2, 3)}, {"x": (2, 1, 3)}, {"a": (3, 3)}
S, AB = {"x": spread}, {"a": definite}
vector, matrix = torch.linalg.vector_norm, torch.linalg.matrix_norm


def _of_vectors(order: float) -> list[Case]:
    text = str(order)
    return [
        Case(f"norm(x, ord={text})^2", V, lambda x: vector(x, order) ** 2, S),
        Case(f"vector_norm(x, {text}, [0, 2], 1)^2", CUBE, lambda x: vector(x, order, (0, 2), keepdim=True) ** 2, S),
    ]


def _of_matrices(order: Any) -> list[Case]:
    text = f"'{order}'" if isinstance(order, str) else str(order)
    return [
        Case(f"norm(x, ord={text}, axis=[0, 2], keepdims=1)^2", CUBE,
             lambda x: matrix(x, order, (0, 2), keepdim=True) ** 2),
        Case(f"matrix_norm(x, {text})^2", X, lambda x: matrix(x, order) ** 2),
    ]  # fmt: skip


def _symmetric(a: Any) -> Any:
    return (a + a.mT) / 2


ROWS: Mapping[str, list[Case]] = {
    "norm": [case for order in (1, 2, 3, 2.5, 0.5, -1, -2.5, torch.inf, -torch.inf) for case in _of_vectors(order)],
    "vector_norm": [Case("vector_norm(x)^2", X, lambda x: vector(x) ** 2)],
    "matrix_norm": [case for order in ("fro", "nuc", 1, -1, 2, -2, torch.inf, -torch.inf)
                    for case in _of_matrices(order)],
    "eigh": [
        Case("w, v = eigh(a); v @ diag(exp(w)) @ v.T", SQUARE, lambda a: torch.linalg.matrix_exp(_symmetric(a))),
        Case("eigh(a)[1][:, 0]^2", SQUARE, lambda a: torch.linalg.eigh(_symmetric(a)).eigenvectors[:, 0] ** 2),
    ],
    "svd": [
        Case("u, s, vh = svd(a); u @ diag(s^3) @ vh", {"a": (2, 3)}, lambda a: a @ a.mT @ a),
        Case("u, s, vh = svd(a); u @ diag(s^3) @ vh", {"a": (3, 2)}, lambda a: a @ a.mT @ a),
    ],
    "qr": [
        Case("q, r = qr(a); r", {"a": (4, 3)}, lambda a: torch.linalg.qr(a).R),
        Case("q, r = qr(a); r", {"a": (2, 3, 3)}, lambda a: torch.linalg.qr(a).R),
        Case("q, r = qr(a); [q[0, 1], r[0, 3], r[1, 2]]", {"a": (3, 5)},
             lambda a: torch.stack([torch.linalg.qr(a[:, :3]).Q[0, 1],
                                    (torch.linalg.qr(a[:, :3]).Q.mT @ a)[0, 3], torch.linalg.qr(a[:, :3]).R[1, 2]])),
    ],
    "solve_triangular": [
        Case("solve_triangular(a, x)", {**SQUARE, "x": (3, 2)},
             lambda a, x: torch.linalg.solve_triangular(a, x, upper=True), AB),
        Case("solve_triangular(a, x, lower=1)", {**SQUARE, "x": (3, 2)},
             lambda a, x: torch.linalg.solve_triangular(a, x, upper=False), AB),
    ],
    "slogdet": [Case("s, l = slogdet(a); s*l", SQUARE, lambda a: a.det().sign() * a.det().abs().log())],
}  # fmt: skip


@for_each("name", ROWS)
def test_value_gradient_and_second_derivative_are_pytorchs(name: str) -> None:
    for case in ROWS[name]:
        hold_against_torch(case)


def test_every_function_is_tried() -> None:
    """Those that are operations have cases in reference_cases_linear.py."""
    made_of_others = {entry.name for module in (factors, norms, spectra) for entry in module.ENTRIES
                      if not hasattr(entry, "numpy")}  # fmt: skip
    assert made_of_others == {*ROWS}


# ---- along a line, by mpmath ------------------------------------------------------------

A, B = [[3, 1, 0.5], [1, 2, -0.25], [0.75, 0, 5]], [[1, -1, 0.5], [2, 0.25, 1], [0, 1.5, -1]]


def _at(t: Any) -> Any:
    return mp.matrix(A) + t * mp.matrix(B)


def _sum(x: Any) -> Any:
    return mp.fsum((k + 1) * item for k, item in enumerate(x))


def _part(a: Any) -> Any:
    return (a + a.T) / 2


def _projector(a: Any) -> Any:
    vector = mp.eigsy(_part(a))[1][:, 0]
    return vector * vector.T


def _last(a: Any) -> Any:
    """The unit vector across the first two columns of a matrix of three: the cross product."""
    (x0, x1, x2), (y0, y1, y2) = a[:, 0], a[:, 1]
    across = mp.matrix([x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, x0 * y1 - x1 * y0])
    return across / mp.norm(across)


LINES: list[tuple[str, Callable[[Any], Any]]] = [
    ("eigvalsh(a)", lambda a: mp.eigsy(_part(a), eigvals_only=True)),
    ("outer(eigvecsh(a)[:, 0], eigvecsh(a)[:, 0])", _projector),
    ("svdvals(a)", lambda a: mp.svd_r(a, compute_uv=False)),
    ("svd_left(a) @ matrix_transpose(svd_right(a))", lambda a: mp.svd_r(a)[0] * mp.svd_r(a)[2]),
    ("cholesky(a)", lambda a: mp.cholesky(_part(a))),
    ("outer(orthonormal(a)[:, 2], orthonormal(a)[:, 2])", lambda a: _last(a) * _last(a).T),
    ("[logabsdet(a)]", lambda a: [mp.log(abs(mp.det(a)))]),
    ("pinv(a[:, :2])", lambda a: mp.inverse(a[:, :2].T * a[:, :2]) * a[:, :2].T),
    ("expm(a)", mp.expm),
    ("[norm(a, ord='nuc')]", lambda a: [mp.fsum(mp.svd_r(a, compute_uv=False))]),
]  # fmt: skip


@for_each(("program", "truth"), LINES)
def test_derivatives_along_a_line_are_mpmaths(program: str, truth: Callable[[Any], Any]) -> None:
    """Of the elements with weights, to the third order, each found by differentiating the one before."""
    line = node(f"a = {A} + t*{B}; m = ravel({program}); sum(m*cumsum(1 + 0*stop_gradient(m)))", {"t": 0.0})
    (t,) = inputs({"t": 0.0})
    with mp.workdps(40):
        truths = [float(mp.diff(lambda at: _sum(truth(_at(at))), 0, order)) for order in range(4)]
    for order in range(4):
        assert gap(value(line, {"t": 0.0}), truths[order], 1e-3) < 1e-11, (program, order)
        line = jvp(line, {t: literal(1.0)}) if order % 2 else vjp(line, literal(1.0), [t])[0]


# ---- where there is a choice, or no value -------------------------------------------------

TWINS = np.diag([1.0, 1.0, 3.0])


def test_a_sum_over_equal_eigenvalues_has_its_derivative() -> None:
    """The trace of a^2 has the derivative 2*a, whatever vectors were found for the eigenvalues that are equal."""
    for program, slope in [
        ("sum(eigvalsh(a)^2)", 2 * TWINS),
        ("sum(svdvals(a))", np.eye(3)),
        ("eigvalsh(a)[2]", np.diag([0, 0, 1.0])),
        ("norm(a, ord=2)", np.diag([0, 0, 1.0])),
    ]:
        for found in both_modes(node(program, {"a": TWINS}), 1.0, {"a": TWINS}):
            assert gap(found[0], slope) < 1e-14, program


@for_each("program", ["eigvecsh(a)", "svd_left(a)", "svd_right(a)"])
def test_vectors_of_equal_values_have_no_derivative_and_others_have(program: str) -> None:
    apart = 2 if program == "eigvecsh(a)" else 0
    for column in range(3):
        output = node(f"{program}[:, {column}]", {"a": TWINS})
        for found in both_modes(output, [1.0, 2.0, 3.0], {"a": TWINS}):
            assert np.all(np.isnan(found[0])) if column != apart else np.all(np.isfinite(found[0])), (program, column)


NOTES = [
    ("eigvalsh(a)[0]", TWINS, "eigenvalues are equal"),
    ("eigvecsh(a)[0, 0]", TWINS, "their vectors have no derivative"),
    ("svdvals(a)[0]", np.zeros((2, 2)), "singular values are equal or 0, but for rounding"),
    ("svdvals(a)[0]", np.array([[1, 2], [2, 4]]), "singular values are equal or 0, but for rounding"),
    ("sum(cholesky(a))", np.diag([1.0, -1.0]), "is not positive definite"),
]


@for_each(("program", "matrix", "note"), NOTES)
def test_it_is_said(program: str, matrix: Any, note: str, capsys: Capture) -> None:
    done = cg(capsys, "grad", program, f"a={matrix.tolist()}")
    assert (done.code, note in done.err) == (0, True), done.err


EDGES: list[tuple[str, Any]] = [
    ("norm([3, 0, 4], ord=0)", 2), ("norm([3, 0, 4], 0)", 2),
    ("norm([[1, 2], [3, 4]], 1)", 6), ("norm([[3, 4], [0, 0]], 2, 1)", [5, 0]), ("norm([[3, 4]], axis=1)", [5]),
    ("norm([0, 0], ord=3)", 0), ("norm([0, 1], ord=-3)", 0),
    ("norm([inf, 1], ord=3)", np.inf), ("norm([3e200, 4e200], ord=4)", 337**0.25 * 1e200),
    ("norm([3e-200, 4e-200], ord=4)", 337**0.25 * 1e-200), ("norm([nan, 1], ord=3)", np.nan), ("norm([], ord=1)", 0),
    ("norm([], ord=3)", 0), ("norm([[3, 4]], axis=1, ord=1)", [7]), ("norm([[3, 0], [4, 5]], ord='fro')", 50**0.5),
    ("norm([[1, 2], [3, 4]], axis=[1, 0], ord=1)", 7), ("eigvalsh(zeros([0, 0]))", []),
    ("svdvals(zeros([0, 3]))", []), ("pinv(zeros([2, 3]))", np.zeros((3, 2))),
    ("eigvecsh(zeros([0, 0]))", np.zeros((0, 0))), ("expm(zeros([0, 0]))", np.zeros((0, 0))),
    ("expm(zeros([2, 2]))", np.eye(2)), ("cholesky([[nan, 0], [0, 1]])", np.full((2, 2), np.nan)),
    ("eigvalsh([[inf, 0], [0, 1]])", [np.nan, np.nan]), ("logabsdet(1e200*eye(3))", 600 * np.log(10)),
    ("signdet(-1e200*eye(3))", -1), ("signdet([[1, 2], [2, 4]])", 0), ("logabsdet([[1, 2], [2, 4]])", -np.inf),
    ("expm_along(zeros([2, 2]), [[1e9, 2], [3, 4]])", [[1e9, 2], [3, 4]]),
    ("pinv([[1, 0], [0, 1e-3]], rcond=0.01)", [[1, 0], [0, 0]]),
    ("matrix_power([[2, 0], [0, 4]], -2)", [[0.25, 0], [0, 0.0625]]),
]  # fmt: skip


@for_each(("call", "right"), EDGES)
def test_edges(call: str, right: Any) -> None:
    np.testing.assert_allclose(value(node(call, {}), {}), right, rtol=1e-14, atol=0)


REFUSED = [
    ("norm([1, 2], ord='nuc')", "the order 'nuc' is that of a matrix"),
    ("norm([[1, 2]], ord=3)", "a norm of matrices has"), ("norm([[[1]]], ord=1)", "takes a vector or a matrix"),
    ("norm([1], ord='x')", "'fro' or 'nuc', not 'x'"), ("norm([1], ord=nan)", "not nan"),
    ("matrix_norm([1, 2])", "takes a matrix"),
    ("eigvalsh([[1, 2]])", "takes a square matrix"), ("cholesky([1])", "takes a square matrix"),
    ("svdvals(3)", "takes a matrix"), ("pinv([3])", "takes a matrix"), ("expm([[1, 2]])", "takes a square matrix"),
    ("orthonormal([[1, 2]])", "no more columns than rows"), ("qr([1, 2])", "takes a matrix"),
    ("over_gaps(eye(2), [1, 2, 3], [1, 2])", "no values for"), ("expm_along(eye(2), eye(3))", "of one shape"),
]  # fmt: skip


@for_each(("call", "message"), REFUSED)
def test_wrong_calls_are_refused(call: str, message: str) -> None:
    with pytest.raises(CgError, match=message):
        node(call, {})


WHY_NAN = [
    ("inv([[1, 2], [2, 4]])", "the matrix is singular, of rank 1 of 2: pinv(a) is its pseudo-inverse"),
    ("sum(inv(stack(eye(3), ones([3, 3]))))", "the matrix [1] is singular, of rank 1 of 3: pinv(a) is"),
    ("solve([[1, 2], [2, 4]], [1, 2])", "the matrix is singular, of rank 1 of 2: pinv(a) @ b comes nearest"),
    ("solve(zeros([2, 2]), eye(2))", "the matrix is singular, of rank 0 of 2"),
    ("logdet([[-1, 0], [0, 1]])", "the determinant is negative: logabsdet(a) is"),
    ("inv([[nan, 2], [2, 4]])", ""),
]


@for_each(("program", "why"), WHY_NAN)
def test_a_nan_of_a_matrix_says_why(program: str, why: str, capsys: Capture) -> None:
    """Protects against a nan without a reason, or with a wrong one."""
    done = cg(capsys, "eval", program)
    assert done.code == 0
    assert (why in done.err) if why else ("singular" not in done.err)


def test_what_is_said_to_write_for_a_singular_matrix_is_numpys() -> None:
    a, b = np.array([[1.0, 2], [2, 4]]), np.array([1.0, 3])
    np.testing.assert_allclose(cgcli.value("pinv(a) @ b")(a=a, b=b), np.linalg.lstsq(a, b)[0], rtol=1e-12)
