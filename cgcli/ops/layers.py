"""Layers of networks that are formulas in the language: linear layers, normalisations, attention."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Callable, Sequence
from cgcli.errors import ArgumentError, ShapeError
from cgcli.graph.node import Node, apply, constant
from cgcli.graph.operation import ANALYTIC, Operation, Params, Shape, Shorthand, Static
from cgcli.graph.rules import Jvp
from cgcli.graph.shapes import shape_text, shaped
from cgcli.ops.arithmetic import ADD, MULTIPLY
from cgcli.ops.creation import ARANGE, Steps
from cgcli.ops.entry import passes, same_shape
from cgcli.ops.lazily import np
from cgcli.ops.linalg import MATMUL, mt
from cgcli.ops.logic import AND_OP, GREATER_EQUAL, WHERE
from cgcli.ops.reductions import SOFTMAX, centred, sum_of_squares
from cgcli.ops.shaping import per_channel, reshape
from cgcli.ops.statics import Along, axes, axis, flag, number, whole
from cgcli.records import NamedTuple

_EPS = number("eps", 1e-5, True)


class Normal(NamedTuple):
    """The parameters of a normalisation over some axes."""

    axes: tuple[int, ...]
    eps: float


class Small(NamedTuple):
    """The parameter of one whose axes are known."""

    eps: float


class Groups(NamedTuple):
    """The parameters of one over groups of channels."""

    groups: int
    eps: float


class Attention(NamedTuple):
    """The parameters of attention. scale: 1/sqrt(size of a key) where it is None."""

    is_causal: bool
    scale: float | None


def _standardized(x: Any, along: tuple[int, ...], eps: float) -> Any:
    """x less its mean along axes, over its standard deviation there."""
    found = centred(np.asarray(x), along)
    spread = sum_of_squares(found, along, True)
    count = found.size / (spread.size or 1)
    spread += count * eps
    found *= np.divide(math.sqrt(count), np.sqrt(spread, out=spread), out=spread)
    return found


# The derivative goes by what is centred, so that a large mean of what comes in takes no digits.
_DEVIATION = "sqrt(var(x, axis=axis, keepdims=1) + eps)"
LAYER_NORM = Operation(
    "layer_norm", "x less its mean along axes, over its standard deviation there", ("x",), _standardized, same_shape,
    (Jvp("moved = dx - mean(dx, axis=axis, keepdims=1)\n"
         f"(moved - out*mean(out*moved, axis=axis, keepdims=1))/{_DEVIATION}"),),
    expansion=f"(x - mean(x, axis=axis, keepdims=1))/{_DEVIATION}", statics=(axes(True, -1), _EPS), params=Normal,
    facts=ANALYTIC, example="layer_norm([1, 2, 3])", work=passes(6),
)  # fmt: skip


def _scaled(x: Node, factors: Sequence[Node], shape: tuple[int, ...] | None) -> Node:
    """x times a weight, plus a bias. shape: what they are given, where they are one number for each channel."""
    for op, factor, called in zip((MULTIPLY, ADD), factors, "wb", strict=False):
        if shape is None and not _stretches(factor.shape, x.shape):
            raise ShapeError(f"{called} has the shape of x, {shape_text(x.shape)}, or of its last axes, "
                             f"not {shaped(factor.shape)}")  # fmt: skip
        x = apply(op, (x, factor if shape is None else per_channel(factor, shape, called)))
    return x


def _stretches(shape: Shape, into: Shape) -> bool:
    """Whether an array broadcasts to a shape, which stays as it is."""
    return len(shape) <= len(into) and all(one in (1, n) for one, n in zip(shape[::-1], into[::-1], strict=False))


def _linear(args: tuple[Node, ...], params: Params) -> Node:
    x, w, *bias = args
    if len(w.shape) != 2 or x.shape[-1:] != w.shape[-1:]:
        raise ShapeError(f"linear takes x as (..., inputs) and w as (results, inputs), not {shape_text(x.shape)} and "
                         f"{shape_text(w.shape)}", clash=(0, 1))  # fmt: skip
    result = apply(MATMUL, (x, mt(w)))
    for b in bias:
        result = apply(ADD, (result, b if b.shape == () else per_channel(b, result.shape[-1:], "b", "result")))
    return result


def _layer_norm(args: tuple[Node, ...], params: Normal) -> Node:
    x, *factors = args
    return _scaled(apply(LAYER_NORM, (x,), params), factors, None)


def _channels(name: str, x: Node) -> tuple[int, ...]:
    """The shape of one number for each channel."""
    if len(x.shape) < 2:
        raise ShapeError(f"{name} takes (N, C, ...), not {shaped(x.shape)}")
    return (x.shape[1], *(1,) * (len(x.shape) - 2))


def _batch_norm(args: tuple[Node, ...], params: Small) -> Node:
    x, *factors = args
    channels, rank = _channels("batch_norm", x), len(x.shape)
    return _scaled(apply(LAYER_NORM, (x,), Normal((-rank, *range(2 - rank, 0)), params.eps)), factors, channels)


def _group_norm(args: tuple[Node, ...], params: Groups) -> Node:
    x, *factors = args
    channels = _channels("group_norm", x)
    if x.shape[1] % params.groups:
        raise ArgumentError(f"group_norm: {x.shape[1]} channels are no {params.groups} groups of equally many")
    grouped = reshape(x, (x.shape[0], params.groups, math.prod(x.shape[1:]) // params.groups))
    return _scaled(reshape(apply(LAYER_NORM, (grouped,), Normal((-1,), params.eps)), x.shape), factors, channels)


def _instance_norm(args: tuple[Node, ...], params: Small) -> Node:
    x, *factors = args
    channels = _channels("instance_norm", x)
    if len(x.shape) < 3:
        raise ShapeError(f"instance_norm takes (N, C, ...) with an axis behind the channels, not {shaped(x.shape)}")
    return _scaled(apply(LAYER_NORM, (x,), Normal(tuple(range(2 - len(x.shape), 0)), params.eps)), factors, channels)


def _masked_softmax(args: tuple[Node, ...], params: Along) -> Node:
    x, mask = args
    taken = apply(WHERE, (mask, x, constant(-math.inf)))
    return apply(WHERE, (mask, apply(SOFTMAX, (taken,), params), constant(0.0)))


def _attention(args: tuple[Node, ...], params: Attention) -> Node:
    q, k, v, *masks = args
    if min(len(each.shape) for each in (q, k, v)) < 2 or (q.shape[-1], k.shape[-2]) != (k.shape[-1], v.shape[-2]):
        raise ShapeError("attention takes q as (..., L, E), k as (..., S, E) and v as (..., S, V), not "
                         f"{shape_text(q.shape)}, {shape_text(k.shape)} and {shape_text(v.shape)}")  # fmt: skip
    scale = 1 / math.sqrt(max(q.shape[-1], 1)) if params.scale is None else params.scale
    scores = apply(MULTIPLY, (apply(MATMUL, (q, mt(k))), constant(scale)))
    for mask in masks:
        if not _stretches(mask.shape, scores.shape):
            raise ShapeError(f"attention takes a mask as (..., L, S), {shape_text(scores.shape)}, "
                             f"not {shaped(mask.shape)}", clash=(3,))  # fmt: skip
    if params.is_causal:
        asked, there = (apply(ARANGE, (), Steps(0.0, float(each.shape[-2]), 1.0)) for each in (q, k))
        masks.append(apply(GREATER_EQUAL, (reshape(asked, (q.shape[-2], 1)), there)))
    if masks:
        mask = masks[0] if len(masks) == 1 else apply(AND_OP, tuple(masks))
        return apply(MATMUL, (_masked_softmax((scores, mask), Along(-1)), v))
    return apply(MATMUL, (apply(SOFTMAX, (scores,), Along(-1)), v))


def _with_factors(
    name: str, doc: str, build: Callable[[tuple[Node, ...], Any], Node], statics: tuple[Static, ...],
    params: Callable[..., Params], x: str, factors: str, more: str = "",
) -> tuple[Shorthand, ...]:  # fmt: skip
    """A normalisation, without and with a weight and a bias."""
    return tuple(
        Shorthand(name, f"{doc}{told}", ("x", *names), build, statics, params,
                  example=f"{name}({', '.join([x, *[factors] * len(names)])}{more})")
        for names, told in (((), ""), (("w", "b"), ", times w, plus b"))
    )  # fmt: skip


_PER_CHANNEL = "[[[1, 2], [3, 5]]]", "[1, 2]"
_ATTENTION = (flag("is_causal", 0, True), number("scale", None, True))

ENTRIES: tuple[Operation | Shorthand, ...] = (
    Shorthand("linear", "x @ w.T of x (..., inputs) and w (results, inputs)", ("x", "w"), _linear,
              example="linear([1, 2], [[3, 4], [5, 6]])"),
    Shorthand("linear", "x @ w.T + b, one b for each result", ("x", "w", "b"), _linear,
              example="linear([1, 2], [[3, 4], [5, 6]], [10, 20])"),
    LAYER_NORM,
    *_with_factors("layer_norm", LAYER_NORM.doc, _layer_norm, LAYER_NORM.statics, Normal, *["[1, 2, 3]"] * 2)[1:],
    *_with_factors("batch_norm", "x of (N, C, ...) as layer_norm, for each channel over the batch", _batch_norm,
                   (_EPS,), Small, *_PER_CHANNEL),
    *_with_factors("group_norm", "x of (N, C, ...) as layer_norm, over each of some groups of channels", _group_norm,
                   (whole("groups", 1, 1)._replace(keyword_only=True), _EPS), Groups, *_PER_CHANNEL,
                   ", groups=1"),
    *_with_factors("instance_norm", "x of (N, C, ...) as layer_norm, over each channel of each item", _instance_norm,
                   (_EPS,), Small, *_PER_CHANNEL),
    Shorthand("masked_softmax", "softmax of the elements where the mask is true, 0 elsewhere", ("x", "mask"),
              _masked_softmax, (axis(),), Along, example="masked_softmax([1, 1, 5], [1, 1, 0])"),
    Shorthand("attention", "softmax(q @ k.T/sqrt(E)) @ v of q (..., L, E), k (..., S, E), v (..., S, V)",
              ("q", "k", "v"), _attention, _ATTENTION, Attention, aliases=("scaled_dot_product_attention",),
              example="attention([[1, 0]], [[1, 0], [0, 1]], [[1, 2], [3, 4]])"),
    Shorthand("attention", "the same with the keys for which the mask, (..., L, S), is true",
              ("q", "k", "v", "mask"), _attention, _ATTENTION, Attention, aliases=("scaled_dot_product_attention",),
              example="attention([[1, 0]], [[1, 0], [0, 1]], [[1, 2], [3, 4]], [[1, 0]])"),
)  # fmt: skip
