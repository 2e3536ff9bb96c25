"""NumPy, JAX and PyTorch: a function of arrays."""

from __future__ import annotations

import re

from cgcli.annotations import Mapping
from cgcli.exporting.calls import ARRAYS, HELPERS, NUMBERS
from cgcli.exporting.language import helpers_in, in_quotes, joined
from cgcli.exporting.rules import JVP, VJP, definitions
from cgcli.exporting.task import Task
from cgcli.exporting.vectors import Library, Ruled, Vectors
from cgcli.graph.body import with_bodies
from cgcli.graph.node import toposort

_SPECIAL = {
    **{name: f"special.{name}({{args}})" for name in ("erfinv", "erfcinv", "erfcx", "gammainc", "gammaincc", "betainc",
                                                      "betaln", "jv", "yv", "iv", "exp1", "expi", "zeta")},
    "kv": "np.where(np.isnan(np.add({args})), np.nan, special.kv({args}))",
    "betaln": "np.where(np.minimum({args}) >= 0.0, special.betaln({args}), np.nan)",
    "binomial": "special.binom({args})", "Si": "special.sici({args})[0]",
    "Ci": "np.where({args} < 0.0, np.nan, special.sici({args})[1])",
}  # fmt: skip
_SYMMETRIC = "({args} + np.swapaxes({args}, -1, -2))/2"

