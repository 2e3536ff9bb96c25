"""Eigenvalues of symmetric matrices, singular values, and their vectors, on the two trailing axes.

Formulas: Giles (2008), "An extended collection of matrix derivative results for forward and reverse mode algorithmic
differentiation", 3.1; and Townsend (2016), "Differentiating the singular value decomposition". Vectors move by what
the tangent mixes, divided by the gaps between the values, so that they have no derivative where two values are equal.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable, Sequence
from cgcli.errors import ShapeError
from cgcli.graph.node import Node, apply
from cgcli.graph.operation import NON_NEGATIVE, Advice, Kink, Operation, Params, Shape, Shorthand, Work
from cgcli.graph.rules import Jvp, Transpose
from cgcli.graph.shapes import shape_text, shaped
from cgcli.ops.lazily import np
from cgcli.ops.linalg import cubes, mt, square
from cgcli.ops.statics import flag
from cgcli.records import NamedTuple

_EPSILON = 2.0**-52

# ---- what the vectors of near values are divided by ------------------------------------


class Sparing(NamedTuple):
    """The parameter of over_gaps: whether columns that are all 0 stay so, where values are equal."""

    sparing: bool


def over_gaps(x: Any, w: Any, v: Any, sparing: bool, epsilon: Any = _EPSILON) -> Any:
    """The kernel: quotients by the gaps between values; nan where these are no wider than rounding is."""
    gaps = w[..., None, :] - v[..., :, None]
    size = np.shape(x)[-1]
    largest = np.max(np.maximum(abs(w), abs(v)), axis=-1, keepdims=True, initial=0)[..., None]
    equal = abs(gaps) <= size * epsilon * largest
    moved = np.any(x != 0, axis=-2, keepdims=True) if sparing else True
    quotients = x / np.where(equal, 1, gaps)
    return np.where(np.eye(size, dtype=bool), 0, np.where(equal & moved, np.nan, quotients))


def _over_gaps_shape(shapes: Sequence[Shape], params: Params) -> Shape:
    x, w, v = shapes
    square("over_gaps")((x,), ())
    if not w == v == x[:-1]:
        raise ShapeError(f"over_gaps: {shape_text(w)} and {shape_text(v)} are no values for {shaped(x)}", clash=(0, 1))
    return x


def _over_gaps_back(ct: Node, args: tuple[Node, ...], params: Params) -> Node:
    return apply(OVER_GAPS, (ct, *args[1:]), Sparing(True))


def _why_nan(x: Any, w: Any, v: Any, sparing: bool) -> str:
    known = np.all(np.isfinite(x)) and np.all(np.isfinite(w)) and np.all(np.isfinite(v))
    return "two eigenvalues or singular values are equal: their vectors have no derivative" if known else ""


OVER_GAPS: Operation = Operation(
    "over_gaps", "x[i, j]/(w[j] - v[i]), and 0 for i = j: how eigenvectors move; nan where the two are equal",
    ("x", "w", "v"), over_gaps, _over_gaps_shape,
    (Transpose(_over_gaps_back, mixes=2),
     Jvp("-over_gaps(out*expand(dw, -2), w, v, sparing)"),
     Jvp("over_gaps(out*expand(dv, -1), w, v, sparing)")),
    statics=(flag("sparing"),), params=Sparing, advice=Advice("nan", "", of_arrays=_why_nan),
    example="over_gaps([[1, 2], [3, 4]], [1, 3], [1, 3])", mp="over_gaps",
)  # fmt: skip

# ---- symmetric matrices ---------------------------------------------------------------


def finite_only(compute: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A kernel on matrices of which LAPACK has no value where one is not finite: there it is nan."""

    def kernel(a: Any) -> Any:
        sound = np.all(np.isfinite(a), axis=(-2, -1))
        if np.all(sound):
            return compute(a)
        found = compute(np.where(sound[..., None, None], a, np.eye(*np.shape(a)[-2:])))
        return np.where(np.reshape(sound, (*np.shape(sound), *(1,) * (np.ndim(found) - np.ndim(sound)))), found, np.nan)

    return kernel


