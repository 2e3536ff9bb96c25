"""Bounds over ranges: no point is outside of them, by mpmath; they are those of mpmath's intervals, or narrower."""

from __future__ import annotations

import math
import re
import time
import warnings
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest
from mpmath import iv, mp, mpf

import cgcli
from cgcli.ops.intervals import Interval, point, text
from tests import support
from tests.command import Capture, cg
from tests.digits import by_mpmath, samples
from tests.for_each import for_each
from tests.reference_values import PARAMETERS, VALUES
from tests.support import ELEMENTWISE


def assert_within(bounds: Any, exact: Any, slack: Any = 0) -> None:
    """As decimal numbers, which the ends are printed as."""
    assert mpf(repr(float(bounds.low))) - slack <= exact <= mpf(repr(float(bounds.high))) + slack


@pytest.mark.parametrize("sample", list(samples(Random(5), 15)), ids=lambda sample: str(sample.text)[:60])
def test_no_point_is_outside(sample: Any) -> None:
    """Values and slopes at random points of random programs, the ends of the ranges among them."""
    random = Random(sample.text)
    box = {}
    for name, typed in sample.values.items():
        at, width = float(by_mpmath(typed, {})), random.choice([0, 1e-9, 0.01, 0.3, 2])
        box[name] = (at - width * random.random(), at + width * random.random())
    value, grad = cgcli.bounds(sample.text)(**box)
    with mp.workdps(40):
        for _ in range(8):
            places = {name: random.choice([0, 1, random.random()]) for name in box}
            at_point = {name: mpf(repr(low)) + (mpf(repr(high)) - mpf(repr(low))) * places[name]
                        for name, (low, high) in box.items()}  # fmt: skip
            assert_within(value, by_mpmath(sample.text, at_point))
            step = mpf(10) ** -15
            for name, own in at_point.items():
                ends = [by_mpmath(sample.text, {**at_point, name: own + sign * step}) for sign in (1, -1)]
                slope = (ends[0] - ends[1]) / (2 * step)
                assert_within(grad[name], slope, mpf(10) ** -20 * (1 + abs(slope)))


@pytest.mark.parametrize("name", sorted(set(ELEMENTWISE) - {"not", "and", "or"}))
def test_every_elementwise_operation_has_bounds(name: str) -> None:
    """Over narrow and wide ranges in its domain, by the reference of another's work."""
    operation, random = ELEMENTWISE[name], Random(name)
    intervals = support.intervals(operation)
    names = [f"a{at}" for at in range(len(intervals))]
    for params in [(), *PARAMETERS.get(name, [])]:
        statics = dict(zip((static.name for static in operation.statics), params, strict=False))
        defaults = [static.default for static in operation.statics][len(params) :]
        with mp.workdps(30):
            given = [mpf(str(item)) if isinstance(item, float | mpf) else item for item in (*params, *defaults)]
        call = f"{operation.name}({', '.join(names)}{''.join(f', {key}={value}' for key, value in statics.items())})"
        f = cgcli.bounds(call, ())
        for width in (0, 1e-3, 1, 5):
            box = {}
            for argument, (low, high) in zip(names, intervals, strict=True):
                inside = max(low, -6.0), min(high, 6.0)
                ends = (
                    sorted(random.uniform(*inside) for _ in range(2)) if width == 5 else [random.uniform(*inside)] * 2
                )
                box[argument] = (ends[0], min(ends[1] + width, inside[1]))
            value, _ = f(**box)
            with mp.workdps(30):
                for _ in range(4):
                    numbers = [(mpf(repr(low)), mpf(repr(high))) for low, high in box.values()]
                    place = [low + (high - low) * random.choice([0, 1, random.random()]) for low, high in numbers]
                    try:
                        exact = VALUES[name](*place, *given)
                    except (ZeroDivisionError, ValueError):
                        continue
                    if not isinstance(exact, mp.mpc):
                        assert_within(value, exact, mpf(10) ** -26 * (1 + abs(exact)))


IN_IV = ["x*y - x/y", "exp(x)*sin(y)", "x^2 - 2*x*y", "sqrt(x + y) + log(x)", "cos(x*y)/(1 + y^2)", "tan(x/3)^3 - y"]


@for_each("program", IN_IV)
def test_bounds_are_no_wider_than_those_of_mpmath(program: str) -> None:
    """Which computes operation by operation, with whole ranges."""
    python = re.sub(r"\^", "**", re.sub(r"(?<![\w.])(\d+)", r"iv.mpf(\1)", program)).replace("**iv.mpf", "**int")
    python = re.sub(r"\b(exp|sin|cos|tan|sqrt|log)\(", r"iv.\1(", python)
    wide = eval(python, {"iv": iv, "x": iv.mpf(["0.5", "1.25"]), "y": iv.mpf([1, 2])})
    value, _ = cgcli.bounds(program, ())(x=(0.5, 1.25), y=(1, 2))
    assert float(wide.a) - 1e-14 <= value.low < value.high <= float(wide.b) + 1e-14
    assert value.high - value.low < float(wide.delta) + 1e-14


