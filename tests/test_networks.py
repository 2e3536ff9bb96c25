"""Layers of networks that are written out as others: value, gradient in both modes, second derivatives as PyTorch's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import cgcli
from cgcli.graph.operation import Shorthand
from cgcli.ops import convolution, layers, losses
from tests.for_each import for_each
from tests.reference_cases_networks import entropy
from tests.support import node, value
from tests.support_cases import Case, Shape, classes, positive
from tests.support_torch import hold_against_torch

IMAGE: dict[str, Shape] = {"x": (2, 4, 3, 2)}
SCALED: dict[str, Shape] = {**IMAGE, "w": (4,), "b": (4,)}
QKV: dict[str, Shape] = {"q": (2, 3, 4), "k": (2, 5, 4), "v": (2, 5, 2)}
ATTENTION = functional.scaled_dot_product_attention
# Of the five keys those that each query sees; the last row but one sees none.
MASK = [[1, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 1]]
TAKEN = torch.tensor(MASK) != 0


def biased(name: str, w: Shape, channels: int, x: Shape) -> Case:
    theirs = getattr(functional, name)
    return Case(f"{name}(x, w, b, stride=2)", {"x": x, "w": w, "b": (channels,)},
                lambda x, w, b: theirs(x, w, b, stride=2))  # fmt: skip


def masked(x: Any) -> Any:
    """0 in a row that is fully masked, where PyTorch's softmax of -inf is nan."""
    seen = TAKEN.any(-1, keepdim=True)
    return torch.where(TAKEN, torch.softmax(torch.where(TAKEN | ~seen, x, -torch.inf), -1), 0.0)


def weighted(x: Any, y: Any, w: Any) -> Any:
    """PyTorch's own has no derivative by the weights."""
    of = w[y.long()]
    return (functional.cross_entropy(x, y.long(), reduction="none") * of).sum() / of.sum()