LIBRARIES: Mapping[str, Library] = {
    "numpy": Library(
        "numpy", "np", ("import numpy as np",), kind="", convert="np.asarray({}, float)", of_numpy=True,
        added="np.bincount({places}, {x}, {count})",
        words={**_SPECIAL, "argsort": "(np.argsort({args}, {axis}, kind='stable')*1.0)",
               "solve": "_or_nan(np.linalg.solve, {args})", "inv": "_or_nan(np.linalg.inv, {args})",
               "cholesky": f"_or_nan(_of_finite, np.linalg.cholesky, {_SYMMETRIC})",
               "eigvalsh": f"_of_finite(np.linalg.eigvalsh, {_SYMMETRIC})", "eigvecsh": "_of_finite(_eigvecsh, {args})",
               "svdvals": "_of_finite(lambda a: np.linalg.svd(a, compute_uv=False), {args})",
               "svd_left": "_of_finite(lambda a: _svd(a)[0], {args})",
               "svd_right": "_of_finite(lambda a: _svd(a)[1], {args})",
               "pinv": "_of_finite(lambda a: np.linalg.pinv(a, {rcond}), {args})",
               "orthonormal": "_of_finite(lambda a: np.linalg.qr(a)[0], {args})",
               "over_gaps": "_over_gaps({args})", "expm": "_of_finite(linalg.expm, {args})",
               "expm_along": "_expm_along({args})", "put_element": "_put_element({args}, {size})",
               "put_along": "_put_along({args}, {shape}, {axis})"},
        helpers={
            **HELPERS,
            "_or_nan": """def _or_nan(function, *args):
    try:
        return function(*args)
    except np.linalg.LinAlgError:
        return np.full(np.shape(args[-1]), np.nan)""",
            "_of_finite": """def _of_finite(function, a):
    if np.all(np.isfinite(a)):
        return function(a)
    return np.full_like(function(np.eye(*np.shape(a))), np.nan)""",
            "_signs": """def _signs(v):
    large = np.abs(v) >= np.max(np.abs(v), axis=-2, keepdims=True)*(1 - 2**-20)
    first = np.argmax(large, axis=-2)[..., None, :]
    return np.where(np.take_along_axis(v, first, -2) < 0, -1, 1)""",
            "_eigvecsh": """def _eigvecsh(a):
    v = np.linalg.eigh((a + np.swapaxes(a, -1, -2))/2)[1]
    return v*_signs(v)""",
            "_svd": """def _svd(a):
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return u*_signs(u), np.swapaxes(vh, -1, -2)*_signs(u)""",
            "_over_gaps": """def _over_gaps(x, w, v):
    gaps = w[..., None, :] - v[..., :, None]
    limit = len(w)*2.0**-52*max(np.max(np.abs(w)), np.max(np.abs(v)))
    equal = np.abs(gaps) <= limit
    return np.where(np.eye(len(w)) > 0, 0, x/np.where(equal, np.nan, gaps))""",
            "_expm_along": """def _expm_along(a, b):
    both = np.block([[a, b], [np.zeros_like(a), a]])
    return _of_finite(linalg.expm, both)[:len(a), len(a):]""",
            "_put_element": """def _put_element(x, i, size):
    zeros = np.zeros((size, *np.shape(x)))
    if -size <= i < size and i == int(i):
        zeros[int(i)] = x
    return zeros""",
            "_put_along": """def _put_along(x, i, shape, axis):
    size, zeros = shape[axis], np.zeros(shape)
    inside = (i >= -size) & (i < size) & (i == np.floor(i))
    places = list(np.indices(np.shape(i)))
    places[axis] = np.where(inside, i, 0).astype(int)
    np.add.at(zeros, tuple(places), np.where(inside, x, 0))
    return zeros""",
        },
    ),
    "jax": Library(
        "jax", "jnp", ("import jax", "import jax.numpy as jnp", "from jax.scipy import special", "",
                       'jax.config.update("jax_enable_x64", True)'),
        convert="np.asarray({}, float)", added="np.zeros({count}).at[{places}].add({x})",
        rule=JVP, ruled=("hypot", "clip", "norm", "std", "sinc", "xlogy", "atan2", "power"),
        words={"erf": "special.erf({args})", "erfc": "special.erfc({args})", "lgamma": "special.gammaln({args})",
               "digamma": "_digamma({args})",
               **{name: f"special.{name}({{args}})" for name in ("erfinv", "gammainc", "gammaincc",
                                                                 "betainc", "exp1", "expi")},
               "expm": "jax.scipy.linalg.expm({args})", "abs": "_abs({args})", "relu": "jax.nn.relu({args})",
               "sigmoid": "jax.nn.sigmoid({args})",
               "stop_gradient": "jax.lax.stop_gradient({args})",
               "logsumexp": "special.logsumexp({args}, axis={axis}, keepdims={keepdims})",
               "softmax": "jax.nn.softmax({args}, axis={axis})",
               "log_softmax": "jax.nn.log_softmax({args}, axis={axis})"},
        helpers={**HELPERS, "_abs": """def _abs(x):
    return x*np.sign(x)  # whose derivative at 0 is 0""", "_put": """def _put(x, shape, key):
    return np.zeros(shape).at[key].set(x)""", "_digamma": """def _digamma(x):
    return np.where((x <= 0) & (x == np.floor(x)) & (x > -np.inf), -np.inf, special.digamma(x))"""},
    ),
    "torch": Library(
        "torch", "torch", ("import torch",), tensor="np.tensor({}, dtype=np.float64)",
        number="np.tensor({}, dtype=np.float64)", kind=", dtype=np.float64",
        convert="np.as_tensor({}, dtype=np.float64)", places="np.tensor({})", axes="dim", keepdims="keepdim",
        added="np.zeros({count}, dtype=np.float64).index_add(0, {places}, {x})",
        rule=VJP, call="{name}.apply({args})", ruled=("hypot", "clip", "norm", "std", "sinc", "xlogy", "cbrt"),
        words={"power": "np.pow({args})", "mod": "np.remainder({args})", "erf": "np.erf({args})", "cbrt": "",
               **{name: f"np.special.{name}({{args}})" for name in ("erfinv", "erfcx", "gammainc", "gammaincc")},
               "sign": "_sign({args})", "erfc": "np.erfc({args})", "lgamma": "_lgamma({args})",
               "digamma": "_digamma({args})", "sigmoid": "np.sigmoid({args})", "stop_gradient": "({args}).detach()",
               "relu": "np.relu({args})",
               "logsumexp": "np.logsumexp({args}, dim={axis}, keepdim={keepdims})",
               "softmax": "np.softmax({args}, dim={axis})", "log_softmax": "np.log_softmax({args}, dim={axis})",
               "transpose": "np.permute({args}, {axes})",
               "argsort": "(np.argsort({args}, dim={axis}, stable=True)*1.0)",
               "prod": "_prod({args}, {axis}, {keepdims})",
               "pad": "_pad({args}, {widths})", "expm": "np.linalg.matrix_exp({args})",
               "pinv": "np.linalg.pinv({args}, rtol={rcond})"},
        helpers={
            **HELPERS,
            "_put": HELPERS["_put"].replace("zeros(shape)", "zeros(shape, dtype=np.float64)"),
            "_element": HELPERS["_element"].replace("i, 0).astype(int)", "i, 0.0).long()"),
            "_sign": """def _sign(x):
    return np.where(x == x, np.sign(x), x)""",
            "_lgamma": """def _lgamma(x):
    return np.where(x == -np.inf, x, np.lgamma(x))""",
            "_digamma": """def _digamma(x):
    return np.where((x < 0) & (x == np.floor(x)) & (x > -np.inf), -np.inf, np.digamma(x))""",
            "_prod": """def _prod(x, axes, keepdim):
    for axis in sorted(axes):
        x = np.prod(x, dim=axis, keepdim=keepdim)
    return x""",
            "_pad": """def _pad(x, widths):
    return np.nn.functional.pad(x, [width for pair in reversed(widths) for width in pair])""",
            "_take_along": """def _take_along(x, i, axis):
    size = x.shape[axis]
    inside = (i >= -size) & (i < size) & (i == np.floor(i))
    places = np.where(inside, i, 0.0).long() % size
    return np.where(inside, np.gather(x, axis, places), np.nan)""",
        },
    ),
}  # fmt: skip


