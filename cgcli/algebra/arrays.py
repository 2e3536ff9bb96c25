"""The algebraic rules for operations on whole arrays: sums, matrix products, shapes."""

from __future__ import annotations

import math

from cgcli.algebra.canonical import Canonical
from cgcli.algebra.coefficient import ONE, Number, quotient
from cgcli.algebra.known import folded_array, is_identity, is_known
from cgcli.algebra.masks import masked, times_masked
from cgcli.algebra.product import Factors, Product, add_terms, multiplied
from cgcli.annotations import Any, Callable
from cgcli.graph.node import Node, apply, constant
from cgcli.graph.operation import Operation, Params
from cgcli.graph.shapes import all_axes
from cgcli.ops.arithmetic import DIVIDE, MULTIPLY, NEG
from cgcli.ops.creation import ONES, OfShape
from cgcli.ops.determinants import COFACTOR, DET
from cgcli.ops.indexing import INDEX
from cgcli.ops.lazily import np
from cgcli.ops.linalg import INV, MATMUL, SOLVE
from cgcli.ops.logic import WHERE
from cgcli.ops.reductions import PROD, SIZE, SOFTMAX
from cgcli.ops.shaping import DIAG, FLIP, RESHAPE, TRANSPOSE, Diagonal, column_of, outer, reshape, row_of, transpose
from cgcli.ops.statics import Axes, Reshape
from cgcli.ops.sums import BROADCAST, CUMSUM, MEAN, SUM, Reduce

Args = tuple[Node, ...]
Rule = Callable[[Canonical, Operation, Args, Any], Node | None]


def _scalars_of(product: Product) -> tuple[Product, Product]:
    """A product's coefficient and scalar factors, and the product of its array factors."""
    scalars = {base: n for base, n in product.powers.items() if not base.shape}
    arrays = {base: n for base, n in product.powers.items() if base.shape}
    of_scalars = {
        base: terms for base, terms in product.exponents.items() if not any(node.shape for node in (base, *terms))
    }
    of_arrays = {base: terms for base, terms in product.exponents.items() if base not in of_scalars}
    return Product(product.coefficient, scalars, of_scalars), Product(ONE, arrays, of_arrays)


def _is_one(product: Product) -> bool:
    return product.coefficient == 1 and not product.powers and not product.exponents