CASES = [
    Case("linear(x, w)^2", {"x": (2, 3), "w": (4, 3)}, lambda x, w: functional.linear(x, w) ** 2),
    Case("linear(x, w, b)^2", {"x": (5, 2, 3), "w": (4, 3), "b": (4,)},
         lambda x, w, b: functional.linear(x, w, b) ** 2),
    Case("conv2d(x, w, padding='same', dilation=2)", {"x": (2, 1, 4, 5), "w": (2, 1, 3, 1)},
         lambda x, w: functional.conv2d(x, w, padding="same", dilation=2)),
    Case("conv1d(x, w, b, padding='same')", {"x": (1, 2, 6), "w": (3, 2, 5), "b": (3,)},
         lambda x, w, b: functional.conv1d(x, w, b, padding="same")),
    Case("conv1d(x, w, padding='valid')", {"x": (1, 2, 6), "w": (3, 2, 5)},
         lambda x, w: functional.conv1d(x, w, padding="valid")),
    Case("layer_norm(x)", {"x": (2, 5)}, lambda x: functional.layer_norm(x, (5,))),
    Case("layer_norm(x, axis=[1, 2], eps=0.1)", {"x": (2, 3, 4)}, lambda x: functional.layer_norm(x, (3, 4), eps=0.1)),
    Case("layer_norm(x, w, b)", {"x": (2, 3, 4), "w": (4,), "b": (4,)},
         lambda x, w, b: functional.layer_norm(x, (4,), w, b)),
    Case("batch_norm(x)", IMAGE, lambda x: functional.batch_norm(x, None, None, training=True)),
    Case("batch_norm(x, w, b, eps=0.01)", SCALED,
         lambda x, w, b: functional.batch_norm(x, None, None, w, b, training=True, eps=0.01)),
    Case("batch_norm(x)", {"x": (3, 2)}, lambda x: functional.batch_norm(x, None, None, training=True)),
    Case("group_norm(x, groups=2)", IMAGE, lambda x: functional.group_norm(x, 2)),
    Case("group_norm(x, w, b, groups=4)", SCALED, lambda x, w, b: functional.group_norm(x, 4, w, b)),
    Case("instance_norm(x)", IMAGE, functional.instance_norm),
    Case("instance_norm(x, w, b)", SCALED, lambda x, w, b: functional.instance_norm(x, None, None, w, b)),
    Case(f"masked_softmax(x, {MASK})", {"x": (3, 5)}, masked),
    Case(f"masked_softmax(x, transpose({MASK}), axis=0)", {"x": (5, 3)}, lambda x: masked(x.T).T),
    Case("attention(q, k, v)", QKV, ATTENTION),
    Case("attention(q, k, v, scale=0.3)", QKV, lambda q, k, v: ATTENTION(q, k, v, scale=0.3)),
    Case("attention(q, k, v, is_causal=1)", QKV, lambda q, k, v: ATTENTION(q, k, v, is_causal=True)),
    Case(f"attention(q, k, v, {MASK})", QKV, lambda q, k, v: ATTENTION(q, k, v, TAKEN)),
    Case(f"attention(q, k, v, {MASK}, is_causal=1)", QKV,
         lambda q, k, v: ATTENTION(q, k, v, TAKEN & torch.ones(3, 5).tril().bool())),
    biased("conv1d", (3, 2, 2), 3, (2, 2, 5)),
    biased("conv2d", (3, 2, 2, 2), 3, (2, 2, 5, 4)),
    biased("conv3d", (1, 2, 2, 2, 2), 1, (1, 2, 3, 3, 2)),
    biased("conv_transpose1d", (2, 3, 2), 3, (2, 2, 5)),
    biased("conv_transpose2d", (2, 3, 2, 2), 3, (2, 2, 3, 2)),
    biased("conv_transpose3d", (2, 1, 2, 1, 2), 1, (1, 2, 2, 2, 2)),
    *entropy({"x": (3, 4), "y": (3,), "w": (4,)}, label_smoothing=0.3),
    *entropy({"x": (3, 4), "y": (3,), "w": (4,)}, reduction='"none"'),
    *entropy({"x": (2, 4, 3), "y": (2, 3), "w": (4,)}, axis=1),
    *entropy({"x": (2, 4, 3, 2), "y": (2, 3, 2), "w": (4,)}, axis=1, reduction='"sum"', label_smoothing=0.1),
    *entropy({"x": (3, 4), "y": (3, 4), "w": (4,)}),
    Case("cross_entropy(x, y, w)", {"x": (3, 4), "y": (3,), "w": (4,)}, weighted, {"y": classes(4), "w": positive},
         ("y",)),
    Case("gather(x, [[1, 0, 1]])^2", {"x": (1, 4)}, lambda x: x.gather(1, torch.tensor([[1, 0, 1]])) ** 2),
    Case("one_hot(2, 4)*x", {"x": (4,)}, lambda x: functional.one_hot(torch.tensor(2), 4) * x),
]  # fmt: skip


@for_each("case", CASES)
def test_a_layer_is_pytorchs(case: Case) -> None:
    hold_against_torch(case)


def test_every_layer_is_tried() -> None:
    written_out = {entry.name for each in (convolution, layers, losses) for entry in each.ENTRIES
                   if isinstance(entry, Shorthand)}  # fmt: skip
    assert written_out <= {case.program.partition("(")[0] for case in CASES}


