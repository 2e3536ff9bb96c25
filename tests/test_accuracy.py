"""--accuracy: how many digits of the float64 result are right, and at which operation the others were lost."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from cgcli.digits.better import better
from cgcli.graph.node import apply, variable
from cgcli.lowering.formula import lower_formula
from cgcli.ops.table import operations
from tests.command import Capture, cg
from tests.digits import Sample, samples, truth
from tests.for_each import for_each
from tests.support import value

RUMP = "333.75*b^6 + a^2*(11*a^2*b^2 - b^6 - 121*b^4 - 2) + 5.5*b^8"


@for_each(
    ("arguments", "out", "said"),
    [
        (["eval", "(1 - cos(x))/x^2", "x=1e-7"], "value\t0.4996003610813205\ndigits\t3.1\n",
         ["13 digits are lost at 1 - cos(x), whose condition number is 4e+14", "2*sin(x/2)^2 keeps them"]),
        (["eval", f"{RUMP} + a/(2*b)", "a=77617", "b=33096"], "value\t-1.1805916207174113e+21\ndigits\t0\n",
         [f"16 digits are lost at {RUMP}, whose condition number is 7.9e+36"]),
        (["eval", "ln(1 + x)/x", "x=1e-10"], "value\t1.000000082690371\ndigits\t7.1\n",
         ["9 digits are lost at ln(1 + x), whose condition number is 1e+10", "log1p(x) keeps them"]),
        (["eval", "sqrt(x^2 + 1) - x", "x=1e9"], "value\t0\ndigits\t0\n",
         ["16 digits are lost at sqrt(x^2 + 1) - x", "1/(x + sqrt(x^2 + 1)) keeps them"]),
        (["eval", "sum(x)", "x=[1e16,1,-1e16]"], "value\t0\ndigits\t0\n", ["16 digits are lost at sum(x)"]),
        (["eval", "x + 2", "x=1"], "value\t3\ndigits\t16\n", []),
        (["eval", "[x, 1 - cos(x)]", "x=1e-5"], "value\t[1e-05, 5.000000413701855e-11]\ndigits\t[16, 7.1]\n",
         ["9 digits are lost at 1 - cos(x)"]),
        (["eval", "(x, exp(x) - 1)", "x=1e-9"],
         "x\t1e-09\ndigits_x\t16\nexp(x) - 1\t1.000000082740371e-09\ndigits_(exp(x) - 1)\t7.1\n",
         ["expm1(x) keeps them"]),
        (["grad", "x^2", "x=3"], "value\t9\ndigits\t16\nd_x\t6\ndigits_d_x\t16\n", []),
        (["hessian", "(1 - cos(x))*y/x^2", "x=1e-5", "y=2"],
         "\tx\tdigits_x\ty\tdigits_y\nx\t4964.755576793936\t0\t-0.008275703747637066\t0\n"
         "y\t-0.008275703730760142\t0\t0\t16\n", ["7 digits are lost in the derivative, at sin(x)/x^2"]),
        (["hessian", "(x + y)^3", "x=1", "y=-2", "--tangent", "x=1"],
         "hvp_x\t-6\ndigits_hvp_x\t16\nhvp_y\t-6\ndigits_hvp_y\t16\n", []),
        (["trace", "1 - cos(x)", "x=1e-5"],
         "forward primal trace  value  digits\nx                     1e-05  16\n"
         "v1 = cos(x)           1      16\nv2 = 1 - v1           5e-11   7.1\n", ["9 digits are lost at 1 - cos(x)"]),
        (["eval", "1 - cos(x)", "x=1e-8:1:2"], "x,value,digits\n1e-08,0,0\n1,0.45969769413186023,16\n",
         ["the sweep, x=1e-08: 16 digits are lost at 1 - cos(x)", "2*sin(x/2)^2 keeps them"]),
        (["grad", "x*y", "x=2:3:2", "y=5", "--wrt", "x", "--only"],
         "value,digits,d_x,digits_d_x\n10,16,5,16\n15,16,5,16\n", []),
        (["eval", "sqrt(x^2 + y^2)", "x=1e-200", "y=1e-200"], "value\t0\ndigits\t0\n",
         ["hypot(x, y) keeps them, in the place of sqrt(x^2 + y^2)"]),
        (["eval", "sin(pi*x)/(pi*x)", "x=1.000000000116415321826934814453125"],
         "value\t-1.16415330245586e-10\ndigits\t7.1\n", ["sinc(x) keeps them"]),
        (["eval", "ln(1 + exp(x))", "x=800"], "value\tinf\ndigits\t0\n", ["softplus(x) keeps them"]),
        (["eval", "ln(sum(exp(x)))", "x=[1000,1001]"], "value\tinf\ndigits\t0\n", ["logsumexp(x) keeps them"]),
        (["eval", "mean(x^2) - mean(x)^2", "x=[1e8,1e8+1]"], "value\t0\ndigits\t0\n", ["var(x) keeps them"]),
        (["eval", "where(x > 0, max(1 - cos(x), 0), 1)", "x=1e-5"], "value\t5.000000413701855e-11\ndigits\t7.1\n",
         ["9 digits are lost at 1 - cos(x)"]),
        (["eval", "x*ln(y)", "x=0", "y=0"], "value\tnan\ndigits\tnan\n", ["xlogy(x, y) is x*ln(y)"]),
        (["eval", "abs(x)", "x=[-3,nan]"], "value\t[3, nan]\ndigits\t[16, nan]\n", ["warning: the input 'x' is nan"]),
        (["eval", "sin(x)/x", "x=0"], "value\tnan\ndigits\tnan\n", ["sinc(x/pi) is sin(x)/x, and 1 where x is 0"]),
    ],
)  # fmt: skip
def test_commands(capsys: Capture, arguments: list[str], out: str, said: list[str]) -> None:
    found = cg(capsys, *arguments, "--accuracy")
    assert (found.code, found.out) == (0, out)
    assert all(text in found.err for text in said)
    assert bool(said) == bool(found.err)


def test_advice_that_would_not_help_is_not_given(capsys: Capture) -> None:
    """Where the input itself has too few digits, no other form has more."""
    found = cg(capsys, "eval", "sin(pi*x)/(pi*x)", "x=1.0000000001", "--accuracy")
    assert "digits are lost at sin" in found.err
    assert "keeps them" not in found.err


def test_the_check_says_how_many_digits_are_right(capsys: Capture) -> None:
    lines = cg(capsys, "check", "sinh(x)/x", "x=1e-7").out.splitlines()
    assert lines[0].split()[:3] == ["analytic", "digits", "central"]
    assert lines[1].split()[:3] == ["d_x", "3.33066907388e-08", "3.1"]
    found = json.loads(cg(capsys, "check", "[x, y]", "x=1", "y=2", "--cotangent", "[1,1]", "--json").out)
    assert [each["digits"] for each in found["derivatives"]] == [16, 16]


def test_records_of_a_trace_have_digits(capsys: Capture) -> None:
    found = json.loads(cg(capsys, "trace", "1 - cos(x)", "x=1e-5", "--grad", "--accuracy", "--json", "-q").out)
    assert [(each["digits"], each["adjoint_digits"]) for each in found] == [(16, 16), (16, 16), (7.1, 16)]


def test_json(capsys: Capture) -> None:
    found = json.loads(cg(capsys, "grad", "exp(x) - 1", "x=1e-12", "--accuracy", "--json").out)
    assert found["digits"] == {"value": 4.1, "grad": {"x": 16}}
    assert (found["warnings"][0]["node"], found["warnings"][0]["lost"]) == ("exp(x) - 1", 11.9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["eval", "x", "x.csv", "--whole", "--accuracy"], "--accuracy is for one point, or for rows one by one"),
        (["eval", "x", "x=0:1:3", "--digits", "9", "--accuracy"], "--digits is for one point, and not for rows"),
        (["eval", "1", "--accuracy", "--digits", "5"], "--accuracy is that of 64-bit floats"),
        (["grad", "x^2", "x=1", "--accuracy", "--order", "2"], "--accuracy is for the value and its gradient"),
    ],
)
def test_bad_input(capsys: Capture, arguments: list[str], message: str) -> None:
    found = cg(capsys, *arguments)
    assert found.code == 2
    assert message in found.err


@for_each("sample", list(samples(Random(7), 25)))
def test_right_digits_of_random_programs(sample: Sample, capsys: Capture) -> None:
    """Within one digit of the truth, by mpmath on the text itself."""
    values = [f"{name}={text}" for name, text in sample.values.items()]
    found = json.loads(cg(capsys, "grad", sample.text, *values, "--accuracy", "--json", "-q").out)
    exact, slopes = truth(sample, 30)
    pairs = [(found["value"], found["digits"]["value"], exact)]
    pairs += [(found["grad"][name], found["digits"]["grad"][name], slopes[name]) for name in slopes]
    for number, digits, true in pairs:
        with mp.workdps(60):
            true = true if abs(true) > 1e-24 else mpf(0)
            error = abs(mpf(number) - true)
            right = 16 if error == 0 else 0 if true == 0 else float(-mp.log10(error / abs(true)))
        assert digits == pytest.approx(min(max(right, 0), 16), abs=0.1)


FORMS = [pair for operation in operations() for pair in operation.better]


@for_each(("form", "better"), FORMS)
def test_better_forms_have_the_same_value(form: str, better: str) -> None:
    of_arrays = any(f"{name}(" in form for name in ("sum", "mean", "prod", "softmax"))
    names: dict[str, Any] = {name: variable(name, (3,) if of_arrays else ()) for name in ("x", "y")}
    for x, y in np.random.default_rng(3).uniform(0.1, 0.9, (20, 2, *[3] * of_arrays)):
        numbers = [value(lower_formula(text, names), {"x": x, "y": y}) for text in (form, better)]
        assert numbers[0] == pytest.approx(numbers[1], rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("shape", [(), (3,)], ids=["number", "array"])
def test_a_form_of_arrays_is_no_mistake_where_there_is_a_number(shape: tuple[int, ...]) -> None:
    """Protects --accuracy of ln(x) and 1/x: forms with softmax, which takes arrays alone, are passed over."""
    for operation in operations():
        if operation.better:
            node = apply(operation, tuple(variable(name, shape) for name in operation.arrays))
            assert all(form.shape == node.shape for form in better(node))
