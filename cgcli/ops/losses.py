"""Losses: how far a prediction is from its target, as one number."""

from __future__ import annotations

import math
from functools import partial

from cgcli.annotations import Any, Sequence
from cgcli.errors import ArgumentError, ShapeError
from cgcli.graph.node import Node, apply, constant
from cgcli.graph.operation import ANALYTIC, ARRAYS, NON_NEGATIVE, Advice, Operation, Params, Shape, Shorthand, Static
from cgcli.graph.shapes import all_axes, shape_text, shaped
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG
from cgcli.ops.creation import OfSize
from cgcli.ops.entry import broadcast_shapes, passes, same_rank
from cgcli.ops.lazily import np
from cgcli.ops.logic import WHERE
from cgcli.ops.reductions import LOG_SOFTMAX, log_softmax
from cgcli.ops.shaping import TRANSPOSE, reshape
from cgcli.ops.statics import Along, Axes, axis, brief, whole
from cgcli.ops.sums import MEAN, SUM, Reduce
from cgcli.records import NamedTuple


def _mse(x: Any, y: Any) -> Any:
    squares = np.square(np.subtract(x, y))
    return np.divide(np.sum(squares), np.size(squares))


def _mse_rows(x: Any, y: Any) -> Any:
    squares = np.square(np.subtract(*same_rank(x, y)))
    squares = squares.reshape(len(squares), -1)
    return np.divide(np.sum(squares, axis=-1), squares.shape[-1])


def _scalar(shapes: Sequence[Shape], params: Params) -> Shape:
    broadcast_shapes(shapes)
    return ()


def _onehot(x: Any, size: int) -> Any:
    """nan for what is no class, so that a wrong label is no perfect loss."""
    classes = np.arange(size)
    hits = np.asarray(x)[..., None] == classes
    return np.where(np.any(hits, axis=-1, keepdims=True), hits * 1.0, np.nan)


def _onehot_shape(shapes: Sequence[Shape], params: OfSize) -> Shape:
    return (*shapes[0], params.size)


class Entropy(NamedTuple):
    """The parameters of a cross entropy. smoothing: the share of each target that all classes have equally."""

    smoothing: float
    reduction: str
    axis: int


def _smoothing(value: Any, shapes: Sequence[Shape]) -> float:
    if isinstance(value, int | float) and 0 <= value <= 1:
        return float(value)
    raise ArgumentError(f"label_smoothing must be a number from 0 to 1, not {brief(value)}")


def _reduction(value: Any, shapes: Sequence[Shape]) -> str:
    if isinstance(value, str) and value in ("mean", "sum", "none"):
        return value
    raise ArgumentError(f'reduction must be "mean", "sum" or "none", not {brief(value)}')


_ENTROPY = (
    Static("label_smoothing", _smoothing, lambda value, shapes: brief(value), 0, True),
    Static("reduction", _reduction, lambda value, shapes: f'"{value}"', "mean", True),
    axis()._replace(keyword_only=True),
)


def _entropies_shape(shapes: Sequence[Shape], params: Entropy) -> Shape:
    """That of the losses before they are added up, one for each place of the logits beside their classes."""
    logits, target, *weights = shapes
    at = len(logits) + params.axis
    places = (*logits[:at], *logits[at + 1 :])
    if target not in (logits, places):
        raise ShapeError(
            f"cross_entropy: a target of shape {shape_text(target)} does not fit logits of {shape_text(logits)}",
            hint=f"give class indices of shape {shape_text(places)}, or probabilities of {shape_text(logits)}",
        )
    if weights and weights[0] != (logits[at],):
        raise ShapeError(f"cross_entropy: a weight for each of {logits[at]} classes is needed, "
                         f"not {shaped(weights[0])}")  # fmt: skip
    return places


def _cross_entropy_shape(shapes: Sequence[Shape], params: Entropy) -> Shape:
    places = _entropies_shape(shapes, params)
    return places if params.reduction == "none" else ()


ONEHOT = Operation("onehot", "1 at the class index, else 0, along a new last axis", ("x",), _onehot, _onehot_shape,
                   (None,), statics=(whole("classes", least=1),), params=OfSize, facts=NON_NEGATIVE,
                   aliases=("one_hot",),
                   advice=Advice("nan", "", of_arrays=lambda x, classes: _wrong_class(np.asarray(x), classes)),
                   why_no_derivative="a class index has no derivative", example="onehot([0, 2], 3)",
                   simpler="k = expand(x, -1); k == arange(classes) ? 1 : 0 <= k < classes && k == floor(k) ? 0 : nan",
                   mp=ARRAYS)  # fmt: skip


def _wrong_class(target: Any, classes: int) -> str:
    """Which of some class indices is none."""
    wrong = target[~((target >= 0) & (target < classes) & (target == np.floor(target)))]
    if not wrong.size:
        return ""
    return f"the label {brief(float(wrong.flat[0]))} is none of the {classes} classes: they are 0 to {classes - 1}"


