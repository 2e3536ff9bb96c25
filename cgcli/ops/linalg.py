"""Linear algebra on the two trailing axes. Formulas: Giles (2008), "An extended collection
of matrix derivative results for forward and reverse mode algorithmic differentiation".
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable, Sequence
from cgcli.errors import ShapeError
from cgcli.graph.node import Node, apply
from cgcli.graph.operation import ANALYTIC, ARRAYS, ILL_CONDITIONED, Advice, Infix, Operation, Params, Shape, Work
from cgcli.graph.rules import Jvp, Transpose
from cgcli.graph.shapes import shape_text, shaped, two_shapes
from cgcli.ops.arithmetic import MULTIPLY
from cgcli.ops.entry import PRODUCT, broadcast_shapes, same_rank
from cgcli.ops.lazily import np
from cgcli.ops.shaping import reshape, transpose
from cgcli.ops.sums import unbroadcast

# ---- matmul ---------------------------------------------------------------------------


def _matmul_shape(shapes: Sequence[Shape], params: Params) -> Shape:
    a, b = shapes
    if not a or not b:
        scalars = tuple(position for position, shape in enumerate(shapes) if not shape)
        raise ShapeError("'@' takes arrays, and one side is a scalar", hint="write '*' to scale", clash=scalars)
    inner = b[-2] if len(b) > 1 else b[0]
    if a[-1] != inner:
        raise ShapeError(
            f"shapes {shape_text(a)} and {shape_text(b)} do not fit '@': {a[-1]} columns meet {inner} rows",
            hint=_transposed_fit(a, b),
        )
    rows = a[-2:-1] if len(a) > 1 else ()
    columns = b[-1:] if len(b) > 1 else ()
    return (*broadcast_shapes((a[:-2], b[:-2])), *rows, *columns)


def _transposed_fit(a: Shape, b: Shape) -> str:
    if len(b) > 2 and a[-1] in (b[-1], b[0]):
        return "matrix_transpose(x) swaps the last two axes" + "; .T turns all of them around" * (a[-1] != b[-1])
    if len(b) == 2 and a[-1] == b[1]:
        return "the right side fits when transposed: put .T behind it, or take it away"
    if len(a) == 2 and a[0] == (b[-2] if len(b) > 1 else b[0]):
        return "the left side fits when transposed: put .T behind it, or take it away"
    return ""


def mt(x: Node) -> Node:
    """x with its two last axes swapped."""
    rank = len(x.shape)
    return transpose(x, (*range(-rank, -2), -1, -2))


def _as_matrices(ct: Node, a: Node, b: Node) -> tuple[Node, Node, Node]:
    """The three with vectors made matrices: a vector on the left is a row, on the right a column."""
    rows = a.shape[-2] if len(a.shape) > 1 else 1
    columns = b.shape[-1] if len(b.shape) > 1 else 1
    lead = broadcast_shapes((a.shape[:-2], b.shape[:-2]))
    a = a if len(a.shape) > 1 else reshape(a, (1, *a.shape))
    b = b if len(b.shape) > 1 else reshape(b, (*b.shape, 1))
    return reshape(ct, (*lead, rows, columns)), a, b


def _matmul_back_left(ct: Node, args: tuple[Node, ...], params: Params) -> Node:
    ct, _, b = _as_matrices(ct, *args)
    return _fitted(_product(ct, mt(b)), args[0])


def _matmul_back_right(ct: Node, args: tuple[Node, ...], params: Params) -> Node:
    ct, a, _ = _as_matrices(ct, *args)
    return _fitted(_product(mt(a), ct), args[1])


def _product(a: Node, b: Node) -> Node:
    """a @ b; an outer product of a column and a row is written as `*`."""
    return apply(MULTIPLY, (a, b)) if a.shape[-1] == 1 else apply(MATMUL, (a, b))


def _fitted(adjoint: Node, arg: Node) -> Node:
    """The adjoint with batch axes that were broadcast added up, in the argument's shape."""
    matrix = adjoint.shape[-2:]
    shape = arg.shape if len(arg.shape) > 1 else matrix
    return reshape(unbroadcast(adjoint, shape), arg.shape)


def _matmul_work(shapes: Sequence[Shape], params: Params) -> int:
    """A multiplication and an addition for each column of a and each element of the result."""
    return 2 * shapes[0][-1] * math.prod(_matmul_shape(shapes, params))


def _matmul_rows(a: Any, b: Any) -> Any:
    """Products row by row in one call: vectors are made matrices, as numpy does for one row."""
    left = a if a.ndim > 2 else a[:, None, :]
    right = b if b.ndim > 2 else b[:, :, None]
    product = np.matmul(*same_rank(left, right))
    product = product if a.ndim > 2 else product[..., 0, :]
    return product if b.ndim > 2 else product[..., 0]


MATMUL = Operation("matmul", "matrix product", ("a", "b"), "matmul", _matmul_shape,
                   (Transpose(_matmul_back_left), Transpose(_matmul_back_right)),
                   infix=Infix("@", PRODUCT), label="@", example="[[1, 2], [3, 4]] @ [1, 1]",
                   work=_matmul_work, rows=_matmul_rows, facts=ILL_CONDITIONED, mp=ARRAYS)  # fmt: skip

# ---- inverses -------------------------------------------------------------------------


