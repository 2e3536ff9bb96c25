"""The language, row by row: what a text means, as its value or as the error that it gives."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from cgcli.errors import CgError
from cgcli.graph.node import Node, constant, variable
from cgcli.lowering.lower import lower
from cgcli.ops.table import FUNCTIONS
from cgcli.printing.latex import latex_of
from cgcli.printing.program import program
from cgcli.syntax.parser import parse
from cgcli.transform.differentiate import vjp
from tests.for_each import for_each
from tests.support import float64, inputs, node, value

X = {"x": [1.0, 2.0, 3.0], "M": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "s": 2.0}

VALUES: dict[str, list[tuple[str, Any]]] = {
    "power": [
        ("2^3^2", 512), ("2**3**2", 512), ("(2^3)^2", 64), ("2^-1", 0.5), ("2^-2^2", 2**-4), ("4^0.5", 2),
        ("2^+1", 2), ("0^0", 1), ("2²", 4), ("2²³", 2**23), ("2⁻¹", 0.5), ("2^3²", 2**9), ("s²²", 2**22),
    ],
    "unary minus": [
        ("-2^2", -4), ("-2²", -4), ("(-2)^2", 4), ("--3", 3), ("- - 3", 3), ("-+-3", 3), ("2--3", 5), ("2*-3", -6),
        ("-s*3", -6), ("-s^2", -4), ("6/-s", -3), ("+3", 3),
    ],
    "precedence": [
        ("2 + 3*4", 14), ("(2 + 3)*4", 20), ("2*3^2", 18), ("8/4/2", 1), ("8/4*2", 4), ("8 - 4 - 2", 2),
        ("7//2*2", 6), ("2*7 % 4", 2), ("x @ x*2", 28), ("2*x @ x", 28), ("1 + 2 < 4", 1), ("1 < 2 == 1", 0),
        ("not 1 == 2", 1), ("not 0 and 0", 0), ("1 or 0 and 0", 1), ("0 or 1 ? 2 : 3", 2), ("1 ? 2 : 3 + 4", 2),
        ("-x[0]^2", -1), ("x[1]²", 4), ("√4^2", 4), ("√s²", 2), ("√√16", 2), ("2*√4", 4), ("M.T[0][1]", 4),
    ],
    "comparisons": [
        ("1 < 2", 1), ("2 < 1", 0), ("2 <= 2", 1), ("2 >= 3", 0), ("2 == 2", 1), ("2 != 2", 0), ("1 < s < 3", 1),
        ("1 < s < 2", 0), ("3 > s > 1", 1), ("1 < 3 > 2", 1), ("nan == nan", 0), ("nan != nan", 1),
        ("x > 1", [0, 1, 1]),
        ("not 3", 0), ("not 0", 1), ("1 and 2", 1), ("0 or 0", 0), ("1 && 0", 0), ("1 || 0", 1), ("true + true", 2),
        ("not false", 1),
    ],
    "conditionals": [
        ("where(1, 2, 3)", 2), ("1 ? 2 : 3", 2), ("0 ? 2 : 3", 3), ("0 ? 1 : 0 ? 2 : 3", 3), ("1 ? 0 ? 1 : 2 : 3", 2),
        ("s > 1 ? s : -s", 2), ("x > 1 ? x : 0", [0, 2, 3]), ("where(s > 0, 1, 1/0)", 1), ("0.5 ? 1 : 2", 1),
    ],
    "remainder": [
        ("7 % 3", 1), ("-7 % 3", 2), ("7 % -3", -2), ("-7 mod 3", 2), ("mod(-7, 3)", 2), ("fmod(-7, 3)", -1),
        ("fmod(7, -3)", 1), ("-7 // 2", -4), ("5.5 % 2", 1.5),
    ],
    "logarithms": [
        ("log(e)", 1), ("ln(e^2)", 2), ("log10(1000)", 3), ("log2(8)", 3), ("log(8, 2)", 3), ("log(1000, 10)", 3),
        ("log(9, 3)", 2),
    ],
    "numbers": [
        (".5", 0.5), ("5.", 5), ("1e-5", 1e-5), ("1E5", 1e5), ("1e+5", 1e5), ("1_000", 1000), ("1_0.2_5", 10.25),
        ("5.e3", 5000),
        ("1e400", math.inf), ("9007199254740993", 2**53), ("0.1 + 0.2", 0.30000000000000004), ("007", 7),
    ],
    "constants": [
        ("pi", math.pi), ("π", math.pi), ("e", math.e), ("tau", math.tau), ("τ", math.tau), ("inf", math.inf),
        ("-∞", -math.inf), ("nan", math.nan), ("sin(90*deg)", 1), ("180*deg", math.pi), ("π²", math.pi**2),
        ("pi = 3; pi + 1", 4), ("e(x) = x; e(2)", 2), ("f(e) = e^2; f(3)", 9),
    ],
    "Unicode operators": [
        ("5 − 3", 2), ("5 – 3", 2), ("2 × 3", 6), ("2 · 3", 6), ("6 ÷ 3", 2), ("1 ≤ 1", 1), ("1 ≥ 2", 0),
        ("1 ≠ 2", 1), ("√16", 4), ("√(9 + 16)", 5), ("x₁ = 3; x₁²", 9), ("θ = 2; θ^θ", 4),
        ("x₁ = 1; x1 = 2; x₁ - x1", -1),
        ("naïve_Größe2 = 3; naïve_Größe2", 3), ("−2²", -4), ("s⁻¹", 0.5), ("s\u00a0+\u2009s", 4), ("\ufeff1", 1),
    ],
    "identifiers": [
        ("`a b` = 3; `a b` + 1", 4), ("`x²` = 3; `x²`", 3), ("`and` = 3; `and`", 3), ("_ = 1; _1 = 2; _ + _1", 3),
        ("notx = 3; notx", 3), ("order = 1; android = 2; order + android", 3), ("modx = 7; modx mod 4", 3),
    ],
    "functions and variables apart": [
        ("max = 3; max(max, 4)", 4), ("sum = 3; sum(x) + sum", 9), ("sin = 3; sin(0)", 0),
        ("f = 2; f(x) = x^f; f(3)", 9),
    ],
    "statements": [
        ("a = s*3; b = a + 1; b*a", 42), ("a = 1\nb = 2\na + b", 3), ("a = 1\r\na + 1\r\n", 2), (";;1;;", 1),
        ("a = 3", 3),
        ("a = 1; a = a + 1; a = a*5; a", 10), ("# all\n1 # one\n# end", 1), ("a = 1 # b = 2; c\na", 1), ("a = s; a", 2),
        ("(1 +\n 2)", 3), ("[1,\n # two\n 2]", [1, 2]), ("max(1,\n\n2)", 2), ("x[\n0]", 1), ("a = (1 # )\n + 2)\na", 3),
        ("X: [2]; 1", 1), ("1; X: [2]", 1),
    ],
    "user functions": [
        ("f(x) = x^2; f(3)", 9), ("f(3); f(x) = x^2", 9), ("f(x) = g(x) + 1; g(x) = 2*x; f(3)", 7), ("f() = 3; f()", 3),
        ("f(x, y) = x - y; f(1, 2)", -1), ("[1, 2,][1]", 2), ("a = 2; f(x) = a*x; f(3)", 6),
        ("f(x) = a*x; a = 2; f(3)", 6),
        ("f(x) = x^2; f(f(f(2)))", 256), ("f(x) = x + 1; f(x) ", [2, 3, 4]), ("f(s) = s^3", 8),
        ("sq(x) = x @ x; sq([3, 4])", 25), ("sin(x) = x; sin(3)", 3), ("f(x) = x[0]; f([5, 6])", 5),
    ],
    "indexing": [
        ("x[0]", 1), ("x[-1]", 3), ("x[1:]", [2, 3]), ("x[:-1]", [1, 2]), ("x[::2]", [1, 3]), ("x[::-1]", [3, 2, 1]),
        ("x[2:0:-1]", [3, 2]), ("x[5:]", []), ("x[-100:100]", [1, 2, 3]), ("M[1]", [4, 5, 6]), ("M[1, 2]", 6),
        ("M[1][2]", 6),
        ("M[:, 1]", [2, 5]), ("M[:, -1]", [3, 6]), ("M[0, ::2]", [1, 3]), ("M[::-1, 1:]", [[5, 6], [2, 3]]),
        ("M[-1, -1]", 6),
        ("[[1, 2], [3, 4]][1]", [3, 4]), ("x[1 + 1]", 3), ("x[:]", [1, 2, 3]), ("M[0:1]", [[1, 2, 3]]),
        ("i = 1; x[i]", 2),
    ],
    "arrays": [
        ("[1, 2]", [1, 2]), ("[1, 2,]", [1, 2]), ("[]", []), ("[[]]", [[]]), ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("[s, s^2]", [2, 4]), ("[x, x]", [[1, 2, 3], [1, 2, 3]]), ("[[s], [1]]", [[2], [1]]), ("[[[1]]]", [[[1]]]),
    ],
    "products of arrays": [
        ("x*x", [1, 4, 9]), ("x @ x", 14), ("M @ x", [14, 32]), ("M @ M.T", [[14, 32], [32, 77]]),
        ("M.T", [[1, 4], [2, 5], [3, 6]]),
        ("transpose(M)", [[1, 4], [2, 5], [3, 6]]), ("x.T", [1, 2, 3]), ("M.T.T[0]", [1, 2, 3]), ("dot(x, x)", 14),
    ],
    "broadcasting": [
        ("x + 1", [2, 3, 4]), ("M*x", [[1, 4, 9], [4, 10, 18]]), ("M + [[10], [20]]", [[11, 12, 13], [24, 25, 26]]),
        ("[[1], [2]]*[10, 20]", [[10, 20], [20, 40]]), ("max(x, 2)", [2, 2, 3]), ("x + [[0]]", [[1, 2, 3]]),
        ("[] + 1", []),
    ],
    "several meanings of one name": [
        ("max(x)", 3), ("max(M, axis=0)", [4, 5, 6]), ("max(1, s)", 2), ("min(3, 1, 2)", 1),
        ("sum(M, axis=1, keepdims=1)", [[6], [15]]),
        ("sum(M, 0)", [5, 7, 9]), ("sum(M, axis=-1)", [6, 15]), ("sum(M, axis=[0, 1])", 21), ("mean(x)", 2),
    ],
}  # fmt: skip


@for_each(("text", "expected"), [case for cases in VALUES.values() for case in cases])
def test_a_text_has_its_value(text: str, expected: Any) -> None:
    found = value(node(text, X), X)
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_array_equal(found, float64(expected))


ERRORS = [
    ("2x", "no operator", "write 2*x"), ("2 x", "no operator", "write 2*x"), ("x y", "no operator", "write x*y"),
    ("1/2x", "no operator", "2*x"), (")(", "closes nothing", ""), ("(x)(x)", "no operator", "(x)*(x)"),
    ("x(1 + 2)", "'x' is a value", "write x*(1 + 2)"), ("3e", "exponent", "3e5"),
    ("1,000", "no commas", "1000 or 1_000"),
    ("1,000,000.5", "no commas", "1000000.5 or 1_000_000.5"), ("1.2.3", "decimal point", ""),
    ("1__0", "underscore", "write 1_0"),
    ("sni(1)", "unknown function 'sni'", "'sin'"), ("SIN(1)", "unknown function 'SIN'", "'sin'"),
    ("sin 1", "brackets", "sin(1)"),
    ("y = z; z = 2; y", "before it is assigned", ""), ("f(x) = f(x); f(1)", "calls itself", ""),
    ("1 + (1, 2)", "comma", "brackets"), ("½ + 1", "½", "write (1/2)"), ("٣", "not part of the language", ""),
    ("a = b = 3", "'='", "=="),
    ("1 ? 2", "no ':'", "a choice"), ("M[0, 0, 0]", "3 indices for 2 axes", ""), ("x[3]", "out of range", "0 to 2"),
    ("x[0:s]", "known before", ""), ("x[0.5]", "whole number", ""), ("x[::0]", "step", ""), ("s[0]", "a scalar", ""),
    ("x + [1, 2]", "[3] and [2]", ""), ("M @ M", "3 columns meet 2 rows", "fits when transposed"),
]  # fmt: skip


@for_each(("text", "message", "hint"), ERRORS)
def test_a_text_has_its_error(text: str, message: str, hint: str) -> None:
    with pytest.raises(CgError) as caught:
        value(node(text, X), X)
    assert message in caught.value.message
    assert hint in caught.value.hint


@for_each("name", ["e", "pi", "nan", "inf", "deg", "tau", "true", "π"])
def test_a_binding_wins_over_a_constant(name: str) -> None:
    assert value(node(f"{name} + 1", {name: 3.0}), {name: 3.0}) == 4


WORDS = {"and", "or", "not", "mod"}  # operators, which are no names
CALLED = [
    ("{0}*x", 6), ("{0} = x + 1; {0}^2", 16), ("f({0}) = {0}^2; f(x)", 9), ("{0}(t) = t*7; {0}(x)", 21),
    ("sum({0}=1..3, {0}*x)", 18), ("{0}: []; -{0}", -2), ("{0}(t) = t + {0}; x*{0}(1)", 9), ("({0})^{0}", 4),
]  # fmt: skip


@for_each("name", [name for name in FUNCTIONS if name not in WORDS])
def test_a_name_may_be_that_of_a_function(name: str) -> None:
    """Protects old programs from new operations: whatever they call their inputs, their values and their functions."""
    at = {name: 2.0, "x": 3.0}
    for form, expected in CALLED:
        output = node(form.format(name), at)
        assert value(output, at) == expected
    assert [value(slope, at) for slope in vjp(node(f"{name}*x", at), constant(1.0), inputs(at))] == [3, 2]
    product = latex_of(node(f"{name}*x", {}))
    assert {*product.replace(r"\,", "").split()} == {latex_of(variable(name)), "x"}
    assert not re.search(r"\\operatorname|\\lVert|\\sqrt|\(", product), product


# Each line is spellings of one node, and the one that cg prints comes first.
SPELLINGS = """
ln(x) | log(x)
asin(x) | arcsin(x)
acos(x) | arccos(x)
atan(x) | arctan(x)
asinh(x) | arcsinh(x)
atan2(x, y) | arctan2(x, y)
abs(x) | fabs(x) | absolute(x)
sign(x) | sgn(x)
round(x) | rint(x)
max(x, y) | maximum(x, y)
min(x, y) | minimum(x, y)
x^y | x**y | pow(x, y) | power(x, y)
x^2 | x² | x**2 | square(x) | x^2.0
x^-1 | x⁻¹
x*y | x·y | x × y | multiply(x, y) | mul(x, y)
x/y | x ÷ y | divide(x, y)
x - y | x − y | x – y | subtract(x, y)
-x | −x | neg(x) | negative(x)
x%y | x mod y | mod(x, y) | remainder(x, y)
x//y | floor_divide(x, y)
sqrt(x) | √x | √(x)
x <= y | x ≤ y
x >= y | x ≥ y
x != y | x ≠ y
x and y | x && y
x or y | x || y
where(x, y, 1) | x ? y : 1
lgamma(x) | gammaln(x)
sigmoid(x) | expit(x)
silu(x) | swish(x)
log2(x) | log(x, 2)
log10(x) | log(x, 10)
pi*x | π*x | 3.141592653589793*x
inf*x | ∞*x | 1e999*x
x + y | (x) + ((y)) | +x + y
x < y and y < 2 | x < y < 2
"""


@for_each("line", SPELLINGS.strip().splitlines())
def test_spellings_are_one_node_and_print_as_one(line: str) -> None:
    first, *others = (text.strip() for text in line.split(" | "))
    graph = lower(parse(first))
    assert program(graph) == first
    for other in others:
        assert lower(parse(other)).output is graph.output, other


def test_every_alias_of_the_table_has_the_entries_of_its_name() -> None:
    for name, entries in FUNCTIONS.items():
        for entry in entries:
            assert entry in FUNCTIONS[entry.name], name


def test_equal_parts_are_one_node() -> None:
    output: Node = lower(parse("sin(x)*y + sin(x)")).output
    product, second = output.args
    assert product.args[0] is second


def test_zeros_of_either_sign_are_two_nodes() -> None:
    assert lower(parse("0")).output is not lower(parse("-0")).output


@pytest.mark.parametrize("text", ["9^9^9", "9^9^9^9^9", "-9^9^9", "10^10^10*0 + 1e308*10"])
def test_a_tower_of_powers_is_inf(text: str) -> None:
    """As floats are; its whole number would fill any memory."""
    assert not math.isfinite(value(node(text, {}), {}))
