"""The operations of networks, value and gradient, against PyTorch: ratios of the shortest times in one run.

    python tests/bench/networks.py [ROUNDS [WORD]]      7 rounds unless told; a word picks the rows that hold it

Both compute in float64, in one thread. A row's two figures are how much longer `cgcli` takes: for the value, and for
the value and the gradient of a weighted sum of its elements, by all inputs together. Times are those of the processor,
which what else a busy machine does lengthens little, and each round measures both in turns.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn import functional  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

import cgcli  # noqa: E402

GOAL = 1.5
SHORTEST = 0.02  # seconds, that a measurement takes at least


class Row(NamedTuple):
    """A program, the shapes of its inputs in their order, and the same in PyTorch."""

    program: str
    shapes: dict[str, tuple[int, ...]]
    theirs: Callable[..., Any]


def small_cnn(x: Any, w: Any, b: Any, v: Any, c: Any, u: Any, t: Any) -> Any:
    """Two convolutions with their pools, a linear layer, a loss."""
    x = functional.max_pool2d(torch.relu(functional.conv2d(x, w, b)), 2)
    x = functional.max_pool2d(torch.relu(functional.conv2d(x, v, c)), 2)
    return functional.cross_entropy(x.flatten(1) @ u, t)


SMALL_CNN = """
h = max_pool2d(relu(conv2d(x, w, b)), 2)
k = max_pool2d(relu(conv2d(h, v, c)), 2)
cross_entropy(reshape(k, [32, 400]) @ u, t)
"""


def block(x: Any, q: Any, k: Any, v: Any, a: Any, b: Any) -> Any:
    """Attention and two dense layers."""
    y = x + functional.scaled_dot_product_attention(x @ q, x @ k, x @ v)
    return y + functional.gelu(y @ a) @ b


BLOCK = """
y = x + attention(x @ q, x @ k, x @ v)
y + gelu(y @ a) @ b
"""

ROWS = [
    Row("conv2d(x, w)", {"x": (16, 1, 28, 28), "w": (6, 1, 5, 5)}, functional.conv2d),
    Row("conv2d(x, w)", {"x": (16, 3, 32, 32), "w": (8, 3, 3, 3)}, functional.conv2d),
    Row("conv2d(x, w, padding=1)", {"x": (8, 16, 32, 32), "w": (32, 16, 3, 3)},
        lambda x, w: functional.conv2d(x, w, padding=1)),
    Row("conv2d(x, w, stride=2, padding=1)", {"x": (8, 16, 32, 32), "w": (32, 16, 3, 3)},
        lambda x, w: functional.conv2d(x, w, stride=2, padding=1)),
    Row("conv2d(x, w)", {"x": (1, 1, 64, 64), "w": (1, 1, 3, 3)}, functional.conv2d),
    Row("conv1d(x, w)", {"x": (16, 4, 500), "w": (8, 4, 7)}, functional.conv1d),
    Row("conv3d(x, w)", {"x": (2, 3, 12, 12, 12), "w": (4, 3, 3, 3, 3)}, functional.conv3d),
    Row("conv2d(x, w, groups=8)", {"x": (8, 8, 32, 32), "w": (8, 1, 3, 3)},
        lambda x, w: functional.conv2d(x, w, groups=8)),
    Row("conv2d(x, w, dilation=2)", {"x": (8, 8, 32, 32), "w": (8, 8, 3, 3)},
        lambda x, w: functional.conv2d(x, w, dilation=2)),
    Row("conv_transpose2d(x, w, stride=2)", {"x": (8, 16, 16, 16), "w": (16, 8, 3, 3)},
        lambda x, w: functional.conv_transpose2d(x, w, stride=2)),
    Row("max_pool2d(x, 2)", {"x": (16, 6, 24, 24)}, lambda x: functional.max_pool2d(x, 2)),
    Row("max_pool2d(x, 2)", {"x": (8, 32, 32, 32)}, lambda x: functional.max_pool2d(x, 2)),
    Row("max_pool2d(x, 3, 2, 1)", {"x": (8, 16, 32, 32)}, lambda x: functional.max_pool2d(x, 3, 2, 1)),
    Row("max_pool1d(x, 3)", {"x": (16, 8, 600)}, lambda x: functional.max_pool1d(x, 3)),
    Row("avg_pool2d(x, 2)", {"x": (8, 16, 32, 32)}, lambda x: functional.avg_pool2d(x, 2)),
    Row("avg_pool2d(x, 3, 2, 1)", {"x": (8, 16, 32, 32)}, lambda x: functional.avg_pool2d(x, 3, 2, 1)),
    Row("layer_norm(x, axis=-1)", {"x": (64, 256)}, lambda x: functional.layer_norm(x, (256,))),
    Row("batch_norm(x)", {"x": (16, 8, 16, 16)}, lambda x: functional.batch_norm(x, None, None, training=True)),
    Row("linear(x, w, b)", {"x": (64, 256), "w": (128, 256), "b": (128,)}, functional.linear),
    Row("softmax(x)", {"x": (64, 256)}, lambda x: torch.softmax(x, -1)),
    Row("log_softmax(x)", {"x": (64, 256)}, lambda x: torch.log_softmax(x, -1)),
    Row("cross_entropy(x, t)", {"x": (64, 100), "t": (64, 100)}, functional.cross_entropy),
    Row("attention(q, k, v)", dict.fromkeys("qkv", (8, 64, 32)), functional.scaled_dot_product_attention),
    Row("relu(x)", {"x": (64, 1024)}, torch.relu),
    Row("gelu(x)", {"x": (64, 1024)}, functional.gelu),
    Row(SMALL_CNN, {"x": (32, 1, 28, 28), "w": (6, 1, 5, 5), "b": (6,), "v": (16, 6, 3, 3), "c": (16,),
                    "u": (400, 10), "t": (32, 10)}, small_cnn),
    Row(BLOCK, {"x": (64, 64), "q": (64, 64), "k": (64, 64), "v": (64, 64), "a": (64, 256), "b": (256, 64)}, block),
]  # fmt: skip


def shortest(rounds: int, *functions: Callable[[], Any]) -> list[float]:
    """The shortest time that each takes, in turns."""
    counts = []
    for function in functions:
        function()
        begin = time.process_time()
        function()
        counts.append(max(1, int(SHORTEST / (time.process_time() - begin))))
    best = [float("inf")] * len(functions)
    for _ in range(rounds):
        for at, (function, count) in enumerate(zip(functions, counts, strict=True)):
            begin = time.process_time()
            for _ in range(count):
                function()
            best[at] = min(best[at], (time.process_time() - begin) / count)
    return best


def ratios(row: Row, rounds: int) -> tuple[float, float]:
    """How much longer the value takes, and value and gradient together."""
    random = np.random.default_rng(1)
    values = {name: random.normal(size=shape) for name, shape in row.shapes.items()}
    constants = [torch.tensor(value) for value in values.values()]
    leaves = [torch.tensor(value, requires_grad=True) for value in values.values()]
    with torch.no_grad():
        found = row.theirs(*constants)
    cotangent = np.asarray(random.normal(size=tuple(found.shape)))
    theirs = torch.tensor(cotangent)
    *before, last = row.program.strip().splitlines()
    value = cgcli.value(row.program)
    grad = cgcli.value_and_grad("\n".join([*before, f"sum(({last})*weights)"]), wrt=list(values))
    np.testing.assert_allclose(value(**values), found, rtol=1e-9, atol=1e-9)

    def backward() -> Any:
        return torch.autograd.grad((row.theirs(*leaves) * theirs).sum(), leaves)

    wanted = backward()
    for ours, other in zip(grad(**values, weights=cotangent)[1].values(), wanted, strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-9, atol=1e-9)

    def forward() -> Any:
        with torch.no_grad():
            return row.theirs(*constants)

    mine, other = shortest(rounds, lambda: value(**values), forward)
    both, others = shortest(rounds, lambda: grad(**values, weights=cotangent), backward)
    return mine / other, both / others


def main() -> int:
    """Measure all rows; 1 where one misses the goal."""
    torch.set_num_threads(1)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    missed = 0
    for row in ROWS:
        if len(sys.argv) > 2 and sys.argv[2] not in row.program:
            continue
        value, gradient = ratios(row, rounds)
        over = max(value, gradient) > GOAL
        missed += over
        shapes = " ".join("×".join(map(str, shape)) for shape in row.shapes.values())
        program = " ".join(row.program.split())[:60]
        print(f"{value:6.2f} {gradient:6.2f}  {'MISSED ' if over else ''}{program}  {shapes}", flush=True)
    print(f"goal {GOAL}: {missed} missed")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