def symmetric(a: Any) -> Any:
    """The symmetric part of matrices; a symmetric one as it is."""
    return a / 2 + np.swapaxes(a, -1, -2) / 2


def signs(vectors: Any, near: Any = 2.0**-20) -> Any:
    """The signs that make the first of the largest elements of each column positive."""
    if not np.size(vectors):
        return 1
    sizes = abs(vectors)
    largest = np.max(sizes, axis=-2, keepdims=True)
    place = np.argmax(sizes >= largest * (1 - near), axis=-2)[..., None, :]
    first = np.take_along_axis(vectors, place, -2)
    return np.where(first < 0, -1, 1)


@finite_only
def _eigvalsh(a: Any) -> Any:
    return np.linalg.eigvalsh(symmetric(a))


@finite_only
def _eigvecsh(a: Any) -> Any:
    vectors = np.linalg.eigh(symmetric(a)).eigenvectors
    return vectors * signs(vectors)


def _equal(values: Any) -> Any:
    """Whether two neighbours among sorted values are equal, but for rounding."""
    largest = np.max(abs(values), axis=-1, keepdims=True, initial=0)
    return np.any(abs(np.diff(values, axis=-1)) <= np.shape(values)[-1] * _EPSILON * largest, axis=-1)


_TIED = "of equal ones, each has the derivative along a vector of its own; that of their sum is exact"

EIGVALSH = Operation(
    "eigvalsh", "the eigenvalues of the symmetric part (a + a.T)/2, in ascending order", ("a",), _eigvalsh,
    lambda shapes, params: square("eigvalsh")(shapes, params)[:-1], (Jvp("v = eigvecsh(a); sum(v*(da @ v), axis=-2)"),),
    kink=Kink(lambda a: _equal(_eigvalsh(a)), f"eigenvalues are equal: {_TIED}"),
    example="eigvalsh([[2, 1], [1, 2]])", work=cubes(1, 1), mp="eigvalsh",
)  # fmt: skip
EIGVECSH = Operation(
    "eigvecsh", "the eigenvectors of (a + a.T)/2 as columns, by eigenvalues; the largest element of each is positive",
    ("a",), _eigvecsh, square("eigvecsh"),
    (Jvp("w = eigvalsh(a); m = matrix_transpose(out) @ (da + matrix_transpose(da)) @ out/2\n"
         "out @ over_gaps(m, w, w)"),),
    example="eigvecsh([[2, 1], [1, 2]])", work=cubes(9), mp="eigvecsh",
)  # fmt: skip

# ---- singular values ------------------------------------------------------------------


def _least(shape: Shape) -> int:
    return min(shape[-2:])


def _singular(name: str, keep: Callable[[Shape], Shape]) -> Callable[[Sequence[Shape], Params], Shape]:
    """The shape rule of what a matrix of any sizes has one of for each singular value. keep: the axis before that."""

    def check(shapes: Sequence[Shape], params: Params) -> Shape:
        a = shapes[0]
        if len(a) < 2:
            raise ShapeError(f"{name} takes a matrix, not {shaped(a)}", clash=(0,))
        return (*a[:-2], *keep(a), _least(a))

    return check


def _singular_work(times: int) -> Work:
    """times*m*n*min(m, n), from Golub and Van Loan (2013), "Matrix Computations", 8.6."""
    return lambda shapes, params: times * math.prod(shapes[0]) * _least(shapes[0])


@finite_only
def _svdvals(a: Any) -> Any:
    return np.linalg.svd(a, compute_uv=False)


@finite_only
def _svd_left(a: Any) -> Any:
    u = np.linalg.svd(a, full_matrices=False).U
    return u * signs(u)


