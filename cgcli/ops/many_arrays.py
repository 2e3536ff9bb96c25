"""Kernels on arrays of mpmath's numbers, numpy's arrays of objects: where numpy's own do not take such.

Each takes mpmath's context first, which holds the precision, then the arguments as the other kernels do.
"""

from __future__ import annotations

from cgcli.annotations import Any, Callable
from cgcli.ops.creation import Steps
from cgcli.ops.lazily import np
from cgcli.ops.spectra import over_gaps as _over_gaps
from cgcli.ops.spectra import signs, symmetric


def arange(mp: Any, start: Any, stop: Any, step: Any) -> Any:
    """start, start + step, … below stop."""
    size = Steps(float(start), float(stop), float(step)).size
    return _array([start + at * step for at in range(size)])


def linspace(mp: Any, start: Any, stop: Any, count: int) -> Any:
    """So many numbers from start to stop."""
    return _array([start + (stop - start) * at / max(count - 1, 1) for at in range(count)])


def _array(items: list[Any]) -> Any:
    made = np.empty(len(items), object)
    made[:] = items
    return made


def _each(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a number on each element of an array."""
    on_arrays: Callable[..., Any] = np.frompyfunc(function, 1, 1)
    return on_arrays


def norm(mp: Any, x: Any, along: tuple[int, ...], keep: bool) -> Any:
    """The root of the sum of squares."""
    return _each(mp.sqrt)(np.sum(x * x, along, keepdims=keep))


def logsumexp(mp: Any, x: Any, along: tuple[int, ...], keep: bool) -> Any:
    """ln(sum(exp(x)))."""
    return _each(mp.log)(np.sum(_each(mp.exp)(x), along, keepdims=keep))


def softmax(mp: Any, x: Any, along: int) -> Any:
    """exp(x), scaled to add up to 1."""
    powers = _each(mp.exp)(x - np.max(x, axis=along, keepdims=True))
    return powers / np.sum(powers, along, keepdims=True)


def log_softmax(mp: Any, x: Any, along: int) -> Any:
    """ln(softmax(x))."""
    return x - logsumexp(mp, x, (along,), True)


def _of_matrices(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of square matrices, mpmath's own, for arrays with any axes in front; nan for a singular matrix."""

    def on_arrays(mp: Any, *arrays: Any) -> Any:
        lead = np.broadcast_shapes(*(array.shape[:-2] for array in arrays))
        every = [np.broadcast_to(array, (*lead, *array.shape[-2:])) for array in arrays]
        found = [_one(mp, function, [each[at] for each in every]) for at in np.ndindex(lead)]
        inner = np.shape(found[0]) if found else arrays[-1].shape[-2:]
        made = np.empty((*lead, *inner), object)
        for at, value in zip(np.ndindex(lead), found, strict=True):
            made[at] = value
        return made

    return on_arrays


def _one(mp: Any, function: Callable[..., Any], arrays: list[Any]) -> Any:
    try:
        return function(mp, *arrays)
    except ZeroDivisionError:
        return np.full(arrays[-1].shape, mp.nan, object)


def _matrix(mp: Any, array: Any) -> Any:
    return mp.matrix(array.tolist())


def _as_array(matrix: Any, shape: tuple[int, ...]) -> Any:
    return _array(list(matrix)).reshape(shape)


@_of_matrices
def _solve(mp: Any, a: Any, b: Any) -> Any:
    columns = [_as_array(mp.lu_solve(_matrix(mp, a), _matrix(mp, column)), (-1,)) for column in b.T]
    return np.stack(columns, axis=-1) if columns else b


def solve(mp: Any, a: Any, b: Any) -> Any:
    """The x with a @ x = b."""
    return _solve(mp, a, b) if b.ndim > 1 else _solve(mp, a, b[:, None])[..., 0]


@_of_matrices
def inv(mp: Any, a: Any) -> Any:
    """The inverse of a matrix."""
    return _as_array(mp.inverse(_matrix(mp, a)), a.shape) if a.size else a


@_of_matrices
def det(mp: Any, a: Any) -> Any:
    """The determinant."""
    return mp.det(_matrix(mp, a)) if a.size else mp.one


def logdet(mp: Any, a: Any) -> Any:
    """ln(det(a)); nan where that is negative."""
    return _each(lambda value: mp.nan if value < 0 else mp.log(value))(det(mp, a))


@_of_matrices
def cofactor(mp: Any, a: Any) -> Any:
    """The determinants of what is left without each row and column, with their signs."""
    return _cofactors(mp, a, a * 0)[0]


@_of_matrices
def cofactor_along(mp: Any, a: Any, b: Any) -> Any:
    """The derivative of cofactor(a) along b."""
    return _cofactors(mp, a, b)[1]


def logabsdet(mp: Any, a: Any) -> Any:
    """ln(|det(a)|)."""
    return _each(lambda value: mp.log(abs(value)) if value else -mp.inf)(det(mp, a))


def signdet(mp: Any, a: Any) -> Any:
    """The sign of det(a)."""
    return _each(mp.sign)(det(mp, a))


@_of_matrices
def eigvalsh(mp: Any, a: Any) -> Any:
    """The eigenvalues of the symmetric part, in ascending order."""
    return _array([*mp.eigsy(_matrix(mp, symmetric(a)), eigvals_only=True)]) if a.size else a[0:0, 0]


@_of_matrices
def eigvecsh(mp: Any, a: Any) -> Any:
    """The eigenvectors of the symmetric part."""
    vectors = _as_array(mp.eigsy(_matrix(mp, symmetric(a)))[1], a.shape) if a.size else a
    return vectors * signs(vectors)


def over_gaps(mp: Any, x: Any, w: Any, v: Any, sparing: bool) -> Any:
    """x[i, j]/(w[j] - v[i])."""
    return _over_gaps(x, w, v, sparing, mp.eps)


def _svd(mp: Any, a: Any) -> tuple[Any, Any, Any]:
    """The reduced singular value decomposition: left vectors, values, right vectors."""
    rows, columns = a.shape
    if rows < columns:
        left, values, right = _svd(mp, a.T)
        return right, values, left
    u, s, v = mp.svd_r(_matrix(mp, a))
    return _as_array(u, (rows, columns)), _array([*s]), _as_array(v, (columns, columns)).T


@_of_matrices
def svdvals(mp: Any, a: Any) -> Any:
    """The singular values, in descending order."""
    return _svd(mp, a)[1] if a.size else a.ravel()


@_of_matrices
def svd_left(mp: Any, a: Any) -> Any:
    """The left singular vectors."""
    left = _svd(mp, a)[0] if a.size else a[:, :0]
    return left * signs(left)


@_of_matrices
def svd_right(mp: Any, a: Any) -> Any:
    """The right singular vectors."""
    left, _, right = _svd(mp, a) if a.size else (a[:, :0], a, a[:0].T)
    return right * signs(left)


def pinv(mp: Any, a: Any, rcond: float) -> Any:
    """The pseudo-inverse."""
    return _of_matrices(lambda mp, matrix: _pinv(mp, matrix, rcond))(mp, a)


def _pinv(mp: Any, a: Any, rcond: float) -> Any:
    left, values, right = _svd(mp, a)
    least = max(values) * mp.mpf(rcond)
    return (right * _array([1 / value if value > least else mp.zero for value in values])) @ left.T


@_of_matrices
def cholesky(mp: Any, a: Any) -> Any:
    """The lower triangular factor of the symmetric part; nan where that is not positive definite."""
    try:
        return _as_array(mp.cholesky(_matrix(mp, symmetric(a))), a.shape) if a.size else a
    except ValueError:
        return np.full(a.shape, mp.nan, object)


@_of_matrices
def orthonormal(mp: Any, a: Any) -> Any:
    """The columns made orthonormal, by Householder's reflections, with the signs of LAPACK's."""
    rows, columns = a.shape
    left, found = a, np.where(np.eye(rows, columns) > 0, mp.one, mp.zero)
    mirrors = []
    for at in range(min(columns, rows - 1)):
        mirror = left[at:, at] * 1
        length = mp.sqrt(mirror @ mirror)
        mirror[0] += length if mirror[0] >= 0 else -length
        mirrors.append(mirror)
        left = _mirrored(left, mirror)
    for mirror in reversed(mirrors):
        found = _mirrored(found, mirror)
    return found


def _mirrored(a: Any, mirror: Any) -> Any:
    """The last rows of a matrix, as many as the vector has elements, mirrored at the plane across it."""
    rows, square = a[-len(mirror) :], mirror @ mirror
    mirrored = rows - np.outer(mirror, 2 / square * (mirror @ rows)) if square else rows
    return np.concatenate([a[: -len(mirror)], mirrored])


@_of_matrices
def expm(mp: Any, a: Any) -> Any:
    """The exponential of a matrix."""
    return _as_array(mp.expm(_matrix(mp, a)), a.shape) if a.size else a


def expm_along(mp: Any, a: Any, b: Any) -> Any:
    """The derivative of expm(a) along b: a quarter of the exponential of a block matrix."""
    a, b = np.broadcast_arrays(a, b)
    size = a.shape[-1]
    upper, lower = np.concatenate([a, b], axis=-1), np.concatenate([a * 0, a], axis=-1)
    return expm(mp, np.concatenate([upper, lower], axis=-2))[..., :size, size:]


def _cofactors(mp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """The cofactor matrix, and its derivative along b, by the method of Faddeev and LeVerrier, for singular ones too.

    Where all elements are whole numbers, so is all that it computes (Householder 1964, "The Theory of Matrices in
    Numerical Analysis", 6.7).
    """
    size = len(a)
    unit = np.where(np.eye(size) > 0, mp.one, mp.zero)
    found, along = unit, unit * 0
    for k in range(1, size):
        product, moved = a @ found, b @ found + a @ along
        found, along = product - unit * (np.trace(product) / k), moved - unit * (np.trace(moved) / k)
    sign = (-1) ** (size - 1)
    return sign * found.T, sign * along.T
