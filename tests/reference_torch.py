"""Elementwise operations that PyTorch has too, on float64 tensors: a second reference beside mpmath's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional


def derivative(function: Callable[[Any], Any], x: Any, order: int) -> Any:
    """The order-th derivative of a function of one number, at each of some."""
    value = function(x)
    for _ in range(order):
        (value,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    return value


TORCH: dict[str, Callable[..., Any]] = {
    "add": torch.add,
    "subtract": torch.sub,
    "multiply": torch.mul,
    "divide": torch.div,
    "floor_divide": torch.floor_divide,
    "mod": torch.remainder,
    "fmod": torch.fmod,
    "neg": torch.neg,
    "power": torch.pow,
    "sqrt": torch.sqrt,
    "cbrt": lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3),
    "abs": torch.abs,
    "sign": torch.sign,
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
    "trunc": torch.trunc,
    "hypot": torch.hypot,
    "equal": torch.eq,
    "max...": lambda *xs: functools.reduce(torch.maximum, xs),
    "min...": lambda *xs: functools.reduce(torch.minimum, xs),
    "clip": lambda x, low, high: torch.minimum(torch.maximum(x, low), high),
    "exp": torch.exp,
    "expm1": torch.expm1,
    "exp2": torch.exp2,
    "ln": torch.log,
    "log1p": torch.log1p,
    "log2": torch.log2,
    "log10": torch.log10,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "asin": torch.asin,
    "acos": torch.acos,
    "atan": torch.atan,
    "atan2": torch.atan2,
    "sec": lambda x: 1 / torch.cos(x),
    "csc": lambda x: 1 / torch.sin(x),
    "cot": lambda x: 1 / torch.tan(x),
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "asinh": torch.asinh,
    "acosh": torch.acosh,
    "atanh": torch.atanh,
    "erf": torch.erf,
    "erfc": torch.erfc,
    "gamma": lambda x: torch.exp(torch.lgamma(x)),
    "lgamma": torch.lgamma,
    "digamma": lambda x, order: torch.polygamma(int(order), x),
    "logaddexp": torch.logaddexp,
    "xlogy": torch.xlogy,
    "sigmoid": torch.sigmoid,
    "softplus": functional.softplus,
    "relu": torch.relu,
    "leaky_relu": functional.leaky_relu,
    "elu": functional.elu,
    "gelu": lambda x, order: derivative(functional.gelu, x, order),
    "silu": functional.silu,
    "less": torch.lt,
    "greater": torch.gt,
    "not_equal": torch.ne,
    "less_equal": torch.le,
    "greater_equal": torch.ge,
    "not": torch.logical_not,
    "and": torch.logical_and,
    "or": torch.logical_or,
    "where": lambda condition, yes, no: torch.where(condition != 0, yes, no),
    "stop_gradient": lambda x: x.detach(),
}


def torch_gradients(meaning: Callable[..., Any], arguments: list[Any], cotangent: Any) -> tuple[Any, list[Any]]:
    """The value, and the gradient of the value weighted by the cotangent, by PyTorch's autograd."""
    tensors = [torch.tensor(argument, dtype=torch.float64, requires_grad=True) for argument in arguments]
    value = meaning(*tensors)
    result = value.detach().double().numpy()
    if not value.requires_grad:
        return result, [None] * len(tensors)
    weighted = (value * torch.tensor(cotangent)).sum()
    found = torch.autograd.grad(weighted, tensors, allow_unused=True)
    return result, [None if item is None else item.numpy() for item in found]