def square(name: str) -> Callable[[Sequence[Shape], Params], Shape]:
    """The shape rule of an operation from square matrices, (..., n, n), to such; it raises ShapeError for others."""

    def check(shapes: Sequence[Shape], params: Params) -> Shape:
        a = shapes[0]
        if len(a) < 2 or a[-1] != a[-2]:
            raise ShapeError(f"{name} takes a square matrix, not {shaped(a)}", clash=(0,))
        return a

    return check


def scalar_of_matrix(name: str) -> Callable[[Sequence[Shape], Params], Shape]:
    """The shape rule of an operation from square matrices, (..., n, n), to numbers."""
    return lambda shapes, params: square(name)(shapes, params)[:-2]


def _singular(a: Any, instead: str) -> str:
    """That a matrix is singular, and what to write instead; '' where a nan has another reason."""
    if not np.all(np.isfinite(a)):
        return ""
    ranks = np.linalg.matrix_rank(a)
    places = [tuple(map(int, at)) for at in np.argwhere(ranks < np.shape(a)[-1])]
    which = f" {list(places[0])}" if np.ndim(a) > 2 else ""
    return (
        f"the matrix{which} is singular, of rank {ranks[places[0]]} of {np.shape(a)[-1]}: {instead}" if places else ""
    )


def nan_where_singular(compute: Callable[..., Any]) -> Callable[..., Any]:
    """numpy refuses a whole batch for one singular matrix; cg gives nan for that one."""

    def kernel(*args: Any) -> Any:
        try:
            return compute(*args)
        except np.linalg.LinAlgError:
            lead = np.broadcast_shapes(*(np.shape(arg)[:-2] for arg in args if np.ndim(arg) > 1))
            matrices = [np.broadcast_to(a, (*lead, *np.shape(a)[-2:])) if np.ndim(a) > 1 else a for a in args]
            if not lead:
                return np.full(np.shape(args[-1]), np.nan)
            return np.stack([kernel(*(m[i] if m.ndim > 2 else m for m in matrices)) for i in range(lead[0])])

    return kernel


@nan_where_singular
def _solve(a: Any, b: Any) -> Any:
    return np.linalg.solve(a, b) if np.ndim(b) > 1 else np.linalg.solve(a, b[..., None])[..., 0]


@nan_where_singular
def _inv(a: Any) -> Any:
    return np.linalg.inv(a)


def _solve_rows(a: Any, b: Any) -> Any:
    right = b if b.ndim > 2 else b[:, :, None]
    result = _solve(*same_rank(a, right))
    return result if b.ndim > 2 else result[..., 0]


def _solve_shape(shapes: Sequence[Shape], params: Params) -> Shape:
    a, b = shapes
    square("solve")((a,), ())
    if not b or (b[-2] if len(b) > 1 else b[0]) != a[-1]:
        raise ShapeError(f"solve: {two_shapes(a, b)} do not fit",
                         hint=f"the right side needs {a[-1]} rows")  # fmt: skip
    if len(b) == 1:
        if len(a) > 2:
            raise ShapeError("solve: many matrices take a right side of matrices", hint="reshape it to [n, 1]")
        return b
    return (*broadcast_shapes((a[:-2], b[:-2])), *b[-2:])


def _solve_back(ct: Node, args: tuple[Node, ...], params: Params) -> Node:
    a, b = args
    return unbroadcast(apply(SOLVE, (mt(a), ct)), b.shape)


def _solve_work(shapes: Sequence[Shape], params: Params) -> int:
    """Gaussian elimination, then two triangular systems for each column of b."""
    size = shapes[0][-1]
    result = _solve_shape(shapes, params)
    return 2 * size**3 * math.prod(result[:-2]) // 3 + 2 * size * math.prod(result)


def cubes(count: int, thirds: int = 0) -> Work:
    """(count + thirds/3)*n^3 for each matrix of n rows."""

    def work(shapes: Sequence[Shape], params: Params) -> int:
        return -(-(3 * count + thirds) * shapes[0][-1] * math.prod(shapes[0]) // 3)

    return work


_SHORTEST = "pinv(a) @ b comes nearest, and is the shortest that does"

SOLVE = Operation("solve", "the x with a @ x = b", ("a", "b"), _solve, _solve_shape,
                  (Jvp("-solve(a, da @ out)"), Transpose(_solve_back, mixes=2)),
                  samples=((-2.0, 2.0),) * 2, facts=ANALYTIC,
                  domain="det(a) != 0", advice=Advice("nan", "", of_arrays=lambda a, b: _singular(a, _SHORTEST)),
                  example="solve([[2, 0], [0, 4]], [2, 4])", latex="#1^{-1} #2",
                  work=_solve_work, rows=_solve_rows, mp="solve")  # fmt: skip
INV = Operation("inv", "the inverse of a matrix", ("a",), _inv, square("inv"),
                (Jvp("-out @ da @ out"),), facts=ANALYTIC, domain="det(a) != 0",
                advice=Advice("nan", "", of_arrays=lambda a: _singular(a, "pinv(a) is its pseudo-inverse")),
                example="inv([[2, 0], [0, 4]])", latex="#1^{-1}", work=cubes(2), mp="inv")  # fmt: skip

ENTRIES: tuple[Operation, ...] = (
    MATMUL,
    SOLVE,
    INV,
)  # fmt: skip
