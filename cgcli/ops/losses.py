"""Losses: how far a prediction is from its target, as one number."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.errors import ShapeError
from cgcli.graph.node import Node, apply
from cgcli.graph.operation import ANALYTIC, ARRAYS, NON_NEGATIVE, Advice, Operation, Params, Shape
from cgcli.graph.shapes import all_axes, shape_text
from cgcli.ops.arithmetic import MULTIPLY, NEG
from cgcli.ops.creation import OfSize
from cgcli.ops.entry import broadcast_shapes, passes, same_rank
from cgcli.ops.lazily import np
from cgcli.ops.reductions import LOG_SOFTMAX, log_softmax
from cgcli.ops.statics import Along, brief, whole
from cgcli.ops.sums import MEAN, SUM, Reduce


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


def _cross_entropy_shape(shapes: Sequence[Shape], params: Params) -> Shape:
    logits, target = shapes
    if not logits or target not in (logits, logits[:-1]):
        raise ShapeError(
            f"cross_entropy: a target of shape {shape_text(target)} does not fit logits of {shape_text(logits)}",
            hint=f"give class indices of shape {shape_text(logits[:-1])}, or probabilities of {shape_text(logits)}",
        )
    return ()


ONEHOT = Operation("onehot", "1 at the class index, else 0, along a new last axis", ("x",), _onehot, _onehot_shape,
                   (None,), statics=(whole("classes", least=1),), params=OfSize, facts=NON_NEGATIVE,
                   advice=Advice("nan", "", of_arrays=lambda x, classes: _wrong_class(np.asarray(x), classes)),
                   why_no_derivative="a class index has no derivative", example="onehot([0, 2], 3)",
                   mp=ARRAYS)  # fmt: skip


def _wrong_class(target: Any, classes: int) -> str:
    """Which of some class indices is none."""
    wrong = target[~((target >= 0) & (target < classes) & (target == np.floor(target)))]
    if not wrong.size:
        return ""
    return f"the label {brief(float(wrong.flat[0]))} is none of the {classes} classes: they are 0 to {classes - 1}"


def _wrong_label(logits: Any, target: Any) -> str:
    classes = np.shape(logits)[-1]
    return _wrong_class(np.asarray(target), classes) if np.ndim(target) < np.ndim(logits) else ""


def _cross_entropy(logits: Any, target: Any) -> Any:
    losses = _entropies(logits, target)
    return np.divide(np.sum(losses), np.size(losses))


def _cross_entropy_rows(logits: Any, target: Any) -> Any:
    losses = _entropies(logits, target)
    losses = losses.reshape(len(losses), -1)
    return np.divide(np.sum(losses, axis=-1), losses.shape[-1])


def _entropies(logits: Any, target: Any) -> Any:
    logs = log_softmax(logits, -1)
    shares = target if np.ndim(target) == np.ndim(logits) else _onehot(target, np.shape(logits)[-1])
    return -np.sum(np.where(shares == 0, 0.0, shares * logs), axis=-1)


def _cross_entropy_expansion(args: tuple[Node, ...], params: Params) -> Node:
    logits, target = args
    logs = apply(LOG_SOFTMAX, (logits,), Along(-1))
    if target.shape != logits.shape:
        target = apply(ONEHOT, (target,), OfSize(logits.shape[-1]))
    total = apply(SUM, (apply(MULTIPLY, (target, logs)),), Reduce((-1,), False))
    return apply(NEG, (apply(MEAN, (total,), Reduce(all_axes(total.shape), False)),))


ENTRIES: tuple[Operation, ...] = (
    ONEHOT,
    Operation("mse", "mean squared error", ("x", "y"), _mse, _scalar, expansion="mean((x - y)^2)",
              commutative=True, facts=ANALYTIC | NON_NEGATIVE, example="mse([1, 2], [1, 4])",
              work=lambda shapes, params: 3 * math.prod(broadcast_shapes(shapes)), rows=_mse_rows),
    Operation("cross_entropy", "mean of -ln(softmax(logits)) at the target class or classes' shares",
              ("logits", "target"), _cross_entropy, _cross_entropy_shape, expansion=_cross_entropy_expansion,
              facts=ANALYTIC, advice=Advice("nan", "", of_arrays=_wrong_label),
              example="cross_entropy([0, 0], 1)", work=passes(7), rows=_cross_entropy_rows),
)  # fmt: skip
