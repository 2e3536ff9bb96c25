"""`cg solve` and `cgcli.solve`: roots against mpmath and scipy, their derivatives, rows, and what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy import optimize

import cgcli
from tests.command import Capture, cg
from tests.for_each import for_each

ROOTS = [  # operands, mpmath's root by its findroot
    ("x^2=a x=1 a=2", lambda: {"x": mpmath.sqrt(2)}),
    ("x=cos(x) x=1", lambda: {"x": mpmath.findroot(lambda x: x - mpmath.cos(x), 1)}),
    ("x=cos(x) x=40", lambda: {"x": mpmath.findroot(lambda x: x - mpmath.cos(x), 0.7)}),
    ("x*exp(x)=k x=1 k=3", lambda: {"x": mpmath.lambertw(3)}),
    ("M=E-0.9*sin(E) E=3 M==0.3", lambda: {"E": mpmath.findroot(lambda e: e - 0.9 * mpmath.sin(e) - 0.3, 1)}),
    ("k=2;sin(x)=k/4 x=0", lambda: {"x": mpmath.pi / 6}),
    ("sin(2*x)=1/2 x=1", lambda: {"x": 5 * mpmath.pi / 12}),
    ("exp(x+y)=3;exp(x-y)=2 x=1 y=0", lambda: {"x": mpmath.log(6) / 2, "y": mpmath.log(1.5) / 2}),
    ("f(x)=x^3-x-1;f(x)=0 x=1", lambda: {"x": mpmath.findroot(lambda x: x**3 - x - 1, 1.3)}),
    ("x+y=3;x*y=2 x=0 y=5", lambda: {"x": mpmath.mpf(1), "y": mpmath.mpf(2)}),
    ("x^2+y^2=4;exp(x)+y=1 x=1 y=-2", lambda: dict(zip("xy", mpmath.findroot(
        lambda x, y: (x * x + y * y - 4, mpmath.exp(x) + y - 1), (1, -1.7)), strict=True))),
    ("x^2=a a=2 x=1 --for x", lambda: {"x": mpmath.sqrt(2)}),
    ("[x^2,x*y]=[4,6] x=1 y=1", lambda: {"x": mpmath.mpf(2), "y": mpmath.mpf(3)}),
    ("x^2=a a==2 x=1", lambda: {"x": mpmath.sqrt(2)}),
    ("atan(x)=0 x=20", lambda: {"x": mpmath.mpf(0)}),
]  # fmt: skip


@for_each(("line", "truth"), ROOTS)
def test_roots_are_those_of_mpmath(line: str, truth: Any, capsys: Capture) -> None:
    """Protects which names are unknowns, systems, and damped steps from far away."""
    done = cg(capsys, "solve", *line.split(" "), "--json")
    found = json.loads(done.out)
    assert (done.code, done.err, found["converged"]) == (0, "", True)
    assert found["point"] == pytest.approx(
        {name: float(value) for name, value in truth().items()}, rel=1e-14, abs=1e-14
    )
    assert found["value"] <= 1e-14
    assert [*found][:5] == ["point", "value", "converged", "reason", "iterations"]


def test_arrays_are_solved_for_as_by_scipy() -> None:
    """Broyden's tridiagonal equations, and a linear system with its derivative by the right side."""
    text = "z = concat([0], x, [0]); (3 - 2*x)*x - z[:-2] - 2*z[2:] + 1 = 0"

    def broyden(x: Any) -> Any:
        z = np.concatenate([[0], x, [0]])
        return (3 - 2 * x) * x - z[:-2] - 2 * z[2:] + 1

    truth = optimize.fsolve(broyden, -np.ones(10), xtol=1e-14)
    assert cgcli.solve(text, {"x": -np.ones(10)}).point["x"] == pytest.approx(truth, rel=1e-12)
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    found = cgcli.solve("A @ x = b", {"x": [0, 0], "b": [1, 2]}, fixed={"A": a}, grad=True)
    assert found.grad["x"]["b"] == pytest.approx(np.linalg.inv(a))
    rows = cgcli.solve("x^2 = a", {"x": 1}, {"a": [4, -1, 9]}, grad=True)
    assert rows["x"] == pytest.approx([2, np.nan, 3], nan_ok=True)
    assert rows["d_x/d_a"] == pytest.approx([0.25, np.nan, 1 / 6], nan_ok=True)


SLOPES = [  # operands, the derivatives of the unknowns
    ("x^2=a x=1 a=4", {"x": {"a": 0.25}}),
    ("x*exp(x)=k x=1 k=3", {"x": {"k": float(1 / (mpmath.exp(mpmath.lambertw(3)) * (1 + mpmath.lambertw(3))))}}),
    ("x+y=3;x*y=2 x=0 y=5", {"x": {}, "y": {}}),
    ("x+y=s;x*y=2 x=0 y=5 s=3", {"x": {"s": -1.0}, "y": {"s": 2.0}}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "slopes"), SLOPES)
def test_derivatives_of_roots_are_exact(line: str, slopes: dict[str, Any], capsys: Capture) -> None:
    """By the implicit function theorem; against those by hand."""
    found = json.loads(cg(capsys, "solve", *line.split(" "), "--grad", "--json").out)
    for name, row in slopes.items():
        assert found["grad"][name] == pytest.approx(row, rel=1e-12)


