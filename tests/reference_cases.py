"""Every operation that is not elementwise, in use: programs, shapes, and the same thing in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from tests.support_cases import Case, Shape, spread


def set_in(sizes: Shape, key: Any) -> Callable[[Any], Any]:
    return lambda x: torch.zeros(sizes, dtype=x.dtype).index_put(_grid(sizes, key), x)


def _grid(sizes: Shape, key: Any) -> Any:
    places = np.arange(int(np.prod(sizes))).reshape(sizes)[key]
    return tuple(torch.tensor(axis) for axis in np.unravel_index(places, sizes))


X = {"x": (3, 4)}
CUBE = {"x": (2, 3, 4)}
SCALAR: dict[str, Shape] = {"x": ()}
NONE = {"x": (0, 3)}
S = {"x": spread}

REDUCTIONS: dict[str, list[Case]] = {
    "sum": [
        Case("sum(x)", X, torch.sum),
        Case("sum(x, 0)", X, lambda x: x.sum(0)),
        Case("sum(x, [0, -1], 1)", CUBE, lambda x: x.sum((0, 2), keepdim=True)),
        Case("sum(x)", SCALAR, torch.sum),
        Case("sum(x, 0)", NONE, lambda x: x.sum(0)),
    ],
    "mean": [
        Case("mean(x)", X, torch.mean),
        Case("mean(x, 1, keepdims=1)", CUBE, lambda x: x.mean(1, keepdim=True)),
        Case("mean(x)", SCALAR, torch.mean),
        Case("mean(x, 0)", NONE, lambda x: x.mean(0)),
    ],
    "cumsum": [
        Case("cumsum(x)", X, lambda x: x.cumsum(-1)),
        Case("cumsum(x, 0)", CUBE, lambda x: x.cumsum(0)),
        Case("cumsum(x, 0)", NONE, lambda x: x.cumsum(0)),
    ],
    "broadcast": [
        Case("broadcast(x, [3, 4])", {"x": (4,)}, lambda x: x.expand(3, 4)),
        Case("broadcast(x, [2, 3, 4])", {"x": (3, 1)}, lambda x: x.expand(2, 3, 4)),
        Case("broadcast(x, [2])", SCALAR, lambda x: x.expand(2)),
        Case("broadcast(x, [0, 4])", {"x": (1, 4)}, lambda x: x.expand(0, 4)),
    ],
    "max": [
        Case("max(x)", X, torch.amax, S),
        Case("max(x, axis=0)", X, lambda x: x.amax(0), S),
        Case("max(x, axis=[0, 2], keepdims=1)", CUBE, lambda x: x.amax((0, 2), keepdim=True), S),
        Case("max(x)", SCALAR, torch.amax),
        Case("max(x, axis=1)", NONE, lambda x: x.amax(1)),
    ],
    "min": [
        Case("min(x)", X, torch.amin, S),
        Case("min(x, axis=[0, 1])", CUBE, lambda x: x.amin((0, 1)), S),
        Case("min(x, axis=-1, keepdims=1)", CUBE, lambda x: x.amin(-1, keepdim=True), S),
    ],
    "argmax": [
        Case("argmax(x)", X, torch.argmax, S),
        Case("argmax(x, 1)", CUBE, lambda x: x.argmax(1), S),
        Case("argmax(x, keepdims=1)", X, lambda x: x.argmax().reshape(1, 1), S),
        Case("argmax(x)", SCALAR, torch.argmax),
    ],
    "argmin": [
        Case("argmin(x)", X, torch.argmin, S),
        Case("argmin(x, 0, 1)", CUBE, lambda x: x.argmin(0, keepdim=True), S),
    ],
    "prod": [
        Case("prod(x)", X, torch.prod),
        Case("prod(x, 1)", CUBE, lambda x: x.prod(1)),
        Case("prod(x, [0, 2], 1)", CUBE, lambda x: x.prod(0, keepdim=True).prod(2, keepdim=True)),
        Case("prod(x)", {"x": (7,)}, torch.prod, {"x": lambda rng, shape: np.array([2.0, 0, 3, 1, -1, 4, 5])}),
        Case("prod(x)", SCALAR, torch.prod),
        Case("prod(x, 0)", NONE, lambda x: x.prod(0)),
    ],
    "var": [
        Case("var(x)", X, lambda x: x.var(correction=0)),
        Case("var(x, 1, 1, 1)", CUBE, lambda x: x.var(1, correction=1, keepdim=True)),
        Case("var(x, [0, 2], ddof=1)", CUBE, lambda x: x.var((0, 2), correction=1)),
        Case("var(x)", SCALAR, lambda x: x * 0),
    ],
    "std": [
        Case("std(x)", X, lambda x: x.std(correction=0)),
        Case("std(x, 1, 1, 1)", CUBE, lambda x: x.std(1, correction=1, keepdim=True)),
        Case("std(x, [0, 2], ddof=1)", CUBE, lambda x: x.std((0, 2), correction=1)),
    ],
    "norm": [
        Case("norm(x)", X, torch.linalg.norm),
        Case("norm(x, axis=1)", CUBE, lambda x: x.norm(dim=1)),
        Case("norm(x, axis=[0, 2], keepdims=1)", CUBE, lambda x: (x * x).sum((0, 2), keepdim=True).sqrt()),
        Case("norm(x)", SCALAR, torch.abs),
    ],
    "logsumexp": [
        Case("logsumexp(x)", X, lambda x: x.logsumexp((0, 1))),
        Case("logsumexp(x, 1)", CUBE, lambda x: x.logsumexp(1)),
        Case("logsumexp(x, [0, 2], 1)", CUBE, lambda x: x.logsumexp((0, 2), keepdim=True)),
        Case("logsumexp(x)", SCALAR, lambda x: x * 1),
        Case("logsumexp(x, 0)", NONE, lambda x: x.sum(0) - torch.inf),
    ],
    "softmax": [
        Case("softmax(x)", X, lambda x: x.softmax(-1)),
        Case("softmax(x, 1)", CUBE, lambda x: x.softmax(1)),
        Case("softmax(x)", NONE, lambda x: x.softmax(-1)),
    ],
    "layer_norm": [
        Case("layer_norm(x)", {"x": (3, 20)}, lambda x: functional.layer_norm(x, (20,))),
        Case("layer_norm(x, axis=[1, 2], eps=0.1)", CUBE, lambda x: functional.layer_norm(x, (3, 4), eps=0.1)),
        Case(
            "layer_norm(x, axis=[0, 2])",
            CUBE,
            lambda x: functional.batch_norm(x.movedim(1, 0)[None], None, None, training=True)[0].movedim(0, 1),
        ),
        Case("layer_norm(x)", NONE, lambda x: functional.layer_norm(x, (3,))),
    ],
    "log_softmax": [
        Case("log_softmax(x)", X, lambda x: x.log_softmax(-1)),
        Case("log_softmax(x, 0)", CUBE, lambda x: x.log_softmax(0)),
    ],
    "size": [
        Case("size(x)", CUBE, lambda x: torch.tensor(24.0)),
        Case("size(x, [0, 1])", CUBE, lambda x: torch.tensor(6.0)),
        Case("size(x)", SCALAR, lambda x: torch.tensor(1.0)),
    ],
}

SHAPING: dict[str, list[Case]] = {
    "argsort": [
        Case("argsort(x)", X, torch.argsort, S),
        Case("argsort(x, 1)", CUBE, lambda x: x.argsort(1), S),
    ],
    "take_along": [
        Case("take_along(x, i)", {"x": (3, 4), "i": (3, 5)}, lambda x, i: x.gather(1, i.long()),
             {"i": lambda rng, shape: rng.integers(0, 4, shape)}, ("i",)),
        Case("take_along(x, i, 0)", {"x": (3, 2), "i": (4, 2)}, lambda x, i: x.gather(0, i.long()),
             {"i": lambda rng, shape: rng.integers(0, 3, shape)}, ("i",)),
    ],
    "put_along": [
        Case("put_along(x, i, 4, 1)", {"x": (3, 5), "i": (3, 5)},
             lambda x, i: torch.zeros(3, 4, dtype=x.dtype).scatter_add(1, i.long(), x),
             {"i": lambda rng, shape: rng.integers(0, 4, shape)}, ("i",)),
        Case("put_along(x, i, 3, 0)", {"x": (4, 2), "i": (4, 2)},
             lambda x, i: torch.zeros(3, 2, dtype=x.dtype).scatter_add(0, i.long(), x),
             {"i": lambda rng, shape: rng.integers(0, 3, shape)}, ("i",)),
    ],
    "reshape": [
        Case("reshape(x, [2, -1])", X, lambda x: x.reshape(2, -1)),
        Case("reshape(x, [1, 1])", SCALAR, lambda x: x.reshape(1, 1)),
        Case("reshape(x, [3, 0])", NONE, lambda x: x.reshape(3, 0)),
        Case("reshape(x, [])", {"x": (1, 1)}, lambda x: x.reshape(())),
    ],
    "transpose": [
        Case("transpose(x)", X, lambda x: x.T),
        Case("transpose(x, [2, 0, 1])", CUBE, lambda x: x.permute(2, 0, 1)),
        Case("transpose(x)", SCALAR, lambda x: x * 1),
        Case("x.T", NONE, lambda x: x.T),
    ],
    "flip": [
        Case("flip(x)", X, lambda x: x.flip(0, 1)),
        Case("flip(x, 1)", CUBE, lambda x: x.flip(1)),
        Case("flip(x, 0)", NONE, lambda x: x.flip(0)),
    ],
    "concat": [
        Case("concat(x, y)", {"x": (2, 3), "y": (4, 3)}, lambda x, y: torch.cat([x, y])),
        Case("concat(x, y, x, axis=-1)", {"x": (2, 3), "y": (2, 1)}, lambda x, y: torch.cat([x, y, x], -1)),
        Case("concat(x, y, axis=1)", {"x": (2, 0), "y": (2, 1)}, lambda x, y: torch.cat([x, y], 1)),
    ],
    "stack": [
        Case("stack(x, y)", {"x": (2, 3), "y": (2, 3)}, lambda x, y: torch.stack([x, y])),
        Case("stack(x, y, x, axis=1)", {"x": (2, 3), "y": (2, 3)}, lambda x, y: torch.stack([x, y, x], 1)),
        Case("stack(x, y, axis=-1)", {"x": (2, 3), "y": (2, 3)}, lambda x, y: torch.stack([x, y], -1)),
        Case("[x, y]", {"x": (), "y": ()}, lambda x, y: torch.stack([x, y])),
    ],
    "diag": [
        Case("diag(x)", {"x": (3,)}, torch.diag),
        Case("diag(x)", {"x": (3, 3)}, torch.diag),
        Case("diag(x)", X, torch.diag),
        Case("diag(x)", {"x": (4, 3)}, torch.diag),
        Case("diag(x)", {"x": (0,)}, lambda x: x.reshape(0, 0)),
        *(Case(f"diag(x, {k})", {"x": (3,)}, lambda x, k=k: x.diag(k)) for k in (2, -1)),
        *(Case(f"diag(x, k={k})", {"x": shape}, lambda x, k=k: x.diag(k))
          for shape in ((3, 3), (2, 4), (4, 2)) for k in (-5, -3, -1, 1, 2, 4)),
    ],
    "tril": [Case("tril(x)", X, torch.tril), Case("tril(x, 1)", CUBE, lambda x: x.tril(1))],
    "triu": [Case("triu(x)", X, torch.triu), Case("triu(x, k=-1)", CUBE, lambda x: x.triu(-1))],
    "index": [
        Case("x[1]", X, lambda x: x[1]),
        Case("x[1:, -1]", X, lambda x: x[1:, -1]),
        Case("x[::-1, ::2]", X, lambda x: x.flip(0)[:, ::2]),
        Case("x[2:0:-1, 3::-2]", X, lambda x: x.flip(0)[0:2, [3, 1]]),
        Case("x[:, 1:1]", X, lambda x: x[:, 1:1]),
        Case("x[0, 0]", X, lambda x: x[0, 0]),
        Case("x[-1:-4:-2]", CUBE, lambda x: x[[-1]]),
    ],
    "put": [
        Case("put(x, [5, 4], 1:4)", X, set_in((5, 4), np.s_[1:4])),
        Case("put(x, [3, 9], :, 7::-2)", X, set_in((3, 9), np.s_[:, 7::-2])),
        Case("put(x, [5], 2)", SCALAR, set_in((5,), np.s_[2])),
        Case("put(x, [2, 3, 4], 1)", X, set_in((2, 3, 4), np.s_[1])),
    ],
    "pad": [
        Case("pad(x, [1, 2])", X, lambda x: functional.pad(x, (1, 2, 1, 2))),
        Case("pad(x, [[1, 0], [0, 2]])", X, lambda x: functional.pad(x, (0, 2, 1, 0))),
        Case("pad(x, 1)", {"x": (0,)}, lambda x: functional.pad(x, (1, 1))),
    ],
}  # fmt: skip

CREATION: dict[str, list[Case]] = {
    "zeros": [Case("zeros([2, 3])", {}, lambda: torch.zeros(2, 3)), Case("zeros([])", {}, lambda: torch.zeros(()))],
    "ones": [Case("ones([2, 3])", {}, lambda: torch.ones(2, 3)), Case("ones(0)", {}, lambda: torch.ones(0))],
    "eye": [Case("eye(3)", {}, lambda: torch.eye(3)), Case("eye(0)", {}, lambda: torch.eye(0))],
    "arange": [
        Case("arange(4)", {}, lambda: torch.arange(4.0)),
        Case("arange(1, 2, 0.25)", {}, lambda: torch.arange(1, 2, 0.25)),
        Case("arange(5, 0, -2)", {}, lambda: torch.arange(5.0, 0, -2)),
        Case("arange(1, 0)", {}, lambda: torch.zeros(0)),
    ],
    "linspace": [
        Case("linspace(0, 1, 5)", {}, lambda: torch.linspace(0, 1, 5)),
        Case("linspace(2, 2, 1)", {}, lambda: torch.tensor([2.0])),
        Case("linspace(2, 3, 0)", {}, lambda: torch.zeros(0)),
    ],
}
