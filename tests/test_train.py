"""`cg train` and `cgcli.train`: the paths of PyTorch's optimizers, what is printed, and losses that grow."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import cgcli
from tests.command import Capture, cg
from tests.for_each import for_each

X, Y = np.random.default_rng(7).normal(size=(2, 11, 3))
W = [0.3, -0.2, 0.1]


def in_torch(
    name: str, epochs: int, *, lr: float, batch: int = 11, accumulate: int = 1, seed: int | None = None
) -> tuple[list[float], list[float]]:
    """The parameters w and b after so many epochs, and each epoch's loss: mean((tanh(X w) + b - y)^2)."""
    w = torch.tensor(W, dtype=torch.float64, requires_grad=True)
    b = torch.zeros((), dtype=torch.float64, requires_grad=True)
    made: dict[str, Any] = {
        "sgd": lambda: torch.optim.SGD([w, b], lr=lr), "momentum": lambda: torch.optim.SGD([w, b], lr=lr, momentum=0.9),
        "adam": lambda: torch.optim.Adam([w, b], lr=lr),
    }  # fmt: skip
    optimizer = made[name]()
    x, y = torch.tensor(X), torch.tensor(Y[:, 0])
    random = np.random.default_rng(seed)
    losses, waiting = [], 0
    for _ in range(epochs):
        order = np.arange(11) if seed is None else random.permutation(11)
        total = 0.0
        for rows in (order[begin : begin + batch] for begin in range(0, 11, batch)):
            loss = torch.mean((torch.tanh(x[rows] @ w) + b - y[rows]) ** 2)
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach()) * len(rows)
            waiting += 1
            if waiting == accumulate:
                optimizer.step()
                optimizer.zero_grad()
                waiting = 0
        losses.append(total / 11)
    return [*w.tolist(), float(b.detach())], losses


SETTINGS: list[dict[str, Any]] = [
    {"lr": 0.1}, {"lr": 0.05, "batch": 4}, {"lr": 0.02, "batch": 2, "accumulate": 3}, {"lr": 0.03, "accumulate": 4},
    {"lr": 0.1, "batch": 3, "seed": 5}, {"lr": 0.1, "seed": 1},
]  # fmt: skip


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_each_optimizer_takes_the_path_of_pytorch(name: str) -> None:
    """To 1e-12 after 15 epochs, for whole tables, batches, accumulated gradients and shuffled rows."""
    for settings in SETTINGS:
        weights, losses = in_torch(name, 15, **settings)
        more: dict[str, Any] = {"shuffle": True} if "seed" in settings else {}
        found = cgcli.train("(tanh(w @ x) + b - y)^2", {"w": W, "b": 0}, {"x": X, "y": Y[:, 0]}, optimizer=name,
                            epochs=15, **settings, **more)  # fmt: skip
        assert [*found.point["w"], found.point["b"]] == pytest.approx(weights, rel=1e-12, abs=1e-13)
        assert found.losses == pytest.approx(losses, rel=1e-12)


def test_a_network_of_two_layers_is_trained_on_arrays(tmp_path: Path, capsys: Capture) -> None:
    """Protects parameters of any shape, values that are held, and the sum of a loss."""
    rng = np.random.default_rng(2)
    start = {"A": rng.normal(size=(3, 4)), "a": np.zeros(4), "B": rng.normal(size=(4, 1)), "b": np.zeros(1)}
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)).double()
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), start.values(), strict=True):
            parameter.copy_(torch.tensor(value.T))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(torch.tensor(X)), torch.tensor(Y[:, :1]), reduction="sum")
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    (tmp_path / "data.json").write_text(json.dumps({"X": X.tolist(), "Y": Y[:, :1].tolist()}))
    texts = [f"{name}={value.tolist()}" for name, value in start.items()]
    done = cg(capsys, "train", "sum((tanh(X@A + a)@B + b - Y)^2)", "--vars", str(tmp_path / "data.json"), *texts,
              "--optimizer", "adam", "--epochs", "60", "--json")  # fmt: skip
    found = json.loads(done.out)
    assert (done.code, done.err, found["converged"], found["iterations"]) == (0, "", True, 60)
    for name, parameter in zip("AaBb", model.parameters(), strict=True):
        assert np.array(found["point"][name]) == pytest.approx(parameter.detach().numpy().T, rel=1e-10)


@pytest.fixture
def line(tmp_path: Path) -> str:
    (tmp_path / "line.csv").write_text("x,y\n1,2\n2,3\n3,4\n4,5\n")
    return str(tmp_path / "line.csv")


FIRST = ["(a*x + b - y)^2", "a=0.5", "b=0"]


def test_what_is_printed(line: str, tmp_path: Path, capsys: Capture) -> None:
    """The line of every first course; the same from rows and from arrays, as bindings, and as JSON."""
    done = cg(capsys, "train", *FIRST, line, "--show", "10")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == "Epoch [10/100], Loss: 0.2845"
    assert done.out.splitlines()[9:11] == ["Epoch [100/100], Loss: 0.0510", "a\t1.187465546501511"]
    svg = tmp_path / "loss.svg"
    params = cg(capsys, "train", *FIRST, line, "--params", "--curve", str(svg), "--show", "50")
    assert params.err == "Epoch [50/100], Loss: 0.0689\nEpoch [100/100], Loss: 0.0510\n"
    value = cg(capsys, "eval", FIRST[0], line, *params.out.split(), "--only", "--to", "jsonl")
    mean = np.mean([json.loads(row)["value"] for row in value.out.splitlines()])
    arrays = cg(capsys, "train", f"mean({FIRST[0]})", "x==[1,2,3,4]", "y==[2,3,4,5]", *FIRST[1:], "--json")
    assert json.loads(arrays.out)["value"] == pytest.approx(mean)
    (curve,) = (
        each for each in ElementTree.fromstring(svg.read_text(encoding="utf-8")) if each.get("class") == "curve"
    )
    assert (curve.get("d") or "").count("L") == 99
    for suffix, begin in ((".png", b"\x89PNG"), (".pdf", b"%PDF")):
        assert cg(capsys, "train", *FIRST, line, "--epochs", "3", "--curve", str(svg.with_suffix(suffix))).code == 0
        assert svg.with_suffix(suffix).read_bytes().startswith(begin)


