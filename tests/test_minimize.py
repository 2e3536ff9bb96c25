"""`cg minimize` and `cgcli.minimize`: published minima, what the Hessian says, constraints, rows, wrong input."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import optimize

import cgcli
from cgcli.api.value_texts import of_text
from cgcli.records import NamedTuple
from tests.command import CG, Capture, cg
from tests.for_each import for_each

VALLEY = "(1 - x)^2 + 100*(y - x^2)^2"


class Problem(NamedTuple):
    """One of the collection. starts: operands; minima: as published."""

    starts: list[str]
    minima: list[float]
    program: str


def problems() -> dict[str, Problem]:
    """The problems of Moré, Garbow and Hillstrom."""
    found = {}
    text = (Path(__file__).parent / "mgh.txt").read_text(encoding="utf-8")
    for block in text.split("\n\n")[1:]:
        head, _, program = block.strip().partition("\n")
        name, starts, minima = head.split(" | ")
        found[name] = Problem(starts.split(), [*map(float, minima.split())], program)
    return found


def test_published_minima_are_reached_from_the_standard_start() -> None:
    """39 of 40 problems; the other runs along a valley that has no end."""
    failed = []
    for name, problem in problems().items():
        starts = {each: of_text(text, each) for each, _, text in (start.partition("=") for start in problem.starts)}
        found = cgcli.minimize(problem.program, starts, max_iter=200)
        near = any(found.value == pytest.approx(least, rel=1e-5, abs=1e-12) for least in problem.minima)
        if not found.converged or not near:
            failed.append(name)
    assert failed == ["Biggs EXP6"]


KINDS = [  # operands, exit code, the point, the kind, what the reason holds
    ("x^2 x=3", 0, {"x": 0}, "minimum", "a minimum: the gradient is 0, and the Hessian is positive"),
    ("sin(x) x=1 --max", 0, {"x": np.pi / 2}, "maximum", "a maximum: "),
    ("x^2-y^2 x=1 y=0", 5, {"x": 0, "y": 0}, "saddle", "the value falls along a direction; start beside it"),
    ("x^2-y^2 x=0 y=0", 5, {"x": 0, "y": 0}, "saddle", "a saddle"),
    ("x^3 x=0", 5, {"x": 0}, "saddle", "a saddle"),
    ("-x^2 x=0", 5, {"x": 0}, "maximum", "a maximum"),
    ("x^4 x=1", 0, {"x": 0}, "minimum", "a minimum"),
    ("x^2+(y-x)^4 x=1 y=0", 0, {"x": 0, "y": 0}, "minimum", "a minimum"),
    ("(x-y)^2 x=1 y=3", 0, None, "flat", "one minimum of many"),
    ("x^2 x=3 --bounds x=1:", 0, {"x": 1}, "edge", "a minimum at the edge of what is allowed"),
    ("(x-2)^2+(y+3)^2 x=1 y=1 --bounds x=:1.5,y=-1:2", 0, {"x": 1.5, "y": -1}, "edge", "edge"),
    (f"{VALLEY} x=-1.2 y=0 --bounds y=:0.5".replace(" - ", "-").replace(" + ", "+"), 0, None, "edge", "edge"),
    ("abs(x-3)+1 x=1", 0, {"x": 3}, "kink", "a kink"),
    ("x^2+k*x x=1 k==2", 0, {"x": -1}, "minimum", "a minimum"),
    ("x^2-x^3 x=-1 --max", 5, None, "", "the value rises without bound"),
    ("-ln(x) x=1", 5, None, "", "the value falls without bound"),
    ("sum(x) x=ones(60)", 5, None, "", "the value falls without bound"),
    ("-sum(ln(x)) x=ones(60)", 5, None, "", "the value falls without bound"),
    ("cosh(x) x=700", 0, {"x": 0}, "minimum", "a minimum"),
    ("exp(x)+x x=1", 5, None, "", "the value falls without bound"),
    ("abs(x)+abs(y-2*x)*10 x=1 y=1", 5, None, "", "it may have a kink there"),
    ("(x-3)^4 x=1 --max-iter 3", 5, None, "", "3 iterations were not enough"),
]  # fmt: skip


@for_each(("line", "code", "point", "kind", "reason"), KINDS)
def test_the_end_is_named(
    line: str, code: int, point: dict[str, Any] | None, kind: str, reason: str, capsys: Capture
) -> None:
    """Protects the exit code, the point, and what the Hessian says of it."""
    done = cg(capsys, "minimize", *line.split(" "), "--json")
    found = json.loads(done.out)
    assert (done.code, found["kind"], found["converged"]) == (code, kind, code == 0)
    assert reason in found["reason"]
    if point is not None:
        assert [*found["point"]] == [*point]
        assert [*found["point"].values()] == pytest.approx([*point.values()], abs=1e-7)
    if code:
        assert found["reason"] in done.err


CONSTRAINED = [  # program, start, relations, settings, the point, the kind: solved by hand
    ("x*y", {"x": 1, "y": 2}, ["x + 2*y <= 4"], {"maximize": True}, {"x": 2, "y": 1}, "edge"),
    ("x + y", {"x": 1, "y": 2}, ["x^2 + y^2 = 2"], {}, {"x": -1, "y": -1}, "minimum"),
    ("x + y", {"x": 1, "y": 2}, ["x^2 + y^2 == 2"], {}, {"x": -1, "y": -1}, "minimum"),
    ("x^2 + y^2", {"x": 3, "y": 3}, ["x + y >= 2", "x <= 0.3"], {}, {"x": 0.3, "y": 1.7}, "edge"),
    ("x^2 + y^2", {"x": 3, "y": 3}, ["x + y >= -2"], {}, {"x": 0, "y": 0}, "minimum"),
    ("(x - 3)^2", {"x": 1}, ["0 <= x <= 2"], {}, {"x": 2}, "edge"),
    ("(x - 3)^2", {"x": 1}, ["x > 0 and x < 2"], {}, {"x": 2}, "edge"),
    ("sum((w - [0,1,2])^2)", {"w": [0, 0, 0]}, ["w <= 1", "sum(w) = 1"], {}, {"w": [-0.5, 0.5, 1]}, "edge"),
    ("x^2 + y^2", {"x": 0.5, "y": 3}, "x*y = 4", {"bounds": {"x": (None, 1)}}, {"x": 1, "y": 4}, "edge"),
    ("-p @ ln(p)", {"p": [0.2, 0.3, 0.5]}, ["sum(p) = 1", "p @ [1, 2, 3] = 2"], {"maximize": True},
     {"p": [1 / 3, 1 / 3, 1 / 3]}, "maximum"),
]  # fmt: skip


@for_each(("program", "start", "relations", "settings", "point", "kind"), CONSTRAINED)
def test_constraints_hold_to_all_digits(
    program: str, start: dict[str, Any], relations: Any, settings: dict[str, Any], point: dict[str, Any], kind: str
) -> None:
    found = cgcli.minimize(program, start, subject_to=relations, **settings)
    assert found.converged
    assert found.kind == kind
    for name, value in point.items():
        assert np.asarray(found.point[name]) == pytest.approx(np.asarray(value), abs=1e-12)


@pytest.mark.parametrize("size", [30, 120])
def test_few_and_many_unknowns_reach_the_minimum_of_scipy(size: int) -> None:
    """By the Hessian and by L-BFGS, against scipy's Newton-CG on its own Rosenbrock function."""
    start = np.full(size, 1.5)
    truth = optimize.minimize(optimize.rosen, start, jac=optimize.rosen_der, hess=optimize.rosen_hess,
                              method="Newton-CG", options={"xtol": 1e-12})  # fmt: skip
    found = cgcli.minimize("sum(100*(x[1:] - x[:-1]^2)^2 + (1 - x[:-1])^2)", {"x": start})
    assert (found.converged, found.kind) == (True, "minimum")
    assert found.point["x"] == pytest.approx(truth.x, abs=1e-7)