def test_what_is_printed_and_logged(capsys: Capture) -> None:
    done = cg(capsys, "solve", "x^2 = a", "x=1", "a=4", "--grad", "--log", "--precision", "4")
    assert [line.split("\t")[0] for line in done.out.splitlines()] == [
        "x", "d_x/d_a", "value", "converged", "reason", "iterations",
    ]  # fmt: skip
    assert done.out.startswith("x\t2\nd_x/d_a\t0.25\nvalue\t0\nconverged\tyes\n")
    assert done.err.splitlines()[1] == "step 2\tdistance 2.25\tx=2.5"
    assert cg(capsys, "solve", "x + y = 3; x*y = 2", "x=0", "y=5", "--params", "--precision", "6").out == "x=1 y=2\n"


def test_a_root_for_each_row_and_each_point_of_a_sweep(tmp_path: Path, capsys: Capture) -> None:
    """Protects the columns, what becomes of a row without a root, and exit 5 where none may be."""
    (tmp_path / "rows.csv").write_text("a,b\n4,1\n-1,2\n9,3\n")
    rows = str(tmp_path / "rows.csv")
    sweep = cg(capsys, "solve", "x^2 = a", "x=1", "a=1:9:3", "--grad", "--precision", "4")
    assert (sweep.code, sweep.out) == (0, "a,x,d_x/d_a\n1,1,0.5\n5,2.236,0.2236\n9,3,0.1667\n")
    skipped = cg(capsys, "solve", "x^2 = a; y = x*b", rows, "x=1", "y=1", "--on-error", "skip")
    assert (skipped.code, skipped.out) == (0, "a,b,x,y\n4,1,2,2\n9,3,3,9\n")
    failed = cg(capsys, "solve", "x^2 = a", rows, "x=1", "--only")
    assert (failed.code, failed.out) == (5, "x\n2\n")
    assert "line 3: the derivative by the unknown is 0 where the sides differ by 1" in failed.err


def test_a_root_that_is_one_of_many_is_told(capsys: Capture) -> None:
    done = cg(capsys, "solve", "x = x", "x=1")
    assert (done.code, done.out.splitlines()[0]) == (0, "x\t1")
    assert "the derivative by the unknown is 0 at the root: it is a multiple one, or one of many" in done.err


def test_random_starts_find_what_one_start_misses(capsys: Capture) -> None:
    once = cg(capsys, "solve", "x^3 - 2*x + 2 = 0", "x=0.8")
    many = cg(capsys, "solve", "x^3 - 2*x + 2 = 0", "x=0.8", "--starts", "50", "--json")
    assert once.code == 0 or "no root" in once.err or "derivative" in once.err
    assert json.loads(many.out)["point"]["x"] == pytest.approx(float(np.roots([1, 0, -2, 2])[0].real))


NOT_FOUND = [  # operands, what is said; exit 5, and what was reached is printed
    ("x^2=a x=0 a=2", "by the unknown is 0 where the sides differ by 2; start elsewhere\n  x^2=a\n  ^^^^^"),
    ("x^2=-1 x=1", "start elsewhere"),
    ("exp(x)=0 x=1", "no root is found: after"),
    ("x+y=3;x+y=2 x=0 y=5", "the Jacobian is singular"),
    ("x^2+1=sin(x) x=3", "no root is found: after 200 steps the sides still differ by"),
]  # fmt: skip


@for_each(("line", "said"), NOT_FOUND)
def test_a_root_that_is_not_found_is_told(line: str, said: str, capsys: Capture) -> None:
    done = cg(capsys, "solve", *line.split(" "))
    assert done.code == 5
    assert said in done.err
    assert "converged\tno" in done.out


WRONG = [  # operands, exit code, what the message holds
    (["x^2 - 2", "x=1"], 2, "an equation has two sides, as in: x^2 - 2 = 0"),
    (["x^2 == 2", "x=1"], 2, "write '=' between the sides"),
    (["x = cos(x)"], 2, "to solve it for 'x', give this a start: x=1"),
    (["x^2 = a", "x=1"], 2, "'a' has no value\n  x^2 = a\n        ^"),
    (["x + y = 3; x*y = 2", "x=1"], 2, "'y' has no value"),
    (["x + 2 = 3; x*4 = 2", "x=1"], 2, "2 equations and 1 unknown do not fit each other"),
    (["x^2 = a", "x==1", "a==1"], 2, "1 equation and 0 unknowns do not fit each other"),
    (["x^2 = a", "x=1", "a=2", "--for", "b"], 2, "'b' is solved for, and has no start"),
    (["x^2 = a", "x=1", "a=2", "--for", "x,a"], 2, "1 equation and 2 unknowns do not fit each other"),
    (["x^2 = a", "b=1", "x=1", "a=2"], 2, "'b' is in none of the equations"),
    (["A @ x = [1, 2]", "x=1", "A==[[1,2],[3,4]]"], 2, "x"),
    (["x*[1, 2] = [1, 2]", "x=1"], 2, "there are 2 equations for 1 unknown (x)"),
    (["ln(x) = 2", "x=-1"], 1, "ln(-1) is nan, at the start\n  ln(x) = 2\n  ^^^^^"),
    (["x^2 = a", "x=1", "a=1:2:3", "--starts", "3"], 2, "--starts is for one point"),
    (["x^2 = a", "x=0..1", "a=2"], 2, "is a range"),
    (["sin(x) = 2 = 3", "x=1"], 2, "="),
    (["x < 2", "x=1"], 2, "there is no equation to solve"),
]  # fmt: skip


@for_each(("operands", "code", "said"), WRONG)
def test_wrong_input_has_one_clear_error(operands: list[str], code: int, said: str, capsys: Capture) -> None:
    done = cg(capsys, "solve", *operands)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert done.err.count("cg: error: ") == 1