def _wrong_label(logits: Any, target: Any, smoothing: float, reduction: str, along: int) -> str:
    return _wrong_class(np.asarray(target), np.shape(logits)[along]) if np.ndim(target) < np.ndim(logits) else ""


def _entropies(logits: Any, target: Any, smoothing: float, along: int) -> Any:
    logs = log_softmax(logits, along)
    if along != -1:
        logs = np.moveaxis(logs, along, -1)
    classes = logs.shape[-1]
    of_classes = np.ndim(target) < np.ndim(logits)
    shares = _onehot(target, classes) if of_classes else target if along == -1 else np.moveaxis(target, along, -1)
    if smoothing:
        shares = shares * (1 - smoothing) + smoothing / classes
    losses = np.vecdot(np.conj(shares) if np.iscomplexobj(shares) else shares, logs)  # which takes the conjugate itself
    if not np.isfinite(losses).all():  # 0 times -inf is to be 0
        losses = np.add.reduce(np.where(shares == 0, 0.0, shares * logs), -1)
    return np.negative(losses)


def _cross_entropy(logits: Any, target: Any, smoothing: float, reduction: str, along: int) -> Any:
    losses = _entropies(logits, target, smoothing, along)
    if reduction == "none":
        return losses
    return np.divide(np.add.reduce(losses, None), np.size(losses) if reduction == "mean" else 1.0)


def _cross_entropy_rows(logits: Any, target: Any, smoothing: float, reduction: str, along: int) -> Any:
    losses = _entropies(logits, target, smoothing, along)
    if reduction == "none":
        return losses
    losses = losses.reshape(len(losses), -1)
    return np.divide(np.sum(losses, axis=-1), losses.shape[-1] if reduction == "mean" else 1.0)


def _cross_entropy_expansion(args: tuple[Node, ...], params: Entropy, exact: bool = False) -> Node:
    """exact: for values; 0 times the -inf of an impossible class is 0."""
    logits, target, *weights = args
    smoothing, reduction, along = params
    _entropies_shape([arg.shape for arg in args], params)
    logs = apply(LOG_SOFTMAX, (logits,), Along(along))
    classes = logits.shape[along]
    of_classes = target.shape != logits.shape
    if of_classes:
        target = _from_last(apply(ONEHOT, (target,), OfSize(classes)), along)
    aligned = None
    if weights:
        aligned = reshape(weights[0], (classes, *(1,) * (-1 - along)))
        logs = apply(MULTIPLY, (logs, aligned))
    parts = target if aligned is None else apply(MULTIPLY, (target, aligned))
    if smoothing:
        kept = apply(MULTIPLY, (target, constant(1 - smoothing)))
        target = apply(ADD, (kept, constant(smoothing / classes)))
    products = apply(MULTIPLY, (target, logs))
    if exact:
        products = apply(WHERE, (target, products, constant(0.0)))
    losses = apply(NEG, (apply(SUM, (products,), Reduce((along,), False)),))
    if reduction == "none":
        return losses
    everywhere = Reduce(all_axes(losses.shape), False)
    if reduction == "mean" and not (of_classes and weights):
        return apply(MEAN, (losses,), everywhere)
    total = apply(SUM, (losses,), everywhere)
    if reduction == "sum":
        return total
    return apply(DIVIDE, (total, apply(SUM, (parts,), Reduce(all_axes(parts.shape), False))))


def _from_last(x: Node, along: int) -> Node:
    """The last axis moved to a place among the others."""
    rank = len(x.shape)
    order = [*range(-rank, -1)]
    order.insert(rank + along, -1)
    return x if along == -1 else apply(TRANSPOSE, (x,), Axes(tuple(order)))


ENTRIES: tuple[Operation | Shorthand, ...] = (
    ONEHOT,
    Operation("mse", "mean squared error", ("x", "y"), _mse, _scalar, expansion="mean((x - y)^2)",
              commutative=True, facts=ANALYTIC | NON_NEGATIVE, example="mse([1, 2], [1, 4])",
              work=lambda shapes, params: 3 * math.prod(broadcast_shapes(shapes)), rows=_mse_rows),
    Operation("cross_entropy", "mean of -ln(softmax(logits)) at the target: class indices (...), or shares (..., C)",
              ("logits", "target"), _cross_entropy, _cross_entropy_shape, expansion=_cross_entropy_expansion,
              statics=_ENTROPY, params=Entropy, facts=ANALYTIC, advice=Advice("nan", "", of_arrays=_wrong_label),
              example="cross_entropy([0, 0], 1)", work=passes(7), rows=_cross_entropy_rows,
              simpler=partial(_cross_entropy_expansion, exact=True)),
    Shorthand("cross_entropy", "the same with a weight for each class", ("logits", "target", "weight"),
              partial(_cross_entropy_expansion, exact=True), _ENTROPY, Entropy,
              example="cross_entropy([[0, 0], [0, 1]], [1, 0], [1, 3])"),
)  # fmt: skip
