"""Derivatives that a library takes of exported code: by rules of the program's own, and at kinks, those of cg."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

import cgcli
from tests.for_each import for_each

AT = (1.3, 0.7)
RULES = (
    "r(x) = x^2; jvp r(x; dx) = 5*dx*x; r(x)*y",
    "r(x) = x; jvp r(x; dx) = 2*dx; r(x)*y",
    "r(x) = 3; jvp r(x; dx) = dx*x; r(x)*y",
    "r(x) = x^2; jvp r(x; dx) = 0*dx; r(x)*y",
    "r(a, b) = a*b; jvp r(a, b; da, db) = a*da + 7*db*r(a, b); r(x, y) + r(y, 2)",
    "r(x) = x^2; jvp r(x; dx) = 5*dx*x; q(t) = r(t)*3; jvp q(t; dt) = r(t)*dt; q(x) + r(q(y))",
    "r(θ) = θ^2; jvp r(θ; dθ) = 5*dθ*θ; r(x)*r(y)",
    "ctx(weight, ctx) = weight*ctx; jvp ctx(weight, ctx; primals, value) = primals + 3*value; ctx(x, y)*x",
    "put(x) = sum(x); jvp put(x; dx) = sum(dx*x); put([x, y])*x",
    "r(x) = x^2; jvp r(x; dx) = 5*dx*x; s = x; repeat 3 { s = s + r(s*y)/9 }; s",
    "r(v) = v/2; jvp r(v; dv) = cumsum(dv); sum(r([x, y])^2) + y",
    "r(x) = hypot(x, 3); jvp r(x; dx) = x*dx; r(x) + hypot(r(y), x) + max(x, y, r(x))",
    "r(A, b) = A@b; jvp r(A, b; dA, db) = 2*dA@b + A@db; sum(r([[x, y], [y, x]], [x, 2])*[1, 3])",
    "stop_gradient(x)*y + stop_gradient(x*y)^2*x",
)
"""Programs in x and y: functions of one argument and of more, in each other, in loops, of arrays, with hard names."""

KINKS: tuple[tuple[str, tuple[tuple[float, ...], ...]], ...] = (
    ("x^y", ((0, 0), (0, 2), (0, 1), (-2, 2))),
    ("x^2 + x^3", ((0,),)),
    ("abs(x)", ((0,), (-0.0,))),
    ("abs(x)^y", ((0, 1), (0, 2))),
    ("hypot(x, y)", ((0, 0), (0, 1), (3, 4))),
    ("atan2(x, y)", ((0, 0), (0, 1), (0, -1))),
    ("max(x, y) + min(x, 1)", ((1, 1), (1, 2))),
    ("max(x, y, z) + max(x, y)", ((1, 1, 1), (1, 1, 0), (0, 1, 2))),
    ("min(x, y, z, 1)", ((1, 1, 1), (2, 1, 1))),
    ("max([x, y, z])", ((1, 1, 0),)),
    ("sum(max_pool1d([[[x, y, z]]], 2))", ((1, 1, 1),)),
    ("clip(x, 0, 1)", ((0,), (1,), (0.5,), (3,))),
    ("clip(x, y, z)", ((0, 0, 1), (1, 1, 1), (2, 3, 1))),
    ("relu(x) + leaky_relu(y) + elu(z)", ((0, 0, 0), (1, -1, 1))),
    ("relu6(x) + hardtanh(y) + hardsigmoid(z)", ((0, 1, 3), (6, -1, -3))),
    ("hardswish(x) + softshrink(y)", ((3, 0.5), (-3, 0))),
    ("norm([x, y])", ((0, 0), (3, 4))),
    ("norm([x, y], ord=1) + norm([x, y], ord=inf)", ((0, 0), (1, 1))),
    ("std([x, y])", ((1, 1), (1, 2))),
    ("sinc(x)", ((0,), (0.3,))),
    ("xlogy(x, y)", ((0, 1), (2, 3))),
    ("prod([x, y, z])", ((0, 2, 3), (0, 0, 3))),
    ("sign(x) + floor(x) + round(x)", ((0,), (0.5,))),
    ("mod(x, y) + fmod(x, y)", ((2, 1), (2.5, 1))),
    ("x > 0 ? x^2 : 3*x", ((0,),)),
)
"""Programs with points where their derivatives jump, and others."""


def derivatives_of_cg(text: str, point: Sequence[float]) -> list[float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = cgcli.grad(text)(*point)
    return [float(found[name]) for name in cgcli.parse(text).inputs]


def second_derivatives_of_cg(text: str) -> np.ndarray[Any, Any]:
    names, found = cgcli.parse(text).inputs, cgcli.hessian(text)(*AT)
    return np.array([[float(found[a][b]) for b in names] for a in names])


def _by_torch(text: str, point: Sequence[float]) -> tuple[float, list[Any], list[Any]]:
    """The value, its derivatives, and the names' tensors."""
    import torch

    space: dict[str, Any] = {}
    exec(cgcli.export(text, "torch"), space)
    given = [torch.tensor(float(each), dtype=torch.float64, requires_grad=True) for each in point]
    value = space["f"](*given)
    if not value.requires_grad:
        return value.item(), [torch.zeros(())] * len(point), given
    return value.item(), [*torch.autograd.grad(value, given, create_graph=True, materialize_grads=True)], given


@for_each("text", RULES)
def test_torch_has_the_derivatives_that_a_program_gives(text: str) -> None:
    """Protects who differentiates exported code: PyTorch knows nothing of `jvp r(x; dx) = …` but what is written."""
    import torch

    value, first, given = _by_torch(text, AT)
    second = [
        [each.item() for each in torch.autograd.grad(slope, given, retain_graph=True, materialize_grads=True)]
        if slope.requires_grad else [0.0, 0.0] for slope in first
    ]  # fmt: skip
    assert np.isclose(value, float(cgcli.value(text)(*AT)), rtol=1e-12)
    assert np.allclose([slope.item() for slope in first], derivatives_of_cg(text, AT), rtol=1e-12)
    assert np.allclose(second, second_derivatives_of_cg(text), rtol=1e-12)


def test_rules_are_mapped_over_rows() -> None:
    import torch

    space: dict[str, Any] = {}
    exec(cgcli.export(RULES[0] + " + hypot(x, y)", "torch"), space)
    x, y = torch.tensor([1.3, 2.0, 0.0]).double(), torch.tensor([0.7, -1.0, 0.0]).double()
    found = torch.func.vmap(torch.func.grad(space["f"]))(x, y)
    ours = [derivatives_of_cg(RULES[0] + " + hypot(x, y)", row)[0] for row in zip(x.tolist(), y.tolist(), strict=True)]
    assert np.allclose(found.numpy(), ours, rtol=1e-12)


@for_each("text, points", KINKS)
def test_torch_chooses_as_cg_at_kinks(text: str, points: tuple[tuple[float, ...], ...]) -> None:
    for point in points:
        found = [slope.item() for slope in _by_torch(text, point)[1]]
        ours = derivatives_of_cg(text, point)
        assert np.allclose(found, ours, rtol=1e-9, equal_nan=True), (point, found, ours)