ROWS = "x,y\n1,2.1\n2,3.9\n3,6.2\n4,7.7\n"


def test_over_rows_the_mean_or_the_sum_is_made_least(tmp_path: Path, capsys: Capture) -> None:
    """Against the line of least squares, from a file and from standard input."""
    (tmp_path / "rows.csv").write_text(ROWS)
    x, y = np.loadtxt((tmp_path / "rows.csv").open(), delimiter=",", skiprows=1, unpack=True)
    (a, b), rss, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(4)]), y)
    command = ["minimize", "(y - a*x - b)^2", "a=1", "b=0", "--json"]
    mean = json.loads(cg(capsys, *command, str(tmp_path / "rows.csv")).out)
    piped = subprocess.run([*CG, *command, "-", "--sum"], input=ROWS, capture_output=True, text=True, check=True)
    total = json.loads(piped.stdout)
    assert mean["point"] == pytest.approx({"a": a, "b": b})
    assert (4 * mean["value"], total["value"]) == pytest.approx((rss[0], rss[0]))
    library = cgcli.minimize("(y - a*x - b)^2", {"a": 1, "b": 0}, {"x": x, "y": y}, total=True)
    assert library.value == pytest.approx(rss[0])


def test_random_starts_the_log_and_what_the_next_command_reads(capsys: Capture) -> None:
    wave = ["minimize", "sin(3*x) + x^2/10", "x=6"]
    once = json.loads(cg(capsys, *wave, "--json").out)
    done = cg(capsys, *wave, "--starts", "12", "--bounds", "x=-10:10", "--params", "--log")
    assert json.loads(cg(capsys, "eval", wave[1], done.out.strip(), "--json").out)["value"] < once["value"] - 1
    assert done.err.startswith("step 0\tvalue 2.8490128\tx=6\n")
    assert float(done.out.removeprefix("x=")) == pytest.approx(-0.5120, abs=1e-3)


