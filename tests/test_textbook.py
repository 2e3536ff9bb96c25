"""Textbook form: products that a definition implies are read in exactly one way, or refused."""

from __future__ import annotations

import pytest

from cgcli.cli.main import run
from cgcli.syntax import tree
from cgcli.syntax.parser import parse
from tests.for_each import for_each

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
    ("f(a, b) = ab(a + b)", "a=1 b=2", "6", "a*b*(a + b)"),
    ("f(x, y) = xy(2)", "x=2 y=3", "12", "x*y*(2)"),
    ("f(r) = π(r + 1) - πr", "r=1", "3.141592653589793", "π*(r + 1) - π*r"),
    ("f(x) = e²(x)", "x=0", "0", "e²*(x)"),
    ("f(x₁, x₂) = x₁x₂", "x₁=2 x₂=3", "6", "x₁*x₂"),
    ("f(`a b`, c) = `a b`c; f(2, 3)", "", "6", "`a b`*c"),
    ("f(x) = 2max(x, 1); f(3)", "", "6", "2*max(x, 1)"),
    ("f(max) = 2max(max, 1); f(3)", "", "6", "2*max(max, 1)"),
    ("f(x) = 2g(x); g(x) = x + 1; f(2)", "", "6", "2*g(x)"),
    ("f(x) = x>1?2x:-x; f(2)", "", "4", "x > 1 ? 2*x : -x"),
    ("f(x) = x>1?(x>2?1:2)x:x; f(2)", "", "4", "x > 1 ? (x > 2 ? 1 : 2)*x : x"),
    ("f(x) = not 2x; f(0)", "", "1", "not 2*x"),
    ("f(x) = sum([1,x][0:2])+2x; f(2)", "", "7", "sum([1, x][0:2]) + 2*x"),
    ("f(x) = (+x)−2x; f(2)", "", "-2", "(+x) - 2*x"),
    ("f(x) = x>0||2x>1&&x<1; f(2)", "", "1", "x > 0 or 2*x > 1 and x < 1"),
]

# definition, part of the message, part of the hint
UNCLEAR = [
    ("f(x) = 1/2x", "'1/2x' can be read in two ways", "write 1/(2*x) or (1/2)*x"),
    ("f(x, y) = 1/xy", "'1/xy' can be read in two ways", "write 1/(x*y) or (1/x)*y"),
    ("f(x) = 2x mod 3x", "'2x mod 3x' can be read in two ways", "write 2x mod (3*x) or (2x mod 3)*x"),
    ("f(x, y) = x / 2 y", "'x / 2 y' can be read in two ways", "write x/(2*y) or (x/2)*y"),
    ("f(x, y) = 1/2xy", "'1/2xy' can be read in two ways", "write 1/(2*x*y) or (1/2)*x*y"),
    ("f(x) = 2^3x", "'2^3x' can be read in two ways", "write 2^(3*x) or (2^3)*x"),
    ("f(a, ab, b) = aab", "'aab' can be read as a*ab or a*a*b", "write the product signs"),
]

# programs in which nothing may be split or implied
PLAIN = [
    ("f(x) = x + max(x, 1); f(2)", "", "4"),
    ("f(x, y) = xy; f(2, 3) + x", "xy=5 x=1", "6"),  # a name with a value of its own does not split
    ("f(x) = sum(x, axis=0); f([1, 2])", "", "3"),
    ("x1x2 + 1", "x1x2=2", "3"),
    ("xy = 5; f(x, y) = xy; f(2, 3)", "", "5"),
    ("f(x) = max(x, 1); f(3)", "max=5", "3"),
    ("# f(x) = 2x\n3", "", "3"),
]

