"""Small texts that could take everything: each ends at once, with a result or with a message that names the limit."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from types import FrameType

import mpmath
import pytest

import cgcli
from cgcli.algebra import budget
from cgcli.derivatives import formula
from cgcli.graph.node import Node
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.hostile import names_in, texts

TEXTS = texts(size=100)
DEEP = texts(size=1000)


@for_each("name", TEXTS)
def test_a_hostile_text_ends_with_a_value_or_one_message(name: str, capsys: Capture) -> None:
    """Protects from work, depth and backtracking that grow faster than a text: the test would not end."""
    code, out, err = cg(capsys, "eval", TEXTS[name], "x=1.5")
    assert (code == 0 and out) or (code == 2 and err.startswith("cg: error: "))
    assert max(map(len, err.splitlines()), default=0) < 1000


@for_each("name", [name for name in DEEP if name.startswith(("repeated", "digits", "postfix"))])
def test_a_mistake_in_a_long_text_is_found_at_once(name: str, capsys: Capture) -> None:
    """Protects the patterns that look for other tools' notation: none goes over a text again and again."""
    assert cg(capsys, "eval", DEEP[name]).code in (0, 2)


# kind of text | command | the exponent of its calls' growth: 1 where they grow with the text, 2 with its square | size.
GROWTH = [
    ("nested max({}, {x})", "grad", 1.15, 50),
    ("nested min(x, {})", "jacobian", 1.15, 50),
    ("unions of slices", "hessian", 1.15, 50),
    ("elements one by one", "grad", 1.15, 50),
    ("nested x/(1 + {}/{x})", "diff", 1.15, 100),
]


