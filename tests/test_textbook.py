"""Textbook form: products that a definition implies are read in exactly one way, or refused."""

from __future__ import annotations

import pytest

from cgcli.cli.main import run

# definition, operands, value, what stderr says was read
READ = [
    ("f(x1,x2)=ln(x1)+x1x2−sin(x2)", "x1=2 x2=5", "11.652071455223084", "ln(x1) + x1*x2 - sin(x2)"),
    ("f(x) = 2x", "x=3", "6", "2*x"),
    ("f(x) = 2x^3", "x=2", "16", "2*x^3"),
    ("f(x, y) = x²y", "x=3 y=2", "18", "x²*y"),
    ("f(x) = (1 + x)(1 - x)", "x=3", "-8", "(1 + x)*(1 - x)"),
    ("f(x) = (1 + x) x", "x=3", "12", "(1 + x)*x"),
    ("f(x) = x(1 + x)", "x=3", "12", "x*(1 + x)"),
    ("f(x) = 2sin(x)cos(x)", "x=0", "0", "2*sin(x)*cos(x)"),
    ("f(r) = πr²", "r=1", "3.141592653589793", "π*r²"),
    ("f(t) = 3e^t", "t=0", "3", "3*e^t"),
    ("f(x, y) = -2xy", "x=3 y=5", "-30", "-2*x*y"),
    ("f(x) = (1/2)x", "x=3", "1.5", "(1/2)*x"),
    ("f(x) = 2√x", "x=9", "6", "2*√x"),
    ("f(x) = 3x(1 + x)\nf(2)", "", "18", "3*x*(1 + x)"),
]

# definition, part of the message, part of the hint
UNCLEAR = [
    ("f(x) = 1/2x", "'1/2x' can be read in two ways", "write 1/(2*x) or (1/2)*x"),
    ("f(x, y) = 1/xy", "'1/xy' can be read in two ways", "write 1/(x*y) or (1/x)*y"),
    ("f(x) = 2^3x", "'2^3x' can be read in two ways", "write 2^(3*x) or (2^3)*x"),
    ("f(a, ab, b) = aab", "'aab' can be read as a*ab or a*a*b", "write the product signs"),
]

# programs in which nothing may be split or implied
PLAIN = [
    ("f(x) = x + max(x, 1); f(2)", "", "4"),
    ("f(x, y) = xy; f(2, 3) + x", "xy=5 x=1", "6"),  # a name with a value of its own does not split
    ("f(x) = sum(x, axis=0); f([1, 2])", "", "3"),
    ("x1x2 + 1", "x1x2=2", "3"),
]


@pytest.mark.parametrize(("text", "operands", "value", "read"), READ)
def test_read_as(text: str, operands: str, value: str, read: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", text, *operands.split()]) == 0
    out, err = capsys.readouterr()
    assert out == f"{value}\n"
    assert err == f"read as: {read}\n"


@pytest.mark.parametrize(("text", "message", "hint"), UNCLEAR)
def test_two_readings_are_refused(text: str, message: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", text, "x=1", "y=1"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert hint in err


@pytest.mark.parametrize(("text", "operands", "value"), PLAIN)
def test_plain_programs_stay_as_they_are(
    text: str, operands: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["eval", text, *operands.split()]) == 0
    out, err = capsys.readouterr()
    assert out == f"{value}\n"
    assert "read as" not in err


def test_without_a_parameter_list_nothing_is_implied(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "2x", "x=3"]) == 2
    assert "to multiply, write 2*x" in capsys.readouterr().err


def test_a_long_name_has_few_readings_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The ways to split are counted no further than they are shown: linear in the name's length."""
    assert run(["eval", f"f(a, aa) = {'a' * 20_000}", "a=1"]) == 2
    assert "can be read as" in capsys.readouterr().err