# programs in which a name before a bracket is no factor, or another mistake stands; where and what it is, the hint
MISTAKES = [
    ("f(x) = 2*x + sni(x); f(3)", "sni", "unknown function 'sni'", "did you mean 'sin'?"),
    ("f(x) = 2x + max(x, sni(x)); f(3)", "sni", "unknown function 'sni'", "did you mean 'sin'?"),
    ("f(x) = g(x) + 1; f(1)", "g", "unknown function 'g'", "define it as g(x)"),
    ("f(x) = 2x + y(x); y = 2; f(1)", "y(x)", "'y' is a value, not a function", "to multiply, write y*(x)"),
    ("f(x) = pi(x); f(1)", "pi(x)", "'pi' is a value, not a function", "to multiply, write pi*(x)"),
    ("f(x) = 2x + x(x, 1); f(1)", "x(x, 1)", "'x' is a value, not a function", "to multiply, write x*(…)"),
    ("f(x, y) = xy + z; f(1, 2)", "z", "no value for 'z'", "as in: z=3"),
    ("f(x) = sni²(x); f(1)", "sni²(x)", "no operator between two values", "write sni²*(x)"),
    ("f(x) = sin²(x); f(1)", "sin²(x)", "a function's power stands behind its argument", "write sin(x)^2"),
    ("f(x) = 2sin x; f(1)", "sin x", "a function's argument stands in brackets", "write sin(x)"),
    ("f(x) = 1 000x; f(1)", "1 000", "a number has nothing between its digits", "write 1000"),
    ("f(x) = 2x + $; f(1)", "$", "is not part of the language", "take it away"),
    ("f(x) = 2x + sum(x axis=0); f(1)", "(x axis=", "a comma is missing", "write (x, axis="),
    ("f(a, b) = 2ab + max(ab, [1, 2], [1, 2, 3]); f(1, 1)", "[1, 2]", "shapes [2] and [3] do not broadcast", ""),
    ("f(x) = 2x  # 2y\n\ng(y) = 3*sni(y)\nf(2) + g(1)", "sni", "line 3, column 10: unknown function 'sni'", "'sin'"),
    ("f(x) = x^2\njvp f(x; dx) = 2xdx + sni(dx)\nf(2)", "sni", "line 2, column 23: unknown function 'sni'", "'sin'"),
    ("f(x) = 2x^2\njvp f(x; dx) = 4xdx + x\nf(2)", "4xdx + x", "line 2, column 16: the derivative rule", "tangent"),
]


@for_each(("text", "operands", "value", "read"), READ)
def test_read_as(text: str, operands: str, value: str, read: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", text, *operands.split()]) == 0
    out, err = capsys.readouterr()
    assert out == f"{value}\n"
    assert err == f"read as: {read}\n"


@for_each(("text", "message", "hint"), UNCLEAR)
def test_two_readings_are_refused(text: str, message: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", text, "x=1", "y=1"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert hint in err


@for_each(("text", "operands", "value"), PLAIN)
def test_plain_programs_stay_as_they_are(
    text: str, operands: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["eval", text, *operands.split()]) == 0
    out, err = capsys.readouterr()
    assert out == f"{value}\n"
    assert "read as" not in err


@for_each(("text", "place", "message", "hint"), MISTAKES)
def test_a_mistake_is_underlined_where_it_was_written(
    text: str, place: str, message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The text that messages show is the user's, whatever products were read into it."""
    assert run(["eval", text]) == 2
    _, err = capsys.readouterr()
    first, line, carets, *rest = [line for line in err.splitlines() if not line.startswith("read as")]
    assert message in first
    assert line.strip() in text
    assert line[carets.index("^") :].startswith(place)
    assert carets.strip().split()[0] == "^" * len(place)
    assert hint in "".join(rest)


def test_the_tree_has_the_places_of_the_text() -> None:
    """The factors of a name lie within it, and a product reaches from the first to the last."""
    text = "f(ab, c) = 2abc"
    program = parse(text)
    (definition,) = program.statements
    assert isinstance(definition, tree.Define)
    assert isinstance(definition.body, tree.Call)
    assert program.source.text == text
    assert program.read_as == ("2*ab*c",)
    assert text[slice(*definition.body.span)] == "2abc"
    left, right = definition.body.args
    assert (text[slice(*left.span)], text[slice(*right.span)]) == ("2ab", "c")


def test_without_a_parameter_list_nothing_is_implied(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "2x", "x=3"]) == 2
    assert "to multiply, write 2*x" in capsys.readouterr().err


def test_a_long_name_has_few_readings_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The ways to split are counted no further than they are shown: linear in the name's length."""
    assert run(["eval", f"f(a, aa) = {'a' * 20_000}", "a=1"]) == 2
    assert "can be read as" in capsys.readouterr().err