DIVERGED = [  # operands, what is said; exit 5, and what was reached is printed
    (["--lr", "1", "--epochs", "20"], "the loss grows since epoch 1: 5.375 at first, 3.627e+48 now; a smaller"),
    (["--lr", "1", "--epochs", "2000"], "the loss is infinite in epoch 130; a smaller learning rate may help"),
    (["--lr", "1e200", "--optimizer", "momentum"], "the loss is infinite in epoch 2"),
]  # fmt: skip


@pytest.mark.parametrize(("operands", "said"), DIVERGED)
def test_a_loss_that_grows_ends_with_5(operands: list[str], said: str, line: str, capsys: Capture) -> None:
    done = cg(capsys, "train", *FIRST, line, *operands)
    assert (done.code, done.err.count("cg: warning: ")) == (5, 1)
    assert said in done.err
    assert "converged\tno" in done.out
    point = cg(capsys, "train", "ln(a)", "a=-1")
    assert (point.code, "ln(-1) is nan" in point.err, "nan in epoch 1; start elsewhere" in point.err) == (5, True, True)


WRONG = [  # operands, exit code, what the message holds
    (["(a*x + b - y)^2", "LINE", "a=1"], 2, "'b' is no column, and without a start"),
    (["a*b", "a=1"], 2, "'b' is without a start"),
    (["x^2", "LINE"], 2, "no name of the expression has a start that may change"),
    (["x*a", "LINE", "a==1"], 2, "has a start that may change"),
    (["[a, a]", "a=1"], 2, "one number, and this is an array of shape [2]"),
    (["(a, a^2)", "a=1"], 2, "the program has 2 results"),
    (["a*x", "LINE", "a=1", "x=1"], 2, "'x' has a start, and is a column"),
    (["a*x", "LINE", "a=1", "--optimizer", "adma"], 2, "did you mean 'adam'?"),
    (["a*x", "LINE", "a=1", "--lr", "-1"], 2, "a positive number, not -1"),
    (["a", "a=1", "--lr", "q"], 2, "--lr 'q' is no number"),
    (["a*x", "LINE", "a=1", "--momentum", "1"], 2, "from 0 to below 1"),
    (["a", "a=1", "--batch", "2"], 2, "batches are of rows"),
    (["a", "a=1", "--batch", "0"], 2, "from 1 to"),
    (["a", "a=1", "--curve", "loss.gif"], 2, "a plot is .svg, .png or .pdf"),
    (["a", "a=1", "--params", "--json"], 2, "choose one"),
    (["a", "a=1±1"], 2, "cg eval gives the uncertainty"),
    (["a*x", "LINE", "a=1", "--where", "x > 9"], 1, "there are no rows to train on"),
    (["a*ln(x - 1)", "LINE", "a=1"], 1, "line 2: ln(0) is infinite, at the start"),
]  # fmt: skip


@for_each(("operands", "code", "said"), WRONG)
def test_wrong_input_has_one_clear_error(operands: list[str], code: int, said: str, line: str, capsys: Capture) -> None:
    done = cg(capsys, "train", *(line if each == "LINE" else each for each in operands))
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert done.err.count("cg: error: ") == 1


def test_bad_rows_are_left_out_and_leftover_gradients_told(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "bad.csv").write_text("x,y\n1,2\n2,n/a\n3,4\n")
    failed = cg(capsys, "train", *FIRST, str(tmp_path / "bad.csv"))
    assert (failed.code, "line 3: column 'y' holds 'n/a'" in failed.err) == (1, True)
    done = cg(capsys, "train", *FIRST, str(tmp_path / "bad.csv"), "--on-error", "skip", "--accumulate", "7")
    assert done.code == 0
    assert "1 of 3 rows are left out" in done.err
    assert "the gradients of the last 2 batches were not enough for a step" in done.err


def test_the_library_takes_files_and_tells_each_epoch(line: str) -> None:
    told: list[tuple[int, float]] = []
    found = cgcli.train(FIRST[0], {"a": 0.5, "b": 0}, line, epochs=3, log=lambda *each: told.append(each))
    assert [loss for _, loss in told] == found.losses
    assert "<th>a</th>" in found._repr_html_()
    total = cgcli.train(FIRST[0], {"a": 0.5, "b": 0}, line, epochs=3, total=True, lr=0.0025)
    assert total.point == pytest.approx(found.point)
    assert total.value == pytest.approx(4 * found.value)
    wrong: list[dict[str, Any]] = [{"epochs": 0}, {"batch": 0}, {"lr": 0}]
    for settings in wrong:
        with pytest.raises(cgcli.CgError):
            cgcli.train(FIRST[0], {"a": 0.5, "b": 0}, line, **settings)
