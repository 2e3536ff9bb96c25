"""NumPy, JAX and PyTorch: their words for operations."""

from __future__ import annotations

from cgcli.annotations import Mapping
from cgcli.records import EMPTY, Record

_SAME = ("exp", "expm1", "log1p", "log2", "log10", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "floor", "ceil",
         "trunc", "sign", "abs", "exp2", "hypot", "fmod", "logaddexp")  # fmt: skip
CALLS = {
    **{name: f"np.{name}({{args}})" for name in _SAME},
    "ln": "np.log({args})", "asin": "np.arcsin({args})", "acos": "np.arccos({args})", "atan": "np.arctan({args})",
    "atan2": "np.arctan2({args})", "asinh": "np.arcsinh({args})", "acosh": "np.arccosh({args})",
    "atanh": "np.arctanh({args})", "cbrt": "np.cbrt({args})", "round": "np.round({args})", "power": "np.power({args})",
    "mod": "np.mod({args})", "max": "np.maximum({args})", "min": "np.minimum({args})", "where": "np.where({args})",
    "stop_gradient": "({args})", "and": "np.logical_and({args})", "or": "np.logical_or({args})",
    "not": "np.logical_not({args})",
    "det": "np.linalg.det({args})", "logdet": "np.linalg.slogdet({args})[1]",
    "logabsdet": "np.linalg.slogdet({args})[1]", "signdet": "np.linalg.slogdet({args})[0]",
    "cholesky": "np.linalg.cholesky(({args} + np.swapaxes({args}, -1, -2))/2)",
    "eigvalsh": "np.linalg.eigvalsh(({args} + np.swapaxes({args}, -1, -2))/2)",
    "svdvals": "np.linalg.svdvals({args})", "pinv": "np.linalg.pinv({args}, {rcond})",
    "orthonormal": "np.linalg.qr({args})[0]",
}  # fmt: skip

_SPECIAL = {
    **{name: f"special.{name}({{args}})" for name in ("erfinv", "erfcinv", "erfcx", "gammainc", "gammaincc", "betainc",
                                                      "jv", "yv", "iv", "exp1", "expi", "zeta")},
    "kv": "np.where(np.isnan(np.add({args})), np.nan, special.kv({args}))",
    "betaln": "np.where(np.minimum({args}) >= 0.0, special.betaln({args}), np.nan)",
    "binomial": "special.binom({args})", "Si": "special.sici({args})[0]",
    "Ci": "np.where({args} < 0.0, np.nan, special.sici({args})[1])",
}  # fmt: skip


class Library(Record):
    """A library of arrays. imports: the lines that the code begins with; it is called np in the templates here, where
    `words` has no other. array: makes one of a literal. axes, keepdims: what its reductions call these. put: zeros with
    an array at a place, as a template. begin: the lines of functions that the code calls, by how it calls them.
    """

    name: str
    imports: tuple[str, ...]
    word: str
    array: str
    put: str
    words: Mapping[str, str] = EMPTY
    axes: str = "axis"
    keepdims: str = "keepdims"
    begin: Mapping[str, tuple[str, ...]] = EMPTY
    quiet: bool = False


