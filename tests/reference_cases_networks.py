"""As reference_cases.py: the layers of networks."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from tests.reference_cases import set_in
from tests.support_cases import Case, Shape, classes, positive, shares, spread


def padded_windows(x: Any, kernel: int, stride: int) -> Any:
    return x.unfold(-1, kernel, stride).transpose(-1, -2)


def folded(x: Any, size: int, stride: int) -> Any:
    result = torch.zeros((*x.shape[:-2], size), dtype=x.dtype)
    for tap in range(x.shape[-2]):
        for place in range(x.shape[-1]):
            piece = torch.zeros_like(result)
            piece[..., tap + stride * place] = x[..., tap, place]
            result = result + piece
    return result


def windows_2d(x: Any) -> Any:
    return x.unfold(-2, 2, 2).unfold(-2, 3, 1).permute(0, 3, 4, 1, 2)


def given(options: dict[str, Any]) -> str:
    return "".join(f", {name}={value}" for name, value in options.items())


def as_torch(options: dict[str, Any]) -> dict[str, Any]:
    """Options as PyTorch takes them."""
    flags = ("ceil_mode", "count_include_pad")
    return {
        name: bool(value) if name in flags else tuple(value) if isinstance(value, list) else value
        for name, value in options.items()
    }


def conv(rank: int, shapes: dict[str, Shape], kind: str = "", **options: Any) -> list[Case]:
    """A convolution as PyTorch's function of the same name."""
    theirs = getattr(functional, f"conv{kind}{rank}d")
    return [Case(f"conv{kind}{rank}d(x, w{given(options)})", shapes, lambda x, w: theirs(x, w, **as_torch(options)))]