def write(task: Task, library: str) -> str:
    """The code of a function of arrays: a tuple of its results, or the only one. Raises NotInTargetError."""
    told = LIBRARIES[library]
    ruled = Ruled(told)
    code = Vectors(told, NUMBERS, ARRAYS, task, ruled)
    own = [*definitions(ruled, told, task)]
    results = [told.spelled(code.number(node).code) for node in code.outputs]
    given = [f"    {name} = {told.spelled(told.convert.format(name))}" for name in code.names.values()]
    body = [*given, *code.lines, f"    return {', '.join(results)}"]
    if told.of_numpy:
        body = ['    with np.errstate(all="ignore"):', *("    " + line for line in body)]
    helpers = [
        line for helper in helpers_in(joined([*own, *body]), told.helpers) for line in ("", "", told.spelled(helper))
    ]
    helpers += [line for each in own for line in ("", "", each)]
    text = joined([*helpers, *body])
    scipy = [f"from scipy import {part}" for part in ("linalg", "special") if re.search(rf"(?<!\.){part}\.", text)]
    differs = _differs(task) if told.rule else ()
    return joined([
        in_quotes(task.header(code.names, differs)), "", *told.imports, *(scipy if told.of_numpy else []),
        *helpers, "", "",
        f"def {task.function}({', '.join(code.names.values())}):", *body,
    ])  # fmt: skip


def _differs(task: Task) -> list[str]:
    """What is said of the derivatives that a library takes of the code."""
    found = {node.op.name for node in with_bodies(toposort(task.outputs))}
    lines = ["Its derivatives are those of cg grad, at kinks too, where they and the value are finite."]
    if "where" in found:
        lines.append("They may be nan where what a condition leaves out is not finite, or has no finite derivative.")
    if found & {"eigvalsh", "svdvals"}:
        lines.append("Where eigenvalues or singular values are equal, they may be others.")
    return lines