@for_each(
    ("program", "shapes"),
    [
        ("conv2d(x, w, padding=1)", {"x": (2, 3, 90, 90), "w": (4, 3, 7, 7)}),
        ("conv2d(x, w, stride=2, groups=2)", {"x": (9, 4, 41, 40), "w": (6, 2, 5, 4)}),
        ("conv3d(x, w, dilation=2)", {"x": (1, 2, 30, 12, 30), "w": (2, 2, 3, 3, 3)}),
        ("conv1d(x, w)", {"x": (2, 1, 9000), "w": (1, 1, 40)}),
        ("conv2d(x, w, padding=1, groups=2)", {"x": (2, 6, 30, 31), "w": (4, 3, 3, 2)}),
        ("conv2d(x, w, padding=2, dilation=2)", {"x": (2, 3, 30, 31), "w": (9, 3, 2, 3)}),
    ],
)
def test_windows_that_no_cache_holds_are_taken_in_parts(program: str, shapes: dict[str, Shape]) -> None:
    """Protects the bounds of the parts: some images at once, or some rows of one; in all three kernels."""
    random = np.random.default_rng(3)
    sample = {name: random.normal(size=shape) for name, shape in shapes.items()}
    graph, (_, arguments) = node(program, sample), program.split("(x, w")
    leaves = {name: torch.tensor(item, requires_grad=True) for name, item in sample.items()}
    options = {key.strip(): int(item) for key, item in (each.split("=") for each in arguments[1:-1].split(",") if each)}
    truth = getattr(functional, graph.op.name)(*leaves.values(), **options)
    np.testing.assert_allclose(value(graph, sample), truth.detach(), rtol=1e-11, atol=1e-11)
    found = cgcli.value_and_grad(f"sum({program}^2)")(**sample)[1]
    for name, slope in zip(leaves, torch.autograd.grad((truth**2).sum(), [*leaves.values()]), strict=True):
        np.testing.assert_allclose(found[name], slope, rtol=1e-10, atol=1e-9)


OF_NO_ITEMS = [
    "conv2d(x, w)", "conv2d(x, w, padding=1)", "conv_transpose2d(x, w, stride=2)", "conv2d_weights(x, y, [2, 2])",
    "max_pool2d(x, 2)", "avg_pool2d(x, 2)", "softmax(x)", "log_softmax(x)", "logsumexp(x, axis=-1)", "layer_norm(x)",
    "attention(x, x, x)", "linear(x, ones([2, 3]))", "instance_norm(x)", "norm(x, axis=-1)", "sort(x)", "cumprod(x)",
]  # fmt: skip


@for_each("program", OF_NO_ITEMS)
def test_a_batch_of_no_items_has_a_value_and_a_gradient(program: str) -> None:
    """Protects the last batch of a table, which may be empty: its sum is 0, and so is every derivative."""
    values = {"x": np.zeros((0, 1, 3, 3)), "w": np.ones((1, 1, 2, 2)), "y": np.zeros((0, 1, 2, 2))}
    names = cgcli.parse(program).inputs
    value, slopes = cgcli.value_and_grad(f"sum({program})")(**{name: values[name] for name in names})
    assert value == 0
    for name, slope in slopes.items():
        np.testing.assert_array_equal(slope, np.zeros(values[name].shape))


