"""Operations on arrays as calls of NumPy, JAX and PyTorch."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Mapping, Sequence
from cgcli.evaluate.kernels import kernel_of
from cgcli.exporting.formulas import NotInTargetError
from cgcli.exporting.language import ATOM, PRODUCT, Text
from cgcli.exporting.places import along, places_of
from cgcli.exporting.vectors import MOST_NUMBERS, Vectors, Word
from cgcli.graph.node import Node
from cgcli.ops.statics import Taken

_SAME = ("exp", "expm1", "log1p", "log2", "log10", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "floor", "ceil",
         "trunc", "sign", "abs", "exp2", "hypot", "fmod", "logaddexp", "mod")  # fmt: skip
NUMBERS: Mapping[str, Word] = {
    **{name: f"np.{name}({{args}})" for name in _SAME},
    "ln": "np.log({args})", "asin": "np.arcsin({args})", "acos": "np.arccos({args})", "atan": "np.arctan({args})",
    "atan2": "np.arctan2({args})", "asinh": "np.arcsinh({args})", "acosh": "np.arccosh({args})",
    "atanh": "np.arctanh({args})", "cbrt": "np.cbrt({args})", "round": "np.round({args})", "power": "np.power({args})",
    "max": "np.maximum({args})", "min": "np.minimum({args})", "where": "np.where({args})",
    "stop_gradient": "({args})", "and": "np.logical_and({args})", "or": "np.logical_or({args})",
    "not": "np.logical_not({args})",
}  # fmt: skip
"""The elementwise operations that all libraries have, as templates."""

_REDUCED = {"max": "amax", "min": "amin"}  # which all three have


def _known(code: Vectors, node: Node) -> Text:
    return code.literal(node, kernel_of(node)(*node.params))


def _reduced(code: Vectors, node: Node) -> Text:
    """A reduction along axes."""
    axes, keepdims = _params(node)
    along_these = f", {code.library.axes}={axes}" if axes else ""
    kept = f", {code.library.keepdims}=True" if keepdims else ""
    return Text(f"np.{_REDUCED.get(node.op.name, node.op.name)}({code.number(node.args[0]).code}{along_these}{kept})")


def _split(key: Sequence[Taken | int]) -> tuple[str, str, tuple[int, ...]]:
    """The places of an index, from the first on: between brackets, as slices, and the axes that it takes backwards."""
    inside, slices, backwards, axis = [], [], [], 0
    for item in key:
        if not isinstance(item, Taken):
            inside.append(str(item))
            slices.append(str(item))
            continue
        start, step = item.start, item.step
        if step < 0 and item.size:
            start, step = item.start + (item.size - 1) * item.step, -item.step
            backwards.append(axis)
        stop = start + item.size * step if item.size else start
        inside.append(f"{start or ''}:{stop}" + (f":{step}" if step != 1 else ""))
        slices.append(f"slice({start}, {stop}, {step})")
        axis += 1
    return ", ".join(inside) or "...", ", ".join(slices) or "...", tuple(backwards)


def _taken(code: Vectors, node: Node) -> Text:
    inside, _, backwards = _split(_params(node)[0])
    part = f"{code.number(node.args[0]).inside(ATOM)}[{inside}]"
    return Text(f"np.flip({part}, {backwards})" if backwards else part)


def _put(code: Vectors, node: Node) -> Text:
    _, slices, backwards = _split(_params(node)[0].key)
    part = code.number(node.args[0]).code
    part = f"np.flip({part}, {backwards})" if backwards else part
    return Text(f"_put({part}, {node.shape}, ({slices},))")


def _gathered(code: Vectors, node: Node) -> Text:
    """Elements by their places in the row of all."""
    places = _listed(code, node, places_of(node))
    return Text(f"np.reshape({code.number(node.args[0]).code}, (-1,))[{places}]")


def _added_back(code: Vectors, node: Node) -> Text:
    """Elements added to places of a row of zeros."""
    (places,) = along(node)
    added = code.library.added.format(
        places=_listed(code, node, places.ravel()), count=math.prod(node.shape),
        x=f"np.reshape({code.number(node.args[0]).code}, (-1,))",
    )  # fmt: skip
    return Text(f"np.reshape({added}, {node.shape})")


def _listed(code: Vectors, node: Node, places: Any) -> str:
    if not 0 < places.size <= MOST_NUMBERS:
        raise NotInTargetError(node)
    return code.library.places.format(places.tolist())


def _extreme_place(code: Vectors, node: Node) -> Text:
    """The place of the largest or the smallest element, along one axis or among all."""
    (axes, *_), rank = _params(node), len(node.args[0].shape)
    if len(axes) != 1 and len(axes) != rank:
        raise NotInTargetError(node)
    along_one = f", {axes[0]}" if len(axes) == 1 else ""
    place = f"np.{node.op.name}({code.number(node.args[0]).code}{along_one})*1.0"
    return Text(f"np.reshape({place}, {node.shape})") if node.params[1:] == (True,) else Text(place, PRODUCT)


def _summed_by_letters(code: Vectors, node: Node) -> Text:
    letters = _params(node)[0]
    args = ", ".join(code.number(arg).code for arg in node.args)
    return Text(f"np.einsum('{','.join(letters.operands)}->{letters.result}', {args})")


def _params(node: Node) -> Any:
    return node.params


ARRAYS: Mapping[str, Word] = {
    **dict.fromkeys(("zeros", "ones", "eye", "arange", "linspace"), _known),
    **dict.fromkeys(("sum", "mean", "prod", "max", "min"), _reduced),
    "cumsum": "np.cumsum({args}, {axis})", "broadcast": "np.broadcast_to({args}, {shape})",
    "reshape": "np.reshape({args}, {shape})", "transpose": "np.transpose({args}, {axes})",
    "diag": "np.diag({args}, {k})", "tril": "np.tril({args}, {k})", "triu": "np.triu({args}, {k})",
    "concat": "np.concatenate([{args}], {axis})", "stack": "np.stack([{args}], {axis})",
    "flip": "np.flip({args}, {axis})", "pad": "np.pad({args}, {widths})",
    "argsort": "(np.argsort({args}, {axis}, stable=True)*1.0)",
    "index": _taken, "put": _put, "unfold": _gathered, "fold": _added_back, "einsum": _summed_by_letters,
    "element": "_element({args})", "take_along": "_take_along({args}, {axis})",
    **dict.fromkeys(("argmax", "argmin"), _extreme_place),
    "det": "np.linalg.det({args})", "signdet": "_signdet({args})",
    "logdet": "np.where(np.linalg.slogdet({args})[0] < 0, np.nan, np.linalg.slogdet({args})[1])",
    "logabsdet": "np.linalg.slogdet({args})[1]",
    "cholesky": "np.linalg.cholesky(({args} + np.swapaxes({args}, -1, -2))/2)",
    "eigvalsh": "np.linalg.eigvalsh(({args} + np.swapaxes({args}, -1, -2))/2)",
    "svdvals": "np.linalg.svdvals({args})", "pinv": "np.linalg.pinv({args}, {rcond})",
    "orthonormal": "np.linalg.qr({args})[0]", "solve": "np.linalg.solve({args})", "inv": "np.linalg.inv({args})",
}  # fmt: skip
"""The operations on arrays that all libraries have."""

HELPERS: Mapping[str, str] = {
    "_signdet": """def _signdet(a):
    return np.where(np.isnan(np.sum(a, (-2, -1))), np.nan, np.linalg.slogdet(a)[0])""",
    "_put": """def _put(x, shape, key):
    zeros = np.zeros(shape)
    zeros[key] = x
    return zeros""",
    "_element": """def _element(x, i):
    size = len(x)
    inside = (i >= -size) & (i < size) & (i == np.floor(i))
    return np.where(inside, x[np.where(inside, i, 0).astype(int)], np.nan)""",
    "_take_along": """def _take_along(x, i, axis):
    size = x.shape[axis]
    inside = (i >= -size) & (i < size) & (i == np.floor(i))
    return np.where(inside, np.take_along_axis(x, np.where(inside, i, 0).astype(int), axis), np.nan)""",
}
"""The functions that these templates call."""