@for_each(
    ("arguments", "printed"),
    [
        (["eval", "x*(1 - x)", "x=0..1"], "0..0.25\n"),
        (["eval", "x", "x=0.1..0.2"], "0.1..0.2\n"),
        (["eval", "x - x", "x=-1..1"], "0\n"),
        (["eval", "x/1e400", "x=1e400..3e400"], "0.9999999999999999..3.0000000000000004\n"),
        (["eval", "x*x", "x=-1..1"], "0..1\n"),
        (["eval", "x/3", "x=0.1..1", "--digits", "20"], "0.033333333333333333333..0.33333333333333333334\n"),
        (["eval", "x/3", "x=-1..1", "--precision", "3"], "-0.334..0.334\n"),
        (["grad", "x^3 - 3*x", "x=-2..2"], "value\t-2..2\nd_x\t-3..9\n"),
        (["grad", "x*y", "x=0..1", "y=3"], "value\t0..3\nd_x\t3\nd_y\t0..1\n"),
        (["grad", "abs(x)", "x=-1..2"], "value\t0..2\nd_x\t-1..1\n"),
        (["grad", "max(x, 1 - x)", "x=0..1"], "value\t0.5..1\nd_x\t-1..1\n"),
        (["grad", "sum(x^2)", "x=[-1,0]..[1,2]"], "value\t0..5\nd_x\t[-2..2, 0..4]\n"),
        (["eval", "[x, x^2]", "x=-1..2"], "[-1..2, 0..4]\n"),
        (["eval", "sin(x)", "x=0..3"], "0..1\n"),
        (["eval", "x @ [1, 2] + max([x, x])", "x=[0,0]..[1,1]"], "0..4\n"),
        (["eval", "norm(x) + logsumexp(x - x)", "x=[3,4]..[3,4]"], "5.693147180559945..5.693147180559946\n"),
        (["eval", "f(x) = x^3; jvp f(x; dx) = 3*x^2*dx; f(x)", "x=1..2"], "1..8\n"),
        (["jvp", "x*y", "x=0..1", "y=2", "--tangent", "x=1"], "value\t0..2\njvp\t2\n"),
        (["vjp", "[x, x^2]", "x=0..1", "--cotangent", "[1,1]"], "value\t[0..1, 0..1]\nvjp_x\t1..3\n"),
        (["jacobian", "[x*y, x + y]", "x=0..1", "y=-1..1"], "\tx\ty\nvalue[0]\t-1..1\t0..1\nvalue[1]\t1\t1\n"),
        (["hessian", "x^2*y", "x=0..1", "y=2..3"], "\tx\ty\nx\t4..6\t0..2\ny\t0..2\t0\n"),
        (["grad", "exp(x)", "x=0..0", "--order", "2"], "value\t1\nd_x\t1\nd2_x\t1\n"),
        (["trace", "x*y/3", "x=0..1", "y=2"],
         "forward primal trace  value\nx                     0..1\ny                     2\n"
         "v1 = x*y              0..2\nv2 = v1/3             0..0.666667\n"),
        (["eval", "1/(x*(1 - x) + 1)", "x=0..1"], "0.8..1\n"),
        (["eval", "x^0.5", "x=1/4..4"], "0.5..2\n"),
        (["eval", "x", "x=0..1", "--json"], '{"value": {"low": 0, "high": 1}, "warnings": []}\n'),
    ],
)  # fmt: skip
def test_commands(capsys: Capture, arguments: list[str], printed: str) -> None:
    assert cg(capsys, *arguments) == (0, printed, "")


@for_each(
    ("arguments", "out", "said"),
    [
        (["eval", "sqrt(x)", "x=-1..4"], "0..2\n", "sqrt(x) may have no finite value somewhere in the ranges"),
        (["eval", "1/x", "x=-1..1"], "-inf..inf\n", "1/x may have no finite value"),
        (["eval", "ln(x)", "x=0..1"], "-inf..0\n", "ln(x) may have no finite value"),
        (["eval", "sqrt(x)", "x=-2..-1"], "nan\n", "sqrt(x) may have no finite value"),
        (["eval", "1/x", "x=-1..1", "--json"], '{"value": {"low": null, "high": null}', "1/x may have"),
    ],
)
def test_what_has_no_value_is_said(capsys: Capture, arguments: list[str], out: str, said: str) -> None:
    found = cg(capsys, *arguments)
    assert found.code == 0
    assert found.out.startswith(out)
    assert said in found.err


