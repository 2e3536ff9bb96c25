"""Every example runs and prints what stands beside it; its numbers agree with PyTorch's or with published ones."""

from __future__ import annotations

import io
import json
import math
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from cgcli.cli.main import run
from tests.for_each import for_each

EXAMPLES = Path(__file__).parent.parent / "examples"
_COMMAND = re.compile(r"\$ (?:echo '(?P<piped>.*)' \| )?cg (?P<arguments>.*)")

Capture = pytest.CaptureFixture[str]


def commands() -> list[tuple[str, str]]:
    """Each stored command and its stored output."""
    return [
        (line, output)
        for path in sorted(EXAMPLES.glob("*.txt"))
        for line, output in re.findall(r"^(\$ .*)\n((?:(?!\$ ).*\n)*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]


def outcome(line: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    """Run a command line in the directory of the examples: exit code, stdout, stderr."""
    match = _COMMAND.fullmatch(line)
    assert match, line
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((match["piped"] or "").encode())))
    code = run(shlex.split(match["arguments"]))
    return (code, *capsys.readouterr())


@for_each(("line", "output"), commands())
def test_an_example_prints_what_stands_beside_it(
    line: str, output: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert outcome(line, capsys, monkeypatch) == (0, output, "")


def test_every_program_among_the_examples_is_run() -> None:
    lines = " ".join(line for line, _ in commands())
    assert all(f"-f {path.name} " in f"{lines} " for path in EXAMPLES.glob("*.cg"))


# ---- an independent source ------------------------------------------------------------


def normal(z: Any) -> Any:
    """The normal distribution function."""
    return torch.special.ndtr(z)


def black_scholes(S: Any, K: Any, r: Any, sigma: Any, T: Any) -> Any:  # noqa: N803
    d1 = (torch.log(S / K) + (r + sigma**2 / 2) * T) / (sigma * torch.sqrt(T))
    return S * normal(d1) - K * torch.exp(-r * T) * normal(d1 - sigma * torch.sqrt(T))


def layer(x: Any, w: Any, b: Any) -> Any:
    return torch.relu(functional.conv2d(x, w, b))


def logistic(X: Any, y: Any, w: Any, b: Any) -> Any:  # noqa: N803
    return functional.binary_cross_entropy_with_logits(X @ w + b, y) + 0.01 * (w**2).sum()


def piecewise(x: Any) -> Any:
    huber = functional.huber_loss(x, torch.zeros_like(x), reduction="sum")
    return huber + torch.sqrt(x[x > 0]).sum()


def pendulum(length: Any, g: Any, angle: Any) -> Any:
    theta = torch.deg2rad(angle)
    return 2 * math.pi * torch.sqrt(length / g) * (1 + theta**2 / 16 + 11 * theta**4 / 3072)


def straight_through(w: Any, x: Any, y: Any) -> Any:
    exact = w * x
    return (exact + (torch.round(8 * exact) / 8 - exact).detach() - y) ** 2


def tour(scale: Any) -> Any:
    return 512 - 4 + 1 + 2 + 15 + (1 + 3) + (0.5**2 + 2) * scale


def lstm(*inputs: Any) -> Any:
    """Three steps, by PyTorch's cell, whose gates stand in the order input, forget, cell, output."""
    wi, wf, wo, wc, ui, uf, uo, uc, *steps, h, c, y = inputs
    weights = torch.cat([wi, wf, wc, wo]), torch.cat([ui, uf, uc, uo])
    h, c = h[None], c[None]
    for x in steps:
        h, c = torch.lstm_cell(x[None], (h, c), *weights)
    return ((h[0] - y) ** 2).sum()


def arm(angles: Sequence[Any], lengths: Sequence[Any], target: Any) -> Any:
    """In the plane of complex numbers: a link turns by all joints before it."""
    turns = [sum(angles[: at + 1]) for at in range(len(angles))]
    x, y = (
        sum(length * part(turn) for length, turn in zip(lengths, turns, strict=True)) for part in (torch.cos, torch.sin)
    )
    return (x - target[0]) ** 2 + (y - target[1]) ** 2


def transformer(x: Any, wq: Any, wk: Any, wv: Any, wo: Any, u: Any, v: Any, g1: Any, b1: Any, g2: Any, b2: Any) -> Any:
    y = functional.layer_norm(x, (4,), g1, b1)
    h = x + functional.scaled_dot_product_attention((y @ wq)[None], (y @ wk)[None], (y @ wv)[None])[0] @ wo
    return ((h + torch.relu(functional.layer_norm(h, (4,), g2, b2) @ u) @ v) ** 2).sum()


# program | the arguments of cg grad | the same function in PyTorch, of all inputs in this order
Function = Callable[..., Any]
TRUTH: list[tuple[str, str, list[str], Function]] = [
    ("sum", "x=1 y=2", ["x", "y"], lambda x, y: x + y),
    ("textbook", "x1=2 x2=5", ["x1", "x2"], lambda a, b: torch.log(a) + a * b - torch.sin(b)),
    ("cotangent", "x=[2,3] --cotangent [1,1]", ["x"], lambda x: x**2 + 2 * x + 1),
    (
        "shapes",
        "--vars shapes.json --cotangent [1,1,1]",
        ["s", "v", "M", "T"],
        lambda s, v, m, t: (m + v) @ (s * v) + t.sum(dim=(1, 2)),
    ),
    (
        "linear_model",
        "--vars linear_model.json",
        ["X", "w", "b", "Y"],
        lambda x, w, b, y: functional.mse_loss(functional.linear(x, w, b[0]), y),
    ),
    ("convolution", f"--vars convolution.json -q --cotangent {[[[[1] * 3] * 3] * 2]}".replace(", ", ","),
     ["x", "w", "b"], layer),
    ("convolution_loss", "--vars convolution.json", ["x", "w", "b", "target"],
     lambda x, w, b, target: ((layer(x, w, b) - target) ** 2).sum()),
    ("piecewise", "x=[-3,-0.5,0.25,4]", ["x"], piecewise),
    ("softmax", "--vars softmax.json --wrt logits", ["logits"],
     lambda x: functional.cross_entropy(x, torch.tensor([0, 1, 2]))),
    ("logistic", "--vars logistic.json", ["X", "y", "w", "b"], logistic),
    ("black_scholes", "S=42 K=40 r=0.1 sigma=0.2 T=0.5", ["S", "K", "r", "sigma", "T"], black_scholes),
    ("pendulum", "'`length of string`=0.6' g=9.81 θ₀=20", ["length of string", "g", "θ₀"], pendulum),
    ("end_gauge", "lS=50000623 d=215 aS=11.5e-6 t=-0.1 da=1e-6 dt=0.01", ["lS", "d", "da", "t", "aS", "dt"],
     lambda ls, d, da, t, a, dt: ls + d - ls * (da * t + a * dt)),
    ("tour", "scale=2", ["scale"], tour),
    ("straight_through", "w=0.8 x=1.1 y=1", ["w", "x", "y"], straight_through),
    ("lstm", "--vars lstm.json",
     ["Wi", "Wf", "Wo", "Wc", "Ui", "Uf", "Uo", "Uc", "x1", "x2", "x3", "h0", "c0", "y"], lstm),
    ("arm", "θ1=0.4 θ2=0.5 θ3=0.3 l1=1 l2=1 l3=0.5 target=[1,2]",
     ["θ1", "θ2", "θ3", "l1", "l2", "l3", "target"], lambda *args: arm(args[:3], args[3:6], args[6])),
    ("transformer", "--vars transformer.json",
     ["X", "Wq", "Wk", "Wv", "Wo", "U", "V", "g1", "b1", "g2", "b2"], transformer),
]  # fmt: skip


def values(arguments: str) -> dict[str, Any]:
    """The inputs that a command line gives, read without cg."""
    words = shlex.split(arguments)
    given: dict[str, Any] = {}
    if "--vars" in words:
        given |= json.loads((EXAMPLES / words[words.index("--vars") + 1]).read_text(encoding="utf-8"))
    pairs = (word.split("=") for word in words if "=" in word)
    return given | {name.strip("`"): json.loads(value) for name, value in pairs}


@for_each(("name", "arguments", "inputs", "function"), TRUTH)
def test_an_example_agrees_with_pytorch(
    name: str, arguments: str, inputs: list[str], function: Function, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = outcome(f"$ cg grad -f {name}.cg {arguments} --json", capsys, monkeypatch)
    assert code == 0
    found = json.loads(out)
    if isinstance(found["value"], dict):  # several outputs: the first one
        found = {key: next(iter(found[key].values())) for key in ("value", "grad")}
    given = values(arguments)
    tensors = [torch.tensor(given[each], dtype=torch.float64, requires_grad=True) for each in inputs]
    expected = function(*tensors)
    expected.sum().backward()
    np.testing.assert_allclose(found["value"], expected.detach().numpy(), rtol=1e-12, atol=1e-14)
    for each, tensor in zip(inputs, tensors, strict=True):
        assert tensor.grad is not None
        np.testing.assert_allclose(found["grad"][each], tensor.grad.numpy(), rtol=1e-12, atol=1e-14)


def test_every_example_has_an_independent_source() -> None:
    assert {row[0] for row in TRUTH} == {path.stem for path in EXAMPLES.glob("*.cg")}


PUBLISHED = [
    # Baydin, Pearlmutter, Radul, Siskind (2018), "Automatic differentiation in machine learning: a survey", table 3
    ("textbook", "x1=2 x2=5", {"value": 11.652, "x1": 5.5, "x2": 1.716}, 1e-3),
    # Hull, "Options, Futures, and Other Derivatives": a call on a share at 42 with strike 40 is worth 4.76
    ("black_scholes", "S=42 K=40 r=0.1 sigma=0.2 T=0.5", {"value": 4.76, "S": 0.7791}, 1e-2),
]


@pytest.mark.parametrize(("name", "arguments", "expected", "tolerance"), PUBLISHED)
def test_an_example_agrees_with_the_literature(
    name: str, arguments: str, expected: dict[str, float], tolerance: float, capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    _, out, _ = outcome(f"$ cg grad -f {name}.cg {arguments} --json", capsys, monkeypatch)
    found = json.loads(out)
    for key, number in expected.items():
        assert abs((found["value"] if key == "value" else found["grad"][key]) - number) < tolerance