def weights(
    rank: int, shapes: dict[str, Shape], kernel: Any, rows: slice = slice(None), columns: slice = slice(None),
    **options: Any,
) -> Case:  # fmt: skip
    """What PyTorch gives as the gradient by the weights of the windows that y stands for."""
    sizes = (kernel,) if isinstance(kernel, int) else tuple(kernel)
    theirs = getattr(functional, f"conv{rank}d")

    def expected(x: Any, y: Any) -> Any:
        shape = (y.shape[1], x.shape[1] // options.get("groups", 1), *sizes)
        w = torch.zeros(shape, dtype=x.dtype, requires_grad=True)
        value = theirs(x, w, **as_torch(options))
        if rank > 1:
            value = value[:, :, rows][:, :, :, columns]
        return torch.autograd.grad((value * y).sum(), w, create_graph=True)[0]

    return Case(f"conv{rank}d_weights(x, y, {kernel}{given(options)})", shapes, expected)


def pool(name: str, shapes: dict[str, Shape], kernel: Any, **options: Any) -> Case:
    """A pooling as PyTorch's function of the same name."""
    theirs, sizes = getattr(functional, name), tuple(kernel) if isinstance(kernel, list) else kernel
    return Case(f"{name}(x, {kernel}{given(options)})", shapes, lambda x: theirs(x, sizes, **as_torch(options)),
                {"x": spread})  # fmt: skip


def at_largest(x: Any, y: Any, axis: int) -> Any:
    """What y has at the largest elements of x."""
    return y.gather(axis, x.argmax(axis, keepdim=True))


def to_largest(x: Any, y: Any, axis: int) -> Any:
    """y at the largest elements of x."""
    return torch.zeros_like(x).scatter_add(axis, x.argmax(axis, keepdim=True), y)


def picked(x: Any, y: Any, kernel: int, stride: int, padding: int) -> Any:
    """The elements of y at the places where PyTorch finds the largest ones of x."""
    _, places = functional.max_pool2d(x, kernel, stride, padding, return_indices=True)
    return y.flatten(2).gather(2, places.flatten(2)).reshape(places.shape)


def returned(x: Any, y: Any, kernel: int, stride: int, padding: int) -> Any:
    """The elements of y added at those places."""
    _, places = functional.max_pool2d(x, kernel, stride, padding, return_indices=True)
    return torch.zeros_like(x.flatten(2)).scatter_add(2, places.flatten(2), y.flatten(2)).reshape(x.shape)


def entropy(shapes: dict[str, Shape], **options: Any) -> list[Case]:
    """A cross entropy whose classes stand along the axis where PyTorch has them."""
    of_classes = len(shapes["y"]) < len(shapes["x"])
    theirs = {name: str(value).strip('"') if name == "reduction" else value
              for name, value in options.items() if name != "axis"}  # fmt: skip

    def expected(x: Any, y: Any, w: Any = None) -> Any:
        cross_entropy: Any = functional.cross_entropy
        return cross_entropy(x, y.long() if of_classes else y, w, **theirs)

    draw = {"y": classes(shapes["x"][1]) if of_classes else shares, "w": positive}
    return [
        Case(f"cross_entropy({', '.join(shapes)}{given(options)})", shapes, expected, draw,
             (*("y" * of_classes), *("w" * ("w" in shapes))))
    ]  # fmt: skip


IMAGE: dict[str, Shape] = {"x": (2, 3, 5, 6)}
SIGNAL: dict[str, Shape] = {"x": (2, 3, 9)}
VOLUME: dict[str, Shape] = {"x": (1, 2, 3, 4, 3)}

NETWORK: dict[str, list[Case]] = {
    "unfold": [
        Case("unfold(x, 3, 2)", {"x": (2, 8)}, lambda x: padded_windows(x, 3, 2)),
        Case("unfold(x, 3, 1)", {"x": (5,)}, lambda x: padded_windows(x, 3, 1)),
        Case("unfold(x, [2, 3], [2, 1])", {"x": (2, 5, 6)}, windows_2d),
        Case("unfold(x, [2, 3], [2, 1], [3, 2])", {"x": (2, 2, 5, 6)},
             lambda x: functional.unfold(x, (2, 3), (3, 2), 0, (2, 1)).reshape(2, 2, 2, 3, 1, 2)),
    ],
    "fold": [
        Case("fold(x, 8, 2)", {"x": (2, 3, 3)}, lambda x: folded(x, 8, 2)),
        Case("fold(x, 5, 1)", {"x": (3, 3)}, lambda x: folded(x, 5, 1)),
        Case("fold(x, 7, 4)", {"x": (2, 2)}, lambda x: folded(x, 7, 4)),
        Case("fold(x, [5, 6], [2, 1], [3, 2])", {"x": (2, 2, 2, 3, 1, 2)},
             lambda x: functional.fold(x.reshape(2, 12, 2), (5, 6), (2, 3), (3, 2), 0, (2, 1))),
    ],
    "element": [
        Case("element(x, i)", {"x": (4, 2), "i": ()}, lambda x, i: x[i.long()], {"i": classes(4)}),
        Case("element(x, -1)", {"x": (4,)}, lambda x: x[-1]),
    ],
    "put_element": [
        Case("put_element(x, 2, 3)", {"x": (2,)}, set_in((3, 2), 2)),
        Case("put_element(x, i, 3)", {"x": (), "i": ()},
             lambda x, i: functional.one_hot(i.long(), 3) * x, {"i": classes(3)}),
    ],
    "onehot": [
        Case("onehot(x, 4)", {"x": (3,)}, lambda x: functional.one_hot(x.long(), 4), {"x": classes(4)}),
        Case("onehot(x, 2)", {"x": ()}, lambda x: functional.one_hot(x.long(), 2), {"x": classes(2)}),
    ],
    "conv1d": [
        *conv(1, {**SIGNAL, "w": (4, 3, 2)}),
        *conv(1, {**SIGNAL, "w": (4, 3, 4)}, stride=2, padding=1),
        *conv(1, {**SIGNAL, "w": (1, 3, 2)}, stride=3),
        *conv(1, {**SIGNAL, "w": (3, 1, 3)}, padding=2, dilation=2, groups=3),
    ],
    "conv2d": [
        *conv(2, {**IMAGE, "w": (4, 3, 2, 3)}),
        *conv(2, {**IMAGE, "w": (2, 3, 3, 3)}, stride=2, padding=1),
        *conv(2, {**IMAGE, "w": (2, 3, 1, 2)}, stride=[1, 3], padding=[0, 2]),
        *conv(2, {**IMAGE, "w": (6, 1, 2, 2)}, stride=2, padding=[1, 0], dilation=[1, 3], groups=3),
        *conv(2, {"x": (3, 4, 4, 4), "w": (4, 2, 3, 3)}, groups=2),
    ],
    "conv3d": [
        *conv(3, {**VOLUME, "w": (2, 2, 2, 1, 2)}),
        *conv(3, {**VOLUME, "w": (2, 1, 2, 2, 2)}, stride=[1, 2, 1], padding=[1, 0, 1], dilation=[2, 1, 1], groups=2),
    ],
    "conv_transpose1d": [
        *conv(1, {"x": (2, 3, 4), "w": (3, 2, 3)}, "_transpose"),
        *conv(1, {"x": (2, 4, 4), "w": (4, 2, 2)}, "_transpose", stride=3, padding=1, output_padding=2, groups=2),
    ],
    "conv_transpose2d": [
        *conv(2, {"x": (2, 3, 2, 3), "w": (3, 2, 2, 3)}, "_transpose"),
        *conv(2, {"x": (2, 3, 2, 3), "w": (3, 2, 1, 1)}, "_transpose", stride=2, output_padding=[0, 1]),
        *conv(2, {"x": (1, 2, 3, 2), "w": (2, 1, 2, 2)}, "_transpose", stride=2, padding=[1, 0], output_padding=[1, 0],
              groups=2, dilation=[2, 1]),
    ],
    "conv_transpose3d": [
        *conv(3, {"x": (1, 2, 2, 1, 2), "w": (2, 1, 2, 3, 1)}, "_transpose", stride=2, padding=[0, 1, 0]),
    ],
    "conv1d_weights": [
        weights(1, {"x": (2, 3, 9), "y": (2, 4, 8)}, 2),
        weights(1, {"x": (2, 4, 9), "y": (2, 6, 3)}, 3, stride=3, padding=1, groups=2),
    ],
    "conv2d_weights": [
        weights(2, {"x": (2, 1, 4, 5), "y": (2, 3, 3, 4)}, [2, 2]),
        weights(2, {"x": (1, 4, 4, 5), "y": (1, 2, 2, 2)}, [2, 3], stride=[2, 1], dilation=[2, 2], padding=[1, 1],
                groups=2, rows=slice(2), columns=slice(2)),
    ],
    "conv3d_weights": [weights(3, {"x": (1, 2, 2, 3, 2), "y": (1, 1, 2, 2, 1)}, [1, 2, 2])],
    "max_pool1d": [
        pool("max_pool1d", SIGNAL, kernel=2),
        pool("max_pool1d", SIGNAL, kernel=3, stride=2, padding=1, dilation=2, ceil_mode=1),
    ],
    "max_pool2d": [
        pool("max_pool2d", IMAGE, kernel=2),
        pool("max_pool2d", IMAGE, kernel=3, stride=2, padding=1),
        pool("max_pool2d", IMAGE, kernel=[2, 3], stride=[1, 2], padding=[1, 0]),
        pool("max_pool2d", IMAGE, kernel=2, stride=3, dilation=[1, 2], ceil_mode=1),
        pool("max_pool2d", IMAGE, kernel=2, stride=3, padding=1, ceil_mode=1),
    ],
    "max_pool3d": [
        pool("max_pool3d", VOLUME, kernel=2),
        pool("max_pool3d", VOLUME, kernel=[1, 2, 2], stride=1, padding=[0, 1, 1]),
    ],
    "max_pool_along": [
        Case("max_pool_along(y, x, max_pool2d(x, 2), [2, 2])", {**IMAGE, "y": (2, 3, 5, 6)},
             lambda x, y: picked(x, y, 2, 2, 0), {"x": spread}, ("x",)),
        Case("max_pool_along(y, x, max_pool2d(x, 3, 2, 1), [3, 3], 2, 1)", {**IMAGE, "y": (2, 3, 5, 6)},
             lambda x, y: picked(x, y, 3, 2, 1), {"x": spread}, ("x",)),
    ],
    "max_pool_shares": [
        Case("max_pool_shares(y, x, max_pool2d(x, 2), [2, 2])", {**IMAGE, "y": (2, 3, 2, 3)},
             lambda x, y: returned(x, y, 2, 2, 0), {"x": spread}, ("x",)),
        Case("max_pool_shares(y, x, max_pool2d(x, 3, 2, 1), [3, 3], 2, 1)", {**IMAGE, "y": (2, 3, 3, 3)},
             lambda x, y: returned(x, y, 3, 2, 1), {"x": spread}, ("x",)),
    ],
    "at_largest": [
        Case("at_largest(y, x)", {"x": (3, 4), "y": (3, 4)}, lambda x, y: at_largest(x, y, -1), {"x": spread}, ("x",)),
        Case("at_largest(y, x, axis=0)", {"x": (3, 2), "y": (3, 2)}, lambda x, y: at_largest(x, y, 0), {"x": spread},
             ("x",)),
    ],
    "to_largest": [
        Case("to_largest(y, x)", {"x": (3, 4), "y": (3, 1)}, lambda x, y: to_largest(x, y, -1), {"x": spread}, ("x",)),
        Case("to_largest(y, x, axis=0)", {"x": (3, 2), "y": (1, 2)}, lambda x, y: to_largest(x, y, 0), {"x": spread},
             ("x",)),
    ],
    "avg_pool1d": [
        pool("avg_pool1d", SIGNAL, kernel=2),
        pool("avg_pool1d", SIGNAL, kernel=3, stride=2, padding=1, count_include_pad=0),
    ],
    "avg_pool2d": [
        pool("avg_pool2d", IMAGE, kernel=2),
        pool("avg_pool2d", IMAGE, kernel=3, stride=2, padding=1),
        pool("avg_pool2d", IMAGE, kernel=3, stride=2, padding=1, ceil_mode=1),
        pool("avg_pool2d", IMAGE, kernel=[3, 2], stride=[3, 2], padding=[1, 0], ceil_mode=1, count_include_pad=0),
    ],
    "avg_pool3d": [pool("avg_pool3d", VOLUME, kernel=2, stride=1, padding=1, count_include_pad=0)],
    "mse": [
        Case("mse(x, y)", {"x": (3, 4), "y": (3, 4)}, functional.mse_loss),
        Case("mse(x, y)", {"x": (3, 4), "y": (4,)}, lambda x, y: functional.mse_loss(x, y.expand(3, 4))),
        Case("mse(x, y)", {"x": (), "y": ()}, functional.mse_loss),
    ],
    "cross_entropy": [
        Case("cross_entropy(x, y)", {"x": (3, 4), "y": (3,)}, lambda x, y: functional.cross_entropy(x, y.long()),
             {"y": classes(4)}, ("y",)),
        Case("cross_entropy(x, y)", {"x": (3, 4), "y": (3, 4)}, functional.cross_entropy, {"y": shares}),
        Case("cross_entropy(x, y)", {"x": (4,), "y": ()}, lambda x, y: functional.cross_entropy(x, y.long()),
             {"y": classes(4)}, ("y",)),
        Case("cross_entropy(x, y)", {"x": (2, 3, 4), "y": (2, 3)},
             lambda x, y: functional.cross_entropy(x.permute(0, 2, 1), y.long()), {"y": classes(4)}, ("y",)),
        Case("cross_entropy(x, y, axis=1)", {"x": (2, 4, 3), "y": (2, 3)},
             lambda x, y: functional.cross_entropy(x, y.long()), {"y": classes(4)}, ("y",)),
        *entropy({"x": (3, 4), "y": (3,)}, label_smoothing=0.1, reduction='"sum"'),
        *entropy({"x": (3, 4), "y": (3,)}, reduction='"none"'),
        *entropy({"x": (2, 4, 3), "y": (2, 4, 3)}, axis=1, reduction='"none"', label_smoothing=0.2),
    ],
}  # fmt: skip