REFUSED = [
    ("conv2d(ones([1, 3, 4, 4]), ones([4, 1, 2, 2]), groups=3)", "groups=3 does not divide the first axis of w, which"),
    ("conv2d(ones([1, 3, 4, 4]), ones([2, 2, 2, 2]))", "x of [1, 3, 4, 4] has C = 3, and w of [2, 2, 2, 2] takes"),
    ("conv1d(ones([1, 1, 4]), ones([1, 1, 3]), dilation=2)", "a window of [5] does not fit into x of [1, 1, 4]"),
    ("conv2d(ones([1, 1, 4, 4]), ones([1, 1, 2, 3]), padding='same')", "takes windows of odd sizes, not [2, 3]"),
    ("conv2d(ones([1, 1, 4, 4]), ones([1, 1, 3, 3]), stride=2, padding='same')", "takes a stride of 1, not [2, 2]"),
    ("conv1d(ones([1, 1, 4]), ones([1, 3]), padding='same')", "w as (O, C, L), not [1, 1, 4] and [1, 3]"),
    ("conv2d(ones([1, 1, 4, 4]), ones([1, 1, 2, 2]), padding='full')", "padding must be a whole number, not 'full'"),
    ("conv_transpose1d(ones([1, 1, 1]), ones([1, 1, 2]), padding='same')", "must be a whole number, not 'same'"),
    ("conv_transpose1d(ones([1, 1, 1]), ones([1, 1, 2]), padding=1)", "a padding of [1] leaves nothing of [2]"),
    ("conv2d(ones([1, 1, 2, 2]), ones([1, 1, 1, 1]), [1, 2])", "b has one number for each channel, [1], not shape [2]"),
    ("conv_transpose1d(ones([1, 1, 2]), ones([1, 2, 1]), [1, 2, 3])", "b has one number for each channel, [2], not"),
    ("linear([[1, 2]], [[1, 1]], [1, 2, 3])", "b has one number for each result, [1], not shape [3]"),
    ("linear([1, 2], [1, 2])", "linear takes x as (..., inputs) and w as (results, inputs), not [2] and [2]"),
    ("linear([1, 2], [[1, 2, 3]])", "linear takes x as (..., inputs) and w as (results, inputs), not [2] and [1, 3]"),
    ("layer_norm([1, 2], ones([3, 2]), 0)", "w has the shape of x, [2], or of its last axes, not shape [3, 2]"),
    ("layer_norm([[1, 2]], 1, [1, 2, 3])", "b has the shape of x, [1, 2], or of its last axes, not shape [3]"),
    ("conv2d(ones([1, 1, 4, 4]), ones([1, 1, 2, 2]), stride=[1, 2, 3])", "stride takes 2 whole numbers from 1"),
    ("avg_pool2d(ones([4, 4]), 2, padding=2)", "a window of [2, 2] does not fit into x of [4, 4] with padding [2, 2]"),
    ("max_pool2d([1, 2], 2)", "x has the axes (..., H, W), not shape [2]"),
    ("max_pool1d([1, 2], 2, ceil_mode=2)", "ceil_mode must be 0 or 1, not 2"),
    ("batch_norm(ones([2, 3]), ones([2]), ones([3]))", "w has one number for each channel, [3], not shape [2]"),
    ("group_norm(ones([2, 3]), groups=2)", "3 channels are no 2 groups"),
    ("batch_norm([1, 2])", "takes (N, C, ...)"),
    ("attention([1], [1], [1])", "takes q as (..., L, E), k as (..., S, E) and v as (..., S, V), not [1], [1] and [1]"),
    ("attention(ones([2, 3]), ones([4, 3]), ones([5, 3]))", "not [2, 3], [4, 3] and [5, 3]"),
    ("attention(ones([2, 3]), ones([4, 3]), ones([4, 1]), ones([4, 2]))", "as (..., L, S), [2, 4], not shape [4, 2]"),
    ("cross_entropy([0, 1], 1, [1, 2, 3])", "a weight for each of 2 classes"),
]  # fmt: skip


@for_each(("mean", "size"), [(mean, size) for mean in (0.0, 1e3, 1e8) for size in (7, 256, 20_000)])
def test_a_normalisation_keeps_digits_beside_a_large_mean(mean: float, size: int) -> None:
    """Within the rounding of the mean, that of a sum which is exact but for its last bit."""
    x = mean + np.random.default_rng(3).normal(size=(4, size))
    means = np.array([[math.fsum(row) / size] for row in x])
    spread = np.array([[math.fsum(row) / size] for row in (x - means) ** 2])
    error = abs(cgcli.value("layer_norm(x)")(x=x) - (x - means) / np.sqrt(spread + 1e-5))
    assert error.max() < 2 * np.spacing(mean) + 1e-14


@for_each(("program", "message"), REFUSED)
def test_what_does_not_fit_is_refused(program: str, message: str) -> None:
    with pytest.raises(cgcli.CgError) as caught:
        node(program, {})
    assert message in str(caught.value)