def calls_of(arguments: list[str], capsys: Capture) -> int:
    """How many functions a command line calls."""
    count = 0

    def seen(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    cg(capsys, *arguments)  # what is imported and kept is none of the text's
    sys.setprofile(seen)
    try:
        assert cg(capsys, *arguments).code == 0
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(("kind", "command", "most", "size"), GROWTH, ids=lambda item: str(item)[:20])
def test_work_grows_with_the_text(kind: str, command: str, most: float, size: int, capsys: Capture) -> None:
    """Counted in calls of functions, so that the test does not depend on the machine: all were of the square."""
    small, large = (
        calls_of([command, text, *(f"{name}=1.5" for name in names_in(text) if command != "diff")], capsys)
        for text in (texts(each)[kind] for each in (size, 2 * size))
    )
    assert math.log2(large / small) < most


NAMES = ", ".join(f"a{at}" for at in range(900))

HIGH = r"order \d+ takes more than \d+ steps to simplify\n  ask for --order \d+, .*: cg jvp with --order"

LIMITS = [
    (["tan(x)", "--order", "20"], HIGH),
    (["x^x", "--order", "20"], HIGH),
    (["exp(x^2)/x", "--order", "20"], HIGH),
    (["gamma(x)", "--order", "20"], HIGH),
    (["sin(x)^3/(1 + x^2)", "--order", "20"], HIGH),
    (["s = x; for i in 1..5 { s = sin(s)*s }; s", "--order", "20"], HIGH),
    ([f"max({NAMES})"], "the derivatives compare 810000 operands, and the limit is 100000\n"
     "  ask for fewer names with --wrt, or for numbers, which cost less: cg grad"),
]  # fmt: skip


@for_each(("arguments", "message"), LIMITS)
def test_a_formula_that_grows_beyond_bounds_is_refused_with_what_was_reached(
    arguments: list[str], message: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "LEAST", 2000)  # a tenth, for the tests' sake
    code, out, err = cg(capsys, "diff", *arguments)
    assert (code, out) == (2, "")
    assert re.search(message, err)


def test_formulas_of_many_names_are_not_counted_to_the_end(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects from a count that takes the square of the time: each derivative of a chain has all of its nodes."""
    counted: list[int] = []
    size = formula._size

    def told(*outputs: Node) -> int:
        counted.append(size(*outputs))
        return counted[-1]

    monkeypatch.setattr(formula, "_size", told)
    text = DEEP["nested sqrt({}^2 + {x}^2)"]
    assert "steps to simplify" in cg(capsys, "diff", text, "--order", "2").err
    assert len(counted) < 50


LONG = {
    "factors": "*".join(f"(x/{2 * at + 3})" for at in range(750)),
    "powers": "(" * 400 + "x" + " + x^x)^x" * 400,
    "steps of Newton": "t = x; " + "t = t - (t^2 - 2)/(2*t); " * 300 + "t",
}


@pytest.mark.parametrize("name", LONG)
def test_what_a_formula_builds_inside_is_counted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted as operands, so that the test does not depend on the machine: they were ten times as many."""
    spent: list[int] = []
    spend = budget.Budget.spend

    def counted(self: budget.Budget, operands: int) -> None:
        spent.append(operands)
        spend(self, operands)

    monkeypatch.setattr(budget.Budget, "spend", counted)
    assert cgcli.diff(LONG[name])
    assert sum(spent) < 1.2 * budget._MOST


# What is computed 50 and 100 times: the arguments | how many calls each takes more than an addition.
CALLS = [
    (lambda n: ["hessian", f"sum({'@'.join(['A'] * n)})", "A=[[0.5, 0.1], [0.2, 0.3]]"], 4000),
    (lambda n: ["jvp", "x" + "⁻¹" * n, "x=1.5", "--order", "9"], 15000),
]


@pytest.mark.parametrize(("arguments", "most"), CALLS, ids=["Hessian", "series"])
def test_what_each_operation_takes(arguments: Callable[[int], list[str]], most: int, capsys: Capture) -> None:
    """Counted in calls of functions: a Hessian of products of arrays took five times as many, for its graph took care
    of infinities where there were none; a series of 1/x three times.
    """
    assert calls_of(arguments(100), capsys) - calls_of(arguments(50), capsys) < 50 * most


TOO_MUCH = [
    (["jvp", "jv(0, x)^jv(1, x)", "x=1.5", "--tangent", "x=1", "--order", "100"],
     r"the derivative of order \d+ takes more than 1000000 steps\n  ask for --order \d+"),
    (["jvp", "s = x; for i in 1..20000 { s = sin(s) }; s", "x=1.5", "--tangent", "x=1", "--order", "9"],
     r"the derivative of order \d+ takes more than 1000000 steps\n  ask for --order \d+"),
    (["eval", "sum(sin(arange(100000)))", "--digits", "100"],
     r"to compute this with \d+ digits takes .* steps\n  the limit is 1500000: ask for fewer digits"),
    (["grad", "gamma(x)", "x=0.1", "--digits", "1000"],
     r"takes \d+ steps\n  the limit is 1500000: ask for fewer digits"),
    (["hessian", "sum(x^3)", f"x=[{','.join(['1'] * 11000)}]"],
     "the Hessian would be 121000000 numbers, from 11000 that are given\n  the limit is 64 for each"),
    (["hessian", "sum(x^3)", "x=arange(11000)"], "made of nothing but the text\n  the limit is 524288"),
    (["hessian", "sum(outer(x, x))", "x=arange(400)"],
     r"in 400 passes takes .* steps, most of them for \w+\n  the limit is 5e\+09 where no data come from a file"),
    (["grad", "sum(exp(outer(x, x)))", "x=arange(9000)"], "the limit is 5e.09 where no data come from a file"),
    (["jvp", "sum(sin(x))", "x=arange(300000)", "--tangent", "x=ones(300000)", "--order", "40"],
     r"the derivative of order \d+ takes more than 1000000 steps\n  ask for --order \d+"),
    (["check", "sum(A @ A @ A)", "A=ones([300, 300])"],
     "the program is evaluated 80 times, in .* steps\n  the limit is 12500 steps: make arrays smaller"),
    (["grad", "for i in 1..10^5 { x = sin(x) }; x", "x=1", "--digits", "50"], "takes .* steps\n  the limit is 1500000"),
    (["check", "for i in 1..100000 { x = sin(x) }; x", "x=1"],
     r"the program is evaluated 80 times, in .* steps\n  the limit is 50000 steps: make arrays smaller, or loops"),
    (["check", f"({', '.join(f'x{at}' for at in range(110))})", *(f"x{at}=1" for at in range(110))],
     "the check would take 12100 gradients, of 110 outputs by 110 names\n  check fewer of them: --wrt"),
    (["render", "x", "--title", "x" * 100000, "-o", "-", "--format", "png"],
     "the title has 100000 characters; the limit is 1000"),
    (["grad", f"({', '.join(f'a{at}' for at in range(800))})", *(f"a{at}=1" for at in range(800))],
     "the gradients would be 640000 numbers, made of nothing but the text\n.*the limit is 524288 .*--wrt chooses"),
    (["eval", "det(x + eye(100))", "x=ones([100, 100])", "--digits", "100"], "the limit is 1500000: ask for fewer"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), TOO_MUCH, ids=lambda item: str(item)[:30])
def test_numbers_that_take_too_long_are_refused_with_the_limit(
    arguments: list[str], message: str, capsys: Capture
) -> None:
    code, out, err = cg(capsys, *arguments)
    assert (code, out) == (2, "")
    assert re.search(message, err)


def test_a_high_derivative_of_a_determinant_takes_few_digits_or_none(capsys: Capture) -> None:
    """Its minors with many digits took the seventh power of the size: of 8 rows more than a minute."""
    code, out, _ = cg(capsys, "jvp", "det(A)", "A=ones([8,8])+eye(8)", "--tangent", "A=ones([8,8])", "--order", "3")
    assert (code, out) == (0, "value\t9\njvp\t8\njvp2\t0\njvp3\t0\n")
    line = "jvp", "det(A)", "A=ones([40,40])+eye(40)", "--tangent", "A=ones([40,40])", "--order", "3"
    assert "not certain to ten digits" in cg(capsys, *line).err


def test_edges_over_many_levels_are_not_laid_out(capsys: Capture) -> None:
    """The layout program keeps a point for each edge on each level: 800 such powers took 3 GB."""
    code, out, err = cg(capsys, "render", "(" * 200 + "x" + " + x^x)^x" * 200, "-o", "-", "--format", "svg")
    assert (code, out) == (2, "")
    assert "its edges cross 80803 levels, the limit is 60000\n  --around NAME draws what is near a name" in err


def test_high_orders_of_what_does_not_grow_are_there(capsys: Capture) -> None:
    assert cg(capsys, "diff", "sin(x)", "--order", "101").out == "cos(x)\n"
    assert cg(capsys, "diff", "x^7", "--order", "170").out == "0\n"
    assert cg(capsys, "diff", f"max({NAMES})", "--wrt", "a5").code == 0


def test_both_doors_have_the_same_highest_order(capsys: Capture) -> None:
    assert cgcli.diff("x^3", "x", 170) == "0"
    with pytest.raises(cgcli.CgError, match="from 1 to 170, not 100000000"):
        cgcli.diff("x", "x", 10**8)
    assert "from 1 to 170" in cg(capsys, "diff", "x", "--order", "171").err


@pytest.mark.parametrize("text", ["x*sin(x)/x + x", "exp(x)*ln(x)^2", "sqrt(x)*x/(1 + x)"])
def test_a_formula_whose_budget_is_spent_is_long_but_right(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "LEAST", 0)
    monkeypatch.setattr(budget, "_MOST", 0)
    formula = cgcli.diff(text)
    assert cgcli.value(formula)(x=1.25) == pytest.approx(cgcli.grad(text)(x=1.25)["x"], rel=1e-12)


def test_derivatives_of_digamma_far_below_0_take_no_steps() -> None:
    """By two of Hurwitz's zeta functions, where each of up to 1000 poles was added: 1e5 numbers took 9 seconds."""
    for x, order in [(-4000.3, 1), (-1234.75, 2), (-0.25, 7), (-1e-9, 1)]:
        with mpmath.workdps(40):
            expected = mpmath.psi(order, mpmath.mpf(x))
        assert cgcli.value(f"digamma(x, order={order})")(x=x) == pytest.approx(float(expected), rel=1e-13)


def test_derivatives_of_digamma_midway_between_poles_keep_their_digits() -> None:
    """There the poles on both sides cancel: of order 20 at -2.5 nothing was left. The sum of 1/(x + k)^s is exact."""
    for x, order in [(-0.5, 20), (-2.5, 20), (-2.5, 99), (-100.5, 8), (-1.5 - 1e-9, 34), (-4.26, 12), (-4.24, 2)]:
        with mpmath.workdps(320):
            poles, number = int(-x) + 2, mpmath.mpf(x)
            terms = mpmath.fsum((number + k) ** -(order + 1) for k in range(poles))
            exact = (-1) ** (order + 1) * mpmath.factorial(order) * (mpmath.zeta(order + 1, number + poles) + terms)
        assert cgcli.value(f"digamma(x, order={order})")(x=x) == pytest.approx(float(exact), rel=1e-13)


def test_many_digits_of_a_tower_of_exponentials_end(capsys: Capture) -> None:
    code, out, err = cg(capsys, "eval", "exp(exp(exp(x)))", "x=9", "--digits", "20")
    assert (code, out) == (1, "")
    assert "exp cannot be computed: an argument has 11691 bits before the point" in err