@finite_only
def _svd_right(a: Any) -> Any:
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return np.swapaxes(vh, -1, -2) * signs(u)


def _at_kink(a: Any) -> Any:
    values = _svdvals(a)
    return _equal(np.concatenate([values, np.zeros((*np.shape(values)[:-1], 1))], axis=-1))


# What the tangent mixes among the vectors is p, in the basis of both sides: its symmetric part over the differences of
# values, its skew part over their sums. The rest leaves the space of the vectors.
_MIXED = "s = svdvals(a); p = matrix_transpose({u}) @ da @ {v}; q = matrix_transpose(p)\n"
_TURNED = "{side} @ (over_gaps(p + q, s, s) {sign} over_gaps(p - q, s, -s))/2"
_OUTSIDE = " + where(size(a, axis={longer}) > size(a, axis={shorter}), ({image} - out @ {inside})/expand(s, -2), 0)"

SVDVALS = Operation(
    "svdvals", "the singular values, in descending order", ("a",), _svdvals, _singular("svdvals", lambda a: ()),
    (Jvp("where(out == 0, 0, sum(svd_left(a)*(da @ svd_right(a)), axis=-2))",
         "sum(svd_left(a)*(da @ svd_right(a)), axis=-2)"),), facts=NON_NEGATIVE,
    kink=Kink(_at_kink, "singular values are equal or 0, but for rounding: each has the derivative along one choice of "
                        "its vectors, just at 0 it is 0; that of a sum of equal ones is exact"),
    example="svdvals([[3, 0], [4, 5]])", work=_singular_work(4), mp="svdvals",
)  # fmt: skip
SVD_LEFT = Operation(
    "svd_left", "the left singular vectors as columns, by singular values; the largest element of each is positive",
    ("a",), _svd_left, _singular("svd_left", lambda a: a[-2:-1]),
    (Jvp(_MIXED.format(u="out", v="v").replace("p =", "v = svd_right(a); p =", 1)
         + _TURNED.format(side="out", sign="+")
         + _OUTSIDE.format(longer=-2, shorter=-1, image="da @ v", inside="p")),),
    example="svd_left([[3, 0], [4, 5]])", work=_singular_work(22), mp="svd_left",
)  # fmt: skip
SVD_RIGHT = Operation(
    "svd_right", "the right singular vectors as columns, which belong to those of svd_left",
    ("a",), _svd_right, _singular("svd_right", lambda a: a[-1:]),
    (Jvp(_MIXED.format(u="u", v="out").replace("p =", "u = svd_left(a); p =", 1)
         + _TURNED.format(side="out", sign="-")
         + _OUTSIDE.format(longer=-1, shorter=-2, image="matrix_transpose(da) @ u", inside="q")),),
    example="svd_right([[3, 0], [4, 5]])", work=_singular_work(22), mp="svd_right",
)  # fmt: skip


def _eigh(args: tuple[Node, ...], params: Params) -> tuple[Node, ...]:
    return apply(EIGVALSH, args), apply(EIGVECSH, args)


def _svd(args: tuple[Node, ...], params: Params) -> tuple[Node, ...]:
    return apply(SVD_LEFT, args), apply(SVDVALS, args), mt(apply(SVD_RIGHT, args))


ENTRIES: tuple[Operation | Shorthand, ...] = (
    EIGVALSH,
    EIGVECSH,
    Shorthand("eigh", "eigvalsh(a) and eigvecsh(a): w, v = eigh(a)", ("a",), _eigh,
              example="eigh([[2, 1], [1, 2]])[0]"),
    SVDVALS,
    SVD_LEFT,
    SVD_RIGHT,
    Shorthand("svd", "u, s, vh = svd(a): a is u @ diag(s) @ vh; the reduced form of numpy's", ("a",), _svd,
              example="svd([[3, 0], [4, 5]])[1]"),
    OVER_GAPS,
)  # fmt: skip