LIBRARIES: Mapping[str, Library] = {
    "numpy": Library(
        "numpy", ("import numpy as np",), "np", "np.array({})", "_put({x}, {shape}, {key})", quiet=True,
        words={**_SPECIAL, "solve": "_or_nan(np.linalg.solve, {args})", "inv": "_or_nan(np.linalg.inv, {args})",
               "cholesky": "_or_nan(np.linalg.cholesky, ({args} + np.swapaxes({args}, -1, -2))/2)",
               "eigvalsh": "_of_finite(np.linalg.eigvalsh, ({args} + np.swapaxes({args}, -1, -2))/2)",
               "svdvals": "_of_finite(lambda a: np.linalg.svd(a, compute_uv=False), {args})",
               "pinv": "_of_finite(lambda a: np.linalg.pinv(a, {rcond}), {args})",
               "orthonormal": "_of_finite(lambda a: np.linalg.qr(a)[0], {args})",
               "eigvecsh": "_of_finite(_eigvecsh, {args})", "over_gaps": "_over_gaps({args})",
               "expm": "_of_finite(_expm, {args})", "expm_along": "_expm_along({args})"},
        begin={
            "_or_nan(": ("def _or_nan(function, *args):", "    try:", "        return function(*args)",
                         "    except np.linalg.LinAlgError:", "        return np.full(np.shape(args[-1]), np.nan)"),
            "_of_finite(": ("def _of_finite(function, a):", "    if np.all(np.isfinite(a)):",
                            "        return function(a)",
                            "    return np.full_like(function(np.eye(*np.shape(a))), np.nan)"),
            "_eigvecsh": ("def _eigvecsh(a):", "    v = np.linalg.eigh((a + np.swapaxes(a, -1, -2))/2)[1]",
                           "    large = np.abs(v) >= np.max(np.abs(v), axis=-2, keepdims=True)*(1 - 2**-20)",
                           "    first = np.argmax(large, axis=-2)[..., None, :]",
                           "    return v*np.where(np.take_along_axis(v, first, -2) < 0, -1, 1)"),
            "_over_gaps(": ("def _over_gaps(x, w, v):", "    gaps = w[..., None, :] - v[..., :, None]",
                            "    limit = len(w)*2.0**-52*max(np.max(np.abs(w)), np.max(np.abs(v)))",
                            "    equal = np.abs(gaps) <= limit",
                            "    return np.where(np.eye(len(w)) > 0, 0, x/np.where(equal, np.nan, gaps))"),
            "_expm,": ("def _expm(a):", "    from scipy.linalg import expm", "    return expm(a)"),
            "_expm_along(": ("def _expm_along(a, b):", "    from scipy.linalg import expm",
                             "    both = np.block([[a, b], [np.zeros_like(a), a]])",
                             "    if not np.all(np.isfinite(both)):", "        return np.full_like(a, np.nan)",
                             "    return expm(both)[:len(a), len(a):]"),
            "_put(": ("def _put(x, shape, key):", "    zeros = np.zeros(shape)", "    zeros[key] = x",
                      "    return zeros"),
            "_element(": ("def _element(x, i):", "    inside = -len(x) <= i < len(x) and i == int(i)",
                          "    return x[int(i)] if inside else np.full(np.shape(x)[1:], np.nan)"),
            "_put_element(": ("def _put_element(x, i, size):", "    zeros = np.zeros((size, *np.shape(x)))",
                              "    if -size <= i < size and i == int(i):", "        zeros[int(i)] = x",
                              "    return zeros"),
            "_take_along(": ("def _take_along(x, i, axis):", "    size = np.shape(x)[axis]",
                             "    inside = (i >= -size) & (i < size) & (i == np.floor(i))",
                             "    places = np.where(inside, i, 0).astype(int)",
                             "    return np.where(inside, np.take_along_axis(x, places, axis), np.nan)"),
            "_put_along(": ("def _put_along(x, i, shape, axis):", "    size, zeros = shape[axis], np.zeros(shape)",
                            "    inside = (i >= -size) & (i < size) & (i == np.floor(i))",
                            "    places = list(np.indices(np.shape(i)))",
                            "    places[axis] = np.where(inside, i, 0).astype(int)",
                            "    np.add.at(zeros, tuple(places), np.where(inside, x, 0))", "    return zeros"),
        },
    ),
    "jax": Library(
        "jax", ("import jax", "import jax.numpy as jnp", "from jax.scipy import special", "",
                'jax.config.update("jax_enable_x64", True)'),
        "jnp", "np.array({})", "np.zeros({shape}).at[{key}].set({x})",
        {"erf": "special.erf({args})", "erfc": "special.erfc({args})", "lgamma": "special.gammaln({args})",
         **{name: f"special.{name}({{args}})" for name in ("digamma", "erfinv", "gammainc", "gammaincc", "betainc",
                                                           "exp1", "expi")},
         "expm": "jax.scipy.linalg.expm({args})",
         "sigmoid": "jax.nn.sigmoid({args})",
         "softplus": "np.logaddexp(0.0, {args})", "stop_gradient": "jax.lax.stop_gradient({args})",
         "logsumexp": "special.logsumexp({args}, axis={axis}, keepdims={keepdims})",
         "softmax": "jax.nn.softmax({args}, axis={axis})", "log_softmax": "jax.nn.log_softmax({args}, axis={axis})"},
        begin={"_take_along(": ("def _take_along(x, i, axis):", "    size = x.shape[axis]",
                                "    inside = (i >= -size) & (i < size) & (i == jnp.floor(i))",
                                "    places = jnp.where(inside, i, 0).astype(int)",
                                "    return jnp.where(inside, jnp.take_along_axis(x, places, axis), jnp.nan)")},
    ),
    "torch": Library(
        "torch", ("import torch",), "torch", "torch.tensor({}, dtype=torch.float64)",
        "torch.zeros({shape}, dtype=torch.float64).index_put(_places({key}), {x})",
        {"expm": "torch.linalg.matrix_exp({args})", "pinv": "torch.linalg.pinv({args}, rtol={rcond})",
         "power": "torch.pow({args})", "mod": "torch.remainder({args})", "erf": "torch.erf({args})", "cbrt": "",
         **{name: f"torch.special.{name}({{args}})" for name in ("erfinv", "erfcx", "gammainc", "gammaincc")},
         "sign": "_sign({args})", "erfc": "torch.erfc({args})",
         "lgamma": "torch.lgamma({args})", "digamma": "torch.digamma({args})",
         "sigmoid": "torch.sigmoid({args})", "softplus": "torch.nn.functional.softplus({args}, threshold=float('inf'))",
         "stop_gradient": "({args}).detach()", "logsumexp": "torch.logsumexp({args}, dim={axis}, keepdim={keepdims})",
         "softmax": "torch.softmax({args}, dim={axis})", "log_softmax": "torch.log_softmax({args}, dim={axis})",
         "transpose": "torch.permute({args}, {axes})", "solve": "torch.linalg.solve({args})",
         "inv": "torch.linalg.inv({args})", "det": "torch.linalg.det({args})",
         "logdet": "torch.linalg.slogdet({args})[1]"},
        axes="dim", keepdims="keepdim",
        begin={"_sign(": ("def _sign(x):", "    return torch.where(x == x, torch.sign(x), x)"),
               "_take_along(": ("def _take_along(x, i, axis):", "    size = x.shape[axis]",
                                "    inside = (i >= -size) & (i < size) & (i == torch.floor(i))",
                                "    places = torch.where(inside, i, 0.0).long() % size",
                                "    return torch.where(inside, torch.gather(x, axis, places), float('nan'))")},
    ),
}  # fmt: skip
