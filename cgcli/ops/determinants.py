"""Determinants of square matrices on the two trailing axes, with derivatives that hold for singular ones."""

from __future__ import annotations

from cgcli.annotations import Any, Sequence
from cgcli.errors import ShapeError
from cgcli.graph.node import apply
from cgcli.graph.operation import ANALYTIC, Advice, Operation, Params, Shape
from cgcli.graph.rules import Jvp, Transpose
from cgcli.graph.shapes import shape_text
from cgcli.ops.lazily import np
from cgcli.ops.linalg import cubes, scalar_of_matrix, square

# Times n^3, from Golub and Van Loan (2013), "Matrix Computations", 3.2 and 8.6.
_LU = 2  # thirds
_SVD = 21


def _cofactor_along_shape(shapes: Sequence[Shape], params: Params) -> Shape:
    a, b = shapes
    square("cofactor_along")((a,), ())
    if a != b:
        raise ShapeError(f"cofactor_along takes two matrices of one shape, not {shape_text(a)} and {shape_text(b)}")
    return a


def _det(a: Any) -> Any:
    """nan for a matrix that holds one, which the elimination may lose on its way."""
    return np.where(np.isnan(a).any((-2, -1)), np.nan, np.linalg.det(a))[()]


def _logdet(a: Any) -> Any:
    sign, value = np.linalg.slogdet(a)
    return np.where((sign < 0) | np.isnan(a).any((-2, -1)), np.nan, value)[()]


def _why_nan(a: Any) -> str:
    return "the determinant is negative: logabsdet(a) is the logarithm of its size" if np.all(np.isfinite(a)) else ""


def _cofactor(a: Any) -> Any:
    """The cofactor matrix by singular values, so that it is exact for singular matrices too."""
    u, s, vt, sign = _signed_svd(a)
    return sign * ((u * _all_but_one(s)[..., None, :]) @ vt)


def _cofactor_along(a: Any, b: Any) -> Any:
    """The derivative of the cofactor matrix along b.

    With a = u*s*vt the cofactor matrix is u*cofactor(s)*vt up to a sign; and for a diagonal
    matrix s it changes along c by products of all singular values but two.
    """
    u, s, vt, sign = _signed_svd(a)
    c = np.swapaxes(u, -1, -2) @ b @ np.swapaxes(vt, -1, -2)
    but_two = _all_but_two(s)
    along = -np.swapaxes(c, -1, -2) * but_two
    diagonal = np.einsum("...kk,...ik->...i", c, but_two)
    places = np.arange(s.shape[-1])
    along[..., places, places] = diagonal
    return sign * (u @ along @ vt)


def _signed_svd(a: Any) -> tuple[Any, Any, Any, Any]:
    """The singular value decomposition, and det(u)*det(vt); nan for a matrix that is not finite."""
    sound = np.all(np.isfinite(a), axis=(-2, -1))[..., None, None]
    u, s, vt = np.linalg.svd(np.where(sound, a, 0.0))
    sign = np.rint(np.linalg.det(u) * np.linalg.det(vt))[..., None, None]
    return u, s, vt, np.where(sound, sign, np.nan)


def _all_but_one(s: Any) -> Any:
    """The product of all elements but each, without a division."""
    one = np.ones_like(s[..., :1])
    before = np.cumprod(np.concatenate([one, s[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([one, s[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return before * after


def _all_but_two(s: Any) -> Any:
    """[i, k]: the product of all elements but the i-th and the k-th; 0 for i = k."""
    places = np.arange(s.shape[-1])
    rows = [np.where(places == i, 0.0, _all_but_one(np.where(places == i, 1.0, s))) for i in places]
    return np.stack(rows, axis=-2)


COFACTOR = Operation("cofactor", "the cofactor matrix, the derivative of det", ("a",), _cofactor,
                     square("cofactor"), (Jvp("cofactor_along(a, da)"),),
                     example="cofactor([[2, 0], [0, 4]])", work=cubes(_SVD + 2, 2 * _LU), mp="cofactor")  # fmt: skip

# A bilinear form that is symmetric: in b it is its own transpose. By a, the third derivative
# of det, it takes an inverse, and is nan for a singular matrix.
COFACTOR_ALONG: Operation = Operation(
    "cofactor_along", "the derivative of cofactor(a) along b: the second derivative of det", ("a", "b"),
    _cofactor_along, _cofactor_along_shape,
    (Jvp("i = inv(a); x = i @ b; y = i @ da\n"
         "s = sum(i*matrix_transpose(b), axis=[-2, -1], keepdims=1)\n"
         "t = sum(i*matrix_transpose(da), axis=[-2, -1], keepdims=1)\n"
         "both = sum(x*matrix_transpose(y), axis=[-2, -1], keepdims=1)\n"
         "expand(expand(det(a), -1), -1)*matrix_transpose((s*t - both)*i - (t*x + s*y - y @ x - x @ y) @ i)"),
     Transpose(lambda ct, args, params: apply(COFACTOR_ALONG, (args[0], ct)), mixes=2)),
    example="cofactor_along([[2, 0], [0, 4]], [[1, 0], [0, 0]])", work=cubes(_SVD + 4 * 2, 2 * _LU),
    mp="cofactor_along",
)  # fmt: skip

DET = Operation("det", "the determinant", ("a",), _det, scalar_of_matrix("det"),
                (Jvp("sum(cofactor(a)*da, axis=[-2, -1])"),), facts=ANALYTIC,
                example="det([[2, 0], [1, 3]])", work=cubes(0, _LU),
                latex=r"\det", mp="det")  # fmt: skip

ENTRIES: tuple[Operation, ...] = (
    COFACTOR,
    COFACTOR_ALONG,
    DET,
    Operation("logdet", "ln(det(a)); nan where det(a) < 0", ("a",), _logdet, scalar_of_matrix("logdet"),
              (Jvp("where(out == out, 1, out)*sum(matrix_transpose(inv(a))*da, axis=[-2, -1])"),),
              domain="det(a) > 0", advice=Advice("nan", "", of_arrays=_why_nan),
              example="logdet([[2, 0], [0, 8]])", work=cubes(0, _LU), latex=r"\ln(\det(#1))", mp="logdet"),
)  # fmt: skip
