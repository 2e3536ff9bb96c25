"""Values with uncertainties: `cg eval x=2±0.1` and `cgcli.propagate`; and the elasticities of `cg grad`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cgcli
from cgcli.printing.uncertain import uncertain
from tests.command import Capture, cg
from tests.for_each import for_each

JUDGED = [  # expression, operands, value and standard deviation of the package uncertainties 3.2.3
    ("x*y", ["x=2±0.1", "y=3±0.2", "--corr", "x,y=0.5"], 6.0, 0.6082762530298219),
    ("x/y + sin(x)", ["x=2±0.1", "y=3+/-0.2", "--corr", "x,y=-0.9"], 1.5759640934923485, 0.03716693933336819),
    ("a^2*exp(b) - atan2(c, a)", ["a=1.5±20%", "b=-2±0.05", "c=0.7±0.02", "--corr", "a,b=0.2,a,c=-0.4,b,c=0.6"],
     -0.13212277253116267, 0.2061029886110143),
    ("w[0]^2*exp(w[1]) - atan2(w[2], w[0])", ["w=[1.5±20%, -2±5e-2, 0.7+/-0.02]",
     "--corr", "w[0],w[1]=1/5;w[0],w[2]=-0.4", "--corr", "w[1],w[2]=0.6"], -0.13212277253116267, 0.2061029886110143),
    ("2*pi*sqrt(L/g)", ["L=1.2", "g=9.81±0.02", "--u", "L=0.01"], 2.1975359457694705, 0.009426435964547957),
    ("erf(x) + cosh(x + 2) + log1p(x)", ["x=0.5", "s=0.01", "--u", "x=5*s"], 7.058254465584897, 0.379782686332095),
    ("t = x*x; t - x*x + x", ["x=0.5±10%"], 0.5, 0.05),
]  # fmt: skip


@for_each(("expression", "operands", "value", "error"), JUDGED)
def test_the_first_order_is_that_of_uncertainties(
    expression: str, operands: list[str], value: float, error: float, capsys: Capture
) -> None:
    done = cg(capsys, "eval", expression, *operands, "--json", "-q")
    found = json.loads(done.out)
    assert (found["value"], found["std_error"]) == pytest.approx((value, error), rel=1e-13)


# JCGM 100:2008, H.1: the calibration of an end gauge, in nm; table H.1, and the terms of the second order in H.1.7
GAUGE = ["lS + d - lS*(da*t + aS*dt)", "lS=50000623±25", "d=215±9.7", "aS=11.5e-6±1.2e-6", "t=-0.1±0.41",
         "da=0±0.58e-6", "dt=0±0.029"]  # fmt: skip
GAUGE_CONTRIBUTIONS = {"lS": 25, "dt": 16.6, "d": 9.7, "da": 2.9, "aS": 0, "t": 0}
# JCGM 101:2008, 9.3: the calibration of a mass, in mg; table 8 has the first order, the second, and trials
MASS = ["(m + dm)*(1 + (a - 1.2)*(1/w - 1/r)) - 100000", "m=100000±0.050", "dm=1.234±0.020", "a=1.2±0.1/sqrt(3)",
        "w=8000±1000/sqrt(3)", "r=8000±50/sqrt(3)"]  # fmt: skip


def test_the_end_gauge_of_the_guide(capsys: Capture) -> None:
    done = cg(capsys, "eval", *GAUGE, "--budget", "--json")
    found = json.loads(done.out)
    assert (done.err, round(found["value"]), round(found["std_error"])) == ("", 50000838, 32)
    assert [*{line["name"]: 0 for line in found["budget"]}][:4] == ["lS", "dt", "d", "da"]
    for line in found["budget"]:
        assert line["contribution"] == pytest.approx(GAUGE_CONTRIBUTIONS[line["name"]], abs=0.1)
    assert sum(line["share"] for line in found["budget"]) == pytest.approx(1)
    second = cg(capsys, "eval", *GAUGE, "--second-order").out
    assert second.splitlines()[0] == "value\t50000838 ± 34"


def test_the_mass_calibration_of_the_supplement(capsys: Capture) -> None:
    first = cg(capsys, "eval", *MASS, "--precision", "3", "--budget")
    assert first.out.splitlines()[0] == "1.2340 ± 0.0539"
    assert [line.split("\t")[0] for line in first.out.splitlines()[2:4]] == ["m", "dm"]
    assert "with them the std_error is 0.075 instead of 0.054\n  --second-order adds them" in first.err
    done = cg(capsys, "eval", *MASS, "--precision", "3", "--second-order", "--monte-carlo", "1000000")
    lines = dict(line.split("\t") for line in done.out.splitlines())
    assert (lines["value"], lines["first_order"]) == ("1.2340 ± 0.0750", "0.0539")
    mean, _, error = lines["monte_carlo"].partition(" ± ")  # of the supplement, with rectangles: 1.2341 and 0.0754
    assert (float(mean), float(error)) == pytest.approx((1.2341, 0.0754), abs=6e-4)


def test_trials_of_the_supplement(capsys: Capture) -> None:
    """JCGM 101:2008, 9.2.2: four normal quantities have standard deviation 2.0 together, and 95 % within 3.92."""
    command = ["eval", "a + b + c + d", *(f"{name}=0±1" for name in "abcd"), "--monte-carlo", "300000", "--json"]
    found = json.loads(cg(capsys, *command).out)["monte_carlo"]
    ends = [found[name] for name in ("mean", "std_error", "low", "high")]
    assert ends == pytest.approx([0, 2, -3.92, 3.92], abs=0.02)
    again, other = (cg(capsys, *command, "--seed", seed).out for seed in ("0", "1"))
    assert json.loads(again)["monte_carlo"] == found != json.loads(other)["monte_carlo"]


@pytest.mark.parametrize("r", [-0.7, 0, 1])
def test_the_second_order_of_polynomials_is_the_whole(r: float) -> None:
    """Of normal inputs the moments of a quadratic are known: those of x*y and of x^2 in closed form; and of trials."""
    (x, y), (u, v) = (2.0, 3.0), (0.5, 0.8)
    settings: dict[str, Any] = {"corr": {("x", "y"): r}, "second_order": True, "monte_carlo": 100_000}
    with pytest.warns(cgcli.CgWarning):
        found = cgcli.propagate("[x*y, x^2]", {"x": x, "y": y}, {"x": u, "y": v}, **settings)
    product = x**2 * v**2 + y**2 * u**2 + 2 * x * y * r * u * v + u**2 * v**2 * (1 + r**2)
    square = 4 * x**2 * u**2 + 2 * u**4
    assert found.std_error == pytest.approx(np.sqrt([product, square]), rel=1e-14)
    assert found.bias == pytest.approx([r * u * v, u**2], abs=1e-15)
    assert found.monte_carlo.std_error == pytest.approx(found.std_error, rel=0.01)
    assert found.monte_carlo.mean == pytest.approx(found.value + found.bias, abs=0.05)


ROUNDED = [  # value, uncertainty, digits, text: JCGM 100, 7.2.6
    (11.652, 0.5678, None, "11.65 ± 0.57"), (6.0, 0.5, None, "6.00 ± 0.50"), (6.0, 0.5, 1, "6.0 ± 0.5"),
    (12345.0, 678.0, None, "12340 ± 680"), (9.96, 0.0996, None, "9.96 ± 0.10"), (0.001, 0.5, None, "0.00 ± 0.50"),
    (-0.001, 0.5, None, "0.00 ± 0.50"), (1.23456e-10, 4.5e-12, None, "1.235e-10 ± 4.5e-12"),
    (1e20, 1e18, None, "1.000e+20 ± 1.0e+18"), (0.0, 3e-9, None, "0 ± 3.0e-9"), (5.0, 0.0, None, "5 ± 0"),
    (math.nan, 1.0, None, "nan ± 1"), (math.inf, math.nan, None, "inf ± nan"),
    (np.array([1.5, 22.0]), np.array([0.1, 3.0]), None, "[1.50, 22.0] ± [0.10, 3.0]"),
]  # fmt: skip


@for_each(("value", "error", "digits", "text"), ROUNDED)
def test_values_are_rounded_to_the_place_of_their_uncertainty(
    value: Any, error: Any, digits: int | None, text: str
) -> None:
    assert uncertain(value, error, digits) == text


WRONG = [  # operands, exit code, what the message holds
    (["x", "x=2+-0.1"], 2, "with an uncertainty it is x=2±0.1; as a difference x=2-0.1"),
    (["x", "x=2+−0.1"], 2, "x=2±0.1"), (["x", "w=[1+-2]"], 2, "w=[1±2]"),
    (["x", "x=2±-0.1"], 2, "the uncertainty of 'x' is -0.1, and must be 0 or more"),
    (["x", "x=2±nan"], 2, "is nan"), (["x", "x=2±"], 2, "'x=2±' has no uncertainty"),
    (["x", "x=±1"], 2, "has no value"), (["x", "x=2±%"], 2, "has no uncertainty"),
    (["x", "x=1±2±3"], 2, "is not VALUE±UNCERTAINTY"), (["x", "x=(2±0.1)*3"], 2, "is not VALUE±UNCERTAINTY"),
    (["x", "x=2±q"], 2, "no value for 'q'"), (["x", "x=2±[1,2]"], 2, "has shape [2], and 'x' []"),
    (["x", "x=2±0.1", "--u", "x=1"], 2, "'x' has two uncertainties"),
    (["x", "x=2", "--u", "xs=1"], 2, "'xs' has an uncertainty, and is no input"),
    (["x", "x=2", "--u", "1"], 2, "as in: --u x=ux,y=0.1"), (["x", "x=2", "--budget"], 2, "no input of the program"),
    (["x", "x=2", "z=1±1"], 2, "the program does not use 'z'"),
    (["x*y", "x=2±0.1", "y=1±1", "--corr", "x,y=1.1"], 2, "is from -1 to 1, not 1.1"),
    (["x*y", "x=2±0.1", "y=1±1", "--corr", "x,x=1"], 2, "'x' is correlated with itself"),
    (["x*y", "x=2±0.1", "y=1", "--corr", "x,y=1"], 2, "'y' has a correlation, and no uncertainty"),
    (["x*y", "x=2±0.1", "y=1±1", "--corr", "x,y=1", "--corr", "y,x=1"], 2, "have two correlations"),
    (["x*y", "x=2±0.1", "y=1±1", "--corr", "x=1"], 2, "as in: --corr x,y=0.5"),
    (["w*y", "w=[1,2]±0.1", "y=1±1", "--corr", "w,y=1"], 2, "'w' is an array: which of its elements"),
    (["x*y*z", "x=1±1", "y=1±1", "z=1±1", "--corr", "x,y=0.9,y,z=0.9,x,z=-0.9"], 2, "not positive semidefinite"),
    (["x", "x=2±0.1", "--digits", "9"], 2, "--digits is for values without"),
    (["x", "x=2±0.1", "--whole"], 2, "leave out --whole"), (["x", "x=0..1", "--u", "x=1"], 2, "choose one"),
    (["x", "x=0:1:3±0.1", "--monte-carlo", "9"], 2, "--monte-carlo is for one point"),
    (["x", "x=2±0.1", "--seed", "9"], 2, "--seed is of trials"),
    (["ln(x)", "x=-5±0.1", "--monte-carlo", "9"], 1, "none of 9 trials gives numbers"),
]  # fmt: skip


@for_each(("operands", "code", "said"), WRONG)
def test_wrong_uncertainties_have_one_clear_error(operands: list[str], code: int, said: str, capsys: Capture) -> None:
    done = cg(capsys, "eval", *operands)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert done.err.count("cg: error: ") == 1


@pytest.mark.parametrize("command", ["grad", "fit", "diff", "render"])
def test_other_commands_take_no_uncertainties(command: str, capsys: Capture) -> None:
    done = cg(capsys, command, "x", "x=2±0.1")
    assert (done.code, "cg eval gives the uncertainty of a value" in done.err) == (2, True)


DOUBTED = [  # operands, what the only warning holds, the result
    (["abs(x)", "x=0.05±0.1"], "abs(x) has a kink within the uncertainty of 'x'", "0.05 ± 0.10"),
    (["a = 2*x; max(a, y)^2", "x=2±0.1", "y=4.01±0.01"], "max(a, y) has a kink within the uncertainty of 'x'", ""),
    (["where(x > 1, x, 3*x)", "x=1.05±0.1"], "x > 1 jumps within the uncertainty of 'x'", ""),
    (["floor(x)", "x=2±0.6"], "floor(x) jumps within", "2 ± 0"),
    (["sqrt(x)", "x=0.05±0.1"], "sqrt(x) is not finite everywhere within", ""),
    (["1/x", "x=1±1"], "1/x is not finite everywhere within the uncertainty of 'x'", ""),
    (["x^2", "x=0±0.1"], "the std_error is 0.014 instead of 0, and the mean is 0.01 away from the value", "0 ± 0"),
    (["exp(x)", "x=1±0.5", "--second-order"], "the std_error is 1.4 instead of 1.4", ""),
    (["x^3", "x=0±0.1"], "x^3 is far from linear within the uncertainty of 'x'", "0 ± 0"),
    (["x", "x=2±0.1", "z=3±1"], "'z' is bound, but the expression does not use it", "2.00 ± 0.10"),
    (["sqrt(x)", "x=1±0.45", "--monte-carlo", "1000"], "give no number, and are left out", ""),
]  # fmt: skip


@for_each(("operands", "said", "result"), DOUBTED)
def test_where_the_first_order_is_a_poor_guide_a_warning_says_so(
    operands: list[str], said: str, result: str, capsys: Capture
) -> None:
    done = cg(capsys, "eval", *operands)
    assert done.code == 0
    assert said in done.err
    assert "--monte-carlo" in operands or done.err.count("cg: warning: ") == 1
    assert done.out.startswith(result)
    assert cg(capsys, "eval", *operands, "--strict").code == 1


def test_small_uncertainties_are_told_nothing_of(capsys: Capture) -> None:
    for operands in (["abs(x)", "x=1±0.1"], ["x*y", "x=2±0.1", "y=3±0.2"], ["max(x, y)", "x=2±0.1", "y=3±0.1"],
                     ["x - y", "x=2±0.1", "y=2±0.1", "--corr", "x,y=1"],
                     ["(x + 1) - x", "x=0.7±0.1"], ["repeat 9 { x = x*1.1 }; x", "x=2±0.01"],
                     ["sum(w^2)", "w=[1,2,3]±1%"]):  # fmt: skip
        assert cg(capsys, "eval", *operands).err == ""


def test_arrays_and_several_results(capsys: Capture) -> None:
    done = cg(capsys, "eval", "A @ w", "A=[[1,2],[0,1]]", "w=[1,2]±[0.3,0.2]", "--budget")
    lines = done.out.splitlines()
    assert lines[0] == "[5.00, 2.00] ± [0.50, 0.20]"
    assert [line.split("\t")[0] for line in lines[2:4]] == ["value[0]: w[1]", "value[0]: w[0]"]
    both = cg(capsys, "eval", "a = x*y; b = x + y; (a, b)", "x=2±0.3", "y=3±0.4", "--second-order")
    assert both.out.splitlines()[0] == "a\t6.0 ± 1.2"
    assert both.out.splitlines()[3:5] == ["b\t5.00 ± 0.50", "first_order_b\t0.5"]
    found = json.loads(cg(capsys, "eval", "a = x*y; b = x + y; (a, b)", "x=2±0.3", "y=3±0.4", "--json").out)
    assert found == {"value": {"a": 6, "b": 5}, "std_error": pytest.approx({"a": 1.2041594578792296, "b": 0.5}),
                     "warnings": []}  # fmt: skip


# ---- rows -------------------------------------------------------------------------------


def test_rows_have_the_uncertainties_of_points(tmp_path: Path, capsys: Capture) -> None:
    """Protects columns, expressions and shares of them as uncertainties, correlations, the second order, and shares."""
    data = tmp_path / "data.csv"
    data.write_text("x,y,ux\n1,2,0.1\n3,-4,0.5\n5,6,0\n")
    command = ["eval", "x*exp(y/4) + [y, 0][0]", "--corr", "x,y=0.4", "--second-order", "--json"]
    rows = cg(capsys, *command, str(data), "--u", "x=ux,y=5%", "--budget", "--only")
    for line, (x, y, ux) in zip(rows.out.splitlines(), [(1, 2, 0.1), (3, -4, 0.5), (5, 6, 0)], strict=True):
        row = json.loads(line)
        point = json.loads(cg(capsys, *command, f"x={x}±{ux}", f"y={y}±{abs(y) * 0.05}", "--budget", "-q").out)
        shares = {f"share_{each['name']}": each["share"] for each in point["budget"]}
        expected = {name: point[name] for name in ("value", "std_error", "bias")} | shares
        assert row == pytest.approx(expected, rel=1e-12)


def test_rows_of_arrays_sweeps_and_bad_rows(tmp_path: Path, capsys: Capture) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text('{"w": [1, 2], "u": [0.3, 0.4]}\n{"w": [1, 2], "u": [0.3, -1]}\n{"w": [1, 2], "u": [3, 4]}\n')
    done = cg(capsys, "eval", "2*w", str(data), "--u", "w=u", "--on-error", "skip", "--only")
    assert [json.loads(line) for line in done.out.splitlines()] == [
        {"value": [2, 4], "std_error": [0.6, 0.8]}, {"value": [2, 4], "std_error": [6, 8]},
    ]  # fmt: skip
    assert "line 2: the uncertainty of 'w[1]' is -1, and must be 0 or more" in done.err
    swept = cg(capsys, "eval", "x^2", "x=0:2:3±0.1", "--second-order", "--as", "area", "--precision", "3")
    assert swept.out.splitlines() == ["x,area,area_std_error,area_bias", "0,0,0.0141,0.01", "1,1,0.2,0.01",
                                      "2,4,0.4,0.01"]  # fmt: skip
    assert "in 1 of 3 rows second derivatives matter" in swept.err
    failed = cg(capsys, "eval", "w[0]", str(data), "--u", "w=v")
    assert (failed.code, "no value for 'v'" in failed.err) == (2, True)


# ---- the library, elasticities ----------------------------------------------------------


def test_the_library_has_the_same() -> None:
    values = {"x": 2, "y": [3, 4]}
    found = cgcli.propagate("x*y", values, {"x": "5%", "y": [0.1, 0]}, corr={("x", "y[0]"): 0.5})
    assert found.std_error == pytest.approx([math.sqrt(0.09 + 0.04 + 0.06), 0.4])
    assert [line.name for line in found.budget["value[0]"]] == ["x", "y[0]", "y[1]"]
    assert found._repr_html_() == "[6.00, 8.00] ± [0.44, 0.40]"
    two = cgcli.propagate("(x, x^2)", {"x": 2}, {"x": 0.1})
    assert (two.value, two.std_error) == ({"x": 2.0, "x^2": 4.0}, pytest.approx({"x": 0.1, "x^2": 0.4}))
    with pytest.warns(cgcli.CgWarning, match="has a kink"):
        cgcli.propagate("abs(x)", {"x": 0}, {"x": 1})


ELASTICITIES = [  # operands, what is printed: closed forms
    (["k*x^2*y^3", "k=2", "x=3", "y=4"], "value\t1152\nd_k\t576\ne_k\t1\nd_x\t768\ne_x\t2\nd_y\t864\ne_y\t3\n"),
    (["sum(w*x)", "w=[1,3]", "x=3", "--wrt", "w"], "value\t12\nd_w\t[3, 3]\ne_w\t[0.25, 0.75]\n"),
    (["(x*y, x + y)", "x=3", "y=1", "--wrt", "x"],
     "x*y\t3\nd_(x*y)/d_x\t1\ne_(x*y)/e_x\t1\nx + y\t4\nd_(x + y)/d_x\t1\ne_(x + y)/e_x\t0.75\n"),
    (["w*x", "w=[1,3]", "x=3", "--cotangent", "[1,0]", "--wrt", "x", "--json"],
     '{"value": [3, 9], "grad": {"x": 1}, "elasticity": {"x": 1}, "warnings": []}\n'),
    (["x^2", "x=1:3:2"], "x,value,d_x,e_x\n1,1,2,2\n3,9,6,2\n"),
    (["x^3", "x=1/3", "--digits", "5"], "value\t0.037037\nd_x\t0.33333\ne_x\t3\n"),
]  # fmt: skip


@for_each(("operands", "printed"), ELASTICITIES)
def test_elasticities_stand_beside_derivatives(operands: list[str], printed: str, capsys: Capture) -> None:
    done = cg(capsys, "grad", *operands, "--elasticity")
    assert (done.code, done.err, done.out) == (0, "", printed)


def test_an_elasticity_of_nothing_is_told(capsys: Capture) -> None:
    done = cg(capsys, "grad", "x - 1", "x=1", "--elasticity")
    assert (done.out, "1/0 is infinite" in done.err) == ("value\t0\nd_x\t1\ne_x\tinf\n", True)
    for other in (["--mode", "forward"], ["--order", "2"], ["--accuracy"]):
        assert "choose one" in cg(capsys, "grad", "x", "x=1", "--elasticity", *other).err
