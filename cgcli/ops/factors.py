"""Factors of matrices, their pseudo-inverse and exponential, and the parts of a determinant, on the two trailing axes.

Formulas: Giles (2008) as in linalg.py; Murray (2016), "Differentiation of the Cholesky decomposition"; Golub and
Pereyra (1973), "The differentiation of pseudo-inverses"; Al-Mohy and Higham (2009), "Computing the Fréchet derivative
of the matrix exponential".
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.errors import ShapeError
from cgcli.graph.node import Node, apply
from cgcli.graph.operation import ANALYTIC, Advice, Operation, Params, Shape, Shorthand
from cgcli.graph.rules import Jvp, Transpose
from cgcli.graph.shapes import shape_text, shaped
from cgcli.ops.entry import STEP
from cgcli.ops.indexing import take
from cgcli.ops.lazily import np
from cgcli.ops.linalg import MATMUL, SOLVE, cubes, mt, nan_where_singular, scalar_of_matrix, square
from cgcli.ops.shaping import TRIL, TRIU
from cgcli.ops.spectra import finite_only, symmetric
from cgcli.ops.statics import Taken, flag, number
from cgcli.records import NamedTuple

# ---- Cholesky's and the orthonormal factor -----------------------------------------------


@finite_only
@nan_where_singular
def _cholesky(a: Any) -> Any:
    return np.linalg.cholesky(symmetric(a))


def _why_nan(a: Any) -> str:
    return "the matrix, or its symmetric part, is not positive definite" if np.all(np.isfinite(a)) else ""


CHOLESKY = Operation(
    "cholesky", "the lower triangle that times its transpose is (a + a.T)/2; nan where that is not positive definite",
    ("a",), _cholesky, square("cholesky"),
    (Jvp("m = solve(out, matrix_transpose(solve(out, da + matrix_transpose(da))))\n"
         "out @ (tril(m) + tril(m, -1))/4"),),
    advice=Advice("nan", "", of_arrays=_why_nan), domain="min(eigvalsh(a)) > 0",
    example="cholesky([[4, 2], [2, 5]])", work=cubes(0, 1), mp="cholesky",
)  # fmt: skip


@finite_only
def _orthonormal(a: Any) -> Any:
    return np.linalg.qr(a).Q


def _orthonormal_shape(shapes: Sequence[Shape], params: Params) -> Shape:
    a = shapes[0]
    if len(a) < 2 or a[-2] < a[-1]:
        raise ShapeError(f"orthonormal takes a matrix with no more columns than rows, not {shaped(a)}", clash=(0,))
    return a


ORTHONORMAL = Operation(
    "orthonormal", "the columns made orthonormal, each within the space of those up to it: q of q, r = qr(a)", ("a",),
    _orthonormal, _orthonormal_shape,
    (Jvp("r = matrix_transpose(out) @ a\n"
         "c = matrix_transpose(solve(matrix_transpose(r), matrix_transpose(da)))\n"
         "m = matrix_transpose(out) @ c; l = tril(m, -1)\n"
         "c + out @ (l - matrix_transpose(l) - m)"),),
    example="orthonormal([[3, 0], [4, 5]])", work=lambda shapes, params: 4 * math.prod(shapes[0]) * shapes[0][-1],
    mp="orthonormal",
)  # fmt: skip


def _qr(args: tuple[Node, ...], params: Params) -> tuple[Node, ...]:
    """Of a matrix with more columns than rows, the first ones make q."""
    (a,) = args
    if len(a.shape) < 2:
        raise ShapeError(f"qr takes a matrix, not {shaped(a.shape)}", clash=(0,))
    rows, columns = a.shape[-2:]
    first = take(a, (*(Taken(0, size, 1) for size in a.shape[:-1]), Taken(0, rows, 1))) if rows < columns else a
    q = apply(ORTHONORMAL, (first,))
    return q, apply(TRIU, (apply(MATMUL, (mt(q), a)),), (0,))


class Lower(NamedTuple):
    """The parameter of solve_triangular: which triangle is read."""

    lower: bool


def _solve_triangular(args: tuple[Node, ...], params: Lower) -> Node:
    a, b = args
    square("solve_triangular")((a.shape,), ())
    return apply(SOLVE, (apply(TRIL if params.lower else TRIU, (a,), (0,)), b))


# ---- parts of a determinant ----------------------------------------------------------


def _logabsdet(a: Any) -> Any:
    return _of_determinant(a, np.linalg.slogdet(a).logabsdet)


def _signdet(a: Any) -> Any:
    return _of_determinant(a, np.linalg.slogdet(a).sign)


def _of_determinant(a: Any, found: Any) -> Any:
    """nan for a matrix that holds one, which the elimination may lose on its way."""
    return np.where(np.isnan(a).any((-2, -1)), np.nan, found)[()]


LOGABSDET = Operation(
    "logabsdet", "ln(|det(a)|), without overflow", ("a",), _logabsdet, scalar_of_matrix("logabsdet"),
    (Jvp("sum(matrix_transpose(inv(a))*da, axis=[-2, -1])"),), domain="det(a) != 0",
    example="logabsdet([[0, 2], [2, 0]])", work=cubes(0, 2), latex=r"\ln(\lvert\det(#1)\rvert)", mp="logabsdet",
)  # fmt: skip
SIGNDET = Operation(
    "signdet", "the sign of det(a), without overflow", ("a",), _signdet, scalar_of_matrix("signdet"), (None,),
    why_no_derivative=STEP, example="signdet([[0, 2], [2, 0]])", work=cubes(0, 2), mp="signdet",
)  # fmt: skip


def _slogdet(args: tuple[Node, ...], params: Params) -> tuple[Node, ...]:
    return apply(SIGNDET, args), apply(LOGABSDET, args)


# ---- the pseudo-inverse ----------------------------------------------------------------


class Cutoff(NamedTuple):
    """The parameter of pinv: singular values below this share of the largest one count as 0."""

    rcond: float


def _pinv(a: Any, rcond: float) -> Any:
    return finite_only(lambda matrix: np.linalg.pinv(matrix, rcond))(a)


def _pinv_shape(shapes: Sequence[Shape], params: Params) -> Shape:
    a = shapes[0]
    if len(a) < 2:
        raise ShapeError(f"pinv takes a matrix, not {shaped(a)}", clash=(0,))
    return (*a[:-2], a[-1], a[-2])


PINV = Operation(
    "pinv", "the pseudo-inverse of a matrix of any sizes; its derivative holds where the rank stays", ("a",), _pinv,
    _pinv_shape,
    (Jvp("t = matrix_transpose(out); u = matrix_transpose(da)\n"
         "out @ t @ (u - u @ a @ out) + (u - out @ a @ u) @ t @ out - out @ da @ out"),),
    statics=(number("rcond", 1e-15),), params=Cutoff, example="pinv([[1, 2], [2, 4]])",
    work=lambda shapes, params: 22 * math.prod(shapes[0]) * min(shapes[0][-2:]), latex="#1^{+}", mp="pinv",
)  # fmt: skip

# ---- the exponential -------------------------------------------------------------------


@finite_only
def _expm(a: Any) -> Any:
    from scipy.linalg import expm

    return expm(a)


def _expm_along(a: Any, b: Any) -> Any:
    """The upper right quarter of the exponential of [[a, b], [0, a]], with b made as large as a."""
    a, b = np.broadcast_arrays(a, b)
    size = a.shape[-1]
    scale = _norm(b) / np.where(_norm(a) > 0, _norm(a), 1.0)
    scale = np.where(scale > 0, scale, 1.0)
    upper = np.concatenate([a, b / scale], axis=-1)
    both = np.concatenate([upper, np.concatenate([np.zeros_like(a), a], axis=-1)], axis=-2)
    return _expm(both)[..., :size, size:] * scale


def _norm(a: Any) -> Any:
    return np.max(abs(a), axis=(-2, -1), keepdims=True, initial=0.0)


def _along_shape(shapes: Sequence[Shape], params: Params) -> Shape:
    a, b = shapes
    square("expm_along")((a,), ())
    if a != b:
        raise ShapeError(f"expm_along takes two matrices of one shape, not {shape_text(a)} and {shape_text(b)}")
    return a


# What these are for languages that lack them: Padé's approximant of order 13, squared again and again (Higham 2005).
_IN_PRODUCTS = (
    "n = max(sum(abs(a), axis=-2)); s = n < inf && n > 5.37 ? ceil(log2(n/5.37)) : 0; "
    "b = a/2^s; o = tril(triu(1 + 0*a)); p = b@b; q = p@p; r = p@q; u = r@(r + 16380*q + 40840800*p) "
    "+ 33522128640*r + 10559470521600*q + 1187353796428800*p + 32382376266240000*o; "
    "v = r@(182*r + 960960*q + 1323241920*p) + 670442572800*r + 129060195264000*q + 7771770303897600*p "
    "+ 64764752532480000*o; x = solve(v - b@u, v + b@u); k = 0; while k < s { k = k + 1; x = x@x }; x + 0*sum(a)"
)
_IN_A_BLOCK = (
    "d = max(abs(b)); c = 0 < d && d < inf ? d : 1; "
    "m = expm(concat(concat(a, b/c, axis=-1), concat(b*0, a, axis=-1), axis=-2)); "
    "split(split(m, 2, axis=-2)[0], 2, axis=-1)[1]*c"
)
_EXPONENTIAL = 30  # products of matrices and a solution, for some squarings

EXPM = Operation("expm", "the exponential of a matrix: the sum of its powers a^n/n!", ("a",), _expm, square("expm"),
                 (Jvp("expm_along(a, da)"),), facts=ANALYTIC, example="expm([[0, 1], [0, 0]])",
                 work=cubes(_EXPONENTIAL), latex="e^{#1}", mp="expm", simpler=_IN_PRODUCTS)  # fmt: skip
# The derivative by a is that along both directions: a quarter of the derivative of the exponential of a block matrix.
EXPM_ALONG: Operation = Operation(
    "expm_along", "the derivative of expm(a) along b", ("a", "b"), _expm_along, _along_shape,
    (Jvp("zero = b*0\n"
         "m = concat(concat(a, b, axis=-1), concat(zero, a, axis=-1), axis=-2)\n"
         "d = concat(concat(da, zero, axis=-1), concat(zero, da, axis=-1), axis=-2)\n"
         "split(split(expm_along(m, d), 2, axis=-2)[0], 2, axis=-1)[1]"),
     Transpose(lambda ct, args, params: apply(EXPM_ALONG, (mt(args[0]), ct)), mixes=2)),
    facts=ANALYTIC, example="expm_along([[0, 1], [0, 0]], [[1, 0], [0, 0]])", work=cubes(8 * _EXPONENTIAL),
    mp="expm_along", simpler=_IN_A_BLOCK,
)  # fmt: skip

ENTRIES: tuple[Operation | Shorthand, ...] = (
    CHOLESKY,
    ORTHONORMAL,
    Shorthand("qr", "q, r = qr(a): a is q @ r, with orthonormal columns and an upper triangle; numpy's reduced form",
              ("a",), _qr, example="qr([[3, 0], [4, 5]])[1]"),
    Shorthand("solve_triangular", "the x with triu(a) @ x = b, or with lower=1 tril(a) @ x = b", ("a", "b"),
              _solve_triangular, (flag("lower"),), Lower, example="solve_triangular([[2, 1], [0, 4]], [4, 8])"),
    LOGABSDET,
    SIGNDET,
    Shorthand("slogdet", "signdet(a) and logabsdet(a): sign, ln = slogdet(a)", ("a",), _slogdet,
              example="slogdet([[0, 2], [2, 0]])[1]"),
    PINV,
    EXPM,
    EXPM_ALONG,
)  # fmt: skip