def _linear(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    """Scalar factors before a linear operation; one on a uniform array becomes a number."""
    (x,) = args
    scalars, arrays = _scalars_of(canonical.product_of(x))
    uniform = not arrays.powers and not arrays.exponents and 0 not in x.shape
    if uniform and op in _KEEPS_UNIFORM:
        count = quotient(math.prod(x.shape), math.prod(apply(op, args, params).shape)) if op is SUM else ONE
        return canonical.product(scalars._replace(coefficient=scalars.coefficient * count))
    if op is BROADCAST:
        return canonical.fitted(x, apply(op, args, params).shape)
    if _is_one(scalars):
        return None
    if op.gaps and not canonical.domains.is_total(canonical.product(scalars)):  # diag(sqrt(x)*v) has zeros for x < 0
        return None
    inside = canonical.fitted(canonical.product(arrays), x.shape)
    found = folded_array(op, (inside,), params) if is_known(inside) else None  # diag(ones([3])) is eye(3)
    return _scaled(canonical, found or apply(op, (inside,), params), scalars)


def _bilinear(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    """Scalar factors of both arguments before an operation that is linear in each."""
    (left, a), (right, b) = (_scalars_of(canonical.product_of(arg)) for arg in args)
    if _is_one(left) and _is_one(right):
        return None
    inside = tuple(canonical.fitted(canonical.product(part), arg.shape) for part, arg in zip((a, b), args, strict=True))
    found = _by_identity(canonical, op, inside, params) or apply(op, inside, params)
    return _scaled(canonical, found, left, right)


def _homogeneous(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    """Scalar factors before an operation on a square matrix: inv(c*A) = inv(A)/c, det(2*A) = 8*det(A) for [3, 3]."""
    (a,) = args
    scalars, arrays = _scalars_of(canonical.product_of(a))
    if _is_one(scalars) or not (arrays.powers or arrays.exponents):
        return None
    factors = Factors()
    factors.times(scalars, {INV: -ONE, COFACTOR: a.shape[-1] - ONE, DET: a.shape[-1]}[op])
    return _scaled(canonical, apply(op, (canonical.fitted(canonical.product(arrays), a.shape),)), factors.product())


def _of_transpose(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    """inv(A.T) = inv(A).T, det(A.T) = det(A), diag(A.T, k) = diag(A, -k)."""
    (a,) = args
    if a.op is not TRANSPOSE or len(a.shape) != 2:
        return None
    found = apply(op, a.args, Diagonal(-params.k, params.rank) if isinstance(params, Diagonal) else params)
    return transpose(found, (-1, -2)) if len(found.shape) == 2 else found


def _det_of_inverse(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    (a,) = args
    return canonical.product(Product(ONE, {apply(DET, a.args): -ONE})) if a.op is INV else None


def _of_transposes(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    a, b = args
    if not a.op is b.op is TRANSPOSE or not len(a.shape) == len(b.shape) == 2:
        return None
    return transpose(apply(op, (*b.args, *a.args)), (-1, -2))


def _size(canonical: Canonical, op: Operation, args: Args, params: Axes) -> Node | None:
    return constant(float(math.prod(args[0].shape[at] for at in params.axes)))


def _by_identity(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    left, right = args
    if is_identity(left):
        return right
    return left if is_identity(right) else None


def _scaled(canonical: Canonical, node: Node, *scalars: Product) -> Node:
    """The node times its scalar factors."""
    return canonical.product(multiplied(*scalars, canonical.product_of(node)))


def times(canonical: Canonical, x: Node, y: Node, exponent: Number = ONE) -> Node:
    """x*y^exponent."""
    factors = Factors()
    factors.times(canonical.product_of(x))
    factors.times(canonical.product_of(y), exponent)
    return canonical.product(factors.product())


def _outer_of(canonical: Canonical, node: Node) -> tuple[Node, Node, Product] | None:
    """Two vectors and scalar factors whose product a matrix is; None where it is none."""
    if node.op not in (MULTIPLY, DIVIDE, NEG):
        return None
    scalars, arrays = _scalars_of(canonical.product_of(node))
    columns = [vector for base in arrays.powers if (vector := column_of(base))]
    rows = [vector for base in arrays.powers if (vector := row_of(base))]
    if len(columns) + len(rows) < len(arrays.powers) or arrays.exponents or set(arrays.powers.values()) != {ONE}:
        return None
    if len(node.shape) == 2 and 1 not in node.shape:  # a row, repeated, is outer(ones([2]), x)
        columns, rows = (
            vectors or [apply(ONES, (), OfShape((size,)))]
            for vectors, size in zip((columns, rows), node.shape, strict=True)
        )
    if not columns or not rows:
        return None
    x, y = (canonical.product(Product(ONE, dict.fromkeys(part, ONE))) for part in (columns, rows))
    return x, y, scalars


def _matrix_times_outer(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    left, right = args
    if len(left.shape) > 2 or len(right.shape) > 2:
        return None
    if found := _outer_of(canonical, right):
        x, y, scalars = found
        product = apply(op, (left, x))
        return _scaled(canonical, outer(product, y) if product.shape else times(canonical, product, y), scalars)
    if found := _outer_of(canonical, left):
        x, y, scalars = found
        product = apply(op, (y, right))
        return _scaled(canonical, outer(x, product) if product.shape else times(canonical, product, x), scalars)
    return None


def _vector_times_product(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    """v @ (A @ B) = (v @ A) @ B, whose text has no bracket."""
    left, right = args
    if len(left.shape) != 1 or right.op is not MATMUL or not all(len(arg.shape) == 2 for arg in right.args):
        return None
    a, b = right.args
    return apply(op, (apply(op, (left, a)), b))


def _vector_times_transpose(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    left, right = args
    if len(left.shape) == 1 and right.op is TRANSPOSE and len(right.shape) == 2:
        return apply(op, (right.args[0], left))
    return None


def _transpose_of_product(canonical: Canonical, op: Operation, args: Args, params: Axes) -> Node | None:
    found = _outer_of(canonical, args[0])
    if found is None or len(params.axes) != 2 or params.axes == (-2, -1):
        return None
    x, y, scalars = found
    return _scaled(canonical, outer(y, x), scalars)


def _diagonal_of_outer(canonical: Canonical, op: Operation, args: Args, params: Diagonal) -> Node | None:
    found = _outer_of(canonical, args[0])
    if found is None or params.k or args[0].shape[0] != args[0].shape[1]:
        return None
    x, y, scalars = found
    return _scaled(canonical, times(canonical, x, y), scalars)


def _sum_of_outer(canonical: Canonical, op: Operation, args: Args, params: Reduce) -> Node | None:
    """sum(outer(x, y), axis=1) = sum(y)*x, sum(outer(x, y)) = sum(x)*sum(y)."""
    found = _outer_of(canonical, args[0])
    if found is None or params.keepdims:
        return None
    *vectors, scalars = found
    x, y = (
        apply(op, (vector,), Reduce((-1,), False)) if axis in params.axes else vector
        for axis, vector in zip((-2, -1), vectors, strict=True)
    )
    return _scaled(canonical, times(canonical, x, y), scalars)


def _sum_of_means(canonical: Canonical, op: Operation, args: Args, params: Reduce) -> Node | None:
    """sum(x - mean(x)) = 0: a mean adds up to what it is the mean of."""
    (x,) = args
    terms = canonical.terms_of(x)
    means = {term: term.args[0] for term in terms if term.op is MEAN and term.args[0].shape == x.shape}
    whole = params.axes == all_axes(x.shape)
    means = {term: inside for term, inside in means.items() if whole and term.params[0] == params.axes}
    if not means:
        return None
    found: dict[Node, Number] = {}
    for term, coefficient in terms.items():
        add_terms(found, canonical.terms_of(means[term]) if term in means else {term: ONE}, coefficient)
    return apply(op, (canonical.fitted(canonical.sum(found), x.shape),), params)


def _sum_of_shares(canonical: Canonical, op: Operation, args: Args, params: Reduce) -> Node | None:
    (x,) = args
    if x.op is not SOFTMAX or params.axes != tuple(x.params):
        return None
    return canonical.product(Product(ONE))


def _sum_with_vector(canonical: Canonical, op: Operation, args: Args, params: Reduce) -> Node | None:
    """A matrix times a row, added up along its rows, is a matrix product: sum(X*y, axis=1) = X @ y."""
    (x,) = args
    if len(x.shape) != 2 or params.axes not in ((-1,), (-2,)):
        return None
    product = canonical.product_of(x)
    of = row_of if params.axes == (-1,) else column_of
    vectors = [base for base, number in product.powers.items() if of(base) and number == 1]
    if not vectors:
        return None
    rest = canonical.product(product.without(vectors))
    vector = canonical.product(Product(ONE, {of(base) or base: ONE for base in vectors}))
    if rest.shape != x.shape:
        return None
    pair = (rest, vector) if params.axes == (-1,) else (vector, rest)
    found = apply(MATMUL, pair)
    return reshape(found, apply(op, args, params).shape)


def _linear_in_second(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    """Scalar factors of the second argument before an operation that is linear in it."""
    scalars, arrays = _scalars_of(canonical.product_of(args[1]))
    if _is_one(scalars):
        return None
    inside = canonical.fitted(canonical.product(arrays), args[1].shape)
    return _scaled(canonical, apply(op, (args[0], inside), params), scalars)


def _reshape(canonical: Canonical, op: Operation, args: Args, params: Reshape) -> Node | None:
    (x,), new = args, params.shape
    if not x.shape:
        return canonical.fitted(x, new)
    if x.op is RESHAPE or (x.op is TRANSPOSE and _is_vector_like(x)):
        (x,) = x.args
        return x if x.shape == new else reshape(x, new)
    if x.op is MATMUL and len(new) == 1:  # a matrix by a vector that was made a column, or a row by a matrix
        a, b = x.args
        if len(a.shape) == 2 and b.shape[1:] == (1,) and (vector := _as_vector(b)):
            return apply(MATMUL, (a, vector))
        if len(b.shape) == 2 and a.shape[:-1] == (1,) and (vector := _as_vector(a)):
            return apply(MATMUL, (vector, b))
    if isinstance(x.params, Reduce) and x.params.keepdims:
        reduced = apply(x.op, x.args, x.params._replace(keepdims=False))
        if reduced.shape == new:
            return reduced
    return x if x.shape == new else None


def _as_vector(x: Node) -> Node | None:
    """The vector that a column or a row was made of."""
    if x.op is ONES:
        return apply(ONES, (), OfShape((math.prod(x.shape),)))
    return x.args[0] if x.op is RESHAPE and len(x.args[0].shape) == 1 else None


def _is_vector_like(x: Node) -> bool:
    """Whether at most one axis is longer than 1, so that a transpose only renames axes."""
    return sum(size != 1 for size in x.shape) <= 1


def _transpose(canonical: Canonical, op: Operation, args: Args, params: Axes) -> Node | None:
    (x,), outer = args, params.axes
    if x.op is TRANSPOSE:
        assert isinstance(x.params, Axes)
        outer = tuple(x.params.axes[at] for at in outer)
        (x,) = x.args
        return x if outer == all_axes(outer) else transpose(x, outer)
    if x.op is RESHAPE and _is_vector_like(x):
        return _reshape(canonical, RESHAPE, (x,), Reshape(apply(op, args, params).shape, len(x.shape)))
    if x.op is MATMUL and len(outer) == 2 and any(arg.op is TRANSPOSE for arg in x.args):
        a, b = (_transpose(canonical, op, (arg,), params) or transpose(arg, outer) for arg in x.args)
        return apply(MATMUL, (b, a))
    return x if outer == all_axes(outer) else None


def _product_with_zeros(canonical: Canonical, op: Operation, args: Args, params: Reduce) -> Node | None:
    """prod(diag(x)) = 0, for each product has an element that is 0 for all x."""
    (x,) = args
    if not canonical.domains.is_total(x) or np.any(np.all(canonical.domains.patterns.of(x), axis=params.axes)):
        return None
    return canonical.fitted(constant(0.0), apply(op, args, params).shape)


def _sum_of_rearranged(canonical: Canonical, op: Operation, args: Args, params: Reduce) -> Node | None:
    (x,) = args
    if params.keepdims or len(params.axes) != len(x.shape):
        return None
    if x.op in (RESHAPE, TRANSPOSE, FLIP):
        (x,) = x.args
        return apply(op, (x,), Reduce(all_axes(x.shape), False)) if x.shape else x
    return None


_KEEPS_UNIFORM = (SUM, MEAN, TRANSPOSE, RESHAPE, FLIP, INDEX, BROADCAST)

ARRAY_RULES: dict[Operation, list[Rule]] = {
    MATMUL: [
        _bilinear,
        _by_identity,
        _of_transposes,
        _matrix_times_outer,
        _vector_times_product,
        _vector_times_transpose,
        times_masked,
    ],  # (2*A) @ (3*B) = 6*A @ B, eye(2) @ A = A
    SOLVE: [_linear_in_second],  # solve(A, 2*b) = 2*solve(A, b)
    WHERE: [masked],  # where([1, 1], x, y) = x
    INV: [_homogeneous, _of_transpose],  # inv(2*A) = inv(A)/2, inv(A.T) = inv(A).T
    COFACTOR: [_homogeneous, _of_transpose],
    DET: [_homogeneous, _of_transpose, _det_of_inverse],  # det(inv(A)) = 1/det(A)
    SIZE: [_size],  # size(x) = 6, of shape [2, 3]
    DIAG: [_diagonal_of_outer, _of_transpose],  # diag(outer(x, y)) = x*y
    RESHAPE: [_reshape],  # reshape(reshape(x)) = reshape(x), reshape(A @ reshape(v, [n, 1]), [m]) = A @ v
    #                    reshape(sum(A, axis=0, keepdims=1), [n]) = sum(A, axis=0)
    TRANSPOSE: [_transpose, _transpose_of_product],  # x.T.T = x, (A.T @ B).T = B.T @ A
    PROD: [_product_with_zeros],  # prod(diag(x)) = 0
    SUM: [
        _sum_of_rearranged,
        _sum_with_vector,
        _sum_of_outer,
        _sum_of_shares,
        _sum_of_means,
    ],  # sum(x.T) = sum(x), sum(softmax(x)) = 1
}
for _operation in (*_KEEPS_UNIFORM, CUMSUM, DIAG):  # sum(2*x) = 2*sum(x)
    ARRAY_RULES.setdefault(_operation, []).append(_linear)