def test_the_result_is_a_table_in_a_notebook() -> None:
    found = cgcli.minimize(VALLEY, {"x": -1.2, "y": 1})
    assert "<th>y</th><td>1</td>" in found._repr_html_()
    assert list(found.content()) == ["point", "value", "converged", "reason", "iterations", "kind"]


WRONG = [  # operands, exit code, what the message holds
    (["x^2 + y", "x=1"], 2, "'y' is without a start"),
    (["x^2 + y"], 2, "give each a start, as in: x=1 y=1"),
    (["2 + 3"], 2, "no name of the expression has a start that may change"),
    (["x^2", "x==3"], 2, "x==1 would hold it"),
    (["[x, 2]", "x=3"], 2, "this is an array of shape [2]\n  [x, 2]\n  ^^^^^^"),
    (["(x, 2)", "x=3"], 2, "the program has 2 results"),
    (["ln(x)", "x=-1"], 1, "ln(-1) is nan, at the start\n  ln(x)\n  ^^^^^"),
    (["1/x", "x=0"], 1, "1/0 is infinite, at the start"),
    (["x^2", "x=3", "--bounds", "x=0:1"], 2, "'x' starts at 3, outside of its bounds"),
    (["x^2", "x=3", "--bounds", "x=2:1"], 2, "are crossed"),
    (["x^2", "x=3", "--bounds", "y=2:1"], 2, "the parameters are: x"),
    (["x^2", "x=3", "--subject-to", "x"], 2, "this is no relation that can hold\n  x\n  ^"),
    (["x^2", "x=3", "--subject-to", "x != 2"], 2, "this is no relation that can hold"),
    (["x^2", "x=3", "--subject-to", "(x, 2)"], 2, "this is no relation"),
    (["x^2", "x=3", "--subject-to", "3 < 4"], 2, "no name that may change is in this relation"),
    (["x^2", "x=3", "--subject-to", "y > 2"], 2, "'y' is without a start"),
    (["x^2", "x=3", "--subject-to", "x >"], 2, "x >"),
    (["x^2", "x=3", "--subject-to", "ln(x - 4) > 2"], 1, "this constraint is no number at the start"),
    (["x^2", "x=3", "--sum"], 2, "--sum is for rows, and there are none"),
    (["x^2", "x=3", "--json", "--params"], 2, "choose one"),
    (["x^2", "x=0..1"], 2, "is a range"),
    (["(y - a*x)^2", "DATA"], 2, "'a' is no column, and without a start"),
    (["(y - a*x)^2", "DATA", "a=1", "x=2"], 2, "'x' has a start, and is a column of"),
    (["(y - a*ln(x - 1))^2", "DATA", "a=1"], 1, "line 2: ln(0) is infinite, at the start"),
    (["(y - a*[x, x])^2", "DATA", "a=1"], 2, "this is an array of shape [2]"),
    (["(y - a*x)^2", "DATA", "a=1", "--where", "x > 9"], 1, "there are no rows"),
    (["(y - a*x)^2", "DATA", "a=1", "-o", "x.csv"], 2, "no such option: -o"),
]  # fmt: skip


@for_each(("operands", "code", "said"), WRONG)
def test_wrong_input_has_one_clear_error(
    operands: list[str], code: int, said: str, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    done = cg(capsys, "minimize", *(str(tmp_path / "rows.csv") if each == "DATA" else each for each in operands))
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert done.err.count("cg: error: ") == 1


def test_constraints_that_cannot_hold_together_are_named(capsys: Capture) -> None:
    done = cg(capsys, "minimize", "x^2", "x=3", "--subject-to", "x > 2", "--subject-to", "x < 1")
    assert done.code == 5
    assert "no point is found where the constraints hold: 'x > 2' is off by 0.5" in done.err
    assert "converged\tno" in done.out
