"""--accuracy: how many digits of the float64 result are right, and at which operation the others were lost."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from cgcli.graph.node import variable
from cgcli.lowering.formula import lower_formula
from cgcli.ops.table import operations
from tests.command import Capture, cg
from tests.digits import Sample, samples, truth
from tests.support import value

RUMP = "333.75*b^6 + a^2*(11*a^2*b^2 - b^6 - 121*b^4 - 2) + 5.5*b^8"


@pytest.mark.parametrize(
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
    ],
)  # fmt: skip
def test_commands(capsys: Capture, arguments: list[str], out: str, said: list[str]) -> None:
    found = cg(capsys, *arguments, "--accuracy")
    assert (found.code, found.out) == (0, out)
    assert all(text in found.err for text in said)
    assert bool(said) == bool(found.err)


def test_json(capsys: Capture) -> None:
    found = json.loads(cg(capsys, "grad", "exp(x) - 1", "x=1e-12", "--accuracy", "--json").out)
    assert found["digits"] == {"value": 4.1, "grad": {"x": 16}}
    assert (found["warnings"][0]["node"], found["warnings"][0]["lost"]) == ("exp(x) - 1", 11.9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["eval", "x", "x=0:1:3", "--accuracy"], "--accuracy is for one point, and not for rows"),
        (["eval", "1", "--accuracy", "--digits", "5"], "--accuracy is that of 64-bit floats"),
        (["grad", "x^2", "x=1", "--accuracy", "--order", "2"], "--accuracy is for the value and its gradient"),
    ],
)
def test_bad_input(capsys: Capture, arguments: list[str], message: str) -> None:
    found = cg(capsys, *arguments)
    assert found.code == 2
    assert message in found.err


@pytest.mark.parametrize("sample", list(samples(Random(7), 25)), ids=lambda sample: str(sample.text)[:60])
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


@pytest.mark.parametrize(("form", "better"), FORMS, ids=[form for form, _ in FORMS])
def test_better_forms_have_the_same_value(form: str, better: str) -> None:
    names: dict[str, Any] = {name: variable(name) for name in ("x", "y")}
    for x, y in np.random.default_rng(3).uniform(0.1, 0.9, (20, 2)):
        numbers = [value(lower_formula(text, names), {"x": x, "y": y}) for text in (form, better)]
        assert numbers[0] == pytest.approx(numbers[1], rel=1e-12, abs=1e-14)