@for_each(
    ("arguments", "message"),
    [
        (["eval", "x", "x=2..1"], "the range of 'x' ends before it begins"),
        (["eval", "x", "x=1.."], "the value of 'x'"),
        (["eval", "x", "x=[1,2]..3"], "the ends of the range of 'x' differ in shape"),
        (["check", "x^2", "x=0..1"], "'x=0..1' is a range, and this command computes one point"),
        (["diff", "x^2", "x=0..1"], "'x=0..1' is a range, and this command computes one point"),
        (["eval", "x + y", "x=0..1", "y=0:1:3"], "'x=0..1' is a range, and there are rows, too"),
        (["eval", "x", "x=0..1", "--accuracy"], "--accuracy is of the numbers at one point"),
        (["eval", "det(A)*x", "A=[[1,2],[3,4]]", "x=0..1"], "'det' has no bounds"),
        (["eval", "argmax([x, 1])", "x=0..1"], "'argmax' has no bounds"),
        (["grad", "repeat 2 { x = sin(x) }; x", "x=0..1"], "the gradient of a loop has no bounds"),
        (["eval", "1 + argmax([x, 1])", "x=0..1"], "\n  1 + argmax([x, 1])\n      ^^^^^^^^^^^^^^\n"),
        (
            ["eval", "2*sum(i=1..n, x*i)", "x=0..1", "n=3"],
            "a loop or a sum whose number of trips is not known has no bounds: it cannot be computed with ranges\n"
            "  2*sum(i=1..n, x*i)\n    ^^^^^^^^^^^^^^^^\n",
        ),
        (["eval", "y = a; while y > 1 { y = y/2 }; y", "a=2..3"], "\n         ^^^^^^^^^^^^^^^^^^^^^^^\n"),
        (
            ["eval", "1 + solve(x^2 = a, x=1)", "a=2..3"],
            "a root has no bounds: it cannot be computed with ranges\n  1 + solve(x^2 = a, x=1)\n      ^^^^^^^^^^^^^^",
        ),
        (["grad", "x = [1, 2, 3]; x[i]*y", "i=0..1", "y=2"], "an element at an index that is computed has no bounds"),
        (["eval", "x", "x=a..1"], "the value of 'x' is not a number: 'a' is not known"),
        (["eval", "w: [n]; sum(w)", "w=[1,2]", "n=2..3"], "'n' is a size, and has no range"),
    ],
)
def test_bad_input(capsys: Capture, arguments: list[str], message: str) -> None:
    found = cg(capsys, *arguments)
    assert found.code in (1, 2)
    assert message in found.err
    assert "Traceback" not in found.err


@for_each(
    ("text", "least", "most"),
    [("exp(x)", 0, math.inf), ("sinh(x)", -math.inf, math.inf), ("exp2(x)", 0, math.inf), ("softplus(x)", 0, math.inf),
     ("floor(x)", -math.inf, math.inf), ("round(x) - round(x)", 0, 0), ("sign(exp(x) + 1)", 1, 1), ("tanh(x)", -1, 1),
     ("erfc(x)", 0, 2), ("ndtr(x)", 0, 1), ("gelu(x)", -0.169971207479903662, math.inf),
     ("silu(x)", -0.278464542761073795, math.inf), ("gelu(-x)", -0.169971207479903662, math.inf)],
)  # fmt: skip
def test_ends_beyond_floats(text: str, least: float, most: float) -> None:
    """Protects ranges whose ends are fractions that no float holds: they were asked whether they are infinite.

    Each takes less than a second of the processor; erfc took ten, in which e was multiplied with itself.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.process_time()
        value, _ = cgcli.bounds(text, ())(x="-1e400..1e400")
    assert time.process_time() - start < 5
    assert value.low == pytest.approx(least, abs=1e-12)
    assert value.high == pytest.approx(most, abs=1e-12)


def test_library() -> None:
    value, grad = cgcli.bounds("x*(1 - x) + sum(w)", "x")(x=(0, 1), w=([0, 1], [0, 2]))
    assert (value, grad) == ((1, 2.25), {"x": (-1, 1)})
    value, _ = cgcli.bounds("[x, 2*x]", ())({"x": "1/4..1/2"})
    assert np.array_equal([value.low, value.high], [[0.25, 0.5], [0.5, 1]])
    both, slopes = cgcli.bounds("(x, x^2)")(x=(1, 2))
    assert (both["x^2"], slopes["x^2"]["x"]) == ((1, 4), (2, 4))
    with pytest.raises(cgcli.CgError, match="the value of 'x' is a tuple of 3"):
        cgcli.bounds("x")(x=(1, 2, 3))


@for_each(
    ("number", "digits", "down", "up"),
    [
        (Fraction(1, 3), 3, "0.333", "0.334"),
        (Fraction(-1, 3), 3, "-0.334", "-0.333"),
        (Fraction(1, 10), 5, "0.1", "0.1"),
        (Fraction(999999), 3, "999000", "1000000"),
        (Fraction(10**20), 3, "1e+20", "1e+20"),
        (Fraction(2, 3 * 10**7), 4, "6.666e-08", "6.667e-08"),
        (Fraction(0), 4, "0", "0"),
    ],
)
def test_ends_are_rounded_outward(number: Fraction, digits: int, down: str, up: str) -> None:
    assert (text(number, digits, up=False), text(number, digits, up=True)) == (down, up)


def test_arithmetic_of_infinite_intervals() -> None:
    """0 times an unbounded interval is 0, for no number of that is infinite."""
    line = Interval(-float("inf"), float("inf"))
    assert repr(point(0) * line) == "<interval 0..0>"
    assert repr(Interval(Fraction(1), float("inf")) - point(2)) == "<interval -1..inf>"
    assert repr(point(1) / Interval(Fraction(0), Fraction(2))) == "<interval 1/2..inf>"
    assert (point(0) / point(0)).is_empty
